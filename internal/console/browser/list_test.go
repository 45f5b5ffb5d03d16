package browser_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"sync/atomic"
	"testing"
	"time"

	"github.com/chromedp/chromedp/kb"

	"github.com/marquee-api/marquee/internal/browsertest"
	"github.com/marquee-api/marquee/internal/console"
	"github.com/marquee-api/marquee/internal/gateway"
)

// mostRows is what the page may hold of a list of any length: what a screen shows, eight rows above and below it, and the
// one that has the focus.
func mostRows(screen browsertest.Screen, height int) int { return screen.Height/height + 2*8 + 3 }

// many adds requests: each tenth is refused, the third names a path of its own.
func many(s *site, from, to int) {
	for i := from; i <= to; i++ {
		r := gateway.Record{Time: start.Add(time.Duration(i) * time.Second), RequestID: fmt.Sprint("r", i), Door: "vpce", Method: "GET", Path: fmt.Sprintf("/dev/item/%d", i),
			Name: []string{"reader", "writer"}[i%2], Identity: "arn", Status: 200, Duration: time.Millisecond, Checks: passed("function")}
		if i%10 == 0 {
			r.Status, r.Checks = 403, refusedAt("authorization")
		}
		s.Add(r)
	}
}

const rows = `document.querySelectorAll(".rows .row").length`

// The list stays light however long it is: what is bounded is the number of nodes, on which its speed depends.
func TestFiveThousandRequestsStayLight(t *testing.T) {
	b := browsertest.Start(t)
	for name, tt := range map[string]struct {
		screen browsertest.Screen
		height int
	}{"desktop": {desktop, 34}, "phone": {phone, 62}} {
		t.Run(name, func(t *testing.T) {
			s := &site{Console: newConsole(nil)}
			s.serve(t)
			many(s, 1, 5000)
			p := s.open(t, b, "", tt.screen)
			p.Wait(t, `document.querySelector("[role=grid]").getAttribute("aria-rowcount") === "5001"`)
			bound := mostRows(tt.screen, tt.height)
			check := func(when string) {
				t.Helper()
				if got := browsertest.Get[int](t, p, rows); got > bound || got < 10 {
					t.Errorf("%s: %d rows are in the page, want at most %d", when, got, bound)
				}
			}
			check("at the top")
			for _, place := range []int{50, 99, 13} { // per cent of the way
				browsertest.Get[bool](t, p, fmt.Sprintf(`(() => { const l = document.querySelector(".list-body"); l.scrollTop = l.scrollHeight * %d / 100; return true })()`, place))
				p.Wait(t, `(() => { const l = document.querySelector(".list-body").getBoundingClientRect(); const at = document.elementFromPoint(l.left + 30, l.top + l.height / 2); return at?.closest(".rows .row") })()`)
				check(fmt.Sprintf("%d %% down", place))
			}
			p.Visit(t, "#/requests?verdict=refused&identity=reader")
			p.Wait(t, `document.querySelector(".list-count").textContent === "500 of 5,000"`)
			check("filtered")
			p.Visit(t, "#/requests?path=item/4321")
			p.Wait(t, rows+` === 1 && document.querySelector(".rows .row").innerText.includes("/dev/item/4321")`)
			many(s, 5001, 5200) // the oldest go
			p.Visit(t, "#/requests")
			p.Wait(t, `document.querySelector(".list-count").textContent === "5,000 requests" && document.querySelector(".rows .row").innerText.includes("/dev/item/5200")`)
			check("with more")
		})
	}
}

func TestFilterIsInTheAddress(t *testing.T) {
	b, s := browsertest.Start(t), newSite(t)
	p := s.open(t, b, "#/requests?verdict=refused", desktop)
	p.Wait(t, rows+" === 3")
	p.Wait(t, `document.querySelector(".chip[data-verdict=refused]").getAttribute("aria-pressed") === "true"`)
	browsertest.Get[bool](t, p, `document.querySelector("#filter-path").focus(), true`)
	p.Press(t, "m", "o", "v")
	p.Wait(t, `location.hash === "#/requests?verdict=refused&path=mov"`)
	browsertest.Get[bool](t, p, `(() => { const s = document.querySelector("#filter-identity"); s.value = "reader"; s.dispatchEvent(new Event("change")); return true })()`)
	p.Wait(t, `location.hash === "#/requests?identity=reader&verdict=refused&path=mov" && `+rows+" === 2") // one of them says so only
	p.Press(t, kb.Escape)
	p.Wait(t, `location.hash === "#/requests?identity=reader&verdict=refused"`)
	// The neighbours of a request are those of the filtered list.
	browsertest.Get[bool](t, p, `document.querySelector(".row[data-n='3'] a").click(), true`)
	p.Wait(t, `document.querySelector(".sides")`)
	p.Press(t, "k")
	p.Press(t, "j")
	p.Wait(t, `location.hash.startsWith("#/request/2?identity=reader&verdict=refused")`)
}

// Who reads further down keeps the place when more comes, and hears of it.
func TestNewRequestsPushNothingAway(t *testing.T) {
	b, s := browsertest.Start(t), &site{Console: newConsole(nil)}
	s.serve(t)
	many(s, 1, 300)
	p := s.open(t, b, "", desktop)
	p.Wait(t, `document.querySelector(".list-count").textContent === "300 requests"`)
	browsertest.Get[bool](t, p, `document.querySelector(".list-body").scrollTop = 34 * 100, true`)
	const place = `(() => { const l = document.querySelector(".list-body").getBoundingClientRect(); return document.elementFromPoint(l.left + 30, l.top + 100)?.closest(".rows .row")?.dataset.n ?? "" })()`
	p.Wait(t, place+` !== ""`)
	before := browsertest.Get[string](t, p, place)
	many(s, 301, 312)
	p.Wait(t, `document.querySelector(".fresh").textContent === "12 new"`)
	if after := browsertest.Get[string](t, p, place); after != before {
		t.Errorf("the reader was at request %s, and is at %s", before, after)
	}
	browsertest.Get[bool](t, p, `document.querySelector(".fresh").click(), true`)
	p.Wait(t, `document.querySelector(".fresh").hidden && document.activeElement.dataset.n === "312"`)
}

// A page that was cut off comes back for what it missed; one that sees another run begins anew.
func TestPageGoesOnAfterACut(t *testing.T) {
	b := browsertest.Start(t)
	first := &site{Console: newConsole(nil)}
	var current atomic.Pointer[console.Console]
	current.Store(first.Console)
	first.server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { current.Load().Handler().ServeHTTP(w, r) }))
	t.Cleanup(first.server.Close)
	many(first, 1, 3)
	p := b.Open(t, first.url(""), desktop) // its browser logs the cut
	p.Wait(t, rows+" === 3")
	first.server.CloseClientConnections()
	many(first, 4, 5)
	p.Wait(t, rows+` === 5 && document.querySelector("#live").dataset.state === "live"`)
	second := &site{Console: console.New(console.Config{Random: func() string { return "another" }, Now: time.Now})}
	t.Cleanup(second.Close)
	many(second, 7, 7)
	current.Store(second.Console)
	first.Close() // ends its streams
	p.Wait(t, rows+` === 1 && document.querySelector(".rows .row").innerText.includes("/dev/item/7")`)
}
