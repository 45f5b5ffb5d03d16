package movies

import (
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
)

// operation answers one method of one route; params are the still encoded segments of the path's parameters.
type operation func(h *Handler, r *http.Request, params []string, a *answer) error

type route struct {
	pattern string
	methods map[string]operation
	// writes are the methods that a Handler without a Writer does not have.
	writes map[string]operation
}

var routes = []route{
	{"/movie_list", map[string]operation{http.MethodGet: (*Handler).list}, nil},
	{"/movie_list/{year}/{title}", map[string]operation{http.MethodGet: (*Handler).get},
		map[string]operation{http.MethodPut: (*Handler).put, http.MethodDelete: (*Handler).remove}},
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
		method := r.Method
		if method == http.MethodHead {
			method = http.MethodGet
		}
		do, ok := rt.methods[method]
		if !ok && h.Writer != nil {
			do, ok = rt.writes[method]
		}
		if !ok {
			allowed := strings.Join(h.allowed(rt), ", ")
			a.header.Set("Allow", allowed)
			return &Error{Code: CodeMethodNotAllowed, Message: fmt.Sprintf("%s allows %s", rt.pattern, allowed)}
		}
		return do(h, r, params, a)
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

func (h *Handler) allowed(rt route) []string {
	methods := slices.Collect(maps.Keys(rt.methods))
	if h.Writer != nil {
		methods = slices.AppendSeq(methods, maps.Keys(rt.writes))
	}
	if _, ok := rt.methods[http.MethodGet]; ok {
		methods = append(methods, http.MethodHead)
	}
	slices.Sort(methods)
	return methods
}

// keyOf reads the key from a path and refuses any query string.
func keyOf(r *http.Request, params []string) (Key, error) {
	values, err := parameters(r)
	if err != nil {
		return Key{}, err
	}
	if err := only(values); err != nil {
		return Key{}, err
	}
	year, err := parseNumber("year", params[0], MinYear, MaxYear)
	if err != nil {
		return Key{}, err
	}
	// Decoded once, here: a plus sign is a plus sign in a path, and %252F is the title "%2F".
	title, err := url.PathUnescape(params[1])
	if err != nil {
		return Key{}, &Error{Code: CodeInvalidParameter, Message: "title is not valid percent-encoding", Err: err}
	}
	key := Key{Year: year, Title: title}
	return key, key.Validate()
}

func parameters(r *http.Request) (url.Values, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, &Error{Code: CodeInvalidParameter, Message: "the query string is not valid percent-encoding", Err: err}
	}
	return values, nil
}
