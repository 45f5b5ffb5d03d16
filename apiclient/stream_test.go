package apiclient_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/apiclient"
)

// The first piece of an answer is there while the rest has not been written, and an answer may be longer than one that is
// read into memory.
func TestStreamHandsOnWhatComes(t *testing.T) {
	proceed := make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		io.WriteString(w, "first")
		w.(http.Flusher).Flush()
		<-proceed
		w.Write(make([]byte, 11<<20))
	}))
	defer api.Close()
	endpoint, err := apiclient.ResolveEndpoint(apiclient.EndpointConfig{URL: api.URL + "/dev", Region: testRegion})
	if err != nil {
		t.Fatal(err)
	}
	c, err := apiclient.New(apiclient.Config{Endpoint: endpoint, Credentials: static(testKeys)})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.Stream(t.Context(), apiclient.Request{Path: "/x"})
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	first := make([]byte, 5)
	if _, err := io.ReadFull(resp.Body, first); err != nil || string(first) != "first" {
		t.Fatalf("got %q, %v", first, err)
	}
	close(proceed)
	if n, err := io.Copy(io.Discard, resp.Body); n != 11<<20 || err != nil {
		t.Errorf("got %d bytes more, %v, want all of them", n, err)
	}
}

// What is sent again is decided before the answer's body, and whoever wants to know is told.
func TestStreamSendsAgain(t *testing.T) {
	for name, tt := range map[string]struct {
		method  string
		answers []answer
		want    []string // what OnRetry heard
		status  int
	}{
		"at once":                 {"GET", []answer{{body: "x"}}, nil, 200},
		"throttled":               {"GET", []answer{throttled, {body: "x"}}, []string{"attempt 1: 429"}, 200},
		"lost":                    {"GET", []answer{{hangUp: true}, {status: 503}, {body: "x"}}, []string{"attempt 1: error", "attempt 2: 503"}, 200},
		"lost for a POST":         {"POST", []answer{{status: 503}, {body: "x"}}, nil, 503},
		"for good":                {"GET", []answer{{status: 503}, {status: 503}, {status: 503}}, []string{"attempt 1: 503", "attempt 2: 503"}, 503},
		"broken off is no reason": {"GET", []answer{{body: "half of it", cut: ofLength}, {body: "x"}}, nil, 200},
	} {
		t.Run(name, func(t *testing.T) {
			api := newFaultServer(t, tt.answers...)
			api.Config.ErrorLog = quiet()
			var heard []string
			retry := apiclient.Retry{BaseDelay: time.Millisecond, OnRetry: func(a apiclient.Attempt, wait time.Duration) {
				came := fmt.Sprint(a.StatusCode)
				if a.Err != nil {
					came = "error"
				}
				heard = append(heard, fmt.Sprintf("attempt %d: %s", a.Number, came))
			}}
			c := api.client(t, apiclient.Config{Retry: retry, Base: freshConnections()})
			resp, err := c.Stream(t.Context(), apiclient.Request{Method: tt.method, Path: "/x"})
			if err != nil {
				t.Fatal(err)
			}
			resp.Body.Close()
			if resp.StatusCode != tt.status {
				t.Errorf("got %d, want %d", resp.StatusCode, tt.status)
			}
			if diff := cmp.Diff(tt.want, heard); diff != "" {
				t.Errorf("retries (-want +got):\n%s", diff)
			}
			api.arrivals(t, 1+len(tt.want))
		})
	}
}

func TestStreamNamesTheCall(t *testing.T) {
	api := newFaultServer(t, answer{hangUp: true})
	api.Config.ErrorLog = quiet()
	c := api.client(t, apiclient.Config{Retry: apiclient.Retry{MaxAttempts: 1}, Base: freshConnections()})
	_, err := c.Stream(t.Context(), apiclient.Request{Path: "/x?secret=1"})
	var call *apiclient.CallError
	if !errors.As(err, &call) || call.Path != "/x" || call.Attempts != 1 {
		t.Errorf("got %v, want the call that was not answered", err)
	}
}

func TestResponseErr(t *testing.T) {
	for status, wrong := range map[int]bool{200: false, 204: false, 299: false, 302: true, 404: true, 500: true} {
		err := (&apiclient.Response{Status: status, Header: http.Header{}}).Err()
		var refusal *apiclient.APIError
		if errors.As(err, &refusal) != wrong || !wrong && err != nil {
			t.Errorf("%d: got %v", status, err)
		}
	}
}

// A long answer is read line by line, as it comes.
func ExampleClient_Stream() {
	cfg, stop := exampleAPI(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "one\ntwo\n") })
	defer stop()
	client, err := apiclient.New(cfg)
	if err != nil {
		fmt.Println(err)
		return
	}
	resp, err := client.Stream(context.Background(), apiclient.Request{Path: "/events"})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer resp.Body.Close()
	fmt.Println(resp.StatusCode)
	lines := bufio.NewScanner(resp.Body)
	for lines.Scan() {
		fmt.Println(lines.Text())
	}
	if err := lines.Err(); err != nil { // the answer broke off
		fmt.Println(err)
	}
	// Output:
	// 200
	// one
	// two
}
