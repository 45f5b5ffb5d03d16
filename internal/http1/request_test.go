package http1_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"net/url"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/http1"
)

// tracked is a body that counts how often it was closed, and may fail.
type tracked struct {
	io.Reader
	closed atomic.Int32
}

func (b *tracked) Close() error { b.closed.Add(1); return nil }

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errWhy }

// withBody gives the request a body, and returns each one that is opened.
func withBody(req *http.Request, length int64, open func() io.Reader) *[]*tracked {
	bodies := []*tracked{{Reader: open()}}
	req.Body, req.ContentLength = bodies[0], length
	req.GetBody = func() (io.ReadCloser, error) {
		b := &tracked{Reader: open()}
		bodies = append(bodies, b)
		return b, nil
	}
	return &bodies
}

// TestBodiesAreClosed, whatever becomes of the request.
func TestBodiesAreClosed(t *testing.T) {
	hello := func() io.Reader { return strings.NewReader("hello") }
	tests := map[string]struct {
		serve  func(n int, c *peerConn)
		change func(*http.Transport)
		open   func() io.Reader
		first  bool // another request goes before
		cancel bool
		bodies int // that are opened
		err    error
	}{
		"answered":      {serve: serveOK, bodies: 1},
		"canceled":      {serve: serveOK, cancel: true, bodies: 1, err: errWhy},
		"hung up":       {serve: func(_ int, c *peerConn) { c.request() }, bodies: 1, err: io.EOF},
		"no connection": {change: func(next *http.Transport) { next.DialContext = refuse }, serve: serveOK, bodies: 1, err: errWhy},
		"no answer": {serve: func(_ int, c *peerConn) { c.ended() }, bodies: 1, err: context.DeadlineExceeded,
			change: func(next *http.Transport) { next.ResponseHeaderTimeout = 20 * time.Millisecond }},
		"unreadable": {serve: serveOK, open: func() io.Reader { return failing{} }, bodies: 1, err: errWhy},
		"sent again": {first: true, bodies: 2, serve: func(n int, c *peerConn) {
			if n == 0 {
				c.request()
				c.say(ok(""))
				c.request()
				return
			}
			serveOK(n, c)
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, tt.serve)
			tr := newTransport(t, tt.change)
			if tt.first {
				tr.do(t, newRequest(t, "GET", p.url, ""))
			}
			req, cancel := cancelable(t, "POST", p.url, "")
			req.Header.Set("Idempotency-Key", "1")
			open := hello
			if tt.open != nil {
				open = tt.open
			}
			bodies := withBody(req, 5, open)
			if tt.cancel {
				cancel(errWhy)
			}
			// net/http hides the error of a body, but not its text.
			if _, err := tr.try(req); !errors.Is(err, tt.err) && (err == nil || tt.err == nil || err.Error() != tt.err.Error()) {
				t.Errorf("got %v, want %v", err, tt.err)
			}
			if len(*bodies) != tt.bodies {
				t.Errorf("%d bodies were opened, want %d", len(*bodies), tt.bodies)
			}
			for i, b := range *bodies {
				if b.closed.Load() == 0 {
					t.Errorf("body %d was not closed", i)
				}
			}
		})
	}
}

func refuse(context.Context, string, string) (net.Conn, error) { return nil, errWhy }

// TestABodyOfAnotherLength than it was announced with: nothing is sent, or the peer would wait for the rest, or take it
// for the next request.
func TestABodyOfAnotherLength(t *testing.T) {
	p := newPeer(t, serveOK)
	tr := newTransport(t, nil)
	for _, length := range []int64{4, 6} {
		req := newRequest(t, "POST", p.url, "")
		withBody(req, length, func() io.Reader { return strings.NewReader("hello") })
		if _, err := tr.try(req); err == nil || !strings.Contains(err.Error(), "ContentLength=") {
			t.Errorf("got %v, want an error about the length", err)
		}
		if got := tr.do(t, newRequest(t, "GET", p.url, "")); !strings.HasPrefix(got.text, "connection") {
			t.Errorf("got %q", got.text)
		}
	}
}

// TestTheCallersRequestIsUntouched.
func TestTheCallersRequestIsUntouched(t *testing.T) {
	p := newPeer(t, serveOK)
	tr := newTransport(t, nil)
	req := newRequest(t, "PUT", p.url+"?b=1&a=2", "hello")
	req.Header = http.Header{"X-Many": {"a", "b"}, "User-Agent": {""}, "Content-Length": {"99"}}
	req.Host = "api.example"
	before := *req
	before.Header = req.Header.Clone()
	target := *req.URL
	before.URL = &target
	got := tr.do(t, req)
	compare := cmp.Comparer(func(a, b io.ReadCloser) bool { return a == b })
	sameContext := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".ctx" }, cmp.Ignore())
	sameFunc := cmp.Comparer(func(a, b func() (io.ReadCloser, error)) bool { return (a == nil) == (b == nil) })
	visible := cmp.FilterPath(func(p cmp.Path) bool {
		name := strings.TrimPrefix(p.Last().String(), ".")
		return name != "" && name[0] >= 'a' && name[0] <= 'z' && p.Last().String()[0] == '.'
	}, cmp.Ignore())
	if diff := cmp.Diff(&before, req, compare, sameContext, sameFunc, visible); diff != "" {
		t.Errorf("the request has changed (-before +after):\n%s", diff)
	}
	if got.Request != req {
		t.Error("the answer is to another request")
	}
}

// TestWhoTakesWhat: what is not simple goes to http.Transport.
func TestWhoTakesWhat(t *testing.T) {
	tests := map[string]struct {
		change  func(*http.Request)
		foreign bool
	}{
		"get":                               {},
		"close":                             {change: func(r *http.Request) { r.Close = true }},
		"no body":                           {change: func(r *http.Request) { r.Method, r.Body = "POST", http.NoBody }},
		"small body":                        {change: func(r *http.Request) { withBody(r, maxBody, zeros(maxBody)) }},
		"larger body":                       {change: func(r *http.Request) { withBody(r, maxBody+1, zeros(maxBody+1)) }, foreign: true},
		"body without length":               {change: func(r *http.Request) { withBody(r, -1, zeros(5)) }, foreign: true},
		"length of a body that may be none": {change: func(r *http.Request) { withBody(r, 0, zeros(5)) }, foreign: true},
		"body that is read once": {change: func(r *http.Request) {
			withBody(r, 5, zeros(5))
			r.GetBody = nil
		}, foreign: true},
		"trailers": {change: func(r *http.Request) {
			withBody(r, 5, zeros(5))
			r.Trailer = http.Header{"X-Sum": {"1"}}
		}, foreign: true},
		"chunks": {change: func(r *http.Request) {
			withBody(r, 5, zeros(5))
			r.TransferEncoding = []string{"chunked"}
		}, foreign: true},
		"expect":     {change: func(r *http.Request) { r.Header["expect"] = []string{"100-continue"} }, foreign: true},
		"upgrade":    {change: func(r *http.Request) { r.Header.Set("Upgrade", "x") }, foreign: true},
		"connection": {change: func(r *http.Request) { r.Header.Set("Connection", "close") }, foreign: true},
		"trace": {change: func(r *http.Request) {
			*r = *r.WithContext(httptrace.WithClientTrace(r.Context(), new(httptrace.ClientTrace)))
		}, foreign: true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, serveOK)
			tr := newTransport(t, nil)
			req := newRequest(t, "GET", p.url, "")
			if tt.change != nil {
				tt.change(req)
			}
			tr.do(t, req)
			if (tr.foreign > 0) != tt.foreign {
				t.Errorf("taken by http.Transport: %v, want %v", tr.foreign > 0, tt.foreign)
			}
		})
	}
}

func zeros(n int) func() io.Reader {
	return func() io.Reader { return strings.NewReader(strings.Repeat("0", n)) }
}

// TestSettingsThatAreNotKept: an http.Transport that is set to more than the package keeps to gets every request.
func TestSettingsThatAreNotKept(t *testing.T) {
	for name, change := range map[string]func(*http.Transport){
		"compression":      func(next *http.Transport) { next.DisableCompression = false },
		"no keep-alive":    func(next *http.Transport) { next.DisableKeepAlives = true },
		"few connections":  func(next *http.Transport) { next.MaxConnsPerHost = 1 },
		"no protocols":     func(next *http.Transport) { next.Protocols = nil },
		"h2c":              func(next *http.Transport) { next.Protocols.SetUnencryptedHTTP2(true) },
		"a dialer for TLS": func(next *http.Transport) { next.DialTLSContext = refuse },
		"an old one": func(next *http.Transport) {
			//lint:ignore SA1019 who has set it must not be passed over
			next.DialTLS = func(string, string) (net.Conn, error) { return nil, errWhy }
		},
		"a proxy":        func(next *http.Transport) { next.Proxy = through("http://127.0.0.1:1", nil) },
		"a proxy or not": func(next *http.Transport) { next.Proxy = through("", errWhy) },
	} {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, serveOK)
			tr := newTransport(t, change)
			tr.try(newRequest(t, "GET", p.url, "")) //nolint:errcheck // what comes of it is http.Transport's
			if len(tr.own) != 0 {
				t.Error("the request did not go to http.Transport")
			}
		})
	}
}

func through(proxy string, err error) func(*http.Request) (*url.URL, error) {
	return func(*http.Request) (*url.URL, error) {
		if err != nil {
			return nil, err
		}
		return url.Parse(proxy)
	}
}

// TestSecurityInvalidRequests are refused as http.Transport refuses them, and nothing of them is sent.
func TestSecurityInvalidRequests(t *testing.T) {
	p := newPeer(t, serveOK)
	tr := newTransport(t, nil)
	plain := settings()
	defer plain.CloseIdleConnections()
	for name, change := range map[string]func(*http.Request){
		"no URL":          func(r *http.Request) { r.URL = nil },
		"no host":         func(r *http.Request) { r.URL.Host = "" },
		"another scheme":  func(r *http.Request) { r.URL.Scheme = "ftp" },
		"no header":       func(r *http.Request) { r.Header = nil },
		"header's name":   func(r *http.Request) { r.Header["X Y"] = []string{"1"} },
		"no name":         func(r *http.Request) { r.Header[""] = []string{"1"} },
		"name with break": func(r *http.Request) { r.Header["X\r\nY"] = []string{"1"} },
		"header's value":  func(r *http.Request) { r.Header["X"] = []string{"1", "1\r\nY: 2"} },
		"method":          func(r *http.Request) { r.Method = "GET /b HTTP/1.1\r\nX:" },
		"control in path": func(r *http.Request) { r.URL.Opaque = "/a\r\nX: 1" },
	} {
		t.Run(name, func(t *testing.T) {
			send := func(rt http.RoundTripper) error {
				req := newRequest(t, "POST", p.url, "")
				bodies := withBody(req, 5, zeros(5))
				change(req)
				resp, err := rt.RoundTrip(req)
				if err == nil {
					resp.Body.Close()
				}
				if (*bodies)[0].closed.Load() == 0 {
					t.Error("the body was not closed")
				}
				return err
			}
			got, want := send(tr), send(plain)
			if got == nil || want == nil || !strings.Contains(want.Error(), got.Error()) {
				t.Errorf("got %v, want %v", got, want)
			}
		})
	}
}

var _ http.RoundTripper = (*http1.Transport)(nil)
