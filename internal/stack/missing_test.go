package stack_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/stack"
)

// TestNotHonoured holds that what a local run cannot do has its own warning, wherever it is written.
func TestNotHonoured(t *testing.T) {
	s := parse(t, sam+`
Globals:
  Api: {OpenApiVersion: 3.0.1, MinimumCompressionSize: 1024}
  Function:
    Runtime: provided.al2023
    Layers: ["arn:aws:lambda:eu-west-1:111122223333:layer:l:1"]
Resources:
  A:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      CacheClusterEnabled: false
      Tags: {a: b}
      CanarySetting: {PercentTraffic: 10}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Description: none of this
      FileSystemConfigs: [{Arn: x, LocalMountPath: /mnt/x}]
      Events: {E: {Type: Api, Properties: {RestApiId: !Ref A, Path: /a, Method: get}}, I: {Type: Api, Properties: {Path: /b, Method: get}}}
  Bare: {Type: AWS::Serverless::Function, IgnoreGlobals: [Layers], Properties: {Layers: []}}
  Gone: {Type: AWS::Serverless::Function, Condition: Never}
Conditions: {Never: !Equals [a, b]}
`)
	check(t, "the warnings", warnings(s), []string{
		"t.yaml:4: A: MinimumCompressionSize: answers are not compressed here",
		"t.yaml:4: ServerlessRestApi: MinimumCompressionSize: answers are not compressed here",
		"t.yaml:7: F: Layers: layers are not put under /opt here: the function runs without what they hold",
		"t.yaml:15: A: CanarySetting: canaries are not served here: every call meets the stage itself",
		"t.yaml:20: F: FileSystemConfigs: file systems are not mounted here: the function runs without them",
	})
	check(t, "the error", refuse(t, oneAPI("MinimumCompressionSize: 10485761", event("E", "/a", "get", "")))[0],
		"t.yaml:6: A: MinimumCompressionSize: the least size of what is compressed is 0 to 10485760 bytes")
}

// TestStageDescription: a deployment's own stage has settings for all its methods (CloudFormation template reference,
// AWS::ApiGateway::Deployment StageDescription).
func TestStageDescription(t *testing.T) {
	text := func(description string) string {
		return "Resources:\n  A: {Type: AWS::ApiGateway::RestApi, Properties: {Body: {openapi: 3.0.1, paths: {/a: {get: {x-amazon-apigateway-integration: {type: mock, responses: {default: {statusCode: 200}}}}}}}}}\n" +
			"  D:\n    Type: AWS::ApiGateway::Deployment\n    Properties: {RestApiId: !Ref A, StageName: v1, StageDescription: " + description + "}\n"
	}
	check(t, "the throttle", parse(t, text("{ThrottlingRateLimit: 9, ThrottlingBurstLimit: 8}")).APIs[0].Throttle, &stack.Throttle{RateLimit: 9, BurstLimit: 8})
	over := parse(t, text(`{ThrottlingRateLimit: 9, MethodSettings: [{ResourcePath: "/*", HttpMethod: "*", ThrottlingRateLimit: 7, ThrottlingBurstLimit: 6}]}`))
	check(t, "the throttle of MethodSettings", over.APIs[0].Throttle, &stack.Throttle{RateLimit: 7, BurstLimit: 6})
	check(t, "no throttle", parse(t, text("{LoggingLevel: INFO}")).APIs[0].Throttle, (*stack.Throttle)(nil))
	check(t, "the warnings", warnings(parse(t, text("{CacheClusterEnabled: true, CachingEnabled: true, CanarySetting: {PercentTraffic: 5}}"))), []string{
		"t.yaml:5: D: StageDescription.CacheClusterEnabled: answers are not cached here",
		"t.yaml:5: D: StageDescription.CachingEnabled: answers are not cached here",
		"t.yaml:5: D: StageDescription.CanarySetting: canaries are not served here: every call meets the stage itself",
	})
}

// TestDocumentExtensions: what a definition says in extensions counts as the property does (API Gateway developer guide,
// OpenAPI extensions for API Gateway).
func TestDocumentExtensions(t *testing.T) {
	body := func(extension string) string {
		return document("{openapi: 3.0.1, " + extension + "paths: {/a: {get: {" + proxy + "}}}}")
	}
	before := len(warnings(parse(t, body(""))))
	got := warnings(parse(t, body("x-amazon-apigateway-minimum-compression-size: 5, ")))
	if len(got) != before+1 {
		t.Errorf("got %v, want one warning more", got)
	}
	contains(t, asError(got), "x-amazon-apigateway-minimum-compression-size: answers are not compressed here")
	contains(t, asError(refuse(t, body("x-amazon-apigateway-endpoint-access-mode: STRICT, "))), "the access mode STRICT refuses calls whose TLS name is not their Host")
	check(t, "BASIC", len(warnings(parse(t, body("x-amazon-apigateway-endpoint-access-mode: BASIC, ")))), before)
}

// TestOtherEndpoints: an endpoint of a resource or a service network has no service, and leads nowhere here.
func TestOtherEndpoints(t *testing.T) {
	s := parse(t, "Resources:\n  E: {Type: AWS::EC2::VPCEndpoint, Properties: {VpcId: v, VpcEndpointType: Resource, ResourceConfigurationArn: x}}\n")
	check(t, "the warnings", warnings(s), []string{"t.yaml:2: E: ResourceConfigurationArn: endpoints of resources lead nowhere here"})
	check(t, "an endpoint without any", refuse(t, "Resources:\n  E: {Type: AWS::EC2::VPCEndpoint, Properties: {VpcId: v}}\n"), []string{
		"t.yaml:2: E: ServiceName: the endpoint E has no ServiceName",
	})
}

// TestClone holds that an API whose methods are elsewhere is refused for a local run, and not in a review.
func TestClone(t *testing.T) {
	const text = "Resources:\n  A: {Type: AWS::ApiGateway::RestApi, Properties: {Name: a, CloneFrom: abcdefghij}}\n"
	check(t, "the errors", refuse(t, text), []string{
		"t.yaml:2: A: CloneFrom: the API is a copy of another one, whose methods are not known here, so calls would pass that AWS sends to them: " +
			"write the methods out, or give the API a Condition that is false for the local run",
	})
	if in := inspect(t, text, stack.Options{}); len(in.Errors) != 0 {
		t.Errorf("got %v in a review", in.Errors)
	}
}

func asError(lines []string) error { return errors.New(strings.Join(lines, "\n")) }
