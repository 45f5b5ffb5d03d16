package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/apiclient"
)

func TestParseRequests(t *testing.T) {
	text := `{"method":"put","path":"/m/{year}","path_params":{"year":12345678901234567890},"query":{"a":[1,"b",true],"c":"d"},"headers":{"x-note":"n"},"body":{"x":1},"weight":3}
{"path":"/t","body":"a \"text\""}`
	got, err := parseRequests(strings.NewReader(text))
	if err != nil {
		t.Fatal(err)
	}
	want := []benchRequest{
		{name: "PUT /m/{year}", weight: 3, Request: apiclient.Request{
			Method: "PUT", Path: "/m/{year}", PathParams: map[string]string{"year": "12345678901234567890"},
			Query: map[string][]string{"a": {"1", "b", "true"}, "c": {"d"}}, Header: http.Header{"X-Note": {"n"}}, JSON: json.RawMessage(`{"x":1}`),
		}},
		{name: "GET /t", Request: apiclient.Request{
			Method: "GET", Path: "/t", Query: map[string][]string{}, Header: http.Header{}, Body: []byte(`a "text"`),
		}},
	}
	if diff := cmp.Diff(want, got, cmp.AllowUnexported(benchRequest{})); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
	for name, tt := range map[string]struct{ text, want string }{
		"no path":        {`{}`, "line 1: path is missing"},
		"negative":       {`{"path":"/x","weight":-1}`, "weight -1"},
		"two values":     {`{"path":"/x"} {}`, "more than one JSON value"},
		"list as value":  {`{"path":"/{x}","path_params":{"x":[1,2]}}`, "path_params: x is no text"},
		"object as text": {`{"path":"/x","query":{"a":{}}}`, "query: a: it must be a text"},
		"nested list":    {`{"path":"/x","headers":{"a":[[1]]}}`, "headers: a: a list within a list"},
		"another host":   {`{"path":"/x","headers":{"host":"example.com"}}`, "headers: host says which API is meant"},
		"no JSON":        {"\n\nGET /x", "line 3: invalid character"},
		"too many":       {strings.Repeat("{\"path\":\"/x\"}\n", 1001), "more than 1000 requests"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := parseRequests(strings.NewReader(tt.text)); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

func TestSecurityLoopbackAddresses(t *testing.T) {
	for address, want := range map[string]bool{
		"127.0.0.1": true, "127.0.0.1:8080": true, "127.9.9.9:1": true, "localhost:8080": true, "[::1]:8080": true, "host.docker.internal:8080": true,
		"example.com": false, "localhost.example.com:80": false, "10.0.0.1:8080": false, "127.0.0.1.example.com": false, "0.0.0.0:80": false,
	} {
		if got := isLoopbackAddress(address); got != want {
			t.Errorf("%s: got %v, want %v", address, got, want)
		}
	}
}

// Who stops a run by Ctrl-C sees what was measured.
func TestBenchIsInterrupted(t *testing.T) {
	var came atomic.Int64
	enough := make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if came.Add(1) == 20 {
			close(enough)
		}
	}))
	defer api.Close()
	cmd := exec.CommandContext(t.Context(), "marquee", "bench", "--url", api.URL+"/dev", "/x", "--rate", "200", "--duration", "1h", "--json")
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=AKIAWORK000000000000", "AWS_SECRET_ACCESS_KEY=secret-of-work", "AWS_REGION=ap-northeast-2")
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-enough:
	case <-time.After(20 * time.Second):
		t.Fatal("the program sends nothing")
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	var got struct {
		Interrupted bool
		Requests    int64
		Statuses    map[string]int64
	}
	if err := json.NewDecoder(bufio.NewReader(out)).Decode(&got); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err != nil {
		t.Errorf("got %v, want exit status 0: every answer was a 200", err)
	}
	if !got.Interrupted || got.Requests < 20 || got.Statuses["200"] != got.Requests {
		t.Errorf("got %+v, want 20 requests or some more", got)
	}
}

// Who stops a run before anything was measured sees no latency, not one of zero.
func TestBenchIsInterruptedAtOnce(t *testing.T) {
	came := make(chan struct{}, 1000)
	api := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { came <- struct{}{} }))
	defer api.Close()
	cmd := exec.CommandContext(t.Context(), "marquee", "bench", "--url", api.URL+"/dev", "/x", "--warmup", "1h", "--json")
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=AKIAWORK000000000000", "AWS_SECRET_ACCESS_KEY=secret-of-work", "AWS_REGION=ap-northeast-2")
	var out, complaint bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &complaint
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-came:
	case <-time.After(20 * time.Second):
		t.Fatal("the program sends nothing")
	}
	if err := cmd.Process.Signal(os.Interrupt); err != nil {
		t.Fatal(err)
	}
	if err := cmd.Wait(); err == nil || !strings.Contains(complaint.String(), "nothing was measured") {
		t.Errorf("got %v and %q, want exit status 1 and that nothing was measured", err, &complaint)
	}
	var got map[string]any
	if err := json.Unmarshal(out.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	for _, name := range []string{"latency_ms", "service_ms", "lag_ms"} {
		if value, there := got[name]; !there || value != nil {
			t.Errorf("%s is %v, want null", name, value)
		}
	}
}

// TestSecurityBenchProxiesTLSOnly: what is signed for this machine in plain http passes no proxy, under whichever name.
func TestSecurityBenchProxiesTLSOnly(t *testing.T) {
	var saw atomic.Value
	proxy := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { saw.Store(r.Method + " " + r.RequestURI) }))
	defer proxy.Close()
	cmd := exec.CommandContext(t.Context(), "marquee", "bench", "--url", "http://host.docker.internal:1/dev", "/x", "--requests", "1", "--timeout", "5s")
	cmd.Env = append(os.Environ(), "AWS_ACCESS_KEY_ID=AKIAWORK000000000000", "AWS_SECRET_ACCESS_KEY=secret-of-work", "AWS_REGION=ap-northeast-2", "HTTP_PROXY="+proxy.URL, "NO_PROXY=")
	if out, err := cmd.CombinedOutput(); err == nil {
		t.Errorf("got an answer from nowhere:\n%s", out)
	}
	if got := saw.Load(); got != nil {
		t.Errorf("the proxy was sent %s", got)
	}
}
