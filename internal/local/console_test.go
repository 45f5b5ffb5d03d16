package local

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/marquee-api/marquee/internal/console"
	"github.com/marquee-api/marquee/internal/gateway"
)

// page asks the console of a stack as its page does.
type page struct {
	url   string
	token string
}

func openPage(t *testing.T, s *Stack) *page {
	t.Helper()
	p := &page{url: s.State().ConsoleURL}
	var run struct{ Token string }
	p.get(t, "api/run", &run)
	p.token = run.Token
	return p
}

func (p *page) get(t *testing.T, path string, out any) []byte {
	t.Helper()
	response, err := http.Get(p.url + path)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil || response.StatusCode != http.StatusOK {
		t.Fatalf("%s: got %d %s: %v", path, response.StatusCode, body, err)
	}
	if out != nil {
		if err := json.Unmarshal(body, out); err != nil {
			t.Fatalf("%s: %v", path, err)
		}
	}
	return body
}

// tried is the answer to an attempt.
type tried struct {
	Number uint64 `json:"n"`
	Status int
	Body   *gateway.Body
	Error  string
}

func (p *page) try(t *testing.T, a console.Attempt) (out tried, raw []byte) {
	t.Helper()
	body, err := json.Marshal(a)
	if err != nil {
		t.Fatal(err)
	}
	r, err := http.NewRequestWithContext(t.Context(), "POST", p.url+"api/try", bytes.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	r.Header.Set("X-Marquee-Token", p.token)
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	if raw, err = io.ReadAll(response.Body); err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(raw, &out); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return out, raw
}

// request is a record as the page gets it.
type request struct {
	Summary console.Summary
	Record  gateway.Record
	Way     []console.Step
	Copies  console.Copies
}

// A function that answers with its environment gives its own keys away, which no record and no page shows.
func TestSecurityKeysOfFunctionsAreShownNowhere(t *testing.T) {
	s := startEcho(t, "testdata/echo/template.yaml")
	var log bytes.Buffer
	write := recordWriter(&log, func(err error) { t.Error(err) })
	p := openPage(t, s)
	status, body := s.get(t, "reader", s.State().InvokeURL+"/env")
	if status != 200 {
		t.Fatalf("got %d %s", status, body)
	}
	var hidden []string
	for _, variable := range []string{"AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"} {
		_, value, ok := strings.Cut(body, variable+"=")
		value, _, _ = strings.Cut(value, `"`)
		if !ok || len(value) < 20 {
			t.Fatalf("the answer lacks %s: %s", variable, body)
		}
		hidden = append(hidden, value)
	}
	var raw json.RawMessage
	p.get(t, "api/requests/1", &raw)
	var r request
	if err := json.Unmarshal(raw, &r); err != nil {
		t.Fatal(err)
	}
	write(r.Record)
	for _, secret := range hidden {
		for where, text := range map[string]string{"the page": string(raw), "the log": log.String()} {
			if strings.Contains(text, secret) || !strings.Contains(text, "AWS_SECRET_ACCESS_KEY=[redacted]") {
				t.Errorf("%s holds %q, or not what it stands behind: %s", where, secret, text)
			}
		}
	}
}

// What goes wrong on purpose is refused in AWS's words ("Common errors" of the services; "Troubleshoot Signature Version 4
// errors" in the IAM User Guide), and the record shows at which step.
func TestTryFaults(t *testing.T) {
	p := openPage(t, startEcho(t, "testdata/echo/template.yaml"))
	tests := map[string]struct {
		fault, caller, door string
		status              int
		says, step          string
	}{
		"nothing":       {"", "reader", "vpce", 200, `"proxy":"a"`, ""},
		"unsigned":      {faultUnsigned, "reader", "vpce", 403, "Missing Authentication Token", "signature"},
		"as nobody":     {"", "", "vpce", 403, "Missing Authentication Token", "signature"},
		"stale":         {faultStale, "reader", "vpce", 403, "Signature expired", "signature"},
		"future":        {faultFuture, "reader", "vpce", 403, "Signature not yet current", "signature"},
		"byte":          {faultByte, "reader", "vpce", 403, "The request signature we calculated does not match", "signature"},
		"region":        {faultRegion, "reader", "vpce", 403, "Credential should be scoped to a valid region", "signature"},
		"service":       {faultService, "reader", "vpce", 403, "Credential should be scoped to correct service", "signature"},
		"secret":        {faultSecret, "reader", "vpce", 403, "The request signature we calculated does not match", "signature"},
		"token":         {faultToken, "reader", "vpce", 403, "The security token included in the request is invalid", "signature"},
		"another door":  {"", "reader", "other_vpce", 403, "with an explicit deny in a resource-based policy", "policies"},
		"the internet":  {"", "reader", "public", 403, "Forbidden", "door"},
		"expired token": {"", "expired", "vpce", 403, "The security token included in the request is expired", "signature"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, raw := p.try(t, console.Attempt{Caller: tt.caller, Door: tt.door, Stage: "live", Method: "GET", Path: "/a?b=c", Fault: tt.fault})
			if got.Status != tt.status || got.Body == nil || !strings.Contains(got.Body.Text, tt.says) {
				t.Fatalf("got %s, want %d with %s", raw, tt.status, tt.says)
			}
			var r request
			p.get(t, fmt.Sprintf("api/requests/%d", got.Number), &r)
			stopped := ""
			for _, step := range r.Way {
				if step.State == console.Stopped && step.ID != "answer" {
					stopped = step.ID
				}
			}
			if stopped != tt.step {
				t.Errorf("it stopped at %q, want %q: %+v", stopped, tt.step, r.Way)
			}
		})
	}
}

// The page shows what the caller signed beside what arrived: the query in one line, the body by its hash in the last.
func TestTryShowsBothSidesOfAMismatch(t *testing.T) {
	p := openPage(t, startEcho(t, "testdata/echo/template.yaml"))
	for name, tt := range map[string]struct {
		attempt console.Attempt
		line    int // from 0
		client  string
	}{
		"query": {console.Attempt{Method: "GET", Path: "/a?b=7", Fault: faultByte}, 2, "b=7"},
		"path":  {console.Attempt{Method: "GET", Path: "/a", Fault: faultByte}, 1, "/live/a"},
		"body":  {console.Attempt{Method: "POST", Path: "/a", Body: "body", Fault: faultByte}, 8, "230d8358dc8e8890b4c58deeb62912ee2f20357ae92a5cc861b98e68fe31acb5"}, // sha256sum of "body"
	} {
		t.Run(name, func(t *testing.T) {
			tt.attempt.Caller, tt.attempt.Door, tt.attempt.Stage = "reader", "vpce", "live"
			got, raw := p.try(t, tt.attempt)
			var r request
			p.get(t, fmt.Sprintf("api/requests/%d", got.Number), &r)
			if r.Record.Detail == nil || r.Record.Detail.Mismatch == nil {
				t.Fatalf("no mismatch in the record of %s", raw)
			}
			server, client := strings.Split(r.Record.CanonicalRequest, "\n"), strings.Split(r.Record.Detail.Mismatch.Client, "\n")
			if len(server) != len(client) || len(client) <= tt.line || client[tt.line] != tt.client || server[tt.line] == client[tt.line] {
				t.Fatalf("got\n%s\nand\n%s\nwant them to part in line %d, %s", r.Record.CanonicalRequest, r.Record.Detail.Mismatch.Client, tt.line+1, tt.client)
			}
			for i := range client {
				if i != tt.line && server[i] != client[i] {
					t.Errorf("line %d differs, too: %s and %s", i+1, server[i], client[i])
				}
			}
		})
	}
}

func TestTryRefusesWhatIsNotThere(t *testing.T) {
	p := openPage(t, startEcho(t, "testdata/echo/template.yaml"))
	for name, a := range map[string]console.Attempt{
		"door":                                   {Caller: "reader", Door: "http://evil.example", Path: "/a"},
		"identity":                               {Caller: "root", Door: "vpce", Path: "/a"},
		"fault":                                  {Caller: "reader", Door: "vpce", Path: "/a", Fault: "fire"},
		"fault, by nobody":                       {Door: "vpce", Path: "/a", Fault: "fire"},
		"fault of a signature that nobody makes": {Door: "vpce", Path: "/a", Fault: faultStale},
		"path":                                   {Caller: "reader", Door: "vpce", Path: "@evil.example/a"},
		"API key":                                {Caller: "reader", Door: "vpce", Path: "/a", APIKey: "gold"},
		"method":                                 {Caller: "reader", Door: "vpce", Path: "/a", Method: "GET /"},
	} {
		t.Run(name, func(t *testing.T) {
			want := "there is no " // what it is
			if a.Fault == faultStale {
				want = "wants a signature"
			} else if name == "path" || name == "method" {
				want = ""
			}
			if got, raw := p.try(t, a); got.Error == "" || !strings.Contains(got.Error, want) || got.Number != 0 {
				t.Errorf("got %s, want an error that says %q", raw, want)
			}
		})
	}
}

// No secret of the run leaves the console, whatever is asked of it: the secret keys and session tokens of every profile,
// those of the functions, and the signatures that were made.
func TestSecurityConsoleGivesAwayNoSecret(t *testing.T) {
	s := startEcho(t, "testdata/echo/template.yaml")
	p := openPage(t, s)
	var everything bytes.Buffer
	for _, profile := range s.ids.Profiles() {
		for _, fault := range faultChoices {
			for _, door := range []string{"vpce", "other_vpce", "public"} {
				// The function echoes its event: what it was sent comes back.
				_, raw := p.try(t, console.Attempt{Caller: profile.Profile, Door: door, Stage: "live", Method: "POST", Path: "/a?b=c", Body: "hello", Fault: fault.Name})
				everything.Write(raw)
			}
		}
		s.get(t, profile.Profile, s.State().InvokeURL+"/b")
		s.get(t, profile.Profile, s.State().InvokeURL+"/b?presigned="+url.QueryEscape(profile.SessionToken)) // where no token should be
	}
	var all struct{ Requests []console.Summary }
	everything.Write(p.get(t, "api/requests?limit=5000", &all))
	if len(all.Requests) < 100 {
		t.Fatalf("got %d requests: the test looked at nothing", len(all.Requests))
	}
	for _, r := range all.Requests {
		everything.Write(p.get(t, fmt.Sprintf("api/requests/%d", r.Number), nil))
	}
	for _, path := range []string{"", "main.js", "api/run", "api/figures?seconds=0", "api/matrix"} {
		everything.Write(p.get(t, path, nil))
	}
	everything.Write(p.stream(t))
	text := everything.Bytes()
	if !bytes.Contains(text, []byte("[redacted]")) || !bytes.Contains(text, []byte(s.ids.Profiles()[0].AccessKeyID)) {
		t.Error("nothing was redacted, or no key was named: the test looked at the wrong thing")
	}
	for _, profile := range s.ids.Profiles() {
		for _, secret := range []string{profile.SecretAccessKey, profile.SessionToken} {
			quoted, _ := json.Marshal(secret)
			for _, form := range []string{secret, url.QueryEscape(secret), url.PathEscape(secret), strings.Trim(string(quoted), `"`)} {
				if form == "" {
					continue
				}
				if at := bytes.Index(text, []byte(form)); at >= 0 {
					t.Fatalf("a secret of %s is given away: …%s…", profile.Profile, text[max(0, at-200):at])
				}
			}
		}
	}
}

// stream reads all events that are there.
func (p *page) stream(t *testing.T) []byte {
	t.Helper()
	response, err := http.Get(p.url + "api/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var all bytes.Buffer
	lines := bufio.NewReader(response.Body)
	for !bytes.Contains(all.Bytes(), []byte("event: current")) {
		line, err := lines.ReadBytes('\n')
		if err != nil {
			t.Fatal(err)
		}
		all.Write(line)
	}
	return all.Bytes()
}

// A page that is open does not hold up the end of the stack.
func TestOpenPageDoesNotHoldUpTheEnd(t *testing.T) {
	s, err := Start(t.Context(), Options{Template: "testdata/echo/template.yaml", State: filepath.Join(t.TempDir(), "local.json"), Out: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	response, err := http.Get(s.State().ConsoleURL + "api/stream")
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	start := time.Now()
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	if took := time.Since(start); took > closeTime/2 {
		t.Errorf("it took %v to close", took)
	}
}

// The console is on loopback alone, whatever --host adds to the doors.
func TestSecurityConsoleListensOnLoopbackAlone(t *testing.T) {
	s, err := Start(t.Context(), Options{Template: "testdata/echo/template.yaml", Host: "0.0.0.0", State: filepath.Join(t.TempDir(), "local.json"), Out: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	for i, door := range s.doors {
		for _, l := range door.listeners {
			if ip := l.Addr().(*net.TCPAddr).IP; ip.IsLoopback() != (i == doorConsole) {
				t.Errorf("door %d listens on %v", i, ip)
			}
		}
	}
}

// The commands that the page offers work when they are pasted, and are let in.
func TestCopiedCommandsAreLetIn(t *testing.T) {
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("no curl")
	}
	s := startEcho(t, "testdata/echo/template.yaml")
	p := openPage(t, s)
	got, raw := p.try(t, console.Attempt{Caller: "writer", Door: "vpce", Stage: "live", Method: "PUT", Path: "/a?b=c", Body: "it's", Header: map[string]string{"X-Test": "a b"}})
	if got.Status != 200 {
		t.Fatalf("got %s", raw)
	}
	var first request
	p.get(t, fmt.Sprintf("api/requests/%d", got.Number), &first)
	program := filepath.Join(t.TempDir(), "main.go")
	if err := writeFile(program, []byte(first.Copies.Go)); err != nil {
		t.Fatal(err)
	}
	for name, command := range map[string]string{"curl": first.Copies.Curl, "Go": "go run " + program} {
		t.Run(name, func(t *testing.T) {
			out, err := exec.CommandContext(t.Context(), "sh", "-c", command).CombinedOutput()
			if err != nil || !bytes.Contains(out, []byte(`"proxy":"a"`)) {
				t.Fatalf("%s\n%s: %v", command, out, err)
			}
			var all struct{ Requests []console.Summary }
			p.get(t, "api/requests?limit=1", &all)
			var again request
			p.get(t, fmt.Sprintf("api/requests/%d", all.Requests[0].Number), &again)
			if r := again.Record; r.Name != "writer" || r.Method != "PUT" || again.Summary.Path != first.Summary.Path || r.Detail.RequestBody.Text != "it's" || r.Detail.RequestHeader.Get("X-Test") != "a b" {
				t.Errorf("got %+v %+v", again.Summary, r.Detail)
			}
		})
	}
}
