package apiclient

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// maxErrorPeek bounds how much of a refusal is read to find out what it is about. A refusal quotes two canonical texts,
// which the gateway's own limit on headers keeps below this.
const maxErrorPeek = 64 << 10

// exchange is one request with all its attempts.
type exchange struct {
	t     *Transport
	ctx   context.Context // the request's
	req   *http.Request   // the caller's: only read
	body  payload
	limit int64 // of an answer that is read as part of its attempt; 0 hands the body on unread

	retrier *retrier
	retried []Attempt
	content []byte // of the answer, if it was read

	attempts  int // all that were sent
	mended    int // of these, the ones after which a clock or a token was put right
	used      aws.Credentials
	flight    flight
	retimed   bool
	refreshed bool
	release   func(error) error // gives the latest retry's quota back
}

// run returns the answer of the last attempt.
func (x *exchange) run() (*http.Response, error) {
	for {
		out, err := x.prepare()
		if err != nil {
			return nil, err
		}
		resp, err := x.send(out)
		again, wait := x.mends(resp), time.Duration(0)
		if !again {
			wait, again, err = x.judge(resp, err)
			if tell := x.retrier.policy.OnRetry; again && tell != nil {
				a := x.attempt(resp, err)
				a.Number = x.attempts
				tell(a, wait)
			}
		}
		switch {
		case again:
			x.repeat(resp, err)
		case err != nil && resp != nil: // broken off
			resp.Body.Close()
			return nil, err
		default:
			return resp, err
		}
		if err := sleep(x.ctx, wait); err != nil {
			return nil, err
		}
	}
}

// judge reports whether the policy asks for another attempt, and after how long. The answer of the last one is ready to be
// handed on.
func (x *exchange) judge(resp *http.Response, err error) (wait time.Duration, again bool, _ error) {
	release := x.release
	x.release = nil
	refused := resp != nil && resp.StatusCode >= http.StatusBadRequest
	if resp == nil || refused {
		// By the status alone: the body of a refusal that is repeated is nobody's, and may be long in coming.
		wait, again = x.wantsRetry(resp, err)
	}
	if refused && !again && resp.StatusCode != http.StatusForbidden { // mends has looked into that one
		peek(resp)
	}
	if resp != nil && !again && x.limit > 0 {
		err = x.read(resp)
	}
	if resp != nil && !again && (err != nil || !refused) {
		wait, again = x.wantsRetry(resp, err)
	}
	x.retrier.settle(x.attempt(resp, err), release)
	return wait, again, err
}

// repeat notes an attempt that another one follows, and gives its connection back.
func (x *exchange) repeat(resp *http.Response, err error) {
	a := x.attempt(resp, err)
	a.Number = x.attempts // as they were sent, whatever for
	x.retried = append(x.retried, a)
	if resp != nil {
		discard(resp.Body)
	}
}

func (x *exchange) attempt(resp *http.Response, err error) Attempt {
	a := Attempt{Number: x.attempts - x.mended, Request: x.req, Err: err}
	if resp != nil {
		a.StatusCode, a.Header = resp.StatusCode, resp.Header
	}
	return a
}

// prepare makes and signs what is sent, with the time and the credentials of now.
func (x *exchange) prepare() (*http.Request, error) {
	if err := x.ctx.Err(); err != nil { // the base may be one that does not look
		return nil, err
	}
	used, err := x.t.credentials.retrieve(x.ctx)
	if err != nil {
		return nil, err
	}
	x.used, x.flight = used, x.t.clock.depart()
	out := x.t.outgoing(x.req, x.body)
	if err := x.t.sign(out, x.body.hash, x.used, x.flight); err != nil {
		return nil, fmt.Errorf("signing for %s: %w", x.t.endpoint.host, err)
	}
	if out.Body, err = x.body.body(); err != nil {
		return nil, fmt.Errorf("replaying the request body: %w", err)
	}
	return out, nil
}

func (x *exchange) send(out *http.Request) (*http.Response, error) {
	x.attempts++
	resp, err := x.t.base.RoundTrip(out)
	x.flight.received = x.t.clock.cfg.Now()
	if err != nil {
		return nil, fmt.Errorf("calling %s: %w", x.t.endpoint.dial, err)
	}
	x.retrier.learn(x.flight)
	// What was sent holds a signature and a token; whoever logs an answer's request gets the caller's own.
	resp.Request = x.req
	return resp, nil
}

// read takes the whole body. An answer that breaks off is none.
func (x *exchange) read(resp *http.Response) (err error) {
	if x.content, err = readLimited(resp, x.limit); err != nil {
		return fmt.Errorf("reading the answer: %w", err)
	}
	return nil
}

// outgoing is the caller's request as it leaves, with headers of its own and the endpoint's names.
func (t *Transport) outgoing(req *http.Request, body payload) *http.Request {
	out := req.WithContext(req.Context()) // a shallow copy
	// With what a signature adds; a map of up to eight is one small piece of memory.
	out.Header = make(http.Header, len(req.Header)+3)
	for name, values := range req.Header {
		if !isSignature(name) {
			out.Header[name] = slices.Clip(values)
		}
	}
	if t.endpoint.apiID != "" {
		out.Header.Set(apiIDHeader, t.endpoint.apiID)
	}
	out.Host = t.endpoint.host
	if out.URL.Host != t.endpoint.dial || out.URL.Scheme != t.endpoint.dialScheme {
		url := *req.URL
		url.Scheme, url.Host = t.endpoint.dialScheme, t.endpoint.dial
		out.URL = &url
	}
	out.ContentLength, out.TransferEncoding, out.GetBody = body.size, nil, body.open
	return out
}

// wantsRetry reports whether another attempt is due, and after how long.
func (x *exchange) wantsRetry(resp *http.Response, err error) (time.Duration, bool) {
	a := x.attempt(resp, err)
	if x.ctx.Err() != nil || !x.retrier.wants(a) {
		return 0, false
	}
	wait, release, ok := x.retrier.reserve(x.ctx, a, x.flight.received.Add(x.flight.offset))
	x.release = release
	return wait, ok
}

// discardTime is how long the rest of an answer that is thrown away may take: more, and a new connection is quicker.
const discardTime = 50 * time.Millisecond

// discard reads the rest of a short answer, so that its connection can be used again, and closes it. What does not come in
// a moment is not waited for: closing it while it is read drops the connection.
func discard(body io.ReadCloser) {
	read := make(chan struct{})
	go func() {
		defer close(read)
		io.CopyN(io.Discard, body, maxErrorPeek) //nolint:errcheck // the answer is thrown away
	}()
	timer := time.NewTimer(discardTime)
	defer timer.Stop()
	select {
	case <-read:
		body.Close()
	case <-timer.C:
		go body.Close() //nolint:errcheck // as above; some bodies wait for their reader then
	}
}

// peek reads what API Gateway says in an error of its own, and leaves the body as it was but for session tokens: the
// message about a wrong signature quotes the request.
func peek(resp *http.Response) string {
	if resp.StatusCode < http.StatusBadRequest || errorType(resp.Header) == "" {
		return ""
	}
	head, err := io.ReadAll(io.LimitReader(resp.Body, maxErrorPeek))
	clean := redact(head)
	rest := io.Reader(resp.Body)
	if err != nil {
		rest = failingReader{err}
	}
	if resp.ContentLength >= 0 && len(clean) != len(head) {
		resp.ContentLength += int64(len(clean) - len(head))
		resp.Header.Set("Content-Length", fmt.Sprint(resp.ContentLength))
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.MultiReader(bytes.NewReader(clean), rest), resp.Body}
	return errorMessage(clean)
}

type failingReader struct{ err error }

func (r failingReader) Read([]byte) (int, error) { return 0, r.err }

// mends reports whether the request is worth sending again because of what could be put right.
func (x *exchange) mends(resp *http.Response) bool {
	return resp != nil && resp.StatusCode == http.StatusForbidden && x.mend(resp, peek(resp)) && x.retrier.inTime(x.ctx, 0)
}

// mend puts right, once each, what made API Gateway refuse a good caller: a clock that is wrong, a token that has ended.
// It reports whether the request is worth sending again for it.
func (x *exchange) mend(resp *http.Response, message string) bool {
	complaint := complaintOf(resp, message)
	switch {
	case complaint == aboutClock && !x.retimed:
		x.retimed = x.t.clock.correct(x.flight, resp.Header, message)
		if !x.retimed {
			return false
		}
	case complaint == aboutToken && !x.refreshed:
		x.refreshed = true
		if !x.t.credentials.replace(x.ctx, x.used) {
			return false
		}
	default:
		return false
	}
	x.mended++
	return true
}
