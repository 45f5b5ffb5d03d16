package local

import (
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/deployment"
	"github.com/marquee-api/marquee/internal/stack"
)

// A method that cannot be answered is named before anybody calls it, whether nothing permits it or its role may not.
func TestWarnings(t *testing.T) {
	s, err := stack.Parse("t.yaml", []byte(`
Transform: AWS::Serverless-2016-10-31
Resources:
  A:
    Type: AWS::Serverless::Api
    Properties: {StageName: v1, OpenApiVersion: 3.0.1}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Handler: bootstrap
      CodeUri: .
      Events:
        Right: {Type: Api, Properties: {RestApiId: !Ref A, Path: /right, Method: get}}
        Role: {Type: Api, Properties: {RestApiId: !Ref A, Path: /role, Method: get, Auth: {Authorizer: AWS_IAM, InvokeRole: !GetAtt R.Arn}}}
        Named: {Type: Api, Properties: {RestApiId: A, Path: /named, Method: get}}
  R: {Type: AWS::IAM::Role, Properties: {AssumeRolePolicyDocument: {Statement: {Effect: Allow, Principal: {Service: sns.amazonaws.com}, Action: sts:AssumeRole}}}}
`), stack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	apis, err := deployment.APIs(s)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	printWarnings(&out, s, apis)
	lines := strings.Split(strings.TrimSpace(out.String()), "\n")
	if len(lines) != 2 ||
		!strings.HasPrefix(lines[0], "warning: t.yaml:16: A GET /named: AWS answers 500, and so does this: nothing permits API Gateway to invoke F from GET /named") ||
		!strings.HasPrefix(lines[1], "warning: t.yaml:15: A GET /role: AWS answers 500, and so does this: the method invokes its function as arn:aws:iam::123456789012:role/") {
		t.Errorf("got\n%s", out.String())
	}
}
