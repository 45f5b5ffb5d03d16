package examples_test

import (
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func named(t *testing.T, name string) example {
	t.Helper()
	for _, e := range programs {
		if e.name == name {
			return e
		}
	}
	t.Fatalf("no example is called %s", name)
	return example{}
}

// testRetries has every other request answered as by a function without capacity.
func testRetries(t *testing.T, s *stack) {
	api, err := url.Parse(s.InvokeURL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(&url.URL{Scheme: api.Scheme, Host: api.Host})
		r.Out.Host = r.In.Host
	}}
	var requests, failures atomic.Int64
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if requests.Add(1)%2 == 1 {
			failures.Add(1)
			http.Error(w, `{"message":"Service Unavailable"}`, http.StatusServiceUnavailable)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	defer server.Close()

	e := named(t, "node-api-gateway-client")
	r := e.install(t)(append(s.as("writer"), "MARQUEE_URL="+server.URL+api.Path))
	r.wantStatus(t, 0)
	r.wantInOrder(t, e.prints)
	// Four calls, each of which failed once.
	if failures.Load() != 4 || requests.Load() != 8 {
		t.Errorf("got %d requests of which %d failed, want 8 and 4", requests.Load(), failures.Load())
	}
}

// testAPIHeader calls the VPC endpoint by its own name, where x-apigw-api-id names the API.
func testAPIHeader(t *testing.T, s *stack) {
	e := named(t, "go-apiclient")
	run := e.install(t)
	env := append(s.as("writer"), "MARQUEE_VPCE="+s.Endpoints.VPCE.URL)
	invoke := "https://" + s.Endpoints.VPCE.ID + "-xyz.execute-api." + s.Region + ".vpce.amazonaws.com/dev"
	r := run(env, "-url", invoke, "-api-id", s.APIID)
	r.wantStatus(t, 0)
	r.wantInOrder(t, e.prints)

	r = run(env, "-url", invoke, "-api-id", "zzzzzzzzzz")
	r.wantStatus(t, 4)
	r.wantRefusal(t, "ForbiddenException", "Forbidden")
}

// testClock runs programs on a machine whose clock is an hour off: one that corrects it, and one that does not, which shows
// that the clock is wrong indeed.
func testClock(t *testing.T, s *stack) {
	preload, err := filepath.Abs("testdata/clock.mjs")
	if err != nil {
		t.Fatal(err)
	}
	corrects, refuses := named(t, "node-api-gateway-client"), named(t, "node-aws4")
	runCorrecting, runRefused := corrects.install(t), refuses.install(t)
	for ahead, message := range map[time.Duration]string{time.Hour: "Signature not yet current: ", -time.Hour: "Signature expired: "} {
		env := append(s.as("writer"), "NODE_OPTIONS=--import="+preload, "CLOCK_AHEAD="+strconv.FormatInt(ahead.Milliseconds(), 10))
		r := runCorrecting(env)
		r.wantStatus(t, 0)
		r.wantInOrder(t, corrects.prints)

		r = runRefused(env)
		r.wantStatus(t, 4)
		r.wantRefusal(t, "403 InvalidSignatureException", message)
	}
}

// testCurlKeys gives curl its keys in the environment, as a shell on AWS has them.
func testCurlKeys(t *testing.T, s *stack) {
	e := named(t, "curl")
	run := e.install(t)
	env := append([]string{"MARQUEE_URL=" + s.InvokeURL, "AWS_REGION=" + s.Region}, s.keys(t, "writer")...)
	r := run(env)
	r.wantStatus(t, 0)
	r.wantInOrder(t, e.prints)

	// A wrong secret: what API Gateway says at length has the session token in it, which is not shown.
	for i, variable := range env {
		if strings.HasPrefix(variable, "AWS_SECRET_ACCESS_KEY=") {
			env[i] = "AWS_SECRET_ACCESS_KEY=wrong"
		}
	}
	r = run(env)
	r.wantStatus(t, 4)
	r.wantRefusal(t, "403 InvalidSignatureException", "The request signature we calculated does not match the signature you provided.")
	if token := strings.TrimPrefix(s.keys(t, "writer")[2], "AWS_SESSION_TOKEN="); strings.Contains(r.stdout+r.stderr, token) {
		t.Error("the session token is in what the program prints")
	}
}
