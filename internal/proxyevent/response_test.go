package proxyevent_test

import (
	"bytes"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/proxyevent"
)

// The rows are recorded answers of the real service and the rules of "Set up Lambda proxy integrations".
func TestParseResponse(t *testing.T) {
	jsonType := http.Header{"Content-Type": {"application/json"}}
	tests := map[string]struct {
		payload string
		accept  string
		binary  []string
		want    proxyevent.Response
		err     error
	}{
		"only headers: 200":        {payload: `{"headers":{"x-a":"1"}}`, want: proxyevent.Response{Status: 200, Header: http.Header{"x-a": {"1"}, "Content-Type": {"application/json"}}}},
		"status as text":           {payload: `{"statusCode":"201","body":"b"}`, want: proxyevent.Response{Status: 201, Header: jsonType, Body: []byte("b")}},
		"status not a number":      {payload: `{"statusCode":"test"}`, err: proxyevent.ErrMalformed},
		"status out of range":      {payload: `{"statusCode":99}`, err: proxyevent.ErrMalformed},
		"unknown key":              {payload: `{"statusCode":200,"wrong":1}`, err: proxyevent.ErrMalformed},
		"key in another case":      {payload: `{"StatusCode":200}`, err: proxyevent.ErrMalformed},
		"a JSON string":            {payload: `"hello"`, err: proxyevent.ErrMalformed},
		"null":                     {payload: `null`, err: proxyevent.ErrMalformed},
		"a list":                   {payload: `[]`, err: proxyevent.ErrMalformed},
		"not JSON":                 {payload: `<html>`, err: proxyevent.ErrMalformed},
		"nothing":                  {payload: ``, err: proxyevent.ErrMalformed},
		"an error object":          {payload: `{"errorMessage":"x","errorType":"y"}`, err: proxyevent.ErrMalformed},
		"headers null":             {payload: `{"statusCode":200,"headers":null}`, want: proxyevent.Response{Status: 200, Header: jsonType}},
		"boolean header":           {payload: `{"headers":{"x-a":true}}`, want: proxyevent.Response{Status: 200, Header: http.Header{"x-a": {"true"}, "Content-Type": {"application/json"}}}},
		"multi value not a list":   {payload: `{"multiValueHeaders":{"x-a":"1"}}`, err: proxyevent.ErrMalformed},
		"header an object":         {payload: `{"headers":{"x-a":{}}}`, err: proxyevent.ErrMalformed},
		"a space in a name":        {payload: `{"headers":{"bad name":"a"}}`, err: proxyevent.ErrMalformed},
		"a colon in a name":        {payload: `{"headers":{"bad:":"a"}}`, err: proxyevent.ErrMalformed},
		"a line break in a name":   {payload: `{"multiValueHeaders":{"a\r\nSet-Cookie":["x"]}}`, err: proxyevent.ErrMalformed},
		"an empty name":            {payload: `{"headers":{"":"a"}}`, err: proxyevent.ErrMalformed},
		"a name beyond ASCII":      {payload: `{"multiValueHeaders":{"größe":[]}}`, err: proxyevent.ErrMalformed},
		"every mark of a token":    {payload: "{\"headers\":{\"!#$%&'*+-.^_`|~09azAZ\":\"a\"}}", want: proxyevent.Response{Status: 200, Header: http.Header{"!#$%&'*+-.^_`|~09azAZ": {"a"}, "Content-Type": {"application/json"}}}},
		"body an object":           {payload: `{"body":{}}`, err: proxyevent.ErrMalformed},
		"body null":                {payload: `{"body":null}`, want: proxyevent.Response{Status: 200, Header: jsonType}},
		"content type is kept":     {payload: `{"headers":{"content-type":"text/plain"}}`, want: proxyevent.Response{Status: 200, Header: http.Header{"Content-Type": {"text/plain"}}}},
		"both maps, equal pair":    {payload: `{"headers":{"x-a":"1"},"multiValueHeaders":{"X-A":["1","2"]}}`, want: proxyevent.Response{Status: 200, Header: http.Header{"X-A": {"1", "2"}, "Content-Type": {"application/json"}}}},
		"both maps, another value": {payload: `{"headers":{"x-a":"3"},"multiValueHeaders":{"X-A":["1"]}}`, want: proxyevent.Response{Status: 200, Header: http.Header{"X-A": {"1", "3"}, "Content-Type": {"application/json"}}}},
		"remapped": {
			payload: `{"headers":{"connection":"close","Date":"d","Server":"s","content-length":"9","www-authenticate":"Basic","Transfer-Encoding":"chunked"}}`,
			want: proxyevent.Response{Status: 200, Header: http.Header{
				"x-amzn-Remapped-Connection": {"close"}, "x-amzn-Remapped-Date": {"d"}, "x-amzn-Remapped-Server": {"s"},
				"x-amzn-Remapped-Content-Length": {"9"}, "X-Amzn-Remapped-WWW-Authenticate": {"Basic"},
				"Content-Type": {"application/json"},
			}},
		},
		"base64, accepted":           {payload: `{"body":"AQI=","isBase64Encoded":true}`, accept: "image/png, */*", binary: []string{"image/*"}, want: proxyevent.Response{Status: 200, Header: jsonType, Body: []byte{1, 2}}},
		"base64, not first accepted": {payload: `{"body":"AQI=","isBase64Encoded":true}`, accept: "text/plain, image/png", binary: []string{"image/*"}, want: proxyevent.Response{Status: 200, Header: jsonType, Body: []byte("AQI=")}},
		"base64, no binary types":    {payload: `{"body":"AQI=","isBase64Encoded":true}`, accept: "*/*", want: proxyevent.Response{Status: 200, Header: jsonType, Body: []byte("AQI=")}},
		"the empty object":           {payload: `{}`, want: proxyevent.Response{Status: 200, Header: jsonType}},
		"a number as a header":       {payload: `{"headers":{"x-a":7}}`, want: proxyevent.Response{Status: 200, Header: http.Header{"x-a": {"7"}, "Content-Type": {"application/json"}}}},
		"base64, exact type":         {payload: `{"body":"AQI=","isBase64Encoded":true}`, accept: "image/png", binary: []string{"image/png"}, want: proxyevent.Response{Status: 200, Header: jsonType, Body: []byte{1, 2}}},
		"base64, any type":           {payload: `{"body":"AQI=","isBase64Encoded":true}`, accept: "image/png", binary: []string{"*/*"}, want: proxyevent.Response{Status: 200, Header: jsonType, Body: []byte{1, 2}}},
		"base64, */subtype is none":  {payload: `{"body":"AQI=","isBase64Encoded":true}`, accept: "image/png", binary: []string{"*/png"}, want: proxyevent.Response{Status: 200, Header: jsonType, Body: []byte("AQI=")}},
		"base64, the answer's type":  {payload: `{"body":"AQI=","isBase64Encoded":true,"headers":{"Content-Type":"image/png"}}`, accept: "text/html", binary: []string{"image/png"}, want: proxyevent.Response{Status: 200, Header: http.Header{"Content-Type": {"image/png"}}, Body: []byte("AQI=")}},
		"base64, undecodable":        {payload: `{"body":"%","isBase64Encoded":true}`, accept: "image/png", binary: []string{"*/*"}, err: proxyevent.ErrBase64},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, err := proxyevent.ParseResponse([]byte(tt.payload), tt.accept, tt.binary)
			if !errors.Is(err, tt.err) {
				t.Fatalf("got error %v, want %v", err, tt.err)
			}
			if len(tt.want.Body) == 0 && len(got.Body) == 0 {
				got.Body, tt.want.Body = nil, nil
			}
			if diff := cmp.Diff(tt.want, got); tt.err == nil && diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// count is how many lines the headers make.
func count(h http.Header) int {
	n := 0
	for _, values := range h {
		n += len(values)
	}
	return n
}

// Whatever a function answers, the result is an error or a response that net/http can send.
func FuzzParseResponse(f *testing.F) {
	f.Add(`{"statusCode":200,"headers":{"a":"b"},"multiValueHeaders":{"A":["b"]},"body":"x","isBase64Encoded":true}`, "*/*")
	f.Add(`{"statusCode":"0x1"}`, "")
	f.Add(`{"headers":{"bad name":"a"},"multiValueHeaders":{"":["b"]}}`, "")
	f.Fuzz(func(t *testing.T, payload, accept string) {
		got, err := proxyevent.ParseResponse([]byte(payload), accept, []string{"*/*"})
		if err != nil {
			if !errors.Is(err, proxyevent.ErrMalformed) && !errors.Is(err, proxyevent.ErrBase64) {
				t.Errorf("untyped error %v", err)
			}
			return
		}
		if got.Status < 200 || got.Status > 599 || got.Header.Get("Content-Type") == "" && len(got.Header["Content-Type"]) == 0 {
			t.Errorf("got status %d, headers %v", got.Status, got.Header)
		}
		var wire bytes.Buffer // where net/http leaves out what it cannot send
		if err := got.Header.Write(&wire); err != nil || strings.Count(wire.String(), "\r\n") != count(got.Header) {
			t.Errorf("of the headers %v are sent %q, %v", got.Header, wire.String(), err)
		}
	})
}
