//go:build !linux

package loadgen

import "time"

// NewSleeper returns the most precise sleep that this system has, and what ends it.
func NewSleeper() (sleep func(time.Duration), stop func()) { return time.Sleep, func() {} }
