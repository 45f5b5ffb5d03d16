package gateway

import (
	"encoding/json"
	"html"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// SecretForms lists how a secret may stand in a text that was made from it: itself first, then as a query, a path, JSON or
// HTML writes it, each form once; none of the empty secret. A text in base64 is not looked through by these.
func SecretForms(secret string) []string {
	switch {
	case secret == "":
		return nil
	case strings.IndexFunc(secret, escapable) < 0:
		return []string{secret} // a signature, most often
	}
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
	var each []string
	for _, form := range forms {
		if !slices.Contains(each, form) {
			each = append(each, form)
		}
	}
	return each
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
