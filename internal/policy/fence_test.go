package policy_test

import (
	"testing"

	"github.com/marquee-api/marquee/internal/policy"
)

// TestAllowIsNoFence shows why the resource policy of a private API must deny: with AWS_IAM an Allow that names the
// endpoint keeps nobody of the account out who has an Allow of its own, and lets everybody of the account in who comes
// through the endpoint. Both forms read as "only through vpce-1"; four callers show the difference.
func TestAllowIsNoFence(t *testing.T) {
	const allowForm = `{'Version':'2012-10-17','Statement':[
		{'Effect':'Allow','Principal':'*','Action':'execute-api:Invoke','Resource':'*',
		 'Condition':{'StringEquals':{'aws:SourceVpce':'vpce-1'}}}]}`
	const denyForm = `{'Version':'2012-10-17','Statement':[
		{'Effect':'Deny','Principal':'*','Action':'execute-api:Invoke','Resource':'*',
		 'Condition':{'StringNotEquals':{'aws:SourceVpce':'vpce-1'}}},
		{'Effect':'Allow','Principal':{'AWS':'123456789012'},'Action':'execute-api:Invoke','Resource':'*'}]}`
	reader := []*policy.Document{statement(t, policy.KindIdentity, `'Resource':'arn:aws:execute-api:*:*:a1b2c3d4e5/dev/GET/*'`)}
	callers := []struct {
		name, arn          string
		identity           []*policy.Document
		endpoint           string
		allowForm, denying policy.Decision
	}{
		{"reader through the endpoint", session, reader, "vpce-1", policy.Allow, policy.Allow},
		{"reader through another endpoint", session, reader, "vpce-2", policy.Allow, policy.ExplicitDeny},
		{"reader from the internet", session, reader, "", policy.Allow, policy.ExplicitDeny},
		{"stranger of the account through the endpoint", user, nil, "vpce-1", policy.Allow, policy.ImplicitDeny},
		{"stranger of the account through another endpoint", user, nil, "vpce-2", policy.ImplicitDeny, policy.ExplicitDeny},
		{"foreign account through the endpoint", foreign, reader, "vpce-1", policy.Allow, policy.ImplicitDeny},
		{"unsigned through the endpoint", "anonymous", nil, "vpce-1", policy.Allow, policy.ImplicitDeny},
	}
	for _, tt := range callers {
		t.Run(tt.name, func(t *testing.T) {
			given := keys{}
			if tt.endpoint != "" {
				given["aws:SourceVpce"] = []string{tt.endpoint}
			}
			for form, want := range map[string]policy.Decision{allowForm: tt.allowForm, denyForm: tt.denying} {
				call := policy.Call{Identity: tt.identity, Resource: parse(t, policy.KindResource, form), ResourceAccount: account}
				if got := call.Authorize(invoke(t, tt.arn, given)).Decision; got != want {
					t.Errorf("got %v, want %v by %s", got, want, form)
				}
			}
		})
	}
}
