package console

import (
	"math"
	"slices"
	"time"
)

// Bucket is what happened in one span of time.
type Bucket struct {
	Time      time.Time       `json:"time"` // its beginning
	Count     int             `json:"count"`
	Verdicts  map[Verdict]int `json:"verdicts"`
	durations []int64
	Latency
}

// Latency are percentiles in microseconds, nearest rank; nil if there was no request.
type Latency struct {
	P50 *int64 `json:"p50"`
	P90 *int64 `json:"p90"`
	P99 *int64 `json:"p99"`
}

// Figures are the requests of a span of time in numbers.
type Figures struct {
	From    time.Time `json:"from"`
	To      time.Time `json:"to"`
	Step    float64   `json:"step_seconds"`
	Buckets []Bucket  `json:"buckets"`
	Total   Bucket    `json:"total"`
}

// spans are the lengths that a bucket may have, in seconds.
var spans = []int64{1, 2, 5, 10, 30, 60, 300, 600, 1800, 3600, 21600, 86400}

// mostBuckets is how many a plot has at most, but for a run of months.
const mostBuckets = 60

// figuresOf counts the requests of a window that ends at a time; a window of 0 is all of them.
func figuresOf(all []Summary, window time.Duration, end time.Time) Figures {
	first := end
	for _, s := range all {
		if s.Time.Before(first) {
			first = s.Time
		}
	}
	from := end.Add(-window)
	if window == 0 {
		from = first
	}
	step := spanFor(end.Sub(from))
	from = from.Truncate(step)
	f := Figures{From: from, Step: step.Seconds(), Total: Bucket{Time: from, Verdicts: map[Verdict]int{}}}
	for at := from; !at.After(end); at = at.Add(step) {
		f.Buckets = append(f.Buckets, Bucket{Time: at, Verdicts: map[Verdict]int{}})
	}
	f.To = from.Add(step * time.Duration(len(f.Buckets)))
	for _, s := range all {
		if s.Time.Before(from) || !s.Time.Before(f.To) {
			continue
		}
		f.Buckets[s.Time.Sub(from)/step].add(s)
		f.Total.add(s)
	}
	f.Total.sum()
	for i := range f.Buckets {
		f.Buckets[i].sum()
	}
	return f
}

func spanFor(window time.Duration) time.Duration {
	for _, seconds := range spans {
		if step := time.Duration(seconds) * time.Second; window <= step*(mostBuckets-1) {
			return step
		}
	}
	days := math.Ceil(window.Hours() / 24 / (mostBuckets - 1))
	return time.Duration(days) * 24 * time.Hour
}

func (b *Bucket) add(s Summary) {
	b.Count++
	b.Verdicts[s.Verdict]++
	b.durations = append(b.durations, s.Duration)
}

func (b *Bucket) sum() {
	slices.Sort(b.durations)
	b.Latency = Latency{rank(b.durations, 50), rank(b.durations, 90), rank(b.durations, 99)}
}

// rank is the nearest-rank percentile of sorted values: the least value that so many per cent are not above.
func rank(sorted []int64, percent int) *int64 {
	if len(sorted) == 0 {
		return nil
	}
	return &sorted[(len(sorted)*percent+99)/100-1]
}
