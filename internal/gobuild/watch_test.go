package gobuild_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/marquee-api/marquee/internal/gobuild"
)

const watchMakefile = `
build-WatchedFunction:
	test ! -e pkg/broken.go
	cat go.mod pkg/*.go extra.mk 2>/dev/null | sed '1i #!/bin/true' > $(ARTIFACTS_DIR)/bootstrap
	chmod +x $(ARTIFACTS_DIR)/bootstrap
`

// watching runs a watch by hand: looks happen when the test says so.
type watching struct {
	t       *testing.T
	dir     string
	tick    chan time.Time
	changed chan gobuild.Artifact
	failed  chan error
}

func watch(t *testing.T) *watching {
	t.Helper()
	w := &watching{
		t: t, dir: write(t, map[string]string{"Makefile": watchMakefile, "go.mod": "module m\n", "pkg/a.go": "package pkg\n"}),
		tick: make(chan time.Time), changed: make(chan gobuild.Artifact, 1), failed: make(chan error, 1),
	}
	f := gobuild.Function{LogicalID: "WatchedFunction", CodeURI: w.dir, Method: "makefile"}
	b := &gobuild.Builder{Output: filepath.Join(w.dir, "out")}
	build(t, b, f)
	ctx, cancel := context.WithCancel(t.Context())
	stopped := make(chan error)
	go func() {
		stopped <- b.Watch(ctx, gobuild.Watch{
			Functions: []gobuild.Function{f}, Tick: w.tick,
			Changed: func(a gobuild.Artifact) { w.changed <- a },
			Failed:  func(err error) { w.failed <- err },
		})
	}()
	t.Cleanup(func() {
		cancel()
		if err := <-stopped; !errors.Is(err, context.Canceled) {
			t.Errorf("watch: got %v, want context.Canceled", err)
		}
	})
	w.look() // the watch has its first picture when it takes the first tick
	return w
}

// look makes the watch look, and returns when it has acted on it.
func (w *watching) look() {
	w.tick <- time.Time{}
}

// settle looks until a change would have been built: once to see it, once to
// find it at rest, and once more, which is taken only when the build is over.
func (w *watching) settle() {
	for range 3 {
		w.look()
	}
}

func (w *watching) write(name, text string) {
	w.t.Helper()
	path := filepath.Join(w.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		w.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		w.t.Fatal(err)
	}
}

func (w *watching) got() (a *gobuild.Artifact, err error) {
	select {
	case got := <-w.changed:
		return &got, nil
	case err := <-w.failed:
		return nil, err
	default:
		return nil, nil
	}
}

func TestWatch(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		file, text string
		want       string // "changed", "failed" or "" for nothing
	}{
		"a source":                      {"pkg/a.go", "package pkg // edited\n", "changed"},
		"a new source":                  {"pkg/b.go", "package pkg // new\n", "changed"},
		"a makefile":                    {"extra.mk", "# extra\n", "changed"},
		"a source, the same binary":     {"other/c.go", "package other\n", ""},
		"a source that does not build":  {"pkg/broken.go", "package pkg\n", "failed"},
		"a test":                        {"pkg/a_test.go", "package pkg\n", ""},
		"a file that is no source":      {"notes.txt", "x", ""},
		"a hidden folder":               {".git/x.go", "package x\n", ""},
		"the output":                    {"out/x.go", "package x\n", ""},
		"what the Go command overlooks": {"pkg/testdata/x.go", "package x\n", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := watch(t)
			w.write(test.file, test.text)
			w.settle()
			a, err := w.got()
			switch {
			case test.want == "changed" && (a == nil || a.LogicalID != "WatchedFunction"):
				t.Errorf("got %v, %v, want a new artifact", a, err)
			case test.want == "failed" && (err == nil || !strings.Contains(err.Error(), "build WatchedFunction")):
				t.Errorf("got %v, %v, want a failure", a, err)
			case test.want == "" && (a != nil || err != nil):
				t.Errorf("got %v, %v, want nothing", a, err)
			}
		})
	}
}

// While sources go on changing nothing is built; when they rest, it is, once.
func TestWatchWaitsForRest(t *testing.T) {
	t.Parallel()
	w := watch(t)
	for i := range 5 {
		w.write("pkg/a.go", "package pkg //"+strings.Repeat("x", i)+"\n")
		w.look()
		if a, err := w.got(); a != nil || err != nil {
			t.Fatalf("look %d: got %v, %v, want nothing yet", i, a, err)
		}
	}
	w.settle()
	if a, err := w.got(); a == nil {
		t.Errorf("got %v, %v, want a new artifact", a, err)
	}
	w.settle()
	if a, err := w.got(); a != nil || err != nil {
		t.Errorf("at rest: got %v, %v, want nothing", a, err)
	}
}

// A change that does not build is built again when it is corrected.
func TestWatchRecovers(t *testing.T) {
	t.Parallel()
	w := watch(t)
	w.write("pkg/broken.go", "package pkg\n")
	w.settle()
	if _, err := w.got(); err == nil {
		t.Fatal("got no failure")
	}
	if err := os.Remove(filepath.Join(w.dir, "pkg", "broken.go")); err != nil {
		t.Fatal(err)
	}
	w.write("pkg/a.go", "package pkg // corrected\n")
	w.settle()
	if a, err := w.got(); a == nil {
		t.Errorf("got %v, %v, want a new artifact", a, err)
	}
}
