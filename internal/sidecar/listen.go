package sidecar

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
)

// Door is where clients come in.
type Door struct {
	// Address is host:port, or unix:PATH.
	Address string
	// SocketMode is the mode of a Unix socket. 0 means 0600.
	SocketMode fs.FileMode
	// TLS, if not nil, is spoken on it.
	TLS *tls.Config
	// AllowPlain opens a door without TLS to the network. Whoever reaches it has requests signed.
	AllowPlain bool
}

// Listen opens a door. One that the network could reach in plain text is refused unless that is said to be meant.
func Listen(ctx context.Context, d Door) (net.Listener, error) {
	if path, ok := strings.CutPrefix(d.Address, "unix:"); ok {
		l, err := listenUnix(ctx, path, d.SocketMode)
		return withTLS(l, d.TLS), err
	}
	host, _, err := net.SplitHostPort(d.Address)
	if err != nil {
		return nil, fmt.Errorf("listen address %q is neither host:port nor unix:PATH", d.Address)
	}
	if !isLoopback(hostname(host)) && d.TLS == nil && !d.AllowPlain {
		return nil, fmt.Errorf("listen address %q can be reached from the network, and whoever reaches it has requests signed: "+
			"listen on 127.0.0.1, or give --tls-cert and --tls-key, or say --insecure-listen if something else guards it", d.Address)
	}
	l, err := new(net.ListenConfig).Listen(ctx, "tcp", d.Address)
	if err != nil {
		return nil, fmt.Errorf("listening: %w", err)
	}
	return withTLS(l, d.TLS), nil
}

func withTLS(l net.Listener, config *tls.Config) net.Listener {
	if l == nil || config == nil {
		return l
	}
	return secured{l, config}
}

// listenUnix makes the socket where nobody else can reach it, gives it its mode, and only then its name: between bind and
// chmod it would be open to everybody that the umask allows.
func listenUnix(ctx context.Context, path string, mode fs.FileMode) (net.Listener, error) {
	if mode == 0 {
		mode = 0o600
	}
	if err := removeStale(ctx, path); err != nil {
		return nil, err
	}
	nest, err := os.MkdirTemp(filepath.Dir(path), ".mq")
	if err != nil {
		return nil, fmt.Errorf("listening on unix:%s: %w", path, err)
	}
	defer os.RemoveAll(nest)
	born := filepath.Join(nest, "s")
	l, err := new(net.ListenConfig).Listen(ctx, "unix", born)
	if err != nil {
		return nil, fmt.Errorf("listening on unix:%s: %w", path, err)
	}
	socket := l.(*net.UnixListener)
	socket.SetUnlinkOnClose(false) // it would remove the name that it was born with
	if err = os.Chmod(born, mode); err == nil {
		err = os.Rename(born, path)
	}
	if err != nil {
		l.Close()
		return nil, fmt.Errorf("listening on unix:%s: %w", path, err)
	}
	return &unixListener{UnixListener: socket, path: path}, nil
}

// removeStale removes a socket that a process left behind, and nothing else.
func removeStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("listening on unix:%s: %w", path, err)
	}
	if info.Mode()&fs.ModeSocket == 0 {
		return fmt.Errorf("listening on unix:%s: a file is there that is no socket: remove it or choose another path", path)
	}
	conn, err := new(net.Dialer).DialContext(ctx, "unix", path)
	if err == nil {
		conn.Close()
		return fmt.Errorf("listening on unix:%s: another process answers there", path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return fmt.Errorf("listening on unix:%s: %w", path, err)
	}
	return os.Remove(path)
}

// unixListener removes its socket when it is closed.
type unixListener struct {
	*net.UnixListener
	path string
}

func (l *unixListener) Addr() net.Addr { return &net.UnixAddr{Name: l.path, Net: "unix"} }

func (l *unixListener) Close() error {
	err := l.UnixListener.Close()
	if err == nil {
		os.Remove(l.path) //nolint:errcheck // somebody else was faster
	}
	return err
}
