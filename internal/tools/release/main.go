// Command release builds what a release consists of: the program for each platform in an archive with its manual and
// completions, the list of everything in it, and the sums of all files.
//
//	release -version v0.1.0 -revision COMMIT -time 2026-11-23T04:00:00Z -out dist/release
//
// It asks no repository and no clock: the same sources and flags give the same bytes, in whatever folder and on whatever
// machine. What it does not do is publish.
package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strings"
	"time"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "release:", err)
		os.Exit(1)
	}
}

// release is what to build and where to put it.
type release struct {
	version  string    // "v0.1.0"
	revision string    // of the commit; empty: not known
	time     time.Time // of the commit; of every file in the archives
	targets  []target
	out      string // the folder that becomes the release
	work     string // a folder for what is only on the way
	log      io.Writer
}

// target is a platform.
type target struct{ os, arch string }

func (t target) String() string { return t.os + "/" + t.arch }

// program is the name of the program on the platform.
func (t target) program() string {
	if t.os == "windows" {
		return "marquee.exe"
	}
	return "marquee"
}

const usual = "linux/amd64,linux/arm64,darwin/amd64,darwin/arm64,windows/amd64,windows/arm64"

// names of files come from the version, so it is a plain one: a tag, or what git describe makes of a commit.
var plainVersion = regexp.MustCompile(`^[0-9A-Za-z][0-9A-Za-z.+-]*$`)

func run(ctx context.Context, args []string, out io.Writer) (err error) {
	flags := flag.NewFlagSet("release", flag.ContinueOnError)
	version := flags.String("version", "", "the `version`, v0.1.0")
	revision := flags.String("revision", "", "the `commit` that it is built from")
	date := flags.String("time", "", "the `time` of that commit, RFC 3339")
	folder := flags.String("out", "dist/release", "the `folder` of the release; it is made anew")
	targets := flags.String("targets", usual, "the `platforms`, os/arch with commas")
	if err := flags.Parse(args); err != nil {
		return err
	}
	r := release{version: *version, revision: *revision, out: *folder, log: out}
	if !plainVersion.MatchString(r.version) {
		return fmt.Errorf("-version %q: want one such as v0.1.0", r.version)
	}
	if r.time, err = time.Parse(time.RFC3339, *date); err != nil {
		return fmt.Errorf("-time: %w", err)
	}
	for _, name := range strings.Split(*targets, ",") {
		system, arch, ok := strings.Cut(name, "/")
		if !ok {
			return fmt.Errorf("-targets: %q is no platform: want one such as linux/amd64", name)
		}
		r.targets = append(r.targets, target{system, arch})
	}
	if r.work, err = os.MkdirTemp("", "marquee-release-"); err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(r.work)) }()
	return r.make(ctx)
}

// make builds everything and puts it into a fresh folder.
func (r release) make(ctx context.Context) error {
	if err := os.RemoveAll(r.out); err != nil {
		return err
	}
	if err := os.MkdirAll(r.out, 0o755); err != nil {
		return err
	}
	here, err := r.build(ctx, target{runtime.GOOS, runtime.GOARCH})
	if err != nil {
		return err
	}
	programs := make([]string, len(r.targets))
	for i, t := range r.targets {
		if programs[i], err = r.build(ctx, t); err != nil {
			return err
		}
	}
	papers, err := r.papers(ctx, here)
	if err != nil {
		return err
	}
	for i, t := range r.targets {
		program := file{name: t.program(), path: programs[i], mode: 0o755}
		if err := r.pack(t, slices.Concat([]file{program}, papers)); err != nil {
			return fmt.Errorf("packing %s: %w", t, err)
		}
	}
	if err := r.list(programs); err != nil {
		return fmt.Errorf("listing the parts: %w", err)
	}
	return r.sum()
}

// sum writes the SHA-256 of each file, as sha256sum -c reads it.
func (r release) sum() error {
	entries, err := os.ReadDir(r.out) // sorted by name
	if err != nil {
		return err
	}
	var sums strings.Builder
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(r.out, e.Name()))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(data), e.Name())
		fmt.Fprintf(r.log, "%9d  %s\n", len(data), e.Name())
	}
	return os.WriteFile(filepath.Join(r.out, "SHA256SUMS"), []byte(sums.String()), 0o644)
}

// number is the version without its v, as files are named.
func (r release) number() string { return strings.TrimPrefix(r.version, "v") }
