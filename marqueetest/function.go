package marqueetest

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"reflect"
	"runtime/debug"
	"slices"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/httpadapter"

	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/stack"
)

// unhandled is what Lambda says of a function that failed, in X-Amz-Function-Error.
const unhandled = "Unhandled"

// invoker runs handlers in place of functions, through the adapter that the functions themselves use.
type invoker struct {
	tb       testing.TB
	adapters map[string]*httpadapter.HandlerAdapter // by the function's name
}

func functions(tb testing.TB, s *stack.Stack, handlers map[string]http.Handler) (*invoker, error) {
	v := &invoker{tb: tb, adapters: map[string]*httpadapter.HandlerAdapter{}}
	for id, handler := range handlers {
		i := slices.IndexFunc(s.Functions, func(f *stack.Function) bool { return f.LogicalID == id })
		if i < 0 {
			return nil, fmt.Errorf("the template has no function %s", id)
		}
		v.adapters[s.Functions[i].Name] = httpadapter.New(handler)
	}
	return v, nil
}

// Invoke implements gateway.Invoker.
func (v *invoker) Invoke(ctx context.Context, function string, event gateway.Event) (gateway.Answer, error) {
	adapter, ok := v.adapters[function]
	if !ok {
		return gateway.Answer{}, fmt.Errorf("no handler stands for function %q: name it in Config.Functions", function)
	}
	var request events.APIGatewayProxyRequest
	if err := json.Unmarshal(event.Payload, &request); err != nil {
		return gateway.Answer{}, err
	}
	// In a goroutine of its own, a handler that ends it (t.FailNow does) takes nothing of the gateway along. It is waited
	// for, however long it takes: the server's Close waits for this call, so that none logs after the test's end.
	answers := make(chan gateway.Answer, 1)
	go func() {
		answer, answered := gateway.Answer{}, false
		defer func() {
			if !answered {
				answer = v.crashed(function, recover(), debug.Stack())
			}
			answers <- answer
		}()
		answer = respond(ctx, adapter, request)
		answered = true
	}()
	return <-answers, nil
}

// respond is what the function answers. An adapter that cannot make an answer of what the handler wrote gives Lambda an
// error.
func respond(ctx context.Context, adapter *httpadapter.HandlerAdapter, request events.APIGatewayProxyRequest) gateway.Answer {
	response, err := adapter.ProxyWithContext(ctx, request)
	if err != nil {
		return failed(err, err.Error())
	}
	payload, err := json.Marshal(response)
	if err != nil {
		return failed(err, err.Error())
	}
	return gateway.Answer{Payload: payload}
}

// crashed logs why a handler ended without an answer and is what Lambda makes of that. A nil cause is no panic: the
// handler ended its goroutine.
func (v *invoker) crashed(function string, cause any, stack []byte) gateway.Answer {
	if cause == nil {
		const why = "the handler ended its goroutine without an answer, as t.FailNow does outside the test's own"
		v.tb.Logf("function %s: %s", function, why)
		return failed(nil, why)
	}
	v.tb.Logf("function %s panicked: %v\n%s", function, cause, stack)
	return failed(cause, fmt.Sprint(cause))
}

// failed is the error document that aws-lambda-go posts for an error or a panic.
func failed(cause any, message string) gateway.Answer {
	document := struct {
		Message string `json:"errorMessage"`
		Type    string `json:"errorType"`
	}{message, "Runtime.ExitError"}
	if t := reflect.TypeOf(cause); t != nil {
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		document.Type = t.Name()
	}
	payload, _ := json.Marshal(document) // two strings always marshal
	return gateway.Answer{Payload: payload, FunctionError: unhandled}
}
