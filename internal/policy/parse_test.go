package policy_test

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/policy"
)

// entry is one document of the corpus, with the reason why it is accepted or refused. Adding an accepted form widens on
// purpose what templates may say; removing one breaks templates.
type entry struct {
	Name, Why, Kind string
	Document        json.RawMessage
	Text            string // instead of Document, where that would not be JSON
	Error           string // part of the message
}

func corpus(t testing.TB, name string) []entry {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	var entries []entry
	if err := json.Unmarshal(text, &entries); err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	if len(entries) == 0 {
		t.Fatalf("%s has no entries", name)
	}
	return entries
}

var theAPI = policy.API{Region: "ap-northeast-2", Account: account, ID: "a1b2c3d4e5"}

func (e entry) parse(t testing.TB) (*policy.Document, error) {
	t.Helper()
	text := []byte(e.Text)
	if len(e.Document) > 0 {
		text = e.Document
	}
	switch e.Kind {
	case "identity":
		return policy.Parse(text, policy.KindIdentity)
	case "resource":
		return policy.Parse(text, policy.KindResource)
	case "resource with api":
		return policy.Parse(text, policy.KindResource, policy.WithAPI(theAPI))
	case "endpoint":
		return policy.Parse(text, policy.KindEndpoint)
	case "trust":
		return policy.Parse(text, policy.KindTrust)
	}
	t.Fatalf("%s: unknown kind %q", e.Name, e.Kind)
	return nil, nil
}

func TestAccepted(t *testing.T) {
	for _, e := range corpus(t, "accepted.json") {
		t.Run(e.Name, func(t *testing.T) {
			d, err := e.parse(t)
			if err != nil {
				t.Fatal(err)
			}
			again, err := policy.Parse([]byte(d.String()), d.Kind())
			if err != nil {
				t.Fatalf("its own text %s: %v", d, err)
			}
			if diff := cmp.Diff(d.String(), again.String()); diff != "" {
				t.Errorf("printed, parsed and printed (-first +second):\n%s", diff)
			}
		})
	}
}

func TestRefused(t *testing.T) {
	for _, e := range corpus(t, "refused.json") {
		t.Run(e.Name, func(t *testing.T) {
			d, err := e.parse(t)
			if err == nil {
				t.Fatalf("got %s, want an error with %q", d, e.Error)
			}
			var syntax *policy.SyntaxError
			if !errors.As(err, &syntax) {
				t.Errorf("got a %T, want a *policy.SyntaxError", err)
			}
			if e.Error == "" || !strings.Contains(err.Error(), e.Error) {
				t.Errorf("got %q, want it to say %q", err, e.Error)
			}
		})
	}
}

func TestDocumentsAreBounded(t *testing.T) {
	long := `{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}` + strings.Repeat(" ", 1<<20)
	if _, err := policy.Parse([]byte(long), policy.KindIdentity); err == nil || !strings.Contains(err.Error(), "at most") {
		t.Errorf("a megabyte: got %v, want an error that names the limit", err)
	}
}

func TestBrokenTextIsRefused(t *testing.T) {
	// encoding/json would read the broken byte as U+FFFD: another text than was written.
	broken := "{\"Statement\":{\"Effect\":\"Allow\",\"Action\":\"*\",\"Resource\":\"arn:aws:s3:::b/\xff\"}}"
	if d, err := policy.Parse([]byte(broken), policy.KindIdentity); err == nil {
		t.Errorf("got %s, want an error", d)
	}
}

func TestSyntaxErrorNamesThePlace(t *testing.T) {
	_, err := policy.Parse([]byte(`{"Version":"2012-10-17","Statement":[
		{"Effect":"Allow","Action":"*","Resource":"*"},
		{"Sid":"Fence","Effect":"Deny","Action":"*","Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpce":["vpce-1",{}]}}}]}`),
		policy.KindIdentity)
	var got *policy.SyntaxError
	if !errors.As(err, &got) {
		t.Fatalf("got %v, want a *policy.SyntaxError", err)
	}
	want := &policy.SyntaxError{
		Kind: policy.KindIdentity, Statement: 1, Sid: "Fence", Path: "Condition.StringNotEquals.aws:SourceVpce[1]",
		Reason: "is an object; want a string, a number or a boolean",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("error (-want +got):\n%s", diff)
	}
	const text = `identity policy: Statement[1] (Sid "Fence"): Condition.StringNotEquals.aws:SourceVpce[1]: ` +
		`is an object; want a string, a number or a boolean`
	if err.Error() != text {
		t.Errorf("got  %s\nwant %s", err, text)
	}
}

func TestShortFormIsExpanded(t *testing.T) {
	tests := map[string]string{
		"execute-api:/*":                  "arn:aws:execute-api:ap-northeast-2:123456789012:a1b2c3d4e5/*",
		"execute-api:/dev/GET/movie_list": movies,
		"arn:aws:s3:::b":                  "arn:aws:s3:::b",
		"*":                               "*",
	}
	for short, want := range tests {
		if got := theAPI.ExpandShortForm(short); got != want {
			t.Errorf("%s: got %s, want %s", short, got, want)
		}
	}
	china := policy.API{Partition: "aws-cn", Region: "cn-north-1", Account: account, ID: "x"}
	if got, want := china.ExpandShortForm("execute-api:/*"), "arn:aws-cn:execute-api:cn-north-1:123456789012:x/*"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	d, err := policy.Parse([]byte(`{"Statement":{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/dev/GET/*"}}`),
		policy.KindResource, policy.WithAPI(theAPI))
	if err != nil {
		t.Fatal(err)
	}
	r := invoke(t, "anonymous", nil)
	if got := d.Evaluate(r).Decision; got != policy.Allow {
		t.Errorf("the API itself: got %v, want allow", got)
	}
	r.Resource = strings.Replace(movies, "a1b2c3d4e5", "other", 1)
	if got := d.Evaluate(r).Decision; got != policy.ImplicitDeny {
		t.Errorf("another API: got %v, want implicit_deny", got)
	}
}

func TestStatementJSON(t *testing.T) {
	d := parse(t, policy.KindResource, `{'Statement':[
		{'Effect':'Allow','Principal':{'AWS':['123456789012']},'Action':['s3:*'],'Resource':['*']},
		{'Condition':{'StringNotEquals':{'aws:SourceVpce':['vpce-1','<&>']},'Bool':{'aws:SecureTransport':true}},
		 'Resource':'*','NotAction':['s3:*','iam:*'],'NotPrincipal':{'AWS':['123456789012','210987654321'],'Service':'a.amazonaws.com'},'Effect':'Deny','Sid':'F'}]}`)
	for i, want := range []string{
		`{"Effect":"Allow","Principal":{"AWS":"123456789012"},"Action":"s3:*","Resource":"*"}`,
		`{"Sid":"F","Effect":"Deny","NotPrincipal":{"AWS":["123456789012","210987654321"],"Service":"a.amazonaws.com"},` +
			`"NotAction":["s3:*","iam:*"],"Resource":"*","Condition":{"StringNotEquals":{"aws:SourceVpce":["vpce-1","<&>"]},` +
			`"Bool":{"aws:SecureTransport":"true"}}}`,
	} {
		if got := d.StatementJSON(i); got != want {
			t.Errorf("statement %d:\ngot  %s\nwant %s", i, got, want)
		}
	}
	for _, i := range []int{-1, d.Len()} {
		if got := d.StatementJSON(i); got != "" {
			t.Errorf("statement %d: got %s, want nothing", i, got)
		}
	}
}
