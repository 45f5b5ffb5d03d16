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
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
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

// host is the smallest Lambda: a Runtime API that gives one process one event after the other (Lambda Developer Guide,
// "Using the Lambda runtime API").
type host struct {
	events  chan invocation
	answers chan []byte // one for each event, errors of the function included
	stderr  *output
}

type invocation struct {
	event    []byte
	deadline time.Time
}

// start runs the program with the given environment and nothing else of this process's but the path of its tools.
func start(t *testing.T, env map[string]string) *host {
	t.Helper()
	path, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	h := &host{events: make(chan invocation), answers: make(chan []byte), stderr: &output{grew: make(chan struct{}, 1)}}
	server := httptest.NewServer(h)
	cmd := exec.CommandContext(t.Context(), path)
	cmd.Stderr = h.stderr
	cmd.Env = []string{"AWS_LAMBDA_RUNTIME_API=" + strings.TrimPrefix(server.URL, "http://"),
		"AWS_REGION=" + moviestest.Region, "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=hunter2", "AWS_SESSION_TOKEN=hunter2"}
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = cmd.Wait() // t.Context has ended and with it the process
		server.CloseClientConnections()
		server.Close()
		if strings.Contains(h.stderr.String(), "hunter2") {
			t.Errorf("the log repeats a secret:\n%s", h.stderr)
		}
		if t.Failed() {
			t.Logf("standard error of the program:\n%s", h.stderr)
		}
	})
	return h
}

func (h *host) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/runtime/invocation/next"):
		select {
		case <-r.Context().Done():
		case next := <-h.events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "lambda-2")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(next.deadline.UnixMilli()))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:ap-northeast-2:123456789012:function:movielist")
			_, _ = w.Write(next.event)
		}
	default:
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		select {
		case h.answers <- body:
		case <-r.Context().Done():
		}
	}
}

// invoke sends one event and returns the program's answer and the time that it took.
func (h *host) invoke(t *testing.T, event string, timeout time.Duration) (events.APIGatewayProxyResponse, time.Duration) {
	t.Helper()
	began := time.Now()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	select {
	case h.events <- invocation{[]byte(event), began.Add(timeout)}:
	case <-ctx.Done():
		t.Fatal("the program does not ask for an event")
	}
	select {
	case body := <-h.answers:
		var resp events.APIGatewayProxyResponse
		if err := json.Unmarshal(body, &resp); err != nil || resp.StatusCode == 0 {
			t.Fatalf("answer %s: %v", body, err)
		}
		return resp, time.Since(began)
	case <-ctx.Done():
		t.Fatal("the program does not answer")
		panic("unreachable")
	}
}

// proxyEvent is an event as API Gateway sends it: empty maps are null, the query is decoded, the path is not.
func proxyEvent(method, path string, query map[string][]string) string {
	single := map[string]string(nil)
	for name, values := range query {
		if single == nil {
			single = map[string]string{}
		}
		single[name] = values[len(values)-1]
	}
	text, err := json.Marshal(map[string]any{
		"resource": "/movie_list", "path": path, "httpMethod": method, "headers": nil,
		"multiValueHeaders":     map[string][]string{"Host": {"a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com"}, "X-Amz-Security-Token": {"hunter2"}},
		"queryStringParameters": single, "multiValueQueryStringParameters": query,
		"pathParameters": nil, "stageVariables": nil, "body": nil, "isBase64Encoded": false,
		"requestContext": map[string]any{"requestId": "gateway-1", "stage": "dev", "path": "/dev" + path,
			"domainName": "a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com", "identity": map[string]any{"sourceIp": "172.31.0.9"}},
	})
	if err != nil {
		panic(err)
	}
	return string(text)
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
	token := movies.Tokens{}.Seal(movies.Query{Year: 1999}, "1999/100%")
	tests := []struct {
		name, method, path string
		query              map[string][]string
		status             int
		body               string
	}{
		{"slash and space", "GET", "/movie_list/1999/A%2FB%20C", nil, 200, `{"year":1999,"title":"A/B C","info":{}}`},
		{"percent", "GET", "/movie_list/1999/100%25", nil, 200, `{"year":1999,"title":"100%","info":{}}`},
		{"raw letter and plus", "GET", "/movie_list/2000/é+", nil, 200, `{"year":2000,"title":"é+","info":{}}`},
		{"first page", "GET", "/movie_list", map[string][]string{"year": {"1999"}, "limit": {"1"}}, 200,
			`{"Items":[{"year":1999,"title":"100%","info":{}}],"Count":1,"NextToken":"` + token + `"}`},
		{"last page", "GET", "/movie_list", map[string][]string{"year": {"1999"}, "next": {token}}, 200,
			`{"Items":[{"year":1999,"title":"A/B C","info":{}}],"Count":1}`},
		{"repeated", "GET", "/movie_list", map[string][]string{"limit": {"1", "2"}}, 400,
			`{"error":{"code":"invalid_parameter","message":"query parameter limit is given 2 times, give it once"}}`},
		{"not there", "GET", "/movie_list/1999/A%252FB%20C", nil, 404, `{"error":{"code":"not_found","message":"there is no movie \"A%2FB C\" of 1999"}}`},
		{"lone percent", "GET", "/movie_list/1999/100%", nil, 400,
			`{"error":{"code":"invalid_path","message":"the path is not valid percent-encoding at byte 20: a percent sign is written %25"}}`},
		{"head", "HEAD", "/movie_list/1999/100%25", nil, 200, ""},
		{"put", "PUT", "/movie_list/1999/X", nil, 405, `{"error":{"code":"method_not_allowed","message":"/movie_list/{year}/{title} allows GET, HEAD"}}`},
	}
	ran := 0 // with -failfast not all
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			ran++
			resp, _ := h.invoke(t, proxyEvent(tt.method, tt.path, tt.query), 10*time.Second)
			if got := strings.TrimSuffix(resp.Body, "\n"); resp.StatusCode != tt.status || got != tt.body {
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
	want := map[string]any{"level": "INFO", "msg": "request", "request_id": "gateway-1", "invocation_id": "lambda-2", "method": "GET",
		"route": "/movie_list/{year}/{title}", "status": 200.0}
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
		most     time.Duration // with room for a busy machine
	}{
		"refused":                    {"http://" + closed.Addr().String(), 10 * time.Second, 2 * time.Second},
		"silent":                     {"http://" + silent.Addr().String(), 10 * time.Second, 4 * time.Second},
		"silent, little time":        {"http://" + silent.Addr().String(), time.Second, 2 * time.Second},
		"name that does not resolve": {"http://dynamodb.invalid", 10 * time.Second, 4 * time.Second},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := start(t, map[string]string{"TABLE_NAME": "movies", "AWS_ENDPOINT_URL_DYNAMODB": tt.endpoint})
			for range 2 { // the process lives on
				resp, took := h.invoke(t, proxyEvent("GET", "/movie_list", nil), tt.timeout)
				if resp.StatusCode != 503 || !strings.Contains(resp.Body, `"code":"unavailable"`) || took > tt.most {
					t.Errorf("got %d %s after %v, want 503 within %v", resp.StatusCode, resp.Body, took, tt.most)
				}
			}
			for _, line := range h.stderr.lines(t, 2) {
				if !strings.Contains(line, `"level":"ERROR"`) || !strings.Contains(line, "dynamodb Scan") {
					t.Errorf("log line: got %s, want an error that names the call", line)
				}
			}
		})
	}
}

// output collects what the program writes while the test reads it.
type output struct {
	mu   sync.Mutex
	buf  bytes.Buffer
	grew chan struct{} // holds one signal
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	select {
	case o.grew <- struct{}{}:
	default:
	}
	return o.buf.Write(p)
}

func (o *output) String() string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.buf.String()
}

// lines waits until there are at least n lines and returns all.
func (o *output) lines(t *testing.T, n int) []string {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		if text := o.String(); strings.Count(text, "\n") >= n {
			return strings.Split(strings.TrimSuffix(text, "\n"), "\n")
		}
		select {
		case <-o.grew:
		case <-ctx.Done():
			t.Fatalf("got %q, want %d lines", o.String(), n)
		}
	}
}
