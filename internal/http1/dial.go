package http1

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/url"
)

// errElsewhere says that the peer chose another protocol than HTTP/1.1.
var errElsewhere = errors.New("the peer chose another protocol than HTTP/1.1")

// origin is what a connection leads to. A request never takes one of another origin.
type origin struct{ scheme, host string }

// address is what is dialled, and the name that a certificate must have.
func (o origin) address() (address, name string) {
	u := url.URL{Host: o.host}
	name = u.Hostname()
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[o.scheme]
	}
	return net.JoinHostPort(name, port), name
}

// dial opens a connection.
func (t *Transport) dial(ctx context.Context, to origin) (*conn, error) {
	// A dialer that sees the deadline of a context calls its passing a timeout of the network, maybe before the context
	// itself has ended. This one only ends.
	open, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(ctx, cancel)()
	address, name := to.address()
	dial := t.next.DialContext
	if dial == nil {
		dial = new(net.Dialer).DialContext
	}
	socket, err := dial(open, "tcp", address)
	if err != nil {
		return nil, because(ctx, err)
	}
	c := newConn(t, to, socket)
	if to.scheme == "https" {
		if err := c.secure(open, name); err != nil {
			socket.Close()
			return nil, because(ctx, err)
		}
		if c.state.NegotiatedProtocol != "" && c.state.NegotiatedProtocol != "http/1.1" {
			c.close()
			t.pool.setElsewhere(to)
			return nil, errElsewhere
		}
	}
	return c, nil
}

// secure puts TLS between the connection and its socket.
func (c *conn) secure(ctx context.Context, name string) error {
	cfg := c.t.tls
	if cfg.ServerName == "" {
		cfg = cfg.Clone()
		cfg.ServerName = name
	}
	if limit := c.t.next.TLSHandshakeTimeout; limit > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeoutCause(ctx, limit, errHandshakeTimeout)
		defer cancel()
	}
	c.records = &records{Conn: c.socket}
	secured := tls.Client(c.records, cfg)
	if err := secured.HandshakeContext(ctx); err != nil {
		if errors.Is(context.Cause(ctx), errHandshakeTimeout) {
			return errHandshakeTimeout
		}
		return err
	}
	state := secured.ConnectionState()
	c.stream, c.state = secured, &state
	return nil
}

// canceled is why the context has ended; nil as long as it has not.
func canceled(ctx context.Context) error {
	if ctx.Err() == nil {
		return nil
	}
	return context.Cause(ctx)
}

// because prefers the reason why the context has ended to what that did to the connection.
func because(ctx context.Context, err error) error {
	if cause := canceled(ctx); cause != nil {
		return cause
	}
	return err
}
