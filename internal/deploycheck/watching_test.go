package deploycheck

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
)

// watched are the alarms, each with what it has to look at.
var watched = map[string][]string{
	"ApiFailures":        {"5XXError"},
	"ApiRefusals":        {"4XXError"},
	"ApiSlow":            {"Latency"},
	"MovieListErrors":    {"Errors"},
	"MovieListThrottles": {"Throttles"},
	"CallerErrors":       {"Errors"},
	"TableThrottles":     {"ReadThrottleEvents", "ReadThrottleEvents", "ReadThrottleEvents", "WriteThrottleEvents", "WriteThrottleEvents", "WriteThrottleEvents"},
	"TableSystemErrors":  {"SystemErrors", "SystemErrors", "SystemErrors", "SystemErrors"},
}

func watchRules(variant) []rule {
	topic := func(t object) object { return properties(t, "AlarmTopicPolicy") }
	return []rule{
		{"alarms look at everything that can go wrong, and tell", alarmed, map[string]func(object){
			"an alarm less":       func(t object) { delete(objectAt(t, "Resources"), "ApiRefusals") },
			"an alarm for nobody": func(t object) { delete(properties(t, "TableThrottles"), "AlarmActions") },
			"another metric":      func(t object) { properties(t, "ApiFailures")["MetricName"] = "4XXError" },
			"an index less": func(t object) {
				properties(t, "TableThrottles")["Metrics"] = listAt(properties(t, "TableThrottles"), "Metrics")[:5]
			},
			"the version of before": func(t object) {
				properties(t, "MovieListErrors")["Dimensions"] = listAt(properties(t, "MovieListErrors"), "Dimensions")[:1]
			},
			"an average latency": func(t object) { properties(t, "ApiSlow")["ExtendedStatistic"] = "p50" },
		}},
		{"only this account's alarms publish", topicClosed, map[string]func(object){
			"every service of AWS for anybody": func(t object) { delete(objectAt(listAt(topic(t), "PolicyDocument", "Statement")[0]), "Condition") },
			"anybody":                          func(t object) { objectAt(listAt(topic(t), "PolicyDocument", "Statement")[0])["Principal"] = "*" },
		}},
		{"the queries name fields that the access log has", queriesFit, map[string]func(object){
			"a field that is not logged": func(t object) {
				query := properties(t, "RefusedQuery")
				query["QueryString"] = strings.ReplaceAll(query["QueryString"].(string), "userArn", "who")
			},
			"another log": func(t object) { properties(t, "RefusedQuery")["LogGroupNames"] = list(ref("CallerLogs")) },
			"no queries": func(t object) {
				for _, id := range ofType(t, "AWS::Logs::QueryDefinition") {
					delete(objectAt(t, "Resources"), id)
				}
			},
		}},
		{"the dashboard is a dashboard", dashboardReadable, map[string]func(object){
			"broken JSON": func(t object) { properties(t, "OverviewDashboard")["DashboardBody"] = sub(`{"widgets": [}`) },
			"no widgets":  func(t object) { properties(t, "OverviewDashboard")["DashboardBody"] = sub(`{"widgets": []}`) },
		}},
		{"the outputs say how to call, and with what right", callable, map[string]func(object){
			"no policy for callers": func(t object) { delete(objectAt(t, "Outputs"), "CallerPolicy") },
			"a policy for everything": func(t object) {
				objectAt(t, "Outputs", "CallerPolicy")["Value"] = sub(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":["*"]}]}`)
			},
			"a form less": func(t object) { delete(objectAt(t, "Outputs"), "AliasUrl") },
		}},
	}
}

// metrics are the names that an alarm looks at.
func metrics(alarm object) (names []string) {
	if name, ok := alarm["MetricName"].(string); ok {
		names = append(names, name)
	}
	for _, m := range listAt(alarm, "Metrics") {
		if name, ok := at(m, "MetricStat", "Metric", "MetricName").(string); ok {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return names
}

func alarmed(t object) error {
	failures := []error{want("alarms", len(ofType(t, "AWS::CloudWatch::Alarm")), len(watched))}
	for id, expected := range watched {
		alarm := properties(t, id)
		failures = append(failures,
			want("metrics of "+id, metrics(alarm), expected),
			want("who is told of "+id, alarm["AlarmActions"], list(ref("AlarmTopic"))),
			want("who is told of the end of "+id, alarm["OKActions"], list(ref("AlarmTopic"))),
			want("silence of "+id, alarm["TreatMissingData"], "notBreaching"))
	}
	return errors.Join(append(failures,
		want("statistic of ApiSlow", properties(t, "ApiSlow")["ExtendedStatistic"], "p99"),
		want("what MovieListErrors looks at", properties(t, "MovieListErrors")["Dimensions"], list(
			object{"Name": "FunctionName", "Value": ref("MovieListFunction")}, object{"Name": "Resource", "Value": sub("${MovieListFunction}:live")})),
	)...)
}

func topicClosed(t object) error {
	return want("who may publish", listAt(properties(t, "AlarmTopicPolicy"), "PolicyDocument", "Statement"), list(object{
		"Sid": "AlarmsOfThisAccount", "Effect": "Allow", "Principal": object{"Service": "cloudwatch.amazonaws.com"},
		"Action": "sns:Publish", "Resource": ref("AlarmTopic"),
		"Condition": object{"StringEquals": object{"aws:SourceAccount": ref("AWS::AccountId")}},
	}, object{
		"Sid": "NothingInTheClear", "Effect": "Deny", "Principal": "*", "Action": "sns:Publish", "Resource": ref("AlarmTopic"),
		"Condition": object{"Bool": object{"aws:SecureTransport": "false"}},
	}))
}

// queriesFit holds the words after "fields" and "by" to the names that the access log gives its values.
func queriesFit(t object) error {
	var logged map[string]string
	format, _ := at(properties(t, "MoviesApiStage"), "AccessLogSetting", "Format").(string)
	if err := json.Unmarshal([]byte(format), &logged); err != nil {
		return fmt.Errorf("the access log's format: %w", err)
	}
	queries := ofType(t, "AWS::Logs::QueryDefinition")
	failures := []error{want("saved queries", queries, list("CallersQuery", "ErrorsQuery", "RefusedCallersQuery", "RefusedQuery", "SlowQuery"))}
	for _, id := range queries {
		if id == "ErrorsQuery" { // of the functions, whose fields are their own
			failures = append(failures, want("logs of "+id, properties(t, id)["LogGroupNames"], list(ref("MovieListLogs"), ref("CallerLogs"))))
			continue
		}
		failures = append(failures, want("log of "+id, properties(t, id)["LogGroupNames"], list(ref("ApiAccessLogs"))))
		text, _ := properties(t, id)["QueryString"].(string)
		for _, name := range fieldsOf(text) {
			if _, ok := logged[name]; !ok && name != "@timestamp" {
				failures = append(failures, fmt.Errorf("%s asks for %s, which the access log does not have", id, name))
			}
		}
	}
	return errors.Join(failures...)
}

func fieldsOf(query string) (names []string) {
	for line := range strings.Lines(query) {
		line = strings.TrimSpace(strings.TrimPrefix(line, "| "))
		_, rest, ok := strings.Cut(line, "fields ")
		if !ok {
			_, rest, ok = strings.Cut(line, " by ")
		}
		if !ok {
			continue
		}
		for name := range strings.SplitSeq(rest, ",") {
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names
}

func dashboardReadable(t object) error {
	text, _ := at(properties(t, "OverviewDashboard"), "DashboardBody", "Fn::Sub").(string)
	var body struct{ Widgets []object }
	if err := json.Unmarshal([]byte(text), &body); err != nil {
		return fmt.Errorf("the dashboard: %w", err)
	}
	if len(body.Widgets) < 5 {
		return fmt.Errorf("the dashboard has %d widgets, want 5 or more", len(body.Widgets))
	}
	return nil
}

func callable(t object) error {
	var failures []error
	for _, id := range []string{
		"InvokeUrl", "AliasUrl", "EndpointUrl", "EndpointCall", "MarqueeCall", "MarqueeCallWithoutPrivateDns", "CurlCall",
		"CurlCallWithoutPrivateDns", "CallerPolicy", "AccessLogGroup",
	} {
		if at(t, "Outputs", id, "Value") == nil {
			failures = append(failures, fmt.Errorf("there is no output %s", id))
		}
	}
	text, _ := at(t, "Outputs", "CallerPolicy", "Value", "Fn::Sub").(string)
	var policy object
	if err := json.Unmarshal([]byte(text), &policy); err != nil {
		return errors.Join(append(failures, fmt.Errorf("the callers' policy: %w", err))...)
	}
	const path = "arn:${AWS::Partition}:execute-api:${AWS::Region}:${AWS::AccountId}:${MoviesApi}/${Stage}/GET/movie_list"
	return errors.Join(append(failures, want("the callers' policy", policy, object{"Version": "2012-10-17", "Statement": list(object{
		"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": list(path, path+"/*/*"),
	})}))...)
}
