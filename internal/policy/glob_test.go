package policy

import (
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// slowMatch is the definition of a glob, written for clarity: it tries everything.
func slowMatch(pattern, text string) bool {
	if pattern == "" {
		return text == ""
	}
	token, rest := pattern[:1], pattern[1:]
	if r, width := utf8.DecodeRuneInString(pattern); r != utf8.RuneError {
		token, rest = pattern[:width], pattern[width:]
	}
	if token == "*" {
		return slowMatch(rest, text) || text != "" && slowMatch(pattern, text[runeLen(text):])
	}
	if text == "" {
		return false
	}
	if token == "?" {
		return slowMatch(rest, text[runeLen(text):])
	}
	return strings.HasPrefix(text, token) && slowMatch(rest, text[len(token):])
}

func runeLen(text string) int {
	_, width := utf8.DecodeRuneInString(text)
	return width
}

func TestGlob(t *testing.T) {
	tests := []struct {
		pattern, text string
		want          bool
	}{
		{"", "", true},
		{"", "a", false},
		{"a", "a", true},
		{"a", "A", false},
		{"*", "", true},
		{"*", "a/b:c", true},
		{"**", "", true},
		{"?", "", false},
		{"?", "é", true},
		{"??", "é", false},
		{"a*", "a", true},
		{"*a", "ba", true},
		{"*a", "ab", false},
		{"a*a", "a", false},
		{"a*a", "aa", true},
		{"a*b*c", "abbc", true},
		{"a*b*c", "acb", false},
		{"*?", "", false},
		{"?*", "x", true},
		{"*ab*ab", "abab", true},
		{"*ab*ab", "ab", false},
		{"*aab", "aaaab", true},
		{"a?c*", "abcdef", true},
		{"\uFFFD", "\xff", false}, // a broken byte is not the replacement character
		{"?", "\xff", true},
		{"*\uFFFD", "\xff", false},
		{"*\uFFFD", "a\uFFFD", true},
		{"*??ab", "한ab", false}, // an asterisk does not stop inside a character
	}
	for _, tt := range tests {
		g := compileGlob(tt.pattern)
		if got := g.match(tt.text); got != tt.want {
			t.Errorf("%q on %q: got %v, want %v", tt.pattern, tt.text, got, tt.want)
		}
		if got := slowMatch(tt.pattern, tt.text); got != tt.want {
			t.Errorf("reference: %q on %q: got %v, want %v", tt.pattern, tt.text, got, tt.want)
		}
	}
}

// TestGlobDoesNotBacktrack: matching that tries everything takes longer than the universe has for this.
func TestGlobDoesNotBacktrack(t *testing.T) {
	g := compileGlob(strings.Repeat("*a", 1000) + "b")
	text := strings.Repeat("a", 100_000)
	begin := time.Now()
	if g.match(text) {
		t.Error("got a match, want none")
	}
	if took := time.Since(begin); took > 10*time.Second {
		t.Errorf("took %v", took)
	}
}

func FuzzGlob(f *testing.F) {
	for _, seed := range [][2]string{
		{"a*b?c", "aXXbYc"}, {"**?*", "é"}, {"*/GET/*", "dev/GET/x"}, {"*ab*ab*", "aabab"}, {"\uFFFD?", "\xff\xfe"}, {"", ""},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, text string) {
		if !utf8.ValidString(pattern) || len(pattern) > 16 || len(text) > 24 || strings.Count(pattern, "*") > 4 {
			t.Skip("patterns come out of JSON; the reference takes exponential time")
		}
		g := compileGlob(pattern)
		if got, want := g.match(text), slowMatch(pattern, text); got != want {
			t.Errorf("%q on %q: got %v, want %v", pattern, text, got, want)
		}
	})
}

// slowResource is the rule for resources in plain words: "*" is everything, else fields match one by one; those that a
// shortened pattern leaves out may be anything.
func slowResource(pattern, resource string) bool {
	if pattern == "*" {
		return true
	}
	if strings.Count(resource, ":") < 5 {
		return false
	}
	want := strings.SplitN(pattern, ":", 6)
	got := strings.SplitN(resource, ":", 6)
	for i := range want {
		if !slowMatch(want[i], got[i]) {
			return false
		}
	}
	return true
}

func FuzzResource(f *testing.F) {
	for _, seed := range [][2]string{
		{"arn:aws:execute-api:*", "arn:aws:execute-api:r:1:a/b"},
		{"arn:aws:x:*:1:a/*/b:c", "arn:aws:x:r:1:a/q:r/b:c"},
		{"arn:a?s:x:*:*", "arn:aws:x:r:1:"},
		{"*", "x"},
	} {
		f.Add(seed[0], seed[1])
	}
	f.Fuzz(func(t *testing.T, pattern, resource string) {
		if !utf8.ValidString(pattern) || len(pattern) > 40 || len(resource) > 40 || strings.Count(pattern, "*") > 4 {
			t.Skip("patterns come out of JSON; the reference takes exponential time")
		}
		p, err := parseResource(pattern, false)
		if err != nil {
			t.Skip("refused")
		}
		target := newTarget(resource)
		got, known := p.match(&target, &Context{})
		if want := slowResource(pattern, resource); got != want || !known {
			t.Errorf("%q on %q: got %v (known %v), want %v", pattern, resource, got, known, want)
		}
	})
}
