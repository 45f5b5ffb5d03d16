package loadgen

import (
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// NewSleeper returns a sleep that is late by some microseconds only, and what ends it. The runtime's own waits for the
// network in whole milliseconds, so that a sleep of a process with nothing else to do is up to one late; a timer that is
// a file is no different from the network and wakes it at its time (timerfd_create(2)).
func NewSleeper() (sleep func(time.Duration), stop func()) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return time.Sleep, func() {}
	}
	timer := os.NewFile(uintptr(fd), "timer")
	sleep = func(d time.Duration) {
		var expired [8]byte
		value := unix.ItimerSpec{Value: unix.NsecToTimespec(max(d.Nanoseconds(), 1))}
		if unix.TimerfdSettime(fd, 0, &value, nil) != nil {
			time.Sleep(d)
			return
		}
		if _, err := timer.Read(expired[:]); err != nil {
			time.Sleep(d)
		}
	}
	return sleep, func() { timer.Close() }
}
