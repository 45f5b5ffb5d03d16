package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/gateway"
)

func readCloser(s string) io.ReadCloser { return io.NopCloser(strings.NewReader(s)) }

func TestLetIn(t *testing.T) {
	const own = apiID + ".execute-api.ap-northeast-2.amazonaws.com"
	tests := map[string]call{
		"by the loopback address":                 {},
		"by localhost":                            {host: "localhost:8080"},
		"by the container's name of its host":     {host: "host.docker.internal:8080"},
		"by the API's own name":                   {host: own},
		"by its own name in capitals":             {host: strings.ToUpper(own)},
		"by the alias of the endpoint":            {host: apiID + "-" + endpoint + ".execute-api.ap-northeast-2.amazonaws.com"},
		"by the endpoint's name and the header":   {host: endpoint + "-abcd.execute-api.ap-northeast-2.vpce.amazonaws.com", header: map[string]string{"X-Apigw-Api-Id": apiID}},
		"from an allowed account":                 {key: "ASIAPARTNER"},
		"by the narrow role":                      {key: "ASIACALLER"},
		"with a trailing slash":                   {path: "/dev/movie_list/"},
		"two hundred and ninety-nine seconds ago": {date: now.Add(-299e9)},
	}
	for name, c := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			if got := f.do(t, c); got.status != 200 || got.errorType != "" {
				t.Errorf("got %d %s %s, want 200", got.status, got.errorType, got.body)
			}
		})
	}
}

// A path parameter reaches the function as it was signed, and the event says who called, through which endpoint.
func TestEvent(t *testing.T) {
	f := newFixture(t)
	got := f.do(t, call{path: "/dev/movie_list/1999/A%2FB%20C?x=1&x=2", header: map[string]string{"User-Agent": "tester"}})
	if got.status != 200 {
		t.Fatalf("got %d %s", got.status, got.body)
	}
	event := f.function.event
	for key, want := range map[string]any{
		"path": "/movie_list/1999/A%2FB%20C", "resource": "/movie_list/{year}/{title}", "httpMethod": "GET",
		"pathParameters":                  map[string]any{"year": "1999", "title": "A%2FB%20C"},
		"multiValueQueryStringParameters": map[string]any{"x": []any{"1", "2"}},
	} {
		if diff := cmp.Diff(want, event[key]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
	}
	identity := event["requestContext"].(map[string]any)["identity"].(map[string]any)
	for key, want := range map[string]any{
		"userArn": readerARN, "accessKey": "ASIAREADER", "accountId": account, "vpceId": endpoint, "vpcId": "vpc-1",
		"userAgent": "tester", "sourceIp": "127.0.0.1", "caller": "AROAEXAMPLE:reader",
	} {
		if identity[key] != want {
			t.Errorf("identity.%s: got %v, want %v", key, identity[key], want)
		}
	}
	if _, ok := event["headers"].(map[string]any)["Authorization"]; ok {
		t.Error("the signature reached the function")
	}
	if id := event["requestContext"].(map[string]any)["requestId"]; id != got.header.Get("X-Amzn-Requestid") {
		t.Errorf("requestId: got %v, want the header's %v", id, got.header.Get("X-Amzn-Requestid"))
	}
}

// What was verified is what is routed and handed on: a path that normalises to another is that other one.
func TestSecurityNormalisedPathIsRoutedAndAuthorised(t *testing.T) {
	f := newFixture(t)
	// The SDK signs the path as it stands, AWS the normalised one; so the normalised path is signed here and the other sent.
	got := f.do(t, call{path: "/dev/movie_list", tamper: func(r *http.Request) {
		r.URL.Opaque = "/dev//x/../movie_list"
	}})
	if got.status != 200 {
		t.Fatalf("got %d %s, want 200", got.status, got.body)
	}
	if path := f.function.event["path"]; path != "/movie_list" {
		t.Errorf("got path %v, want /movie_list", path)
	}
}

func TestFunctionFailures(t *testing.T) {
	internal := `{"message": "Internal server error"}`
	tests := map[string]struct {
		answer    gateway.Answer
		err       error
		status    int
		errorType string
		body      string
		trace     bool
	}{
		"function error":   {gateway.Answer{Payload: []byte(`{"errorMessage":"x"}`), FunctionError: "Unhandled"}, nil, 502, "InternalServerErrorException", internal, false},
		"malformed":        {gateway.Answer{Payload: []byte(`"x"`)}, nil, 502, "InternalServerErrorException", internal, false},
		"not invoked":      {gateway.Answer{}, errors.New("no such function"), 500, "InternalServerErrorException", internal, false},
		"no answer":        {gateway.Answer{}, context.DeadlineExceeded, 504, "InternalServerErrorException", `{"message": "Endpoint request timed out"}`, true},
		"its own 403":      {gateway.Answer{Payload: []byte(`{"statusCode":403,"body":"no"}`)}, nil, 403, "", "no", true},
		"no content":       {gateway.Answer{Payload: []byte(`{"statusCode":204}`)}, nil, 204, "", "", true},
		"request id stays": {gateway.Answer{Payload: []byte(`{"statusCode":200,"headers":{"X-Amz-Apigw-Id":"mine"},"body":"b"}`)}, nil, 200, "", "b", true},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.function.answer, f.function.err = tt.answer, tt.err
			got := f.do(t, call{})
			if got.status != tt.status || got.errorType != tt.errorType || got.body != tt.body {
				t.Errorf("got %d %s %q, want %d %s %q", got.status, got.errorType, got.body, tt.status, tt.errorType, tt.body)
			}
			if trace := got.header.Get("X-Amzn-Trace-Id") != ""; trace != tt.trace {
				t.Errorf("trace id there: got %v, want %v", trace, tt.trace)
			}
			if id := got.header.Get("X-Amz-Apigw-Id"); id == "" || id == "mine" {
				t.Errorf("got x-amz-apigw-id %q, want the gateway's", id)
			}
		})
	}
}

func TestLimits(t *testing.T) {
	large := strings.Repeat("x", 10<<20)
	tests := map[string]struct {
		call   call
		status int
		body   string
	}{
		"10 MiB and a byte":          {call{method: "POST", body: large + "x"}, 413, "HTTP content length exceeded 10485760 bytes."},
		"10 MiB and a byte, chunked": {call{method: "POST", body: large + "x", tamper: func(r *http.Request) { r.ContentLength = -1 }}, 413, "HTTP content length exceeded 10485760 bytes."},
		"8,001 bytes of headers":     {call{header: map[string]string{"X-Large": strings.Repeat("x", 8000)}}, 431, `{"message":"Request Header Fields Too Large"}`},
		"8,193 bytes of URL":         {call{path: "/dev/" + strings.Repeat("x", 8188)}, 414, `{"message":"Request URI too long"}`},
		"1,601 bytes of method ARN":  {call{path: "/dev/" + strings.Repeat("x", 1601-len(apiARN+"dev/GET/"))}, 414, `{"message":"Request URI too long"}`},
		"1,600 bytes of method ARN":  {call{path: "/dev/" + strings.Repeat("x", 1600-len(apiARN+"dev/GET/"))}, 403, missing},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			if got := f.do(t, tt.call); got.status != tt.status || got.body != tt.body {
				t.Errorf("got %d %.200s, want %d %s", got.status, got.body, tt.status, tt.body)
			}
		})
	}
}

func TestEventTooLarge(t *testing.T) {
	f := newFixture(t, func(c *gateway.Config, _ *gateway.Door) {
		c.APIs[0].Routes = append(c.APIs[0].Routes, gateway.Route{Method: "POST", Path: "/movie_list", Function: "list"})
	})
	got := f.do(t, call{method: "POST", body: strings.Repeat("x", 7<<20), key: "ASIAPARTNER"})
	if got.status != 413 || got.body != `{"message": "Request Too Long"}` || got.errorType != "BadRequestException" {
		t.Errorf("got %d %s %s", got.status, got.errorType, got.body)
	}
}

func TestThrottle(t *testing.T) {
	f := newFixture(t, func(c *gateway.Config, _ *gateway.Door) {
		c.APIs[0].Throttle = &gateway.Throttle{Rate: 1, Burst: 2}
	})
	// The clock stands still, so nothing is refilled.
	for i, want := range []int{200, 200, 429} {
		got := f.do(t, call{})
		if got.status != want {
			t.Errorf("request %d: got %d, want %d", i+1, got.status, want)
		}
		if want == 429 && (got.errorType != "TooManyRequestsException" || got.body != `{"message":"Too Many Requests"}`) {
			t.Errorf("got %s %s", got.errorType, got.body)
		}
	}
}

// SAM's default InvokeRole passes the caller's credentials on, who then needs lambda:InvokeFunction.
func TestCallerCredentials(t *testing.T) {
	const arn = "arn:aws:lambda:ap-northeast-2:123456789012:function:list"
	f := newFixture(t, func(c *gateway.Config, _ *gateway.Door) { c.APIs[0].Routes[0].CallerInvokes = arn })
	if got := f.do(t, call{}); got.status != 500 {
		t.Errorf("without lambda:InvokeFunction: got %d %s, want 500", got.status, got.body)
	}
	f.people["ASIAREADER"] = identity(t, readerARN, `{"Statement":{"Effect":"Allow","Action":["execute-api:Invoke","lambda:InvokeFunction"],"Resource":"*"}}`)
	if got := f.do(t, call{}); got.status != 200 {
		t.Errorf("with lambda:InvokeFunction: got %d %s, want 200", got.status, got.body)
	}
}

// The names of a request have AWS's forms; a caller's own request id is kept if it is a UUID.
func TestRequestIDs(t *testing.T) {
	random := make([]byte, 39)
	for i := range random {
		random[i] = byte(i)
	}
	f := newFixture(t, func(c *gateway.Config, _ *gateway.Door) { c.Random = bytes.NewReader(bytes.Repeat(random, 4)) })
	got := f.do(t, call{})
	for name, want := range map[string]string{
		// Bytes 0 to 15 with the version and variant of RFC 9562; 16 to 26 in base64; the time, then 27 to 38; 39 to 46, where the bytes begin anew.
		"X-Amzn-Requestid": "00010203-0405-4607-8809-0a0b0c0d0e0f",
		"X-Amz-Apigw-Id":   "EBESExQVFhcYGRo=",
		"X-Amzn-Trace-Id":  "Root=1-69a7bdbf-1b1c1d1e1f20212223242526;Parent=0001020304050607;Sampled=0",
	} {
		if got.header.Get(name) != want {
			t.Errorf("%s: got %q, want %q", name, got.header.Get(name), want)
		}
	}
	const own = "c6af9ac6-7b61-11e6-9a41-93e8deadbeef"
	if got := f.do(t, call{header: map[string]string{"X-Amzn-RequestId": own}}); got.header.Get("X-Amzn-Requestid") != own {
		t.Errorf("a caller's UUID: got %q", got.header.Get("X-Amzn-Requestid"))
	}
	if got := f.do(t, call{header: map[string]string{"X-Amzn-RequestId": "mine"}}); got.header.Get("X-Amzn-Requestid") == "mine" {
		t.Error("a caller's other text was kept")
	}
}

// A header that HTTP cannot carry is nobody's loss in silence: the record names it. A line break never makes a header of
// its own.
func TestSecurityHeadersOfAnAnswer(t *testing.T) {
	f := newFixture(t, answering(`{"statusCode":200,"headers":{"bad name":"a"}}`))
	got := f.do(t, call{})
	if r := f.next(t); got.status != 502 || !strings.Contains(r.Why, `"bad name" is no name of a header`) {
		t.Errorf("got %d and the reason %q", got.status, r.Why)
	}
	f = newFixture(t, answering(`{"statusCode":200,"headers":{"x-a":"1\r\nSet-Cookie: a=b"}}`))
	if got := f.do(t, call{}); got.header.Get("X-A") != "1  Set-Cookie: a=b" || got.header.Get("Set-Cookie") != "" {
		t.Errorf("got %v", got.header)
	}
}
