package reach_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/reach"
	"github.com/marquee-api/marquee/internal/stack"
)

// failing has methods of which every call fails: of a function that reserves no concurrency, of one that is not of the
// template, and of another service. A mock integration is answered, whatever stands beside it.
const failing = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      EndpointConfiguration: {Type: PRIVATE}
      OpenApiVersion: 3.0.1
      DefinitionBody:
        openapi: 3.0.1
        x-amazon-apigateway-policy: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: "*", Action: execute-api:Invoke, Resource: "execute-api:/*"}]}
        paths:
          /off: {get: {x-amazon-apigateway-integration: {type: aws_proxy, httpMethod: POST, uri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${Off.Arn}/invocations"}}}
          /other: {get: {x-amazon-apigateway-integration: {type: aws_proxy, httpMethod: POST, uri: "arn:aws:apigateway:eu-central-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-central-1:123456789012:function:other/invocations"}}}
          /web: {get: {x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: "https://example.com"}}}
          /mock: {get: {x-amazon-apigateway-integration: {type: mock, responses: {default: {statusCode: 204}}}}}
  Off:
    Type: AWS::Serverless::Function
    Properties: {Runtime: provided.al2023, Handler: bootstrap, CodeUri: ., ReservedConcurrentExecutions: 0}
  Permission:
    Type: AWS::Lambda::Permission
    Properties: {FunctionName: !Ref Off, Action: lambda:InvokeFunction, Principal: apigateway.amazonaws.com, SourceArn: !Sub "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/*"}
`

// Who is let in where the gateway fails for certain is not told that the call is answered.
func TestFailsForCertain(t *testing.T) {
	s, err := stack.Parse("t.yaml", []byte(failing), stack.Options{Region: "eu-central-1"})
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, c := range compute(t, s, "").Cells {
		if c.Door == "vpce" && c.Identity == "anonymous" {
			got[c.Path] = string(c.Outcome)
		}
		if c.Outcome == reach.Fails && c.Door == "vpce" && c.Identity == "anonymous" {
			got[c.Path] += ": " + c.Reason
		}
	}
	want := map[string]string{
		"/off":   "fails: the function Off reserves a concurrency of 0, so Lambda throttles every call",
		"/other": "fails: GET /other is not answered here: its function is not of this template",
		"/web":   "fails: GET /web is not answered here: of the integrations only aws_proxy and mock are, this is http_proxy",
		"/mock":  "allow",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	checkServed(t, s)
}
