package deploycheck

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"
)

// rule is one thing that must be so, with the ways of breaking it that the check must see.
type rule struct {
	name   string
	check  func(template object) error
	broken map[string]func(template object)
}

func TestDeployed(t *testing.T) {
	for _, v := range variants(t) {
		t.Run(v.name, func(t *testing.T) {
			text := v.read(t)
			for _, rule := range slices.Concat(apiRules(v), policyRules(v), stageRules(v), networkRules(v), vpcRules(v), roleRules(v),
				functionRules(v), optionRules(v), watchRules(v)) {
				t.Run(rule.name, func(t *testing.T) { rule.test(t, v, text) })
			}
		})
	}
}

func (r rule) test(t *testing.T, v variant, text []byte) {
	if err := r.check(v.template(t, text)); err != nil {
		t.Fatal(err)
	}
	if len(r.broken) == 0 {
		t.Fatal("no way of breaking this rule is given, so nothing says that it can fail")
	}
	for how, breakIt := range r.broken {
		template := v.template(t, text)
		breakIt(template)
		if err := r.check(template); err == nil {
			t.Errorf("the template passes with %s", how)
		}
	}
}

// TestRedeployed: API Gateway serves what was deployed last, and SAM makes a new deployment only where the API's document
// changes. So whatever a parameter says about who may call has to be in there, and not behind a condition.
func TestRedeployed(t *testing.T) {
	deployments := func(parameters map[string]string) []string {
		v := variant{parameters: parameters}
		return ofType(parse(t, v.read(t)), "AWS::ApiGateway::Deployment")
	}
	before := deployments(nil)
	if len(before) != 1 {
		t.Fatalf("got the deployments %v, want one", before)
	}
	for name, value := range map[string]string{
		"RequireApiKey": "true", "PartnerAccountIds": "210987654321", "AdmittedEndpointIds": "vpce-0123456789abcdef0",
	} {
		if after := deployments(map[string]string{name: value}); slices.Equal(before, after) {
			t.Errorf("with %s=%s the API is not deployed again", name, value)
		}
	}
	if again := deployments(map[string]string{"LogLevel": "warn"}); !slices.Equal(before, again) {
		t.Errorf("got the deployments %v for another LogLevel, want %v: nothing of the API has changed", again, before)
	}
}

func apiRules(v variant) []rule {
	operation := func(t object) object {
		return objectAt(properties(t, "MoviesApi"), "Body", "paths", "/movie_list", "get")
	}
	return []rule{
		{"the API is private", private, map[string]func(object){
			"a regional endpoint": func(t object) {
				objectAt(properties(t, "MoviesApi"), "EndpointConfiguration")["Types"] = list("REGIONAL")
			},
			"no associated endpoint": func(t object) {
				delete(objectAt(properties(t, "MoviesApi"), "EndpointConfiguration"), "VpcEndpointIds")
			},
			"a second API": func(t object) { objectAt(t, "Resources")["Other"] = object{"Type": "AWS::ApiGateway::RestApi"} },
		}},
		{"every operation is authorized by IAM", signed(v), map[string]func(object){
			"an operation without security": func(t object) { delete(operation(t), "security") },
			"an operation that may go without": func(t object) {
				operation(t)["security"] = list(object{"AWS_IAM": []any{}}, object{})
			},
			"another operation": func(t object) {
				objectAt(properties(t, "MoviesApi"), "Body", "paths", "/movie_list")["post"] = object{}
			},
			"a scheme that is not SigV4": func(t object) {
				objectAt(properties(t, "MoviesApi"), "Body", "components", "securitySchemes", "AWS_IAM")["x-amazon-apigateway-authtype"] = "custom"
			},
			"no operations":         func(t object) { objectAt(properties(t, "MoviesApi"), "Body")["paths"] = object{} },
			"a key more, or a less": func(t object) { operation(t)["security"] = list(object{"api_key": []any{}}) },
		}},
		{"callers need no right to invoke the function", withoutCallerCredentials, map[string]func(object){
			"the caller's credentials": func(t object) {
				objectAt(operation(t), "x-amazon-apigateway-integration")["credentials"] = "arn:aws:iam::*:user/*"
			},
		}},
	}
}

func policyRules(v variant) []rule {
	policy := func(t object) []any {
		return listAt(properties(t, "MoviesApi"), "Body", "x-amazon-apigateway-policy", "Statement")
	}
	fence := func(t object) object { return objectAt(policy(t)[0]) }
	return []rule{
		{"every other endpoint is denied", fenced(v), map[string]func(object){
			"no fence": func(t object) {
				objectAt(properties(t, "MoviesApi"), "Body", "x-amazon-apigateway-policy")["Statement"] = policy(t)[1:]
			},
			"an Allow for the endpoint instead": func(t object) {
				fence(t)["Effect"] = "Allow"
				fence(t)["Condition"] = object{"StringEquals": object{"aws:SourceVpce": list(ref("ApiEndpoint"))}}
			},
			"a further condition": func(t object) {
				objectAt(fence(t), "Condition")["Bool"] = object{"aws:SecureTransport": "false"}
			},
			"a fence around one path": func(t object) { fence(t)["Resource"] = "execute-api:/*/GET/movie_list" },
			"an endpoint more": func(t object) {
				objectAt(fence(t), "Condition", "StringNotEquals")["aws:SourceVpce"] = list[any](ref("ApiEndpoint"), "vpce-00000000")
			},
			"a fence for one principal": func(t object) { fence(t)["Principal"] = object{"AWS": "arn:aws:iam::123456789012:root"} },
		}},
		{"nobody but accounts is allowed", onlyAccountsAllowed(v), map[string]func(object){
			"everybody": func(t object) { objectAt(policy(t)[1])["Principal"] = "*" },
			"every AWS principal": func(t object) {
				objectAt(policy(t)[1])["Principal"] = object{"AWS": "*"}
			},
			"everything for the last of them": func(t object) {
				objectAt(policy(t)[len(policy(t))-1])["Resource"] = "*"
			},
			"a further Allow": func(t object) {
				objectAt(properties(t, "MoviesApi"), "Body", "x-amazon-apigateway-policy")["Statement"] =
					append(policy(t), object{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"})
			},
		}},
	}
}

func stageRules(v variant) []rule {
	stage := func(t object) object { return properties(t, "MoviesApiStage") }
	return []rule{
		{"accesses are logged with who and why", accessLogged, map[string]func(object){
			"no access log":          func(t object) { delete(stage(t), "AccessLogSetting") },
			"a log that is not JSON": func(t object) { objectAt(stage(t), "AccessLogSetting")["Format"] = "$context.requestId" },
			"a log without the caller": func(t object) {
				setting := objectAt(stage(t), "AccessLogSetting")
				setting["Format"] = strings.ReplaceAll(setting["Format"].(string), "$context.identity.userArn", "-")
			},
		}},
		{"the stage throttles", throttled(v), map[string]func(object){
			"no throttling":           func(t object) { delete(objectAt(listAt(stage(t), "MethodSettings")[0]), "ThrottlingRateLimit") },
			"a throttle on one path":  func(t object) { objectAt(listAt(stage(t), "MethodSettings")[0])["ResourcePath"] = "/~1movie_list" },
			"no throttle for writing": func(t object) { stage(t)["MethodSettings"] = listAt(stage(t), "MethodSettings")[:1] },
			"unlimited writing": func(t object) {
				objectAt(listAt(stage(t), "MethodSettings")[2])["ThrottlingBurstLimit"] = ref("ThrottleBurst")
			},
		}},
		{"no bodies and signatures are logged", bodiesUnlogged, map[string]func(object){
			"bodies of one method in the logs": func(t object) { objectAt(listAt(stage(t), "MethodSettings")[1])["DataTraceEnabled"] = true },
			"execution logs always":            func(t object) { objectAt(listAt(stage(t), "MethodSettings")[0])["LoggingLevel"] = "INFO" },
			"execution logs by default":        func(t object) { objectAt(t, "Parameters", "ExecutionLogs")["Default"] = "INFO" },
		}},
		{"requests are traced", traced, map[string]func(object){
			"no traces of the API":      func(t object) { stage(t)["TracingEnabled"] = false },
			"no traces of the function": func(t object) { delete(properties(t, "MovieListFunction"), "TracingConfig") },
		}},
	}
}

func private(t object) error {
	api := properties(t, "MoviesApi")
	return errors.Join(
		want("REST APIs", ofType(t, "AWS::ApiGateway::RestApi"), list("MoviesApi")),
		want("endpoint type", at(api, "EndpointConfiguration", "Types"), list("PRIVATE")),
		want("associated endpoints", at(api, "EndpointConfiguration", "VpcEndpointIds"), list(ref("ApiEndpoint"))),
	)
}

// operations calls check with each method of each path, and fails if there is none.
func operations(t object, check func(name string, operation object) error) error {
	var failures []error
	paths := objectAt(properties(t, "MoviesApi"), "Body", "paths")
	if len(paths) == 0 {
		return errors.New("the API has no paths")
	}
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		methods := objectAt(paths[path])
		if len(methods) == 0 {
			failures = append(failures, fmt.Errorf("%s has no methods", path))
		}
		for method, operation := range methods {
			failures = append(failures, check(method+" "+path, objectAt(operation)))
		}
	}
	return errors.Join(failures...)
}

func signed(v variant) func(object) error {
	// Several entries are alternatives in OpenAPI, but to API Gateway api_key is a flag beside the authorizer.
	security := list(object{"AWS_IAM": []any{}})
	if v.everything {
		security = append(security, object{"api_key": []any{}})
	}
	return func(t object) error {
		scheme := at(properties(t, "MoviesApi"), "Body", "components", "securitySchemes", "AWS_IAM", "x-amazon-apigateway-authtype")
		return errors.Join(want("the scheme AWS_IAM", scheme, "awsSigv4"), operations(t, func(name string, operation object) error {
			return want("security of "+name, operation["security"], security)
		}))
	}
}

func withoutCallerCredentials(t object) error {
	return operations(t, func(name string, operation object) error {
		integration := objectAt(operation, "x-amazon-apigateway-integration")
		return errors.Join(
			want("type of the integration of "+name, integration["type"], "aws_proxy"),
			want("credentials of the integration of "+name, integration["credentials"], nil),
		)
	})
}

func fenced(v variant) func(object) error {
	endpoints := any(list(ref("ApiEndpoint")))
	if v.everything {
		endpoints = object{"Fn::Split": list[any](",", sub("${ApiEndpoint},"+v.parameters["AdmittedEndpointIds"]))}
	}
	return func(t object) error {
		denies := withEffect("Deny", statements(at(properties(t, "MoviesApi"), "Body", "x-amazon-apigateway-policy")))
		if len(denies) != 1 {
			return fmt.Errorf("got %d Deny statements, want 1", len(denies))
		}
		delete(denies[0], "Sid")
		return want("the fence", denies[0], object{
			"Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*",
			"Condition": object{"StringNotEquals": object{"aws:SourceVpce": endpoints}},
		})
	}
}

// onlyAccountsAllowed: this account, which grants nothing alone, and the partners, what they may list and read.
func onlyAccountsAllowed(v variant) func(object) error {
	expected := list(object{
		"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": "execute-api:/*",
		"Principal": object{"AWS": sub("arn:aws:iam::${AWS::AccountId}:root")},
	})
	if v.everything {
		expected = append(expected, object{
			"Effect": "Allow", "Action": "execute-api:Invoke",
			"Resource":  list(sub("execute-api:/prod/GET/movie_list"), sub("execute-api:/prod/GET/movie_list/*/*")),
			"Principal": object{"AWS": object{"Fn::Split": list(",", v.parameters["PartnerAccountIds"])}},
		})
	}
	return func(t object) error {
		allows := withEffect("Allow", statements(at(properties(t, "MoviesApi"), "Body", "x-amazon-apigateway-policy")))
		for _, allow := range allows {
			delete(allow, "Sid")
		}
		return want("who is allowed what", allows, expected)
	}
}

func accessLogged(t object) error {
	setting := objectAt(properties(t, "MoviesApiStage"), "AccessLogSetting")
	var format map[string]string
	text, _ := setting["Format"].(string)
	if err := json.Unmarshal([]byte(text), &format); err != nil {
		return fmt.Errorf("the access log's format: %w", err)
	}
	failures := []error{want("destination", setting["DestinationArn"], getAtt("ApiAccessLogs", "Arn"))}
	logged := slices.Collect(maps.Values(format))
	for _, variable := range []string{
		"requestId", "status", "identity.userArn", "identity.accountId", "identity.vpceId", "error.message",
		"authenticate.status", "authenticate.error", "authorize.status", "authorize.error", "integration.error",
	} {
		if !slices.Contains(logged, "$context."+variable) {
			failures = append(failures, fmt.Errorf("the access log lacks $context.%s", variable))
		}
	}
	return errors.Join(failures...)
}

// throttled: all methods by the stage's throttle, and those that write by one of their own.
func throttled(v variant) func(object) error {
	type limit struct{ path, method, rate, burst string }
	const movie = "/~1movie_list~1{year}~1{title}"
	limits := []limit{
		{"/*", "*", "ThrottleRate", "ThrottleBurst"},
		{movie, "PUT", "WriteThrottleRate", "WriteThrottleBurst"},
		{movie, "DELETE", "WriteThrottleRate", "WriteThrottleBurst"},
	}
	if v.everything {
		limits = append(limits, limit{"/~1movie_list", "GET", "ThrottleRate", "ThrottleBurst"}) // the cached one
	}
	return func(t object) error {
		settings := listAt(properties(t, "MoviesApiStage"), "MethodSettings")
		if len(settings) != len(limits) {
			return fmt.Errorf("got %d method settings, want %d", len(settings), len(limits))
		}
		var failures []error
		for i, l := range limits {
			failures = append(failures,
				want("the setting's path", at(settings[i], "ResourcePath"), l.path),
				want("the setting's method", at(settings[i], "HttpMethod"), l.method),
				want("rate of "+l.method+" "+l.path, at(settings[i], "ThrottlingRateLimit"), ref(l.rate)),
				want("burst of "+l.method+" "+l.path, at(settings[i], "ThrottlingBurstLimit"), ref(l.burst)),
				want("metrics of "+l.method+" "+l.path, at(settings[i], "MetricsEnabled"), true))
		}
		return errors.Join(failures...)
	}
}

func bodiesUnlogged(t object) error {
	failures := []error{want("execution logs by default", at(t, "Parameters", "ExecutionLogs", "Default"), "OFF")}
	for _, setting := range listAt(properties(t, "MoviesApiStage"), "MethodSettings") {
		failures = append(failures,
			want("bodies in the logs", at(setting, "DataTraceEnabled"), false),
			want("execution logs", at(setting, "LoggingLevel"), ref("ExecutionLogs")))
	}
	return errors.Join(failures...)
}

func traced(t object) error {
	return errors.Join(
		want("traces of the API", properties(t, "MoviesApiStage")["TracingEnabled"], true),
		want("traces of the movie list", at(properties(t, "MovieListFunction"), "TracingConfig", "Mode"), "Active"),
	)
}
