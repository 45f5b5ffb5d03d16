package http1_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// open sends a request whose answer has begun, and leaves its body to be read.
func (tr *transport) open(t *testing.T, url string) *http.Response {
	t.Helper()
	resp, err := tr.RoundTrip(newRequest(t, "GET", url, ""))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func readAll(t *testing.T, resp *http.Response) string {
	t.Helper()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestConnectionsAreUsedAgain, the latest first.
func TestConnectionsAreUsedAgain(t *testing.T) {
	p := newPeer(t, serveOK)
	tr := newTransport(t, nil)
	for range 3 {
		if got := tr.do(t, newRequest(t, "GET", p.url, "")); got.text != "connection 0" {
			t.Errorf("got %q", got.text)
		}
	}
	first, second := tr.open(t, p.url), tr.open(t, p.url)
	third := tr.open(t, p.url)
	for _, resp := range []*http.Response{third, first, second} {
		readAll(t, resp)
	}
	for _, want := range []string{"connection 1", "connection 1"} {
		if got := tr.do(t, newRequest(t, "POST", p.url, "body")); got.text != want {
			t.Errorf("got %q, want %q", got.text, want)
		}
	}
	tr.opened(t, 3)
}

// TestThePoolIsBounded: a full pool parts with the connection that has waited longest.
func TestThePoolIsBounded(t *testing.T) {
	ended := make(chan int, 4)
	p := newPeer(t, func(n int, c *peerConn) {
		serveOK(n, c)
		ended <- n
	})
	tr := newTransport(t, func(next *http.Transport) { next.MaxIdleConnsPerHost = 2 })
	var open []*http.Response
	for range 4 {
		open = append(open, tr.open(t, p.url))
	}
	for i, resp := range open {
		readAll(t, resp)
		if got, want := tr.Idle(), min(i+1, 2); got != want {
			t.Errorf("%d connections wait, want %d", got, want)
		}
	}
	for range 2 {
		if n := receive(t, "the end of a connection", ended); n > 1 {
			t.Errorf("connection %d was closed, want the first two", n)
		}
	}
	tr.opened(t, 4)
}

// TestIdleConnectionsEnd after their time, and not before.
func TestIdleConnectionsEnd(t *testing.T) {
	ended := make(chan int, 2)
	p := newPeer(t, func(n int, c *peerConn) {
		serveOK(n, c)
		ended <- n
	})
	const idle = 50 * time.Millisecond
	tr := newTransport(t, func(next *http.Transport) { next.IdleConnTimeout = idle })
	open := tr.open(t, p.url)
	began := time.Now()
	readAll(t, open)
	receive(t, "the end of the connection", ended)
	if took := time.Since(began); took < idle {
		t.Errorf("it was closed after %s, want at least %s", took, idle)
	}
	waitFor(t, "an empty pool", func() bool { return tr.Idle() == 0 })
	if got := tr.do(t, newRequest(t, "POST", p.url, "body")); got.text != "connection 1" {
		t.Errorf("got %q", got.text)
	}
}

// TestTheTimersOfAConnection: the one for the header does not run while a body does, the one of the pool not while a
// request does.
func TestTheTimersOfAConnection(t *testing.T) {
	const limit = 100 * time.Millisecond
	p := newPeer(t, func(_ int, c *peerConn) {
		for c.request() != nil {
			c.say("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nab")
			<-time.After(2 * limit)
			c.say("cd")
		}
	})
	tr := newTransport(t, func(next *http.Transport) { next.ResponseHeaderTimeout, next.IdleConnTimeout = limit, limit })
	for range 2 {
		if got := tr.do(t, newRequest(t, "GET", p.url, "")); got.text != "abcd" {
			t.Errorf("got %q", got.text)
		}
	}
	tr.opened(t, 1)
}

// TestCloseIdleConnections closes those of now, and those whose answers are still being read when they have been.
func TestCloseIdleConnections(t *testing.T) {
	ended := make(chan int, 2)
	p := newPeer(t, func(n int, c *peerConn) {
		serveOK(n, c)
		ended <- n
	})
	tr := newTransport(t, nil)
	used, rest := tr.open(t, p.url), tr.open(t, p.url)
	readAll(t, rest)
	tr.CloseIdleConnections()
	if n := receive(t, "the end of the connection at rest", ended); n != 1 {
		t.Errorf("connection %d was closed, want 1", n)
	}
	if got := readAll(t, used); got != "connection 0" {
		t.Errorf("got %q", got)
	}
	if n := receive(t, "the end of the other one", ended); n != 0 {
		t.Errorf("connection %d was closed, want 0", n)
	}
	for range 2 {
		if got := tr.do(t, newRequest(t, "GET", p.url, "")); got.text != "connection 2" {
			t.Errorf("got %q", got.text)
		}
	}
}

// TestHostsHaveConnectionsOfTheirOwn.
func TestHostsHaveConnectionsOfTheirOwn(t *testing.T) {
	one := newPeer(t, func(_ int, c *peerConn) {
		for c.request() != nil {
			c.say(ok("one"))
		}
	})
	two := newPeer(t, func(_ int, c *peerConn) {
		for c.request() != nil {
			c.say(ok("two"))
		}
	})
	tr := newTransport(t, nil)
	for range 3 {
		if got := tr.do(t, newRequest(t, "GET", one.url, "")); got.text != "one" {
			t.Errorf("one said %q", got.text)
		}
		if got := tr.do(t, newRequest(t, "GET", two.url, "")); got.text != "two" {
			t.Errorf("two said %q", got.text)
		}
	}
	tr.opened(t, 2)
	byName := strings.Replace(one.url, "127.0.0.1", "LOCALHOST", 1)
	if got := tr.do(t, newRequest(t, "GET", byName, "")); got.text != "one" {
		t.Errorf("by its name, one said %q", got.text)
	}
}

// TestConnectionsThatServeOnce: the caller wants no more, or there is no way to see what the peer does meanwhile.
func TestConnectionsThatServeOnce(t *testing.T) {
	blind := func(next *http.Transport) {
		next.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			return struct{ net.Conn }{conn}, err
		}
	}
	for name, tt := range map[string]struct {
		change func(*http.Transport)
		close  bool
	}{"close": {nil, true}, "blind": {blind, false}} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, serveOK)
			tr := newTransport(t, tt.change)
			for i := range 2 {
				req := newRequest(t, "GET", p.url, "")
				req.Close = tt.close
				if got, want := tr.do(t, req).text, fmt.Sprint("connection ", i); got != want {
					t.Errorf("got %q, want %q", got, want)
				}
			}
			tr.opened(t, 2)
		})
	}
}

// TestManyAtOnce: each caller gets its own answer, also when others leave theirs in the middle.
func TestManyAtOnce(t *testing.T) {
	p := newPeer(t, func(_ int, c *peerConn) {
		for req := c.request(); req != nil; req = c.request() {
			c.say(ok(strings.Repeat(req.URL.Query().Get("q"), 1000)))
		}
	})
	tr := newTransport(t, nil)
	var all sync.WaitGroup
	for i := range 16 {
		word := string(rune('a' + i))
		all.Go(func() {
			for round := range 50 {
				resp, err := tr.RoundTrip(newRequest(t, "POST", p.url+"?q="+word, ""))
				if err != nil {
					t.Error(err)
					return
				}
				switch {
				case round%5 == 4: // leaves early
					resp.Body.Read(make([]byte, 10))
				case round%5 == 3: // leaves while it reads
					all.Go(func() { resp.Body.Close() })
					text, _ := io.ReadAll(resp.Body)
					if strings.Trim(string(text), word) != "" {
						t.Errorf("%s got %q", word, text)
					}
				default:
					if text, err := io.ReadAll(resp.Body); err != nil || string(text) != strings.Repeat(word, 1000) {
						t.Errorf("%s got %q, %v", word, text, err)
					}
				}
				resp.Body.Close()
			}
		})
	}
	all.Wait()
	if tr.foreign != 0 || tr.Idle() > 8 {
		t.Errorf("%d connections of http.Transport, %d at rest; want 0, at most 8", tr.foreign, tr.Idle())
	}
}
