package spelling

import (
	"bufio"
	"bytes"
	"io"
	"maps"
	"net/http"
	"strings"
	"testing"
)

// A head may be as long as a server takes, and nothing is kept of what is longer, or of heads that nobody takes.
func TestParserIsBounded(t *testing.T) {
	var p parser
	p.feed([]byte("GET / HTTP/1.1\r\nX: "))
	for range 1000 {
		p.feed(bytes.Repeat([]byte("x"), 1000))
	}
	if p.state != lost || cap(p.part) != 0 {
		t.Errorf("a head without an end: got state %d with %d bytes kept", p.state, cap(p.part))
	}
	p = parser{}
	for range 100_000 {
		p.feed([]byte("GET /12345678901234567890 HTTP/1.1\r\nHost: x\r\n\r\n"))
	}
	kept := 0
	for _, h := range p.heads {
		kept += len(h.line) + len(h.names)
	}
	if p.state != lost || kept == 0 || kept > maxHeads {
		t.Errorf("heads that nobody takes: got state %d with %d bytes kept", p.state, kept)
	}
}

// Whatever the bytes and however they are cut, what the parser says of a request is what net/http's reader says: the same
// line, the same names, without regard to case, as often.
func FuzzParser(f *testing.F) {
	for _, seed := range []string{
		"GET / HTTP/1.1\r\nHost: x\r\ntEsT: 1\r\ntest: 2\r\n\r\nGET /2 HTTP/1.0\r\na: b\r\n\r\n",
		"POST / HTTP/1.1\r\nHost: x\r\ncontent-LENGTH: 3\r\n\r\nabcGET / HTTP/1.1\r\nHost: x\r\nb:\r\n\r\n",
		"PUT /a%2F HTTP/1.1\r\nhost: x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\nb:\r\n\r\n",
		"PUT / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\nt: 1\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n", "GET / HTTP/1.1\nHost: x\n\n", "\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n",
		"GET / HTTP/1.1\r\nHost: x\r\nPragma: no-cache\r\nTrailer: X\r\n\r\n", "GET  / HTTP/1.1\r\nHost: x\r\n\r\n", "CONNECT x:1 HTTP/1.1\r\nHost: x\r\n\r\n",
		"POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\na", "GET / HTTP/1.1\r\nHost: x\r\nbad name: 1\r\n\r\n",
	} {
		f.Add([]byte(seed), uint8(7))
	}
	f.Fuzz(func(t *testing.T, wire []byte, size uint8) {
		var p parser
		for rest := wire; len(rest) > 0; {
			n := min(int(size)+1, len(rest))
			p.feed(rest[:n])
			rest = rest[n:]
		}
		r := bufio.NewReader(bytes.NewReader(wire))
		for _, h := range p.heads {
			request, err := http.ReadRequest(r)
			if err != nil {
				return // net/http ends the connection here
			}
			if line := request.Method + " " + request.RequestURI; line != h.line {
				t.Fatalf("got the request %q, net/http says %q", h.line, line)
			}
			got, want := map[string]int{}, map[string]int{}
			for name := range h.all() {
				if canonical := http.CanonicalHeaderKey(name); !moved[canonical] && canonical != "Cache-Control" {
					got[canonical]++
				}
			}
			for name, values := range request.Header {
				// Pragma brings a Cache-Control of net/http's own with it.
				if !moved[name] && name != "Cache-Control" {
					want[name] += len(values)
				}
			}
			if !maps.Equal(got, want) {
				t.Fatalf("of %q: got the names %v, net/http says %v", h.line, got, want)
			}
			// RFC 9112 section 6.1: whoever follows such a request may not be certain of its end.
			if names := strings.ToLower("\n" + h.names); strings.Contains(names, "\ntransfer-encoding\n") && (strings.Contains(names, "\ncontent-length\n") || request.ProtoMinor == 0) {
				t.Fatalf("of %q: followed %q", h.line, h.names)
			}
			if _, ok := h.spelt(request); !ok {
				t.Fatalf("%q with %q does not match the request", h.line, strings.TrimSpace(h.names))
			}
			if _, err := io.Copy(io.Discard, request.Body); err != nil {
				return
			}
		}
	})
}

// Two lines of defence against heads and requests that are out of step: what no handler sees is not followed, and what is
// of another request is not told.
func TestHeadsOutOfStep(t *testing.T) {
	var p parser
	p.feed([]byte("OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"))
	if p.state != lost || len(p.heads) != 0 {
		t.Errorf("OPTIONS *: got state %d and %d heads", p.state, len(p.heads))
	}
	r := &http.Request{Method: "GET", RequestURI: "/a", Header: http.Header{"Test-Header": {"1"}}}
	for name, h := range map[string]head{
		"another target":           {"GET /b", "TEST-header\n"},
		"another method":           {"PUT /a", "TEST-header\n"},
		"a name that is not there": {"GET /a", "TEST-header\nother\n"},
	} {
		if names, ok := h.spelt(r); ok || names != nil {
			t.Errorf("%s: got %v", name, names)
		}
	}
	if names, ok := (&head{"GET /a", "TEST-header\n"}).spelt(r); !ok || names["Test-Header"] != "TEST-header" {
		t.Errorf("its own: got %v, %v", names, ok)
	}
}
