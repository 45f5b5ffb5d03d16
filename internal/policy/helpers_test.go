package policy_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/policy"
)

const (
	account = "123456789012"
	partner = "210987654321"

	movies  = "arn:aws:execute-api:ap-northeast-2:123456789012:a1b2c3d4e5/dev/GET/movie_list"
	session = "arn:aws:sts::123456789012:assumed-role/Caller/one"
	role    = "arn:aws:iam::123456789012:role/Caller"
	root    = "arn:aws:iam::123456789012:root"
	user    = "arn:aws:iam::123456789012:user/ann"
	foreign = "arn:aws:sts::210987654321:assumed-role/Caller/one"
)

// parse reads a document whose single quotes stand for double ones.
func parse(t testing.TB, kind policy.Kind, document string) *policy.Document {
	t.Helper()
	d, err := policy.Parse([]byte(strings.ReplaceAll(document, "'", `"`)), kind)
	if err != nil {
		t.Fatalf("parse %s: %v", document, err)
	}
	return d
}

// statement makes a document of one statement from its elements; Effect, Action and Resource have defaults.
func statement(t testing.TB, kind policy.Kind, elements string) *policy.Document {
	t.Helper()
	s := map[string]any{"Effect": "Allow"}
	if err := json.Unmarshal([]byte("{"+strings.ReplaceAll(elements, "'", `"`)+"}"), &s); err != nil {
		t.Fatalf("elements %s: %v", elements, err)
	}
	if s["Action"] == nil && s["NotAction"] == nil {
		s["Action"] = "execute-api:Invoke"
	}
	if s["Resource"] == nil && s["NotResource"] == nil && kind != policy.KindTrust {
		s["Resource"] = "*"
	}
	text, err := json.Marshal(map[string]any{"Version": "2012-10-17", "Statement": s})
	if err != nil {
		t.Fatal(err)
	}
	d, err := policy.Parse(text, kind)
	if err != nil {
		t.Fatalf("parse %s: %v", text, err)
	}
	return d
}

func principal(t testing.TB, arn string) policy.Principal {
	t.Helper()
	p, err := policy.ParsePrincipal(arn)
	if err != nil {
		t.Fatal(err)
	}
	return p
}

// invoke is a call of the movie list by arn with the condition keys given, filled up with those of the caller.
func invoke(t testing.TB, arn string, keys map[string][]string) *policy.Request {
	t.Helper()
	r := &policy.Request{Principal: principal(t, arn), Action: "execute-api:Invoke", Resource: movies}
	for key, values := range keys {
		if err := r.Context.Add(key, values...); err != nil {
			t.Fatal(err)
		}
	}
	r.Context.FillPrincipal(r.Principal)
	return r
}

type keys = map[string][]string
