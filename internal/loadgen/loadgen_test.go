package loadgen_test

import (
	"context"
	"io"
	"math"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/loadgen"
)

// api is a transport that answers as it is told, in fake time.
type api struct {
	takes  func(n int) time.Duration // of the n-th request, from 0
	status func(n int) int           // nil: 200
	fails  func(n int) bool          // nil: never
	mu     sync.Mutex
	sent   []time.Time
	paths  []string
	within int
	most   int
}

func (a *api) RoundTrip(r *http.Request) (*http.Response, error) {
	a.mu.Lock()
	n := len(a.sent)
	a.sent, a.paths = append(a.sent, time.Now()), append(a.paths, r.URL.Path)
	a.within++
	a.most = max(a.most, a.within)
	a.mu.Unlock()
	defer func() {
		a.mu.Lock()
		a.within--
		a.mu.Unlock()
	}()
	if a.takes != nil {
		select {
		case <-time.After(a.takes(n)):
		case <-r.Context().Done():
			return nil, r.Context().Err()
		}
	}
	if a.fails != nil && a.fails(n) {
		return nil, io.ErrUnexpectedEOF
	}
	status := 200
	if a.status != nil {
		status = a.status(n)
	}
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader("four"))}, nil
}

func always(d time.Duration) func(int) time.Duration { return func(int) time.Duration { return d } }

func get(t *testing.T, path string) *http.Request {
	t.Helper()
	r, err := http.NewRequest(http.MethodGet, "http://127.0.0.1"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// inBubble runs a plan in fake time, so that every figure can be computed by hand.
func inBubble(t *testing.T, a *api, p loadgen.Plan, check func(t *testing.T, r *loadgen.Report)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		if p.Requests == nil {
			p.Requests = []loadgen.Request{{Name: "GET /x", HTTP: get(t, "/x")}}
		}
		p.Transport = a
		r, err := loadgen.Run(t.Context(), p)
		if err != nil {
			t.Fatal(err)
		}
		check(t, r)
	})
}

// near allows for what a histogram of three digits rounds away.
func near(got, want float64) bool { return math.Abs(got-want) <= want/1000+0.001 }

// Requests leave at their time, each computed from its number: a thousandth of a second does not add up.
func TestRateIsKept(t *testing.T) {
	for name, tt := range map[string]struct {
		rate  float64
		takes time.Duration
		plan  loadgen.Plan
		want  int
	}{
		"a hundred a second":          {100, 5 * time.Millisecond, loadgen.Plan{Duration: 10 * time.Second}, 1000},
		"a rate that divides nothing": {7, time.Millisecond, loadgen.Plan{Duration: 10 * time.Second}, 70},
		"less than one a second":      {0.5, time.Millisecond, loadgen.Plan{Duration: 10 * time.Second}, 5},
		"slower than the next one":    {100, time.Second, loadgen.Plan{Duration: 2 * time.Second}, 200},
		"by number":                   {1000, time.Millisecond, loadgen.Plan{Count: 30}, 30},
		"the sooner of both":          {10, time.Millisecond, loadgen.Plan{Count: 30, Duration: time.Second}, 10},
	} {
		t.Run(name, func(t *testing.T) {
			a := &api{takes: always(tt.takes)}
			tt.plan.Rate = tt.rate
			inBubble(t, a, tt.plan, func(t *testing.T, r *loadgen.Report) {
				if len(a.sent) != tt.want || r.Requests != int64(tt.want) {
					t.Fatalf("sent %d and reported %d requests, want %d", len(a.sent), r.Requests, tt.want)
				}
				for i, at := range a.sent {
					want := time.Duration(float64(i) / tt.rate * 1e9)
					if off := at.Sub(a.sent[0]) - want; off < -time.Microsecond || off > time.Microsecond {
						t.Fatalf("request %d left %v after its time", i, off)
					}
				}
				if !near(r.Latency.P50, float64(tt.takes.Milliseconds())) || r.Lag.Max > 0 {
					t.Errorf("got latency %+v with lag %+v, want %v and none", r.Latency, r.Lag, tt.takes)
				}
				if !near(r.Rate, tt.rate) {
					t.Errorf("got %g a second, want %g", r.Rate, tt.rate)
				}
			})
		})
	}
}

// A stall of a second delays nine requests that were due in it. Their wait counts, or the stall would be one slow request
// among many: that is coordinated omission.
func TestStallsAreNotOmitted(t *testing.T) {
	a := &api{takes: func(n int) time.Duration {
		if n == 0 {
			return time.Second
		}
		return 0
	}}
	inBubble(t, a, loadgen.Plan{Rate: 10, Concurrency: 1, Count: 20}, func(t *testing.T, r *loadgen.Report) {
		// 1000, 900, … 100 milliseconds, and ten times nothing.
		want := loadgen.Times{Min: 0, Mean: 275, P50: 0, P90: 800, P95: 900, P99: 1000, P999: 1000, Max: 1000}
		if diff := cmp.Diff(want, *r.Latency, cmp.Comparer(near)); diff != "" {
			t.Errorf("latency (-want +got):\n%s", diff)
		}
		if !near(r.Service.Mean, 50) || !near(r.Service.P95, 0) || !near(r.Lag.Max, 900) {
			t.Errorf("got service %+v and lag %+v, want one second in twenty and a wait of up to 900 ms", r.Service, r.Lag)
		}
		if a.most != 1 || r.HeldBack == 0 {
			t.Errorf("%d requests were under way at once and %d held back, want 1 and some", a.most, r.HeldBack)
		}
	})
}

// What an API cannot take is not sent, and the rate says so.
func TestRateThatIsNotReached(t *testing.T) {
	inBubble(t, &api{takes: always(200 * time.Millisecond)}, loadgen.Plan{Rate: 10, Concurrency: 1, Count: 100}, func(t *testing.T, r *loadgen.Report) {
		// Sent at 0, 0.2, … 19.8 seconds.
		if want := 100 / 19.9; !near(r.Rate, want) || !near(r.Seconds, 20) || !near(r.Lag.Max, 19800-9900) {
			t.Errorf("got %g a second in %g s, the last one %g ms late, want %g in 20 s, 9900 ms late", r.Rate, r.Seconds, r.Lag.Max, want)
		}
	})
}

func TestCallersWaitForTheirAnswers(t *testing.T) {
	a := &api{takes: always(10 * time.Millisecond)}
	inBubble(t, a, loadgen.Plan{Concurrency: 4, Duration: time.Second}, func(t *testing.T, r *loadgen.Report) {
		if r.Requests != 400 || a.most != 4 || r.Model != "closed" || !near(r.Rate, 400) || !near(r.Latency.Max, 10) {
			t.Errorf("got %+v with %d at once, want 400 requests by 4 callers", r, a.most)
		}
	})
	inBubble(t, &api{takes: always(time.Millisecond)}, loadgen.Plan{Concurrency: 3, Count: 10}, func(t *testing.T, r *loadgen.Report) {
		if r.Requests != 10 {
			t.Errorf("got %d requests, want 10", r.Requests)
		}
	})
}

func TestWarmupIsNotMeasured(t *testing.T) {
	slowStart := func(n int) time.Duration {
		if n < 10 {
			return 500 * time.Millisecond
		}
		return time.Millisecond
	}
	for name, p := range map[string]loadgen.Plan{
		"open, by number":   {Rate: 10, Warmup: time.Second, Count: 20},
		"open, by time":     {Rate: 10, Warmup: time.Second, Duration: 2 * time.Second},
		"closed, by number": {Concurrency: 10, Warmup: 250 * time.Millisecond, Count: 20},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, &api{takes: slowStart}, p, func(t *testing.T, r *loadgen.Report) {
				if r.Requests != 20 || r.Warmup != 10 || !near(r.Latency.Max, 1) || r.Statuses[200] != 20 {
					t.Errorf("got %+v, want 20 requests of a millisecond after 10 that do not count", r)
				}
			})
		})
	}
}

func TestTimeoutsAreLatencies(t *testing.T) {
	a := &api{takes: func(n int) time.Duration { return time.Duration(n%2) * time.Hour }}
	inBubble(t, a, loadgen.Plan{Rate: 10, Count: 10, Timeout: 3 * time.Second}, func(t *testing.T, r *loadgen.Report) {
		if f := r.Failures["timeout"]; f == nil || f.Count != 5 || r.Unexpected != 5 || r.Statuses[200] != 5 || r.OK() {
			t.Errorf("got %+v, want five timeouts in ten requests", r)
		}
		if !near(r.Latency.Max, 3000) || !near(r.Latency.P95, 3000) {
			t.Errorf("got %+v, want the time that was waited", r.Latency)
		}
	})
}

// Whoever stops a run gets what was measured until then, and what is under way has a second to end.
func TestStopping(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := &api{takes: func(n int) time.Duration {
			if n == 9 {
				return time.Hour
			}
			return 10 * time.Millisecond
		}}
		ctx, cancel := context.WithTimeout(t.Context(), 1050*time.Millisecond)
		defer cancel()
		begin := time.Now()
		r, err := loadgen.Run(ctx, loadgen.Plan{
			Requests: []loadgen.Request{{HTTP: get(t, "/x")}}, Transport: a, Rate: 10, Duration: time.Hour, Timeout: 2 * time.Hour,
		})
		if err != nil {
			t.Fatal(err)
		}
		if !r.Interrupted || r.Requests != 10 || r.Abandoned != 1 || !r.OK() {
			t.Errorf("got %+v, want 10 requests and one that was abandoned", r)
		}
		if got := time.Since(begin); got > 2200*time.Millisecond {
			t.Errorf("it took %v to stop", got-1050*time.Millisecond)
		}
	})
}

// What is refused at once must not make what is answered look quick.
func TestTimesByStatus(t *testing.T) {
	a := &api{
		takes:  func(n int) time.Duration { return time.Duration(1+99*(n%2)) * time.Millisecond },
		status: func(n int) int { return 429 - 229*(n%2) },
	}
	inBubble(t, a, loadgen.Plan{Rate: 10, Count: 100}, func(t *testing.T, r *loadgen.Report) {
		if len(r.ByStatus) != 2 || r.ByStatus[0].Status != 200 || r.ByStatus[1].Status != 429 {
			t.Fatalf("got %+v, want 200 and 429", r.ByStatus)
		}
		for i, want := range []float64{100, 1} {
			if s := r.ByStatus[i]; s.Requests != 50 || math.Abs(s.Latency.P50-want) > want/100 || math.Abs(s.Latency.Max-want) > want/100 {
				t.Errorf("got %+v for %d, want 50 answers of %g ms", s.Latency, s.Status, want)
			}
		}
	})
}

func TestExpectation(t *testing.T) {
	notFound := func(int) int { return 404 }
	for name, tt := range map[string]struct {
		status func(int) int
		expect func(int) bool
		ok     bool
	}{
		"2xx":                 {nil, nil, true},
		"another status":      {notFound, nil, false},
		"the expected one":    {notFound, func(s int) bool { return s == 404 }, true},
		"not the one":         {nil, func(s int) bool { return s == 404 }, false},
		"one among many":      {func(n int) int { return 200 + n/9*300 }, nil, false},
		"a redirect is no ok": {func(int) int { return 302 }, nil, false},
	} {
		t.Run(name, func(t *testing.T) {
			inBubble(t, &api{status: tt.status}, loadgen.Plan{Rate: 10, Count: 10, Expect: tt.expect}, func(t *testing.T, r *loadgen.Report) {
				if r.OK() != tt.ok {
					t.Errorf("got %v for %v, want %v", r.OK(), r.Statuses, tt.ok)
				}
			})
		})
	}
}

// Weights are kept in every stretch of the run, and the order is the same each time.
func TestRequestsTakeTurns(t *testing.T) {
	a := &api{}
	p := loadgen.Plan{Rate: 10, Count: 12, Requests: []loadgen.Request{
		{Name: "often", Weight: 3, HTTP: get(t, "/often")}, {Name: "seldom", HTTP: get(t, "/seldom")}, {Name: "twice", Weight: 2, HTTP: get(t, "/twice")},
	}}
	inBubble(t, a, p, func(t *testing.T, r *loadgen.Report) {
		count := func(paths []string) (often, seldom, twice int) {
			for _, path := range paths {
				switch path {
				case "/often":
					often++
				case "/seldom":
					seldom++
				case "/twice":
					twice++
				}
			}
			return often, seldom, twice
		}
		for _, half := range [][]string{a.paths[:6], a.paths[6:]} {
			if o, s, tw := count(half); o != 3 || s != 1 || tw != 2 {
				t.Errorf("got %v, want 3, 1 and 2 in six", half)
			}
		}
		if !slices.Equal(a.paths[:6], a.paths[6:]) || a.paths[0] == a.paths[1] && a.paths[1] == a.paths[2] {
			t.Errorf("got %v, want them mixed, the same each turn", a.paths)
		}
		if len(r.ByRequest) != 3 || r.ByRequest[0].Requests != 6 || r.ByRequest[1].Name != "seldom" || r.ByRequest[1].Requests != 2 {
			t.Errorf("got %+v, want the requests one by one", r.ByRequest)
		}
	})
}

// However long a run is, its course has some two hundred slots, and none of its requests is lost in them.
func TestCourseOfALongRun(t *testing.T) {
	inBubble(t, &api{takes: always(time.Millisecond)}, loadgen.Plan{Rate: 1, Duration: time.Hour}, func(t *testing.T, r *loadgen.Report) {
		var requests int64
		for i, s := range r.Course {
			requests += s.Requests
			if want := float64(i) * r.Course[1].Second; !near(s.Second, want) {
				t.Errorf("slot %d begins at %g, want %g", i, s.Second, want)
			}
		}
		if requests != 3600 || len(r.Course) > 200 || len(r.Course) < 100 {
			t.Errorf("got %d requests in %d slots, want 3600 in 100 to 200", requests, len(r.Course))
		}
	})
}

func TestWatch(t *testing.T) {
	var seen []loadgen.Progress
	p := loadgen.Plan{Rate: 10, Duration: 3500 * time.Millisecond, Watch: func(p loadgen.Progress) { seen = append(seen, p) }}
	inBubble(t, &api{status: func(int) int { return 500 }}, p, func(t *testing.T, r *loadgen.Report) {
		if len(seen) != 3 || seen[2].Elapsed != 3*time.Second || seen[2].Requests < 29 || seen[2].Unexpected != seen[2].Requests {
			t.Errorf("got %+v, want it every second", seen)
		}
	})
}

func TestPlansThatCannotBe(t *testing.T) {
	one := []loadgen.Request{{HTTP: get(t, "/x")}}
	for name, tt := range map[string]struct {
		plan loadgen.Plan
		want string
	}{
		"nothing to send":    {loadgen.Plan{Rate: 1, Count: 1, Transport: &api{}}, "no requests"},
		"nobody to send it":  {loadgen.Plan{Requests: one, Rate: 1, Count: 1}, "no transport"},
		"no model":           {loadgen.Plan{Requests: one, Transport: &api{}, Count: 1}, "neither a rate nor"},
		"no end":             {loadgen.Plan{Requests: one, Transport: &api{}, Rate: 1}, "no end"},
		"less than nothing":  {loadgen.Plan{Requests: one, Transport: &api{}, Rate: -1, Count: 1}, "rate -1"},
		"negative callers":   {loadgen.Plan{Requests: one, Transport: &api{}, Rate: 1, Concurrency: -1, Count: 1}, "concurrency -1"},
		"too much":           {loadgen.Plan{Requests: one, Transport: &api{}, Rate: 2e6, Count: 1}, "a million"},
		"a negative weight":  {loadgen.Plan{Requests: []loadgen.Request{{Name: "a", Weight: -1}}, Transport: &api{}, Rate: 1, Count: 1}, `"a" has the weight -1`},
		"weights of nothing": {loadgen.Plan{Requests: []loadgen.Request{{Weight: 9000}, {Weight: 9000}}, Transport: &api{}, Rate: 1, Count: 1}, "18000 together"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := loadgen.Run(t.Context(), tt.plan); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}
