package console

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

// The limits of streams. A reader has as long for a piece as writeTime says; a slower one is dropped, and its browser comes
// back for what follows the last record that it got.
const (
	mostStreams = 24
	writeTime   = 10 * time.Second
	heartbeat   = 15 * time.Second
	batch       = 500
)

// streams counts the pages that are open.
type streams struct {
	mu sync.Mutex
	n  int
}

func (s *streams) enter() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.n == mostStreams {
		return false
	}
	s.n++
	return true
}

func (s *streams) leave() {
	s.mu.Lock()
	s.n--
	s.mu.Unlock()
}

// serveStream sends the summaries of all records that are kept, and then of each new one, as server-sent events (WHATWG
// HTML, "Server-sent events"). An event's id is the run's name and the number of its last record, so that a page that
// was cut off goes on where it was, and one of an earlier run is told to begin anew. No reader has a queue of its own:
// each reads the ring at its own pace.
func (c *Console) serveStream(w http.ResponseWriter, r *http.Request) {
	if !c.streams.enter() {
		w.Header().Set("Retry-After", "5")
		writeError(w, http.StatusServiceUnavailable, "too many pages are open")
		return
	}
	defer c.streams.leave()
	w.Header().Set("Content-Type", "text/event-stream")
	s := stream{w: w, control: http.NewResponseController(w), name: c.name, slow: c.slow}
	at, known := s.resume(r)
	err := s.send("retry: 1000\n\n")
	if !known {
		err = s.event("reset", at, struct{}{})
	}
	beat := time.NewTicker(heartbeat)
	defer beat.Stop()
	for err == nil {
		fresh, changed := c.ring.after(at, batch)
		if len(fresh) > 0 {
			at = fresh[len(fresh)-1].Number
			err = s.event("records", at, fresh)
			continue
		}
		if err = s.event("current", at, struct{}{}); err == nil {
			err = s.wait(r.Context(), c.closed, changed, beat.C)
		}
	}
}

// stream is one open page.
type stream struct {
	w       http.ResponseWriter
	control *http.ResponseController
	name    string
	slow    time.Duration
}

// resume reads after which record to go on: by the header that a browser sends when it comes back, or by the parameter
// that the page sends when it opened a stream anew.
func (s *stream) resume(r *http.Request) (after uint64, known bool) {
	id := r.Header.Get("Last-Event-ID")
	if id == "" {
		id = r.URL.Query().Get("after")
	}
	name, number, _ := strings.Cut(id, ".")
	after, err := strconv.ParseUint(number, 10, 64)
	if err != nil || name != s.name {
		return 0, false
	}
	return after, true
}

// wait returns nil when there may be more to send, and an error when the stream ends.
func (s *stream) wait(ctx context.Context, closed, changed <-chan struct{}, beat <-chan time.Time) error {
	for {
		select {
		case <-changed:
			return nil
		case <-closed:
			return http.ErrServerClosed
		case <-ctx.Done():
			return ctx.Err()
		case <-beat:
			if err := s.send(": still here\n\n"); err != nil {
				return err
			}
		}
	}
}

func (s *stream) event(kind string, number uint64, data any) error {
	text, err := json.Marshal(data)
	if err != nil {
		return err
	}
	return s.send(fmt.Sprintf("event: %s\nid: %s.%d\ndata: %s\n\n", kind, s.name, number, text))
}

func (s *stream) send(text string) error {
	// The machine's clock, not the run's: it is the network that has a deadline.
	if err := s.control.SetWriteDeadline(time.Now().Add(s.slow)); err != nil {
		return err
	}
	if _, err := s.w.Write([]byte(text)); err != nil {
		return err
	}
	return s.control.Flush()
}
