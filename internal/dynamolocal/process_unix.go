//go:build unix

package dynamolocal

import (
	"os"
	"os/exec"
	"syscall"
)

// killGroup kills the program and whatever it started. The group is gone if it has ended already.
func killGroup(cmd *exec.Cmd) {
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
}

// tryLock takes the lock of an open file unless another process has it. The kernel lets go of it
// when the file is closed or the process ends, so that it is never stale.
func tryLock(f *os.File) (bool, error) {
	switch err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err {
	case nil:
		return true, nil
	case syscall.EWOULDBLOCK:
		return false, nil
	default:
		return false, err
	}
}
