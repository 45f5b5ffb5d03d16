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
	text := readTemplate(t)
	for _, rule := range slices.Concat(apiRules(), stageRules(), networkRules(), functionRules()) {
		t.Run(rule.name, func(t *testing.T) {
			if err := rule.check(parse(t, text)); err != nil {
				t.Fatal(err)
			}
			if len(rule.broken) == 0 {
				t.Fatal("no way of breaking this rule is given, so nothing says that it can fail")
			}
			for how, breakIt := range rule.broken {
				template := parse(t, text)
				breakIt(template)
				if err := rule.check(template); err == nil {
					t.Errorf("the template passes with %s", how)
				}
			}
		})
	}
}

func apiRules() []rule {
	policy := func(t object) []any {
		return listAt(properties(t, "MoviesApi"), "Body", "x-amazon-apigateway-policy", "Statement")
	}
	fence := func(t object) object { return objectAt(policy(t)[0]) }
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
		{"every operation is authorized by IAM", signed, map[string]func(object){
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
			"no operations": func(t object) { objectAt(properties(t, "MoviesApi"), "Body")["paths"] = object{} },
		}},
		{"callers need no right to invoke the function", withoutCallerCredentials, map[string]func(object){
			"the caller's credentials": func(t object) {
				objectAt(operation(t), "x-amazon-apigateway-integration")["credentials"] = "arn:aws:iam::*:user/*"
			},
		}},
		{"every other endpoint is denied", fenced, map[string]func(object){
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
			"a fence around one path":   func(t object) { fence(t)["Resource"] = "execute-api:/*/GET/movie_list" },
			"a fence for one principal": func(t object) { fence(t)["Principal"] = object{"AWS": "arn:aws:iam::123456789012:root"} },
		}},
		{"nobody but accounts is allowed", onlyAccountsAllowed, map[string]func(object){
			"everybody": func(t object) { objectAt(policy(t)[1])["Principal"] = "*" },
			"every AWS principal": func(t object) {
				objectAt(policy(t)[1])["Principal"] = object{"AWS": "*"}
			},
			"every partner everything": func(t object) {
				objectAt(listAt(policy(t)[2], "Fn::If")[1])["Resource"] = "execute-api:/*"
			},
			"a further Allow": func(t object) {
				objectAt(properties(t, "MoviesApi"), "Body", "x-amazon-apigateway-policy")["Statement"] =
					append(policy(t), object{"Effect": "Allow", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*"})
			},
		}},
	}
}

func stageRules() []rule {
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
		{"the stage throttles and traces", throttledAndTraced, map[string]func(object){
			"no throttling": func(t object) { delete(objectAt(listAt(stage(t), "MethodSettings")[0]), "ThrottlingRateLimit") },
			"a throttle on one path": func(t object) {
				objectAt(listAt(stage(t), "MethodSettings")[0])["ResourcePath"] = "/~1movie_list"
			},
			"bodies in the logs": func(t object) { objectAt(listAt(stage(t), "MethodSettings")[0])["DataTraceEnabled"] = true },
			"no traces":          func(t object) { stage(t)["TracingEnabled"] = false },
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

func signed(t object) error {
	scheme := at(properties(t, "MoviesApi"), "Body", "components", "securitySchemes", "AWS_IAM", "x-amazon-apigateway-authtype")
	return errors.Join(want("the scheme AWS_IAM", scheme, "awsSigv4"), operations(t, func(name string, operation object) error {
		// Several entries are alternatives in OpenAPI, so it has to be this one alone.
		return want("security of "+name, operation["security"], list(object{"AWS_IAM": []any{}}))
	}))
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

func fenced(t object) error {
	denies := withEffect("Deny", statements(at(properties(t, "MoviesApi"), "Body", "x-amazon-apigateway-policy")))
	if len(denies) != 1 {
		return fmt.Errorf("got %d Deny statements, want 1", len(denies))
	}
	delete(denies[0], "Sid")
	return want("the fence", denies[0], object{
		"Effect": "Deny", "Principal": "*", "Action": "execute-api:Invoke", "Resource": "execute-api:/*",
		"Condition": object{"StringNotEquals": object{"aws:SourceVpce": list(ref("ApiEndpoint"))}},
	})
}

func onlyAccountsAllowed(t object) error {
	allows := withEffect("Allow", statements(at(properties(t, "MoviesApi"), "Body", "x-amazon-apigateway-policy")))
	if len(allows) != 2 {
		return fmt.Errorf("got %d Allow statements, want this account's and the partners'", len(allows))
	}
	partners := at(allows[1], "Principal", "AWS")
	if split := listAt(partners, "Fn::Split"); len(split) != 2 {
		return fmt.Errorf("the partners are %v, want the parameter's accounts", partners)
	}
	for _, resource := range listAt(allows[1], "Resource") {
		if text, _ := at(resource, "Fn::Sub").(string); !strings.Contains(text, "/GET/movie_list") {
			return fmt.Errorf("the partners may call %v, want paths of the API", resource)
		}
	}
	return errors.Join(
		want("the account", allows[0]["Principal"], object{"AWS": sub("arn:aws:iam::${AWS::AccountId}:root")}),
		want("number of the partners' resources", len(listAt(allows[1], "Resource")), 2),
	)
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

func throttledAndTraced(t object) error {
	stage := properties(t, "MoviesApiStage")
	settings := listAt(stage, "MethodSettings")
	if len(settings) != 1 {
		return fmt.Errorf("got %d method settings, want 1", len(settings))
	}
	return errors.Join(
		want("paths", at(settings[0], "ResourcePath"), "/*"),
		want("methods", at(settings[0], "HttpMethod"), "*"),
		want("rate", at(settings[0], "ThrottlingRateLimit"), ref("ThrottleRate")),
		want("burst", at(settings[0], "ThrottlingBurstLimit"), ref("ThrottleBurst")),
		want("bodies in the logs", at(settings[0], "DataTraceEnabled"), false),
		want("tracing", stage["TracingEnabled"], true),
	)
}
