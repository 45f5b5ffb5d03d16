package apiclient

import (
	"errors"
	"fmt"
	"net/http"

	"golang.org/x/net/http/httpguts"

	"github.com/marquee-api/marquee/internal/sigv4"
)

// Transport is an [http.RoundTripper] that signs for one API. It keeps the interface's contract: the caller's request is
// never changed and its body always closed; an answer with an error status is an answer. It is safe for concurrent use.
//
// Each attempt gets a new Authorization, X-Amz-Date and, with temporary credentials, X-Amz-Security-Token; values that
// the request had for these are replaced. A body is hashed before it is sent: with GetBody it is read twice, without it
// is held in memory; more than 10 MiB is [ErrBodyTooLarge]. A request for another host is a [*HostError], one that comes
// from following a redirect [ErrRedirect]; neither is sent.
type Transport struct {
	endpoint    *Endpoint
	base        http.RoundTripper
	signer      *sigv4.Signer
	credentials *credentials
	clock       *clock
	retrier     *retrier
	onSign      func(Signing)
}

var _ http.RoundTripper = (*Transport)(nil)

// NewTransport returns a transport that signs for the endpoint.
func NewTransport(cfg Config) (*Transport, error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	base := cfg.Base
	if base == nil {
		base = defaultBase()
	}
	return &Transport{
		endpoint:    cfg.Endpoint,
		base:        base,
		signer:      new(sigv4.Signer),
		credentials: newCredentials(cfg.Credentials),
		clock:       newClock(cfg.Clock),
		retrier:     newRetrier(cfg.Retry),
		onSign:      cfg.OnSign,
	}, nil
}

// isMade reports whether NewTransport made it, and not new.
func (t *Transport) isMade() bool { return t != nil && t.base != nil }

// CloseIdleConnections closes the connections of the base that are not in use.
func (t *Transport) CloseIdleConnections() {
	if !t.isMade() {
		return
	}
	if base, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}

// RoundTrip signs and sends the request, and repeats it as [Retry] and [Clock] say.
//
// An answer counts from its headers on: the body is handed on as it comes, and when it breaks off the caller has had its
// beginning, which another attempt could not take back. [Client.Do] reads the whole body and repeats such requests, too.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
	if !t.isMade() {
		if req.Body != nil {
			req.Body.Close()
		}
		return nil, errors.New("the transport is none: make it with NewTransport")
	}
	x := exchange{t: t, req: req, ctx: req.Context(), retrier: t.retrier}
	return x.roundTrip()
}

// roundTrip checks the request before the first attempt.
func (x *exchange) roundTrip() (_ *http.Response, err error) {
	t, req := x.t, x.req
	if req.Body != nil {
		defer req.Body.Close()
	}
	if req.Response != nil {
		return nil, fmt.Errorf("%w: %s answered %d", ErrRedirect, t.endpoint.host, req.Response.StatusCode)
	}
	if err := t.endpoint.accepts(req); err != nil {
		return nil, err
	}
	if err := checkHeader(req.Header); err != nil {
		return nil, err
	}
	if x.body, err = readPayload(req); err != nil {
		return nil, err
	}
	return x.run()
}

// checkHeader refuses what net/http would refuse, before anything is signed or counts as sent. Values may be secrets: the
// error shows none.
func checkHeader(header http.Header) error {
	for name, values := range header {
		if !httpguts.ValidHeaderFieldName(name) {
			return fmt.Errorf("header name %q is none: RFC 9110 has letters, digits and some signs, without spaces", name)
		}
		for _, value := range values {
			if !httpguts.ValidHeaderFieldValue(value) {
				return fmt.Errorf("header %q holds a control character: it cannot be sent", name)
			}
		}
	}
	return nil
}
