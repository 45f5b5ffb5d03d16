package console_test

import (
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/console"
)

func at(seconds float64, verdict console.Verdict, us int64) console.Summary {
	return console.Summary{Time: start.Add(time.Duration(seconds * float64(time.Second))), Verdict: verdict, Duration: us}
}

func TestFigures(t *testing.T) {
	all := []console.Summary{
		at(-10, console.LetIn, 7), // before the window
		at(0, console.LetIn, 40), at(0.9, console.Refused, 10), at(0.5, console.LetIn, 30), at(0.2, console.LetIn, 20),
		at(3, console.Failed, 5),
	}
	f := console.FiguresOf(all, 4*time.Second, start.Add(4*time.Second))
	if f.Step != 1 || len(f.Buckets) != 5 || !f.From.Equal(start) {
		t.Fatalf("got %d buckets of %v s from %v, want five of a second from %v", len(f.Buckets), f.Step, f.From, start)
	}
	// Nearest rank: of 10, 20, 30, 40 the median is the second, the 90th and 99th percentiles are the fourth.
	first := f.Buckets[0]
	if diff := cmp.Diff(map[console.Verdict]int{console.LetIn: 3, console.Refused: 1}, first.Verdicts); diff != "" || *first.P50 != 20 || *first.P90 != 40 || *first.P99 != 40 {
		t.Errorf("p50 %d, p90 %d, p99 %d, verdicts (-want +got):\n%s", *first.P50, *first.P90, *first.P99, diff)
	}
	if empty := f.Buckets[1]; empty.Count != 0 || empty.P50 != nil {
		t.Errorf("got %+v, want an empty bucket without a latency", empty)
	}
	if f.Buckets[3].Verdicts[console.Failed] != 1 || f.Total.Count != 5 || *f.Total.P50 != 20 {
		t.Errorf("got %+v, and in all %d with median %d", f.Buckets[3], f.Total.Count, *f.Total.P50)
	}
}

func TestPercentilesOfAHundred(t *testing.T) {
	var all []console.Summary
	for i := range 100 {
		all = append(all, at(0, console.LetIn, int64(100-i)))
	}
	f := console.FiguresOf(all, time.Minute, start.Add(time.Second))
	if got := f.Total; *got.P50 != 50 || *got.P90 != 90 || *got.P99 != 99 {
		t.Errorf("got %d, %d, %d: want 50, 90, 99", *got.P50, *got.P90, *got.P99)
	}
}

// However long a run, its plots have a bounded number of buckets, and lose nothing.
func TestFiguresOfLongRuns(t *testing.T) {
	for name, length := range map[string]time.Duration{
		"an instant": 0, "a minute": time.Minute, "an hour": time.Hour, "a day": 24 * time.Hour, "a year": 365 * 24 * time.Hour,
	} {
		t.Run(name, func(t *testing.T) {
			all := []console.Summary{{Time: start}, {Time: start.Add(length / 2)}, {Time: start.Add(length)}}
			f := console.FiguresOf(all, 0, start.Add(length))
			if len(f.Buckets) < 1 || len(f.Buckets) > 62 || f.Total.Count != 3 {
				t.Errorf("got %d buckets of %v s with %d requests", len(f.Buckets), f.Step, f.Total.Count)
			}
		})
	}
	if f := console.FiguresOf(nil, 0, start); f.Total.Count != 0 || len(f.Buckets) != 1 {
		t.Errorf("of nothing: got %+v", f)
	}
}
