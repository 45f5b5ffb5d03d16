package gateway_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/policy"
	"github.com/marquee-api/marquee/internal/sigv4"
	"github.com/marquee-api/marquee/internal/spelling"
)

const (
	region   = "ap-northeast-2"
	account  = "123456789012"
	apiID    = "a1b2c3d4e5"
	endpoint = "vpce-0123456789abcdef0"
	apiARN   = "arn:aws:execute-api:ap-northeast-2:123456789012:a1b2c3d4e5/"
	masked   = "arn:aws:execute-api:ap-northeast-2:********9012:a1b2c3d4e5/"
)

// now is the time of every test; the signer and the gateway agree on it unless a test says otherwise.
var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// fence is the policy form that the project deploys: everything from elsewhere denied, the account's root allowed, which
// delegates to identity policies.
const fence = `{"Version":"2012-10-17","Statement":[
	{"Sid":"Fence","Effect":"Deny","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/*","Condition":{"StringNotEquals":{"aws:SourceVpce":"` + endpoint + `"}}},
	{"Effect":"Allow","Principal":{"AWS":["arn:aws:iam::123456789012:root","210987654321"]},"Action":"execute-api:Invoke","Resource":"execute-api:/*"}]}`

// people are the identities of the tests, by access key id.
type people map[string]*gateway.Identity

func (p people) Identity(id string) (*gateway.Identity, bool) {
	identity, ok := p[id]
	return identity, ok
}

func identity(t *testing.T, arn, policyText string) *gateway.Identity {
	t.Helper()
	principal, err := policy.ParsePrincipal(arn)
	if err != nil {
		t.Fatal(err)
	}
	principal.UserID = "AROAEXAMPLE:" + principal.Session
	id := &gateway.Identity{
		Name: principal.Session, Principal: principal, AccountID: principal.Account, UniqueID: principal.UserID,
		Key: sigv4.Key{SecretAccessKey: "secret", SessionToken: "token", Expires: now.Add(time.Hour)}, IssuedAt: now,
	}
	if policyText != "" {
		id.Policies = append(id.Policies, parse(t, policyText, policy.KindIdentity))
	}
	return id
}

func parse(t *testing.T, text string, kind policy.Kind) *policy.Document {
	t.Helper()
	document, err := policy.Parse([]byte(text), kind, policy.WithAPI(policy.API{Region: region, Account: account, ID: apiID}))
	if err != nil {
		t.Fatal(err)
	}
	return document
}

func allow(resource string) string {
	return `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"` + resource + `"}}`
}

// function is an Invoker that keeps the last event and answers what it is told.
type function struct {
	mu     sync.Mutex
	event  map[string]any
	answer gateway.Answer
	err    error
}

func (f *function) Invoke(_ context.Context, _ string, event gateway.Event) (gateway.Answer, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.event = nil
	if err := json.Unmarshal(event.Payload, &f.event); err != nil {
		return gateway.Answer{}, err
	}
	return f.answer, f.err
}

// fixture is a gateway with one private API behind real listeners.
type fixture struct {
	function *function
	people   people
	records  chan gateway.Record
	vpce     *httptest.Server
	other    *httptest.Server
	public   *httptest.Server
}

// options change the fixture's configuration before it is built.
type options func(*gateway.Config, *gateway.Door)

func newFixture(t *testing.T, change ...options) *fixture {
	t.Helper()
	f := &fixture{
		records:  make(chan gateway.Record, 100),
		function: &function{answer: gateway.Answer{Payload: []byte(`{"statusCode":200,"body":"{}"}`)}},
		people: people{
			"ASIACALLER":   identity(t, "arn:aws:sts::123456789012:assumed-role/Caller/caller", allow(apiARN+"dev/GET/movie_list")),
			"ASIAREADER":   identity(t, "arn:aws:sts::123456789012:assumed-role/Reader/reader", allow(apiARN+"*/GET/*")),
			"ASIASTRANGER": identity(t, "arn:aws:sts::123456789012:assumed-role/Stranger/stranger", ""),
			"ASIAFOREIGN":  identity(t, "arn:aws:sts::333333333333:assumed-role/Foreign/foreign", allow("*")),
			"ASIAPARTNER":  identity(t, "arn:aws:sts::210987654321:assumed-role/Partner/partner", allow(apiARN+"*")),
		},
	}
	cfg := gateway.Config{
		Region: region, AccountID: account, Identities: f.people, Invoker: f.function,
		Now:     func() time.Time { return now },
		Observe: func(r gateway.Record) { f.records <- r },
		APIs: []gateway.API{{
			ID: apiID, Stage: "dev", Private: true, VPCEndpointIDs: []string{endpoint},
			ResourcePolicy: parse(t, fence, policy.KindResource),
			Routes: []gateway.Route{
				{Method: "GET", Path: "/movie_list", Function: "list"},
				{Method: "GET", Path: "/movie_list/{year}/{title}", Function: "one"},
			},
		}},
	}
	door := gateway.Door{Name: "vpce", VPCEndpointID: endpoint, VPCID: "vpc-1"}
	for _, apply := range change {
		apply(&cfg, &door)
	}
	g, err := gateway.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	serve := func(d gateway.Door) *httptest.Server {
		s := httptest.NewUnstartedServer(g.Handler(d))
		s.Listener = spelling.Listen(s.Listener)
		s.Config.ConnContext = spelling.Context
		s.Config.DisableGeneralOptionsHandler = true
		s.Start()
		t.Cleanup(s.Close)
		return s
	}
	f.vpce = serve(door)
	f.other = serve(gateway.Door{Name: "other_vpce", VPCEndpointID: "vpce-0fedcba9876543210", VPCID: "vpc-2"})
	f.public = serve(gateway.Door{Name: "public"})
	return f
}

// call is one request; zero values make the plain signed GET of the list through the endpoint.
type call struct {
	method, path, body, host string
	key                      string // access key id; "-" leaves the request unsigned
	header                   map[string]string
	server                   *httptest.Server
	date                     time.Time
	region, service          string
	tamper                   func(*http.Request)
	longTerm                 bool // a key without a session token
	spelt                    bool // header names go out as they are in header
}

// answer is what came back.
type answer struct {
	status    int
	errorType string
	header    http.Header
	body      string
}

// do signs with the SDK's signer, which is not ours, and sends.
func (f *fixture) do(t *testing.T, c call) answer {
	t.Helper()
	set := func(s *string, fallback string) {
		if *s == "" {
			*s = fallback
		}
	}
	set(&c.method, "GET")
	set(&c.path, "/dev/movie_list")
	set(&c.key, "ASIAREADER")
	set(&c.region, region)
	set(&c.service, "execute-api")
	if c.server == nil {
		c.server = f.vpce
	}
	if c.date.IsZero() {
		c.date = now
	}
	r, err := http.NewRequestWithContext(t.Context(), c.method, c.server.URL+c.path, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	if c.host != "" {
		r.Host = c.host
	}
	for name, value := range c.header {
		r.Header.Set(name, value)
	}
	if c.key != "-" {
		sum := sha256.Sum256([]byte(c.body))
		credentials := aws.Credentials{AccessKeyID: c.key, SecretAccessKey: "secret", SessionToken: "token"}
		if c.longTerm {
			credentials.SessionToken = ""
		}
		if err := v4.NewSigner().SignHTTP(t.Context(), credentials, r, hex.EncodeToString(sum[:]), c.service, c.region, c.date); err != nil {
			t.Fatal(err)
		}
	}
	if c.tamper != nil {
		c.tamper(r)
	}
	for name, value := range c.header {
		if c.spelt {
			r.Header.Del(name)
			r.Header[name] = []string{value}
		}
	}
	return send(t, r)
}

func send(t *testing.T, r *http.Request) answer {
	t.Helper()
	response, err := http.DefaultTransport.RoundTrip(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return answer{response.StatusCode, response.Header.Get("X-Amzn-Errortype"), response.Header, string(body)}
}

// next is the record of the earliest request whose record was not read yet, with its detail.
func (f *fixture) next(t *testing.T) gateway.Record {
	t.Helper()
	return f.nextAsObserved(t).Detailed()
}

// nextAsObserved is that record as the observer gets it. It is made before the answer is sent.
func (f *fixture) nextAsObserved(t *testing.T) gateway.Record {
	t.Helper()
	select {
	case r := <-f.records:
		return r
	default:
		t.Fatal("no record was made before the answer was sent")
		return gateway.Record{}
	}
}
