package gateway

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/marquee-api/marquee/internal/proxyevent"
)

// integrationTimeout is API Gateway's default.
const integrationTimeout = 29 * time.Second

// invoke runs the function. The caller may go away meanwhile: on AWS the function runs on, and so it does here.
func (x *exchange) invoke() (proxyevent.Response, *Refusal) {
	if mock := x.route.Mock; mock != nil {
		x.record.pass("mock integration", "")
		return proxyevent.Response{Status: mock.Status, Header: withoutOwn(mock.Header)}, nil
	}
	if refusal := x.certain(); refusal != nil {
		return proxyevent.Response{}, refusal
	}
	payload, err := proxyevent.Marshal(x.proxyRequest())
	if err != nil {
		return proxyevent.Response{}, x.record.fail("function", refuseInternal.because("the event: %v", err))
	}
	if len(payload) > maxEvent {
		return proxyevent.Response{}, x.record.fail("function", refuseEventTooLarge.because("the event has %d bytes, the limit is %d", len(payload), maxEvent))
	}
	answer, refusal := x.run(payload)
	if refusal != nil {
		return proxyevent.Response{}, x.record.fail("function", refusal)
	}
	response, err := proxyevent.ParseResponse(answer.Payload, x.r.Header.Get("Accept"), x.target.api.BinaryMediaTypes)
	switch {
	case errors.Is(err, proxyevent.ErrBase64):
		return response, x.record.fail("function", refuseConfiguration.because("%v", err))
	case err != nil:
		return response, x.record.fail("function", refuseFunctionError.because("%v", err))
	}
	x.record.pass("function", x.route.Function)
	return response, nil
}

// certain refuses what fails whoever calls: API Gateway may not invoke the function, or Lambda runs it for nobody, or there
// is none here. A mock integration invokes nothing.
func (x *exchange) certain() *Refusal {
	why := cmp.Or(x.route.Unpermitted, x.route.Throttled, x.route.Unanswered)
	if x.route.Mock != nil || why == "" {
		return nil
	}
	return x.record.fail("function", refuseInternal.because("%s", why))
}

// run invokes the function with an event, within the integration's time.
func (x *exchange) run(payload []byte) (Answer, *Refusal) {
	timeout := integrationTimeout
	if x.route.Timeout > 0 {
		timeout = x.route.Timeout
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(x.r.Context()), timeout)
	defer cancel()
	x.record.Function = x.route.Function
	x.keepEvent(payload)
	start := x.g.now()
	answer, err := x.g.invoker.Invoke(ctx, x.route.Function, Event{Payload: payload, TraceID: x.ids.trace})
	x.record.FunctionDuration = x.g.now().Sub(start)
	switch {
	case errors.Is(err, context.DeadlineExceeded):
		return answer, refuseFunctionTimeout.because("no answer within %v", timeout)
	case err != nil:
		return answer, refuseInternal.because("%v", err)
	case answer.FunctionError != "":
		return answer, refuseFunctionError.because("%s error: %.500s", answer.FunctionError, answer.Payload)
	}
	return answer, nil
}
