package lambdahost_test

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

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
