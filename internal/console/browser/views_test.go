package browser_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"
	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/browsertest"
	"github.com/marquee-api/marquee/internal/console"
	"github.com/marquee-api/marquee/internal/gateway"
)

const background = `getComputedStyle(document.body).backgroundColor`

func TestThemeFollowsTheMachineUntilItIsChosen(t *testing.T) {
	b, s := browsertest.Start(t), newSite(t)
	light := browsertest.Get[string](t, s.open(t, b, "", desktop), background)
	p := s.open(t, b, "", dark)
	night := browsertest.Get[string](t, p, background)
	if light == night {
		t.Fatalf("both themes have the background %s", light)
	}
	press := func(want string) {
		t.Helper()
		browsertest.Get[bool](t, p, `document.querySelector("#theme").click(), true`)
		p.Wait(t, fmt.Sprintf(`document.querySelector("#theme").getAttribute("aria-label") === "Theme: %s"`, want))
	}
	p.Wait(t, `document.querySelector("#theme").getAttribute("aria-label") === "Theme: system"`)
	press("light")
	if got := browsertest.Get[string](t, p, background); got != light {
		t.Errorf("the light theme on a dark machine is %s, want %s", got, light)
	}
	again := s.open(t, b, "", dark)
	if got := browsertest.Get[string](t, again, background); got != light {
		t.Errorf("after a reload the background is %s, want %s", got, light)
	}
	press("dark")
	press("system")
	if got := browsertest.Get[string](t, p, background); got != night {
		t.Errorf("the machine's theme is %s, want %s", got, night)
	}
}

// The first line on which two canonical requests part is marked on both sides, and the byte in it.
func TestMismatchMarksTheFirstDifference(t *testing.T) {
	b, s := browsertest.Start(t), newSite(t)
	p := s.open(t, b, "#/request/3", desktop)
	p.Wait(t, `document.querySelector(".sides")`)
	got := browsertest.Get[[]string](t, p, `[...document.querySelectorAll(".side")].map(side => [...side.querySelectorAll("li")].findIndex(li => li.className === "differs") + ":" + side.querySelector("mark").textContent)`)
	if diff := cmp.Diff([]string{"2:2", "2:3"}, got); diff != "" {
		t.Errorf("the place and the byte of each side (-want +got):\n%s", diff)
	}
}

func TestDenialMarksTheDecidingStatement(t *testing.T) {
	b, s := browsertest.Start(t), newSite(t)
	p := s.open(t, b, "#/request/2", desktop)
	p.Wait(t, `document.querySelector(".statement.decided")`)
	got := browsertest.Get[[]string](t, p, `[...document.querySelectorAll(".statement.decided")].map(s => s.querySelector(".flag").textContent + ": " + JSON.parse(s.querySelector("pre").textContent).Sid)`)
	if diff := cmp.Diff([]string{"this statement decided: Fence"}, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	states := browsertest.Get[string](t, p, `[...document.querySelectorAll(".step")].map(s => s.dataset.state).join(",")`)
	if want := "passed,passed,passed,passed,refused,not reached,not reached,not reached,refused"; states != want {
		t.Errorf("got the states %s, want %s", states, want)
	}
}

// Whatever a request holds is text in the page.
func TestSecurityRequestsAreText(t *testing.T) {
	const evil = `</pre><script>window.broken=1</script><img src=x onerror="window.broken=1">`
	b, s := browsertest.Start(t), newSite(t)
	s.Add(gateway.Record{Time: time.Now(), Method: "GET", Path: "/dev/" + evil, Name: evil, Identity: evil, Door: evil, Host: evil, Status: 403, Why: evil, Message: evil,
		CanonicalRequest: evil, Checks: []gateway.Check{{Name: "signature", Detail: evil}}, Detail: &gateway.Detail{Target: evil, Mismatch: &gateway.Mismatch{
			Client: evil + "\n" + evil, Differences: []gateway.Difference{{Part: evil, Why: evil}}}, ResponseBody: &gateway.Body{Text: evil},
			RequestHeader: map[string][]string{evil: {evil}}}})
	p := s.open(t, b, "", desktop)
	p.Wait(t, rows+" === 7")
	p.Visit(t, "#/request/7")
	p.Wait(t, `document.querySelector(".sides")`)
	for _, step := range []string{"client", "door", "answer"} {
		p.Visit(t, "#/request/7?step="+step)
		p.Wait(t, fmt.Sprintf(`document.querySelector("#step-%s[aria-selected=true]")`, step))
	}
	if browsertest.Get[bool](t, p, `window.broken !== undefined || document.querySelector("main img, main script") !== null`) {
		t.Error("a request's text became part of the page")
	}
}

func TestCopyButtons(t *testing.T) {
	b, s := browsertest.Start(t), newSite(t)
	want := s.copiesOf(t, 1)
	p := s.open(t, b, "#/request/1", desktop)
	p.Wait(t, `document.querySelector(".way")`)
	// A browser without a window has no clipboard to read.
	browsertest.Get[bool](t, p, `(() => { window.copied = []; navigator.clipboard.writeText = async (text) => { window.copied.push(text) }; return true })()`)
	browsertest.Get[bool](t, p, `[...document.querySelectorAll("[aria-label='Send it again'] button")].forEach(b => b.click()), true`)
	p.Wait(t, `window.copied.length === 3 && document.querySelector(".toast[role=status]")`)
	if diff := cmp.Diff([]string{want.Call, want.Curl, want.Go}, browsertest.Get[[]string](t, p, "window.copied")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestTryAsksTheServerToSign(t *testing.T) {
	b, s := browsertest.Start(t), newSite(t)
	p := s.open(t, b, "#/try?caller=stranger&door=public&method=PUT&path=/movie_list/1999/x&body={\"a\":1}&fault=stale", desktop)
	p.Wait(t, `document.querySelector("#try-body")?.value === '{"a":1}'`)
	browsertest.Get[bool](t, p, `document.querySelector("#try-headers").value = "If-Match: *", document.querySelector(".try-form").requestSubmit(), true`)
	p.Wait(t, `document.querySelector(".try-result").innerText.includes("Answered 200")`)
	want := console.Attempt{Caller: "stranger", Door: "public", Stage: "dev", Method: "PUT", Path: "/movie_list/1999/x", Body: `{"a":1}`, Fault: "stale",
		Header: map[string]string{"If-Match": "*", "Content-Type": "application/json"}}
	if diff := cmp.Diff(want, s.trier.asked); diff != "" {
		t.Errorf("the attempt (-want +got):\n%s", diff)
	}
	browsertest.Get[bool](t, p, `document.querySelector(".try-result a").click(), true`)
	p.Wait(t, `location.hash === "#/request/1" && document.querySelector(".way")`)
}

func TestMoviesAreBrowsed(t *testing.T) {
	b, s := browsertest.Start(t), newSite(t)
	p := s.open(t, b, "#/movies?genre=Science Fiction", desktop)
	asked := func(want string) {
		t.Helper()
		if got := s.trier.asked; got.Caller != "reader" || got.Door != "vpce" || got.Method != "GET" || got.Path != want {
			t.Errorf("got %+v, want %s by the reader", got, want)
		}
	}
	p.Wait(t, `document.querySelector(".movie h2")?.textContent === "The Matrix"`)
	asked("/movie_list?genre=Science%20Fiction&limit=24")
	next := `[...document.querySelectorAll(".pages button")]`
	browsertest.Get[bool](t, p, next+`[1].click(), true`)
	p.Wait(t, `document.querySelector(".pages").innerText.includes("Page 2")`)
	asked("/movie_list?genre=Science%20Fiction&limit=24&next=second")
	browsertest.Get[bool](t, p, next+`[0].click(), true`)
	p.Wait(t, `document.querySelector(".pages").innerText.includes("Page 1")`)
	asked("/movie_list?genre=Science%20Fiction&limit=24")
	refusal := `{"error":{"code":"invalid_parameter","message":"title_prefix does not go with min_rating"}}`
	s.trier.outcome = &console.Outcome{RequestID: "request-2", Status: 400, Body: &gateway.Body{Text: refusal, Bytes: len(refusal)}}
	browsertest.Get[bool](t, p, `document.querySelector("#movie-min_rating").value = "8", document.querySelector(".movie-filters").requestSubmit(), true`)
	p.Wait(t, `document.querySelector(".movies-state").innerText.includes("title_prefix does not go with min_rating") && !document.querySelector(".movie")`)
	if got := browsertest.Get[string](t, p, `location.hash`); !strings.Contains(got, "min_rating=8") {
		t.Errorf("got the address %s", got)
	}
}

func TestMatrixSaysWhy(t *testing.T) {
	b, s := browsertest.Start(t), newSite(t)
	p := s.open(t, b, "#/matrix", desktop)
	p.Wait(t, `document.querySelectorAll(".cell").length === 2`)
	labels := func() []string {
		return browsertest.Get[[]string](t, p, `[...document.querySelectorAll(".cell")].map(c => c.getAttribute("aria-label"))`)
	}
	if diff := cmp.Diff([]string{"reader, GET /movie_list: let in", "stranger, GET /movie_list: not allowed"}, labels()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	browsertest.Get[bool](t, p, `document.querySelectorAll("[role=radio]")[1].click(), true`)
	if diff := cmp.Diff([]string{"reader, GET /movie_list: denied", "stranger, GET /movie_list: refused"}, labels()); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	browsertest.Get[bool](t, p, `document.querySelectorAll(".cell")[0].focus(), true`)
	p.Press(t, kb.ArrowRight, kb.ArrowRight, kb.ArrowDown, kb.Enter) // there is no third, and no second row
	p.Wait(t, `document.querySelector(".reason").innerText.includes("reached through an endpoint only") && location.hash.includes("door=public")`)
	browsertest.Get[bool](t, p, `document.querySelector(".reason a").click(), true`)
	p.Wait(t, `document.querySelector("#try-caller")?.value === "stranger" && document.querySelector("#try-door").value === "public"`)
}

// The plots' tables hold what the plots show.
func TestFiguresAsTables(t *testing.T) {
	b, s := browsertest.Start(t), newSite(t)
	p := s.open(t, b, "#/figures?seconds=60", desktop)
	p.Wait(t, `document.querySelectorAll("svg.plot").length === 3`)
	type sums struct{ LetIn, Refused, Throttled, Failed int }
	got := browsertest.Get[sums](t, p, `(() => {
		const table = document.querySelectorAll(".plot-table table")[2];
		const sum = (i) => [...table.tBodies[0].rows].reduce((n, row) => n + Number(row.cells[i].textContent), 0);
		return {LetIn: sum(1), Refused: sum(2), Throttled: sum(3), Failed: sum(4)};
	})()`)
	if want := (sums{1, 3, 1, 1}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if named := browsertest.Get[int](t, p, `[...document.querySelectorAll("svg.plot")].filter(s => s.querySelector("title").textContent && s.querySelector("desc").textContent).length`); named != 3 {
		t.Errorf("%d plots have a title and a description, want 3", named)
	}
}
