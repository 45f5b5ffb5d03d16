package stack_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/marquee-api/marquee/internal/stack"
)

// document is an API with the given DefinitionBody, beside the function F. The body starts in line 9.
func document(body string) string {
	return sam + `Resources:
  F: ` + function + `
  A:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      DefinitionBody:
        ` + body + "\n"
}

// proxy is an integration with F.
const proxy = `x-amazon-apigateway-integration: {type: aws_proxy, httpMethod: POST, uri: !Sub "arn:${AWS::Partition}:apigateway:${AWS::Region}:lambda:path/2015-03-31/functions/${F.Arn}/invocations"}`

func TestDefinitionBody(t *testing.T) {
	const sigv4 = `securityDefinitions: {iam: {type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authtype: awsSigv4}, key: {type: apiKey, name: X-API-Key, in: header}}`
	tests := map[string]struct {
		body string
		want []string
	}{
		"open":                {`{openapi: 3.0.1, paths: {/a: {get: {` + proxy + `}}}}`, []string{"GET /a F NONE"}},
		"signed":              {`{swagger: "2.0", ` + sigv4 + `, paths: {/a: {get: {security: [{iam: []}], ` + proxy + `}}}}`, []string{"GET /a F AWS_IAM"}},
		"a key":               {`{swagger: "2.0", ` + sigv4 + `, paths: {/a: {get: {security: [{key: []}], ` + proxy + `}}}}`, []string{"GET /a F NONE key"}},
		"both in one":         {`{swagger: "2.0", ` + sigv4 + `, paths: {/a: {get: {security: [{key: [], iam: []}], ` + proxy + `}}}}`, []string{"GET /a F AWS_IAM key"}},
		"an extension":        {`{openapi: 3.0.1, paths: {/a: {get: {x-amazon-apigateway-auth: {type: AWS_IAM}, ` + proxy + `}}}}`, []string{"GET /a F AWS_IAM"}},
		"any":                 {`{openapi: 3.0.1, paths: {/a: {x-amazon-apigateway-any-method: {` + proxy + `}}}}`, []string{"ANY /a F NONE"}},
		"not methods":         {`{openapi: 3.0.1, paths: {/a: {parameters: [], summary: s, x-other: 1, get: {` + proxy + `}}}}`, []string{"GET /a F NONE"}},
		"another integration": {`{openapi: 3.0.1, paths: {/a: {get: {x-amazon-apigateway-integration: {type: HTTP_PROXY, uri: "https://x"}}}}}`, []string{"GET /a (http_proxy) NONE"}},
		"another function":    {`{openapi: 3.0.1, paths: {/a: {get: {x-amazon-apigateway-integration: {type: aws_proxy, uri: "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:111122223333:function:other/invocations"}}}}}`, []string{"GET /a  NONE"}},
		"an alias":            {`{openapi: 3.0.1, paths: {/a: {get: {x-amazon-apigateway-integration: {type: aws_proxy, uri: !Sub "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/${F.Arn}:live/invocations"}}}}}`, []string{"GET /a F NONE"}},
		"streaming":           {`{openapi: 3.0.1, paths: {/a: {get: {x-amazon-apigateway-integration: {type: aws_proxy, uri: !Sub "arn:aws:apigateway:eu-west-1:lambda:path/2021-11-15/functions/${F.Arn}/response-streaming-invocations"}}}}}`, []string{"GET /a F NONE"}},
		"no security at all":  {`{openapi: 3.0.1, security: [{x: []}], paths: {/a: {get: {security: [], ` + proxy + `}}}}`, []string{"GET /a F NONE"}},
		"gone by condition":   {`{openapi: 3.0.1, paths: {/a: {get: {` + proxy + `}, put: !Ref AWS::NoValue}, /b: !Ref AWS::NoValue}}`, []string{"GET /a F NONE"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			check(t, "the routes", routes(parse(t, document(tt.body)).APIs[0]), tt.want)
		})
	}
}

func TestDefinitionErrors(t *testing.T) {
	tests := map[string]struct{ body, want string }{
		"no document":          {`text`, "t.yaml:8: A: DefinitionBody: the definition of an API is an OpenAPI document"},
		"no version":           {`{paths: {}}`, "t.yaml:8: A: DefinitionBody: the document says neither openapi nor swagger, so it is no definition of an API"},
		"unknown scheme":       {`{openapi: 3.0.1, paths: {/a: {get: {security: [{AWS_IAMX: []}], ` + proxy + `}}}}`, `t.yaml:9: A: DefinitionBody.paths./a.get: GET /a asks for "AWS_IAMX", which is not a security scheme of the API: on AWS the method would be open to everybody`},
		"a Lambda authorizer":  {`{openapi: 3.0.1, components: {securitySchemes: {l: {type: apiKey, name: Authorization, in: header, x-amazon-apigateway-authorizer: {type: request}}}}, paths: {/a: {get: {security: [{l: []}], ` + proxy + `}}}}`, `t.yaml:9: A: DefinitionBody.paths./a.get: GET /a is guarded by "l", an authorizer of the kind request, which is not supported here, and the method would be open without it: use AWS_IAM`},
		"another scheme":       {`{openapi: 3.0.1, components: {securitySchemes: {o: {type: oauth2}}}, paths: {/a: {get: {security: [{o: []}], ` + proxy + `}}}}`, `t.yaml:9: A: DefinitionBody.paths./a.get: GET /a is guarded by "o", a scheme of the type oauth2, which is not supported here, and the method would be open without it: use AWS_IAM`},
		"security at the root": {`{openapi: 3.0.1, security: [{iam: []}], paths: {/a: {get: {` + proxy + `}}}}`, `t.yaml:9: A: DefinitionBody.security: security of the whole document is not known to reach the methods in API Gateway: write it at GET /a`},
		"an unknown auth type": {`{openapi: 3.0.1, paths: {/a: {get: {x-amazon-apigateway-auth: {type: AWS_IAMX}, ` + proxy + `}}}}`, `t.yaml:9: A: DefinitionBody.paths./a.get: x-amazon-apigateway-auth has the type "AWS_IAMX": AWS_IAM or NONE`},
		"no integration":       {`{openapi: 3.0.1, paths: {/a: {get: {}}}}`, `t.yaml:9: A: DefinitionBody.paths./a.get: GET /a has no integration: API Gateway refuses to deploy it`},
		"no type":              {`{openapi: 3.0.1, paths: {/a: {get: {x-amazon-apigateway-integration: {uri: x}}}}}`, `t.yaml:9: A: DefinitionBody.paths./a.get.x-amazon-apigateway-integration: the integration has no type`},
		"an unknown method":    {`{openapi: 3.0.1, paths: {/a: {fetch: {}}}}`, `t.yaml:9: A: DefinitionBody.paths./a.fetch: API Gateway knows no method "fetch"`},
		"any spelt out":        {`{openapi: 3.0.1, paths: {/a: {any: {}}}}`, `t.yaml:9: A: DefinitionBody.paths./a.any: API Gateway knows no method "any"`},
		"twice":                {`{openapi: 3.0.1, paths: {/a: {get: {` + proxy + `}, GET: {` + proxy + `}}}}`, `t.yaml:9: A: DefinitionBody.paths./a.GET: the method is defined for the second time`},
		"not security":         {`{openapi: 3.0.1, paths: {/a: {get: {security: x, ` + proxy + `}}}}`, `t.yaml:9: A: DefinitionBody.paths./a.get.security: security is a list, not text`},
		"no name of its own":   {`{openapi: 3.0.1, servers: [{x-amazon-apigateway-endpoint-configuration: {disableExecuteApiEndpoint: true}}], paths: {/a: {get: {` + proxy + `}}}}`, `t.yaml:9: A: DefinitionBody.servers[0].x-amazon-apigateway-endpoint-configuration.disableExecuteApiEndpoint: custom domain names are not served here, and this API answers to nothing else`},
		"a policy unresolved":  {`{openapi: 3.0.1, x-amazon-apigateway-policy: {Statement: [{Principal: !Ref Nobody}]}, paths: {/a: {get: {` + proxy + `}}}}`, `t.yaml:9: A: DefinitionBody.x-amazon-apigateway-policy: there is no parameter or resource "Nobody" in the template`},
		"an empty policy":      {`{openapi: 3.0.1, x-amazon-apigateway-policy: {}, paths: {/a: {get: {` + proxy + `}}}}`, `t.yaml:9: A: DefinitionBody.x-amazon-apigateway-policy: the policy document has no Statement`},
		"a dynamic reference":  {`{openapi: 3.0.1, x-amazon-apigateway-policy: {Statement: [{Resource: "{{resolve:ssm:/x}}"}]}, paths: {/a: {get: {` + proxy + `}}}}`, `t.yaml:9: A: DefinitionBody.x-amazon-apigateway-policy: the policy holds a dynamic reference ({{resolve:…}}), which only AWS can look up: use a parameter`},
		"a macro":              {`Fn::Transform: {Name: Mine}`, `t.yaml:9: A: DefinitionBody: the macro in Fn::Transform runs in AWS only, and its result is needed here; AWS::Include is supported`},
		"a file from memory":   {`Fn::Transform: {Name: AWS::Include, Parameters: {Location: api.yaml}}`, `t.yaml:9: A: DefinitionBody: the template names the file api.yaml, and was not read from a folder`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			check(t, "the error", refuse(t, document(tt.body))[0], tt.want)
		})
	}
}

func TestStageVariables(t *testing.T) {
	s := parse(t, sam+`
Resources:
  F: {Type: AWS::Serverless::Function, Properties: {FunctionName: movies, Runtime: provided.al2023}}
  A:
    Type: AWS::Serverless::Api
    Properties:
      StageName: v1
      OpenApiVersion: 3.0.1
      Variables: {fn: movies}
      DefinitionBody:
        openapi: 3.0.1
        paths:
          /a: {get: {x-amazon-apigateway-integration: {type: aws_proxy, uri: !Sub "arn:aws:apigateway:eu-west-1:lambda:path/2015-03-31/functions/arn:aws:lambda:eu-west-1:${AWS::AccountId}:function:${!stageVariables.fn}/invocations"}}}
`)
	check(t, "the routes", routes(s.APIs[0]), []string{"GET /a F NONE"})
	check(t, "the warnings", warnings(s), []string{
		"t.yaml:14: A: GET /a: AWS answers 500, and so does this: nothing permits API Gateway to invoke F from GET /a; add an event for it, or an AWS::Lambda::Permission",
	})
}

// write puts files into a new folder and returns the path of the first.
func write(t *testing.T, files ...string) string {
	t.Helper()
	dir := t.TempDir()
	for i := 0; i < len(files); i += 2 {
		if err := os.WriteFile(filepath.Join(dir, files[i]), []byte(files[i+1]), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return filepath.Join(dir, files[0])
}

const included = `openapi: 3.0.1
info: {title: included}
paths:
  /a:
    get:
      ` + proxy + "\n"

func TestInclude(t *testing.T) {
	forms := map[string]string{
		"alone":              "{Fn::Transform: {Name: AWS::Include, Parameters: {Location: api.yaml}}}",
		"beside other keys":  "{x-amazon-apigateway-binary-media-types: [a/b], Fn::Transform: {Name: AWS::Include, Parameters: {Location: !Sub 'api.yaml'}}}",
		"from a nested path": "{Fn::Transform: {Name: AWS::Include, Parameters: {Location: ./api.yaml}}}",
	}
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			s, err := stack.Load(write(t, "template.yaml", document(form), "api.yaml", included), options)
			if err != nil {
				t.Fatal(err)
			}
			check(t, "the routes", routes(s.APIs[0]), []string{"GET /a F NONE"})
			check(t, "the title", s.APIs[0].Name, "included")
			check(t, "the position", filepath.Base(s.APIs[0].Routes[0].Position.String()), "api.yaml:5")
		})
	}
}

func TestIncludeErrors(t *testing.T) {
	include := func(location string) string {
		return fmt.Sprintf("{openapi: 3.0.1, Fn::Transform: {Name: AWS::Include, Parameters: {Location: %q}}}", location)
	}
	tests := map[string]struct{ body, file, want string }{
		"missing":         {include("none.yaml"), "", "the file the template names cannot be read"},
		"in S3":           {include("s3://b/api.yaml"), "", "s3://b/api.yaml is not on this machine: name a local file, sam package uploads it"},
		"a list":          {include("api.yaml"), "- a", "the included file must be a map, as it stands beside other keys"},
		"the same key":    {include("api.yaml"), "openapi: 3.0.1", `the included file sets "openapi", which the template sets, too`},
		"includes itself": {"{Fn::Transform: {Name: AWS::Include, Parameters: {Location: api.yaml}}}", "paths: {}\nFn::Transform: {Name: AWS::Include, Parameters: {Location: api.yaml}}", "the file api.yaml depends on itself"},
		"not YAML":        {include("api.yaml"), "a: [", "not YAML"},
		"no end":          {include("api.yaml"), "x-amazon-apigateway-policy: {Statement: {Fn::Transform: {Name: AWS::Include, Parameters: {Location: api.yaml}}}}", "values are nested more than 256 deep"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := stack.Load(write(t, "template.yaml", document(tt.body), "api.yaml", tt.file), options)
			contains(t, err, tt.want)
		})
	}
}

func TestDefinitionURI(t *testing.T) {
	template := func(uri, more string) string {
		return sam + "Resources:\n  F: " + function + "\n  A: {Type: AWS::Serverless::Api, Properties: {StageName: v1, OpenApiVersion: 3.0.1, DefinitionUri: " + uri + more + "}}\n"
	}
	const plain = "openapi: 3.0.1\npaths: {/a: {get: {x-amazon-apigateway-integration: {type: mock, responses: {default: {statusCode: 204}}}}}}\n"
	s, err := stack.Load(write(t, "template.yaml", template("api.yaml", ""), "api.yaml", plain), options)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "the routes", routes(s.APIs[0]), []string{"GET /a (mock) NONE"})
	check(t, "the answer", s.APIs[0].Routes[0].Mock, &stack.Mock{Status: 204, Headers: map[string]string{}})

	s = parse(t, template("s3://bucket/api.yaml", ""))
	check(t, "APIs in S3", len(s.APIs), 0)
	check(t, "the warnings", warnings(s), []string{"t.yaml:4: A: DefinitionUri: the API is not served here: its definition is not on this machine"})

	_, err = stack.Load(write(t, "template.yaml", template("api.yaml", ""), "api.yaml", included), options)
	contains(t, err, "api.yaml:6: A: DefinitionUri: CloudFormation resolves no intrinsics in a DefinitionUri: use DefinitionBody with AWS::Include")
	_, err = stack.Load(write(t, "template.yaml", template("api.yaml", ", Auth: {DefaultAuthorizer: AWS_IAM}"), "api.yaml", plain), options)
	contains(t, err, "SAM takes Auth only with DefinitionBody or events, not with DefinitionUri")
	_, err = stack.Load(write(t, "template.yaml", template("api.yaml", ", DefinitionBody: {}"), "api.yaml", plain), options)
	contains(t, err, "DefinitionBody and DefinitionUri exclude each other")
}
