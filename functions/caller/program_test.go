package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
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

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
)

// runAsProgram makes the test binary be the function.
const runAsProgram = "CALLER_TEST_RUN_AS_PROGRAM"

func TestMain(m *testing.M) {
	if os.Getenv(runAsProgram) != "" {
		main()
		return
	}
	os.Exit(m.Run())
}

var roleKeys = aws.Credentials{
	AccessKeyID:     "ASIAEXAMPLEEXAMPLE00",
	SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
	SessionToken:    "IQoJb3JpZ2luX2VjEXAMPLE",
}

// lambdaEnvironment is what Lambda sets, and the function's own variables.
func lambdaEnvironment(url string) map[string]string {
	return map[string]string{
		"MARQUEE_URL":           url,
		"AWS_REGION":            "ap-northeast-2",
		"AWS_ACCESS_KEY_ID":     roleKeys.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY": roleKeys.SecretAccessKey,
		"AWS_SESSION_TOKEN":     roleKeys.SessionToken,
	}
}

// outcome is how an invocation ended: the path of the Runtime API that the function answered on, and the answer.
type outcome struct {
	failed bool
	body   []byte
}

// runtimeAPI is Lambda's side ("Using the Lambda runtime API for custom runtimes", Lambda developer guide).
type runtimeAPI struct {
	*httptest.Server
	events   chan string
	outcomes chan outcome
	deadline time.Duration
}

func newRuntimeAPI(t *testing.T, deadline time.Duration) *runtimeAPI {
	t.Helper()
	api := &runtimeAPI{events: make(chan string), outcomes: make(chan outcome), deadline: deadline}
	mux := http.NewServeMux()
	mux.HandleFunc("GET /2018-06-01/runtime/invocation/next", func(w http.ResponseWriter, r *http.Request) {
		select {
		case event := <-api.events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "8476a536-e9f4-11e8-9739-2dfe598c3fcd")
			w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(api.deadline).UnixMilli()))
			w.Header().Set("Lambda-Runtime-Invoked-Function-Arn", "arn:aws:lambda:ap-northeast-2:123456789012:function:caller")
			io.WriteString(w, event)
		case <-r.Context().Done():
		}
	})
	for path, failed := range map[string]bool{"response": false, "error": true} {
		mux.HandleFunc("POST /2018-06-01/runtime/invocation/{id}/"+path, func(w http.ResponseWriter, r *http.Request) {
			body, _ := io.ReadAll(r.Body)
			if len(body) > lambdaLimit {
				w.WriteHeader(http.StatusRequestEntityTooLarge)
				return
			}
			w.WriteHeader(http.StatusAccepted)
			api.outcomes <- outcome{failed, body}
		})
	}
	api.Server = httptest.NewServer(mux)
	t.Cleanup(api.Close)
	return api
}

// start runs the program until the test ends. It returns its standard error.
func (api *runtimeAPI) start(t *testing.T, env map[string]string) *lockedBuffer {
	t.Helper()
	cmd, stderr := program(t, t.Context(), env)
	cmd.Env = append(cmd.Env, "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(api.URL, "http://"))
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
	})
	return stderr
}

func program(t *testing.T, ctx context.Context, env map[string]string) (*exec.Cmd, *lockedBuffer) {
	t.Helper()
	cmd := exec.CommandContext(ctx, os.Args[0])
	cmd.Env = []string{runAsProgram + "=1"}
	for name, value := range env {
		cmd.Env = append(cmd.Env, name+"="+value)
	}
	output := new(lockedBuffer)
	cmd.Stdout, cmd.Stderr = output, output
	return cmd, output
}

type lockedBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *lockedBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *lockedBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}

// invoke sends an event and returns what came of it.
func (api *runtimeAPI) invoke(t *testing.T, event string) outcome {
	t.Helper()
	select {
	case api.events <- event:
	case <-time.After(20 * time.Second):
		t.Fatal("the function does not ask for events")
	}
	select {
	case got := <-api.outcomes:
		return got
	case <-time.After(20 * time.Second):
		t.Fatal("the function does not answer")
	}
	return outcome{}
}

// apiStub is the private API: it has the SDK sign what arrives and lets in who signed alike.
type apiStub struct {
	*httptest.Server
	mu     sync.Mutex
	remote map[string]bool // connections
	hosts  map[string]bool // values of Host
	times  map[string]int  // requests by path
}

func newAPIStub(t *testing.T) *apiStub {
	t.Helper()
	stub := &apiStub{remote: make(map[string]bool), hosts: make(map[string]bool), times: make(map[string]int)}
	stub.Server = httptest.NewServer(stub)
	t.Cleanup(stub.Close)
	return stub
}

func (s *apiStub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	s.remote[r.RemoteAddr], s.hosts[r.Host] = true, true
	s.times[r.URL.Path]++
	nth := s.times[r.URL.Path]
	s.mu.Unlock()
	body, _ := io.ReadAll(r.Body)
	if got, want := r.Header.Get("Authorization"), sdkAuthorization(r, body); got != want {
		w.Header().Set("X-Amzn-Errortype", "InvalidSignatureException")
		w.Header().Set("X-Amzn-Requestid", "7e2f1b7c-0000-4000-8000-00000000000a")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, `{"message":"got %s, want %s"}`, got, want)
		return
	}
	switch r.URL.Path {
	case "/dev/denied":
		w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
		w.Header().Set("X-Amzn-Requestid", "7e2f1b7c-0000-4000-8000-00000000000b")
		w.Header().Set("Content-Type", "application/json")
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, `{"Message":"User: x is not authorized to perform: execute-api:Invoke"}`)
	case "/dev/busy-twice", "/dev/busy-once":
		if nth <= 2-strings.Count(r.URL.Path, "once") {
			w.Header().Set("X-Amzn-Errortype", "TooManyRequestsException")
			w.WriteHeader(http.StatusTooManyRequests)
		}
	case "/dev/down":
		w.WriteHeader(http.StatusServiceUnavailable)
	case "/dev/breaks-once":
		if nth == 1 {
			w.Header().Set("Content-Length", "100")
		}
		io.WriteString(w, "an answer")
	case "/dev/slow":
		<-r.Context().Done()
	case "/dev/big":
		io.WriteString(w, strings.Repeat("x", 9_000_000))
	case "/dev/escaped":
		io.WriteString(w, strings.Repeat("<", 2<<20))
	case "/dev/text":
		w.Header().Set("Content-Type", "text/plain")
		io.WriteString(w, "just text")
	case "/dev/bytes":
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Write([]byte{0xff, 0x00})
	default:
		w.Header().Set("Content-Type", "application/json")
		w.Header().Add("X-Two", "1")
		w.Header().Add("X-Two", "2")
		json.NewEncoder(w).Encode(map[string]string{"method": r.Method, "target": r.RequestURI, "body": string(body), "note": r.Header.Get("X-Note")})
	}
}

func sdkAuthorization(r *http.Request, body []byte) string {
	req, _ := http.NewRequest(r.Method, "http://"+r.Host+r.RequestURI, nil)
	if kind := r.Header.Get("Content-Type"); kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	at, _ := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(r.Context(), roleKeys, req, hex.EncodeToString(sum[:]), "execute-api", "ap-northeast-2", at); err != nil {
		return err.Error()
	}
	return req.Header.Get("Authorization")
}

type answered struct {
	Status   int
	Headers  map[string]string
	Body     json.RawMessage
	Base64   bool `json:"is_base64_encoded"`
	Attempts int
	Error    *refusal
	Failure  string
}

func TestProgramCalls(t *testing.T) {
	stub := newAPIStub(t)
	api := newRuntimeAPI(t, time.Minute)
	output := api.start(t, lambdaEnvironment(stub.URL+"/dev"))
	for _, tt := range []struct {
		name, event string
		status      int
		body        string
		check       func(t *testing.T, got answered)
	}{
		{"no event", ``, 200, `{"body":"","method":"GET","note":"","target":"/dev/movie_list"}`, nil},
		{"empty event", `{}`, 200, `{"body":"","method":"GET","note":"","target":"/dev/movie_list"}`, func(t *testing.T, got answered) {
			if got.Headers["content-type"] != "application/json" || got.Headers["x-two"] != "1, 2" || got.Attempts != 1 || got.Error != nil {
				t.Errorf("got %+v", got)
			}
		}},
		{"everything", `{"method":"PUT","path":"/movie_list/{year}/{title}","path_params":{"year":2013,"title":"Iron Man"},"query":{"a":["1","2"]},"headers":{"X-Note":"hi"},"body":{"year":2013}}`,
			200, `{"body":"{\"year\":2013}","method":"PUT","note":"hi","target":"/dev/movie_list/2013/Iron%20Man?a=1\u0026a=2"}`, nil},
		{"text body", `{"method":"POST","path":"/x","body":"a text"}`, 200, `{"body":"a text","method":"POST","note":"","target":"/dev/x"}`, nil},
		{"text answer", `{"path":"/text"}`, 200, `"just text"`, nil},
		{"bytes", `{"path":"/bytes"}`, 200, `"/wA="`, func(t *testing.T, got answered) {
			if !got.Base64 {
				t.Error("the body is base64 and the result does not say so")
			}
		}},
		{"refused", `{"path":"/denied"}`, 403, `{"Message":"User: x is not authorized to perform: execute-api:Invoke"}`, func(t *testing.T, got answered) {
			want := refusal{"AccessDeniedException", "User: x is not authorized to perform: execute-api:Invoke", "7e2f1b7c-0000-4000-8000-00000000000b"}
			if got.Error == nil || *got.Error != want {
				t.Errorf("got error %+v, want %+v", got.Error, want)
			}
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out := api.invoke(t, tt.event)
			var got answered
			if err := json.Unmarshal(out.body, &got); out.failed || err != nil {
				t.Fatalf("got %s (failed: %v)", out.body, out.failed)
			}
			if got.Status != tt.status || string(got.Body) != tt.body {
				t.Errorf("got  %d %s\nwant %d %s", got.Status, got.Body, tt.status, tt.body)
			}
			if tt.check != nil {
				tt.check(t, got)
			}
		})
	}
	if len(stub.remote) != 1 {
		t.Errorf("got %d connections, want one that stays open", len(stub.remote))
	}
	for _, secret := range []string{roleKeys.SecretAccessKey, roleKeys.SessionToken, "Signature="} {
		if strings.Contains(output.String(), secret) {
			t.Errorf("the log shows %q:\n%s", secret, output)
		}
	}
}

// With private DNS off the connection goes to the endpoint, and Host and signature keep the API's name.
func TestProgramCallsThroughTheEndpoint(t *testing.T) {
	stub := newAPIStub(t)
	env := lambdaEnvironment("https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/dev")
	env["MARQUEE_VPCE"] = stub.URL
	api := newRuntimeAPI(t, time.Minute)
	api.start(t, env)
	out := api.invoke(t, "{}")
	var got answered
	if err := json.Unmarshal(out.body, &got); err != nil || got.Status != 200 {
		t.Fatalf("got %s, want a 200", out.body)
	}
	stub.mu.Lock()
	defer stub.mu.Unlock()
	if want := "a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com"; len(stub.hosts) != 1 || !stub.hosts[want] {
		t.Errorf("got Host %v, want %s", stub.hosts, want)
	}
}

func TestProgramReportsErrors(t *testing.T) {
	stub := newAPIStub(t)
	api := newRuntimeAPI(t, time.Second)
	api.start(t, lambdaEnvironment(stub.URL+"/dev"))
	for name, tt := range map[string]struct{ event, kind, message string }{
		"unknown field": {`{"methd":"GET"}`, "BadEventError", `unknown field "methd"`},
		"missing value": {`{"path":"/{year}"}`, "CallError", "no value for {year}"},
		"too slow":      {`{"path":"/slow"}`, "CallError", "deadline exceeded"},
	} {
		t.Run(name, func(t *testing.T) {
			out := api.invoke(t, tt.event)
			var got struct{ ErrorMessage, ErrorType string }
			if err := json.Unmarshal(out.body, &got); err != nil || !out.failed {
				t.Fatalf("got %s (failed: %v), want an error", out.body, out.failed)
			}
			if !strings.Contains(got.ErrorMessage, tt.message) || tt.kind != "" && got.ErrorType != tt.kind {
				t.Errorf("got %s %q, want %s with %q", got.ErrorType, got.ErrorMessage, tt.kind, tt.message)
			}
		})
	}
}

func TestProgramNeedsItsEnvironment(t *testing.T) {
	for _, missing := range []string{"MARQUEE_URL", "AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		t.Run(missing, func(t *testing.T) {
			env := lambdaEnvironment("http://127.0.0.1:1/dev")
			delete(env, missing)
			checkFailsAtStart(t, env, "the environment variable "+missing+" is missing")
		})
	}
	t.Run("a URL that says too little", func(t *testing.T) {
		env := lambdaEnvironment("https://vpce-0-x.execute-api.ap-northeast-2.vpce.amazonaws.com/dev")
		checkFailsAtStart(t, env, "VPC endpoint's own DNS name")
	})
	t.Run("an endpoint that is none", func(t *testing.T) {
		env := lambdaEnvironment("https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/dev")
		env["MARQUEE_VPCE"] = "example.com"
		checkFailsAtStart(t, env, "MARQUEE_VPCE")
	})
}

func checkFailsAtStart(t *testing.T, env map[string]string, want string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	env["AWS_LAMBDA_RUNTIME_API"] = "127.0.0.1:1"
	cmd, output := program(t, ctx, env)
	err := cmd.Run()
	if cmd.ProcessState.ExitCode() != 1 || !strings.Contains(output.String(), want) {
		t.Errorf("got %v and %q, want exit status 1 and %q", err, output, want)
	}
	if strings.Contains(output.String(), roleKeys.SecretAccessKey) {
		t.Error("the message shows the secret key")
	}
}
