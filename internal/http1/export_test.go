package http1

import (
	"errors"
	"net"
	"syscall"
)

// Supported says that the package takes requests on this system.
const Supported = supported

// Idle is how many connections wait for a request.
func (t *Transport) Idle() int {
	t.pool.mu.Lock()
	defer t.pool.mu.Unlock()
	return len(t.pool.idle)
}

// IsSilent looks into a socket as a transport does before it uses it again.
func IsSilent(c net.Conn) (bool, error) {
	s, ok := c.(syscall.Conn)
	if !ok {
		return false, errors.New("no way to look")
	}
	raw, err := s.SyscallConn()
	if err != nil {
		return false, err
	}
	return isSilent(raw), nil
}
