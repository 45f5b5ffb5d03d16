package sidecar

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/net/http/httpguts"
)

const (
	// rereadAfter is how long a value out of a file is used before the file is read again.
	rereadAfter = time.Second
	// maxHeaderFile is what API Gateway takes of headers, all together.
	maxHeaderFile = 10240
)

// HeaderFile is a header whose value lies in a file, such as a secret. It is read again while the proxy runs, because
// secrets are renewed.
type HeaderFile struct{ Name, File string }

// Read returns the value without the white space around it. The error says neither the path, which may be the secret
// itself in place of its file, nor what is in the file.
func (h HeaderFile) Read() (string, error) {
	file, err := os.Open(h.File)
	if err != nil {
		return "", withoutPath(err)
	}
	defer file.Close()
	text, err := io.ReadAll(io.LimitReader(file, maxHeaderFile+1))
	if err != nil {
		return "", withoutPath(err)
	}
	value := strings.TrimSpace(string(text))
	switch {
	case len(text) > maxHeaderFile:
		return "", fmt.Errorf("it is larger than %d bytes", maxHeaderFile)
	case value == "":
		return "", errors.New("it is empty")
	}
	return value, nil
}

func withoutPath(err error) error {
	var path *fs.PathError
	if errors.As(err, &path) {
		return path.Err
	}
	return err
}

// added are the headers that are added to each request.
type added struct {
	files []HeaderFile
	now   func() time.Time
	log   *slog.Logger
	all   atomic.Pointer[http.Header] // is replaced, never changed

	mu     sync.Mutex // held while the files are read
	fixed  http.Header
	values []string // of the files
	failed []bool   // whether that has been said
	read   time.Time
}

// newAdded reads the files for the first time: each must be there.
func newAdded(cfg Config) (*added, error) {
	a := &added{now: cfg.Now, log: cfg.Log, fixed: make(http.Header), read: cfg.Now()}
	for name, values := range cfg.Add {
		key, err := checkName("add", name)
		if err != nil {
			return nil, err
		}
		for _, value := range values {
			if err := checkValue(key, value); err != nil {
				return nil, err
			}
		}
		a.fixed[key] = values
	}
	for _, h := range cfg.AddFiles {
		key, err := checkName("add", h.Name)
		if err != nil {
			return nil, err
		}
		value, err := h.Read()
		if err != nil {
			return nil, fmt.Errorf("the file of header %s to add: %w", key, err)
		}
		if err := checkValue(key, value); err != nil {
			return nil, err
		}
		a.files, a.values = append(a.files, HeaderFile{key, h.File}), append(a.values, value)
	}
	a.failed = make([]bool, len(a.files))
	a.publish()
	return a, nil
}

func checkValue(name, value string) error {
	if !httpguts.ValidHeaderFieldValue(value) {
		return fmt.Errorf("header %s to add: its value holds what no header may hold", name)
	}
	return nil
}

// header is what is added now. Nobody waits for a file that somebody else is reading.
func (a *added) header() http.Header {
	if len(a.files) > 0 && a.mu.TryLock() {
		if now := a.now(); now.Sub(a.read) >= rereadAfter {
			a.read = now
			a.reread()
		}
		a.mu.Unlock()
	}
	return *a.all.Load()
}

// reread looks for other values. Where there is none that can be sent, as in a file that is half written, the one before
// stays.
func (a *added) reread() {
	changed := false
	for i, h := range a.files {
		value, err := h.Read()
		if err == nil {
			err = checkValue(h.Name, value)
		}
		if err != nil {
			if !a.failed[i] {
				a.log.Warn("the file of a header to add cannot be used: the value from before is sent", "header", h.Name, "error", err.Error())
			}
			a.failed[i] = true
			continue
		}
		a.failed[i] = false
		changed = changed || value != a.values[i]
		a.values[i] = value
	}
	if changed {
		a.publish()
	}
}

func (a *added) publish() {
	all := a.fixed.Clone()
	for i, h := range a.files {
		all[h.Name] = append(all[h.Name], a.values[i])
	}
	a.all.Store(&all)
}
