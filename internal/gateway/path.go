package gateway

import "strings"

// keptPath is a request's path as the function and the ARNs of denials see it: doubled slashes stay but for those before
// the stage. A path with dot segments is the normalised one: what API Gateway makes of those has not been seen.
func keptPath(raw, normal string) string {
	if raw == normal {
		return normal
	}
	for segment := range strings.SplitSeq(raw, "/") {
		if segment == "." || segment == ".." {
			return normal
		}
	}
	return "/" + strings.TrimLeft(raw, "/")
}

// oneSlash brings the slashes at the beginning of a path to one.
func oneSlash(path string) string {
	if strings.HasPrefix(path, "//") {
		return "/" + strings.TrimLeft(path, "/")
	}
	return path
}

// keepGreedy gives a greedy parameter the path as it came: its doubled slashes are the caller's.
func (x *exchange) keepGreedy() {
	if x.route == nil || x.asCame == x.target.path {
		return
	}
	last := len(x.route.segments) - 1
	if last < 0 || rank(x.route.segments[last]) != 2 {
		return
	}
	rest := strings.TrimLeft(x.asCame, "/")
	for range last {
		_, rest, _ = strings.Cut(rest, "/")
		rest = strings.TrimLeft(rest, "/")
	}
	greedy := x.route.segments[last]
	x.params[greedy[1:len(greedy)-2]] = strings.TrimSuffix(rest, "/")
}
