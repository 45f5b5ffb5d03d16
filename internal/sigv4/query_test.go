package sigv4

import (
	"strings"
	"testing"
)

func TestCanonicalQuery(t *testing.T) {
	for _, tt := range []struct{ name, raw, want string }{
		{"empty", "", ""},
		{"one", "a=1", "a=1"},
		{"sorted by name", "b=2&a=1", "a=1&b=2"},
		{"sorted by value", "a=2&a=1&a=", "a=&a=1&a=2"},
		{"name and value are two keys", "a-b=2&a=1", "a=1&a-b=2"},
		{"upper case first", "b=1&B=2&a=3&A=4", "A=4&B=2&a=3&b=1"},
		{"sorted after encoding", "k=a-b&k=a/b", "k=a%2Fb&k=a-b"},
		{"bare name", "flag", "flag="},
		{"bare and empty", "flag&flag=", "flag=&flag="},
		{"equals in a value", "a=b=c==", "a=b%3Dc%3D%3D"},
		{"no name", "=a", "=a"},
		{"empty pieces", "&&b=1&&a=2&", "a=2&b=1"},
		{"only ampersands", "&&", ""},
		{"plus is a space", "q=a+b", "q=a%20b"},
		{"escaped plus", "q=a%2Bb", "q=a%2Bb"},
		{"escaped space", "q=a%20b", "q=a%20b"},
		{"plus in a name", "a+b=1", "a%20b=1"},
		{"lower-case escape", "q=%2f", "q=%2F"},
		{"escaped unreserved", "%61=%7E", "a=~"},
		{"semicolon is ordinary", "a=1;b=2", "a=1%3Bb%3D2"},
		{"raw UTF-8", "q=\u1234", "q=%E1%88%B4"},
		{"percent without digits", "q=100%", "q=100%25"},
		{"percent with one digit", "q=%1", "q=%251"},
		{"percent with other letters", "q=%zz", "q=%25zz"},
		{"escaped ampersand and equals", "a%26b%3Dc=%26", "a%26b%3Dc=%26"},
		{"sub-delims", "q=!'()*", "q=%21%27%28%29%2A"},
		{"more than twelve", "m&l&k&j&i&h&g&f&e&d&c&b&a", "a=&b=&c=&d=&e=&f=&g=&h=&i=&j=&k=&l=&m="},
	} {
		t.Run(tt.name, func(t *testing.T) {
			work := getScratch()
			defer work.release()
			if got := string(work.appendCanonicalQuery([]byte("x"), tt.raw, queryRule{})); got != "x"+tt.want {
				t.Errorf("%q: got %q, want %q", tt.raw, got, "x"+tt.want)
			}
		})
	}
}

func TestCanonicalQueryWithout(t *testing.T) {
	const signature = "X-Amz-Signature"
	for _, tt := range []struct{ name, raw, want string }{
		{"at the end", "a=1&X-Amz-Signature=f", "a=1"},
		{"at the start", "X-Amz-Signature=f&a=1", "a=1"},
		{"in between, out of order", "b=1&X-Amz-Signature=f&a=1", "a=1&b=1"},
		{"alone", "X-Amz-Signature=f", ""},
		{"without a value", "X-Amz-Signature&a", "a="},
		{"escaped name", "X%2DAmz%2dSignature=f&a", "a="},
		{"only the first", "X-Amz-Signature=1&X-Amz-Signature=2", "X-Amz-Signature=2"},
		{"other case stays", "x-amz-signature=1", "x-amz-signature=1"},
		{"longer name stays", "X-Amz-Signature2=1", "X-Amz-Signature2=1"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			work := getScratch()
			defer work.release()
			rule := queryRule{without: [2]string{signature}}
			if got := string(work.appendCanonicalQuery(nil, tt.raw, rule)); got != tt.want {
				t.Errorf("%q: got %q, want %q", tt.raw, got, tt.want)
			}
		})
	}
}

func TestQueryValue(t *testing.T) {
	for _, tt := range []struct {
		name, query, want string
		found             bool
	}{
		{"absent", "a=1&b=2", "", false},
		{"empty query", "", "", false},
		{"present", "a=1&X-Amz-Date=2", "2", true},
		{"first wins", "X-Amz-Date=1&X-Amz-Date=2", "1", true},
		{"bare", "X-Amz-Date", "", true},
		{"raw value", "X-Amz-Date=a%2Fb+c", "a%2Fb+c", true},
		{"escaped name", "X-Amz%2DDat%65=1", "1", true},
		{"prefix", "X-Amz-Dat=1", "", false},
		{"escape that makes it longer", "X-Amz-Date%20=1", "", false},
		{"other case", "x-amz-date=1", "", false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			got, found := queryValue(tt.query, "X-Amz-Date")
			if got != tt.want || found != tt.found {
				t.Errorf("%q: got %q, %v, want %q, %v", tt.query, got, found, tt.want, tt.found)
			}
		})
	}
}

func TestDecodeQuery(t *testing.T) {
	for raw, want := range map[string]string{
		"": "", "plain": "plain", "a+b": "a b", "%41%2f": "A/", "100%": "100%", "%g1": "%g1", "%1g": "%1g", "%": "%",
	} {
		if got := decodeQuery(raw); got != want {
			t.Errorf("decodeQuery(%q): got %q, want %q", raw, got, want)
		}
	}
}

// A query of thousands of parameters must not take quadratic time: the target of a
// request may be long, and nobody is authenticated yet.
func TestCanonicalQueryLong(t *testing.T) {
	work := getScratch()
	defer work.release()
	compared := 0
	pieces := make([]string, 4000)
	for i := range pieces {
		pieces[i] = string(rune('a'+i%26)) + string(rune('a'+i/26%26))
	}
	got := string(work.appendCanonicalQuery(nil, strings.Join(pieces, "&"), queryRule{}))
	last := ""
	for piece := range strings.SplitSeq(got, "&") {
		if piece < last {
			t.Fatalf("%q comes after %q", piece, last)
		}
		last = piece
		compared++
	}
	if compared != len(pieces) {
		t.Errorf("got %d parameters, want %d", compared, len(pieces))
	}
}
