package local

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"time"
)

// atDoor serves a handler at a door of its own, with the patience of the test, and returns its address.
func atDoor(t *testing.T, handler http.Handler, patience time.Duration) string {
	t.Helper()
	o, err := openDoor(loopback, 0)
	if err != nil {
		t.Fatal(err)
	}
	o.readAlong()
	o.patience = patience
	server := o.serve(handler, func(err error) { t.Error(err) })
	t.Cleanup(func() { server.Close() })
	return o.listeners[0].Addr().String()
}

// say opens a connection and sends what a client says first. Nothing on it takes longer than five seconds.
func say(t *testing.T, address, text string) net.Conn {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { c.Close() })
	if err := c.SetDeadline(time.Now().Add(5 * time.Second)); err != nil {
		t.Fatal(err)
	}
	fmt.Fprint(c, text)
	return c
}

// Security: what stands before the handlers answers nothing itself, OPTIONS * neither.
func TestSecurityEveryTargetReachesTheHandler(t *testing.T) {
	targets := make(chan string, 1)
	address := atDoor(t, http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		targets <- r.Method + " " + r.RequestURI
		w.WriteHeader(http.StatusTeapot)
	}), time.Minute)
	for _, target := range []string{"OPTIONS *", "OPTIONS /", "GET *"} {
		response, err := http.ReadResponse(bufio.NewReader(say(t, address, target+" HTTP/1.1\r\nHost: localhost\r\n\r\n")), nil)
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		if response.StatusCode != http.StatusTeapot {
			t.Fatalf("%s: got %d; the handler was not asked", target, response.StatusCode)
		}
		if got := <-targets; got != target {
			t.Errorf("got %s, want %s", got, target)
		}
	}
}

// Security: a body that stays away holds neither its handler nor its connection, whether the handler reads it or not.
func TestSecurityBodyThatStaysAway(t *testing.T) {
	reading := make(chan error, 1)
	handlers := map[string]http.HandlerFunc{
		"read": func(w http.ResponseWriter, r *http.Request) {
			_, err := io.ReadAll(r.Body)
			reading <- err
			w.WriteHeader(http.StatusBadRequest)
		},
		"not read": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadRequest) },
	}
	starts := map[string]string{
		"two of a hundred bytes": "Content-Length: 100\r\n\r\n12",
		"no byte":                "Content-Length: 100\r\n\r\n",
		"half a chunk":           "Transfer-Encoding: chunked\r\n\r\n5\r\n12",
	}
	for how, handler := range handlers {
		for what, start := range starts {
			t.Run(what+", "+how, func(t *testing.T) {
				c := say(t, atDoor(t, handler, 30*time.Millisecond), "POST / HTTP/1.1\r\nHost: localhost\r\n"+start)
				answer, err := io.ReadAll(c) // to the end: the server has closed the connection
				if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 400 ") {
					t.Fatalf("got %q, %v", answer, err)
				}
				if how == "not read" {
					return
				}
				if err := <-reading; !errors.Is(err, os.ErrDeadlineExceeded) || !strings.Contains(err.Error(), "nothing of it came for 30ms") {
					t.Errorf("the handler got %v", err)
				}
			})
		}
	}
}

// slowly is a body whose every read takes a while on a clock that nobody waits for, and the connection it comes by.
type slowly struct {
	now      time.Time
	takes    []time.Duration // of each read; then it ends
	deadline time.Time
}

func (s *slowly) SetReadDeadline(t time.Time) error {
	s.deadline = t
	return nil
}

func (s *slowly) Read(b []byte) (int, error) {
	if len(s.takes) == 0 {
		return 0, io.EOF
	}
	s.now = s.now.Add(s.takes[0])
	s.takes = s.takes[1:]
	if s.now.After(s.deadline) {
		return 0, fmt.Errorf("reading: %w", os.ErrDeadlineExceeded)
	}
	return copy(b, "x"), nil
}

func (s *slowly) Close() error { return nil }

// A slow body is read to its end as long as it goes on, and then nothing is waited for any more: what the handler does
// next may take as long as it takes.
func TestSlowBodies(t *testing.T) {
	const minute = time.Minute
	tests := map[string]struct {
		takes []time.Duration
		bytes int
		ends  bool
	}{
		"slow all the way":    {slices.Repeat([]time.Duration{59 * time.Second}, 100), 100, true},
		"at once":             {nil, 0, true},
		"late by a moment":    {[]time.Duration{minute, minute, minute + time.Nanosecond, 0}, 2, false},
		"late from the start": {[]time.Duration{2 * minute, 0}, 0, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			s := &slowly{now: time.Unix(1000, 0), takes: tt.takes}
			body := awaitBody(s, s, minute, func() time.Time { return s.now })
			got, err := io.ReadAll(body)
			if len(got) != tt.bytes || (err == nil) != tt.ends || s.deadline.IsZero() != tt.ends {
				t.Errorf("got %d bytes and %v, and the deadline %v; want %d bytes, to the end: %v", len(got), err, s.deadline, tt.bytes, tt.ends)
			}
		})
	}
}
