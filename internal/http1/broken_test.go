package http1_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

var errWhy = errors.New("the reason of the test")

// cancelable is a request that the test ends for a reason.
func cancelable(t *testing.T, method, url, body string) (*http.Request, context.CancelCauseFunc) {
	t.Helper()
	req := newRequest(t, method, url, body)
	ctx, cancel := context.WithCancelCause(req.Context())
	t.Cleanup(func() { cancel(nil) })
	return req.WithContext(ctx), cancel
}

// isTimeout is how a caller asks.
func isTimeout(err error) bool {
	var network net.Error
	return errors.As(err, &network) && network.Timeout()
}

func TestCanceledBefore(t *testing.T) {
	tr := newTransport(t, nil)
	req, cancel := cancelable(t, "GET", "http://127.0.0.1:1/a", "")
	cancel(errWhy)
	if _, err := tr.RoundTrip(req); err != errWhy {
		t.Errorf("got %v, want the reason", err)
	}
	tr.opened(t, 0)
}

func TestCanceledWhileDialling(t *testing.T) {
	dialling := make(chan bool)
	tr := newTransport(t, func(next *http.Transport) {
		next.DialContext = func(ctx context.Context, _, _ string) (net.Conn, error) {
			if _, limited := ctx.Deadline(); limited {
				t.Error("the dialer sees a deadline, and would call its end a timeout of the network")
			}
			close(dialling)
			<-ctx.Done()
			return nil, &net.OpError{Op: "dial", Err: errors.New("operation was canceled")}
		}
	})
	req, cancel := cancelable(t, "GET", "http://127.0.0.1:1/a", "")
	go func() { <-dialling; cancel(errWhy) }()
	if _, err := tr.RoundTrip(req); err != errWhy {
		t.Errorf("got %v, want the reason", err)
	}
}

func TestCanceledWhileWaiting(t *testing.T) {
	for name, reused := range map[string]bool{"first request": false, "later request": true} {
		t.Run(name, func(t *testing.T) {
			arrived, ended := make(chan bool), make(chan bool)
			p := newPeer(t, func(_ int, c *peerConn) {
				if c.request(); reused {
					c.say(ok(""))
					c.request()
				}
				close(arrived)
				c.ended()
				close(ended)
			})
			tr := newTransport(t, nil)
			if reused {
				tr.do(t, newRequest(t, "GET", p.url, ""))
			}
			req, cancel := cancelable(t, "GET", p.url, "")
			go func() { <-arrived; cancel(errWhy) }()
			if _, err := tr.RoundTrip(req); err != errWhy {
				t.Errorf("got %v, want the reason", err)
			}
			receive(t, "the end of the connection", ended)
			tr.opened(t, 1)
		})
	}
}

func TestCanceledWhileTheBodyComes(t *testing.T) {
	ended := make(chan bool)
	p := newPeer(t, func(_ int, c *peerConn) {
		c.request()
		c.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
		c.ended()
		close(ended)
	})
	tr := newTransport(t, nil)
	req, cancel := cancelable(t, "GET", p.url, "")
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(resp.Body, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	cancel(errWhy)
	receive(t, "the end of the connection, before anybody reads on", ended)
	for range 2 {
		if n, err := resp.Body.Read(make([]byte, 5)); n != 0 || err != errWhy {
			t.Errorf("got %d, %v; want the reason", n, err)
		}
	}
	resp.Body.Close()
}

// TestCanceledAfterTheEnd: the request is over, and its connection serves others.
func TestCanceledAfterTheEnd(t *testing.T) {
	p := newPeer(t, serveOK)
	tr := newTransport(t, nil)
	req, cancel := cancelable(t, "GET", p.url, "")
	tr.do(t, req)
	cancel(errWhy)
	if got := tr.do(t, newRequest(t, "POST", p.url, "body")); got.text != "connection 0" {
		t.Errorf("got %q", got.text)
	}
}

// TestCanceledWithAllOfItHere: what has arrived can be read, and the connection, which somebody is ending, serves nobody.
func TestCanceledWithAllOfItHere(t *testing.T) {
	ended := make(chan bool)
	p := newPeer(t, func(_ int, c *peerConn) {
		c.request()
		c.say(ok("hello"))
		c.ended()
		close(ended)
	})
	tr := newTransport(t, nil)
	req, cancel := cancelable(t, "GET", p.url, "")
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	cancel(errWhy)
	receive(t, "the end of the connection", ended)
	if got := readAll(t, resp); got != "hello" || tr.Idle() != 0 {
		t.Errorf("got %q, %d connections at rest; want hello, none", got, tr.Idle())
	}
}

// TestDeadline: the context's own reason, not that of the connection.
func TestDeadline(t *testing.T) {
	p := newPeer(t, func(_ int, c *peerConn) { c.ended() })
	tr := newTransport(t, nil)
	ctx, cancel := context.WithTimeoutCause(t.Context(), 20*time.Millisecond, errWhy)
	defer cancel()
	if _, err := tr.RoundTrip(newRequest(t, "GET", p.url, "").WithContext(ctx)); err != errWhy {
		t.Errorf("got %v, want the reason", err)
	}
}

func TestHeaderTimeout(t *testing.T) {
	for name, half := range map[string]string{"nothing": "", "half a header": "HTTP/1.1 200 OK\r\nContent-", "early hints": "HTTP/1.1 103 Early Hints\r\n\r\n"} {
		t.Run(name, func(t *testing.T) {
			ended := make(chan bool)
			p := newPeer(t, func(_ int, c *peerConn) {
				c.request()
				c.say(half)
				c.ended()
				close(ended)
			})
			tr := newTransport(t, func(next *http.Transport) { next.ResponseHeaderTimeout = 30 * time.Millisecond })
			_, err := tr.RoundTrip(newRequest(t, "GET", p.url, ""))
			if !isTimeout(err) || !errors.Is(err, context.DeadlineExceeded) {
				t.Errorf("got %v, want a timeout", err)
			}
			receive(t, "the end of the connection", ended)
			tr.opened(t, 1)
		})
	}
}

// TestCloseEndsARead that waits in another goroutine, and the connection.
func TestCloseEndsARead(t *testing.T) {
	ended := make(chan bool)
	p := newPeer(t, func(_ int, c *peerConn) {
		c.request()
		c.say("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello")
		c.ended()
		close(ended)
	})
	tr := newTransport(t, nil)
	resp, err := tr.RoundTrip(newRequest(t, "GET", p.url, ""))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.ReadFull(resp.Body, make([]byte, 5)); err != nil {
		t.Fatal(err)
	}
	read := make(chan error)
	go func() {
		_, err := resp.Body.Read(make([]byte, 5))
		read <- err
	}()
	resp.Body.Close()
	resp.Body.Close()
	if err := receive(t, "the end of the read", read); err != http.ErrBodyReadAfterClose {
		t.Errorf("got %v, want ErrBodyReadAfterClose", err)
	}
	receive(t, "the end of the connection", ended)
	if tr.Idle() != 0 {
		t.Error("a connection in the middle of an answer went into the pool")
	}
}

// TestADeadConnection: it accepts the request and then hangs up. Only what http.Transport would repeat is sent again.
func TestADeadConnection(t *testing.T) {
	tests := map[string]struct {
		method, body, key string
		again             bool
	}{
		"get":               {"GET", "", "", true},
		"get with a body":   {"GET", "body", "", true},
		"head":              {"HEAD", "", "", true},
		"options":           {"OPTIONS", "", "", true},
		"put":               {"PUT", "body", "", false},
		"delete":            {"DELETE", "", "", false},
		"post":              {"POST", "body", "", false},
		"post with a key":   {"POST", "body", "Idempotency-Key", true},
		"delete with a key": {"DELETE", "", "X-Idempotency-Key", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var arrived atomic.Int32
			p := newPeer(t, func(n int, c *peerConn) {
				if n > 0 {
					for req := c.request(); req != nil; req = c.request() {
						arrived.Add(1)
						body, _ := io.ReadAll(req.Body)
						c.say(ok(string(body)))
					}
					return
				}
				c.request()
				c.say(ok("first"))
				c.request()
				arrived.Add(1)
			})
			tr := newTransport(t, nil)
			tr.do(t, newRequest(t, "GET", p.url, ""))
			req := newRequest(t, tt.method, p.url, tt.body)
			if tt.key != "" {
				req.Header.Set(tt.key, "1")
			}
			got, err := tr.try(req)
			want := int32(1)
			if tt.again {
				want = 2
				if err != nil || got.Request != req || tt.method != "HEAD" && got.text != tt.body {
					t.Errorf("got %q, %v; want %q, for the caller's request", got.text, err, tt.body)
				}
			} else if !isHangUp(err) {
				t.Errorf("got %v, want the end of the connection", err)
			}
			if n := arrived.Load(); n != want {
				t.Errorf("the peer got it %d times, want %d", n, want)
			}
		})
	}
}

func isHangUp(err error) bool {
	return errors.Is(err, io.EOF) || errors.Is(err, syscall.ECONNRESET) || errors.Is(err, syscall.EPIPE)
}

// TestANewConnectionThatHangsUp is not tried again: the peer does not like the request.
func TestANewConnectionThatHangsUp(t *testing.T) {
	var arrived atomic.Int32
	p := newPeer(t, func(_ int, c *peerConn) {
		c.request()
		arrived.Add(1)
	})
	tr := newTransport(t, nil)
	if _, err := tr.try(newRequest(t, "GET", p.url, "")); !isHangUp(err) {
		t.Errorf("got %v, want the end of the connection", err)
	}
	if n := arrived.Load(); n != 1 {
		t.Errorf("the peer got it %d times, want 1", n)
	}
}

// TestAHeaderThatBreaksOff is no reason to repeat anything: the answer had begun.
func TestAHeaderThatBreaksOff(t *testing.T) {
	p := newPeer(t, func(_ int, c *peerConn) {
		c.request()
		c.say(ok(""))
		c.request()
		c.say("HTTP/1.1 200 OK\r\n")
	})
	tr := newTransport(t, nil)
	tr.do(t, newRequest(t, "GET", p.url, ""))
	if _, err := tr.try(newRequest(t, "GET", p.url, "")); !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %v, want an unexpected end", err)
	}
	tr.opened(t, 1)
}

// brokenPipe is a connection that says that the peer has closed it while it was written to.
type brokenPipe struct{ *net.TCPConn }

func (c brokenPipe) Write(b []byte) (int, error) {
	n, _ := c.TCPConn.Write(b)
	return n / 2, fmt.Errorf("write: %w", syscall.EPIPE)
}

// TestAnAnswerToHalfARequest counts, and its connection does not.
func TestAnAnswerToHalfARequest(t *testing.T) {
	p := newPeer(t, func(_ int, c *peerConn) {
		for c.request() != nil {
			c.say("HTTP/1.1 431 Request Header Fields Too Large\r\nContent-Length: 0\r\n\r\n")
		}
	})
	tr := newTransport(t, func(next *http.Transport) {
		next.DialContext = func(ctx context.Context, network, address string) (net.Conn, error) {
			conn, err := new(net.Dialer).DialContext(ctx, network, address)
			if err != nil {
				return nil, err
			}
			return brokenPipe{conn.(*net.TCPConn)}, nil
		}
	})
	for range 2 {
		if got := tr.do(t, newRequest(t, "GET", p.url, "")); got.StatusCode != 431 {
			t.Errorf("got %d", got.StatusCode)
		}
	}
	tr.opened(t, 2)
}
