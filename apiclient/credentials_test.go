package apiclient_test

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/marquee-api/marquee/apiclient"
)

// rotating hands out a new session each time it is asked.
type rotating struct {
	asked   atomic.Int32
	expires time.Time // zero: never, as far as the provider knows
}

func session(n int) aws.Credentials {
	return aws.Credentials{
		AccessKeyID: fmt.Sprintf("ASIAEXAMPLE%09d", n), SecretAccessKey: fmt.Sprintf("secret%d", n), SessionToken: fmt.Sprintf("token%d", n),
	}
}

func (r *rotating) Retrieve(context.Context) (aws.Credentials, error) {
	c := session(int(r.asked.Add(1)))
	c.CanExpire, c.Expires = !r.expires.IsZero(), r.expires
	return c, nil
}

// sessions accepts the sessions from one on.
func sessions(from int, kind, body string) roundTripperFunc {
	return func(r *http.Request) (*http.Response, error) {
		var n int
		if _, err := fmt.Sscanf(r.Header.Get("X-Amz-Security-Token"), "token%d", &n); err != nil {
			return nil, err
		}
		if n < from {
			resp := respond(403, kind, body)
			if r.Method == http.MethodHead {
				resp.Body = http.NoBody
			}
			return resp, nil
		}
		return respond(200, "", "{}"), nil
	}
}

func TestCredentialsAreReplacedOnce(t *testing.T) {
	const (
		expired = `{"message":"The security token included in the request is expired"}`
		invalid = `{"message":"The security token included in the request is invalid."}`
	)
	for name, tt := range map[string]struct {
		method, kind, body string
		from               int
		cached             bool
		status, attempts   int
		asked              int32
	}{
		"good":                           {"GET", "", "", 1, false, 200, 1, 1},
		"expired":                        {"GET", apiclient.TypeExpiredToken, expired, 2, false, 200, 2, 2},
		"expired, POST":                  {"POST", apiclient.TypeExpiredToken, expired, 2, false, 200, 2, 2},
		"expired, HEAD":                  {"HEAD", apiclient.TypeExpiredToken, expired, 2, false, 200, 2, 2},
		"expired, under another type":    {"GET", apiclient.TypeAccessDenied, expired, 2, false, 200, 2, 2},
		"expired, in a cache of its own": {"GET", apiclient.TypeExpiredToken, expired, 2, true, 200, 2, 2},
		"invalid":                        {"GET", apiclient.TypeUnrecognizedClient, invalid, 2, false, 200, 2, 2},
		"the new ones are refused, too":  {"GET", apiclient.TypeExpiredToken, expired, 3, false, 403, 2, 2},
		"the function's own words":       {"GET", "", expired, 2, false, 403, 1, 1},
		"another refusal":                {"GET", apiclient.TypeAccessDenied, `{"Message":"User: x is not authorized"}`, 2, false, 403, 1, 1},
	} {
		t.Run(name, func(t *testing.T) {
			source := &rotating{}
			var provider aws.CredentialsProvider = source
			if tt.cached {
				provider = aws.NewCredentialsCache(source)
			}
			c, err := apiclient.New(apiclient.Config{
				Endpoint: resolve(t, apiclient.EndpointConfig{URL: apiURL}), Credentials: provider,
				Base: sessions(tt.from, tt.kind, tt.body), Retry: apiclient.Retry{MaxAttempts: 1},
			})
			if err != nil {
				t.Fatal(err)
			}
			resp, err := c.Do(t.Context(), apiclient.Request{Method: tt.method})
			var refusal *apiclient.APIError
			if errors.As(err, &refusal) {
				resp = refusal.Response
			}
			if resp == nil || resp.Status != tt.status || resp.Attempts != tt.attempts {
				t.Errorf("got %+v, %v, want %d after %d attempts", resp, err, tt.status, tt.attempts)
			}
			if got := source.asked.Load(); got != tt.asked {
				t.Errorf("the provider was asked %d times, want %d", got, tt.asked)
			}
		})
	}
}

// Keys that do not change cannot be mended: the refusal is the answer, and one request is all it costs.
func TestCredentialsThatCannotBeReplaced(t *testing.T) {
	api := newFaultServer(t, answer{status: 403, kind: apiclient.TypeExpiredToken, body: `{"message":"The security token included in the request is expired"}`})
	_, err := api.client(t, apiclient.Config{}).Do(t.Context(), apiclient.Request{})
	var refusal *apiclient.APIError
	if !errors.As(err, &refusal) || refusal.Type != apiclient.TypeExpiredToken {
		t.Errorf("got %v, want the refusal", err)
	}
	api.arrivals(t, 1)
}

// A token ends while many requests are under way: the provider is asked once for all of them.
func TestCredentialsAreReplacedOnceForAll(t *testing.T) {
	const together = 20
	source := &rotating{}
	gate := sessions(2, apiclient.TypeExpiredToken, `{"message":"The security token included in the request is expired"}`)
	var barrier sync.WaitGroup
	barrier.Add(together)
	c, err := apiclient.New(apiclient.Config{
		Endpoint: resolve(t, apiclient.EndpointConfig{URL: apiURL}), Credentials: source,
		Base: roundTripperFunc(func(r *http.Request) (*http.Response, error) {
			resp, err := gate(r)
			if resp != nil && resp.StatusCode == 403 {
				barrier.Done()
				barrier.Wait()
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
			if _, err := c.Do(t.Context(), apiclient.Request{}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if got := source.asked.Load(); got != 2 {
		t.Errorf("the provider was asked %d times, want 2", got)
	}
}

// Credentials are kept while they are good, and replaced before they end.
func TestCredentialsAreCachedUntilShortlyBeforeTheirEnd(t *testing.T) {
	for name, tt := range map[string]struct {
		left time.Duration
		want int32
	}{
		"an hour left":        {time.Hour, 1},
		"twenty seconds left": {20 * time.Second, 3},
	} {
		t.Run(name, func(t *testing.T) {
			source := &rotating{expires: time.Now().Add(tt.left)}
			c, err := apiclient.New(apiclient.Config{
				Endpoint: resolve(t, apiclient.EndpointConfig{URL: apiURL}), Credentials: source, Base: sessions(1, "", ""),
			})
			if err != nil {
				t.Fatal(err)
			}
			for range 3 {
				if _, err := c.Do(t.Context(), apiclient.Request{}); err != nil {
					t.Fatal(err)
				}
			}
			if got := source.asked.Load(); got != tt.want {
				t.Errorf("the provider was asked %d times, want %d", got, tt.want)
			}
		})
	}
}

// Each attempt asks for the credentials of its moment: a retry after a rotation carries the new ones.
func TestRetrySignsWithTheCredentialsOfTheMoment(t *testing.T) {
	cache := aws.NewCredentialsCache(&rotating{})
	api := newFaultServer(t, throttled)
	c := api.client(t, apiclient.Config{Credentials: cache, Retry: apiclient.Retry{Condition: func(a apiclient.Attempt) bool {
		cache.Invalidate()
		return apiclient.RetryTransient(a)
	}}})
	if _, err := c.Do(t.Context(), apiclient.Request{}); err != nil {
		t.Fatal(err)
	}
	for i, a := range api.arrivals(t, 2) {
		checkSignature(t, a, session(i+1), testRegion)
	}
}
