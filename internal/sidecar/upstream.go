package sidecar

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"strings"
	"syscall"
	"time"

	"github.com/marquee-api/marquee/internal/http1"
)

const (
	defaultIdleConnections = 128
	// idleTime is how long an unused connection to the API is kept: less than the gateway's side keeps it, so that a
	// request is rarely sent into one that is just being closed.
	idleTime = 50 * time.Second
	// pingAfter is how long an HTTP/2 connection may be silent before it is asked whether it still stands.
	pingAfter = 15 * time.Second
	// maxAnswerHeader is generous: API Gateway lets a function answer with 10,240 bytes of headers.
	maxAnswerHeader = 1 << 20
)

// newBase sends what is signed. Small requests by HTTP/1.1, which is nearly all of them, go by the short way. It asks for
// no compression of its own and undoes none: bodies pass as they are.
func newBase(u Upstream, t Timeouts) *http1.Transport {
	idle := u.IdleConnections
	if idle <= 0 {
		idle = defaultIdleConnections
	}
	dialer := &net.Dialer{Timeout: t.Dial, KeepAlive: 30 * time.Second}
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(!u.HTTP1)
	return http1.New(&http.Transport{
		Proxy:       proxyTLS(u.Proxy),
		DialContext: dialer.DialContext,
		// A small request is of use to the gateway when it is whole: it leaves in one record, not in growing ones.
		TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: u.Roots, DynamicRecordSizingDisabled: true},
		TLSHandshakeTimeout:    t.Dial,
		DisableCompression:     true,
		MaxIdleConns:           idle,
		MaxIdleConnsPerHost:    idle,
		MaxResponseHeaderBytes: maxAnswerHeader,
		IdleConnTimeout:        idleTime,
		ResponseHeaderTimeout:  t.ResponseHeader,
		Protocols:              protocols,
		HTTP2:                  &http.HTTP2Config{SendPingTimeout: pingAfter},
	}, maxSmall)
}

// proxyTLS asks for a proxy for https alone. Plain http is for this machine, and a proxy could read what is signed.
func proxyTLS(choose func(*http.Request) (*url.URL, error)) func(*http.Request) (*url.URL, error) {
	if choose == nil {
		return nil
	}
	return func(r *http.Request) (*url.URL, error) {
		if r.URL.Scheme != "https" {
			return nil, nil
		}
		return choose(r)
	}
}

// sending is what became of one request on the way to the API.
type sending struct{ attempts int }

type sendingKey struct{}

// counting counts the attempts of each request.
type counting struct{ *http1.Transport }

func (c counting) RoundTrip(r *http.Request) (*http.Response, error) {
	if s, ok := r.Context().Value(sendingKey{}).(*sending); ok {
		s.attempts++
	}
	return c.Transport.RoundTrip(r)
}

func withSending(ctx context.Context, s *sending) context.Context {
	return context.WithValue(ctx, sendingKey{}, s)
}

// isHangUp reports whether the other side closed a connection before it had answered.
func isHangUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) || errors.Is(err, syscall.ECONNRESET) ||
		errors.Is(err, syscall.EPIPE) || strings.Contains(err.Error(), "server closed idle connection")
}
