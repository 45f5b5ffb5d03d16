package gateway_test

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/marquee-api/marquee/internal/gateway"
)

func TestParseFault(t *testing.T) {
	tests := map[string]struct {
		want gateway.Fault
		ok   bool
	}{
		"status=500:5%":     {gateway.Fault{Status: 500, Chance: 0.05}, true},
		"status=429":        {gateway.Fault{Status: 429, Chance: 1}, true},
		"latency=200ms:10%": {gateway.Fault{Latency: 200 * time.Millisecond, Chance: 0.1}, true},
		"skew=+7m":          {gateway.Fault{Skew: 7 * time.Minute, Chance: 1}, true},
		"skew=-7m":          {gateway.Fault{Skew: -7 * time.Minute, Chance: 1}, true},
		"reset=1%":          {gateway.Fault{Reset: true, Chance: 0.01}, true},
		"reset":             {gateway.Fault{Reset: true, Chance: 1}, true},
		"status=200":        {ok: false},
		"status=600":        {ok: false},
		"status=500:0%":     {ok: false},
		"status=500:101%":   {ok: false},
		"status=500:NaN%":   {ok: false},
		"status=500:5":      {ok: false},
		"latency=-1s":       {ok: false},
		"latency=1h":        {ok: false},
		"skew=7m:5%":        {ok: false},
		"flood=1%":          {ok: false},
		"":                  {ok: false},
	}
	for spec, tt := range tests {
		t.Run(spec, func(t *testing.T) {
			got, err := gateway.ParseFault(spec)
			if (err == nil) != tt.ok || tt.ok && got != tt.want {
				t.Errorf("got %+v, %v; want %+v", got, err, tt.want)
			}
		})
	}
}

func withFaults(specs ...string) options {
	return func(c *gateway.Config, _ *gateway.Door) {
		for _, spec := range specs {
			fault, err := gateway.ParseFault(spec)
			if err != nil {
				panic(err)
			}
			c.Faults = append(c.Faults, fault)
		}
	}
}

func TestFaultsStrikeWhoWasLetIn(t *testing.T) {
	tests := map[string]struct {
		spec      string
		status    int
		errorType string
		body      string
	}{
		"throttled": {"status=429", 429, "TooManyRequestsException", `{"message":"Too Many Requests"}`},
		"internal":  {"status=500", 500, "InternalServerErrorException", `{"message": "Internal server error"}`},
		"bad":       {"status=502", 502, "InternalServerErrorException", `{"message": "Internal server error"}`},
		"timeout":   {"status=504", 504, "InternalServerErrorException", `{"message": "Endpoint request timed out"}`},
		"another":   {"status=503", 503, "ServiceUnavailableException", `{"message":"Service Unavailable"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withFaults(tt.spec))
			if got := f.do(t, call{}); got.status != tt.status || got.errorType != tt.errorType || got.body != tt.body {
				t.Errorf("got %d %s %s", got.status, got.errorType, got.body)
			}
			if got := f.do(t, call{key: "-"}); got.body != missing {
				t.Errorf("unsigned: got %d %s, want it refused first", got.status, got.body)
			}
		})
	}
}

// Each request draws its own lot.
func TestFaultChance(t *testing.T) {
	lots := []float64{0.049, 0.05, 0.9}
	f := newFixture(t, withFaults("status=500:5%"), func(c *gateway.Config, _ *gateway.Door) {
		c.Chance = func() float64 { lot := lots[0]; lots = lots[1:]; return lot }
	})
	for i, want := range []int{500, 200, 200} {
		if got := f.do(t, call{}); got.status != want {
			t.Errorf("request %d: got %d, want %d", i+1, got.status, want)
		}
	}
}

func TestFaultLatencyWaitsBeforeTheFunction(t *testing.T) {
	var waited time.Duration
	f := newFixture(t, withFaults("latency=200ms"), func(c *gateway.Config, _ *gateway.Door) {
		c.Wait = func(_ context.Context, d time.Duration) { waited += d }
	})
	if got := f.do(t, call{}); got.status != 200 || waited != 200*time.Millisecond {
		t.Errorf("got %d after %v, want 200 after 200ms", got.status, waited)
	}
}

func TestFaultResetBreaksTheConnection(t *testing.T) {
	f := newFixture(t, withFaults("reset"))
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, f.vpce.URL+"/dev/movie_list", nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := send(t, r); got.status != 403 {
		t.Errorf("unsigned: got %d, want 403", got.status)
	}
	f.resetExpected(t)
}

// resetExpected sends a request that must get in and finds the connection broken.
func (f *fixture) resetExpected(t *testing.T) {
	t.Helper()
	transport := roundTripper{t}
	old := http.DefaultTransport
	http.DefaultTransport = transport
	defer func() { http.DefaultTransport = old }()
	if got := f.do(t, call{}); got.status != broken {
		t.Errorf("got %d, want a broken connection", got.status)
	}
}

const broken = 999

// roundTripper answers a status of its own where the connection broke.
type roundTripper struct{ t *testing.T }

func (rt roundTripper) RoundTrip(r *http.Request) (*http.Response, error) {
	transport := &http.Transport{DisableKeepAlives: true}
	response, err := transport.RoundTrip(r)
	if err != nil {
		return &http.Response{StatusCode: broken, Body: readCloser(err.Error()), Header: http.Header{}}, nil
	}
	return response, nil
}

// A gateway whose clock is ahead refuses a client whose clock is right, and says in Date what it thinks.
func TestFaultSkew(t *testing.T) {
	f := newFixture(t, withFaults("skew=+7m"))
	got := f.do(t, call{})
	if got.status != 403 || got.body != `{"message":"Signature expired: 20260304T050607Z is now earlier than 20260304T050807Z (20260304T051307Z - 5 min.)"}` {
		t.Errorf("got %d %s", got.status, got.body)
	}
	if date := got.header.Get("Date"); date != "Wed, 04 Mar 2026 05:13:07 GMT" {
		t.Errorf("got Date %q", date)
	}
	if got := f.do(t, call{date: now.Add(7 * time.Minute)}); got.status != 200 {
		t.Errorf("corrected: got %d %s, want 200", got.status, got.body)
	}
}
