package sigv4

import (
	"bytes"
	"slices"
)

// parameter is one "name=value" of a canonical query, as offsets into the buffer
// that holds it.
type parameter struct{ start, equals, end int }

// queryRule says which parameters of a query are not signed.
type queryRule struct {
	// without are names whose first parameter is left out. Only the first of a
	// name is: that is the one a verifier reads, and a second one must not slip
	// past the signature. The names hold unreserved characters only, so they are
	// equal to their encoded forms.
	without [2]string
}

// appendCanonicalQuery writes the canonical query string for the raw query: every
// parameter decoded and encoded again, "=" after a bare name, sorted by name and
// then by value. The sort is by the two as separate keys: "a=1" comes before
// "a-b=2", which comparing whole parameters would get wrong.
func (work *scratch) appendCanonicalQuery(dst []byte, query string, rule queryRule) []byte {
	work.params, work.presigned = work.params[:0], false
	start, sorted := len(dst), true
	for i := 0; i < len(query); i++ { // i skips the "&" at the end of each round
		if query[i] == '&' {
			continue
		}
		before := len(dst)
		if len(work.params) > 0 {
			dst = append(dst, '&')
		}
		p := parameter{start: len(dst)}
		dst, i = appendReencoded(dst, query, i, '=')
		if string(dst[p.start:]) == "X-Amz-Algorithm" {
			work.presigned = true
		}
		if rule.drops(dst[p.start:]) {
			dst = dst[:before]
			for i < len(query) && query[i] != '&' {
				i++
			}
			continue
		}
		p.equals = len(dst)
		dst = append(dst, '=')
		if i < len(query) && query[i] == '=' {
			dst, i = appendReencoded(dst, query, i+1, '&')
		}
		p.end = len(dst)
		if n := len(work.params); n > 0 && compareParameters(dst, work.params[n-1], p) > 0 {
			sorted = false
		}
		work.params = append(work.params, p)
	}
	if sorted {
		return dst
	}
	return work.sortParameters(dst, start)
}

// sortParameters puts the parameters that stand in dst from start in order.
func (work *scratch) sortParameters(dst []byte, start int) []byte {
	work.unsorted = append(work.unsorted[:0], dst[start:]...)
	for i := range work.params {
		p := &work.params[i]
		p.start, p.equals, p.end = p.start-start, p.equals-start, p.end-start
	}
	unsorted := work.unsorted
	slices.SortFunc(work.params, func(a, b parameter) int { return compareParameters(unsorted, a, b) })
	dst = dst[:start]
	for i, p := range work.params {
		if i > 0 {
			dst = append(dst, '&')
		}
		dst = append(dst, unsorted[p.start:p.end]...)
	}
	return dst
}

func compareParameters(in []byte, a, b parameter) int {
	if c := bytes.Compare(in[a.start:a.equals], in[b.start:b.equals]); c != 0 {
		return c
	}
	return bytes.Compare(in[a.equals:a.end], in[b.equals:b.end])
}

// drops reports whether the parameter of this encoded name is not signed.
func (r *queryRule) drops(encoded []byte) bool {
	for i, name := range r.without {
		if name != "" && string(encoded) == name {
			r.without[i] = ""
			return true
		}
	}
	return false
}

// isNamed reports whether a raw name of a query decodes to name.
func isNamed(raw, name string) bool {
	if raw == name || len(raw) <= len(name) {
		return raw == name
	}
	i := 0
	for raw != "" {
		c, width := decodeByte(raw)
		if i == len(name) || c != name[i] {
			return false
		}
		raw = raw[width:]
		i++
	}
	return i == len(name)
}

// queryValue finds the first parameter of that name in a raw query and returns its
// raw value.
func queryValue(query, name string) (raw string, found bool) {
	for rest, more := query, query != ""; more; {
		var piece string
		piece, rest, more = cutByte(rest, '&')
		rawName, value, _ := cutByte(piece, '=')
		if isNamed(rawName, name) {
			return value, true
		}
	}
	return "", false
}
