package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/marquee-api/marquee/apiclient"
)

// answerTime is kept back from the invocation's deadline, so that a call which takes too long ends in an error that says
// so and not in Lambda killing the function.
const answerTime = 500 * time.Millisecond

// handler answers invocations. It implements lambda.Handler, which leaves the payload's decoding to it: an invocation
// without a payload is one with every default.
type handler struct {
	client *apiclient.Client
	log    *slog.Logger
}

// Invoke makes the event's calls. Any answer of the API is a result. No answer is an error, or the failure of its place
// in the list where the event has several requests.
func (h *handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	ctx, cancel := withAnswerTime(ctx)
	defer cancel()
	out, err := h.invoke(ctx, payload)
	if err != nil {
		return nil, reported(err)
	}
	return out, nil
}

func (h *handler) invoke(ctx context.Context, payload []byte) ([]byte, error) {
	todo, err := parseEvent(payload)
	if err != nil {
		return nil, err
	}
	if todo.several {
		all := h.callAll(ctx, todo)
		attempts := 0
		for _, one := range all {
			attempts += one.Attempts
		}
		return json.Marshal(results{Results: all, Attempts: attempts})
	}
	one, err := h.call(ctx, todo.requests[0])
	if err != nil {
		return nil, err
	}
	out, err := json.Marshal(one)
	if len(out) > maxResult {
		return nil, &ResultTooLargeError{tooLarge(one, len(out))}
	}
	return out, err
}

// callAll keeps the order of the requests, and as many of them under way as the event allows.
func (h *handler) callAll(ctx context.Context, todo work) []result {
	out := newRoom(len(todo.requests))
	places := make(chan struct{}, todo.concurrency)
	var running sync.WaitGroup
	for i, request := range todo.requests {
		places <- struct{}{}
		running.Go(func() {
			defer func() { <-places }()
			one, err := h.call(ctx, request)
			if err != nil {
				one = failed(err)
			}
			out.put(i, one)
		})
	}
	running.Wait()
	return out.results
}

// call makes one call and logs it. Neither query nor headers nor bodies are logged: they are the caller's secrets. A query
// may be part of the path.
func (h *handler) call(ctx context.Context, request task) (result, error) {
	if request.timeout > 0 {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, request.timeout)
		defer cancel()
	}
	started := time.Now()
	resp, err := h.client.Do(ctx, request.Request)
	var refusal *apiclient.APIError
	if errors.As(err, &refusal) {
		resp, err = refusal.Response, nil
	}
	path, _, _ := strings.Cut(request.Path, "?")
	log := h.log.With("method", cut(request.Method), "path", cut(path), "milliseconds", time.Since(started).Milliseconds())
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		log = log.With("request_id", lc.AwsRequestID)
	}
	if err != nil {
		log.ErrorContext(ctx, "no answer", "error", cut(err.Error()), "attempts", failed(err).Attempts)
		return result{}, err
	}
	log.InfoContext(ctx, "called", "status", resp.Status, "attempts", resp.Attempts)
	return newResult(resp, refusal), nil
}

// withAnswerTime ends a call a little before the invocation does: half a second, or a tenth of a short remainder.
func withAnswerTime(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-min(answerTime, time.Until(deadline)/10)))
}
