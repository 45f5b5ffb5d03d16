package gateway

import (
	"strings"
	"testing"
)

// What the cheap look passes over holds nothing that the expression would remove.
func FuzzMayHoldToken(f *testing.F) {
	for _, seed := range []string{
		"", "a\n\nx-api-key:b\nsignature=\nc", "cookie:\nx", "x\rcookie:y\r\n", `{"Items":[{"title":"Amélie"}]}`, "X-AMZ-SECURITY-TOKEN=a&b", "x-Api-Key:k", "Signature=" + strings.Repeat("0f", 32),
		"x-amz-\u017fecurity-token=a", "coo\u212aie:c", "x-api-\u212aey:c", "a\nCookie: c\nb", "Proxy-Authorization:Basic x",
	} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, s string) {
		if got, want := redact(s), tokens.ReplaceAllString(s, "${1}${2}${3}"+redacted); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}

// No form of a secret is left in a text, wherever it stands and whatever stands beside it.
func FuzzScrubber(f *testing.F) {
	f.Add("wJalrXUtnFEMI/K7MDENG+secret", "api-key-0123456789", "before ", " after")
	f.Add("+/+/+/+/", "========", "", "")
	f.Add("aaaaaaaa", "aaaaaaaaa", "aaaa", "a")
	f.Add("é\x00\xff<>&'\"\\ ~", "....-_~~", "%", "/")
	f.Add("0123456789", "0123456789+", "x", "=")
	f.Fuzz(func(t *testing.T, one, other, before, after string) {
		if len(one) < shortestSecret || len(other) < shortestSecret || strings.Contains(redacted, one) || strings.Contains(redacted, other) {
			t.Skip()
		}
		var s scrubber
		s.add(one, other)
		for _, hidden := range []string{one, other} {
			for _, form := range SecretForms(hidden) {
				// What stands beside it must not complete a form that begins or ends in another one.
				if got := s.text(before + "\n" + form + "\n" + after); strings.Contains(got, "\n"+form+"\n") {
					t.Errorf("%q is left in %q", form, got)
				}
			}
		}
		if clean := "nothing"; s.text(clean) != clean && !strings.Contains(clean, one) && !strings.Contains(clean, other) {
			t.Errorf("got %q of %q", s.text(clean), clean)
		}
	})
}

// Where one secret begins as another does, nothing of the longer one is left.
func TestScrubberTakesTheLongerSecretWhole(t *testing.T) {
	for name, secrets := range map[string][]string{"the shorter first": {"abcdefgh", "abcdefghTAIL"}, "the longer first": {"abcdefghTAIL", "abcdefgh"}} {
		var s scrubber
		s.add(secrets...)
		if got := s.text("<abcdefghTAIL abcdefgh>"); got != "<[redacted] [redacted]>" {
			t.Errorf("%s: got %q", name, got)
		}
	}
}

func TestProbeOf(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"nothing":               {"+/=", ""},
		"the whole":             {"abc123", "abc123"},
		"the longest run":       {"ab/cdef+gh", "cdef"},
		"at the end":            {"a/bc", "bc"},
		"of a long one, enough": {"-" + strings.Repeat("x", 100), strings.Repeat("x", longestProbe)},
	} {
		if got := probeOf(tt.text); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}
