package http1_test

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/marquee-api/marquee/internal/http1"
)

const maxBody = 16 << 10

// transport is one that notes its connections.
type transport struct {
	*http1.Transport
	mu      sync.Mutex
	own     []net.Conn // those that it opened for itself
	foreign int        // those that the http.Transport behind it opened
}

// settings are those of the sidecar.
func settings() *http.Transport {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	return &http.Transport{DisableCompression: true, MaxIdleConnsPerHost: 8, IdleConnTimeout: time.Minute, Protocols: protocols}
}

func newTransport(t *testing.T, change func(*http.Transport)) *transport {
	t.Helper()
	if !http1.Supported {
		t.Skip("every request goes to http.Transport here")
	}
	next := settings()
	if change != nil {
		change(next)
	}
	dial := next.DialContext
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	tr := new(transport)
	next.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
		conn, err := dial(ctx, network, address)
		tr.mu.Lock()
		defer tr.mu.Unlock()
		if !bytes.Contains(debug.Stack(), []byte("/http1.(*Transport).dial(")) {
			tr.foreign++
		} else if err == nil {
			tr.own = append(tr.own, conn)
		}
		return conn, err
	}
	tr.Transport = http1.New(next, maxBody)
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

// opened checks how many connections were opened, all of them by the transport itself.
func (tr *transport) opened(t *testing.T, want int) {
	t.Helper()
	tr.mu.Lock()
	defer tr.mu.Unlock()
	if len(tr.own) != want || tr.foreign != 0 {
		t.Errorf("got %d connections of its own, %d of http.Transport; want %d, 0", len(tr.own), tr.foreign, want)
	}
}

// isClosed reports whether the n-th connection is closed on this side.
func (tr *transport) isClosed(n int) bool {
	_, err := tr.own[n].Write(nil)
	return errors.Is(err, net.ErrClosed)
}

// stirred waits until the n-th connection has something to say: bytes, or its end.
func (tr *transport) stirred(t *testing.T, n int) {
	t.Helper()
	tr.mu.Lock()
	conn := tr.own[n]
	tr.mu.Unlock()
	waitFor(t, "a word from the peer", func() bool {
		silent, err := http1.IsSilent(conn)
		if err != nil {
			t.Fatal(err)
		}
		return !silent
	})
}

// answer is an answer that was read to its end.
type answer struct {
	*http.Response
	text string
}

func (tr *transport) try(req *http.Request) (answer, error) {
	resp, err := tr.RoundTrip(req)
	if err != nil {
		return answer{}, err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	return answer{resp, string(text)}, err
}

func (tr *transport) do(t *testing.T, req *http.Request) answer {
	t.Helper()
	got, err := tr.try(req)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

func newRequest(t *testing.T, method, url, body string) *http.Request {
	t.Helper()
	var from io.Reader
	if body != "" {
		from = strings.NewReader(body)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	t.Cleanup(cancel)
	req, err := http.NewRequestWithContext(ctx, method, url, from)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

// peer is a server of bytes.
type peer struct {
	net.Listener
	url string

	mu    sync.Mutex
	conns []net.Conn
	all   sync.WaitGroup
}

// newPeer runs serve for each connection, which is closed when serve returns.
func newPeer(t *testing.T, serve func(n int, c *peerConn)) *peer {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &peer{Listener: l, url: "http://" + l.Addr().String() + "/a"}
	p.all.Go(func() {
		for n := 0; ; n++ {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			p.mu.Lock()
			p.conns = append(p.conns, conn)
			p.mu.Unlock()
			p.all.Go(func() {
				defer conn.Close()
				serve(n, &peerConn{Conn: conn, in: bufio.NewReader(conn)})
			})
		}
	})
	t.Cleanup(func() {
		l.Close()
		p.mu.Lock()
		for _, conn := range p.conns {
			conn.Close()
		}
		p.mu.Unlock()
		p.all.Wait()
	})
	return p
}

// peerConn is a connection as the server has it.
type peerConn struct {
	net.Conn
	in *bufio.Reader
}

// request reads one, with its body; nil at the end of the connection.
func (c *peerConn) request() *http.Request {
	req, err := http.ReadRequest(c.in)
	if err != nil {
		return nil
	}
	body, err := io.ReadAll(req.Body)
	if err != nil {
		return nil
	}
	req.Body = io.NopCloser(bytes.NewReader(body))
	return req
}

func (c *peerConn) say(text string) { io.WriteString(c, text) }

// ended waits for the end of the connection, as the client makes it.
func (c *peerConn) ended() { io.Copy(io.Discard, c.in) }

// ok is a plain answer.
func ok(body string) string {
	return fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(body), body)
}

// serveOK answers every request with the number of its connection.
func serveOK(n int, c *peerConn) {
	for c.request() != nil {
		c.say(ok(fmt.Sprint("connection ", n)))
	}
}

// waitFor asks again and again until the answer is yes.
func waitFor(t *testing.T, what string, done func() bool) {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for !done() {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("waited too long for %s", what)
		}
	}
}

// receive waits for a word on a channel.
func receive[T any](t *testing.T, what string, from <-chan T) T {
	t.Helper()
	select {
	case v := <-from:
		return v
	case <-time.After(10 * time.Second):
		t.Fatalf("waited too long for %s", what)
		panic("unreachable")
	}
}
