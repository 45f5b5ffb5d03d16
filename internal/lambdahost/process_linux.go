package lambdahost

import (
	"os/exec"
	"syscall"
	"unsafe"
)

// processGroup gives a child a group of its own, so that whatever it starts
// ends with it, and has the kernel kill it should the host itself be killed.
func processGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}

// reap waits for the end of cmd. Between the end and the reaping, while the
// number of its group is still its own, it calls dead.
func reap(cmd *exec.Cmd, dead func()) {
	const pPID = 1 // P_PID of waitid(2)
	var info [128]byte
	for {
		_, _, errno := syscall.Syscall6(syscall.SYS_WAITID, pPID, uintptr(cmd.Process.Pid),
			uintptr(unsafe.Pointer(&info)), syscall.WEXITED|syscall.WNOWAIT, 0, 0)
		if errno != syscall.EINTR {
			break
		}
	}
	dead()
	_ = cmd.Wait() // how it ended is in ProcessState
}
