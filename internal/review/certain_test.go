package review_test

import (
	"os"
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/review"
	"github.com/marquee-api/marquee/internal/stack"
)

// A function that was switched off on purpose, and an integration that is none of the template's functions, fail whoever
// calls, and that is no want of a permission.
func TestFailingIsNotUnpermitted(t *testing.T) {
	good, err := os.ReadFile("testdata/good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	text := strings.Replace(string(good), "ReservedConcurrentExecutions: 20", "ReservedConcurrentExecutions: 0", 1) + `
  Elsewhere:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      OpenApiVersion: 3.0.1
      EndpointConfiguration: {Type: PRIVATE}
      Auth: {DefaultAuthorizer: AWS_IAM, InvokeRole: NONE, ResourcePolicy: {CustomStatements: [{Effect: Allow, Principal: "*", Action: execute-api:Invoke, Resource: "execute-api:/*"}]}}
      DefinitionBody:
        openapi: 3.0.1
        paths:
          /web: {get: {x-amazon-apigateway-integration: {type: http_proxy, httpMethod: GET, uri: "https://example.com"}}}
`
	if text == string(good) {
		t.Fatal("good.yaml no longer reserves what the test takes away")
	}
	in, err := stack.InspectText("t.yaml", []byte(text), stack.Options{Region: "eu-central-1"})
	if err != nil {
		t.Fatal(err)
	}
	found, err := review.Check(in, review.Options{Now: now})
	if err != nil || len(found) == 0 {
		t.Fatalf("got %v, %v; want findings, of the second API's other faults", found, err)
	}
	for _, f := range found {
		if f.Rule.ID == "MQ410" || f.Rule.ID == "MQ001" {
			t.Errorf("got %+v", f)
		}
	}
}
