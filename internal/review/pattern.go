package review

import "strings"

// glob matches a policy's pattern, with * and ?.
func glob(pattern, text string) bool {
	star, resume := -1, 0
	p, t := 0, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, resume = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p, t = p+1, t+1
		case star >= 0: // let the last star take one more
			resume++
			p, t = star+1, resume
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// globFold is glob for actions, whose case does not matter.
func globFold(pattern, text string) bool {
	return glob(strings.ToLower(pattern), strings.ToLower(text))
}

// overlaps reports whether some path matches both a policy's pattern and a route's template: /x/*/1 and /x/{id}/{n} do.
func overlaps(pattern, template string) bool {
	o := overlap{pattern: pattern, template: tokens(template), known: map[[2]int]bool{}}
	return o.from(0, 0)
}

// token is a letter of a template, or a parameter: a run of letters without a slash, or with slashes if it is greedy.
type token struct {
	letter            byte
	parameter, greedy bool
}

func tokens(template string) []token {
	var out []token
	for i := 0; i < len(template); i++ {
		end := strings.IndexByte(template[i:], '}')
		if template[i] != '{' || end < 0 {
			out = append(out, token{letter: template[i]})
			continue
		}
		out = append(out, token{parameter: true, greedy: template[i+end-1] == '+'})
		i += end
	}
	return out
}

// overlap walks pattern and template side by side. Each pair of places is looked at once.
type overlap struct {
	pattern  string
	template []token
	known    map[[2]int]bool
}

func (o *overlap) from(p, t int) bool {
	at := [2]int{p, t}
	if answer, ok := o.known[at]; ok {
		return answer
	}
	o.known[at] = false // a walk that comes back here has found nothing new
	answer := o.step(p, t)
	o.known[at] = answer
	return answer
}

func (o *overlap) step(p, t int) bool {
	if p == len(o.pattern) {
		return t == len(o.template)
	}
	c := o.pattern[p]
	if t == len(o.template) {
		return c == '*' && o.from(p+1, t)
	}
	tok := o.template[t]
	switch {
	case c == '*': // takes nothing, or the next of the template
		return o.from(p+1, t) || o.from(p, t+1)
	case tok.parameter:
		if c == '/' && !tok.greedy {
			return false
		}
		// The parameter takes this letter, and ends or goes on.
		return o.from(p+1, t+1) || o.more(p+1, t)
	}
	return (c == '?' || c == tok.letter) && o.from(p+1, t+1)
}

// more goes on inside a parameter that has a letter already.
func (o *overlap) more(p, t int) bool {
	for ; p < len(o.pattern); p++ {
		c := o.pattern[p]
		if c == '*' { // it may end the parameter, or be cut by its end
			return o.from(p+1, t+1) || o.from(p, t+1) || o.more(p+1, t)
		}
		if c == '/' && !o.template[t].greedy {
			return false
		}
		if o.from(p+1, t+1) {
			return true
		}
	}
	return false
}
