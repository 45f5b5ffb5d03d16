package console_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/marquee-api/marquee/internal/console"
	"github.com/marquee-api/marquee/internal/gateway"
)

// start is the time of the first record of the tests.
var start = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// newConsole is a console whose run is named run0, with the token run1.
func newConsole(change func(*console.Config)) *console.Console {
	var made atomic.Int64
	cfg := console.Config{Random: func() string { return "run" + strconv.FormatInt(made.Add(1)-1, 10) }, Now: time.Now}
	if change != nil {
		change(&cfg)
	}
	return console.New(cfg)
}

// ask sends a request to the console; the header is of pairs.
func ask(t *testing.T, c *console.Console, method, target, body string, header ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	for i := 0; i < len(header); i += 2 {
		r.Header.Set(header[i], header[i+1])
	}
	w := httptest.NewRecorder()
	c.Handler().ServeHTTP(w, r)
	return w
}

func decode[T any](t *testing.T, w *httptest.ResponseRecorder) T {
	t.Helper()
	var value T
	if err := json.Unmarshal(w.Body.Bytes(), &value); err != nil || w.Code != http.StatusOK {
		t.Fatalf("got %d %s: %v", w.Code, w.Body, err)
	}
	return value
}

type listed struct{ Requests []console.Summary }

func TestSecurityPageRefusesForeignNamesAndPages(t *testing.T) {
	const own = "http://127.0.0.1:8084"
	tests := map[string]struct {
		method, target string
		header         []string
		want           int
	}{
		"loopback":                      {"GET", own + "/", nil, http.StatusOK},
		"localhost":                     {"HEAD", "http://LOCALHOST:8084/", nil, http.StatusOK},
		"loopback of IPv6":              {"GET", "http://[::1]:8084/", nil, http.StatusOK},
		"a foreign name":                {"GET", "http://evil.example:8084/", nil, http.StatusForbidden},
		"a name that begins like ours":  {"GET", "http://127.0.0.1.evil.example/", nil, http.StatusForbidden},
		"a foreign name, for a record":  {"GET", "http://evil.example:8084/api/requests/1", nil, http.StatusForbidden},
		"own page":                      {"GET", own + "/api/run", []string{"Origin", own, "Sec-Fetch-Site", "same-origin"}, http.StatusOK},
		"a foreign page":                {"GET", own + "/api/run", []string{"Origin", "https://evil.example"}, http.StatusForbidden},
		"another port of this machine":  {"GET", own + "/api/run", []string{"Origin", "http://127.0.0.1:9999"}, http.StatusForbidden},
		"a sandboxed frame":             {"GET", own + "/api/run", []string{"Origin", "null"}, http.StatusForbidden},
		"a foreign page's script":       {"GET", own + "/main.js", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "no-cors"}, http.StatusForbidden},
		"a sister page's script":        {"GET", own + "/main.js", []string{"Sec-Fetch-Site", "same-site", "Sec-Fetch-Mode", "no-cors"}, http.StatusForbidden},
		"a link from elsewhere":         {"GET", own + "/", []string{"Sec-Fetch-Site", "cross-site", "Sec-Fetch-Mode", "navigate"}, http.StatusOK},
		"another path":                  {"GET", own + "/x", nil, http.StatusNotFound},
		"another method":                {"POST", own + "/api/run", nil, http.StatusMethodNotAllowed},
		"the page under its file name":  {"GET", own + "/index.html", nil, http.StatusNotFound},
		"a way out of the page's files": {"GET", own + "/..%2fserver.go", nil, http.StatusNotFound},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			w := ask(t, newConsole(nil), tt.method, tt.target, "", tt.header...)
			if w.Code != tt.want {
				t.Errorf("got %d, want %d", w.Code, tt.want)
			}
			csp := w.Header().Get("Content-Security-Policy")
			for _, want := range []string{"default-src 'none'", "script-src 'self'", "frame-ancestors 'none'", "require-trusted-types-for 'script'"} {
				if !strings.Contains(csp, want) {
					t.Errorf("the policy %q lacks %s", csp, want)
				}
			}
			if strings.Contains(csp, "unsafe") || strings.Contains(csp, "*") {
				t.Errorf("the policy %q is not strict", csp)
			}
			if h := w.Header(); h.Get("X-Content-Type-Options") != "nosniff" || h.Get("Cache-Control") != "no-store" {
				t.Errorf("got header %v: want nosniff and no-store", h)
			}
		})
	}
}

// trier answers what it is told, and keeps what it was asked.
type trier struct {
	asked   console.Attempt
	outcome *console.Outcome
	err     error
}

func (f *trier) Try(_ context.Context, a console.Attempt) (*console.Outcome, error) {
	f.asked = a
	return f.outcome, f.err
}

func TestSecurityTryNeedsTheTokenOfTheRun(t *testing.T) {
	const target, attempt = "http://localhost/api/try", `{"caller":"reader","door":"vpce","stage":"dev","method":"GET","path":"/a"}`
	tests := map[string]struct {
		body   string
		header []string
		err    error
		want   int
	}{
		"with it":           {attempt, []string{"X-Marquee-Token", "run1"}, nil, http.StatusOK},
		"without":           {attempt, nil, nil, http.StatusForbidden},
		"with another":      {attempt, []string{"X-Marquee-Token", "run0"}, nil, http.StatusForbidden},
		"from another page": {attempt, []string{"X-Marquee-Token", "run1", "Origin", "http://evil.example"}, nil, http.StatusForbidden},
		"no JSON":           {"caller=reader", []string{"X-Marquee-Token", "run1"}, nil, http.StatusBadRequest},
		"unknown field":     {`{"secret":"x"}`, []string{"X-Marquee-Token", "run1"}, nil, http.StatusBadRequest},
		"not to be done":    {attempt, []string{"X-Marquee-Token", "run1"}, errors.New("there is no door"), http.StatusUnprocessableEntity},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := &trier{outcome: &console.Outcome{Status: 200, RequestID: "one"}, err: tt.err}
			c := newConsole(func(cfg *console.Config) { cfg.Trier = f })
			c.Add(gateway.Record{RequestID: "one", Status: 200, Time: start})
			w := ask(t, c, "POST", target, tt.body, tt.header...)
			if w.Code != tt.want {
				t.Errorf("got %d %s, want %d", w.Code, w.Body, tt.want)
			}
			if called := f.asked.Path == "/a"; called != (tt.want == http.StatusOK || tt.err != nil) {
				t.Errorf("the call was made: %v", called)
			}
			if tt.want == http.StatusOK && !strings.Contains(w.Body.String(), `"n":1`) {
				t.Errorf("got %s, want the number of its record", w.Body)
			}
		})
	}
}

func TestMemoryIsBounded(t *testing.T) {
	c := newConsole(func(cfg *console.Config) { cfg.Capacity, cfg.DetailMemory = 10, 48<<10 })
	for i := range 25 {
		c.Add(gateway.Record{Path: fmt.Sprintf("/dev/r%d", i+1), Status: 200, Time: start,
			Detail: &gateway.Detail{ResponseBody: &gateway.Body{Text: strings.Repeat("x", 8<<10)}}})
	}
	all := decode[listed](t, ask(t, c, "GET", "http://localhost/api/requests", "")).Requests
	if len(all) != 10 || all[0].Path != "/dev/r25" || all[9].Path != "/dev/r16" {
		t.Fatalf("got %d requests, from %v to %v: want the ten latest, the newest first", len(all), all[0], all[len(all)-1])
	}
	type shown struct {
		Trimmed bool
		Record  gateway.Record
	}
	for number, want := range map[int]int{15: 404, 16: 200, 25: 200, 26: 404, 0: 404} {
		w := ask(t, c, "GET", fmt.Sprintf("http://localhost/api/requests/%d", number), "")
		if w.Code != want {
			t.Errorf("request %d: got %d, want %d", number, w.Code, want)
		}
	}
	// Each body is counted with three KiB for the rest of its record: four fit into forty-eight.
	for number, trimmed := range map[int]bool{16: true, 21: true, 22: false, 25: false} {
		got := decode[shown](t, ask(t, c, "GET", fmt.Sprintf("http://localhost/api/requests/%d", number), ""))
		if got.Trimmed != trimmed || (got.Record.Detail == nil) != trimmed || got.Record.Path != fmt.Sprintf("/dev/r%d", number) {
			t.Errorf("request %d: trimmed %v, detail %v, path %s", number, got.Trimmed, got.Record.Detail != nil, got.Record.Path)
		}
	}
}

// What is refused quotes the request at length, with or without a detail.
func TestMemoryOfRefusalsIsBounded(t *testing.T) {
	c := newConsole(func(cfg *console.Config) { cfg.Capacity, cfg.DetailMemory = 10, 70<<10 })
	long := strings.Repeat("é", 10<<10)
	for i := range 10 {
		c.Add(gateway.Record{RequestID: fmt.Sprint("r", i), Path: "/dev/" + long, Status: 403, Time: start, CanonicalRequest: long, Why: "a reason", Message: long,
			Checks: []gateway.Check{{Name: "signature", Detail: long}}})
	}
	// One takes about 80 KiB, and the newest is kept whatever it takes.
	for number, trimmed := range map[int]bool{1: true, 9: true, 10: false} {
		got := decode[struct {
			Trimmed bool
			Record  gateway.Record
		}](t, ask(t, c, "GET", fmt.Sprintf("http://localhost/api/requests/%d", number), ""))
		r, most := got.Record, 310
		if got.Trimmed != trimmed || r.Why != "a reason" || r.RequestID != fmt.Sprint("r", number-1) || len(r.Checks) != 1 {
			t.Errorf("request %d: trimmed %v, why %q, id %s, %d checks", number, got.Trimmed, r.Why, r.RequestID, len(r.Checks))
		}
		if short := len(r.Path) < most && len(r.Message) < most && len(r.Checks[0].Detail) < most && r.CanonicalRequest == ""; short != trimmed {
			t.Errorf("request %d: path of %d bytes, message of %d, check of %d, canonical request of %d", number, len(r.Path), len(r.Message), len(r.Checks[0].Detail), len(r.CanonicalRequest))
		}
		if !utf8.ValidString(r.Path) {
			t.Errorf("request %d: its path was cut within a character", number)
		}
	}
}

func TestVerdictAndIdentity(t *testing.T) {
	ok, bad := gateway.Check{Name: "function", OK: true}, gateway.Check{Name: "authorization"}
	tests := map[string]struct {
		record   gateway.Record
		verdict  console.Verdict
		identity string
		unproven bool
	}{
		"let in":                 {gateway.Record{Name: "reader", Status: 200, Checks: []gateway.Check{ok}}, console.LetIn, "reader", false},
		"the function's own 404": {gateway.Record{Name: "reader", Status: 404, Checks: []gateway.Check{ok}}, console.LetIn, "reader", false},
		"the function's own 500": {gateway.Record{Name: "reader", Status: 500, Checks: []gateway.Check{ok}}, console.Failed, "reader", false},
		"refused":                {gateway.Record{Name: "reader", Status: 403, Checks: []gateway.Check{bad}}, console.Refused, "reader", false},
		"throttled":              {gateway.Record{Name: "reader", Status: 429, Checks: []gateway.Check{bad}}, console.Throttled, "reader", false},
		"the gateway's own 502":  {gateway.Record{Status: 502, Checks: []gateway.Check{bad}}, console.Failed, "unsigned", false},
		"claimed":                {gateway.Record{Claimed: "reader", AccessKeyID: "ASIA", Status: 403, Checks: []gateway.Check{bad}}, console.Refused, "reader", true},
		"signed by nobody known": {gateway.Record{Status: 403, Checks: []gateway.Check{bad}, Detail: &gateway.Detail{RequestHeader: http.Header{"Authorization": {"AWS4-…"}}}},
			console.Refused, "unknown", true},
		"of an older log": {gateway.Record{Identity: "arn:aws:sts::123456789012:assumed-role/r/session", Status: 200, Checks: []gateway.Check{ok}},
			console.LetIn, "session", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			c := newConsole(nil)
			c.Add(tt.record)
			got := decode[listed](t, ask(t, c, "GET", "http://localhost/api/requests", "")).Requests[0]
			if got.Verdict != tt.verdict || got.Identity != tt.identity || got.Unproven != tt.unproven {
				t.Errorf("got %s by %s, unproven %v", got.Verdict, got.Identity, got.Unproven)
			}
		})
	}
}

func TestDocumentsAreServedBesideThePage(t *testing.T) {
	c := newConsole(func(cfg *console.Config) {
		cfg.Documents = map[string][]byte{"/openapi.yaml": []byte("openapi: 3.1.0\n<script>")}
	})
	run := decode[struct{ Documents []string }](t, ask(t, c, "GET", "http://localhost/api/run", ""))
	if len(run.Documents) != 1 || run.Documents[0] != "/openapi.yaml" {
		t.Errorf("got documents %v", run.Documents)
	}
	w := ask(t, c, "GET", "http://localhost/openapi.yaml", "")
	if w.Code != http.StatusOK || w.Body.String() != "openapi: 3.1.0\n<script>" || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("got %d %v %s, want the document as plain text", w.Code, w.Header(), w.Body)
	}
	if got := ask(t, c, "GET", "http://evil.example/openapi.yaml", "").Code; got != http.StatusForbidden {
		t.Errorf("for a foreign name: got %d, want 403", got)
	}
}

// What the caller signed is added to the record of the request, unless its signature has proven it already.
func TestTryAddsWhatWasSigned(t *testing.T) {
	for name, tt := range map[string]struct {
		known *gateway.Mismatch
		want  string
	}{
		"not known": {&gateway.Mismatch{}, "from the caller"},
		"known":     {&gateway.Mismatch{Client: "proven"}, "proven"},
	} {
		t.Run(name, func(t *testing.T) {
			f := &trier{outcome: &console.Outcome{RequestID: "one", Mismatch: &gateway.Mismatch{Client: "from the caller"}}}
			c := newConsole(func(cfg *console.Config) { cfg.Trier = f })
			c.Add(gateway.Record{RequestID: "one", Status: 403, Time: start, Detail: &gateway.Detail{Mismatch: tt.known}})
			ask(t, c, "POST", "http://localhost/api/try", `{}`, "X-Marquee-Token", "run1")
			got := decode[struct{ Record gateway.Record }](t, ask(t, c, "GET", "http://localhost/api/requests/1", ""))
			if got.Record.Detail.Mismatch.Client != tt.want {
				t.Errorf("got %q, want %q", got.Record.Detail.Mismatch.Client, tt.want)
			}
		})
	}
}
