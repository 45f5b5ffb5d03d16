package sidecar_test

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/marquee-api/marquee/internal/sidecar"
)

// events is an API that sends an event each time it is told to, and ends when the channel is closed.
func events(next <-chan string) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		for {
			select {
			case event, more := <-next:
				if !more {
					return
				}
				io.WriteString(w, event)
				w.(http.Flusher).Flush()
			case <-r.Context().Done():
				return
			}
		}
	}
}

// open begins a stream and returns its answer, whose headers must come before any event.
func (s *side) open(t *testing.T, path string) *http.Response {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.URL(path), nil)
	if err != nil {
		t.Fatal(err)
	}
	resp, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

// TestEventsPassAtOnce: the API sends an event only after the client has read the one before. A proxy that held one back
// would stand still here.
func TestEventsPassAtOnce(t *testing.T) {
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(proto, func(t *testing.T) {
			next := make(chan string)
			server := newStreamAPI(t, events(next))
			side := start(t, server.URL+"/dev", sidecar.Config{})
			if proto == "HTTP/2.0" {
				side = side.prior(t)
			}
			resp := side.open(t, "/events")
			if resp.Header.Get("Content-Type") != "text/event-stream" || resp.Proto != proto {
				t.Fatalf("got %s %v", resp.Proto, resp.Header)
			}
			lines := bufio.NewReader(resp.Body)
			for _, event := range []string{"data: one\n", "data: two\n", "data: three\n"} {
				next <- event
				got, err := lines.ReadString('\n')
				if err != nil || got != event {
					t.Fatalf("got %q, %v, want %q", got, err, event)
				}
			}
			close(next)
			if rest, err := io.ReadAll(lines); err != nil || len(rest) != 0 {
				t.Errorf("after the end: %q, %v", rest, err)
			}
		})
	}
}

// TestAnswersOfKnownLengthPassPieceByPiece: a length is no reason to wait for all of it.
func TestAnswersOfKnownLengthPassPieceByPiece(t *testing.T) {
	goOn := make(chan struct{})
	server := newStreamAPI(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "6")
		io.WriteString(w, "abc")
		w.(http.Flusher).Flush()
		<-goOn
		io.WriteString(w, "def")
	})
	side := start(t, server.URL+"/dev", sidecar.Config{})
	resp := side.open(t, "/a")
	half := make([]byte, 3)
	if _, err := io.ReadFull(resp.Body, half); err != nil || string(half) != "abc" {
		t.Fatalf("got %q, %v", half, err)
	}
	close(goOn)
	if rest, err := io.ReadAll(resp.Body); err != nil || string(rest) != "def" {
		t.Errorf("got %q, %v", rest, err)
	}
}

// TestAnAnswerThatBreaksOffIsSeenToBreakOff: half an answer must not look whole.
func TestAnAnswerThatBreaksOffIsSeenToBreakOff(t *testing.T) {
	server := newStreamAPI(t, func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		panic(http.ErrAbortHandler)
	})
	side := start(t, server.URL+"/dev", sidecar.Config{})
	resp := side.open(t, "/a")
	if got, err := io.ReadAll(resp.Body); err == nil {
		t.Errorf("got %q as if it were all", got)
	}
	if _, text := side.get(t, "/-/metrics"); !strings.Contains(text, "\nmarquee_proxy_answers_broken_total 1\n") {
		t.Error(grep(text, "broken"))
	}
}

// TestAClientThatGoesAwayEndsTheCall on the API's side, too.
func TestAClientThatGoesAwayEndsTheCall(t *testing.T) {
	for name, begun := range map[string]bool{"before the answer": false, "within the answer": true} {
		t.Run(name, func(t *testing.T) {
			arrived, ended := make(chan struct{}), make(chan struct{})
			server := newStreamAPI(t, func(w http.ResponseWriter, r *http.Request) {
				if begun {
					w.(http.Flusher).Flush()
				}
				close(arrived)
				<-r.Context().Done()
				close(ended)
			})
			side := start(t, server.URL+"/dev", sidecar.Config{})
			ctx, cancel := context.WithCancel(t.Context())
			go func() { <-arrived; cancel() }()
			req, err := http.NewRequestWithContext(ctx, "GET", side.URL("/a"), nil)
			if err != nil {
				t.Fatal(err)
			}
			if resp, err := side.client.Do(req); err == nil {
				io.Copy(io.Discard, resp.Body)
				resp.Body.Close()
			}
			<-ended
		})
	}
}

// TestAClientThatOnlySpeaksNoMore gets no answer that the API did not give: a connection whose other direction is closed
// counts as a client that went away (net/http ends the request's context), but it may still be read from.
func TestAClientThatOnlySpeaksNoMore(t *testing.T) {
	server := newStreamAPI(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	side := start(t, server.URL+"/dev", sidecar.Config{})
	conn, err := net.Dial("tcp", side.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
		t.Fatal(err)
	}
	conn.(*net.TCPConn).CloseWrite()
	if got, err := io.ReadAll(conn); err != nil || len(got) > 0 {
		t.Errorf("got %q, %v; want the end of the connection", got, err)
	}
	if _, text := side.get(t, "/-/metrics"); !strings.Contains(text, `requests_total{method="GET",status="499"} 1`) {
		t.Error(grep(text, "requests_total"))
	}
}

func TestStoppingInOrder(t *testing.T) {
	next := make(chan string)
	server := newStreamAPI(t, events(next))
	side := startRun(t, server.URL+"/dev", sidecar.Config{}, sidecar.Run{DrainTimeout: time.Minute})
	if code, text := side.get(t, "/-/ready"); code != 200 {
		t.Fatalf("not ready: %d %s", code, text)
	}
	resp := side.open(t, "/events")
	side.stop()
	closed := waitFor(t, func() bool {
		conn, err := net.Dial("tcp", side.address)
		if err == nil {
			conn.Close()
		}
		return err != nil
	})
	if !closed {
		t.Error("new connections are still taken")
	}
	code, text := side.get(t, "/-/ready")
	if code != 503 || !strings.Contains(text, `"code":"draining"`) {
		t.Errorf("while it stops, /-/ready says %d %s", code, text)
	}
	if code, _ := side.get(t, "/-/healthy"); code != 200 {
		t.Errorf("while it stops, /-/healthy says %d", code)
	}
	select {
	case err := <-side.done:
		t.Fatalf("it ended with a stream open: %v", err)
	default:
	}
	next <- "data: last\n"
	close(next)
	if got, err := io.ReadAll(resp.Body); err != nil || string(got) != "data: last\n" {
		t.Errorf("the stream ended with %q, %v", got, err)
	}
	if err := <-side.done; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

// TestStoppingWithDelay: readiness is down while new connections are still answered, and told to be the last ones.
func TestStoppingWithDelay(t *testing.T) {
	api := newAPI(t, nil)
	side := startRun(t, api.URL+"/dev", sidecar.Config{}, sidecar.Run{DrainDelay: 2 * time.Second, DrainTimeout: time.Minute})
	side.stop()
	if !waitFor(t, func() bool { code, _ := side.get(t, "/-/ready"); return code == 503 }) {
		t.Fatal("readiness did not go down")
	}
	resp, _ := side.do(t, "GET", "/a", nil)
	if resp.StatusCode != 200 || !resp.Close {
		t.Errorf("got %d, last answer of its connection: %v; want 200, true", resp.StatusCode, resp.Close)
	}
	if err := <-side.done; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestStoppingHasABound(t *testing.T) {
	server := newStreamAPI(t, events(nil))
	side := startRun(t, server.URL+"/dev", sidecar.Config{}, sidecar.Run{DrainTimeout: time.Millisecond})
	resp := side.open(t, "/events")
	side.stop()
	if err := <-side.done; !errors.Is(err, sidecar.ErrCut) {
		t.Errorf("got %v, want ErrCut", err)
	}
	if _, err := io.ReadAll(resp.Body); err == nil {
		t.Error("a stream that was cut looks whole")
	}
}
