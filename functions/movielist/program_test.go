package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/movies"
	"github.com/marquee-api/marquee/internal/movies/moviestest"
)

func TestMain(m *testing.M) { os.Exit(testMain(m)) }

func testMain(m *testing.M) int {
	dir, err := os.MkdirTemp("", "movielist")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	defer os.RemoveAll(dir)
	binary = sync.OnceValues(func() (string, error) { return build(dir) })
	return moviestest.Main(m)
}

// binary returns the path of the program, built once.
var binary func() (string, error)

// build makes the program as it is made for Lambda, but for this machine.
func build(dir string) (string, error) {
	path := filepath.Join(dir, "bootstrap")
	cmd := exec.Command("go", "build", "-tags", "lambda.norpc", "-o", path, ".")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("build: %w\n%s", err, out)
	}
	return path, nil
}

func TestProgramNeeds(t *testing.T) {
	t.Parallel()
	full := []string{"AWS_LAMBDA_RUNTIME_API=127.0.0.1:1", "TABLE_NAME=movies", "AWS_REGION=eu-west-1", "AWS_ACCESS_KEY_ID=a", "AWS_SECRET_ACCESS_KEY=b"}
	tests := map[string]struct {
		change, names string
	}{
		"table":       {"TABLE_NAME=", "TABLE_NAME is not set"},
		"log level":   {"LOG_LEVEL=loud", `LOG_LEVEL is "loud"`},
		"region":      {"AWS_REGION=", "AWS_REGION is not set"},
		"credentials": {"AWS_ACCESS_KEY_ID=", "AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set"},
	}
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cmd := exec.CommandContext(t.Context(), path)
			cmd.Env = append(append([]string{}, full...), tt.change)
			out, err := cmd.CombinedOutput()
			if exit, ok := errors.AsType[*exec.ExitError](err); !ok || exit.ExitCode() != 1 {
				t.Errorf("got %v, want exit status 1", err)
			}
			// One line, and nothing of the runtime's: it must end before Start.
			if got := strings.TrimSpace(string(out)); !strings.HasPrefix(got, "movielist: error: "+tt.names) || strings.Contains(got, "\n") {
				t.Errorf("got %q, want one line with %q", got, tt.names)
			}
		})
	}
}

func TestProgramServes(t *testing.T) {
	t.Parallel()
	table := moviestest.Table(t, movies.Movie{Year: 1999, Title: "A/B C"}, movies.Movie{Year: 1999, Title: "100%"}, movies.Movie{Year: 2000, Title: "é+"})
	h := start(t, map[string]string{"TABLE_NAME": table, "AWS_ENDPOINT_URL_DYNAMODB": moviestest.Database(t).URL})
	put := map[string]string{"If-None-Match": "*", "Content-Type": "application/json", "Idempotency-Key": "k-1"}
	token := "" // of the first page
	tests := []struct {
		name, method, path string
		query              map[string][]string
		status             int
		body               string
		headers            map[string]string
		sent               string
	}{
		{"slash and space", "GET", "/movie_list/1999/A%2FB%20C", nil, 200, `{"year":1999,"title":"A/B C","info":{}}`, nil, ""},
		{"percent", "GET", "/movie_list/1999/100%25", nil, 200, `{"year":1999,"title":"100%","info":{}}`, nil, ""},
		{"raw letter and plus", "GET", "/movie_list/2000/é+", nil, 200, `{"year":2000,"title":"é+","info":{}}`, nil, ""},
		{"first page", "GET", "/movie_list", map[string][]string{"year": {"1999"}, "limit": {"1"}}, 200,
			`{"Items":[{"year":1999,"title":"100%","info":{}}],"Count":1,"NextToken":"TOKEN"}`, nil, ""},
		{"last page", "GET", "/movie_list", map[string][]string{"year": {"1999"}, "next": {"TOKEN"}}, 200,
			`{"Items":[{"year":1999,"title":"A/B C","info":{}}],"Count":1}`, nil, ""},
		{"repeated", "GET", "/movie_list", map[string][]string{"limit": {"1", "2"}}, 400,
			`{"error":{"code":"invalid_parameter","message":"query parameter limit is given 2 times, give it once","request_id":"gateway-1"}}`, nil, ""},
		{"not there", "GET", "/movie_list/1999/A%252FB%20C", nil, 404, `{"error":{"code":"not_found","message":"there is no movie \"A%2FB C\" of 1999","request_id":"gateway-1"}}`, nil, ""},
		{"lone percent", "GET", "/movie_list/1999/100%", nil, 400,
			`{"error":{"code":"invalid_path","message":"the path is not valid percent-encoding at byte 20: a percent sign is written %25","request_id":"gateway-1"}}`, nil, ""},
		{"head", "HEAD", "/movie_list/1999/100%25", nil, 200, "", nil, ""},
		{"put", "PUT", "/movie_list/2001/A%2FB", nil, 201, `{"year":2001,"title":"A/B","info":{"rating":7.5}}`, put, `{"info":{"rating":7.5}}`},
		{"put again", "PUT", "/movie_list/2001/A%2FB", nil, 201, `{"year":2001,"title":"A/B","info":{"rating":7.5}}`, put, `{"info":{"rating":7.5}}`},
		{"read what was put", "GET", "/movie_list/2001/A%2FB", nil, 200, `{"year":2001,"title":"A/B","info":{"rating":7.5}}`, nil, ""},
		{"post", "POST", "/movie_list", nil, 405, `{"error":{"code":"method_not_allowed","message":"/movie_list allows GET, HEAD","request_id":"gateway-1"}}`, nil, ""},
	}
	ran := 0 // with -failfast not all
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ran++
			if _, ok := tt.query["next"]; ok {
				tt.query["next"] = []string{token}
			}
			resp, _ := h.invoke(t, proxyEventWith(tt.method, tt.path, tt.query, tt.headers, tt.sent), 10*time.Second)
			got := strings.TrimSuffix(resp.Body, "\n")
			if strings.Contains(tt.body, "TOKEN") {
				var page struct{ NextToken string }
				if err := json.Unmarshal([]byte(got), &page); err != nil || page.NextToken == "" {
					t.Fatalf("got %s, want a NextToken", got)
				}
				token = page.NextToken
				got = strings.Replace(got, token, "TOKEN", 1)
			}
			if resp.StatusCode != tt.status || got != tt.body {
				t.Errorf("got %d %s, want %d %s", resp.StatusCode, got, tt.status, tt.body)
			}
		})
	}
	if t.Failed() || ran == 0 {
		return
	}
	var line map[string]any
	lines := h.stderr.lines(t, ran)
	if err := json.Unmarshal([]byte(lines[0]), &line); err != nil {
		t.Fatalf("log line %q: %v", lines[0], err)
	}
	delete(line, "time")
	delete(line, "duration_ms")
	if _, ok := line["_aws"].(map[string]any); !ok {
		t.Errorf("_aws: got %v, want the metrics", line["_aws"])
	}
	delete(line, "_aws")
	want := map[string]any{"level": "INFO", "msg": "request", "request_id": "gateway-1", "invocation_id": "lambda-2", "method": "GET",
		"route": "/movie_list/{year}/{title}", "status": 200.0, "caller": "arn:aws:sts::123456789012:assumed-role/reader/s", "trace_id": traceID,
		"calls": 1.0, "items_read": 1.0, "read_units": 1.0, "write_units": 0.0, "throttles": 0.0, "client_errors": 0.0, "server_errors": 0.0}
	if diff := cmp.Diff(want, line); diff != "" {
		t.Errorf("log line (-want +got):\n%s", diff)
	}
	if len(lines) != ran {
		t.Errorf("log lines: got %d, want %d", len(lines), ran)
	}
}

// The function must answer before Lambda ends it: its caller would get a 502 that says nothing.
func TestProgramStoreUnavailable(t *testing.T) {
	t.Parallel()
	closed, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	closed.Close()
	// Nobody accepts: the system completes the connection, and no byte comes back.
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { silent.Close() })
	tests := map[string]struct {
		endpoint string
		timeout  time.Duration // of the function
		codes    map[int]string
	}{
		"refused": {"http://" + closed.Addr().String(), 10 * time.Second, map[int]string{503: "unavailable"}},
		// Two attempts fit into the service's own limit on an idle machine, not always on a busy one.
		"silent":                     {"http://" + silent.Addr().String(), 10 * time.Second, map[int]string{503: "unavailable", 504: "timeout"}},
		"silent, little time":        {"http://" + silent.Addr().String(), time.Second, map[int]string{504: "timeout"}},
		"name that does not resolve": {"http://dynamodb.invalid", 10 * time.Second, map[int]string{503: "unavailable", 504: "timeout"}},
	}
	const most = 9 * time.Second // less than the time of the function; far more than it takes, for busy machines
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, map[string]string{"TABLE_NAME": "movies", "AWS_ENDPOINT_URL_DYNAMODB": tt.endpoint})
			for range 2 { // the process lives on
				resp, took := h.invoke(t, proxyEvent("GET", "/movie_list", nil), tt.timeout)
				code, ok := tt.codes[resp.StatusCode]
				if !ok || !strings.Contains(resp.Body, `"code":"`+code+`"`) || took > most {
					t.Errorf("got %d %s after %v, want one of %v within %v", resp.StatusCode, resp.Body, took, tt.codes, most)
				}
			}
			for _, line := range h.stderr.lines(t, 2) {
				if !strings.Contains(line, `"level":"ERROR"`) || !strings.Contains(line, "dynamodb Query") {
					t.Errorf("log line: got %s, want an error that names the call", line)
				}
			}
		})
	}
}

// Told to end, the program finishes what it is at work on, and then ends by itself.
func TestProgramEndsAfterItsAnswer(t *testing.T) {
	t.Parallel()
	asked, release := make(chan struct{}, 8), make(chan struct{})
	slow := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if bytes.Contains(body, []byte("year#")) { // the list, not the keys of page tokens
			asked <- struct{}{}
			<-release
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = io.WriteString(w, `{}`)
	}))
	t.Cleanup(slow.Close)
	h := start(t, map[string]string{"TABLE_NAME": "movies", "AWS_ENDPOINT_URL_DYNAMODB": slow.URL})
	go func() {
		<-asked
		_ = h.process.Signal(syscall.SIGTERM)
		close(release)
	}()
	resp, _ := h.invoke(t, proxyEvent("GET", "/movie_list", map[string][]string{"year": {"1999"}}), 10*time.Second)
	if resp.StatusCode != 200 || !strings.Contains(resp.Body, `"Items":[]`) {
		t.Errorf("got %d %s, want the answer that was in the works", resp.StatusCode, resp.Body)
	}
	select {
	case err := <-h.ended:
		if err != nil {
			t.Errorf("got %v, want status 0", err)
		}
	case <-time.After(10 * time.Second):
		t.Error("the program goes on")
	}
}

// The trace goes on to DynamoDB, so that X-Ray shows one picture.
func TestProgramPassesTheTraceOn(t *testing.T) {
	t.Parallel()
	seen := make(chan string, 8)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if body, _ := io.ReadAll(r.Body); bytes.Contains(body, []byte("year#")) {
			seen <- r.Header.Get("X-Amzn-Trace-Id")
		}
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		_, _ = io.WriteString(w, `{}`)
	}))
	t.Cleanup(server.Close)
	h := start(t, map[string]string{"TABLE_NAME": "movies", "AWS_ENDPOINT_URL_DYNAMODB": server.URL, "AWS_LAMBDA_FUNCTION_NAME": "movielist"})
	h.invoke(t, proxyEvent("GET", "/movie_list", map[string][]string{"year": {"1999"}}), 10*time.Second)
	if got := <-seen; got != traceID {
		t.Errorf("got %q, want %q", got, traceID)
	}
}
