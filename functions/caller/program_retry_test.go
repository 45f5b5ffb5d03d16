package main

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// What the event says about retries is what happens on the wire; the stub checks the signature of every attempt.
func TestProgramRetries(t *testing.T) {
	stub := newAPIStub(t)
	api := newRuntimeAPI(t, time.Minute)
	api.start(t, lambdaEnvironment(stub.URL+"/dev"))
	throttled := attempt{Status: 429, Type: "TooManyRequestsException"}
	for _, tt := range []struct {
		name, event string
		path        string
		status      int
		sent        int
		retried     []attempt
	}{
		{"by default", `{"path":"/busy-once","retry":{"base_delay_ms":1}}`, "/dev/busy-once", 200, 2, []attempt{throttled}},
		{"as often as told", `{"path":"/busy-twice","retry":{"max_attempts":2,"base_delay_ms":1}}`, "/dev/busy-twice", 429, 2, []attempt{throttled}},
		{"not at all", `{"path":"/down","retry":{"max_attempts":1}}`, "/dev/down", 503, 1, nil},
		{"a status that is not in the list", `{"path":"/down","retry":{"statuses":[429],"base_delay_ms":1}}`, "/dev/down", 503, 1, nil},
		{"a status in the list", `{"path":"/denied","retry":{"statuses":[403],"max_attempts":2,"base_delay_ms":1}}`, "/dev/denied", 403, 2,
			[]attempt{{Status: 403, Type: "AccessDeniedException"}}},
		{"POST", `{"method":"POST","path":"/down","retry":{"max_attempts":5,"base_delay_ms":1}}`, "/dev/down", 503, 1, nil},
		{"POST, told otherwise", `{"method":"POST","path":"/down","retry":{"max_attempts":3,"base_delay_ms":1,"all_methods":true}}`, "/dev/down", 503, 3,
			[]attempt{{Status: 503}, {Status: 503}}},
		{"an answer that breaks off", `{"path":"/breaks-once","retry":{"base_delay_ms":1}}`, "/dev/breaks-once", 200, 2,
			[]attempt{{Status: 200, Failure: "reading the answer: unexpected EOF"}}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			stub.mu.Lock()
			before := stub.times[tt.path]
			stub.mu.Unlock()
			out := api.invoke(t, tt.event)
			var got result
			if err := json.Unmarshal(out.body, &got); out.failed || err != nil {
				t.Fatalf("got %s (failed: %v)", out.body, out.failed)
			}
			stub.mu.Lock()
			sent := stub.times[tt.path] - before
			stub.mu.Unlock()
			if got.Status != tt.status || got.Attempts != tt.sent || sent != tt.sent {
				t.Errorf("got %d after %d attempts, %d of them on the wire, want %d after %d", got.Status, got.Attempts, sent, tt.status, tt.sent)
			}
			if diff := cmp.Diff(tt.retried, got.Retried); diff != "" {
				t.Errorf("retried (-want +got):\n%s", diff)
			}
		})
	}
	t.Run("a list", func(t *testing.T) {
		out := api.invoke(t, `{"requests":[{},{"path":"/down"},{"path":"/down","retry":{"max_attempts":1}}],"retry":{"max_attempts":3,"base_delay_ms":1}}`)
		var got results
		if err := json.Unmarshal(out.body, &got); out.failed || err != nil {
			t.Fatalf("got %s (failed: %v)", out.body, out.failed)
		}
		if got.Attempts != 1+3+1 || got.Results[1].Attempts != 3 || got.Results[2].Attempts != 1 {
			t.Errorf("got %s, want 1, 3 and 1 attempts", out.body)
		}
	})
}
