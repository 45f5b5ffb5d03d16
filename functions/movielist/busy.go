package main

import (
	"context"
	"os"
	"os/signal"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/events"
)

// handOver is how long the runtime gets to send an answer off after the handler has returned it: nothing tells when it has.
const handOver = 250 * time.Millisecond

// busy knows whether an invocation is at work. The zero value is ready.
type busy struct {
	work sync.RWMutex
	mu   sync.Mutex
	last time.Time // when the last invocation ended
}

func (b *busy) track(next function) function {
	return func(ctx context.Context, event events.APIGatewayProxyRequest) (events.APIGatewayProxyResponse, error) {
		b.work.RLock()
		defer func() {
			b.mu.Lock()
			b.last = time.Now()
			b.mu.Unlock()
			b.work.RUnlock()
		}()
		return next(ctx, event)
	}
}

// drain waits until no invocation is at work and the last answer is on its way. No other begins afterwards.
func (b *busy) drain() {
	b.work.Lock()
	b.mu.Lock()
	defer b.mu.Unlock()
	if left := handOver - time.Since(b.last); left > 0 {
		time.Sleep(left)
	}
}

// exitOn ends the process when it is told to, after the answer that it is at work on. Nothing is buffered that could be
// lost otherwise. (Lambda sends the signal only to functions with an extension, and ends the others while they are idle.)
func (b *busy) exitOn(sig os.Signal) {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, sig)
	<-signals
	b.drain()
	os.Exit(0)
}
