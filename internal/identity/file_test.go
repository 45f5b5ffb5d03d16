package identity_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/identity"
	"github.com/marquee-api/marquee/internal/policy"
)

const allowAll = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`

func withManaged(c *identity.Config) {
	c.ManagedPolicies = map[string]json.RawMessage{
		"arn:aws:iam::aws:policy/ReadOnly":              json.RawMessage(allowAll),
		"arn:aws:iam::123456789012:policy/Boundary":     json.RawMessage(allowAll),
		"arn:aws:iam::123456789012:policy/NotAPolicy":   json.RawMessage(`{}`),
		"arn:aws:iam::123456789012:policy/NotEvenJSON*": nil,
	}
}

func TestLoad(t *testing.T) {
	data, err := os.ReadFile("testdata/identities.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d, _ := newDirectory(t, withManaged)
	if err := d.Load("identities.yaml", data); err != nil {
		t.Fatal(err)
	}
	type holder struct {
		ARN                  string
		Lifetime             time.Duration
		Policies             int
		Boundary, Session    bool
		Keys                 map[string]string
		Trusted              bool
		MaxSession           time.Duration
		Temporary, Forgotten bool
	}
	want := map[string]holder{
		"auditor": {
			ARN: "arn:aws:sts::123456789012:assumed-role/Auditor/auditor", Lifetime: time.Hour, Policies: 3, Boundary: true,
			Session: true, Trusted: true, MaxSession: 4 * time.Hour, Temporary: true,
			Keys: map[string]string{"aws:PrincipalTag/team": "audit", "aws:PrincipalTag/cost center": "0042"},
		},
		"ann":     {ARN: "arn:aws:iam::123456789012:user/team/ann", Policies: 1, Keys: map[string]string{}},
		"partner": {ARN: "arn:aws:sts::210987654321:assumed-role/partner/partner", Lifetime: 12 * time.Hour, MaxSession: time.Hour, Temporary: true, Keys: map[string]string{}},
		"gone":    {ARN: "arn:aws:sts::123456789012:assumed-role/gone/gone", Lifetime: -time.Minute, MaxSession: time.Hour, Temporary: true, Keys: map[string]string{}},
	}
	got := map[string]holder{}
	for _, c := range d.Profiles() {
		i, ok := d.Lookup(c.AccessKeyID)
		if !ok {
			t.Fatalf("%s: the key is not known", c.Profile)
		}
		h := holder{
			ARN: c.ARN, Policies: len(i.Policies), Boundary: i.Boundary != nil, Session: i.Session != nil, Keys: i.ContextKeys,
			Temporary: i.Temporary(),
		}
		if !c.Expires.IsZero() {
			h.Lifetime = c.Expires.Sub(start)
		}
		if role, ok := d.Role(i.Principal.RoleARN); ok {
			h.Trusted, h.MaxSession = role.Trust != nil, role.MaxSession
		}
		got[c.Profile] = h
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("profiles (-want +got):\n%s", diff)
	}
}

// TestLoadDocuments: what YAML would turn into dates, numbers and booleans is the same policy as in JSON.
func TestLoadDocuments(t *testing.T) {
	data, err := os.ReadFile("testdata/identities.yaml")
	if err != nil {
		t.Fatal(err)
	}
	d, _ := newDirectory(t, withManaged)
	if err := d.Load("identities.yaml", data); err != nil {
		t.Fatal(err)
	}
	i, _ := d.Lookup(profile(t, d, "auditor").AccessKeyID)
	role, _ := d.Role("arn:aws:iam::123456789012:role/team/Auditor")
	for name, test := range map[string]struct {
		got  *policy.Document
		kind policy.Kind
		want string
	}{
		"policy": {i.Policies[0], policy.KindIdentity, `{"Version":"2012-10-17","Statement":[{"Sid":"Read","Effect":"Allow",
			"Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:*:*:*/*/GET/*","Condition":{"Bool":{"aws:SecureTransport":"true"}}}]}`},
		"trust": {role.Trust, policy.KindTrust, `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"123456789012"},
			"Action":"sts:AssumeRole","Condition":{"StringEquals":{"sts:ExternalId":"7"}}}]}`},
	} {
		want, err := policy.Parse([]byte(test.want), test.kind)
		if err != nil {
			t.Fatal(err)
		}
		if got := test.got.String(); got != want.String() {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}

// TestLoadRefuses wants each fault with its place: line and column were counted by hand, from 1.
func TestLoadRefuses(t *testing.T) {
	const good = `policies: [{Version: "2012-10-17", Statement: {Effect: Allow, Action: "*", Resource: "*"}}]`
	for name, test := range map[string]struct {
		text string
		want []string // one for each error
	}{
		"empty":                  {"", []string{"f.yaml: the file holds no identities; want a list"}},
		"comment only":           {"# nothing\n", []string{"f.yaml: the file holds no identities"}},
		"empty list":             {"[]\n", []string{"f.yaml:1:1: the file holds no identities"}},
		"map":                    {"name: a\n", []string{"f.yaml:1:1: the file holds no identities"}},
		"not YAML":               {"- name: a\n  arn: \"x\n", []string{"f.yaml:2: not YAML"}},
		"two documents":          {"- name: a\n---\n- name: b\n", []string{"f.yaml:2:1: a second YAML document"}},
		"item":                   {"- name: a\n- auditor\n", []string{`f.yaml:2:3: an identity is a map with a name, this is the text "auditor"`}},
		"unknown field":          {"- name: a\n  polices: []\n", []string{`f.yaml:2:3: unknown field "polices"; the fields are name, arn`}},
		"field twice":            {"- name: a\n  name: b\n", []string{`f.yaml:2:3: "name" is there twice`}},
		"merge key":              {"- name: a\n  <<: {arn: x}\n", []string{"f.yaml:2:3: merge keys"}},
		"tag":                    {"- name: !Sub a\n", []string{"f.yaml:1:9: tag !Sub is not known"}},
		"no name":                {"- account: \"123456789012\"\n", []string{"f.yaml:1:3: the identity has no name"}},
		"name is null":           {"- name:\n", []string{"f.yaml:1:8: name is a text, this is nothing"}},
		"name is a list":         {"- name: [a]\n", []string{"f.yaml:1:9: name is a text, this is a list"}},
		"bad name":               {"- name: a b\n", []string{`f.yaml:1:9: "a b" cannot name a profile`}},
		"name twice":             {"- name: a\n- name: b\n- name: a\n", []string{`f.yaml:3:9: name "a" is also that of line 1`}},
		"name of a standard one": {"- name: reader\n", []string{`f.yaml:1:9: profile "reader" is there in this run without the file`}},
		"bad ARN":                {"- name: a\n  arn: auditor\n", []string{`f.yaml:2:8: "auditor" is not the ARN of a user or role; want one such as arn:aws:iam::`}},
		"ARN of a session":       {"- name: a\n  arn: arn:aws:sts::123456789012:assumed-role/a/b\n", []string{"f.yaml:2:8: \"arn:aws:sts::123456789012:assumed-role/a/b\" is not the ARN"}},
		"ARN twice": {"- name: a\n  arn: arn:aws:iam::123456789012:user/x\n- name: b\n  arn: arn:aws:iam::123456789012:user/x\n",
			[]string{`f.yaml:4:8: arn:aws:iam::123456789012:user/x is also that of "a"`}},
		"ARN of the template": {"- name: a\n  arn: arn:aws:iam::123456789012:role/there\n", []string{"f.yaml:2:8: arn:aws:iam::123456789012:role/there is there in this run"}},
		"account":             {"- name: a\n  account: 12345\n", []string{`f.yaml:2:12: account "12345" is not 12 digits`}},
		"account and ARN":     {"- name: a\n  arn: arn:aws:iam::123456789012:user/x\n  account: \"210987654321\"\n", []string{"f.yaml:3:12: account 210987654321 is not that of"}},
		"policies is a map":   {"- name: a\n  policies: {Version: x}\n", []string{"f.yaml:2:13: policies is a list of documents, this is a map"}},
		"policy is a number":  {"- name: a\n  policies: [7]\n", []string{`f.yaml:2:14: policies: a policy is a map, JSON text or the ARN`}},
		"unknown managed":     {"- name: a\n  policies:\n    - arn:aws:iam::aws:policy/AdministratorAccess\n", []string{"f.yaml:3:7: policies: the document of arn:aws:iam::aws:policy/AdministratorAccess is not known here; write it in its place"}},
		"managed is wrong":    {"- name: a\n  policies: [\"arn:aws:iam::123456789012:policy/NotAPolicy\"]\n", []string{"f.yaml:2:14: policies: identity policy: Statement: is missing"}},
		"managed as trust":    {"- name: a\n  trust: arn:aws:iam::aws:policy/ReadOnly\n", []string{"f.yaml:2:10: trust: the document of"}},
		"JSON text":           {"- name: a\n  policies:\n    - '{\"Statement\":[}'\n", []string{"f.yaml:3:7: policies: identity policy"}},
		"unknown operator": {"- name: a\n  policies:\n    - Version: \"2012-10-17\"\n      Statement:\n        - Effect: Allow\n          Action: \"*\"\n          Resource: \"*\"\n          Condition:\n            StringEqualz: {aws:SourceVpce: vpce-1}\n",
			[]string{"f.yaml:9:13: policies: identity policy: Statement[0]: Condition.StringEqualz"}},
		"unknown key": {"- name: a\n  policies:\n    - Statement:\n        - {Effect: Allow, Action: \"*\", Resource: \"*\"}\n        - {Effect: Allow, Action: \"*\", Resource: \"*\", Condition: {StringEquals: {\"aws:SourceVpcee\": x}}}\n",
			[]string{"f.yaml:5:82: policies: identity policy: Statement[1]: Condition.StringEquals.aws:SourceVpcee"}},
		"one statement bare": {"- name: a\n  policies:\n    - Statement:\n        Effect: Perhaps\n", []string{"f.yaml:4:9: policies: identity policy: Statement[0]: Effect"}},
		"missing element":    {"- name: a\n  policies:\n    - Statement:\n      - Action: \"*\"\n        Resource: \"*\"\n", []string{"f.yaml:4:9: policies: identity policy: Statement[0]: Effect: is missing"}},
		"document twice":     {"- name: a\n  policies:\n    - Version: \"2012-10-17\"\n      Version: \"2012-10-17\"\n", []string{`f.yaml:4:7: "Version" is there twice`}},
		"null in a policy":   {"- name: a\n  policies:\n    - Statement: {Effect:, Action: x}\n", []string{"f.yaml:3:26: a policy's value is a text, this is nothing"}},
		"principal":          {"- name: a\n  trust:\n    Statement:\n      Effect: Allow\n      Principal: {AWS: [\"123456789012\", \"*x\"]}\n      Action: sts:AssumeRole\n", []string{"f.yaml:5:41: trust: trust policy: Statement[0]: Principal.AWS[1]"}},
		"boundary":           {"- name: a\n  permissions_boundary: {}\n", []string{"f.yaml:2:25: permissions_boundary: identity policy: Statement: is missing"}},
		"trust of a user":    {"- name: a\n  arn: arn:aws:iam::123456789012:user/x\n  session_policy: '" + allowAll + "'\n  max_session: 2h\n", []string{"f.yaml:3:19: session_policy is for roles", "f.yaml:4:16: max_session is for roles"}},
		"lifetime":           {"- name: a\n  lifetime: soon\n", []string{`f.yaml:2:13: lifetime is "soon"; want a time such as 1h`}},
		"lifetime without unit": {"- name: a\n  lifetime: 3600\n",
			[]string{`f.yaml:2:13: lifetime is "3600"; want a time such as 1h`}},
		"lifetime zero":     {"- name: a\n  lifetime: 0s\n", []string{"f.yaml:2:13: a lifetime of 0 is over at once"}},
		"lifetime too long": {"- name: a\n  lifetime: 13h\n", []string{"f.yaml:2:13: a lifetime of 13h0m0s is longer than AWS's longest"}},
		"max_session":       {"- name: a\n  max_session: 30m\n", []string{"f.yaml:2:16: max_session is 30m0s; AWS allows 1h to 12h"}},
		"tags":              {"- name: a\n  tags: [team]\n", []string{"f.yaml:2:9: tags is a map such as {team: audit}, this is a list"}},
		"tag's key":         {"- name: a\n  tags: {\"te*m\": x}\n", []string{`f.yaml:2:10: tag "te*m"`}},
		"tags by case":      {"- name: a\n  tags: {team: x, Team: y}\n", []string{`f.yaml:2:19: tag "Team" is there twice`}},
		"tag's value":       {"- name: a\n  tags: {team: {a: b}}\n", []string{"f.yaml:2:16: a tag's value is a text, this is a map"}},
		"several at once":   {"- name: a\n  x: 1\n- name: b\n  lifetime: never\n", []string{`f.yaml:2:3: unknown field "x"`, `f.yaml:4:13: lifetime is "never"`}},
		"alias to itself":   {"- name: a\n  policies: &p [{Statement: *p}]\n", []string{"f.yaml:2:17: values are nested more than 64 deep, or an alias holds itself"}},
		"nested deeply":     {"- name: a\n  policies: [{Statement: " + strings.Repeat("[", 62) + strings.Repeat("]", 62) + "}]\n", []string{"f.yaml:2:87: values are nested more than 64 deep"}},
		"list not closed":   {"- name: a\n  policies: [\n- name: b\n", []string{"f.yaml:3: not YAML"}},
		"too long":          {strings.Repeat("#", 1<<20+1), []string{"f.yaml: the file has 1048577 bytes"}},
		"control character": {"- name: \"a\x00\"\n", []string{"f.yaml: not YAML"}},
		"good, then bad":    {"- name: fine\n  " + good + "\n- name: b\n  policies: 7\n", []string{`f.yaml:4:13: policies is a list of documents, this is the text "7"`}},
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := newDirectory(t, withManaged)
			if err := d.OpenStandard(api); err != nil {
				t.Fatal(err)
			}
			add(t, d, identity.Entity{ARN: roleARN("there")})
			before := d.Profiles()
			err := d.Load("f.yaml", []byte(test.text))
			if err == nil {
				t.Fatal("got no error")
			}
			var fault *identity.FileError
			if !errors.As(err, &fault) {
				t.Errorf("got a %T, want a *FileError in it", err)
			}
			var got []string
			if joined, ok := err.(interface{ Unwrap() []error }); ok {
				for _, e := range joined.Unwrap() {
					got = append(got, e.Error())
				}
			}
			if len(got) != len(test.want) {
				t.Fatalf("got %d errors, want %d:\n%s", len(got), len(test.want), strings.Join(got, "\n"))
			}
			for i, want := range test.want {
				if !strings.HasPrefix(got[i], want) {
					t.Errorf("got  %s\nwant %s…", got[i], want)
				}
			}
			if after := d.Profiles(); !cmp.Equal(after, before) {
				t.Errorf("the file changed the profiles: %v", after)
			}
			if _, added := d.Role(roleARN("fine")); added {
				t.Error("a part of the file was added")
			}
		})
	}
}

// TestSecurityAliases: a small file whose aliases stand for 9^7 values is given up early.
func TestSecurityAliases(t *testing.T) {
	var b strings.Builder
	b.WriteString("- name: b\n  policies:\n    - Statement: &s0 [" + strings.Repeat("{a: b},", 8) + "{a: b}]\n")
	for i := range 6 {
		fmt.Fprintf(&b, "    - Statement: &s%d [%s*s%d]\n", i+1, strings.Repeat(fmt.Sprintf("*s%d, ", i), 8), i)
	}
	d, _ := newDirectory(t)
	err := d.Load("f.yaml", []byte(b.String()))
	if want := "the file and its aliases have more than 100000 values"; err == nil || strings.Count(err.Error(), want) != 1 {
		t.Errorf("got error %v, want one with %q", err, want)
	}
}

// TestLoadManyErrors: who has a thousand errors sees the first ones.
func TestLoadManyErrors(t *testing.T) {
	d, _ := newDirectory(t)
	err := d.Load("f.yaml", []byte(strings.Repeat("- x\n", 1000)))
	if n := strings.Count(err.Error(), "f.yaml:"); n != 50 {
		t.Errorf("got %d errors, want 50", n)
	}
}

// FuzzLoad: whatever the file says, it is either all there afterwards or an error with a place in the file, and what is
// there can be written and used.
func FuzzLoad(f *testing.F) {
	data, err := os.ReadFile("testdata/identities.yaml")
	if err != nil {
		f.Fatal(err)
	}
	f.Add(string(data))
	f.Add("- name: a\n  policies: &p [{Statement: *p}]\n")
	f.Add("- {name: a, tags: {x: 1}, lifetime: -1s}\n")
	f.Add("- name: &a a\n- name: *a\n")
	f.Add("- name: a\n  trust: '{\"Statement\":{\"Effect\":\"Allow\",\"Principal\":\"*\",\"Action\":\"*\"}}'\n")
	f.Fuzz(func(t *testing.T, text string) {
		d, _ := newDirectory(t, withManaged)
		err := d.Load("f.yaml", []byte(text))
		profiles := d.Profiles()
		if err != nil {
			var fault *identity.FileError
			if !errors.As(err, &fault) || fault.File != "f.yaml" || fault.Message == "" || len(profiles) != 0 {
				t.Fatalf("error %v with %d profiles added", err, len(profiles))
			}
			return
		}
		if len(profiles) == 0 {
			t.Fatal("no error and no identity")
		}
		for _, c := range profiles {
			holder, ok := d.Lookup(c.AccessKeyID)
			if !ok || holder.Name != c.Profile || holder.Principal.ARN != c.ARN {
				t.Fatalf("profile %v is held by %v", c, holder)
			}
			for _, document := range holder.Policies {
				if document == nil {
					t.Fatalf("profile %v has a policy that is nil", c)
				}
			}
		}
	})
}
