package policy_test

import (
	"testing"

	"github.com/marquee-api/marquee/internal/policy"
)

// TestVariables follows the IAM user guide, "IAM policy elements: Variables and tags".
func TestVariables(t *testing.T) {
	given := keys{"aws:Referer": {"ann"}, "aws:PrincipalTag/team": {"re*d"}, "aws:PrincipalOrgPaths": {"a", "b"}}
	tests := []struct {
		name, operator, key, values string
		value                       string
		want                        bool
	}{
		{"equal", "StringEquals", "aws:UserAgent", `'${aws:Referer}'`, "ann", true},
		{"inside text", "StringEquals", "aws:UserAgent", `'home/${aws:Referer}/'`, "home/ann/", true},
		{"name in another case", "StringEquals", "aws:UserAgent", `'${AWS:referer}'`, "ann", true},
		{"a tag", "StringEquals", "aws:UserAgent", `'${aws:PrincipalTag/Team}'`, "re*d", true},
		{"wildcard around", "StringLike", "aws:UserAgent", `'*${aws:Referer}?'`, "joann!", true},
		{"an asterisk in the value is no wildcard", "StringLike", "aws:UserAgent", `'${aws:PrincipalTag/team}'`, "reeed", false},
		{"an asterisk in the value is an asterisk", "StringLike", "aws:UserAgent", `'${aws:PrincipalTag/team}'`, "re*d", true},
		{"literal asterisk", "StringLike", "aws:UserAgent", `'a${*}*'`, "a*bc", true},
		{"literal asterisk, other text", "StringLike", "aws:UserAgent", `'a${*}*'`, "abc", false},
		{"literal question mark", "StringLike", "aws:UserAgent", `'a${?}'`, "ab", false},
		{"literal dollar", "StringEquals", "aws:UserAgent", `'${$}{aws:Referer}'`, "${aws:Referer}", true},
		{"dollar without a brace", "StringEquals", "aws:UserAgent", `'a$b'`, "a$b", true},
		{"default unused", "StringEquals", "aws:UserAgent", `"${aws:Referer, 'nobody'}"`, "ann", true},
		{"default used", "StringEquals", "aws:UserAgent", `"${aws:SourceVpc, 'no}body'}"`, "no}body", true},
		{"default is no wildcard", "StringLike", "aws:UserAgent", `"${aws:SourceVpc, 'n*'}"`, "nobody", false},
		{"no value", "StringEquals", "aws:UserAgent", `'${aws:SourceVpc}'`, "", false},
		{"no value, negated: the statement does not apply", "StringNotEquals", "aws:UserAgent", `'${aws:SourceVpc}'`, "x", false},
		{"no value, negated, among others", "StringNotLike", "aws:UserAgent", `['y','${aws:SourceVpc}']`, "x", false},
		{"no value, but another value matches", "StringEquals", "aws:UserAgent", `['${aws:SourceVpc}','x']`, "x", true},
		{"several values cannot be a variable", "StringEquals", "aws:UserAgent", `'${aws:PrincipalOrgPaths}'`, "a", false},
		{"ignoring case", "StringEqualsIgnoreCase", "aws:UserAgent", `'${aws:Referer}'`, "ANN", true},
		{"part of an ARN", "ArnEquals", "aws:SourceArn", `'arn:aws:sns:*:${aws:PrincipalAccount}:*'`, "arn:aws:sns:eu-west-1:123456789012:x", true},
		{"part of an ARN, other account", "ArnEquals", "aws:SourceArn", `'arn:aws:sns:*:${aws:PrincipalAccount}:*'`, "arn:aws:sns:eu-west-1:210987654321:x", false},
		{"an ARN with colons in its last field", "ArnEquals", "aws:SourceArn", `'arn:aws:sns:*:${aws:PrincipalAccount}:a:b'`, "arn:aws:sns:eu-west-1:123456789012:a:b", true},
		{"an ARN with other colons in its last field", "ArnEquals", "aws:SourceArn", `'arn:aws:sns:*:${aws:PrincipalAccount}:a:b'`, "arn:aws:sns:eu-west-1:123456789012:a", false},
		{"a whole ARN", "ArnEquals", "aws:SourceArn", `'${aws:PrincipalArn}'`, role, true},
		{"an ARN without value, negated", "ArnNotEquals", "aws:SourceArn", `'${aws:SourceVpc}'`, role, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			all := keys{tt.key: {tt.value}}
			for key, values := range given {
				all[key] = values
			}
			// The quotes of defaults are real ones, so that the test cannot write single quotes for double ones here.
			document := `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"` +
				tt.operator + `":{"` + tt.key + `":` + doubleQuoted(tt.values) + `}}}}`
			d, err := policy.Parse([]byte(document), policy.KindIdentity)
			if err != nil {
				t.Fatal(err)
			}
			if got := d.Evaluate(invoke(t, session, all)).Decision == policy.Allow; got != tt.want {
				t.Errorf("%s against %q: got %v, want %v", tt.values, tt.value, got, tt.want)
			}
		})
	}
}

// doubleQuoted replaces single quotes unless the text has double ones already.
func doubleQuoted(s string) string {
	out := []byte(s)
	for _, c := range out {
		if c == '"' {
			return s
		}
	}
	for i, c := range out {
		if c == '\'' {
			out[i] = '"'
		}
	}
	return string(out)
}

func TestVariablesNeedTheNewVersion(t *testing.T) {
	for version, want := range map[string]policy.Decision{
		`"Version":"2012-10-17",`: policy.ImplicitDeny,
		`"Version":"2008-10-17",`: policy.Allow,
		``:                        policy.Allow, // 2008-10-17 is the default
	} {
		d, err := policy.Parse([]byte(`{`+version+`"Statement":{"Effect":"Allow","Action":"*","Resource":"*",
			"Condition":{"StringEquals":{"aws:UserAgent":"${aws:Referer}"}}}}`), policy.KindIdentity)
		if err != nil {
			t.Fatal(err)
		}
		r := invoke(t, session, keys{"aws:UserAgent": {"${aws:Referer}"}, "aws:Referer": {"x"}})
		if got := d.Evaluate(r).Decision; got != want {
			t.Errorf("%s literal text: got %v, want %v", version, got, want)
		}
	}
}

func TestVariablesInResources(t *testing.T) {
	const pattern = `'Resource':'arn:aws:execute-api:*:*:a1b2c3d4e5/dev/GET/${aws:PrincipalTag/path}'`
	const except = `'NotResource':'arn:aws:execute-api:*:*:a1b2c3d4e5/dev/GET/${aws:PrincipalTag/path}'`
	tagged := keys{"aws:PrincipalTag/path": {"movie_list"}}
	tests := []struct {
		name, elements string
		given          keys
		want           policy.Decision
	}{
		{"value matches", pattern, tagged, policy.Allow},
		{"value differs", pattern, keys{"aws:PrincipalTag/path": {"movie_lis?"}}, policy.ImplicitDeny},
		{"no value", pattern, nil, policy.ImplicitDeny},
		{"NotResource, value matches", except, tagged, policy.ImplicitDeny},
		{"NotResource, value differs", except, keys{"aws:PrincipalTag/path": {"other"}}, policy.Allow},
		{"NotResource, no value: the statement does not apply", except, nil, policy.ImplicitDeny},
		{"NotResource of another service, value", `'NotResource':'arn:aws:s3:::b/${aws:PrincipalTag/path}'`, tagged, policy.Allow},
		{"NotResource of another service, no value: not needed", `'NotResource':'arn:aws:s3:::b/${aws:PrincipalTag/path}'`, nil, policy.Allow},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := statement(t, policy.KindIdentity, tt.elements)
			if got := d.Evaluate(invoke(t, session, tt.given)).Decision; got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
