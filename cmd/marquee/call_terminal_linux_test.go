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

// TestSecurityCallAtATerminal: an answer does not control the terminal that it is shown on, and binary data stays away from
// it unless somebody insists.
func TestSecurityCallAtATerminal(t *testing.T) {
	const picture = "\x89PNG\x00\x00"
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch r.URL.Path {
		case "/dev/picture":
			w.Header().Set("Content-Type", "image/png")
			io.WriteString(w, picture)
		case "/dev/no-picture":
			w.WriteHeader(http.StatusNotFound)
			io.WriteString(w, picture)
		case "/dev/text":
			io.WriteString(w, "a\x1b[2Jb\x1b]0;title\x07\n")
		case "/dev/refused":
			w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
			w.Header().Set("X-Amzn-Requestid", "\u009b2J")
			w.WriteHeader(http.StatusForbidden)
			io.WriteString(w, `{"Message":"User: \u001b[2J"}`)
		}
	}))
	defer api.Close()
	t.Setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
	t.Setenv("AWS_SECRET_ACCESS_KEY", "secret")
	for name, tt := range map[string]struct {
		args          []string
		status        int
		shown, stderr string
	}{
		"a picture":            {[]string{"/picture"}, 1, "", "marquee: the answer is binary (image/png), and was not written to the terminal: write it to a file with -o FILE, or into a pipe; -o - shows it all the same\n"},
		"an error in pictures": {[]string{"/no-picture"}, 4, "", "marquee: the answer is binary"},
		"somebody insists":     {[]string{"/picture", "-o", "-"}, 0, picture, ""},
		"escape sequences":     {[]string{"/text"}, 0, "a^[[2Jb^[]0;title^G\n", ""},
		"in an error's words":  {[]string{"/refused", "-o", "/dev/null"}, 4, "", "marquee: 403 Forbidden: AccessDeniedException: User: ^[[2J (request id <U+009B>2J)\n"},
	} {
		t.Run(name, func(t *testing.T) {
			stdout, shown := openTerminal(t)
			var stderr bytes.Buffer
			args := []string{"call", "--url", api.URL + "/dev", "--region", "ap-northeast-2", "--state", "none.json"}
			status := run(t.Context(), append(args, tt.args...), environment{
				Getenv: func(string) string { return "" }, Stdin: strings.NewReader(""), Stdout: stdout, Stderr: &stderr,
			})
			if status != tt.status {
				t.Errorf("exit status %d, want %d", status, tt.status)
			}
			if got := shown(); got != tt.shown {
				t.Errorf("the terminal shows %q, want %q", got, tt.shown)
			}
			if got := stderr.String(); !strings.HasPrefix(got, tt.stderr) || tt.stderr == "" && got != "" {
				t.Errorf("standard error has %q, want it to begin with %q", got, tt.stderr)
			}
		})
	}
}
