package gateway_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/gateway"
)

// The tests whose names begin with Fidelity hold the gateway to the rows of docs/fidelity.md: the number before the slash
// is the row's.

// onTheWire sends a request's bytes and returns the answer's, head and body, as they came.
func onTheWire(t *testing.T, address, request string) (head, body string) {
	t.Helper()
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, request)
	var raw strings.Builder
	response, err := http.ReadResponse(bufio.NewReader(io.TeeReader(c, &raw)), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	head, _, _ = strings.Cut(raw.String(), "\r\n\r\n")
	return head + "\r\n", string(text)
}

func TestFidelityErrorShape(t *testing.T) {
	t.Run("1.1/headers as they are spelt", func(t *testing.T) {
		f := newFixture(t)
		head, body := onTheWire(t, f.vpce.Listener.Addr().String(), "GET /dev/nothing HTTP/1.1\r\nHost: localhost\r\n\r\n")
		for _, want := range []string{
			`(?m)^HTTP/1\.1 403 Forbidden\r$`, `(?m)^x-amzn-RequestId: [0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\r$`,
			`(?m)^x-amz-apigw-id: [A-Za-z0-9+/]+=\r$`, `(?m)^x-amzn-ErrorType: MissingAuthenticationTokenException\r$`,
			`(?m)^Content-Type: application/json\r$`, `(?m)^Content-Length: 42\r$`, `(?m)^Date: Wed, 04 Mar 2026 05:06:07 GMT\r$`,
			`(?m)^Connection: keep-alive\r$`,
		} {
			if !regexp.MustCompile(want).MatchString(head) {
				t.Errorf("got\n%s\nwant a line like %s", head, want)
			}
		}
		if lines := strings.Count(head, "\r\n"); lines != 8 {
			t.Errorf("got %d lines, want 8:\n%s", lines, head)
		}
		if body != missing {
			t.Errorf("got %s", body)
		}
	})
	lengths := map[string]struct {
		call   call
		change options
		length int // as AWS's answer was seen to have; 0: not told
		body   string
		trace  bool
	}{
		"1.1/403 Forbidden without a space, 23 bytes":      {call{path: "/prod/x"}, nil, 23, `{"message":"Forbidden"}`, false},
		"1.1/403 Missing token without a space, 42 bytes":  {call{key: "-"}, nil, 42, `{"message":"Missing Authentication Token"}`, false},
		"1.1/500 with a space, 36 bytes, no trace id":      {call{}, failing(errors.New("no such function")), 36, `{"message": "Internal server error"}`, false},
		"1.1/502 with a space, 36 bytes, no trace id":      {call{}, answering(`"x"`), 36, `{"message": "Internal server error"}`, false},
		"1.1/504 with a space, 41 bytes, and the trace id": {call{}, failing(context.DeadlineExceeded), 41, `{"message": "Endpoint request timed out"}`, true},
		"1.1/a denial by policy has a capital Message":     {call{key: "ASIASTRANGER"}, nil, 0, denial(strangerARN, "dev/GET/movie_list", " because no identity-based policy allows the execute-api:Invoke action"), false},
		"1.1/400 of the validator with a space":            {call{path: "/dev/movie_list/1999/Go"}, withValidation, 0, `{"message": "Missing required request parameters: [x-header-param, qs1]"}`, false},
		"1.1/429 without a space, and without Retry-After": {call{}, func(c *gateway.Config, _ *gateway.Door) { c.Throttle = &gateway.Throttle{} }, 31, `{"message":"Too Many Requests"}`, false},
		"1.1/413 of the event with a space, 31 bytes":      {call{method: "POST", key: "ASIAPARTNER", body: strings.Repeat("x", 7<<20)}, withPost, 31, `{"message": "Request Too Long"}`, false},
		"1.1/413 of the body is plain text, 44 bytes":      {call{method: "POST", body: strings.Repeat("x", 10<<20+1)}, nil, 44, "HTTP content length exceeded 10485760 bytes.", false},
	}
	for name, tt := range lengths {
		t.Run(name, func(t *testing.T) {
			var changes []options
			if tt.change != nil {
				changes = append(changes, tt.change)
			}
			f := newFixture(t, changes...)
			got := f.do(t, tt.call)
			if got.body != tt.body || tt.length != 0 && tt.length != len(tt.body) {
				t.Errorf("got %d bytes %s, want %d %s", len(got.body), got.body, tt.length, tt.body)
			}
			if trace := got.header.Get("X-Amzn-Trace-Id") != ""; trace != tt.trace {
				t.Errorf("trace id there: got %v, want %v", trace, tt.trace)
			}
			if got.header.Get("Retry-After") != "" {
				t.Error("there is a Retry-After")
			}
			if plainText := got.errorType == ""; plainText != strings.HasPrefix(tt.body, "HTTP") || plainText != (got.header.Get("X-Amzn-Requestid") == "") {
				t.Errorf("got the headers %v", got.header)
			}
		})
	}
}

func failing(err error) options {
	return func(c *gateway.Config, _ *gateway.Door) { c.Invoker.(*function).err = err }
}

func answering(payload string) options {
	return func(c *gateway.Config, _ *gateway.Door) {
		c.Invoker.(*function).answer = gateway.Answer{Payload: []byte(payload)}
	}
}

func withPost(c *gateway.Config, _ *gateway.Door) {
	c.APIs[0].Routes = append(c.APIs[0].Routes, gateway.Route{Method: "POST", Path: "/movie_list", Function: "list"})
}

// Headers of answers that the gateway adds, and those that nobody may take away.
func TestFidelityResponseHeaders(t *testing.T) {
	const own = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
	trace := regexp.MustCompile(`^Root=1-[0-9a-f]{8}-[0-9a-f]{24};Parent=[0-9a-f]{16};Sampled=0$`)
	tests := map[string]struct {
		call   call
		answer string
		header string
		want   *regexp.Regexp
	}{
		"7/a trace id of its own": {call{}, `{}`, "X-Amzn-Trace-Id", trace},
		"7/a caller's root is kept, a parent added": {call{header: map[string]string{"X-Amzn-Trace-Id": "Root=1-3152b799-8954dae64eda91bc9a23a7e8"}}, `{}`, "X-Amzn-Trace-Id",
			regexp.MustCompile(`^Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=[0-9a-f]{16};Sampled=0$`)},
		"7/a caller's root and parent are kept": {call{header: map[string]string{"X-Amzn-Trace-Id": "Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=7fa8c0f79203be72;Sampled=0"}}, `{}`, "X-Amzn-Trace-Id",
			regexp.MustCompile(`^Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=7fa8c0f79203be72;Sampled=0$`)},
		"7/the function cannot set the trace id":     {call{}, `{"headers":{"x-amzn-trace-id":"mine"}}`, "X-Amzn-Trace-Id", trace},
		"7/the function cannot set x-amz-apigw-id":   {call{}, `{"headers":{"X-Amz-Apigw-Id":"mine"}}`, "X-Amz-Apigw-Id", regexp.MustCompile(`^[A-Za-z0-9+/]+=$`)},
		"7/the function cannot set x-amzn-RequestId": {call{}, `{"headers":{"x-amzn-requestid":"mine"}}`, "X-Amzn-Requestid", regexp.MustCompile(`^[0-9a-f-]{36}$`)},
		"7/a caller's own request id, if a UUID":     {call{header: map[string]string{"X-Amzn-RequestId": own}}, `{}`, "X-Amzn-Requestid", regexp.MustCompile(own)},
		"7/Date is always there":                     {call{}, `{"headers":{"Date":"yesterday"}}`, "Date", regexp.MustCompile(`^Wed, 04 Mar 2026 05:06:07 GMT$`)},
		"7/a function's own 403 has no error type":   {call{}, `{"statusCode":403}`, "X-Amzn-Errortype", regexp.MustCompile(`^$`)},
		"7/a function's own error type is its own":   {call{}, `{"statusCode":403,"headers":{"x-amzn-ErrorType":"Mine"}}`, "X-Amzn-Errortype", regexp.MustCompile(`^Mine$`)},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, answering(tt.answer))
			got := f.do(t, tt.call)
			if value := strings.Join(got.header.Values(tt.header), ","); !tt.want.MatchString(value) {
				t.Errorf("%s: got %q, want %s", tt.header, value, tt.want)
			}
		})
	}
}

// A mock integration's answers have no trace id ("seen": API Gateway traces what it invokes).
func TestFidelityMockHeaders(t *testing.T) {
	for name, answer := range map[string]http.Header{
		"7/a mock's answer has no trace id":  nil,
		"7/a mock sets no trace id":          {"X-Amzn-Trace-Id": {"mine"}},
		"7/a mock sets its headers, no more": {"Access-Control-Allow-Origin": {"*"}},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(c *gateway.Config, _ *gateway.Door) {
				c.APIs[0].Routes[0].Mock = &gateway.Mock{Status: 200, Header: answer}
			})
			got := f.do(t, call{header: map[string]string{"X-Amzn-Trace-Id": "Root=1-3152b799-8954dae64eda91bc9a23a7e8"}})
			if got.status != 200 || got.header["X-Amzn-Trace-Id"] != nil || got.header.Get("X-Amzn-Requestid") == "" || got.header.Get("Access-Control-Allow-Origin") != answer.Get("Access-Control-Allow-Origin") {
				t.Errorf("got %d with %v", got.status, got.header)
			}
		})
	}
}

// What the front end refuses before it knows an API is text of the form that was seen, which is no media type.
func TestFidelityLargeBodyType(t *testing.T) {
	f := newFixture(t)
	got := f.do(t, call{method: "POST", body: strings.Repeat("x", 10<<20+1)})
	if media := got.header.Values("Content-Type"); got.status != 413 || len(media) != 1 || media[0] != "text; charset=utf-8" {
		t.Errorf("got %d with Content-Type %q", got.status, media)
	}
}

// A target that is no path is refused by the gateway, not answered by the server before it: by whatever method.
func TestSecurityTargetsThatAreNoPath(t *testing.T) {
	f := newFixture(t)
	for _, target := range []string{"OPTIONS *", "GET *", "OPTIONS http://localhost/dev/movie_list", "GET http://localhost/dev/movie_list"} {
		t.Run(target, func(t *testing.T) {
			head, body := onTheWire(t, f.vpce.Listener.Addr().String(), target+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
			if !strings.HasPrefix(head, "HTTP/1.1 400 ") || body != `{"message":"Bad Request"}` || !strings.Contains(head, "x-amzn-ErrorType: BadRequestException") {
				t.Errorf("got %s\n%s", head, body)
			}
			if r := f.next(t); r.Status != 400 || r.ErrorType != "BadRequestException" || !strings.Contains(r.Why, "is not a path") {
				t.Errorf("got the record %+v", r)
			}
		})
	}
}
