package http1

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"math"
	"net"
	"net/http"
	"sync"
	"syscall"
	"time"
)

const (
	readBuffer = 4 << 10
	// maxBuffer is what a buffer for requests may have grown to and still be kept: a small body with the most header that
	// a client of ours sends. Few are that large.
	maxBuffer = 32 << 10
)

var buffers = sync.Pool{New: func() any { return new(bytes.Buffer) }}

// conn is a connection. It belongs to one request, from taking it out of the pool to the end of the answer's body, or to
// the pool. Its timer bounds the wait for a header in the first case and the idle time in the second. Whatever is to end
// the connection from outside (the timer, a context, a body that is closed early) closes the socket: such a connection is
// never used again, so there is no deadline to take back.
type conn struct {
	t       *Transport
	to      origin
	socket  net.Conn
	stream  net.Conn // the socket, or TLS above it
	records *records // nil without TLS
	state   *tls.ConnectionState
	raw     syscall.RawConn // nil if there is no way to look into the socket
	in      *bufio.Reader
	head    rawHeader // of the answer that is being read
	left    int64     // bytes that may still be read
	timer   *time.Timer
	armed   bool
	cut     func()
}

func newConn(t *Transport, to origin, socket net.Conn) *conn {
	c := &conn{t: t, to: to, socket: socket, stream: socket}
	c.in = bufio.NewReaderSize(c, readBuffer)
	c.head.in = c.in
	c.cut = func() { socket.Close() }
	if s, ok := socket.(syscall.Conn); ok {
		if raw, err := s.SyscallConn(); err == nil {
			c.raw = raw
		}
	}
	return c
}

// Read is for the buffer.
func (c *conn) Read(p []byte) (int, error) {
	if c.left <= 0 {
		return 0, errors.New("the header of the answer is too large")
	}
	if int64(len(p)) > c.left {
		p = p[:c.left]
	}
	n, err := c.stream.Read(p)
	c.left -= int64(n)
	c.head.add(p[:n])
	return n, err
}

// arm starts the timer, unless there is no limit.
func (c *conn) arm(limit time.Duration) {
	if c.armed = limit > 0; !c.armed {
		return
	}
	if c.timer != nil {
		c.timer.Reset(limit) // it was stopped in time: another connection would be closed by now
		return
	}
	c.timer = time.AfterFunc(limit, func() {
		if c.t.pool.remove(c) {
			c.stream.Close()
		} else {
			c.socket.Close()
		}
	})
}

// disarm reports whether the timer was stopped in time.
func (c *conn) disarm() bool {
	inTime := !c.armed || c.timer.Stop()
	c.armed = false
	return inTime
}

// drop ends a connection that is of no use any more.
func (c *conn) drop() {
	c.disarm()
	c.socket.Close()
}

// close ends a connection at rest, and tells the other side that this is the end. Nothing waits to be sent, so that this
// takes no time.
func (c *conn) close() {
	c.disarm()
	c.stream.Close()
}

// exchange sends the request, whose body it closes, and reads the answer's header.
func (c *conn) exchange(req *http.Request) (*http.Response, error) {
	ctx := req.Context()
	stop := func() bool { return true }
	if ctx.Done() != nil {
		stop = context.AfterFunc(ctx, c.cut)
	}
	c.arm(c.t.next.ResponseHeaderTimeout)
	resp, keep, err := c.answer(req)
	inTime := c.disarm()
	if err != nil || !inTime {
		stop()
		c.drop()
		if !inTime {
			err = errHeaderTimeout
		}
		return nil, because(ctx, err)
	}
	resp.TLS = c.state
	b := &body{from: resp.Body, c: c, ctx: ctx, stop: stop, keep: keep && c.raw != nil}
	if resp.Body == http.NoBody {
		b.whole()
	} else {
		resp.Body = b
	}
	return resp, nil
}

// answer writes the request and reads until the answer's header is whole. keep says that both sides go on with the
// connection.
func (c *conn) answer(req *http.Request) (resp *http.Response, keep bool, err error) {
	request := buffers.Get().(*bytes.Buffer)
	if err := req.Write(request); err != nil {
		release(request)
		return nil, false, err
	}
	_, cut := c.stream.Write(request.Bytes())
	release(request)
	// Who closes a connection in the middle of a request may have said why: a header that is too large, no more time.
	if cut != nil && !errors.Is(cut, syscall.EPIPE) && !errors.Is(cut, syscall.ECONNRESET) {
		return nil, false, &unansweredError{cut}
	}
	c.left = c.t.maxHeader
	if _, err := c.in.Peek(1); err != nil {
		if cut != nil {
			err = cut
		}
		return nil, false, &unansweredError{err}
	}
	if resp, err = c.header(req); err != nil {
		return nil, false, err
	}
	c.left = math.MaxInt64
	return resp, cut == nil && !req.Close && !resp.Close && resp.StatusCode >= 200, nil
}

// header reads the answer's header, and passes over what precedes it. The limit is one for all of them.
func (c *conn) header(req *http.Request) (*http.Response, error) {
	for {
		c.head.begin()
		resp, err := http.ReadResponse(c.in, req)
		c.head.end(resp)
		if err != nil && c.left <= 0 {
			return nil, fmt.Errorf("the header of the answer is larger than %d bytes", c.t.maxHeader)
		}
		if err != nil {
			return nil, fmt.Errorf("reading the answer: %w", err)
		}
		if resp.StatusCode < 100 || resp.StatusCode > 199 || resp.StatusCode == http.StatusSwitchingProtocols {
			return resp, nil
		}
	}
}

// release puts a request's buffer back.
func release(b *bytes.Buffer) {
	if b.Cap() <= maxBuffer {
		b.Reset()
		buffers.Put(b)
	}
}

// isDrained reports whether nothing is left beyond the answer that has been read. What is left would be taken for the next
// request's answer.
func (c *conn) isDrained() bool {
	return c.in.Buffered() == 0 && (c.records == nil || c.records.isDrained(c.stream))
}

// isReady reports whether the connection, at rest until now, may be written to: it was in time, the other side has not
// closed it, and has not said anything unasked.
func (c *conn) isReady() bool { return c.disarm() && isSilent(c.raw) }
