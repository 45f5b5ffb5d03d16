package apiclient_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/marquee-api/marquee/apiclient"
)

// An answer that breaks off is no answer: RFC 9110 section 9.2.2 lets a client repeat idempotent requests then, and no
// others.
func TestBrokenAnswers(t *testing.T) {
	short := answer{body: "half of it", cut: ofLength}
	chunks := answer{body: "half of it", cut: inChunks}
	reset := answer{body: "half of it", cut: withReset}
	for name, tt := range map[string]struct {
		method  string
		retry   apiclient.Retry
		answers []answer
		want    int // attempts on the wire
		fails   bool
	}{
		"GET, too few bytes":       {"GET", apiclient.Retry{}, []answer{short, {body: "all of it"}}, 2, false},
		"GET, no last chunk":       {"GET", apiclient.Retry{}, []answer{chunks, {body: "all of it"}}, 2, false},
		"GET, reset":               {"GET", apiclient.Retry{}, []answer{reset, {body: "all of it"}}, 2, false},
		"PUT":                      {"PUT", apiclient.Retry{}, []answer{short, {body: "all of it"}}, 2, false},
		"DELETE":                   {"DELETE", apiclient.Retry{}, []answer{short, {body: "all of it"}}, 2, false},
		"a refusal that breaks":    {"GET", apiclient.Retry{}, []answer{{status: 403, kind: "ForbiddenException", body: `{"mess`, cut: ofLength}, {body: "all of it"}}, 2, false},
		"different troubles":       {"GET", apiclient.Retry{}, []answer{short, throttled, {body: "all of it"}}, 3, false},
		"for good":                 {"GET", apiclient.Retry{}, []answer{short, chunks, short, {body: "all of it"}}, 3, true},
		"one attempt":              {"GET", apiclient.Retry{MaxAttempts: 1}, []answer{short, {body: "all of it"}}, 1, true},
		"POST":                     {"POST", apiclient.Retry{}, []answer{short, {body: "all of it"}}, 1, true},
		"PATCH":                    {"PATCH", apiclient.Retry{}, []answer{chunks, {body: "all of it"}}, 1, true},
		"POST, told otherwise":     {"POST", apiclient.Retry{AllMethods: true}, []answer{short, {body: "all of it"}}, 2, false},
		"a condition that says no": {"GET", apiclient.Retry{Condition: only(429)}, []answer{short, {body: "all of it"}}, 1, true},
	} {
		t.Run(name, func(t *testing.T) {
			api := newFaultServer(t, tt.answers...)
			api.Config.ErrorLog = quiet()
			c := api.client(t, apiclient.Config{Retry: tt.retry, Base: freshConnections()})
			resp, err := c.Do(t.Context(), apiclient.Request{Method: tt.method, Path: "/x", Body: []byte("the body")})
			var call *apiclient.CallError
			switch {
			case tt.fails && (!errors.As(err, &call) || call.Attempts != tt.want || resp != nil):
				t.Errorf("got %+v, %v, want an error after %d attempts", resp, err, tt.want)
			case !tt.fails && (err != nil || string(resp.Body) != "all of it" || resp.Attempts != tt.want):
				t.Errorf("got %+v, %v, want the whole answer after %d attempts", resp, err, tt.want)
			}
			for _, a := range api.arrivals(t, tt.want) {
				checkSignature(t, a, testKeys, testRegion)
				if string(a.Body) != "the body" {
					t.Errorf("got body %q, want it whole", a.Body)
				}
			}
		})
	}
}

// HTTP/2 says it in frames: RST_STREAM, with net/http's own words.
func TestBrokenAnswersOverHTTP2(t *testing.T) {
	v := newVPCEndpoint(t, apiHost)
	v.http2 = true
	v.answers = []answer{{body: "half of it", cut: inChunks}, {body: "all of it"}}
	c := v.client(t, apiclient.Config{Endpoint: resolve(t, apiclient.EndpointConfig{URL: apiURL}), Base: v.base(t)})
	resp, err := c.Do(t.Context(), apiclient.Request{Path: "/x"})
	if err != nil || resp.Proto != "HTTP/2.0" || string(resp.Body) != "all of it" || resp.Attempts != 2 {
		t.Errorf("got %+v, %v, want the whole answer over HTTP/2 after 2 attempts", resp, err)
	}
	v.arrivals(t, 2)
}

// What the transport has handed on it cannot take back: the reader learns that the body broke off.
func TestTransportHandsABrokenAnswerOn(t *testing.T) {
	api := newFaultServer(t, answer{body: "half of it", cut: ofLength})
	api.Config.ErrorLog = quiet()
	resp := roundTrip(t, api.transport(t, apiclient.Config{}), newRequest(t, "GET", api.URL+"/dev/x", nil))
	body, err := io.ReadAll(resp.Body)
	if string(body) != "half of it" || !errors.Is(err, io.ErrUnexpectedEOF) {
		t.Errorf("got %q, %v, want the half and io.ErrUnexpectedEOF", body, err)
	}
	api.arrivals(t, 1)
}

func TestAnswersThatAreTooLargeAreFinal(t *testing.T) {
	api := newFaultServer(t, answer{body: "more than four"}, fine)
	_, err := api.client(t, apiclient.Config{MaxResponseBytes: 4}).Do(t.Context(), apiclient.Request{Path: "/x"})
	if !errors.Is(err, apiclient.ErrResponseTooLarge) {
		t.Errorf("got %v, want ErrResponseTooLarge", err)
	}
	api.arrivals(t, 1)
}

// A retry that nothing so far was quick enough for ends in "deadline exceeded", where the answer at hand says more.
func TestRetryLeavesTimeForAnAnswer(t *testing.T) {
	const answerTakes = 10 * time.Second
	for name, tt := range map[string]struct {
		timeout time.Duration
		want    int
	}{
		"time for three":       {33 * time.Second, 3},
		"not quite for two":    {21 * time.Second, 1},
		"time for two and one": {31 * time.Second, 2},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				sent := 0
				c, err := apiclient.New(apiclient.Config{
					Endpoint: resolve(t, apiclient.EndpointConfig{URL: apiURL}), Credentials: static(testKeys),
					Retry: apiclient.Retry{Backoff: retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return time.Second, nil })},
					Base: roundTripperFunc(func(*http.Request) (*http.Response, error) {
						sent++
						time.Sleep(answerTakes)
						return respond(503, "", ""), nil
					}),
				})
				if err != nil {
					t.Fatal(err)
				}
				ctx, cancel := context.WithTimeout(t.Context(), tt.timeout)
				defer cancel()
				_, err = c.Do(ctx, apiclient.Request{})
				var refusal *apiclient.APIError
				if !errors.As(err, &refusal) || refusal.StatusCode != 503 || sent != tt.want {
					t.Errorf("got %v after %d attempts, want the 503 after %d", err, sent, tt.want)
				}
			})
		})
	}
}

// A context that has ended sends nothing, whatever the base makes of contexts.
func TestNothingIsSentAfterTheEnd(t *testing.T) {
	sent := 0
	c, err := apiclient.New(apiclient.Config{
		Endpoint: resolve(t, apiclient.EndpointConfig{URL: apiURL}), Credentials: static(testKeys),
		Base: roundTripperFunc(func(*http.Request) (*http.Response, error) {
			sent++
			return respond(200, "", ""), nil
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithDeadline(t.Context(), time.Now().Add(-time.Second))
	defer cancel()
	var call *apiclient.CallError
	if _, err := c.Do(ctx, apiclient.Request{}); !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &call) || call.Attempts != 0 || sent != 0 {
		t.Errorf("got %v with %d requests sent, want the deadline and none", err, sent)
	}
}

// Retry-After lengthens a wait, in seconds or as a date, and never shortens one.
func TestRetryAfter(t *testing.T) {
	const date, later = "Mon, 23 Nov 2026 12:00:00 GMT", "Mon, 23 Nov 2026 12:00:07 GMT"
	// The machine's clock begins at the start of 2000 here, and is known to be an hour late.
	const late, corrected = time.Hour, "Sat, 01 Jan 2000 01:00:07 GMT"
	for name, tt := range map[string]struct {
		header http.Header
		wait   time.Duration // 0: no retry
	}{
		"nothing":                             {http.Header{}, 2 * time.Second},
		"seconds":                             {http.Header{"Retry-After": {"5"}}, 5 * time.Second},
		"less than the wait":                  {http.Header{"Retry-After": {"1"}}, 2 * time.Second},
		"a date":                              {http.Header{"Retry-After": {later}, "Date": {date}}, 7 * time.Second},
		"a date that is over":                 {http.Header{"Retry-After": {date}, "Date": {later}}, 2 * time.Second},
		"a date far away":                     {http.Header{"Retry-After": {"Tue, 23 Nov 2027 12:00:00 GMT"}, "Date": {date}}, 0},
		"a date by this clock":                {http.Header{"Retry-After": {corrected}}, 7 * time.Second},
		"a date by a clock that says nothing": {http.Header{"Retry-After": {corrected}, "Date": {"noon"}}, 7 * time.Second},
		"a date far away by this clock":       {http.Header{"Retry-After": {later}}, 0},
		"nonsense":                            {http.Header{"Retry-After": {"-5"}}, 2 * time.Second},
		"nonsense in words":                   {http.Header{"Retry-After": {"5 seconds"}}, 2 * time.Second},
		"the longest wait":                    {http.Header{"Retry-After": {"20"}}, 20 * time.Second},
		"leading zeros":                       {http.Header{"Retry-After": {"000000000000000000000005"}}, 5 * time.Second},
		"no longer a moment":                  {http.Header{"Retry-After": {"21"}}, 0},
		"three centuries":                     {http.Header{"Retry-After": {"9999999999"}}, 0}, // more nanoseconds than 63 bits hold
		"no number at all":                    {http.Header{"Retry-After": {"99999999999999999999"}}, 0},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				var sent []time.Time
				c, err := apiclient.New(apiclient.Config{
					Endpoint: resolve(t, apiclient.EndpointConfig{URL: apiURL}), Credentials: static(testKeys),
					Clock: apiclient.Clock{Offset: late},
					Retry: apiclient.Retry{MaxAttempts: 2, Backoff: retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 2 * time.Second, nil })},
					Base: roundTripperFunc(func(*http.Request) (*http.Response, error) {
						sent = append(sent, time.Now())
						resp := respond(503, "", "")
						for name, values := range tt.header {
							resp.Header[name] = values
						}
						return resp, nil
					}),
				})
				if err != nil {
					t.Fatal(err)
				}
				if _, err := c.Do(t.Context(), apiclient.Request{}); err == nil {
					t.Fatal("got a 2xx, want the 503")
				}
				switch {
				case tt.wait == 0 && len(sent) != 1:
					t.Errorf("got %d attempts, want one", len(sent))
				case tt.wait > 0 && (len(sent) != 2 || sent[1].Sub(sent[0]) != tt.wait):
					t.Errorf("sent at %v, want %v between two", sent, tt.wait)
				}
			})
		})
	}
}

// Without a connection nothing was sent, so even a POST may be sent again; a connection that was lost may have carried it.
func TestConnectionsThatCannotBeMade(t *testing.T) {
	refused := func() error { return &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED} }
	for name, tt := range map[string]struct {
		method string
		cause  error
		want   int
	}{
		"refused":                 {"POST", refused(), 3},
		"refused, wrapped":        {"PATCH", &url.Error{Op: "Post", Err: refused()}, 3},
		"name service is away":    {"POST", &net.OpError{Op: "dial", Err: &net.DNSError{Err: "server misbehaving", Name: apiHost, IsTemporary: true}}, 3},
		"no such name":            {"GET", &net.OpError{Op: "dial", Err: &net.DNSError{Err: "no such host", Name: apiHost, IsNotFound: true}}, 1},
		"reset while it was read": {"POST", &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}, 1},
		"reset, GET":              {"GET", &net.OpError{Op: "read", Net: "tcp", Err: syscall.ECONNRESET}, 3},
	} {
		t.Run(name, func(t *testing.T) {
			attempts := 0
			c, err := apiclient.New(apiclient.Config{
				Endpoint: resolve(t, apiclient.EndpointConfig{URL: apiURL}), Credentials: static(testKeys), Retry: apiclient.Retry{Backoff: noWait},
				Base: roundTripperFunc(func(*http.Request) (*http.Response, error) {
					attempts++
					return nil, tt.cause
				}),
			})
			if err != nil {
				t.Fatal(err)
			}
			if _, err := c.Do(t.Context(), apiclient.Request{Method: tt.method}); !errors.Is(err, tt.cause) || attempts != tt.want {
				t.Errorf("got %v after %d attempts, want the error after %d", err, attempts, tt.want)
			}
		})
	}
}
