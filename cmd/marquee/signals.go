package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
	"time"
)

// hurryTime is how long a command may take to end at once. What it started and could not end then goes with it, where the
// system sees to that.
const hurryTime = 2 * time.Second

// execute runs a command line and returns the exit status. The first SIGINT or SIGTERM ends the command's context, so that
// it stops in order; the second one means that it must not take the time for that, and the status is 1 then.
func execute(args []string, env environment) int {
	ctx, stop := context.WithCancel(context.Background())
	defer stop()
	signals := make(chan os.Signal, 2)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	defer signal.Stop(signals)
	hurry := make(chan struct{})
	env.Hurry = hurry
	env.Stdin = newInput(ctx, env.Stdin)
	done := make(chan int, 1)
	go func() { done <- run(ctx, args, env) }()
	select {
	case status := <-done:
		return status
	case <-signals:
		stop()
	}
	select {
	case status := <-done:
		return status
	case again := <-signals:
		fmt.Fprintf(env.Stderr, "marquee: told to stop a second time (%v): ending at once\n", again)
		close(hurry)
	}
	signal.Stop(signals) // a third one ends the process without us
	select {
	case <-done:
	case <-time.After(hurryTime):
	}
	return 1
}

// errInterrupted is what a command reads that waits for its input when it is told to stop.
var errInterrupted = errors.New("interrupted")

// input is standard input whose reader does not wait when the context has ended: nothing else would wake it. It is not
// touched before somebody reads, because a program in the background is stopped for reading its terminal.
type input struct {
	ctx   context.Context
	from  io.Reader
	begin sync.Once
	pipe  *io.PipeReader
}

func newInput(ctx context.Context, from io.Reader) *input { return &input{ctx: ctx, from: from} }

// Read implements io.Reader.
func (i *input) Read(p []byte) (int, error) {
	i.begin.Do(func() {
		reader, writer := io.Pipe()
		i.pipe = reader
		go func() {
			_, err := io.Copy(writer, i.from)
			writer.CloseWithError(err) //nolint:errcheck // it returns none; nil is the end
		}()
		context.AfterFunc(i.ctx, func() { writer.CloseWithError(errInterrupted) }) //nolint:errcheck // as above
	})
	return i.pipe.Read(p)
}
