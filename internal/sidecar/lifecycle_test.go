package sidecar_test

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/marquee-api/marquee/apiclient"
	"github.com/marquee-api/marquee/internal/sidecar"
)

// issuer hands out keys that end, one generation after the other.
type issuer struct {
	life  time.Duration
	count atomic.Int32
	opens atomic.Int32 // how often the source was looked for
}

func (i *issuer) source(context.Context) (aws.CredentialsProvider, error) {
	i.opens.Add(1)
	return i, nil
}

func (i *issuer) keys(generation int32) aws.Credentials {
	return aws.Credentials{
		AccessKeyID: fmt.Sprintf("ASIAGENERATION%06d", generation), SecretAccessKey: "secret", SessionToken: fmt.Sprint("token-", generation),
		CanExpire: i.life > 0, Expires: time.Now().Add(i.life), Source: "issuer",
	}
}

func (i *issuer) Retrieve(context.Context) (aws.Credentials, error) {
	return i.keys(i.count.Add(1)), nil
}

// generation reads who signed.
func generation(h http.Header) string {
	_, rest, _ := strings.Cut(h.Get("Authorization"), "ASIAGENERATION")
	key, _, _ := strings.Cut(rest, "/")
	return strings.TrimLeft(key, "0")
}

// TestCredentialsAreRenewedBeforeTheyEnd runs two hours in a bubble of time with credentials of an hour: a call each ten
// minutes is signed with some that live, and none ever waits for new ones, because the provider is asked beforehand.
func TestCredentialsAreRenewedBeforeTheyEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		issuer := &issuer{life: time.Hour}
		var asked sync.Map // generations that a request has asked for
		var inRequest atomic.Bool
		source := func(ctx context.Context) (aws.CredentialsProvider, error) {
			return aws.CredentialsProviderFunc(func(ctx context.Context) (aws.Credentials, error) {
				found, err := issuer.Retrieve(ctx)
				if inRequest.Load() {
					asked.Store(found.AccessKeyID, true)
				}
				return found, err
			}), nil
		}
		var signers []string
		proxy, err := sidecar.NewWithBase(sidecar.Config{
			Endpoint: resolve(t, apiclient.EndpointConfig{URL: "http://127.0.0.1:1/dev", Region: testRegion}), Credentials: source,
		}, roundTripper(func(r *http.Request) (*http.Response, error) {
			signers = append(signers, generation(r.Header))
			return &http.Response{StatusCode: 204, Header: http.Header{}, Body: http.NoBody}, nil
		}))
		if err != nil {
			t.Fatal(err)
		}
		ctx, stop := context.WithCancel(t.Context())
		done := make(chan struct{})
		go func() { defer close(done); proxy.KeepCredentials(ctx) }()
		wait := 10*time.Minute - 15*time.Second // minutes 9:45, 19:45, …, 129:45
		for range 13 {
			time.Sleep(wait)
			wait = 10 * time.Minute
			synctest.Wait()
			inRequest.Store(true)
			proxy.ServeHTTP(newDiscard(), request(t, "GET", "/a"))
			inRequest.Store(false)
		}
		stop()
		<-done
		// Keys of an hour are replaced five minutes before their end (minutes 55 and 110). The client's own cache lets the
		// old ones go half a minute to a minute before theirs: at 59:45 it has, and finds new ones that are there already.
		if got, want := strings.Join(signers, " "), "1 1 1 1 1 2 2 2 2 2 2 3 3"; got != want {
			t.Errorf("calls were signed by generations %s, want %s", got, want)
		}
		asked.Range(func(key, _ any) bool { t.Errorf("a request had to wait for %v", key); return true })
	})
}

func request(t *testing.T, method, path string) *http.Request {
	t.Helper()
	req, err := http.NewRequest(method, "http://localhost"+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.RequestURI = path
	return req
}

// TestATokenThatEndsMidRun: the gateway says that the token has ended while the keys should live; the source is looked at
// anew, the request is signed again once, and the client notices nothing.
func TestATokenThatEndsMidRun(t *testing.T) {
	var revoked atomic.Value
	revoked.Store("")
	api := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
		if generation(r.Header) == revoked.Load() {
			w.Header().Set("X-Amzn-Errortype", "ExpiredTokenException")
			w.WriteHeader(403)
			io.WriteString(w, `{"message":"The security token included in the request is expired"}`)
		}
	})
	issuer := new(issuer)
	side := start(t, api.URL+"/dev", sidecar.Config{Credentials: issuer.source})
	for _, revoke := range []string{"", "1", "", "2"} {
		revoked.Store(revoke)
		if resp, body := side.do(t, "POST", "/a", strings.NewReader("body")); resp.StatusCode != 200 {
			t.Fatalf("after %q was revoked: %d %s", revoke, resp.StatusCode, body)
		}
	}
	var signers []string
	for _, got := range api.arrivals(t, 6) {
		signers = append(signers, generation(got.Header))
		if string(got.Body) != "body" {
			t.Errorf("a repeated body arrived as %q", got.Body)
		}
	}
	if got := strings.Join(signers, " "); got != "1 1 2 2 2 3" {
		t.Errorf("signed by %s, want 1 1 2 2 2 3", got)
	}
	if got := issuer.opens.Load(); got != 3 {
		t.Errorf("the source was looked for %d times, want 3: once, and for each refusal", got)
	}
}

// TestARefusalThatNoKeyMends passes to the client, and the source is asked no more than once for it.
func TestARefusalThatNoKeyMends(t *testing.T) {
	const answer = `{"message":"The security token included in the request is invalid"}`
	api := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("X-Amzn-Errortype", "UnrecognizedClientException")
		w.WriteHeader(403)
		io.WriteString(w, answer)
	})
	side := start(t, api.URL+"/dev", sidecar.Config{})
	resp, body := side.do(t, "GET", "/a", nil)
	if resp.StatusCode != 403 || body != answer || resp.Header.Get("Proxy-Status") != "" {
		t.Errorf("got %d %s %v", resp.StatusCode, body, resp.Header)
	}
	api.arrivals(t, 1)
}

// TestAWrongClockIsCorrected: this machine is seven minutes slow, the gateway says so, and only the first request needs
// two attempts.
func TestAWrongClockIsCorrected(t *testing.T) {
	api := newAPI(t, func(w http.ResponseWriter, r *http.Request) {
		signed, err := time.Parse("20060102T150405Z", r.Header.Get("X-Amz-Date"))
		if err == nil && time.Since(signed).Abs() < 5*time.Minute {
			return
		}
		w.Header().Set("X-Amzn-Errortype", "InvalidSignatureException")
		w.WriteHeader(403)
		fmt.Fprintf(w, `{"message":"Signature expired: %s is now earlier than %s (%s - 5 min.)"}`, r.Header.Get("X-Amz-Date"),
			time.Now().Add(-5*time.Minute).UTC().Format("20060102T150405Z"), time.Now().UTC().Format("20060102T150405Z"))
	})
	side := start(t, api.URL+"/dev", sidecar.Config{Now: func() time.Time { return time.Now().Add(-7 * time.Minute) }})
	for range 2 {
		if resp, body := side.do(t, "POST", "/a", strings.NewReader("x")); resp.StatusCode != 200 {
			t.Fatalf("got %d %s", resp.StatusCode, body)
		}
	}
	api.arrivals(t, 3)
	if _, text := side.get(t, "/-/metrics"); !strings.Contains(text, "marquee_proxy_clock_offset_seconds 4") {
		t.Errorf("want an offset of 420 s or nearly: %s", grep(text, "clock_offset"))
	}
}

func TestRetries(t *testing.T) {
	tests := map[string]struct {
		retries  int
		method   string
		refused  string // the gateway's name for the error; it is the function's otherwise
		arrivals int
		status   int
	}{
		"none unless asked for":        {0, "PUT", "", 1, 503},
		"until it goes well":           {2, "PUT", "", 3, 200},
		"as often as said":             {1, "PUT", "", 2, 503},
		"not what may not be repeated": {2, "POST", "", 1, 503},
		"what was throttled":           {2, "POST", "TooManyRequestsException", 3, 200},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var calls atomic.Int32
			api := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
				switch {
				case calls.Add(1) >= 3:
				case tt.refused != "":
					w.Header().Set("X-Amzn-Errortype", tt.refused)
					w.WriteHeader(429)
				default:
					w.WriteHeader(503)
				}
			})
			side := start(t, api.URL+"/dev", sidecar.Config{Retries: tt.retries})
			resp, _ := side.do(t, tt.method, "/a", strings.NewReader("body"))
			if resp.StatusCode != tt.status {
				t.Errorf("got %d, want %d", resp.StatusCode, tt.status)
			}
			for _, got := range api.arrivals(t, tt.arrivals) {
				checkSignature(t, got, testKeys)
			}
			if _, text := side.get(t, "/-/metrics"); !strings.Contains(text, fmt.Sprintf("\nmarquee_proxy_attempts_total %d\n", tt.arrivals)) {
				t.Errorf("want %d attempts: %s", tt.arrivals, grep(text, "attempts"))
			}
		})
	}
}

func TestReadiness(t *testing.T) {
	api := newAPI(t, nil)
	var ok atomic.Bool
	side := start(t, api.URL+"/dev", sidecar.Config{Credentials: func(context.Context) (aws.CredentialsProvider, error) {
		return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			if !ok.Load() {
				return aws.Credentials{}, io.ErrUnexpectedEOF
			}
			return testKeys, nil
		}), nil
	}})
	if code, text := side.get(t, "/-/ready"); code != 503 || !strings.Contains(text, `"code":"not_ready"`) {
		t.Errorf("without credentials: %d %s", code, text)
	}
	if code, _ := side.get(t, "/-/healthy"); code != 200 {
		t.Errorf("without credentials it is not healthy: %d", code)
	}
	ok.Store(true)
	if code, text := side.get(t, "/-/ready"); code != 200 || text != "ready\n" {
		t.Errorf("with credentials: %d %s", code, text)
	}
	if code, _ := side.get(t, "/a"); code != 404 {
		t.Errorf("the admin listener answers %d for the API's paths, want 404", code)
	}
	if resp, _ := side.do(t, "GET", "/-/metrics", nil); resp.StatusCode != 200 || api.arrivals(t, 1)[0].Target != "/dev/-/metrics" {
		t.Errorf("/-/metrics of the clients' listener is the API's: got %d", resp.StatusCode)
	}
}

// TestIdleConnectionsEnd at both listeners: the admin's may be open to the network.
func TestIdleConnectionsEnd(t *testing.T) {
	api := newAPI(t, nil)
	timeouts := sidecar.DefaultTimeouts()
	timeouts.Idle = 20 * time.Millisecond
	side := start(t, api.URL+"/dev", sidecar.Config{Timeouts: timeouts})
	for name, address := range map[string]string{"door": side.address, "admin": strings.TrimPrefix(side.admin, "http://")} {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", address)
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			conn.SetDeadline(time.Now().Add(5 * time.Second))
			if _, err := io.WriteString(conn, "GET /-/healthy HTTP/1.1\r\nHost: localhost\r\n\r\n"); err != nil {
				t.Fatal(err)
			}
			if got, err := io.ReadAll(conn); err != nil || !strings.HasPrefix(string(got), "HTTP/1.1 200 OK\r\n") {
				t.Errorf("got %q, %v; want an answer and the end of the connection", got, err)
			}
		})
	}
}
