package movies

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"maps"
	"net/http"
	"net/url"
	"runtime/debug"
	"slices"
	"strings"
	"time"
)

// DefaultTimeout is how long a request may take: well below the three seconds that Lambda gives a function by default,
// so that the caller gets this API's own error.
const DefaultTimeout = 2500 * time.Millisecond

// hostMargin is kept of the host's deadline for writing the answer and the log line.
const hostMargin = 250 * time.Millisecond

// Store is where the movies come from. Its errors are of this package's Error type.
type Store interface {
	// List returns one page. It returns CodeInvalidParameter for a cursor that the store did not make for this query,
	// CodeUnavailable when the store cannot be read.
	List(ctx context.Context, q Query) (Page, error)
	// Get returns one movie. It returns CodeNotFound if there is none, CodeUnavailable when the store cannot be read.
	Get(ctx context.Context, key Key) (Movie, error)
}

// Origin is what the host of the handler knows of a request beyond HTTP; each field may be empty.
type Origin struct {
	// RequestID is API Gateway's: its caller sees it as x-amzn-RequestId.
	RequestID string
	// InvocationID is Lambda's: the lines that Lambda itself logs carry it.
	InvocationID string
}

// Handler serves the movie API. It is safe for concurrent use; set its fields before the first request.
type Handler struct {
	// Store is required.
	Store Store
	// Tokens makes and reads page tokens.
	Tokens Tokens
	// Log gets one line for each request; nil means no log.
	Log *slog.Logger
	// Timeout bounds each request; 0 means DefaultTimeout. A deadline of the host, in the request's context, wins if it is
	// sooner, less a margin to answer in.
	Timeout time.Duration
	// Origin tells where a request comes from; nil means that nothing is known.
	Origin func(context.Context) Origin
	// Now is the clock for the durations in the log; nil means time.Now.
	Now func() time.Time
}

// statuses is the one place where an error becomes an HTTP status.
var statuses = map[Code]int{
	CodeInvalidParameter: http.StatusBadRequest,
	CodeInvalidPath:      http.StatusBadRequest,
	CodeInvalidMovie:     http.StatusUnprocessableEntity,
	CodeNotFound:         http.StatusNotFound,
	CodeUnknownPath:      http.StatusNotFound,
	CodeMethodNotAllowed: http.StatusMethodNotAllowed,
	CodeUnavailable:      http.StatusServiceUnavailable,
	CodeInternal:         http.StatusInternalServerError,
}

// operation answers one method of one route; params are the still encoded segments of the path's parameters.
type operation func(h *Handler, r *http.Request, params []string) (body any, err error)

type route struct {
	pattern string
	methods map[string]operation
}

var routes = []route{
	{"/movie_list", map[string]operation{http.MethodGet: (*Handler).list}},
	{"/movie_list/{year}/{title}", map[string]operation{http.MethodGet: (*Handler).get}},
}

// answer is what a request comes to, before it is written: nothing is sent until all of it is known.
type answer struct {
	pattern string // the route's, for the log: paths hold what callers type
	status  int
	allow   []string
	body    any
	err     error
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
	a := answer{status: http.StatusOK}
	a.err = guard(func() error { return do(r.WithContext(ctx), &a) })
	text, err := encode(&a)
	if err != nil {
		a.err = fmt.Errorf("encode the answer: %w", err)
		text, _ = encode(&a)
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	if len(a.allow) > 0 {
		w.Header().Set("Allow", strings.Join(a.allow, ", "))
	}
	w.WriteHeader(a.status)
	// net/http's server would drop the body of a HEAD itself, the adapter for Lambda would send it.
	if r.Method != http.MethodHead {
		_, _ = w.Write(text) // a caller that hung up is nothing to report
	}
	h.record(r, a, h.now().Sub(started))
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

// encode sets the status of a failed answer and returns the body of any.
func encode(a *answer) ([]byte, error) {
	body := a.body
	if a.err != nil {
		type problem struct {
			Code    Code   `json:"code"`
			Message string `json:"message"`
		}
		body = map[string]problem{"error": {CodeOf(a.err), MessageOf(a.err)}}
		a.status = statuses[CodeOf(a.err)]
		if a.status == 0 {
			a.status = http.StatusInternalServerError
		}
	}
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false) // titles have ampersands, and this is no page
	err := enc.Encode(body)
	return buf.Bytes(), err
}

// record writes the request's log line. It holds no header, no query string and no path.
func (h *Handler) record(r *http.Request, a answer, took time.Duration) {
	if h.Log == nil {
		return
	}
	var from Origin
	if h.Origin != nil {
		from = h.Origin(r.Context())
	}
	attrs := []slog.Attr{
		slog.String("request_id", from.RequestID), slog.String("invocation_id", from.InvocationID),
		slog.String("method", r.Method), slog.String("route", a.pattern), slog.Int("status", a.status),
		slog.Float64("duration_ms", float64(took.Microseconds())/1000),
	}
	level := slog.LevelInfo
	if a.err != nil {
		attrs = append(attrs, slog.String("code", string(CodeOf(a.err))))
	}
	if a.status >= http.StatusInternalServerError {
		level = slog.LevelError
		attrs = append(attrs, slog.String("error", a.err.Error()))
	}
	h.Log.LogAttrs(r.Context(), level, "request", attrs...)
}

// dispatch finds the route by hand, on the path as it was sent: http.ServeMux answers paths such as // with a redirect.
func (h *Handler) dispatch(r *http.Request, a *answer) error {
	path := r.URL.EscapedPath()
	for _, rt := range routes {
		params, ok := match(rt.pattern, path)
		if !ok {
			continue
		}
		a.pattern = rt.pattern
		do, ok := rt.methods[r.Method]
		if r.Method == http.MethodHead {
			do, ok = rt.methods[http.MethodGet]
		}
		if !ok {
			a.allow = allowed(rt)
			return &Error{Code: CodeMethodNotAllowed, Message: fmt.Sprintf("%s allows %s", rt.pattern, strings.Join(a.allow, ", "))}
		}
		var err error
		a.body, err = do(h, r, params)
		return err
	}
	return &Error{Code: CodeUnknownPath, Message: "nothing is served at " + quote(path)}
}

// match compares segment by segment and returns those that stand for {name}. One slash at the end is ignored, as API
// Gateway ignores it when it routes.
func match(pattern, path string) ([]string, bool) {
	want, got := strings.Split(pattern, "/"), strings.Split(strings.TrimSuffix(path, "/"), "/")
	if len(want) != len(got) {
		return nil, false
	}
	var params []string
	for i, segment := range got {
		switch {
		case strings.HasPrefix(want[i], "{"):
			if segment == "" {
				return nil, false
			}
			params = append(params, segment)
		case segment != want[i]:
			return nil, false
		}
	}
	return params, true
}

func allowed(rt route) []string {
	methods := slices.Collect(maps.Keys(rt.methods))
	if _, ok := rt.methods[http.MethodGet]; ok {
		methods = append(methods, http.MethodHead)
	}
	slices.Sort(methods)
	return methods
}

func (h *Handler) list(r *http.Request, _ []string) (any, error) {
	values, err := parameters(r)
	if err != nil {
		return nil, err
	}
	q, err := ParseQuery(values, h.Tokens)
	if err != nil {
		return nil, err
	}
	page, err := h.Store.List(r.Context(), q)
	if err != nil {
		return nil, err
	}
	type list struct {
		Items     []Movie
		Count     int
		NextToken string `json:",omitempty"`
	}
	// An empty list is [], never null.
	return list{append([]Movie{}, page.Movies...), len(page.Movies), h.Tokens.Seal(q, page.Next)}, nil
}

func (h *Handler) get(r *http.Request, params []string) (any, error) {
	values, err := parameters(r)
	if err != nil {
		return nil, err
	}
	if err := only(values); err != nil {
		return nil, err
	}
	year, err := parseNumber("year", params[0], MinYear, MaxYear)
	if err != nil {
		return nil, err
	}
	// Decoded once, here: a plus sign is a plus sign in a path, and %252F is the title "%2F".
	title, err := url.PathUnescape(params[1])
	if err != nil {
		return nil, &Error{Code: CodeInvalidParameter, Message: "title is not valid percent-encoding", Err: err}
	}
	key := Key{Year: year, Title: title}
	if err := key.Validate(); err != nil {
		return nil, err
	}
	return h.Store.Get(r.Context(), key)
}

func parameters(r *http.Request) (url.Values, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, &Error{Code: CodeInvalidParameter, Message: "the query string is not valid percent-encoding", Err: err}
	}
	return values, nil
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
