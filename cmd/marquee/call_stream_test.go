package main

import (
	"bufio"
	"bytes"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

// misbehave answers some paths as APIs do on a bad day, and loses the first request for each path with "losing" in it; with
// "always" in it, each.
func misbehave(next http.Handler) http.Handler {
	var seen sync.Map
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.Path
		_, again := seen.LoadOrStore(path, true)
		if strings.Contains(path, "losing") && (!again || strings.Contains(path, "always")) {
			panic(http.ErrAbortHandler)
		}
		switch path {
		case "/dev/big":
			for range 30 {
				w.Write(make([]byte, 1<<20))
			}
		case "/dev/half", "/dev/then-half":
			if !again && path == "/dev/then-half" {
				io.WriteString(w, "all")
				return
			}
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "half")
		case "/dev/silent-within":
			io.WriteString(w, "first\n")
			w.(http.Flusher).Flush()
			<-r.Context().Done()
		case "/dev/silent":
			<-r.Context().Done()
		default:
			next.ServeHTTP(w, r)
		}
	})
}

// TestCallStreams: each event of a stream is there when it was sent, in a pipe and, cleaned, at a terminal. The API sends the
// next one only after the last one was read.
func TestCallStreams(t *testing.T) {
	proceed := make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		for _, event := range []string{"data: 1\n", "data: 2\n", "data: 3\n"} {
			io.WriteString(w, event)
			w.(http.Flusher).Flush()
			<-proceed
		}
	}))
	defer api.Close()
	cmd := exec.CommandContext(t.Context(), "marquee", "call", "--url", api.URL+"/dev", "--state", "none.json", "/events")
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=AKIAWORK000000000000", "AWS_SECRET_ACCESS_KEY=secret-of-work", "AWS_REGION=ap-northeast-2")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := make(chan string)
	go func() {
		defer close(lines)
		for text := bufio.NewScanner(out); text.Scan(); {
			lines <- text.Text()
		}
	}()
	for _, want := range []string{"data: 1", "data: 2", "data: 3"} {
		select {
		case got := <-lines:
			if got != want {
				t.Errorf("got %q, want %q", got, want)
			}
		case <-time.After(20 * time.Second):
			cmd.Process.Kill()
			t.Fatalf("%q was sent, and is not passed on", want)
		}
		proceed <- struct{}{}
	}
	if more, ok := <-lines; ok {
		t.Errorf("got %q, want no more", more)
	}
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}

// Who stops a call by Ctrl-C leaves no half of a file, and the file that was there.
func TestCallIsInterrupted(t *testing.T) {
	began := make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.WriteString(w, "half")
		w.(http.Flusher).Flush()
		close(began)
		<-r.Context().Done()
	}))
	defer api.Close()
	dir := t.TempDir()
	file := filepath.Join(dir, "x")
	if err := os.WriteFile(file, []byte("old"), 0o600); err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "marquee", "call", "--url", api.URL+"/dev", "--state", "none.json", "/x?secret=1", "-o", file, "--repeat", "3")
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=AKIAWORK000000000000", "AWS_SECRET_ACCESS_KEY=secret-of-work", "AWS_REGION=ap-northeast-2")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-began:
	case <-time.After(20 * time.Second):
		t.Fatal("the program sends nothing")
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || cmd.ProcessState.ExitCode() != 1 || stderr.String() != "marquee: GET /x: interrupted\n" {
		t.Errorf("got %v and %q, want exit status 1 and that it was interrupted", err, &stderr)
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("got the files %v, %v, want the old one", left, err)
	}
	if text, err := os.ReadFile(file); string(text) != "old" {
		t.Errorf("got %q, %v, want the old text", text, err)
	}
}
