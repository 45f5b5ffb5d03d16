package secrets_test

import (
	"encoding/base64"
	"slices"
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/secrets"
)

// The forms on the right are what the writers named make of the text by their own documents.
func TestForms(t *testing.T) {
	for _, tt := range []struct {
		writer, secret, form string
	}{
		{"nobody", "ab+cd/ef==", "ab+cd/ef=="},
		{"Go's url.QueryEscape, JavaScript's encodeURIComponent", "ab+cd/ef==", "ab%2Bcd%2Fef%3D%3D"},
		{".NET's HttpUtility.UrlEncode", "ab+cd/ef==", "ab%2bcd%2fef%3d%3d"},
		{"Python's urllib.parse.quote", "ab+cd/ef==", "ab%2Bcd/ef%3D%3D"},
		{"Go's url.PathEscape", "ab+cd/ef==", "ab+cd%2Fef=="},
		{"PHP's json_encode", "ab+cd/ef==", `ab+cd\/ef==`},
		{"Gson", "ab+cd/ef==", `ab+cd/ef\u003d\u003d`},
		{".NET's JsonSerializer", "ab+cd/ef==", `ab\u002Bcd/ef==`},
		{"Go's html/template", "ab+cd/ef==", "ab&#43;cd/ef=="},
		{"a canonical request", "a key", "a%20key"},
		{"a form", "a key", "a+key"},
		{"a canonical request of an escaped path", "ab+cd/ef==", "ab%252Bcd%252Fef%253D%253D"},
		{"a canonical request of what Go's url.PathEscape made", "ab+cd/ef==", "ab%2Bcd%252Fef%3D%3D"},
		{"Go's encoding/json", `a"b&c`, `a\"b\u0026c`},
		{"JavaScript's JSON.stringify", `a"b&c`, `a\"b&c`},
		{"Go's html.EscapeString", `a"b&c`, `a&#34;b&amp;c`},
		{"PHP's json_encode", `a"b/c`, `a\"b\/c`},
		{"JSON that is not quoted", `"a"`, `\"a\"`}, // its own quotation marks are part of it
	} {
		t.Run(tt.writer, func(t *testing.T) {
			forms := secrets.Forms(tt.secret)
			if !slices.Contains(forms, tt.form) {
				t.Errorf("got %q of %q, which lack %q", forms, tt.secret, tt.form)
			}
			if forms[0] != tt.secret {
				t.Errorf("got %q first, want the secret", forms[0])
			}
			if sorted := slices.Sorted(slices.Values(forms)); len(slices.Compact(sorted)) != len(forms) {
				t.Errorf("got %q: a form twice", forms)
			}
		})
	}
	if got := secrets.Forms(""); got != nil {
		t.Errorf("of the empty secret: got %q, want none", got)
	}
}

// What base64 makes of a text holds one of the forms, wherever the secret stands in it.
func TestFormsInBase64(t *testing.T) {
	const secret = "ab+cd/ef==?>~"
	for _, before := range []string{"", "x", "xy", "xyz", "wxyz"} {
		for name, encoding := range map[string]*base64.Encoding{"standard": base64.StdEncoding, "URL": base64.URLEncoding, "raw": base64.RawStdEncoding} {
			text := encoding.EncodeToString([]byte(before + secret + "after"))
			if !slices.ContainsFunc(secrets.Forms(secret), func(form string) bool { return len(form) > len(secret) && strings.Contains(text, form) }) {
				t.Errorf("%s, after %q: no form is in %q", name, before, text)
			}
		}
	}
}
