// Package marqueetest opens a private API in a Go test: the routes, policies and roles of a SAM template, an http.Handler
// in place of each function, and clients that sign as the identities of the template.
//
// Requests travel over real connections on loopback through the same gateway as `marquee local`: signatures are verified,
// endpoint, resource and identity policies evaluated, and who may not call is refused in AWS's words. A test can so show
// that a service is let in by the policy that will be deployed, and what its own client does when it is not.
//
// A handler that panics is a function that crashed: the caller gets 502, as from AWS, and the test's log the panic.
//
// It builds and runs no function binary and starts no database.
package marqueetest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/marquee-api/marquee/apiclient"
	"github.com/marquee-api/marquee/internal/deployment"
	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/identity"
	"github.com/marquee-api/marquee/internal/spelling"
	"github.com/marquee-api/marquee/internal/stack"
)

// Config says what to open. Template is required.
type Config struct {
	Template   string                  // path of the SAM template
	Parameters map[string]string       // of the template, over their defaults
	Functions  map[string]http.Handler // by logical id; a route of any other function answers 500
	Identities string                  // path of a file of further identities; empty: none
	Region     string                  // empty: us-east-1
	Policies   map[string]string       // paths of the documents of managed policies that the template or Identities only name, by ARN
	Faults     []string                // what goes wrong on purpose: "status=429:10%", "latency=50ms", "skew=+7m", "reset=1%"
	Now        func() time.Time        // the gateway's clock; nil: time.Now
}

// Record says what became of one request and why.
type Record = gateway.Record

// API is an open private API. Its doors close with the test.
type API struct {
	region     string
	stage      string
	identities *identity.Directory
	doors      map[Door]*httptest.Server

	mu      sync.Mutex
	records []Record
}

// Door is a way to the API.
type Door string

// The doors: the template's VPC endpoint, another VPC's, and the public internet.
const (
	VPCE      Door = "vpce"
	OtherVPCE Door = "other_vpce"
	Public    Door = "public"
)

// account owns the API; the standard identity "foreign" is of another.
const account = "123456789012"

// Open opens the first API of the template. A template that AWS would refuse, or that could not be served as AWS does,
// ends the test.
func Open(tb testing.TB, cfg Config) *API {
	tb.Helper()
	a, err := open(tb, cfg)
	if err != nil {
		tb.Fatalf("opening the API of %s: %v", cfg.Template, err)
	}
	return a
}

func open(tb testing.TB, cfg Config) (*API, error) {
	if cfg.Region == "" {
		cfg.Region = "us-east-1"
	}
	policies, err := stack.ReadPolicies(cfg.Policies)
	if err != nil {
		return nil, err
	}
	s, err := stack.Load(cfg.Template, stack.Options{
		Name: "marqueetest", Region: cfg.Region, AccountID: account, Parameters: cfg.Parameters, ManagedPolicies: policies,
	})
	if err != nil {
		return nil, err
	}
	apis, err := deployment.APIs(s)
	if err != nil {
		return nil, err
	}
	doors, err := deployment.NewDoors(s)
	if err != nil {
		return nil, err
	}
	a := &API{region: cfg.Region, stage: s.APIs[0].Stage, doors: map[Door]*httptest.Server{}}
	if a.identities, err = people(s, cfg, policies); err != nil {
		return nil, err
	}
	faults, err := parseFaults(cfg.Faults)
	if err != nil {
		return nil, err
	}
	handlers, err := functions(tb, s, cfg.Functions)
	if err != nil {
		return nil, err
	}
	g, err := gateway.New(gateway.Config{
		Region: cfg.Region, AccountID: account, APIs: apis, Identities: deployment.Holders(a.identities), Invoker: handlers,
		APIKeys: deployment.APIKeys(s, func() string { return "marqueetest-api-key-0" }), UsagePlans: deployment.UsagePlans(s),
		Throttle: deployment.AccountThrottle(cfg.Region),
		Faults:   faults, Now: cfg.Now, Observe: a.observe,
	})
	if err != nil {
		return nil, err
	}
	for _, d := range []gateway.Door{doors.VPCE, doors.OtherVPCE, doors.Public} {
		a.doors[Door(d.Name)] = serve(tb, g.Handler(d))
	}
	return a, nil
}

// serve opens a door, which tells how callers spell their headers.
func serve(tb testing.TB, handler http.Handler) *httptest.Server {
	server := httptest.NewUnstartedServer(handler)
	server.Listener = spelling.Listen(server.Listener)
	server.Config.ConnContext = spelling.Context
	server.Config.DisableGeneralOptionsHandler = true // OPTIONS * is the gateway's to refuse
	server.Start()
	tb.Cleanup(server.Close)
	return server
}

func people(s *stack.Stack, cfg Config, policies map[string]json.RawMessage) (*identity.Directory, error) {
	d, err := identity.New(identity.Config{AccountID: account, Region: cfg.Region, ManagedPolicies: policies, Now: cfg.Now})
	if err != nil {
		return nil, err
	}
	if err := deployment.Populate(d, s); err != nil {
		return nil, err
	}
	if cfg.Identities == "" {
		return d, nil
	}
	text, err := os.ReadFile(cfg.Identities)
	if err != nil {
		return nil, err
	}
	return d, d.Load(cfg.Identities, text)
}

func parseFaults(specs []string) ([]gateway.Fault, error) {
	faults := make([]gateway.Fault, len(specs))
	for i, spec := range specs {
		var err error
		if faults[i], err = gateway.ParseFault(spec); err != nil {
			return nil, err
		}
	}
	return faults, nil
}

func (a *API) observe(r Record) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.records = append(a.records, r)
}

// Records returns the records of the requests so far, in the order in which they were decided. A request's record is there
// when its answer is.
func (a *API) Records() []Record {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.records)
}

// URL is the invoke URL at a door, the stage included: "http://127.0.0.1:12345/dev".
func (a *API) URL(d Door) string { return a.doors[d].URL + "/" + a.stage }

// Credentials are what a profile signs with: "caller" (the role of the function that calls the API, if there is one),
// "reader", "writer", "stranger", "foreign", "expired", the logical id of a role of the template, or a name from the
// identities file.
func (a *API) Credentials(profile string) (aws.Credentials, error) {
	var names []string
	for _, p := range a.identities.Profiles() {
		if p.Profile == profile {
			return aws.Credentials{AccessKeyID: p.AccessKeyID, SecretAccessKey: p.SecretAccessKey, SessionToken: p.SessionToken}, nil
		}
		names = append(names, p.Profile)
	}
	return aws.Credentials{}, fmt.Errorf("no profile %q; there are %v", profile, names)
}

// Client signs as a profile and comes through the template's VPC endpoint.
func (a *API) Client(tb testing.TB, profile string) *apiclient.Client {
	tb.Helper()
	return a.ClientThrough(tb, VPCE, profile)
}

// ClientThrough signs as a profile and comes through a door.
func (a *API) ClientThrough(tb testing.TB, d Door, profile string) *apiclient.Client {
	tb.Helper()
	credentials, err := a.Credentials(profile)
	if err != nil {
		tb.Fatal(err)
	}
	endpoint, err := apiclient.ResolveEndpoint(apiclient.EndpointConfig{URL: a.URL(d), Region: a.region})
	if err != nil {
		tb.Fatal(err)
	}
	client, err := apiclient.New(apiclient.Config{
		Endpoint:    endpoint,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return credentials, nil }),
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(client.CloseIdleConnections)
	return client
}
