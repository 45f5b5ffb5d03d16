package local

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/marquee-api/marquee/internal/spelling"
)

// loopback is where every door is open, whatever else --host adds.
const loopback = "127.0.0.1"

// opening is a port of a door, on loopback and on one further address if there is one.
type opening struct {
	port      int
	patience  time.Duration // with bodies that stay away
	listeners []net.Listener
}

func (o *opening) url() string { return fmt.Sprintf("http://%s:%d", loopback, o.port) }

func (o *opening) close() {
	for _, l := range o.listeners {
		l.Close()
	}
}

// openDoor listens on a port, or on a free one if it is 0. host is a further address; empty or loopback adds none, an
// unspecified one (0.0.0.0) replaces loopback, since it holds it.
func openDoor(host string, port int) (*opening, error) {
	hosts := []string{loopback}
	switch ip := net.ParseIP(host); {
	case host == "" || host == loopback || host == "localhost":
	case ip == nil:
		return nil, fmt.Errorf("--host %q is not an IP address", host)
	case ip.IsUnspecified():
		hosts = []string{host}
	default:
		hosts = append(hosts, host)
	}
	// A free port on the first address may be taken on the second: a few tries find one that is free on both.
	for try := 0; ; try++ {
		o, err := listen(hosts, port)
		if err == nil || port != 0 || try == 20 {
			return o, err
		}
	}
}

func listen(hosts []string, port int) (*opening, error) {
	o := &opening{port: port, patience: bodyPatience}
	for _, host := range hosts {
		l, err := net.Listen("tcp", net.JoinHostPort(host, strconv.Itoa(o.port)))
		if err != nil {
			o.close()
			return nil, listenError(host, o.port, err)
		}
		o.listeners = append(o.listeners, l)
		o.port = l.Addr().(*net.TCPAddr).Port
	}
	return o, nil
}

func listenError(host string, port int, err error) error {
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return fmt.Errorf("port %d on %s is in use: give another first port with --port, or --port 0 for free ones", port, host)
	case errors.Is(err, syscall.EADDRNOTAVAIL):
		return fmt.Errorf("--host %s is no address of this machine", host)
	}
	return fmt.Errorf("listening on %s port %d: %w", host, port, err)
}

// readAlong lets the handler tell how callers spell the names of their headers.
func (o *opening) readAlong() {
	for i, l := range o.listeners {
		o.listeners[i] = spelling.Listen(l)
	}
}

// serve answers at the door until the server is shut down.
func (o *opening) serve(handler http.Handler, failed func(error)) *http.Server {
	server := &http.Server{
		Handler:           impatient(handler, o.patience),
		ConnContext:       spelling.Context,
		ReadHeaderTimeout: 10 * time.Second,
		IdleTimeout:       2 * time.Minute,
		MaxHeaderBytes:    64 << 10, // the gateway's own, smaller limits answer in AWS's words

		DisableGeneralOptionsHandler: true, // it answers OPTIONS * itself: unsigned, and without a record
	}
	for _, l := range o.listeners {
		go func() {
			if err := server.Serve(l); err != nil && !errors.Is(err, http.ErrServerClosed) {
				failed(err)
			}
		}()
	}
	return server
}

// ports are the numbers of n doors from the first on, all free ones for 0.
func ports(first, n int) ([]int, error) {
	if first < 0 || first+n-1 > 65535 {
		return nil, fmt.Errorf("--port %d: the doors take %d ports from it on, up to 65535", first, n)
	}
	numbers := make([]int, n)
	if first != 0 {
		for i := range numbers {
			numbers[i] = first + i
		}
	}
	return slices.Clip(numbers), nil
}
