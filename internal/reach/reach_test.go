package reach_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/deployment"
	"github.com/marquee-api/marquee/internal/identity"
	"github.com/marquee-api/marquee/internal/reach"
	"github.com/marquee-api/marquee/internal/stack"
	"github.com/marquee-api/marquee/internal/terminal"
)

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

func compute(t *testing.T, s *stack.Stack, file string) *reach.Matrix {
	t.Helper()
	d, err := identity.New(identity.Config{AccountID: s.AccountID, Region: s.Region, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	if err := deployment.Populate(d, s); err != nil {
		t.Fatal(err)
	}
	if file != "" {
		if err := d.Load("identities.yaml", []byte(file)); err != nil {
			t.Fatal(err)
		}
	}
	m, err := reach.Compute(s, d, now)
	if err != nil {
		t.Fatal(err)
	}
	return m
}

// The project's own template lets in the caller's role, through the template's endpoint, to list and to read, and nobody
// else but the sample identities that are made for it.
func TestOwnTemplateLetsInTheCallerAlone(t *testing.T) {
	s, err := stack.Load("../../template.yaml", stack.Options{Name: "marquee-local", Region: "ap-northeast-2"})
	if err != nil {
		t.Fatal(err)
	}
	m := compute(t, s, "")
	routes := 0
	for _, r := range s.APIs[0].Routes {
		if r.Method != "ANY" {
			routes++
		}
	}
	if want := routes * len(m.Identities) * len(m.Doors); routes == 0 || len(m.Cells) != want {
		t.Fatalf("got %d cells for %d routes, %d identities and %d doors; want %d", len(m.Cells), routes, len(m.Identities), len(m.Doors), want)
	}
	if roles := slices.DeleteFunc(slices.Clone(m.Identities), func(i reach.Identity) bool { return i.Kind != "role" }); len(roles) != len(s.Roles) {
		t.Errorf("got the roles %v, want the %d of the template", roles, len(s.Roles))
	}
	listAndRead := []string{"GET /movie_list", "GET /movie_list/{year}/{title}"}
	seen := map[string]int{}
	for _, c := range m.Cells {
		want := false
		switch c.Identity {
		case "CallerRole":
			want = slices.Contains(listAndRead, c.Route)
		case "reader":
			want = c.Method == "GET"
		case "writer":
			want = true
		}
		want = want && c.Door == "vpce"
		if c.LetIn() != want {
			t.Errorf("%s through %s, %s: got %s (%s), want let in: %v", c.Identity, c.Door, c.Route, c.Outcome, c.Reason, want)
		}
		if c.LetIn() && c.Identity == "CallerRole" {
			seen[c.Route]++
			if c.Policy != "identity" || c.By == nil || c.By.Sid != "ListAndReadMovies" || c.By.Name != "invoke-movies" || !strings.Contains(c.By.Place, "template.yaml:") {
				t.Errorf("%s: got policy %q, statement %+v; want the caller's own", c.Route, c.Policy, c.By)
			}
		}
	}
	if diff := cmp.Diff(map[string]int{listAndRead[0]: 1, listAndRead[1]: 1}, seen); diff != "" {
		t.Errorf("what the caller may call (-want +got):\n%s", diff)
	}
}

// template is a small stack; its marks are replaced by the tests.
const template = `
Transform: AWS::Serverless-2016-10-31
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties:
      StageName: dev
      EndpointConfiguration: {Type: PRIVATE, VPCEndpointIds: [!Ref Endpoint]}
      Auth:
        DefaultAuthorizer: AWS_IAM
        InvokeRole: NONE
        ResourcePolicy: {CustomStatements: [STATEMENTS]}
  Endpoint:
    Type: AWS::EC2::VPCEndpoint
    Properties: {VpcEndpointType: Interface, ServiceName: !Sub "com.amazonaws.${AWS::Region}.execute-api", VpcId: vpc-1}
  Server:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      Handler: bootstrap
      CodeUri: .
      Events:
        Read: {Type: Api, Properties: {RestApiId: !Ref Api, Path: "/x/{id}", Method: get}}
EVENTS
  Caller:
    Type: AWS::IAM::Role
    Properties:
      AssumeRolePolicyDocument: {Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]}
  Invoke:
    Type: AWS::IAM::Policy
    Properties:
      PolicyName: invoke
      Roles: [!Ref Caller]
      PolicyDocument:
        Statement: [{Sid: Call, Effect: Allow, Action: execute-api:Invoke, Resource: !Sub "arn:aws:execute-api:${AWS::Region}:${AWS::AccountId}:${Api}/dev/GRANT"}]
`

const (
	fence     = `{Sid: Fence, Effect: Deny, Principal: "*", Action: execute-api:Invoke, Resource: "execute-api:/*", Condition: {StringNotEquals: {"aws:SourceVpce": !Ref Endpoint}}}`
	root      = `{Effect: Allow, Principal: {AWS: !Sub "arn:aws:iam::${AWS::AccountId}:root"}, Action: execute-api:Invoke, Resource: "execute-api:/*"}`
	allowOnly = `{Sid: Usual, Effect: Allow, Principal: "*", Action: execute-api:Invoke, Resource: "execute-api:/*", Condition: {StringEquals: {"aws:SourceVpce": !Ref Endpoint}}}`
)

type marks struct{ statements, events, grant, more string }

func parse(t *testing.T, m marks) *stack.Stack {
	t.Helper()
	if m.statements == "" {
		m.statements = fence + ", " + root
	}
	if m.grant == "" {
		m.grant = "GET/x/*"
	}
	text := strings.NewReplacer("STATEMENTS", m.statements, "EVENTS", m.events, "GRANT", m.grant).Replace(template) + m.more
	s, err := stack.Parse("t.yaml", []byte(text), stack.Options{Region: "eu-central-1"})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// line is a cell in short: what the tests expect.
func line(c reach.Cell) string {
	text := fmt.Sprintf("%s %s %s %s %s", c.Identity, c.Door, c.Method, c.Path, c.Outcome)
	if c.Policy != "" {
		text += " " + c.Policy
	}
	if c.By != nil {
		text += fmt.Sprintf(" %d.%d %s", c.By.Document, c.By.Index, c.By.Sid)
	}
	return strings.TrimSpace(text)
}

func lines(m *reach.Matrix, keep func(reach.Cell) bool) []string {
	var out []string
	for _, c := range m.Cells {
		if keep(c) {
			out = append(out, line(c))
		}
	}
	return out
}

// The usual policy, an Allow for the endpoint alone, keeps nobody out: tables A and B of the developer guide ("How API
// Gateway resource policies affect authorization workflow").
func TestAllowOnlyPolicyLetsInTheAccount(t *testing.T) {
	m := compute(t, parse(t, marks{statements: allowOnly}), "")
	got := lines(m, func(c reach.Cell) bool {
		return (c.Identity == "stranger" || c.Identity == "Caller") && c.Door != "public"
	})
	want := []string{
		"Caller vpce GET /x/x allow identity 0.0 Call",
		"Caller other_vpce GET /x/x allow identity 0.0 Call", // any endpoint will do
		"stranger vpce GET /x/x allow resource 0.0 Usual",    // no policy of its own is needed
		"stranger other_vpce GET /x/x implicit_deny identity",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Every kind of check that refuses is told apart.
func TestOutcomes(t *testing.T) {
	m := compute(t, parse(t, marks{}), "- name: auditor\n  policies:\n    - Version: \"2012-10-17\"\n      Statement: [{Effect: Allow, Action: execute-api:Invoke, Resource: \"*\"}]\n")
	got := lines(m, func(c reach.Cell) bool { return c.Door == "vpce" || c.Identity == "Caller" })
	want := []string{
		"Caller vpce GET /x/x allow identity 0.0 Call",
		"Caller other_vpce GET /x/x explicit_deny resource 0.0 Fence",
		"Caller public GET /x/x refused",
		"ServerRole vpce GET /x/x implicit_deny identity",
		"reader vpce GET /x/x allow identity 0.0",
		"writer vpce GET /x/x allow identity 0.0",
		"stranger vpce GET /x/x implicit_deny identity",
		"foreign vpce GET /x/x implicit_deny resource",
		"expired vpce GET /x/x refused",
		"auditor vpce GET /x/x allow identity 0.0",
		"anonymous vpce GET /x/x refused",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, c := range m.Cells {
		if c.LetIn() == (c.Status != 0) || c.Reason == "" || c.Check == "" {
			t.Errorf("got %+v; want a status for who is refused, and a check and a reason for all", c)
		}
	}
}

// broken are methods whose function API Gateway may not invoke: SAM's permission is for an API of the name "Api" and not for
// this one, and nobody lets API Gateway assume the role.
const broken = `        Unpermitted: {Type: Api, Properties: {RestApiId: Api, Path: "/unpermitted", Method: get}}
        AsRole: {Type: Api, Properties: {RestApiId: !Ref Api, Path: "/as-role", Method: get, Auth: {Authorizer: AWS_IAM, InvokeRole: !GetAtt Caller.Arn}}}
`

// Who is let in where nothing can run is not told that the call is answered.
func TestLetInWithoutAnAnswer(t *testing.T) {
	m := compute(t, parse(t, marks{events: broken}), "")
	got := lines(m, func(c reach.Cell) bool {
		return c.Path != "/x/x" && c.Door == "vpce" && (c.Identity == "reader" || c.Identity == "stranger")
	})
	want := []string{
		"reader vpce GET /as-role fails identity 0.0", "stranger vpce GET /as-role implicit_deny identity",
		"reader vpce GET /unpermitted fails identity 0.0", "stranger vpce GET /unpermitted implicit_deny identity",
	}
	slices.Sort(got)
	slices.Sort(want)
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	for _, c := range m.Cells {
		if c.Outcome != reach.Fails {
			continue
		}
		if !c.LetIn() || c.Status != 500 || c.Check != "function" || !strings.Contains(c.Reason, "nothing permits API Gateway to invoke Server") && !strings.Contains(c.Reason, "may not assume") {
			t.Errorf("got %+v; want let in, status 500 and why", c)
		}
	}
	var text, verbose strings.Builder
	if err := errors.Join(m.WriteText(&text, terminal.Terminal{}), m.WriteCells(&verbose)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"\nreader      AFF ", "\nF let in, but fails: ", "\nlet in, but fails:\n  answers 500: "} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing from\n%s", want, text.String())
		}
	}
	if want := "fails         reader     vpce       GET dev/unpermitted: let in, but answers 500: nothing permits"; !strings.Contains(verbose.String(), want) {
		t.Errorf("%q is missing from\n%s", want, verbose.String())
	}
}

// Policies see actual paths: a path that a policy names is tried, and shown where it makes a difference.
func TestPathsThatPoliciesName(t *testing.T) {
	// A partner's path tells nobody here anything else than the example does, so it has no row.
	partner := `{Effect: Allow, Principal: {AWS: "333333333333"}, Action: execute-api:Invoke, Resource: "execute-api:/dev/GET/x/2000"}`
	m := compute(t, parse(t, marks{grant: "GET/x/1999", statements: fence + ", " + root + ", " + partner}), "")
	got := lines(m, func(c reach.Cell) bool { return c.Identity == "Caller" && c.Door == "vpce" })
	want := []string{"Caller vpce GET /x/x implicit_deny identity", "Caller vpce GET /x/1999 allow identity 0.0 Call"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// ANY is every method without a route of its own, and an example never strays to another route.
func TestExamples(t *testing.T) {
	events := `        Any: {Type: Api, Properties: {RestApiId: !Ref Api, Path: "/{proxy+}", Method: any}}
        X: {Type: Api, Properties: {RestApiId: !Ref Api, Path: "/x/x", Method: get}}
        Post: {Type: Api, Properties: {RestApiId: !Ref Api, Path: "/{proxy+}", Method: post, Auth: {ApiKeyRequired: true}}}`
	m := compute(t, parse(t, marks{events: events}), "")
	got := map[string][]string{}
	for _, c := range m.Cells {
		if c.Identity != "writer" || c.Door != "vpce" {
			continue
		}
		got[c.Route] = append(got[c.Route], c.Method+" "+c.Path)
		if !c.LetIn() || c.APIKeyRequired != (c.Method == "POST") {
			t.Errorf("%s %s: got %s, an API key required: %v", c.Method, c.Path, c.Outcome, c.APIKeyRequired)
		}
	}
	want := map[string][]string{
		"GET /x/{id}":    {"GET /x/example"},
		"GET /x/x":       {"GET /x/x"},
		"POST /{proxy+}": {"POST /example/example"},
		"ANY /{proxy+}": {
			"GET /example/example", "PUT /example/example", "DELETE /example/example", "PATCH /example/example",
			"HEAD /example/example", "OPTIONS /example/example",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Each endpoint for execute-api is a door of its own, with its own policy.
func TestSeveralEndpoints(t *testing.T) {
	m := compute(t, parse(t, marks{more: `
  Second:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcEndpointType: Interface
      ServiceName: !Sub "com.amazonaws.${AWS::Region}.execute-api"
      VpcId: vpc-1
      PolicyDocument: {Statement: [{Sid: Nobody, Effect: Deny, Principal: "*", Action: "*", Resource: "*"}]}
`}), "")
	got := lines(m, func(c reach.Cell) bool { return c.Identity == "writer" })
	want := []string{
		"writer vpce GET /x/x allow identity 0.0", "writer Second GET /x/x explicit_deny endpoint 0.0 Nobody",
		"writer other_vpce GET /x/x explicit_deny resource 0.0 Fence", "writer public GET /x/x refused",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// The text fits a terminal, and the JSON is what docs/checking.md describes.
func TestForms(t *testing.T) {
	m := compute(t, parse(t, marks{}), "")
	var text strings.Builder
	if err := m.WriteText(&text, terminal.Terminal{}); err != nil {
		t.Fatal(err)
	}
	for row := range strings.Lines(text.String()) {
		if len(row) > 101 {
			t.Errorf("%d columns: %s", len(row)-1, row)
		}
	}
	for _, want := range []string{
		"  1  GET     /x/{id}  tried as /x/x\n", "Caller      A           D           -\n",
		"  allowed by statement 1 (Call) of the identity-based policy 1, invoke, t.yaml:29\n",
	} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing from\n%s", want, text.String())
		}
	}
	encoded, err := json.Marshal(m.Cells[0])
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(encoded, &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"api": "Api", "stage": "dev", "route": "GET /x/{id}", "method": "GET", "path": "/x/x", "identity": "Caller", "door": "vpce",
		"outcome": "allow", "check": "authorization", "policy": "identity",
		"by":     map[string]any{"document": 0.0, "name": "invoke", "place": "t.yaml:29", "statement": 0.0, "sid": "Call"},
		"reason": "allowed by statement 1 (Call) of the identity-based policy 1",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
