package reach_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/deployment"
	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/identity"
	"github.com/marquee-api/marquee/internal/reach"
	"github.com/marquee-api/marquee/internal/stack"
)

// emptyBody is the SHA-256 of no bytes (FIPS 180-4 examples).
const emptyBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// welcome answers every call that is let in.
type welcome struct{}

func (welcome) Invoke(context.Context, string, gateway.Event) (gateway.Answer, error) {
	return gateway.Answer{Payload: []byte(`{"statusCode":200,"body":"{}"}`)}, nil
}

// Each cell is what the served gateway answers to the same call, signed by the SDK.
func TestMatrixIsWhatTheGatewayAnswers(t *testing.T) {
	tests := map[string]marks{
		"fence":      {},
		"allow only": {statements: allowOnly},
		"any": {events: `        Any: {Type: Api, Properties: {RestApiId: !Ref Api, Path: "/{proxy+}", Method: any}}
        Passed: {Type: Api, Properties: {RestApiId: !Ref Api, Path: "/passed", Method: get, Auth: {Authorizer: AWS_IAM, InvokeRole: CALLER_CREDENTIALS}}}
        Open: {Type: Api, Properties: {RestApiId: !Ref Api, Path: "/open", Method: get, Auth: {Authorizer: NONE}}}`},
		"let in, and nothing runs": {events: broken, more: `  Busy: {Type: AWS::ApiGateway::GatewayResponse, Properties: {RestApiId: !Ref Api, ResponseType: DEFAULT_5XX, StatusCode: 503}}
  Hidden: {Type: AWS::ApiGateway::GatewayResponse, Properties: {RestApiId: !Ref Api, ResponseType: ACCESS_DENIED, StatusCode: 404}}
`},
		"a partner": {statements: fence + `, {Effect: Allow, Principal: {AWS: "210987654321"}, Action: execute-api:Invoke, Resource: "execute-api:/*"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) { checkServed(t, parse(t, tt)) })
	}
}

// checkServed puts every call of the matrix to the served gateway.
func checkServed(t *testing.T, s *stack.Stack) {
	t.Helper()
	d, err := identity.New(identity.Config{AccountID: s.AccountID, Region: s.Region, Now: func() time.Time { return now }})
	if err != nil {
		t.Fatal(err)
	}
	if err := deployment.Populate(d, s); err != nil {
		t.Fatal(err)
	}
	m, err := reach.Compute(s, d, now)
	if err != nil || len(m.Cells) == 0 {
		t.Fatalf("got %v, %v", m, err)
	}
	serve := serveDoors(t, s, d)
	for _, c := range m.Cells {
		want := c.Status
		if c.Outcome == reach.Allow {
			want = http.StatusOK
			if c.Path == "/mock" {
				want = http.StatusNoContent
			}
		}
		if got := call(t, serve[c.Door], request(c, m.APIs[0].ID), credentials(d, c.Identity)); got != want {
			t.Errorf("%s: the gateway answers %d", line(c), got)
		}
	}
}

func serveDoors(t *testing.T, s *stack.Stack, d *identity.Directory) map[string]http.Handler {
	t.Helper()
	apis, err := deployment.APIs(s)
	if err != nil {
		t.Fatal(err)
	}
	g, err := gateway.New(gateway.Config{
		Region: s.Region, AccountID: s.AccountID, APIs: apis, Identities: deployment.Holders(d), Invoker: welcome{},
		Now: func() time.Time { return now },
	})
	if err != nil {
		t.Fatal(err)
	}
	doors, err := deployment.Ways(s)
	if err != nil {
		t.Fatal(err)
	}
	handlers := map[string]http.Handler{}
	for _, door := range doors {
		handlers[door.Name] = g.Handler(door)
	}
	return handlers
}

func request(c reach.Cell, api string) *http.Request {
	r := httptest.NewRequest(c.Method, "/"+c.Stage+c.Path, nil)
	r.Host = api + ".execute-api.eu-central-1.amazonaws.com"
	return r
}

// credentials are those of a profile; none for who signs nothing.
func credentials(d *identity.Directory, profile string) aws.Credentials {
	for _, p := range d.Profiles() {
		if p.Profile == profile {
			return aws.Credentials{AccessKeyID: p.AccessKeyID, SecretAccessKey: p.SecretAccessKey, SessionToken: p.SessionToken}
		}
	}
	return aws.Credentials{}
}

func call(t *testing.T, h http.Handler, r *http.Request, c aws.Credentials) int {
	t.Helper()
	if c.AccessKeyID != "" {
		if err := v4.NewSigner().SignHTTP(t.Context(), c, r, emptyBody, "execute-api", "eu-central-1", now); err != nil {
			t.Fatal(err)
		}
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w.Code
}

// On a method that asks for no signature an endpoint policy tells signers apart by condition keys, too, and the resource
// policy tells nobody apart.
func TestOpenMethodBehindAnEndpointPolicy(t *testing.T) {
	m := compute(t, parse(t, marks{
		statements: `{Sid: All, Effect: Allow, Principal: "*", Action: execute-api:Invoke, Resource: "execute-api:/*"},
          {Sid: Nobody, Effect: Deny, Principal: "*", Action: execute-api:Invoke, Resource: "execute-api:/*/GET/open", Condition: {"Null": {"aws:PrincipalArn": "false"}}}`,
		events: `        Open: {Type: Api, Properties: {RestApiId: !Ref Api, Path: "/open", Method: get, Auth: {Authorizer: NONE}}}`,
		more: `
  Second:
    Type: AWS::EC2::VPCEndpoint
    Properties:
      VpcEndpointType: Interface
      ServiceName: !Sub "com.amazonaws.${AWS::Region}.execute-api"
      VpcId: vpc-1
      PolicyDocument:
        Statement:
          - {Sid: All, Effect: Allow, Principal: "*", Action: "*", Resource: "*"}
          - {Sid: NotTheCaller, Effect: Deny, Principal: "*", Action: "*", Resource: "*", Condition: {ArnLike: {"aws:PrincipalArn": "arn:aws:iam::*:role/*Caller*"}}}
`}), "")
	got := lines(m, func(c reach.Cell) bool {
		return c.Path == "/open" && c.Door == "Second" && (c.Identity == "Caller" || c.Identity == "stranger" || c.Identity == "anonymous")
	})
	want := []string{
		"Caller Second GET /open explicit_deny endpoint 0.1 NotTheCaller",
		"stranger Second GET /open allow resource 0.0 All",
		"anonymous Second GET /open allow resource 0.0 All",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
