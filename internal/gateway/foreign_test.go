package gateway_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/marquee-api/marquee/internal/gateway"
)

// order is one request for a driver of a foreign client.
type order struct {
	URL     string            `json:"url"`
	Method  string            `json:"method"`
	Headers map[string]string `json:"headers,omitempty"`
	Body    string            `json:"body,omitempty"`
	Tamper  string            `json:"tamper,omitempty"`
}

// foreignCases are requests that every client must get through, and what the function must be told.
var foreignCases = []struct {
	name, method, target, body string
	path                       string // of the event
	query                      map[string][]string
}{
	{"plain", "GET", "/dev/movie_list", "", "/movie_list", nil},
	{"query", "GET", "/dev/movie_list?limit=2&year=1999", "", "/movie_list", map[string][]string{"limit": {"2"}, "year": {"1999"}}},
	{"unsorted query", "GET", "/dev/movie_list?b=2&a=1&aa=3", "", "/movie_list", map[string][]string{"b": {"2"}, "a": {"1"}, "aa": {"3"}}},
	{"space in the query", "GET", "/dev/movie_list?q=a%20b", "", "/movie_list", map[string][]string{"q": {"a b"}}},
	{"encoded path", "GET", "/dev/movie_list/1999/Face%2FOff", "", "/movie_list/1999/Face%2FOff", nil},
	{"unicode path", "GET", "/dev/movie_list/2001/Le%20Fabuleux%20Destin%20d%27Am%C3%A9lie%20Poulain", "", "/movie_list/2001/Le%20Fabuleux%20Destin%20d%27Am%C3%A9lie%20Poulain", nil},
	{"body", "POST", "/dev/movie_list", `{"title":"Amélie"}`, "/movie_list", nil},
}

// foreignClients are the drivers; skips name what a client cannot sign as AWS verifies it, with the reason.
var foreignClients = []struct {
	name    string
	command []string
	skips   map[string]string
	tamper  bool
}{
	{"botocore", []string{"python", "botocore_client.py"}, nil, true},
	{"requests", []string{"python", "requests_client.py"}, nil, true},
	{"aws4", []string{"node", "aws4_client.mjs"}, nil, true},
	{"aws4fetch", []string{"node", "aws4fetch_client.mjs"}, nil, true},
	{"smithy", []string{"node", "smithy_client.mjs"}, nil, true},
	{"aws-api-gateway-client", []string{"node", "apigw_client.mjs"}, map[string]string{
		"encoded path": "it encodes the path with encodeURI and signs another than it sends",
		"unicode path": "as above",
	}, false},
}

// Each client signs and sends in its own way; the gateway lets its requests in, and refuses them when a byte changed.
func TestForeignClients(t *testing.T) {
	folder := clientsFolder(t)
	for _, client := range foreignClients {
		t.Run(client.name, func(t *testing.T) {
			t.Parallel()
			f := newFixture(t, realTime, postRoute)
			run := startDriver(t, folder, client.command)
			for _, tt := range foreignCases {
				if reason, skip := client.skips[tt.name]; skip {
					t.Logf("%s: not sent: %s", tt.name, reason)
					continue
				}
				o := order{URL: f.vpce.URL + tt.target, Method: tt.method, Body: tt.body, Headers: map[string]string{}}
				if tt.body != "" {
					o.Headers["Content-Type"] = "application/json"
				}
				if status, body := run(o); status != 200 {
					t.Errorf("%s: got %d %s, want 200", tt.name, status, body)
					continue
				}
				checkEvent(t, f, tt.name, tt.path, tt.query)
				if !client.tamper {
					continue
				}
				o.Tamper = "path"
				if tt.body != "" {
					o.Tamper = "body"
				}
				if status, body := run(o); status != 403 || !strings.Contains(body, "The request signature we calculated does not match") {
					t.Errorf("%s with one byte changed: got %d %s, want AWS's mismatch", tt.name, status, body)
				}
			}
		})
	}
}

// curl signs the path and query as they were typed, so only what needs no encoding is right.
func TestForeignCurl(t *testing.T) {
	curl, err := exec.LookPath("curl")
	if err != nil {
		skipUnlessRequired(t, "curl", "clients")
	}
	f := newFixture(t, realTime, postRoute)
	for _, tt := range foreignCases {
		if strings.Contains(tt.target, "%") || strings.Contains(tt.name, "unsorted") {
			continue
		}
		args := []string{"-sS", "-o", "-", "-w", "\n%{http_code}", "--aws-sigv4", "aws:amz:" + region + ":execute-api",
			"--user", "ASIAPARTNER:secret", "-H", "X-Amz-Security-Token: token", "-X", tt.method, f.vpce.URL + tt.target}
		if tt.body != "" {
			args = append(args, "-H", "Content-Type: application/json", "--data-binary", tt.body)
		}
		out, err := exec.CommandContext(t.Context(), curl, args...).Output()
		if err != nil {
			t.Fatalf("%s: %v", tt.name, err)
		}
		if !strings.HasSuffix(string(out), "\n200") {
			t.Errorf("%s: got %s, want 200", tt.name, out)
			continue
		}
		checkEvent(t, f, tt.name, tt.path, tt.query)
	}
}

func realTime(c *gateway.Config, _ *gateway.Door) { c.Now = time.Now }

func postRoute(c *gateway.Config, _ *gateway.Door) {
	c.APIs[0].Routes = append(c.APIs[0].Routes, gateway.Route{Method: "POST", Path: "/movie_list", Function: "list"})
	for _, id := range c.Identities.(people) {
		id.Key.Expires = time.Now().Add(time.Hour)
		id.IssuedAt = time.Now()
	}
}

func checkEvent(t *testing.T, f *fixture, name, path string, query map[string][]string) {
	t.Helper()
	f.function.mu.Lock()
	defer f.function.mu.Unlock()
	if got := f.function.event["path"]; got != path {
		t.Errorf("%s: got path %v, want %s", name, got, path)
	}
	multi, _ := f.function.event["multiValueQueryStringParameters"].(map[string]any)
	for key, want := range query {
		if got := fmt.Sprint(multi[key]); got != fmt.Sprint(want) {
			t.Errorf("%s: query %s: got %v, want %v", name, key, got, want)
		}
	}
}

// clientsFolder is where scripts/foreign-clients installed the clients.
func clientsFolder(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("MARQUEE_CLIENTS")
	if folder == "" {
		skipUnlessRequired(t, "the folder of foreign clients (scripts/foreign-clients FOLDER, then MARQUEE_CLIENTS=FOLDER)", "clients")
	}
	return folder
}

func skipUnlessRequired(t *testing.T, what, name string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("MARQUEE_REQUIRE"), ","), name) {
		t.Fatalf("%s is missing, and MARQUEE_REQUIRE asks for it", what)
	}
	t.Skipf("skipped: %s is missing", what)
}

// startDriver starts a driver beside the installed packages and returns a function that sends one request.
func startDriver(t *testing.T, folder string, command []string) func(order) (int, string) {
	t.Helper()
	dir := t.TempDir()
	drivers, err := filepath.Glob("testdata/clients/*")
	if err != nil || len(drivers) < 8 {
		t.Fatalf("found %d drivers: %v", len(drivers), err)
	}
	for _, driver := range drivers {
		data, err := os.ReadFile(driver)
		if err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, filepath.Base(driver)), data, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink(filepath.Join(folder, "node_modules"), filepath.Join(dir, "node_modules")); err != nil {
		t.Fatal(err)
	}
	program := command[0]
	if program == "python" {
		program = filepath.Join(folder, "venv", "bin", "python")
	}
	cmd := exec.CommandContext(t.Context(), program, command[1:]...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=ASIAPARTNER", "AWS_SECRET_ACCESS_KEY=secret", "AWS_SESSION_TOKEN=token", "AWS_REGION="+region)
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stdin.Close(); _ = cmd.Wait() })
	lines := bufio.NewScanner(stdout)
	return func(o order) (int, string) {
		t.Helper()
		if err := json.NewEncoder(stdin).Encode(o); err != nil {
			t.Fatalf("%v: %s", err, stderr.String())
		}
		if !lines.Scan() {
			stdin.Close()
			_ = cmd.Wait()
			t.Fatalf("the driver ended: %s", stderr.String())
		}
		var got struct {
			Status int    `json:"status"`
			Body   string `json:"body"`
		}
		if err := json.Unmarshal(lines.Bytes(), &got); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		return got.Status, got.Body
	}
}
