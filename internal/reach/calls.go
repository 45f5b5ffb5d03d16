package reach

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/policy"
	"github.com/marquee-api/marquee/internal/sigv4"
	"github.com/marquee-api/marquee/internal/stack"
)

// call is a method and an actual path of a route.
type call struct {
	route, method, path string
}

// methodsOfAny are the methods that ANY stands for, most usual first.
var methodsOfAny = []string{"GET", "POST", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"}

// calls lists what is tried of an API: each method of each route, ANY as every method that has no route of its own. Of a
// path with parameters an example is tried, and the paths that policies name.
func (c *computer) calls(api *stack.API) ([]call, error) {
	named := map[string]bool{}
	for _, r := range api.Routes {
		named[r.Method+" "+r.Path] = true
	}
	var calls []call
	for _, r := range api.Routes {
		methods := []string{r.Method}
		if r.Method == "ANY" {
			methods = slices.DeleteFunc(slices.Clone(methodsOfAny), func(m string) bool { return named[m+" "+r.Path] })
		}
		for _, method := range methods {
			candidates, err := c.reaching(api, call{route: r.Method + " " + r.Path, method: method}, c.candidates(r))
			if err != nil {
				return nil, err
			}
			calls = append(calls, candidates...)
		}
	}
	return calls, nil
}

// candidates are paths of a route. The first that leads to it is its example; the others are those that policies name.
func (c *computer) candidates(r *stack.Route) []string {
	paths := []string{samplePath(r.Path, "x")}
	if !strings.Contains(r.Path, "{") {
		return paths
	}
	// Where a static route takes the first example, one of these is free.
	paths = append(paths, samplePath(r.Path, "example"), samplePath(r.Path, "another-example"))
	return append(paths, c.granted...)
}

// reaching keeps the paths that lead to the call's route: of the examples the first, of those of policies all.
func (c *computer) reaching(api *stack.API, to call, paths []string) ([]call, error) {
	var calls []call
	for _, path := range paths {
		to.path = path
		if len(calls) > 0 && !slices.Contains(c.granted, path) || slices.Contains(calls, to) {
			continue
		}
		decision, err := c.decide(api, to, &caller{}, c.doorOf(api))
		if err != nil {
			return nil, err
		}
		if decision.Record.Route == to.route {
			calls = append(calls, to)
		}
	}
	return calls, nil
}

// doorOf is a door that leads to the API.
func (c *computer) doorOf(api *stack.API) gateway.Door {
	i := slices.IndexFunc(c.doors, func(d gateway.Door) bool { return (d.VPCEndpointID != "") == (api.EndpointType == "PRIVATE") })
	return c.doors[i]
}

// samplePath fills a path's parameters: policies see actual paths. A greedy one gets two segments, so that no route for
// one segment takes the call.
func samplePath(template, value string) string {
	parts := strings.Split(template, "/")
	for i, part := range parts {
		switch {
		case strings.HasSuffix(part, "+}"):
			parts[i] = value + "/" + value
		case strings.HasPrefix(part, "{"):
			parts[i] = value
		}
	}
	return strings.Join(parts, "/")
}

// mostGranted bounds the paths that are tried because a policy names them.
const mostGranted = 50

// grantedPaths are the paths that policies name, with an example for each wildcard: a role that may call
// /movie_list/1999/* may not call /movie_list/x/x, and only the first says so.
func grantedPaths(documents []*policy.Document) []string {
	var paths []string
	for _, d := range documents {
		if d == nil {
			continue
		}
		var text struct {
			Statement []struct{ Resource, NotResource any }
		}
		if err := json.Unmarshal([]byte(d.String()), &text); err != nil {
			continue // it has no list of statements: none of its paths can be tried
		}
		for _, s := range text.Statement {
			for _, pattern := range append(texts(s.Resource), texts(s.NotResource)...) {
				// arn:…:api/stage/METHOD/path; a pattern that is not so long has no path to try.
				parts := strings.SplitN(pattern, "/", 4)
				if len(parts) < 4 || strings.Contains(parts[3], "$") || strings.Trim(parts[3], "*/") == "" {
					continue
				}
				path := "/" + strings.NewReplacer("*", "x", "?", "x").Replace(parts[3])
				if _, err := url.ParseRequestURI(path); err == nil && len(paths) < mostGranted && !slices.Contains(paths, path) {
					paths = append(paths, path)
				}
			}
		}
	}
	return paths
}

// texts are the elements of a value that is a text or a list of them.
func texts(v any) []string {
	switch v := v.(type) {
	case string:
		return []string{v}
	case []any:
		var out []string
		for _, e := range v {
			out = append(out, texts(e)...)
		}
		return out
	}
	return nil
}

// Where calls are taken to come from, for conditions on addresses: a private one through an endpoint, else one that is
// set aside for examples (RFC 5737).
const (
	privateAddress = "10.0.0.10:443"
	publicAddress  = "203.0.113.10:443"
)

// decide signs the call, if there is a key to sign with, and asks the gateway.
func (c *computer) decide(api *stack.API, call call, who *caller, door gateway.Door) (gateway.Decision, error) {
	target := "/" + api.Stage + call.path
	u, err := url.ParseRequestURI(target)
	if err != nil {
		return gateway.Decision{}, fmt.Errorf("%s: route %s of %s: %w", api.Position, call.route, api.LogicalID, err)
	}
	r := &http.Request{
		Method: call.method, URL: u, RequestURI: target, Host: api.ID + ".execute-api." + c.stack.Region + ".amazonaws.com",
		Header: http.Header{}, Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1, RemoteAddr: publicAddress,
	}
	if door.VPCEndpointID != "" {
		r.RemoteAddr = privateAddress
	}
	if who.credentials != nil {
		in := &sigv4.SignInput{Request: r, Credentials: *who.credentials, Region: c.stack.Region, Service: "execute-api", Time: c.now}
		if err := c.signer.Sign(in); err != nil {
			return gateway.Decision{}, fmt.Errorf("signing as %s: %w", who.Name, err)
		}
	}
	return c.gateway.Decide(door, r), nil
}
