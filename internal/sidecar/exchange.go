package sidecar

import (
	"context"
	"errors"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/marquee-api/marquee/apiclient"
)

// statusClientGone is what is logged for a client that did not wait for its answer. It is nobody's answer.
const statusClientGone = 499

// exchange is one request and what became of it.
type exchange struct {
	p *Proxy
	w http.ResponseWriter
	r *http.Request

	started  time.Time
	answered time.Time // when the API's answer began
	sending  sending
	status   int
	refusal  *Refusal // nil when the API answered
	bytesIn  int64
	bytesOut int64
	broken   error // why the answer did not come to its end
	requests string
}

// ServeHTTP passes a request to the API, signed, and its answer back.
func (p *Proxy) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	x := exchange{p: p, w: w, r: r, started: p.now()}
	p.metrics.inFlight.Inc()
	defer x.finish()
	if begins(r) || p.draining.Load() {
		w.Header()["Connection"] = []string{"close"}
	}
	x.run()
}

func (x *exchange) run() {
	if refusal := x.p.admit(x.r); refusal != nil {
		x.refuse(refusal)
		return
	}
	ctx := withSending(x.r.Context(), &x.sending)
	if limit := x.p.timeouts.Request; limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, errRequestTimeout)
		defer cancel()
	}
	out, body, refusal := x.prepare(ctx)
	if refusal != nil {
		x.refuse(refusal)
		return
	}
	if body != nil {
		defer body.release()
	}
	resp, err := x.p.transport.RoundTrip(out)
	if err != nil && x.r.Context().Err() != nil {
		x.status, x.broken = statusClientGone, context.Cause(x.r.Context())
		panic(http.ErrAbortHandler) // returning would be an answer: net/http's 200 without a body
	}
	if err != nil {
		x.refuse(x.p.refusalOf(ctx, err, x.sending.attempts > 0))
		return
	}
	defer resp.Body.Close()
	x.answered = x.p.now()
	x.answer(resp)
}

// admit is all that is decided before a request is read.
func (p *Proxy) admit(r *http.Request) *Refusal {
	if r.Method == http.MethodConnect || r.Method == http.MethodTrace {
		return refuseMethod.because("%s cannot be signed for an API: send the request itself, to http:// and this proxy's address", r.Method)
	}
	if !p.hosts.allows(r.Host) {
		return refuseHost.because("the Host %q is none of this proxy's names: use its address or localhost, or start it with --allow-host %s", r.Host, hostname(r.Host))
	}
	if err := p.origins.Check(r); err != nil {
		return refuseOrigin.because("a web page of another origin (%s) must not have requests signed: start the proxy with --allow-origin if that is meant", r.Header.Get("Origin"))
	}
	if protocol := wantedUpgrade(r.Header); protocol != "" {
		return refuseUpgrade.because("a REST API has no %s: send a plain request without Upgrade", protocol)
	}
	if id := r.Header.Get("X-Apigw-Api-Id"); id != "" && id != p.endpoint.APIID() && p.endpoint.Form() != apiclient.FormLoopback {
		return refuseAPIID.because("x-apigw-api-id %q names another API than %s: leave it out", id, p.endpoint.URL())
	}
	return nil
}

// prepare makes the request that leaves. It is on the way when its body, if there is one, is wholly here.
func (x *exchange) prepare(ctx context.Context) (*http.Request, *spool, *Refusal) {
	to, refusal := x.p.outgoingURL(x.r)
	if refusal != nil {
		return nil, nil, refusal
	}
	out := (&http.Request{
		Method: x.r.Method, URL: to, Host: to.Host, Header: x.p.headers.outgoing(x.r),
		Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
	}).WithContext(ctx)
	if id := x.r.Header.Get("X-Apigw-Api-Id"); id != "" {
		out.Header.Set("X-Apigw-Api-Id", id)
	}
	if x.r.Body == nil || x.r.Body == http.NoBody || x.r.ContentLength == 0 {
		return out, nil, nil
	}
	body, refusal := x.take()
	if refusal != nil {
		return nil, nil, refusal
	}
	if x.bytesIn = body.size; x.bytesIn > 0 {
		out.ContentLength = body.size
		out.Body = body.hashed()
		out.GetBody = func() (io.ReadCloser, error) { return body.open(), nil }
	}
	return out, body, nil
}

// take takes the request's body in. One that says that it is too large is not asked for.
func (x *exchange) take() (*spool, *Refusal) {
	if x.r.ContentLength > apiclient.MaxBodyBytes {
		return nil, refusalOfBody(apiclient.ErrBodyTooLarge, x.p.spoolDir)
	}
	control := http.NewResponseController(x.w)
	if limit := x.p.timeouts.Body; limit > 0 {
		control.SetReadDeadline(time.Now().Add(limit)) //nolint:errcheck // every connection of a server has deadlines
	}
	body, err := x.p.spooler.take(x.r.Body, x.r.ContentLength)
	if err != nil { // the deadline stays: net/http looks for the rest of the body before it answers
		return nil, refusalOfBody(err, x.p.spoolDir)
	}
	control.SetReadDeadline(time.Time{}) //nolint:errcheck // as above
	return body, nil
}

// refuse answers in the API's place.
func (x *exchange) refuse(r *Refusal) {
	x.status, x.refusal = r.Status, r
	if r.Code != refuseTooLarge.Code {
		r.write(x.w)
		return
	}
	control := http.NewResponseController(x.w)
	if x.r.ProtoMajor != 1 {
		// Whoever still sends when a stream has ended is answered by a reset, for which clients drop what they have got. So
		// the answer comes second. One who asked first is told to send here: net/http keeps Expect to itself.
		x.drain(control)
		r.write(x.w)
		return
	}
	x.w.Header()["Connection"] = []string{"close"}
	control.EnableFullDuplex() //nolint:errcheck // HTTP/1 has it
	r.write(x.w)
	if x.r.Header.Get("Expect") == "" && control.Flush() == nil {
		x.drain(control)
	}
}

// drain reads on for a while when a body was refused: most clients send all of theirs before they look for an answer, and
// would find a closed connection in its place. Who asked first (Expect: 100-continue) was not told to send.
func (x *exchange) drain(control *http.ResponseController) {
	control.SetReadDeadline(time.Now().Add(5 * time.Second)) //nolint:errcheck // every connection of a server has deadlines
	buffer := chunks.Get().(*chunk)
	defer chunks.Put(buffer)
	for left := int64(2 * apiclient.MaxBodyBytes); left > 0; {
		n, err := x.r.Body.Read(buffer[:])
		if left -= int64(n); err != nil {
			return
		}
	}
}

// answer passes the API's answer on, each piece as it comes.
func (x *exchange) answer(resp *http.Response) {
	if resp.StatusCode == http.StatusSwitchingProtocols {
		x.refuse(failedElse.because("the API answered 101 Switching Protocols, which nobody asked for"))
		return
	}
	h := x.w.Header()
	incoming(h, resp.Header)
	announced := len(resp.Trailer)
	for name := range resp.Trailer {
		h.Add("Trailer", name)
	}
	if announced > 0 { // HTTP/2 has a length beside them, HTTP/1.1 has one or the other
		delete(h, "Content-Length")
	}
	x.requests = resp.Header.Get("X-Amzn-Requestid")
	x.status = resp.StatusCode
	x.w.WriteHeader(resp.StatusCode)
	if err := x.copy(resp); err != nil {
		x.broken = err
		// The client must see that this is not the end: net/http closes the connection, or resets the stream.
		panic(http.ErrAbortHandler)
	}
	for name, values := range resp.Trailer {
		if len(resp.Trailer) != announced { // HTTP/2 announces none
			name = http.TrailerPrefix + name
		}
		h[name] = values
	}
}

// copy writes the body through one buffer, and flushes each piece that somebody could be waiting for. So are the headers
// of an answer whose length is not known, which may be a stream that is silent at first.
func (x *exchange) copy(resp *http.Response) error {
	if x.r.Method == http.MethodHead {
		return nil
	}
	control := http.NewResponseController(x.w)
	if resp.ContentLength < 0 || len(resp.Trailer) > 0 {
		if err := control.Flush(); err != nil {
			return err
		}
	}
	buffer, done := bufferFor(resp.ContentLength)
	defer done()
	for {
		n, err := resp.Body.Read(buffer)
		if n > 0 {
			m, err := x.w.Write(buffer[:n])
			if x.bytesOut += int64(m); err != nil {
				return err
			}
		}
		atEnd := errors.Is(err, io.EOF)
		if err != nil && !atEnd {
			return err
		}
		if n > 0 && x.flushes(resp, atEnd) {
			if err := control.Flush(); err != nil {
				return err
			}
		}
		if atEnd {
			return nil
		}
	}
}

// flushes reports whether the piece that was just written leaves at once. Where more is to come it does: that may be long
// in coming. The last one of a length that the client knows does, too: it need not wait for the log line and the metrics.
// The last one of another answer leaves with the end, as one write or frame, when the handler returns.
func (x *exchange) flushes(resp *http.Response, atEnd bool) bool {
	if atEnd || x.bytesOut == resp.ContentLength {
		return x.bytesOut == resp.ContentLength && len(resp.Trailer) == 0 && x.r.ProtoMajor == 1
	}
	return true
}

// bufferFor is a buffer to copy an answer with: a small one for a small answer, because there are many of them at once.
func bufferFor(length int64) (buffer []byte, done func()) {
	if 0 <= length && length <= smallAnswer {
		b := smallBuffers.Get().(*[smallAnswer]byte)
		return b[:], func() { smallBuffers.Put(b) }
	}
	c := chunks.Get().(*chunk)
	return c[:], func() { chunks.Put(c) }
}

const smallAnswer = 4 << 10

var smallBuffers = sync.Pool{New: func() any { return new([smallAnswer]byte) }}
