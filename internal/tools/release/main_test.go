package main

import (
	"archive/tar"
	"archive/zip"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const (
	commit = "0123456789abcdef0123456789abcdef01234567"
	date   = "2026-11-23T13:00:00+09:00"
)

// The same sources in another folder, and another shell's flags, give the same bytes.
func TestAReleaseIsReproducible(t *testing.T) {
	if testing.Short() {
		t.Skip("builds the program twice")
	}
	here := runtime.GOOS + "/" + runtime.GOARCH
	args := []string{"-version", "v9.8.7", "-revision", commit, "-time", date, "-targets", here}
	first, second := filepath.Join(t.TempDir(), "out"), filepath.Join(t.TempDir(), "out")

	root, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	t.Chdir(root)
	if err := run(t.Context(), append(args, "-out", first), io.Discard); err != nil {
		t.Fatal(err)
	}
	t.Chdir(copyOf(t, root))
	t.Setenv("GOFLAGS", "-tags=other")
	t.Setenv("CGO_ENABLED", "1")
	if err := run(t.Context(), append(args, "-out", second), io.Discard); err != nil {
		t.Fatal(err)
	}
	one, two := sumsIn(t, first), sumsIn(t, second)
	if diff := cmp.Diff(one, two); diff != "" || len(one) != 3 {
		t.Errorf("%d files; between two builds (-first +second):\n%s", len(one), diff)
	}
	checkSums(t, first)
	checkArchive(t, filepath.Join(first, "marquee_9.8.7_"+strings.ReplaceAll(here, "/", "_")+".tar.gz"))
	checkParts(t, filepath.Join(first, "marquee_9.8.7_sbom.cdx.json"))
}

// copyOf is the tree as git sees it, in another folder and without its history.
func copyOf(t *testing.T, root string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", "ls-files", "-z", "--cached", "--others", "--exclude-standard")
	cmd.Dir = root
	list, err := cmd.Output()
	if err != nil {
		t.Skipf("no repository to copy: %v", err)
	}
	to := t.TempDir()
	for name := range strings.SplitSeq(strings.Trim(string(list), "\x00"), "\x00") {
		data, err := os.ReadFile(filepath.Join(root, name))
		if errors.Is(err, os.ErrNotExist) {
			continue // removed, and not committed yet
		}
		if err != nil {
			t.Fatal(err)
		}
		path := filepath.Join(to, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, data, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return to
}

func sumsIn(t *testing.T, dir string) map[string]string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	sums := map[string]string{}
	for _, e := range entries {
		data, err := os.ReadFile(filepath.Join(dir, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		sums[e.Name()] = hex.EncodeToString(sum[:])
	}
	return sums
}

// checkSums has sha256sum read the sums, where there is one.
func checkSums(t *testing.T, dir string) {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(dir, "SHA256SUMS"))
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(text), "\n"); got != 2 {
		t.Errorf("SHA256SUMS names %d files, want the archive and the list of parts:\n%s", got, text)
	}
	tool, err := exec.LookPath("sha256sum")
	if err != nil {
		t.Log("not checked: no sha256sum on this machine")
		return
	}
	cmd := exec.CommandContext(t.Context(), tool, "--check", "--strict", "SHA256SUMS")
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Errorf("%v:\n%s", err, out)
	}
}

// checkArchive unpacks the archive and asks the program who it is.
func checkArchive(t *testing.T, path string) {
	t.Helper()
	file, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	compressed, err := gzip.NewReader(file)
	if err != nil {
		t.Fatal(err)
	}
	folder := strings.TrimSuffix(filepath.Base(path), ".tar.gz") + "/"
	want := []string{"CHANGELOG.md", "LICENSE", "README.md", "completions/marquee.bash", "completions/marquee.zsh", "man/marquee.1", "man/marquee-call.1", "marquee"}
	archive := tar.NewReader(compressed)
	seen := map[string]bool{}
	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		name, inFolder := strings.CutPrefix(header.Name, folder)
		seen[name] = true
		if !inFolder || header.Uid != 0 || header.Uname != "" || !header.ModTime.Equal(time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)) {
			t.Errorf("%s: of user %d %q at %v, want it in %s, of nobody, at the commit's time", header.Name, header.Uid, header.Uname, header.ModTime, folder)
		}
		if name == "marquee" {
			checkProgram(t, archive)
		}
	}
	for _, name := range want {
		if !seen[name] {
			t.Errorf("the archive lacks %s; it has %v", name, slices.Sorted(maps.Keys(seen)))
		}
	}
}

func checkProgram(t *testing.T, content io.Reader) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "marquee")
	file, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o700)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.Copy(file, content); err != nil {
		t.Fatal(err)
	}
	file.Close()
	out, err := exec.CommandContext(t.Context(), path, "version").CombinedOutput()
	if want := "marquee v9.8.7 (0123456789ab of 2026-11-23T04:00:00Z) "; err != nil || !strings.HasPrefix(string(out), want) {
		t.Errorf("version: %v %q, want %q", err, out, want)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	root, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(data, []byte(root)) {
		t.Errorf("the program names the folder %s", root)
	}
}

// checkParts compares the list with what go version -m says of a program's modules.
func checkParts(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var bom struct {
		BOMFormat   string `json:"bomFormat"`
		SpecVersion string `json:"specVersion"`
		Metadata    struct{ Timestamp string }
		Components  []struct {
			Name, Version, PURL string
			Hashes              []struct{ Alg, Content string }
		}
	}
	if err := json.Unmarshal(text, &bom); err != nil {
		t.Fatal(err)
	}
	if bom.BOMFormat != "CycloneDX" || bom.SpecVersion != "1.6" || bom.Metadata.Timestamp != "2026-11-23T04:00:00Z" {
		t.Errorf("got %s %s of %s", bom.BOMFormat, bom.SpecVersion, bom.Metadata.Timestamp)
	}
	listed := map[string]bool{}
	for _, c := range bom.Components {
		listed[c.Name+" "+c.Version] = true
		if c.PURL != "pkg:golang/"+c.Name+"@"+strings.ReplaceAll(c.Version, "+", "%2B") {
			t.Errorf("%s has the address %s", c.Name, c.PURL)
		}
		if c.Name != "std" && (len(c.Hashes) != 1 || len(c.Hashes[0].Content) != 64) {
			t.Errorf("%s has the sums %v, want one SHA-256", c.Name, c.Hashes)
		}
	}
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{if .Version}}{{.Path}} {{.Version}}{{end}}{{end}}", "./cmd/marquee").Output()
	if err != nil {
		t.Fatal(err)
	}
	want := map[string]bool{"std " + strings.TrimPrefix(runtime.Version(), "go"): true}
	for module := range strings.Lines(string(out)) {
		if module = strings.TrimSpace(module); module != "" {
			want[module] = true
		}
	}
	if diff := cmp.Diff(want, listed); diff != "" || len(want) < 20 {
		t.Errorf("parts (-go list +listed):\n%s", diff)
	}
}

func TestZipForWindows(t *testing.T) {
	dir := t.TempDir()
	program := filepath.Join(dir, "p")
	if err := os.WriteFile(program, []byte("MZ"), 0o600); err != nil {
		t.Fatal(err)
	}
	when := time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)
	r := release{version: "v1.0.0", time: when, out: dir}
	windows := target{"windows", "arm64"}
	if err := r.pack(windows, []file{{name: windows.program(), path: program, mode: 0o755}}); err != nil {
		t.Fatal(err)
	}
	archive, err := zip.OpenReader(filepath.Join(dir, "marquee_1.0.0_windows_arm64.zip"))
	if err != nil {
		t.Fatal(err)
	}
	defer archive.Close()
	if len(archive.File) != 1 || archive.File[0].Name != "marquee_1.0.0_windows_arm64/marquee.exe" || !archive.File[0].Modified.Equal(when) {
		t.Errorf("got %+v", archive.File)
	}
}

func TestWhatIsRefused(t *testing.T) {
	tests := map[string]struct {
		args []string
		want string
	}{
		"no version":                {nil, `-version ""`},
		"a version that is a path":  {[]string{"-version", "../v1"}, `-version "../v1"`},
		"no time":                   {[]string{"-version", "v1"}, "-time"},
		"a platform without a part": {[]string{"-version", "v1", "-time", date, "-targets", "linux"}, `"linux" is no platform`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			out := filepath.Join(t.TempDir(), "out")
			err := run(t.Context(), append(tt.args, "-out", out), io.Discard)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
			if _, err := os.Stat(out); err == nil {
				t.Error("a folder was made all the same")
			}
		})
	}
}
