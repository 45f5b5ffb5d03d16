package apiclient_test

import (
	"io"
	"net/http"
	"runtime/debug"
	"slices"
	"strings"
	"testing"

	"github.com/marquee-api/marquee/apiclient"
)

// The transport may add twelve allocations to what a bare http.Transport makes of the same request.
func TestAllocations(t *testing.T) {
	if info, ok := debug.ReadBuildInfo(); ok && slices.Contains(info.Settings, debug.BuildSetting{Key: "-race", Value: "true"}) {
		t.Skip("the race detector makes pools forget on purpose")
	}
	const most = 12
	origin := plainServer(t)
	bare := &http.Transport{}
	defer bare.CloseIdleConnections()
	endpoint := resolve(t, apiclient.EndpointConfig{URL: origin + "/dev", Region: testRegion})
	signing, err := apiclient.NewTransport(apiclient.Config{Endpoint: endpoint, Credentials: static(testKeys), Base: bare})
	if err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{"GET": "", "PUT of 1 KiB": strings.Repeat("x", 1024)} {
		count := func(rt http.RoundTripper) float64 {
			return testing.AllocsPerRun(300, func() { oneRoundTrip(t, rt, origin, body) })
		}
		if without, with := count(bare), count(signing); with-without > most {
			t.Errorf("%s: %v allocations, want at most %d more than the %v of a bare transport", name, with, most, without)
		}
	}
}

// oneRoundTrip sends one request and reads its answer.
func oneRoundTrip(tb testing.TB, rt http.RoundTripper, origin, body string) {
	method, reader := http.MethodGet, io.Reader(nil)
	if body != "" {
		method, reader = http.MethodPut, strings.NewReader(body)
	}
	req, err := http.NewRequestWithContext(tb.Context(), method, origin+"/dev/movie_list?limit=5", reader)
	if err != nil {
		tb.Fatal(err)
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		tb.Fatal(err)
	}
	io.Copy(io.Discard, resp.Body)
	resp.Body.Close()
}
