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
	requests    []apiclient.Request
	concurrency int
	several     bool // the event has a list, and so will the result
}

// event is the payload of an invocation: one call, of which every field may be left out, or several.
type event struct {
	call
	Requests    []call `json:"requests"`
	Concurrency *int   `json:"concurrency"` // how many of the requests are under way at once
}

// call is one request.
type call struct {
	Method     string            `json:"method"`
	Path       string            `json:"path"`        // a template below the stage: /movie_list/{year}/{title}
	PathParams map[string]scalar `json:"path_params"` // values for the template, not encoded
	Query      map[string]list   `json:"query"`       // a value or a list of values for each name
	Headers    map[string]list   `json:"headers"`     // likewise
	Body       json.RawMessage   `json:"body"`        // a string is sent as it is, anything else as JSON
}

// BadEventError says what is wrong with an event. Its name is the error type that Lambda reports.
type BadEventError struct{ reason string }

func (e *BadEventError) Error() string { return "event: " + e.reason }

// parseEvent turns a payload into requests. A field that is not known is an error: a misspelt one would otherwise be a
// call that nobody asked for.
func parseEvent(payload []byte) (work, error) {
	var e event
	if len(bytes.TrimSpace(payload)) > 0 {
		decoder := json.NewDecoder(bytes.NewReader(payload))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&e); err != nil {
			return work{}, &BadEventError{explain(err)}
		}
		if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
			return work{}, &BadEventError{"more than one JSON value"}
		}
	}
	return e.work()
}

// work checks what goes together.
func (e event) work() (work, error) {
	if e.Requests == nil {
		if e.Concurrency != nil {
			return work{}, &BadEventError{`field "concurrency" goes with "requests"`}
		}
		return work{requests: []apiclient.Request{e.request()}, concurrency: 1}, nil
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
	for _, c := range e.Requests {
		w.requests = append(w.requests, c.request())
	}
	return w, nil
}

func (c call) isEmpty() bool {
	return c.Method == "" && c.Path == "" && c.PathParams == nil && c.Query == nil && c.Headers == nil && c.Body == nil
}

// explain rewords what encoding/json says for people who wrote an event, not a Go struct.
func explain(err error) string {
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong) && wrong.Field == "":
		return fmt.Sprintf("%s where an object is expected", wrong.Value)
	case errors.As(err, &wrong):
		field := strings.TrimPrefix(wrong.Field, "call.") // the embedded struct is no part of the event
		return fmt.Sprintf("field %q: %s is not what goes there", field, wrong.Value)
	}
	reason := strings.TrimPrefix(err.Error(), "json: ")
	if strings.HasPrefix(reason, "unknown field") {
		reason += ": known are method, path, path_params, query, headers and body, or requests and concurrency"
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

// scalar is a string, a number or a boolean, as text. Numbers keep their digits.
type scalar string

// UnmarshalJSON implements json.Unmarshaler.
func (s *scalar) UnmarshalJSON(data []byte) error {
	// The decoder fills in the field of this error type, and of no other.
	switch data[0] {
	case '"':
		return json.Unmarshal(data, (*string)(s))
	case '{':
		return &json.UnmarshalTypeError{Value: "object"}
	case '[':
		return &json.UnmarshalTypeError{Value: "array"}
	case 'n':
		return &json.UnmarshalTypeError{Value: "null"}
	default:
		*s = scalar(data)
		return nil
	}
}

// list is one scalar or several.
type list []string

// UnmarshalJSON implements json.Unmarshaler.
func (l *list) UnmarshalJSON(data []byte) error {
	values := make([]scalar, 1)
	target := any(&values[0])
	if data[0] == '[' {
		target = &values
	}
	if err := json.Unmarshal(data, target); err != nil {
		return err
	}
	for _, value := range values {
		*l = append(*l, string(value))
	}
	return nil
}
