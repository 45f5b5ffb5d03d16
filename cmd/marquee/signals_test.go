//go:build unix

package main

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// TestASecondSignalEndsAProxyAtOnce: whoever asks twice does not want to wait for the requests that are under way, nor for
// the delay before.
func TestASecondSignalEndsAProxyAtOnce(t *testing.T) {
	for name, tt := range map[string]struct {
		signals [2]os.Signal
		delay   string
		open    bool // a request is under way
		want    string
	}{
		"Ctrl-C twice":            {[2]os.Signal{os.Interrupt, os.Interrupt}, "0s", true, "marquee: requests were cut off: told to end at once\n"},
		"SIGTERM, then Ctrl-C":    {[2]os.Signal{syscall.SIGTERM, os.Interrupt}, "0s", true, "marquee: told to stop a second time (interrupt): ending at once\n"},
		"within the delay":        {[2]os.Signal{syscall.SIGTERM, syscall.SIGTERM}, "1h", false, "marquee: told to stop a second time (terminated): ending at once\n"},
		"within the delay, asked": {[2]os.Signal{syscall.SIGTERM, syscall.SIGTERM}, "1h", true, "marquee: requests were cut off: told to end at once\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			arrived := make(chan struct{})
			api := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
				close(arrived)
				<-r.Context().Done()
			}))
			defer api.Close()
			proxy := startProxy(t, "marquee", "proxy", "--url", api.URL+"/dev", "--listen", "127.0.0.1:0", "--admin", "off",
				"--drain-delay", tt.delay, "--drain-timeout", "1h")
			if tt.open {
				go func() {
					if resp, err := http.Get("http://" + proxy.address + "/a"); err == nil {
						resp.Body.Close()
					}
				}()
				<-arrived
			}
			proxy.signal(t, tt.signals[0])
			proxy.waitForLog(t, `"msg":"stopping: not ready any more"`)
			proxy.signal(t, tt.signals[1])
			log := proxy.wantStatus(t, 1)
			if !strings.Contains(log, tt.want) {
				t.Errorf("want the line %q in\n%s", tt.want, log)
			}
		})
	}
}

func (p *proxyProcess) signal(t *testing.T, s os.Signal) {
	t.Helper()
	if err := p.command.Process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

func (p *proxyProcess) readLog(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile(p.logFile)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// waitForLog looks for a text in the log, for twenty seconds at most.
func (p *proxyProcess) waitForLog(t *testing.T, text string) {
	t.Helper()
	deadline := time.After(20 * time.Second)
	tick := time.NewTicker(10 * time.Millisecond)
	defer tick.Stop()
	for !strings.Contains(p.readLog(t), text) {
		select {
		case <-tick.C:
		case <-deadline:
			t.Fatalf("no %q in the log:\n%s", text, p.readLog(t))
		}
	}
}

// wantStatus waits for the end, for twenty seconds at most, and returns the log.
func (p *proxyProcess) wantStatus(t *testing.T, want int) string {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- p.command.Wait() }()
	select {
	case err := <-ended:
		var status *exec.ExitError
		if !errors.As(err, &status) || status.ExitCode() != want {
			t.Errorf("got %v, want exit status %d", err, want)
		}
	case <-time.After(20 * time.Second):
		t.Fatalf("it has not ended:\n%s", p.readLog(t))
	}
	return p.readLog(t)
}

// TestASignalEndsWhoeverReadsStandardInput: a program that waits for its input ends as any other does. It is known to wait
// when it has answered the first line.
func TestASignalEndsWhoeverReadsStandardInput(t *testing.T) {
	cmd := exec.CommandContext(t.Context(), "marquee", "simulate")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(in, "{}\n"); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewReader(out)
	if line, err := lines.ReadString('\n'); err != nil || !strings.HasPrefix(line, "{") {
		t.Fatalf("got %q, %v for the first line", line, err)
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		var status *exec.ExitError
		if !errors.As(err, &status) || status.ExitCode() != 1 {
			t.Errorf("got %v, want exit status 1", err)
		}
	case <-time.After(20 * time.Second):
		t.Error("it still waits for its input")
		cmd.Process.Kill()
		<-ended
	}
}
