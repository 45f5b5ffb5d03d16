package answer

import (
	"bytes"
	"encoding/json"
	"regexp"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestColourJSON(t *testing.T) {
	const k, s, n, l, off = "\x1b[34m", "\x1b[32m", "\x1b[36m", "\x1b[35m", "\x1b[0m"
	for name, tt := range map[string]struct{ text, want string }{
		"object":         {`{"a":1}`, "{\n  " + k + `"a"` + off + ": " + n + "1" + off + "\n}\n"},
		"every kind":     {`["s",-1.5e+3,true,null]`, "[\n  " + s + `"s"` + off + ",\n  " + n + "-1.5e+3" + off + ",\n  " + l + "true" + off + ",\n  " + l + "null" + off + "\n]\n"},
		"quotes":         {`{"a\"":"b\\"}`, "{\n  " + k + `"a\""` + off + ": " + s + `"b\\"` + off + "\n}\n"},
		"string alone":   {`"a"`, s + `"a"` + off + "\n"},
		"DEL and C1":     {"\"a\u007f\u009b2J\"", s + `"a\u007f\u009b2J"` + off + "\n"},
		"not UTF-8":      {"\"a\x9b2J\"", s + "\"a\uFFFD2J\"" + off + "\n"},
		"no JSON":        {`<html>`, ``},
		"nothing":        {``, ``},
		"JSON cut short": {`{"a":`, ``},
	} {
		t.Run(name, func(t *testing.T) {
			got, ok := colourJSON([]byte(tt.text))
			if string(got) != tt.want || ok != (tt.want != "") {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// FuzzColourJSON: without its colours the text is the same document, and nothing in it controls a terminal.
func FuzzColourJSON(f *testing.F) {
	for _, seed := range []string{`{"a":[1,"b",null]}`, `"\u0041\\"`, `-0.1E-2`, `x`, ``, "\"\u009b\x7f\xff\"", "[1,\r\n\t2]"} {
		f.Add([]byte(seed))
	}
	colours := regexp.MustCompile("\x1b\\[[0-9]+m")
	f.Fuzz(func(t *testing.T, text []byte) {
		coloured, ok := colourJSON(text)
		if !ok {
			return
		}
		plain := colours.ReplaceAll(coloured, nil)
		if bytes.ContainsFunc(plain, func(r rune) bool { return r != '\n' && controls(r) }) {
			t.Errorf("%q became %q, which controls terminals", text, plain)
		}
		decode := func(text []byte) (value any) {
			d := json.NewDecoder(bytes.NewReader(text))
			d.UseNumber()
			if err := d.Decode(&value); err != nil {
				t.Fatalf("%q: %v", text, err)
			}
			return value
		}
		if diff := cmp.Diff(decode(text), decode(plain)); diff != "" {
			t.Errorf("%q became %q:\n%s", text, plain, diff)
		}
	})
}
