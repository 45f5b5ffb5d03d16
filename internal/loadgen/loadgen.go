// Package loadgen sends HTTP requests at a rate, or from a number of callers, and measures the answers.
//
// At a rate (an open model) requests leave when they are due, whatever became of those before, and a latency counts from
// the moment that its request was due: an API that stalls cannot slow the questions down and so hide the stall, which is
// known as coordinated omission. From callers (a closed model) each sends its next request when it has its answer, and the
// latencies are what so many callers see.
//
// It knows HTTP and nothing else: who signs, and where requests go, is the [http.RoundTripper]'s. It reads no
// configuration, follows no redirect, and repeats nothing.
package loadgen

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"time"
)

// DefaultMostUnderWay bounds the requests that are under way at once in the open model: an API that answers no more
// would otherwise use up the generator's memory and ports.
const DefaultMostUnderWay = 1000

// finishTime is how long requests that are under way may take after the run was stopped.
const finishTime = time.Second

// Request is a request to send.
type Request struct {
	// Name is what the report calls it.
	Name string
	// Weight is how often it is sent in relation to the others; 0 means 1.
	Weight int
	// HTTP is sent as often as it takes: with a body it needs GetBody. It is not changed.
	HTTP *http.Request
}

// Plan is what is sent, and for how long. Requests, Transport, one of Rate and Concurrency, and one of Count and Duration
// are required.
type Plan struct {
	// Requests are sent in turn, by weight; the order is the same in every run.
	Requests []Request
	// Transport sends them.
	Transport http.RoundTripper
	// Rate is the number of requests a second of the open model. 0 is the closed model.
	Rate float64
	// Concurrency is the number of callers of the closed model. In the open one it bounds the requests that are under way;
	// those that are due meanwhile wait, and their wait counts. 0 means DefaultMostUnderWay there.
	Concurrency int
	// Count ends the run after so many requests, Duration after so much time, whichever comes first. 0 is no end.
	Count    int
	Duration time.Duration
	// Warmup comes before: what is sent in it is not measured.
	Warmup time.Duration
	// Timeout bounds each request. 0 means no bound.
	Timeout time.Duration
	// Expect says which answers are as they should be. nil means 2xx.
	Expect func(status int) bool
	// Kind names an answer beyond its status, to count by. nil, or an empty name, counts nothing.
	Kind func(*http.Response) string
	// Watch is shown how far the run has come, every second. nil is nobody.
	Watch func(Progress)
	// Now is the clock; nil means time.Now. Sleep waits for the moments between requests; nil means time.Sleep, which may
	// be late by a millisecond: see [NewSleeper].
	Now   func() time.Time
	Sleep func(time.Duration)
}

// Progress is how far a run has come.
type Progress struct {
	Elapsed    time.Duration
	Requests   int64 // that were answered or failed, those of the warm-up included
	Unexpected int64
}

// check resolves zero values.
func (p *Plan) check() error {
	switch {
	case len(p.Requests) == 0:
		return errors.New("no requests to send")
	case p.Transport == nil:
		return errors.New("no transport to send with")
	case p.Rate < 0 || p.Rate > 1e6:
		return fmt.Errorf("rate %g: it must be above 0, and at most a million a second", p.Rate)
	case p.Rate == 0 && p.Concurrency < 1:
		return errors.New("neither a rate nor a number of callers")
	case p.Concurrency < 0:
		return fmt.Errorf("concurrency %d is negative", p.Concurrency)
	case p.Count <= 0 && p.Duration <= 0:
		return errors.New("neither a number of requests nor a duration: the run would have no end")
	}
	if p.Concurrency == 0 {
		p.Concurrency = DefaultMostUnderWay
	}
	if p.Expect == nil {
		p.Expect = func(status int) bool { return 200 <= status && status <= 299 }
	}
	if p.Now == nil {
		p.Now = time.Now
	}
	if p.Sleep == nil {
		p.Sleep = time.Sleep
	}
	return nil
}

// run is one run of a plan.
type run struct {
	Plan
	order   []int // indexes of Requests, one turn
	begin   time.Time
	record  *recorder
	sending context.Context // outlives the run's own context by finishTime
	tickets atomic.Int64    // closed model: measured requests that were begun
	turn    atomic.Int64    // closed model: requests that were begun
	workers sync.WaitGroup

	heldBack int64 // open model: requests that waited for a place
}

// Run sends what the plan says and returns what came of it. When the context ends, it stops sending, waits a second for
// what is under way, and returns what it has.
func Run(ctx context.Context, p Plan) (*Report, error) {
	if err := p.check(); err != nil {
		return nil, err
	}
	order, err := turns(p.Requests)
	if err != nil {
		return nil, err
	}
	sending, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	r := &run{Plan: p, order: order, begin: p.Now(), sending: sending}
	r.record = newRecorder(&r.Plan, r.begin.Add(p.Warmup))
	finished := make(chan struct{})
	var ending sync.WaitGroup
	ending.Go(func() { r.attend(ctx, stop, finished) })
	if p.Rate > 0 {
		r.open(ctx)
	} else {
		r.closed(ctx)
	}
	r.workers.Wait()
	close(finished)
	ending.Wait()
	report := r.record.report(ctx.Err() != nil)
	report.HeldBack = r.heldBack
	return report, nil
}

// attend shows the progress until the run has finished, and ends what is under way a while after the context did.
func (r *run) attend(ctx context.Context, stop func(), finished <-chan struct{}) {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for done := ctx.Done(); ; {
		select {
		case <-finished:
			return
		case <-done:
			timer := time.AfterFunc(finishTime, stop)
			defer timer.Stop()
			done = nil
		case <-tick.C:
			if r.Watch != nil {
				r.Watch(r.record.progress(r.Now().Sub(r.begin)))
			}
		}
	}
}

// measured reports whether a moment is after the warm-up.
func (r *run) measured(at time.Time) bool { return !at.Before(r.begin.Add(r.Warmup)) }

// over reports whether a moment is after the run.
func (r *run) over(at time.Time) bool {
	return r.Duration > 0 && !at.Before(r.begin.Add(r.Warmup+r.Duration))
}

// closed has each caller send its next request when it has its answer.
func (r *run) closed(ctx context.Context) {
	for range r.Concurrency {
		r.workers.Go(func() {
			w := newWorker(r)
			for ctx.Err() == nil {
				now := r.Now()
				if r.over(now) || r.measured(now) && r.Count > 0 && r.tickets.Add(1) > int64(r.Count) {
					return
				}
				w.send(arrival{turn: int(r.turn.Add(1) - 1), due: now})
			}
		})
	}
}

// turns spreads each request evenly over one turn of all of them: the smooth weighted round robin.
func turns(requests []Request) ([]int, error) {
	const most = 10_000
	weights, total := make([]int, len(requests)), 0
	for i, r := range requests {
		if weights[i] = max(r.Weight, 1); r.Weight < 0 || r.Weight > most {
			return nil, fmt.Errorf("request %q has the weight %d: from 1 to %d are possible", r.Name, r.Weight, most)
		}
		total += weights[i]
	}
	if total > most {
		return nil, fmt.Errorf("the weights of all requests are %d together, at most %d are possible", total, most)
	}
	order, current := make([]int, 0, total), make([]int, len(requests))
	for range total {
		best := 0
		for i, weight := range weights {
			current[i] += weight
			if current[i] > current[best] {
				best = i
			}
		}
		current[best] -= total
		order = append(order, best)
	}
	return order, nil
}
