package console_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/marquee-api/marquee/internal/console"
	"github.com/marquee-api/marquee/internal/gateway"
)

// event is one server-sent event.
type event struct{ kind, id, data string }

// listener reads a stream.
type listener struct {
	t     *testing.T
	lines *bufio.Scanner
}

// listen opens a stream; the header is of pairs.
func listen(t *testing.T, url string, header ...string) (*listener, context.CancelFunc) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	r, err := http.NewRequestWithContext(ctx, "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cancel(); response.Body.Close() })
	if got := response.Header.Get("Content-Type"); response.StatusCode != http.StatusOK || got != "text/event-stream" {
		t.Fatalf("got %d %s", response.StatusCode, got)
	}
	lines := bufio.NewScanner(response.Body)
	lines.Buffer(nil, 1<<20)
	return &listener{t, lines}, cancel
}

// next returns the next event, false at the end of the stream.
func (l *listener) next() (e event, ok bool) {
	for l.lines.Scan() {
		field, value, _ := strings.Cut(l.lines.Text(), ": ")
		switch field {
		case "event":
			e.kind = value
		case "id":
			e.id = value
		case "data":
			e.data = value
		case "":
			if e.kind != "" {
				return e, true
			}
		}
	}
	return e, false
}

// numbers reads until everything that there is was received, and returns the numbers of the requests.
func (l *listener) numbers() (all []uint64, last string, reset bool) {
	l.t.Helper()
	for {
		e, ok := l.next()
		switch {
		case !ok:
			l.t.Fatal("the stream ended")
		case e.kind == "reset":
			reset = true
		case e.kind == "records":
			var summaries []console.Summary
			if err := json.Unmarshal([]byte(e.data), &summaries); err != nil {
				l.t.Fatal(err)
			}
			for _, s := range summaries {
				all = append(all, s.Number)
			}
			last = e.id
		case e.kind == "current":
			return all, last, reset
		}
	}
}

func add(c *console.Console, n int) {
	for range n {
		c.Add(gateway.Record{Time: start, Status: 200, Path: "/dev/x"})
	}
}

// wantRun fails unless the numbers are those from first to last, in order.
func wantRun(t *testing.T, got []uint64, first, last uint64) {
	t.Helper()
	if len(got) != int(last-first+1) {
		t.Fatalf("got %d numbers (%v), want those from %d to %d", len(got), got, first, last)
	}
	for i, n := range got {
		if n != first+uint64(i) {
			t.Fatalf("got number %d in place %d, want %d", n, i, first+uint64(i))
		}
	}
}

func TestStreamSendsWhatIsThereAndWhatComes(t *testing.T) {
	c := newConsole(nil)
	server := httptest.NewServer(c.Handler())
	t.Cleanup(server.Close)
	t.Cleanup(c.Close)
	add(c, 1234)
	l, _ := listen(t, server.URL+"/api/stream")
	got, last, reset := l.numbers()
	wantRun(t, got, 1, 1234)
	if !reset || last != "run0.1234" {
		t.Errorf("got reset %v and last id %q", reset, last)
	}
	add(c, 1)
	got, last, _ = l.numbers()
	wantRun(t, got, 1235, 1235)
	if last != "run0.1235" {
		t.Errorf("got id %q", last)
	}
}

func TestStreamGoesOnWhereItWas(t *testing.T) {
	c := newConsole(func(cfg *console.Config) { cfg.Capacity = 100 })
	server := httptest.NewServer(c.Handler())
	t.Cleanup(server.Close)
	t.Cleanup(c.Close)
	add(c, 250) // 151 to 250 are kept
	tests := map[string]struct {
		query  string
		header []string
		first  uint64
		reset  bool
	}{
		"a browser that comes back":       {"", []string{"Last-Event-ID", "run0.240"}, 241, false},
		"a page that opens it anew":       {"?after=run0.245", nil, 246, false},
		"the header wins":                 {"?after=run0.160", []string{"Last-Event-ID", "run0.249"}, 250, false},
		"what it had next is gone":        {"?after=run0.20", nil, 151, false},
		"a page of an earlier run":        {"?after=other.248", nil, 151, true},
		"an id that is none":              {"?after=run0.x", nil, 151, true},
		"an id of the future, which lies": {"?after=run0.9999999999999999999999", nil, 151, true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			l, stop := listen(t, server.URL+"/api/stream"+tt.query, tt.header...)
			defer stop()
			got, _, reset := l.numbers()
			wantRun(t, got, tt.first, 250)
			if reset != tt.reset {
				t.Errorf("got reset %v, want %v", reset, tt.reset)
			}
		})
	}
}

func TestStreamsEndWithTheConsole(t *testing.T) {
	c := newConsole(nil)
	server := httptest.NewServer(c.Handler())
	t.Cleanup(server.Close)
	l, _ := listen(t, server.URL+"/api/stream")
	l.numbers()
	c.Close()
	c.Close()
	if e, ok := l.next(); ok {
		t.Errorf("got %v after the end", e)
	}
}

func TestStreamsAreBounded(t *testing.T) {
	c := newConsole(nil)
	server := httptest.NewServer(c.Handler())
	t.Cleanup(server.Close)
	t.Cleanup(c.Close)
	var leave context.CancelFunc
	for range console.MostStreams {
		var l *listener
		l, leave = listen(t, server.URL+"/api/stream")
		l.numbers()
	}
	if w := ask(t, c, "GET", "http://localhost/api/stream", ""); w.Code != http.StatusServiceUnavailable || w.Header().Get("Retry-After") == "" {
		t.Errorf("got %d %v, want 503 and when to come back", w.Code, w.Header())
	}
	leave()
	eventually(t, "the place of who left is free", func() bool { return c.Streams() == console.MostStreams-1 })
}

// A reader that does not read holds nothing: its connection is dropped when a piece cannot be written in time.
func TestSlowReaderIsDropped(t *testing.T) {
	c := newConsole(nil)
	c.SetSlow(50 * time.Millisecond)
	server := httptest.NewServer(c.Handler())
	t.Cleanup(server.Close)
	t.Cleanup(c.Close)
	for range 5000 {
		c.Add(gateway.Record{Time: start, Status: 200, Path: "/dev/" + strings.Repeat("x", 250), Why: strings.Repeat("y", 4000)})
	}
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	fmt.Fprintf(conn, "GET /api/stream HTTP/1.1\r\nHost: %s\r\n\r\n", server.Listener.Addr())
	if _, err := conn.Read(make([]byte, 1)); err != nil { // the stream is open, and 20 MB are on their way
		t.Fatal(err)
	}
	eventually(t, "the slow reader is dropped", func() bool { return c.Streams() == 0 })
}

// eventually polls a condition that nothing signals.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	deadline := time.Now().Add(30 * time.Second)
	for tick := time.NewTicker(5 * time.Millisecond); !condition(); <-tick.C {
		if time.Now().After(deadline) {
			t.Fatalf("not so within half a minute: %s", what)
		}
	}
}
