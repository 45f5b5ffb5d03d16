package main

import (
	"bytes"
	"encoding/json"
)

// Colours as terminals have named them since ECMA-48; what they look like is the terminal's choice.
const (
	colourKey     = "\x1b[34m"
	colourString  = "\x1b[32m"
	colourNumber  = "\x1b[36m"
	colourLiteral = "\x1b[35m"
	colourOff     = "\x1b[0m"
)

// colourJSON indents a JSON document and colours it. What is no JSON comes back as it is.
func colourJSON(text []byte) []byte {
	var indented bytes.Buffer
	if json.Indent(&indented, text, "", "  ") != nil {
		return text
	}
	var out bytes.Buffer
	for rest := indented.Bytes(); len(rest) > 0; {
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
	return out.Bytes()
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
