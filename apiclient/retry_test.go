package apiclient_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"

	"github.com/marquee-api/marquee/apiclient"
)

var (
	throttled  = answer{status: 429, kind: apiclient.TypeTooManyRequests, body: `{"message":"Too Many Requests"}`}
	quotaUsed  = answer{status: 429, kind: apiclient.TypeLimitExceeded, body: `{"message":"Limit Exceeded"}`}
	forbidden  = answer{status: 403, kind: apiclient.TypeForbidden, body: `{"message":"Forbidden"}`}
	badGateway = answer{status: 502, kind: apiclient.TypeInternalServerError, body: `{"message": "Internal server error"}`}
	lost       = answer{hangUp: true}
	fine       = answer{}
)

// The rules are those of botocore's standard mode and of "Usage plans": a quota is used up for longer than any retry.
func TestRetryRules(t *testing.T) {
	all := apiclient.Retry{AllMethods: true}
	for name, tt := range map[string]struct {
		method  string
		retry   apiclient.Retry
		answers []answer
		want    int // attempts on the wire
		status  int // of the answer in the end; 0: an error
	}{
		"fine":                         {"GET", apiclient.Retry{}, []answer{fine}, 1, 200},
		"throttled once":               {"GET", apiclient.Retry{}, []answer{throttled, fine}, 2, 200},
		"throttled for good":           {"GET", apiclient.Retry{}, []answer{throttled, throttled, throttled, fine}, 3, 429},
		"429 of the function":          {"GET", apiclient.Retry{}, []answer{{status: 429}, fine}, 2, 200},
		"quota used up":                {"GET", apiclient.Retry{}, []answer{quotaUsed, fine}, 1, 429},
		"500":                          {"GET", apiclient.Retry{}, []answer{{status: 500}, fine}, 2, 200},
		"502":                          {"GET", apiclient.Retry{}, []answer{badGateway, fine}, 2, 200},
		"503":                          {"GET", apiclient.Retry{}, []answer{{status: 503}, fine}, 2, 200},
		"504":                          {"GET", apiclient.Retry{}, []answer{{status: 504}, fine}, 2, 200},
		"501":                          {"GET", apiclient.Retry{}, []answer{{status: 501}, fine}, 1, 501},
		"400":                          {"GET", apiclient.Retry{}, []answer{{status: 400}, fine}, 1, 400},
		"403":                          {"GET", apiclient.Retry{}, []answer{forbidden, fine}, 1, 403},
		"403 of the function":          {"GET", apiclient.Retry{}, []answer{{status: 403, body: `{"message":"Signature expired: no"}`}, fine}, 1, 403},
		"404":                          {"GET", apiclient.Retry{}, []answer{{status: 404}, fine}, 1, 404},
		"413":                          {"PUT", apiclient.Retry{}, []answer{{status: 413}, fine}, 1, 413},
		"connection lost":              {"GET", apiclient.Retry{}, []answer{lost, fine}, 2, 200},
		"connection lost for good":     {"GET", apiclient.Retry{}, []answer{lost, lost, lost, fine}, 3, 0},
		"different troubles":           {"GET", apiclient.Retry{}, []answer{throttled, lost, fine}, 3, 200},
		"HEAD":                         {"HEAD", apiclient.Retry{}, []answer{badGateway, fine}, 2, 200},
		"OPTIONS":                      {"OPTIONS", apiclient.Retry{}, []answer{badGateway, fine}, 2, 200},
		"PUT":                          {"PUT", apiclient.Retry{}, []answer{badGateway, fine}, 2, 200},
		"DELETE":                       {"DELETE", apiclient.Retry{}, []answer{badGateway, fine}, 2, 200},
		"POST is not idempotent":       {"POST", apiclient.Retry{}, []answer{badGateway, fine}, 1, 502},
		"POST, throttled":              {"POST", apiclient.Retry{}, []answer{throttled, fine}, 2, 200},
		"POST, 429 of the function":    {"POST", apiclient.Retry{}, []answer{{status: 429}, fine}, 1, 429},
		"POST, quota used up":          {"POST", apiclient.Retry{}, []answer{quotaUsed, fine}, 1, 429},
		"POST, connection lost":        {"POST", apiclient.Retry{}, []answer{lost, fine}, 1, 0},
		"PATCH is not idempotent":      {"PATCH", apiclient.Retry{}, []answer{badGateway, fine}, 1, 502},
		"POST, told otherwise":         {"POST", all, []answer{badGateway, lost, fine}, 3, 200},
		"one attempt":                  {"GET", apiclient.Retry{MaxAttempts: 1}, []answer{throttled, fine}, 1, 429},
		"five attempts":                {"GET", apiclient.Retry{MaxAttempts: 5}, []answer{throttled, throttled, lost, badGateway, fine}, 5, 200},
		"a condition of one's own":     {"GET", apiclient.Retry{Condition: only(404)}, []answer{{status: 404}, fine}, 2, 200},
		"a condition replaces":         {"GET", apiclient.Retry{Condition: only(404)}, []answer{badGateway, fine}, 1, 502},
		"a condition keeps to methods": {"POST", apiclient.Retry{Condition: only(404)}, []answer{{status: 404}, fine}, 1, 404},
		"a condition keeps to maximum": {"GET", apiclient.Retry{Condition: only(404), MaxAttempts: 2}, []answer{{status: 404}, {status: 404}, fine}, 2, 404},
	} {
		t.Run(name, func(t *testing.T) {
			api := newFaultServer(t, tt.answers...)
			c := api.client(t, apiclient.Config{Retry: tt.retry, Base: freshConnections()})
			request := apiclient.Request{Method: tt.method, Path: "/x"}
			if tt.method == "PUT" || tt.method == "POST" || tt.method == "PATCH" {
				request.Body = []byte("the body")
			}
			resp, err := c.Do(t.Context(), request)
			var refusal *apiclient.APIError
			if errors.As(err, &refusal) {
				resp = refusal.Response
			}
			switch {
			case tt.status == 0 && (err == nil || resp != nil):
				t.Errorf("got %+v, want a connection error", resp)
			case tt.status != 0 && (resp == nil || resp.Status != tt.status || resp.Attempts != tt.want):
				t.Errorf("got %+v (%v), want status %d after %d attempts", resp, err, tt.status, tt.want)
			}
			for _, a := range api.arrivals(t, tt.want) {
				checkSignature(t, a, testKeys, testRegion)
				if string(a.Body) != string(request.Body) {
					t.Errorf("got body %q, want %q", a.Body, request.Body)
				}
			}
		})
	}
}

// freshConnections keeps net/http from its own replay of a request on a kept connection that turns out to be closed.
func freshConnections() http.RoundTripper { return &http.Transport{DisableKeepAlives: true} }

func only(status int) func(apiclient.Attempt) bool {
	return func(a apiclient.Attempt) bool { return a.StatusCode == status }
}

func TestRetryConditionSeesTheAttempt(t *testing.T) {
	api := newFaultServer(t, throttled, lost)
	var seen []apiclient.Attempt
	c := api.client(t, apiclient.Config{Base: freshConnections(), Retry: apiclient.Retry{Condition: func(a apiclient.Attempt) bool {
		seen = append(seen, a)
		return apiclient.RetryTransient(a)
	}}})
	if _, err := c.Do(t.Context(), apiclient.Request{Path: "/x"}); err != nil {
		t.Fatal(err)
	}
	if len(seen) != 2 {
		t.Fatalf("the condition was asked %d times, want 2: nothing follows the third attempt", len(seen))
	}
	if a := seen[0]; a.Number != 1 || a.StatusCode != 429 || a.ErrorType() != "TooManyRequestsException" || a.Err != nil || a.Request.URL.Path != "/dev/x" {
		t.Errorf("got %+v for the first attempt", a)
	}
	if a := seen[1]; a.Number != 2 || a.StatusCode != 0 || a.Err == nil || a.ErrorType() != "" {
		t.Errorf("got %+v for the second attempt", a)
	}
}

// A retry that carried the first attempt's date would expire while it backs off.
func TestRetrySignsWithANewDate(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	clock := apiclient.Clock{Now: func() time.Time {
		now = now.Add(time.Minute)
		return now
	}}
	api := newFaultServer(t, throttled, badGateway)
	if _, err := api.client(t, apiclient.Config{Clock: clock}).Do(t.Context(), apiclient.Request{Path: "/x"}); err != nil {
		t.Fatal(err)
	}
	// The clock is read when a request leaves and when its answer has come.
	for i, a := range api.arrivals(t, 3) {
		if got, want := signedAt(t, a), time.Date(2026, 11, 23, 12, 1+2*i, 0, 0, time.UTC); !got.Equal(want) {
			t.Errorf("attempt %d: signed at %v, want %v", i+1, got, want)
		}
		checkSignature(t, a, testKeys, testRegion)
	}
}

// waits runs a client against a base that never gets better, in a bubble of fake time, and returns what it waited.
func waits(t *testing.T, cfg apiclient.Retry, timeout time.Duration) (attempts int, elapsed time.Duration, err error) {
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithTimeout(t.Context(), timeout)
		defer cancel()
		c, newErr := apiclient.New(apiclient.Config{
			Endpoint:    resolve(t, apiclient.EndpointConfig{URL: apiURL}),
			Credentials: static(testKeys),
			Retry:       cfg,
			Base: roundTripperFunc(func(*http.Request) (*http.Response, error) {
				attempts++
				return respond(503, "", ""), nil
			}),
		})
		if newErr != nil {
			t.Fatal(newErr)
		}
		start := time.Now()
		_, err = c.Do(ctx, apiclient.Request{})
		elapsed = time.Since(start)
	})
	return attempts, elapsed, err
}

func TestRetryWaitsAsTheBackoffSays(t *testing.T) {
	seconds := retry.BackoffDelayerFunc(func(attempt int, err error) (time.Duration, error) {
		var refusal *apiclient.APIError
		if !errors.As(err, &refusal) || refusal.HTTPStatusCode() != 503 {
			t.Errorf("the backoff was told %v, want the 503", err)
		}
		return time.Duration(attempt) * time.Second, nil
	})
	attempts, elapsed, _ := waits(t, apiclient.Retry{MaxAttempts: 4, Backoff: seconds}, time.Hour)
	if attempts != 4 || elapsed != 6*time.Second {
		t.Errorf("got %d attempts in %v, want 4 in 1+2+3 seconds", attempts, elapsed)
	}
}

// The SDK's backoff waits at most 2^attempt seconds, which the maximum bounds.
func TestRetryBackoffIsBoundedAndJittered(t *testing.T) {
	differ := false
	var first time.Duration
	for i := range 8 {
		attempts, elapsed, _ := waits(t, apiclient.Retry{MaxAttempts: 3}, time.Hour)
		if attempts != 3 || elapsed > 6*time.Second {
			t.Errorf("got %d attempts in %v, want 3 in at most 2+4 seconds", attempts, elapsed)
		}
		if i == 0 {
			first = elapsed
		}
		differ = differ || elapsed != first
	}
	if !differ {
		t.Errorf("every run waited %v, want jitter", first)
	}
	if attempts, elapsed, _ := waits(t, apiclient.Retry{MaxAttempts: 6, MaxBackoff: time.Second}, time.Hour); attempts != 6 || elapsed > 5*time.Second {
		t.Errorf("got %d attempts in %v, want 6 with a second between them at most", attempts, elapsed)
	}
}

// A wait that outlasts the deadline helps nobody: the answer at hand says more than "deadline exceeded".
func TestRetryRespectsTheDeadline(t *testing.T) {
	minute := retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return time.Minute, nil })
	attempts, elapsed, err := waits(t, apiclient.Retry{MaxAttempts: 10, Backoff: minute}, 150*time.Second)
	var refusal *apiclient.APIError
	if !errors.As(err, &refusal) || refusal.StatusCode != 503 {
		t.Errorf("got %v, want the 503", err)
	}
	if attempts != 3 || elapsed != 2*time.Minute {
		t.Errorf("got %d attempts in %v, want 3 in two minutes", attempts, elapsed)
	}
}

func TestRetryStopsWhenCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(t.Context())
	api := newFaultServer(t, throttled, throttled)
	c := api.client(t, apiclient.Config{Retry: apiclient.Retry{Backoff: retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) {
		cancel()
		return time.Hour, nil
	})}})
	if _, err := c.Do(ctx, apiclient.Request{Path: "/x"}); err == nil {
		t.Error("got an answer, want an end")
	}
	api.arrivals(t, 1)
}

// A clock and a token that are put right on the way are no retries, and the maximum is not for them.
func TestRetryMaximumCountsRetriesOnly(t *testing.T) {
	expired := answer{status: 403, kind: apiclient.TypeExpiredToken, body: `{"message":"The security token included in the request is expired"}`}
	late := answer{status: 403, kind: apiclient.TypeInvalidSignature, body: `{"message":"Signature expired: x"}`,
		header: map[string]string{"Date": time.Now().Add(time.Hour).UTC().Format(http.TimeFormat)}}
	api := newFaultServer(t, expired, throttled, late, fine)
	c := api.client(t, apiclient.Config{Credentials: &rotating{}, Retry: apiclient.Retry{MaxAttempts: 2}})
	resp, err := c.Do(t.Context(), apiclient.Request{Path: "/x"})
	if err != nil || resp.Attempts != 4 {
		t.Errorf("got %+v, %v, want an answer after 4 attempts", resp, err)
	}
	api.arrivals(t, 4)
}

// An answer that is not the last one is closed, or its connection would be lost.
func TestRetryClosesTheAnswersBefore(t *testing.T) {
	answers := []*http.Response{
		respond(503, "", "try later"),
		respond(403, apiclient.TypeExpiredToken, `{"message":"The security token included in the request is expired"}`),
		respond(200, "", "{}"),
	}
	var bodies []*trackedBody
	for _, a := range answers {
		body := &trackedBody{Reader: a.Body}
		bodies, a.Body = append(bodies, body), body
	}
	sent := 0
	tr, err := apiclient.NewTransport(apiclient.Config{
		Endpoint: resolve(t, apiclient.EndpointConfig{URL: apiURL}), Credentials: &rotating{}, Retry: apiclient.Retry{Backoff: noWait},
		Base: roundTripperFunc(func(*http.Request) (*http.Response, error) {
			sent++
			return answers[sent-1], nil
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	roundTrip(t, tr, newRequest(t, "GET", apiURL, nil))
	for i, want := range []bool{true, true, false} {
		if got := bodies[i].closed.Load(); got != want {
			t.Errorf("answer %d: closed is %v, want %v", i+1, got, want)
		}
	}
}

func TestRetryPolicyOfOneCall(t *testing.T) {
	api := newFaultServer(t, throttled, answer{status: 404}, fine, throttled, fine)
	c := api.client(t, apiclient.Config{Retry: apiclient.Retry{MaxAttempts: 1}, Credentials: static(testKeys)})
	own := apiclient.Retry{MaxAttempts: 5, Backoff: noWait, Condition: func(a apiclient.Attempt) bool { return a.StatusCode >= 400 }}
	resp, err := c.Do(t.Context(), apiclient.Request{Path: "/x", Retry: &own})
	if err != nil || resp.Attempts != 3 || len(resp.Retried) != 2 {
		t.Fatalf("got %+v, %v, want an answer after 3 attempts", resp, err)
	}
	for i, want := range []int{429, 404} {
		if a := resp.Retried[i]; a.Number != i+1 || a.StatusCode != want || a.Err != nil {
			t.Errorf("got %+v for attempt %d, want %d", a, i+1, want)
		}
	}
	var refusal *apiclient.APIError
	if _, err := c.Do(t.Context(), apiclient.Request{Path: "/x"}); !errors.As(err, &refusal) || refusal.Response.Attempts != 1 {
		t.Errorf("got %v, want the client's own policy for the next call", err)
	}
	api.arrivals(t, 4)
}

// A wait is a random part of a bound that doubles: never above 100, 200, 400 … milliseconds, and seldom near nothing.
func TestRetryBaseDelay(t *testing.T) {
	var most time.Duration
	for range 20 {
		attempts, elapsed, _ := waits(t, apiclient.Retry{MaxAttempts: 4, BaseDelay: 100 * time.Millisecond}, time.Hour)
		if most = max(most, elapsed); attempts != 4 || elapsed > 700*time.Millisecond {
			t.Errorf("got %d attempts in %v, want 4 in at most 100+200+400 ms", attempts, elapsed)
		}
	}
	if most < 200*time.Millisecond {
		t.Errorf("the longest of 20 runs waited %v, want some of the 700 ms", most)
	}
	if attempts, elapsed, _ := waits(t, apiclient.Retry{MaxAttempts: 9, BaseDelay: time.Second, MaxBackoff: time.Second}, time.Hour); attempts != 9 || elapsed > 8*time.Second {
		t.Errorf("got %d attempts in %v, want 9 with a second between them at most", attempts, elapsed)
	}
}

func TestRetryQuotaEndsAStorm(t *testing.T) {
	requests := 0
	c, err := apiclient.New(apiclient.Config{
		Endpoint:    resolve(t, apiclient.EndpointConfig{URL: apiURL}),
		Credentials: static(testKeys),
		Retry:       apiclient.Retry{Backoff: noWait},
		Base: roundTripperFunc(func(*http.Request) (*http.Response, error) {
			requests++
			return respond(503, "", ""), nil
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	for range 200 {
		if _, err := c.Do(t.Context(), apiclient.Request{}); err == nil {
			t.Fatal("got an answer of 2xx from a server that is down")
		}
	}
	// The SDK's bucket holds 500 tokens and a retry costs 5: 100 retries, then every request is sent once.
	if requests != 300 {
		t.Errorf("got %d requests, want 200 and 100 retries", requests)
	}
}

// What a retry took out of the bucket comes back when it goes well.
func TestRetryQuotaComesBack(t *testing.T) {
	requests := 0
	c, err := apiclient.New(apiclient.Config{
		Endpoint:    resolve(t, apiclient.EndpointConfig{URL: apiURL}),
		Credentials: static(testKeys),
		Retry:       apiclient.Retry{Backoff: noWait},
		Base: roundTripperFunc(func(*http.Request) (*http.Response, error) {
			requests++
			if requests%2 == 1 {
				return respond(503, "", ""), nil
			}
			return respond(200, "", ""), nil
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	for i := range 150 {
		if _, err := c.Do(t.Context(), apiclient.Request{}); err != nil {
			t.Fatalf("request %d: %v", i, err)
		}
	}
}

func TestConnectionErrorsThatAreFinal(t *testing.T) {
	for name, cause := range map[string]error{
		"cancelled": context.Canceled,
		"too late":  context.DeadlineExceeded,
		"unknown":   errors.New("net/http: invalid header field value"),
	} {
		t.Run(name, func(t *testing.T) {
			attempts := 0
			c, err := apiclient.New(apiclient.Config{
				Endpoint:    resolve(t, apiclient.EndpointConfig{URL: apiURL}),
				Credentials: static(testKeys),
				Retry:       apiclient.Retry{Backoff: noWait},
				Base: roundTripperFunc(func(*http.Request) (*http.Response, error) {
					attempts++
					return nil, cause
				}),
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Do(t.Context(), apiclient.Request{Path: "/x"})
			if !errors.Is(err, cause) || !strings.HasPrefix(err.Error(), "GET /x: calling "+apiHost) {
				t.Errorf("got %v, want %v with the call in front", err, cause)
			}
			if attempts != 1 {
				t.Errorf("got %d attempts, want 1", attempts)
			}
		})
	}
}
