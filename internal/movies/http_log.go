package movies

import (
	"log/slog"
	"net/http"
	"time"
)

// MetricsNamespace is where CloudWatch puts the metrics of the request lines.
const MetricsNamespace = "Marquee/Movies"

// metric and directive are the part of the embedded metric format that says which members of a line are metrics (Amazon
// CloudWatch User Guide, "Specification: Embedded metric format").
type metric struct {
	Name string
	Unit string
}

type directive struct {
	Namespace  string
	Dimensions [][]string
	Metrics    []metric
}

var directives = []directive{{
	Namespace:  MetricsNamespace,
	Dimensions: [][]string{{}, {"route", "method"}},
	Metrics: []metric{
		{"duration_ms", "Milliseconds"}, {"read_units", "Count"}, {"write_units", "Count"}, {"items_read", "Count"},
		{"throttles", "Count"}, {"client_errors", "Count"}, {"server_errors", "Count"},
	},
}}

var listDirectives = []directive{directives[0], {
	Namespace: MetricsNamespace, Dimensions: [][]string{{}}, Metrics: []metric{{"page_items", "Count"}},
}}

// record writes the request's log line, which CloudWatch reads its metrics from. It holds no header, no query string and
// no path.
func (h *Handler) record(r *http.Request, a answer, from Origin, used Usage, started time.Time) {
	if h.Log == nil {
		return
	}
	ended := h.now()
	level := slog.LevelInfo
	if a.status >= http.StatusInternalServerError {
		level = slog.LevelError
	}
	if !h.Log.Enabled(r.Context(), level) {
		return
	}
	metrics := directives
	if a.items >= 0 {
		metrics = listDirectives
	}
	attrs := []slog.Attr{
		slog.String("request_id", from.RequestID), slog.String("invocation_id", from.InvocationID),
		slog.String("caller", from.CallerARN), slog.String("trace_id", from.TraceID),
		slog.String("method", r.Method), slog.String("route", a.pattern), slog.Int("status", a.status),
		slog.Float64("duration_ms", float64(ended.Sub(started).Microseconds())/1000),
		slog.Float64("read_units", used.ReadUnits), slog.Float64("write_units", used.WriteUnits),
		slog.Int("calls", used.Calls), slog.Int("items_read", used.Items), slog.Int("throttles", used.Throttles),
		slog.Int("client_errors", one(a.status/100 == 4)), slog.Int("server_errors", one(a.status/100 == 5)),
	}
	if a.items >= 0 {
		attrs = append(attrs, slog.Int("page_items", a.items))
	}
	if a.err != nil {
		attrs = append(attrs, slog.String("code", string(CodeOf(a.err))))
	}
	if level == slog.LevelError {
		attrs = append(attrs, slog.String("error", a.err.Error()))
	}
	attrs = append(attrs, slog.Group("_aws", slog.Int64("Timestamp", ended.UnixMilli()), slog.Any("CloudWatchMetrics", metrics)))
	h.Log.LogAttrs(r.Context(), level, "request", attrs...)
}

func one(is bool) int {
	if is {
		return 1
	}
	return 0
}
