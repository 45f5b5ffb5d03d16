package lambdahost_test

import (
	"bufio"
	"context"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/marquee-api/marquee/internal/lambdahost"
)

// patience bounds every wait in these tests; nothing ever waits this long
// unless it is broken.
const patience = 30 * time.Second

// open opens a function that is played by this test binary, and closes it with
// the test. change may be nil.
func open(t testing.TB, play string, change func(*lambdahost.Config)) *lambdahost.Function {
	t.Helper()
	cfg := lambdahost.Config{
		Name: "test-" + play, Bootstrap: executable(t), Dir: t.TempDir(),
		ARN:     "arn:aws:lambda:ap-northeast-2:123456789012:function:test-" + play,
		Env:     []string{functionVariable + "=" + play},
		Timeout: patience,
		Grace:   patience,
	}
	if change != nil {
		change(&cfg)
	}
	f, err := lambdahost.New(cfg)
	if err != nil {
		t.Fatalf("new function: %v", err)
	}
	t.Cleanup(func() {
		if err := f.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	return f
}

func executable(t testing.TB) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// invoke expects an answer, be it the function's or Lambda's.
func invoke(t testing.TB, f *lambdahost.Function, payload string) lambdahost.Result {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	r, err := f.Invoke(ctx, lambdahost.Invocation{Payload: []byte(payload)})
	if err != nil {
		t.Fatalf("invoke %s: %v", f.Name(), err)
	}
	return r
}

// answer expects an answer of the function's own.
func answer(t testing.TB, f *lambdahost.Function, payload string) string {
	t.Helper()
	r := invoke(t, f, payload)
	if r.FunctionError != "" {
		t.Fatalf("function error %s: %s\n%s", r.FunctionError, r.Payload, r.LogTail)
	}
	return string(r.Payload)
}

// logbook collects log lines.
type logbook struct {
	mu    sync.Mutex
	lines []lambdahost.LogLine
	note  chan struct{} // signalled at each line
}

func newLogbook() *logbook { return &logbook{note: make(chan struct{}, 1)} }

func (l *logbook) add(line lambdahost.LogLine) {
	l.mu.Lock()
	l.lines = append(l.lines, line)
	l.mu.Unlock()
	select {
	case l.note <- struct{}{}:
	default:
	}
}

func (l *logbook) all() []lambdahost.LogLine {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]lambdahost.LogLine(nil), l.lines...)
}

// wait waits for a line that contains text.
func (l *logbook) wait(t *testing.T, text string) lambdahost.LogLine {
	t.Helper()
	deadline := time.After(patience)
	for {
		for _, line := range l.all() {
			if strings.Contains(line.Text, text) {
				return line
			}
		}
		select {
		case <-l.note:
		case <-deadline:
			t.Fatalf("no log line with %q in %v", text, l.all())
		}
	}
}

// gate holds functions that call [waitAt] until they are let through.
type gate struct {
	*httptest.Server
	arrived chan string
	open    chan struct{}
}

func newGate(t *testing.T) *gate {
	g := &gate{arrived: make(chan string, 1000), open: make(chan struct{})}
	g.Server = httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		g.arrived <- strings.TrimPrefix(r.URL.Path, "/")
		select {
		case <-g.open:
		case <-r.Context().Done():
		}
	}))
	t.Cleanup(g.Close)
	return g
}

// wait returns the next arrival.
func (g *gate) wait(t *testing.T) string {
	t.Helper()
	return receive(t, g.arrived, "a function at the gate")
}

// watch hears of processes that call [announce], and of their end: the kernel
// closes their connection.
type watch struct {
	addr string
	came chan string // "WHAT PID"
	gone chan string
}

func newWatch(t *testing.T) *watch {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	w := &watch{addr: listener.Addr().String(), came: make(chan string, 100), gone: make(chan string, 100)}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go w.follow(conn)
		}
	}()
	return w
}

// watched has a function tell w of itself.
func watched(w *watch) func(*lambdahost.Config) {
	return func(c *lambdahost.Config) { c.Env = append(c.Env, "WATCH="+w.addr) }
}

func (w *watch) follow(conn net.Conn) {
	defer conn.Close()
	lines := bufio.NewScanner(conn)
	if lines.Scan() {
		what := lines.Text()
		w.came <- what
		lines.Scan()
		w.gone <- what
	}
}

func receive[T any](t *testing.T, c <-chan T, what string) T {
	t.Helper()
	select {
	case v := <-c:
		return v
	case <-time.After(patience):
		t.Fatalf("waited in vain for %s", what)
		panic("unreachable")
	}
}
