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
)

// event is the payload of an invocation. Every field may be left out.
type event struct {
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

// parseEvent turns a payload into a request. A field that is not known is an error: a misspelt one would otherwise be
// a call that nobody asked for.
func parseEvent(payload []byte) (apiclient.Request, error) {
	var e event
	if len(bytes.TrimSpace(payload)) > 0 {
		decoder := json.NewDecoder(bytes.NewReader(payload))
		decoder.DisallowUnknownFields()
		if err := decoder.Decode(&e); err != nil {
			return apiclient.Request{}, &BadEventError{explain(err)}
		}
		if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
			return apiclient.Request{}, &BadEventError{"more than one JSON value"}
		}
	}
	return e.request()
}

// explain rewords what encoding/json says for people who wrote an event, not a Go struct.
func explain(err error) string {
	var wrong *json.UnmarshalTypeError
	switch {
	case errors.As(err, &wrong) && wrong.Field == "":
		return fmt.Sprintf("%s where an object is expected", wrong.Value)
	case errors.As(err, &wrong):
		return fmt.Sprintf("field %q: %s is not what goes there", wrong.Field, wrong.Value)
	}
	reason := strings.TrimPrefix(err.Error(), "json: ")
	if strings.HasPrefix(reason, "unknown field") {
		reason += ": known are method, path, path_params, query, headers and body"
	}
	return reason
}

func (e event) request() (apiclient.Request, error) {
	r := apiclient.Request{
		Method: strings.ToUpper(e.Method),
		Path:   e.Path,
		Header: make(http.Header, len(e.Headers)),
		Query:  make(url.Values, len(e.Query)),
	}
	if r.Method == "" {
		r.Method = defaultMethod
	}
	if r.Path == "" {
		r.Path = defaultPath
	}
	for name, values := range e.Headers {
		for _, value := range values {
			r.Header.Add(name, value)
		}
	}
	for name, values := range e.Query {
		r.Query[name] = values
	}
	if len(e.PathParams) > 0 {
		r.PathParams = make(map[string]string, len(e.PathParams))
		for name, value := range e.PathParams {
			r.PathParams[name] = string(value)
		}
	}
	return r, e.setBody(&r)
}

// setBody takes a string as it stands, whatever it holds, and everything else as a JSON document.
func (e event) setBody(r *apiclient.Request) error {
	if len(e.Body) == 0 || string(e.Body) == "null" {
		return nil
	}
	if e.Body[0] == '"' {
		var text string
		if err := json.Unmarshal(e.Body, &text); err != nil {
			return &BadEventError{"field \"body\": " + err.Error()}
		}
		r.Body = []byte(text)
		return nil
	}
	r.JSON = e.Body
	return nil
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
