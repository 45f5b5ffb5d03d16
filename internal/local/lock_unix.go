//go:build unix

package local

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// lockState takes the state file for this process: the kernel lets go of it when the process ends, however it ends. The
// release removes the lock file while it still holds it, so that nobody can lock a file that is about to go: who opened it
// before finds after locking that the path names another file or none, and starts over.
func lockState(path string) (release func(), err error) {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return nil, err
	}
	for {
		f, err := lockFile(path)
		if err != nil {
			return nil, err
		}
		current, err := names(path, f)
		if err != nil {
			f.Close()
			return nil, err
		}
		if current {
			return func() { os.Remove(path); f.Close() }, nil
		}
		f.Close()
	}
}

// lockFile opens and locks whatever file the path names now.
func lockFile(path string) (*os.File, error) {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	if err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB); err != nil {
		f.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return nil, errLocked
		}
		return nil, fmt.Errorf("locking %s: %w", path, err)
	}
	return f, nil
}

// names reports whether the path still names the open file.
func names(path string, f *os.File) (bool, error) {
	opened, err := f.Stat()
	if err != nil {
		return false, err
	}
	there, err := os.Stat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil && os.SameFile(opened, there), err
}
