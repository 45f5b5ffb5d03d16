// Package outfile writes a file that is there whole or not at all: what goes wrong half-way leaves the file that was there
// before, or none.
//
// It says at once whether the place can be written to, so that nobody finds out after the work. It knows files and nothing
// of what is in them.
package outfile

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// mostDrafts bounds the drafts beside a file: of programs that run at the same time, or were killed.
const mostDrafts = 100

// File is a file that is being written. It is whole after Commit, and nothing is left of it after Discard.
type File struct {
	file   *os.File
	target string // "" for what cannot be replaced: a device, a named pipe
	done   bool
}

var _ io.Writer = (*File)(nil)

// Create begins a file at path. A file that is there is kept until Commit, and so is its mode; a symbolic link is followed.
// What is no ordinary file, such as /dev/null or a named pipe, is written to as it is.
func Create(path string) (*File, error) {
	info, err := os.Stat(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return draft(path, nil)
	case err != nil:
		return nil, err
	case info.IsDir():
		return nil, &fs.PathError{Op: "create", Path: path, Err: errors.New("it is a directory")}
	}
	// A file that must not be written to must not be replaced either.
	old, err := os.OpenFile(path, os.O_WRONLY, 0)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return &File{file: old}, nil
	}
	if err := old.Close(); err != nil {
		return nil, err
	}
	if path, err = filepath.EvalSymlinks(path); err != nil {
		return nil, err
	}
	return draft(path, info)
}

// draft begins the file under another name in the same directory, where renaming it is one step.
func draft(path string, old fs.FileInfo) (*File, error) {
	dir := filepath.Dir(path)
	for number := range mostDrafts {
		file, err := os.OpenFile(filepath.Join(dir, fmt.Sprintf(".marquee-%d.part", number)), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o666)
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return nil, &fs.PathError{Op: "create", Path: path, Err: cause(err)}
		}
		f := &File{file: file, target: path}
		if old != nil {
			if err := file.Chmod(old.Mode().Perm()); err != nil {
				return nil, errors.Join(err, f.Discard())
			}
		}
		return f, nil
	}
	return nil, &fs.PathError{Op: "create", Path: path, Err: fmt.Errorf("%s is full of .marquee-*.part files: remove those that nobody writes any more", dir)}
}

// cause leaves the draft's name out of an error: nobody asked for that file.
func cause(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// Write adds to the file.
func (f *File) Write(b []byte) (int, error) { return f.file.Write(b) }

// Commit puts the file into its place. When that fails nothing is left of it.
func (f *File) Commit() error {
	if f.done {
		return nil
	}
	if f.target == "" {
		f.done = true
		return f.file.Close()
	}
	if err := f.file.Close(); err != nil {
		return errors.Join(err, f.Discard())
	}
	if err := os.Rename(f.file.Name(), f.target); err != nil {
		return errors.Join(err, f.Discard())
	}
	f.done = true
	return nil
}

// Discard removes what was written. After Commit, or a second time, it does nothing.
func (f *File) Discard() error {
	if f.done {
		return nil
	}
	f.done = true
	f.file.Close() //nolint:errcheck // what is thrown away need not be whole
	if f.target == "" {
		return nil
	}
	return os.Remove(f.file.Name())
}
