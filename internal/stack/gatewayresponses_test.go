package stack_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/stack"
)

const mockGet = "paths: {/a: {get: {x-amazon-apigateway-integration: {type: mock, responses: {default: {statusCode: 200}}}}}}"

// A resource of its own comes over SAM's property, and that over the document.
func TestGatewayResponses(t *testing.T) {
	s := parse(t, sam+`
Resources:
  A:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      OpenApiVersion: 3.0.1
      GatewayResponses:
        DEFAULT_4XX: {ResponseParameters: {Headers: {Access-Control-Allow-Origin: "'*'"}}}
        THROTTLED: {StatusCode: 503, ResponseTemplates: {application/json: '{"retry":$context.error.messageString}'}}
      DefinitionBody:
        openapi: 3.0.1
        x-amazon-apigateway-gateway-responses:
          THROTTLED: {statusCode: 430}
          EXPIRED_TOKEN: {statusCode: 401, responseParameters: {gatewayresponse.header.X-Origin: method.request.header.Origin}}
        `+mockGet+`
  Denied:
    Type: AWS::ApiGateway::GatewayResponse
    Properties:
      RestApiId: !Ref A
      ResponseType: ACCESS_DENIED
      StatusCode: "404"
      ResponseParameters: {gatewayresponse.header.X: "'1'"}
`)
	want := map[string]*stack.GatewayResponse{
		"DEFAULT_4XX":   {Headers: map[string]string{"Access-Control-Allow-Origin": "'*'"}, Templates: map[string]string{}},
		"THROTTLED":     {Status: 503, Headers: map[string]string{}, Templates: map[string]string{"application/json": `{"retry":$context.error.messageString}`}},
		"EXPIRED_TOKEN": {Status: 401, Headers: map[string]string{"X-Origin": "method.request.header.Origin"}, Templates: map[string]string{}},
		"ACCESS_DENIED": {Status: 404, Headers: map[string]string{"X": "'1'"}, Templates: map[string]string{}},
	}
	if diff := cmp.Diff(want, s.APIs[0].GatewayResponses); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	check(t, "the warnings", len(s.Warnings), 0)
}

func TestGatewayResponseErrors(t *testing.T) {
	text := func(responses string) string {
		return sam + "Resources:\n  A:\n    Type: AWS::Serverless::Api\n    Properties: {StageName: v1, OpenApiVersion: 3.0.1, GatewayResponses: " + responses + ", DefinitionBody: {openapi: 3.0.1, " + mockGet + "}}\n"
	}
	const place = "t.yaml:5: A: GatewayResponses."
	tests := map[string]struct{ responses, want string }{
		"a type of nothing": {"{DEFAULT_XXX: {StatusCode: 400}}", place + `DEFAULT_XXX: "DEFAULT_XXX" is no type of gateway response: ACCESS_DENIED, API_CONFIGURATION_ERROR, AUTHORIZER_CONFIGURATION_ERROR, AUTHORIZER_FAILURE, BAD_REQUEST_BODY, BAD_REQUEST_PARAMETERS, DEFAULT_4XX, DEFAULT_5XX, EXPIRED_TOKEN, INTEGRATION_FAILURE, INTEGRATION_TIMEOUT, INVALID_API_KEY, INVALID_SIGNATURE, MISSING_AUTHENTICATION_TOKEN, QUOTA_EXCEEDED, REQUEST_TOO_LARGE, RESOURCE_NOT_FOUND, THROTTLED, UNAUTHORIZED, UNSUPPORTED_MEDIA_TYPE, WAF_FILTERED`},
		"no status":         {"{THROTTLED: {StatusCode: 42}}", place + "THROTTLED.StatusCode: 42 is no status of an answer: 200 to 599 are"},
		"an interim status": {"{THROTTLED: {StatusCode: 103}}", place + "THROTTLED.StatusCode: 103 is no status of an answer: 200 to 599 are"},
		"no quotes":         {"{THROTTLED: {ResponseParameters: {Headers: {X: '*'}}}}", place + `THROTTLED.ResponseParameters.Headers.X: "*" is neither a text in single quotes nor a place such as method.request.header.Origin`},
		"no name":           {"{THROTTLED: {ResponseParameters: {Headers: {\"X Y\": \"'1'\"}}}}", place + `THROTTLED.ResponseParameters.Headers.X Y: "X Y" is no name of a header`},
		"another parameter": {"{THROTTLED: {ResponseParameters: {X: \"'1'\"}}}", place + "THROTTLED.ResponseParameters.X: a parameter of a gateway response is gatewayresponse.header. and a name"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { check(t, "the error", refuse(t, text(tt.responses))[0], tt.want) })
	}
}

// What frames an answer is API Gateway's own, in a gateway response as in a mock integration: it is said, and not sent.
func TestHeadersOfAPIGatewayItself(t *testing.T) {
	for _, name := range []string{
		"Connection", "content-length", "Date", "Keep-Alive", "Proxy-Connection", "TE", "Trailer", "TRANSFER-ENCODING", "Upgrade", "x-amz-apigw-id",
	} {
		t.Run(name, func(t *testing.T) {
			s := parse(t, sam+`
Resources:
  A:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      OpenApiVersion: 3.0.1
      GatewayResponses:
        THROTTLED: {ResponseParameters: {Headers: {`+name+`: "'1'", X-Kept: "'1'"}}}
      DefinitionBody:
        openapi: 3.0.1
        x-amazon-apigateway-gateway-responses:
          EXPIRED_TOKEN: {responseParameters: {gatewayresponse.header.`+name+`: "'1'"}}
        paths: {/a: {get: {x-amazon-apigateway-integration: {type: mock, responses: {default: {statusCode: 200, responseParameters: {method.response.header.`+name+`: "'1'", method.response.header.X-Kept: "'1'"}}}}}}}
`)
			api, kept := s.APIs[0], map[string]string{"X-Kept": "'1'"}
			check(t, "the header of SAM's form", api.GatewayResponses["THROTTLED"].Headers, kept)
			check(t, "the header of the document", api.GatewayResponses["EXPIRED_TOKEN"].Headers, map[string]string{})
			check(t, "the mock's header", api.Routes[0].Mock.Headers, map[string]string{"X-Kept": "1"})
			check(t, "the warnings", len(s.Warnings), 3)
			for _, w := range s.Warnings {
				check(t, "the warning", w.Message, "API Gateway sets "+name+" itself: this is not sent")
			}
		})
	}
}
