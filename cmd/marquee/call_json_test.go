package main

import (
	"bytes"
	"encoding/json"
	"regexp"
	"testing"
)

func TestColourJSON(t *testing.T) {
	const k, s, n, l, off = "\x1b[34m", "\x1b[32m", "\x1b[36m", "\x1b[35m", "\x1b[0m"
	for name, tt := range map[string]struct{ text, want string }{
		"object":         {`{"a":1}`, "{\n  " + k + `"a"` + off + ": " + n + "1" + off + "\n}\n"},
		"every kind":     {`["s",-1.5e+3,true,null]`, "[\n  " + s + `"s"` + off + ",\n  " + n + "-1.5e+3" + off + ",\n  " + l + "true" + off + ",\n  " + l + "null" + off + "\n]\n"},
		"quotes":         {`{"a\"":"b\\"}`, "{\n  " + k + `"a\""` + off + ": " + s + `"b\\"` + off + "\n}\n"},
		"string alone":   {`"a"`, s + `"a"` + off + "\n"},
		"no JSON":        {`<html>`, `<html>`},
		"nothing":        {``, ``},
		"JSON cut short": {`{"a":`, `{"a":`},
	} {
		t.Run(name, func(t *testing.T) {
			if got := string(colourJSON([]byte(tt.text))); got != tt.want {
				t.Errorf("got  %q\nwant %q", got, tt.want)
			}
		})
	}
}

// FuzzColourJSON: without its colours the text is the same document.
func FuzzColourJSON(f *testing.F) {
	for _, seed := range []string{`{"a":[1,"b",null]}`, `"\u0041\\"`, `-0.1E-2`, `x`, ``} {
		f.Add([]byte(seed))
	}
	colours := regexp.MustCompile("\x1b\\[[0-9]+m")
	f.Fuzz(func(t *testing.T, text []byte) {
		plain := colours.ReplaceAll(colourJSON(text), nil)
		var want, got bytes.Buffer
		if json.Compact(&want, text) != nil {
			return // not JSON, and then left alone, escapes of its own included
		}
		if err := json.Compact(&got, plain); err != nil || got.String() != want.String() {
			t.Errorf("%q became %q (%v)", text, plain, err)
		}
	})
}
