package review

import (
	"math/rand/v2"
	"regexp"
	"strings"
	"testing"
)

func TestGlob(t *testing.T) {
	tests := map[string]struct {
		pattern, text string
		want          bool
	}{
		"equal":          {"a/b", "a/b", true},
		"a star":         {"a*c", "abbc", true},
		"a star, slash":  {"a*", "a/b/c", true},
		"empty star":     {"a*", "a", true},
		"two stars":      {"*b*d", "abcbcd", true},
		"a mark":         {"a?c", "abc", true},
		"a mark, none":   {"a?", "a", false},
		"case":           {"GET", "get", false},
		"more text":      {"a", "ab", false},
		"more pattern":   {"ab", "a", false},
		"star, not last": {"*a", "ab", false},
	}
	for name, tt := range tests {
		if got := glob(tt.pattern, tt.text); got != tt.want {
			t.Errorf("%s: glob(%q, %q) is %v", name, tt.pattern, tt.text, got)
		}
	}
}

func TestOverlaps(t *testing.T) {
	tests := map[string]struct {
		pattern, template string
		want              bool
	}{
		"the same":              {"/things", "/things", true},
		"another":               {"/thing", "/things", false},
		"a star for each":       {"/x/*/*", "/x/{a}/{b}", true},
		"too few segments":      {"/x/*", "/x/{a}/{b}", true}, // a star crosses slashes
		"a value":               {"/x/1999/*", "/x/{year}/{title}", true},
		"too many segments":     {"/x/1/2/3", "/x/{a}/{b}", false},
		"a greedy parameter":    {"/x/1/2/3", "/x/{proxy+}", true},
		"an empty parameter":    {"/x/", "/x/{a}", false},
		"another static part":   {"/y/*", "/x/{a}", false},
		"everything":            {"/*", "/x/{a}", true},
		"the end of a template": {"/x/*", "/x", false},
		"behind a parameter":    {"/x/*/end", "/x/{a}/end", true},
		"another end":           {"/x/1/fin", "/x/{a}/end", false},
		"parts of a value":      {"/x/19*9", "/x/{year}", true},
	}
	for name, tt := range tests {
		if got := overlaps(tt.pattern, tt.template); got != tt.want {
			t.Errorf("%s: overlaps(%q, %q) is %v", name, tt.pattern, tt.template, got)
		}
	}
}

// overlaps agrees with trying every short path.
func TestOverlapsByTrying(t *testing.T) {
	paths := []string{""}
	for start, length := 0, 0; length < 6; length++ {
		end := len(paths)
		for _, p := range paths[start:end] {
			for _, c := range []string{"a", "b", "/"} {
				paths = append(paths, p+c)
			}
		}
		start = end
	}
	random := rand.New(rand.NewPCG(1, 2))
	pick := func(n int, from ...string) string {
		var b strings.Builder
		for range 1 + random.IntN(n) {
			b.WriteString(from[random.IntN(len(from))])
		}
		return b.String()
	}
	both := [2]int{}
	for range 400 {
		pattern, template := pick(4, "a", "b", "/", "*", "?"), pick(3, "a", "b", "/", "{p}", "{p+}")
		re := regexp.MustCompile("^" + strings.NewReplacer("{p}", "[^/]+", "{p+}", ".+").Replace(template) + "$")
		want := false
		for _, p := range paths {
			if glob(pattern, p) && re.MatchString(p) {
				want = true
				break
			}
		}
		if got := overlaps(pattern, template); got != want {
			t.Errorf("overlaps(%q, %q) is %v", pattern, template, got)
		}
		if want {
			both[1]++
		} else {
			both[0]++
		}
	}
	if both[0] < 50 || both[1] < 50 {
		t.Errorf("got %v: the patterns do not try both answers", both)
	}
}
