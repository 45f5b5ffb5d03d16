package loadgen

import (
	"maps"
	"math"
	"slices"
	"time"

	"github.com/HdrHistogram/hdrhistogram-go"
)

// Report is what came of a run, of the requests that were due after the warm-up. Its JSON is for programs and stays.
type Report struct {
	// Model is open (at a rate) or closed (from callers).
	Model string `json:"model"`
	// AskedRate is the rate of the open model, Concurrency the callers of the closed model, or how many requests could be
	// under way.
	AskedRate   float64 `json:"asked_rate,omitempty"`
	Concurrency int     `json:"concurrency"`
	// Seconds is how long the measurement took, to the last answer. Rate is the requests that were sent a second.
	Seconds float64 `json:"seconds"`
	Rate    float64 `json:"rate"`
	// Requests were sent and ended. Warmup ones were sent before, Abandoned ones were under way when the run was stopped.
	Requests    int64 `json:"requests"`
	Warmup      int64 `json:"warmup_requests"`
	Abandoned   int64 `json:"abandoned_requests"`
	Interrupted bool  `json:"interrupted"`
	// HeldBack requests were due while as many as may be were under way; the warm-up's are among them.
	HeldBack int64 `json:"held_back_requests"`
	// Unexpected requests got no answer, or another one than was expected.
	Unexpected int64 `json:"unexpected"`
	// Statuses counts answers by status, Kinds by Plan.Kind, Failures requests without an answer by their reason.
	Statuses map[int]int64       `json:"statuses"`
	Kinds    map[string]int64    `json:"error_types"`
	Failures map[string]*Failure `json:"failures"`
	// BytesSent and BytesReceived are of bodies.
	BytesSent     int64 `json:"bytes_sent"`
	BytesReceived int64 `json:"bytes_received"`
	// Connections that were opened, and how often an open one was used again.
	ConnectionsOpened int64 `json:"connections_opened"`
	ConnectionsReused int64 `json:"connections_reused"`
	// Latency counts from the moment that a request was due, Service from its sending, Lag is the time between. Each is nil
	// where nothing was measured: a zero would be the quickest API of all.
	Latency *Times `json:"latency_ms"`
	Service *Times `json:"service_ms"`
	Lag     *Times `json:"lag_ms"`
	// ByStatus is the latency of the answers with each status.
	ByStatus []StatusReport `json:"by_status"`
	// ByRequest is the same for each of several requests.
	ByRequest []RequestReport `json:"by_request"`
	// Course is the course of the run, in slots of equal width.
	Course []Slot `json:"course"`

	latency, service *hdrhistogram.Histogram
}

// Failure is a reason why requests had no answer.
type Failure struct {
	Count int64 `json:"count"`
	// Example is the error of the first one.
	Example string `json:"example"`
}

// Times are of many requests, in milliseconds.
type Times struct {
	Min  float64 `json:"min"`
	Mean float64 `json:"mean"`
	P50  float64 `json:"p50"`
	P90  float64 `json:"p90"`
	P95  float64 `json:"p95"`
	P99  float64 `json:"p99"`
	P999 float64 `json:"p99_9"`
	Max  float64 `json:"max"`
}

// StatusReport is the latency of the answers with one status.
type StatusReport struct {
	Status   int    `json:"status"`
	Requests int64  `json:"requests"`
	Latency  *Times `json:"latency_ms"`
}

// RequestReport is what came of one of several requests.
type RequestReport struct {
	Name       string `json:"name"`
	Requests   int64  `json:"requests"`
	Unexpected int64  `json:"unexpected"`
	Latency    *Times `json:"latency_ms"` // nil without an answer
}

// Slot is a part of the run: the requests that were due in it.
type Slot struct {
	// Second is when it begins, counted from the beginning of the measurement.
	Second     float64 `json:"second"`
	Requests   int64   `json:"requests"`
	Unexpected int64   `json:"unexpected"`
	// P50, P99 and Max are nil without an answer.
	P50 *float64 `json:"p50_ms"`
	P99 *float64 `json:"p99_ms"`
	Max *float64 `json:"max_ms"`
}

// OK reports whether there were answers, and every one was as expected.
func (r *Report) OK() bool { return r.Requests > 0 && r.Unexpected == 0 }

func (r *recorder) report(interrupted bool) *Report {
	r.mu.Lock()
	defer r.mu.Unlock()
	out := &Report{
		Model: "closed", Concurrency: r.plan.Concurrency, AskedRate: r.plan.Rate,
		Requests: r.latencyCount(), Warmup: r.warmup, Abandoned: r.abandoned, Interrupted: interrupted,
		Unexpected: r.unexpected, Statuses: map[int]int64{}, Kinds: r.kinds, Failures: r.failures,
		BytesSent: r.out, BytesReceived: r.in, ConnectionsOpened: r.opened, ConnectionsReused: r.reused,
		Latency: timesOf(r.latency), Service: timesOf(r.service), Lag: timesOf(r.lag),
		latency: r.latency, service: r.service,
	}
	if r.plan.Rate > 0 {
		out.Model = "open"
	}
	if !r.last.IsZero() {
		out.Seconds = r.last.Sub(r.from).Seconds()
		out.Rate = round(float64(out.Requests) / r.sent().Seconds())
	}
	for _, status := range slices.Sorted(maps.Keys(r.statuses)) {
		t := r.statuses[status]
		out.Statuses[status] = t.requests
		out.ByStatus = append(out.ByStatus, StatusReport{Status: status, Requests: t.requests, Latency: timesOf(t.latency)})
	}
	for i, t := range r.requests {
		out.ByRequest = append(out.ByRequest, RequestReport{
			Name: r.plan.Requests[i].Name, Requests: t.requests, Unexpected: t.unexpected, Latency: timesOf(t.latency),
		})
	}
	out.Course = r.course.report()
	return out
}

// latencyCount is the number of requests that were measured.
func (r *recorder) latencyCount() int64 {
	return r.total - r.warmup - r.abandoned
}

// sent is the time that the sending took. In the open model the last request has its own share of it: ten a second are
// ten in one second, though the last is due after nine tenths. In the closed one the last answer ends it.
func (r *recorder) sent() time.Duration {
	if r.plan.Rate > 0 {
		return r.lastSent.Sub(r.from) + time.Duration(float64(time.Second)/r.plan.Rate)
	}
	return max(r.last.Sub(r.from), time.Nanosecond)
}

func (c *course) report() []Slot {
	slots := make([]Slot, 0, len(c.slots))
	for i, s := range c.slots {
		one := Slot{Second: round((time.Duration(i) * c.width).Seconds()), Requests: s.requests, Unexpected: s.unexpected}
		if t := timesOf(s.latency); t != nil {
			one.P50, one.P99, one.Max = &t.P50, &t.P99, &t.Max
		}
		slots = append(slots, one)
	}
	return slots
}

// timesOf is nil for an empty histogram.
func timesOf(h *hdrhistogram.Histogram) *Times {
	if h.TotalCount() == 0 {
		return nil
	}
	at := func(percent float64) float64 { return milliseconds(h.ValueAtQuantile(percent)) }
	return &Times{
		Min: milliseconds(h.Min()), Mean: round(h.Mean() / 1000), Max: milliseconds(h.Max()),
		P50: at(50), P90: at(90), P95: at(95), P99: at(99), P999: at(99.9),
	}
}

func milliseconds(microseconds int64) float64 { return float64(microseconds) / 1000 }

// round keeps three decimals, which is more than any of these figures means.
func round(x float64) float64 { return math.Round(x*1000) / 1000 }
