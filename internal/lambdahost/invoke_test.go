package lambdahost_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/lambdahost"
)

func TestInvokeAnswers(t *testing.T) {
	t.Parallel()
	f := open(t, "echo", nil)
	first := invoke(t, f, `{"title":"Rush","year":2013}`)
	if got, want := string(first.Payload), `{"title":"Rush","year":2013}`; got != want {
		t.Errorf("payload: got %s, want %s", got, want)
	}
	if first.FunctionError != "" {
		t.Errorf("function error: got %q, want none", first.FunctionError)
	}
	if first.InitDuration <= 0 {
		t.Errorf("init duration of a cold start: got %v, want more than 0", first.InitDuration)
	}
	second := invoke(t, f, "")
	if got, want := string(second.Payload), "{}"; got != want {
		t.Errorf("answer to an empty payload: got %s, want %s", got, want)
	}
	if second.InitDuration != 0 {
		t.Errorf("init duration of a warm start: got %v, want 0", second.InitDuration)
	}
	if second.RequestID == first.RequestID {
		t.Errorf("request ids: both %s", first.RequestID)
	}
	if second.Duration <= 0 || second.Duration > patience {
		t.Errorf("duration: got %v", second.Duration)
	}
}

// What a function may do wrong, and the document and header that Lambda's
// caller then gets. The texts are those of the Lambda service.
func TestInvokeFailures(t *testing.T) {
	t.Parallel()
	const id = "8f5a3d1c-6f0b-4a57-9b1e-0d2c3b4a5968"
	short := func(c *lambdahost.Config) { c.Timeout = 250 * time.Millisecond }
	tests := map[string]struct {
		play   string
		change func(*lambdahost.Config)
		want   string
	}{
		"error":                  {"fail", nil, `{"errorMessage":"no such movie","errorType":"errorString"}`},
		"exit status 1":          {"exit1", nil, `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ` + id + ` Error: Runtime exited with error: exit status 1"}`},
		"exit status 0":          {"exit0", nil, `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ` + id + ` Error: Runtime exited without providing a reason"}`},
		"killed":                 {"killed", nil, `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ` + id + ` Error: Runtime exited with error: signal: killed"}`},
		"timeout":                {"hang", short, `{"errorType":"Sandbox.Timedout","errorMessage":"RequestId: ` + id + ` Error: Task timed out after 0.25 seconds"}`},
		"exit in the start":      {"init-exit", nil, `{"errorType":"Runtime.ExitError","errorMessage":"RequestId: ` + id + ` Error: Runtime exited with error: exit status 3"}`},
		"init error":             {"init-error", nil, `{"errorType":"Config.Missing","errorMessage":"TABLE_NAME is not set"}`},
		"answer above the limit": {"huge", nil, `{"errorType":"Function.ResponseSizeTooLarge","errorMessage":"Response payload size exceeded maximum allowed payload size (6291556 bytes)."}`},
		"stream that breaks":     {"stream-breaks", nil, `{"errorMessage":"the film tore","errorType":"errorString"}`},
		"error without document": {"bad-error", nil, `{"errorType":"Function.Oops","errorMessage":"RequestId: ` + id + ` Error: the runtime reported an error without a readable document"}`},
		"truncated answer":       {"truncate", nil, `{"errorType":"Runtime.TruncatedResponse","errorMessage":"RequestId: ` + id + ` Error: Response was truncated"}`},
		"unknown response mode":  {"bad-mode", nil, `{"errorType":"Runtime.InvalidResponseModeHeader","errorMessage":"RequestId: ` + id + ` Error: Invalid function response mode"}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := open(t, test.play, test.change)
			r, err := f.Invoke(t.Context(), lambdahost.Invocation{RequestID: id})
			if err != nil {
				t.Fatal(err)
			}
			if got, want := r.FunctionError, "Unhandled"; got != want {
				t.Errorf("function error: got %q, want %q", got, want)
			}
			if diff := cmp.Diff(document(t, test.want), document(t, string(r.Payload))); diff != "" {
				t.Errorf("document (-want +got):\n%s", diff)
			}
			if r.RequestID != id {
				t.Errorf("request id: got %s, want %s", r.RequestID, id)
			}
		})
	}
}

func document(t *testing.T, s string) any {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(s), &v); err != nil {
		t.Fatalf("%s: %v", s, err)
	}
	return v
}

// A panic's document comes from aws-lambda-go, which then ends the process.
func TestInvokePanic(t *testing.T) {
	t.Parallel()
	f := open(t, "panic", nil)
	for range 2 { // the second time shows that another process took its place
		r := invoke(t, f, "{}")
		var doc struct {
			ErrorMessage, ErrorType string
			StackTrace              []any
		}
		if err := json.Unmarshal(r.Payload, &doc); err != nil {
			t.Fatal(err)
		}
		if doc.ErrorMessage != "the reel broke" || len(doc.StackTrace) == 0 || r.FunctionError != "Unhandled" {
			t.Errorf("got %s, %s", r.FunctionError, r.Payload)
		}
		if r.InitDuration == 0 {
			t.Error("init duration: got 0, want that of a new process")
		}
	}
}

func TestInvokePassesAnswersOnAsTheyAre(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ play, want string }{
		"no JSON":   {"garbage", "{]garbage\x00"},
		"nothing":   {"empty", ""},
		"streaming": {"stream", "streamed, not JSON"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := answer(t, open(t, test.play, nil), "{}"); got != test.want {
				t.Errorf("got %q, want %q", got, test.want)
			}
		})
	}
}

func TestInvokeLargestPayloads(t *testing.T) {
	t.Parallel()
	// 6 MiB in, and 100 bytes more out (facts of the Lambda quotas page and of
	// its own error message).
	const in, out = 6291456, 6291556
	payload := `"` + strings.Repeat("a", in-2) + `"`
	if got := answer(t, open(t, "echo", nil), payload); got != payload {
		t.Errorf("echo of %d bytes: got %d bytes", len(payload), len(got))
	}
	if got := len(answer(t, open(t, "largest", nil), "{}")); got != out {
		t.Errorf("largest answer: got %d bytes, want %d", got, out)
	}

	_, err := open(t, "echo", nil).Invoke(t.Context(), lambdahost.Invocation{Payload: []byte(payload + " ")})
	var tooLarge *lambdahost.TooLargeError
	if !errors.As(err, &tooLarge) || tooLarge.Size != in+1 || tooLarge.Limit != in {
		t.Errorf("one byte more: got %v", err)
	}
}

func TestInvokeContextOfTheFunction(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	f := open(t, "describe", func(c *lambdahost.Config) {
		c.Dir, c.Handler, c.MemoryMB, c.Version = dir, "movielist", 256, "7"
		c.Timeout = 5 * time.Second
		c.Env = append(c.Env, "AWS_REGION=ap-northeast-2", "TABLE_NAME=movies", "LANG=C")
		c.Now = func() time.Time { return at }
	})
	r, err := f.Invoke(t.Context(), lambdahost.Invocation{
		RequestID: "11111111-2222-4333-8444-555555555555", TraceID: "Root=1-5759e988-bd862e3fe1be46a994272793",
		ClientContext: `{"client":{"app_title":"marquee"}}`,
	})
	if err != nil {
		t.Fatal(err)
	}
	var got description
	if err := json.Unmarshal(r.Payload, &got); err != nil {
		t.Fatal(err)
	}
	env := map[string]string{}
	for _, line := range got.Env {
		key, value, _ := strings.Cut(line, "=")
		env[key] = value
	}
	if !strings.HasPrefix(env["AWS_LAMBDA_RUNTIME_API"], "127.0.0.1:") {
		t.Errorf("AWS_LAMBDA_RUNTIME_API: got %q", env["AWS_LAMBDA_RUNTIME_API"])
	}
	if !strings.HasPrefix(env["AWS_LAMBDA_LOG_STREAM_NAME"], "2026/03/01/[7]") {
		t.Errorf("AWS_LAMBDA_LOG_STREAM_NAME: got %q", env["AWS_LAMBDA_LOG_STREAM_NAME"])
	}
	delete(env, "AWS_LAMBDA_RUNTIME_API")
	delete(env, "AWS_LAMBDA_LOG_STREAM_NAME")
	wantEnv := map[string]string{
		functionVariable: "describe", "TABLE_NAME": "movies", "AWS_REGION": "ap-northeast-2",
		"_HANDLER": "movielist", "LAMBDA_TASK_ROOT": dir, "LAMBDA_RUNTIME_DIR": dir,
		"AWS_LAMBDA_FUNCTION_NAME": "test-describe", "AWS_LAMBDA_FUNCTION_VERSION": "7",
		"AWS_LAMBDA_FUNCTION_MEMORY_SIZE": "256", "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
		"AWS_LAMBDA_LOG_GROUP_NAME": "/aws/lambda/test-describe",
		"_X_AMZN_TRACE_ID":          "Root=1-5759e988-bd862e3fe1be46a994272793", // set by aws-lambda-go
		"LANG":                      "C", "TZ": ":UTC", "PATH": "/usr/local/bin:/usr/bin/:/bin:/opt/bin",
		"LD_LIBRARY_PATH": fmt.Sprintf("/lib64:/usr/lib64:%[1]s:%[1]s/lib:/opt/lib", dir),
		"AWS_CONFIG_FILE": "/dev/null", "AWS_SHARED_CREDENTIALS_FILE": "/dev/null", "AWS_EC2_METADATA_DISABLED": "true",
	}
	if diff := cmp.Diff(wantEnv, env); diff != "" {
		t.Errorf("environment (-want +got):\n%s", diff)
	}
	got.Env = nil
	want := description{
		Dir: dir, Args: []string{executable(t)}, RequestID: "11111111-2222-4333-8444-555555555555",
		ARN:      "arn:aws:lambda:ap-northeast-2:123456789012:function:test-describe",
		Trace:    "Root=1-5759e988-bd862e3fe1be46a994272793",
		AppTitle: "marquee",
		Deadline: 1772366405000, // 2026-03-01T12:00:05Z
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("context (-want +got):\n%s", diff)
	}
}

func TestInvokeRefusesRequestIDs(t *testing.T) {
	t.Parallel()
	f := open(t, "echo", nil)
	for _, id := range []string{"a/b", "../next", "a\r\nb", " ", strings.Repeat("a", 129)} {
		if _, err := f.Invoke(t.Context(), lambdahost.Invocation{RequestID: id}); err == nil {
			t.Errorf("request id %q: got an answer, want an error", id)
		}
	}
}

func TestInvokeEndsWithItsContext(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	f := open(t, "wait", func(c *lambdahost.Config) {
		c.Concurrency, c.Queue = 1, 1
		c.Env = append(c.Env, "GATE="+g.URL)
	})
	call := func(ctx context.Context, id string, failed chan<- error) {
		_, err := f.Invoke(ctx, lambdahost.Invocation{Payload: []byte(strconv.Quote(id))})
		failed <- err
	}
	running, cancelRunning := context.WithCancel(t.Context())
	waiting, cancelWaiting := context.WithCancel(t.Context())
	runningFailed, waitingFailed := make(chan error, 1), make(chan error, 2)
	go call(running, "running", runningFailed)
	if got := g.wait(t); got != "running" {
		t.Fatalf("at the gate: got %s", got)
	}
	for range 2 { // when one of them finds the queue full, the other is in it
		go call(waiting, "waiting", waitingFailed)
	}
	if err := receive(t, waitingFailed, "the refused call"); !errors.Is(err, lambdahost.ErrThrottled) {
		t.Fatalf("refused call: got %v", err)
	}
	cancelWaiting()
	if err := receive(t, waitingFailed, "the waiting call"); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting call: got %v", err)
	}
	cancelRunning()
	if err := receive(t, runningFailed, "the running call"); !errors.Is(err, context.Canceled) {
		t.Errorf("running call: got %v", err)
	}
	close(g.open) // the function runs on and is free again
	answer(t, f, `"later"`)
	if got := g.wait(t); got != "later" {
		t.Errorf("at the gate: got %s, want later; an event whose caller had left was delivered", got)
	}
}
