package lambdahost_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/lambdahost"
)

func TestNewRefusesWhatCannotRun(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	plain := filepath.Join(dir, "plain")
	if err := os.WriteFile(plain, []byte("#!/bin/sh\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		change func(*lambdahost.Config)
		want   string
	}{
		"no name":             {func(c *lambdahost.Config) { c.Name = "" }, "without a name"},
		"no executable":       {func(c *lambdahost.Config) { c.Bootstrap = "" }, "no executable"},
		"missing executable":  {func(c *lambdahost.Config) { c.Bootstrap = filepath.Join(dir, "none") }, "build the function first"},
		"folder":              {func(c *lambdahost.Config) { c.Bootstrap = dir }, "is not a file"},
		"not executable":      {func(c *lambdahost.Config) { c.Bootstrap = plain }, "chmod +x"},
		"missing folder":      {func(c *lambdahost.Config) { c.Dir = filepath.Join(dir, "none") }, "no such file"},
		"folder is a file":    {func(c *lambdahost.Config) { c.Dir = plain }, "is not a folder"},
		"no KEY=VALUE":        {func(c *lambdahost.Config) { c.Env = []string{"TABLE_NAME"} }, "environment entry 0"},
		"empty key":           {func(c *lambdahost.Config) { c.Env = []string{"A=1", "=x"} }, "environment entry 1"},
		"reserved variable":   {func(c *lambdahost.Config) { c.Env = []string{"AWS_LAMBDA_RUNTIME_API=x"} }, "AWS_LAMBDA_RUNTIME_API is reserved"},
		"variable set twice":  {func(c *lambdahost.Config) { c.Env = []string{"A=1", "A=2"} }, "A is set twice"},
		"variable with a nul": {func(c *lambdahost.Config) { c.Env = []string{"A=s3cr3t\x00"} }, `"A" holds a zero byte`},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			cfg := lambdahost.Config{Name: "movielist", Bootstrap: executable(t)}
			test.change(&cfg)
			_, err := lambdahost.New(cfg)
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %v, want an error with %q", err, test.want)
			}
			if cfg.Name != "" && !strings.Contains(err.Error(), "movielist") {
				t.Errorf("got %v, which does not name the function", err)
			}
			if strings.Contains(err.Error(), "s3cr3t") {
				t.Errorf("the error holds a value: %v", err)
			}
		})
	}
}

func TestNewFillsInDefaults(t *testing.T) {
	t.Parallel()
	f, err := lambdahost.New(lambdahost.Config{Name: "movielist", Bootstrap: executable(t)})
	if err != nil {
		t.Fatal(err)
	}
	if got, want := f.ARN(), "arn:aws:lambda:us-east-1:000000000000:function:movielist"; got != want {
		t.Errorf("ARN: got %s, want %s", got, want)
	}
	if got, want := f.Version(), "$LATEST"; got != want {
		t.Errorf("version: got %s, want %s", got, want)
	}
	if got, want := f.Timeout(), lambdahost.DefaultTimeout; got != want {
		t.Errorf("timeout: got %v, want %v", got, want)
	}
	if got, want := f.Name(), "movielist"; got != want {
		t.Errorf("name: got %s, want %s", got, want)
	}
}

// A file that is executable but no program fails where Lambda says it does.
func TestInvokeOfWhatIsNoProgram(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "bootstrap")
	if err := os.WriteFile(path, []byte("\x7fELF, but not really"), 0o755); err != nil {
		t.Fatal(err)
	}
	f := open(t, "none", func(c *lambdahost.Config) { c.Bootstrap = path })
	r, err := f.Invoke(t.Context(), lambdahost.Invocation{RequestID: "id-1"})
	if err != nil {
		t.Fatal(err)
	}
	want := `{"errorType":"Runtime.InvalidEntrypoint","errorMessage":"RequestId: id-1 Error: fork/exec ` + path + `: exec format error"}`
	if string(r.Payload) != want {
		t.Errorf("got %s, want %s", r.Payload, want)
	}
}
