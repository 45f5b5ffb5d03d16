package policy_test

import (
	"testing"

	"github.com/marquee-api/marquee/internal/policy"
)

// TestActions: wildcards in names, case does not matter, the Not form (IAM user guide, "IAM JSON policy elements: Action"
// and "NotAction").
func TestActions(t *testing.T) {
	tests := []struct {
		elements string
		want     bool
	}{
		{`'Action':'execute-api:Invoke'`, true},
		{`'Action':'EXECUTE-API:invoke'`, true},
		{`'Action':'execute-api:*'`, true},
		{`'Action':'execute-api:In*e'`, true},
		{`'Action':'execute-api:Invok?'`, true},
		{`'Action':'*'`, true},
		{`'Action':['s3:*','execute-api:Invoke']`, true},
		{`'Action':'execute-api:Invoke?'`, false},
		{`'Action':'execute-api:InvalidateCache'`, false},
		{`'Action':'s3:*'`, false},
		{`'NotAction':'execute-api:Invoke'`, false},
		{`'NotAction':['s3:*','execute-api:i*']`, false},
		{`'NotAction':'execute-api:ManageConnections'`, true},
	}
	for _, tt := range tests {
		t.Run(tt.elements, func(t *testing.T) {
			d := statement(t, policy.KindIdentity, tt.elements)
			if got := d.Evaluate(invoke(t, session, nil)).Decision == policy.Allow; got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestResources: a wildcard stays inside its field, "*" in the last one passes slashes and colons, and one that ends a
// shortened ARN passes the colons that are missing (IAM user guide, "IAM JSON policy elements: Resource").
func TestResources(t *testing.T) {
	const api = "arn:aws:execute-api:ap-northeast-2:123456789012:a1b2c3d4e5"
	tests := []struct {
		pattern, resource string
		want              bool
	}{
		{"*", movies, true},
		{"*", "*", true},
		{movies, movies, true},
		{movies, movies + "/", false},
		{movies, api + "/dev/get/movie_list", false}, // case matters
		{api + "/dev/GET/*", api + "/dev/GET/movie_list/2013/Rush", true},
		{api + "/dev/GET/*", api + "/dev/GET/a:b:c", true},
		{api + "/dev/GET/*", api + "/dev/GET/", true},
		{api + "/dev/GET/*", api + "/dev/GET", false},
		{api + "/dev/*/movie_list", movies, true},
		{api + "/dev/*/movie_list", api + "/dev/GET/a/movie_list", true}, // an asterisk passes slashes
		{api + "/*/GET/movie_lis?", movies, true},
		{api + "/", movies, false}, // stands in AWS's documents and matches nothing
		{"arn:aws:execute-api:*:*:*/movie_list", movies, true},
		{"arn:aws:execute-api:*:123456789012:???????????/GET/*", movies, false},
		{"arn:aws:execute-api:*:123456789012:??????????/dev/GET/*", movies, true},
		{"arn:*:execute-api:*:*:*", movies, true},
		{"arn:aws:execute-api:ap-*:123456789012:*", movies, true},
		{"arn:aws:execute-api:eu-*:123456789012:*", movies, false},
		{"arn:aws:execute-api:ap*:*", movies, true},
		{"arn:aws:execute-api:*", movies, true},
		{"arn:aws:execute-api:eu*", movies, false},
		{"arn:aws:execute-api:ap*GET*", movies, false}, // only the asterisk at the end passes colons
		{"arn:aws:execute-api:*:*", movies, true},
		{"arn:aws:execute-api:*:123456789012:*", movies, true},
		{"arn:aws:execute-api:*:a1b2c3d4e5/*", movies, false}, // the region's asterisk does not pass the account
		{"arn:aws:s3:*", movies, false},
		{"arn:aws:execute-api:*:*:*", "*", false},
		{"arn:aws:execute-api:*:*:*", "execute-api", false},
	}
	for _, tt := range tests {
		t.Run(tt.pattern+" on "+tt.resource, func(t *testing.T) {
			r := invoke(t, session, nil)
			r.Resource = tt.resource
			if got := statement(t, policy.KindIdentity, `'Resource':'`+tt.pattern+`'`).Evaluate(r).Decision == policy.Allow; got != tt.want {
				t.Errorf("Resource: got %v, want %v", got, tt.want)
			}
			if got := statement(t, policy.KindIdentity, `'NotResource':'`+tt.pattern+`'`).Evaluate(r).Decision == policy.Allow; got == tt.want {
				t.Errorf("NotResource: got %v, want %v", got, !tt.want)
			}
		})
	}
}

// TestPrincipals: who is meant by each form of Principal (IAM user guide, "AWS JSON policy elements: Principal").
func TestPrincipals(t *testing.T) {
	const federated = "arn:aws:sts::123456789012:federated-user/bob"
	const pathRole = "arn:aws:iam::123456789012:role/app/Caller"
	const namesake = "arn:aws:iam::123456789012:user/Caller"
	all := []string{"anonymous", namesake, session, user, root, federated, foreign, "lambda.amazonaws.com"}
	tests := []struct {
		principal string
		who       []string // of all
	}{
		{`'*'`, all},
		{`{'AWS':'*'}`, all},
		{`{'AWS':'123456789012'}`, []string{namesake, session, user, root, federated}},
		{`{'AWS':'` + root + `'}`, []string{namesake, session, user, root, federated}},
		{`{'AWS':'` + role + `'}`, []string{session}},
		{`{'AWS':'` + pathRole + `'}`, []string{session}}, // a session's ARN has no path, and names are unique
		{`{'AWS':'` + session + `'}`, []string{session}},
		{`{'AWS':'` + session + `x'}`, nil},
		{`{'AWS':'` + user + `'}`, []string{user}},
		{`{'AWS':'arn:aws:iam::123456789012:user/team/ann'}`, nil},
		{`{'AWS':'` + federated + `'}`, []string{federated}},
		{`{'AWS':['` + user + `','210987654321']}`, []string{user, foreign}},
		{`{'AWS':'arn:aws-cn:iam::123456789012:role/Caller'}`, nil},
		{`{'AWS':'` + namesake + `'}`, []string{namesake}},
		{`{'Service':'lambda.amazonaws.com'}`, []string{"lambda.amazonaws.com"}},
		{`{'Service':['ecs.amazonaws.com']}`, nil},
		{`{'Federated':'cognito-identity.amazonaws.com'}`, nil},
	}
	for _, tt := range tests {
		t.Run(tt.principal, func(t *testing.T) {
			d := statement(t, policy.KindResource, `'Principal':`+tt.principal)
			for _, arn := range all {
				want := policy.ImplicitDeny
				for _, w := range tt.who {
					if w == arn {
						want = policy.Allow
					}
				}
				if got := d.Evaluate(invoke(t, arn, nil)).Decision; got != want {
					t.Errorf("%s: got %v, want %v", arn, got, want)
				}
			}
		})
	}
	t.Run("a role whose path is known", func(t *testing.T) {
		r := invoke(t, session, nil)
		r.Principal.RoleARN = pathRole
		if got := statement(t, policy.KindResource, `'Principal':{'AWS':'`+pathRole+`'}`).Evaluate(r).Decision; got != policy.Allow {
			t.Errorf("its ARN: got %v, want allow", got)
		}
		if got := statement(t, policy.KindResource, `'Principal':{'AWS':'`+role+`'}`).Evaluate(r).Decision; got != policy.ImplicitDeny {
			t.Errorf("the ARN without its path: got %v, want implicit_deny", got)
		}
	})
}

// TestNotPrincipal: a Deny spares only who is listed wholly: account, role and session (IAM user guide, "AWS JSON policy
// elements: NotPrincipal").
func TestNotPrincipal(t *testing.T) {
	tests := []struct {
		name, list, caller string
		denied             bool
	}{
		{"session, role and account", `'` + session + `','` + role + `','` + root + `'`, session, false},
		{"account by its number", `'` + session + `','` + role + `','123456789012'`, session, false},
		{"role alone", `'` + role + `'`, session, true},
		{"session alone", `'` + session + `'`, session, true},
		{"role and account", `'` + role + `','` + root + `'`, session, true},
		{"session and role", `'` + session + `','` + role + `'`, session, true},
		{"session and account", `'` + session + `','` + root + `'`, session, true},
		{"account alone", `'` + root + `'`, session, true},
		{"another session", `'` + session + `x','` + role + `','` + root + `'`, session, true},
		{"user and account", `'` + user + `','` + root + `'`, user, false},
		{"user alone", `'` + user + `'`, user, true},
		{"account alone, user", `'` + root + `'`, user, true},
		{"root user", `'` + root + `'`, root, false},
		{"somebody else", `'` + user + `','` + root + `'`, foreign, true},
		{"anonymous", `'` + user + `','` + root + `'`, "anonymous", true},
		{"everyone", `'*'`, "anonymous", false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := statement(t, policy.KindResource, `'Effect':'Deny','NotPrincipal':{'AWS':[`+tt.list+`]}`)
			if got := d.Evaluate(invoke(t, tt.caller, nil)).Decision == policy.ExplicitDeny; got != tt.denied {
				t.Errorf("denied: got %v, want %v", got, tt.denied)
			}
		})
	}
}

// TestEvaluateNamesTheStatement: the first Deny decides, else the Allow that names the caller most closely.
func TestEvaluateNamesTheStatement(t *testing.T) {
	const delegate = `{'Sid':'Account','Effect':'Allow','Principal':{'AWS':'123456789012'},'Action':'*','Resource':'*'}`
	const byRole = `{'Sid':'Role','Effect':'Allow','Principal':{'AWS':'` + role + `'},'Action':'*','Resource':'*'}`
	const direct = `{'Sid':'Session','Effect':'Allow','Principal':{'AWS':'` + session + `'},'Action':'*','Resource':'*'}`
	const deny = `{'Sid':'Fence','Effect':'Deny','Principal':'*','Action':'*','Resource':'*','Condition':{'Null':{'aws:SourceVpce':'true'}}}`
	const other = `{'Effect':'Deny','Principal':'*','Action':'s3:*','Resource':'*'}`
	tests := []struct {
		name, statements string
		want             policy.Result
	}{
		{"nothing matches", other, policy.Result{Decision: policy.ImplicitDeny, Statement: -1}},
		{"the one that matches", other + "," + delegate, policy.Result{Decision: policy.Allow, Statement: 1, Sid: "Account"}},
		{"the closest", delegate + "," + byRole + "," + direct, policy.Result{Decision: policy.Allow, Statement: 2, Sid: "Session"}},
		{"the closest comes first", direct + "," + byRole, policy.Result{Decision: policy.Allow, Statement: 0, Sid: "Session"}},
		{"a Deny after an Allow", direct + "," + deny, policy.Result{Decision: policy.ExplicitDeny, Statement: 1, Sid: "Fence"}},
		{"a Deny before an Allow", deny + "," + direct, policy.Result{Decision: policy.ExplicitDeny, Statement: 0, Sid: "Fence"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			d := parse(t, policy.KindResource, `{'Version':'2012-10-17','Statement':[`+tt.statements+`]}`)
			got := d.Evaluate(invoke(t, session, nil))
			if got.Decision != tt.want.Decision || got.Statement != tt.want.Statement || got.Sid != tt.want.Sid {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}
