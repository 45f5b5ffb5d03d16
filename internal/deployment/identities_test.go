package deployment_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/marquee-api/marquee/internal/deployment"
	"github.com/marquee-api/marquee/internal/identity"
	"github.com/marquee-api/marquee/internal/policy"
	"github.com/marquee-api/marquee/internal/stack"
)

const twoCallers = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties: {StageName: dev, Auth: {DefaultAuthorizer: AWS_IAM, InvokeRole: NONE}}
  Server:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Handler: bootstrap
      CodeUri: .
      Events: {Get: {Type: Api, Properties: {RestApiId: !Ref Api, Path: "/x/{id}", Method: get}}}
  Stranger:
    Type: AWS::Serverless::Function
    Properties: {Runtime: provided.al2023, Handler: bootstrap, CodeUri: .}
  Caller:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Handler: bootstrap
      CodeUri: .
      Policies:
        - Statement:
            - {Effect: Allow, Action: execute-api:Invoke, Resource: !Sub "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/dev/GET/x/*"}
`

// The caller is whoever the template lets call, and the profiles are there for any template.
func TestPopulate(t *testing.T) {
	s := parse(t, twoCallers)
	callers := deployment.Callers(s)
	if len(callers) != 1 || callers[0].LogicalID != "Caller" {
		t.Fatalf("got %d callers, want the function Caller alone", len(callers))
	}
	now := time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)
	d := populate(t, s, now)
	holders := deployment.Holders(d)
	request := policy.Request{Action: "execute-api:Invoke", Resource: "arn:aws:execute-api:eu-central-1:123456789012:" + s.APIs[0].ID + "/dev/GET/x/1"}
	put := request
	put.Resource = strings.Replace(request.Resource, "GET", "PUT", 1)
	tests := map[string]struct {
		account                 string
		mayGet, mayPut, expired bool
	}{
		"caller": {"123456789012", true, false, false}, "reader": {"123456789012", true, false, false},
		"writer": {"123456789012", true, true, false}, "stranger": {"123456789012", false, false, false},
		"foreign": {"210987654321", true, true, false}, "expired": {"123456789012", true, false, true},
		// Each role of the template under its logical id.
		"CallerRole": {"123456789012", true, false, false}, "StrangerRole": {"123456789012", false, false, false},
		"ServerRole": {"123456789012", false, false, false},
	}
	profiles := d.Profiles()
	if len(profiles) != len(tests) {
		t.Errorf("got %d profiles, want %d", len(profiles), len(tests))
	}
	for _, p := range profiles {
		want, ok := tests[p.Profile]
		if !ok {
			t.Errorf("unexpected profile %s", p.Profile)
			continue
		}
		got, ok := holders.Identity(p.AccessKeyID)
		if !ok {
			t.Errorf("%s: its key leads to nobody", p.Profile)
			continue
		}
		allowed := func(r policy.Request) bool {
			return slices.ContainsFunc(got.Policies, func(d *policy.Document) bool { return d.Evaluate(&r).Decision == policy.Allow })
		}
		if got.AccountID != want.account || allowed(request) != want.mayGet || allowed(put) != want.mayPut || got.Key.Expires.Before(now) != want.expired {
			t.Errorf("%s: got account %s, GET %v, PUT %v, expires %v; want %+v", p.Profile, got.AccountID, allowed(request), allowed(put), got.Key.Expires, want)
		}
	}
}

func populate(t *testing.T, s *stack.Stack, now time.Time) *identity.Directory {
	t.Helper()
	d, err := identity.New(identity.Config{AccountID: s.AccountID, Region: s.Region, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	if err := deployment.Populate(d, s); err != nil {
		t.Fatal(err)
	}
	return d
}

// A function runs as a session of its role that bears its name, as on Lambda.
func TestFunctionSession(t *testing.T) {
	s := parse(t, twoCallers)
	d := populate(t, s, time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
	for _, f := range s.Functions {
		session, err := deployment.FunctionSession(d, s, f)
		if err != nil {
			t.Fatal(err)
		}
		if want := "arn:aws:sts::123456789012:assumed-role/s-" + f.LogicalID + "Role/s-" + f.LogicalID; session.Principal.ARN != want {
			t.Errorf("got %s, want %s", session.Principal.ARN, want)
		}
	}
	outside := &stack.Function{Name: "f", RoleARN: "arn:aws:iam::123456789012:role/elsewhere"}
	session, err := deployment.FunctionSession(d, s, outside)
	if err != nil || len(session.Policies) != 0 {
		t.Errorf("a role from outside: got %v, %v; want a session that may nothing", session, err)
	}
}
