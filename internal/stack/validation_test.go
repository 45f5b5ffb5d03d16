package stack_test

import (
	"encoding/json"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/stack"
)

const validators = "x-amazon-apigateway-request-validators: {all: {validateRequestBody: true, validateRequestParameters: true}, body: {validateRequestBody: true}, parameters: {validateRequestParameters: true}, none: {}}"

const openAPIValidation = `
Resources:
  A:
    Type: AWS::ApiGateway::RestApi
    Properties:
      Body:
        openapi: 3.0.1
        ` + validators + `
        x-amazon-apigateway-request-validator: all
        components:
          schemas: {Movie: {type: object, required: [title]}}
          parameters: {Tenant: {name: X-Tenant, in: header, required: true}}
          requestBodies: {Movie: {content: {application/json: {schema: {$ref: "#/components/schemas/Movie"}}}}}
        paths:
          /a/{id}:
            parameters: [{name: id, in: path, required: true}]
            get:
              parameters: [{$ref: "#/components/parameters/Tenant"}, {name: limit, in: query, required: true}, {name: next, in: query}, {name: c, in: cookie, required: true}]
              x-amazon-apigateway-integration: {type: mock, responses: {default: {statusCode: 200}}}
            post:
              x-amazon-apigateway-request-validator: body
              requestBody: {$ref: "#/components/requestBodies/Movie"}
              x-amazon-apigateway-integration: {type: mock, responses: {default: {statusCode: 200}}}
            put:
              x-amazon-apigateway-request-validator: none
              requestBody: {$ref: "#/components/requestBodies/Movie"}
              x-amazon-apigateway-integration: {type: mock, responses: {default: {statusCode: 200}}}
            patch:
              x-amazon-apigateway-request-validator: body
              requestBody: {content: {text/CSV: {schema: {type: string}}, application/json: {schema: {type: array}}}}
              x-amazon-apigateway-integration: {type: mock, responses: {default: {statusCode: 200}}}
  S: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref A, StageName: v1, DeploymentId: d}}
`

const nativeValidation = `
Resources:
  A: {Type: AWS::ApiGateway::RestApi, Properties: {Name: a}}
  S: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref A, StageName: v1, DeploymentId: d}}
  V: {Type: AWS::ApiGateway::RequestValidator, Properties: {RestApiId: !Ref A, ValidateRequestBody: true, ValidateRequestParameters: true}}
  Movie: {Type: AWS::ApiGateway::Model, Properties: {RestApiId: !Ref A, ContentType: application/json, Name: Movie, Schema: {type: object, required: [title]}}}
  Text: {Type: AWS::ApiGateway::Model, Properties: {RestApiId: !Ref A, ContentType: application/json, Schema: '{"type":"string"}'}}
  M:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref A
      ResourceId: !GetAtt A.RootResourceId
      HttpMethod: POST
      RequestValidatorId: !Ref V
      RequestParameters: {method.request.querystring.q: true, method.request.header.H: "true", method.request.header.other: false}
      RequestModels: {application/json: !Ref Movie, text/plain: !Ref Text, $default: Empty}
      Integration: {Type: MOCK, IntegrationResponses: [{StatusCode: 200}]}
`

// validations are those of an API's routes, each model as its schema.
func validations(t *testing.T, api *stack.API) map[string]stack.Validation {
	t.Helper()
	out := map[string]stack.Validation{}
	for _, r := range api.Routes {
		if r.Validation != nil {
			out[r.Method+" "+r.Path] = *r.Validation
		}
	}
	return out
}

func TestOpenAPIValidation(t *testing.T) {
	api := parse(t, openAPIValidation).APIs[0]
	want := map[string]stack.Validation{
		// In API Gateway's order: headers, then the path, then the query.
		"GET /a/{id}":   {Parameters: []stack.Parameter{{In: "header", Name: "X-Tenant"}, {In: "path", Name: "id"}, {In: "querystring", Name: "limit"}}},
		"POST /a/{id}":  {Models: map[string]string{"application/json": "openapi#/operations/0"}},
		"PATCH /a/{id}": {Models: map[string]string{"text/csv": "openapi#/operations/1", "application/json": "openapi#/operations/2"}},
	}
	if diff := cmp.Diff(want, validations(t, api)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	sameJSON(t, api.Schemas["openapi"], `{"operations":[{"$ref":"#/components/schemas/Movie"},{"type":"string"},{"type":"array"}],"components":{"schemas":{"Movie":{"type":"object","required":["title"]}}}}`)
}

func TestNativeValidation(t *testing.T) {
	api := parse(t, nativeValidation).APIs[0]
	models := "https://apigateway.amazonaws.com/restapis/" + api.ID + "/models/"
	want := map[string]stack.Validation{"POST /": {
		Parameters: []stack.Parameter{{In: "header", Name: "H"}, {In: "querystring", Name: "q"}},
		Models:     map[string]string{"application/json": models + "Movie", "text/plain": models + "s-Text", "$default": models + "Empty"},
	}}
	if diff := cmp.Diff(want, validations(t, api)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for name, text := range map[string]string{"Movie": `{"type":"object","required":["title"]}`, "s-Text": `{"type":"string"}`} {
		sameJSON(t, api.Schemas[models+name], text)
	}
	if !json.Valid(api.Schemas[models+"Empty"]) {
		t.Errorf("got the schemas %v, want Empty among them", api.Schemas)
	}
}

func TestValidationErrors(t *testing.T) {
	operation := func(text string) string {
		return "Resources:\n  A: {Type: AWS::ApiGateway::RestApi, Properties: {Body: {openapi: 3.0.1, " + validators + ", paths: {/a: {post: {" + text + ", x-amazon-apigateway-integration: {type: mock, responses: {default: {statusCode: 200}}}}}}}}}\n" +
			"  S: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref A, StageName: v1, DeploymentId: d}}\n"
	}
	event := func(text string) string {
		return sam + "Resources:\n  A: {Type: AWS::Serverless::Api, Properties: {StageName: v1, OpenApiVersion: 3.0.1, Models: {Movie: {type: object}}}}\n" +
			"  F: {Type: AWS::Serverless::Function, Properties: {Runtime: provided.al2023, Events: {E: {Type: Api, Properties: {RestApiId: !Ref A, Path: /a, Method: get, " + text + "}}}}}\n"
	}
	tests := map[string]struct{ text, want string }{
		"no such validator":   {operation("x-amazon-apigateway-request-validator: mine"), `t.yaml:2: A: Body.paths./a.post.x-amazon-apigateway-request-validator: "mine" is not one of x-amazon-apigateway-request-validators`},
		"no such parameter":   {operation(`x-amazon-apigateway-request-validator: all, parameters: [{$ref: "#/components/parameters/P"}]`), `t.yaml:2: A: Body.paths./a.post.parameters[0].$ref: "#/components/parameters/P" is not in the document`},
		"a remote reference":  {operation(`x-amazon-apigateway-request-validator: all, parameters: [{$ref: "other.yaml#/P"}]`), `t.yaml:2: A: Body.paths./a.post.parameters[0].$ref: only references into this document are followed: #/…`},
		"no such model":       {event("RequestModel: {Model: Actor, ValidateBody: true}"), `t.yaml:4: F: Events.E.Properties.RequestModel.Model: "Actor" is not one of the API's Models`},
		"a misspelt key":      {event("RequestModel: {Model: Movie, ValidateBodies: true}"), "t.yaml:4: F: Events.E.Properties.RequestModel.ValidateBodies: there is no such property: Model, Required, ValidateBody, ValidateParameters"},
		"a misspelt location": {event("RequestModel: {Model: Movie, ValidateParameters: true}, RequestParameters: [request.header.a: {Required: true}]"), "t.yaml:4: F: Events.E.Properties.RequestParameters[0].request.header.a: a parameter is method.request., then header, path or querystring, and a name"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { check(t, "the error", refuse(t, tt.text)[0], tt.want) })
	}
}
