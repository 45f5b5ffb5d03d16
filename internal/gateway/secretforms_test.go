package gateway_test

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/gateway"
)

// The forms on the right are what the writers named make of the text by their own documents.
func TestSecretForms(t *testing.T) {
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
		{"Go's encoding/json", `a"b&c`, `a\"b\u0026c`},
		{"JavaScript's JSON.stringify", `a"b&c`, `a\"b&c`},
		{"Go's html.EscapeString", `a"b&c`, `a&#34;b&amp;c`},
		{"PHP's json_encode", `a"b/c`, `a\"b\/c`},
		{"JSON that is not quoted", `"a"`, `\"a\"`}, // its own quotation marks are part of it
	} {
		t.Run(tt.writer, func(t *testing.T) {
			forms := gateway.SecretForms(tt.secret)
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
	if got := gateway.SecretForms(""); got != nil {
		t.Errorf("of the empty secret: got %q, want none", got)
	}
	signature := strings.Repeat("0a", 32)
	if diff := cmp.Diff([]string{signature}, gateway.SecretForms(signature)); diff != "" {
		t.Errorf("of a signature (-want +got):\n%s", diff)
	}
}
