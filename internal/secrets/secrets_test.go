package secrets

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// No form of a secret is left in a text, wherever it stands and whatever stands beside it; and a set finds what a search
// for each secret finds.
func FuzzRemove(f *testing.F) {
	f.Add("wJalrXUtnFEMI/K7MDENG+secret", "api-key-0123456789", "before ", " after")
	f.Add("+/+/+/+/", "========", "", "")
	f.Add("aaaaaaaa", "aaaaaaaaa", "aaaa", "a")
	f.Add("é\x00\xff<>&'\"\\ ~", "....-_~~", "%", "/")
	f.Add("0123456789", "0123456789+", "x", "=")
	f.Fuzz(func(t *testing.T, one, other, before, after string) {
		if len(one) < Shortest || len(other) < Shortest || strings.Contains(Redacted, one) || strings.Contains(Redacted, other) {
			t.Skip()
		}
		var set Set
		set.Add(one, other)
		for _, hidden := range []string{one, other} {
			for _, form := range Forms(hidden) {
				// What stands beside it must not complete a form that begins or ends in another one.
				text := before + "\n" + form + "\n" + after
				got := Remove(text, one, other)
				if strings.Contains(got, "\n"+form+"\n") {
					t.Errorf("%q is left in %q", form, got)
				}
				if by := set.Text(text); by != got {
					t.Errorf("a set makes %q of it, a search for each secret %q", by, got)
				}
			}
		}
	})
}

func TestRemove(t *testing.T) {
	for name, tt := range map[string]struct {
		text, want string
		secrets    []string
	}{
		"nothing to remove":         {"a text", "a text", []string{"abcdefgh"}},
		"no secrets":                {"a text", "a text", nil},
		"too short to be a secret":  {"an abcdefg", "an abcdefg", []string{"abcdefg"}},
		"the shorter first":         {"<abcdefghTAIL abcdefgh>", "<[redacted] [redacted]>", []string{"abcdefgh", "abcdefghTAIL"}},
		"the longer first":          {"<abcdefghTAIL abcdefgh>", "<[redacted] [redacted]>", []string{"abcdefghTAIL", "abcdefgh"}},
		"without letters or digits": {"<+/+/+/+/>", "<[redacted]>", []string{"+/+/+/+/"}},
		// echo -n 'x=abcdefgh!' | base64: eD1hYmNkZWZnaCE=; the characters beside hold bits of what stands there.
		"in base64": {"eD1hYmNkZWZnaCE=", "eD1[redacted]CE=", []string{"abcdefgh"}},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Remove(tt.text, tt.secrets...); got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
			var set Set
			set.Add(tt.secrets...)
			if got := set.Text(tt.text); got != tt.want {
				t.Errorf("by a set: got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestSetForgets(t *testing.T) {
	var set Set
	set.Remove("was never there") // of an empty set
	set.Add("first-secret", "+/+/+/+/", "first-secret")
	for _, step := range []struct {
		remove, want string
	}{
		{"", "[redacted] [redacted] [redacted]"},
		{"first-secret", "[redacted] [redacted] [redacted]"}, // it was added twice
		{"first-secret", "first-secret [redacted] [redacted]"},
		{"+/+/+/+/", "first-secret +/+/+/+/ [redacted]"},
		{"unknown-secret", "first-secret +/+/+/+/ [redacted]"},
	} {
		set.Remove(step.remove)
		if got := set.Text("first-secret +/+/+/+/ another-one", "another-one"); got != step.want {
			t.Errorf("after removing %q: got %q, want %q", step.remove, got, step.want)
		}
	}
	if len(set.marks) != 0 || len(set.plain) != 0 {
		t.Errorf("%d words and %d plain secrets are left of nothing", len(set.marks), len(set.plain))
	}
}

// Many sessions are minted while requests are looked through.
func TestSetIsSafeForConcurrentUse(t *testing.T) {
	var set Set
	var all sync.WaitGroup
	for i := range 8 {
		all.Go(func() {
			for j := range 200 {
				secret := fmt.Sprintf("secret/%d+%d", i, j)
				set.Add(secret)
				if got := set.Text("<" + secret + ">"); got != "<[redacted]>" {
					t.Errorf("got %q", got)
				}
				set.Remove(secret)
			}
		})
	}
	all.Wait()
}

func TestMarkOf(t *testing.T) {
	for name, tt := range map[string]struct{ text, want string }{
		"nothing":               {"+/=", ""},
		"the whole":             {"abc123", "abc123"},
		"the longest run":       {"ab/cdef+gh", "cdef"},
		"at the end":            {"a/bc", "bc"},
		"of a long one, enough": {"-" + strings.Repeat("x", 100), strings.Repeat("x", longestMark)},
	} {
		if got := markOf(tt.text); got != tt.want {
			t.Errorf("%s: got %q, want %q", name, got, tt.want)
		}
	}
}

// BenchmarkSet is what a text without a secret costs, with as many secrets as a usual run has and with very many.
func BenchmarkSet(b *testing.B) {
	text := strings.Repeat(`{"title":"The Silent Harbour","year":1999,"rating":7.5},`, 20)
	for _, n := range []int{40, 20_000} {
		b.Run(fmt.Sprint(n), func(b *testing.B) {
			var set Set
			for i := range n {
				set.Add(fmt.Sprintf("%016x%016x%d", uint64(i)*0x9e3779b97f4a7c15, uint64(i)*0xbf58476d1ce4e5b9, i))
			}
			b.SetBytes(int64(len(text)))
			for b.Loop() {
				set.Text(text)
			}
		})
	}
}
