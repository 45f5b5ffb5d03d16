package gobuild_test

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/gobuild"
)

// write lays out files and returns their folder.
func write(t *testing.T, files map[string]string) string {
	t.Helper()
	dir := t.TempDir()
	for name, text := range files {
		path := filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		mode := os.FileMode(0o644)
		if strings.HasPrefix(text, "#!") {
			mode = 0o755
		}
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// program is a module without dependencies whose program says hello, and
// whether the tag of a Lambda build is set.
var program = map[string]string{
	"go.mod":   "module example.com/hello\n\ngo 1.26\n",
	"main.go":  "package main\n\nimport \"fmt\"\n\nfunc main() { fmt.Print(\"hello \", tag) }\n",
	"tag.go":   "//go:build lambda.norpc\n\npackage main\n\nconst tag = \"norpc\"\n",
	"notag.go": "//go:build !lambda.norpc\n\npackage main\n\nconst tag = \"rpc\"\n",
}

func run(t *testing.T, path string) string {
	t.Helper()
	out, err := exec.Command(path).CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", path, err, out)
	}
	return string(out)
}

func build(t *testing.T, b *gobuild.Builder, f gobuild.Function) gobuild.Artifact {
	t.Helper()
	artifacts, err := b.Build(t.Context(), f)
	if err != nil {
		t.Fatal(err)
	}
	if len(artifacts) != 1 || artifacts[0].LogicalID != f.LogicalID {
		t.Fatalf("artifacts: got %+v, want one of %s", artifacts, f.LogicalID)
	}
	return artifacts[0]
}

func TestGoBuild(t *testing.T) {
	t.Parallel()
	for _, method := range []string{"", "go1.x"} {
		t.Run("method "+method, func(t *testing.T) {
			t.Parallel()
			out := filepath.Join(t.TempDir(), "not", "there", "yet")
			b := &gobuild.Builder{Output: out}
			f := gobuild.Function{LogicalID: "HelloFunction", CodeURI: write(t, program), Method: method}
			a := build(t, b, f)
			if want := filepath.Join(out, "HelloFunction", "bootstrap"); a.Bootstrap != want || a.Dir != filepath.Dir(want) || a.Prebuilt {
				t.Errorf("got %+v, want %s", a, want)
			}
			if got, want := run(t, a.Bootstrap), "hello norpc"; got != want {
				t.Errorf("output: got %q, want %q", got, want)
			}
			settings, err := exec.Command("go", "version", "-m", a.Bootstrap).CombinedOutput()
			if err != nil {
				t.Fatal(err)
			}
			for _, want := range []string{"CGO_ENABLED=0", "-trimpath=true", "-tags=lambda.norpc", "GOARCH=" + runtime.GOARCH, "GOOS=" + runtime.GOOS} {
				if !strings.Contains(string(settings), want) {
					t.Errorf("no %s in\n%s", want, settings)
				}
			}

			first := stat(t, a.Bootstrap)
			build(t, b, f)
			if !os.SameFile(first, stat(t, a.Bootstrap)) {
				t.Error("a build without changes made another binary")
			}
			if err := os.WriteFile(filepath.Join(f.CodeURI, "main.go"), []byte("package main\n\nfunc main() { print(tag, \" changed\") }\n"), 0o600); err != nil {
				t.Fatal(err)
			}
			build(t, b, f)
			if got, want := run(t, a.Bootstrap), "norpc changed"; got != want {
				t.Errorf("output after a change: got %q, want %q", got, want)
			}
		})
	}
}

func stat(t *testing.T, path string) os.FileInfo {
	t.Helper()
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	return info
}

// makefile has a target of each kind. Recipes see what SAM's own would.
const makefile = `
build-HelloFunction:
	printf '#!/bin/sh\necho made for $(LAMBDA_GOOS)/$(LAMBDA_GOARCH) in %s' "$$(basename "$$PWD")" > $(ARTIFACTS_DIR)/bootstrap
	chmod +x $(ARTIFACTS_DIR)/bootstrap
	mkdir $(ARTIFACTS_DIR)/data
	touch $(ARTIFACTS_DIR)/data/$(shell cat name)

build-EmptyFunction:
	true

build-PlainFunction:
	touch $(ARTIFACTS_DIR)/bootstrap

build-BrokenFunction:
	@for i in $$(seq 100); do echo line $$i; done; echo the reel broke >&2; exit 3

build-EndlessFunction:
	@exec 3> fifo; sleep 1000 & sleep 1000
`

func TestMakefile(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"Makefile": makefile, "name": "one"})
	b := &gobuild.Builder{Output: t.TempDir(), Arch: "s390x"}
	f := gobuild.Function{LogicalID: "HelloFunction", CodeURI: dir, Method: "makefile"}
	a := build(t, b, f)
	if got, want := run(t, a.Bootstrap), "made for "+runtime.GOOS+"/s390x in "+filepath.Base(dir)+"\n"; got != want {
		t.Errorf("output: got %q, want %q", got, want)
	}
	if diff := cmp.Diff([]string{"bootstrap", "data", "data/one"}, tree(t, a.Dir)); diff != "" {
		t.Errorf("artifacts (-want +got):\n%s", diff)
	}
	if err := os.WriteFile(filepath.Join(dir, "name"), []byte("two"), 0o600); err != nil {
		t.Fatal(err)
	}
	build(t, b, f)
	if diff := cmp.Diff([]string{"bootstrap", "data", "data/two"}, tree(t, a.Dir)); diff != "" {
		t.Errorf("artifacts of the second build (-want +got):\n%s", diff)
	}
	if left := tree(t, filepath.Join(b.Output, ".stage")); len(left) != 0 {
		t.Errorf("left behind: %v", left)
	}
}

func tree(t *testing.T, dir string) []string {
	t.Helper()
	var names []string
	err := filepath.WalkDir(dir, func(path string, _ os.DirEntry, err error) error {
		if rel, _ := filepath.Rel(dir, path); rel != "." {
			names = append(names, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// This program may run under make itself, whose flags must not reach the
// function's makefile: -n would make nothing.
func TestMakefileUnderMake(t *testing.T) {
	t.Setenv("MAKEFLAGS", "n")
	t.Setenv("MAKELEVEL", "1")
	dir := write(t, map[string]string{"Makefile": makefile, "name": "one"})
	build(t, &gobuild.Builder{Output: t.TempDir()}, gobuild.Function{LogicalID: "HelloFunction", CodeURI: dir, Method: "makefile"})
}

func TestPrebuilt(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"bootstrap": "#!/bin/sh\n"})
	a := build(t, &gobuild.Builder{Output: t.TempDir()}, gobuild.Function{LogicalID: "F", CodeURI: dir})
	want := gobuild.Artifact{LogicalID: "F", Bootstrap: filepath.Join(dir, "bootstrap"), Dir: dir, Prebuilt: true, Took: a.Took}
	if a != want {
		t.Errorf("got %+v, want %+v", a, want)
	}
}

func TestBuildErrors(t *testing.T) {
	t.Parallel()
	hello := write(t, program)
	wrong := write(t, map[string]string{"go.mod": "module example.com/x\n", "main.go": "package main\n\nfunc main() { undefined() }\n"})
	made := write(t, map[string]string{"Makefile": makefile})
	plain := write(t, map[string]string{"bootstrap": "not executable"})
	tests := map[string]struct {
		f    gobuild.Function
		arch string
		want []string // parts of the message
		not  string
	}{
		"no logical id":     {f: gobuild.Function{LogicalID: "../x", CodeURI: hello}, want: []string{`"../x" is not a logical id`}},
		"code in S3":        {f: gobuild.Function{LogicalID: "F", CodeURI: "s3://bucket/code.zip"}, want: []string{"build F in s3://bucket/code.zip", "in S3"}},
		"missing folder":    {f: gobuild.Function{LogicalID: "F", CodeURI: filepath.Join(hello, "none")}, want: []string{"CodeUri", "no such file"}},
		"no folder":         {f: gobuild.Function{LogicalID: "F", CodeURI: filepath.Join(hello, "main.go")}, want: []string{"not a folder"}},
		"unknown method":    {f: gobuild.Function{LogicalID: "F", CodeURI: hello, Method: "python3.13"}, want: []string{`BuildMethod "python3.13"`, "makefile or go1.x"}},
		"no Makefile":       {f: gobuild.Function{LogicalID: "F", CodeURI: hello, Method: "makefile"}, want: []string{"Makefile", "no such file"}},
		"does not compile":  {f: gobuild.Function{LogicalID: "F", CodeURI: wrong}, want: []string{"build F in " + wrong, "go build -tags lambda.norpc", "exit status 1\n", "undefined: undefined"}},
		"no target":         {f: gobuild.Function{LogicalID: "NoFunction", CodeURI: made, Method: "makefile"}, want: []string{"make -C " + made + " build-NoFunction", "No rule to make target"}},
		"recipe fails":      {f: gobuild.Function{LogicalID: "BrokenFunction", CodeURI: made, Method: "makefile"}, want: []string{"exit status 2", "the reel broke", "line 100\n"}, not: "line 70\n"},
		"makes nothing":     {f: gobuild.Function{LogicalID: "EmptyFunction", CodeURI: made, Method: "makefile"}, want: []string{"made no file named bootstrap"}},
		"not executable":    {f: gobuild.Function{LogicalID: "PlainFunction", CodeURI: made, Method: "makefile"}, want: []string{"not an executable file"}},
		"prebuilt, no mode": {f: gobuild.Function{LogicalID: "F", CodeURI: plain}, want: []string{"not an executable file", "remove it to have the function built here"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := (&gobuild.Builder{Output: t.TempDir(), Arch: test.arch}).Build(t.Context(), test.f)
			var failed *gobuild.Error
			if !errors.As(err, &failed) || failed.LogicalID != test.f.LogicalID {
				t.Fatalf("got %v, want an Error of %s", err, test.f.LogicalID)
			}
			for _, want := range test.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("no %q in: %v", want, err)
				}
			}
			if test.not != "" && strings.Contains(err.Error(), test.not) {
				t.Errorf("%q in: %v", test.not, err)
			}
		})
	}
}

// A binary for another machine is told of before it is started.
func TestBinaryForAnotherMachine(t *testing.T) {
	t.Parallel()
	self, err := os.Executable() // a Go binary for this machine
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	if err := os.Symlink(self, filepath.Join(dir, "bootstrap")); err != nil {
		t.Fatal(err)
	}
	_, err = (&gobuild.Builder{Output: t.TempDir(), Arch: "loong64"}).Build(t.Context(), gobuild.Function{LogicalID: "F", CodeURI: dir})
	want := fmt.Sprintf("is built for %[1]s/%[2]s, but this machine is %[1]s/loong64", runtime.GOOS, runtime.GOARCH)
	if err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %q", err, want)
	}
}

// One function's failure does not hide another's, nor stop what can be built.
func TestBuildsAllAndTellsOfProgress(t *testing.T) {
	t.Parallel()
	made := write(t, map[string]string{"Makefile": makefile, "name": "one"})
	var events []string
	b := &gobuild.Builder{Output: t.TempDir(), Parallel: 2, Progress: func(e gobuild.Event) {
		events = append(events, fmt.Sprintf("%s %t %t", e.LogicalID, e.Done, e.Err != nil))
	}}
	artifacts, err := b.Build(t.Context(),
		gobuild.Function{LogicalID: "BrokenFunction", CodeURI: made, Method: "makefile"},
		gobuild.Function{LogicalID: "HelloFunction", CodeURI: made, Method: "makefile"},
		gobuild.Function{LogicalID: "EmptyFunction", CodeURI: made, Method: "makefile"},
	)
	if err == nil || !strings.Contains(err.Error(), "build BrokenFunction") || !strings.Contains(err.Error(), "build EmptyFunction") {
		t.Errorf("got %v, want both failures", err)
	}
	if len(artifacts) != 3 || artifacts[1].LogicalID != "HelloFunction" || artifacts[0].Bootstrap != "" {
		t.Errorf("artifacts: got %+v", artifacts)
	}
	got := map[string]int{}
	for _, e := range events {
		got[e]++
	}
	want := map[string]int{
		"BrokenFunction false false": 1, "BrokenFunction true true": 1,
		"HelloFunction false false": 1, "HelloFunction true false": 1,
		"EmptyFunction false false": 1, "EmptyFunction true true": 1,
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("events (-want +got):\n%s", diff)
	}
}

// A cancelled build ends, with everything its tool started: the children hold
// the fifo open as long as they live.
func TestBuildIsCancelled(t *testing.T) {
	t.Parallel()
	dir := write(t, map[string]string{"Makefile": makefile})
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Skipf("needs a fifo: %v", err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	var done sync.WaitGroup
	done.Go(func() {
		_, err := (&gobuild.Builder{Output: t.TempDir()}).Build(ctx, gobuild.Function{LogicalID: "EndlessFunction", CodeURI: dir, Method: "makefile"})
		if !errors.Is(err, context.Canceled) {
			t.Errorf("got %v, want context.Canceled", err)
		}
	})
	held, err := os.Open(fifo) // waits for the recipe
	if err != nil {
		t.Fatal(err)
	}
	defer held.Close()
	cancel()
	done.Wait()
	if _, err := io.ReadAll(held); err != nil { // waits for the end of all writers
		t.Error(err)
	}
}

func TestToolIsMissing(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	_, err := (&gobuild.Builder{Output: t.TempDir()}).Build(t.Context(), gobuild.Function{LogicalID: "F", CodeURI: write(t, program)})
	if !errors.Is(err, exec.ErrNotFound) || !strings.Contains(err.Error(), "install go") {
		t.Errorf("got %v, want advice to install go", err)
	}
}
