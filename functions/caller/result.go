package main

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"strings"
	"unicode/utf8"

	"github.com/marquee-api/marquee/apiclient"
)

// results is what an invocation with several requests returns: their results in their order.
type results struct {
	Results []result `json:"results"`
	// Attempts is how often anything was sent for all of them.
	Attempts int `json:"attempts"`
}

// result is what an invocation returns for any answer of the API.
type result struct {
	// Status is 0 in a list when there was no answer.
	Status int `json:"status"`
	// Headers have lower-case names; several values of one name are joined by a comma and a space.
	Headers map[string]string `json:"headers"`
	// Body is the answer's JSON, or its text.
	Body any `json:"body"`
	// Base64 says that Body is neither, but bytes in base64.
	Base64 bool `json:"is_base64_encoded,omitempty"`
	// Attempts is how often the request was sent.
	Attempts int `json:"attempts"`
	// Retried is what came of the attempts before the last one.
	Retried []attempt `json:"retried,omitempty"`
	// Error is there for an answer that API Gateway made, and not the function behind it.
	Error *refusal `json:"error,omitempty"`
	// Failure says in a list why there was no answer, or why there is no room for it.
	Failure string `json:"failure,omitempty"`
}

// attempt is one that another one followed: an answer, or the failure to get one.
type attempt struct {
	Status  int    `json:"status,omitempty"`
	Type    string `json:"type,omitempty"` // of API Gateway's own answer
	Failure string `json:"failure,omitempty"`
}

// refusal is API Gateway's error in one place: its type is a header, its message is spelt in two ways.
type refusal struct {
	Type      string `json:"type"`
	Message   string `json:"message"`
	RequestID string `json:"request_id"`
}

// newResult turns an answer into a result. cause is nil for a 2xx.
func newResult(resp *apiclient.Response, cause *apiclient.APIError) result {
	r := result{
		Status: resp.Status, Headers: make(map[string]string, len(resp.Header)),
		Attempts: resp.Attempts, Retried: attemptsOf(resp.Retried),
	}
	for name, values := range resp.Header {
		r.Headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	switch {
	case resp.IsJSON() && json.Valid(resp.Body):
		r.Body = json.RawMessage(resp.Body)
	case utf8.Valid(resp.Body):
		r.Body = string(resp.Body)
	default:
		r.Body, r.Base64 = base64.StdEncoding.EncodeToString(resp.Body), true
	}
	if cause != nil && cause.ByGateway() {
		r.Error = &refusal{Type: cause.Type, Message: cause.Message, RequestID: cause.RequestID}
	}
	return r
}

// failed is the result of a request that has no answer.
func failed(err error) result {
	r := result{Failure: cut(err.Error())}
	var call *apiclient.CallError
	if errors.As(err, &call) {
		r.Attempts, r.Retried = call.Attempts, attemptsOf(call.Retried)
	}
	return r
}

func attemptsOf(list []apiclient.Attempt) []attempt {
	var out []attempt
	for _, a := range list {
		one := attempt{Status: a.StatusCode, Type: a.ErrorType()}
		if a.Err != nil {
			one.Failure = cut(a.Err.Error())
		}
		out = append(out, one)
	}
	return out
}
