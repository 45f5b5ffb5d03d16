//go:build unix

package lambdahost

import (
	"os"
	"syscall"
)

// Supported says why functions cannot be run on this system; nil: they can.
func Supported() error { return nil }

const terminateSignal = syscall.SIGTERM

// signalGroup sends s to every process of the group that pid leads. An error
// can only mean that nobody is left.
func signalGroup(pid int, s os.Signal) {
	if sig, ok := s.(syscall.Signal); ok && pid > 0 {
		_ = syscall.Kill(-pid, sig)
	}
}

// readNow reads what is there without waiting; fd does not block.
func readNow(fd uintptr, b []byte) (int, error) {
	for {
		n, err := syscall.Read(int(fd), b)
		if err != syscall.EINTR {
			return n, err
		}
	}
}
