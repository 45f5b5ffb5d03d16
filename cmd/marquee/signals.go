package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
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
