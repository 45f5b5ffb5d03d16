package local

import (
	"slices"
	"testing"

	"github.com/marquee-api/marquee/internal/browsertest"
)

// The page of a stack that runs: a call of any client appears by itself, and one that is tried wrongly leads to both sides
// of its signature.
func TestConsoleInABrowser(t *testing.T) {
	b, s := browsertest.Start(t), startEcho(t, "testdata/echo/template.yaml")
	p := b.Open(t, s.State().ConsoleURL, browsertest.Screen{Width: 1280, Height: 800})
	p.Wait(t, `document.body.innerText.includes("No request yet")`)
	views := browsertest.Get[[]string](t, p, `[...document.querySelectorAll("#nav a")].map(a => a.dataset.view)`)
	if want := []string{"requests", "matrix", "try", "figures"}; !slices.Equal(views, want) { // it has no list of movies
		t.Errorf("got the views %v, want %v", views, want)
	}
	s.get(t, "reader", s.State().InvokeURL+"/a/b?c=d")
	p.Wait(t, `document.querySelector(".rows .row")?.innerText.includes("/live/a/b?c=d")`)
	s.get(t, "", s.State().Endpoints.Public.URL+"/open/health")
	p.Wait(t, `document.querySelectorAll(".rows .row").length === 2 && document.querySelector(".rows .row").innerText.includes("unsigned")`)

	p.Visit(t, "#/try?caller=stranger&door=vpce&stage=live&method=GET&path=/x?year=1999&fault=byte")
	p.Wait(t, `document.querySelector("#try-fault")?.value === "byte"`)
	browsertest.Get[bool](t, p, `document.querySelector(".try-form").requestSubmit(), true`)
	p.Wait(t, `document.querySelector(".try-result").innerText.includes("Answered 403")`)
	browsertest.Get[bool](t, p, `document.querySelector(".try-result a").click(), true`)
	p.Wait(t, `document.querySelectorAll(".side mark").length === 2`)
	if got := browsertest.Get[string](t, p, `[...document.querySelectorAll(".side mark")].map(m => m.textContent).join()`); got != "0,9" {
		t.Errorf("got the bytes %s, want what was changed to 0 and was signed as 9", got)
	}

	p.Visit(t, "#/matrix")
	p.Wait(t, `document.querySelectorAll(".cell").length > 10`)
	p.Accessible(t)
	p.Visit(t, "#/figures")
	p.Wait(t, `document.querySelectorAll("svg.plot").length === 3`)
	if problems := p.Problems(); len(problems) > 0 {
		t.Errorf("the page complains: %v", problems)
	}
}
