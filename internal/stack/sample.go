package stack

import (
	"regexp/syntax"
	"strings"
)

// sample makes up a text that a pattern matches; ok is false if the pattern has a form that Go does not know.
func sample(pattern string) (text string, ok bool) {
	re, err := syntax.Parse(pattern, syntax.Perl)
	if err != nil {
		return "", false
	}
	var b strings.Builder
	writeSample(&b, re)
	return b.String(), true
}

// mostRepeats bounds what a count in a pattern makes of a sample.
const mostRepeats = 1000

func writeSample(b *strings.Builder, re *syntax.Regexp) {
	switch re.Op {
	case syntax.OpLiteral:
		b.WriteString(string(re.Rune))
	case syntax.OpCharClass:
		if len(re.Rune) > 0 {
			b.WriteRune(classSample(re.Rune))
		}
	case syntax.OpAnyChar, syntax.OpAnyCharNotNL:
		b.WriteByte('x')
	case syntax.OpCapture, syntax.OpConcat, syntax.OpPlus:
		for _, sub := range re.Sub {
			writeSample(b, sub)
		}
	case syntax.OpAlternate:
		writeSample(b, re.Sub[len(re.Sub)-1]) // the first is often nothing at all
	case syntax.OpRepeat:
		for range min(re.Min, mostRepeats) {
			writeSample(b, re.Sub[0])
		}
	}
}

// classSample prefers what reads like a name over the class's first character.
func classSample(ranges []rune) rune {
	for _, liked := range "xa10" {
		for i := 0; i+1 < len(ranges); i += 2 {
			if ranges[i] <= liked && liked <= ranges[i+1] {
				return liked
			}
		}
	}
	return ranges[0]
}
