package gateway

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

// API Gateway prefers a static segment to a parameter and a parameter to a greedy one, and chooses the resource before it
// looks at the method.
func TestRouterMatch(t *testing.T) {
	var routes []*Route
	for _, r := range [][2]string{
		{"ANY", "/{proxy+}"}, {"GET", "/movies/{id}"}, {"GET", "/movies/top"}, {"GET", "/"}, {"POST", "/movies"},
		{"ANY", "/movies/{id}/cast"}, {"DELETE", "/movies/{id}"}, {"GET", "/movies/{id}/{rest+}"}, {"ANY", "/movies/top"},
	} {
		routes = append(routes, &Route{Method: r[0], Path: r[1]})
	}
	router := newRouter(routes)
	tests := map[string]struct {
		method, path string
		want         string // "" for none
		params       map[string]string
	}{
		"root":                            {"GET", "/", "GET /", nil},
		"static before parameter":         {"GET", "/movies/top", "GET /movies/top", nil},
		"a named method before ANY":       {"PUT", "/movies/top", "ANY /movies/top", nil},
		"parameter":                       {"GET", "/movies/7", "GET /movies/{id}", map[string]string{"id": "7"}},
		"parameter, another method":       {"DELETE", "/movies/7", "DELETE /movies/{id}", map[string]string{"id": "7"}},
		"the resource hides greedy":       {"PATCH", "/movies/7", "", nil},
		"the root hides nothing deeper":   {"POST", "/", "", nil},
		"static below parameter":          {"HEAD", "/movies/7/cast", "ANY /movies/{id}/cast", map[string]string{"id": "7"}},
		"greedy below parameter":          {"GET", "/movies/7/a/b", "GET /movies/{id}/{rest+}", map[string]string{"id": "7", "rest": "a/b"}},
		"greedy":                          {"GET", "/other/x", "ANY /{proxy+}", map[string]string{"proxy": "other/x"}},
		"greedy drops the trailing slash": {"GET", "/other/", "ANY /{proxy+}", map[string]string{"proxy": "other"}},
		"trailing slash":                  {"GET", "/movies/top/", "GET /movies/top", nil},
		"nothing is decoded":              {"GET", "/movies/A%2FB", "GET /movies/{id}", map[string]string{"id": "A%2FB"}},
		"ANY is seven methods":            {"TRACE", "/other", "", nil},
		"case counts":                     {"GET", "/Movies/top", "ANY /{proxy+}", map[string]string{"proxy": "Movies/top"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			route, params := router.match(tt.method, tt.path)
			got := ""
			if route != nil {
				got = route.Method + " " + route.Path
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			if diff := cmp.Diff(tt.params, params); diff != "" {
				t.Errorf("parameters (-want +got):\n%s", diff)
			}
		})
	}
}
