package answer

import (
	"bytes"
	"encoding/json"
	"fmt"
	"unicode/utf8"
)

// Colours as terminals have named them since ECMA-48; what they look like is the terminal's choice.
const (
	colourKey     = "\x1b[34m"
	colourString  = "\x1b[32m"
	colourNumber  = "\x1b[36m"
	colourLiteral = "\x1b[35m"
	colourOff     = "\x1b[0m"
)

// colourJSON indents a JSON document and colours it, and writes escapes for what would control a terminal: the document stays
// the same. It reports false for what is no JSON.
func colourJSON(text []byte) ([]byte, bool) {
	var indented bytes.Buffer
	if json.Indent(&indented, text, "", "  ") != nil {
		return nil, false
	}
	text = escapeJSON(indented.Bytes())
	var out bytes.Buffer
	for rest := text; len(rest) > 0; {
		n, colour := nextToken(rest)
		if colour == "" {
			out.Write(rest[:n])
		} else {
			out.WriteString(colour)
			out.Write(rest[:n])
			out.WriteString(colourOff)
		}
		rest = rest[n:]
	}
	out.WriteByte('\n')
	return out.Bytes(), true
}

// escapeJSON writes what controls terminals as \u007f. Valid JSON has it in strings alone, and no control character below a
// space anywhere but between its tokens.
func escapeJSON(text []byte) []byte {
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		r, n := utf8.DecodeRune(text)
		switch {
		case r == utf8.RuneError && n == 1:
			out = utf8.AppendRune(out, r)
		case r != '\n' && controls(r):
			out = fmt.Appendf(out, `\u%04x`, r)
		default:
			out = append(out, text[:n]...)
		}
		text = text[n:]
	}
	return out
}

// nextToken is the length and the colour of what a valid JSON text begins with.
func nextToken(text []byte) (length int, colour string) {
	switch c := text[0]; {
	case c == '"':
		n := 1
		for ; text[n] != '"'; n++ {
			if text[n] == '\\' {
				n++
			}
		}
		if n++; n < len(text) && text[n] == ':' {
			return n, colourKey
		}
		return n, colourString
	case c == '-' || '0' <= c && c <= '9':
		return len(text) - len(bytes.TrimLeft(text, "-+.0123456789eE")), colourNumber
	case 'a' <= c && c <= 'z':
		return len(text) - len(bytes.TrimLeft(text, "abcdefghijklmnopqrstuvwxyz")), colourLiteral
	default:
		return 1, ""
	}
}
