package loadgen

import (
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptrace"
	"syscall"
	"time"
)

// worker sends one request at a time. What it keeps from one to the next costs the generator nothing per request.
type worker struct {
	run            *run
	ctx            context.Context
	opened, reused int64 // connections that the current request was sent on
}

func newWorker(r *run) *worker {
	w := &worker{run: r}
	w.ctx = httptrace.WithClientTrace(r.sending, &httptrace.ClientTrace{GotConn: func(info httptrace.GotConnInfo) {
		if info.Reused {
			w.reused++
		} else {
			w.opened++
		}
	}})
	return w
}

// sample is what came of one request.
type sample struct {
	request         int // index
	due, sent, done time.Time
	status          int // 0 without a whole answer
	kind            string
	err             error
	out, in         int64 // bytes of bodies
	opened, reused  int64
	abandoned       bool // the run was stopped meanwhile
}

func (w *worker) send(a arrival) {
	r := w.run
	s := sample{request: r.order[a.turn%len(r.order)], due: a.due}
	ctx, cancel := w.ctx, context.CancelFunc(func() {})
	if r.Timeout > 0 {
		ctx, cancel = context.WithTimeout(ctx, r.Timeout)
	}
	defer cancel()
	w.opened, w.reused = 0, 0
	out, err := w.request(ctx, s.request)
	s.sent = r.Now()
	if err == nil {
		s.out = max(out.ContentLength, 0)
		w.exchange(out, &s)
	} else {
		s.err = err
	}
	s.done = r.Now()
	s.opened, s.reused = w.opened, w.reused
	s.abandoned = s.err != nil && r.sending.Err() != nil
	r.record.add(s)
}

func (w *worker) request(ctx context.Context, index int) (*http.Request, error) {
	out := w.run.Requests[index].HTTP.WithContext(ctx)
	if out.GetBody != nil {
		body, err := out.GetBody()
		if err != nil {
			return nil, err
		}
		out.Body = body
	}
	return out, nil
}

// exchange sends the request and reads the answer to its end: an answer that breaks off is none.
func (w *worker) exchange(out *http.Request, s *sample) {
	resp, err := w.run.Transport.RoundTrip(out)
	if err != nil {
		s.err = err
		return
	}
	defer resp.Body.Close()
	if s.in, s.err = io.Copy(io.Discard, resp.Body); s.err != nil {
		return
	}
	s.status = resp.StatusCode
	if w.run.Kind != nil {
		s.kind = w.run.Kind(resp)
	}
}

// reason names what kept an answer away, in few words to count by.
func reason(err error) string {
	var (
		dns         *net.DNSError
		certificate *tls.CertificateVerificationError
		network     net.Error
	)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return "timeout"
	case errors.Is(err, syscall.ECONNREFUSED):
		return "connection refused"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE):
		return "connection reset"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "broken off"
	case errors.Is(err, syscall.EADDRNOTAVAIL), errors.Is(err, syscall.EMFILE):
		return "no more connections"
	case errors.As(err, &dns):
		return "name not found"
	case errors.As(err, &certificate):
		return "certificate"
	case errors.As(err, &network) && network.Timeout():
		return "timeout"
	default:
		return "other"
	}
}
