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
			work, err := parseEvent([]byte(tt.event))
			if err != nil || len(work.requests) != 1 || work.several {
				t.Fatalf("got %+v, %v, want one request", work, err)
			}
			got := work.requests[0].Request
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
		"unknown field":             {`{"methd":"GET"}`, `unknown field "methd"`},
		"path as number":            {`{"path":7}`, `field "path": number where a text is expected`},
		"list as event":             {`[]`, "array where an object is expected"},
		"text as event":             {`"GET"`, "string where an object is expected"},
		"object parameter":          {`{"path_params":{"year":{}}}`, `field "path_params.year": object where a text, a number or a boolean is expected`},
		"list as parameter":         {`{"path_params":{"id":1,"year":[1]}}`, `field "path_params.year": array where a text, a number or a boolean is expected`},
		"null in a query":           {`{"query":{"b":1,"a":[null]}}`, `field "query.a": null where`},
		"object in a query":         {`{"query":{"a":{"b":1}}}`, `field "query.a": object where a text, a number or a boolean, or a list of these, is expected`},
		"list in a list in a query": {`{"query":{"a":["1",["2"]]}}`, `field "query.a": array where`},
		"query as text":             {`{"query":"a=1"}`, `field "query": string where an object is expected`},
		"list as query":             {`{"query":[]}`, `field "query": array where an object is expected`},
		"headers as number":         {`{"headers":1}`, `field "headers": number where an object is expected`},
		"request as text":           {`{"requests":[{},"GET"]}`, `request 2 of the list: string where an object is expected`},
		"requests as object":        {`{"requests":{}}`, `field "requests": object where a list is expected`},
		"unknown in a list":         {`{"requests":[{},{},{"methd":"GET"}]}`, `request 3 of the list: unknown field "methd": known are`},
		"half a millisecond":        {`{"timeout_ms":0.5}`, `field "timeout_ms": number 0.5 where a whole number is expected`},
		"status as text":            {`{"retry":{"statuses":["503"]}}`, `field "retry.statuses": string where a whole number is expected`},
		"retry as number":           {`{"retry":3}`, `field "retry": number where an object is expected`},
		"methods as text":           {`{"retry":{"all_methods":"yes"}}`, `field "retry.all_methods": string where true or false is expected`},
		"null header":               {`{"headers":{"A":null}}`, `field "headers.A": null where`},
		"two events":                {`{}{}`, "more than one JSON value"},
		"cut off":                   {`{"path":`, "unexpected EOF"},
		"list and request":          {`{"path":"/x","requests":[{}]}`, `"requests" beside a request`},
		"lists in a list":           {`{"requests":[{"requests":[]}]}`, `unknown field "requests"`},
		"too many":                  {`{"requests":[` + strings.Repeat(`{},`, 100) + `{}]}`, "holds 101 requests"},
		"no place":                  {`{"requests":[{}],"concurrency":0}`, `"concurrency" is 0`},
		"too many places":           {`{"requests":[{}],"concurrency":33}`, `"concurrency" is 33`},
		"no attempt":                {`{"retry":{"max_attempts":0}}`, `"retry.max_attempts" is 0: it must be from 1 to 10`},
		"a storm":                   {`{"retry":{"max_attempts":11}}`, `"retry.max_attempts" is 11`},
		"a negative wait":           {`{"retry":{"base_delay_ms":-1}}`, `"retry.base_delay_ms" is -1`},
		"a long wait":               {`{"retry":{"max_delay_ms":60001}}`, `"retry.max_delay_ms" is 60001`},
		"a fine status":             {`{"retry":{"statuses":[503,200]}}`, `"retry.statuses" holds 200`},
		"unknown setting":           {`{"retry":{"retries":3}}`, `unknown field "retries": known are`},
		"no number":                 {`{"retry":{"max_attempts":"3"}}`, `field "retry.max_attempts": string`},
		"no time":                   {`{"timeout_ms":0}`, `"timeout_ms" is 0`},
		"retry in a list":           {`{"requests":[{},{"retry":{"max_attempts":0}}]}`, `request 2 of the list: field "retry.max_attempts"`},
		"retry for a list":          {`{"requests":[{}],"retry":{"max_attempts":0}}`, `request 1 of the list: field "retry.max_attempts"`},
		"places for one":            {`{"concurrency":2}`, `goes with "requests"`},
		"bad one in a list":         {`{"requests":[{},{"path_params":{"a":[]}}]}`, `request 2 of the list: field "path_params.a": array`},
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

func TestParseEventWithSeveralRequests(t *testing.T) {
	work, err := parseEvent([]byte(`{"requests":[{},{"method":"DELETE","path":"/x"}],"concurrency":7}`))
	if err != nil {
		t.Fatal(err)
	}
	if !work.several || work.concurrency != 7 || len(work.requests) != 2 {
		t.Fatalf("got %+v, want two requests, seven at once", work)
	}
	if r := work.requests[0]; r.Method != "GET" || r.Path != "/movie_list" {
		t.Errorf("got %+v, want the default request", r)
	}
	if r := work.requests[1]; r.Method != "DELETE" || r.Path != "/x" {
		t.Errorf("got %+v, want DELETE /x", r)
	}
	if work, err = parseEvent([]byte(`{"requests":[]}`)); err != nil || !work.several || work.concurrency != 4 || len(work.requests) != 0 {
		t.Errorf("an empty list: got %+v, %v", work, err)
	}
}
