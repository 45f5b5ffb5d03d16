// Package console is the page of a running stack: each request, and why it was let in or refused.
//
// It shows the gateway's records and decides nothing. Records hold no secret, so the page cannot leak one; it is served
// on loopback, and only to those who ask for it by a loopback name, so that a foreign page cannot read it by pointing a
// name of its own here (DNS rebinding).
package console

import (
	_ "embed"
	"html/template"
	"maps"
	"net"
	"net/http"
	"slices"
	"strings"
	"sync"

	"github.com/marquee-api/marquee/internal/gateway"
)

// capacity is how many records are kept: about a megabyte.
const capacity = 500

// Console keeps the latest records. It is safe for concurrent use.
type Console struct {
	// Documents are served beside the page, by path: "/openapi.yaml". Do not change the map once the handler serves.
	Documents map[string][]byte

	mu      sync.Mutex
	records []gateway.Record // a ring once it is full
	next    int
}

// New returns a console without records.
func New() *Console { return &Console{} }

// Add keeps a record; the oldest goes when there are too many.
func (c *Console) Add(r gateway.Record) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if len(c.records) < capacity {
		c.records = append(c.records, r)
		return
	}
	c.records[c.next] = r
	c.next = (c.next + 1) % capacity
}

// latest returns the records, the newest first.
func (c *Console) latest() []gateway.Record {
	c.mu.Lock()
	defer c.mu.Unlock()
	records := slices.Concat(c.records[c.next:], c.records[:c.next])
	slices.Reverse(records)
	return records
}

// view is what the page shows.
type view struct {
	Records   []gateway.Record
	Documents []string
}

//go:embed page.html
var pageText string

var page = template.Must(template.New("page").Parse(pageText))

// Handler serves the page to those who name one of the hosts.
func (c *Console) Handler(hosts []string) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case !slices.Contains(hosts, hostname(r.Host)):
			http.Error(w, "this page is served on loopback names only", http.StatusForbidden)
		case r.URL.Path != "/" && c.Documents[r.URL.Path] == nil:
			http.NotFound(w, r)
		case r.Method != http.MethodGet && r.Method != http.MethodHead:
			w.Header().Set("Allow", "GET, HEAD")
			http.Error(w, "method not allowed", http.StatusMethodNotAllowed)
		case r.URL.Path != "/":
			w.Header().Set("Content-Type", "text/plain; charset=utf-8") // a browser shows it, and runs nothing
			w.Header().Set("X-Content-Type-Options", "nosniff")
			_, _ = w.Write(c.Documents[r.URL.Path]) // the reader went away: nobody is left to tell
		default:
			h := w.Header()
			h.Set("Content-Type", "text/html; charset=utf-8")
			h.Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'")
			h.Set("X-Content-Type-Options", "nosniff")
			h.Set("Cache-Control", "no-store")
			_ = page.Execute(w, view{c.latest(), slices.Sorted(maps.Keys(c.Documents))}) // the reader went away: nobody is left to tell
		}
	})
}

func hostname(host string) string {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return strings.ToLower(strings.Trim(host, "[]"))
}
