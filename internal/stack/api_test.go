package stack_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/marquee-api/marquee/internal/stack"
)

// oneAPI is a SAM template with the API A of the given properties, and the function F of the given events.
func oneAPI(properties, events string) string {
	return sam + fmt.Sprintf(`
Resources:
  A:
    Type: AWS::Serverless::Api
    Properties: {StageName: v1, OpenApiVersion: 3.0.1, %s}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Events:
%s
`, properties, events)
}

// event is one line of events.
func event(name, path, method, more string) string {
	return fmt.Sprintf("        %s: {Type: Api, Properties: {RestApiId: !Ref A, Path: %q, Method: %s%s}}\n", name, path, method, more)
}

func TestRoutes(t *testing.T) {
	get := event("E", "/a", "get", "")
	tests := map[string]struct {
		properties, events string
		want               []string
	}{
		"open":                     {"", get, []string{"GET /a F NONE"}},
		"signed":                   {"Auth: {DefaultAuthorizer: AWS_IAM}", get, []string{"GET /a F AWS_IAM CALLER_CREDENTIALS"}},
		"signed, by API Gateway":   {"Auth: {DefaultAuthorizer: AWS_IAM, InvokeRole: NONE}", get, []string{"GET /a F AWS_IAM"}},
		"signed, null is NONE":     {"Auth: {DefaultAuthorizer: AWS_IAM, InvokeRole: null}", get, []string{"GET /a F AWS_IAM"}},
		"signed, by a role":        {"Auth: {DefaultAuthorizer: AWS_IAM, InvokeRole: 'arn:aws:iam::111122223333:role/r'}", get, []string{"GET /a F AWS_IAM arn:aws:iam::111122223333:role/r"}},
		"signed at the event":      {"", event("E", "/a", "get", ", Auth: {Authorizer: AWS_IAM, InvokeRole: NONE}"), []string{"GET /a F AWS_IAM"}},
		"open at the event":        {"Auth: {DefaultAuthorizer: AWS_IAM}", event("E", "/a", "get", ", Auth: {Authorizer: NONE}"), []string{"GET /a F NONE"}},
		"any":                      {"", event("E", "/a", "any", "") + event("G", "/a", "GET", ""), []string{"ANY /a F NONE", "GET /a F NONE"}},
		"a slash at the end":       {"", event("E", "/a/", "get", ""), []string{"GET /a F NONE"}},
		"the root":                 {"", event("E", "/", "post", ""), []string{"POST / F NONE"}},
		"the rest":                 {"", event("E", "/a/{b}/{c+}", "get", ""), []string{"GET /a/{b}/{c+} F NONE"}},
		"a key":                    {"Auth: {ApiKeyRequired: true}", get, []string{"GET /a F NONE key"}},
		"a key at the event":       {"", event("E", "/a", "get", ", Auth: {ApiKeyRequired: true}"), []string{"GET /a F NONE key"}},
		"no key at the event":      {"Auth: {ApiKeyRequired: true}", event("E", "/a", "get", ", Auth: {ApiKeyRequired: false}"), []string{"GET /a F NONE"}},
		"any text is a key":        {"Auth: {ApiKeyRequired: 'false'}", get, []string{"GET /a F NONE key"}},
		"signed, with a key":       {"Auth: {DefaultAuthorizer: AWS_IAM, InvokeRole: NONE, ApiKeyRequired: true}", get, []string{"GET /a F AWS_IAM key"}},
		"preflight is signed":      {"Cors: \"'*'\", Auth: {DefaultAuthorizer: AWS_IAM, InvokeRole: NONE}", get, []string{"GET /a F AWS_IAM", "OPTIONS /a (mock) AWS_IAM"}},
		"preflight is open":        {"Cors: \"'*'\", Auth: {DefaultAuthorizer: AWS_IAM, InvokeRole: NONE, AddDefaultAuthorizerToCorsPreflight: false}", get, []string{"GET /a F AWS_IAM", "OPTIONS /a (mock) NONE"}},
		"preflight needs a key":    {"Cors: \"'*'\", Auth: {ApiKeyRequired: true}", get, []string{"GET /a F NONE key", "OPTIONS /a (mock) NONE key"}},
		"preflight needs no key":   {"Cors: \"'*'\", Auth: {ApiKeyRequired: true, AddApiKeyRequiredToCorsPreflight: false}", get, []string{"GET /a F NONE key", "OPTIONS /a (mock) NONE"}},
		"an authorizer not in use": {"Auth: {Authorizers: {L: {FunctionArn: x}}, DefaultAuthorizer: L}", event("E", "/a", "get", ", Auth: {Authorizer: AWS_IAM, InvokeRole: NONE}"), []string{"GET /a F AWS_IAM"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := parse(t, oneAPI(tt.properties, tt.events))
			check(t, "the routes", routes(s.APIs[0]), tt.want)
		})
	}
}

// TestMorePermissive lists what would leave a local API more open than AWS, or open on AWS against the author's will.
func TestMorePermissive(t *testing.T) {
	get := event("E", "/a", "get", "")
	tests := map[string]struct{ properties, events, want string }{
		"a mistyped authorizer":            {"Auth: {DefaultAuthorizer: AWS_IAMX}", get, `t.yaml:6: A: Auth.DefaultAuthorizer: "AWS_IAMX" is neither AWS_IAM nor one of Authorizers: on AWS every method would be open to everybody; write AWS_IAM`},
		"a mistyped one beside others":     {"Auth: {Authorizers: {L: {FunctionArn: x}}, DefaultAuthorizer: M}", get, `t.yaml:6: A: Auth.DefaultAuthorizer: "M" is neither AWS_IAM nor one of Authorizers: on AWS every method would be open to everybody; write AWS_IAM`},
		"a mistyped property of Auth":      {"Auth: {DefaultAuthoriser: AWS_IAM}", get, `t.yaml:6: A: Auth.DefaultAuthoriser: there is no such property: AddApiKeyRequiredToCorsPreflight, AddDefaultAuthorizerToCorsPreflight, ApiKeyRequired, Authorizers, DefaultAuthorizer, InvokeRole, ResourcePolicy, UsagePlan`},
		"a mistyped authorizer, one event": {"", event("E", "/a", "get", ", Auth: {Authorizer: AWS_IAMX}"), `t.yaml:12: F: Events.E.Properties.Auth.Authorizer: "AWS_IAMX" is neither AWS_IAM, NONE nor one of the API's Authorizers`},
		"a mistyped property of an event":  {"", event("E", "/a", "get", ", Auth: {Authoriser: AWS_IAM}"), `t.yaml:12: F: Events.E.Properties.Auth.Authoriser: there is no such property: ApiKeyRequired, AuthorizationScopes, Authorizer, InvokeRole, OverrideApiAuth, ResourcePolicy`},
		"NONE without a default":           {"", event("E", "/a", "get", ", Auth: {Authorizer: NONE}"), `t.yaml:12: F: Events.E.Properties.Auth.Authorizer: NONE takes back the API's DefaultAuthorizer, and the API has none: SAM refuses it; leave it out`},
		"no key without a default":         {"", event("E", "/a", "get", ", Auth: {ApiKeyRequired: false}"), `t.yaml:12: F: Events.E.Properties.Auth.ApiKeyRequired: false takes back the API's ApiKeyRequired, and the API does not set it: SAM refuses it; leave it out`},
		"a Lambda authorizer":              {"Auth: {Authorizers: {L: {FunctionArn: x}}, DefaultAuthorizer: L}", get, `t.yaml:12: F: Events.E.Properties: GET /a is guarded by "L", a Lambda authorizer, which is not supported here, and the method would be open without it: use AWS_IAM`},
		"a Cognito authorizer":             {"Auth: {Authorizers: {C: {UserPoolArn: x}}}", event("E", "/a", "get", ", Auth: {Authorizer: C}"), `t.yaml:12: F: Events.E.Properties: GET /a is guarded by "C", a Cognito authorizer, which is not supported here, and the method would be open without it: use AWS_IAM`},
		"private without a policy":         {"EndpointConfiguration: {Type: PRIVATE}, Auth: {DefaultAuthorizer: AWS_IAM}", get, `t.yaml:6: A: Auth: the API is PRIVATE and has no resource policy: AWS refuses to deploy it; add Auth.ResourcePolicy`},
		"a mistyped endpoint":              {"EndpointConfiguration: {Type: PRIVAT}", get, `t.yaml:6: A: EndpointConfiguration.Type: "PRIVAT" is not a type of endpoint: PRIVATE, REGIONAL or EDGE`},
		"a mistyped key of it":             {"EndpointConfiguration: {Typ: PRIVATE}", get, `t.yaml:6: A: EndpointConfiguration.Typ: there is no such property: IpAddressType, Type, Types, VPCEndpointIds, VpcEndpointIds`},
		"endpoints of a public API":        {"EndpointConfiguration: {Type: REGIONAL, VPCEndpointIds: [vpce-1]}", get, `t.yaml:6: A: EndpointConfiguration: only private APIs are associated with VPC endpoints, this one is REGIONAL`},
		"a mistyped policy list":           {"Auth: {ResourcePolicy: {IpRangeBlackList: [10.0.0.0/8]}}", get, `t.yaml:6: A: Auth.ResourcePolicy.IpRangeBlackList: there is no such property: AwsAccountBlacklist, AwsAccountWhitelist, CustomStatements, IntrinsicVpcBlacklist, IntrinsicVpcWhitelist, IntrinsicVpceBlacklist, IntrinsicVpceWhitelist, IpRangeBlacklist, IpRangeWhitelist, SourceVpcBlacklist, SourceVpcWhitelist`},
		"a VPC that SAM drops":             {"Auth: {ResourcePolicy: {SourceVpcBlacklist: [vcp-1]}}", get, `t.yaml:6: A: Auth.ResourcePolicy.SourceVpcBlacklist[0]: "vcp-1" is neither a VPC (vpc-…) nor an endpoint (vpce-…): SAM leaves it out of the policy`},
		"an unresolvable policy":           {"Auth: {ResourcePolicy: {CustomStatements: [{Effect: Deny, Resource: !GetAtt X.Y}]}}", get, `t.yaml:6: A: Auth.ResourcePolicy.CustomStatements: there is no resource "X" in the template`},
		"two policies":                     {"Policy: {Statement: [{Effect: Deny}]}, Auth: {ResourcePolicy: {AwsAccountWhitelist: ['1']}}", get, `t.yaml:6: A: Policy: the API has a second resource policy in its definition or in Auth: which of the two AWS keeps is not known; write one`},
		"keys from an authorizer":          {"ApiKeySourceType: AUTHORIZER", get, `t.yaml:6: A: ApiKeySourceType: API keys from an authorizer are not supported here: HEADER is`},
		"no name of its own":               {"DisableExecuteApiEndpoint: true", get, `t.yaml:6: A: DisableExecuteApiEndpoint: custom domain names are not served here, and this API answers to nothing else`},
		"no method":                        {"", "        E: {Type: Api, Properties: {Path: /other, Method: get}}", `t.yaml:4: A: the API has no method: API Gateway refuses to deploy it; give a function an event for it, or write its DefinitionBody`},
		"the same method twice":            {"", event("E", "/a", "get", "") + event("G", "/a", "GET", ""), `t.yaml:13: F: Events.G.Properties: GET /a is defined for the second time`},
		"the same with a slash":            {"", event("E", "/a", "get", "") + event("G", "/a/", "get", ""), `t.yaml:13: F: Events.G.Properties: GET /a is defined for the second time`},
		"two names in one place":           {"", event("E", "/a/{b}", "get", "") + event("G", "/a/{c}/d", "get", ""), `t.yaml:13: F: Events.G.Properties: {c} stands where another path has {b}: API Gateway allows one name in one place`},
		"an unknown method":                {"", event("E", "/a", "fetch", ""), `t.yaml:12: F: Events.E.Properties.Method: API Gateway knows no method "FETCH"`},
		"half a parameter":                 {"", event("E", "/a/x{b}", "get", ""), `t.yaml:12: F: Events.E.Properties: API Gateway refuses the part "x{b}" of the path /a/x{b}: a part is letters, digits and . _ - : , $ alone, or one {parameter} alone`},
		"more after the rest":              {"", event("E", "/{a+}/b", "get", ""), `t.yaml:12: F: Events.E.Properties: {a+} of the path /{a+}/b takes all the rest, so it has to be the last part`},
		"no slash":                         {"", event("E", "a", "get", ""), `t.yaml:12: F: Events.E.Properties: the path "a" does not start with a slash`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			check(t, "the error", refuse(t, oneAPI(tt.properties, tt.events))[0], tt.want)
		})
	}
}

func TestEventReferences(t *testing.T) {
	tests := map[string]struct{ reference, want string }{
		"Ref":         {"RestApiId: !Ref A, ", ""},
		"logical id":  {"RestApiId: A, ", ""},
		"unknown":     {"RestApiId: !Ref B, ", `t.yaml:12: F: Events.E.Properties.RestApiId: "B" is not an AWS::Serverless::Api of the template`},
		"a function":  {"RestApiId: !Ref F, ", `t.yaml:12: F: Events.E.Properties.RestApiId: "F" is not an AWS::Serverless::Api of the template`},
		"an import":   {"RestApiId: !ImportValue api, ", `t.yaml:12: F: Events.E.Properties.RestApiId: this is a reference to an AWS::Serverless::Api of the template, and nothing else`},
		"a sub":       {`RestApiId: !Sub "A", `, `t.yaml:12: F: Events.E.Properties.RestApiId: this is a reference to an AWS::Serverless::Api of the template, and nothing else`},
		"no path":     {"RestApiId: !Ref A, Method: get}}\n#", `t.yaml:12: F: Events.E.Properties: an Api event has a Path and a Method`},
		"no event":    {"}}\n#", `t.yaml:12: F: Events.E.Properties: an Api event has a Path and a Method`},
		"not written": {"", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			text := oneAPI("DefinitionBody: {openapi: 3.0.1, paths: {/x: {get: {x-amazon-apigateway-integration: {type: mock}}}}}",
				"        E: {Type: Api, Properties: {"+tt.reference+"Path: /a, Method: get}}")
			if tt.want == "" {
				parse(t, text)
				return
			}
			check(t, "the error", refuse(t, text)[0], tt.want)
		})
	}
}

func TestEventReferenceByParameter(t *testing.T) {
	s := parse(t, strings.Replace(oneAPI("", "        E: {Type: Api, Properties: {RestApiId: !Ref Which, Path: /a, Method: get}}"),
		"Resources:", "Parameters: {Which: {Type: String, Default: A}}\nResources:", 1))
	check(t, "the routes", routes(s.APIs[0]), []string{"GET /a F NONE"})
}

func TestImplicitAPI(t *testing.T) {
	s := parse(t, sam+`
Globals:
  Api: {OpenApiVersion: 3.0.1, Auth: {DefaultAuthorizer: AWS_IAM, InvokeRole: NONE}, Variables: {x: "1"}}
Conditions: {Never: !Equals [a, b]}
Resources:
  Off:
    Type: AWS::Serverless::Function
    Condition: Never
    Properties: {Runtime: provided.al2023, Events: {E: {Type: Api, Properties: {Path: /off, Method: get}}}}
  On:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Environment: {Variables: {URL: !Sub "${ServerlessRestApi}/${ServerlessRestApiProdStage}/${ServerlessRestApi.Stage}"}}
      Events: {E: {Type: Api, Properties: {Path: /on, Method: get, RestApiId: !Ref ServerlessRestApi}}}
`)
	if len(s.APIs) != 1 {
		t.Fatalf("got %d APIs, want 1", len(s.APIs))
	}
	api := s.APIs[0]
	check(t, "the API", []string{api.LogicalID, api.Stage, api.EndpointType, api.Name}, []string{"ServerlessRestApi", "Prod", "EDGE", "s"})
	check(t, "the routes", routes(api), []string{"GET /on On AWS_IAM"})
	check(t, "the variables", api.StageVariables, map[string]string{"x": "1"})
	check(t, "references", s.Functions[0].Environment["URL"], api.ID+"/Prod/Prod")
}

func TestNoImplicitAPI(t *testing.T) {
	s := parse(t, sam+`
Conditions: {Never: !Equals [a, b]}
Resources:
  Off:
    Type: AWS::Serverless::Function
    Condition: Never
    Properties: {Events: {E: {Type: Api, Properties: {Path: /off, Method: get, Auth: {InvokeRole: !GetAtt Nothing.Arn}}}}}
`)
	if len(s.APIs) != 0 || len(s.Functions) != 0 || len(s.Roles) != 0 {
		t.Errorf("got %d APIs, %d functions and %d roles of a function that is not made", len(s.APIs), len(s.Functions), len(s.Roles))
	}
}

func TestAPISettings(t *testing.T) {
	s := parse(t, oneAPI(`Name: movies, EndpointConfiguration: {Type: PRIVATE, VPCEndpointIds: [vpce-1, !Ref AWS::NoValue]},
      Auth: {ResourcePolicy: {CustomStatements: [{Effect: Allow, Principal: "*", Action: "execute-api:Invoke", Resource: "execute-api:/*"}]}},
      BinaryMediaTypes: [image~1png, "*/*"], MinimumCompressionSize: 1024, Variables: {Color: blue},
      MethodSettings: [{ResourcePath: "/*", HttpMethod: "*", ThrottlingRateLimit: 50, ThrottlingBurstLimit: 100},
        {ResourcePath: "/~1a~1{b}", HttpMethod: GET, ThrottlingRateLimit: 1.5},
        {ResourcePath: /c, HttpMethod: "*", ThrottlingBurstLimit: 0},
        {ResourcePath: "/*", HttpMethod: "*", LoggingLevel: INFO}]`,
		event("E", "/a/{b}", "get", ", TimeoutInMillis: 2000")+event("G", "/c", "post", "")+event("H", "/d", "put", "")))
	api := s.APIs[0]
	check(t, "the endpoint", []any{api.Name, api.EndpointType, api.VPCEndpointIDs}, []any{"movies", "PRIVATE", []string{"vpce-1"}})
	check(t, "the media", []any{api.BinaryMediaTypes, *api.MinimumCompressionSize, api.APIKeySource}, []any{[]string{"image/png", "*/*"}, 1024, "HEADER"})
	check(t, "the variables", api.StageVariables, map[string]string{"Color": "blue"})
	// What one half of a throttle leaves open is the account's: 10,000 a second, 5,000 at once.
	check(t, "the stage", api.Throttle, &stack.Throttle{RateLimit: 50, BurstLimit: 100})
	check(t, "GET /a/{b}", api.Routes[0].Throttle, &stack.Throttle{RateLimit: 1.5, BurstLimit: 5000})
	check(t, "POST /c", api.Routes[1].Throttle, &stack.Throttle{RateLimit: 10000, BurstLimit: 0})
	check(t, "PUT /d", api.Routes[2].Throttle, (*stack.Throttle)(nil))
	check(t, "the timeout", api.Routes[0].TimeoutMillis, 2000)
	check(t, "the position", api.Routes[0].Position.String(), "t.yaml:18")
}

func TestCors(t *testing.T) {
	s := parse(t, oneAPI(`Cors: {AllowOrigin: "'https://x'", AllowHeaders: "'A,B'", MaxAge: "'9'", AllowCredentials: true}`,
		event("E", "/a", "get", "")+event("G", "/a", "put", "")+event("H", "/b", "any", "")+event("I", "/c", "options", "")))
	got := map[string]*stack.Mock{}
	for _, r := range s.APIs[0].Routes {
		if r.Method == "OPTIONS" {
			got[r.Path] = r.Mock
		}
	}
	headers := func(methods string) map[string]string {
		return map[string]string{
			"Access-Control-Allow-Origin": "https://x", "Access-Control-Allow-Headers": "A,B", "Access-Control-Max-Age": "9",
			"Access-Control-Allow-Credentials": "true", "Access-Control-Allow-Methods": methods,
		}
	}
	check(t, "the preflight answers", got, map[string]*stack.Mock{
		"/a": {Status: 200, Headers: headers("GET,OPTIONS,PUT")},
		"/b": {Status: 200, Headers: headers("DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT")},
		"/c": nil,
	})
	refused := refuse(t, oneAPI(`Cors: "*"`, event("E", "/a", "get", "")))
	check(t, "an origin without quotes", refused[0], "t.yaml:6: A: Cors.AllowOrigin: API Gateway takes this for an expression: put the value into single quotes inside the double ones")
}

func TestResourcePolicy(t *testing.T) {
	// The expected documents are those of the SAM developer guide's page on ResourcePolicyStatement and of AWS's own
	// translator, which TestTranslator asks wherever it is installed.
	const allow, deny = `{"Effect":"Allow","Action":"execute-api:Invoke","Resource":["execute-api:/v1/GET/a/*"],"Principal":"*"}`,
		`{"Effect":"Deny","Action":"execute-api:Invoke","Resource":["execute-api:/v1/GET/a/*"],"Principal":"*","Condition":%s}`
	fence := func(condition string) string { return "[" + allow + "," + fmt.Sprintf(deny, condition) + "]" }
	accounts := func(effect string) string {
		return `[{"Effect":"` + effect + `","Action":"execute-api:Invoke","Resource":["execute-api:/v1/GET/a/*"],"Principal":{"AWS":["1","2"]}}]`
	}
	tests := map[string]struct{ policy, want string }{
		"accounts in":          {`{AwsAccountWhitelist: ["1", "2"]}`, accounts("Allow")},
		"accounts out":         {`{AwsAccountBlacklist: ["1", "2"]}`, accounts("Deny")},
		"addresses in":         {`{IpRangeWhitelist: [10.0.0.0/8]}`, fence(`{"NotIpAddress":{"aws:SourceIp":["10.0.0.0/8"]}}`)},
		"addresses out":        {`{IpRangeBlacklist: 10.0.0.0/8}`, fence(`{"IpAddress":{"aws:SourceIp":["10.0.0.0/8"]}}`)},
		"networks in":          {`{SourceVpcWhitelist: [vpc-1, vpce-2, vpc-3]}`, fence(`{"StringNotEquals":{"aws:SourceVpc":["vpc-1","vpc-3"],"aws:SourceVpce":["vpce-2"]}}`)},
		"networks out":         {`{SourceVpcBlacklist: [vpce-2]}`, fence(`{"StringEquals":{"aws:SourceVpce":["vpce-2"]}}`)},
		"intrinsics in":        {`{IntrinsicVpcWhitelist: [!Sub "vpc-${A}"], IntrinsicVpceWhitelist: [vpce-1]}`, ""},
		"intrinsics out":       {`{IntrinsicVpceBlacklist: [vpce-1], IntrinsicVpcBlacklist: [vpc-1]}`, fence(`{"StringEquals":{"aws:SourceVpc":["vpc-1"],"aws:SourceVpce":["vpce-1"]}}`)},
		"own statements":       {`{CustomStatements: [{Sid: x, Effect: Allow}]}`, `[{"Sid":"x","Effect":"Allow"}]`},
		"one own statement":    {`{CustomStatements: {Sid: x, Effect: Allow}}`, `{"Sid":"x","Effect":"Allow"}`},
		"lists and statements": {`{AwsAccountWhitelist: ["1", "2"], CustomStatements: {Sid: x, Effect: Deny}}`, strings.TrimSuffix(accounts("Allow"), "]") + `,{"Sid":"x","Effect":"Deny"}]`},
		"an empty list":        {`{AwsAccountWhitelist: [], IpRangeWhitelist: []}`, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := parse(t, oneAPI("Auth: {ResourcePolicy: "+tt.policy+"}", event("E", "/a/{b}", "get", "")))
			want := tt.want
			if strings.Contains(tt.policy, "${A}") {
				want = fence(`{"StringNotEquals":{"aws:SourceVpc":["vpc-` + s.APIs[0].ID + `"],"aws:SourceVpce":["vpce-1"]}}`)
			}
			if want == "" {
				if s.APIs[0].ResourcePolicy != nil {
					t.Errorf("got %s, want none", s.APIs[0].ResourcePolicy)
				}
				return
			}
			sameJSON(t, s.APIs[0].ResourcePolicy, `{"Version":"2012-10-17","Statement":`+want+`}`)
		})
	}
}

// sameJSON compares the meaning of two JSON texts.
func sameJSON(t *testing.T, got json.RawMessage, want string) {
	t.Helper()
	var g, w any
	if err := json.Unmarshal(got, &g); err != nil {
		t.Fatalf("got %q: %v", got, err)
	}
	if err := json.Unmarshal([]byte(want), &w); err != nil {
		t.Fatalf("want %q: %v", want, err)
	}
	if diff := cmp.Diff(w, g); diff != "" {
		t.Errorf("got (+), want (-):\n%s", diff)
	}
}

func TestUsagePlans(t *testing.T) {
	s := parse(t, oneAPI(`Auth: {ApiKeyRequired: true, UsagePlan: {CreateUsagePlan: PER_API, UsagePlanName: gold, Quota: {Limit: 100, Offset: 2, Period: MONTH}, Throttle: {RateLimit: 5, BurstLimit: 10}}}`,
		event("E", "/a", "get", ""))+`
  Key: {Type: AWS::ApiGateway::ApiKey, Properties: {Name: partner, Value: abcdefghijklmnopqrstuvwxyz}}
  Plan:
    Type: AWS::ApiGateway::UsagePlan
    Properties:
      ApiStages: [{ApiId: !Ref A, Stage: !Ref A.Stage, Throttle: {/a/GET: {RateLimit: 1, BurstLimit: 2}}}]
  PlanKey: {Type: AWS::ApiGateway::UsagePlanKey, Properties: {KeyId: !Ref Key, KeyType: API_KEY, UsagePlanId: !Ref Plan}}
  ApiKeyOfSAM: {Type: AWS::SSM::Parameter, Properties: {Name: !Ref A.ApiKey}}
`)
	plans := map[string]*stack.UsagePlan{}
	for _, p := range s.UsagePlans {
		plans[p.LogicalID] = p
	}
	keys := map[string]*stack.APIKey{}
	for _, k := range s.APIKeys {
		keys[k.LogicalID] = k
	}
	if len(plans) != 2 || len(keys) != 2 {
		t.Fatalf("got %d plans and %d keys, want 2 of each", len(plans), len(keys))
	}
	a := s.APIs[0]
	ignore := cmp.Options{cmpopts.IgnoreTypes(stack.Position{}), cmpopts.IgnoreFields(stack.UsagePlan{}, "ID")}
	if diff := cmp.Diff(&stack.UsagePlan{
		LogicalID: "AUsagePlan", Name: "gold", Stages: []stack.UsagePlanStage{{APIID: a.ID, Stage: "v1"}},
		Throttle: &stack.Throttle{RateLimit: 5, BurstLimit: 10}, Quota: &stack.Quota{Limit: 100, Offset: 2, Period: "MONTH"},
		KeyIDs: []string{keys["AApiKey"].ID},
	}, plans["AUsagePlan"], ignore); diff != "" {
		t.Errorf("SAM's plan: got (+), want (-):\n%s", diff)
	}
	if diff := cmp.Diff(&stack.UsagePlan{
		LogicalID: "Plan", Name: "s-Plan",
		Stages: []stack.UsagePlanStage{{APIID: a.ID, Stage: "v1", Throttle: map[string]*stack.Throttle{"/a/GET": {RateLimit: 1, BurstLimit: 2}}}},
		KeyIDs: []string{keys["Key"].ID},
	}, plans["Plan"], ignore); diff != "" {
		t.Errorf("the template's plan: got (+), want (-):\n%s", diff)
	}
	// CloudFormation's Enabled is false where it is not written.
	check(t, "the keys", []any{keys["AApiKey"].Enabled, keys["AApiKey"].Value, keys["Key"].Enabled, keys["Key"].Name, keys["Key"].Value},
		[]any{true, "", false, "partner", "abcdefghijklmnopqrstuvwxyz"})
}

func TestAPIWarnings(t *testing.T) {
	s := parse(t, sam+`
Resources:
  A:
    Type: AWS::Serverless::Api
    Properties:
      StageName: !Sub "v1"
      CacheClusterEnabled: true
      Domain: {DomainName: d}
      GatewayResponses: {DEFAULT_4XX: {StatusCode: 400}}
      MethodSettings:
        - {ResourcePath: /a, HttpMethod: GET, CachingEnabled: true}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Events:
        E:
          Type: Api
          Properties:
            RestApiId: !Ref A
            Path: /a
            Method: get
            ResponseTransferMode: STREAM
            Auth: {ResourcePolicy: {AwsAccountWhitelist: ["1"]}}
  B:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      OpenApiVersion: 3.0.1
      DefinitionBody:
        openapi: 3.0.1
        x-amazon-apigateway-gateway-responses: {}
        paths: {/b: {get: {x-amazon-apigateway-integration: {type: mock, responses: {default: {statusCode: 200}}}}}}
  G:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Events:
        E: {Type: Api, Properties: {RestApiId: !Ref B, Path: /b, Method: get, Auth: {Authorizer: NONE}}}
        H: {Type: Api, Properties: {RestApiId: !Ref B, Path: /c, Method: get, Auth: {ApiKeyRequired: true}}}
`)
	check(t, "the warnings", warnings(s), []string{
		`t.yaml:4: A: OpenApiVersion: without it SAM deploys a second stage with the name "Stage", which is not served here: set OpenApiVersion to 3.0.1`,
		"t.yaml:8: A: CacheClusterEnabled: answers are not cached here",
		"t.yaml:9: A: Domain: custom domain names are not served here",
		"t.yaml:12: A: MethodSettings[0].CachingEnabled: answers are not cached here",
		"t.yaml:24: F: Events.E.Properties.ResponseTransferMode: answers are not streamed here",
		`t.yaml:25: F: Events.E.Properties.Auth.ResourcePolicy: SAM writes the stage of this policy as "Stage", since StageName is not plain text: it holds for no stage of the API; set it at the API`,
		"t.yaml:40: G: Events.E.Properties.Auth: SAM overlooks this Auth, since the API has a definition of its own: set OverrideApiAuth",
		"t.yaml:41: G: Events.H.Properties: the API's definition has no GET /c, so the event adds no method",
	})
	sameJSON(t, s.APIs[0].ResourcePolicy, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":["execute-api:/Stage/GET/a"],"Principal":{"AWS":["1"]}}]}`)
}
