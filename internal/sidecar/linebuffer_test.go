package sidecar_test

import (
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/marquee-api/marquee/internal/sidecar"
)

// writes keeps each write.
type writes struct {
	mu  sync.Mutex
	all []string
}

func (w *writes) Write(b []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.all = append(w.all, string(b))
	return len(b), nil
}

func (w *writes) got() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.all
}

func TestLineBuffer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out writes
		log := sidecar.NewLineBuffer(&out)
		log.Write([]byte("one\n"))
		log.Write([]byte("two\n"))
		if got := out.got(); len(got) != 0 {
			t.Fatalf("written at once: %q", got)
		}
		time.Sleep(200 * time.Millisecond)
		synctest.Wait()
		if got := out.got(); len(got) != 1 || got[0] != "one\ntwo\n" {
			t.Fatalf("after its time: %q", got)
		}
		long := strings.Repeat("x", 10<<10) + "\n"
		log.Write([]byte(long))
		log.Write([]byte(long)) // 20 KiB are more than the 16 KiB that wait
		if got := out.got(); len(got) != 2 || got[1] != long {
			t.Fatalf("when it was full: %d writes", len(got))
		}
		log.Flush()
		if got := out.got(); len(got) != 3 || got[2] != long {
			t.Fatalf("after Flush: %d writes", len(got))
		}
		log.Flush()
		time.Sleep(time.Hour)
		synctest.Wait()
		if got := out.got(); len(got) != 3 {
			t.Errorf("there was nothing to write, but: %d writes", len(got))
		}
	})
}
