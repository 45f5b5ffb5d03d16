package sigv4

import "strings"

// PathForm says how the path of the wire becomes the path that is signed.
type PathForm uint8

const (
	// PathNormalized removes empty, "." and ".." segments and percent-encodes the
	// rest once more. API Gateway and every other service but S3 verify this form.
	PathNormalized PathForm = iota
	// PathUnnormalized percent-encodes once more and keeps every segment, as the
	// Go SDK and curl sign it.
	PathUnnormalized
	// PathVerbatim signs the path exactly as it is on the wire. This is S3's form.
	PathVerbatim
)

// NormalizePath returns the path to route and to authorise on: the raw path of a
// request target without its empty, "." and ".." segments. A trailing slash
// stays, "/a/b/.." becomes "/a" and not RFC 3986's "/a/", an empty path is "/".
// Nothing is decoded: "%2F" is not a separator and "%2E" is not a dot.
func NormalizePath(path string) string {
	if isNormal(path) {
		return path
	}
	return string(appendNormalPath(make([]byte, 0, len(path)+1), path))
}

// isNormal is the cheap test that nearly every path passes. It may say no to a
// path that is normal ("/.well-known"), never yes to one that is not.
func isNormal(path string) bool {
	return isCanonical(path) ||
		path != "" && path[0] == '/' && !strings.Contains(path, "//") && !strings.Contains(path, "/.")
}

// isCanonical is the cheap test that nearly every path of an API passes, in one
// go: nothing to remove and nothing to encode. It may say no to a path that is
// canonical, as isNormal does.
func isCanonical(path string) bool {
	if path == "" || path[0] != '/' {
		return false
	}
	before := byte(0)
	for i := 0; i < len(path); i++ {
		c := path[i]
		if !pathSafe[c] || before == '/' && (c == '/' || c == '.') {
			return false
		}
		before = c
	}
	return true
}

func appendNormalPath(dst []byte, path string) []byte {
	start := len(dst)
	for rest, more := path, true; more; {
		var segment string
		segment, rest, more = cutByte(rest, '/')
		switch segment {
		case "", ".":
		case "..":
			for len(dst) > start {
				dst = dst[:len(dst)-1]
				if dst[:len(dst)+1][len(dst)] == '/' {
					break
				}
			}
		default:
			dst = append(dst, '/')
			dst = append(dst, segment...)
		}
	}
	switch {
	case len(dst) == start:
		return append(dst, '/')
	case strings.HasSuffix(path, "/"):
		dst = append(dst, '/')
	}
	if path[0] != '/' { // "*" of OPTIONS: it must not share a signature with "/*"
		dst = append(dst[:start], dst[start+1:]...)
	}
	return dst
}

// appendCanonicalPath writes the canonical URI for the raw path of the wire. It
// never decodes: "%2F" becomes "%252F" and thereby stays different from "/".
func appendCanonicalPath(dst []byte, path string, form PathForm) []byte {
	if path == "" {
		path = "/"
	}
	switch form {
	case PathVerbatim:
		return append(dst, path...)
	case PathUnnormalized:
		return appendEncoded(dst, path, &pathSafe)
	}
	if isCanonical(path) {
		return append(dst, path...)
	}
	return appendEncoded(dst, NormalizePath(path), &pathSafe)
}

// splitTarget cuts a raw request target into path and query. The absolute form
// ("http://host/path", RFC 9112 section 3.2.2) loses its scheme and authority.
func splitTarget(target string) (path, query string) {
	path, query, _ = cutByte(target, '?')
	if path == "" || path[0] == '/' {
		return path, query
	}
	scheme, rest, found := strings.Cut(path, "://")
	if !found || !strings.EqualFold(scheme, "http") && !strings.EqualFold(scheme, "https") {
		return path, query
	}
	slash := strings.IndexByte(rest, '/')
	if slash < 0 {
		return "", query
	}
	return rest[slash:], query
}
