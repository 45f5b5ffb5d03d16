package movies

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"runtime/debug"
	"strings"
	"time"
)

// DefaultTimeout is how long a request may take: well below the three seconds that Lambda gives a function by default,
// so that the caller gets this API's own error.
const DefaultTimeout = 2500 * time.Millisecond

// hostMargin is kept of the host's deadline for writing the answer and the log line.
const hostMargin = 250 * time.Millisecond

// Store is where the movies come from. Its errors are of this package's Error type; all methods may return
// CodeThrottled, CodeUnavailable and CodeTimeout.
type Store interface {
	// List returns one page. It returns CodeInvalidParameter for a query that Plan refuses and for a cursor that the store
	// did not make for this query.
	List(ctx context.Context, q Query) (Page, error)
	// Get returns one movie. It returns CodeNotFound if there is none.
	Get(ctx context.Context, key Key) (Movie, error)
}

// Writer changes the movies of a Store. Its errors are as those of a Store; CodeInvalidMovie, CodePreconditionFailed,
// CodePreconditionRequired and CodeIdempotencyKeyReused come in addition.
type Writer interface {
	// Put makes or replaces a movie.
	Put(ctx context.Context, m Movie, c Condition, r Request) (Outcome, error)
	// Delete removes one. It returns CodeNotFound if there is none.
	Delete(ctx context.Context, key Key, c Condition, r Request) (Outcome, error)
}

// Origin is what the host of the handler knows of a request beyond HTTP; each field may be empty.
type Origin struct {
	// RequestID is API Gateway's: its caller sees it as x-amzn-RequestId.
	RequestID string
	// InvocationID is Lambda's: the lines that Lambda itself logs carry it.
	InvocationID string
	// CallerARN is who signed the request.
	CallerARN string
	// TraceID is X-Ray's.
	TraceID string
}

// Handler serves the movie API. It is safe for concurrent use; set its fields before the first request.
type Handler struct {
	// Store is required.
	Store Store
	// Writer writes movies; nil means that the API is read only.
	Writer Writer
	// Tokens makes and reads page tokens.
	Tokens Tokens
	// Log gets one line for each request, which also holds its metrics; nil means no log.
	Log *slog.Logger
	// Timeout bounds each request; 0 means DefaultTimeout. A deadline of the host, in the request's context, wins if it is
	// sooner, less a margin to answer in.
	Timeout time.Duration
	// Origin tells where a request comes from; nil means that nothing is known.
	Origin func(context.Context) Origin
	// Now is the clock for the durations in the log; nil means time.Now.
	Now func() time.Time
}

// answer is what a request comes to, before it is written: nothing is sent until all of it is known.
type answer struct {
	pattern string // the route's, for the log: paths hold what callers type
	status  int
	header  http.Header
	// text is the body; nil is none.
	text []byte
	// items is how many movies a list has, -1 if it is none.
	items int
	err   error
}

// ServeHTTP answers one request. It never redirects, and a panic in the store becomes a 500.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	h.serve(w, r, h.dispatch)
}

// Refuse returns a handler that answers every request with err, in the form and with the log line of this API: for a
// host that got a request which cannot be put into an http.Request.
func (h *Handler) Refuse(err error) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		h.serve(w, r, func(*http.Request, *answer) error { return err })
	})
}

func (h *Handler) serve(w http.ResponseWriter, r *http.Request, do func(*http.Request, *answer) error) {
	started := h.now()
	ctx, cancel := h.bounded(r.Context())
	defer cancel()
	ctx, usage := WithUsage(ctx)
	var from Origin
	if h.Origin != nil {
		from = h.Origin(ctx)
	}
	a := answer{status: http.StatusOK, header: w.Header(), items: -1}
	a.header.Set("Cache-Control", "private, no-cache")
	a.err = guard(func() error { return do(r.WithContext(ctx), &a) })
	if a.err != nil {
		a.fail(from)
	}
	if a.text != nil {
		a.header.Set("Content-Type", "application/json")
	}
	a.header.Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(a.status)
	// net/http's server would drop the body of a HEAD itself, the adapter for Lambda would send it.
	if r.Method != http.MethodHead && a.text != nil {
		_, _ = w.Write(a.text) // a caller that hung up is nothing to report
	}
	h.record(r, a, from, usage(), started)
}

// guard turns a panic into an error: the process serves the next request.
func guard(do func() error) (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	return do()
}

// bounded gives a request its deadline: the handler's own or a little before the host's, whichever is sooner.
func (h *Handler) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	timeout := h.Timeout
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	release := func() {}
	if host, ok := ctx.Deadline(); ok {
		ctx, release = context.WithDeadline(ctx, host.Add(-hostMargin))
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	return ctx, func() { cancel(); release() }
}

func (h *Handler) now() time.Time {
	if h.Now == nil {
		return time.Now()
	}
	return h.Now()
}

// callerOf is who a request belongs to, without the name of a session: another process of the same role may send a
// request again.
func callerOf(arn string) string {
	if kind, name, ok := strings.Cut(arn, ":assumed-role/"); ok {
		role, _, _ := strings.Cut(name, "/")
		return kind + ":assumed-role/" + role
	}
	return arn
}
