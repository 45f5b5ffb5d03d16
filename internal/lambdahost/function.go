package lambdahost

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"sync"
	"time"
)

// Invocation is one event for a function.
type Invocation struct {
	// Payload is handed over byte for byte; empty stands for {}.
	Payload []byte
	// TraceID is the X-Ray header's value; zero sends none.
	TraceID string
	// ClientContext is JSON about a calling app; zero sends none.
	ClientContext string
	// RequestID is told to the function; zero makes one.
	RequestID string
}

// Result is a function's answer, or Lambda's in place of one.
type Result struct {
	// Payload is what the function posted, or an error document.
	Payload []byte
	// FunctionError is "" or [Unhandled].
	FunctionError string
	RequestID     string
	// Duration is the time from the event's delivery to the answer.
	Duration time.Duration
	// InitDuration is the start of the process, for its first invocation only.
	InitDuration time.Duration
	// LogTail is the last 4 KiB that the process and its host logged for this
	// invocation.
	LogTail []byte
}

// Function runs one function's processes. Its methods may be called at the
// same time.
type Function struct {
	cfg Config

	// One lock for all state, the processes' too: it is held for a few
	// pointer moves only, and every rule about who runs what is in one order.
	mu        sync.Mutex
	pending   []*invocation // waiting, oldest first
	idle      []*process    // asked for an event; last in, first out
	processes map[*process]struct{}
	starting  int // processes that have not asked for an event yet
	bootstrap string
	epoch     int // grows when bootstrap is replaced
	closed    bool
	gone      sync.WaitGroup // one for each process not reaped

	logMu sync.Mutex // keeps calls of cfg.Log apart
}

// invocation is an event on its way. Its fields are guarded by Function.mu
// once it was handed over.
type invocation struct {
	Invocation
	done     chan outcome // buffered: settling never waits
	settled  bool
	started  time.Time
	deadline time.Time
	init     time.Duration
	timer    *time.Timer
}

// outcome is what the waiting caller gets.
type outcome struct {
	result Result
	err    error
}

// New checks cfg and returns a function that starts processes when they are
// needed. The caller must call [Function.Close].
func New(cfg Config) (*Function, error) {
	if err := Supported(); err != nil {
		return nil, err
	}
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	return &Function{cfg: cfg, bootstrap: cfg.Bootstrap, processes: make(map[*process]struct{})}, nil
}

// Name is the function's name.
func (f *Function) Name() string { return f.cfg.Name }

// ARN is the function's ARN, without a qualifier.
func (f *Function) ARN() string { return f.cfg.ARN }

// Version is the published version, or $LATEST.
func (f *Function) Version() string { return f.cfg.Version }

// Timeout is the time one invocation has.
func (f *Function) Timeout() time.Duration { return f.cfg.Timeout }

// Invoke runs the function once and waits for its answer. A function that
// fails in any way is a [Result] with FunctionError, not an error. Errors are
// the host's own: [ErrThrottled], [ErrClosed], [*TooLargeError], or ctx's.
//
// A free process is used again, the last used first. Without one, a process is
// started up to the limit; beyond it the invocation waits its turn, and only a
// full queue throttles. Lambda would throttle at the limit at once; set
// [Config.Queue] negative for that.
//
// The answer counts when the runtime posts it; the process is used again when
// it asks for the next event, and is killed if it has not by the deadline.
// When ctx ends first, Invoke returns and the function runs on, as it does
// when a caller of Lambda hangs up.
func (f *Function) Invoke(ctx context.Context, in Invocation) (Result, error) {
	if len(in.Payload) > MaxRequestPayload {
		return Result{}, &TooLargeError{Size: len(in.Payload), Limit: MaxRequestPayload}
	}
	if err := ctx.Err(); err != nil {
		return Result{}, err
	}
	if len(in.Payload) == 0 {
		in.Payload = []byte("{}")
	}
	if in.RequestID == "" {
		in.RequestID = f.cfg.NewID()
	}
	if !requestID.MatchString(in.RequestID) {
		return Result{}, fmt.Errorf("invoke %s: request id %q may hold up to 128 letters, digits and hyphens only", f.cfg.Name, in.RequestID)
	}
	inv := &invocation{Invocation: in, done: make(chan outcome, 1)}
	if err := f.submit(inv); err != nil {
		return Result{}, fmt.Errorf("invoke %s: %w", f.cfg.Name, err)
	}
	select {
	case o := <-inv.done:
		return o.result, o.err
	case <-ctx.Done():
		f.forget(inv)
		return Result{}, fmt.Errorf("invoke %s: %w", f.cfg.Name, ctx.Err())
	}
}

// requestID is what can stand in a Runtime API path and in a log line.
var requestID = regexp.MustCompile(`^[A-Za-z0-9-]{1,128}$`)

// Replace has new processes run another binary. Free processes of the old one
// end now, busy ones when they have answered: no invocation is lost.
func (f *Function) Replace(bootstrap string) error {
	if err := checkExecutable(bootstrap); err != nil {
		return fmt.Errorf("function %s: %w", f.cfg.Name, err)
	}
	path, err := filepath.Abs(bootstrap)
	if err != nil {
		return fmt.Errorf("function %s: %w", f.cfg.Name, err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.bootstrap = path
	f.epoch++
	for p := f.popIdle(); p != nil; p = f.popIdle() {
		f.dismiss(p)
	}
	return nil
}

// Warm starts a process, unless one is free or about to be, and waits until it
// asks for its first event. A process that does not get that far is an [*InitError].
func (f *Function) Warm(ctx context.Context) error {
	p, err := f.warmOne()
	if p == nil {
		return err
	}
	select {
	case <-p.ready:
		if p.initErr != nil {
			return p.initErr
		}
		return nil
	case <-ctx.Done():
		return fmt.Errorf("warm %s: %w", f.cfg.Name, ctx.Err())
	}
}

// warmOne returns the process to wait for, or nil if none is needed or allowed.
func (f *Function) warmOne() (*process, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	switch {
	case f.closed:
		return nil, fmt.Errorf("warm %s: %w", f.cfg.Name, ErrClosed)
	case f.cfg.Concurrency < 0:
		return nil, fmt.Errorf("warm %s: %w", f.cfg.Name, ErrThrottled)
	case len(f.idle) > 0:
		return nil, nil
	}
	if _, returning := f.busy(); returning > 0 {
		return nil, nil
	}
	for p := range f.processes {
		if p.state == stateStarting && !p.retired {
			return p, nil
		}
	}
	if len(f.processes) >= f.cfg.Concurrency {
		return nil, nil // every process is there already, and busy
	}
	return f.start(false), nil
}

// Close stops every process: SIGTERM, [Config.Grace], then SIGKILL, each to the
// whole process group. When ctx ends the grace ends too. Invocations that have
// no answer get [ErrClosed]. Close returns when no process is left, and may be
// called again.
func (f *Function) Close(ctx context.Context) error {
	f.mu.Lock()
	f.closed = true
	for inv := f.popPending(); inv != nil; inv = f.popPending() {
		f.refuse(inv, ErrClosed)
	}
	var all []*process
	for p := range f.processes {
		all = append(all, p)
		if p.current != nil {
			f.refuse(p.current, ErrClosed)
		}
		f.retire(p)
		p.ending = true
	}
	f.mu.Unlock()
	for _, p := range all {
		p.terminate()
	}
	done := make(chan struct{})
	go func() { f.gone.Wait(); close(done) }()
	grace := time.NewTimer(f.cfg.Grace)
	defer grace.Stop()
	select {
	case <-done:
		return nil
	case <-grace.C:
	case <-ctx.Done():
	}
	for _, p := range all {
		p.kill()
	}
	select {
	case <-done:
		return nil
	case <-time.After(killPatience):
		return fmt.Errorf("close %s: %w", f.cfg.Name, errors.New("a process outlives SIGKILL; it may hang in the kernel"))
	}
}

// killPatience bounds the wait for processes that SIGKILL should have ended.
const killPatience = 5 * time.Second
