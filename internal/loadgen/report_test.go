package loadgen_test

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/loadgen"
)

// faulty is a server with a bad day: of each ten requests five are well, two throttled, one breaks off within its body,
// one gets no answer at all, one its connection reset.
func faulty(t *testing.T) *httptest.Server {
	t.Helper()
	var n atomic.Int64
	server := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		switch (n.Add(1) - 1) % 10 {
		case 5, 6:
			w.Header().Set("X-Kind", "Throttled")
			w.WriteHeader(http.StatusTooManyRequests)
		case 7:
			w.Header().Set("Content-Length", "100")
			io.WriteString(w, "less")
		case 8:
			panic(http.ErrAbortHandler)
		case 9:
			conn, _, err := w.(http.Hijacker).Hijack()
			if err == nil {
				conn.(*net.TCPConn).SetLinger(0)
				conn.Close()
			}
		default:
			io.WriteString(w, "a body of 20 bytes..")
		}
	}))
	server.Start()
	t.Cleanup(server.Close)
	return server
}

func measureFaults(t *testing.T) *loadgen.Report {
	t.Helper()
	server := faulty(t)
	request, err := http.NewRequest(http.MethodPost, server.URL+"/x", strings.NewReader("12345"))
	if err != nil {
		t.Fatal(err)
	}
	base := &http.Transport{}
	t.Cleanup(base.CloseIdleConnections)
	r, err := loadgen.Run(t.Context(), loadgen.Plan{
		Requests: []loadgen.Request{{Name: "POST /x", HTTP: request}}, Transport: base,
		Concurrency: 1, Count: 40, Timeout: 10 * time.Second,
		Kind: func(resp *http.Response) string { return resp.Header.Get("X-Kind") },
	})
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func TestFaultsAreCounted(t *testing.T) {
	r := measureFaults(t)
	if diff := cmp.Diff(map[int]int64{200: 20, 429: 8}, r.Statuses); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]int64{"Throttled": 8}, r.Kinds); diff != "" {
		t.Errorf("kinds (-want +got):\n%s", diff)
	}
	failed := int64(0)
	for reason, f := range r.Failures {
		if f.Example == "" || reason == "other" || reason == "timeout" {
			t.Errorf("got failure %q with %+v", reason, f)
		}
		failed += f.Count
	}
	if failed != 12 || r.Failures["broken off"] == nil || r.Failures["broken off"].Count < 4 {
		t.Errorf("got %d failures: %v, want 12, of which 4 broke off", failed, r.Failures)
	}
	if r.Requests != 40 || r.Unexpected != 20 || r.OK() {
		t.Errorf("got %d requests with %d unexpected, want 40 with 20", r.Requests, r.Unexpected)
	}
	if want := int64(20*20 + 4*4); r.BytesReceived != want || r.BytesSent != 40*5 {
		t.Errorf("got %d bytes received, %d sent, want %d and 200", r.BytesReceived, r.BytesSent, want)
	}
	// Each of the twelve lost connections is followed by a new one, but for the last.
	if r.ConnectionsOpened != 12 || r.ConnectionsOpened+r.ConnectionsReused != 40 {
		t.Errorf("got %d connections opened, used again %d times, want 12 and 28", r.ConnectionsOpened, r.ConnectionsReused)
	}
}

func TestNobodyAnswers(t *testing.T) {
	server := httptest.NewServer(nil)
	server.Close()
	request, err := http.NewRequest(http.MethodGet, server.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	r, err := loadgen.Run(t.Context(), loadgen.Plan{
		Requests: []loadgen.Request{{HTTP: request}}, Transport: &http.Transport{}, Concurrency: 1, Count: 3,
	})
	if err != nil {
		t.Fatal(err)
	}
	if f := r.Failures["connection refused"]; f == nil || f.Count != 3 || r.OK() || r.Latency != nil {
		t.Errorf("got %+v, want three refused connections, and no latency of what never was", r)
	}
	var text bytes.Buffer
	if err := r.WriteText(&text); err != nil || !strings.Contains(text.String(), "no answer, connection refused: 3") {
		t.Errorf("got %v and\n%s", err, &text)
	}
	if err := r.WriteSVG(io.Discard, "nothing"); err == nil {
		t.Error("got a plot of nothing")
	}
	// A latency of zero would be the best of all.
	document, err := json.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{`"latency_ms":null,"service_ms":null`, `"p50_ms":null,"p99_ms":null,"max_ms":null`} {
		if !strings.Contains(string(document), want) {
			t.Errorf("want %s in\n%s", want, document)
		}
	}
}

// What was never measured has no place on a plot's axis either, and a request without an answer has its row in the table.
func TestSomeNobodyAnswers(t *testing.T) {
	a := &api{takes: func(n int) time.Duration { return 5 * time.Millisecond }, fails: func(n int) bool { return n%2 == 1 }}
	inBubble(t, a, loadgen.Plan{Rate: 10, Count: 10, Requests: []loadgen.Request{{Name: "one", HTTP: get(t, "/1")}, {Name: "other", HTTP: get(t, "/2")}}}, func(t *testing.T, r *loadgen.Report) {
		var text, svg bytes.Buffer
		if err := errors.Join(r.WriteText(&text), r.WriteSVG(&svg, "half")); err != nil {
			t.Fatal(err)
		}
		if !regexp.MustCompile(`other \(5, all unexpected\)( +-){8}\n`).MatchString(text.String()) {
			t.Errorf("want a row without times in\n%s", &text)
		}
		for _, s := range r.Course {
			if failed := s.Unexpected == s.Requests; (s.Max == nil) != failed {
				t.Errorf("got %+v, want times where there were answers, and only there", s)
			}
		}
	})
}

// Latencies that are close together are told apart by their labels.
func TestHistogramLabels(t *testing.T) {
	for name, tt := range map[string]struct {
		first, step time.Duration
		rows        int
	}{
		"far apart":          {10 * time.Millisecond, 10 * time.Millisecond, 12},
		"within two percent": {302 * time.Millisecond, 500 * time.Microsecond, 12},
		"a few microseconds": {302 * time.Microsecond, time.Microsecond, 9},
		"all the same":       {500 * time.Microsecond, 0, 1},
	} {
		t.Run(name, func(t *testing.T) {
			a := &api{takes: func(n int) time.Duration { return tt.first + time.Duration(n%10)*tt.step }}
			inBubble(t, a, loadgen.Plan{Rate: 1, Count: 20}, func(t *testing.T, r *loadgen.Report) {
				var text bytes.Buffer
				if err := r.WriteText(&text); err != nil {
					t.Fatal(err)
				}
				seen, sum := map[string]bool{}, 0
				for line := range strings.Lines(text.String()) {
					label, bar, ok := strings.Cut(line, " ms |")
					if !ok {
						continue
					}
					var n int
					if _, err := fmt.Sscan(strings.TrimLeft(bar, "# "), &n); err != nil {
						t.Fatalf("%q: %v", line, err)
					}
					if seen[label] {
						t.Errorf("two rows are %s", label)
					}
					seen[label], sum = true, sum+n
				}
				if len(seen) != tt.rows || sum != 20 {
					t.Errorf("got %d requests in %d rows, want 20 in %d:\n%s", sum, len(seen), tt.rows, &text)
				}
			})
		})
	}
}

// Programs rely on these names.
func TestJSONSchema(t *testing.T) {
	text, err := json.Marshal(measureFaults(t))
	if err != nil {
		t.Fatal(err)
	}
	var value any
	if err := json.Unmarshal(text, &value); err != nil {
		t.Fatal(err)
	}
	var got []string
	names(value, "", &got)
	slices.Sort(got)
	want := []string{
		"abandoned_requests", "by_request[].latency_ms", "by_request[].name", "by_request[].requests", "by_request[].unexpected", "by_status[].latency_ms",
		"by_status[].requests", "by_status[].status", "bytes_received",
		"bytes_sent", "concurrency", "connections_opened", "connections_reused", "course[].max_ms", "course[].p50_ms", "course[].p99_ms",
		"course[].requests", "course[].second", "course[].unexpected", "error_types", "failures", "held_back_requests", "interrupted", "lag_ms", "latency_ms",
		"model", "rate", "requests", "seconds", "service_ms", "statuses", "unexpected", "warmup_requests",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("fields (-want +got):\n%s", diff)
	}
	docs, err := os.ReadFile("../../docs/calling.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, field := range want {
		name := field[strings.LastIndexByte(field, '.')+1:]
		if !bytes.Contains(docs, []byte("`"+name+"`")) {
			t.Errorf("docs/calling.md does not name %s", name)
		}
	}
	times := value.(map[string]any)["latency_ms"].(map[string]any)
	for _, name := range []string{"min", "mean", "p50", "p90", "p95", "p99", "p99_9", "max"} {
		if _, ok := times[name].(float64); !ok {
			t.Errorf("latency_ms has no %s: %v", name, times)
		}
	}
	if len(times) != 8 {
		t.Errorf("latency_ms has %d times, want 8", len(times))
	}
}

// names lists the fields of a JSON document, lists by their first element, and not what is below maps and times.
func names(value any, prefix string, into *[]string) {
	for name, v := range value.(map[string]any) {
		if list, ok := v.([]any); ok && len(list) > 0 {
			names(list[0], prefix+name+"[].", into)
			continue
		}
		*into = append(*into, prefix+name)
	}
}

func TestSVGIsWellFormed(t *testing.T) {
	var svg bytes.Buffer
	if err := measureFaults(t).WriteSVG(&svg, `POST /x & "more" <b>`); err != nil {
		t.Fatal(err)
	}
	decoder := xml.NewDecoder(&svg)
	elements, words := map[string]int{}, ""
	for {
		token, err := decoder.Token()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		switch token := token.(type) {
		case xml.StartElement:
			elements[token.Name.Local]++
		case xml.CharData:
			words += string(token) + "\n"
		}
	}
	if elements["svg"] != 1 || elements["path"] < 4 {
		t.Errorf("got %v, want one svg with lines in it", elements)
	}
	for _, word := range []string{"percentile", "milliseconds", "second", "p99", `POST /x & "more" <b>`} {
		if !strings.Contains(words, word) {
			t.Errorf("the plot does not say %q: %q", word, words)
		}
	}
}

func TestText(t *testing.T) {
	a := &api{takes: func(n int) time.Duration { return time.Duration(1+n%10) * 10 * time.Millisecond }}
	inBubble(t, a, loadgen.Plan{Rate: 100, Count: 100}, func(t *testing.T, r *loadgen.Report) {
		var text bytes.Buffer
		if err := r.WriteText(&text); err != nil {
			t.Fatal(err)
		}
		for _, want := range []string{"100 in 1.1 s, 100.0 a second of 100 asked for", "200: 100", "400 B received", "p99.9"} {
			if !strings.Contains(text.String(), want) {
				t.Errorf("the text lacks %q:\n%s", want, &text)
			}
		}
		// The rows of the histogram hold every request once.
		rows, sum := 0, 0
		for line := range strings.Lines(text.String()) {
			if _, bar, ok := strings.Cut(line, " ms |"); ok {
				var n int
				if _, err := fmt.Sscan(strings.TrimLeft(bar, "# "), &n); err != nil {
					t.Fatalf("%q: %v", line, err)
				}
				rows, sum = rows+1, sum+n
			}
		}
		if rows != 12 || sum != 100 {
			t.Errorf("got %d requests in %d rows, want 100 in 12:\n%s", sum, rows, &text)
		}
	})
}
