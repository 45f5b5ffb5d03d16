package loadgen

import (
	"context"
	"time"
)

// arrival is a request that is due.
type arrival struct {
	turn int
	due  time.Time
}

// open hands out requests when they are due. A worker that has nothing to do takes one, else there is a new worker, and
// with as many of them as may be under way the request waits, its due time unchanged.
func (r *run) open(ctx context.Context) {
	hand := make(chan arrival)
	defer close(hand)
	started := 0
	for turn := 0; ; turn++ {
		a := arrival{turn, r.begin.Add(r.offset(turn))}
		if r.over(a.due) || r.Count > 0 && turn-r.warmups() >= r.Count || !r.await(ctx, a.due) {
			return
		}
		select {
		case hand <- a:
			continue
		default:
		}
		if started < r.Concurrency {
			started++
			r.workers.Go(func() { r.work(a, hand) })
			continue
		}
		r.heldBack++
		select {
		case hand <- a:
		case <-ctx.Done():
			return
		}
	}
}

// offset is when a request is due after the beginning, computed from its number so that no error adds up.
func (r *run) offset(turn int) time.Duration {
	return time.Duration(float64(turn) / r.Rate * float64(time.Second))
}

// warmups is how many requests are due before the measurement begins.
func (r *run) warmups() int {
	n := int(r.Warmup.Seconds() * r.Rate)
	for r.offset(n) < r.Warmup {
		n++
	}
	for n > 0 && r.offset(n-1) >= r.Warmup {
		n--
	}
	return n
}

// await returns at a moment, at once if it is past, and reports whether the run goes on.
func (r *run) await(ctx context.Context, due time.Time) bool {
	const alert = 100 * time.Millisecond // how long a sleep may not notice that the run was stopped
	for ctx.Err() == nil {
		left := due.Sub(r.Now())
		if left <= 0 {
			return true
		}
		r.Sleep(min(left, alert))
	}
	return false
}

func (r *run) work(first arrival, more <-chan arrival) {
	w := newWorker(r)
	w.send(first)
	for a := range more {
		w.send(a)
	}
}
