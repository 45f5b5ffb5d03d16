// Command marquee runs a private, IAM-authorized API on a laptop and calls one anywhere.
//
// This package only wires: flags to the packages that do the work. What is worth a test of its own lives in a package
// under internal or in apiclient; the scripts in testdata test the program as a program.
package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
)

// environment is what a command may know of the process it runs in. Commands read nothing else of it, so that tests can
// run them without changing the test process.
type environment struct {
	Command string // how the program was called: "bin/marquee"
	Getenv  func(string) string
	Stdin   io.Reader
	Stdout  io.Writer
	Stderr  io.Writer
	Hurry   <-chan struct{} // closed when stopping must not take time any more; nil: never
}

func main() {
	env := environment{Command: os.Args[0], Getenv: os.Getenv, Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr}
	os.Exit(execute(os.Args[1:], env))
}

// run executes one command line and returns the exit status: 0, the status of an exitStatus error, else 1.
func run(ctx context.Context, args []string, env environment) int {
	root := newRootCommand(env)
	root.SetArgs(args)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return 0
	}
	var status *exitStatus
	if !errors.As(err, &status) {
		fmt.Fprintf(env.Stderr, "marquee: %v\n", err)
		return 1
	}
	if status.err != nil {
		fmt.Fprintf(env.Stderr, "marquee: %v\n", status.err)
	}
	return status.code
}

// exitStatus is an error that chooses the exit status of the program. Without err nothing more is printed: the command
// has said what there is to say.
type exitStatus struct {
	code int
	err  error
}

func (e *exitStatus) Error() string {
	if e.err != nil {
		return e.err.Error()
	}
	return fmt.Sprintf("exit status %d", e.code)
}

func (e *exitStatus) Unwrap() error { return e.err }
