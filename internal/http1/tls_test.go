package http1_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"
)

// newTLS is a server with TLS, and the settings of who trusts it.
func newTLS(t *testing.T, change func(*httptest.Server)) (*httptest.Server, func(*http.Transport)) {
	t.Helper()
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		fmt.Fprintf(w, "%s %s %s %v", r.Proto, r.RemoteAddr, body, err)
	}))
	if change != nil {
		change(server)
	}
	server.StartTLS()
	t.Cleanup(server.Close)
	roots := x509.NewCertPool()
	roots.AddCert(server.Certificate())
	return server, func(next *http.Transport) { next.TLSClientConfig = &tls.Config{RootCAs: roots} }
}

func TestTLS(t *testing.T) {
	for name, version := range map[string]uint16{"1.2": tls.VersionTLS12, "1.3": tls.VersionTLS13} {
		t.Run(name, func(t *testing.T) {
			server, trust := newTLS(t, func(s *httptest.Server) { s.TLS = &tls.Config{MaxVersion: version} })
			tr := newTransport(t, trust)
			var first string
			for i := range 3 {
				got := tr.do(t, newRequest(t, "POST", server.URL, "hello"))
				if i == 0 {
					first = got.text
				}
				if got.text != first || !strings.HasPrefix(got.text, "HTTP/1.1 ") || !strings.HasSuffix(got.text, " hello <nil>") {
					t.Errorf("got %q, want %q again", got.text, first)
				}
				if got.TLS == nil || got.TLS.Version != version || got.TLS.NegotiatedProtocol != "http/1.1" {
					t.Errorf("got TLS %+v", got.TLS)
				}
			}
			tr.opened(t, 1)
		})
	}
}

// TestHTTP2: a peer that chooses it is http.Transport's from then on.
func TestHTTP2(t *testing.T) {
	for name, tt := range map[string]struct {
		offered bool
		want    string
	}{"offered": {true, "HTTP/2.0"}, "not offered": {false, "HTTP/1.1"}} {
		t.Run(name, func(t *testing.T) {
			server, trust := newTLS(t, func(s *httptest.Server) { s.EnableHTTP2 = true })
			tr := newTransport(t, func(next *http.Transport) {
				trust(next)
				next.Protocols.SetHTTP2(tt.offered)
			})
			for range 3 {
				if got := tr.do(t, newRequest(t, "POST", server.URL, "hello")); got.Proto != tt.want || !strings.HasSuffix(got.text, " hello <nil>") {
					t.Errorf("got %s %q, want %s", got.Proto, got.text, tt.want)
				}
			}
			foreign := 0
			if tt.offered {
				foreign = 1
			}
			if len(tr.own) != 1 || tr.foreign != foreign {
				t.Errorf("got %d connections of its own, %d of http.Transport; want one to find out, and %d", len(tr.own), tr.foreign, foreign)
			}
			if tr.isClosed(0) != tt.offered {
				t.Errorf("the first connection is closed: %v, want %v", tr.isClosed(0), tt.offered)
			}
			// One origin's choice is not another's. All servers of httptest have one certificate.
			other, _ := newTLS(t, nil)
			if got := tr.do(t, newRequest(t, "GET", other.URL, "")); got.Proto != "HTTP/1.1" || len(tr.own) != 2 {
				t.Errorf("the other server: got %s, %d connections", got.Proto, len(tr.own))
			}
		})
	}
}

// TestSecurityCertificates: the name and the authority count, as with http.Transport.
func TestSecurityCertificates(t *testing.T) {
	server, trust := newTLS(t, func(s *httptest.Server) { s.Config.ErrorLog = log.New(io.Discard, "", 0) })
	byName := strings.Replace(server.URL, "127.0.0.1", "localhost", 1)
	for name, tt := range map[string]struct {
		url    string
		change func(*http.Transport)
		ok     bool
	}{
		"good":                 {server.URL, trust, true},
		"another name":         {byName, trust, false},
		"unknown authority":    {server.URL, func(next *http.Transport) { next.TLSClientConfig = &tls.Config{RootCAs: x509.NewCertPool()} }, false},
		"a name that is given": {byName, func(next *http.Transport) { trust(next); next.TLSClientConfig.ServerName = "example.com" }, true},
	} {
		t.Run(name, func(t *testing.T) {
			tr := newTransport(t, tt.change)
			_, err := tr.try(newRequest(t, "GET", tt.url, ""))
			var wrong *tls.CertificateVerificationError
			if tt.ok != (err == nil) || !tt.ok && !errors.As(err, &wrong) {
				t.Errorf("got %v", err)
			}
			tr.opened(t, 1)
			if tr.isClosed(0) == tt.ok {
				t.Errorf("the connection is closed: %v, want %v", tr.isClosed(0), !tt.ok)
			}
		})
	}
}

func TestNoTLSThere(t *testing.T) {
	p := newPeer(t, func(_ int, c *peerConn) { c.say("HTTP/1.1 400 Bad Request\r\n\r\n"); c.ended() })
	tr := newTransport(t, nil)
	_, err := tr.try(newRequest(t, "GET", strings.Replace(p.url, "http:", "https:", 1), ""))
	var record tls.RecordHeaderError
	if !errors.As(err, &record) {
		t.Errorf("got %v, want a RecordHeaderError", err)
	}
}

func TestHandshakeThatDoesNotEnd(t *testing.T) {
	for name, tt := range map[string]struct {
		limit  time.Duration
		cancel bool
	}{"in time": {20 * time.Millisecond, false}, "canceled": {time.Minute, true}} {
		t.Run(name, func(t *testing.T) {
			begun, ended := make(chan bool), make(chan bool)
			p := newPeer(t, func(_ int, c *peerConn) {
				c.in.Peek(1) //nolint:errcheck // the ClientHello
				close(begun)
				c.ended()
				close(ended)
			})
			tr := newTransport(t, func(next *http.Transport) { next.TLSHandshakeTimeout = tt.limit })
			req, cancel := cancelable(t, "GET", strings.Replace(p.url, "http:", "https:", 1), "")
			if tt.cancel {
				go func() { <-begun; cancel(errWhy) }()
			}
			_, err := tr.RoundTrip(req)
			if tt.cancel && err != errWhy {
				t.Errorf("got %v, want the reason", err)
			}
			// http.Transport's own timeout of a handshake is no context.DeadlineExceeded either: who repeats what can have
			// run nothing asks for that.
			if !tt.cancel && (!isTimeout(err) || errors.Is(err, context.DeadlineExceeded)) {
				t.Errorf("got %v, want a timeout of the network", err)
			}
			receive(t, "the end of the connection", ended)
		})
	}
}

// held is a connection whose writes wait until they are let go together.
type held struct {
	net.Conn
	mu   sync.Mutex
	wait bytes.Buffer
	hold bool
}

func (h *held) Write(b []byte) (int, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.hold {
		return h.wait.Write(b)
	}
	return h.Conn.Write(b)
}

// TestSecurityBytesThatTLSHolds: what comes in one piece with an answer is read together with it and lies in crypto/tls,
// where looking at the socket does not find it. It is not the next request's answer.
func TestSecurityBytesThatTLSHolds(t *testing.T) {
	for name, tt := range map[string]struct {
		body   string
		joined bool // answer and rest are in one record
		cut    int  // how much of the second record comes with the first; the rest follows with the next request
	}{
		"same record":        {strings.Repeat("x", 5000), true, 0},
		"next record":        {strings.Repeat("x", 5000), false, 1 << 20},
		"next record, small": {"x", false, 1 << 20},
		"piece of a record":  {strings.Repeat("x", 5000), false, 20},
		"piece of a header":  {strings.Repeat("x", 5000), false, 3},
	} {
		t.Run(name, func(t *testing.T) {
			server, trust := newTLS(t, nil) // for its certificate
			p := newPeer(t, func(n int, c *peerConn) {
				out := &held{Conn: c.Conn}
				secured := tls.Server(out, &tls.Config{Certificates: server.TLS.Certificates, MaxVersion: tls.VersionTLS12, DynamicRecordSizingDisabled: true})
				s := &peerConn{Conn: secured, in: bufio.NewReader(secured)}
				if s.request() == nil {
					return
				}
				if n > 0 {
					s.say(ok("second"))
					s.ended()
					return
				}
				out.mu.Lock()
				out.hold = true
				out.mu.Unlock()
				if tt.joined {
					s.say(ok(tt.body) + wrong)
				} else {
					s.say(ok(tt.body))
				}
				first := out.wait.Len()
				if !tt.joined {
					s.say(wrong)
				}
				all := out.wait.Bytes()
				at := min(first+tt.cut, len(all))
				if tt.joined {
					at = len(all)
				}
				out.Conn.Write(all[:at])
				io.ReadFull(c.Conn, make([]byte, 1)) //nolint:errcheck // a second request, or the end
				out.Conn.Write(all[at:])
			})
			tr := newTransport(t, trust)
			url := strings.Replace(p.url, "http:", "https:", 1)
			if got := tr.do(t, newRequest(t, "GET", url, "")); got.text != tt.body {
				t.Errorf("got %d bytes", len(got.text))
			}
			if got := tr.do(t, newRequest(t, "POST", url, "body")); got.text != "second" {
				t.Errorf("the second request was answered %q", got.text)
			}
			tr.opened(t, 2)
		})
	}
}

// TestTLSThatEnds while nobody uses the connection.
func TestTLSThatEnds(t *testing.T) {
	server, trust := newTLS(t, nil)
	tr := newTransport(t, trust)
	tr.do(t, newRequest(t, "POST", server.URL, "hello"))
	server.CloseClientConnections()
	tr.stirred(t, 0)
	tr.do(t, newRequest(t, "POST", server.URL, "hello"))
	tr.opened(t, 2)
}
