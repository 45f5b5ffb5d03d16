// Package browsertest drives a real browser in tests: what a page shows, by which keys it is used, what it complains
// about and whom it talks to.
//
// The browser is the one of MARQUEE_BROWSER, or a Chromium on the path. A test skips where there is none, and fails if
// MARQUEE_REQUIRE contains "browser". The package knows no page of this project.
package browsertest

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/page"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// stepTime bounds each step that a page is asked to take.
const stepTime = 30 * time.Second

// Browser is a running browser.
type Browser struct{ ctx context.Context }

// Start starts a browser that ends with the test.
func Start(tb testing.TB) *Browser {
	tb.Helper()
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(path(tb)),
		chromedp.UserDataDir(tb.TempDir()),
		chromedp.NoSandbox,                              // which a container's root has no use for
		chromedp.Flag("disable-dev-shm-usage", true),    // small in containers
		chromedp.Flag("lang", "en-GB"),                  // times and numbers look alike on every machine
		chromedp.Flag("font-render-hinting", "none"),    // and so do letters
		chromedp.Flag("disable-component-update", true), // it talks to nobody of its own accord
		chromedp.WSURLReadTimeout(2*time.Minute),        // a machine with much to do
	)
	allocator, cancel := chromedp.NewExecAllocator(context.Background(), options...)
	tb.Cleanup(cancel)
	ctx, stop := chromedp.NewContext(allocator)
	tb.Cleanup(stop)
	if err := chromedp.Do(ctx); err != nil {
		tb.Fatalf("the browser does not start: %v", err)
	}
	return &Browser{ctx}
}

func path(tb testing.TB) string {
	tb.Helper()
	names := []string{"chromium", "chromium-browser", "google-chrome", "chrome"}
	if named := os.Getenv("MARQUEE_BROWSER"); named != "" {
		names = []string{named}
	}
	for _, name := range names {
		if found, err := exec.LookPath(name); err == nil {
			return found
		}
	}
	message := fmt.Sprintf("no browser: none of %v is on the path (MARQUEE_BROWSER names another)", names)
	if slices.Contains(strings.Split(os.Getenv("MARQUEE_REQUIRE"), ","), "browser") {
		tb.Fatal(message + ", and MARQUEE_REQUIRE asks for one")
	}
	tb.Skip(message)
	return ""
}

// Screen is how large a page is and which theme the reader's machine has.
type Screen struct {
	Width, Height int
	Dark, Touch   bool
}

// Page is a tab of the browser.
type Page struct {
	ctx   context.Context
	close func()

	mu       sync.Mutex
	problems []string
	hosts    map[string]bool
}

// Open opens a page and waits until it has loaded.
func (b *Browser) Open(tb testing.TB, address string, screen Screen) *Page {
	tb.Helper()
	ctx, cancel := chromedp.NewContext(b.ctx)
	tb.Cleanup(cancel)
	p := &Page{ctx: ctx, close: cancel, hosts: map[string]bool{}}
	theme := "light"
	if screen.Dark {
		theme = "dark"
	}
	metrics := emulation.SetDeviceMetricsOverrideParams{Width: int64(screen.Width), Height: int64(screen.Height), DeviceScaleFactor: 1, Mobile: screen.Touch}
	media := emulation.SetEmulatedMediaParams{Features: []*emulation.MediaFeature{
		{Name: "prefers-color-scheme", Value: theme}, {Name: "prefers-reduced-motion", Value: "reduce"}}}
	err := chromedp.Listen(ctx, p.note) // before anything happens that it should hear of
	ctx, stop := context.WithTimeout(ctx, stepTime)
	defer stop()
	err = errors.Join(err,
		send(ctx, network.Enable, network.EnableParams{}),
		send(ctx, emulation.SetDeviceMetricsOverride, metrics),
		send(ctx, emulation.SetEmulatedMedia, media),
		chromedp.Do(ctx, chromedp.Navigate(address)),
	)
	if err != nil {
		tb.Fatalf("opening %s: %v", address, err)
	}
	return p
}

func send[P, R any](ctx context.Context, command cdp.Command[P, R], params P) error {
	_, err := chromedp.Call(ctx, command, params)
	return err
}

// Close closes the tab. A browser has six connections for a server, and each page with a stream holds one.
func (p *Page) Close() { p.close() }

// note keeps what the page complains about and whom it asks.
func (p *Page) note(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch event := event.(type) {
	case *runtime.EventConsoleAPICalled:
		if event.Type == runtime.ConsoleAPICalledTypeError || event.Type == runtime.ConsoleAPICalledTypeWarning {
			var text []string
			for _, arg := range event.Args {
				text = append(text, fmt.Sprint(arg.Value, " ", arg.Description))
			}
			p.problems = append(p.problems, "console: "+strings.Join(text, " "))
		}
	case *runtime.EventExceptionThrown:
		p.problems = append(p.problems, fmt.Sprint("exception: ", event.ExceptionDetails.Text, event.ExceptionDetails.Exception))
	case *log.EventEntryAdded:
		if event.Entry.Level == log.EntryLevelError || event.Entry.Level == log.EntryLevelWarning {
			p.problems = append(p.problems, "log: "+event.Entry.Text+" "+event.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		if u, err := url.Parse(event.Request.URL); err == nil {
			p.hosts[u.Scheme+"://"+u.Host] = true
		}
	}
}

// Problems are the warnings, errors and exceptions of the page until now.
func (p *Page) Problems() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	return slices.Clone(p.problems)
}

// Origins are those that the page sent requests to.
func (p *Page) Origins() []string {
	p.mu.Lock()
	defer p.mu.Unlock()
	var out []string
	for host := range p.hosts {
		out = append(out, host)
	}
	slices.Sort(out)
	return out
}

// Get evaluates an expression of JavaScript; a promise is waited for.
func Get[T any](tb testing.TB, p *Page, expression string) T {
	tb.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, stepTime)
	defer cancel()
	value, err := chromedp.Run(ctx, chromedp.Evaluate[T](expression, chromedp.EvalAwaitPromise))
	if err != nil {
		tb.Fatalf("%s: %v", shortened(expression), err)
	}
	return value
}

// Wait waits until an expression is true. What throws is not yet true, and a page that loads anew is asked again.
func (p *Page) Wait(tb testing.TB, expression string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, stepTime)
	defer cancel()
	condition := chromedp.Evaluate[bool]("(() => { try { return Boolean(" + expression + ") } catch { return false } })()")
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		if done, err := chromedp.Run(ctx, condition); err == nil && done {
			return
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			text, _ := chromedp.Run(p.ctx, chromedp.Evaluate[string]("location.hash + '\\n' + document.body.innerText"))
			tb.Fatalf("not so within %v: %s\n%s\n%v", stepTime, shortened(expression), text, p.Problems())
		}
	}
}

// Press presses keys, one after the other: those of package kb, or letters.
func (p *Page) Press(tb testing.TB, keys ...string) {
	tb.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, stepTime)
	defer cancel()
	for _, key := range keys {
		if err := chromedp.Do(ctx, chromedp.KeyEvent(key)); err != nil {
			tb.Fatalf("pressing %q: %v", key, err)
		}
	}
}

// Visit changes the address behind the page's own.
func (p *Page) Visit(tb testing.TB, hash string) {
	tb.Helper()
	Get[bool](tb, p, fmt.Sprintf("location.hash = %q, true", hash))
}

// Image is the page as it is seen, as PNG.
func (p *Page) Image(tb testing.TB) []byte {
	tb.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, stepTime)
	defer cancel()
	shot, err := chromedp.Call(ctx, page.CaptureScreenshot, page.CaptureScreenshotParams{Format: page.CaptureScreenshotFormatPng})
	if err != nil {
		tb.Fatalf("the screenshot: %v", err)
	}
	return shot.Data
}

func shortened(s string) string {
	if len(s) > 200 {
		return s[:200] + "…"
	}
	return s
}
