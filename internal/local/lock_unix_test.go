//go:build unix

package local

import (
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
)

// The lock file goes away with its run, and whoever had opened it by then holds nothing by locking it.
func TestALockFileThatIsGoneLocksNobodyOut(t *testing.T) {
	path := filepath.Join(t.TempDir(), "local.json.lock")
	late, err := lockFile(path) // as one that opened it before it was removed, and locked it after
	if err != nil {
		t.Fatal(err)
	}
	defer late.Close()
	for _, step := range []struct {
		name string
		do   func() error
		want bool
	}{
		{"as it was opened", func() error { return nil }, true},
		{"removed", func() error { return os.Remove(path) }, false},
		{"made anew", func() error { return os.WriteFile(path, nil, 0o600) }, false},
	} {
		if err := step.do(); err != nil {
			t.Fatal(err)
		}
		if got, err := names(path, late); got != step.want || err != nil {
			t.Errorf("%s: got %v, %v, want %v", step.name, got, err, step.want)
		}
	}
}

// Runs that begin and end at the same moment never hold the state file together.
func TestLockIsHeldByOneOfMany(t *testing.T) {
	path := filepath.Join(t.TempDir(), "local.json.lock")
	var holders, taken atomic.Int32
	var group sync.WaitGroup
	for range 8 {
		group.Go(func() {
			for range 300 {
				release, err := lockState(path)
				if errors.Is(err, errLocked) {
					continue
				}
				if err != nil {
					t.Error(err)
					return
				}
				taken.Add(1)
				if n := holders.Add(1); n != 1 {
					t.Errorf("%d runs hold it", n)
				}
				runtime.Gosched()
				holders.Add(-1)
				release()
			}
		})
	}
	group.Wait()
	if taken.Load() == 0 {
		t.Error("nobody ever held it")
	}
}
