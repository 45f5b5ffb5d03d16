package stack_test

import (
	"fmt"
	"strings"
	"testing"
)

// TestPathParts: what a part of a path may hold is in the developer guide (Amazon API Gateway important notes): letters,
// digits, underscores, hyphens, periods, commas, colons, and braces around the whole of it. AWS's CDK learnt of the dollar
// sign from its users.
func TestPathParts(t *testing.T) {
	for _, path := range []string{"/", "/a", "/a/", "/movie_list/{year}/{title}", "/{proxy+}", "/v1.0/a-b_c", "/events:batch", "/a,b", "/$metadata", "/A9/{a.b-c_d:e}"} {
		t.Run(path, func(t *testing.T) {
			check(t, "the path", parse(t, oneAPI("", event("E", path, "get", ""))).APIs[0].Routes[0].Path, "/"+strings.Trim(path, "/"))
		})
	}
	for path, part := range map[string]string{
		"/x y": "x y", "/x/é": "é", "/x/%41": "%41", "/x?y": "x?y", "/x//y": "", "/a/{b}.json": "{b}.json", "/a/{b c}": "{b c}", "/{a+b}": "{a+b}",
		"/a+": "a+", "/a*": "a*", "/(a)": "(a)", "/a@b": "a@b", "/~": "~", "/{}": "{}",
	} {
		t.Run(path, func(t *testing.T) {
			check(t, "the error", refuse(t, oneAPI("", event("E", path, "get", "")))[0], refusedPart(part, path))
		})
	}
	got := refuse(t, `
Resources:
  A: {Type: AWS::ApiGateway::RestApi, Properties: {Name: a}}
  D: {Type: AWS::ApiGateway::Deployment, Properties: {RestApiId: !Ref A, StageName: v1}}
  R: {Type: AWS::ApiGateway::Resource, Properties: {RestApiId: !Ref A, ParentId: !GetAtt A.RootResourceId, PathPart: a/b}}
  M: {Type: AWS::ApiGateway::Method, Properties: {RestApiId: !Ref A, ResourceId: !Ref R, HttpMethod: GET, AuthorizationType: NONE, Integration: {Type: MOCK}}}
`)
	check(t, "a resource's errors", got, []string{
		`t.yaml:5: R: PathPart: API Gateway refuses the part "a/b": it is letters, digits and . _ - : , $ alone, or one {parameter} alone`,
	})
}

func refusedPart(part, path string) string {
	return fmt.Sprintf("t.yaml:12: F: Events.E.Properties: API Gateway refuses the part %q of the path %s: a part is letters, digits and . _ - : , $ alone, or one {parameter} alone", part, path)
}
