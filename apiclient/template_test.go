package apiclient

import (
	"net/url"
	"strings"
	"testing"
)

// The variables are those of RFC 6570 section 3.2, the first two rows those of its level 1 examples.
func TestExpandPath(t *testing.T) {
	for name, tt := range map[string]struct {
		template string
		params   map[string]string
		want     string
	}{
		"RFC 6570 var":                 {"/{var}", map[string]string{"var": "value"}, "/value"},
		"RFC 6570 hello":               {"/{hello}", map[string]string{"hello": "Hello World!"}, "/Hello%20World%21"},
		"root":                         {"/", nil, "/"},
		"two":                          {"/movie_list/{year}/{title}", map[string]string{"year": "2013", "title": "Rush"}, "/movie_list/2013/Rush"},
		"a slash stays in its place":   {"/m/{title}", map[string]string{"title": "Face/Off"}, "/m/Face%2FOff"},
		"a percent sign":               {"/m/{title}", map[string]string{"title": "100% Wolf"}, "/m/100%25%20Wolf"},
		"UTF-8":                        {"/m/{title}", map[string]string{"title": "Amélie"}, "/m/Am%C3%A9lie"},
		"a question mark":              {"/m/{title}", map[string]string{"title": "Who?"}, "/m/Who%3F"},
		"unreserved":                   {"/{a}", map[string]string{"a": "-._~aZ9"}, "/-._~aZ9"},
		"reserved":                     {"/{a}", map[string]string{"a": ":/?#[]@!$&'()*+,;="}, "/%3A%2F%3F%23%5B%5D%40%21%24%26%27%28%29%2A%2B%2C%3B%3D"},
		"two in a segment":             {"/{a}-{b}", map[string]string{"a": "1", "b": "2"}, "/1-2"},
		"dots within a value":          {"/{a}", map[string]string{"a": "..."}, "/..."},
		"dotted and numbered names":    {"/{a.b}/{c_9}", map[string]string{"a.b": "1", "c_9": "2"}, "/1/2"},
		"literals that a path holds":   {"/a:b@c=d&e+f;g,h!i$j'k(l)m*n", nil, "/a:b@c=d&e+f;g,h!i$j'k(l)m*n"},
		"escapes in literals":          {"/a%2Fb%zz", nil, "/a%2Fb%25zz"},
		"literals that it must escape": {"/a b\"<>\\^`|[]é", nil, "/a%20b%22%3C%3E%5C%5E%60%7C%5B%5D%C3%A9"},
		"empty and dot literals":       {"/a//./../b/", nil, "/a//./../b/"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := expandPath(tt.template, tt.params)
			if err != nil {
				t.Fatal(err)
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestExpandPathRefuses(t *testing.T) {
	one := func(name, value string) map[string]string { return map[string]string{name: value} }
	for name, tt := range map[string]struct {
		template string
		params   map[string]string
		want     string
	}{
		"no slash":          {"movie_list", nil, "does not begin with a slash"},
		"missing":           {"/{year}", nil, "no value for {year}"},
		"unused":            {"/{year}", map[string]string{"year": "1", "yaer": "2"}, `no {yaer}`},
		"not closed":        {"/{year", one("year", "1"), "{year is not closed"},
		"not opened":        {"/year}", nil, "} without its {"},
		"nested":            {"/{{year}}", one("year", "1"), "not a plain variable"},
		"empty name":        {"/{}", one("", "1"), "not a plain variable"},
		"level 2":           {"/{+path}", one("path", "a/b"), "level 1"},
		"level 3":           {"/{a,b}", map[string]string{"a": "1", "b": "2"}, "level 1"},
		"level 4":           {"/{a:3}", one("a", "1234"), "level 1"},
		"fragment":          {"/a#b", nil, "%23"},
		"empty value":       {"/m/{title}/cast", one("title", ""), "another resource"},
		"dot":               {"/m/{title}", one("title", "."), "another resource"},
		"dot dot":           {"/m/{title}", one("title", ".."), "another resource"},
		"dot dot in pieces": {"/m/{a}{b}", map[string]string{"a": ".", "b": "."}, "another resource"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := expandPath(tt.template, tt.params)
			if err == nil {
				t.Fatalf("got %q, want an error", got)
			}
			if !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %q, want it to contain %q", err, tt.want)
			}
		})
	}
}

// FuzzExpandPath: whatever a value holds, it stays in its segment and comes back from there.
func FuzzExpandPath(f *testing.F) {
	for _, seed := range []string{"Rush", "Face/Off", "100%", "..", "", "\x00\xff", "a?b#c", "{x}", "%2F"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, value string) {
		got, err := expandPath("/m/{title}/end", map[string]string{"title": value})
		if value == "" || value == "." || value == ".." {
			if err == nil {
				t.Fatalf("%q was expanded to %q", value, got)
			}
			return
		}
		if err != nil {
			t.Fatalf("%q: %v", value, err)
		}
		segments := strings.Split(got, "/")
		if len(segments) != 4 {
			t.Fatalf("%q: got %q, want four segments", value, got)
		}
		if back, err := url.PathUnescape(segments[2]); err != nil || back != value {
			t.Fatalf("%q came back as %q (%v)", value, back, err)
		}
		if u, err := url.Parse("https://host" + got); err != nil || u.EscapedPath() != got {
			t.Fatalf("%q: net/url would send another path than %q", value, got)
		}
	})
}
