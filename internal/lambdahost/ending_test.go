package lambdahost_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/lambdahost"
)

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
	t.Run("when it is closed", func(t *testing.T) {
		t.Parallel()
		w := newWatch(t)
		f := open(t, "parent", watched(w))
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
	})
	t.Run("when it exits", func(t *testing.T) {
		t.Parallel()
		w, g := newWatch(t), newGate(t)
		f := open(t, "orphan", func(c *lambdahost.Config) { c.Env = append(c.Env, "WATCH="+w.addr, "GATE="+g.URL) })
		failed := make(chan lambdahost.Result, 1)
		go func() { failed <- invoke(t, f, "{}") }()
		came := receive(t, w.came, "the grandchild")
		close(g.open)
		if r := receive(t, failed, "the function's end"); r.FunctionError == "" {
			t.Errorf("got %s, want an error", r.Payload)
		}
		if gone := receive(t, w.gone, "the grandchild's end"); gone != came {
			t.Errorf("ended: got %q, want %q", gone, came)
		}
	})
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
