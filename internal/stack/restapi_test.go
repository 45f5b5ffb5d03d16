package stack_test

import (
	"testing"

	"github.com/marquee-api/marquee/internal/stack"
)

// native is an API in CloudFormation's own words; each further resource goes below.
const native = `
Resources:
  F: {Type: AWS::Lambda::Function, Properties: {Runtime: provided.al2023, Handler: bootstrap, Role: !GetAtt R.Arn, Code: ./bin}}
  R: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Statement: [{Effect: Allow}]}}}
  A:
    Type: AWS::ApiGateway::RestApi
    Properties:
      Name: native
      EndpointConfiguration: {Types: [PRIVATE], VpcEndpointIds: [vpce-1]}
      Policy: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: "*", Action: execute-api:Invoke, Resource: "execute-api:/*"}]}
  Movies: {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref A, ParentId: !GetAtt A.RootResourceId, PathPart: movies}}
  Year: {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref A, ParentId: !Ref Movies, PathPart: "{year}"}}
  Get:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref A
      ResourceId: !Ref Year
      HttpMethod: GET
      AuthorizationType: AWS_IAM
      ApiKeyRequired: true
      Integration: {Type: AWS_PROXY, IntegrationHttpMethod: POST, TimeoutInMillis: 900, Uri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations"}
  Any:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref A
      ResourceId: !GetAtt A.RootResourceId
      HttpMethod: ANY
      AuthorizationType: NONE
      Integration: {Type: MOCK, IntegrationResponses: [{StatusCode: 204, ResponseParameters: {method.response.header.Allow: "'GET'"}}]}
  P: {Type: AWS::Lambda::Permission, Properties: {FunctionName: !Ref F, Action: lambda:InvokeFunction, Principal: apigateway.amazonaws.com}}
  D: {Type: AWS::ApiGateway::Deployment, Properties: {RestApiId: !Ref A, StageName: old, StageDescription: {Variables: {a: b}}}}
  S:
    Type: AWS::ApiGateway::Stage
    Properties:
      RestApiId: !Ref A
      DeploymentId: !Ref D
      StageName: v1
      MethodSettings: [{ResourcePath: "/*", HttpMethod: "*", ThrottlingRateLimit: 9, ThrottlingBurstLimit: 8}]
`

func TestNativeAPI(t *testing.T) {
	s := parse(t, native)
	if len(s.APIs) != 2 {
		t.Fatalf("got %d APIs, want one for each of two stages", len(s.APIs))
	}
	v1, old := s.APIs[0], s.APIs[1]
	check(t, "the stages", []string{v1.Stage, old.Stage, v1.ID}, []string{"v1", "old", old.ID})
	check(t, "the routes", routes(v1), []string{"GET /movies/{year} F AWS_IAM key", "ANY / (mock) NONE"})
	check(t, "the endpoint", []any{v1.Name, v1.EndpointType, v1.VPCEndpointIDs}, []any{"native", "PRIVATE", []string{"vpce-1"}})
	check(t, "the throttle", v1.Throttle, &stack.Throttle{RateLimit: 9, BurstLimit: 8})
	check(t, "the variables", old.StageVariables, map[string]string{"a": "b"})
	check(t, "the timeout", v1.Routes[0].TimeoutMillis, 900)
	check(t, "the answer", v1.Routes[1].Mock, &stack.Mock{Status: 204, Headers: map[string]string{"Allow": "GET"}})
	sameJSON(t, v1.ResourcePolicy, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/*"}]}`)
	check(t, "the warnings", len(warnings(s)), 0)
}

func TestNativeAPIErrors(t *testing.T) {
	const method = "  X: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref A, HttpMethod: PUT, "
	tests := map[string]struct{ more, want string }{
		"a custom authorizer": {method + "ResourceId: !Ref Movies, AuthorizationType: CUSTOM, Integration: {Type: MOCK}}}", "t.yaml:39: X: AuthorizationType: an authorizer of the type CUSTOM is not supported here, and the method would be open without it: use AWS_IAM"},
		"no resource":         {method + "ResourceId: nothing, AuthorizationType: NONE, Integration: {Type: MOCK}}}", "t.yaml:39: X: ResourceId: this is not a resource of the API"},
		"no integration":      {method + "ResourceId: !Ref Movies, AuthorizationType: NONE}}", "t.yaml:39: X: PUT /movies has no integration: API Gateway refuses to deploy it"},
		"no type":             {method + "ResourceId: !Ref Movies, AuthorizationType: NONE, Integration: {Uri: x}}}", "t.yaml:39: X: Integration: the integration has no Type"},
		"no way to the root":  {"  X: {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref A, ParentId: nothing, PathPart: x}}", "t.yaml:39: X: ParentId: the parents of this resource do not lead to the root of the API"},
		"a circle":            {"  X: {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref A, ParentId: !Ref X, PathPart: x}}", "t.yaml:39: X: ParentId: the parents of this resource do not lead to the root of the API"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			check(t, "the error", refuse(t, native+tt.more+"\n")[0], tt.want)
		})
	}
}

func TestNativeBody(t *testing.T) {
	s := parse(t, `
Resources:
  A:
    Type: AWS::ApiGateway::RestApi
    Properties:
      BinaryMediaTypes: [image~1png]
      Body:
        openapi: 3.0.1
        info: {title: native}
        paths: {/a: {get: {x-amazon-apigateway-auth: {type: aws_iam}, x-amazon-apigateway-integration: {type: mock}}}}
  S: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref A, StageName: v1}}
  Unstaged: {Type: AWS::ApiGateway::RestApi, Properties: {Body: {swagger: "2.0", paths: {}}}}
  Elsewhere: {Type: AWS::ApiGateway::RestApi, Properties: {BodyS3Location: {Bucket: b}}}
`)
	check(t, "the routes", routes(s.APIs[0]), []string{"GET /a (mock) AWS_IAM"})
	check(t, "the API", []any{s.APIs[0].Name, s.APIs[0].EndpointType, s.APIs[0].BinaryMediaTypes}, []any{"native", "EDGE", []string{"image/png"}})
	check(t, "the warnings", warnings(s), []string{
		"t.yaml:10: A: Body.paths./a.get: GET /a is not answered here: its mock integration has no fixed answer",
		"t.yaml:12: Unstaged: the API has no stage (AWS::ApiGateway::Stage, or StageName of its deployment): it is not served",
		"t.yaml:13: Elsewhere: BodyS3Location: the API is not served here: its definition is not on this machine",
	})
}
