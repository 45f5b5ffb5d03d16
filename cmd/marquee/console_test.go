package main

import (
	"bufio"
	"context"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

const recorded = `{"time":"2026-03-04T05:06:07Z","request_id":"a","door":"vpce","method":"GET","host":"127.0.0.1:8080","path":"/dev/movie_list","checks":[{"name":"api","ok":true},{"name":"signature","ok":false,"detail":"Missing Authentication Token"}],"status":403,"error_type":"MissingAuthenticationTokenException","message":"Missing Authentication Token","why":"Missing Authentication Token","duration_ns":79000}
`

// A recorded run is shown until the program is interrupted, which is a wish and no error.
func TestConsoleShowsALog(t *testing.T) {
	log := filepath.Join(t.TempDir(), "requests.jsonl")
	hostile := strings.Replace(recorded, "vpce", strings.Repeat("v", 1<<20), 1)
	if err := os.WriteFile(log, []byte(recorded+hostile), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, interrupt := context.WithCancel(t.Context())
	defer interrupt()
	read, write := io.Pipe()
	status := make(chan int, 1)
	go func() {
		status <- run(ctx, []string{"console", "--log", log, "--port", "0"}, environment{Getenv: os.Getenv, Stdout: io.Discard, Stderr: write})
		write.Close()
	}()
	stderr := bufio.NewReader(read)
	line, err := stderr.ReadString('\n')
	if err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	_, _ = stderr.ReadString('\n') // how to stop it
	cut, err := stderr.ReadString('\n')
	if want := "marquee: 1 of them holds more than a gateway writes: the rest is left out.\n"; cut != want {
		t.Errorf("got %q (%v), want %q", cut, err, want)
	}
	go func() { _, _ = io.Copy(io.Discard, stderr) }()
	url := regexp.MustCompile(`http://127\.0\.0\.1:\d+/`).FindString(line)
	if !strings.HasPrefix(line, "2 requests of "+log) || url == "" {
		t.Fatalf("got %q, want the number of requests, the log and the page", line)
	}
	for path, want := range map[string]string{"": "<title>Marquee</title>", "api/requests": `"verdict":"refused"`, "api/run": `"try":false`} {
		response, err := http.Get(url + path)
		if err != nil {
			t.Fatal(err)
		}
		body, err := io.ReadAll(response.Body)
		response.Body.Close()
		if err != nil || !strings.Contains(string(body), want) {
			t.Errorf("%s: got %s (%v), want %s in it", path, body, err, want)
		}
	}
	interrupt()
	if got := <-status; got != 0 {
		t.Errorf("got exit status %d", got)
	}
}

func TestConsoleNeedsALog(t *testing.T) {
	bad := filepath.Join(t.TempDir(), "bad.jsonl")
	if err := os.WriteFile(bad, []byte("GET / 200\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, tt := range map[string]struct {
		args []string
		want string
	}{
		"none":    {[]string{"console"}, "--log FILE is needed"},
		"missing": {[]string{"console", "--log", "absent.jsonl"}, "absent.jsonl"},
		"another": {[]string{"console", "--log", bad, "--port", "0"}, "line 1 is no record of a request"},
	} {
		t.Run(name, func(t *testing.T) {
			var stderr strings.Builder
			if status := run(t.Context(), tt.args, environment{Getenv: os.Getenv, Stdout: io.Discard, Stderr: &stderr}); status != 1 || !strings.Contains(stderr.String(), tt.want) {
				t.Errorf("got status %d and %q, want 1 and %q", status, stderr.String(), tt.want)
			}
		})
	}
}
