package gobuild

import (
	"context"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// DefaultInterval is how often a watch looks at the sources. Looking costs one
// stat for each source file, and works on every file system.
const DefaultInterval = 500 * time.Millisecond

// Watch says what to build again when its sources change.
type Watch struct {
	// Functions are those to watch. Their results must be there already: the
	// first build is not the watch's.
	Functions []Function
	// Changed is told of each artifact whose binary is another one now. Nil is
	// nobody.
	Changed func(Artifact)
	// Failed is told of each build that failed; the watch goes on. Nil is nobody.
	Failed func(error)
	// Tick says when to look; nil looks every [DefaultInterval].
	Tick <-chan time.Time
}

// Watch looks at the functions' sources until ctx ends, whose error it returns.
// A change is built when a further look finds the sources at rest, so that half
// of a checkout or of an editor's save is not built.
//
// Sources are the Go files, module files and makefiles of the module that a
// function is in, tests apart, a bootstrap that is run as it is, and every file
// in its CodeUri if that is not the module's root. Folders whose names begin with a dot or an underscore, vendored
// node modules and the output folder are not looked at.
func (b *Builder) Watch(ctx context.Context, w Watch) error {
	tick := w.Tick
	if tick == nil {
		ticker := time.NewTicker(DefaultInterval)
		defer ticker.Stop()
		tick = ticker.C
	}
	looker := b.newWatcher(w)
	for {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-tick:
			looker.look(ctx)
		}
	}
}

// watcher remembers what the sources looked like.
type watcher struct {
	*Builder
	Watch
	seen     []digest // of each function's sources, at the last look
	moving   []bool   // whether that look found a change
	binaries []digest
}

func (b *Builder) newWatcher(w Watch) *watcher {
	l := &watcher{Builder: b, Watch: w, moving: make([]bool, len(w.Functions))}
	for _, f := range w.Functions {
		l.seen = append(l.seen, b.sources(f))
		l.binaries = append(l.binaries, contents(b.result(f)))
	}
	return l
}

// look builds the functions that changed at the look before this one and not
// since.
func (l *watcher) look(ctx context.Context) {
	var settled []int
	for i, f := range l.Functions {
		now := l.sources(f)
		if now == l.seen[i] && l.moving[i] {
			settled = append(settled, i)
		}
		l.moving[i] = now != l.seen[i]
		l.seen[i] = now
	}
	if len(settled) > 0 {
		l.again(ctx, settled)
	}
}

// again builds functions, named by their places, whose sources have changed.
func (l *watcher) again(ctx context.Context, places []int) {
	functions := make([]Function, len(places))
	for i, place := range places {
		functions[i] = l.Functions[place]
	}
	artifacts, err := l.Build(ctx, functions...)
	if err != nil && ctx.Err() == nil && l.Failed != nil {
		l.Failed(err)
	}
	for i, a := range artifacts {
		now := contents(a.Bootstrap)
		if a.Bootstrap == "" || now == l.binaries[places[i]] {
			continue
		}
		l.binaries[places[i]] = now
		if l.Changed != nil {
			l.Changed(a)
		}
	}
}

// result is where a function's binary is when it has been built.
func (b *Builder) result(f Function) string {
	if prebuilt := filepath.Join(f.CodeURI, Bootstrap); f.Method == "" {
		if _, err := os.Stat(prebuilt); err == nil {
			return prebuilt
		}
	}
	return filepath.Join(b.Output, f.LogicalID, Bootstrap)
}

// digest stands for the state of files; the zero digest for none.
type digest [sha256.Size]byte

// contents is the digest of a file's bytes.
func contents(path string) digest {
	data, err := os.ReadFile(path)
	if err != nil {
		return digest{}
	}
	return sha256.Sum256(data)
}

// sources is the digest of the names, sizes and times of a function's sources.
func (b *Builder) sources(f Function) digest {
	code, err := filepath.Abs(f.CodeURI)
	if err != nil {
		return digest{}
	}
	output, err := filepath.Abs(b.Output)
	if err != nil {
		return digest{}
	}
	root := moduleRoot(code)
	h := sha256.New()
	_ = filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return nil // it went away while we looked: the next look tells
		case d.IsDir():
			if path != root && (path == output || skipped(d.Name())) {
				return filepath.SkipDir
			}
			return nil
		case !isSource(d.Name()) && path != filepath.Join(code, Bootstrap) &&
			(code == root || !strings.HasPrefix(path, code+string(filepath.Separator))):
			return nil
		}
		info, err := d.Info()
		if err != nil {
			return nil
		}
		_, _ = h.Write([]byte(path))
		_ = binary.Write(h, binary.LittleEndian, []int64{0, info.Size(), info.ModTime().UnixNano()})
		return nil
	})
	return digest(h.Sum(nil))
}

// moduleRoot is the nearest folder above dir with a go.mod, or dir.
func moduleRoot(dir string) string {
	for at := dir; ; at = filepath.Dir(at) {
		if _, err := os.Stat(filepath.Join(at, "go.mod")); !errors.Is(err, fs.ErrNotExist) {
			return at
		}
		if at == filepath.Dir(at) {
			return dir
		}
	}
}

// skipped names folders that hold no sources: the Go command leaves the same
// ones out.
func skipped(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || name == "node_modules" || name == "testdata"
}

func isSource(name string) bool {
	switch name {
	case "go.mod", "go.sum", "go.work", "Makefile", "makefile", "GNUmakefile":
		return true
	}
	return strings.HasSuffix(name, ".mk") || strings.HasSuffix(name, ".go") && !strings.HasSuffix(name, "_test.go")
}
