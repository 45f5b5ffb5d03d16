package http1

import (
	"crypto/tls"
	"errors"
	"net/http"
	"net/http/httptrace"
	"strings"

	"golang.org/x/net/http/httpguts"
)

// Transport is an [http.RoundTripper] for small HTTP/1.1 requests, with an http.Transport for all others. It is safe for
// concurrent use.
type Transport struct {
	next      *http.Transport
	own       bool        // there is nothing in next's settings that is not kept here
	tls       *tls.Config // next's, with the protocols that it offers
	maxBody   int64
	maxHeader int64
	pool      pool
}

var _ http.RoundTripper = (*Transport)(nil)

// defaultMaxHeader is http.Transport's own default.
const defaultMaxHeader = 10 << 20

// New returns a transport that takes requests with bodies of up to maxBody bytes and leaves all others to next. next must
// not have been used yet.
//
// The settings are next's: Proxy, DialContext, TLSClientConfig, TLSHandshakeTimeout, ResponseHeaderTimeout, IdleConnTimeout,
// MaxResponseHeaderBytes, Protocols. MaxIdleConnsPerHost bounds the idle connections to all hosts together, beside those
// of next. A next with a setting that is not kept here gets every request: Protocols must be given, with HTTP1 and without
// UnencryptedHTTP2, DisableCompression must be set, and neither DisableKeepAlives, MaxConnsPerHost nor a dialer for TLS.
func New(next *http.Transport, maxBody int64) *Transport {
	t := &Transport{next: next, own: supported && isKnown(next), maxBody: maxBody, maxHeader: next.MaxResponseHeaderBytes}
	if !t.own {
		return t
	}
	if t.maxHeader <= 0 {
		t.maxHeader = defaultMaxHeader
	}
	t.pool = pool{max: next.MaxIdleConnsPerHost, idleTime: next.IdleConnTimeout}
	if t.pool.max == 0 {
		t.pool.max = http.DefaultMaxIdleConnsPerHost
	}
	t.tls = new(tls.Config)
	if next.TLSClientConfig != nil {
		t.tls = next.TLSClientConfig.Clone()
	}
	t.tls.NextProtos = []string{"http/1.1"}
	if next.Protocols.HTTP2() {
		t.tls.NextProtos = []string{"h2", "http/1.1"}
	}
	return t
}

func isKnown(next *http.Transport) bool {
	//lint:ignore SA1019 who has set it must not be passed over
	oldDialers := next.Dial != nil || next.DialTLS != nil
	p := next.Protocols
	return p != nil && p.HTTP1() && !p.UnencryptedHTTP2() && next.DisableCompression && !next.DisableKeepAlives &&
		next.MaxConnsPerHost == 0 && next.MaxIdleConnsPerHost >= 0 && next.DialTLSContext == nil && !oldDialers
}

// CloseIdleConnections closes the connections that are not in use, next's with them. One whose answer is still being read
// is closed after that.
func (t *Transport) CloseIdleConnections() {
	t.pool.closeIdle()
	t.next.CloseIdleConnections()
}

// RoundTrip sends the request and returns the answer when its header is there. That is http.Transport's answer, but for
// one thing: a Connection that says close and names headers as well is in it. An http.Transport drops it, and there is no
// way to know of it then.
//
// A connection that was open already and is closed before the first byte of an answer is no failure yet: the request is
// sent once more, by a new connection, if it is one that http.Transport would repeat.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if !t.takes(req) {
		return t.next.RoundTrip(req)
	}
	to := origin{req.URL.Scheme, req.URL.Host}
	if to.scheme == "https" && t.pool.isElsewhere(to) {
		return t.next.RoundTrip(req)
	}
	if err := canceled(req.Context()); err != nil {
		closeBody(req)
		return nil, err
	}
	c := t.pool.take(to)
	if c == nil {
		return t.first(req, to)
	}
	resp, err := c.exchange(req)
	var unanswered *unansweredError
	if !errors.As(err, &unanswered) || !isReplayable(req) {
		return resp, err
	}
	again, err := rewound(req)
	if err != nil {
		return nil, err
	}
	if resp, err = t.first(again, to); err != nil {
		return nil, err
	}
	resp.Request = req
	return resp, nil
}

// first sends the request as the first one of a new connection.
func (t *Transport) first(req *http.Request, to origin) (*http.Response, error) {
	c, err := t.dial(req.Context(), to)
	if errors.Is(err, errElsewhere) {
		return t.next.RoundTrip(req)
	}
	if err != nil {
		closeBody(req)
		return nil, err
	}
	return c.exchange(req)
}

// takes reports whether the request is one for this package. What net/http would refuse is none.
func (t *Transport) takes(req *http.Request) bool {
	//lint:ignore SA1019 who has set it must not be passed over
	if !t.own || req.Cancel != nil {
		return false
	}
	if u := req.URL; u == nil || u.Scheme != "http" && u.Scheme != "https" || !isPlainHost(u.Host) {
		return false
	}
	if req.Method != "" && !httpguts.ValidHeaderFieldName(req.Method) || req.Method == http.MethodConnect {
		return false // a method is a token, as a header's name is
	}
	if !t.isSmall(req) || len(req.TransferEncoding) > 0 || len(req.Trailer) > 0 || !isPlainHeader(req.Header) {
		return false
	}
	if t.next.Proxy != nil {
		if proxy, err := t.next.Proxy(req); proxy != nil || err != nil {
			return false
		}
	}
	return httptrace.ContextClientTrace(req.Context()) == nil
}

// isSmall reports whether there is no body, or a small one of a known length. That it can be opened again says that it
// lies somewhere: reading it waits for nobody.
func (t *Transport) isSmall(req *http.Request) bool {
	if req.Body == nil || req.Body == http.NoBody {
		return req.ContentLength == 0
	}
	return 0 < req.ContentLength && req.ContentLength <= t.maxBody && req.GetBody != nil
}

// isPlainHost leaves names that need encoding, and addresses with zones, to net/http.
func isPlainHost(host string) bool {
	for i := range len(host) {
		switch c := host[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case strings.IndexByte("-_.:[]", c) >= 0:
		default:
			return false
		}
	}
	return host != ""
}

// isPlainHeader reports whether the header is valid and asks for nothing of the connection.
func isPlainHeader(h http.Header) bool {
	for name, values := range h {
		switch {
		case !httpguts.ValidHeaderFieldName(name):
			return false
		case strings.EqualFold(name, "Connection"), strings.EqualFold(name, "Expect"), strings.EqualFold(name, "Upgrade"):
			return false
		}
		for _, value := range values {
			if !httpguts.ValidHeaderFieldValue(value) {
				return false
			}
		}
	}
	return h != nil
}

// isReplayable is http.Transport's rule, as the documentation of that type states it. Each body here can be opened again.
func isReplayable(req *http.Request) bool {
	switch req.Method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace:
		return true
	}
	return req.Header["Idempotency-Key"] != nil || req.Header["X-Idempotency-Key"] != nil
}

// rewound is the request with its body opened again.
func rewound(req *http.Request) (*http.Request, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return req, nil
	}
	body, err := req.GetBody()
	if err != nil {
		return nil, err
	}
	again := req.WithContext(req.Context())
	again.Body = body
	return again, nil
}

func closeBody(req *http.Request) {
	if req.Body != nil {
		req.Body.Close()
	}
}
