package policy_test

import (
	"bytes"
	"encoding/json"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/policy"
)

// oracleCases and oracleSeed fix the random cases of TestOracle.
const (
	oracleCases = 3000
	oracleSeed  = 20261123
)

// TestOracle compares decisions on random policies with a foreign evaluator, the npm package @cloud-copilot/iam-simulate,
// run as a program of its own. Left out is where that is known to be wrong or where AWS's guide is silent: wildcards
// before the first slash of a resource's last field, NotResource with a shortened ARN, 0.0.0.0/0, epoch seconds as dates,
// ${*} under operators without wildcards, variables between the colons of an ARN condition, NotPrincipal that lists a caller in part,
// ForAnyValue with IfExists, session policies together with a resource policy, root users.
func TestOracle(t *testing.T) {
	dir := oracleDir(t)
	g := generator{rand.New(rand.NewPCG(oracleSeed, 0))}
	var questions bytes.Buffer
	cases := make([]oracleCase, oracleCases)
	for i := range cases {
		cases[i] = g.next(t)
		text, err := json.Marshal(cases[i].question)
		if err != nil {
			t.Fatal(err)
		}
		questions.Write(append(text, '\n'))
	}
	script, err := filepath.Abs(filepath.Join("testdata", "oracle", "simulate.mjs"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "node", script)
	cmd.Dir, cmd.Stdin = dir, &questions
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("node: %v\n%s", err, &stderr)
	}
	answers := strings.Split(strings.TrimSuffix(string(out), "\n"), "\n")
	if len(answers) != len(cases) {
		t.Fatalf("%d answers to %d questions", len(answers), len(cases))
	}
	count, differ := map[string]int{}, 0
	for i, want := range answers {
		count[want]++
		if got := cases[i].call.Authorize(cases[i].request).Decision.String(); got != want {
			if differ++; differ <= 5 {
				text, _ := json.MarshalIndent(cases[i].question, "", " ")
				t.Errorf("case %d: got %v, the oracle says %v\n%s", i, got, want, text)
			}
		}
	}
	t.Logf("seed %d: %d cases, %d differ; the oracle's answers: %v", oracleSeed, len(cases), differ, count)
	for _, decision := range []string{"allow", "implicit_deny", "explicit_deny"} {
		if count[decision] < len(cases)/10 {
			t.Errorf("only %d cases are %s: the comparison says little", count[decision], decision)
		}
	}
}

// oracleDir finds the folder where the package is installed, or skips the test.
func oracleDir(t *testing.T) string {
	t.Helper()
	dir := os.Getenv("MARQUEE_IAM_ORACLE")
	if dir == "" {
		dir = filepath.Join("testdata", "oracle")
	}
	if _, err := os.Stat(filepath.Join(dir, "node_modules", "@cloud-copilot", "iam-simulate")); err != nil {
		t.Skipf("@cloud-copilot/iam-simulate is not installed: npm install in internal/policy/testdata/oracle, "+
			"or copy its package.json elsewhere, install there and set MARQUEE_IAM_ORACLE to the folder (%v)", err)
	}
	if _, err := exec.LookPath("node"); err != nil {
		t.Skip("node is not installed")
	}
	return dir
}

type oracleCase struct {
	question map[string]any
	call     policy.Call
	request  *policy.Request
}

type object = map[string]any

// generator draws policies and calls.
type generator struct{ *rand.Rand }

func (g generator) chance(percent int) bool { return g.IntN(100) < percent }

func pick[T any](g generator, from ...T) T { return from[g.IntN(len(from))] }

// some draws one to n different values.
func some(g generator, n int, from ...string) []string {
	order := g.Perm(len(from))[:1+g.IntN(min(n, len(from)))]
	values := make([]string, len(order))
	for i, at := range order {
		values[i] = from[at]
	}
	return values
}

const foreignUser = "arn:aws:iam::210987654321:user/bob"

// known are the condition keys of the cases, with values for the call and for policies.
var known = []struct {
	key, family  string
	call, policy []string
}{
	{"aws:SourceVpce", "String", []string{"vpce-1", "vpce-2", "VPCE-1"}, []string{"vpce-1", "vpce-2", "vpce-*", "vpce-?", "${aws:Referer}"}},
	{"aws:SourceVpc", "String", []string{"vpc-1", "vpc-2"}, []string{"vpc-1", "vpc-*", "VPC-1", "vpc-${aws:PrincipalTag/n}"}},
	{"aws:UserAgent", "String", []string{"curl/8", "a*b", "aXb"}, []string{"curl/*", "a${*}b", "a*b", "CURL/8", "${aws:Referer, 'curl/8'}"}},
	{"aws:Referer", "String", []string{"vpce-1", "curl/8"}, []string{"vpce-1", "v*"}},
	{"aws:PrincipalTag/n", "String", []string{"1", "2"}, []string{"1", "2", "*", "${aws:SourceVpc}"}},
	{"aws:PrincipalArn", "Arn", nil, []string{role, user, "arn:aws:iam::*:role/C*", "arn:aws:iam::210987654321:*", "arn:aws:iam::*:${aws:PrincipalTag/n, 'user'}/ann"}},
	{"aws:PrincipalAccount", "String", nil, []string{account, partner, "21*"}},
	{"aws:SourceArn", "Arn", []string{"arn:aws:sns:eu-west-1:123456789012:topic", "arn:aws:s3:::b/a:b"}, []string{"arn:aws:sns:*:123456789012:t*", "arn:aws:s3:::b/*", "arn:aws:s?:*:*:*"}},
	{"aws:VpcSourceIp", "Ip", []string{"10.0.1.5", "10.1.0.1", "2001:db8::1"}, []string{"10.0.0.0/16", "10.0.0.0/8", "2001:db8::/32", "10.0.1.4/31"}},
	{"aws:SecureTransport", "Bool", []string{"true", "false"}, []string{"true", "false"}},
	{"aws:MultiFactorAuthAge", "Numeric", []string{"10", "300", "3600"}, []string{"10", "299", "3600"}},
	{"aws:CurrentTime", "Date", []string{"2026-01-31T12:00:00Z", "2025-06-01T00:00:00Z"}, []string{"2026-01-31T12:00:00Z", "2025-12-31T23:59:59Z"}},
	{"aws:PrincipalOrgPaths", "Set", []string{"o-1/a", "o-1/b", "o-2/a"}, []string{"o-1/a", "o-1/b", "o-1/*", "o-2/?"}},
}

var families = map[string][]string{
	"String": {"StringEquals", "StringNotEquals", "StringEqualsIgnoreCase", "StringNotEqualsIgnoreCase", "StringLike", "StringNotLike"},
	"Arn":    {"ArnEquals", "ArnNotEquals", "ArnLike", "ArnNotLike"},
	"Ip":     {"IpAddress", "NotIpAddress"},
	"Bool":   {"Bool"},
	"Numeric": {"NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan",
		"NumericGreaterThanEquals"},
	"Date": {"DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan", "DateGreaterThanEquals"},
	"Set":  {"StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"},
}

func (g generator) next(t *testing.T) oracleCase {
	caller := pick(g, session, session, user, foreign, foreignUser)
	r := invoke(t, caller, g.context())
	c := oracleCase{request: r, call: policy.Call{ResourceAccount: account}}
	identity := []object{}
	for range g.IntN(3) {
		document := g.document(caller, policy.KindIdentity)
		identity = append(identity, object{"name": "p", "policy": document})
		c.call.Identity = append(c.call.Identity, load(t, policy.KindIdentity, document))
	}
	c.question = object{
		"request": object{
			"principal": caller, "action": r.Action, "contextVariables": contextOf(r),
			"resource": object{"resource": r.Resource, "accountId": account},
		},
		"identityPolicies": identity, "serviceControlPolicies": []any{}, "resourceControlPolicies": []any{},
	}
	attach := func(percent int, kind policy.Kind, name string) *policy.Document {
		if !g.chance(percent) {
			return nil
		}
		document := g.document(caller, kind)
		if strings.HasSuffix(name, "Policies") {
			c.question[name] = []object{{"name": "p", "policy": document}}
		} else {
			c.question[name] = document
		}
		return load(t, kind, document)
	}
	c.call.Resource = attach(60, policy.KindResource, "resourcePolicy")
	c.call.Endpoint = attach(15, policy.KindEndpoint, "vpcEndpointPolicies")
	c.call.Boundary = attach(10, policy.KindIdentity, "permissionBoundaryPolicies")
	if c.call.Resource == nil && r.Principal.Type == policy.AssumedRole {
		c.call.Session = attach(15, policy.KindIdentity, "sessionPolicy")
	}
	return c
}

// load parses what is also sent to the oracle.
func load(t *testing.T, kind policy.Kind, document object) *policy.Document {
	t.Helper()
	text, err := json.Marshal(document)
	if err != nil {
		t.Fatal(err)
	}
	d, err := policy.Parse(text, kind)
	if err != nil {
		t.Fatalf("%s: %v", text, err)
	}
	return d
}

func (g generator) context() keys {
	given := keys{}
	for _, k := range known {
		switch {
		case k.call == nil || g.chance(35):
		case k.family == "Set":
			given[k.key] = some(g, 3, k.call...)
		default:
			given[k.key] = []string{pick(g, k.call...)}
		}
	}
	return given
}

// contextOf is the context as the oracle wants it, filled-in keys included.
func contextOf(r *policy.Request) object {
	variables := object{}
	for _, k := range known {
		values, ok := r.Context.Get(k.key)
		switch {
		case !ok:
		case k.family == "Set":
			variables[k.key] = values
		default:
			variables[k.key] = values[0]
		}
	}
	return variables
}

func (g generator) document(caller string, kind policy.Kind) object {
	statements := make([]object, 1+g.IntN(3))
	for i := range statements {
		statements[i] = g.statement(caller, kind)
	}
	return object{"Version": "2012-10-17", "Statement": statements}
}

func (g generator) statement(caller string, kind policy.Kind) object {
	s := object{"Effect": "Allow"}
	if g.chance(25) {
		s["Effect"] = "Deny"
	}
	s[pick(g, "Action", "Action", "Action", "Action", "NotAction")] = some(g, 2, "execute-api:Invoke", "execute-api:Invoke", "execute-api:*",
		"EXECUTE-API:invok?", "*", "execute-api:ManageConnections", "s3:Get*")
	patterns := []string{"*", "arn:aws:execute-api:*:*:*", movies,
		"arn:aws:execute-api:ap-*:123456789012:a1b2c3d4e5/*/GET/*", "arn:aws:execute-api:*:*:a1b2c3d4e5/dev/GET/movie_lis?",
		"arn:aws:execute-api:*:*:a1b2c3d4e5/dev/PUT/*",
		"arn:aws:execute-api:*:*:other/*", "arn:aws:execute-api:*:*:a1b2c3d4e5/dev/*/movie_list",
		"arn:aws:execute-api:*:*:a1b2c3d4e5/${aws:Referer, 'dev'}/GET/movie_list", "arn:aws:execute-api:*:*:a1b2c3d4e5/dev/GET/${aws:PrincipalTag/n}*"}
	if g.chance(20) {
		s["NotResource"] = some(g, 2, patterns...)
	} else {
		s["Resource"] = some(g, 2, append(patterns, "arn:aws:execute-api:*", "arn:aws:execute-api:eu-*:*")...)
	}
	switch kind {
	case policy.KindEndpoint:
		s["Principal"] = "*" // the oracle takes no other there
	case policy.KindResource:
		g.principal(s, caller)
	}
	if g.chance(60) {
		conditions := object{}
		for range 1 + g.IntN(2) {
			operator, key, values := g.condition()
			conditions[operator] = object{key: values}
		}
		s["Condition"] = conditions
	}
	return s
}

func (g generator) principal(s object, caller string) {
	if s["Effect"] == "Deny" && g.chance(20) {
		s["NotPrincipal"] = object{"AWS": pick(g, whole(caller), []string{"arn:aws:iam::111111111111:root", "arn:aws:iam::111111111111:user/x"})}
		return
	}
	s["Principal"] = pick(g, any("*"), any(object{"AWS": "*"}), any(object{"AWS": some(g, 2, root, account, partner,
		role, session, session+"x", user, foreign, foreignUser, "arn:aws:iam::210987654321:role/Caller", "arn:aws:iam::210987654321:root")}))
}

// whole lists all that a caller may be known as.
func whole(caller string) []string {
	p, _ := policy.ParsePrincipal(caller)
	list := []string{caller, "arn:aws:iam::" + p.Account + ":root"}
	if p.Type == policy.AssumedRole {
		list = append(list, "arn:aws:iam::"+p.Account+":role/"+p.Name)
	}
	return list
}

func (g generator) condition() (operator, key string, values []string) {
	k := known[g.IntN(len(known))]
	if g.chance(10) {
		return "Null", k.key, []string{pick(g, "true", "false")}
	}
	operator = pick(g, families[k.family]...)
	n := 3
	if strings.Contains(operator, "Equals") && k.key == "aws:UserAgent" {
		return operator, k.key, some(g, n, "CURL/8", "A*B", "axb", "a*b", "curl/8", "${aws:Referer, 'curl/8'}")
	}
	switch {
	case k.family == "Bool":
		n = 1
	case k.family == "Set":
		operator = pick(g, "ForAnyValue:", "ForAllValues:") + operator
	}
	if g.chance(20) && !strings.HasPrefix(operator, "ForAnyValue:") {
		operator += "IfExists"
	}
	return operator, k.key, some(g, n, k.policy...)
}
