package sidecar_test

import (
	"bufio"
	"bytes"
	"context"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/net/http2"
	"golang.org/x/net/http2/hpack"

	"github.com/marquee-api/marquee/internal/sidecar"
)

// countedDoor counts the writes to all of its connections.
type countedDoor struct {
	net.Listener
	writes atomic.Int32
}

func (d *countedDoor) Accept() (net.Conn, error) {
	conn, err := d.Listener.Accept()
	return countedConn{conn, &d.writes}, err
}

type countedConn struct {
	net.Conn
	writes *atomic.Int32
}

func (c countedConn) Write(b []byte) (int, error) {
	c.writes.Add(1)
	return c.Conn.Write(b)
}

// slowLog holds the line of a request back until it is let go.
type slowLog struct {
	slog.Handler
	release <-chan struct{}
}

func (slowLog) Enabled(context.Context, slog.Level) bool { return true }

func (l slowLog) Handle(ctx context.Context, r slog.Record) error {
	if r.Message == "request" {
		<-l.release
	}
	return nil
}

// TestAnswersLeaveBeforeTheirLogLine: what comes after an answer does not hold it back where its end is known, and a small
// answer is one write all the same.
func TestAnswersLeaveBeforeTheirLogLine(t *testing.T) {
	tests := map[string]struct {
		method string
		status int
		body   string
		early  bool
	}{
		"small":   {"GET", 200, "hello", true},
		"1 KiB":   {"POST", 200, strings.Repeat("x", 1<<10), true},
		"refused": {"GET", 403, "no", true},
		"empty":   {"GET", 200, "", false},
		"head":    {"HEAD", 200, "", false},
		"204":     {"DELETE", 204, "", false},
		"304":     {"GET", 304, "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			api := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
				if tt.status < 204 || tt.status > 399 {
					w.Header().Set("Content-Length", fmt.Sprint(len(tt.body)))
				}
				w.WriteHeader(tt.status)
				io.WriteString(w, tt.body)
			})
			held := make(chan struct{})
			release := sync.OnceFunc(func() { close(held) })
			late := time.AfterFunc(10*time.Second, func() { t.Error("the answer waits for the log line"); release() })
			defer late.Stop()
			door := &countedDoor{Listener: listen(t, sidecar.Door{Address: "127.0.0.1:0"})}
			side := startRun(t, api.URL+"/dev", sidecar.Config{
				AccessLog: true, Log: slog.New(slowLog{slog.DiscardHandler, held}),
			}, sidecar.Run{Door: door, DrainTimeout: 5 * time.Second})
			if !tt.early {
				release()
			}
			resp, body := side.do(t, tt.method, "/a", nil)
			if resp.StatusCode != tt.status || body != tt.body {
				t.Errorf("got %d %q", resp.StatusCode, body)
			}
			release()
			side.stop()
			<-side.done
			if n := door.writes.Load(); n != 1 {
				t.Errorf("the answer took %d writes, want 1", n)
			}
		})
	}
}

// TestAnswersByHTTP2EndWithTheirLastPiece: a stream's end is a flag of a frame of data, and gets no frame of its own.
func TestAnswersByHTTP2EndWithTheirLastPiece(t *testing.T) {
	api := newAPI(t, func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "hello") })
	side := start(t, api.URL+"/dev", sidecar.Config{})
	conn, err := net.Dial("tcp", side.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	io.WriteString(conn, http2.ClientPreface)
	frames := http2.NewFramer(conn, bufio.NewReader(conn))
	frames.WriteSettings()
	var header bytes.Buffer
	encoder := hpack.NewEncoder(&header)
	for _, f := range []hpack.HeaderField{{Name: ":method", Value: "GET"}, {Name: ":scheme", Value: "http"}, {Name: ":path", Value: "/a"}, {Name: ":authority", Value: "localhost"}} {
		encoder.WriteField(f)
	}
	frames.WriteHeaders(http2.HeadersFrameParam{StreamID: 1, BlockFragment: header.Bytes(), EndHeaders: true, EndStream: true})
	for data := 0; ; {
		frame, err := frames.ReadFrame()
		if err != nil {
			t.Fatal(err)
		}
		if d, ok := frame.(*http2.DataFrame); ok {
			data++
			if d.StreamEnded() {
				if data != 1 {
					t.Errorf("the answer took %d frames of data, want 1", data)
				}
				return
			}
		}
	}
}
