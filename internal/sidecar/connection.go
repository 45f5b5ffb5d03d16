package sidecar

import (
	"bytes"
	"context"
	"crypto/tls"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strconv"
	"sync/atomic"
	"time"

	"github.com/marquee-api/marquee/apiclient"
	"github.com/marquee-api/marquee/internal/spelling"
)

// door is the clients' listener, for a server that [attend] was told of. It sees what net/http keeps to itself:
// how the bytes of a request are framed, and the answers to what is no request to it.
type door struct {
	net.Listener
	p *Proxy
}

func (p *Proxy) newDoor(l net.Listener) net.Listener {
	if s, ok := l.(secured); ok {
		return p.newHandshakes(s)
	}
	return &door{l, p}
}

func (d *door) Accept() (net.Conn, error) {
	c, err := d.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return &client{Conn: spelling.Along(c), p: d.p}, nil
}

// attend has a server tell its connections, which a door has handed out, how far they are.
func attend(s *http.Server) {
	s.ConnContext = func(ctx context.Context, c net.Conn) context.Context {
		if known, ok := c.(interface{ own() *client }); ok {
			ctx = context.WithValue(ctx, clientKey{}, known.own())
		}
		return ctx
	}
	s.ConnState = func(c net.Conn, state http.ConnState) {
		if known, ok := c.(interface{ own() *client }); ok && state == http.StateIdle {
			known.own().rests()
		}
	}
}

// client is a client's connection. net/http answers what it cannot read before any handler sees it, in words of its own.
// Those are put into this proxy's: who has only the answer must see that it is not the API's.
type client struct {
	*spelling.Conn
	p     *Proxy
	stage atomic.Int32
}

func (c *client) own() *client { return c }

// secureClient is a client whose connection is secured; one that speaks HTTP/2 stays as it is.
type secureClient struct {
	*client
	secured *tls.Conn
}

func (p *Proxy) secureClient(c *tls.Conn) net.Conn {
	if c.ConnectionState().NegotiatedProtocol == "h2" {
		return c
	}
	return &secureClient{&client{Conn: spelling.Along(c), p: p}, c}
}

// ConnectionState tells net/http that this is TLS.
func (c *secureClient) ConnectionState() tls.ConnectionState { return c.secured.ConnectionState() }

// Stages of a connection. Only while it waits can an answer be net/http's own.
const (
	waits   = iota // for a request that can be read
	answers        // one
	streams        // HTTP/2, whose frames are nobody else's business
)

type clientKey struct{}

// begins marks the request's connection as one that is being answered. It must be called once for each request. It reports
// whether the connection must not be kept, because another reader could find the request's end in another place and take
// what follows for a request, or not: Transfer-Encoding beside Content-Length, or in HTTP/1.0 (RFC 9112 section 6.1).
// net/http has removed one of the two by now, so what was read along decides. What could not be followed for another reason
// counts as well.
func begins(r *http.Request) (ends bool) {
	own, ok := r.Context().Value(clientKey{}).(*client)
	if !ok {
		return false
	}
	if r.ProtoMajor != 1 {
		own.stage.Store(streams)
		return false
	}
	own.stage.Store(answers)
	followed := own.Followed(r)
	return !followed && (len(r.TransferEncoding) > 0 || r.ProtoMinor == 0)
}

// rests is when an answer has left and the next request has not begun.
func (c *client) rests() { c.stage.CompareAndSwap(answers, waits) }

func (c *client) Write(b []byte) (int, error) {
	if c.stage.Load() != waits || !bytes.HasPrefix(b, []byte("HTTP/1.")) {
		return c.Conn.Write(b)
	}
	refusal := refusalOfServer(b)
	c.p.refuseUnread(c.RemoteAddr().String(), refusal)
	if _, err := c.Conn.Write(refusal.wire(c.p.now())); err != nil {
		return 0, err
	}
	linger(c)
	return len(b), nil
}

// lingerTime and lingerBytes bound how long a connection is read on whose last answer has left.
const (
	lingerTime  = time.Second
	lingerBytes = 2 * apiclient.MaxBodyBytes
)

// linger says that there is no more to come, and reads what the client is still sending: bytes that nobody reads reset the
// connection when it is closed, and the answer is lost with it (RFC 9112 section 9.6).
func linger(c net.Conn) {
	half, ok := c.(interface{ CloseWrite() error })
	if !ok || half.CloseWrite() != nil {
		return
	}
	c.SetReadDeadline(time.Now().Add(lingerTime)) //nolint:errcheck // a socket has deadlines
	io.CopyN(io.Discard, c, lingerBytes)          //nolint:errcheck // nothing more can be done
}

// refuseUnread counts and logs a refusal of what is not known as a request.
func (p *Proxy) refuseUnread(remote string, r *Refusal) {
	p.metrics.unreadable(r)
	if p.accessLog {
		p.log.Warn("request", slog.String("remote", remote), slog.Int("status", r.Status), slog.String("code", r.Code), slog.String("error", r.Message))
	}
}

// refusalOfServer translates an answer of net/http's: a status line, a header, and the status with a reason as the body.
func refusalOfServer(answer []byte) *Refusal {
	line, _, _ := bytes.Cut(answer, []byte("\r\n"))
	_, body, _ := bytes.Cut(answer, []byte("\r\n\r\n"))
	words := bytes.SplitN(line, []byte(" "), 3)
	status := http.StatusBadRequest
	if len(words) > 1 {
		if n, err := strconv.Atoi(string(words[1])); err == nil {
			status = n
		}
	}
	switch status {
	case http.StatusRequestHeaderFieldsTooLarge:
		return refuseHeader.because("the request's header is larger than %d bytes, and API Gateway takes 10240; nothing was sent: send less", maxHeader)
	case http.StatusNotImplemented:
		return refuseCoding.because("the only Transfer-Encoding that is understood is chunked; nothing was sent: send that or a Content-Length")
	case http.StatusExpectationFailed:
		return refuseExpect.because("the only Expect that is understood is 100-continue; nothing was sent: leave it out")
	case http.StatusHTTPVersionNotSupported:
		return refuseVersion.because("the request is in no version of HTTP that is spoken here; nothing was sent: use 1.1, or begin with HTTP/2")
	}
	reason := "it is malformed"
	if _, text, ok := bytes.Cut(body, []byte(": ")); ok {
		reason = string(text)
	}
	refusal := refuseUnreadable.because("this is no HTTP request (%s); nothing was sent: send one with one Host and one length", reason)
	refusal.Status = status
	return refusal
}
