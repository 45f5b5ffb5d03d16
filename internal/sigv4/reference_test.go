package sigv4_test

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
)

// The canonical request once more, slow and obvious, after "Create a canonical
// request" in the IAM User Guide. It shares nothing with the package.
func referenceCanonical(method, target, host string, header http.Header, signedHeaders, payload string) string {
	path, query, _ := strings.Cut(target, "?")
	lines := []string{method, referenceEncode(referencePath(path), "/"), referenceQuery(query)}
	for name := range strings.SplitSeq(signedHeaders, ";") {
		values := []string{host}
		if name != "host" {
			values = header.Values(name)
		}
		var trimmed []string
		for _, value := range values {
			words := strings.FieldsFunc(value, func(r rune) bool { return strings.ContainsRune(" \t\r\n", r) })
			trimmed = append(trimmed, strings.Join(words, " "))
		}
		lines = append(lines, name+":"+strings.Join(trimmed, ","))
	}
	return strings.Join(append(lines, "", signedHeaders, payload), "\n")
}

func referencePath(path string) string {
	var kept []string
	for segment := range strings.SplitSeq(path, "/") {
		switch {
		case segment == "" || segment == ".":
		case segment == "..":
			if len(kept) > 0 {
				kept = kept[:len(kept)-1]
			}
		default:
			kept = append(kept, segment)
		}
	}
	joined := strings.Join(kept, "/")
	if strings.HasPrefix(path, "/") || joined == "" {
		joined = "/" + joined
	}
	if len(kept) > 0 && strings.HasSuffix(path, "/") {
		joined += "/"
	}
	return joined
}

func referenceQuery(query string) string {
	type pair struct{ name, value string }
	var pairs []pair
	for piece := range strings.SplitSeq(query, "&") {
		if piece == "" {
			continue
		}
		name, value, _ := strings.Cut(piece, "=")
		pairs = append(pairs, pair{referenceEncode(referenceDecode(name), ""), referenceEncode(referenceDecode(value), "")})
	}
	slices.SortFunc(pairs, func(a, b pair) int {
		if a.name != b.name {
			return strings.Compare(a.name, b.name)
		}
		return strings.Compare(a.value, b.value)
	})
	var out []string
	for _, p := range pairs {
		out = append(out, p.name+"="+p.value)
	}
	return strings.Join(out, "&")
}

func referenceEncode(s, safe string) string {
	const unreserved = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
	out := ""
	for _, c := range []byte(s) {
		if strings.IndexByte(unreserved+safe, c) >= 0 {
			out += string(rune(c))
		} else {
			out += fmt.Sprintf("%%%02X", c)
		}
	}
	return out
}

func referenceDecode(s string) string {
	var out []byte
	for i := 0; i < len(s); i++ {
		var c byte
		switch {
		case s[i] == '+':
			out = append(out, ' ')
		case s[i] == '%' && i+2 < len(s) && isHex(s[i+1]) && isHex(s[i+2]):
			fmt.Sscanf(s[i+1:i+3], "%02x", &c)
			out = append(out, c)
			i += 2
		default:
			out = append(out, s[i])
		}
	}
	return string(out)
}

func isHex(c byte) bool { return strings.IndexByte("0123456789abcdefABCDEF", c) >= 0 }
