package lambdahost

import (
	"encoding/binary"
	"errors"
	"net"
	"strconv"
	"syscall"
)

// The kernel's answer to "which socket is this", one question for one socket
// (sock_diag(7)). /proc/net/tcp says the same, but walks a table that takes
// milliseconds on a large machine.
const (
	netlinkSockDiag  = 4 // NETLINK_SOCK_DIAG
	sockDiagByFamily = 20
	diagRequestSize  = syscall.NLMSG_HDRLEN + 56 // nlmsghdr, inet_diag_req_v2
	diagAnswerSize   = 72                        // inet_diag_msg
)

var errNoDiag = errors.New("the kernel does not answer")

// diagSocket finds the inode and the owner of the IPv4 socket whose own address
// is from and whose other end is to.
func diagSocket(from, to *net.TCPAddr) (inode string, uid int, err error) {
	fd, err := syscall.Socket(syscall.AF_NETLINK, syscall.SOCK_RAW|syscall.SOCK_CLOEXEC, netlinkSockDiag)
	if err != nil {
		return "", 0, err
	}
	defer func() { _ = syscall.Close(fd) }()
	kernel := &syscall.SockaddrNetlink{Family: syscall.AF_NETLINK}
	if err := syscall.Sendto(fd, diagRequest(from, to), 0, kernel); err != nil {
		return "", 0, err
	}
	var buf [8192]byte
	n, _, err := syscall.Recvfrom(fd, buf[:], 0)
	if err != nil {
		return "", 0, err
	}
	messages, err := syscall.ParseNetlinkMessage(buf[:n])
	if err != nil {
		return "", 0, err
	}
	for _, m := range messages {
		switch {
		case m.Header.Type == sockDiagByFamily && len(m.Data) >= diagAnswerSize:
			// In place of a connection that is gone, the kernel names the
			// listener on its port, whose other end is nobody.
			if int(binary.BigEndian.Uint16(m.Data[4:])) != from.Port || int(binary.BigEndian.Uint16(m.Data[6:])) != to.Port {
				return "", 0, errNoSocket
			}
			uid := binary.NativeEndian.Uint32(m.Data[64:])
			return strconv.FormatUint(uint64(binary.NativeEndian.Uint32(m.Data[68:])), 10), int(uid), nil
		case m.Header.Type == syscall.NLMSG_ERROR && len(m.Data) >= 4:
			code := syscall.Errno(-int32(binary.NativeEndian.Uint32(m.Data)))
			return "", 0, code
		}
	}
	return "", 0, errNoDiag
}

// diagRequest is the question, laid out as the kernel's header files have it.
func diagRequest(from, to *net.TCPAddr) []byte {
	b := make([]byte, diagRequestSize)
	host, wire := binary.NativeEndian, binary.BigEndian
	host.PutUint32(b[0:], diagRequestSize)
	host.PutUint16(b[4:], sockDiagByFamily)
	host.PutUint16(b[6:], syscall.NLM_F_REQUEST)
	r := b[syscall.NLMSG_HDRLEN:]
	r[0], r[1] = syscall.AF_INET, syscall.IPPROTO_TCP
	host.PutUint32(r[4:], 0xffffffff) // any state
	wire.PutUint16(r[8:], uint16(from.Port))
	wire.PutUint16(r[10:], uint16(to.Port))
	copy(r[12:], from.IP.To4())
	copy(r[28:], to.IP.To4())
	host.PutUint32(r[48:], 0xffffffff) // no cookie
	host.PutUint32(r[52:], 0xffffffff)
	return b
}
