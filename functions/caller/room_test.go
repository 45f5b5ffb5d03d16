package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"
)

// lambdaLimit is what the Runtime API takes as an answer: "Exceeded maximum allowed payload size (6291556 bytes)".
const lambdaLimit = 6291556

// answersOf returns a handler whose API answers /n with so many bytes as sizes say, all of them at the same time if
// together, and an event that asks for all.
func answersOf(t *testing.T, together bool, sizes ...int) (*handler, []byte) {
	t.Helper()
	var arrived sync.WaitGroup
	arrived.Add(len(sizes))
	h := newHandler(t, func(r *http.Request) (*http.Response, error) {
		var n int
		if _, err := fmt.Sscanf(r.URL.Path, "/dev/%d", &n); err != nil {
			t.Error(err)
		}
		if together {
			arrived.Done()
			arrived.Wait()
		}
		resp := text(200, strings.Repeat("x", sizes[n]))
		resp.Header.Set("ETag", fmt.Sprintf(`"%d"`, n))
		return resp, nil
	})
	concurrency := 1
	if together {
		concurrency = len(sizes)
	}
	return h, severalRequests(len(sizes), concurrency)
}

// What does not fit gives way to what does, the largest first, whatever order the answers came in.
func TestRoomIsTakenFromTheLargest(t *testing.T) {
	const mib = 1 << 20
	for name, tt := range map[string]struct {
		sizes []int
		kept  []bool
	}{
		"a large one among small ones": {[]int{100, 6 * mib, 100, 200}, []bool{true, false, true, true}},
		"a large one before others":    {[]int{5 * mib, 2 * mib, mib}, []bool{false, true, true}},
		"a large one behind others":    {[]int{2 * mib, mib, 5 * mib}, []bool{true, true, false}},
		"all alike":                    {[]int{2 * mib, 2 * mib, 2 * mib, 2 * mib}, []bool{true, true, false, false}},
		"all too large":                {[]int{6 * mib, 6 * mib}, []bool{false, false}},
		"just room for both":           {[]int{3 * mib, 3*mib - 1000}, []bool{true, true}},
	} {
		for _, together := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, together %t", name, together), func(t *testing.T) {
				h, event := answersOf(t, together, tt.sizes...)
				out, err := h.Invoke(t.Context(), event)
				var got results
				if err != nil || len(out) > lambdaLimit || json.Unmarshal(out, &got) != nil || got.Attempts != len(tt.sizes) {
					t.Fatalf("got %d bytes, %d attempts, %v", len(out), got.Attempts, err)
				}
				for i, r := range got.Results {
					body, _ := r.Body.(string)
					switch {
					case r.Status != 200 || r.Attempts != 1 || r.Headers["etag"] != fmt.Sprintf(`"%d"`, i):
						t.Errorf("result %d: got %d, %d attempts, headers %v: that it was answered has to stay", i, r.Status, r.Attempts, r.Headers)
					case tt.kept[i] && (len(body) != tt.sizes[i] || r.Failure != ""):
						t.Errorf("result %d: got %d bytes, failure %q, want all %d", i, len(body), r.Failure, tt.sizes[i])
					case !tt.kept[i] && (r.Body != nil || !strings.Contains(r.Failure, "6291556") || !strings.Contains(r.Failure, "ask for less")):
						t.Errorf("result %d: got %d bytes, failure %q, want the reason alone", i, len(body), r.Failure)
					}
				}
			})
		}
	}
}

// Room is measured as it is sent: a character may take six bytes in JSON.
func TestRoomIsMeasuredInJSON(t *testing.T) {
	h := newHandler(t, func(*http.Request) (*http.Response, error) { return text(200, strings.Repeat("\x01", 1<<20)), nil })
	out, err := h.Invoke(t.Context(), severalRequests(2, 1))
	var got results
	if err != nil || len(out) > lambdaLimit || json.Unmarshal(out, &got) != nil || got.Results[0].Failure == "" || got.Results[1].Failure == "" || len(got.Results[1].Failure) > 4096 {
		t.Errorf("got %d bytes, %v, want two failures", len(out), err)
	}
}

// Reasons take room, too. An event of Lambda's own size can make each of them as long as itself.
func TestLongReasonsAreCut(t *testing.T) {
	long := strings.Repeat("<", 1<<20)
	h := newHandler(t, func(*http.Request) (*http.Response, error) { return text(200, "fine"), nil })
	for name, event := range map[string]string{
		"path":          `{"path":"` + long + `"}`,
		"parameter":     `{"path":"/{a}","path_params":{"` + long + `":1,"a":1}}`,
		"unknown field": `{"` + long + `":1}`,
		"key":           `{"query":{"` + long + `":{}}}`,
		"header":        `{"headers":{"` + long + `":1}}`,
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.Invoke(t.Context(), []byte(event))
			if err == nil || len(err.Error()) > 4096 || !strings.Contains(err.Error(), "…") {
				t.Errorf("got %.100v, want a short error", err)
			}
		})
	}
	out, err := h.Invoke(t.Context(), []byte(`{"requests":[{},`+strings.Repeat(`{"path":"`+long[:60_000]+`"},`, 98)+`{}]}`))
	var got results
	if err != nil || len(out) > lambdaLimit || json.Unmarshal(out, &got) != nil || got.Results[0].Status != 200 || got.Results[99].Status != 200 || got.Results[1].Failure == "" || len(got.Results[1].Failure) > 4096 {
		t.Errorf("got %d bytes, %v, want the two answers and 98 reasons", len(out), err)
	}
}

// An answer that does not fit, and a reason that is longer than any, leave the function running.
func TestProgramSurvivesWhatLambdaRefuses(t *testing.T) {
	stub := newAPIStub(t)
	api := newRuntimeAPI(t, time.Minute)
	api.start(t, lambdaEnvironment(stub.URL+"/dev"))
	out := api.invoke(t, `{"requests":[{"method":"PUT","path":"/echo","body":"a write"},{"path":"/big"}]}`)
	var list struct{ Results []answered }
	if err := json.Unmarshal(out.body, &list); out.failed || err != nil || len(list.Results) != 2 {
		t.Fatalf("got %.200s (failed: %t), want two results", out.body, out.failed)
	}
	if write, big := list.Results[0], list.Results[1]; write.Status != 200 || !strings.Contains(string(write.Body), "a write") || big.Failure == "" {
		t.Errorf("got %d %s and failure %q, want the write's answer and the reason for the other", write.Status, write.Body, big.Failure)
	}
	for name, tt := range map[string]struct{ event, kind string }{
		"alone":             {`{"path":"/big"}`, "CallError"},
		"alone, as JSON":    {`{"path":"/escaped"}`, "ResultTooLargeError"},
		"a reason too long": {`{"path":"` + strings.Repeat("<", 5<<20) + `"}`, "CallError"},
	} {
		t.Run(name, func(t *testing.T) {
			out := api.invoke(t, tt.event)
			var got struct{ ErrorMessage, ErrorType string }
			if err := json.Unmarshal(out.body, &got); err != nil || !out.failed || got.ErrorType != tt.kind || len(out.body) > 64<<10 {
				t.Errorf("got %.300s (failed: %t), want a %s", out.body, out.failed, tt.kind)
			}
		})
	}
	if out := api.invoke(t, `{}`); out.failed {
		t.Errorf("the invocation after it: got %s", out.body)
	}
}
