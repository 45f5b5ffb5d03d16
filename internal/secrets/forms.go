package secrets

import (
	"encoding/base64"
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// Forms lists how a secret may stand in a text that was made from it: itself first, then as a query, a path, JSON, HTML or
// base64 writes it, each form once; none of the empty secret. Of base64, which looks different by what stands before, they
// are the pieces that depend on the secret alone.
func Forms(secret string) []string {
	if secret == "" {
		return nil
	}
	forms := []string{secret}
	if strings.IndexFunc(secret, escapable) >= 0 { // a signature, most often, has only one
		forms = escaped(secret)
	}
	forms = append(forms, encoded(secret)...)
	var each []string
	for _, form := range forms {
		if !slices.Contains(each, form) {
			each = append(each, form)
		}
	}
	return each
}

func escaped(secret string) []string {
	query := url.QueryEscape(secret)
	spaced := strings.ReplaceAll(query, "+", "%20") // as a canonical request has it
	forms := []string{
		secret, query, spaced, lowerEscapes(query), lowerEscapes(spaced),
		strings.ReplaceAll(spaced, "%2F", "/"), // Python's quote
		url.PathEscape(secret),
		html.EscapeString(secret), strings.ReplaceAll(html.EscapeString(secret), "+", "&#43;"), // html/template
		strings.ReplaceAll(secret, "/", `\/`),
	}
	quoted, _ := json.Marshal(secret)
	safe := string(quoted[1 : len(quoted)-1]) // of HTML's characters, too
	plain := strings.NewReplacer(`\u003c`, "<", `\u003e`, ">", `\u0026`, "&").Replace(safe)
	forms = append(forms, safe, plain,
		strings.ReplaceAll(plain, "/", `\/`),                            // PHP's json_encode
		strings.NewReplacer("=", `\u003d`, "'", `\u0027`).Replace(safe), // Gson
		strings.ReplaceAll(safe, "+", `\u002B`),                         // .NET's JsonSerializer
	)
	for _, form := range forms {
		if strings.Contains(form, "%") {
			forms = append(forms, canonical(form))
		}
	}
	return forms
}

// canonical is a path as a canonical request has it: escaped as it came, and once more.
func canonical(path string) string {
	return strings.NewReplacer("+", "%20", "%2F", "/").Replace(url.QueryEscape(path))
}

// encoded lists what base64 makes of the secret in the three places that it can have in a group of three bytes, by either
// alphabet (RFC 4648, sections 4 and 5), without the characters that hold bits of what stands beside it.
func encoded(secret string) []string {
	var forms []string
	for before, first := range []int{0, 2, 3} {
		bytes := append(make([]byte, before), secret...)
		last := len(bytes) * 8 / 6
		if first >= last {
			continue
		}
		forms = append(forms, base64.StdEncoding.EncodeToString(bytes)[first:last], base64.URLEncoding.EncodeToString(bytes)[first:last])
	}
	return forms
}

// escapable reports whether some form writes a character otherwise.
func escapable(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("-._~", r))
}

var percentEscape = regexp.MustCompile(`%[0-9A-F]{2}`)

// lowerEscapes writes the escapes of a text in lower case: RFC 3986, section 2.1, holds both for equal.
func lowerEscapes(escaped string) string {
	return percentEscape.ReplaceAllStringFunc(escaped, strings.ToLower)
}
