package lambdahost

import (
	"bufio"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// ownedBy reports whether the other end of c, a loopback connection, is a
// socket of the process group that pid leads. Whoever finds a Runtime API's
// port could otherwise take the function's events and answer them, even as
// another user of this machine.
func ownedBy(pid int, c net.Conn) bool {
	peer, ok := c.RemoteAddr().(*net.TCPAddr)
	if !ok {
		return false
	}
	local, ok := c.LocalAddr().(*net.TCPAddr)
	if !ok {
		return false
	}
	inode, uid, err := socketOf(peer, local)
	if err != nil {
		return false
	}
	holds, err := holdsSocket(pid, inode)
	if errors.Is(err, fs.ErrPermission) || err != nil && !procMounted() {
		// A child whose files cannot be read (it gained privileges) still
		// cannot be another user's.
		return uid == os.Getuid()
	}
	return holds || groupHoldsSocket(pid, inode)
}

// procMounted is false where the kernel's view of processes is not to be had.
func procMounted() bool {
	_, err := os.Stat("/proc/self/stat")
	return err == nil
}

// errNoSocket means that the peer is gone already.
var errNoSocket = errors.New("no such socket")

// socketOf finds the inode and the owner of the socket whose own address is
// peer and whose other end is local.
func socketOf(peer, local *net.TCPAddr) (inode string, uid int, err error) {
	if inode, uid, err = diagSocket(peer, local); err == nil {
		return inode, uid, nil
	}
	return tableSocket(peer, local) // a kernel or a sandbox without sock_diag
}

// tableSocket reads the tables of all sockets, whose layout is in proc_net_tcp
// of the kernel's documentation; a dual-stack client is in the second one.
func tableSocket(peer, local *net.TCPAddr) (inode string, uid int, err error) {
	from, to := procAddress(peer), procAddress(local)
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		file, err := os.Open(table)
		if errors.Is(err, fs.ErrNotExist) && table != "/proc/net/tcp" {
			continue // a kernel without IPv6
		} else if err != nil {
			return "", 0, err
		}
		inode, uid, err = findSocket(file, from, to)
		_ = file.Close()
		if err == nil {
			return inode, uid, nil
		}
	}
	return "", 0, errNoSocket
}

// findSocket reads one table.
func findSocket(table *os.File, from, to string) (inode string, uid int, err error) {
	lines := bufio.NewScanner(table)
	for lines.Scan() {
		column := strings.Fields(lines.Text())
		if len(column) > 9 && strings.HasSuffix(column[1], from) && strings.HasSuffix(column[2], to) {
			uid, err := strconv.Atoi(column[7])
			return column[9], uid, err
		}
	}
	return "", 0, errNoSocket
}

// procAddress is an IPv4 address and port as /proc/net/tcp prints them; an
// IPv4 address in /proc/net/tcp6 ends alike.
func procAddress(a *net.TCPAddr) string {
	ip := a.IP.To4()
	if ip == nil {
		ip = net.IPv4zero.To4()
	}
	return fmt.Sprintf("%02X%02X%02X%02X:%04X", ip[3], ip[2], ip[1], ip[0], a.Port)
}

// holdsSocket reports whether one of pid's descriptors is the socket.
func holdsSocket(pid int, inode string) (bool, error) {
	dir := "/proc/" + strconv.Itoa(pid) + "/fd"
	entries, err := os.ReadDir(dir)
	if err != nil {
		return false, err
	}
	want := "socket:[" + inode + "]"
	for _, e := range entries {
		if target, err := os.Readlink(filepath.Join(dir, e.Name())); err == nil && target == want {
			return true, nil
		}
	}
	return false, nil
}

// groupHoldsSocket looks among the child's own children: a bootstrap that is a
// script calls the Runtime API through other programs.
func groupHoldsSocket(group int, inode string) bool {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return false
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == group || processGroupOf(pid) != group {
			continue
		}
		if holds, _ := holdsSocket(pid, inode); holds {
			return true
		}
	}
	return false
}

// processGroupOf reads a process's group from proc_pid_stat(5); 0 if it is gone.
func processGroupOf(pid int) int {
	stat, err := os.ReadFile("/proc/" + strconv.Itoa(pid) + "/stat")
	if err != nil {
		return 0
	}
	// The name, in parentheses, may hold anything; state, parent and group follow.
	after := strings.Fields(string(stat[strings.LastIndexByte(string(stat), ')')+1:]))
	if len(after) < 3 {
		return 0
	}
	group, err := strconv.Atoi(after[2])
	if err != nil {
		return 0
	}
	return group
}
