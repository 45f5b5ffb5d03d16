package lambdahost

import (
	"os"
	"testing"
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
			f, err := New(Config{Name: "f", Bootstrap: os.Args[0], Env: []string{"LAMBDAHOST_TEST_FUNCTION=echo"}})
			if err != nil {
				t.Fatal(err)
			}
			defer func() {
				if err := f.Close(t.Context()); err != nil {
					t.Error(err)
				}
			}()
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
