package gateway_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/marquee-api/marquee/internal/gateway"
)

// What comes of an invocation, and of the limits before it.
func TestFidelityIntegration(t *testing.T) {
	const internal = `{"message": "Internal server error"}`
	functionError := func(c *gateway.Config, _ *gateway.Door) {
		c.Invoker.(*function).answer = gateway.Answer{Payload: []byte(`{"errorMessage":"Task timed out after 3.00 seconds"}`), FunctionError: "Unhandled"}
	}
	binary := func(c *gateway.Config, _ *gateway.Door) { c.APIs[0].BinaryMediaTypes = []string{"image/png"} }
	accept := map[string]string{"Accept": "image/png"}
	tests := map[string]struct {
		changes   []options
		call      call
		status    int
		errorType string
		body      string
	}{
		"1.2/API_CONFIGURATION_ERROR":              {[]options{binary, answering(`{"isBase64Encoded":true,"body":"%"}`)}, call{header: accept}, 500, "InternalServerErrorException", internal},
		"1.6/the function's own timeout":           {[]options{functionError}, call{}, 502, "InternalServerErrorException", internal},
		"1.6/a malformed answer":                   {[]options{answering(`{"statusCode":200,"body":{}}`)}, call{}, 502, "InternalServerErrorException", internal},
		"1.6/Lambda throttles":                     {[]options{failing(errors.New("throttled"))}, call{}, 500, "InternalServerErrorException", internal},
		"1.6/the function is gone":                 {[]options{failing(errors.New("no such function"))}, call{}, 500, "InternalServerErrorException", internal},
		"1.6/base64 that is none":                  {[]options{binary, answering(`{"isBase64Encoded":true,"body":"%"}`)}, call{header: accept}, 500, "InternalServerErrorException", internal},
		"1.6/the integration's time is over":       {[]options{failing(context.DeadlineExceeded)}, call{}, 504, "InternalServerErrorException", `{"message": "Endpoint request timed out"}`},
		"6/a stage's throttle":                     {[]options{func(c *gateway.Config, _ *gateway.Door) { c.APIs[0].Throttle = &gateway.Throttle{} }}, call{}, 429, "TooManyRequestsException", `{"message":"Too Many Requests"}`},
		"6/a method's throttle":                    {[]options{func(c *gateway.Config, _ *gateway.Door) { c.APIs[0].Routes[0].Throttle = &gateway.Throttle{} }}, call{}, 429, "TooManyRequestsException", `{"message":"Too Many Requests"}`},
		"6/the account's throttle":                 {[]options{func(c *gateway.Config, _ *gateway.Door) { c.Throttle = &gateway.Throttle{} }}, call{}, 429, "TooManyRequestsException", `{"message":"Too Many Requests"}`},
		"6/refused calls are not throttled":        {[]options{func(c *gateway.Config, _ *gateway.Door) { c.Throttle = &gateway.Throttle{} }}, call{path: "/dev/nothing"}, 403, "MissingAuthenticationTokenException", missing},
		"6/a private URL of 8,192 bytes":           {nil, call{path: "/dev/movie_list?x=" + strings.Repeat("x", 8192-len("/dev/movie_list?x="))}, 200, "", `{}`},
		"6/a private URL of 8,193 bytes":           {nil, call{path: "/dev/movie_list?x=" + strings.Repeat("x", 8193-len("/dev/movie_list?x="))}, 414, "RequestURITooLongException", `{"message":"Request URI too long"}`},
		"6/an event of 6 MiB":                      {[]options{withPost}, call{method: "POST", key: "ASIAPARTNER", body: strings.Repeat("x", 6<<20-4096)}, 200, "", `{}`},
		"6/binary bodies grow by a third":          {[]options{withPost, binary}, call{method: "POST", key: "ASIAPARTNER", body: strings.Repeat("x", 5<<20), header: map[string]string{"Content-Type": "image/png"}}, 413, "BadRequestException", `{"message": "Request Too Long"}`},
		"6/a body of 10 MiB is too large an event": {[]options{withPost}, call{method: "POST", key: "ASIAPARTNER", body: strings.Repeat("x", 10<<20)}, 413, "BadRequestException", `{"message": "Request Too Long"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, tt.changes...)
			got := f.do(t, tt.call)
			if got.status != tt.status || got.errorType != tt.errorType || got.body != tt.body {
				t.Errorf("got %d %s %.200s, want %d %s %s", got.status, got.errorType, got.body, tt.status, tt.errorType, tt.body)
			}
		})
	}
	public := map[string]struct{ size, status int }{"6/a regional URL of 10,240 bytes": {10240, 200}, "6/a regional URL of 10,241 bytes": {10241, 414}}
	for name, tt := range public {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withPublicAPI)
			path := "/dev/open?"
			got := f.do(t, call{key: "-", host: publicID + ".execute-api.ap-northeast-2.amazonaws.com", path: path + strings.Repeat("x", tt.size-len(path)), server: f.public})
			if got.status != tt.status {
				t.Errorf("got %d %s, want %d", got.status, got.body, tt.status)
			}
		})
	}
}

// The headers' limit counts names, values, line ends and spaces: 8,000 bytes for a private API, 10,240 for another.
func TestFidelityHeaderLimit(t *testing.T) {
	for name, tt := range map[string]struct {
		public       bool
		size, status int
	}{
		"6/private headers of 8,000 bytes":   {false, 8000, 403},
		"6/private headers of 8,001 bytes":   {false, 8001, 431},
		"6/regional headers of 10,240 bytes": {true, 10240, 200},
		"6/regional headers of 10,241 bytes": {true, 10241, 431},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withPublicAPI)
			server, path, host := f.vpce, "/dev/movie_list", "localhost"
			if tt.public {
				server, path, host = f.public, "/dev/open", publicID+".execute-api.ap-northeast-2.amazonaws.com"
			}
			head := "Host: " + host + "\r\n"
			filler := fmt.Sprintf("X: %s\r\n", strings.Repeat("x", tt.size-len(head)-len("X: \r\n")))
			got, _ := onTheWire(t, server.Listener.Addr().String(), "GET "+path+" HTTP/1.1\r\n"+head+filler+"\r\n")
			if !strings.HasPrefix(got, fmt.Sprintf("HTTP/1.1 %d ", tt.status)) {
				t.Errorf("got %.60s, want %d", got, tt.status)
			}
		})
	}
}

// slow is a function that answers only when its time is over.
type slow struct{}

func (slow) Invoke(ctx context.Context, _ string, _ gateway.Event) (gateway.Answer, error) {
	<-ctx.Done()
	return gateway.Answer{}, ctx.Err()
}

// An integration has 29 seconds, or the time that the template gives it.
func TestFidelityIntegrationTimeout(t *testing.T) {
	for name, tt := range map[string]struct{ given, want time.Duration }{
		"6/29 seconds by default":    {0, 29 * time.Second},
		"6/50 milliseconds":          {50 * time.Millisecond, 50 * time.Millisecond},
		"6/the template's, a minute": {time.Minute, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				g, err := gateway.New(gateway.Config{
					Region: region, AccountID: account, Identities: people{}, Invoker: slow{},
					APIs: []gateway.API{{ID: apiID, Stage: "dev", Routes: []gateway.Route{{Method: "GET", Path: "/open", Function: "f", NoAuth: true, Timeout: tt.given}}}},
				})
				if err != nil {
					t.Fatal(err)
				}
				r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "http://localhost/dev/open", nil)
				if err != nil {
					t.Fatal(err)
				}
				r.RequestURI, r.Host = "/dev/open", "localhost"
				w := &discard{header: http.Header{}}
				start := time.Now()
				g.Handler(gateway.Door{Name: "public"}).ServeHTTP(w, r)
				if took := time.Since(start); took != tt.want || w.status != 504 {
					t.Errorf("got %d after %v, want 504 after %v", w.status, took, tt.want)
				}
			})
		})
	}
}

// The account's bucket holds so many requests at once and refills at its rate.
func TestFidelityThrottleBucket(t *testing.T) {
	clock := now
	f := newFixture(t, func(c *gateway.Config, _ *gateway.Door) {
		c.Throttle = &gateway.Throttle{Rate: 2, Burst: 3}
		c.Now = func() time.Time { return clock }
	})
	var got bytes.Buffer
	for _, wait := range []time.Duration{0, 0, 0, 0, 500 * time.Millisecond, 0, time.Second, 0, 0} {
		clock = clock.Add(wait)
		fmt.Fprint(&got, f.do(t, call{}).status, " ")
	}
	if want := "200 200 200 429 200 429 200 200 429 "; got.String() != want {
		t.Errorf("got %s, want %s", got.String(), want)
	}
}

// A stage's setting bounds each of its methods on its own, and a method's own takes its place, be it wider or narrower
// ("Throttle requests to your REST APIs": limits of a stage are applied at the API method level).
func TestFidelityStageThrottle(t *testing.T) {
	const list, one, wide = "/dev/movie_list", "/dev/movie_list/1999/Go", "/dev/wide"
	tests := map[string]struct {
		stage *gateway.Throttle
		calls string // by the first letter of the path's constant
		want  string
	}{
		"6/each method has the stage's limit":   {&gateway.Throttle{Burst: 2}, "l l o l o o", "200 200 200 429 200 429 "},
		"6/a method's own limit, where wider":   {&gateway.Throttle{Burst: 1}, "w w w w l l", "200 200 200 429 200 429 "},
		"6/a method's own limit, where narrow":  {&gateway.Throttle{Burst: 9}, "w w w w l l", "200 200 200 429 200 200 "},
		"6/a method's own limit without others": {nil, "w w w w l l l l", "200 200 200 429 200 200 200 200 "},
		"6/a stage's limit of none":             {&gateway.Throttle{}, "w l w o", "200 429 200 429 "},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(c *gateway.Config, _ *gateway.Door) { // whose clock stands still: nothing is refilled
				c.APIs[0].Throttle = tt.stage
				c.APIs[0].Routes = append(c.APIs[0].Routes, gateway.Route{Method: "GET", Path: "/wide", Function: "list", Throttle: &gateway.Throttle{Burst: 3}})
			})
			var got bytes.Buffer
			for which := range strings.FieldsSeq(tt.calls) {
				fmt.Fprint(&got, f.do(t, call{path: map[string]string{"l": list, "o": one, "w": wide}[which]}).status, " ")
			}
			if got.String() != tt.want {
				t.Errorf("%s: got %s, want %s", tt.calls, got.String(), tt.want)
			}
		})
	}
}

// A refusal says whose limit it was.
func TestThrottleSaysWhose(t *testing.T) {
	for why, change := range map[string]options{
		"the stage's limit of each method":  func(c *gateway.Config, _ *gateway.Door) { c.APIs[0].Throttle = &gateway.Throttle{} },
		"the method's limit":                func(c *gateway.Config, _ *gateway.Door) { c.APIs[0].Routes[0].Throttle = &gateway.Throttle{} },
		"the account's limit in the region": func(c *gateway.Config, _ *gateway.Door) { c.Throttle = &gateway.Throttle{} },
	} {
		t.Run(why, func(t *testing.T) {
			f := newFixture(t, change)
			f.do(t, call{})
			if got := f.next(t).Why; got != why {
				t.Errorf("got %q", got)
			}
		})
	}
}
