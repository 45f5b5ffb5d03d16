// Package gobuild makes a SAM function's binary for this machine, as `sam
// build` makes it for Lambda: by the function's makefile target, by the Go
// command, or not at all when the code folder already holds a bootstrap.
//
// It reads no template and keeps no cache of its own: what makes a second build
// quick is Go's build cache. It does not cross-compile, make archives or build
// other languages.
package gobuild

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"strings"
	"sync"
	"time"
)

// Bootstrap is the name of a function's executable in its folder, fixed by
// Lambda's OS-only runtimes.
const Bootstrap = "bootstrap"

// Function says what to build.
type Function struct {
	// LogicalID is the function's name in the template.
	LogicalID string
	// CodeURI is the folder of the function's code.
	CodeURI string
	// Method is Metadata.BuildMethod: "makefile" runs the target
	// build-<LogicalID> of the Makefile in CodeURI; "go1.x" runs go build; ""
	// takes a bootstrap in CodeURI as it is, and runs go build without one.
	Method string
}

// Artifact is a function ready to run.
type Artifact struct {
	LogicalID string
	// Bootstrap is the path of the executable, absolute; Dir its folder, which
	// holds whatever else the build put there.
	Bootstrap, Dir string
	// Prebuilt is true when CodeURI held a bootstrap, which is run as it is.
	Prebuilt bool
	Took     time.Duration
}

// Event tells of a build's progress.
type Event struct {
	LogicalID string
	// Command is what runs, readable but not quoted for a shell; empty for a
	// function that needs no build.
	Command string
	// Done is false at the start of a build and true at its end.
	Done bool
	Took time.Duration
	// Err is why the build failed, an [*Error].
	Err error
}

// Builder builds functions. Its methods may be called at the same time, but
// not for one function twice.
type Builder struct {
	// Output is the folder for the results: each function gets a folder in it
	// that is named by its logical id. It is made if it is not there.
	Output string
	// Arch is the architecture told to makefiles and to go build; zero is this
	// machine's.
	Arch string
	// Parallel is how many functions are built at a time; zero is the number
	// of processors.
	Parallel int
	// Env is the environment of the tools; nil is this process's own.
	Env []string
	// Progress is told of each start and end; calls do not overlap. Nil is
	// nobody.
	Progress func(Event)
	// Now tells the time; nil is [time.Now].
	Now func() time.Time

	progress sync.Mutex
}

// Error is a build that failed.
type Error struct {
	LogicalID, Dir string
	// Command is empty when it did not come to running one.
	Command string
	// Output is the tool's last lines.
	Output string
	Err    error
}

// Error names the function, the folder and the command, and ends with the
// tool's own words.
func (e *Error) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "build %s in %s: ", e.LogicalID, e.Dir)
	if e.Command != "" {
		fmt.Fprintf(&b, "%s: ", e.Command)
	}
	b.WriteString(e.Err.Error())
	if e.Output != "" {
		b.WriteString("\n" + e.Output)
	}
	return b.String()
}

// Unwrap returns the reason, as the tool's exit or ctx's end.
func (e *Error) Unwrap() error { return e.Err }

// Build builds all functions and returns their artifacts in the same order.
// When some fail it still finishes the others, so that one run shows every
// mistake; the error joins one [*Error] for each.
func (b *Builder) Build(ctx context.Context, functions ...Function) ([]Artifact, error) {
	artifacts := make([]Artifact, len(functions))
	failures := make([]error, len(functions))
	limit := b.Parallel
	if limit <= 0 {
		limit = runtime.NumCPU()
	}
	slots := make(chan struct{}, limit)
	var all sync.WaitGroup
	for i, f := range functions {
		all.Go(func() {
			slots <- struct{}{}
			defer func() { <-slots }()
			artifacts[i], failures[i] = b.one(ctx, f)
		})
	}
	all.Wait()
	return artifacts, errors.Join(failures...)
}

// plan is how one function is built.
type plan struct {
	dir     string   // where the tool runs: the code folder, absolute
	stage   string   // where the tool puts its result
	discard bool     // the stage is for this build only
	out     string   // where the result is wanted
	argv    []string // nil: nothing to do
	env     []string
}

// one builds a single function.
func (b *Builder) one(ctx context.Context, f Function) (Artifact, error) {
	now := b.Now
	if now == nil {
		now = time.Now
	}
	began := now()
	p, err := b.plan(f)
	fail := func(output string, err error) (Artifact, error) {
		e := &Error{LogicalID: f.LogicalID, Dir: orElse(p.dir, f.CodeURI), Command: strings.Join(p.argv, " "), Output: output, Err: err}
		b.tell(Event{LogicalID: f.LogicalID, Command: e.Command, Done: true, Took: now().Sub(began), Err: e})
		return Artifact{}, e
	}
	if err != nil {
		return fail("", err)
	}
	b.tell(Event{LogicalID: f.LogicalID, Command: strings.Join(p.argv, " ")})
	if p.argv == nil {
		return b.finish(f, p, now().Sub(began))
	}
	if p.discard {
		defer func() { _ = os.RemoveAll(p.stage) }()
	}
	if err := ctx.Err(); err != nil {
		return fail("", err)
	}
	if output, err := b.run(ctx, p); err != nil {
		return fail(output, err)
	}
	if err := checkBinary(filepath.Join(p.stage, Bootstrap), b.arch()); err != nil {
		return fail("", err)
	}
	if err := publish(p.stage, p.out); err != nil {
		return fail("", err)
	}
	return b.finish(f, p, now().Sub(began))
}

func (b *Builder) finish(f Function, p plan, took time.Duration) (Artifact, error) {
	b.tell(Event{LogicalID: f.LogicalID, Command: strings.Join(p.argv, " "), Done: true, Took: took})
	return Artifact{
		LogicalID: f.LogicalID, Bootstrap: filepath.Join(p.out, Bootstrap), Dir: p.out,
		Prebuilt: p.argv == nil, Took: took,
	}, nil
}

func (b *Builder) tell(e Event) {
	if b.Progress == nil {
		return
	}
	b.progress.Lock()
	defer b.progress.Unlock()
	b.Progress(e)
}

func (b *Builder) arch() string { return orElse(b.Arch, runtime.GOARCH) }

// logicalID is CloudFormation's rule for a logical id. It becomes part of a
// path and of a make target.
var logicalID = regexp.MustCompile(`^[A-Za-z0-9]{1,255}$`)

// plan decides how f is built.
func (b *Builder) plan(f Function) (plan, error) {
	if !logicalID.MatchString(f.LogicalID) {
		return plan{}, fmt.Errorf("%q is not a logical id: letters and digits only", f.LogicalID)
	}
	if strings.HasPrefix(f.CodeURI, "s3://") {
		return plan{}, errors.New("the code is in S3; a local run needs a folder as CodeUri")
	}
	dir, err := filepath.Abs(f.CodeURI)
	if err != nil {
		return plan{}, err
	}
	if info, err := os.Stat(dir); err != nil {
		return plan{dir: dir}, fmt.Errorf("CodeUri: %w", err)
	} else if !info.IsDir() {
		return plan{dir: dir}, errors.New("CodeUri is not a folder")
	}
	output, err := filepath.Abs(b.Output)
	if err != nil {
		return plan{dir: dir}, err
	}
	p := plan{dir: dir, out: filepath.Join(output, f.LogicalID)}
	switch f.Method {
	case "makefile":
		return b.makefile(p, f)
	case "go1.x":
		return b.goBuild(p, f)
	case "":
		path := filepath.Join(dir, Bootstrap)
		if info, err := os.Stat(path); err != nil || !info.Mode().IsRegular() {
			return b.goBuild(p, f)
		}
		if err := checkBinary(path, b.arch()); err != nil {
			return p, fmt.Errorf("%w; remove it to have the function built here", err)
		}
		return plan{dir: dir, out: dir}, nil
	}
	return p, fmt.Errorf("BuildMethod %q is not supported; use makefile or go1.x", f.Method)
}

// goBuild plans a build by the Go command, which skips linking when the result
// in its place is up to date: the place stays the same from build to build.
func (b *Builder) goBuild(p plan, f Function) (plan, error) {
	p.stage = filepath.Join(filepath.Dir(p.out), stages, f.LogicalID)
	p.argv = []string{"go", "build", "-tags", "lambda.norpc", "-trimpath", "-buildvcs=false", "-o", filepath.Join(p.stage, Bootstrap), "."}
	p.env = []string{"CGO_ENABLED=0", "GOOS=" + runtime.GOOS, "GOARCH=" + b.arch()}
	return p, os.MkdirAll(p.stage, 0o755)
}

// stages is the folder, in the output folder, where tools work. No logical id
// can have its name.
const stages = ".stage"

// makefile plans a build as SAM's custom makefile does: the target is named by
// the logical id and fills an empty folder. A makefile that follows the two
// variables makes a binary for this machine; SAM does not set them.
func (b *Builder) makefile(p plan, f Function) (plan, error) {
	if _, err := os.Stat(filepath.Join(p.dir, "Makefile")); err != nil {
		return p, fmt.Errorf("BuildMethod is makefile: %w", err)
	}
	parent := filepath.Join(filepath.Dir(p.out), stages)
	if err := os.MkdirAll(parent, 0o755); err != nil {
		return p, err
	}
	stage, err := os.MkdirTemp(parent, f.LogicalID+"-")
	if err != nil {
		return p, err
	}
	p.stage, p.discard = stage, true
	p.argv = []string{"make", "-C", p.dir, "build-" + f.LogicalID, "ARTIFACTS_DIR=" + stage, "LAMBDA_GOARCH=" + b.arch(), "LAMBDA_GOOS=" + runtime.GOOS}
	return p, nil
}

func orElse(s, fallback string) string {
	if s == "" {
		return fallback
	}
	return s
}
