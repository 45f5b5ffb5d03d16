package apiclient

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/marquee-api/marquee/internal/sigv4"
)

// Config is what a [Client] or a [Transport] is made of. Endpoint and Credentials are required.
type Config struct {
	// Endpoint is the API, from [ResolveEndpoint].
	Endpoint *Endpoint
	// Credentials sign. A provider that is no *aws.CredentialsCache is wrapped in one.
	Credentials aws.CredentialsProvider
	// Base sends the signed requests. nil is what [NewBase] makes with the proxy of http.DefaultTransport, which is the
	// environment's. It must not follow redirects, and no transport does. The bodies of its answers may be closed while
	// they are read, as net/http's may.
	Base http.RoundTripper
	// Retry says when a request is sent again.
	Retry Retry
	// Clock says which time signatures carry.
	Clock Clock
	// MaxResponseBytes bounds the body of an answer that [Client] reads into memory. 0 means 10 MiB, API Gateway's own
	// limit. A [Transport] streams and has no limit.
	MaxResponseBytes int64
	// OnSign is shown what each attempt signed, session tokens redacted. nil costs nothing.
	OnSign func(Signing)
}

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
	if cfg.Endpoint == nil {
		return nil, errors.New("config has no Endpoint: make one with ResolveEndpoint")
	}
	if cfg.Credentials == nil {
		return nil, errors.New("config has no Credentials: give a provider, such as Credentials of the SDK's default configuration")
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

// CloseIdleConnections closes the connections of the base that are not in use.
func (t *Transport) CloseIdleConnections() {
	if base, ok := t.base.(interface{ CloseIdleConnections() }); ok {
		base.CloseIdleConnections()
	}
}

// RoundTrip signs and sends the request, and repeats it as [Retry] and [Clock] say.
//
// An answer counts from its headers on: the body is handed on as it comes, and when it breaks off the caller has had its
// beginning, which another attempt could not take back. [Client.Do] reads the whole body and repeats such requests, too.
func (t *Transport) RoundTrip(req *http.Request) (*http.Response, error) {
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
	if x.body, err = readPayload(req); err != nil {
		return nil, err
	}
	return x.run()
}
