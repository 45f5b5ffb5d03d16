package policy

import (
	"strings"
	"unicode/utf8"
)

// Tokens of a glob that are not characters.
const (
	anyRun rune = -1 - iota // "*": any characters, none as well
	anyOne                  // "?": exactly one character
)

// glob is a pattern with wildcards, ready to match. It matches whole texts, in time proportional to the text times the
// longest stretch between two asterisks, whatever the number of asterisks: after a mismatch only the last asterisk has
// to give way.
type glob struct {
	prefix string // literal beginning
	rest   []rune // tokens after it
}

// compileGlob reads "*" and "?" in text as wildcards; there is no escape (${*} and ${?} are variables).
func compileGlob(text string) glob {
	var b globBuilder
	b.pattern(text)
	return b.glob()
}

func (g *glob) match(s string) bool {
	if !strings.HasPrefix(s, g.prefix) {
		return false
	}
	s = s[len(g.prefix):]
	switch {
	case len(g.rest) == 0:
		return s == ""
	case len(g.rest) == 1 && g.rest[0] == anyRun:
		return true
	}
	return matchTokens(g.rest, s)
}

func matchTokens(tokens []rune, s string) bool {
	i, at := 0, 0
	retry, retryAt := -1, 0 // where to go on when the last asterisk takes one character more
	for at < len(s) {
		r, width := utf8.DecodeRuneInString(s[at:])
		if i < len(tokens) && tokens[i] == anyRun {
			i++
			retry, retryAt = i, at
			continue
		}
		if i < len(tokens) && (tokens[i] == anyOne || tokens[i] == r && !(r == utf8.RuneError && width == 1)) {
			i, at = i+1, at+width
			continue
		}
		if retry < 0 {
			return false
		}
		_, width = utf8.DecodeRuneInString(s[retryAt:])
		retryAt += width
		i, at = retry, retryAt
	}
	for i < len(tokens) && tokens[i] == anyRun {
		i++
	}
	return i == len(tokens)
}

// globBuilder puts a glob together from patterns and from literal text such as the value of a variable.
type globBuilder struct {
	prefix strings.Builder
	rest   []rune
}

func (b *globBuilder) pattern(text string) {
	for _, r := range text {
		switch r {
		case '*':
			b.rest = append(b.rest, anyRun)
		case '?':
			b.rest = append(b.rest, anyOne)
		default:
			b.char(r)
		}
	}
}

func (b *globBuilder) literal(text string) {
	for _, r := range text {
		b.char(r)
	}
}

func (b *globBuilder) char(r rune) {
	if len(b.rest) == 0 {
		b.prefix.WriteRune(r)
		return
	}
	b.rest = append(b.rest, r)
}

func (b *globBuilder) glob() glob {
	return glob{prefix: b.prefix.String(), rest: b.rest}
}
