package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/marquee-api/marquee/apiclient"
)

type roundTripperFunc func(*http.Request) (*http.Response, error)

func (f roundTripperFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

func newHandler(t *testing.T, base roundTripperFunc) *handler {
	t.Helper()
	endpoint, err := apiclient.ResolveEndpoint(apiclient.EndpointConfig{URL: "https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/dev"})
	if err != nil {
		t.Fatal(err)
	}
	client, err := apiclient.New(apiclient.Config{
		Endpoint: endpoint, Base: base,
		Credentials: credentials.StaticCredentialsProvider{Value: aws.Credentials{AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "secret"}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return &handler{client: client, log: slog.New(slog.DiscardHandler)}
}

func text(status int, body string) *http.Response {
	return &http.Response{StatusCode: status, Header: http.Header{}, Body: io.NopCloser(strings.NewReader(body))}
}

func severalRequests(n int, concurrency int) []byte {
	paths := make([]string, n)
	for i := range paths {
		paths[i] = fmt.Sprintf(`{"path":"/%d"}`, i)
	}
	return fmt.Appendf(nil, `{"requests":[%s],"concurrency":%d}`, strings.Join(paths, ","), concurrency)
}

func TestSeveralRequestsKeepTheirOrderAndTheirBound(t *testing.T) {
	const requests, concurrency = 12, 3
	var running, most atomic.Int32
	var full sync.WaitGroup
	full.Add(concurrency)
	arrived := atomic.Int32{}
	h := newHandler(t, func(r *http.Request) (*http.Response, error) {
		if now := running.Add(1); now > most.Load() {
			most.Store(now)
		}
		if arrived.Add(1) <= concurrency { // the first ones wait for one another: they must all be under way
			full.Done()
			full.Wait()
		}
		defer running.Add(-1)
		return text(200, r.URL.Path), nil
	})
	out, err := h.Invoke(t.Context(), severalRequests(requests, concurrency))
	if err != nil {
		t.Fatal(err)
	}
	var got struct{ Results []answered }
	if err := json.Unmarshal(out, &got); err != nil || len(got.Results) != requests {
		t.Fatalf("got %s, %v, want %d results", out, err, requests)
	}
	for i, r := range got.Results {
		if want := fmt.Sprintf(`"/dev/%d"`, i); string(r.Body) != want || r.Status != 200 {
			t.Errorf("result %d: got %d %s, want %s", i, r.Status, r.Body, want)
		}
	}
	if most.Load() != concurrency {
		t.Errorf("got %d requests at once, want %d", most.Load(), concurrency)
	}
}

func TestSeveralRequestsFailOneByOne(t *testing.T) {
	h := newHandler(t, func(r *http.Request) (*http.Response, error) {
		switch r.URL.Path {
		case "/dev/1":
			return nil, fmt.Errorf("no route to host")
		case "/dev/2":
			return text(404, "none"), nil
		}
		return text(200, "fine"), nil
	})
	out, err := h.Invoke(t.Context(), severalRequests(4, 2))
	if err != nil {
		t.Fatal(err)
	}
	var got results
	if err := json.Unmarshal(out, &got); err != nil {
		t.Fatal(err)
	}
	for i, want := range []int{200, 0, 404, 200} {
		r := got.Results[i]
		if r.Status != want || (r.Failure != "") != (want == 0) {
			t.Errorf("result %d: got %+v, want status %d", i, r, want)
		}
	}
	if !strings.Contains(got.Results[1].Failure, "no route to host") {
		t.Errorf("got failure %q, want the reason", got.Results[1].Failure)
	}
}

func TestRetriesAreCounted(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		sent := 0
		h := newHandler(t, func(*http.Request) (*http.Response, error) {
			if sent++; sent < 3 {
				return text(503, ""), nil
			}
			return text(200, ""), nil
		})
		out, err := h.Invoke(t.Context(), nil)
		var got result
		if err != nil || json.Unmarshal(out, &got) != nil || got.Attempts != 3 {
			t.Errorf("got %s, %v, want an answer after 3 attempts", out, err)
		}
	})
}

// The call ends before Lambda ends the function, with time to say why.
func TestDeadlineLeavesTimeToAnswer(t *testing.T) {
	for name, tt := range map[string]struct{ remaining, want time.Duration }{
		"thirty seconds": {30 * time.Second, 29500 * time.Millisecond},
		"one second":     {time.Second, 900 * time.Millisecond},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				h := newHandler(t, func(r *http.Request) (*http.Response, error) {
					<-r.Context().Done()
					return nil, r.Context().Err()
				})
				ctx, cancel := context.WithTimeout(t.Context(), tt.remaining)
				defer cancel()
				start := time.Now()
				_, err := h.Invoke(ctx, nil)
				if err == nil || !strings.Contains(err.Error(), "deadline exceeded") {
					t.Errorf("got %v, want the deadline", err)
				}
				if got := time.Since(start); got != tt.want {
					t.Errorf("ended after %v, want %v", got, tt.want)
				}
			})
		})
	}
}

// TestLogHoldsNoQuery: a query may be part of the path, and is as secret there.
func TestLogHoldsNoQuery(t *testing.T) {
	for name, answer := range map[string]func() (*http.Response, error){
		"an answer": func() (*http.Response, error) { return text(200, "fine"), nil },
		"no answer": func() (*http.Response, error) { return nil, errors.New("broken") },
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			h := newHandler(t, func(*http.Request) (*http.Response, error) { return answer() })
			h.log = slog.New(slog.NewJSONHandler(&log, nil))
			h.Invoke(t.Context(), []byte(`{"path":"/movie_list?key=hush","query":{"other":"hush"},"headers":{"x-note":"hush"}}`)) //nolint:errcheck // the log is looked at
			if got := log.String(); !strings.Contains(got, `"path":"/movie_list"`) || strings.Contains(got, "hush") {
				t.Errorf("logged %s", got)
			}
		})
	}
}

// TestResultsThatLambdaWouldNotTake: one that is too large is an error that says so, and in a list the others are kept.
// 6291556 bytes is the limit that Lambda's own error names.
func TestResultsThatLambdaWouldNotTake(t *testing.T) {
	const mib = 1 << 20
	sized := func(n int) *handler {
		return newHandler(t, func(*http.Request) (*http.Response, error) { return text(200, strings.Repeat("x", n)), nil })
	}
	if out, err := sized(5*mib).Invoke(t.Context(), nil); err != nil || len(out) > 6291556 {
		t.Errorf("5 MiB: got %d bytes, %v; want them", len(out), err)
	}
	if _, err := sized(6*mib+100).Invoke(t.Context(), nil); err == nil || !strings.Contains(err.Error(), "that Lambda returns") {
		t.Errorf("more than 6 MiB: got %v, want an error that names the limit", err)
	}
	out, err := sized(5*mib/2).Invoke(t.Context(), severalRequests(5, 1))
	if err != nil || len(out) > 6291556 {
		t.Fatalf("got %d bytes, %v", len(out), err)
	}
	var got struct {
		Results []struct {
			Status  int
			Failure string
		}
		Attempts int
	}
	if err := json.Unmarshal(out, &got); err != nil || len(got.Results) != 5 || got.Attempts != 5 {
		t.Fatalf("got %d results, %d attempts, %v; want 5 and 5", len(got.Results), got.Attempts, err)
	}
	for i, r := range got.Results {
		if kept := i < 2; kept != (r.Failure == "") || r.Status != 200 || !kept && !strings.Contains(r.Failure, "that Lambda returns") {
			t.Errorf("result %d: got %d %q, want it kept: %t", i, r.Status, r.Failure, kept)
		}
	}
}
