package sidecar_test

import (
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/apiclient"
	"github.com/marquee-api/marquee/internal/sidecar"
)

// TestHeaderFilesAreReadAgain: a renewed secret is sent; what is no value leaves the one before in place, and is said once.
func TestHeaderFilesAreReadAgain(t *testing.T) {
	file := filepath.Join(t.TempDir(), "key")
	write := func(text string) {
		t.Helper()
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write("first\n")
	api, log := newAPI(t, nil), new(lines)
	var later atomic.Int64
	side := start(t, api.URL+"/dev", sidecar.Config{
		Add: http.Header{"X-Key": {"fixed"}}, AddFiles: []sidecar.HeaderFile{{Name: "x-key", File: file}},
		Now: func() time.Time { return time.Now().Add(time.Duration(later.Load())) },
		Log: slog.New(slog.NewTextHandler(log, nil)),
	})
	steps := []struct {
		write func()
		want  string
		said  int // warnings so far
	}{
		{func() {}, "first", 0},
		{func() { write("second") }, "second", 0},
		{func() { write("") }, "second", 1},
		{func() { write("two\nlines") }, "second", 1},
		{func() { write("third") }, "third", 1},
		{func() { write(strings.Repeat("x", 10241)) }, "third", 2},
		{func() { os.Remove(file) }, "third", 2},
		{func() { write("fourth") }, "fourth", 2},
	}
	for i, step := range steps {
		step.write()
		later.Add(int64(time.Second))
		side.do(t, "GET", "/a", nil, "X-Key", "stolen")
		got := api.arrivals(t, i+1)[i]
		checkSignature(t, got, testKeys)
		if diff := cmp.Diff([]string{"fixed", step.want}, got.Header["X-Key"]); diff != "" {
			t.Errorf("step %d (-want +got):\n%s", i, diff)
		}
		if said := strings.Count(log.String(), "the value from before is sent"); said != step.said {
			t.Errorf("step %d: %d warnings, want %d:\n%s", i, said, step.said, log)
		}
	}
	if text := log.String(); strings.Contains(text, file) || strings.Contains(text, "lines") {
		t.Errorf("the log tells the path or the value:\n%s", text)
	}
}

func TestHeaderFilesAreThereAtStart(t *testing.T) {
	empty := filepath.Join(t.TempDir(), "empty")
	if err := os.WriteFile(empty, []byte(" \n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, h := range map[string]sidecar.HeaderFile{
		"X-Key to add: no such file": {Name: "X-Key", File: empty + "2"},
		"X-Key to add: it is empty":  {Name: "X-Key", File: empty},
		"header Host cannot be":      {Name: "host", File: empty},
	} {
		_, err := sidecar.New(sidecar.Config{
			Endpoint: resolve(t, apiclient.EndpointConfig{URL: "http://127.0.0.1:1/dev", Region: testRegion}), Credentials: fixed(testKeys),
			AddFiles: []sidecar.HeaderFile{h},
		})
		if err == nil || !strings.Contains(err.Error(), name) || strings.Contains(err.Error(), empty) {
			t.Errorf("got %v, want %q without the path", err, name)
		}
	}
}
