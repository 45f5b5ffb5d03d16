//go:build unix && !linux

package dynamolocal

import (
	"os/exec"
	"syscall"
)

// separate puts the program into its own group. That it ends with us is left to its standard
// input, as only Linux has a parent-death signal.
func separate(cmd *exec.Cmd, _ syscall.Signal) {
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
}
