package sidecar

import (
	"context"
	"crypto/tls"
	"errors"
	"log/slog"
	"net"
	"sync"
	"time"
)

// secured is a listener with TLS. As with tls.Listener, whoever has a connection makes its handshake.
type secured struct {
	net.Listener
	config *tls.Config
}

func (s secured) Accept() (net.Conn, error) {
	c, err := s.Listener.Accept()
	if err != nil {
		return nil, err
	}
	return tls.Server(c, s.config), nil
}

// handshakes is a listener whose connections have made theirs: only then it is known who speaks HTTP/2, which net/http
// recognises by the type *tls.Conn alone, and whose requests may be read along.
type handshakes struct {
	secured
	p       *Proxy
	ready   chan accepted
	ctx     context.Context // ends with the listener
	end     context.CancelFunc
	running sync.WaitGroup
}

type accepted struct {
	conn net.Conn
	err  error
}

func (p *Proxy) newHandshakes(s secured) *handshakes {
	h := &handshakes{secured: s, p: p, ready: make(chan accepted)}
	h.ctx, h.end = context.WithCancel(context.Background())
	h.running.Go(h.run)
	return h
}

func (h *handshakes) Accept() (net.Conn, error) {
	select {
	case a := <-h.ready:
		return a.conn, a.err
	case <-h.ctx.Done():
		return nil, net.ErrClosed
	}
}

// Close ends the handshakes that are under way, too.
func (h *handshakes) Close() error {
	h.end()
	err := h.Listener.Close()
	h.running.Wait()
	return err
}

func (h *handshakes) run() {
	for {
		raw, err := h.Listener.Accept()
		if err != nil {
			if !h.hand(accepted{err: err}) || errors.Is(err, net.ErrClosed) {
				return
			}
			continue
		}
		h.running.Go(func() { h.shake(raw) })
	}
}

// hand waits until the server takes it.
func (h *handshakes) hand(a accepted) bool {
	select {
	case h.ready <- a:
		return true
	case <-h.ctx.Done():
		return false
	}
}

func (h *handshakes) shake(raw net.Conn) {
	ctx, cancel := h.ctx, func() {}
	if limit := h.p.timeouts.ReadHeader; limit > 0 {
		ctx, cancel = context.WithTimeout(ctx, limit)
	}
	defer cancel()
	c := tls.Server(raw, h.config)
	if err := c.HandshakeContext(ctx); err != nil {
		h.failed(raw, err)
		raw.Close()
		return
	}
	if !h.hand(accepted{conn: h.p.secureClient(c)}) {
		raw.Close()
	}
}

// failed says in plain text that TLS is spoken here, to whom can be told.
func (h *handshakes) failed(raw net.Conn, err error) {
	remote := raw.RemoteAddr().String()
	var plain tls.RecordHeaderError
	if !errors.As(err, &plain) || plain.Conn == nil || plain.RecordHeader[0] < 'A' || plain.RecordHeader[0] > 'Z' {
		h.p.log.Warn("TLS handshake failed", slog.String("remote", remote), slog.String("error", err.Error()))
		return
	}
	refusal := refuseUnreadable.because("TLS is spoken here; nothing was sent: write https:// in place of http://")
	h.p.refuseUnread(remote, refusal)
	defer context.AfterFunc(h.ctx, func() { raw.Close() })()
	raw.SetWriteDeadline(time.Now().Add(lingerTime)) //nolint:errcheck // a socket has deadlines
	if _, err := raw.Write(refusal.wire(h.p.now())); err == nil {
		linger(raw)
	}
}
