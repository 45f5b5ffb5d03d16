package local

import (
	"context"
	"fmt"
	"io"
	"math"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/marquee-api/marquee/internal/browsertest"
	"github.com/marquee-api/marquee/internal/console"
	"github.com/marquee-api/marquee/internal/dynamolocal"
	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/movies/load"
)

// mostBytes is how large a picture in the documents may be.
const mostBytes = 150 << 10

// shot is one picture of the console.
type shot struct {
	name, hash, ready string
	screen            browsertest.Screen
}

// TestScreenshots takes the pictures of the documents, into the folder that MARQUEE_SCREENSHOTS names: make screenshots.
func TestScreenshots(t *testing.T) {
	folder := os.Getenv("MARQUEE_SCREENSHOTS")
	if folder == "" {
		t.Skip("MARQUEE_SCREENSHOTS names no folder: make screenshots does")
	}
	s, err := Start(t.Context(), Options{
		Template: "../../template.yaml", Config: "../../samconfig.toml", ConfigEnv: "local", DynamoDB: dynamolocal.ModeJava, Data: "../../data/movies.jsonl",
		Loader: func(*dynamodb.CreateTableInput) Loader {
			return func(ctx context.Context, client *dynamodb.Client, table string, records io.Reader) (int, error) {
				return load.All(ctx, client, table, records)
			}
		},
		State: filepath.Join(t.TempDir(), "local.json"), Out: t.Output(),
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	b, p := browsertest.Start(t), openPage(t, s)
	denied, mismatched, letIn := traffic(t, p)
	wide, night := browsertest.Screen{Width: 1280, Height: 760}, browsertest.Screen{Width: 1280, Height: 760, Dark: true}
	high := browsertest.Screen{Width: 1280, Height: 1000}
	small := browsertest.Screen{Width: 390, Height: 844, Touch: true}
	const rows = `document.querySelectorAll(".rows .row").length > 10`
	for _, shot := range []shot{
		{"requests", "#/requests", rows, wide},
		{"requests-dark", "#/requests", rows, night},
		{"requests-phone", "#/requests", rows, small},
		{"request-denied", fmt.Sprint("#/request/", denied), `document.querySelector(".statement.decided")`, high},
		{"request-mismatch", fmt.Sprint("#/request/", mismatched), `document.querySelector(".sides")`, high},
		{"request-let-in-dark", fmt.Sprint("#/request/", letIn), `document.querySelector("#step-function[aria-selected=true]")`, night},
		{"request-phone", fmt.Sprint("#/request/", denied), `document.querySelector(".statement.decided")`, small},
		{"matrix", "#/matrix?door=vpce&cell=MoviesApi+PUT+%2Fmovie_list%2Fx%2Fx+reader", `document.querySelector(".cell")`, wide},
		{"try", "#/try?caller=stranger&door=vpce&method=GET&path=/movie_list", `document.querySelector("#try-path").value === "/movie_list"`, wide},
		{"movies", "#/movies?genre=Science+Fiction&sort=-rating", `document.querySelectorAll(".movie").length > 3`, wide},
	} {
		take(t, b, folder, s.State().ConsoleURL, shot)
	}
	take(t, b, folder, figures(t), shot{"figures-dark", "#/figures?seconds=600", `document.querySelectorAll("svg.plot").length === 3`, browsertest.Screen{Width: 1280, Height: 1000, Dark: true}})
}

// traffic makes calls of every kind, and returns the numbers of three that are shown closely.
func traffic(t *testing.T, p *page) (denied, mismatched, letIn uint64) {
	t.Helper()
	call := func(caller, door, method, path, fault string) uint64 {
		got, raw := p.try(t, console.Attempt{Caller: caller, Door: door, Stage: "dev", Method: method, Path: path, Fault: fault})
		if got.Number == 0 {
			t.Fatalf("%s %s: %s", method, path, raw)
		}
		return got.Number
	}
	call("caller", "vpce", "GET", "/movie_list", "")
	call("reader", "vpce", "GET", "/movie_list?year=1999&limit=2", "")
	call("reader", "vpce", "GET", "/movie_list?genre=Drama&sort=-rating", "")
	call("stranger", "vpce", "GET", "/movie_list", "")
	call("foreign", "vpce", "GET", "/movie_list", "")
	call("expired", "vpce", "GET", "/movie_list", "")
	call("reader", "public", "GET", "/movie_list", "")
	letIn = call("reader", "vpce", "GET", "/movie_list/1997/Face%2FOff", "")
	call("reader", "vpce", "GET", "/movie_list/1895/Unknown", "")
	call("reader", "vpce", "DELETE", "/movie_list/1997/Face%2FOff", "")
	call("writer", "vpce", "GET", "/movies", "")
	call("reader", "vpce", "GET", "/movie_list", "stale")
	call("reader", "vpce", "GET", "/movie_list", "region")
	mismatched = call("reader", "vpce", "GET", "/movie_list?limit=2&year=1999", "byte")
	call("", "vpce", "GET", "/movie_list", "")
	denied = call("reader", "other_vpce", "GET", "/movie_list?year=1999", "")
	call("caller", "vpce", "GET", "/movie_list/1999/The%20Matrix", "")
	call("reader", "vpce", "GET", "/movie_list?title_prefix=The&limit=5", "")
	return denied, mismatched, letIn
}

// take takes a picture.
func take(t *testing.T, b *browsertest.Browser, folder, address string, s shot) {
	t.Helper()
	p := b.Open(t, address+s.hash, s.screen)
	defer p.Close()
	p.Wait(t, s.ready)
	if s.name == "try" {
		browsertest.Get[bool](t, p, `document.querySelector(".try-form").requestSubmit(), true`)
		p.Wait(t, `document.querySelector(".try-result .json-key")`)
	}
	picture := browsertest.Palette(t, p.Image(t))
	if len(picture) > mostBytes {
		t.Errorf("%s has %d bytes, want at most %d", s.name, len(picture), mostBytes)
	}
	if err := os.WriteFile(filepath.Join(folder, s.name+".png"), picture, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(filepath.Join(folder, s.name+".png"), 0o644); err != nil { // it is for everybody
		t.Fatal(err)
	}
}

// figures serves a console with ten minutes of a busy service, and returns its address.
func figures(t *testing.T) string {
	t.Helper()
	now := time.Now()
	c := console.New(console.Config{Random: func() string { return "run" }, Now: func() time.Time { return now }})
	for i := range 4000 {
		at := float64(i) / 4000 * 600
		load := 1 + math.Sin(at/70)/2 + math.Sin(at/11)/5
		if math.Mod(float64(i)*math.Phi, 1) > load/1.7 { // a spread that is the same at each run
			continue
		}
		chance := math.Mod(float64(i)*math.Sqrt2, 1)
		r := gateway.Record{Time: now.Add(time.Duration((at - 599) * float64(time.Second))), Name: "caller", Door: "vpce", Method: "GET", Path: "/dev/movie_list", Status: 200,
			Duration: time.Duration((2 + 3*load + 40*math.Pow(chance, 12)) * float64(time.Millisecond)), Checks: []gateway.Check{{Name: "function", OK: true}}}
		switch {
		case chance < 0.06:
			r.Status, r.Checks = 403, []gateway.Check{{Name: "authorization"}}
		case load > 1.55 && chance < 0.25:
			r.Status, r.Checks = 429, []gateway.Check{{Name: "throttle"}}
		case chance > 0.985:
			r.Status, r.Checks = 502, []gateway.Check{{Name: "function"}}
		}
		c.Add(r)
	}
	server := httptest.NewServer(c.Handler())
	t.Cleanup(server.Close)
	t.Cleanup(c.Close)
	return server.URL + "/"
}
