package lambdahost_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
	"github.com/aws/smithy-go"
	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/lambdahost"
)

// serve serves functions through the Invoke API and returns AWS's own client
// for it.
func serve(t *testing.T, change func(*lambdahost.InvokeAPI), functions ...*lambdahost.Function) (*lambda.Client, string) {
	t.Helper()
	api := &lambdahost.InvokeAPI{
		Functions: map[string]*lambdahost.Function{},
		Region:    "ap-northeast-2", Account: "123456789012",
	}
	for _, f := range functions {
		api.Functions[f.Name()] = f
	}
	if change != nil {
		change(api)
	}
	server := httptest.NewServer(api)
	t.Cleanup(func() {
		server.Close()
		if err := api.Close(context.Background()); err != nil {
			t.Errorf("close: %v", err)
		}
	})
	transport := &http.Transport{}
	t.Cleanup(transport.CloseIdleConnections)
	return lambda.New(lambda.Options{
		Region: "ap-northeast-2", BaseEndpoint: aws.String(server.URL),
		HTTPClient:       &http.Client{Transport: transport},
		RetryMaxAttempts: 1,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "example"}, nil
		}),
	}), server.URL
}

func TestInvokeAPIWithTheSDK(t *testing.T) {
	t.Parallel()
	client, _ := serve(t, nil, open(t, "echo", nil), open(t, "describe", nil), open(t, "exit1", nil))

	t.Run("answer", func(t *testing.T) {
		t.Parallel()
		for _, name := range []string{
			"test-echo", "test-echo:$LATEST", "function:test-echo", "123456789012:function:test-echo",
			"arn:aws:lambda:ap-northeast-2:123456789012:function:test-echo",
			"arn:aws:lambda:ap-northeast-2:123456789012:function:test-echo:$LATEST",
		} {
			out, err := client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &name, Payload: []byte(`{"a":1}`)})
			if err != nil {
				t.Errorf("%s: %v", name, err)
				continue
			}
			if out.StatusCode != 200 || string(out.Payload) != `{"a":1}` || out.FunctionError != nil ||
				aws.ToString(out.ExecutedVersion) != "$LATEST" || out.LogResult != nil {
				t.Errorf("%s: got %+v, payload %s", name, out, out.Payload)
			}
		}
	})

	t.Run("largest payload", func(t *testing.T) {
		t.Parallel()
		payload := []byte(`"` + strings.Repeat("a", 6291456-2) + `"`)
		out, err := client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("test-echo"), Payload: payload})
		if err != nil || !bytes.Equal(out.Payload, payload) {
			t.Errorf("got %v", err)
		}
		_, err = client.Invoke(t.Context(), &lambda.InvokeInput{
			FunctionName: aws.String("test-echo"), InvocationType: types.InvocationTypeEvent, Payload: append(payload[:1048576-1:1048576-1], '"'),
		})
		if err != nil {
			t.Errorf("event: %v", err)
		}
	})

	t.Run("log tail and client context", func(t *testing.T) {
		t.Parallel()
		out, err := client.Invoke(t.Context(), &lambda.InvokeInput{
			FunctionName: aws.String("test-describe"), LogType: types.LogTypeTail,
			ClientContext: aws.String(base64.StdEncoding.EncodeToString([]byte(`{"client":{"app_title":"phone"}}`))),
		})
		if err != nil {
			t.Fatal(err)
		}
		var got description
		if err := json.Unmarshal(out.Payload, &got); err != nil {
			t.Fatal(err)
		}
		if got.AppTitle != "phone" {
			t.Errorf("client context: got %q, want phone", got.AppTitle)
		}
		log, err := base64.StdEncoding.DecodeString(aws.ToString(out.LogResult))
		if err != nil || !strings.Contains(string(log), "START RequestId: "+got.RequestID+" Version: $LATEST\n") {
			t.Errorf("log: got %q, %v", log, err)
		}
	})

	t.Run("function error", func(t *testing.T) {
		t.Parallel()
		out, err := client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("test-exit1")})
		if err != nil {
			t.Fatal(err)
		}
		if out.StatusCode != 200 || aws.ToString(out.FunctionError) != "Unhandled" || !strings.Contains(string(out.Payload), "Runtime.ExitError") {
			t.Errorf("got %d %s %s", out.StatusCode, aws.ToString(out.FunctionError), out.Payload)
		}
	})

	t.Run("dry run", func(t *testing.T) {
		t.Parallel()
		out, err := client.Invoke(t.Context(), &lambda.InvokeInput{
			FunctionName: aws.String("test-exit1"), InvocationType: types.InvocationTypeDryRun,
		})
		if err != nil || out.StatusCode != 204 || len(out.Payload) != 0 || out.FunctionError != nil {
			t.Errorf("got %+v, %v", out, err)
		}
	})
}

// The SDK must see the errors it would see from Lambda.
func TestInvokeAPIErrorsWithTheSDK(t *testing.T) {
	t.Parallel()
	none := open(t, "echo", func(c *lambdahost.Config) { c.Name = "throttled"; c.Concurrency = -1 })
	client, _ := serve(t, nil, open(t, "echo", nil), none)
	const arn = "arn:aws:lambda:ap-northeast-2:123456789012:function:"
	big := []byte(`"` + strings.Repeat("a", 6*1024*1024) + `"`)
	tests := map[string]struct {
		in      lambda.InvokeInput
		status  int
		code    string
		message string
	}{
		"unknown function":          {lambda.InvokeInput{FunctionName: aws.String("nope")}, 404, "ResourceNotFoundException", "Function not found: " + arn + "nope"},
		"unknown alias":             {lambda.InvokeInput{FunctionName: aws.String("test-echo"), Qualifier: aws.String("live")}, 404, "ResourceNotFoundException", "Function not found: " + arn + "test-echo:live"},
		"another account":           {lambda.InvokeInput{FunctionName: aws.String("999999999999:function:test-echo")}, 404, "ResourceNotFoundException", "Function not found: arn:aws:lambda:ap-northeast-2:999999999999:function:test-echo"},
		"two qualifiers":            {lambda.InvokeInput{FunctionName: aws.String("test-echo:$LATEST"), Qualifier: aws.String("live")}, 400, "InvalidParameterValueException", "The derived qualifier from the function name does not match the specified qualifier."},
		"no JSON":                   {lambda.InvokeInput{FunctionName: aws.String("test-echo"), Payload: []byte("Hello")}, 400, "InvalidRequestContentException", "Could not parse request body into json: Could not parse payload into json: "},
		"too large":                 {lambda.InvokeInput{FunctionName: aws.String("test-echo"), Payload: big}, 413, "RequestEntityTooLargeException", "6291458 byte payload is too large for the RequestResponse invocation type (limit 6291456 bytes)"},
		"event too large":           {lambda.InvokeInput{FunctionName: aws.String("test-echo"), Payload: big[:1024*1024+1], InvocationType: types.InvocationTypeEvent}, 413, "RequestEntityTooLargeException", "1048577 byte payload is too large for the Event invocation type (limit 1048576 bytes)"},
		"throttled":                 {lambda.InvokeInput{FunctionName: aws.String("throttled")}, 429, "TooManyRequestsException", "Rate Exceeded."},
		"unknown type":              {lambda.InvokeInput{FunctionName: aws.String("test-echo"), InvocationType: "Later"}, 400, "InvalidParameterValueException", "Value 'Later' at 'invocationType' failed to satisfy constraint: Member must satisfy enum value set: [Event, RequestResponse, DryRun]"},
		"no UTF-8":                  {lambda.InvokeInput{FunctionName: aws.String("test-echo"), Payload: []byte("{\"a\":\"\x97\"}")}, 400, "InvalidRequestContentException", "Could not parse request body into json: Could not parse payload into json: Invalid UTF-8"},
		"client context no object":  {lambda.InvokeInput{FunctionName: aws.String("test-echo"), ClientContext: aws.String("MQ==")}, 400, "InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object."},
		"client context too long":   {lambda.InvokeInput{FunctionName: aws.String("test-echo"), ClientContext: aws.String(base64.StdEncoding.EncodeToString([]byte(`{"a":"` + strings.Repeat("x", 2680) + `"}`)))}, 400, "InvalidRequestContentException", "Client context must be at most 3583 bytes"},
		"client context not base64": {lambda.InvokeInput{FunctionName: aws.String("test-echo"), ClientContext: aws.String("{}")}, 400, "InvalidRequestContentException", "Client context must be a valid Base64-encoded JSON object."},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := client.Invoke(t.Context(), &test.in)
			var apiErr smithy.APIError
			if !errors.As(err, &apiErr) {
				t.Fatalf("got %v, want an API error", err)
			}
			if apiErr.ErrorCode() != test.code || !strings.HasPrefix(apiErr.ErrorMessage(), test.message) {
				t.Errorf("got %s: %s\nwant %s: %s", apiErr.ErrorCode(), apiErr.ErrorMessage(), test.code, test.message)
			}
			var status interface{ HTTPStatusCode() int }
			if !errors.As(err, &status) || status.HTTPStatusCode() != test.status {
				t.Errorf("status: got %v, want %d", status, test.status)
			}
			var id interface{ ServiceRequestID() string }
			if !errors.As(err, &id) || id.ServiceRequestID() == "" {
				t.Error("no request id")
			}
		})
	}

	t.Run("typed", func(t *testing.T) {
		_, err := client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("throttled")})
		var tooMany *types.TooManyRequestsException
		if !errors.As(err, &tooMany) || tooMany.Reason != types.ThrottleReasonConcurrentInvocationLimitExceeded || aws.ToString(tooMany.Type) != "User" {
			t.Errorf("got %#v", err)
		}
		_, err = client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("nope")})
		var notFound *types.ResourceNotFoundException
		if !errors.As(err, &notFound) || aws.ToString(notFound.Type) != "User" {
			t.Errorf("got %#v", err)
		}
	})
}

func TestInvokeAPIEvents(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	f := open(t, "wait", func(c *lambdahost.Config) { c.Env = append(c.Env, "GATE="+g.URL) })
	done := make(chan string, 10)
	client, _ := serve(t, func(a *lambdahost.InvokeAPI) {
		a.EventQueue = 1
		a.EventDone = func(name string, r lambdahost.Result, err error) {
			done <- name + " " + r.FunctionError
		}
	}, f)
	send := func(id string) (*lambda.InvokeOutput, error) {
		return client.Invoke(t.Context(), &lambda.InvokeInput{
			FunctionName: aws.String("test-wait"), InvocationType: types.InvocationTypeEvent, Payload: []byte(`"` + id + `"`),
			ClientContext: aws.String("not passed on for events, so not looked at"),
		})
	}
	out, err := send("first")
	if err != nil || out.StatusCode != 202 || len(out.Payload) != 0 || out.ExecutedVersion != nil {
		t.Fatalf("got %+v, %v", out, err)
	}
	if got := g.wait(t); got != "first" {
		t.Errorf("event: got %s, want first", got)
	}
	var tooMany *types.TooManyRequestsException
	if _, err := send("second"); !errors.As(err, &tooMany) {
		t.Errorf("beyond the queue: got %v, want TooManyRequestsException", err)
	}
	close(g.open)
	if got := receive(t, done, "the event's end"); got != "test-wait " {
		t.Errorf("event: got %q, want success", got)
	}
}

// A failing event is tried as often as asked, with the same request id.
func TestInvokeAPIEventRetries(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	ids := map[string]int{}
	done := make(chan struct{}, 10)
	client, _ := serve(t, func(a *lambdahost.InvokeAPI) {
		a.Retries = []time.Duration{time.Microsecond, time.Microsecond}
		a.EventDone = func(_ string, r lambdahost.Result, err error) {
			mu.Lock()
			ids[r.RequestID]++
			mu.Unlock()
			done <- struct{}{}
		}
	}, open(t, "fail", nil))
	if _, err := client.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: aws.String("test-fail"), InvocationType: types.InvocationTypeEvent}); err != nil {
		t.Fatal(err)
	}
	for range 3 {
		receive(t, done, "an attempt")
	}
	mu.Lock()
	defer mu.Unlock()
	if len(ids) != 1 {
		t.Errorf("request ids: got %v, want one for three attempts", ids)
	}
}

// Close waits for events on their way, and gives up when it is told to.
func TestInvokeAPIClose(t *testing.T) {
	t.Parallel()
	g := newGate(t)
	f := open(t, "wait", func(c *lambdahost.Config) { c.Timeout, c.Env = time.Hour, append(c.Env, "GATE="+g.URL) })
	api := &lambdahost.InvokeAPI{Functions: map[string]*lambdahost.Function{f.Name(): f}}
	post := func() int {
		r := httptest.NewRequest(http.MethodPost, "http://localhost/2015-03-31/functions/test-wait/invocations", strings.NewReader(`"x"`))
		r.Header.Set("X-Amz-Invocation-Type", "Event")
		w := httptest.NewRecorder()
		api.ServeHTTP(w, r)
		return w.Code
	}
	if got := post(); got != 202 {
		t.Fatalf("status: got %d, want 202", got)
	}
	g.wait(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := api.Close(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("close: got %v, want context.Canceled", err)
	}
	close(g.open)
}

// Security: the Invoke API checks no signature, so it answers tools on this
// machine only: no web page, and no name that somebody else's DNS may hold.
func TestSecurityInvokeAPIRefusesPagesAndForeignHosts(t *testing.T) {
	t.Parallel()
	f := open(t, "echo", nil)
	tests := map[string]struct {
		host, origin string
		allowed      []string
		want         int
	}{
		"loopback address":   {"127.0.0.1:8083", "", nil, 200},
		"loopback, no port":  {"127.0.0.1", "", nil, 200},
		"IPv6 loopback":      {"[::1]:8083", "", nil, 200},
		"localhost":          {"LOCALHOST:8083", "", nil, 200},
		"rebound name":       {"evil.example:8083", "", nil, 403},
		"suffix":             {"localhost.evil.example", "", nil, 403},
		"empty":              {"", "", nil, 403},
		"page":               {"127.0.0.1:8083", "http://evil.example", nil, 403},
		"sandboxed page":     {"127.0.0.1:8083", "null", nil, 403},
		"named host":         {"host.docker.internal:8083", "", []string{"host.docker.internal"}, 200},
		"not named any more": {"127.0.0.1:8083", "", []string{"host.docker.internal"}, 403},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			api := &lambdahost.InvokeAPI{Functions: map[string]*lambdahost.Function{f.Name(): f}, AllowedHosts: test.allowed}
			r := httptest.NewRequest(http.MethodPost, "/2015-03-31/functions/test-echo/invocations", strings.NewReader("{}"))
			r.Host = test.host
			if test.origin != "" {
				r.Header.Set("Origin", test.origin)
			}
			w := httptest.NewRecorder()
			api.ServeHTTP(w, r)
			if w.Code != test.want {
				t.Errorf("status: got %d, want %d: %s", w.Code, test.want, w.Body)
			}
			if test.want == 403 && w.Header().Get("X-Amzn-Errortype") != "AccessDeniedException" {
				t.Errorf("error type: got %q", w.Header().Get("X-Amzn-Errortype"))
			}
		})
	}
}

func TestInvokeAPIKnowsNothingElse(t *testing.T) {
	t.Parallel()
	_, url := serve(t, nil, open(t, "echo", nil))
	for _, call := range [][2]string{
		{"GET", "/2015-03-31/functions/test-echo/invocations"},
		{"POST", "/2015-03-31/functions/test-echo"},
		{"POST", "/2015-03-31/functions//invocations"},
		{"POST", "/2015-03-31/functions/a/b/invocations"},
		{"POST", "/2015-03-31/functions/a%2Fb/invocations"},
		{"POST", "/"},
	} {
		req, err := http.NewRequestWithContext(t.Context(), call[0], url+call[1], nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		if resp.StatusCode != 404 || resp.Header.Get("X-Amzn-Errortype") != "UnknownOperationException" {
			t.Errorf("%v: got %s %s", call, resp.Status, body)
		}
	}
}

// The wire form of an answer, byte for byte where it matters to a foreign
// client.
func TestInvokeAPIOnTheWire(t *testing.T) {
	t.Parallel()
	f := open(t, "fail", nil)
	api := &lambdahost.InvokeAPI{Functions: map[string]*lambdahost.Function{f.Name(): f}, Region: "ap-northeast-2", Account: "123456789012", NewID: func() string { return "id-1" }}
	tests := map[string]struct {
		path   string
		status int
		header http.Header
		body   string
	}{
		"function error": {"test-fail", 200, http.Header{
			"Content-Type": {"application/json"}, "Content-Length": {"58"}, "X-Amzn-Requestid": {"id-1"},
			"X-Amz-Executed-Version": {"$LATEST"}, "X-Amz-Function-Error": {"Unhandled"},
		}, `{"errorMessage":"no such movie","errorType":"errorString"}`},
		"no such function": {"nope", 404, http.Header{
			"Content-Type": {"application/json"}, "X-Amzn-Requestid": {"id-1"}, "X-Amzn-Errortype": {"ResourceNotFoundException"},
		}, `{"Message":"Function not found: arn:aws:lambda:ap-northeast-2:123456789012:function:nope","Type":"User"}`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			w := httptest.NewRecorder()
			api.ServeHTTP(w, httptest.NewRequest(http.MethodPost, "http://localhost/2015-03-31/functions/"+test.path+"/invocations", nil))
			if w.Code != test.status || w.Body.String() != test.body {
				t.Errorf("got %d %s\nwant %d %s", w.Code, w.Body, test.status, test.body)
			}
			if diff := cmp.Diff(test.header, w.Header()); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
		})
	}
}
