package sidecar

import (
	"log/slog"
	"net/http"
	"strings"
)

// finish counts and logs an exchange, also when its answer was broken off.
func (x *exchange) finish() {
	took := x.p.now().Sub(x.started)
	x.p.metrics.record(x, took)
	if !x.p.accessLog {
		return
	}
	// Headers may hold what nobody should read in a log: none is here.
	fields := make([]slog.Attr, 0, 14)
	fields = append(fields,
		slog.String("method", x.r.Method), slog.String("path", loggedPath(x.r)), slog.String("proto", x.r.Proto),
		slog.String("remote", x.r.RemoteAddr), slog.Int("status", x.status),
		slog.Int64("bytes_in", x.bytesIn), slog.Int64("bytes_out", x.bytesOut),
		slog.Int64("duration_us", took.Microseconds()), slog.Int("attempts", x.sending.attempts))
	if !x.answered.IsZero() {
		fields = append(fields, slog.Int64("api_us", x.answered.Sub(x.started).Microseconds()))
	}
	if x.requests != "" {
		fields = append(fields, slog.String("request_id", x.requests))
	}
	level := slog.LevelInfo
	if x.refusal != nil {
		level = slog.LevelWarn
		fields = append(fields, slog.String("code", x.refusal.Code), slog.String("error", x.refusal.Message))
	}
	if x.broken != nil {
		fields = append(fields, slog.String("broken", x.broken.Error()))
	}
	x.p.log.LogAttrs(x.r.Context(), level, "request", fields...)
}

// loggedPath is what a log may hold of the target: no query, and no user of a whole URL.
func loggedPath(r *http.Request) string {
	path, _, _ := strings.Cut(r.RequestURI, "?")
	switch {
	case strings.HasPrefix(path, "/"):
		return path
	case r.URL.Opaque != "": // mailto:name, and name:password@host likewise
		return r.URL.Scheme + ":…"
	default:
		return r.URL.EscapedPath()
	}
}
