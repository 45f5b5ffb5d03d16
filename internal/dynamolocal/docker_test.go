//go:build unix

package dynamolocal_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/dynamolocal"
)

const image = "amazon/dynamodb-local:3.1.0"

// dockerHost is a machine with a fake docker, and no Java.
type dockerHost struct {
	programs programs
	calls    string
}

func newDockerHost(t *testing.T, fail string, env ...string) dockerHost {
	t.Helper()
	dir := t.TempDir()
	h := dockerHost{calls: filepath.Join(dir, "calls")}
	h.programs = programs{"docker": program(t, "docker", append(env, envState+"="+dir, envCalls+"="+h.calls, envFail+"="+fail)...)}
	return h
}

// commands are docker's calls, with the rest of each one's arguments.
func (h dockerHost) commands(t *testing.T, command string) []string {
	t.Helper()
	text, err := os.ReadFile(h.calls)
	if err != nil {
		t.Fatal(err)
	}
	var rest []string
	for line := range strings.Lines(string(text)) {
		if r, ok := strings.CutPrefix(strings.TrimSpace(line), command+" "); ok {
			rest = append(rest, r)
		}
	}
	return rest
}

func TestDockerRunsAndIsRemoved(t *testing.T) {
	h := newDockerHost(t, "")
	var progress bytes.Buffer
	options := dynamolocal.Options{
		Mode: dynamolocal.ModeDocker, Hosts: []string{"127.0.0.2"}, LookPath: h.programs.look, Progress: &progress,
	}
	s := start(t, options)
	port := portOf(t, s.URL)
	for _, host := range []string{"127.0.0.1", "127.0.0.2"} {
		resp, err := http.Get(fmt.Sprintf("http://%s:%d", host, port))
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
	}
	name := fmt.Sprintf("marquee-dynamodb-%d-%d", os.Getpid(), port)
	want := []string{fmt.Sprintf("--rm --name %s --publish 127.0.0.1:%d:8000 --publish 127.0.0.2:%d:8000 %s "+
		"-jar DynamoDBLocal.jar -inMemory -sharedDb -disableTelemetry", name, port, port, image)}
	if diff := cmp.Diff(want, h.commands(t, "run")); diff != "" {
		t.Errorf("docker run (-want +got):\n%s", diff)
	}
	conn := dial(t, s.URL)
	for range 2 {
		if err := s.Stop(t.Context()); err != nil {
			t.Errorf("stop: %v", err)
		}
	}
	waitClosed(t, conn)
	select {
	case <-s.Done():
	default:
		t.Error("not done after it was stopped")
	}
	if diff := cmp.Diff([]string{"--force " + name}, h.commands(t, "rm")); diff != "" {
		t.Errorf("docker rm (-want +got):\n%s", diff)
	}

	start(t, options)
	if diff := cmp.Diff([]string{image}, h.commands(t, "pull")); diff != "" {
		t.Errorf("docker pull in two starts (-want +got):\n%s", diff)
	}
	if got := progress.String(); !strings.Contains(got, image) || !strings.Contains(got, "Pulling from amazon/dynamodb-local") {
		t.Errorf("got the progress %q, want the image and docker's own", got)
	}
}

func TestDockerEndsOnItsOwn(t *testing.T) {
	h := newDockerHost(t, "")
	s := start(t, dynamolocal.Options{Mode: dynamolocal.ModeDocker, LookPath: h.programs.look})
	// As somebody else's "docker rm --force" would.
	pids, err := filepath.Glob(filepath.Join(filepath.Dir(h.calls), "marquee-dynamodb-*"))
	if err != nil || len(pids) != 1 {
		t.Fatalf("got the containers %v, %v, want one", pids, err)
	}
	if out, err := runProgram(t, h.programs["docker"], "rm", "--force", filepath.Base(pids[0])); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	select {
	case <-s.Done():
	case <-time.After(patience):
		t.Fatal("not done")
	}
	if err := s.Stop(t.Context()); err != nil {
		t.Errorf("stop of a container that is gone: %v", err)
	}
}

func TestDockerEndsWithItsUser(t *testing.T) {
	h := newDockerHost(t, "")
	u := startUser(t, userOptions{Mode: dynamolocal.ModeDocker, Programs: h.programs})
	conn := dial(t, u.line(t, "url "))
	u.kill(t)
	waitClosed(t, conn)
}

func TestDockerFails(t *testing.T) {
	tests := map[string]struct {
		fail string
		want []string
		runs int
	}{
		"no image":        {"pull", []string{"pull " + image, "no route to host", "--dynamodb URL"}, 0},
		"container ends":  {"exit", []string{"ended before it was ready", "Unable to access jarfile"}, 1},
		"every port used": {"port", []string{"in use"}, 3},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			h := newDockerHost(t, tt.fail)
			_, err := dynamolocal.Start(t.Context(), dynamolocal.Options{Mode: dynamolocal.ModeDocker, LookPath: h.programs.look})
			if err == nil {
				t.Fatal("got no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want it to contain %q", err, want)
				}
			}
			if got := len(h.commands(t, "run")); got != tt.runs {
				t.Errorf("docker run was called %d times, want %d", got, tt.runs)
			}
		})
	}
}

func TestDockerTakesAnotherFreePort(t *testing.T) {
	h := newDockerHost(t, "port once")
	start(t, dynamolocal.Options{Mode: dynamolocal.ModeDocker, LookPath: h.programs.look})
	if got := len(h.commands(t, "run")); got != 2 {
		t.Errorf("docker run was called %d times, want twice", got)
	}
}

func TestDockerDoesNotLeaveAGivenPort(t *testing.T) {
	h := newDockerHost(t, "port once")
	port := freePort(t)
	_, err := dynamolocal.Start(t.Context(), dynamolocal.Options{Mode: dynamolocal.ModeDocker, Port: port, LookPath: h.programs.look})
	if taken := (*dynamolocal.PortInUseError)(nil); !errors.As(err, &taken) || taken.Port != port {
		t.Errorf("got %v, want a PortInUseError of %d", err, port)
	}
}

// A start that is given up must not leave the container behind, nor a docker that is about to make
// one.
func TestDockerStartIsCancelled(t *testing.T) {
	for _, stuck := range []string{"container", "client"} {
		t.Run(stuck, func(t *testing.T) {
			l, hold := held(t)
			h := newDockerHost(t, "stuck "+stuck, hold)
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			failed := make(chan error, 1)
			go func() {
				_, err := dynamolocal.Start(ctx, dynamolocal.Options{Mode: dynamolocal.ModeDocker, LookPath: h.programs.look})
				failed <- err
			}()
			conn := accept(t, l)
			cancel()
			waitClosed(t, conn)
			if err := <-failed; !errors.Is(err, context.Canceled) {
				t.Errorf("got %v, want %v", err, context.Canceled)
			}
		})
	}
}

func TestDockerCannotRemove(t *testing.T) {
	h := newDockerHost(t, "rm")
	s, err := dynamolocal.Start(t.Context(), dynamolocal.Options{Mode: dynamolocal.ModeDocker, LookPath: h.programs.look})
	if err != nil {
		t.Fatal(err)
	}
	conn := dial(t, s.URL)
	err = s.Stop(t.Context())
	name := strings.TrimPrefix(h.commands(t, "rm")[0], "--force ")
	for _, want := range []string{"permission denied", "docker rm --force " + name} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want it to contain %q", err, want)
		}
	}
	if out, err := runProgram(t, h.programs["docker"], "rm", "--really", name); err != nil {
		t.Errorf("%v: %s", err, out)
	}
	waitClosed(t, conn)
}

func TestAutoPrefersJava(t *testing.T) {
	jars := needJava(t)
	t.Run("and takes it", func(t *testing.T) {
		m, h := newMachine(t, jars), newDockerHost(t, "")
		m.programs["docker"] = h.programs["docker"]
		start(t, dynamolocal.Options{CacheDir: t.TempDir(), LookPath: m.programs.look})
		if _, err := os.Stat(h.calls); err == nil {
			t.Error("docker was called")
		}
	})
	t.Run("or falls back to docker", func(t *testing.T) {
		m, h := newMachine(t, jars, envFail+"=half"), newDockerHost(t, "")
		m.programs["docker"] = h.programs["docker"]
		var progress bytes.Buffer
		start(t, dynamolocal.Options{CacheDir: t.TempDir(), LookPath: m.programs.look, Progress: &progress})
		if got := len(h.commands(t, "run")); got != 1 {
			t.Errorf("docker run was called %d times, want once", got)
		}
		if want := "Network is unreachable"; !strings.Contains(progress.String(), want) {
			t.Errorf("got the progress %q, want it to say why: %q", progress.String(), want)
		}
	})
}
