package local

import (
	"strings"
	"testing"
	"unicode"

	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/lambdahost"
	"github.com/marquee-api/marquee/internal/terminal"
)

// Whatever a function prints or a caller sends, it moves no cursor and changes no colour; and a request's own line fits
// into the terminal.
func FuzzLines(f *testing.F) {
	f.Add(`{"level":"INFO","msg":"\u001b[2Jx","_aws":{}}`, 80)
	f.Add("/dev/기생충\x1b]0;title\x07", 100)
	f.Add("a\u009bb\u202e", 61)
	f.Fuzz(func(t *testing.T, text string, columns int) {
		columns = 60 + columns%200
		if columns < 60 {
			columns = 60
		}
		j := journal{terminal: terminal.Terminal{}.WithColumns(columns)}
		line, _ := j.function(lambdahost.LogLine{Function: "f", Text: text})
		request := j.request(gateway.Record{Time: noon, Status: 403, Method: "GET", Door: "other_vpce", Path: text, Name: text, ErrorType: "X", Message: "m", Why: text})
		for _, out := range []string{line, request} {
			if i := strings.IndexFunc(out, func(r rune) bool { return unicode.IsControl(r) && r != '\n' }); i >= 0 {
				t.Fatalf("a control character at %d of %q", i, out)
			}
		}
		if first, _, _ := strings.Cut(request, "\n"); terminal.Width(first) > columns {
			t.Fatalf("%d columns for %d: %q", terminal.Width(first), columns, first)
		}
	})
}
