package apiclient

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// expandPath fills a path template in: RFC 6570 level 1, {name} and nothing else. Values are encoded but for RFC 3986's
// unreserved characters, so a slash in a value stays in its segment as %2F.
//
// It is stricter than the RFC where leniency would call another resource: a variable without a value, a value that no
// variable uses, and a segment that comes out empty or as a dot segment are errors. API Gateway removes such segments
// before it checks the signature, and a title of ".." would name the parent.
func expandPath(template string, params map[string]string) (string, error) {
	if !strings.HasPrefix(template, "/") {
		return "", errors.New("the path does not begin with a slash")
	}
	used := make(map[string]bool, len(params))
	segments := strings.Split(template[1:], "/")
	for i, segment := range segments {
		expanded, err := expandSegment(segment, params, used)
		if err != nil {
			return "", err
		}
		if expanded != segment && (expanded == "" || expanded == "." || expanded == "..") {
			return "", fmt.Errorf("%s comes out as %q, which would name another resource", segment, expanded)
		}
		segments[i] = expanded
	}
	for _, name := range slices.Sorted(maps.Keys(params)) {
		if !used[name] {
			return "", fmt.Errorf("the path has no {%s} for the parameter %q", name, name)
		}
	}
	return "/" + strings.Join(segments, "/"), nil
}

// expandSegment expands the text between two slashes. A level 1 expression holds no slash.
func expandSegment(segment string, params map[string]string, used map[string]bool) (string, error) {
	var b strings.Builder
	for segment != "" {
		literal, rest, opened := strings.Cut(segment, "{")
		if strings.Contains(literal, "}") {
			return "", fmt.Errorf("a } without its {")
		}
		if err := writeLiteral(&b, literal); err != nil {
			return "", err
		}
		if !opened {
			break
		}
		name, after, closed := strings.Cut(rest, "}")
		if !closed {
			return "", fmt.Errorf("{%s is not closed", name)
		}
		if !isVariable(name) {
			return "", fmt.Errorf("{%s} is not a plain variable: RFC 6570 level 1 knows {name} with letters, digits, _ and dots", name)
		}
		value, ok := params[name]
		if !ok {
			return "", fmt.Errorf("no value for {%s}", name)
		}
		used[name] = true
		writeEncoded(&b, value)
		segment = after
	}
	return b.String(), nil
}

// isVariable is RFC 6570 section 2.3 without percent-encoded names.
func isVariable(name string) bool {
	for _, part := range strings.Split(name, ".") {
		if !allOf(part, func(c byte) bool { return isAlphanumeric(c) || c == '_' }) {
			return false
		}
	}
	return true
}

// writeLiteral copies the text around the expressions: what a path may hold stays as it is, escapes included, anything
// else is encoded (RFC 6570 section 3.1).
func writeLiteral(b *strings.Builder, s string) error {
	for i := 0; i < len(s); i++ {
		switch c := s[i]; {
		case c == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			b.WriteByte(c)
		case c == '#':
			return fmt.Errorf("a fragment is never sent: write %%23 for #")
		case isUnreserved(c) || strings.IndexByte("!$&'()*+,;=:@", c) >= 0:
			b.WriteByte(c)
		default:
			writeEscape(b, c)
		}
	}
	return nil
}

func writeEncoded(b *strings.Builder, s string) {
	for i := range len(s) {
		if isUnreserved(s[i]) {
			b.WriteByte(s[i])
		} else {
			writeEscape(b, s[i])
		}
	}
}

func writeEscape(b *strings.Builder, c byte) {
	const digits = "0123456789ABCDEF"
	b.Write([]byte{'%', digits[c>>4], digits[c&15]})
}

// isUnreserved is RFC 3986 section 2.3.
func isUnreserved(c byte) bool {
	return isAlphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~'
}

func isAlphanumeric(c byte) bool { return isLower(c) || isDigit(c) || 'A' <= c && c <= 'Z' }

func isHex(c byte) bool { return isDigit(c) || 'a' <= c && c <= 'f' || 'A' <= c && c <= 'F' }
