// Package spelling tells how a client spelt the header names of a request. net/http brings them into one spelling; API
// Gateway hands them on as they came, and functions can tell.
//
// A listener's connections are read along: request heads are parsed a second time for their names, bodies are skipped.
// No byte is changed or held back, and nobody is let in by what is found here. Whenever it is not certain where a request
// begins or ends, nothing more is said of that connection, and the names keep net/http's spelling. That it is not certain
// is worth knowing, too: [Conn.Followed] says so.
package spelling

import (
	"context"
	"errors"
	"iter"
	"net"
	"net/http"
	"strings"
	"sync"
)

// Names are a request's header names as they were spelt, by net/http's spelling. The zero value changes nothing.
type Names map[string]string

// Of returns the client's spelling of a name that has net/http's.
func (n Names) Of(name string) string {
	if spelt, ok := n[name]; ok {
		return spelt
	}
	return name
}

// Listen returns a listener whose connections are read along. The server's ConnContext must be Context.
func Listen(l net.Listener) net.Listener { return listener{l} }

type listener struct{ net.Listener }

func (l listener) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return Along(c), nil
}

// Along returns a connection that is read along, for a listener that makes its own.
func Along(c net.Conn) *Conn { return &Conn{Conn: c} }

// Conn hands on what it reads. net/http reads from several goroutines in turn.
type Conn struct {
	net.Conn

	mu   sync.Mutex
	read parser
}

func (c *Conn) Read(b []byte) (int, error) {
	n, err := c.Conn.Read(b)
	c.mu.Lock()
	c.read.feed(b[:n])
	c.mu.Unlock()
	return n, err
}

// CloseWrite lets net/http end a connection gently, which a caller needs who is still sending when it is refused.
func (c *Conn) CloseWrite() error {
	if half, ok := c.Conn.(interface{ CloseWrite() error }); ok {
		return half.CloseWrite()
	}
	return errors.ErrUnsupported
}

type contextKey struct{}

// Context is a ConnContext of http.Server.
func Context(ctx context.Context, c net.Conn) context.Context {
	if own, ok := c.(*Conn); ok {
		return context.WithValue(ctx, contextKey{}, own)
	}
	return ctx
}

// Followed takes a request's head, as [Take] does and in its place, without the names. It reports whether it is certain
// where the request ended: its length was given in one way, by Content-Length or by chunks, in a version of HTTP that has
// them. It is false after anything that was not certain.
func (c *Conn) Followed(r *http.Request) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	h, ok := c.read.take()
	if !ok {
		return false
	}
	if !h.isOf(r) {
		c.read.giveUp() // the heads and the requests are out of step
		c.read.heads = nil
		return false
	}
	return true
}

// Take returns the names of a request. It must be called once for each request of the connection, before its header is
// changed: the heads are taken in the order in which they came.
func Take(r *http.Request) Names {
	c, ok := r.Context().Value(contextKey{}).(*Conn)
	if !ok {
		return nil
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	h, ok := c.read.take()
	if !ok {
		return nil
	}
	names, ok := h.spelt(r)
	if !ok {
		c.read.giveUp() // the heads and the requests are out of step
		c.read.heads = nil
		return nil
	}
	return names
}

// moved are the names that net/http takes out of Header.
var moved = map[string]bool{"Host": true, "Transfer-Encoding": true, "Trailer": true, "Content-Length": true}

// spelt compares the head with the request, and returns its names; false if they are not of the same request. A name that
// was spelt in two ways has one spelling, the first, as its values have one list.
func (h *head) spelt(r *http.Request) (Names, bool) {
	if !h.isOf(r) {
		return nil, false
	}
	differs := false
	for name := range h.all() {
		canonical := http.CanonicalHeaderKey(name)
		if _, there := r.Header[canonical]; !there && !moved[canonical] {
			return nil, false
		}
		differs = differs || canonical != name
	}
	if !differs {
		return nil, true
	}
	names := Names{}
	for name := range h.all() {
		if canonical := http.CanonicalHeaderKey(name); names[canonical] == "" {
			names[canonical] = name
		}
	}
	return names, true
}

// isOf reports whether the head's first line is the request's.
func (h *head) isOf(r *http.Request) bool {
	target, ok := strings.CutPrefix(h.line, r.Method)
	return ok && strings.HasPrefix(target, " ") && target[1:] == r.RequestURI
}

// all are the names in their order.
func (h *head) all() iter.Seq[string] {
	return func(yield func(string) bool) {
		for line := range strings.Lines(h.names) {
			if !yield(strings.TrimSuffix(line, "\n")) {
				return
			}
		}
	}
}
