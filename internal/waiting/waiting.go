// Package waiting bounds how long an HTTP exchange may keep its caller waiting, and says what for when that was too long: a
// connection, the beginning of the answer, its next piece.
//
// It does not bound how long an answer takes as a whole: one that goes on coming is not waited for. It signs nothing and
// repeats nothing.
package waiting

import (
	"context"
	"crypto/tls"
	"fmt"
	"io"
	"net/http"
	"net/http/httptrace"
	"sync/atomic"
	"time"
)

// Transport is an [http.RoundTripper] that waits for the beginning of an answer, and then for each piece of it, no longer than
// Limit.
type Transport struct {
	// Base sends.
	Base http.RoundTripper
	// Limit is the most time to wait; 0 is any.
	Limit time.Duration
}

var _ http.RoundTripper = (*Transport)(nil)

// Timeout says that it took too long. It is [context.DeadlineExceeded].
type Timeout struct {
	// Limit is how long it was waited.
	Limit time.Duration
	// For is what for: "the answer to begin".
	For string
}

func (e *Timeout) Error() string { return fmt.Sprintf("waited %s for %s", e.Limit, e.For) }

// Unwrap returns context.DeadlineExceeded.
func (e *Timeout) Unwrap() error { return context.DeadlineExceeded }

// Timeout implements net.Error's method of this name.
func (e *Timeout) Timeout() bool { return true }

// RoundTrip implements http.RoundTripper.
func (t *Transport) RoundTrip(r *http.Request) (*http.Response, error) {
	if t.Limit <= 0 {
		return t.Base.RoundTrip(r)
	}
	ctx, cancel := context.WithCancelCause(r.Context())
	w := &watch{limit: t.Limit, ctx: ctx, cancel: cancel}
	w.now("a connection to " + r.URL.Host)
	w.timer = time.AfterFunc(t.Limit, w.expire)
	resp, err := t.Base.RoundTrip(r.WithContext(httptrace.WithClientTrace(ctx, w.trace(r.URL.Host))))
	w.timer.Stop()
	if err != nil {
		err = w.reason(err)
		cancel(nil)
		return nil, err
	}
	w.now("more of the answer")
	resp.Body = &body{ReadCloser: resp.Body, watch: w}
	return resp, nil
}

// watch is over one exchange.
type watch struct {
	limit  time.Duration
	ctx    context.Context // the exchange's
	cancel context.CancelCauseFunc
	timer  *time.Timer
	stage  atomic.Pointer[string]
}

// now notes what is waited for from now on. Transports report from several goroutines.
func (w *watch) now(stage string) { w.stage.Store(&stage) }

func (w *watch) expire() { w.cancel(&Timeout{Limit: w.limit, For: *w.stage.Load()}) }

// reason is the timeout where that was what ended the exchange: the transport's own error is then about the consequence.
func (w *watch) reason(err error) error {
	if timeout, ok := context.Cause(w.ctx).(*Timeout); ok {
		return timeout
	}
	return err
}

func (w *watch) trace(host string) *httptrace.ClientTrace {
	return &httptrace.ClientTrace{
		DNSStart:          func(i httptrace.DNSStartInfo) { w.now("the address of " + i.Host) },
		ConnectStart:      func(_, address string) { w.now("a connection to " + address) },
		TLSHandshakeStart: func() { w.now("TLS with " + host) },
		TLSHandshakeDone:  func(tls.ConnectionState, error) { w.now("a connection to " + host) },
		GotConn:           func(httptrace.GotConnInfo) { w.now(host + " to take the request") },
		WroteRequest:      func(httptrace.WroteRequestInfo) { w.now("the answer of " + host + " to begin") },
	}
}

// body is an answer's, each piece of which is waited for.
type body struct {
	io.ReadCloser
	watch *watch
}

func (b *body) Read(p []byte) (int, error) {
	b.watch.timer.Reset(b.watch.limit)
	n, err := b.ReadCloser.Read(p)
	b.watch.timer.Stop()
	if err != nil && err != io.EOF {
		err = b.watch.reason(err)
	}
	return n, err
}

func (b *body) Close() error {
	b.watch.timer.Stop()
	err := b.ReadCloser.Close()
	b.watch.cancel(nil)
	return err
}
