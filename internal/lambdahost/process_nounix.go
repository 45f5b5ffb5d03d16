//go:build !unix

package lambdahost

import (
	"errors"
	"io"
	"os"
	"os/exec"
	"syscall"
)

// Supported says why functions cannot be run on this system; nil: they can. A
// function is a program for a Unix system, and so is the way in which it is
// started, read and ended with all that it started.
func Supported() error {
	return errors.New("functions run on Linux and macOS only: on Windows run this in WSL 2 (https://learn.microsoft.com/windows/wsl/install)")
}

// What follows lets programs that have other uses, too, be built here. New
// refuses, so nothing of it is reached.

var terminateSignal = os.Kill

func signalGroup(int, os.Signal) {}

func readNow(uintptr, []byte) (int, error) { return 0, io.EOF }

func processGroup() *syscall.SysProcAttr { return nil }

func reap(cmd *exec.Cmd, dead func()) {
	_ = cmd.Wait()
	dead()
}
