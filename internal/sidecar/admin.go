package sidecar

import (
	"context"
	"io"
	"net/http"
	"time"
)

// readyTimeout bounds how long /-/ready looks for credentials: probes wait a second or a few.
const readyTimeout = 2 * time.Second

// Admin answers for the proxy itself: /-/healthy, /-/ready and /-/metrics. It signs nothing.
func (p *Proxy) Admin() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /-/healthy", func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "healthy\n") })
	mux.HandleFunc("GET /-/ready", func(w http.ResponseWriter, r *http.Request) {
		if refusal := p.Ready(r.Context()); refusal != nil {
			refusal.write(w)
			return
		}
		io.WriteString(w, "ready\n")
	})
	mux.Handle("GET /-/metrics", p.metrics.handler())
	return mux
}

// Ready returns nil if requests can be signed, or why they cannot: the proxy is about to stop, or has no credentials that
// are valid now. The API itself is not asked, because a proxy that is taken out of service helps no API.
func (p *Proxy) Ready(ctx context.Context) *Refusal {
	if p.draining.Load() {
		return notDraining.because("the proxy is stopping: send new requests elsewhere")
	}
	ctx, cancel := context.WithTimeout(ctx, readyTimeout)
	defer cancel()
	if err := p.keeper.check(ctx); err != nil {
		return notReady.because("no valid %v; give the task a role, or --profile, or the variables AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY", err)
	}
	return nil
}
