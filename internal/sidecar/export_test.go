package sidecar

import (
	"context"
	"net/http"

	"github.com/marquee-api/marquee/apiclient"
)

// NewWithBase is New with another way to the API, for tests without a network.
func NewWithBase(cfg Config, base http.RoundTripper) (*Proxy, error) {
	p, err := New(cfg)
	if err != nil {
		return nil, err
	}
	p.transport, err = apiclient.NewTransport(apiclient.Config{
		Endpoint: cfg.Endpoint, Credentials: p.keeper, Base: base, Retry: apiclient.Retry{MaxAttempts: 1},
	})
	return p, err
}

// KeepCredentials is what Serve runs beside the listeners.
func (p *Proxy) KeepCredentials(ctx context.Context) { p.keeper.run(ctx) }
