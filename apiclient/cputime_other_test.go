//go:build !unix

package apiclient_test

import (
	"testing"
	"time"
)

var started = time.Now()

// cpuTime is the time of the clock where the other is not known.
func cpuTime(testing.TB) time.Duration { return time.Since(started) }
