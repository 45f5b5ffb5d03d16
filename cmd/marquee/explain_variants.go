package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/marquee-api/marquee/internal/capture"
)

// variant is another form of a path, a query or a header value.
type variant struct{ text, why string }

// pathVariants are forms in which the raw path may have been signed. What a client makes of the path itself is not
// among them: sigv4 knows that.
func pathVariants(path string) []variant {
	list := []variant{{path + "/", "the client signed the path with a slash at its end"}}
	if trimmed := strings.TrimRight(path, "/"); trimmed != path && trimmed != "" {
		list = append(list, variant{trimmed, "the client signed the path without the slash at its end"})
	}
	for _, stage := range []string{"dev", "test", "staging", "stage", "prod", "production", "v1", "$default", "default"} {
		list = append(list, variant{"/" + stage + path, "the client signed the path with /" + stage + " before it: something on the way removed the stage, or the URL lacks it"})
	}
	const anew = "something between signing and sending encoded the path anew: sign the path as it is sent, and let no proxy decode it"
	list = append(list,
		variant{escape.ReplaceAllStringFunc(path, strings.ToLower), "the escapes of the path were signed in lower case (%2f) and sent in upper case"},
		variant{escape.ReplaceAllStringFunc(path, strings.ToUpper), "the escapes of the path were signed in upper case (%2F) and sent in lower case"},
		variant{strings.ReplaceAll(path, "%25", "%"), "the path was encoded once more after signing"},
		variant{strings.ReplaceAll(path, "%", "%25"), "the path was signed with its escapes encoded twice, and sent with them encoded once"},
		variant{strings.ReplaceAll(path, "%2F", "/"), "the path was signed with a slash and sent with %2F, which is not the same"}, variant{strings.ReplaceAll(path, "+", "%20"), anew},
		variant{strings.ReplaceAll(path, "%20", "+"), anew})
	for i := range path {
		if i > 0 && path[i] == '/' {
			list = append(list, variant{path[:i] + "%2F" + path[i+1:], "the path was signed with %2F and something on the way made a slash of it: let no proxy decode the path"})
		}
	}
	if decoded, err := url.PathUnescape(path); err == nil {
		list = append(list, variant{decoded, anew}, variant{encodeAll(decoded, "/"), anew},
			variant{(&url.URL{Path: decoded}).EscapedPath(), anew}, variant{encodeAll(decoded, "/!$&'()*+,:;=@"), anew})
	}
	return slices.DeleteFunc(list, func(v variant) bool { return v.text == path })
}

var escape = regexp.MustCompile(`%[0-9A-Fa-f]{2}`)

// encodeAll percent-encodes every byte that is neither unreserved (RFC 3986 section 2.3) nor kept.
func encodeAll(s, kept string) string {
	var b strings.Builder
	for i := range len(s) {
		c := s[i]
		switch {
		case 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9' || strings.IndexByte("-._~"+kept, c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	return b.String()
}

// queryVariants are forms in which the raw query may have been signed.
func queryVariants(query string) []variant {
	list := []variant{
		{strings.ReplaceAll(query, "%2B", "+"), "the query was signed with a space and sent with a plus (%2B): something took the plus that stood for the space for a real one"},
		{strings.ReplaceAll(query, "%25", "%"), "the query was encoded once more after signing"},
		{strings.ReplaceAll(query, "%", "%25"), "the query was signed with its escapes encoded twice, and sent with them encoded once"},
	}
	pieces := strings.Split(query, "&")
	for i, piece := range pieces {
		name, _, _ := strings.Cut(piece, "=")
		if strings.HasPrefix(name, "X-Amz-") {
			continue
		}
		without := strings.Join(slices.Delete(slices.Clone(pieces), i, i+1), "&")
		list = append(list, variant{without, fmt.Sprintf("the parameter %s was added after signing", visible(name))})
		if len(list) > 100 {
			break
		}
	}
	return slices.DeleteFunc(list, func(v variant) bool { return v.text == query })
}

// headerVariants are values with which a signed header may have been signed, given those with which it arrived.
func headerVariants(name string, values []string, bodyLength int) []variant {
	if len(values) == 0 || slices.Contains([]string{"host", "x-amz-date", "x-amz-security-token", "x-amz-content-sha256"}, name) {
		return nil
	}
	const changed = "something on the way, or the HTTP library, wrote the value anew after signing"
	joined := strings.Join(values, ",")
	list := []variant{
		{strings.Join(values, ", "), "the client signed the values of the repeated header with a comma and a space between them: they are joined with a comma alone"},
		{strings.ReplaceAll(joined, ", ", ","), "several headers of this name were signed, and something on the way joined them with a comma and a space"},
		{utf8FromLatin1(joined), "the value was signed as UTF-8 and sent as Latin-1: keep header values within ASCII"},
		{strings.ToLower(joined), "the client signed the value in lower case"},
	}
	for _, value := range usualValues(name, joined, bodyLength) {
		list = append(list, variant{value, "the header was signed as " + visible(value) + ": " + changed})
	}
	return slices.DeleteFunc(list, func(v variant) bool { return v.text == joined })
}

// usualValues are what clients send by default in headers that proxies and libraries rewrite.
func usualValues(name, value string, bodyLength int) []string {
	switch name {
	case "content-type":
		kind, _, _ := strings.Cut(value, ";")
		list := []string{kind}
		for _, kind := range []string{kind, "application/json", "application/x-www-form-urlencoded", "application/octet-stream", "text/plain"} {
			list = append(list, kind, kind+"; charset=utf-8", kind+"; charset=UTF-8", kind+";charset=utf-8", kind+";charset=UTF-8")
		}
		return list
	case "content-length":
		return []string{fmt.Sprint(bodyLength), "0"}
	case "accept":
		return []string{"*/*", "application/json", "application/json, text/plain, */*"}
	case "accept-encoding":
		return []string{"", "identity", "gzip", "gzip, deflate", "gzip, deflate, br", "gzip, deflate, br, zstd"}
	case "connection":
		return []string{"keep-alive", "close"}
	}
	return nil
}

func utf8FromLatin1(s string) string {
	runes := make([]rune, 0, len(s))
	for i := range len(s) {
		runes = append(runes, rune(s[i]))
	}
	return string(runes)
}

// bodyVariant is another form of a body.
type bodyVariant struct {
	body []byte
	why  string
}

// bodyVariants are forms in which a body may have been hashed.
func bodyVariants(body []byte, header http.Header) []bodyVariant {
	list := []bodyVariant{
		{slices.Concat(body, []byte("\n")), "the client hashed the body with a line end that was not sent (curl -d @FILE drops it, --data-binary keeps it)"},
		{bytes.TrimRight(body, "\r\n"), "the client hashed the body without the line end that was sent"},
		{bytes.ReplaceAll(body, []byte("\r\n"), []byte("\n")), "the client hashed the body with LF line ends, and it was sent with CR LF"},
		{bytes.ReplaceAll(body, []byte("\n"), []byte("\r\n")), "the client hashed the body with CR LF line ends, and it was sent with LF"},
	}
	var compact bytes.Buffer
	if json.Compact(&compact, body) == nil {
		const why = "the client hashed the same JSON with other white space: something serialised it again after signing"
		list = append(list, bodyVariant{compact.Bytes(), why}, bodyVariant{spacedJSON(compact.Bytes()), why})
	}
	if header.Get("Content-Encoding") == "gzip" {
		if plain, err := gunzip(body); err == nil {
			list = append(list, bodyVariant{plain, "the client hashed the body before it was compressed: hash what is sent"})
		}
	}
	return slices.DeleteFunc(list, func(v bodyVariant) bool { return bytes.Equal(v.body, body) })
}

// spacedJSON puts a space after each comma and colon of compact JSON, as Python's json.dumps does.
func spacedJSON(compact []byte) []byte {
	var out []byte
	quoted, escaped := false, false
	for _, c := range compact {
		out = append(out, c)
		switch {
		case escaped:
			escaped = false
		case quoted && c == '\\':
			escaped = true
		case c == '"':
			quoted = !quoted
		case !quoted && (c == ',' || c == ':'):
			out = append(out, ' ')
		}
	}
	return out
}

func gunzip(body []byte) ([]byte, error) {
	in, err := gzip.NewReader(bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	return io.ReadAll(io.LimitReader(in, capture.MaxBody))
}
