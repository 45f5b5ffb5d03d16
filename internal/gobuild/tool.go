package gobuild

import (
	"bytes"
	"context"
	"debug/buildinfo"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"
)

const (
	// tailLines and tailBytes bound how much of a tool's output an error keeps.
	tailLines = 25
	tailBytes = 16 * 1024
	// waitDelay is how long a cancelled tool's own children may keep the
	// output open.
	waitDelay = 2 * time.Second
)

// run runs a plan's tool and returns its last lines.
func (b *Builder) run(ctx context.Context, p plan) (string, error) {
	var out tail
	cmd := exec.CommandContext(ctx, p.argv[0], p.argv[1:]...)
	cmd.Dir = p.dir
	cmd.Env = b.Env
	cmd.Env = append(withoutMake(cmd.Environ()), p.env...)
	cmd.Stdout, cmd.Stderr = &out, &out
	endTogether(cmd)
	cmd.WaitDelay = waitDelay
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		err = ctx.Err()
	case errors.Is(err, exec.ErrNotFound):
		err = fmt.Errorf("%w; install %s, or put a built %s into the code folder", err, p.argv[0], Bootstrap)
	}
	return out.String(), err
}

// withoutMake drops what an outer make would tell an inner one: this program
// may itself run under make, whose flags, variables and job server are not
// meant for a function's makefile.
func withoutMake(env []string) []string {
	return slices.DeleteFunc(env, func(s string) bool {
		key, _, _ := strings.Cut(s, "=")
		return key == "MAKEFLAGS" || key == "MFLAGS" || key == "MAKELEVEL" || key == "MAKEOVERRIDES" || key == "MAKEFILES"
	})
}

// tail keeps the end of what is written to it.
type tail struct{ buf []byte }

func (t *tail) Write(b []byte) (int, error) {
	t.buf = append(t.buf, b...)
	if len(t.buf) > 2*tailBytes {
		t.buf = append(t.buf[:0], t.buf[len(t.buf)-tailBytes:]...)
	}
	return len(b), nil
}

// String returns the last lines, without empty ones at the end.
func (t *tail) String() string {
	lines := strings.Split(string(bytes.TrimRight(t.buf[max(0, len(t.buf)-tailBytes):], "\n")), "\n")
	return strings.Join(lines[max(0, len(lines)-tailLines):], "\n")
}

// checkBinary says what is wrong with a built bootstrap before somebody tries
// to start it. Only Go binaries tell what they were built for.
func checkBinary(path, arch string) error {
	info, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return errors.New("the build made no file named bootstrap in ARTIFACTS_DIR")
	} else if err != nil {
		return err
	}
	if !info.Mode().IsRegular() || info.Mode().Perm()&0o111 == 0 {
		return fmt.Errorf("%s is not an executable file", path)
	}
	built, err := buildinfo.ReadFile(path)
	if err != nil {
		return nil // no Go binary: a script, or another language
	}
	goos, goarch := runtime.GOOS, arch
	for _, s := range built.Settings {
		switch s.Key {
		case "GOOS":
			goos = s.Value
		case "GOARCH":
			goarch = s.Value
		}
	}
	if goos != runtime.GOOS || goarch != arch {
		return fmt.Errorf("%s is built for %s/%s, but this machine is %s/%s; let the build follow LAMBDA_GOOS and LAMBDA_GOARCH",
			path, goos, goarch, runtime.GOOS, arch)
	}
	return nil
}

// publish makes out hold what stage holds. Each file is replaced at once, so
// that a process can start from the old or the new one at any moment.
func publish(stage, out string) error {
	made := map[string]bool{}
	err := filepath.WalkDir(stage, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(stage, path)
		if err != nil {
			return err
		}
		made[rel] = true
		if d.IsDir() {
			return os.MkdirAll(filepath.Join(out, rel), 0o755)
		}
		return replace(path, filepath.Join(out, rel))
	})
	if err != nil {
		return err
	}
	return filepath.WalkDir(out, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(out, path)
		if err != nil || made[rel] {
			return err
		}
		if err := os.RemoveAll(path); err != nil || !d.IsDir() {
			return err
		}
		return filepath.SkipDir
	})
}

// replace makes to the same file as from: a link, since a copy would be written
// by this program, and a child that it forks meanwhile would keep the copy busy
// (go.dev/issue/22315). The tools never write into a file that is there; they
// put a new one in its place.
func replace(from, to string) error {
	dir, err := os.MkdirTemp(filepath.Dir(to), ".new-")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	link := filepath.Join(dir, filepath.Base(to))
	if err := os.Link(from, link); err != nil {
		return err
	}
	return os.Rename(link, to)
}
