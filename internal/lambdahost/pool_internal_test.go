package lambdahost

import (
	"context"
	"errors"
	"os"
	"slices"
	"testing"
	"time"
)

// An invocation that finds no free process waits a moment for one that has
// just answered, instead of paying for a start; it does not wait for one that
// is still at work.
func TestInvocationWaitsForAProcessThatIsAboutToBeFree(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		answered, retired bool
		wantStarts        int
	}{
		"answered":           {answered: true, wantStarts: 0},
		"still at work":      {answered: false, wantStarts: 1},
		"answered, must end": {answered: true, retired: true, wantStarts: 1},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := newTestFunction(t, "echo")
			f.mu.Lock()
			p := newProcess(f, false)
			p.state, p.retired = stateAnswered, test.retired
			p.current = &invocation{settled: test.answered}
			f.processes[p] = struct{}{}
			f.mu.Unlock()

			if err := f.submit(&invocation{Invocation: Invocation{RequestID: "id"}, done: make(chan outcome, 1)}); err != nil {
				t.Fatal(err)
			}

			f.mu.Lock()
			defer f.mu.Unlock()
			if f.starting != test.wantStarts {
				t.Errorf("starts: got %d, want %d", f.starting, test.wantStarts)
			}
			delete(f.processes, p)
		})
	}
}

// Events that wait are bounded in bytes as well as in number.
func TestQueueIsBoundedInBytes(t *testing.T) {
	t.Parallel()
	f := newTestFunction(t, "echo")
	f.mu.Lock()
	f.pending = []*invocation{{Invocation: Invocation{Payload: make([]byte, maxPendingBytes-10)}, done: make(chan outcome, 1)}}
	f.mu.Unlock()
	if err := f.submit(&invocation{Invocation: Invocation{Payload: make([]byte, 11)}}); !errors.Is(err, ErrThrottled) {
		t.Errorf("one byte too many: got %v, want ErrThrottled", err)
	}
	f.mu.Lock()
	f.pending = nil
	f.mu.Unlock()
}

// A deadline that comes too late to matter must not end the process, which by
// then works for somebody else.
func TestDeadlineOfAFinishedInvocationEndsNothing(t *testing.T) {
	t.Parallel()
	f := newTestFunction(t, "echo")
	p := newProcess(f, false)
	old := &invocation{Invocation: Invocation{RequestID: "old"}, done: make(chan outcome, 1)}
	p.current = &invocation{Invocation: Invocation{RequestID: "new"}, done: make(chan outcome, 1)}
	f.expire(p, old)
	if p.retired || p.doomed || p.current.settled {
		t.Errorf("retired %t, doomed %t, settled %t; want none", p.retired, p.doomed, p.current.settled)
	}
	f.expire(p, p.current)
	if !p.retired || !p.doomed || !p.current.settled {
		t.Errorf("at its own deadline: retired %t, doomed %t, settled %t; want all", p.retired, p.doomed, p.current.settled)
	}
}

// A process that is to end while it starts ends as soon as it has.
func TestProcessThatIsEndedWhileItStarts(t *testing.T) {
	t.Parallel()
	f := newTestFunction(t, "init-hang")
	p := newProcess(f, false)
	f.mu.Lock()
	f.processes[p] = struct{}{}
	f.starting++
	f.gone.Add(1)
	f.mu.Unlock()
	p.terminate()
	go p.run()
	select {
	case <-p.ready:
	case <-time.After(30 * time.Second):
		t.Fatal("the process lives on")
	}
}

// A start that failed after its binary was replaced is nobody's error: the
// invocation waits for a process of the new one.
func TestFailedStartOfAReplacedBinary(t *testing.T) {
	t.Parallel()
	f := newTestFunction(t, "echo")
	f.mu.Lock()
	defer f.mu.Unlock()
	inv := &invocation{Invocation: Invocation{RequestID: "id"}, done: make(chan outcome, 1)}
	f.pending = []*invocation{inv}
	old := newProcess(f, false)
	f.epoch++
	if got := f.stillborn(old, exitFailure("exit status 1")); got != nil || len(f.pending) != 1 {
		t.Errorf("got %v with %d waiting, want none with 1", got, len(f.pending))
	}
	current := newProcess(f, false)
	if got := f.stillborn(current, exitFailure("exit status 1")); got != inv || len(f.pending) != 0 {
		t.Errorf("current binary: got %v with %d waiting, want the invocation with 0", got, len(f.pending))
	}
}

// What a process printed before an event arrived belongs before it, even if
// nobody has read it yet.
func TestOutputBeforeAnEventIsNotTheEvents(t *testing.T) {
	t.Parallel()
	var got []string
	f := &Function{cfg: Config{Now: time.Now, Log: func(l LogLine) { got = append(got, l.RequestID+"|"+l.Text) }}}
	o := newOutput(f)
	w, err := o.open() // and nothing follows it
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.WriteString("before\n"); err != nil {
		t.Fatal(err)
	}
	o.begin("id", "1")
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	o.close()
	if want := []string{"|before", "id|START RequestId: id Version: 1"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

func newTestFunction(t *testing.T, play string) *Function {
	t.Helper()
	f, err := New(Config{
		Name: "f", Bootstrap: os.Args[0], Env: []string{"LAMBDAHOST_TEST_FUNCTION=" + play},
		InitTimeout: time.Hour, Timeout: time.Hour,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := f.Close(context.Background()); err != nil {
			t.Error(err)
		}
	})
	return f
}
