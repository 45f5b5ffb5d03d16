// Package console is the page of a running stack, or of a recorded run: each request and why it was let in or refused,
// who may call what, calls to try, and figures.
//
// It shows the gateway's records and decides nothing. What it cannot know of records it asks for through two small
// interfaces, a Trier that makes calls and a Matrix; it signs nothing, reads no template and opens no port. Records hold
// no secret, so the page cannot leak one. It answers only to a loopback name, so that a foreign page cannot read it by
// pointing a name of its own here (DNS rebinding), and changes nothing for a request that does not carry the token of
// the run.
package console

import (
	"context"
	"sync"
	"time"

	"github.com/marquee-api/marquee/internal/gateway"
)

// DetailBytes is how much of a body the records of a console should keep.
const DetailBytes = 32 << 10

// The defaults of a console's memory.
const (
	defaultCapacity     = 5000
	defaultDetailMemory = 64 << 20
)

// Run is what the page says of the stack whose requests it shows. No field holds a secret.
type Run struct {
	// Recorded is the name of the log that is shown, empty for a running stack.
	Recorded  string    `json:"recorded,omitempty"`
	Region    string    `json:"region,omitempty"`
	AccountID string    `json:"account_id,omitempty"`
	APIs      []API     `json:"apis,omitempty"`
	Doors     []Door    `json:"doors,omitempty"`
	Callers   []Caller  `json:"callers,omitempty"`
	APIKeys   []string  `json:"api_keys,omitempty"` // their names
	Faults    []Fault   `json:"faults,omitempty"`   // what a Trier can do wrong on purpose
	Documents []string  `json:"documents,omitempty"`
	Commands  *Commands `json:"-"`
}

// API is one stage of an API.
type API struct {
	ID      string  `json:"id"`
	Stage   string  `json:"stage"`
	Private bool    `json:"private"`
	Routes  []Route `json:"routes"`
}

// Route is one method of one resource.
type Route struct {
	Method string `json:"method"`
	Path   string `json:"path"`
	NoAuth bool   `json:"no_auth,omitempty"`
}

// Door is a way to the APIs.
type Door struct {
	Name          string `json:"name"` // as records have it
	Label         string `json:"label"`
	URL           string `json:"url"`
	VPCEndpointID string `json:"vpc_endpoint_id,omitempty"`
}

// Caller is an identity that requests can be signed as.
type Caller struct {
	Name string `json:"name"`
	ARN  string `json:"arn"`
}

// Fault is something that a Trier can do wrong on purpose.
type Fault struct {
	Name  string `json:"name"`
	Label string `json:"label"`
}

// Commands is what the commands that the page offers for copying need to know.
type Commands struct {
	Program     string // "bin/marquee"
	State       string // the state file; empty: the one that the program looks for
	Credentials string // the shared credentials file
	Curl        string // the folder of curl's configurations, one for each caller
}

// Attempt is a call to try.
type Attempt struct {
	Caller string            `json:"caller"`        // of Run.Callers; empty: unsigned
	Door   string            `json:"door"`          // of Run.Doors
	API    string            `json:"api,omitempty"` // its id; empty: whichever has the stage
	Stage  string            `json:"stage"`
	Method string            `json:"method"`
	Path   string            `json:"path"` // below the stage, percent-encoded, with the query
	Header map[string]string `json:"header,omitempty"`
	Body   string            `json:"body,omitempty"`
	APIKey string            `json:"api_key,omitempty"` // of Run.APIKeys
	Fault  string            `json:"fault,omitempty"`   // of Run.Faults
}

// Outcome is what came of a call. It holds no secret of the one who signed it.
type Outcome struct {
	RequestID string        `json:"request_id,omitempty"`
	Status    int           `json:"status"`
	Body      *gateway.Body `json:"body,omitempty"`
	// Mismatch is where the two canonical requests part, if the signature was refused: the caller knows what it signed.
	Mismatch *gateway.Mismatch `json:"-"`
}

// Trier makes a call. An error is about the attempt: whatever the API answers is an Outcome.
type Trier interface {
	Try(ctx context.Context, a Attempt) (*Outcome, error)
}

// Matrix says who may call what, as a value whose JSON form is that of `marquee check --who --format json`.
type Matrix interface {
	Matrix(ctx context.Context) (any, error)
}

// Config is a console and what it needs of its surroundings.
type Config struct {
	Run       Run
	Hosts     []string          // the names that it answers to; empty: 127.0.0.1, localhost, ::1
	Documents map[string][]byte // served beside the page, by path: "/openapi.yaml"
	Trier     Trier             // nil: nothing can be tried
	Matrix    Matrix            // nil: not known
	Random    func() string     // names the run and makes its token: crypto/rand.Text
	Now       func() time.Time

	Capacity     int // requests kept; 0: 5,000
	DetailMemory int // bytes of those that are kept whole, roughly; 0: 64 MiB
}

// Console keeps the latest records and serves the page. It is safe for concurrent use.
type Console struct {
	cfg   Config
	name  string // of the run, so that a page notices another one
	token string // which a POST must carry
	web   map[string]asset

	ring    ring
	streams streams
	slow    time.Duration // how long a reader of a stream may take for a piece
	once    sync.Once
	closed  chan struct{}
}

// New returns a console without records.
func New(cfg Config) *Console {
	if len(cfg.Hosts) == 0 {
		cfg.Hosts = []string{"127.0.0.1", "localhost", "::1"}
	}
	if cfg.Capacity == 0 {
		cfg.Capacity = defaultCapacity
	}
	if cfg.DetailMemory == 0 {
		cfg.DetailMemory = defaultDetailMemory
	}
	c := &Console{cfg: cfg, name: cfg.Random(), token: cfg.Random(), web: assets(), closed: make(chan struct{}), slow: writeTime}
	c.ring = ring{capacity: cfg.Capacity, memory: cfg.DetailMemory, changed: make(chan struct{})}
	return c
}

// Add keeps a record; the oldest goes when there are too many.
func (c *Console) Add(r gateway.Record) { c.ring.add(r) }

// Close ends the streams to the pages that are open, which would otherwise hold up the end of their server.
func (c *Console) Close() { c.once.Do(func() { close(c.closed) }) }
