//go:build unix

package loadgen_test

import (
	"syscall"
	"testing"
	"time"
)

// cpuTime is how long this process has had a processor. Unlike the time of the
// clock it does not grow while other programs run.
func cpuTime(tb testing.TB) time.Duration {
	tb.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		tb.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
