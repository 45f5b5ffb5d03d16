package sidecar

import (
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// latencies are buckets in seconds, from what a function that is warm takes to API Gateway's own 29 seconds.
var latencies = []float64{.001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10, 29}

// metrics are what /-/metrics shows. Names and labels are for people's dashboards: they stay.
type metrics struct {
	registry    *prometheus.Registry
	requests    *prometheus.CounterVec
	refusals    *prometheus.CounterVec
	broken      prometheus.Counter
	attempts    prometheus.Counter
	inFlight    prometheus.Gauge
	duration    prometheus.Histogram
	firstByte   prometheus.Histogram
	bytesIn     prometheus.Counter
	bytesOut    prometheus.Counter
	spoolFiles  prometheus.Counter
	renewals    *prometheus.CounterVec
	clockOffset prometheus.Gauge
}

func newMetrics(k *keeper) *metrics {
	m := &metrics{
		registry:    prometheus.NewRegistry(),
		requests:    counterVec("requests_total", "Requests by method and status; 499 is a client that went away.", "method", "status"),
		refusals:    counterVec("refusals_total", "Answers that the proxy gave in the API's place, by code.", "code"),
		broken:      counter("answers_broken_total", "Answers of the API that did not come to their end."),
		attempts:    counter("attempts_total", "Requests sent to the API, those that were sent again included."),
		inFlight:    gauge("requests_in_flight", "Requests that are being answered."),
		duration:    histogram("request_duration_seconds", "From a request's header to its answer's end."),
		firstByte:   histogram("api_response_seconds", "From a request's header to the beginning of the API's answer."),
		bytesIn:     counter("request_body_bytes_total", "Bytes of request bodies."),
		bytesOut:    counter("response_body_bytes_total", "Bytes of answers' bodies."),
		spoolFiles:  counter("spool_files_total", "Request bodies that were put into a file."),
		renewals:    counterVec("credential_renewals_total", "Times that credentials were asked for, by outcome.", "outcome"),
		clockOffset: gauge("clock_offset_seconds", "What is added to this machine's clock, as the gateway's answers demand."),
	}
	expires := prometheus.NewGaugeFunc(prometheus.GaugeOpts{
		Namespace: namespace, Name: "credentials_expire_timestamp_seconds", Help: "When the credentials end; 0 is never, or none.",
	}, k.expires)
	m.registry.MustRegister(m.requests, m.refusals, m.broken, m.attempts, m.inFlight, m.duration, m.firstByte, m.bytesIn,
		m.bytesOut, m.spoolFiles, m.renewals, m.clockOffset, expires,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}))
	return m
}

const namespace = "marquee_proxy"

func counter(name, help string) prometheus.Counter {
	return prometheus.NewCounter(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help})
}

func counterVec(name, help string, labels ...string) *prometheus.CounterVec {
	return prometheus.NewCounterVec(prometheus.CounterOpts{Namespace: namespace, Name: name, Help: help}, labels)
}

func gauge(name, help string) prometheus.Gauge {
	return prometheus.NewGauge(prometheus.GaugeOpts{Namespace: namespace, Name: name, Help: help})
}

func histogram(name, help string) prometheus.Histogram {
	return prometheus.NewHistogram(prometheus.HistogramOpts{Namespace: namespace, Name: name, Help: help, Buckets: latencies})
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{})
}

// renewed counts an attempt at new credentials.
func (m *metrics) renewed(err error) {
	outcome := "ok"
	if err != nil {
		outcome = "failed"
	}
	m.renewals.WithLabelValues(outcome).Inc()
}

// record counts an exchange that is over.
func (m *metrics) record(x *exchange, took time.Duration) {
	m.inFlight.Dec()
	m.requests.WithLabelValues(methodLabel(x.r.Method), strconv.Itoa(x.status)).Inc()
	m.duration.Observe(took.Seconds())
	m.attempts.Add(float64(x.sending.attempts))
	m.bytesIn.Add(float64(x.bytesIn))
	m.bytesOut.Add(float64(x.bytesOut))
	if !x.answered.IsZero() {
		m.firstByte.Observe(x.answered.Sub(x.started).Seconds())
	}
	if x.refusal != nil {
		m.refusals.WithLabelValues(x.refusal.Code).Inc()
	}
	if x.broken != nil && x.status != statusClientGone {
		m.broken.Inc()
	}
}

// unreadable counts what was no request.
func (m *metrics) unreadable(r *Refusal) {
	m.requests.WithLabelValues(methodLabel(""), strconv.Itoa(r.Status)).Inc()
	m.refusals.WithLabelValues(r.Code).Inc()
}

// methodLabel keeps the number of label values bounded: clients may make methods up.
func methodLabel(method string) string {
	switch method {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return method
	default:
		return "other"
	}
}
