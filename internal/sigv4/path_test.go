package sigv4

import "testing"

// What botocore, aws-c-auth and smithy agree on: normalise the path of the wire,
// then encode it once more.
var pathTests = []struct {
	name, wire string
	normalized string // what to route on
	canonical  string
	kept       string // canonical with every segment kept; empty: as canonical
}{
	{name: "empty", wire: "", normalized: "/", canonical: "/"},
	{name: "root", wire: "/", normalized: "/", canonical: "/"},
	{name: "plain", wire: "/dev/movie_list", normalized: "/dev/movie_list", canonical: "/dev/movie_list"},
	{name: "trailing slash stays", wire: "/dev/", normalized: "/dev/", canonical: "/dev/"},
	{name: "unreserved", wire: "/A-z.0_9~", normalized: "/A-z.0_9~", canonical: "/A-z.0_9~"},
	{name: "escape is encoded again", wire: "/a%20b", normalized: "/a%20b", canonical: "/a%2520b"},
	{name: "escaped slash is no separator", wire: "/a%2F..%2Fb", normalized: "/a%2F..%2Fb", canonical: "/a%252F..%252Fb"},
	{name: "case of an escape counts", wire: "/a%2fb", normalized: "/a%2fb", canonical: "/a%252fb"},
	{name: "escaped dots are no dots", wire: "/a/%2e%2E/b", normalized: "/a/%2e%2E/b", canonical: "/a/%252e%252E/b"},
	{name: "raw reserved", wire: "/@a:b=c+d$e", normalized: "/@a:b=c+d$e", canonical: "/%40a%3Ab%3Dc%2Bd%24e"},
	{name: "raw sub-delims", wire: "/!'()*,;&", normalized: "/!'()*,;&", canonical: "/%21%27%28%29%2A%2C%3B%26"},
	{name: "raw UTF-8", wire: "/\u1234", normalized: "/\u1234", canonical: "/%E1%88%B4"},
	{name: "zero byte and high byte", wire: "/\x00\xff", normalized: "/\x00\xff", canonical: "/%00%FF"},
	{name: "double slash", wire: "/a//b", normalized: "/a/b", canonical: "/a/b", kept: "/a//b"},
	{name: "only slashes", wire: "///", normalized: "/", canonical: "/", kept: "///"},
	{name: "trailing double slash", wire: "/a//", normalized: "/a/", canonical: "/a/", kept: "/a//"},
	{name: "dot", wire: "/a/./b", normalized: "/a/b", canonical: "/a/b", kept: "/a/./b"},
	{name: "dot at the end", wire: "/a/.", normalized: "/a", canonical: "/a", kept: "/a/."},
	{name: "dot slash at the end", wire: "/a/./", normalized: "/a/", canonical: "/a/", kept: "/a/./"},
	{name: "only a dot", wire: "/.", normalized: "/", canonical: "/", kept: "/."},
	{name: "dot dot", wire: "/a/../b", normalized: "/b", canonical: "/b", kept: "/a/../b"},
	{name: "dot dot at the end loses the slash", wire: "/a/b/..", normalized: "/a", canonical: "/a", kept: "/a/b/.."},
	{name: "dot dot slash at the end", wire: "/a/b/../", normalized: "/a/", canonical: "/a/", kept: "/a/b/../"},
	{name: "above the root", wire: "/../../a", normalized: "/a", canonical: "/a", kept: "/../../a"},
	{name: "back to the root", wire: "/a/../", normalized: "/", canonical: "/", kept: "/a/../"},
	{name: "three dots are a name", wire: "/.../a", normalized: "/.../a", canonical: "/.../a"},
	{name: "hidden file is a name", wire: "/.well-known/..x/x..", normalized: "/.well-known/..x/x..", canonical: "/.well-known/..x/x.."},
	{name: "dot dot between doubled slashes", wire: "//a//..//b", normalized: "/b", canonical: "/b", kept: "//a//..//b"},
	{name: "asterisk form", wire: "*", normalized: "*", canonical: "%2A"},
	{name: "no leading slash", wire: "a/../b/", normalized: "b/", canonical: "b/", kept: "a/../b/"},
}

func TestNormalizePath(t *testing.T) {
	for _, tt := range pathTests {
		t.Run(tt.name, func(t *testing.T) {
			if got := NormalizePath(tt.wire); got != tt.normalized {
				t.Errorf("NormalizePath(%q): got %q, want %q", tt.wire, got, tt.normalized)
			}
			if got := NormalizePath(tt.normalized); got != tt.normalized {
				t.Errorf("a second time: got %q, want %q", got, tt.normalized)
			}
		})
	}
}

func TestCanonicalPath(t *testing.T) {
	for _, tt := range pathTests {
		t.Run(tt.name, func(t *testing.T) {
			if tt.kept == "" {
				tt.kept = tt.canonical
			}
			verbatim := tt.wire
			if verbatim == "" {
				verbatim = "/"
			}
			for form, want := range map[PathForm]string{PathNormalized: tt.canonical, PathUnnormalized: tt.kept, PathVerbatim: verbatim} {
				if got := string(appendCanonicalPath([]byte("x"), tt.wire, form)); got != "x"+want {
					t.Errorf("form %d of %q: got %q, want %q", form, tt.wire, got, "x"+want)
				}
			}
		})
	}
}

func TestSplitTarget(t *testing.T) {
	for _, tt := range []struct{ name, target, path, query string }{
		{"origin form", "/a/b?c=d", "/a/b", "c=d"},
		{"no query", "/a", "/a", ""},
		{"empty query", "/a?", "/a", ""},
		{"second question mark", "/a?b?c", "/a", "b?c"},
		{"number sign is no fragment", "/a#b?c", "/a#b", "c"},
		{"double slash is no authority", "//a/b", "//a/b", ""},
		{"absolute form", "http://host:80/a/b?c", "/a/b", "c"},
		{"absolute form, upper case", "HTTPS://host/a", "/a", ""},
		{"absolute form without a path", "http://host?c", "", "c"},
		{"asterisk form", "*", "*", ""},
		{"another scheme", "ftp://host/a", "ftp://host/a", ""},
		{"empty", "", "", ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			path, query := splitTarget(tt.target)
			if path != tt.path || query != tt.query {
				t.Errorf("splitTarget(%q): got %q and %q, want %q and %q", tt.target, path, query, tt.path, tt.query)
			}
		})
	}
}
