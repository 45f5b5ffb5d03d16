package answer

import (
	"fmt"
	"unicode/utf8"
)

// controls reports whether a terminal does something else with a character than to show it: the control characters of
// ECMA-48, the eight-bit ones among them, and those that turn the direction of the text after them (UAX 9), by which a line
// can show something else than it holds.
func controls(r rune) bool {
	return r < ' ' || 0x7f <= r && r <= 0x9f || 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069
}

// cleaner makes what controls terminals visible, as cat -v and less do. It takes a text in pieces, which may be cut anywhere.
type cleaner struct {
	held []byte // what the pieces so far ended with and the next one decides: a return, the beginning of a character
}

// add returns what a piece shows.
func (c *cleaner) add(piece []byte) []byte { return c.clean(piece, false) }

// end returns what was held back for more to come.
func (c *cleaner) end() []byte { return c.clean(nil, true) }

func (c *cleaner) clean(piece []byte, last bool) []byte {
	text := append(c.held, piece...)
	c.held = nil
	out := make([]byte, 0, len(text))
	for len(text) > 0 {
		if !last && (!utf8.FullRune(text) || len(text) == 1 && text[0] == '\r') {
			c.held = append([]byte(nil), text...)
			break
		}
		r, n := utf8.DecodeRune(text)
		text = text[n:]
		switch {
		case r == '\n', r == '\t':
			out = append(out, byte(r))
		case r == '\r' && len(text) > 0 && text[0] == '\n': // an end of line
			out = append(out, '\r')
		case r < ' ' || r == 0x7f:
			out = append(out, '^', byte(r)^0x40)
		case controls(r):
			out = fmt.Appendf(out, "<U+%04X>", r)
		default: // with U+FFFD for what is no UTF-8
			out = utf8.AppendRune(out, r)
		}
	}
	return out
}

// Clean is a text as a terminal may be given it: whatever would control the terminal is visible.
func Clean(text string) string {
	var c cleaner
	return string(append(c.add([]byte(text)), c.end()...))
}

// isBinary reports whether the beginning of a body is no text: it has a zero byte, or three tenths of it are neither
// UTF-8 nor characters that texts have. Texts in other encodings and coloured ones stay below that.
func isBinary(piece []byte) bool {
	odd := 0
	for rest := piece; len(rest) > 0 && utf8.FullRune(rest); {
		r, n := utf8.DecodeRune(rest)
		switch {
		case r == 0:
			return true
		case r == utf8.RuneError && n == 1, r == 0x7f, r < ' ' && r != '\t' && r != '\n' && r != '\r' && r != '\f' && r != '\b' && r != '\x1b':
			odd++
		}
		rest = rest[n:]
	}
	return odd*10 > 3*len(piece)
}
