package deployment_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/deployment"
)

const withModels = `
Resources:
  A: {Type: AWS::ApiGateway::RestApi, Properties: {Name: a}}
  S: {Type: AWS::ApiGateway::Stage, Properties: {RestApiId: !Ref A, StageName: v1, DeploymentId: d}}
  V: {Type: AWS::ApiGateway::RequestValidator, Properties: {RestApiId: !Ref A, ValidateRequestBody: true}}
  Name: {Type: AWS::ApiGateway::Model, Properties: {RestApiId: !Ref A, Name: Name, Schema: {type: string, minLength: 1}}}
  Movie:
    Type: AWS::ApiGateway::Model
    Properties:
      RestApiId: !Ref A
      Name: Movie
      Schema:
        $schema: http://json-schema.org/draft-04/schema#
        type: object
        required: [title, year]
        additionalProperties: false
        properties:
          title: {$ref: !Sub "https://apigateway.amazonaws.com/restapis/${A}/models/Name"}
          year: {type: integer, minimum: 1888, exclusiveMinimum: true}
          rank: {$ref: "#/definitions/rank"}
          score: {type: number, minimum: 0}
          scores: {type: array, uniqueItems: true}
        definitions: {rank: {enum: [1, 2]}}
  M:
    Type: AWS::ApiGateway::Method
    Properties:
      RestApiId: !Ref A
      ResourceId: !GetAtt A.RootResourceId
      HttpMethod: POST
      RequestValidatorId: !Ref V
      RequestModels: {application/json: !Ref Movie}
      Integration: {Type: MOCK, IntegrationResponses: [{StatusCode: 200}]}
`

// Models are JSON schema draft 4, and refer to each other by API Gateway's addresses.
func TestModels(t *testing.T) {
	apis, err := deployment.APIs(parse(t, withModels))
	if err != nil {
		t.Fatal(err)
	}
	model := apis[0].Routes[0].Validation.Models["application/json"]
	tests := map[string]struct {
		body  string
		valid bool
	}{
		"all":                       {`{"title":"Go","year":1999,"rank":2}`, true},
		"no year":                   {`{"title":"Go"}`, false},
		"another model's rule":      {`{"title":"","year":1999}`, false},
		"draft 4: at the exclusive": {`{"title":"Go","year":1888}`, false},
		"draft 4: above it":         {`{"title":"Go","year":1889}`, true},
		"an unknown property":       {`{"title":"Go","year":1999,"x":1}`, false},
		"its own definition":        {`{"title":"Go","year":1999,"rank":3}`, false},
		"a large number":            {`{"title":"Go","year":99999999999999999999}`, true},
		"a fraction":                {`{"title":"Go","year":1999.5}`, false},
		"a large exponent":          {`{"title":"Go","year":1999,"score":1e1000001}`, false},
		"a small exponent":          {`{"title":"Go","year":1999,"score":1E-1000001}`, false},
		"two large exponents":       {`{"title":"Go","year":1999,"scores":[1e1000001,1]}`, false},
		"an exponent that is slow":  {`{"title":"Go","year":1999,"score":1e+999999}`, false},
		"digits that are slow":      {`{"title":"Go","year":1999,"score":` + strings.Repeat("9", 5000) + `}`, false},
		"as large as a double":      {`{"title":"Go","year":1999,"score":1.7976931348623157e308,"scores":[1,2e-308]}`, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			decoder := json.NewDecoder(strings.NewReader(tt.body))
			decoder.UseNumber()
			var value any
			if err := decoder.Decode(&value); err != nil {
				t.Fatal(err)
			}
			if err := model.Validate(value); (err == nil) != tt.valid {
				t.Errorf("got %v, want valid %v", err, tt.valid)
			}
		})
	}
}

// A body of 10 MiB can be wrong in millions of places, which would take gigabytes to tell.
func TestModelErrorsAreBounded(t *testing.T) {
	text := strings.Replace(withModels, "scores: {type: array, uniqueItems: true}", "scores: {type: array, items: {type: string}}", 1)
	apis, err := deployment.APIs(parse(t, text))
	if err != nil {
		t.Fatal(err)
	}
	scores := make([]any, 1000)
	for i := range scores {
		scores[i] = json.Number("1")
	}
	err = apis[0].Routes[0].Validation.Models["application/json"].Validate(map[string]any{"title": "Go", "year": json.Number("1999"), "scores": scores})
	if err == nil || !strings.Contains(err.Error(), "/scores/0'") || len(err.Error()) > 4000 {
		t.Errorf("got %d bytes: %.200v; want the first places, within 4000", len(fmt.Sprint(err)), err)
	}
}

func TestModelsThatCannotBeUsed(t *testing.T) {
	tests := map[string]struct{ old, new, want string }{
		"a schema of nothing": {"type: string, minLength: 1", "type: strange", "restapis/"},
		"another API's model": {"restapis/${A}/models/Name", "restapis/zzzzzzzzzz/models/Name", "zzzzzzzzzz/models/Name is no model of this API"},
		"a file":              {`!Sub "https://apigateway.amazonaws.com/restapis/${A}/models/Name"`, "file:///etc/hostname", "file:///etc/hostname is no model of this API"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(withModels, tt.old, tt.new, 1)
			if text == withModels {
				t.Fatal("nothing was replaced")
			}
			_, err := deployment.APIs(parse(t, text))
			if err == nil || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "POST /: the model of application/json") {
				t.Errorf("got %v, want it to name %q", err, tt.want)
			}
		})
	}
}

// A method that invokes its function with a role needs a role that API Gateway may assume and that may invoke.
func TestInvokingRole(t *testing.T) {
	const text = `
Transform: AWS::Serverless-2016-10-31
Resources:
  A:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      OpenApiVersion: 3.0.1
      DefinitionBody:
        openapi: 3.0.1
        paths:
          /a: {get: {x-amazon-apigateway-integration: {type: aws_proxy, credentials: !GetAtt R.Arn, uri: !Sub "arn:aws:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations"}}}
  F: {Type: AWS::Serverless::Function, Properties: {Runtime: provided.al2023, Handler: bootstrap, CodeUri: .}}
  R:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: {Effect: Allow, Principal: {Service: apigateway.amazonaws.com}, Action: sts:AssumeRole}}
      Policies: [{PolicyName: p, PolicyDocument: {Version: "2012-10-17", Statement: {Effect: Allow, Action: lambda:InvokeFunction, Resource: !GetAtt F.Arn}}}]
`
	tests := map[string]struct{ old, new, want string }{
		"right":                   {"", "", ""},
		"an alias, not permitted": {"${F.Arn}/invocations", "${F.Arn}:live/invocations", "which may not lambda:InvokeFunction on arn:aws:lambda:eu-central-1:123456789012:function:s-F:live"},
		"another service":         {"Service: apigateway", "Service: sns", "which apigateway.amazonaws.com may not assume"},
		"AWS's policy for it":     {"Policies: [{PolicyName: p, PolicyDocument: {Version: \"2012-10-17\", Statement: {Effect: Allow, Action: lambda:InvokeFunction, Resource: !GetAtt F.Arn}}}]", "ManagedPolicyArns: [arn:aws:iam::aws:policy/service-role/AWSLambdaRole]", ""},
		"another action":          {"lambda:InvokeFunction", "lambda:GetFunction", "which may not lambda:InvokeFunction on"},
		"another function":        {"Resource: !GetAtt F.Arn", `Resource: "arn:aws:lambda:eu-central-1:123456789012:function:other"`, "which may not lambda:InvokeFunction on"},
		"denied to the account":   {"{Effect: Allow, Action: lambda:InvokeFunction, Resource: !GetAtt F.Arn}", `[{Effect: Allow, Action: lambda:InvokeFunction, Resource: !GetAtt F.Arn}, {Effect: Deny, Action: "*", Resource: "*", Condition: {StringEquals: {"aws:PrincipalAccount": "123456789012"}}}]`, "which may not lambda:InvokeFunction on"},
		"a role from elsewhere":   {"credentials: !GetAtt R.Arn", "credentials: 'arn:aws:iam::123456789012:role/other'", "which is no role of this template"},
		"the caller, who is none": {"credentials: !GetAtt R.Arn", "credentials: 'arn:aws:iam::*:user/*'", "asks for no signature"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			apis, err := deployment.APIs(parse(t, strings.Replace(text, tt.old, tt.new, 1)))
			if err != nil {
				t.Fatal(err)
			}
			if got := apis[0].Routes[0].Unpermitted; !strings.Contains(got, tt.want) || (got == "") != (tt.want == "") {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

// A method that invokes an alias as its caller needs a caller who may invoke that alias.
func TestCallerInvokesTheAlias(t *testing.T) {
	text := strings.Replace(template, "InvokeRole: NONE", "InvokeRole: CALLER_CREDENTIALS", 1)
	const function = "arn:aws:lambda:eu-central-1:123456789012:function:s-Server"
	tests := map[string]struct{ properties, want string }{
		"the function": {"CodeUri: .", function},
		"an alias":     {"CodeUri: .\n      AutoPublishAlias: live", function + ":live"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			apis, err := deployment.APIs(parse(t, strings.Replace(text, "CodeUri: .", tt.properties, 1)))
			if err != nil {
				t.Fatal(err)
			}
			if got := apis[0].Routes[0].CallerInvokes; got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
