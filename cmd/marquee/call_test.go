package main

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/rogpeppe/go-internal/testscript"
)

// callKeys are the identities that the API of the call scripts knows, by profile.
var callKeys = map[string]aws.Credentials{
	"caller": {AccessKeyID: "ASIACALLER0000000000", SecretAccessKey: "secret-of-caller", SessionToken: "token-of-caller"},
	"reader": {AccessKeyID: "ASIAREADER0000000000", SecretAccessKey: "secret-of-reader", SessionToken: "token-of-reader"},
	"work":   {AccessKeyID: "AKIAWORK000000000000", SecretAccessKey: "secret-of-work"},
}

// TestCallScripts runs marquee call as a program against an API on loopback: testdata/call/*.txtar.
//
// Each script has $API, the origin of that API. "localstack DIR PROFILE…" writes the state and credentials files of a
// local stack with this API into DIR, "status N command…" runs a command that must end with status N.
func TestCallScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir:                 "testdata/call",
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Setup: func(env *testscript.Env) error {
			api := httptest.NewServer(misbehave(firstRefuse(http.HandlerFunc(answerCall))))
			env.Defer(api.Close)
			stopped := httptest.NewServer(nil)
			stopped.Close()
			env.Setenv("API", api.URL)
			env.Setenv("STOPPED", stopped.URL)
			env.Setenv("AWS_EC2_METADATA_DISABLED", "true")
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"localstack": writeLocalStack,
			"status":     wantStatus,
		},
	})
}

// firstRefuse answers the first request for a path with "flaky" and a status in its name with that status.
func firstRefuse(next http.Handler) http.Handler {
	var seen sync.Map
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, status, flaky := strings.Cut(r.URL.Path, "flaky")
		if _, again := seen.LoadOrStore(r.URL.Path, true); flaky && !again {
			code, _ := strconv.Atoi(status[:3])
			w.WriteHeader(code)
			io.WriteString(w, "first")
			return
		}
		next.ServeHTTP(w, r)
	})
}

// answerCall has the SDK sign what arrived, and answers who signs alike with what arrived.
func answerCall(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	profile := ""
	for name, keys := range callKeys {
		if strings.Contains(r.Header.Get("Authorization"), "Credential="+keys.AccessKeyID+"/") {
			profile = name
		}
	}
	if got, want := r.Header.Get("Authorization"), signCall(r, body, callKeys[profile]); profile == "" || got != want {
		w.Header().Set("X-Amzn-Errortype", "InvalidSignatureException")
		w.WriteHeader(http.StatusForbidden)
		fmt.Fprintf(w, `{"message":"got %s, want %s"}`, got, want)
		return
	}
	switch r.URL.Path {
	case "/dev/denied":
		w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
		w.Header().Set("X-Amzn-Requestid", "7e2f1b7c-0000-4000-8000-00000000000b")
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, `{"Message":"User: x is not authorized"}`)
	case "/dev/missing", "/dev/flaky503missing":
		w.WriteHeader(http.StatusNotFound)
		io.WriteString(w, `{"error":{"code":"not_found","message":"no such movie"}}`)
	case "/dev/broken":
		w.WriteHeader(http.StatusBadGateway)
		io.WriteString(w, `{"message": "Internal server error"}`)
	case "/dev/moved":
		w.Header().Set("Location", "https://example.com/")
		w.WriteHeader(http.StatusFound)
	default:
		w.Header().Set("Content-Type", "application/json")
		fmt.Fprintf(w, "%s %s host=%s profile=%s type=%q note=%q body=%q", r.Method, r.RequestURI, strings.Split(r.Host, ":")[0],
			profile, r.Header.Get("Content-Type"), r.Header.Values("X-Note"), body)
	}
}

func signCall(r *http.Request, body []byte, keys aws.Credentials) string {
	req, _ := http.NewRequest(r.Method, "http://"+r.Host+r.RequestURI, nil)
	if kind := r.Header.Get("Content-Type"); kind != "" {
		req.Header.Set("Content-Type", kind)
	}
	at, _ := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
	sum := sha256.Sum256(body)
	if err := v4.NewSigner().SignHTTP(r.Context(), keys, req, hex.EncodeToString(sum[:]), "execute-api", "ap-northeast-2", at); err != nil {
		return err.Error()
	}
	return req.Header.Get("Authorization")
}

// writeLocalStack writes what marquee local leaves in the directory that it runs in.
func writeLocalStack(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) < 2 {
		ts.Fatalf("usage: localstack DIR PROFILE...")
	}
	dir := ts.MkAbs(filepath.Join(args[0], ".marquee"))
	ts.Check(os.MkdirAll(dir, 0o700))
	profiles := make(map[string]string)
	var ini strings.Builder
	for _, name := range args[1:] {
		keys := callKeys[name]
		profiles[name] = "arn:aws:sts::123456789012:assumed-role/" + name + "/local"
		fmt.Fprintf(&ini, "[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\n", name, keys.AccessKeyID, keys.SecretAccessKey)
		if keys.SessionToken != "" {
			fmt.Fprintf(&ini, "aws_session_token = %s\n", keys.SessionToken)
		}
	}
	state, err := json.Marshal(map[string]any{
		"region": "ap-northeast-2", "invoke_url": ts.Getenv("API") + "/dev", "profiles": profiles,
		"endpoints":        map[string]any{"vpce": map[string]string{"url": ts.Getenv("API")}},
		"credentials_file": ".marquee/credentials",
	})
	ts.Check(err)
	ts.Check(os.WriteFile(filepath.Join(dir, "local.json"), state, 0o600))
	ts.Check(os.WriteFile(filepath.Join(dir, "credentials"), []byte(ini.String()), 0o600))
}

func wantStatus(ts *testscript.TestScript, neg bool, args []string) {
	want, err := strconv.Atoi(args[0])
	if neg || err != nil || len(args) < 2 {
		ts.Fatalf("usage: status N command...")
	}
	got := 0
	var exit *exec.ExitError
	if err := ts.Exec(args[1], args[2:]...); errors.As(err, &exit) {
		got = exit.ExitCode()
	} else if err != nil {
		ts.Fatalf("%v", err)
	}
	if got != want {
		ts.Fatalf("got exit status %d, want %d", got, want)
	}
}
