package gateway

import (
	"net/http"
	"sort"
	"strings"
	"time"

	"golang.org/x/time/rate"
)

// Route is one method of one resource.
type Route struct {
	Method     string // "GET", or "ANY"
	Path       string // "/movie_list/{year}/{title}", "/{proxy+}"
	Function   string // what the Invoker is asked for
	NoAuth     bool   // Authorization NONE; the zero value is AWS_IAM
	ResourceID string // requestContext.resourceId
	Mock       *Mock  // a fixed answer in place of a function; nil: none

	APIKeyRequired bool
	Throttle       *Throttle     // in place of the stage's; nil: none of its own
	Validation     *Validation   // nil: nothing is validated
	Timeout        time.Duration // of the integration; 0: API Gateway's default of 29 seconds

	// Unpermitted says why API Gateway may not invoke the function, which nobody learns but who runs the gateway; empty if
	// it may.
	Unpermitted string

	// Throttled says why Lambda runs the function for nobody; empty if it does.
	Throttled string

	// Unanswered says why nothing here can answer what AWS would: an integration that is neither a function nor a mock. Empty
	// if something can.
	Unanswered string

	// CallerInvokes is the function's ARN if the method invokes it with the caller's credentials, who then needs
	// lambda:InvokeFunction on it; empty if API Gateway invokes it.
	CallerInvokes string

	name     string // "GET /movie_list"
	segments []string
	limiter  *rate.Limiter // nil: neither it nor its stage has a throttle
}

// Mock is the answer of a mock integration, such as the one that SAM makes for OPTIONS.
type Mock struct {
	Status int
	Header http.Header
}

// Throttle is a token bucket: requests a second and the most at once.
type Throttle struct {
	Rate  float64
	Burst int
}

// limiter returns the bucket, or nil where nothing is throttled.
func (t *Throttle) limiter() *rate.Limiter {
	if t == nil {
		return nil
	}
	return rate.NewLimiter(rate.Limit(t.Rate), t.Burst)
}

// methodsOfAny are the methods that ANY stands for.
const methodsOfAny = " DELETE GET HEAD OPTIONS PATCH POST PUT "

// router finds the route of a normalised path. It does it by hand: http.ServeMux redirects and decodes.
type router struct {
	routes []*Route // most specific first
}

func newRouter(routes []*Route) *router {
	sorted := make([]*Route, len(routes))
	copy(sorted, routes)
	for _, r := range sorted {
		r.name, r.segments = r.Method+" "+r.Path, segments(r.Path)
	}
	sort.SliceStable(sorted, func(i, j int) bool { return moreSpecific(sorted[i], sorted[j]) })
	return &router{routes: sorted}
}

// moreSpecific orders routes as API Gateway prefers them: a static segment before a parameter, a parameter before a
// greedy one, a named method before ANY.
func moreSpecific(a, b *Route) bool {
	for i := range min(len(a.segments), len(b.segments)) {
		if ra, rb := rank(a.segments[i]), rank(b.segments[i]); ra != rb {
			return ra < rb
		}
	}
	if len(a.segments) != len(b.segments) {
		return len(a.segments) > len(b.segments)
	}
	return a.Method != "ANY" && b.Method == "ANY"
}

func rank(segment string) int {
	switch {
	case strings.HasPrefix(segment, "{") && strings.HasSuffix(segment, "+}"):
		return 2
	case strings.HasPrefix(segment, "{") && strings.HasSuffix(segment, "}"):
		return 1
	}
	return 0
}

// match returns the route and its path parameters (not decoded), or nil. A trailing slash is ignored.
//
// The resource is chosen by the path alone and then asked for the method, as on AWS: a static resource hides a greedy
// one even for a method that only the greedy one has.
func (rt *router) match(method, path string) (*Route, map[string]string) {
	got := segments(path)
	var resource *Route
	for _, r := range rt.routes {
		if resource != nil && r.Path != resource.Path {
			continue
		}
		params, ok := r.params(got)
		if !ok {
			continue
		}
		resource = r
		if r.Method == method || r.Method == "ANY" && strings.Contains(methodsOfAny, " "+method+" ") {
			return r, params
		}
	}
	return nil, nil
}

// params matches the path's segments against the route's.
func (r *Route) params(got []string) (map[string]string, bool) {
	var params map[string]string
	set := func(name, value string) {
		if params == nil {
			params = make(map[string]string, 2)
		}
		params[name] = value
	}
	for i, want := range r.segments {
		if i >= len(got) {
			return nil, false
		}
		switch rank(want) {
		case 2:
			set(want[1:len(want)-2], strings.Join(got[i:], "/"))
			return params, true
		case 1:
			set(want[1:len(want)-1], got[i])
		default:
			if want != got[i] {
				return nil, false
			}
		}
	}
	return params, len(got) == len(r.segments)
}

// segments splits a path; the root has none, and a trailing slash adds none.
func segments(path string) []string {
	path = strings.TrimSuffix(strings.TrimPrefix(path, "/"), "/")
	if path == "" {
		return nil
	}
	return strings.Split(path, "/")
}
