package marqueetest_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/marquee-api/marquee/apiclient"
	"github.com/marquee-api/marquee/marqueetest"
)

func hello(w http.ResponseWriter, r *http.Request) {
	fmt.Fprintf(w, `{"path":%q,"query":%q}`, r.URL.Path, r.URL.RawQuery)
}

// The project's own template, with a handler in place of the movie list.
func open(t *testing.T, change ...func(*marqueetest.Config)) *marqueetest.API {
	t.Helper()
	cfg := marqueetest.Config{
		Template:  "../template.yaml",
		Functions: map[string]http.Handler{"MovieListFunction": http.HandlerFunc(hello)},
	}
	for _, apply := range change {
		apply(&cfg)
	}
	return marqueetest.Open(t, cfg)
}

func TestWhoMayCall(t *testing.T) {
	api := open(t)
	tests := map[string]struct {
		door    marqueetest.Door
		profile string
		path    string
		status  int
		kind    string
	}{
		"the caller":                      {marqueetest.VPCE, "caller", "/movie_list", 200, ""},
		"the caller, one movie":           {marqueetest.VPCE, "caller", "/movie_list/1999/Go", 200, ""},
		"the caller's role":               {marqueetest.VPCE, "CallerRole", "/movie_list", 200, ""},
		"the movie list's role":           {marqueetest.VPCE, "MovieListRole", "/movie_list", 403, apiclient.TypeAccessDenied},
		"a stranger":                      {marqueetest.VPCE, "stranger", "/movie_list", 403, apiclient.TypeAccessDenied},
		"another account":                 {marqueetest.VPCE, "foreign", "/movie_list", 403, apiclient.TypeAccessDenied},
		"another endpoint":                {marqueetest.OtherVPCE, "reader", "/movie_list", 403, apiclient.TypeAccessDenied},
		"the public internet":             {marqueetest.Public, "reader", "/movie_list", 403, "ForbiddenException"},
		"a session that has ended":        {marqueetest.VPCE, "expired", "/movie_list", 403, "ExpiredTokenException"},
		"a path that the API has not got": {marqueetest.VPCE, "writer", "/other", 403, "MissingAuthenticationTokenException"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			answer, err := api.ClientThrough(t, tt.door, tt.profile).Do(t.Context(), apiclient.Request{Path: tt.path, Query: map[string][]string{"limit": {"1"}}})
			var refusal *apiclient.APIError
			switch {
			case tt.status == 200 && err != nil:
				t.Errorf("got %v, want to be let in", err)
			case tt.status == 200 && !strings.Contains(string(answer.Body), `"query":"limit=1"`):
				t.Errorf("got %s", answer.Body)
			case tt.status != 200 && (!errors.As(err, &refusal) || refusal.StatusCode != tt.status || refusal.Type != tt.kind):
				t.Errorf("got %v, want %d %s", err, tt.status, tt.kind)
			}
		})
	}
	records := api.Records()
	if len(records) != len(tests) {
		t.Fatalf("got %d records of %d requests", len(records), len(tests))
	}
	for _, r := range records {
		if (r.Status == 200) != (r.Why == "") || len(r.Checks) == 0 {
			t.Errorf("got record %+v: a refusal says why, and every request was checked", r)
		}
	}
}

func TestIdentitiesFileAndFaults(t *testing.T) {
	file := filepath.Join(t.TempDir(), "identities.yaml")
	text := `
- name: billing
  policies:
    - Version: "2012-10-17"
      Statement: {Effect: Allow, Action: execute-api:Invoke, Resource: "*"}
`
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	api := open(t, func(c *marqueetest.Config) { c.Identities, c.Faults = file, []string{"status=429"} })
	_, err := api.Client(t, "billing").Do(t.Context(), apiclient.Request{Method: http.MethodPost, Path: "/movie_list/x"})
	var refusal *apiclient.APIError
	if !errors.As(err, &refusal) || refusal.Type != "MissingAuthenticationTokenException" {
		t.Errorf("got %v, want billing let in to find no such route", err)
	}
	if _, err := api.Credentials("nobody"); err == nil || !strings.Contains(err.Error(), "billing") {
		t.Errorf("got %v, want the names that there are", err)
	}
}

// A client whose clock is off is told, and corrects itself.
func TestClockCorrection(t *testing.T) {
	api := open(t, func(c *marqueetest.Config) {
		c.Now = func() time.Time { return time.Now().Add(7 * time.Minute) }
	})
	answer, err := api.Client(t, "caller").Do(t.Context(), apiclient.Request{Path: "/movie_list"})
	if err != nil || answer.Attempts != 2 {
		t.Errorf("got %v, %v; want success at the second attempt", answer, err)
	}
}

// A handler that ends without an answer is a function that crashed: 502, a record that says why, and the test's log tells
// what happened. Neither the client nor net/http sees the panic.
func TestAHandlerThatCrashes(t *testing.T) {
	tests := map[string]struct {
		handler http.HandlerFunc
		why     string
		log     string
	}{
		"panics":             {func(http.ResponseWriter, *http.Request) { panic("boom") }, `"errorMessage":"boom","errorType":"string"`, "function marqueetest-MovieListFunction panicked: boom\n"},
		"panics by an error": {func(http.ResponseWriter, *http.Request) { panic(errors.New("boom")) }, `"errorMessage":"boom","errorType":"errorString"`, "panicked: boom\n"},
		"panics at an index": {func(_ http.ResponseWriter, r *http.Request) { _ = r.URL.Path[1000] }, `index out of range [1000]`, "TestAHandlerThatCrashes"},
		"aborts":             {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, `"errorMessage":"net/http: abort Handler"`, "panicked: net/http: abort Handler\n"},
		"ends its goroutine": {func(http.ResponseWriter, *http.Request) { runtime.Goexit() }, `"errorMessage":"the handler ended its goroutine without an answer`, "ended its goroutine"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			log := &logged{TB: t}
			api := marqueetest.Open(log, marqueetest.Config{
				Template: "../template.yaml", Functions: map[string]http.Handler{"MovieListFunction": tt.handler},
			})
			_, err := api.Client(t, "caller").Do(t.Context(), apiclient.Request{Path: "/movie_list", Retry: &apiclient.Retry{MaxAttempts: 1}})
			var refusal *apiclient.APIError
			if !errors.As(err, &refusal) || refusal.StatusCode != 502 || refusal.Type != "InternalServerErrorException" || refusal.Message != "Internal server error" {
				t.Errorf("got %v, want 502 Internal server error", err)
			}
			records := api.Records()
			if len(records) != 1 || records[0].Status != 502 || !strings.Contains(records[0].Why, tt.why) {
				t.Errorf("got records %+v, want one of 502 with %s", records, tt.why)
			}
			if got := log.text(); !strings.Contains(got, tt.log) {
				t.Errorf("the test's log is %q, want %q in it", got, tt.log)
			}
		})
	}
}

// logged is a test whose log can be read.
type logged struct {
	testing.TB
	mu    sync.Mutex
	lines strings.Builder
}

func (l *logged) Logf(format string, args ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	fmt.Fprintf(&l.lines, format+"\n", args...)
}

func (l *logged) text() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.lines.String()
}
