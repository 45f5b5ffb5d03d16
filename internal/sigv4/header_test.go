package sigv4

import (
	"net/http"
	"strings"
	"testing"
)

func TestHeaderValue(t *testing.T) {
	for _, tt := range []struct{ name, value, want, keptTabs string }{
		{name: "plain", value: "a", want: "a"},
		{name: "empty", value: "", want: ""},
		{name: "only spaces", value: "   ", want: ""},
		{name: "outer spaces", value: "  a b  ", want: "a b"},
		{name: "inner spaces", value: "a   b    c", want: "a b c"},
		{name: "inside quotes, too", value: `"a   b"`, want: `"a b"`},
		{name: "tab", value: "a\tb", want: "a b", keptTabs: "a\tb"},
		{name: "tab and spaces", value: "a \t b", want: "a b", keptTabs: "a \t b"},
		{name: "outer tabs", value: "\ta\t", want: "a", keptTabs: "a"},
		{name: "folded", value: "a\r\n  b", want: "a b", keptTabs: "a b"},
		{name: "no-break space is no white space", value: "a\u00a0\u00a0b", want: "a\u00a0\u00a0b"},
		{name: "comma stays", value: "a, b,c", want: "a, b,c"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.keptTabs == "" {
				tt.keptTabs = tt.want
			}
			if got := string(appendHeaderValue([]byte("x"), tt.value, false)); got != "x"+tt.want {
				t.Errorf("%q: got %q, want %q", tt.value, got, "x"+tt.want)
			}
			if got := string(appendHeaderValue([]byte("x"), tt.value, true)); got != "x"+tt.keptTabs {
				t.Errorf("%q with kept tabs: got %q, want %q", tt.value, got, "x"+tt.keptTabs)
			}
		})
	}
}

func TestHeaderLines(t *testing.T) {
	for _, tt := range []struct {
		name          string
		fields        []field // in any order
		lines, signed string
	}{
		{"one", []field{{name: "host", own: []byte("h")}}, "host:h\n", "host"},
		{"sorted", []field{{name: "x-b", values: []string{"2"}}, {name: "host", own: []byte("h")}, {name: "x-a", values: []string{"1"}}},
			"host:h\nx-a:1\nx-b:2\n", "host;x-a;x-b"},
		{"lower case", []field{{name: "X-Amz-Date", values: []string{"d"}}}, "x-amz-date:d\n", "x-amz-date"},
		{"hyphen before letters", []field{{name: "X-Ab", values: []string{"1"}}, {name: "X-A", values: []string{"2"}}, {name: "X-A-B", values: []string{"3"}}},
			"x-a:2\nx-a-b:3\nx-ab:1\n", "x-a;x-a-b;x-ab"},
		{"repeated, in order of arrival", []field{{name: "X", values: []string{"b", "  a ", "b"}}}, "x:b,a,b\n", "x"},
		{"empty value", []field{{name: "x", values: []string{""}}}, "x:\n", "x"},
		{"two spellings are one header", []field{{name: "x-A", values: []string{"2"}}, {name: "host", own: []byte("h")}, {name: "X-A", values: []string{"1"}}},
			"host:h\nx-a:1,2\n", "host;x-a"},
		{"three spellings", []field{{name: "x-a", values: []string{"3"}}, {name: "X-A", values: []string{"1"}}, {name: "X-a", values: []string{"2"}}, {name: "x-b", values: []string{"4"}}},
			"x-a:1,2,3\nx-b:4\n", "x-a;x-b"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var fields []field
			for _, f := range tt.fields {
				fields = insertField(fields, f)
			}
			if got := string(appendHeaderLines(nil, fields, false)); got != tt.lines {
				t.Errorf("lines: got %q, want %q", got, tt.lines)
			}
			if got := string(appendSignedHeaders(nil, fields)); got != tt.signed {
				t.Errorf("signed headers: got %q, want %q", got, tt.signed)
			}
		})
	}
}

func TestHeaderValues(t *testing.T) {
	long := strings.Repeat("x-long-", 20) + "name"
	for _, name := range []string{"x-amz-date", "content-type", "x_under", "x-1a", "a", "x--y", "x-", long} {
		header := http.Header{}
		header.Add(name, "v") // as net/http stores it
		if got := headerValues(header, name); len(got) != 1 || got[0] != "v" {
			t.Errorf("headerValues(%q): got %q in %v", name, got, header)
		}
		if got := headerValues(header, name+"x"); len(got) != 0 {
			t.Errorf("headerValues(%q): got %q, want none", name+"x", got)
		}
	}
}

func TestCutPort(t *testing.T) {
	for host, want := range map[string]string{
		"a.example": "a.example", "a.example:8080": "a.example", "127.0.0.1:80": "127.0.0.1", "[::1]:80": "[::1]", "[::1]": "[::1]",
		"a.example:": "a.example:", "a:b": "a:b", "": "",
	} {
		got, found := cutPort(host)
		if got != want || found != (want != host) {
			t.Errorf("cutPort(%q): got %q, %v, want %q", host, got, found, want)
		}
	}
}
