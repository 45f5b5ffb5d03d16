package sigv4

import (
	"net/http"
	"strings"
)

// field is one header as it enters the canonical request.
type field struct {
	name   string // as spelled
	signed string // the name as it is signed; empty: name in lower case
	values []string
	own    []byte // a value of ours, in canonical form already; then values is nil
	again  bool   // the name of the field before, in another spelling
}

// appendHeaderLines writes "name:value\n" for each field. Fields whose names
// differ only in spelling are one header and share a line.
func appendHeaderLines(dst []byte, fields []field, keepTabs bool) []byte {
	for i := range fields {
		f := &fields[i]
		if f.again {
			dst[len(dst)-1] = ','
		} else {
			dst = f.appendName(dst)
			dst = append(dst, ':')
		}
		dst = append(dst, f.own...)
		for j, value := range f.values {
			if j > 0 {
				dst = append(dst, ',')
			}
			dst = appendHeaderValue(dst, value, keepTabs)
		}
		dst = append(dst, '\n')
	}
	return dst
}

// appendHeaderValue trims a value and makes every run of white space in it one
// space, inside quotes as well. A folded value (RFC 9112 section 5.2) thereby
// reads as if it had been sent on one line.
func appendHeaderValue(dst []byte, value string, keepTabs bool) []byte {
	if isCompact(value) {
		return append(dst, value...)
	}
	value = strings.Trim(value, " \t\r\n")
	pending := false
	for i := 0; i < len(value); i++ {
		c := value[i]
		if c == ' ' || c == '\r' || c == '\n' || c == '\t' && !keepTabs {
			pending = true
			continue
		}
		if pending {
			dst = append(dst, ' ')
			pending = false
		}
		dst = append(dst, c)
	}
	return dst
}

// isCompact reports whether a value holds no white space at all, which is what
// dates, hosts, hashes and tokens look like.
func isCompact(value string) bool {
	return strings.IndexByte(value, ' ') < 0 && strings.IndexByte(value, '\t') < 0 &&
		strings.IndexByte(value, '\n') < 0 && strings.IndexByte(value, '\r') < 0
}

// appendSignedHeaders writes the lower-case names, each once, with ";" between.
func appendSignedHeaders(dst []byte, fields []field) []byte {
	for i := range fields {
		if fields[i].again {
			continue
		}
		if i > 0 {
			dst = append(dst, ';')
		}
		dst = fields[i].appendName(dst)
	}
	return dst
}

func (f *field) appendName(dst []byte) []byte {
	if f.signed == "" {
		return appendLower(dst, f.name)
	}
	return append(dst, f.signed...)
}

// insertField keeps fields in order of lower-case name, then of name as spelled,
// which is the order in which net/http writes two spellings of one header.
func insertField(fields []field, f field) []field {
	i := len(fields)
	for ; i > 0; i-- {
		c := compareFold(fields[i-1].name, f.name)
		if c < 0 || c == 0 && fields[i-1].name < f.name {
			f.again = c == 0
			break
		}
		if c == 0 {
			fields[i-1].again = true
		}
	}
	fields = append(fields, f)
	copy(fields[i+1:], fields[i:])
	fields[i] = f
	return fields
}

// compareFold orders names as their lower-case forms.
func compareFold(a, b string) int {
	for i := 0; i < len(a) && i < len(b); i++ {
		if c, d := lower(a[i]), lower(b[i]); c != d {
			return int(c) - int(d)
		}
	}
	return len(a) - len(b)
}

func lower(c byte) byte {
	if 'A' <= c && c <= 'Z' {
		return c + 'a' - 'A'
	}
	return c
}

func appendLower(dst []byte, s string) []byte {
	start := len(dst)
	dst = append(dst, s...)
	for i, c := range dst[start:] {
		dst[start+i] = lower(c)
	}
	return dst
}

// headerValues finds the values of a header by its lower-case name, under the key
// that net/http makes of it ("x-amz-date" is "X-Amz-Date").
func headerValues(header http.Header, name string) []string {
	var buf [64]byte
	if len(name) > len(buf) {
		return header[http.CanonicalHeaderKey(name)]
	}
	key := buf[:len(name)]
	upper := true
	for i := 0; i < len(name); i++ {
		c := name[i]
		if upper && 'a' <= c && c <= 'z' {
			c -= 'a' - 'A'
		}
		key[i] = c
		upper = c == '-'
	}
	return header[string(key)]
}

// firstValue is the first value under a canonical key.
func firstValue(header http.Header, key string) string {
	if values := header[key]; len(values) > 0 {
		return strings.Trim(values[0], " \t")
	}
	return ""
}
