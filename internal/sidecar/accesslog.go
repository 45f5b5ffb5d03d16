package sidecar

import (
	"log/slog"
	"strings"
)

// finish counts and logs an exchange, also when its answer was broken off.
func (x *exchange) finish() {
	took := x.p.now().Sub(x.started)
	x.p.metrics.record(x, took)
	if !x.p.accessLog {
		return
	}
	// A query may hold what nobody should read in a log, and so may headers: neither is here.
	path, _, _ := strings.Cut(x.r.RequestURI, "?")
	fields := make([]slog.Attr, 0, 14)
	fields = append(fields,
		slog.String("method", x.r.Method), slog.String("path", path), slog.String("proto", x.r.Proto),
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
