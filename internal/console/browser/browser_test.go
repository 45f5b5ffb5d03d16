package browser_test

import (
	"context"
	"fmt"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/marquee-api/marquee/internal/browsertest"
	"github.com/marquee-api/marquee/internal/console"
	"github.com/marquee-api/marquee/internal/gateway"
)

var (
	desktop = browsertest.Screen{Width: 1280, Height: 800}
	dark    = browsertest.Screen{Width: 1280, Height: 800, Dark: true}
	phone   = browsertest.Screen{Width: 390, Height: 844, Touch: true}
)

// site is a console behind a real listener.
type site struct {
	*console.Console
	server *httptest.Server
	trier  *trier
}

func (s *site) url(hash string) string { return s.server.URL + "/" + hash }

// open opens a view in a new tab, and fails at the test's end if the page complained or asked anybody else.
func (s *site) open(t *testing.T, b *browsertest.Browser, hash string, screen browsertest.Screen) *browsertest.Page {
	t.Helper()
	p := b.Open(t, s.url(hash), screen)
	t.Cleanup(func() {
		if problems := p.Problems(); len(problems) > 0 {
			t.Errorf("the page complains: %s", strings.Join(problems, "\n"))
		}
		if got := p.Origins(); !slices.Equal(got, []string{s.server.URL}) {
			t.Errorf("the page asked %v, want its own server and nobody else", got)
		}
	})
	return p
}

// newSite is a running stack's console with one request of each kind.
func newSite(t *testing.T) *site {
	t.Helper()
	s := &site{trier: &trier{outcome: &console.Outcome{RequestID: "request-1", Status: 200, Body: &gateway.Body{Text: list, Bytes: len(list)}}}}
	s.Console = newConsole(func(cfg *console.Config) {
		cfg.Trier, cfg.Matrix = s.trier, fixedMatrix{}
		cfg.Run = console.Run{
			Region:  "ap-northeast-2",
			Doors:   []console.Door{{Name: "vpce", Label: "the VPC endpoint", URL: "http://127.0.0.1:8080"}, {Name: "public", Label: "the public internet", URL: "http://127.0.0.1:8082"}},
			Callers: []console.Caller{{Name: "reader", ARN: "arn:aws:sts::123456789012:assumed-role/r/reader"}, {Name: "stranger", ARN: "arn:aws:sts::123456789012:assumed-role/s/stranger"}},
			Faults:  []console.Fault{{Name: "", Label: "nothing"}, {Name: "stale", Label: "the clock is ten minutes behind"}},
			APIs: []console.API{{ID: "a1b2c3d4e5", Stage: "dev", Private: true, Routes: []console.Route{
				{Method: "GET", Path: "/movie_list"}, {Method: "PUT", Path: "/movie_list/{year}/{title}"}}}},
		}
	})
	s.serve(t)
	for _, r := range sampleRecords(time.Now()) {
		s.Add(r)
	}
	return s
}

func (s *site) serve(t *testing.T) {
	s.server = httptest.NewServer(s.Handler())
	t.Cleanup(s.server.Close)
	t.Cleanup(s.Close)
}

const list = `{"Items":[{"year":1999,"title":"The Matrix","info":{"rating":8.7,"genres":["Action"],"plot":"A programmer wakes up.","directors":["Lana Wachowski"],"running_time_secs":8160}}],"Count":1,"NextToken":"second"}`

// fixedMatrix is a matrix as `marquee check --who --format json` has it.
type fixedMatrix struct{}

func (fixedMatrix) Matrix(context.Context) (any, error) {
	cell := func(identity, door, outcome, reason string) map[string]any {
		return map[string]any{"api": "Api", "stage": "dev", "route": "GET /movie_list", "method": "GET", "path": "/movie_list", "identity": identity, "door": door,
			"outcome": outcome, "check": "authorization", "policy": "identity", "reason": reason, "by": map[string]any{"document": 0, "statement": 0, "sid": "List"}}
	}
	return map[string]any{
		"apis":       []any{map[string]any{"logical_id": "Api", "id": "a1b2c3d4e5", "stage": "dev", "type": "PRIVATE"}},
		"identities": []any{map[string]any{"name": "reader", "kind": "sample", "arn": "arn:reader"}, map[string]any{"name": "stranger", "kind": "sample", "arn": "arn:stranger"}},
		"doors":      []any{map[string]any{"name": "vpce", "vpc_endpoint_id": "vpce-0"}, map[string]any{"name": "public"}, map[string]any{"name": "other"}},
		"cells": []any{cell("reader", "vpce", "allow", "allowed by statement 1 (List)"), cell("stranger", "vpce", "implicit_deny", "nothing allows it"),
			cell("reader", "public", "explicit_deny", "denied by statement 1"), cell("reader", "other", "fails", "nothing permits it"), cell("stranger", "public", "refused", "private, reached through an endpoint only")},
	}, nil
}

// The numbers of the sample records.
const (
	letIn = iota + 1
	denied
	mismatched
	throttled
	crashed
	anonymous
)

const fenceText = `{"Version":"2012-10-17","Statement":[{"Sid":"Account","Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"*"},` +
	`{"Sid":"Fence","Effect":"Deny","Principal":"*","Action":"execute-api:Invoke","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpce":"vpce-0"}}}]}`

const canonical = "GET\n/dev/movie_list\nlimit=2&year=1999\nhost:127.0.0.1:8080\nx-amz-date:20260304T050607Z\n\nhost;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

func sampleRecords(now time.Time) []gateway.Record {
	reader := gateway.Record{Door: "vpce", Method: "GET", Host: "127.0.0.1:8080", Path: "/dev/movie_list", API: "a1b2c3d4e5", Status: 200, Duration: 4 * time.Millisecond,
		Name: "reader", Identity: "arn:aws:sts::123456789012:assumed-role/r/reader", AccessKeyID: "ASIAEXAMPLE", Route: "GET /movie_list", Function: "list"}
	detail := func() *gateway.Detail {
		return &gateway.Detail{Target: "/dev/movie_list?year=1999&limit=2", SourceIP: "127.0.0.1", VPCEndpointID: "vpce-0", Resource: "arn:aws:execute-api:x",
			RequestHeader: map[string][]string{"Accept": {"*/*"}}, Context: map[string][]string{"aws:SourceVpce": {"vpce-0"}},
			Policies: []gateway.PolicyOpinion{
				{Kind: "resource-based policy", Decision: "explicit_deny", Statement: 1, Sid: "Fence", Decided: true, Document: []byte(fenceText)},
				{Kind: "identity-based policy", Number: 1, Decision: "implicit_deny", Statement: -1, Document: []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"s3:*","Resource":"*"}}`)}},
			Event: []byte(`{"httpMethod":"GET","path":"/movie_list"}`), EventBytes: 41, CanonicalRequest: canonical,
			ResponseHeader: map[string][]string{"Content-Type": {"application/json"}}, ResponseBody: &gateway.Body{Text: list, Bytes: len(list)}}
	}
	all := make([]gateway.Record, 6)
	for i := range all {
		all[i] = reader
		all[i].RequestID, all[i].Time, all[i].Detail = fmt.Sprintf("request-%d", i+1), now.Add(time.Duration(i-6)*time.Second), detail()
		all[i].Checks = passed("api", "signature", "endpoint policy", "authorization", "route", "function")
	}
	refuse := func(i, status int, check, why string, before ...string) {
		all[i-1].Status, all[i-1].Why, all[i-1].Message, all[i-1].ErrorType = status, why, why, "SomeException"
		all[i-1].Checks = append(passed(before...), gateway.Check{Name: check, Detail: why})
	}
	refuse(denied, 403, "authorization", "denied by statement 2 (Fence) of the resource-based policy", "api", "signature", "endpoint policy")
	refuse(mismatched, 403, "signature", "The request signature we calculated does not match", "api")
	all[mismatched-1].Name, all[mismatched-1].Identity, all[mismatched-1].Claimed = "", "", "reader"
	all[mismatched-1].CanonicalRequest, all[mismatched-1].StringToSign = canonical, "AWS4-HMAC-SHA256\n20260304T050607Z"
	all[mismatched-1].Detail.Mismatch = &gateway.Mismatch{Client: strings.Replace(canonical, "limit=2", "limit=3", 1),
		Differences: []gateway.Difference{{Part: "query", Name: "limit", Line: 3, Why: "the query that was sent is not the one that was signed"}}}
	refuse(throttled, 429, "throttle", "the method's limit", "api", "signature", "authorization", "route")
	refuse(crashed, 502, "function", "the process ended", "api", "signature", "authorization", "route")
	refuse(anonymous, 403, "signature", "Missing Authentication Token", "api")
	all[anonymous-1].Name, all[anonymous-1].Identity, all[anonymous-1].AccessKeyID = "", "", ""
	return all
}

// views are the addresses of every view, with what says that it is there.
var views = map[string]struct{ hash, ready string }{
	"requests":            {"#/requests", `document.querySelectorAll(".rows .row").length === 6`},
	"requests, none fits": {"#/requests?path=nothing", `document.body.innerText.includes("No request fits")`},
	"let in":              {"#/request/1", `document.querySelector("#step-function[aria-selected=true]")`},
	"its answer":          {"#/request/1?step=answer", `document.querySelector("#step-panel").innerText.includes("The Matrix")`},
	"its signature":       {"#/request/1?step=signature", `document.querySelectorAll(".lines li").length === 8`},
	"denied":              {"#/request/2", `document.querySelector(".statement.decided")`},
	"mismatch":            {"#/request/3", `document.querySelector(".sides")`},
	"throttled":           {"#/request/4", `document.querySelector("#step-throttle[aria-selected=true]")`},
	"matrix":              {"#/matrix", `document.querySelectorAll(".cell").length === 2`},
	"a call that fails":   {"#/matrix?door=other", `document.querySelector(".cell.is-fail")?.ariaLabel.endsWith("let in, but fails") && document.querySelector(".legend").innerText.includes("let in, but fails")`},
	"a reason":            {"#/matrix?door=vpce&cell=Api+GET+%2Fmovie_list+reader", `document.querySelector(".reason").innerText.includes("Allowed by statement 1 (List)")`},
	"try":                 {"#/try?method=PUT&path=/movie_list/1999/x&body={}", `document.querySelector("#try-body").value === "{}"`},
	"movies":              {"#/movies", `document.querySelector(".movie")`},
	"figures":             {"#/figures", `document.querySelectorAll("svg.plot").length === 3`},
}

func TestViewsAreAccessible(t *testing.T) {
	b, s := browsertest.Start(t), newSite(t)
	for theme, screen := range map[string]browsertest.Screen{"light": desktop, "dark": dark, "phone": phone} {
		p := s.open(t, b, "", screen)
		for name, view := range views {
			t.Run(theme+"/"+name, func(t *testing.T) {
				p.Visit(t, view.hash)
				p.Wait(t, view.ready)
				p.Accessible(t)
				if w := browsertest.Get[int](t, p, "document.documentElement.scrollWidth"); w > screen.Width {
					t.Errorf("the page is %d wide on a screen of %d", w, screen.Width)
				}
			})
		}
	}
}

func TestRequestThatIsGone(t *testing.T) {
	b, s := browsertest.Start(t), newSite(t)
	p := b.Open(t, s.url("#/request/99"), desktop) // its browser logs the 404
	p.Wait(t, `document.body.innerText.includes("No such request") && document.body.innerText.includes("keeps the latest 5000")`)
	p.Accessible(t)
}

func TestEmptyRunIsAccessible(t *testing.T) {
	b, s := browsertest.Start(t), &site{Console: newConsole(func(cfg *console.Config) { cfg.Run.Recorded = "requests.jsonl" })}
	s.serve(t)
	p := s.open(t, b, "", desktop)
	p.Wait(t, `document.body.innerText.includes("The log holds no request")`)
	p.Accessible(t)
	p.Visit(t, "#/figures")
	p.Wait(t, `document.body.innerText.includes("Nothing to count")`)
	p.Accessible(t)
	// What a recorded run cannot show is not offered.
	if got := browsertest.Get[[]string](t, p, `[...document.querySelectorAll("#nav a")].map(a => a.dataset.view)`); !slices.Equal(got, []string{"requests", "figures"}) {
		t.Errorf("got the views %v", got)
	}
	if got := browsertest.Get[string](t, p, `document.querySelector("#live").textContent`); got != "Recorded" {
		t.Errorf("got the state %q", got)
	}
}

// The way through the page that most people take, by keys alone.
func TestKeyboardAlone(t *testing.T) {
	b, s := browsertest.Start(t), newSite(t)
	p := s.open(t, b, "", desktop)
	p.Wait(t, `document.querySelectorAll(".rows .row").length === 6`)
	focused := func(selector string) {
		t.Helper()
		p.Wait(t, fmt.Sprintf("document.activeElement?.matches(%q)", selector))
	}
	for range 30 { // to the list
		p.Press(t, kb.Tab)
		if browsertest.Get[bool](t, p, `document.activeElement.matches(".rows .row")`) {
			break
		}
	}
	focused(`.row[data-n="6"]`)
	outline := browsertest.Get[string](t, p, `getComputedStyle(document.activeElement).outlineStyle + " " + getComputedStyle(document.activeElement).outlineWidth`)
	if outline != "solid 2px" {
		t.Errorf("the focus shows as %q", outline)
	}
	p.Press(t, kb.ArrowDown, "j", kb.ArrowUp, kb.End)
	focused(`.row[data-n="1"]`)
	p.Press(t, kb.Home, "j", "j", "j", kb.Enter)
	p.Wait(t, `location.hash === "#/request/3" && document.querySelector(".sides")`)
	p.Press(t, "j") // the older one
	p.Wait(t, `location.hash.startsWith("#/request/2") && document.querySelector(".statement.decided")`)
	p.Press(t, kb.Tab)
	for range 12 { // to the picture
		if browsertest.Get[bool](t, p, `document.activeElement.matches(".step")`) {
			break
		}
		p.Press(t, kb.Tab)
	}
	focused("#step-policies")
	p.Press(t, kb.ArrowLeft, kb.ArrowLeft)
	focused(`#step-signature[aria-selected="true"]`)
	p.Press(t, kb.End)
	focused(`#step-answer[aria-selected="true"]`)
	p.Press(t, kb.Escape)
	p.Wait(t, `location.hash.startsWith("#/requests")`)
	focused(`.row[data-n="3"]`) // where the reader was
	p.Press(t, "/")
	focused("#filter-path")
}
