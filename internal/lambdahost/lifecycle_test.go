package lambdahost_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/lambdahost"
)

func TestWarmProcessesAreUsedAgain(t *testing.T) {
	t.Parallel()
	f := open(t, "pid", func(c *lambdahost.Config) { c.Concurrency = 1 })
	first := answer(t, f, "{}")
	for range 20 {
		if got := answer(t, f, "{}"); got != first {
			t.Fatalf("process: got %s, want %s again", got, first)
		}
	}
}

func TestWarm(t *testing.T) {
	t.Parallel()
	f := open(t, "pid", nil)
	for range 2 {
		if err := f.Warm(t.Context()); err != nil {
			t.Fatal(err)
		}
	}
	if got := invoke(t, f, "{}"); got.InitDuration == 0 {
		t.Error("init duration: got 0, want that of the process started ahead")
	}

	broken := open(t, "init-error", nil)
	var initError *lambdahost.InitError
	err := broken.Warm(t.Context())
	if !errors.As(err, &initError) {
		t.Fatalf("broken function: got %v, want an InitError", err)
	}
	want := lambdahost.InitError{Function: "test-init-error", Type: "Config.Missing", Message: "TABLE_NAME is not set"}
	if *initError != want {
		t.Errorf("got %+v, want %+v", *initError, want)
	}
}

// 200 at once through at most 8 processes: each call gets its own answer, and
// no more than 8 processes ever answered.
func TestParallelInvocations(t *testing.T) {
	t.Parallel()
	const calls, processes = 200, 8
	f := open(t, "echo", func(c *lambdahost.Config) { c.Concurrency = processes })
	pids := &logbook{note: make(chan struct{}, 1)}
	g := open(t, "pid", func(c *lambdahost.Config) { c.Concurrency = processes; c.Log = pids.add })
	var all sync.WaitGroup
	for i := range calls {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			payload := fmt.Sprintf(`{"call":%d}`, i)
			r, err := f.Invoke(ctx, lambdahost.Invocation{Payload: []byte(payload)})
			if err != nil || string(r.Payload) != payload || r.FunctionError != "" {
				t.Errorf("call %d: got %s, %s, %v", i, r.Payload, r.FunctionError, err)
			}
		})
		all.Go(func() {
			ctx, cancel := context.WithTimeout(context.Background(), patience)
			defer cancel()
			if r, err := g.Invoke(ctx, lambdahost.Invocation{}); err != nil || r.FunctionError != "" {
				t.Errorf("call %d: got %s, %v", i, r.Payload, err)
			}
		})
	}
	all.Wait()
	seen := map[int]bool{}
	for _, line := range pids.all() {
		if strings.HasPrefix(line.Text, "START") {
			seen[line.PID] = true
		}
	}
	if len(seen) == 0 || len(seen) > processes {
		t.Errorf("processes: got %d, want 1 to %d", len(seen), processes)
	}
}

// Invocations at the same time run in processes of their own, up to the limit.
func TestConcurrencyAndThrottling(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	f := open(t, "wait", func(c *lambdahost.Config) {
		c.Concurrency, c.Queue = 2, 1
		c.Env = append(c.Env, "GATE="+g.URL)
	})
	type done struct {
		result lambdahost.Result
		err    error
	}
	finished := make(chan done, 3)
	call := func(id string) {
		r, err := f.Invoke(context.Background(), lambdahost.Invocation{Payload: []byte(strconv.Quote(id))})
		finished <- done{r, err}
	}
	go call("a")
	go call("b")
	g.wait(t)
	g.wait(t)
	waiting, cancel := context.WithCancel(t.Context())
	defer cancel()
	queued := make(chan error, 2)
	for range 2 { // one of the two finds the queue's only place taken
		go func() {
			_, err := f.Invoke(waiting, lambdahost.Invocation{Payload: []byte(`"queued"`)})
			queued <- err
		}()
	}
	if err := receive(t, queued, "the refused call"); !errors.Is(err, lambdahost.ErrThrottled) {
		t.Errorf("beyond the queue: got %v, want ErrThrottled", err)
	}
	close(g.open)
	pids := map[string]bool{}
	for range 2 {
		d := receive(t, finished, "an answer")
		if d.err != nil || d.result.FunctionError != "" {
			t.Errorf("got %+v", d)
		}
		pids[string(d.result.Payload)] = true
	}
	if len(pids) != 2 {
		t.Errorf("processes of two invocations at once: got %v, want two", pids)
	}
	if err := receive(t, queued, "the queued call"); err != nil {
		t.Errorf("queued call: %v", err)
	}
}

// Without a queue, as at a reserved concurrency, calls one after the other
// still never meet a throttle, even when the process is replaced in between.
func TestNoQueueStillServesOneAfterTheOther(t *testing.T) {
	t.Parallel()
	for _, play := range []string{"pid", "exit1", "panic", "init-exit"} {
		t.Run(play, func(t *testing.T) {
			t.Parallel()
			f := open(t, play, func(c *lambdahost.Config) { c.Concurrency, c.Queue = 1, -1 })
			for range 5 {
				invoke(t, f, "{}")
			}
		})
	}
	t.Run("hang", func(t *testing.T) {
		t.Parallel()
		f := open(t, "hang", func(c *lambdahost.Config) {
			c.Concurrency, c.Queue, c.Timeout = 1, -1, 50*time.Millisecond
		})
		for range 3 {
			invoke(t, f, "{}")
		}
	})
}

func TestNoConcurrencyThrottlesEverything(t *testing.T) {
	t.Parallel()
	f := open(t, "pid", func(c *lambdahost.Config) { c.Concurrency = -1 })
	if _, err := f.Invoke(t.Context(), lambdahost.Invocation{}); !errors.Is(err, lambdahost.ErrThrottled) {
		t.Errorf("invoke: got %v, want ErrThrottled", err)
	}
	if err := f.Warm(t.Context()); !errors.Is(err, lambdahost.ErrThrottled) {
		t.Errorf("warm: got %v, want ErrThrottled", err)
	}
}

func TestTimeoutEndsTheProcessAndItsChildren(t *testing.T) {
	t.Parallel()
	w := newWatch(t)
	f := open(t, "hang", func(c *lambdahost.Config) {
		c.Timeout = 300 * time.Millisecond
		c.Env = append(c.Env, "WATCH="+w.addr)
	})
	began := time.Now()
	r := invoke(t, f, "{}")
	if r.FunctionError == "" || time.Since(began) < 300*time.Millisecond || r.Duration < 300*time.Millisecond {
		t.Errorf("got %q after %v (duration %v)", r.FunctionError, time.Since(began), r.Duration)
	}
	came := receive(t, w.came, "the function")
	if gone := receive(t, w.gone, "the end of the process"); gone != came {
		t.Errorf("ended: got %s, want %s", gone, came)
	}
}

// A process that has answered and is late is not waited for while another can
// be started.
func TestProcessThatIsLateIsNotWaitedFor(t *testing.T) {
	t.Parallel()
	f := open(t, "late", func(c *lambdahost.Config) { c.Grace = 0 })
	first := answer(t, f, "{}")
	began := time.Now()
	if second := answer(t, f, "{}"); second == first {
		t.Errorf("process: got %s again", second)
	}
	if took := time.Since(began); took > patience/2 {
		t.Errorf("the second call took %v", took)
	}
}

// A function that has answered but does not ask for the next event is not
// used again, and is ended at the deadline.
func TestProcessThatDoesNotComeBackIsReplaced(t *testing.T) {
	t.Parallel()
	w, book := newWatch(t), newLogbook()
	f := open(t, "late", func(c *lambdahost.Config) {
		c.Timeout = 300 * time.Millisecond
		c.Env = append(c.Env, "WATCH="+w.addr)
		c.Log = book.add
	})
	first := answer(t, f, "{}")
	if got := receive(t, w.came, "the function"); got != "staying "+first {
		t.Errorf("got %q, want process %s to stay", got, first)
	}
	if got := receive(t, w.gone, "its end"); got != "staying "+first {
		t.Errorf("ended: got %q, want process %s", got, first)
	}
	book.wait(t, "Task timed out after 0.30 seconds")
	if second := answer(t, f, "{}"); second == first {
		t.Errorf("process: got %s again", second)
	}
}

func TestProcessThatLeavesItsConnectionIsReplaced(t *testing.T) {
	t.Parallel()
	w := newWatch(t)
	f := open(t, "leave", func(c *lambdahost.Config) {
		c.Concurrency = 1
		c.Env = append(c.Env, "WATCH="+w.addr)
	})
	first := answer(t, f, "{}")
	if got := receive(t, w.gone, "the end of the process that left"); got != "leaving "+first {
		t.Errorf("ended: got %q, want process %s", got, first)
	}
	if second := answer(t, f, "{}"); second == first {
		t.Errorf("process: got %s again", second)
	}
}

func TestGrandchildrenEndWithTheirProcess(t *testing.T) {
	t.Parallel()
	w := newWatch(t)
	f := open(t, "parent", func(c *lambdahost.Config) { c.Env = append(c.Env, "WATCH="+w.addr) })
	pid := answer(t, f, "{}")
	if got := receive(t, w.came, "the grandchild"); got != "hanging "+pid {
		t.Fatalf("got %q, want process %s", got, pid)
	}
	if err := f.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	if got := receive(t, w.gone, "the grandchild's end"); got != "hanging "+pid {
		t.Errorf("ended: got %q, want process %s", got, pid)
	}
}

func TestCloseAnswersEverybody(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	f := open(t, "wait", func(c *lambdahost.Config) {
		c.Concurrency = 1
		c.Env = append(c.Env, "GATE="+g.URL)
	})
	failed := make(chan error, 2)
	call := func() {
		_, err := f.Invoke(context.Background(), lambdahost.Invocation{Payload: []byte(`"x"`)})
		failed <- err
	}
	go call()
	g.wait(t)
	go call()
	if err := f.Close(context.Background()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := receive(t, failed, "a call"); !errors.Is(err, lambdahost.ErrClosed) {
			t.Errorf("got %v, want ErrClosed", err)
		}
	}
	if _, err := f.Invoke(t.Context(), lambdahost.Invocation{}); !errors.Is(err, lambdahost.ErrClosed) {
		t.Errorf("invoke afterwards: got %v, want ErrClosed", err)
	}
	if err := f.Warm(t.Context()); !errors.Is(err, lambdahost.ErrClosed) {
		t.Errorf("warm afterwards: got %v, want ErrClosed", err)
	}
	if err := f.Close(context.Background()); err != nil {
		t.Errorf("close again: %v", err)
	}
}

func TestCloseKillsWhoIgnoresSIGTERM(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		grace time.Duration
		ctx   func(*testing.T) context.Context
	}{
		"after the grace": {50 * time.Millisecond, func(t *testing.T) context.Context { return context.Background() }},
		"when its context ended": {patience, func(t *testing.T) context.Context {
			ctx, cancel := context.WithCancel(t.Context())
			cancel()
			return ctx
		}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := open(t, "stubborn", func(c *lambdahost.Config) { c.Grace = test.grace })
			pid := answer(t, f, "{}")
			began := time.Now()
			if err := f.Close(test.ctx(t)); err != nil {
				t.Fatal(err)
			}
			if took := time.Since(began); took > patience/2 {
				t.Errorf("close took %v", took)
			}
			if _, err := os.Stat(proc(pid)); !errors.Is(err, os.ErrNotExist) {
				t.Errorf("process %s is still there: %v", pid, err)
			}
		})
	}
}

// A start that overruns its time is made once more inside the invocation's.
func TestInitTimeout(t *testing.T) {
	t.Parallel()
	limits := func(c *lambdahost.Config) { c.InitTimeout, c.Timeout = 100*time.Millisecond, 200*time.Millisecond }
	t.Run("always", func(t *testing.T) {
		t.Parallel()
		book := newLogbook()
		f := open(t, "init-hang", func(c *lambdahost.Config) { limits(c); c.Log = book.add })
		r, err := f.Invoke(t.Context(), lambdahost.Invocation{RequestID: "id-1"})
		if err != nil {
			t.Fatal(err)
		}
		want := `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: id-1 Error: Task timed out after 0.20 seconds"}`
		if diff := cmp.Diff(want, string(r.Payload)); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})
	t.Run("once", func(t *testing.T) {
		t.Parallel()
		marker := filepath.Join(t.TempDir(), "marker")
		f := open(t, "init-slow-once", func(c *lambdahost.Config) {
			c.InitTimeout, c.Timeout = time.Second, patience
			c.Env = append(c.Env, "MARKER="+marker)
		})
		if got := answer(t, f, `"second start"`); got != `"second start"` {
			t.Errorf("got %s", got)
		}
	})
	t.Run("ahead", func(t *testing.T) {
		t.Parallel()
		f := open(t, "init-hang", limits)
		var initError *lambdahost.InitError
		if err := f.Warm(t.Context()); !errors.As(err, &initError) || initError.Type != "Sandbox.Timedout" {
			t.Errorf("got %v, want an InitError", err)
		}
	})
	t.Run("reported, but the process stays", func(t *testing.T) {
		t.Parallel()
		f := open(t, "init-error-stays", func(c *lambdahost.Config) { c.Grace = 50 * time.Millisecond })
		var initError *lambdahost.InitError
		if err := f.Warm(t.Context()); !errors.As(err, &initError) || initError.Type != "Runtime.Unknown" {
			t.Errorf("got %v, want an InitError", err)
		}
	})
}

func TestReplaceLosesNoInvocation(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	dir := t.TempDir()
	f := open(t, "wait", func(c *lambdahost.Config) {
		c.Env = append(c.Env, "GATE="+g.URL)
		c.Grace = patience
	})
	answered := make(chan lambdahost.Result, 1)
	go func() { answered <- invoke(t, f, `"old"`) }()
	g.wait(t)
	// The new binary is a script that plays another function.
	replacement := filepath.Join(dir, "bootstrap")
	script := fmt.Sprintf("#!/bin/sh\n%s=echo exec %s\n", functionVariable, executable(t))
	if err := os.WriteFile(replacement, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := f.Replace(replacement); err != nil {
		t.Fatal(err)
	}
	if got := answer(t, f, `"new"`); got != `"new"` {
		t.Errorf("after the replacement: got %s, want the new function's echo", got)
	}
	close(g.open)
	old := receive(t, answered, "the old process")
	if old.FunctionError != "" {
		t.Errorf("old process: got %s %s", old.FunctionError, old.Payload)
	}
	waitGone(t, string(old.Payload))
	if err := f.Replace(filepath.Join(dir, "missing")); err == nil {
		t.Error("a missing binary: got no error")
	}
	if got := answer(t, f, `"still new"`); got != `"still new"` {
		t.Errorf("after a refused replacement: got %s", got)
	}
}

// waitGone waits for the end of a process that is about to be ended.
func waitGone(t *testing.T, pid string) {
	t.Helper()
	n, err := strconv.Atoi(pid)
	if err != nil {
		t.Fatal(err)
	}
	gone := make(chan struct{})
	stop := make(chan struct{})
	defer close(stop)
	go func() {
		defer close(gone)
		for tick := time.NewTicker(time.Millisecond); ; {
			if _, err := os.Stat(proc(strconv.Itoa(n))); err != nil {
				tick.Stop()
				return
			}
			select {
			case <-tick.C:
			case <-stop:
				return
			}
		}
	}()
	receive(t, gone, "the end of process "+pid)
}

func proc(pid string) string { return "/proc/" + pid }

// A host that is killed outright leaves no function behind: the kernel ends
// them (Linux).
func TestKilledHostLeavesNothing(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("only Linux ties a child's life to its parent's")
	}
	w := newWatch(t)
	host := exec.Command(executable(t))
	host.Env = append(os.Environ(), functionVariable+"=host", "WATCH="+w.addr)
	host.Stderr = os.Stderr
	if err := host.Start(); err != nil {
		t.Fatal(err)
	}
	came := receive(t, w.came, "the function of the other host")
	if err := host.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = host.Wait()
	if gone := receive(t, w.gone, "the function's end"); gone != came {
		t.Errorf("ended: got %s, want %s", gone, came)
	}
}
