package main

import (
	"context"
	"encoding/json"
	"errors"
	"log/slog"
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

// Invoke makes one call. Any answer of the API is a result; no answer is an error.
func (h *handler) Invoke(ctx context.Context, payload []byte) ([]byte, error) {
	ctx, cancel := withAnswerTime(ctx)
	defer cancel()
	request, err := parseEvent(payload)
	if err != nil {
		return nil, err
	}
	started := time.Now()
	result, err := h.call(ctx, request)
	log := h.log.With("method", request.Method, "path", request.Path, "milliseconds", time.Since(started).Milliseconds())
	if lc, ok := lambdacontext.FromContext(ctx); ok {
		log = log.With("request_id", lc.AwsRequestID)
	}
	if err != nil {
		log.ErrorContext(ctx, "no answer", "error", err)
		return nil, err
	}
	log.InfoContext(ctx, "called", "status", result.Status, "attempts", result.Attempts)
	return json.Marshal(result)
}

func (h *handler) call(ctx context.Context, request apiclient.Request) (result, error) {
	resp, err := h.client.Do(ctx, request)
	var refusal *apiclient.APIError
	switch {
	case errors.As(err, &refusal):
		return newResult(refusal.Response, refusal), nil
	case err != nil:
		return result{}, err
	default:
		return newResult(resp, nil), nil
	}
}

// withAnswerTime ends a call a little before the invocation does: half a second, or a tenth of a short remainder.
func withAnswerTime(ctx context.Context) (context.Context, context.CancelFunc) {
	deadline, ok := ctx.Deadline()
	if !ok {
		return context.WithCancel(ctx)
	}
	return context.WithDeadline(ctx, deadline.Add(-min(answerTime, time.Until(deadline)/10)))
}
