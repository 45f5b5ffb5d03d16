package lambdahost

import (
	"errors"
	"net"
	"os"
	"strconv"
	"syscall"
	"testing"
)

// Both ways to ask the kernel must name the socket that fstat names.
func TestSocketOf(t *testing.T) {
	t.Parallel()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	server, err := listener.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer server.Close()
	peer, local := server.RemoteAddr().(*net.TCPAddr), server.LocalAddr().(*net.TCPAddr)
	nobody := &net.TCPAddr{IP: peer.IP, Port: local.Port}

	for name, find := range map[string]func(peer, local *net.TCPAddr) (string, int, error){"sock_diag": diagSocket, "table": tableSocket} {
		inode, uid, err := find(peer, local)
		if name == "sock_diag" && (errors.Is(err, syscall.EPROTONOSUPPORT) || errors.Is(err, syscall.ENOENT)) {
			t.Logf("%s: not in this kernel: %v", name, err)
			continue
		}
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if want := inodeOf(t, client.(*net.TCPConn)); inode != want {
			t.Errorf("%s: inode: got %s, want %s", name, inode, want)
		}
		if uid != os.Getuid() {
			t.Errorf("%s: owner: got %d, want %d", name, uid, os.Getuid())
		}
		if inode, _, err := find(nobody, local); err == nil {
			t.Errorf("%s: a socket that is not there: got %s", name, inode)
		}
	}

	if !ownedBy(os.Getpid(), server) {
		t.Error("own connection: got false")
	}
	if ownedBy(1, server) {
		t.Error("connection of another process: got true")
	}
}

func inodeOf(t *testing.T, c *net.TCPConn) string {
	t.Helper()
	raw, err := c.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var target string
	_ = raw.Control(func(fd uintptr) {
		target, err = os.Readlink("/proc/self/fd/" + strconv.Itoa(int(fd)))
	})
	if err != nil {
		t.Fatal(err)
	}
	return target[len("socket:[") : len(target)-1]
}

func BenchmarkOwnedBy(b *testing.B) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	defer listener.Close()
	client, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		b.Fatal(err)
	}
	defer client.Close()
	server, err := listener.Accept()
	if err != nil {
		b.Fatal(err)
	}
	defer server.Close()
	for b.Loop() {
		if !ownedBy(os.Getpid(), server) {
			b.Fatal("own connection: got false")
		}
	}
}
