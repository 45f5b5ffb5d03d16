package policy_test

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/policy"
)

func TestParsePrincipal(t *testing.T) {
	tests := map[string]policy.Principal{
		"anonymous": {ARN: "anonymous"},
		root:        {ARN: root, Type: policy.Root, Partition: "aws", Account: account},
		user:        {ARN: user, Type: policy.User, Partition: "aws", Account: account, Name: "ann"},
		"arn:aws-cn:iam::123456789012:user/team/red/ann": {
			ARN: "arn:aws-cn:iam::123456789012:user/team/red/ann", Type: policy.User, Partition: "aws-cn", Account: account, Name: "team/red/ann"},
		session: {ARN: session, Type: policy.AssumedRole, Partition: "aws", Account: account, Name: "Caller", Session: "one"},
		"arn:aws:iam::123456789012:role/app/Caller": {
			ARN: "arn:aws:iam::123456789012:role/app/Caller", Type: policy.AssumedRole, Partition: "aws", Account: account,
			Name: "Caller", RoleARN: "arn:aws:iam::123456789012:role/app/Caller"},
		"arn:aws:sts::123456789012:federated-user/bob": {
			ARN: "arn:aws:sts::123456789012:federated-user/bob", Type: policy.FederatedUser, Partition: "aws", Account: account, Name: "bob"},
		"lambda.amazonaws.com": {ARN: "lambda.amazonaws.com", Type: policy.Service, Name: "lambda.amazonaws.com"},
	}
	for arn, want := range tests {
		got, err := policy.ParsePrincipal(arn)
		if err != nil {
			t.Errorf("%s: %v", arn, err)
		}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", arn, diff)
		}
	}
	for _, arn := range []string{
		"", "*", "Anonymous", "123456789012", "arn", "arn:aws:iam::123456789012", "arn:aws:iam::12345678901:root",
		"arn:aws:iam:eu-west-1:123456789012:root", "arn:aws:s3:::bucket", "arn:aws:iam::123456789012:user/",
		"arn:aws:iam::123456789012:user/a*", "arn:aws:iam::123456789012:group/g", "arn:aws:sts::123456789012:assumed-role/Caller",
		"arn:aws:sts::123456789012:assumed-role/Caller/a/b", "arn:aws:sts::123456789012:assumed-role//a", "arn:gcp:iam::123456789012:root",
		"arn:aws:iam::123456789012:role/a b", ".amazonaws.com", "a/b.amazonaws.com",
	} {
		if got, err := policy.ParsePrincipal(arn); err == nil {
			t.Errorf("%q: got %+v, want an error", arn, got)
		}
	}
}

// TestFillPrincipal: which keys describe which caller (IAM user guide, "AWS global condition context keys"), and that
// nothing given is overwritten.
func TestFillPrincipal(t *testing.T) {
	withPath := principal(t, session)
	withPath.RoleARN, withPath.UserID = "arn:aws:iam::123456789012:role/app/Caller", "AROAEXAMPLE:one"
	tests := []struct {
		name      string
		principal policy.Principal
		given     keys
		want      map[string]string
	}{
		{"session", principal(t, session), nil, map[string]string{
			"aws:PrincipalArn": role, "aws:PrincipalAccount": account, "aws:PrincipalType": "AssumedRole"}},
		{"session of a role with a path", withPath, nil, map[string]string{
			"aws:PrincipalArn": withPath.RoleARN, "aws:PrincipalAccount": account, "aws:PrincipalType": "AssumedRole", "aws:userid": "AROAEXAMPLE:one"}},
		{"user", principal(t, "arn:aws:iam::123456789012:user/team/ann"), nil, map[string]string{
			"aws:PrincipalArn": "arn:aws:iam::123456789012:user/team/ann", "aws:PrincipalAccount": account, "aws:PrincipalType": "User", "aws:username": "ann"}},
		{"root", principal(t, root), nil, map[string]string{
			"aws:PrincipalArn": root, "aws:PrincipalAccount": account, "aws:PrincipalType": "Account"}},
		{"anonymous", policy.Principal{}, nil, nil},
		{"given", principal(t, user), keys{"AWS:principalarn": {"x"}, "aws:USERNAME": {}}, map[string]string{
			"aws:PrincipalArn": "x", "aws:PrincipalAccount": account, "aws:PrincipalType": "User"}},
	}
	names := []string{"aws:PrincipalArn", "aws:PrincipalAccount", "aws:PrincipalType", "aws:userid", "aws:username"}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			var c policy.Context
			for key, values := range tt.given {
				c.Set(key, values...)
			}
			c.FillPrincipal(tt.principal)
			var got map[string]string
			for _, name := range names {
				if values, ok := c.Get(name); ok {
					if got == nil {
						got = map[string]string{}
					}
					got[name] = values[0]
				}
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
		})
	}
}

func TestContext(t *testing.T) {
	c := policy.NewContext(2)
	c.Set(policy.KeySourceVPCE, "vpce-1")
	c.Set("AWS:SourceVpce", "vpce-2")
	if got, ok := c.Get("aws:sourcevpce"); !ok || len(got) != 1 || got[0] != "vpce-2" {
		t.Errorf("got %q, %v; want vpce-2", got, ok)
	}
	if _, ok := c.Get("aws:SourceVpc"); ok {
		t.Error("a key that was not set is present")
	}
	for _, name := range []string{"aws:SourceVPCE", "SourceVpce", "aws:SourceVpcee", "aws:PrincipalTag"} {
		if err := c.Add(name, "x"); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
	if err := c.Add("aws:PrincipalTag/Team", "red"); err != nil {
		t.Error(err)
	}
}
