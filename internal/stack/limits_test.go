package stack_test

import (
	"fmt"
	"strings"
	"testing"
)

// What blocks or limits calls on AWS and is not evaluated here, and what AWS does not take, is refused with the way out.
func TestWallsAndLimits(t *testing.T) {
	api := func(properties, get string) string {
		return sam + "Resources:\n  A:\n    Type: AWS::Serverless::Api\n    Properties: {StageName: v1, OpenApiVersion: 3.0.1, " + properties +
			"DefinitionBody: {openapi: 3.0.1, paths: {/a: {get: {" + get + "}}}}}\n"
	}
	const mock = "x-amazon-apigateway-integration: {type: mock, responses: {default: {statusCode: 200}}}"
	timeout := func(n string) string {
		return "x-amazon-apigateway-integration: {type: mock, timeoutInMillis: " + n + ", responses: {default: {statusCode: 200}}}"
	}
	const place = "t.yaml:5: A: DefinitionBody.paths./a.get.x-amazon-apigateway-integration.timeoutInMillis: "
	tests := map[string]struct {
		text string
		want string // empty: no error
	}{
		"a web ACL of the API": {api("", mock) + "  W: {Type: AWS::WAFv2::WebACLAssociation, Properties: {ResourceArn: !Sub 'arn:aws:apigateway:${AWS::Region}::/restapis/${A}/stages/v1', WebACLArn: a}}\n",
			"t.yaml:6: W: ResourceArn: a web ACL guards the API, and web ACLs are not evaluated here, so calls would pass that AWS blocks: give the association a Condition that is false for the local run, or keep it in a template of its own"},
		"a web ACL under a false condition": {strings.Replace(api("", mock), "Resources:", "Conditions: {OnAWS: !Equals [a, b]}\nResources:", 1) +
			"  W: {Type: AWS::WAFv2::WebACLAssociation, Condition: OnAWS, Properties: {ResourceArn: !Sub 'arn:aws:apigateway:${AWS::Region}::/restapis/${A}/stages/v1', WebACLArn: a}}\n", ""},
		"a service control policy": {"Resources:\n  P: {Type: AWS::Organizations::Policy, Properties: {Type: SERVICE_CONTROL_POLICY, Name: n, Content: {}}}\n",
			"t.yaml:2: P: Type: policies of an organization are not evaluated here, so calls would pass that AWS refuses: give the policy a Condition that is false for the local run, or keep it in a template of its own"},
		"a macro": {"Transform: [AWS::Serverless-2016-10-31, Mine]\nResources: {B: {Type: AWS::S3::Bucket}}\n",
			`t.yaml:1: Transform: the macro "Mine" runs in AWS only and may change who may call what: take the template that CloudFormation made of it (aws cloudformation get-template --template-stage Processed), or leave the macro out`},
		"a macro with parameters": {"Transform: {Name: Mine}\nResources: {B: {Type: AWS::S3::Bucket}}\n",
			`t.yaml:1: Transform: the macro "Mine" runs in AWS only and may change who may call what: take the template that CloudFormation made of it (aws cloudformation get-template --template-stage Processed), or leave the macro out`},
		"a macro that has no say": {"Transform: AWS::SecretsManager-2024-09-16\nResources: {B: {Type: AWS::S3::Bucket}}\n", ""},
		"an interim answer": {api("", strings.Replace(mock, "200", "103", 1)),
			"t.yaml:5: A: DefinitionBody.paths./a.get.x-amazon-apigateway-integration.responses.default.statusCode: 103 is no status of an answer: 200 to 599 are"},
		"an answer without a right status": {api("", strings.Replace(mock, "200", "42", 1)),
			"t.yaml:5: A: DefinitionBody.paths./a.get.x-amazon-apigateway-integration.responses.default.statusCode: 42 is no status of an answer: 200 to 599 are"},
		"50 milliseconds":                {api("", timeout("50")), ""},
		"49 milliseconds":                {api("", timeout("49")), place + "an integration's timeout is 50 milliseconds or more"},
		"29 seconds":                     {api("", timeout("29000")), ""},
		"more than 29 seconds, edge":     {api("", timeout("29001")), place + "an integration's timeout is at most 29000 milliseconds for an edge-optimised API"},
		"more than 29 seconds, regional": {api("EndpointConfiguration: REGIONAL, ", timeout("29001")), ""},
		"a throttle of no method": {api("MethodSettings: [{ResourcePath: /none, HttpMethod: GET, ThrottlingRateLimit: 1}], ", mock),
			"t.yaml:5: A: MethodSettings[0]: the API has no method GET /none, so this throttle would hold for nothing: AWS refuses it"},
		"a plan's throttle of no method": {api("", mock) + "  P: {Type: AWS::ApiGateway::UsagePlan, Properties: {ApiStages: [{ApiId: !Ref A, Stage: v1, Throttle: {/a/get: {RateLimit: 1}}}]}}\n",
			`t.yaml:6: P: ApiStages[0].Throttle./a/get: the stage v1 has no method "/a/get", so this throttle would hold for nothing: write the path, a slash and the method, as in /movie_list/GET`},
		"a plan's throttle of a method": {api("", mock) + "  P: {Type: AWS::ApiGateway::UsagePlan, Properties: {ApiStages: [{ApiId: !Ref A, Stage: v1, Throttle: {/a/GET: {RateLimit: 1}}}]}}\n", ""},
		"keys of an authorizer": {strings.Replace(api("", mock), "{openapi: 3.0.1,", "{openapi: 3.0.1, x-amazon-apigateway-api-key-source: AUTHORIZER,", 1),
			"t.yaml:5: A: DefinitionBody.x-amazon-apigateway-api-key-source: API keys from an authorizer are not supported here: HEADER is"},
		"a key of 19 characters": {api("", mock) + "  K: {Type: AWS::ApiGateway::ApiKey, Properties: {Value: abcdefghijklmnopqrs}}\n",
			"t.yaml:6: K: Value: an API key has 20 to 128 characters, this one has 19"},
		"a key of 129 characters": {api("", mock) + "  K: {Type: AWS::ApiGateway::ApiKey, Properties: {Value: " + strings.Repeat("k", 129) + "}}\n",
			"t.yaml:6: K: Value: an API key has 20 to 128 characters, this one has 129"},
		"keys of 20 and 128 characters": {api("", mock) + "  K: {Type: AWS::ApiGateway::ApiKey, Properties: {Value: abcdefghijklmnopqrst}}\n" +
			"  L: {Type: AWS::ApiGateway::ApiKey, Properties: {Value: " + strings.Repeat("k", 128) + "}}\n  M: {Type: AWS::ApiGateway::ApiKey}\n  N: {Type: AWS::ApiGateway::ApiKey}\n", ""},
		"a key twice": {api("", mock) + "  K: {Type: AWS::ApiGateway::ApiKey, Properties: {Value: abcdefghijklmnopqrst}}\n" +
			"  L: {Type: AWS::ApiGateway::ApiKey, Properties: {Value: abcdefghijklmnopqrst}}\n", "t.yaml:7: L: Value: K has this value, too: AWS refuses the second key"},
		"the strict access mode": {api("EndpointAccessMode: STRICT, ", mock),
			"t.yaml:5: A: EndpointAccessMode: the access mode STRICT refuses calls whose TLS name is not their Host, which is not checked here: use BASIC"},
		"an import that makes it private": {"Resources:\n  A: {Type: AWS::ApiGateway::RestApi, Properties: {Parameters: {endpointConfigurationTypes: PRIVATE}, Body: {openapi: 3.0.1, paths: {/a: {get: {" + mock + "}}}}}}\n" +
			"  S: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref A, StageName: v1, DeploymentId: d}}\n",
			"t.yaml:2: A: Parameters.endpointConfigurationTypes: this parameter of the import is not followed here, and may change the API's paths or its kind: write it into the definition"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.want == "" {
				parse(t, tt.text)
				return
			}
			check(t, "the errors", strings.Join(refuse(t, tt.text), "\n"), tt.want)
		})
	}
}

// A resource policy has at most 8,192 characters.
func TestResourcePolicySize(t *testing.T) {
	text := func(sid int) string {
		return sam + "Resources:\n  A: {Type: AWS::Serverless::Api, Properties: {StageName: v1, OpenApiVersion: 3.0.1, Auth: {ResourcePolicy: {CustomStatements: [{Sid: " + strings.Repeat("x", sid) +
			", Effect: Deny, Principal: '*', Action: execute-api:Invoke, Resource: 'execute-api:/*'}]}}, DefinitionBody: {openapi: 3.0.1, paths: {/a: {get: {x-amazon-apigateway-integration: {type: mock, responses: {default: {statusCode: 200}}}}}}}}}\n"
	}
	empty := len(parse(t, text(1)).APIs[0].ResourcePolicy) - 1
	parse(t, text(8192-empty))
	check(t, "one more", refuse(t, text(8193-empty))[0], "t.yaml:3: A: the resource policy has 8193 characters: AWS takes 8192")
}

// More resources than an account has by default are named, each path's parents counted.
func TestResourceCount(t *testing.T) {
	text := func(n int) string {
		var paths strings.Builder
		for i := range n {
			fmt.Fprintf(&paths, "/p%d: {get: {x-amazon-apigateway-integration: {type: mock, responses: {default: {statusCode: 200}}}}}, ", i)
		}
		return sam + "Resources:\n  A: {Type: AWS::Serverless::Api, Properties: {StageName: v1, OpenApiVersion: 3.0.1, DefinitionBody: {openapi: 3.0.1, paths: {" + strings.ReplaceAll(paths.String(), "/p0:", "/p0/x:") + "}}}}\n"
	}
	check(t, "300 resources", len(parse(t, text(299)).Warnings), 0)
	check(t, "301 resources", warnings(parse(t, text(300))), []string{"t.yaml:3: A: the API has 301 resources: AWS takes 300 unless the account's quota was raised"})
}
