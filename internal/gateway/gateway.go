// Package gateway is a deployed REST API as its callers see it: one http.Handler for each door, which decides as API
// Gateway does and refuses in its words.
//
// The way of a request is AWS's ("API Gateway authorization workflow", "VPC endpoint policies"): limits, the door, the
// API and stage that Host names, the signature, the endpoint policy, the resource and identity policies together, the
// route, the throttle, the function, the answer. Each request leaves one Record.
//
// The package holds no configuration of its own and reads no template; it starts no function and knows no database. What
// AWS does not document is decided in one place each and listed in docs/fidelity.md.
package gateway

import (
	"cmp"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"sync/atomic"
	"time"

	"golang.org/x/time/rate"

	"github.com/marquee-api/marquee/internal/policy"
	"github.com/marquee-api/marquee/internal/secrets"
	"github.com/marquee-api/marquee/internal/sigv4"
)

// Config is a gateway's APIs and what it needs of its surroundings.
type Config struct {
	Region    string
	AccountID string // the owner of the APIs
	APIs      []API

	Identities Identities
	Invoker    Invoker
	APIKeys    []APIKey
	UsagePlans []UsagePlan
	Throttle   *Throttle // of the whole account in the region; nil: none

	Faults []Fault                              // what goes wrong on purpose; nil: nothing
	Chance func() float64                       // of faults, 0 to 1; nil: math/rand
	Wait   func(context.Context, time.Duration) // of latency faults; nil: as long as it says

	Observe func(Record) // called once for each request, from many goroutines; nil: nobody watches
	// DetailBytes is how much of each body a record's Detail keeps. Zero: records have no Evidence, which takes memory.
	DetailBytes int
	// Secrets are taken out of all records, beside those that a request brings and the values of APIKeys, which are added.
	// It may change. Nil: there are no others.
	Secrets *secrets.Set
	Now     func() time.Time // nil: time.Now
	Random  io.Reader        // request ids; nil: crypto/rand
}

// API is one deployed stage of a REST API.
type API struct {
	ID             string
	Stage          string
	Private        bool
	VPCEndpointIDs []string         // associated endpoints, which the API's alias names work for
	ResourcePolicy *policy.Document // nil: none
	Routes         []Route
	Throttle       *Throttle // of each method that has none of its own; nil: none

	DeploymentID     string
	StageVariables   map[string]string
	BinaryMediaTypes []string
	Responses        map[string]GatewayResponse // by the kind of refusal, or DEFAULT_4XX and DEFAULT_5XX

	router *router
}

// Door is one way to the APIs: a VPC endpoint, or the public internet if VPCEndpointID is empty.
type Door struct {
	Name          string // for records: "vpce"
	VPCEndpointID string
	VPCID         string
	Policy        *policy.Document // the endpoint policy; nil: AWS's default, which allows all
	LocalHosts    []string         // further Host names that stand for the API's own: the addresses the door listens on

	hosts map[string]bool
}

func (d *Door) private() bool { return d.VPCEndpointID != "" }

func (d *Door) describe() string {
	if d.private() {
		return "VPC endpoint " + d.VPCEndpointID
	}
	return "the public internet"
}

// Identity is a principal that holds an access key.
type Identity struct {
	Name        string // for records
	Principal   policy.Principal
	AccountID   string
	UniqueID    string // "AROA…:session", "AIDA…"
	Key         sigv4.Key
	IssuedAt    time.Time // aws:TokenIssueTime, of temporary credentials
	Policies    []*policy.Document
	Boundary    *policy.Document  // nil: none
	Session     *policy.Document  // the session policy its role was assumed with; nil: none
	ContextKeys map[string]string // further condition keys: aws:PrincipalTag/…
}

// Identities finds the holder of an access key.
type Identities interface {
	Identity(accessKeyID string) (*Identity, bool)
}

// Invoker runs a function with an event and returns its answer.
type Invoker interface {
	Invoke(ctx context.Context, function string, event Event) (Answer, error)
}

// Event is what a function is invoked with.
type Event struct {
	Payload []byte
	TraceID string // "Root=1-…"
}

// Answer is what came of an invocation. FunctionError is empty, or Lambda's X-Amz-Function-Error.
type Answer struct {
	Payload       []byte
	FunctionError string
}

// Gateway serves the APIs of one account and region. It is safe for concurrent use.
type Gateway struct {
	region     string
	accountID  string
	apis       []*API
	identities Identities
	invoker    Invoker
	observe    func(Record)
	keep       int // bytes of each body in a record's detail; 0: no detail
	now        func() time.Time
	random     io.Reader
	keys       *keyRing
	faults     faults
	limiter    *rate.Limiter
	verifier   sigv4.Verifier
	second     atomic.Pointer[second] // the one of the request before
	secrets    *secrets.Set
}

// New checks the configuration and builds the routing tables.
func New(cfg Config) (*Gateway, error) {
	if cfg.Identities == nil || cfg.Invoker == nil {
		return nil, fmt.Errorf("gateway: Identities and Invoker are needed")
	}
	g := &Gateway{
		region: cfg.Region, accountID: cfg.AccountID, identities: cfg.Identities, invoker: cfg.Invoker,
		observe: cfg.Observe, keep: cfg.DetailBytes, now: cfg.Now, random: cfg.Random, keys: newKeyRing(cfg.APIKeys, cfg.UsagePlans),
		limiter: cfg.Throttle.limiter(),
	}
	if g.secrets = cfg.Secrets; g.secrets == nil {
		g.secrets = new(secrets.Set)
	}
	for _, key := range cfg.APIKeys {
		g.secrets.Add(key.Value)
	}
	if g.observe == nil {
		g.observe = func(Record) {}
	}
	if g.now == nil {
		g.now = time.Now
	}
	if g.random == nil {
		g.random = rand.Reader
	}
	g.faults = faults{list: cfg.Faults, chance: cfg.Chance, wait: cfg.Wait}
	if g.faults.chance == nil {
		g.faults.chance = mathrand.Float64
	}
	if g.faults.wait == nil {
		g.faults.wait = waitFor
	}
	if skew := g.faults.skew(); skew != 0 {
		exact := g.now
		g.now = func() time.Time { return exact().Add(skew) }
	}
	for _, api := range cfg.APIs {
		if api.Private && api.ResourcePolicy == nil {
			return nil, fmt.Errorf("gateway: API %s: Private REST API doesn't have a resource policy attached to it", api.ID)
		}
		routes := make([]*Route, len(api.Routes))
		for i := range api.Routes {
			route := api.Routes[i]
			route.limiter = cmp.Or(route.Throttle, api.Throttle).limiter()
			routes[i] = &route
		}
		api.router = newRouter(routes)
		g.apis = append(g.apis, &api)
	}
	return g, nil
}

// Handler serves what comes through one door. Where its server's connections are those of spelling.Listen, functions see
// header names as their callers spelt them.
func (g *Gateway) Handler(d Door) http.Handler {
	d.hosts = make(map[string]bool, len(d.LocalHosts))
	for _, host := range d.LocalHosts {
		d.hosts[hostname(host)] = true
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { g.serve(&d, w, r) })
}
