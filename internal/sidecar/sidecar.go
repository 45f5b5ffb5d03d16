package sidecar

import (
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync/atomic"
	"time"

	"github.com/marquee-api/marquee/apiclient"
)

// Config is what a [Proxy] is made of. Endpoint and Credentials are required; the zero value of the rest is a good
// default, but for Timeouts, whose zero values mean no limit: see [DefaultTimeouts].
type Config struct {
	// Endpoint is the API. It is the only one that is called.
	Endpoint *apiclient.Endpoint
	// Credentials is where credentials come from.
	Credentials Source
	// Upstream is how the API is reached.
	Upstream Upstream
	// Timeouts bound what may take time.
	Timeouts Timeouts
	// Retries is how often a request is sent again after what passes: any method where nothing can have run, the idempotent
	// ones after 5xx and lost connections, as [apiclient.Retry] says. 0 is never: whoever calls the proxy has retries of its
	// own, and two layers of them multiply. What the gateway refused for a wrong clock or an ended token is repeated once
	// each whatever stands here.
	Retries int
	// Hosts are the names beside loopback's and the API's that clients may send as Host. "*" allows all.
	Hosts []string
	// Origins are the web origins whose pages may send more than safe requests.
	Origins []string
	// Strip are request headers that are left out, Add those that replace what the client sent under their names, and
	// AddFiles the same with values that are read again when they change.
	Strip    []string
	Add      http.Header
	AddFiles []HeaderFile
	// KeepForwarded passes the client's Forwarded and X-Forwarded-* on.
	KeepForwarded bool
	// Log takes what happens, and with AccessLog a line for each request, without query and without header values. nil
	// logs nothing.
	Log       *slog.Logger
	AccessLog bool
	// SpoolDir holds what does not fit into memory of request bodies. Empty is the system's directory for such files.
	SpoolDir string
	// SpoolMemory bounds what the bodies of all requests hold in memory beyond 32 KiB each. 0 means 16 MiB.
	SpoolMemory int64
	// Now replaces the machine's clock. nil is time.Now.
	Now func() time.Time
}

// Upstream is how the API is reached.
type Upstream struct {
	// Roots are the certificate authorities to trust. nil is the system's.
	Roots *x509.CertPool
	// Proxy chooses an HTTP proxy on the way to an API by https. nil is none.
	Proxy func(*http.Request) (*url.URL, error)
	// IdleConnections is how many are kept open for the next requests, and as many more for those with bodies of more than
	// 16 KiB. 0 means 128.
	IdleConnections int
	// HTTP1 never speaks HTTP/2.
	HTTP1 bool
}

// Timeouts bound what may take time. 0 is no limit.
type Timeouts struct {
	ReadHeader     time.Duration // for a client's request header
	Body           time.Duration // for a client's request body
	Idle           time.Duration // for a client's connection between requests
	Dial           time.Duration // for a connection to the API, TLS included
	ResponseHeader time.Duration // for the API to begin its answer
	Request        time.Duration // for a request as a whole, the answer's body included
}

// DefaultTimeouts suit an API whose integrations answer within API Gateway's own 29 seconds. A request as a whole has no
// limit: an answer may stream.
func DefaultTimeouts() Timeouts {
	return Timeouts{ReadHeader: 10 * time.Second, Body: time.Minute, Idle: 2 * time.Minute, Dial: 5 * time.Second, ResponseHeader: 35 * time.Second}
}

// Proxy signs what it is sent and passes it to one API. It is an [http.Handler], safe for concurrent use.
type Proxy struct {
	endpoint  *apiclient.Endpoint
	origin    *url.URL
	basePath  string
	transport *apiclient.Transport
	keeper    *keeper
	spooler   *spooler
	spoolDir  string
	hosts     hostRule
	origins   *http.CrossOriginProtection
	headers   headerRule
	timeouts  Timeouts
	metrics   *metrics
	log       *slog.Logger
	accessLog bool
	now       func() time.Time
	draining  atomic.Bool
}

var _ http.Handler = (*Proxy)(nil)

// New returns a proxy. It calls nobody yet.
func New(cfg Config) (*Proxy, error) {
	if cfg.Endpoint == nil || cfg.Credentials == nil {
		return nil, errors.New("sidecar: config lacks Endpoint or Credentials")
	}
	if cfg.Log == nil {
		cfg.Log = slog.New(slog.DiscardHandler)
	}
	if cfg.Now == nil {
		cfg.Now = time.Now
	}
	if cfg.SpoolMemory <= 0 {
		cfg.SpoolMemory = defaultSpoolMemory
	}
	origin, err := url.Parse(cfg.Endpoint.URL())
	if err != nil {
		return nil, fmt.Errorf("sidecar: %w", err)
	}
	p := &Proxy{
		endpoint: cfg.Endpoint, origin: origin, basePath: strings.TrimRight(origin.EscapedPath(), "/"),
		spoolDir: cfg.SpoolDir, timeouts: cfg.Timeouts, log: cfg.Log, accessLog: cfg.AccessLog, now: cfg.Now,
	}
	if p.hosts, err = newHostRule(append([]string{cfg.Endpoint.Host(), cfg.Endpoint.DialAddress()}, cfg.Hosts...)); err != nil {
		return nil, err
	}
	p.keeper = newKeeper(cfg.Credentials, cfg.Now, cfg.Log)
	p.metrics = newMetrics(p.keeper)
	p.keeper.renewed = p.metrics.renewed
	p.spooler = &spooler{dir: cfg.SpoolDir, files: p.metrics.spoolFiles.Inc}
	p.spooler.budget.Store(cfg.SpoolMemory)
	if p.headers, err = newHeaderRule(cfg); err != nil {
		return nil, err
	}
	p.origins = http.NewCrossOriginProtection()
	for _, origin := range cfg.Origins {
		if err := p.origins.AddTrustedOrigin(origin); err != nil {
			return nil, fmt.Errorf("origin to allow: %w", err)
		}
	}
	p.transport, err = apiclient.NewTransport(apiclient.Config{
		Endpoint:    cfg.Endpoint,
		Credentials: p.keeper,
		Base:        counting{newBase(cfg.Upstream, cfg.Timeouts)},
		Retry:       apiclient.Retry{MaxAttempts: 1 + max(0, cfg.Retries)},
		Clock:       apiclient.Clock{Now: cfg.Now, OnCorrection: p.corrected},
	})
	return p, err
}

// corrected is told that the machine's clock is wrong.
func (p *Proxy) corrected(c apiclient.ClockCorrection) {
	p.metrics.clockOffset.Set(c.Offset.Seconds())
	p.log.Warn("this machine's clock is wrong: requests are signed with the gateway's time", "offset", c.Offset.Round(time.Second).String())
}

// CheckSpool reports whether bodies can be put into files. A proxy that only ever sees small ones runs without.
func (p *Proxy) CheckSpool() error {
	s := &spool{owner: p.spooler}
	s.users.Store(1)
	defer s.release()
	return s.write([]byte{0})
}
