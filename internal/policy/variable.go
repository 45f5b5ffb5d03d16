package policy

import "strings"

// template is a text of a policy with its variables found: literal pieces, wildcards and variables in order. Texts of
// version 2008-10-17 have no variables: "${aws:username}" is literal there.
//
// Rules: IAM user guide, "IAM policy elements: Variables and tags".
type template struct {
	pieces []piece
}

type piece struct {
	text string // literal text that may hold wildcards, if the place allows them
	// verbatim: text holds no wildcards, as from ${*}.
	verbatim bool
	// key is the normalised key of a variable; text is then its default.
	key         string
	withDefault bool
}

// parseTemplate finds the variables of text. With variables false there are none.
func parseTemplate(text string, variables bool) (template, *SyntaxError) {
	var t template
	for variables {
		before, inside, found := strings.Cut(text, "${")
		if !found {
			break
		}
		if before != "" {
			t.pieces = append(t.pieces, piece{text: before})
		}
		var closed bool
		inside, text, closed = cutVariable(inside)
		if !closed {
			return template{}, fault("", "variable ${%s is not closed by }", inside)
		}
		p, err := parseVariable(inside)
		if err != nil {
			return template{}, err
		}
		t.pieces = append(t.pieces, p)
	}
	if text != "" {
		t.pieces = append(t.pieces, piece{text: text})
	}
	return t, nil
}

// cutVariable cuts at the brace that closes a variable, which is not one inside the quotes of a default.
func cutVariable(s string) (inside, after string, closed bool) {
	quoted := false
	for i := range len(s) {
		switch {
		case s[i] == '\'':
			quoted = !quoted
		case s[i] == '}' && !quoted:
			return s[:i], s[i+1:], true
		}
	}
	return s, "", false
}

func parseVariable(inside string) (piece, *SyntaxError) {
	switch inside {
	case "*", "?", "$":
		return piece{text: inside, verbatim: true}, nil
	case "":
		return piece{}, fault("", "variable ${} is empty")
	}
	key, fallback, withDefault := strings.Cut(inside, ",")
	p := piece{withDefault: withDefault}
	if withDefault {
		quoted := strings.TrimPrefix(fallback, " ")
		if len(quoted) < 2 || quoted[0] != '\'' || quoted[len(quoted)-1] != '\'' ||
			strings.Contains(quoted[1:len(quoted)-1], "'") {
			return piece{}, fault("", "variable ${%s}: want a default in single quotes, as in ${key, 'default'}", inside)
		}
		p.text = quoted[1 : len(quoted)-1]
	}
	if err := checkKey(key); err != nil {
		return piece{}, fault("", "variable ${%s}: %s", inside, err.Reason)
	}
	p.key = normalizeKey(key)
	return p, nil
}

// hasVariables reports whether the template depends on the call.
func (t template) hasVariables() bool {
	for _, p := range t.pieces {
		if p.key != "" {
			return true
		}
	}
	return false
}

// build writes the pieces into b, with "*" and "?" as wildcards, variables replaced by their values. A value is literal
// text: an asterisk in it is an asterisk. It reports false if a variable has no value and no default; keys with several
// values cannot be variables.
func (t template) build(b *globBuilder, c *Context) bool {
	for _, p := range t.pieces {
		switch {
		case p.key != "":
			value, ok := p.resolve(c)
			if !ok {
				return false
			}
			b.literal(value)
		case p.verbatim:
			b.literal(p.text)
		default:
			b.pattern(p.text)
		}
	}
	return true
}

// literal is the template's text where wildcards have no meaning.
func (t template) literal(c *Context) (string, bool) {
	var b strings.Builder
	for _, p := range t.pieces {
		text, ok := p.text, true
		if p.key != "" {
			text, ok = p.resolve(c)
		}
		if !ok {
			return "", false
		}
		b.WriteString(text)
	}
	return b.String(), true
}

func (p piece) resolve(c *Context) (string, bool) {
	values, ok := c.lookup(p.key)
	if !ok && p.withDefault {
		return p.text, true
	}
	if !ok || len(values) != 1 {
		return "", false
	}
	return values[0], true
}

// fields builds the six fields of an ARN. The colons between them may come from variables, those inside the braces of a
// variable do not count. It reports false if there are fewer.
func (t template) fields(fields *[6]glob, c *Context) bool {
	var b globBuilder
	at := 0
	for _, p := range t.pieces {
		text := p.text
		if p.key != "" {
			text, _ = p.resolve(c)
		}
		for at < 5 {
			before, after, ok := strings.Cut(text, ":")
			if !ok {
				break
			}
			p.add(&b, before)
			fields[at], b, text = b.glob(), globBuilder{}, after
			at++
		}
		p.add(&b, text)
	}
	fields[at] = b.glob()
	return at == 5
}

func (p piece) add(b *globBuilder, text string) {
	if p.key != "" || p.verbatim {
		b.literal(text)
		return
	}
	b.pattern(text)
}
