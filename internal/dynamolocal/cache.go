package dynamolocal

import (
	"archive/zip"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"time"
)

const (
	artifact = "software.amazon.dynamodb:DynamoDBLocal:" + Version
	mainJar  = "DynamoDBLocal-" + Version + ".jar"
	// mainJarSHA256 is that of the jar on Maven Central. A released artifact never changes.
	mainJarSHA256 = "3d6d35f34482d0fcbdd52d7ec2c0aa18cf937aab2b5a1e4605ad6b2052bac03c"
	// marker is written last: a folder without it is half done. It lists every file with its size.
	marker = "complete"
	// lockPoll is how often a process looks whether another one's download is over.
	lockPoll = 200 * time.Millisecond
)

func (o Options) installDir() string {
	return filepath.Join(o.CacheDir, "dynamodb-local-"+Version)
}

func libDir(install string) string    { return filepath.Join(install, "lib") }
func nativeDir(install string) string { return filepath.Join(install, "native") }

// install makes the folder with DynamoDB Local's files unless it is there and whole. Any number
// of processes may do so at once: one downloads, into a folder of its own that is then renamed,
// and the others wait.
func install(ctx context.Context, o Options, maven string) error {
	dir := o.installDir()
	if isInstalled(dir) {
		return nil
	}
	if err := os.MkdirAll(o.CacheDir, 0o755); err != nil {
		return fmt.Errorf("cache folder for DynamoDB Local: %w", err)
	}
	unlock, err := lock(ctx, o, dir+".lock")
	if err != nil {
		return err
	}
	defer unlock()
	if isInstalled(dir) {
		return nil
	}
	if maven == "" {
		return fmt.Errorf("the files of DynamoDB Local in %s are not whole; install Maven to fetch them again", dir)
	}
	return download(ctx, o, maven)
}

// download fetches into a temporary folder beside the final one and moves it into place.
// The caller holds the lock, so that older temporary folders belong to downloads that were killed.
func download(ctx context.Context, o Options, maven string) error {
	prefix := filepath.Base(o.installDir()) + ".part-"
	stale, _ := filepath.Glob(filepath.Join(o.CacheDir, prefix+"*"))
	for _, s := range stale {
		_ = os.RemoveAll(s)
	}
	tmp, err := os.MkdirTemp(o.CacheDir, prefix)
	if err != nil {
		return fmt.Errorf("cache folder for DynamoDB Local: %w", err)
	}
	defer os.RemoveAll(tmp)
	if err := fetch(ctx, maven, tmp, o.Progress); err != nil {
		return err
	}
	if err := verifyMainJar(tmp); err != nil {
		return err
	}
	if err := extractNative(tmp); err != nil {
		return err
	}
	if err := writeMarker(tmp); err != nil {
		return err
	}
	if err := os.RemoveAll(o.installDir()); err != nil {
		return err
	}
	return os.Rename(tmp, o.installDir())
}

// lock waits for the lock file and returns what lets go of it.
func lock(ctx context.Context, o Options, path string) (unlock func(), err error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("cache folder for DynamoDB Local: %w", err)
	}
	tick := time.NewTicker(lockPoll)
	defer tick.Stop()
	for told := false; ; told = true {
		ok, err := tryLock(f)
		if ok {
			return func() { _ = f.Close() }, nil
		}
		if err != nil {
			_ = f.Close()
			return nil, fmt.Errorf("lock %s: %w", path, err)
		}
		if !told {
			fmt.Fprintln(o.Progress, "waiting for another process that downloads DynamoDB Local")
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			_ = f.Close()
			return nil, ctx.Err()
		}
	}
}

// isInstalled compares the folder with its marker: names and sizes, which is quick enough for
// every start and notices an aborted copy or a cleaned-up cache.
func isInstalled(dir string) bool {
	want, err := os.ReadFile(filepath.Join(dir, marker))
	if err != nil {
		return false
	}
	got, err := inventory(dir)
	return err == nil && bytes.Equal(want, got)
}

func writeMarker(dir string) error {
	list, err := inventory(dir)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, marker), list, 0o644)
}

// inventory lists the downloaded files with their sizes, in order of their names.
func inventory(dir string) ([]byte, error) {
	var list bytes.Buffer
	for _, sub := range []string{libDir(dir), nativeDir(dir)} {
		entries, err := os.ReadDir(sub)
		if err != nil {
			return nil, err
		}
		for _, e := range entries {
			info, err := e.Info()
			if err != nil {
				return nil, err
			}
			fmt.Fprintf(&list, "%s/%s %d\n", filepath.Base(sub), e.Name(), info.Size())
		}
	}
	return list.Bytes(), nil
}

func verifyMainJar(dir string) error {
	f, err := os.Open(filepath.Join(libDir(dir), mainJar))
	if err != nil {
		return fmt.Errorf("maven did not fetch DynamoDB Local: %w", err)
	}
	defer f.Close()
	h := sha256.New()
	if _, err := io.Copy(h, f); err != nil {
		return err
	}
	if got := hex.EncodeToString(h.Sum(nil)); got != mainJarSHA256 {
		return fmt.Errorf("%s from Maven has the SHA-256 %s, want %s: it is not the released one", mainJar, got, mainJarSHA256)
	}
	return nil
}

// extractNative takes SQLite's library for this machine out of the main jar. DynamoDB Local would
// do so itself at every start, into the temporary folder, where it stays when it is killed.
func extractNative(dir string) error {
	if err := os.Mkdir(nativeDir(dir), 0o755); err != nil {
		return err
	}
	jar, err := zip.OpenReader(filepath.Join(libDir(dir), mainJar))
	if err != nil {
		return fmt.Errorf("%s: %w", mainJar, err)
	}
	defer jar.Close()
	suffix := "/native/" + nativePlatform() + "/" + nativeName()
	for _, f := range jar.File {
		if strings.HasSuffix(f.Name, suffix) {
			return extract(f, filepath.Join(nativeDir(dir), nativeName()))
		}
	}
	// On a platform that is not in the jar, DynamoDB Local looks further and explains itself.
	return nil
}

func extract(f *zip.File, path string) (err error) {
	from, err := f.Open()
	if err != nil {
		return err
	}
	defer from.Close()
	to, err := os.OpenFile(path, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o755)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, to.Close()) }()
	_, err = io.CopyN(to, from, int64(f.UncompressedSize64))
	return err
}

// nativePlatform is the folder of the main jar for this machine, such as Linux/x86_64.
func nativePlatform() string {
	system := map[string]string{"linux": "Linux", "darwin": "Mac", "windows": "Windows"}[runtime.GOOS]
	arch := map[string]string{"amd64": "x86_64", "arm64": "aarch64", "386": "x86"}[runtime.GOARCH]
	return system + "/" + arch
}

func nativeName() string {
	switch runtime.GOOS {
	case "windows":
		return "sqlite4java.dll"
	case "darwin":
		return "libsqlite4java.dylib"
	default:
		return "libsqlite4java.so"
	}
}
