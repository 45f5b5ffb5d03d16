//go:build unix

package dynamolocal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"
)

func TestJavaMajor(t *testing.T) {
	// First lines as the vendors' own programs print them.
	tests := map[string]struct {
		output string
		want   int
	}{
		"OpenJDK of Debian":  {`openjdk version "17.0.15" 2025-04-15`, 17},
		"first of a release": {`openjdk version "21" 2023-09-19`, 21},
		"Temurin":            {`openjdk version "25.0.3" 2026-04-21 LTS`, 25},
		"early access":       {`openjdk version "26-ea" 2026-03-17`, 26},
		"Oracle before 9":    {`java version "1.8.0_402"`, 8},
		"with options set":   {"Picked up JAVA_TOOL_OPTIONS: -Xmx1g\n" + `openjdk version "17.0.15" 2025-04-15`, 17},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "java")
			if err := os.WriteFile(path, fmt.Appendf(nil, "#!/bin/sh\ncat >&2 <<'END'\n%s\nEND\n", tt.output), 0o755); err != nil {
				t.Fatal(err)
			}
			if got, err := javaMajor(t.Context(), path); err != nil || got != tt.want {
				t.Errorf("got %d, %v, want %d", got, err, tt.want)
			}
		})
	}
}

func TestLocalURL(t *testing.T) {
	tests := map[string]struct {
		hosts []string
		want  string
	}{
		"loopback":      {[]string{"127.0.0.1", "192.0.2.1"}, "http://127.0.0.1:8000"},
		"every address": {[]string{"0.0.0.0"}, "http://127.0.0.1:8000"},
		"also of IPv6":  {[]string{"::"}, "http://[::1]:8000"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := localURL(tt.hosts, 8000); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// prepared skips the test without Java, and returns options and a Java that can start at once.
func prepared(t *testing.T) (Options, runtimeJava, string) {
	t.Helper()
	o, err := Options{}.withDefaults()
	if err != nil {
		t.Fatal(err)
	}
	java, err := findJava(t.Context(), o)
	if err != nil && strings.Contains(os.Getenv("MARQUEE_REQUIRE"), "dynamodb") {
		t.Fatal(err)
	}
	if err != nil {
		t.Skipf("needs Java and Maven: %v", err)
	}
	classes, err := prepareJava(t.Context(), o, java)
	if err != nil {
		t.Fatal(err)
	}
	return o, java, classes
}

// Only Linux has the signal that ends a child with its parent; elsewhere it is this alone.
func TestLauncherEndsWithItsStandardInput(t *testing.T) {
	o, java, classes := prepared(t)
	r, w := io.Pipe()
	cmd := exec.Command(java.path, javaArgs(o, classes)...)
	cmd.Stdout = w
	p, err := startProcess(cmd, syscall.SIGKILL)
	if err != nil {
		t.Fatal(err)
	}
	defer p.kill()
	ready := make(chan struct{})
	go func() {
		defer close(ready)
		buf := make([]byte, 1<<10)
		for text := ""; !strings.Contains(text, "marquee: port "); {
			n, err := r.Read(buf)
			if err != nil {
				return
			}
			text += string(buf[:n])
		}
		go func() { _, _ = io.Copy(io.Discard, r) }()
	}()
	<-ready
	if err := p.stdin.Close(); err != nil {
		t.Fatal(err)
	}
	select {
	case <-p.done:
		if p.err != nil {
			t.Errorf("it ended with %v, want 0", p.err)
		}
	case <-time.After(time.Minute):
		t.Error("it goes on after the end of its standard input")
	}
}

// The port may be taken after it was found free.
func TestPortIsTakenInBetween(t *testing.T) {
	o, java, classes := prepared(t)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	o.Port = l.Addr().(*net.TCPAddr).Port
	_, err = startJava(t.Context(), o, java, classes)
	if taken := (*PortInUseError)(nil); !errors.As(err, &taken) || taken.Port != o.Port {
		t.Errorf("got %v, want a PortInUseError of %d", err, o.Port)
	}
}

func TestJavaEndsBeforeItIsReady(t *testing.T) {
	o := Options{Hosts: []string{loopback}}
	_, err := launch(t.Context(), o, exec.Command("/bin/sh", "-c", "echo Unrecognized VM option >&2; exit 1"))
	if !errors.Is(err, errStopped) || !strings.Contains(err.Error(), "exit status 1") || !strings.Contains(err.Error(), "Unrecognized VM option") {
		t.Errorf("got %v, want the exit status and what it said", err)
	}
}

func TestJavaStartIsCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	cmd := exec.Command("/bin/sh", "-c", "echo here >&3; cat")
	cmd.ExtraFiles = []*os.File{w}
	go func() {
		_, _ = r.Read(make([]byte, 1))
		cancel()
	}()
	if _, err := launch(ctx, Options{Hosts: []string{loopback}}, cmd); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v, want %v", err, context.Canceled)
	}
	if cmd.ProcessState == nil {
		t.Error("it still runs")
	}
	_ = w.Close()
}

// What a program prints is kept only as far as an error message needs it.
func TestOutputIsBounded(t *testing.T) {
	var got []string
	l := &lines{each: func(line string) { got = append(got, line) }}
	out := &tail{}
	for _, w := range []io.Writer{l, out} {
		for range 3 {
			if _, err := io.WriteString(w, strings.Repeat("x", tailSize)); err != nil {
				t.Fatal(err)
			}
		}
		if _, err := io.WriteString(w, "\nlast\r\nwithout end"); err != nil {
			t.Fatal(err)
		}
	}
	if len(got) != 2 || len(got[0]) != maxLine || got[1] != "last" {
		t.Errorf("got %d lines, the first of %d bytes, want two, of %d and 4", len(got), len(got[0]), maxLine)
	}
	if text := out.String(); len(text) > tailSize || !strings.HasSuffix(text, "\nlast\r\nwithout end") {
		t.Errorf("got %d bytes that end with %q", len(text), text[len(text)-20:])
	}
}
