package deploycheck

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/marquee-api/marquee/internal/lambdahost"
)

// builtFunction starts a function of MARQUEE_BUILT, a build for arm64, as Lambda would: with the program that MARQUEE_QEMU
// names, which plays the processor, where this machine has another one.
func builtFunction(t *testing.T, id string, env ...string) *lambdahost.Function {
	t.Helper()
	built := os.Getenv("MARQUEE_BUILT")
	if built == "" {
		t.Skip("needs a build for arm64 in MARQUEE_BUILT, as scripts/sam-check makes it")
	}
	bootstrap := filepath.Join(built, id, "bootstrap")
	if qemu := os.Getenv("MARQUEE_QEMU"); qemu != "" {
		script := fmt.Sprintf("#!/bin/sh\nexec '%s' '%s'\n", qemu, bootstrap)
		bootstrap = filepath.Join(t.TempDir(), "bootstrap")
		if err := os.WriteFile(bootstrap, []byte(script), 0o700); err != nil {
			t.Fatal(err)
		}
	}
	f, err := lambdahost.New(lambdahost.Config{
		Name: id, Bootstrap: bootstrap, Timeout: time.Minute, InitTimeout: time.Minute, Concurrency: 1,
		Env: append(env, "AWS_REGION=ap-northeast-2", "AWS_ACCESS_KEY_ID=AKIAIOSFODNN7EXAMPLE", "AWS_SECRET_ACCESS_KEY=example"),
		Log: func(line lambdahost.LogLine) { t.Log(line.Text) },
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), time.Minute) // the test's own has ended
		defer cancel()
		if err := f.Close(ctx); err != nil {
			t.Error(err)
		}
	})
	return f
}

func invokeBuilt(t *testing.T, f *lambdahost.Function, event []byte) (answer struct {
	Status, StatusCode int
	Body               json.RawMessage
}) {
	t.Helper()
	result, err := f.Invoke(t.Context(), lambdahost.Invocation{Payload: event})
	if err != nil || result.FunctionError != "" {
		t.Fatalf("%v: %s", err, result.Payload)
	}
	if err := json.Unmarshal(result.Payload, &answer); err != nil {
		t.Fatalf("%v: %s", err, result.Payload)
	}
	return answer
}

// TestBuiltMovieList: the program that is deployed starts on its processor, and answers from a table.
func TestBuiltMovieList(t *testing.T) {
	table := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/x-amz-json-1.0")
		io.WriteString(w, `{"Item":{"year":{"N":"1972"},"title":{"S":"The Godfather"},"info":{"M":{}}}}`)
	}))
	t.Cleanup(table.Close)
	event, err := os.ReadFile("../../events/get-one.json")
	if err != nil {
		t.Fatal(err)
	}
	f := builtFunction(t, "MovieListFunction", "TABLE_NAME=movies", "AWS_ENDPOINT_URL_DYNAMODB="+table.URL)
	answer := invokeBuilt(t, f, event)
	if answer.StatusCode != http.StatusOK || !strings.Contains(string(answer.Body), "The Godfather") {
		t.Errorf("got %d %s, want 200 and The Godfather", answer.StatusCode, answer.Body)
	}
}

// TestBuiltCaller: so does the caller, and signs.
func TestBuiltCaller(t *testing.T) {
	signed := make(chan string, 1)
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		signed <- r.Method + " " + r.URL.Path + " " + r.Header.Get("Authorization")
		w.Header().Set("Content-Type", "application/json")
		io.WriteString(w, `{"Items":[],"Count":0}`)
	}))
	t.Cleanup(api.Close)
	f := builtFunction(t, "CallerFunction", "MARQUEE_URL="+api.URL+"/dev")
	answer := invokeBuilt(t, f, []byte("{}"))
	if answer.Status != http.StatusOK || !strings.Contains(string(answer.Body), `"Count":0`) {
		t.Errorf("got %d %s, want 200 and an empty list", answer.Status, answer.Body)
	}
	if got, want := <-signed, "GET /dev/movie_list AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/"; !strings.HasPrefix(got, want) {
		t.Errorf("the API got %q, want %q…", got, want)
	}
}
