package dynamolocal

import (
	"os/exec"
	"syscall"
)

// separate puts the program into its own group and has the kernel end it with us, even if we are
// killed before we can do it.
func separate(cmd *exec.Cmd, onDeath syscall.Signal) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: onDeath}
}
