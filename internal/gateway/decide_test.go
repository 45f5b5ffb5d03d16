package gateway_test

import (
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/policy"
)

// A decision is that of the served request: by the same checks, with the statement that made it, and without a trace.
func TestDecide(t *testing.T) {
	f := &function{}
	g, observed := decider(t, f)
	vpce := gateway.Door{Name: "vpce", VPCEndpointID: endpoint, VPCID: "vpc-1"}
	other := gateway.Door{Name: "other_vpce", VPCEndpointID: "vpce-0fedcba9876543210"}
	guarded := vpce
	guarded.Policy = parse(t, `{"Statement":{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:eu-west-1:*"}}`, policy.KindEndpoint)
	tests := map[string]decided{
		"the caller":           {vpce, "ASIACALLER", "/dev/movie_list", true, "route", "GET /movie_list", policy.Allow, policy.SourceIdentity, 0},
		"another door":         {other, "ASIACALLER", "/dev/movie_list", false, "authorization", "GET /movie_list", policy.ExplicitDeny, policy.SourceResource, 0},
		"nobody's friend":      {vpce, "ASIASTRANGER", "/dev/movie_list", false, "authorization", "GET /movie_list", policy.ImplicitDeny, policy.SourceIdentity, -1},
		"the endpoint refuses": {guarded, "ASIACALLER", "/dev/movie_list", false, "endpoint policy", "GET /movie_list", policy.ImplicitDeny, policy.SourceEndpoint, -1},
		"unsigned":             {vpce, "", "/dev/movie_list", false, "signature", "GET /movie_list", policy.ImplicitDeny, policy.SourceNone, 0},
		"no such stage":        {vpce, "ASIACALLER", "/prod/movie_list", false, "api", "", policy.ImplicitDeny, policy.SourceNone, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := httptest.NewRequest(http.MethodGet, tt.path, nil)
			r.Host = apiID + ".execute-api." + region + ".amazonaws.com"
			if tt.key != "" {
				credentials := aws.Credentials{AccessKeyID: tt.key, SecretAccessKey: "secret", SessionToken: "token"}
				if err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, emptyBody, "execute-api", region, now); err != nil {
					t.Fatal(err)
				}
			}
			for range 3 { // more than the throttle lets through
				checkDecision(t, g.Decide(tt.door, r), tt)
			}
		})
	}
	if *observed != 0 || f.event != nil {
		t.Errorf("%d records and event %v: a decision leaves no trace", *observed, f.event)
	}
}

// Whoever is let in where API Gateway may not invoke the function is answered 500, and the decision says so.
func TestDecideWhatCannotBeAnswered(t *testing.T) {
	for name, tt := range map[string]struct {
		mend   func(*gateway.API)
		key    string
		fails  bool
		status int
	}{
		"let in":                  {func(*gateway.API) {}, "ASIACALLER", true, 500},
		"under the API's own 5xx": {func(a *gateway.API) { a.Responses = map[string]gateway.GatewayResponse{"DEFAULT_5XX": {Status: 503}} }, "ASIACALLER", true, 503},
		"a mock runs nothing":     {func(a *gateway.API) { a.Routes[0].Mock = &gateway.Mock{Status: 204} }, "ASIACALLER", false, 0},
		"refused":                 {func(*gateway.API) {}, "ASIASTRANGER", false, 403},
		"refused in own words":    {func(a *gateway.API) { a.Responses = map[string]gateway.GatewayResponse{"ACCESS_DENIED": {Status: 404}} }, "ASIASTRANGER", false, 404},
	} {
		t.Run(name, func(t *testing.T) {
			g, _ := decider(t, &function{}, func(a *gateway.API) { a.Routes[0].Unpermitted = "nothing permits it" }, tt.mend)
			r := httptest.NewRequest(http.MethodGet, "/dev/movie_list", nil)
			r.Host = apiID + ".execute-api." + region + ".amazonaws.com"
			credentials := aws.Credentials{AccessKeyID: tt.key, SecretAccessKey: "secret", SessionToken: "token"}
			if err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, emptyBody, "execute-api", region, now); err != nil {
				t.Fatal(err)
			}
			got := g.Decide(gateway.Door{Name: "vpce", VPCEndpointID: endpoint, VPCID: "vpc-1"}, r)
			last := got.Record.Checks[len(got.Record.Checks)-1]
			if got.Allowed != (tt.key == "ASIACALLER") || got.Fails != tt.fails || got.Record.Status != tt.status || tt.fails != (last.Detail == "nothing permits it") {
				t.Errorf("got allowed %v, fails %v and %+v; want fails %v and status %d", got.Allowed, got.Fails, got.Record, tt.fails, tt.status)
			}
		})
	}
}

// emptyBody is the SHA-256 of no bytes (FIPS 180-4 examples).
const emptyBody = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// decider is a gateway of one route, changed before it is built, which counts its records.
func decider(t *testing.T, f *function, change ...func(*gateway.API)) (*gateway.Gateway, *int) {
	t.Helper()
	observed := new(int)
	cfg := gateway.Config{
		Region: region, AccountID: account, Invoker: f, Now: func() time.Time { return now },
		Observe: func(gateway.Record) { *observed++ },
		Identities: people{
			"ASIACALLER":   identity(t, "arn:aws:sts::123456789012:assumed-role/Caller/caller", allow(apiARN+"dev/GET/movie_list")),
			"ASIASTRANGER": identity(t, "arn:aws:sts::123456789012:assumed-role/Stranger/stranger", ""),
		},
		APIs: []gateway.API{{
			ID: apiID, Stage: "dev", Private: true, ResourcePolicy: parse(t, fence, policy.KindResource),
			Throttle: &gateway.Throttle{Rate: 1, Burst: 1},
			Routes:   []gateway.Route{{Method: "GET", Path: "/movie_list", Function: "list", APIKeyRequired: true}},
		}},
	}
	for _, apply := range change {
		apply(&cfg.APIs[0])
	}
	g, err := gateway.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return g, observed
}

// decided is a call and what is decided about it.
type decided struct {
	door     gateway.Door
	key      string // empty: unsigned
	path     string
	allowed  bool
	check    string // the last one
	route    string
	decision policy.Decision
	source   policy.Source // SourceNone: no verdict
	at       int
}

func checkDecision(t *testing.T, got gateway.Decision, tt decided) {
	t.Helper()
	checks := got.Record.Checks
	if got.Allowed != tt.allowed || got.Record.Route != tt.route || checks[len(checks)-1].Name != tt.check {
		t.Errorf("got allowed %v, route %q, checks %+v; want %+v", got.Allowed, got.Record.Route, checks, tt)
	}
	if (got.Record.Status == 0) != tt.allowed || got.APIKeyRequired != (tt.route != "") {
		t.Errorf("got status %d, an API key required: %v", got.Record.Status, got.APIKeyRequired)
	}
	var want *policy.Verdict
	if tt.source != policy.SourceNone {
		want = &policy.Verdict{Decision: tt.decision, Source: tt.source, Document: min(tt.at, 0), Statement: tt.at}
		if tt.decision == policy.ExplicitDeny {
			want.Sid = "Fence"
		}
	}
	if diff := cmp.Diff(want, got.Verdict); diff != "" {
		t.Errorf("verdict (-want +got):\n%s", diff)
	}
}
