package main

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/apiclient"
)

func TestParseEventWithRetrySettings(t *testing.T) {
	work, err := parseEvent([]byte(`{"requests":[{},{"retry":{"max_attempts":1},"timeout_ms":250}],
		"retry":{"max_attempts":5,"base_delay_ms":100,"max_delay_ms":2000,"all_methods":true},"timeout_ms":4000}`))
	if err != nil {
		t.Fatal(err)
	}
	first, second := work.requests[0], work.requests[1]
	want := apiclient.Retry{MaxAttempts: 5, BaseDelay: 100 * time.Millisecond, MaxBackoff: 2 * time.Second, AllMethods: true}
	if diff := cmp.Diff(want, *first.Retry); diff != "" || first.timeout != 4*time.Second {
		t.Errorf("settings of the event (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(apiclient.Retry{MaxAttempts: 1}, *second.Retry); diff != "" || second.timeout != 250*time.Millisecond {
		t.Errorf("settings of the request (-want +got):\n%s", diff)
	}
}

func TestStatusesOfAnEvent(t *testing.T) {
	work, err := parseEvent([]byte(`{"retry":{"statuses":[404,429]}}`))
	if err != nil {
		t.Fatal(err)
	}
	wants := work.requests[0].Retry.Condition
	quota := http.Header{"X-Amzn-Errortype": {"LimitExceededException"}}
	for name, tt := range map[string]struct {
		attempt apiclient.Attempt
		want    bool
	}{
		"in the list":       {apiclient.Attempt{StatusCode: 404}, true},
		"not in the list":   {apiclient.Attempt{StatusCode: 503}, false},
		"fine":              {apiclient.Attempt{StatusCode: 200}, false},
		"a used up quota":   {apiclient.Attempt{StatusCode: 429, Header: quota}, false},
		"a lost connection": {apiclient.Attempt{Err: errors.New("read: connection reset by peer")}, true},
		"a deadline":        {apiclient.Attempt{Err: context.DeadlineExceeded}, false},
	} {
		if got := wants(tt.attempt); got != tt.want {
			t.Errorf("%s: got %v, want %v", name, got, tt.want)
		}
	}
}

// A list whose time is up has the results of what was answered, and says of the rest what became of it.
func TestTheInvocationsEndIsTheListsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		h := newHandler(t, func(r *http.Request) (*http.Response, error) {
			switch r.URL.Path {
			case "/dev/0":
				return text(200, "fine"), nil
			case "/dev/1":
				return text(503, "busy"), nil
			}
			<-r.Context().Done()
			return nil, r.Context().Err()
		})
		ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
		defer cancel()
		begin := time.Now()
		out, err := h.Invoke(ctx, []byte(`{"requests":[{"path":"/0"},{"path":"/1","retry":{"max_attempts":10,"base_delay_ms":60000,"max_delay_ms":60000}},
			{"path":"/2"},{"path":"/3","timeout_ms":1500}],"concurrency":4}`))
		if err != nil {
			t.Fatal(err)
		}
		if took := time.Since(begin); took != 9500*time.Millisecond {
			t.Errorf("it took %v, want half a second less than the invocation has", took)
		}
		var got results
		if err := json.Unmarshal(out, &got); err != nil {
			t.Fatal(err)
		}
		for i, want := range []struct {
			status  int
			failure string
		}{{200, ""}, {503, ""}, {0, "deadline exceeded"}, {0, "deadline exceeded"}} {
			if r := got.Results[i]; r.Status != want.status || !strings.Contains(r.Failure, want.failure) || (r.Failure == "") != (want.failure == "") || r.Attempts < 1 {
				t.Errorf("result %d: got %+v, want %+v", i, r, want)
			}
		}
	})
}
