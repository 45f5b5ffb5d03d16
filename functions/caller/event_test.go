package main

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/apiclient"
)

func TestParseEvent(t *testing.T) {
	for name, tt := range map[string]struct {
		event string
		want  apiclient.Request
	}{
		"nothing":      {"", apiclient.Request{Method: "GET", Path: "/movie_list"}},
		"null":         {"null", apiclient.Request{Method: "GET", Path: "/movie_list"}},
		"empty object": {"{}", apiclient.Request{Method: "GET", Path: "/movie_list"}},
		"everything": {
			`{"method":"put","path":"/movie_list/{year}/{title}","path_params":{"year":2013,"title":"Rush"},
			  "query":{"a":"1","b":["2",3,true]},"headers":{"X-One":"1","X-Two":["2","3"]},"body":{"year":2013}}`,
			apiclient.Request{
				Method: "PUT", Path: "/movie_list/{year}/{title}",
				PathParams: map[string]string{"year": "2013", "title": "Rush"},
				Query:      url.Values{"a": {"1"}, "b": {"2", "3", "true"}},
				Header:     http.Header{"X-One": {"1"}, "X-Two": {"2", "3"}},
				JSON:       json.RawMessage(`{"year":2013}`),
			},
		},
		"number keeps its digits": {
			`{"path":"/{n}","path_params":{"n":12345678901234567890}}`,
			apiclient.Request{Method: "GET", Path: "/{n}", PathParams: map[string]string{"n": "12345678901234567890"}},
		},
		"text body": {
			`{"method":"POST","body":"a \"quoted\" text"}`,
			apiclient.Request{Method: "POST", Path: "/movie_list", Body: []byte(`a "quoted" text`)},
		},
		"null body":    {`{"body":null}`, apiclient.Request{Method: "GET", Path: "/movie_list"}},
		"boolean body": {`{"body":false}`, apiclient.Request{Method: "GET", Path: "/movie_list", JSON: json.RawMessage(`false`)}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := parseEvent([]byte(tt.event))
			if err != nil {
				t.Fatal(err)
			}
			if len(got.Query) == 0 {
				got.Query = nil
			}
			if len(got.Header) == 0 {
				got.Header = nil
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("request (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseEventRefuses(t *testing.T) {
	for name, tt := range map[string]struct{ event, want string }{
		"unknown field":     {`{"methd":"GET"}`, `unknown field "methd"`},
		"path as number":    {`{"path":7}`, `field "path": number`},
		"list as event":     {`[]`, "array where an object is expected"},
		"text as event":     {`"GET"`, "string where an object is expected"},
		"object parameter":  {`{"path_params":{"year":{}}}`, `field "path_params": object`},
		"list as parameter": {`{"path_params":{"year":[1]}}`, `field "path_params": array`},
		"null in a query":   {`{"query":{"a":[null]}}`, `field "query": null`},
		"null header":       {`{"headers":{"A":null}}`, `field "headers": null`},
		"two events":        {`{}{}`, "more than one JSON value"},
		"cut off":           {`{"path":`, "unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := parseEvent([]byte(tt.event))
			var bad *BadEventError
			if !errors.As(err, &bad) {
				t.Fatalf("got error %v, want a BadEventError", err)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, want it to contain %q", err, tt.want)
			}
		})
	}
}
