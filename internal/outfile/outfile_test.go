package outfile_test

import (
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/outfile"
)

// listing is what a directory holds, by name.
func listing(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	all := map[string]string{}
	for _, e := range entries {
		text, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		all[e.Name()] = string(text)
	}
	return all
}

func TestAFileIsWholeOrNotThere(t *testing.T) {
	for name, tt := range map[string]struct {
		before map[string]string
		finish func(*outfile.File) error
		want   map[string]string
	}{
		"new":                 {nil, (*outfile.File).Commit, map[string]string{"x": "new"}},
		"in place of another": {map[string]string{"x": "old, and longer"}, (*outfile.File).Commit, map[string]string{"x": "new"}},
		"given up":            {nil, (*outfile.File).Discard, map[string]string{}},
		"given up, old kept":  {map[string]string{"x": "old"}, (*outfile.File).Discard, map[string]string{"x": "old"}},
		"beside another's draft": {map[string]string{".marquee-0.part": "theirs"}, (*outfile.File).Commit,
			map[string]string{".marquee-0.part": "theirs", "x": "new"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			for file, text := range tt.before {
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			path := filepath.Join(dir, "x")
			f, err := outfile.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := io.WriteString(f, "new"); err != nil {
				t.Fatal(err)
			}
			if got, err := os.ReadFile(path); string(got) != tt.before["x"] {
				t.Errorf("before its end %q is there (%v), want %q", got, err, tt.before["x"])
			}
			if err := tt.finish(f); err != nil {
				t.Fatal(err)
			}
			if err := f.Discard(); err != nil { // as a deferred call does after all went well
				t.Error(err)
			}
			if diff := cmp.Diff(tt.want, listing(t, dir)); diff != "" {
				t.Errorf("files (-want +got):\n%s", diff)
			}
			if info, err := os.Stat(path); err == nil && tt.before["x"] != "" && runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
				t.Errorf("mode %v, want the one that it had", info.Mode())
			}
		})
	}
}

func TestPlacesThatCannotBeWrittenTo(t *testing.T) {
	dir := t.TempDir()
	for name, path := range map[string]string{
		"no directory": filepath.Join(dir, "none", "x"),
		"a directory":  dir,
	} {
		t.Run(name, func(t *testing.T) {
			f, err := outfile.Create(path)
			if err == nil {
				f.Discard()
				t.Fatal("got a file")
			}
			if !strings.Contains(err.Error(), path) || strings.Contains(err.Error(), ".part") {
				t.Errorf("got %v, want an error with %s", err, path)
			}
		})
	}
	if diff := cmp.Diff(map[string]string{}, listing(t, dir)); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

func TestALinkIsFollowed(t *testing.T) {
	dir := t.TempDir()
	real, link := filepath.Join(dir, "real"), filepath.Join(dir, "link")
	if err := os.WriteFile(real, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(real, link); err != nil {
		t.Skip(err)
	}
	f, err := outfile.Create(link)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, "new"); err != nil {
		t.Fatal(err)
	}
	if err := f.Commit(); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Lstat(link); err != nil || info.Mode()&fs.ModeSymlink == 0 {
		t.Errorf("the link is %v, %v", info, err)
	}
	if got, err := os.ReadFile(real); string(got) != "new" {
		t.Errorf("got %q, %v", got, err)
	}
}

// A device is not replaced by a file.
func TestADeviceStaysOne(t *testing.T) {
	if _, err := os.Stat("/dev/null"); err != nil {
		t.Skip(err)
	}
	f, err := outfile.Create("/dev/null")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(f, "x"); err != nil {
		t.Error(err)
	}
	if err := f.Commit(); err != nil {
		t.Error(err)
	}
	if info, err := os.Stat("/dev/null"); err != nil || info.Mode()&fs.ModeDevice == 0 {
		t.Errorf("/dev/null is %v, %v", info, err)
	}
}
