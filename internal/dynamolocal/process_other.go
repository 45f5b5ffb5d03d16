//go:build !unix

package dynamolocal

import (
	"os"
	"os/exec"
	"syscall"
)

func separate(*exec.Cmd, syscall.Signal) {}

func killGroup(cmd *exec.Cmd) { _ = cmd.Process.Kill() }

// tryLock has no lock to take here. Two first runs at once then both download; the cache stays
// whole because a finished download is moved into place in one step.
func tryLock(*os.File) (bool, error) { return true, nil }
