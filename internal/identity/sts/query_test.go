package sts

import (
	"maps"
	"net/url"
	"slices"
	"strings"
	"testing"
)

func TestParameters(t *testing.T) {
	for form, want := range map[string]parameters{
		"":                      {},
		"&&":                    {},
		"a=b":                   {"a": "b"},
		"a=b&c":                 {"a": "b", "c": ""},
		"a=b=c&d=":              {"a": "b=c", "d": ""},
		"a+b=c+d&%61=%26%3D%2B": {"a b": "c d", "a": "&=+"},
		"a;b=c":                 {"a;b": "c"},
		"=x":                    {"": "x"},
	} {
		got := parameters{}
		if refused := got.add(form); refused != nil {
			t.Errorf("%q: refused: %s", form, refused.message)
		}
		if !maps.Equal(got, want) {
			t.Errorf("%q: got %v, want %v", form, got, want)
		}
	}
	for _, form := range []string{"a=b&a=b", "a=b&%61=c", "%", "a=%x", "a=%4"} {
		if refused := (parameters{}).add(form); refused == nil || refused.status != 400 {
			t.Errorf("%q: got %v, want a refusal", form, refused)
		}
	}
}

func TestMembers(t *testing.T) {
	for name, test := range map[string]struct {
		names []string
		want  []string // nil: refused
	}{
		"none":             {[]string{"Tag.member.1", "TagsX.member.1", "Tags"}, []string{}},
		"texts":            {[]string{"Tags.member.2", "Tags.member.1"}, []string{"Tags.member.1", "Tags.member.2"}},
		"maps":             {[]string{"Tags.member.1.Key", "Tags.member.1.Value", "Tags.member.10.Key", "Tags.member.9.Key"}, []string{"Tags.member.1", "Tags.member.9", "Tags.member.10"}},
		"zero":             {[]string{"Tags.member.0"}, nil},
		"negative":         {[]string{"Tags.member.-1"}, nil},
		"two spellings":    {[]string{"Tags.member.+1"}, nil},
		"leading zero":     {[]string{"Tags.member.01"}, nil},
		"too large":        {[]string{"Tags.member.99999999999999999999"}, nil},
		"no number":        {[]string{"Tags.member.Key"}, nil},
		"not member":       {[]string{"Tags.1.Key"}, nil},
		"entry (flat map)": {[]string{"Tags.entry.1"}, nil},
	} {
		p := parameters{}
		for _, n := range test.names {
			p[n] = "x"
		}
		got, ok := p.members("Tags")
		if ok != (test.want != nil) || !slices.Equal(got, test.want) {
			t.Errorf("%s: got %q, %v; want %q", name, got, ok, test.want)
		}
	}
}

// FuzzParameters: what is accepted is what net/url reads too, each name once, and written again it reads the same.
func FuzzParameters(f *testing.F) {
	f.Add("Action=AssumeRole&Version=2011-06-15&Tags.member.1.Key=a+b&Tags.member.1.Value=%C3%A4%2B%26%3D")
	f.Add("a=b&a=c")
	f.Add("%zz=1;2&&=")
	f.Add(strings.Repeat("a&", 500))
	f.Fuzz(func(t *testing.T, form string) {
		p := parameters{}
		refused := p.add(form)
		if len(p) > maxParameters {
			t.Fatalf("%d parameters", len(p))
		}
		reference, err := url.ParseQuery(strings.ReplaceAll(form, ";", "%3B")) // net/url refuses what was once a separator
		if refused != nil {
			if err == nil && refused.status == 400 && !strings.Contains(refused.message, "twice") && !strings.Contains(refused.message, "more than") {
				t.Fatalf("refused (%s) what net/url reads: %v", refused.message, reference)
			}
			return
		}
		if err != nil {
			t.Fatalf("accepted what net/url refuses: %v", err)
		}
		written := url.Values{}
		for name, value := range p {
			if got := reference[name]; len(got) != 1 || got[0] != value {
				t.Fatalf("%q is %q, net/url reads %q", name, value, got)
			}
			written.Set(name, value)
		}
		if len(reference) != len(p) {
			t.Fatalf("%d names, net/url reads %d", len(p), len(reference))
		}
		again := parameters{}
		if refused := again.add(written.Encode()); refused != nil || !maps.Equal(again, p) {
			t.Fatalf("written again: %v, %v; want %v", again, refused, p)
		}
	})
}

// FuzzReadAssumption: no request panics, and what is accepted is within AWS's limits.
func FuzzReadAssumption(f *testing.F) {
	const arn = "arn:aws:iam::123456789012:role/target"
	f.Add(arn, "one", "900", "Tags.member.1.Key=a&Tags.member.1.Value=b&TransitiveTagKeys.member.1=A")
	f.Add(arn, "\xff", "-1", "Policy=%7B%7D&ExternalId=x")
	f.Add("", "", "", "PolicyArns.member.1.arn=x&SerialNumber=y")
	f.Fuzz(func(t *testing.T, roleARN, name, seconds, rest string) {
		p := parameters{"RoleArn": roleARN, "RoleSessionName": name, "DurationSeconds": seconds}
		if p.add(rest) != nil {
			return
		}
		a, refused := readAssumption(p)
		if refused != nil {
			if refused.status != 400 && refused.status != 403 || refused.code == "" || refused.message == "" {
				t.Fatalf("refused with %+v", refused)
			}
			return
		}
		if a.seconds < 900 || a.seconds > 43200 || len(a.name) < 2 || len(a.name) > 64 || !nameMatch.MatchString(a.name) || len(a.tags) > 50 {
			t.Fatalf("accepted %+v", a)
		}
		if (a.policy != "") != (a.document != nil) {
			t.Fatal("a session policy was accepted and not kept")
		}
		for _, known := range []string{"PolicyArns", "ProvidedContexts", "SerialNumber", "TokenCode"} {
			if p.hasUnder(known) {
				t.Fatalf("%s was passed over", known)
			}
		}
	})
}
