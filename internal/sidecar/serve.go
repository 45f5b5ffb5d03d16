package sidecar

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"time"

	"golang.org/x/sync/errgroup"
)

// maxHeader is generous: API Gateway takes 10,240 bytes of headers and says so itself.
const maxHeader = 64 << 10

// Run is what [Proxy.Serve] needs besides the proxy.
type Run struct {
	// Door is where clients come in. Serve closes it.
	Door net.Listener
	// Admin is where [Proxy.Admin] answers; nil is nowhere. Serve closes it.
	Admin net.Listener
	// DrainDelay is how long new requests are still answered after the end was asked for and readiness has gone down: what
	// sends requests here has to find that out first.
	DrainDelay time.Duration
	// DrainTimeout bounds how long requests under way may then take. 0 is no time at all.
	DrainTimeout time.Duration
	// Hurry is closed when both are over at once; nil is never.
	Hurry <-chan struct{}
}

// ErrCut says that requests were still under way when the time to drain was over.
var ErrCut = errors.New("requests were cut off")

// errHurry is why the time to drain was over before its end.
var errHurry = errors.New("told to end at once")

// Serve answers until the context ends, and then stops in order: readiness goes down, the door stays open for DrainDelay,
// it closes, what is under way ends, the admin listener closes last. It returns nil after such an end, [ErrCut] if
// something did not end in time.
func (p *Proxy) Serve(ctx context.Context, run Run) error {
	work, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	door, admin := p.server(p), p.server(p.Admin())
	door.ReadHeaderTimeout, door.IdleTimeout = p.timeouts.ReadHeader, p.timeouts.Idle
	attend(door)
	admin.IdleTimeout = p.timeouts.Idle
	failed := make(chan error, 2)
	var all errgroup.Group
	serve := func(name string, s *http.Server, l net.Listener) {
		all.Go(func() error {
			if err := s.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				failed <- fmt.Errorf("%s listener: %w", name, err)
			}
			return nil
		})
	}
	all.Go(func() error { p.keeper.run(work); return nil })
	serve("main", door, p.newDoor(run.Door))
	if run.Admin != nil {
		serve("admin", admin, run.Admin)
	}
	var err error
	select {
	case <-ctx.Done():
		err = p.drain(work, run, door)
	case err = <-failed:
		door.Close()
	}
	admin.Close()
	stop()
	all.Wait() //nolint:errcheck // they return none
	p.transport.CloseIdleConnections()
	return err
}

func (p *Proxy) server(h http.Handler) *http.Server {
	protocols := new(http.Protocols)
	protocols.SetHTTP1(true)
	protocols.SetHTTP2(true)
	protocols.SetUnencryptedHTTP2(true)
	return &http.Server{
		DisableGeneralOptionsHandler: true, // "OPTIONS *" would get an empty 200 that nobody has said
		Handler:                      h, Protocols: protocols, MaxHeaderBytes: maxHeader, ReadHeaderTimeout: 10 * time.Second,
		ErrorLog: slog.NewLogLogger(p.log.Handler(), slog.LevelWarn),
	}
}

// cutOn ends a context when there is a hurry, and itself with the context.
func cutOn(ctx context.Context, hurry <-chan struct{}, cut context.CancelCauseFunc) {
	select {
	case <-hurry:
		cut(errHurry)
	case <-ctx.Done():
	}
}

func (p *Proxy) drain(ctx context.Context, run Run, door *http.Server) error {
	p.draining.Store(true)
	p.log.Info("stopping: not ready any more", "delay", run.DrainDelay.String(), "timeout", run.DrainTimeout.String())
	ctx, cut := context.WithCancelCause(ctx)
	defer cut(nil)
	go cutOn(ctx, run.Hurry, cut)
	if run.DrainDelay > 0 {
		timer := time.NewTimer(run.DrainDelay)
		defer timer.Stop()
		select {
		case <-timer.C:
		case <-ctx.Done():
		}
	}
	ctx, cancel := context.WithTimeout(ctx, run.DrainTimeout)
	defer cancel()
	if err := door.Shutdown(ctx); err != nil {
		door.Close()
		if errors.Is(context.Cause(ctx), errHurry) {
			return fmt.Errorf("%w: %w", ErrCut, errHurry)
		}
		return fmt.Errorf("%w at the end of the drain timeout (%s)", ErrCut, run.DrainTimeout)
	}
	return nil
}
