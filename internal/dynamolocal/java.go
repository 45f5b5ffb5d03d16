package dynamolocal

import (
	"context"
	"crypto/sha256"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"syscall"
)

// minJava is what DynamoDB Local 3 needs (its developer guide, "Deploying DynamoDB locally").
const minJava = 17

//go:embed Launcher.java
var launcherSource []byte

// runtimeJava is a Java that can run DynamoDB Local, and the Maven that can fetch it.
type runtimeJava struct {
	path  string
	major int
	maven string // empty if there is none; the cache is warm then
}

// findJava looks for a Java that is new enough, and for Maven unless the cache is warm already.
func findJava(ctx context.Context, o Options) (runtimeJava, error) {
	path, err := o.LookPath("java")
	if err != nil {
		return runtimeJava{}, fmt.Errorf("java: %w", err)
	}
	major, err := javaMajor(ctx, path)
	if err != nil {
		return runtimeJava{}, err
	}
	if major < minJava {
		return runtimeJava{}, &JavaVersionError{Path: path, Major: major}
	}
	java := runtimeJava{path: path, major: major}
	maven, err := o.LookPath("mvn")
	if err != nil && !isInstalled(o.installDir()) {
		return runtimeJava{}, fmt.Errorf("maven, to fetch DynamoDB Local: %w", err)
	}
	java.maven = maven
	return java, nil
}

// Version lines are `openjdk version "17.0.15" 2025-04-15` and, before Java 9, `java version "1.8.0_402"`.
var javaVersionLine = regexp.MustCompile(`version "(?:1\.)?(\d+)`)

func javaMajor(ctx context.Context, path string) (int, error) {
	out, err := exec.CommandContext(ctx, path, "-version").CombinedOutput()
	if err != nil {
		// macOS has a java that only says how to get one.
		return 0, fmt.Errorf("java at %s does not run: %w: %s", path, err, lastLine(string(out)))
	}
	m := javaVersionLine.FindSubmatch(out)
	if m == nil {
		return 0, fmt.Errorf("java at %s does not tell its version: %s", path, lastLine(string(out)))
	}
	return strconv.Atoi(string(m[1]))
}

// prepareJava makes what a start needs and is kept in the cache. It returns the folder with the
// launcher's class.
func prepareJava(ctx context.Context, o Options, java runtimeJava) (classes string, err error) {
	if err := install(ctx, o, java.maven); err != nil {
		return "", err
	}
	return compileLauncher(ctx, o.installDir(), java)
}

func startJava(ctx context.Context, o Options, java runtimeJava, classes string) (*Server, error) {
	s, err := launch(ctx, o, exec.Command(java.path, javaArgs(o, classes)...))
	if err != nil {
		return nil, fmt.Errorf("cannot start DynamoDB Local: %w", err)
	}
	return s, nil
}

func javaArgs(o Options, classes string) []string {
	jars, _ := filepath.Glob(filepath.Join(libDir(o.installDir()), "*.jar"))
	args := []string{
		// A short life on few cores: the quick compiler and the simple collector halve the start.
		"-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Xshare:auto",
		// Nothing is left in the temporary folder, even if it is killed.
		"-XX:-UsePerfData",
		"-Dorg.sqlite.lib.path=" + nativeDir(o.installDir()), "-Dorg.sqlite.lib.name=" + nativeName(),
		"-Dlog4j2.disableJmx=true",
		"-cp", strings.Join(append([]string{classes}, jars...), string(os.PathListSeparator)),
		"Launcher", strconv.Itoa(o.Port),
	}
	args = append(args, o.Hosts...)
	return append(args, append([]string{"--"}, runnerOptions...)...)
}

// runnerOptions are DynamoDB Local's own (its developer guide, "DynamoDB local usage notes"). There
// is no -cors among them: without it no web page that is open in a browser is let in, whatever the
// guide says of its default.
var runnerOptions = []string{"-inMemory", "-sharedDb", "-disableTelemetry"}

// launch starts the launcher and waits for the line with its port.
func launch(ctx context.Context, o Options, cmd *exec.Cmd) (*Server, error) {
	said := make(chan string, 1)
	output := &tail{}
	cmd.Stderr = output
	cmd.Stdout = &lines{each: func(line string) {
		text, ours := strings.CutPrefix(line, "marquee: ")
		if !ours {
			_, _ = output.Write([]byte(line + "\n"))
			return
		}
		select {
		case said <- text:
		default:
		}
	}}
	p, err := startProcess(cmd, syscall.SIGKILL)
	if err != nil {
		return nil, err
	}
	select {
	case text := <-said:
		port, ready := strings.CutPrefix(text, "port ")
		if n, err := strconv.Atoi(port); ready && err == nil {
			return serverOf(p, localURL(o.Hosts, n)), nil
		}
		p.kill()
		// Something may have taken the port since it was probed.
		if err := probePort(o.Hosts, o.Port); err != nil {
			return nil, err
		}
		return nil, errors.New(text)
	case <-p.done:
		return nil, fmt.Errorf("%w (%v): %s", errStopped, p.err, output)
	case <-ctx.Done():
		p.kill()
		return nil, ctx.Err()
	}
}

// serverOf kills to stop: the database is in memory and keeps nothing elsewhere, so there is nothing
// to do in order, and the Java runtime takes a third of a second to end by itself.
func serverOf(p *process, url string) *Server {
	return &Server{URL: url, done: p.done, stop: func(context.Context) error {
		p.kill()
		return nil
	}}
}

// compileLauncher compiles Launcher.java for this Java, once, and returns the folder with the
// class. The compiler is asked for as a module: many distributions' Java has it without a javac
// program.
func compileLauncher(ctx context.Context, dir string, java runtimeJava) (string, error) {
	sum := sha256.Sum256(launcherSource)
	classes := filepath.Join(dir, fmt.Sprintf("launcher-%x-java%d", sum[:6], java.major))
	if _, err := os.Stat(filepath.Join(classes, "Launcher.class")); err == nil {
		return classes, nil
	}
	tmp, err := os.MkdirTemp(dir, "compile-")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(tmp)
	source := filepath.Join(tmp, "Launcher.java")
	if err := os.WriteFile(source, launcherSource, 0o600); err != nil {
		return "", err
	}
	jetty, _ := filepath.Glob(filepath.Join(libDir(dir), "jetty-*.jar"))
	cmd := exec.CommandContext(ctx, java.path, "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-XX:-UsePerfData",
		"-m", "jdk.compiler/com.sun.tools.javac.Main", "-proc:none", "-d", filepath.Join(tmp, "classes"), "-cp", strings.Join(jetty, string(os.PathListSeparator)), source)
	if out, err := cmd.CombinedOutput(); err != nil {
		if ctx.Err() != nil {
			return "", ctx.Err()
		}
		if strings.Contains(string(out), "jdk.compiler not found") {
			return "", fmt.Errorf("java at %s has no compiler (it is a runtime only); install a JDK, %d or newer", java.path, minJava)
		}
		return "", fmt.Errorf("compiling the launcher with %s: %w: %s", java.path, err, out)
	}
	if err := os.Rename(filepath.Join(tmp, "classes"), classes); err != nil {
		// Another process was quicker: its class is the same.
		if _, statErr := os.Stat(filepath.Join(classes, "Launcher.class")); statErr != nil {
			return "", err
		}
	}
	return classes, nil
}

func lastLine(s string) string {
	s = strings.TrimSpace(s)
	return s[strings.LastIndexByte(s, '\n')+1:]
}
