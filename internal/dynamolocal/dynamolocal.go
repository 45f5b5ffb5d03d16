// Package dynamolocal starts AWS's own DynamoDB Local for a laptop or a test, makes tables in it
// and loads data into them.
//
// The database is the real one, in memory, on loopback unless the caller names other addresses,
// with its telemetry off. It runs on the machine's Java (its files come from Maven, once, into a
// cache folder), in a container, or it is one that already runs somewhere. This package knows
// nothing of templates, of movies or of the gateway: which tables there are is the caller's
// business.
package dynamolocal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// Version is the DynamoDB Local that is started.
const Version = "3.1.0"

// The modes of [Options.Mode] that are not a URL.
const (
	ModeAuto   = "auto"
	ModeJava   = "java"
	ModeDocker = "docker"
)

// Options says how to start DynamoDB Local. The zero value starts it with whatever the machine
// has, on a free port of 127.0.0.1.
type Options struct {
	// Mode is "auto" (or empty), "java", "docker", or the http or https URL of one that runs.
	// With a URL nothing is started, and Stop does nothing.
	Mode string
	// Port to listen on; 0 is a free one.
	Port int
	// Hosts are IP addresses to listen on besides 127.0.0.1, which is always one of them
	// (0.0.0.0 or :: take its place). Nil is 127.0.0.1 only: the database checks no credentials.
	Hosts []string
	// CacheDir holds what is downloaded, across runs and for any number of processes.
	// Empty is "marquee" in the user's cache folder.
	CacheDir string
	// Progress gets a visible progress of the one-time download. Nil is silent.
	Progress io.Writer
	// LookPath finds a program. Nil is exec.LookPath.
	LookPath func(file string) (string, error)
}

// Server is a DynamoDB Local. It is safe for concurrent use.
type Server struct {
	// URL is where it answers, such as http://127.0.0.1:8000 (no slash at the end).
	URL string

	stop func(context.Context) error
	done <-chan struct{}
}

// Start starts DynamoDB Local and returns when it accepts connections. The context bounds the
// start (and the download), not the life of the server: that lasts until Stop, or until this
// process ends, however it ends.
//
// Errors: [UnavailableError] if the machine has nothing to run it with, [PortInUseError],
// [JavaVersionError].
func Start(ctx context.Context, o Options) (*Server, error) {
	o, err := o.withDefaults()
	if err != nil {
		return nil, err
	}
	if isURL(o.Mode) {
		return attach(ctx, o.Mode)
	}
	if err := probePort(o.Hosts, o.Port); err != nil {
		return nil, err
	}
	switch o.Mode {
	case ModeJava:
		java, err := findJava(ctx, o)
		if err != nil {
			return nil, unavailable(ctx, err)
		}
		classes, err := prepareJava(ctx, o, java)
		if err != nil {
			return nil, err
		}
		return startJava(ctx, o, java, classes)
	case ModeDocker:
		docker, err := findDocker(ctx, o)
		if err != nil {
			return nil, unavailable(ctx, err)
		}
		return startDocker(ctx, o, docker)
	default:
		return startAuto(ctx, o)
	}
}

// startAuto prefers Java: it starts in a second and needs no daemon.
func startAuto(ctx context.Context, o Options) (*Server, error) {
	java, err := findJava(ctx, o)
	found := err == nil
	if found {
		var classes string
		if classes, err = prepareJava(ctx, o, java); err == nil {
			return startJava(ctx, o, java, classes)
		}
	}
	docker, dockerErr := findDocker(ctx, o)
	switch {
	case dockerErr == nil:
		fmt.Fprintf(o.Progress, "DynamoDB Local runs in a container, because: %v\n", err)
		return startDocker(ctx, o, docker)
	case found:
		// Java and Maven are there; what went wrong with them is what must be told.
		return nil, err
	default:
		return nil, unavailable(ctx, err, dockerErr)
	}
}

// unavailable is the error for a machine without what is needed, unless the caller gave up before
// that was known.
func unavailable(ctx context.Context, reasons ...error) error {
	if err := ctx.Err(); err != nil {
		return err
	}
	return &UnavailableError{Reasons: reasons}
}

// Stop ends the server and returns when nothing of it is left; what is in it is lost. It may be
// called again, and does nothing for a server that was not started here. It does its work even if
// the context has ended: that takes no time for a process, and a few seconds for a container.
func (s *Server) Stop(ctx context.Context) error {
	if s.stop == nil {
		return nil
	}
	return s.stop(ctx)
}

// Done is closed when the server's process has ended, by Stop or on its own. It is never closed
// for a server that was not started here.
func (s *Server) Done() <-chan struct{} { return s.done }

// Client returns a client for the server. DynamoDB Local checks no signature, so the credentials
// are made up; they are letters only because it refuses anything else in a key id.
func (s *Server) Client(region string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region:       region,
		BaseEndpoint: aws.String(s.URL),
		Credentials:  credentials.NewStaticCredentialsProvider("local", "local", ""),
	})
}

func (o Options) withDefaults() (Options, error) {
	switch {
	case o.Mode == "":
		o.Mode = ModeAuto
	case o.Mode == ModeAuto, o.Mode == ModeJava, o.Mode == ModeDocker, isURL(o.Mode):
	default:
		return o, fmt.Errorf("unknown DynamoDB mode%s: want %s, %s, %s or an http URL", shown(o.Mode), ModeAuto, ModeJava, ModeDocker)
	}
	if o.Port < 0 || o.Port > 65535 {
		return o, fmt.Errorf("port %d is not between 0 and 65535", o.Port)
	}
	hosts, err := bindHosts(o.Hosts)
	if err != nil {
		return o, err
	}
	o.Hosts = hosts
	if o.LookPath == nil {
		o.LookPath = exec.LookPath
	}
	if o.Progress == nil {
		o.Progress = io.Discard
	}
	if o.CacheDir == "" {
		base, err := os.UserCacheDir()
		if err != nil {
			return o, fmt.Errorf("no cache folder for DynamoDB Local: %w", err)
		}
		o.CacheDir = filepath.Join(base, "marquee")
	}
	return o, nil
}

func isURL(s string) bool {
	return strings.HasPrefix(s, "http://") || strings.HasPrefix(s, "https://")
}

// UnavailableError says that this machine has nothing to run DynamoDB Local with, why, and what
// to do about it.
type UnavailableError struct {
	// Reasons has one entry for each way that was tried.
	Reasons []error
}

func (e *UnavailableError) Error() string {
	return fmt.Sprintf("cannot start DynamoDB Local (%v); there are three ways out: "+
		"name one that runs with --dynamodb URL, install Java (JDK %d or newer) and Maven, or install Docker",
		joined(e.Reasons), minJava)
}

// Unwrap gives the reasons to errors.Is and errors.As.
func (e *UnavailableError) Unwrap() []error { return e.Reasons }

func joined(errs []error) string {
	texts := make([]string, len(errs))
	for i, err := range errs {
		texts[i] = err.Error()
	}
	return strings.Join(texts, "; ")
}

// PortInUseError says that something else listens on the port.
type PortInUseError struct {
	Host string
	Port int
}

func (e *PortInUseError) Error() string {
	return fmt.Sprintf("port %d of %s is in use (for DynamoDB Local); choose another with --port, or --port 0 for free ones", e.Port, e.Host)
}

// JavaVersionError says that the machine's Java is too old.
type JavaVersionError struct {
	Path  string
	Major int
}

func (e *JavaVersionError) Error() string {
	return fmt.Sprintf("java at %s is version %d; DynamoDB Local %s needs %d or newer", e.Path, e.Major, Version, minJava)
}

var errStopped = errors.New("it ended before it was ready")
