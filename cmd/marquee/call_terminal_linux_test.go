package main

import (
	"bytes"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// openTerminal returns a terminal to write to, and a function that closes it and returns what it was shown.
func openTerminal(t *testing.T) (*os.File, func() string) {
	t.Helper()
	screen, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudo terminals here: %v", err)
	}
	t.Cleanup(func() { screen.Close() })
	if err := unix.IoctlSetPointerInt(int(screen.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(screen.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	end, err := os.OpenFile("/dev/pts/"+strconv.Itoa(number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return end, func() string {
		end.Close()
		shown, _ := io.ReadAll(screen) // it ends with EIO when the other end is closed
		return strings.ReplaceAll(string(shown), "\r\n", "\n")
	}
}

// TestCallRefusedAtATerminal: a person reads the answer once, and then what it lacks: the type, the request id, and what
// to do next.
func TestCallRefusedAtATerminal(t *testing.T) {
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
		w.Header().Set("X-Amzn-Requestid", "7e2f1b7c-0000-4000-8000-00000000000b")
		w.WriteHeader(http.StatusForbidden)
		io.WriteString(w, `{"Message":"User: x is not authorized"}`)
	}))
	defer api.Close()
	dir := t.TempDir()
	keys := filepath.Join(dir, "credentials")
	state := filepath.Join(dir, "local.json")
	for file, text := range map[string]string{
		keys:  "[reader]\naws_access_key_id = AKIAIOSFODNN7EXAMPLE\naws_secret_access_key = secret\n",
		state: fmt.Sprintf(`{"region":"ap-northeast-2","invoke_url":"%s/dev","console_url":"http://127.0.0.1:8084/","credentials_file":%q,"profiles":{"reader":"x"}}`, api.URL, keys),
	} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	t.Setenv("AWS_SHARED_CREDENTIALS_FILE", keys)
	t.Setenv("AWS_CONFIG_FILE", keys)
	for name, tt := range map[string]struct {
		args []string
		next string
	}{
		"of the local stack": {[]string{"--state", state}, "http://127.0.0.1:8084/ shows why\n"},
		"of another API":     {[]string{"--url", api.URL + "/dev", "--region", "ap-northeast-2", "--profile", "reader"}, "read which policy the message names"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, shown := openTerminal(t)
			var stderr bytes.Buffer
			status := run(t.Context(), append([]string{"call", "/movie_list"}, tt.args...), environment{
				Getenv: func(name string) string { return map[string]string{"NO_COLOR": "1"}[name] },
				Stdin:  strings.NewReader(""), Stdout: stdout, Stderr: &stderr,
			})
			if status != 4 {
				t.Errorf("exit status %d, want 4", status)
			}
			if got, want := shown(), "{\"Message\":\"User: x is not authorized\"}\n"; got != want {
				t.Errorf("the terminal shows %q, want %q", got, want)
			}
			const said = "marquee: 403 Forbidden: AccessDeniedException (request id 7e2f1b7c-0000-4000-8000-00000000000b)\n"
			if got := stderr.String(); !strings.HasPrefix(got, said) || strings.Contains(got, "User: x") || !strings.Contains(got, tt.next) {
				t.Errorf("standard error has %q; want it to begin with %q, to say %q, and not to repeat the answer", got, said, tt.next)
			}
		})
	}
}
