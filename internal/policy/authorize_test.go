package policy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/policy"
)

// TestTables has the 18 rows of tables A and B of the API Gateway developer guide, "How API Gateway resource policies
// affect authorization workflow": same account and cross account.
func TestTables(t *testing.T) {
	const (
		allow    = policy.Allow
		implicit = policy.ImplicitDeny
		explicit = policy.ExplicitDeny
	)
	identity := map[string]*policy.Document{
		"allow":  statement(t, policy.KindIdentity, `'Sid':'I'`),
		"silent": statement(t, policy.KindIdentity, `'Action':'execute-api:ManageConnections'`),
		"deny":   statement(t, policy.KindIdentity, `'Sid':'I','Effect':'Deny'`),
	}
	resource := map[string]string{ // "allow" names the caller's role, which differs between the tables
		"silent": `'Principal':'*','Action':'execute-api:ManageConnections'`,
		"deny":   `'Sid':'R','Effect':'Deny','Principal':'*'`,
	}
	type by = policy.Source
	const identities, resources = policy.SourceIdentity, policy.SourceResource
	rows := []struct {
		identity, resource string
		same, cross        policy.Decision
		sameBy, crossBy    by
	}{
		{"allow", "allow", allow, allow, identities, identities},
		{"allow", "silent", allow, implicit, identities, resources},
		{"allow", "deny", explicit, explicit, resources, resources},
		{"silent", "allow", allow, implicit, resources, identities},
		{"silent", "silent", implicit, implicit, identities, resources},
		{"silent", "deny", explicit, explicit, resources, resources},
		{"deny", "allow", explicit, explicit, identities, identities},
		{"deny", "silent", explicit, explicit, identities, identities},
		{"deny", "deny", explicit, explicit, resources, resources},
	}
	for _, row := range rows {
		for _, table := range []struct {
			name, caller, named string
			want                policy.Decision
			source              by
		}{
			{"A same account", session, role, row.same, row.sameBy},
			{"B cross account", foreign, "arn:aws:iam::210987654321:role/Caller", row.cross, row.crossBy},
		} {
			t.Run(table.name+"/identity "+row.identity+"/resource "+row.resource, func(t *testing.T) {
				elements := resource[row.resource]
				if row.resource == "allow" {
					elements = `'Sid':'R','Principal':{'AWS':'` + table.named + `'}`
				}
				call := policy.Call{
					Identity:        []*policy.Document{identity[row.identity]},
					Resource:        statement(t, policy.KindResource, elements),
					ResourceAccount: account,
				}
				want := policy.Verdict{Decision: table.want, Source: table.source, Document: -1, Statement: -1}
				if table.want != implicit {
					want.Document, want.Statement = 0, 0
					want.Sid = map[by]string{identities: "I", resources: "R"}[table.source]
				}
				if got := call.Authorize(invoke(t, table.caller, nil)); got != want {
					t.Errorf("got %+v, want %+v", got, want)
				}
				// A resource policy that is not there is as silent as one without a matching statement.
				if row.resource == "silent" {
					call.Resource = nil
					if got := call.Authorize(invoke(t, table.caller, nil)); got != want {
						t.Errorf("without a resource policy: got %+v, want %+v", got, want)
					}
				}
			})
		}
	}
}

// TestAccountPrincipalOnlyDelegates: an Allow to the account as a whole grants nothing alone in the same account, but is
// the resource policy's half across accounts.
func TestAccountPrincipalOnlyDelegates(t *testing.T) {
	allow := []*policy.Document{statement(t, policy.KindIdentity, ``)}
	tests := []struct {
		name, principal, caller string
		identity                []*policy.Document
		want                    policy.Decision
	}{
		{"own root, identity silent", `{'AWS':'` + root + `'}`, session, nil, policy.ImplicitDeny},
		{"own account number, identity silent", `{'AWS':'123456789012'}`, user, nil, policy.ImplicitDeny},
		{"own root, identity allows", `{'AWS':'` + root + `'}`, session, allow, policy.Allow},
		{"everyone, identity silent", `'*'`, session, nil, policy.Allow},
		{"the role, identity silent", `{'AWS':'` + role + `'}`, session, nil, policy.Allow},
		{"the session, identity silent", `{'AWS':'` + session + `'}`, session, nil, policy.Allow},
		{"the user, identity silent", `{'AWS':'` + user + `'}`, user, nil, policy.Allow},
		{"another user, identity silent", `{'AWS':'` + user + `x'}`, user, nil, policy.ImplicitDeny},
		{"partner's account, identity silent", `{'AWS':'210987654321'}`, foreign, nil, policy.ImplicitDeny},
		{"partner's account, identity allows", `{'AWS':'210987654321'}`, foreign, allow, policy.Allow},
		{"everyone, partner, identity silent", `'*'`, foreign, nil, policy.ImplicitDeny},
		{"own root, partner, identity allows", `{'AWS':'` + root + `'}`, foreign, allow, policy.ImplicitDeny},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			call := policy.Call{
				Identity:        tt.identity,
				Resource:        statement(t, policy.KindResource, `'Principal':`+tt.principal),
				ResourceAccount: account,
			}
			if got := call.Authorize(invoke(t, tt.caller, nil)).Decision; got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestBoundaryAndSession: silence of these limits what identity policies and an Allow to the role grant, not what the
// resource policy grants to the caller itself or to everyone (IAM user guide, "Permissions boundaries for IAM entities",
// "Policies and permissions in IAM" on session policies, and "AWS JSON policy elements: Principal" on roles).
func TestBoundaryAndSession(t *testing.T) {
	allow := statement(t, policy.KindIdentity, `'Sid':'A'`)
	silent := statement(t, policy.KindIdentity, `'Action':'s3:*'`)
	deny := statement(t, policy.KindIdentity, `'Sid':'D','Effect':'Deny'`)
	allowed := func(source policy.Source) policy.Verdict {
		return policy.Verdict{Decision: policy.Allow, Source: source}
	}
	refused := func(source policy.Source) policy.Verdict {
		return policy.Verdict{Decision: policy.ImplicitDeny, Source: source, Document: -1, Statement: -1}
	}
	tests := []struct {
		name, principal, caller             string // principal "": silent resource policy
		identity, boundary, sessionPolicies *policy.Document
		want                                policy.Verdict
	}{
		{"identity within both", "", session, allow, allow, allow, allowed(policy.SourceIdentity)},
		{"identity, boundary silent", "", session, allow, silent, nil, refused(policy.SourceBoundary)},
		{"identity, session policy silent", "", session, allow, allow, silent, refused(policy.SourceSession)},
		{"identity and boundary silent", "", session, silent, silent, nil, refused(policy.SourceIdentity)},
		{"boundary alone grants nothing", "", session, silent, allow, allow, refused(policy.SourceIdentity)},
		{"role, boundary silent", role, session, nil, silent, nil, refused(policy.SourceBoundary)},
		{"role, session policy silent", role, session, nil, nil, silent, refused(policy.SourceSession)},
		{"role, both allow", role, session, nil, allow, allow, allowed(policy.SourceResource)},
		{"session, boundary silent", session, session, nil, silent, nil, allowed(policy.SourceResource)},
		{"session, session policy silent", session, session, allow, nil, silent, allowed(policy.SourceResource)},
		{"user, boundary silent", user, user, nil, silent, nil, allowed(policy.SourceResource)},
		{"everyone, both silent", "*", session, allow, silent, silent, allowed(policy.SourceResource)},
		{"account, identity, boundary silent", root, session, allow, silent, nil, refused(policy.SourceBoundary)},
		{"session, boundary denies", session, session, allow, deny, nil, policy.Verdict{Decision: policy.ExplicitDeny, Source: policy.SourceBoundary}},
		{"session, session policy denies", session, session, allow, nil, deny, policy.Verdict{Decision: policy.ExplicitDeny, Source: policy.SourceSession}},
		{"cross account, boundary silent", "210987654321", foreign, allow, silent, nil, refused(policy.SourceBoundary)},
		{"cross account, the session itself, boundary silent", foreign, foreign, allow, silent, nil, refused(policy.SourceBoundary)},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			call := policy.Call{Boundary: tt.boundary, Session: tt.sessionPolicies, ResourceAccount: account}
			if tt.identity != nil {
				call.Identity = []*policy.Document{tt.identity}
			}
			if tt.principal != "" {
				call.Resource = statement(t, policy.KindResource, `'Principal':{'AWS':'`+tt.principal+`'}`)
			}
			got := call.Authorize(invoke(t, tt.caller, nil))
			got.Sid = ""
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestNotPrincipalWithBoundary: a Deny with NotPrincipal always meets a caller with a permissions boundary (IAM user guide,
// "AWS JSON policy elements: NotPrincipal").
func TestNotPrincipalWithBoundary(t *testing.T) {
	allow := statement(t, policy.KindIdentity, ``)
	call := policy.Call{
		Identity:        []*policy.Document{allow},
		Resource:        statement(t, policy.KindResource, `'Effect':'Deny','NotPrincipal':{'AWS':['`+user+`','`+root+`']}`),
		ResourceAccount: account,
	}
	if got := call.Authorize(invoke(t, user, nil)).Decision; got != policy.Allow {
		t.Errorf("without a boundary: got %v, want allow", got)
	}
	call.Boundary = allow
	if got := call.Authorize(invoke(t, user, nil)).Decision; got != policy.ExplicitDeny {
		t.Errorf("with a boundary: got %v, want explicit_deny", got)
	}
}

// TestEndpointPolicy: it must allow on its own, whatever the other policies say; the anonymous caller is one for it.
func TestEndpointPolicy(t *testing.T) {
	allow := statement(t, policy.KindIdentity, ``)
	open := statement(t, policy.KindResource, `'Principal':'*'`)
	refuse := policy.Verdict{Decision: policy.ImplicitDeny, Source: policy.SourceEndpoint, Document: -1, Statement: -1}
	tests := []struct {
		name, endpoint, caller string
		want                   policy.Verdict
	}{
		{"the default policy", `'Action':'*','Principal':'*'`, session, policy.Verdict{Decision: policy.Allow, Source: policy.SourceIdentity}},
		{"the default policy, anonymous", `'Action':'*','Principal':'*'`, "anonymous", policy.Verdict{Decision: policy.Allow, Source: policy.SourceResource}},
		{"another API", `'Principal':'*','Resource':'arn:aws:execute-api:*:*:other/*'`, session, refuse},
		{"the account", `'Principal':{'AWS':'` + root + `'}`, session, policy.Verdict{Decision: policy.Allow, Source: policy.SourceIdentity}},
		{"the account, anonymous", `'Principal':{'AWS':'` + root + `'}`, "anonymous", refuse},
		{"the account, partner", `'Principal':{'AWS':'` + root + `'}`, foreign, refuse},
		{"a Deny", `'Effect':'Deny','Sid':'D','Principal':'*'`, session, policy.Verdict{Decision: policy.ExplicitDeny, Source: policy.SourceEndpoint, Sid: "D"}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			call := policy.Call{
				Identity: []*policy.Document{allow}, Resource: open, ResourceAccount: account,
				Endpoint: statement(t, policy.KindEndpoint, tt.endpoint),
			}
			if got := call.Authorize(invoke(t, tt.caller, nil)); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

// TestAnonymous: without a signature only the resource policy can let a call in, and it must do so explicitly.
func TestAnonymous(t *testing.T) {
	identity := []*policy.Document{statement(t, policy.KindIdentity, ``)}
	refuse := policy.Verdict{Decision: policy.ImplicitDeny, Source: policy.SourceResource, Document: -1, Statement: -1}
	tests := []struct {
		name     string
		resource *policy.Document
		want     policy.Verdict
	}{
		{"no resource policy", nil, refuse},
		{"silent", statement(t, policy.KindResource, `'Principal':'*','Action':'s3:*'`), refuse},
		{"everyone", statement(t, policy.KindResource, `'Principal':'*'`), policy.Verdict{Decision: policy.Allow, Source: policy.SourceResource}},
		{"the account", statement(t, policy.KindResource, `'Principal':{'AWS':'123456789012'}`), refuse},
		{"a role", statement(t, policy.KindResource, `'Principal':{'AWS':'`+role+`'}`), refuse},
		{"a Deny", statement(t, policy.KindResource, `'Effect':'Deny','Principal':'*'`), policy.Verdict{Decision: policy.ExplicitDeny, Source: policy.SourceResource}},
		{"a key of signed calls only", statement(t, policy.KindResource, `'Principal':'*','Condition':{'StringLike':{'aws:PrincipalArn':'*'}}`), refuse},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			call := policy.Call{Identity: identity, Resource: tt.resource, ResourceAccount: account}
			if got := call.Authorize(invoke(t, "anonymous", nil)); got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
	t.Run("identity policies are nobody's", func(t *testing.T) {
		deny := []*policy.Document{statement(t, policy.KindIdentity, `'Effect':'Deny'`)}
		call := policy.Call{Identity: deny, Resource: statement(t, policy.KindResource, `'Principal':'*'`), ResourceAccount: account}
		if got := call.Authorize(invoke(t, "anonymous", nil)).Decision; got != policy.Allow {
			t.Errorf("got %v, want allow", got)
		}
	})
	t.Run("the zero principal is anonymous", func(t *testing.T) {
		call := policy.Call{Identity: identity}
		if got := call.Authorize(&policy.Request{Action: "execute-api:Invoke", Resource: movies}); got != refuse {
			t.Errorf("got %+v, want %+v", got, refuse)
		}
	})
}

// TestRootUser: an account's root user has every permission of its account, but no way around a Deny or into another
// account (IAM user guide, "How AWS enforcement code logic evaluates requests to allow or deny access").
func TestRootUser(t *testing.T) {
	open := statement(t, policy.KindResource, `'Principal':'*'`)
	const other = "arn:aws:iam::210987654321:root"
	tests := []struct {
		name, caller string
		resource     *policy.Document
		want         policy.Decision
	}{
		{"no policy", root, nil, policy.Allow},
		{"a Deny", root, statement(t, policy.KindResource, `'Effect':'Deny','Principal':'*'`), policy.ExplicitDeny},
		{"other account, silent", other, nil, policy.ImplicitDeny},
		{"other account, allowed", other, open, policy.Allow},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			call := policy.Call{Resource: tt.resource, ResourceAccount: account}
			if got := call.Authorize(invoke(t, tt.caller, nil)).Decision; got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestTrustPolicy: a role can be assumed only if its trust policy says so, in its own account as well.
func TestTrustPolicy(t *testing.T) {
	mayAssume := []*policy.Document{statement(t, policy.KindIdentity, `'Action':'sts:AssumeRole','Resource':'`+role+`'`)}
	tests := []struct {
		name, principal, caller string
		identity                []*policy.Document
		want                    policy.Decision
	}{
		{"user named, identity silent", `{'AWS':'` + user + `'}`, user, nil, policy.Allow},
		{"account, identity silent", `{'AWS':'123456789012'}`, user, nil, policy.ImplicitDeny},
		{"account, identity allows", `{'AWS':'123456789012'}`, user, mayAssume, policy.Allow},
		{"a service only, identity allows", `{'Service':'lambda.amazonaws.com'}`, user, mayAssume, policy.ImplicitDeny},
		{"a service only, root user", `{'Service':'lambda.amazonaws.com'}`, root, nil, policy.ImplicitDeny},
		{"the service itself", `{'Service':'lambda.amazonaws.com'}`, "lambda.amazonaws.com", nil, policy.Allow},
		{"partner's account, identity allows", `{'AWS':'210987654321'}`, foreign, mayAssume, policy.Allow},
		{"partner's account, identity silent", `{'AWS':'210987654321'}`, foreign, nil, policy.ImplicitDeny},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			r := invoke(t, tt.caller, nil)
			r.Action, r.Resource = "sts:AssumeRole", role
			call := policy.Call{
				Identity:        tt.identity,
				Resource:        statement(t, policy.KindTrust, `'Action':'sts:AssumeRole','Principal':`+tt.principal),
				ResourceAccount: account,
			}
			if got := call.Authorize(r).Decision; got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}

// TestWhichDenyIsReported: endpoint, resource, identity, boundary, session; inside the identity policies the first.
func TestWhichDenyIsReported(t *testing.T) {
	own := func(sid string) *policy.Document {
		return parse(t, policy.KindIdentity, `{'Version':'2012-10-17','Statement':[
			{'Effect':'Allow','Action':'*','Resource':'*'},
			{'Sid':'`+sid+`','Effect':'Deny','Action':'execute-api:*','Resource':'*'},
			{'Effect':'Deny','Action':'*','Resource':'*'}]}`)
	}
	allow := statement(t, policy.KindIdentity, ``)
	deny := `'Sid':'D','Effect':'Deny','Principal':'*'`
	call := policy.Call{
		Endpoint:        statement(t, policy.KindEndpoint, deny),
		Resource:        statement(t, policy.KindResource, deny),
		Identity:        []*policy.Document{allow, own("First"), own("Second")},
		Boundary:        own("Boundary"),
		Session:         own("Session"),
		ResourceAccount: account,
	}
	r := invoke(t, session, nil)
	steps := []struct {
		want   policy.Verdict
		remove func()
	}{
		{policy.Verdict{Decision: policy.ExplicitDeny, Source: policy.SourceEndpoint, Sid: "D"}, func() { call.Endpoint = nil }},
		{policy.Verdict{Decision: policy.ExplicitDeny, Source: policy.SourceResource, Sid: "D"}, func() { call.Resource = nil }},
		{policy.Verdict{Decision: policy.ExplicitDeny, Source: policy.SourceIdentity, Document: 1, Statement: 1, Sid: "First"}, func() { call.Identity = call.Identity[:1] }},
		{policy.Verdict{Decision: policy.ExplicitDeny, Source: policy.SourceBoundary, Statement: 1, Sid: "Boundary"}, func() { call.Boundary = nil }},
		{policy.Verdict{Decision: policy.ExplicitDeny, Source: policy.SourceSession, Statement: 1, Sid: "Session"}, func() { call.Session = nil }},
		{policy.Verdict{Decision: policy.Allow, Source: policy.SourceIdentity}, func() {}},
	}
	for _, step := range steps {
		got, checks := call.Explain(r)
		if got != step.want {
			t.Errorf("got %+v, want %+v", got, step.want)
		}
		if again := call.Authorize(r); again != got {
			t.Errorf("Authorize says %+v, Explain %+v", again, got)
		}
		var first policy.Source
		for _, check := range checks {
			if check.Result.Decision == step.want.Decision {
				first = check.Source
				break
			}
		}
		if first != step.want.Source {
			t.Errorf("first check with %v: got %v, want %v in %+v", step.want.Decision, first, step.want.Source, checks)
		}
		step.remove()
	}
}

func TestExplainListsWhatTookPart(t *testing.T) {
	call := policy.Call{
		Endpoint: statement(t, policy.KindEndpoint, `'Sid':'E','Principal':'*'`),
		Identity: []*policy.Document{
			statement(t, policy.KindIdentity, `'Action':'s3:*'`),
			statement(t, policy.KindIdentity, `'Sid':'I'`),
		},
		ResourceAccount: account,
	}
	_, checks := call.Explain(invoke(t, session, nil))
	type row struct {
		Source    policy.Source
		Document  int
		Decision  policy.Decision
		Statement int
		Sid       string
	}
	var got []row
	for _, c := range checks {
		got = append(got, row{c.Source, c.Document, c.Result.Decision, c.Result.Statement, c.Result.Sid})
	}
	want := []row{
		{policy.SourceEndpoint, 0, policy.Allow, 0, "E"},
		{policy.SourceIdentity, 1, policy.Allow, 0, "I"},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("checks (-want +got):\n%s", diff)
	}
}
