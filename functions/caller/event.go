package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/marquee-api/marquee/apiclient"
)

const (
	defaultMethod = http.MethodGet
	defaultPath   = "/movie_list"

	// maxRequests keeps the result of one invocation below Lambda's 6 MB for answers of ordinary size.
	maxRequests        = 100
	maxConcurrency     = 32
	defaultConcurrency = 4
)

// work is what an event asks for.
type work struct {
	requests    []task
	concurrency int
	several     bool // the event has a list, and so will the result
}

// task is one request, and how long it may take with all its attempts.
type task struct {
	apiclient.Request
	timeout time.Duration // 0: as long as the invocation
}

// event is the payload of an invocation: one call, of which every field may be left out, or several. Retry and TimeoutMS
// beside several are for those that have none of their own.
type event struct {
	call
	Requests    calls `json:"requests"`
	Concurrency *int  `json:"concurrency"` // how many of the requests are under way at once
}

// call is one request.
type call struct {
	Method     string          `json:"method"`
	Path       string          `json:"path"`        // a template below the stage: /movie_list/{year}/{title}
	PathParams keyed[scalar]   `json:"path_params"` // values for the template, not encoded
	Query      keyed[list]     `json:"query"`       // a value or a list of values for each name
	Headers    keyed[list]     `json:"headers"`     // likewise
	Body       json.RawMessage `json:"body"`        // a string is sent as it is, anything else as JSON
	Retry      *retrySettings  `json:"retry"`       // when it is sent again
	TimeoutMS  *int            `json:"timeout_ms"`  // how long it may take with all its attempts
}

// BadEventError says what is wrong with an event. Its name is the error type that Lambda reports.
type BadEventError struct{ reason string }

func (e *BadEventError) Error() string { return "event: " + e.reason }

// parseEvent turns a payload into requests. A field that is not known is an error: a misspelt one would otherwise be a
// call that nobody asked for.
func parseEvent(payload []byte) (work, error) {
	var e event
	if len(bytes.TrimSpace(payload)) > 0 {
		if err := decode(payload, &e); err != nil {
			return work{}, &BadEventError{explain(err)}
		}
	}
	return e.work()
}

// decode reads one JSON value without unknown fields.
func decode(text []byte, out any) error {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(out); err != nil {
		return err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return errors.New("more than one JSON value")
	}
	return nil
}

// calls are the requests of a list. Their errors name the request.
type calls []call

// UnmarshalJSON implements json.Unmarshaler.
func (l *calls) UnmarshalJSON(data []byte) error {
	var each []json.RawMessage
	if err := json.Unmarshal(data, &each); err != nil || each == nil {
		return err
	}
	*l = make(calls, len(each))
	for i, text := range each {
		if err := decode(text, &(*l)[i]); err != nil {
			return inList(i, explain(err))
		}
	}
	return nil
}

func inList(i int, reason string) *BadEventError {
	return &BadEventError{fmt.Sprintf("request %d of the list: %s", i+1, reason)}
}

// work checks what goes together.
func (e event) work() (work, error) {
	if e.Requests == nil {
		if e.Concurrency != nil {
			return work{}, &BadEventError{`field "concurrency" goes with "requests"`}
		}
		one, err := e.task()
		if err != nil {
			return work{}, err
		}
		return work{requests: []task{one}, concurrency: 1}, nil
	}
	w := work{several: true, concurrency: defaultConcurrency}
	if e.Concurrency != nil {
		w.concurrency = *e.Concurrency
	}
	switch {
	case !e.isEmpty():
		return work{}, &BadEventError{`"requests" beside a request: put all of them into the list`}
	case len(e.Requests) > maxRequests:
		return work{}, &BadEventError{fmt.Sprintf(`field "requests" holds %d requests: at most %d go into one event`, len(e.Requests), maxRequests)}
	case w.concurrency < 1 || w.concurrency > maxConcurrency:
		return work{}, &BadEventError{fmt.Sprintf(`field "concurrency" is %d: it must be from 1 to %d`, w.concurrency, maxConcurrency)}
	}
	for i, c := range e.Requests {
		if c.Retry == nil {
			c.Retry = e.Retry
		}
		if c.TimeoutMS == nil {
			c.TimeoutMS = e.TimeoutMS
		}
		one, err := c.task()
		if err != nil {
			return work{}, inList(i, err.reason)
		}
		w.requests = append(w.requests, one)
	}
	return w, nil
}

// task checks what a call says about its attempts.
func (c call) task() (task, *BadEventError) {
	t := task{Request: c.request()}
	if c.TimeoutMS != nil {
		if *c.TimeoutMS < 1 {
			return task{}, &BadEventError{fmt.Sprintf(`field "timeout_ms" is %d: it must be above 0`, *c.TimeoutMS)}
		}
		t.timeout = time.Duration(*c.TimeoutMS) * time.Millisecond
	}
	if c.Retry != nil {
		policy, err := c.Retry.policy()
		if err != nil {
			return task{}, err
		}
		t.Retry = policy
	}
	return t, nil
}

func (c call) isEmpty() bool {
	return c.Method == "" && c.Path == "" && c.PathParams == nil && c.Query == nil && c.Headers == nil && c.Body == nil
}

// explain rewords what encoding/json says for people who wrote an event, not a Go struct.
func explain(err error) string {
	var wrong *json.UnmarshalTypeError
	var bad *BadEventError
	switch {
	case errors.As(err, &bad):
		return bad.reason
	case errors.As(err, &wrong) && wrong.Field == "":
		return fmt.Sprintf("%s where an object is expected", wrong.Value)
	case errors.As(err, &wrong):
		field := strings.TrimPrefix(wrong.Field, "call.") // the embedded struct is no part of the event
		return fmt.Sprintf("field %q: %s where %s is expected", field, wrong.Value, expected(wrong.Type))
	}
	reason := strings.TrimPrefix(err.Error(), "json: ")
	if strings.HasPrefix(reason, "unknown field") {
		reason += ": known are method, path, path_params, query, headers, body, retry and timeout_ms, or requests and concurrency; in retry max_attempts, statuses, base_delay_ms, max_delay_ms and all_methods"
	}
	return reason
}

func (c call) request() apiclient.Request {
	r := apiclient.Request{
		Method: strings.ToUpper(c.Method),
		Path:   c.Path,
		Header: make(http.Header, len(c.Headers)),
		Query:  make(url.Values, len(c.Query)),
	}
	if r.Method == "" {
		r.Method = defaultMethod
	}
	if r.Path == "" {
		r.Path = defaultPath
	}
	for name, values := range c.Headers {
		for _, value := range values {
			r.Header.Add(name, value)
		}
	}
	for name, values := range c.Query {
		r.Query[name] = values
	}
	if len(c.PathParams) > 0 {
		r.PathParams = make(map[string]string, len(c.PathParams))
		for name, value := range c.PathParams {
			r.PathParams[name] = string(value)
		}
	}
	c.setBody(&r)
	return r
}

// setBody takes a string as it stands, whatever it holds, and everything else as a JSON document.
func (c call) setBody(r *apiclient.Request) {
	switch {
	case len(c.Body) == 0 || string(c.Body) == "null":
	case c.Body[0] == '"':
		var text string
		json.Unmarshal(c.Body, &text) //nolint:errcheck // the decoder has let it through as a string
		r.Body = []byte(text)
	default:
		r.JSON = c.Body
	}
}
