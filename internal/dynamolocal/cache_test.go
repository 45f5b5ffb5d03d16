//go:build unix

package dynamolocal_test

import (
	"bytes"
	"context"
	"errors"
	"net"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/marquee-api/marquee/internal/dynamolocal"
)

// machine is one with fakes: a maven that takes jars from a folder, and a java that answers.
type machine struct {
	programs programs
	calls    string // the file where maven's are noted
	java     string // the file where java's are
}

func newMachine(t *testing.T, jars string, mavenEnv ...string) machine {
	t.Helper()
	dir := t.TempDir()
	calls, java := filepath.Join(dir, "mvn"), filepath.Join(dir, "java")
	return machine{calls: calls, java: java, programs: programs{
		"java": program(t, "java", envCalls+"="+java),
		"mvn":  program(t, "mvn", append(mavenEnv, envJars+"="+jars, envCalls+"="+calls)...),
	}}
}

// mavenCalls is how often maven was called.
func (m machine) mavenCalls(t *testing.T) int {
	t.Helper()
	text, err := os.ReadFile(m.calls)
	if err != nil && !errors.Is(err, os.ErrNotExist) {
		t.Fatal(err)
	}
	return bytes.Count(text, []byte("\n"))
}

func TestCacheIsFilledOnce(t *testing.T) {
	m := newMachine(t, needJava(t))
	options := dynamolocal.Options{Mode: dynamolocal.ModeAuto, CacheDir: filepath.Join(t.TempDir(), "not", "there", "yet"), LookPath: m.programs.look}
	var progress bytes.Buffer
	options.Progress = &progress
	for range 2 {
		s := start(t, options)
		if !strings.HasPrefix(s.URL, "http://127.0.0.1:") {
			t.Errorf("got the URL %s", s.URL)
		}
	}
	if got := m.mavenCalls(t); got != 1 {
		t.Errorf("maven was called %d times, want once", got)
	}
	java, err := os.ReadFile(m.java)
	if got := strings.Count(string(java), "jdk.compiler"); err != nil || got != 1 {
		t.Errorf("the launcher was compiled %d times, %v, want once", got, err)
	}
	// 1.5 MB for each of the jars, told in steps.
	for _, want := range []string{"downloading DynamoDB Local 3.1.0", "\n  10 MB\n", "is ready"} {
		if got := progress.String(); strings.Count(got, want) != 1 {
			t.Errorf("got the progress %q, want %q once", got, want)
		}
	}
}

func TestCacheHalfDoneIsRedone(t *testing.T) {
	jars := needJava(t)
	inLib := func(name string) string { return filepath.Join("lib", name) }
	main := inLib("DynamoDBLocal-" + dynamolocal.Version + ".jar")
	tests := map[string]func(install string) error{
		"no marker":      func(i string) error { return os.Remove(filepath.Join(i, "complete")) },
		"empty folder":   func(i string) error { return errors.Join(os.RemoveAll(i), os.Mkdir(i, 0o755)) },
		"no jars":        func(i string) error { return os.RemoveAll(filepath.Join(i, "lib")) },
		"a jar less":     func(i string) error { return os.Remove(filepath.Join(i, main)) },
		"no native part": func(i string) error { return os.RemoveAll(filepath.Join(i, "native")) },
		"half a jar": func(i string) error {
			path := filepath.Join(i, main)
			return errors.Join(os.Remove(path), os.WriteFile(path, []byte("half"), 0o600))
		},
		"a killed download": func(i string) error {
			return errors.Join(os.RemoveAll(i), os.MkdirAll(i+".part-123/lib", 0o755))
		},
	}
	for name, harm := range tests {
		t.Run(name, func(t *testing.T) {
			m := newMachine(t, jars)
			options := dynamolocal.Options{CacheDir: t.TempDir(), LookPath: m.programs.look}
			start(t, options)
			if err := harm(filepath.Join(options.CacheDir, "dynamodb-local-"+dynamolocal.Version)); err != nil {
				t.Fatal(err)
			}
			start(t, options)
			if got := m.mavenCalls(t); got != 2 {
				t.Errorf("maven was called %d times, want twice", got)
			}
			start(t, options)
			if got := m.mavenCalls(t); got != 2 {
				t.Errorf("maven was called %d times, want no third time", got)
			}
			noParts(t, options.CacheDir)
		})
	}
}

// noParts checks that no temporary folder of a download is left.
func noParts(t *testing.T, cache string) {
	t.Helper()
	left, err := filepath.Glob(filepath.Join(cache, "*.part-*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left in the cache: %v, %v", left, err)
	}
}

func TestCacheDownloadFails(t *testing.T) {
	jars := needJava(t)
	tests := map[string]struct{ fail, want string }{
		"in the middle":  {"half", "Network is unreachable"},
		"wrong contents": {"content", "is not the released one"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			cache := t.TempDir()
			bad, good := newMachine(t, jars, envFail+"="+tt.fail), newMachine(t, jars)
			_, err := dynamolocal.Start(t.Context(), dynamolocal.Options{CacheDir: cache, LookPath: bad.programs.look})
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want it to say %q", err, tt.want)
			}
			// Java and Maven are there: it is not this machine that lacks something.
			if missing := (*dynamolocal.UnavailableError)(nil); errors.As(err, &missing) {
				t.Errorf("got an UnavailableError: %v", err)
			}
			noParts(t, cache)
			start(t, dynamolocal.Options{CacheDir: cache, LookPath: good.programs.look})
			if got := good.mavenCalls(t); got != 1 {
				t.Errorf("the good maven was called %d times afterwards, want once", got)
			}
		})
	}
}

// held listens for the fake that is told to dial it, and returns it with its address.
func held(t *testing.T) (net.Listener, string) {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = l.Close() })
	if err := l.(*net.TCPListener).SetDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	return l, envHold + "=" + l.Addr().String()
}

func accept(t *testing.T, l net.Listener) net.Conn {
	t.Helper()
	conn, err := l.Accept()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = conn.Close() })
	return conn
}

func TestCacheFirstUseByTwoProcesses(t *testing.T) {
	jars := needJava(t)
	l, hold := held(t)
	m := newMachine(t, jars, hold)
	options := userOptions{Mode: dynamolocal.ModeJava, CacheDir: t.TempDir(), Programs: m.programs}

	first := startUser(t, options)
	maven := accept(t, l) // its maven runs
	second := startUser(t, options)
	second.line(t, "waiting for another process")
	_ = maven.Close() // its maven may end

	if one, two := first.line(t, "url "), second.line(t, "url "); one == two {
		t.Errorf("both got the URL %s", one)
	}
	if got := m.mavenCalls(t); got != 1 {
		t.Errorf("maven was called %d times, want once", got)
	}
	first.quit(t)
	second.quit(t)
}

// A process that is killed during its download must not stand in the way of the next one.
func TestCacheDownloadIsKilled(t *testing.T) {
	jars := needJava(t)
	l, hold := held(t)
	slow, quick := newMachine(t, jars, hold), newMachine(t, jars)
	options := userOptions{Mode: dynamolocal.ModeJava, CacheDir: t.TempDir(), Programs: slow.programs}
	u := startUser(t, options)
	maven := accept(t, l)
	u.kill(t)
	waitClosed(t, maven) // it ends with its user

	start(t, dynamolocal.Options{CacheDir: options.CacheDir, LookPath: quick.programs.look})
	if got := quick.mavenCalls(t); got != 1 {
		t.Errorf("maven was called %d times, want once", got)
	}
	noParts(t, options.CacheDir)
}

func TestCacheDownloadIsCancelled(t *testing.T) {
	jars := needJava(t)
	l, hold := held(t)
	m := newMachine(t, jars, hold)
	cache := t.TempDir()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		conn, err := l.Accept()
		cancel()
		if err == nil {
			t.Cleanup(func() { _ = conn.Close() })
		}
	}()
	before := children(t)
	_, err := dynamolocal.Start(ctx, dynamolocal.Options{CacheDir: cache, LookPath: m.programs.look})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if after := children(t); len(after) != len(before) {
		t.Errorf("got the child processes %v after %v", after, before)
	}
	noParts(t, cache)
}

func TestOfflineWithWarmCache(t *testing.T) {
	needJava(t)
	s := start(t, dynamolocal.Options{LookPath: programs{"java": real(t, "java")}.look})
	if _, err := s.Client(region).ListTables(t.Context(), &dynamodb.ListTablesInput{}); err != nil {
		t.Error(err)
	}
}

func TestUnavailable(t *testing.T) {
	java := program(t, "java")
	old := shell(t, `echo 'java version "1.8.0_402"' >&2`)
	broken := shell(t, `echo 'The operation could not be completed. Unable to locate a Java Runtime.' >&2; exit 1`)
	mute := shell(t, `echo 'hello'`)
	downDocker := program(t, "docker", envFail+"=daemon")
	tests := map[string]struct {
		mode     string
		programs programs
		want     []string
	}{
		"nothing at all":       {dynamolocal.ModeAuto, programs{}, []string{"java", "docker"}},
		"no java":              {dynamolocal.ModeJava, programs{"docker": "/bin/false"}, []string{"java"}},
		"no docker":            {dynamolocal.ModeDocker, programs{"java": java, "mvn": java}, []string{"docker"}},
		"no maven":             {dynamolocal.ModeAuto, programs{"java": java}, []string{"maven", "docker"}},
		"no daemon":            {dynamolocal.ModeAuto, programs{"docker": downDocker}, []string{"java", "Cannot connect to the Docker daemon"}},
		"old java":             {dynamolocal.ModeJava, programs{"java": old, "mvn": java}, []string{old, "version 8", "17"}},
		"old java, no docker":  {dynamolocal.ModeAuto, programs{"java": old, "mvn": java}, []string{"version 8", "docker"}},
		"only says how to get": {dynamolocal.ModeJava, programs{"java": broken, "mvn": java}, []string{broken, "Unable to locate a Java Runtime"}},
		"says no version":      {dynamolocal.ModeJava, programs{"java": mute, "mvn": java}, []string{mute, "hello"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			_, err := dynamolocal.Start(t.Context(), dynamolocal.Options{Mode: tt.mode, CacheDir: t.TempDir(), LookPath: tt.programs.look})
			missing := (*dynamolocal.UnavailableError)(nil)
			if !errors.As(err, &missing) {
				t.Fatalf("got %v, want an UnavailableError", err)
			}
			for _, want := range append(tt.want, "--dynamodb URL", "install Java (JDK 17 or newer) and Maven", "install Docker") {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want it to contain %q", err, want)
				}
			}
			tooOld := (*dynamolocal.JavaVersionError)(nil)
			if got, want := errors.As(err, &tooOld), tt.programs["java"] == old; got != want {
				t.Errorf("is a JavaVersionError: got %t, want %t", got, want)
			}
			if tooOld != nil && (tooOld.Major != 8 || tooOld.Path != old) {
				t.Errorf("got %+v, want 8 and %s", tooOld, old)
			}
		})
	}
}

// A caller who gives up is not told that his machine has no Java.
func TestCancelledBeforeAnythingIsKnown(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	_, err := dynamolocal.Start(ctx, dynamolocal.Options{CacheDir: t.TempDir(), LookPath: programs{"java": program(t, "java")}.look})
	if missing := (*dynamolocal.UnavailableError)(nil); !errors.Is(err, context.Canceled) || errors.As(err, &missing) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
}
