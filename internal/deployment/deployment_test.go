package deployment_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/deployment"
	"github.com/marquee-api/marquee/internal/stack"
)

const template = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      EndpointConfiguration: {Type: PRIVATE, VPCEndpointIds: [!Ref Endpoint]}
      Auth:
        DefaultAuthorizer: AWS_IAM
        InvokeRole: NONE
        ResourcePolicy: {CustomStatements: [{Effect: Allow, Principal: "*", Action: execute-api:Invoke, Resource: "execute-api:/*"}]}
  Endpoint:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      ServiceName: com.amazonaws.eu-central-1.execute-api
      VpcId: vpc-0123456789abcdef0
      VpcEndpointType: Interface
      PolicyDocument: {Statement: [{Effect: Allow, Principal: "*", Action: execute-api:Invoke, Resource: "*"}]}
  Server:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Handler: bootstrap
      CodeUri: .
      Events: {Get: {Type: Api, Properties: {RestApiId: !Ref Api, Path: "/x/{id}", Method: get}}}
`

func parse(t testing.TB, text string) *stack.Stack {
	t.Helper()
	s, err := stack.Parse("t.yaml", []byte(text), stack.Options{Name: "s", Region: "eu-central-1", AccountID: "123456789012"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestAPIsAndDoors(t *testing.T) {
	s := parse(t, template)
	apis, err := deployment.APIs(s)
	if err != nil {
		t.Fatal(err)
	}
	doors, err := deployment.NewDoors(s, "10.0.0.1")
	if err != nil {
		t.Fatal(err)
	}
	api := apis[0]
	if got := api.Routes[0]; got.Method != "GET" || got.Path != "/x/{id}" || got.Function != "s-Server" || got.NoAuth || got.CallerInvokes != "" {
		t.Errorf("got route %+v, want a signed GET /x/{id} of s-Server", got)
	}
	if !api.Private || api.Stage != "dev" || api.ResourcePolicy == nil {
		t.Errorf("got API %+v, want a private one of the stage dev with its policy", api)
	}
	if diff := cmp.Diff([]string{doors.VPCE.VPCEndpointID}, api.VPCEndpointIDs); diff != "" {
		t.Errorf("the door is not the API's endpoint (-door +API):\n%s", diff)
	}
	if doors.VPCE.Policy == nil || doors.VPCE.VPCID != "vpc-0123456789abcdef0" || doors.OtherVPCE.VPCEndpointID == doors.VPCE.VPCEndpointID ||
		doors.OtherVPCE.VPCID == doors.VPCE.VPCID || doors.Public.VPCEndpointID != "" || doors.Public.LocalHosts[0] != "10.0.0.1" {
		t.Errorf("got doors %+v", doors)
	}
}

// A template that has its endpoint from elsewhere is reached through the one that it is meant for.
func TestEndpointFromElsewhere(t *testing.T) {
	const id = "vpce-0a1b2c3d4e5f60718"
	start := strings.Index(template, "  Endpoint:")
	end := strings.Index(template, "  Server:")
	without := strings.Replace(template[:start]+template[end:], ", VPCEndpointIds: [!Ref Endpoint]", "", 1)
	const all = `{Effect: Allow, Principal: "*", Action: execute-api:Invoke, Resource: "execute-api:/*"}`
	deny := func(condition string) string {
		return all + `, {Effect: Deny, Principal: "*", Action: execute-api:Invoke, Resource: "execute-api:/*", Condition: ` + condition + `}`
	}
	tests := map[string]struct {
		statements string
		want       bool
	}{
		"a Deny for all others":  {deny(`{StringNotEquals: {"aws:sourceVpce": [` + id + `, vpce-0fffffffffffffff0]}}`), true},
		"an Allow":               {strings.Replace(all, "}", `, Condition: {StringEquals: {"aws:SourceVpce": `+id+`}}}`, 1), true},
		"a Deny for it":          {deny(`{StringEquals: {"aws:SourceVpce": ` + id + `}}`), false},
		"a pattern":              {deny(`{StringNotLike: {"aws:SourceVpce": "vpce-*"}}`), false},
		"nothing about any":      {all, false},
		"a VPC, not an endpoint": {deny(`{StringNotEquals: {"aws:SourceVpc": vpc-0a1b2c3d4e5f60718}}`), false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := parse(t, strings.Replace(without, all, tt.statements, 1))
			doors, err := deployment.NewDoors(s)
			if err != nil {
				t.Fatal(err)
			}
			got := doors.VPCE.VPCEndpointID
			if (got == id) != tt.want || !strings.HasPrefix(got, "vpce-0") || got == doors.OtherVPCE.VPCEndpointID {
				t.Errorf("got the door %s, want that of the policy: %v", got, tt.want)
			}
		})
	}
}

// A policy that cannot be evaluated wholly is refused with its place.
func TestErrorsNameThePlace(t *testing.T) {
	tests := map[string]struct{ old, new, want string }{
		"resource policy": {`Resource: "execute-api:/*"}`, `Resource: "execute-api:/*", Condition: {StringSame: {"aws:SourceVpce": x}}}`, "resource policy"},
		"endpoint policy": {`Principal: "*", Action: execute-api:Invoke, Resource: "*"}`, `Principal: "*", Action: execute-api:Invoke}`, "endpoint Endpoint"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(template, tt.old, tt.new, 1)
			if text == template {
				t.Fatal("nothing was replaced")
			}
			s := parse(t, text)
			_, err := deployment.APIs(s)
			if err == nil {
				_, err = deployment.NewDoors(s)
			}
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "t.yaml:") {
				t.Errorf("got %v, want an error that names the line and %q", err, tt.want)
			}
		})
	}
	if _, err := deployment.APIs(parse(t, "Resources: {T: {Type: AWS::SNS::Topic}}")); err == nil || !strings.Contains(err.Error(), "no REST API") {
		t.Errorf("without an API: got %v", err)
	}
}

// A template with API keys is served with them: those without a value get a random one.
func TestAPIKeysOfATemplate(t *testing.T) {
	const keys = `
  Key: {Type: AWS::ApiGateway::ApiKey, Properties: {Name: made-up, Enabled: true}}
  Given: {Type: AWS::ApiGateway::ApiKey, Properties: {Name: given, Value: abcdefghij0123456789, Enabled: true}}
  Plan:
    Type: AWS::ApiGateway::UsagePlan
    Properties:
      ApiStages: [{ApiId: !Ref Api, Stage: !Ref Api.Stage}]
      Quota: {Limit: 5, Period: DAY}
  Member: {Type: AWS::ApiGateway::UsagePlanKey, Properties: {KeyId: !Ref Key, KeyType: API_KEY, UsagePlanId: !Ref Plan}}
`
	text := strings.Replace(template, "InvokeRole: NONE", "InvokeRole: NONE\n        ApiKeyRequired: true", 1) + keys
	s, err := stack.Parse("t.yaml", []byte(text), stack.Options{Name: "s", Region: "eu-central-1", AccountID: "123456789012"})
	if err != nil {
		t.Fatal(err)
	}
	apis, err := deployment.APIs(s)
	if err != nil {
		t.Fatal(err)
	}
	if !apis[0].Routes[0].APIKeyRequired {
		t.Error("the route does not ask for its key")
	}
	count := 0
	made := func() string { count++; return fmt.Sprintf("made-up-key-number-%04d", count) }
	first, second := deployment.APIKeys(s, made), deployment.APIKeys(s, made)
	if len(first) != 2 || len(first[0].Value) < 20 || first[0].Value == second[0].Value || first[1].Value != "abcdefghij0123456789" {
		t.Errorf("got keys %d, want a random and a given one", len(first))
	}
	plans := deployment.UsagePlans(s)
	if len(plans) != 1 || plans[0].Quota.Limit != 5 || len(plans[0].KeyIDs) != 1 || plans[0].KeyIDs[0] != first[0].ID ||
		len(plans[0].Stages) != 1 || plans[0].Stages[0].APIID != apis[0].ID || plans[0].Stages[0].Stage != "dev" {
		t.Errorf("got plans %+v", plans)
	}
}

// What a laptop cannot answer is refused for the reason that the warning at start gives.
func TestUnansweredRoutes(t *testing.T) {
	route := func(integration string) string {
		return "{x-amazon-apigateway-integration: {" + integration + "}}"
	}
	text := `
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      OpenApiVersion: 3.0.1
      DefinitionBody:
        openapi: 3.0.1
        paths:
          /elsewhere: {get: ` + route("type: http_proxy, httpMethod: GET, uri: 'https://example.com'") + `}
          /mock: {get: ` + route("type: mock") + `}
          /other: {get: ` + route("type: aws_proxy, httpMethod: POST, uri: 'arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/other/invocations'") + `}
          /fixed: {get: ` + route("type: mock, responses: {default: {statusCode: 204}}") + `}
`
	s := parse(t, text)
	apis, err := deployment.APIs(s)
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]string{
		"/elsewhere": "GET /elsewhere is not answered here: of the integrations only aws_proxy and mock are, this is http_proxy",
		"/mock":      "GET /mock is not answered here: its mock integration has no fixed answer",
		"/other":     "GET /other is not answered here: its function is not of this template",
		"/fixed":     "",
	}
	if len(apis[0].Routes) != len(want) {
		t.Fatalf("got %d routes, want %d", len(apis[0].Routes), len(want))
	}
	for _, r := range apis[0].Routes {
		if got := r.Unanswered; got != want[r.Path] {
			t.Errorf("%s: got %q, want %q", r.Path, got, want[r.Path])
		}
		warned := strings.Contains(fmt.Sprint(s.Warnings), r.Unanswered)
		if !warned {
			t.Errorf("%s: the warnings say something else: %v", r.Path, s.Warnings)
		}
	}
}
