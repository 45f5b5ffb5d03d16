package main

import (
	"errors"
	"strings"
	"testing"
)

// FuzzParseEvent: whatever is in an event, it is refused by name or becomes requests within their bounds.
func FuzzParseEvent(f *testing.F) {
	for _, seed := range []string{
		``, `null`, `{"path":"/x","query":{"a":[1,"b"]},"body":"t"}`, `{"requests":[{},{"retry":{"statuses":[503]}}],"concurrency":2,"timeout_ms":5}`,
		`{"retry":{"max_attempts":10,"base_delay_ms":1,"max_delay_ms":2,"all_methods":true}}`, `{"requests":[]}`, `{"path_params":{"a":-0.0e1}}`, `{"requests":[{"query":{"a":[{}]}},null]}`, `{"headers":{"a":null},"query":null}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, payload []byte) {
		w, err := parseEvent(payload)
		var bad *BadEventError
		if err != nil {
			if !errors.As(err, &bad) {
				t.Errorf("%q: got %v, want a BadEventError", payload, err)
			}
			return
		}
		if len(w.requests) > maxRequests || w.concurrency < 1 || w.concurrency > maxConcurrency || !w.several && len(w.requests) != 1 {
			t.Errorf("%q: got %d requests, %d at once", payload, len(w.requests), w.concurrency)
		}
		for _, r := range w.requests {
			if r.Method == "" || r.Method != strings.ToUpper(r.Method) || r.Path == "" || r.timeout < 0 || r.JSON != nil && r.Body != nil {
				t.Errorf("%q: got %+v", payload, r)
			}
			if r.Retry != nil && (r.Retry.MaxAttempts < 0 || r.Retry.MaxAttempts > maxAttempts || r.Retry.BaseDelay < 0) {
				t.Errorf("%q: got retry %+v", payload, r.Retry)
			}
		}
	})
}
