package loadgen

import (
	"sync"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	// longest is the longest latency that is told apart from longer ones.
	longest = time.Hour
	// digits of a latency are kept in the totals, slotDigits in the course of time, where there are many histograms.
	digits     = 3
	slotDigits = 2
)

func newHistogram(digits int) *hdrhistogram.Histogram {
	return hdrhistogram.New(1, longest.Microseconds(), digits)
}

// record counts a duration, in microseconds.
func record(h *hdrhistogram.Histogram, d time.Duration) {
	h.RecordValue(min(max(d.Microseconds(), 0), longest.Microseconds())) //nolint:errcheck // within the histogram's bounds
}

// recorder takes the samples of all workers.
type recorder struct {
	plan *Plan
	from time.Time // where the measurement begins

	mu         sync.Mutex
	total      int64 // with the warm-up
	warmup     int64
	abandoned  int64
	unexpected int64
	last       time.Time // when the last answer had come
	lastSent   time.Time
	latency    *hdrhistogram.Histogram // since a request was due
	service    *hdrhistogram.Histogram // since it was sent
	lag        *hdrhistogram.Histogram // from the one to the other
	statuses   map[int]*tally
	kinds      map[string]int64
	failures   map[string]*Failure
	out, in    int64
	opened     int64
	reused     int64
	requests   []*tally
	course     course
}

// tally is what is kept of one of several requests, and of the answers with one status.
type tally struct {
	requests, unexpected int64
	latency              *hdrhistogram.Histogram
}

func newRecorder(p *Plan, from time.Time) *recorder {
	r := &recorder{
		plan: p, from: from,
		latency: newHistogram(digits), service: newHistogram(digits), lag: newHistogram(digits),
		statuses: map[int]*tally{}, kinds: map[string]int64{}, failures: map[string]*Failure{},
		requests: make([]*tally, len(p.Requests)),
		course:   course{width: firstWidth},
	}
	for i := range r.requests {
		r.requests[i] = newTally()
	}
	return r
}

func newTally() *tally { return &tally{latency: newHistogram(slotDigits)} }

func (r *recorder) add(s sample) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.total++
	switch {
	case s.due.Before(r.from):
		r.warmup++
		return
	case s.abandoned:
		r.abandoned++
		return
	}
	if s.done.After(r.last) {
		r.last = s.done
	}
	if s.sent.After(r.lastSent) {
		r.lastSent = s.sent
	}
	r.out, r.in = r.out+s.out, r.in+s.in
	r.opened, r.reused = r.opened+s.opened, r.reused+s.reused
	expected := s.err == nil && r.plan.Expect(s.status)
	if !expected {
		r.unexpected++
	}
	if s.err != nil {
		r.fail(s.err)
	} else {
		r.answered(s)
		if s.kind != "" {
			r.kinds[s.kind]++
		}
	}
	r.time(s, expected)
}

// answered counts by status: what is refused at once would make the rest look quick.
func (r *recorder) answered(s sample) {
	t := r.statuses[s.status]
	if t == nil {
		t = newTally()
		r.statuses[s.status] = t
	}
	t.requests++
	record(t.latency, s.done.Sub(s.due))
}

func (r *recorder) fail(err error) {
	name := reason(err)
	if r.failures[name] == nil {
		r.failures[name] = &Failure{Example: err.Error()}
	}
	r.failures[name].Count++
}

// time counts the latency of an answer, and of what timed out: leaving that out would make an API that answers nothing
// the quickest of all. A connection that could not be had says nothing about the API's time.
func (r *recorder) time(s sample, expected bool) {
	latency := s.done.Sub(s.due)
	counts := s.err == nil || reason(s.err) == "timeout"
	if counts {
		record(r.latency, latency)
		record(r.service, s.done.Sub(s.sent))
	}
	record(r.lag, s.sent.Sub(s.due))
	t := r.requests[s.request]
	t.requests++
	if !expected {
		t.unexpected++
	}
	slot := r.course.at(s.due.Sub(r.from))
	slot.requests++
	if !expected {
		slot.unexpected++
	}
	if counts {
		record(t.latency, latency)
		record(slot.latency, latency)
	}
}

func (r *recorder) progress(elapsed time.Duration) Progress {
	r.mu.Lock()
	defer r.mu.Unlock()
	return Progress{Elapsed: elapsed, Requests: r.total, Unexpected: r.unexpected}
}
