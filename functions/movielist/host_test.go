package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"

	"github.com/marquee-api/marquee/internal/movies/moviestest"
)

// host is the smallest Lambda: a Runtime API that gives one process one event after the other (Lambda Developer Guide,
// "Using the Lambda runtime API").
type host struct {
	events  chan invocation
	answers chan []byte // one for each event, errors of the function included
	stderr  *output
	process *os.Process
	ended   chan error // gets what the process ended with
}

// traceID is as Lambda gives it.
const traceID = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"

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
	h := &host{events: make(chan invocation), answers: make(chan []byte), stderr: &output{grew: make(chan struct{}, 1)}, ended: make(chan error, 1)}
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
	h.process = cmd.Process
	gone := make(chan struct{})
	go func() {
		h.ended <- cmd.Wait()
		close(gone)
	}()
	t.Cleanup(func() {
		<-gone // t.Context has ended and with it the process
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
			w.Header().Set("Lambda-Runtime-Trace-Id", traceID)
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
	return proxyEventWith(method, path, query, nil, "")
}

func proxyEventWith(method, path string, query map[string][]string, more map[string]string, body string) string {
	headers := map[string][]string{"Host": {"a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com"}, "X-Amz-Security-Token": {"hunter2"}}
	for name, value := range more {
		headers[name] = []string{value}
	}
	single := map[string]string(nil)
	for name, values := range query {
		if single == nil {
			single = map[string]string{}
		}
		single[name] = values[len(values)-1]
	}
	text, err := json.Marshal(map[string]any{
		"resource": "/movie_list", "path": path, "httpMethod": method, "headers": nil,
		"multiValueHeaders":     headers,
		"queryStringParameters": single, "multiValueQueryStringParameters": query,
		"pathParameters": nil, "stageVariables": nil, "body": body, "isBase64Encoded": false,
		"requestContext": map[string]any{"requestId": "gateway-1", "stage": "dev", "path": "/dev" + path,
			"domainName": "a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com", "identity": map[string]any{"sourceIp": "172.31.0.9", "userArn": "arn:aws:sts::123456789012:assumed-role/reader/s"}},
	})
	if err != nil {
		panic(err)
	}
	return string(text)
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
