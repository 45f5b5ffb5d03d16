//go:build unix

package dynamolocal_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/marquee-api/marquee/internal/dynamolocal"
	"github.com/marquee-api/marquee/internal/dynamolocal/dynamotest"
)

// envRole makes the test binary play another program: a user of the package, or a maven, a java
// or a docker that does what a test wants.
const envRole = "DYNAMOLOCAL_TEST_ROLE"

func TestMain(m *testing.M) {
	switch role := os.Getenv(envRole); role {
	case "":
		os.Exit(dynamotest.Run(m))
	case "user":
		os.Exit(userMain())
	case "mvn":
		os.Exit(fakeMaven())
	case "java":
		os.Exit(fakeJava())
	case "docker":
		os.Exit(fakeDocker())
	case "container":
		os.Exit(fakeContainer())
	default:
		fmt.Fprintf(os.Stderr, "unknown role %q\n", role)
		os.Exit(2)
	}
}

// program makes a program that is the test binary in a role, with more environment, and returns
// its path.
func program(t *testing.T, role string, env ...string) string {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	script := "#!/bin/sh\n"
	// The race detector would have each of these sleep for a second at its end.
	for _, e := range append(env, envRole+"="+role, "GORACE=atexit_sleep_ms=0") {
		name, value, _ := strings.Cut(e, "=")
		script += fmt.Sprintf("export %s='%s'\n", name, value)
	}
	script += fmt.Sprintf("exec '%s' \"$@\"\n", self)
	path := filepath.Join(t.TempDir(), role)
	if err := os.WriteFile(path, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// shell makes a program of shell commands.
func shell(t *testing.T, commands string) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "program")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+commands+"\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	return path
}

// programs is a machine that has these programs and no other.
type programs map[string]string

func (p programs) look(name string) (string, error) {
	if path, ok := p[name]; ok {
		return path, nil
	}
	return "", &exec.Error{Name: name, Err: exec.ErrNotFound}
}

// real is the machine's own program.
func real(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// plain is a server with default options on the machine's Java. It ends with the test binary.
var plain = sync.OnceValues(func() (*dynamolocal.Server, error) {
	return dynamolocal.Start(context.Background(), dynamolocal.Options{Mode: dynamolocal.ModeJava, Progress: os.Stderr})
})

// plainServer returns it, or skips the test if the machine cannot run it.
func plainServer(t *testing.T) *dynamolocal.Server {
	t.Helper()
	s, err := plain()
	dynamotest.Need(t, err)
	return s
}

// needJava skips the test unless the real DynamoDB Local can be started with the machine's Java.
// It returns the folder with its jars.
func needJava(t *testing.T) (jars string) {
	t.Helper()
	plainServer(t)
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	return filepath.Join(cache, "marquee", "dynamodb-local-"+dynamolocal.Version, "lib")
}

// start starts a server that ends with the test.
func start(t *testing.T, o dynamolocal.Options) *dynamolocal.Server {
	t.Helper()
	s, err := dynamolocal.Start(t.Context(), o)
	if err != nil {
		t.Fatalf("start: %v", err)
	}
	t.Cleanup(func() {
		if err := s.Stop(context.Background()); err != nil {
			t.Errorf("stop: %v", err)
		}
	})
	return s
}

// user is a program that starts a server, says where it is, and stops it when its standard input
// ends. It is another process than the test.
type user struct {
	cmd   *exec.Cmd
	stdin io.Closer
	lines *bufio.Scanner
}

// userOptions are the options that the user gets, as JSON.
type userOptions struct {
	Mode, CacheDir string
	Programs       programs // nil: the machine's own
}

const envOptions = "DYNAMOLOCAL_TEST_OPTIONS"

func userMain() int {
	var o userOptions
	if err := json.Unmarshal([]byte(os.Getenv(envOptions)), &o); err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	options := dynamolocal.Options{Mode: o.Mode, CacheDir: o.CacheDir, Progress: os.Stdout}
	if o.Programs != nil {
		options.LookPath = o.Programs.look
	}
	s, err := dynamolocal.Start(context.Background(), options)
	if err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	fmt.Println("url", s.URL)
	_, _ = io.Copy(io.Discard, os.Stdin)
	if err := s.Stop(context.Background()); err != nil {
		fmt.Println("failed:", err)
		return 1
	}
	return 0
}

func startUser(t *testing.T, o userOptions) *user {
	t.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program(t, "user", envOptions+"="+string(text)))
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, out, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = stdout.Close() })
	defer out.Close()
	if err := stdout.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	cmd.Stdout, cmd.Stderr = out, os.Stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return &user{cmd: cmd, stdin: stdin, lines: bufio.NewScanner(stdout)}
}

// line returns the rest of the next line of the user that begins with the prefix.
func (u *user) line(t *testing.T, prefix string) string {
	t.Helper()
	for u.lines.Scan() {
		if rest, ok := strings.CutPrefix(u.lines.Text(), prefix); ok {
			return rest
		}
		if strings.HasPrefix(u.lines.Text(), "failed:") {
			t.Fatalf("user %s", u.lines.Text())
		}
	}
	t.Fatalf("user ended before it said %q: %v", prefix, u.lines.Err())
	return ""
}

// quit has the user stop its server and end.
func (u *user) quit(t *testing.T) {
	t.Helper()
	_ = u.stdin.Close()
	for u.lines.Scan() {
	}
	if err := u.cmd.Wait(); err != nil {
		t.Errorf("user: %v", err)
	}
}

// kill ends the user in the way that leaves it no time to clean up.
func (u *user) kill(t *testing.T) {
	t.Helper()
	if err := u.cmd.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = u.cmd.Wait()
}

// dial opens a connection that stays open as long as the server's process lives.
func dial(t *testing.T, url string) net.Conn {
	t.Helper()
	conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

// freePort is one that was free a moment ago.
func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

func runProgram(t *testing.T, path string, args ...string) ([]byte, error) {
	t.Helper()
	return exec.CommandContext(t.Context(), path, args...).CombinedOutput()
}

func portOf(t *testing.T, url string) int {
	t.Helper()
	port, err := strconv.Atoi(url[strings.LastIndexByte(url, ':')+1:])
	if err != nil {
		t.Fatal(err)
	}
	return port
}
