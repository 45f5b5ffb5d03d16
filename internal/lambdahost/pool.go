package lambdahost

import (
	"fmt"
	"time"
)

// submit hands inv to a free process, or queues it.
func (f *Function) submit(inv *invocation) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.closed:
		return ErrClosed
	case f.cfg.Concurrency < 0:
		return ErrThrottled
	}
	if p := f.popIdle(); p != nil {
		f.assign(p, inv)
		p.deliver <- inv // buffered, and empty while p is idle
		return nil
	}
	// Only processes that owe an answer keep an invocation waiting; one that
	// is about to come, or whose place is about to be free, does not.
	busy, _ := f.busy()
	waiting := len(inv.Payload)
	for _, other := range f.pending {
		waiting += len(other.Payload)
	}
	if len(f.pending) >= f.cfg.Concurrency-busy+max(f.cfg.Queue, 0) || waiting > maxPendingBytes {
		return ErrThrottled
	}
	f.pending = append(f.pending, inv)
	f.grow()
	return nil
}

// maxPendingBytes bounds the memory of the events that wait for a process.
const maxPendingBytes = 256 * 1024 * 1024

// forget drops an invocation that nobody waits for, if it has not started.
func (f *Function) forget(inv *invocation) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for i, other := range f.pending {
		if other == inv {
			f.pending = append(f.pending[:i:i], f.pending[i+1:]...)
			return
		}
	}
}

// popIdle returns the process that was used last, or nil. f.mu is held.
func (f *Function) popIdle() *process {
	n := len(f.idle)
	if n == 0 {
		return nil
	}
	p := f.idle[n-1]
	f.idle[n-1] = nil
	f.idle = f.idle[:n-1]
	return p
}

// popPending returns the invocation that has waited longest, or nil. f.mu is held.
func (f *Function) popPending() *invocation {
	if len(f.pending) == 0 {
		return nil
	}
	inv := f.pending[0]
	f.pending[0] = nil
	f.pending = f.pending[1:]
	return inv
}

// grow starts as many processes as invocations wait for, up to the limit. One
// that has answered is about to ask for its next event, and starting another
// would take longer; but nobody waits long on that hope. f.mu is held.
func (f *Function) grow() {
	_, returning := f.busy()
	f.startFor(len(f.pending) - returning)
	if returning > 0 && len(f.pending) > 0 {
		time.AfterFunc(returnPatience, func() {
			f.mu.Lock()
			defer f.mu.Unlock()
			f.startFor(len(f.pending))
		})
	}
}

// returnPatience is how long an invocation waits for a process that has
// answered before another one is started. A good runtime takes microseconds.
const returnPatience = 50 * time.Millisecond

// startFor starts processes until enough for n invocations are on their way.
// f.mu is held.
func (f *Function) startFor(n int) {
	for !f.closed && f.starting < n && len(f.processes) < f.cfg.Concurrency {
		f.start(false)
	}
}

// busy counts the processes in service that owe an answer, and those that have
// given it and will ask for the next event. f.mu is held.
func (f *Function) busy() (owing, returning int) {
	for p := range f.processes {
		switch {
		case p.retired || p.current == nil:
		case p.current.settled:
			returning++
		default:
			owing++
		}
	}
	return owing, returning
}

// start adds a process; suppressed starts are those whose time is taken from
// the invocation that waits. f.mu is held.
func (f *Function) start(suppressed bool) *process {
	p := newProcess(f, suppressed)
	f.processes[p] = struct{}{}
	f.starting++
	f.gone.Add(1)
	go p.run()
	return p
}

// assign makes inv the current invocation of p and starts its clock. f.mu is held.
func (f *Function) assign(p *process, inv *invocation) {
	now := f.cfg.Now()
	inv.started = now
	left := f.cfg.Timeout
	if p.invocations == 0 {
		inv.init = p.initDuration
		if p.suppressed {
			left = max(left-p.initDuration, 0)
		}
	}
	p.invocations++
	inv.deadline = now.Add(left)
	inv.timer = time.AfterFunc(left, func() { f.expire(p, inv) })
	p.current, p.state = inv, stateRunning
}

// expire ends an invocation that is still current at its deadline.
func (f *Function) expire(p *process, inv *invocation) {
	f.mu.Lock()
	if p.current != inv {
		f.mu.Unlock()
		return
	}
	f.retire(p)
	p.ending = true
	answered := inv.settled
	f.mu.Unlock()
	why := timeoutFailure(f.cfg.Timeout)
	if answered { // and has not come back for the next event since
		p.out.note(why)
	}
	f.fail(p, inv, why)
	p.kill()
}

// fail settles inv with an error of Lambda's or the runtime's own making.
func (f *Function) fail(p *process, inv *invocation, why failure) {
	f.finish(p, inv, Result{Payload: why.payload(inv.RequestID), FunctionError: Unhandled}, why)
}

// finish settles inv with r, unless it was settled before.
func (f *Function) finish(p *process, inv *invocation, r Result, why failure) {
	f.mu.Lock()
	settled := inv.settled
	inv.settled = true
	f.mu.Unlock()
	if settled {
		return
	}
	r.RequestID = inv.RequestID
	r.Duration = f.cfg.Now().Sub(inv.started)
	r.InitDuration = inv.init
	r.LogTail = p.out.end(report{
		requestID: inv.RequestID, duration: r.Duration, init: r.InitDuration,
		memoryMB: f.cfg.MemoryMB, failure: why,
	})
	inv.done <- outcome{result: r}
}

// refuse settles inv with an error of the host. f.mu is held.
func (f *Function) refuse(inv *invocation, err error) {
	if !inv.settled {
		inv.settled = true
		inv.done <- outcome{err: fmt.Errorf("invoke %s: %w", f.cfg.Name, err)}
	}
}

// dismiss ends a process that has nothing to do. f.mu is held.
func (f *Function) dismiss(p *process) {
	f.retire(p)
	p.ending = true
	p.terminate()
	time.AfterFunc(f.cfg.Grace, p.kill) // without effect on one that is gone
}

// retire takes p out of service. f.mu is held.
func (f *Function) retire(p *process) {
	p.retired = true
	for i, q := range f.idle {
		if q == p {
			f.idle = append(f.idle[:i:i], f.idle[i+1:]...)
			return
		}
	}
}

// buried settles what a dead process leaves behind: its invocation, or its
// start that did not succeed, and the place that is free again.
func (f *Function) buried(p *process, why failure) {
	f.mu.Lock()
	delete(f.processes, p)
	unborn := !isClosed(p.ready)
	inv, expected := p.current, p.ending
	f.retire(p)
	if unborn {
		f.starting--
		why = p.initFailure(why)
		inv = f.stillborn(p, why)
	}
	open := inv != nil && !inv.settled
	f.grow()
	f.mu.Unlock()
	if inv != nil && inv.timer != nil {
		inv.timer.Stop()
	}
	if unborn && open {
		p.out.begin(inv.RequestID, f.cfg.Version)
	}
	switch {
	case open:
		f.fail(p, inv, why)
	case !expected:
		p.out.note(why)
	}
}

// initFailure is why a process did not start, of which its end is only the
// last sign. f.mu is held.
func (p *process) initFailure(end failure) failure {
	switch {
	case p.posted != nil:
		return *p.posted
	case p.overran && p.suppressed:
		return timeoutFailure(p.f.cfg.Timeout)
	case p.overran:
		return timeoutFailure(p.f.cfg.InitTimeout)
	}
	return end
}

// stillborn decides what follows a start that failed: the invocation that has
// waited longest is returned to get the error, or, if time ran out, one more
// start is made inside its own time. f.mu is held.
func (f *Function) stillborn(p *process, why failure) *invocation {
	p.initErr = why.initError(f.cfg.Name)
	if f.closed {
		p.initErr = ErrClosed
	}
	close(p.ready)
	if p.epoch != f.epoch {
		return nil // its successor may do better
	}
	if p.overran && !p.suppressed && len(f.pending) > 0 && !f.closed {
		f.start(true)
		return nil
	}
	inv := f.popPending()
	if inv != nil {
		inv.started = f.cfg.Now()
	}
	return inv
}

func isClosed(c <-chan struct{}) bool {
	select {
	case <-c:
		return true
	default:
		return false
	}
}
