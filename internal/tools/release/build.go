package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// build compiles the program for a platform. Nothing of this machine gets in: no C, no paths, no build id, no flags of the
// shell, and of the repository only what was given.
func (r release) build(ctx context.Context, t target) (path string, err error) {
	path = filepath.Join(r.work, t.os+"-"+t.arch, t.program())
	if _, err := os.Stat(path); err == nil {
		return path, nil // built before: the platform that this runs on is a target, too
	}
	flags := "-s -w -buildid= -X main.version=" + r.version
	if r.revision != "" {
		flags += " -X main.revision=" + r.revision + " -X main.revisionTime=" + r.time.UTC().Format(time.RFC3339)
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-ldflags", flags, "-o", path, "./cmd/marquee")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=", "GOOS="+t.os, "GOARCH="+t.arch, "GOAMD64=v1", "GOARM64=v8.0", "GOEXPERIMENT=")
	if text, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("building for %s: %w\n%s", t, err, text)
	}
	return path, nil
}

// papers are the files beside the program in every archive. The program, built for this machine, writes the manual and
// the completions itself.
func (r release) papers(ctx context.Context, program string) ([]file, error) {
	man := filepath.Join(r.work, "man")
	cmd := exec.CommandContext(ctx, program, "man", man)
	cmd.Env = append(os.Environ(), fmt.Sprintf("SOURCE_DATE_EPOCH=%d", r.time.Unix()))
	if text, err := cmd.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("the manual: %w\n%s", err, text)
	}
	files := []file{{name: "CHANGELOG.md", path: "CHANGELOG.md"}, {name: "LICENSE", path: "LICENSE"}, {name: "README.md", path: "README.md"}}
	for _, shell := range []string{"bash", "fish", "powershell", "zsh"} {
		script, err := exec.CommandContext(ctx, program, "completion", shell).Output()
		if err != nil {
			return nil, fmt.Errorf("the completion of %s: %w", shell, err)
		}
		path := filepath.Join(r.work, "marquee."+shell)
		if err := os.WriteFile(path, script, 0o600); err != nil {
			return nil, err
		}
		files = append(files, file{name: "completions/marquee." + shell, path: path})
	}
	pages, err := filepath.Glob(filepath.Join(man, "*.1"))
	if err != nil || len(pages) == 0 {
		return nil, fmt.Errorf("the manual has no pages: %w", err)
	}
	for _, page := range pages {
		files = append(files, file{name: "man/" + strings.TrimPrefix(page, man+string(filepath.Separator)), path: page})
	}
	return files, nil
}
