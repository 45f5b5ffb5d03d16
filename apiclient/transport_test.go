package apiclient_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/apiclient"
)

// trackedBody tells whether it was read and closed.
type trackedBody struct {
	io.Reader
	read, closed atomic.Bool
}

func newTrackedBody(text string) *trackedBody { return &trackedBody{Reader: strings.NewReader(text)} }

func (b *trackedBody) Read(p []byte) (int, error) {
	b.read.Store(true)
	return b.Reader.Read(p)
}

func (b *trackedBody) Close() error {
	b.closed.Store(true)
	return nil
}

func newRequest(t *testing.T, method, target string, body io.Reader) *http.Request {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, target, body)
	if err != nil {
		t.Fatal(err)
	}
	return req
}

func roundTrip(t *testing.T, tr http.RoundTripper, req *http.Request) *http.Response {
	t.Helper()
	resp, err := tr.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { resp.Body.Close() })
	return resp
}

func TestTransportCallerRequestNotMutated(t *testing.T) {
	api := newFaultServer(t, answer{status: 500}, answer{status: 500})
	tr := api.transport(t, apiclient.Config{})
	req := newRequest(t, "PUT", api.URL+"/dev/movie_list/2013/Rush?b=2&a=1", strings.NewReader(`{"year":2013}`))
	req.Header.Set("Content-Type", "application/json")
	req.Header.Set("X-Amz-Date", "19700101T000000Z")
	req.Header["authorization"] = []string{"Bearer nothing"}
	header, target, body, getBody := req.Header.Clone(), req.URL.String(), req.Body, req.GetBody

	resp := roundTrip(t, tr, req)

	if diff := cmp.Diff(header, req.Header); diff != "" {
		t.Errorf("the caller's header changed (-before +after):\n%s", diff)
	}
	if req.URL.String() != target || req.Body != body || (req.GetBody == nil) != (getBody == nil) || req.ContentLength != 13 {
		t.Errorf("the caller's request changed: %+v", req)
	}
	if resp.Request != req {
		t.Error("the answer shows the request that was signed, want the caller's")
	}
	for _, a := range api.arrivals(t, 3) {
		checkSignature(t, a, testKeys, testRegion)
		if got := a.Header.Values("Authorization"); len(got) != 1 {
			t.Errorf("got %d Authorization headers, want one", len(got))
		}
	}
}

func TestTransportClosesBodyOnEveryPath(t *testing.T) {
	api := newFaultServer(t)
	failing := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("no role")
	})
	none := aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) { return aws.Credentials{}, nil })
	refused := roundTripperFunc(func(r *http.Request) (*http.Response, error) {
		r.Body.Close()
		return nil, errors.New("refused")
	})
	for name, tt := range map[string]struct {
		cfg     apiclient.Config
		change  func(*http.Request)
		wantErr string // empty: an answer
	}{
		"sent":                   {},
		"other host":             {change: func(r *http.Request) { r.URL.Host = "example.com" }, wantErr: "example.com"},
		"no URL":                 {change: func(r *http.Request) { r.URL = nil }, wantErr: "no URL"},
		"redirect":               {change: func(r *http.Request) { r.Response = &http.Response{StatusCode: 302} }, wantErr: "redirect"},
		"too long by its word":   {change: func(r *http.Request) { r.ContentLength = 10485761 }, wantErr: "10485760"},
		"not as long as it says": {change: func(r *http.Request) { r.ContentLength = 7 }, wantErr: "Content-Length says 7"},
		"credentials fail":       {cfg: apiclient.Config{Credentials: failing}, wantErr: "no role"},
		"no credentials":         {cfg: apiclient.Config{Credentials: none}, wantErr: "credentials"},
		"cannot be replayed": {change: func(r *http.Request) {
			r.GetBody = func() (io.ReadCloser, error) { return nil, errors.New("gone") }
		}, wantErr: "gone"},
		"cannot be signed": {change: func(r *http.Request) { r.URL.RawQuery = "X-Amz-Algorithm=AWS4-HMAC-SHA256" }, wantErr: "signing"},
		"cannot be sent":   {change: func(r *http.Request) { r.Header.Set("X-Note", "a\nb") }, wantErr: `"X-Note" holds a control character`},
		"base fails":       {cfg: apiclient.Config{Base: refused}, wantErr: "refused"},
	} {
		t.Run(name, func(t *testing.T) {
			body := newTrackedBody("body")
			req := newRequest(t, "POST", api.URL+"/dev/x", body)
			if tt.change != nil {
				tt.change(req)
			}
			resp, err := api.transport(t, tt.cfg).RoundTrip(req)
			if err == nil {
				resp.Body.Close()
			}
			if !body.closed.Load() {
				t.Error("the request's body was not closed")
			}
			switch {
			case tt.wantErr == "" && err != nil:
				t.Errorf("got error %v, want an answer", err)
			case tt.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tt.wantErr)):
				t.Errorf("got error %v, want one with %q", err, tt.wantErr)
			}
		})
	}
}

func TestTransportReplaysThroughGetBody(t *testing.T) {
	api := newFaultServer(t, answer{status: 503}, answer{status: 503})
	original := newTrackedBody("unused")
	req := newRequest(t, "PUT", api.URL+"/dev/x", nil)
	var mu sync.Mutex
	var copies []*trackedBody
	req.Body = original
	req.GetBody = func() (io.ReadCloser, error) {
		mu.Lock()
		defer mu.Unlock()
		copies = append(copies, newTrackedBody("the body"))
		return copies[len(copies)-1], nil
	}

	roundTrip(t, api.transport(t, apiclient.Config{}), req)

	for _, a := range api.arrivals(t, 3) {
		if string(a.Body) != "the body" {
			t.Errorf("got body %q, want %q", a.Body, "the body")
		}
		checkSignature(t, a, testKeys, testRegion)
	}
	if original.read.Load() {
		t.Error("the original body was read although GetBody is there")
	}
	mu.Lock()
	defer mu.Unlock()
	if len(copies) != 4 {
		t.Errorf("got %d copies, want 4: one to hash, three to send", len(copies))
	}
	for i, c := range copies {
		if !c.closed.Load() {
			t.Errorf("copy %d was not closed", i)
		}
	}
}

func TestTransportReplaysWithoutGetBody(t *testing.T) {
	api := newFaultServer(t, answer{status: 502})
	req := newRequest(t, "PUT", api.URL+"/dev/x", newTrackedBody("read once"))
	roundTrip(t, api.transport(t, apiclient.Config{}), req)
	for _, a := range api.arrivals(t, 2) {
		if string(a.Body) != "read once" || a.Header.Get("Content-Length") != "9" {
			t.Errorf("got body %q with Content-Length %q, want %q with 9", a.Body, a.Header.Get("Content-Length"), "read once")
		}
		checkSignature(t, a, testKeys, testRegion)
	}
}

func TestTransportBodyLimit(t *testing.T) {
	api := newFaultServer(t)
	tr := api.transport(t, apiclient.Config{})
	full := bytes.Repeat([]byte("x"), apiclient.MaxBodyBytes)

	resp := roundTrip(t, tr, newRequest(t, "PUT", api.URL+"/dev/x", bytes.NewReader(full)))
	if resp.StatusCode != 200 || len(api.arrivals(t, 1)[0].Body) != 10485760 {
		t.Errorf("got %d for 10 MiB, want 200", resp.StatusCode)
	}
	for name, body := range map[string]io.Reader{
		"known length":   bytes.NewReader(append(full, 'x')),
		"unknown length": io.MultiReader(bytes.NewReader(full), strings.NewReader("x")),
		"endless":        endless{},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := tr.RoundTrip(newRequest(t, "PUT", api.URL+"/dev/x", body))
			if !errors.Is(err, apiclient.ErrBodyTooLarge) {
				t.Errorf("got %v, want ErrBodyTooLarge", err)
			}
		})
	}
	api.arrivals(t, 1)
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestSecurityOtherHostsAreNotSignedFor(t *testing.T) {
	other := newFaultServer(t)
	api := newFaultServer(t)
	tr := api.transport(t, apiclient.Config{})
	for name, change := range map[string]func(*http.Request){
		"another host":             func(r *http.Request) { r.URL.Host = "example.com" },
		"another port":             func(r *http.Request) { r.URL.Host, r.Host = strings.TrimPrefix(other.URL, "http://"), "" },
		"no host":                  func(r *http.Request) { r.URL.Host, r.Host = "", "" },
		"another Host header":      func(r *http.Request) { r.Host = "example.com" },
		"the API's Host elsewhere": func(r *http.Request) { r.URL.Host = strings.TrimPrefix(other.URL, "http://") },
	} {
		t.Run(name, func(t *testing.T) {
			req := newRequest(t, "GET", api.URL+"/dev/x", nil)
			change(req)
			_, err := tr.RoundTrip(req)
			var wrong *apiclient.HostError
			if !errors.As(err, &wrong) {
				t.Fatalf("got %v, want a HostError", err)
			}
			if want := strings.TrimPrefix(api.URL, "http://"); wrong.Want != want {
				t.Errorf("the error wants %q, want %q", wrong.Want, want)
			}
		})
	}
	t.Run("another scheme", func(t *testing.T) {
		_, err := tr.RoundTrip(newRequest(t, "GET", strings.Replace(api.URL, "http", "https", 1)+"/dev/x", nil))
		if err == nil || !strings.Contains(err.Error(), "reached by http") {
			t.Errorf("got %v, want an error about the scheme", err)
		}
	})
	api.arrivals(t, 0)
	other.arrivals(t, 0)
}

func TestSecurityRedirectsAreNotFollowed(t *testing.T) {
	other := newFaultServer(t)
	for name, location := range map[string]string{"to another host": other.URL, "to the API itself": "/dev/elsewhere"} {
		t.Run(name, func(t *testing.T) {
			redirect := answer{status: 307, header: map[string]string{"Location": location}}
			api := newFaultServer(t, redirect, redirect, redirect)
			c := api.client(t, apiclient.Config{})

			_, err := c.Do(t.Context(), apiclient.Request{Path: "/x"})
			var refusal *apiclient.APIError
			if !errors.As(err, &refusal) || refusal.StatusCode != 307 || !errors.Is(err, apiclient.ErrRedirect) {
				t.Errorf("Do: got %v, want an APIError with 307 that is ErrRedirect", err)
			}
			resp, err := c.HTTPClient().Get(api.URL + "/dev/x")
			if err != nil || resp.StatusCode != 307 {
				t.Errorf("HTTPClient: got %v, %v, want the 307", resp, err)
			} else {
				resp.Body.Close()
			}
			plain := &http.Client{Transport: api.transport(t, apiclient.Config{})}
			_, err = plain.Get(api.URL + "/dev/x")
			var wrong *apiclient.HostError
			if !errors.Is(err, apiclient.ErrRedirect) && !errors.As(err, &wrong) {
				t.Errorf("a client that follows: got %v, want ErrRedirect", err)
			}
			api.arrivals(t, 3)
		})
	}
	other.arrivals(t, 0)
}

// 304 is among the statuses of redirects, and leads nowhere.
func TestNotModifiedIsNoRedirect(t *testing.T) {
	api := newFaultServer(t, answer{status: 304})
	_, err := api.client(t, apiclient.Config{}).Do(t.Context(), apiclient.Request{})
	if err == nil || errors.Is(err, apiclient.ErrRedirect) || err.Error() != "304 Not Modified" {
		t.Errorf("got %v, want a 304 that is no redirect", err)
	}
}

func TestTransportStreamsTheAnswer(t *testing.T) {
	parts := make(chan string)
	api := &faultServer{Server: httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.(http.Flusher).Flush()
		for part := range parts {
			io.WriteString(w, part)
			w.(http.Flusher).Flush()
		}
	}))}
	t.Cleanup(api.Close)
	closeParts := sync.OnceFunc(func() { close(parts) })
	defer closeParts()
	resp := roundTrip(t, api.transport(t, apiclient.Config{}), newRequest(t, "GET", api.URL+"/dev/x", nil))
	buf := make([]byte, 16)
	for _, want := range []string{"one", "two"} {
		parts <- want
		n, err := resp.Body.Read(buf)
		if err != nil || string(buf[:n]) != want {
			t.Fatalf("got %q, %v, want %q before the next part is sent", buf[:n], err, want)
		}
	}
	closeParts()
	if rest, err := io.ReadAll(resp.Body); err != nil || len(rest) != 0 {
		t.Errorf("got %q, %v after the last part, want the end", rest, err)
	}
}

func TestTransportConcurrentUse(t *testing.T) {
	api := newFaultServer(t)
	c := api.client(t, apiclient.Config{})
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := c.Do(t.Context(), apiclient.Request{Path: "/x", Query: url.Values{"a": {"1"}}}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	for _, a := range api.arrivals(t, 20) {
		checkSignature(t, a, testKeys, testRegion)
	}
}

func TestNewRefusesIncompleteConfig(t *testing.T) {
	e := resolve(t, apiclient.EndpointConfig{URL: apiURL})
	for name, tt := range map[string]struct {
		cfg  apiclient.Config
		want string
	}{
		"no endpoint":    {apiclient.Config{Credentials: static(testKeys)}, "ResolveEndpoint"},
		"no credentials": {apiclient.Config{Endpoint: e}, "Credentials"},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := apiclient.New(tt.cfg); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error that names %s", err, tt.want)
			}
		})
	}
}
