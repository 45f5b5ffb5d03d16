//go:build unix

package http1

import "syscall"

// supported says that isSilent can look.
const supported = true

// isSilent reports whether a socket is open and holds nothing to be read. It takes nothing out of it and does not wait.
func isSilent(socket syscall.RawConn) bool {
	silent := false
	err := socket.Read(func(fd uintptr) bool {
		var b [1]byte
		for {
			_, _, err := syscall.Recvfrom(int(fd), b[:], syscall.MSG_PEEK)
			if err == syscall.EINTR {
				continue
			}
			silent = err == syscall.EAGAIN || err == syscall.EWOULDBLOCK
			return true // or RawConn would wait for something to read
		}
	})
	return err == nil && silent
}
