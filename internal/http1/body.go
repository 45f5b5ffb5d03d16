package http1

import (
	"context"
	"io"
	"net/http"
	"sync"
)

// body is an answer's body. At its end the connection goes back to the pool; if it is left before its end, the connection
// ends with it. Close may come from another goroutine while Read waits, and ends that wait.
type body struct {
	from io.Reader
	c    *conn
	ctx  context.Context // the request's
	stop func() bool     // ends the watch over ctx, and reports whether it had done nothing
	keep bool            // both sides go on with the connection

	mu    sync.Mutex // not held while reading
	ended error      // how: the first of the end, a failure, Close
}

func (b *body) Read(p []byte) (int, error) {
	b.mu.Lock()
	ended := b.ended
	b.mu.Unlock()
	if ended != nil {
		return 0, ended
	}
	n, err := b.from.Read(p)
	if err == nil {
		return n, nil
	}
	if err != io.EOF { // which is the body's own word for its end, never wrapped
		err = because(b.ctx, err)
	}
	return n, b.end(err)
}

// Close ends the connection unless the body was read to its end.
func (b *body) Close() error {
	b.end(http.ErrBodyReadAfterClose)
	return nil
}

// whole is the end of a body that was read.
func (b *body) whole() { b.end(io.EOF) }

// end returns how the body has ended, which is what whoever was first says.
func (b *body) end(err error) error {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.ended != nil {
		return b.ended
	}
	b.ended = err
	if undisturbed := b.stop(); err != io.EOF || !undisturbed || !b.keep || !b.c.isDrained() || !b.c.t.pool.put(b.c) {
		b.c.drop()
	}
	return err
}
