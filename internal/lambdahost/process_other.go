//go:build unix && !linux

package lambdahost

import (
	"os/exec"
	"syscall"
)

// processGroup gives a child a group of its own, so that whatever it starts
// ends with it. Only Linux can tie it to the host's own life as well.
func processGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true}
}

// reap waits for the end of cmd, and then calls dead. There is no portable way
// to wait without reaping; the moment between the two is too short for the
// system to give the group's number to somebody else.
func reap(cmd *exec.Cmd, dead func()) {
	_ = cmd.Wait() // how it ended is in ProcessState
	dead()
}
