//go:build unix

package gobuild

import (
	"os/exec"
	"syscall"
)

// endTogether makes a cancelled tool end with the children that it started, as
// make and go do.
func endTogether(cmd *exec.Cmd) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
}
