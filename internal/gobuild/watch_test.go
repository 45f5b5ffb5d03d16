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

// watching is a watch whose looks happen when the test says so.
type watching struct {
	t       *testing.T
	dir     string
	look    func(context.Context)
	builds  int // begun since the watch began
	changed []gobuild.Artifact
	failed  []error
}

func watch(t *testing.T) *watching {
	t.Helper()
	w := &watching{t: t, dir: write(t, map[string]string{"Makefile": watchMakefile, "go.mod": "module m\n", "pkg/a.go": "package pkg\n"})}
	f := gobuild.Function{LogicalID: "WatchedFunction", CodeURI: w.dir, Method: "makefile"}
	b := &gobuild.Builder{Output: filepath.Join(w.dir, "out"), Progress: func(e gobuild.Event) {
		if !e.Done {
			w.builds++
		}
	}}
	build(t, b, f)
	w.builds = 0
	w.look = b.Look(gobuild.Watch{
		Functions: []gobuild.Function{f},
		Changed:   func(a gobuild.Artifact) { w.changed = append(w.changed, a) },
		Failed:    func(err error) { w.failed = append(w.failed, err) },
	})
	return w
}

// settle looks until a change has been built: once to see it, once to find it
// at rest.
func (w *watching) settle() {
	w.look(w.t.Context())
	w.look(w.t.Context())
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

// expect checks what the looks since the last call came to: "changed",
// "failed", or "" for nothing.
func (w *watching) expect(want string) {
	w.t.Helper()
	got := strings.Repeat("changed", len(w.changed)) + strings.Repeat("failed", len(w.failed))
	if got != want {
		w.t.Errorf("got %q, want %q (%v, %v)", got, want, w.changed, w.failed)
	}
	w.changed, w.failed = nil, nil
}

func TestWatch(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		file, text string
		want       string // "changed", "failed" or "" for nothing
		builds     int
	}{
		"a source":                      {"pkg/a.go", "package pkg // edited\n", "changed", 1},
		"a new source":                  {"pkg/b.go", "package pkg // new\n", "changed", 1},
		"a makefile":                    {"extra.mk", "# extra\n", "changed", 1},
		"a source, the same binary":     {"other/c.go", "package other\n", "", 1},
		"a source that does not build":  {"pkg/broken.go", "package pkg\n", "failed", 1},
		"a test":                        {"pkg/a_test.go", "package pkg\n", "", 0},
		"a file that is no source":      {"notes.txt", "x", "", 0},
		"a hidden folder":               {".git/x.go", "package x\n", "", 0},
		"the output":                    {"out/x.go", "package x\n", "", 0},
		"what the Go command overlooks": {"pkg/testdata/x.go", "package x\n", "", 0},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := watch(t)
			w.write(test.file, test.text)
			w.settle()
			if test.want == "changed" && len(w.changed) == 1 && w.changed[0].Bootstrap != filepath.Join(w.dir, "out", "WatchedFunction", "bootstrap") {
				t.Errorf("artifact: got %+v", w.changed[0])
			}
			w.expect(test.want)
			w.settle()
			if w.builds != test.builds {
				t.Errorf("builds: got %d, want %d", w.builds, test.builds)
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
		w.look(t.Context())
		w.expect("")
	}
	w.look(t.Context())
	w.expect("changed")
	w.settle()
	w.expect("")
}

// A change that does not build is built again when it is corrected.
func TestWatchRecovers(t *testing.T) {
	t.Parallel()
	w := watch(t)
	w.write("pkg/broken.go", "package pkg\n")
	w.settle()
	w.expect("failed")
	if err := os.Remove(filepath.Join(w.dir, "pkg", "broken.go")); err != nil {
		t.Fatal(err)
	}
	w.write("pkg/a.go", "package pkg // corrected\n")
	w.settle()
	w.expect("changed")
}

func TestWatchPrebuilt(t *testing.T) {
	t.Parallel()
	w := &watching{t: t, dir: write(t, map[string]string{"bootstrap": "#!/bin/true\n"})}
	w.look = (&gobuild.Builder{Output: t.TempDir()}).Look(gobuild.Watch{
		Functions: []gobuild.Function{{LogicalID: "F", CodeURI: w.dir}},
		Changed:   func(a gobuild.Artifact) { w.changed = append(w.changed, a) },
	})
	w.write("notes.go", "package notes\n")
	w.settle()
	w.expect("") // a source, but the binary is the same
	w.write("bootstrap", "#!/bin/true\n# another\n")
	w.settle()
	w.expect("changed")
}

func TestWatchLooksAtEachTickUntilItsContextEnds(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"Makefile": watchMakefile, "go.mod": "module m\n", "pkg/a.go": "package pkg\n"})
	f := gobuild.Function{LogicalID: "WatchedFunction", CodeURI: dir, Method: "makefile"}
	b := &gobuild.Builder{Output: t.TempDir()}
	build(t, b, f)
	ctx, cancel := context.WithCancel(t.Context())
	tick, changed, stopped := make(chan time.Time), make(chan gobuild.Artifact), make(chan error)
	go func() {
		stopped <- b.Watch(ctx, gobuild.Watch{
			Functions: []gobuild.Function{f}, Tick: tick, Changed: func(a gobuild.Artifact) { changed <- a },
		})
	}()
	tick <- time.Time{} // taken when the first picture is there
	tick <- time.Time{} // taken when that look is over
	if err := os.WriteFile(filepath.Join(dir, "pkg", "b.go"), []byte("package pkg\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for done := false; !done; {
		select {
		case tick <- time.Time{}:
		case a := <-changed:
			if a.LogicalID != "WatchedFunction" {
				t.Errorf("got %+v", a)
			}
			done = true
		}
	}
	cancel()
	if err := <-stopped; !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want context.Canceled", err)
	}
}
