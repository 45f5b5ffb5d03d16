package apiclient_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/marquee-api/marquee/apiclient"
)

// skewedGateway judges signatures by a clock of its own, as API Gateway does: five minutes either way.
type skewedGateway struct {
	now     func() time.Time
	change  func(http.Header) // what a cache or a proxy does to its answers
	refused atomic.Int32
}

func (g *skewedGateway) RoundTrip(r *http.Request) (*http.Response, error) {
	const layout = "20060102T150405Z"
	signed, err := time.Parse(layout, r.Header.Get("X-Amz-Date"))
	if err != nil {
		return nil, err
	}
	now := g.now().UTC().Truncate(time.Second)
	resp := respond(200, "", "{}")
	switch early, late := now.Add(-5*time.Minute), now.Add(5*time.Minute); {
	case signed.Before(early):
		resp = respond(403, apiclient.TypeInvalidSignature, fmt.Sprintf(`{"message":"Signature expired: %s is now earlier than %s (%s - 5 min.)"}`,
			signed.Format(layout), early.Format(layout), now.Format(layout)))
		g.refused.Add(1)
	case signed.After(late):
		resp = respond(403, apiclient.TypeInvalidSignature, fmt.Sprintf(`{"message":"Signature not yet current: %s is still later than %s (%s + 5 min.)"}`,
			signed.Format(layout), late.Format(layout), now.Format(layout)))
		g.refused.Add(1)
	}
	if r.Method == http.MethodHead {
		resp.Body = http.NoBody
	}
	resp.Header.Set("Date", now.Format(http.TimeFormat))
	if g.change != nil {
		g.change(resp.Header)
	}
	return resp, nil
}

func (g *skewedGateway) client(t *testing.T, clock apiclient.Clock) *apiclient.Client {
	t.Helper()
	c, err := apiclient.New(apiclient.Config{
		Endpoint: resolve(t, apiclient.EndpointConfig{URL: apiURL}), Credentials: static(testKeys),
		Base: g, Clock: clock, Retry: apiclient.Retry{MaxAttempts: 1},
	})
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// fixed is a clock that stands still at noon, plus an offset.
func fixed(offset time.Duration) func() time.Time {
	return func() time.Time { return time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC).Add(offset) }
}

func TestClockIsCorrectedWithOneExtraRequest(t *testing.T) {
	noDate := func(h http.Header) { h.Del("Date") }
	for name, tt := range map[string]struct {
		method string
		skew   time.Duration // of the machine
		change func(http.Header)
		clock  apiclient.Clock
		want   time.Duration // the new offset; 0: no correction is due
	}{
		"right":                          {method: "GET"},
		"within the tolerance":           {method: "GET", skew: 290 * time.Second},
		"seven minutes late":             {method: "GET", skew: -7 * time.Minute, want: 7 * time.Minute},
		"seven minutes early":            {method: "GET", skew: 7 * time.Minute, want: -7 * time.Minute},
		"a day late":                     {method: "GET", skew: -24 * time.Hour, want: 24 * time.Hour},
		"POST, which nothing ran for":    {method: "POST", skew: 7 * time.Minute, want: -7 * time.Minute},
		"HEAD, which has no message":     {method: "HEAD", skew: 7 * time.Minute, want: -7 * time.Minute},
		"answer without a Date":          {method: "GET", skew: -7 * time.Minute, change: noDate, want: 7 * time.Minute},
		"answer without a Date, early":   {method: "GET", skew: 7 * time.Minute, change: noDate, want: -7 * time.Minute},
		"answer out of a cache":          {method: "GET", skew: -7 * time.Minute, change: aged(time.Hour), want: 7 * time.Minute},
		"a fixed offset that is right":   {method: "GET", skew: -7 * time.Minute, clock: apiclient.Clock{Offset: 7 * time.Minute}},
		"a fixed offset that is no more": {method: "GET", skew: -20 * time.Minute, clock: apiclient.Clock{Offset: 7 * time.Minute}, want: 20 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			g := &skewedGateway{now: fixed(0), change: tt.change}
			var told []apiclient.ClockCorrection
			tt.clock.Now = fixed(tt.skew)
			tt.clock.OnCorrection = func(c apiclient.ClockCorrection) { told = append(told, c) }
			c := g.client(t, tt.clock)
			attempts := 1
			if tt.want != 0 {
				attempts = 2
			}
			resp, err := c.Do(t.Context(), apiclient.Request{Method: tt.method})
			if err != nil || resp.Attempts != attempts {
				t.Fatalf("got %+v, %v, want an answer after %d attempts", resp, err, attempts)
			}
			resp, err = c.Do(t.Context(), apiclient.Request{Method: tt.method})
			if err != nil || resp.Attempts != 1 {
				t.Errorf("the next request: got %+v, %v, want an answer at once", resp, err)
			}
			if len(told) != attempts-1 {
				t.Fatalf("the hook was told %v, want %d corrections", told, attempts-1)
			}
			if len(told) == 1 && (told[0].Offset != tt.want || told[0].Previous != tt.clock.Offset) {
				t.Errorf("got offset %v after %v, want %v after %v", told[0].Offset, told[0].Previous, tt.want, tt.clock.Offset)
			}
		})
	}
}

func aged(by time.Duration) func(http.Header) {
	return func(h http.Header) {
		date, _ := http.ParseTime(h.Get("Date"))
		h.Set("Date", date.Add(-by).Format(http.TimeFormat))
		h.Set("Age", fmt.Sprint(int(by.Seconds())))
	}
}

// The offset is measured at the middle of the round trip, as the 2026 rule of the AWS SDKs has it.
func TestClockTakesTheMiddleOfTheRoundTrip(t *testing.T) {
	g := &skewedGateway{now: fixed(10 * time.Minute)}
	var local time.Duration
	now := func() time.Time {
		at := fixed(local)()
		local += 4 * time.Second // the next look at the clock is four seconds later
		return at
	}
	var got time.Duration
	c := g.client(t, apiclient.Clock{Now: now, OnCorrection: func(c apiclient.ClockCorrection) { got = c.Offset }})
	if _, err := c.Do(t.Context(), apiclient.Request{}); err != nil {
		t.Fatal(err)
	}
	if want := 10*time.Minute - 2*time.Second; got != want {
		t.Errorf("got offset %v, want %v", got, want)
	}
}

func TestClockIsLeftAloneWhenNothingSpeaksForIt(t *testing.T) {
	expired := `{"message":"Signature expired: 20261123T115300Z is now earlier than 20261123T115500Z (20261123T120000Z - 5 min.)"}`
	nonsense := `{"message":"Signature expired: long ago"}`
	for name, tt := range map[string]struct {
		status     int
		kind, body string
		date       string
		clock      apiclient.Clock
	}{
		"correction is off":             {403, apiclient.TypeInvalidSignature, expired, "Mon, 23 Nov 2026 12:07:00 GMT", apiclient.Clock{DisableCorrection: true}},
		"the clocks agree":              {403, apiclient.TypeInvalidSignature, expired, "Mon, 23 Nov 2026 12:00:00 GMT", apiclient.Clock{}},
		"three minutes apart":           {403, apiclient.TypeInvalidSignature, nonsense, "Mon, 23 Nov 2026 12:03:00 GMT", apiclient.Clock{}},
		"neither Date nor time":         {403, apiclient.TypeInvalidSignature, nonsense, "", apiclient.Clock{}},
		"a wrong signature":             {403, apiclient.TypeInvalidSignature, `{"message":"The request signature we calculated does not match"}`, "Mon, 23 Nov 2026 12:07:00 GMT", apiclient.Clock{}},
		"the function's own 403":        {403, "", expired, "Mon, 23 Nov 2026 12:07:00 GMT", apiclient.Clock{}},
		"the same words in another one": {400, apiclient.TypeInvalidSignature, expired, "Mon, 23 Nov 2026 12:07:00 GMT", apiclient.Clock{}},
	} {
		t.Run(name, func(t *testing.T) {
			requests := 0
			tt.clock.Now = fixed(0)
			tt.clock.OnCorrection = func(c apiclient.ClockCorrection) { t.Errorf("the clock was corrected: %+v", c) }
			c, err := apiclient.New(apiclient.Config{
				Endpoint: resolve(t, apiclient.EndpointConfig{URL: apiURL}), Credentials: static(testKeys), Clock: tt.clock,
				Base: roundTripperFunc(func(*http.Request) (*http.Response, error) {
					requests++
					resp := respond(tt.status, tt.kind, tt.body)
					resp.Header.Set("Date", tt.date)
					return resp, nil
				}),
			})
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.Do(t.Context(), apiclient.Request{})
			var refusal *apiclient.APIError
			if !errors.As(err, &refusal) || refusal.StatusCode != tt.status {
				t.Errorf("got %v, want the refusal with %d", err, tt.status)
			}
			if requests != 1 {
				t.Errorf("got %d requests, want 1", requests)
			}
		})
	}
}

// A gateway that refuses whatever the time does not make a client go round in circles.
func TestClockIsCorrectedOncePerRequest(t *testing.T) {
	requests := 0
	c, err := apiclient.New(apiclient.Config{
		Endpoint: resolve(t, apiclient.EndpointConfig{URL: apiURL}), Credentials: static(testKeys), Clock: apiclient.Clock{Now: fixed(0)},
		Base: roundTripperFunc(func(*http.Request) (*http.Response, error) {
			requests++
			resp := respond(403, apiclient.TypeInvalidSignature, `{"message":"Signature expired: x"}`)
			resp.Header.Set("Date", fixed(time.Duration(requests)*time.Hour)().Format(http.TimeFormat))
			return resp, nil
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := c.Do(t.Context(), apiclient.Request{}); err == nil {
		t.Error("got an answer of 2xx, want the refusal")
	}
	if requests != 2 {
		t.Errorf("got %d requests, want 2", requests)
	}
}

// Requests that fail together learn from one of them; the hook is told once.
func TestClockIsCorrectedOnceForAll(t *testing.T) {
	const together = 10
	g := &skewedGateway{now: fixed(time.Hour)}
	var barrier sync.WaitGroup
	barrier.Add(together)
	var told atomic.Int32
	c, err := apiclient.New(apiclient.Config{
		Endpoint: resolve(t, apiclient.EndpointConfig{URL: apiURL}), Credentials: static(testKeys),
		Clock: apiclient.Clock{Now: fixed(0), OnCorrection: func(apiclient.ClockCorrection) { told.Add(1) }},
		Base: roundTripperFunc(func(r *http.Request) (*http.Response, error) {
			resp, err := g.RoundTrip(r)
			if resp.StatusCode == 403 {
				barrier.Done()
				barrier.Wait() // until all are refused
			}
			return resp, err
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range together {
		wg.Go(func() {
			if resp, err := c.Do(t.Context(), apiclient.Request{}); err != nil || resp.Attempts != 2 {
				t.Errorf("got %+v, %v, want an answer after 2 attempts", resp, err)
			}
		})
	}
	wg.Wait()
	if got := g.refused.Load(); got != together {
		t.Errorf("got %d refusals, want %d", got, together)
	}
	if got := told.Load(); got != 1 {
		t.Errorf("the hook was told %d times, want once", got)
	}
}

// There is no time for a second request: the refusal is the answer, and what it taught is good for the next one.
func TestClockIsCorrectedForTheNextRequest(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g := &skewedGateway{now: func() time.Time { return time.Now().Add(time.Hour) }}
		sent := 0
		c, err := apiclient.New(apiclient.Config{
			Endpoint: resolve(t, apiclient.EndpointConfig{URL: apiURL}), Credentials: static(testKeys),
			Base: roundTripperFunc(func(r *http.Request) (*http.Response, error) {
				sent++
				time.Sleep(10 * time.Second)
				return g.RoundTrip(r)
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		for i, want := range []int{403, 200} {
			ctx, cancel := context.WithTimeout(t.Context(), 15*time.Second)
			resp, err := c.Do(ctx, apiclient.Request{})
			cancel()
			var refusal *apiclient.APIError
			if errors.As(err, &refusal) {
				resp = refusal.Response
			}
			if resp == nil || resp.Status != want || sent != i+1 {
				t.Errorf("request %d: got %+v, %v after %d requests, want %d after %d", i+1, resp, err, sent, want, i+1)
			}
		}
	})
}
