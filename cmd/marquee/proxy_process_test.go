package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

const mib = 1 << 20

// buildMarquee makes the program as it is shipped: a test binary has other sizes.
func buildMarquee(tb testing.TB) string {
	tb.Helper()
	program := filepath.Join(tb.TempDir(), "marquee")
	if out, err := exec.Command("go", "build", "-trimpath", "-o", program, ".").CombinedOutput(); err != nil {
		tb.Fatalf("go build: %v\n%s", err, out)
	}
	return program
}

// proxyProcess is a proxy that runs as a program of its own.
type proxyProcess struct {
	address string
	command *exec.Cmd
	logFile string
}

// startProxy runs a command that writes its addresses into the file that it is told, and waits for that.
func startProxy(tb testing.TB, program string, args ...string) *proxyProcess {
	tb.Helper()
	addresses := filepath.Join(tb.TempDir(), "addresses.json")
	p := &proxyProcess{command: exec.Command(program, append(args, "--addresses", addresses)...), logFile: filepath.Join(filepath.Dir(addresses), "log")}
	log, err := os.Create(p.logFile)
	if err != nil {
		tb.Fatal(err)
	}
	defer log.Close()
	p.command.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=ASIAEXAMPLEEXAMPLE00", "AWS_SECRET_ACCESS_KEY=secret",
		"AWS_SESSION_TOKEN="+strings.Repeat("token", 200), "AWS_REGION=ap-northeast-2", "GOMAXPROCS=", "GODEBUG=")
	p.command.Stderr = log
	if err = p.command.Start(); err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { p.command.Process.Kill(); p.command.Wait() })
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		var at struct{ Listen string }
		if text, err := os.ReadFile(addresses); err == nil && json.Unmarshal(text, &at) == nil {
			p.address = at.Listen
			return p
		}
		select {
		case <-tick.C:
		case <-deadline:
			tb.Fatalf("%s did not open its door", program)
		}
	}
}

// startMarquee runs marquee proxy in front of an API at url.
func startMarquee(tb testing.TB, url string) *proxyProcess {
	tb.Helper()
	return startProxy(tb, buildMarquee(tb), "proxy", "--url", url+"/dev", "--listen", "127.0.0.1:0", "--admin", "off")
}

// bareProxy is what the sidecar is measured against: httputil.ReverseProxy with the same pool, which signs nothing,
// checks nothing and logs nothing. It is run as a program: bareproxy URL --addresses FILE.
func bareProxy() {
	target, err := url.Parse(os.Args[1])
	if err != nil {
		panic(err)
	}
	proxy := &httputil.ReverseProxy{
		Rewrite:    func(r *httputil.ProxyRequest) { r.SetURL(target) },
		BufferPool: bufferPool{},
		Transport:  &http.Transport{MaxIdleConns: 128, MaxIdleConnsPerHost: 128, DisableCompression: true, IdleConnTimeout: time.Minute},
	}
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	text, _ := json.Marshal(map[string]string{"listen": l.Addr().String()})
	if err := os.WriteFile(os.Args[3], text, 0o600); err != nil {
		panic(err)
	}
	panic(http.Serve(l, proxy))
}

var buffers = sync.Pool{New: func() any { return new([32 << 10]byte) }}

type bufferPool struct{}

func (bufferPool) Get() []byte  { return buffers.Get().(*[32 << 10]byte)[:] }
func (bufferPool) Put(b []byte) { buffers.Put((*[32 << 10]byte)(b)) }

// memory reads a line of /proc/PID/status in bytes: VmRSS, or VmHWM, which is the most that VmRSS ever was.
func (p *proxyProcess) memory(tb testing.TB, line string) int {
	tb.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", p.command.Process.Pid))
	if err != nil {
		tb.Fatal(err)
	}
	_, rest, ok := strings.Cut(string(text), line+":")
	words := strings.Fields(rest)
	if !ok || len(words) == 0 {
		tb.Fatalf("no %s in %s", line, text)
	}
	kib, err := strconv.Atoi(words[0])
	if err != nil {
		tb.Fatal(err)
	}
	return kib << 10
}

// TestProxyMemory: 10 MiB go up and 100 MiB come down, several at a time, and the whole program stays below 40 MiB.
func TestProxyMemory(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the memory of a process is read from /proc")
	}
	const limit = 40 * mib
	piece := bytes.Repeat([]byte("0123456789abcdef"), 4096)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if n, err := io.Copy(io.Discard, r.Body); err != nil || n != 10*mib {
			t.Errorf("the API got %d bytes, %v", n, err)
		}
		for range 100 * mib / len(piece) {
			w.Write(piece)
		}
	}))
	defer api.Close()
	proxy := startMarquee(t, api.URL)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
			defer cancel()
			req, err := http.NewRequestWithContext(ctx, "POST", "http://"+proxy.address+"/a", bytes.NewReader(make([]byte, 10*mib)))
			if err != nil {
				t.Error(err)
				return
			}
			resp, err := http.DefaultClient.Do(req)
			if err != nil {
				t.Error(err)
				return
			}
			defer resp.Body.Close()
			if n, err := io.Copy(io.Discard, resp.Body); err != nil || n != 100*mib {
				t.Errorf("got %d bytes, %v", n, err)
			}
		})
	}
	all.Wait()
	peak := proxy.memory(t, "VmHWM")
	t.Logf("the most memory that it ever had: %.1f MiB", float64(peak)/mib)
	if peak > limit {
		t.Errorf("memory rose to %d MiB, want at most %d", peak/mib, limit/mib)
	}
	proxy.command.Process.Signal(syscall.SIGTERM)
	stopped := proxy.command.Wait()
	log, err := os.ReadFile(proxy.logFile)
	if stopped != nil || err != nil {
		t.Errorf("after SIGTERM: %v, %v\n%s", stopped, err, log)
	}
	if bytes.Count(log, []byte(`"msg":"request"`)) != 4 || bytes.Contains(log, []byte("tokentoken")) {
		t.Errorf("want four requests and no token in the log:\n%s", log)
	}
}

func noCredentials(context.Context) (aws.CredentialsProvider, error) {
	return nil, errors.New("none in this test")
}
