package browser_test

import (
	"context"
	"encoding/json"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"
	"time"

	"github.com/marquee-api/marquee/internal/console"
	"github.com/marquee-api/marquee/internal/gateway"
)

// start is the time of the first record of the tests.
var start = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// newConsole is a console of a run.
func newConsole(change func(*console.Config)) *console.Console {
	var made atomic.Int64
	cfg := console.Config{Random: func() string { return "run" + strconv.FormatInt(made.Add(1)-1, 10) }, Now: time.Now}
	if change != nil {
		change(&cfg)
	}
	return console.New(cfg)
}

// trier answers what it is told, and keeps what it was asked.
type trier struct {
	asked   console.Attempt
	outcome *console.Outcome
}

func (f *trier) Try(_ context.Context, a console.Attempt) (*console.Outcome, error) {
	f.asked = a
	return f.outcome, nil
}

func passed(names ...string) []gateway.Check {
	var out []gateway.Check
	for _, name := range names {
		out = append(out, gateway.Check{Name: name, OK: true})
	}
	return out
}

func refusedAt(name string, before ...string) []gateway.Check {
	return append(passed(before...), gateway.Check{Name: name, Detail: "because"})
}

// copiesOf are the copies of a request as the console gives them.
func (s *site) copiesOf(t *testing.T, number int) console.Copies {
	t.Helper()
	response, err := http.Get(s.server.URL + "/api/requests/" + strconv.Itoa(number))
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var out struct{ Copies console.Copies }
	if err := json.NewDecoder(response.Body).Decode(&out); err != nil {
		t.Fatal(err)
	}
	return out.Copies
}
