package sts_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/google/go-cmp/cmp"
)

// callers are who asks in TestTrust, each with what its own side says to sts:AssumeRole.
const callers = `
- &silent
  name: silent
  arn: arn:aws:iam::123456789012:user/silent
- name: allowed
  arn: arn:aws:iam::123456789012:user/allowed
  tags: {team: audit}
  policies: [&may {Version: "2012-10-17", Statement: {Effect: Allow, Action: "sts:*", Resource: "*"}}]
- name: denied
  arn: arn:aws:iam::123456789012:user/denied
  policies: [{Version: "2012-10-17", Statement: {Effect: Deny, Action: sts:AssumeRole, Resource: "*"}}]
- name: elsewhere
  arn: arn:aws:iam::123456789012:user/elsewhere
  policies: [{Version: "2012-10-17", Statement: {Effect: Allow, Action: sts:AssumeRole, Resource: "arn:aws:iam::123456789012:role/other"}}]
- name: bounded
  arn: arn:aws:iam::123456789012:user/bounded
  policies: [*may]
  permissions_boundary: {Version: "2012-10-17", Statement: {Effect: Allow, Action: execute-api:Invoke, Resource: "*"}}
- name: session
  policies: [*may]
- name: narrowed
  policies: [*may]
  session_policy: {Version: "2012-10-17", Statement: {Effect: Allow, Action: execute-api:Invoke, Resource: "*"}}
- name: foreign-silent
  arn: arn:aws:iam::210987654321:user/silent
- name: foreign-allowed
  arn: arn:aws:iam::210987654321:user/allowed
  policies: [*may]
`

// TestTrust asks for one role with one trust policy after the other. What is right was taken from the IAM user guide:
// "AWS JSON policy elements: Principal" (whom an element names), "Cross-account policy evaluation logic" (both sides must
// allow) and "Policy evaluation for requests within a single account" (the trust policy must allow, and is enough if it
// names the caller itself).
func TestTrust(t *testing.T) {
	const (
		root        = `Principal: {AWS: "arn:aws:iam::123456789012:root"}`
		accountOnly = `Principal: {AWS: "123456789012"}`
		foreignRoot = `Principal: {AWS: "210987654321"}`
		identitySay = " with an explicit deny in an identity-based policy"
		trustSays   = " with an explicit deny in the role trust policy"
	)
	names := func(arn string) string { return fmt.Sprintf("Principal: {AWS: %q}", arn) }
	allow := func(who, condition string) string {
		if condition != "" {
			condition = ", Condition: " + condition
		}
		return "{Effect: Allow, " + who + ", Action: sts:AssumeRole" + condition + "}"
	}
	for name, test := range map[string]struct {
		caller string
		trust  string
		input  awssts.AssumeRoleInput
		suffix string // of the refusal
		why    string // empty: let in
	}{
		"user named, silent itself":      {caller: "silent", trust: allow(names(user("silent")), "")},
		"user named, allowed itself":     {caller: "allowed", trust: allow(names(user("allowed")), "")},
		"user named, denies itself":      {caller: "denied", trust: allow(names(user("denied")), ""), suffix: identitySay, why: "denied by statement 1 of the caller's identity policy 1"},
		"another user named":             {caller: "allowed", trust: allow(names(user("silent")), ""), why: "no statement of the role's trust policy allows it"},
		"root delegates, silent itself":  {caller: "silent", trust: allow(root, ""), why: "no statement of the caller's identity policy allows it"},
		"root delegates, allowed itself": {caller: "allowed", trust: allow(root, "")},
		"account's number is its root":   {caller: "silent", trust: allow(accountOnly, ""), why: "no statement of the caller's identity policy allows it"},
		"root, allowed for another role": {caller: "elsewhere", trust: allow(root, ""), why: "no statement of the caller's identity policy allows it"},
		"root, outside of the boundary":  {caller: "bounded", trust: allow(root, ""), why: "no statement of the caller's permissions boundary allows it"},
		"root, session policy":           {caller: "narrowed", trust: allow(root, ""), why: "no statement of the caller's session policy allows it"},
		"role named":                     {caller: "session", trust: allow(names(role("session")), "")},
		"role named, session policy":     {caller: "narrowed", trust: allow(names(role("narrowed")), ""), why: "no statement of the caller's session policy allows it"},
		"session named":                  {caller: "session", trust: allow(names(session("session")), "")},
		"another session named":          {caller: "session", trust: allow(names("arn:aws:sts::123456789012:assumed-role/session/else"), ""), why: "no statement of the role's trust policy allows it"},
		"service only":                   {caller: "allowed", trust: allow("Principal: {Service: lambda.amazonaws.com}", ""), why: "no statement of the role's trust policy allows it"},
		"foreign root, silent":           {caller: "foreign-silent", trust: allow(foreignRoot, ""), why: "no statement of the caller's identity policy allows it"},
		"foreign root, allowed":          {caller: "foreign-allowed", trust: allow(foreignRoot, "")},
		"foreign user named, silent":     {caller: "foreign-silent", trust: allow(names("arn:aws:iam::210987654321:user/silent"), ""), why: "no statement of the caller's identity policy allows it"},
		"foreign user named, allowed":    {caller: "foreign-allowed", trust: allow(names("arn:aws:iam::210987654321:user/allowed"), "")},
		"foreign, own root trusted":      {caller: "foreign-allowed", trust: allow(root, ""), why: "no statement of the role's trust policy allows it"},
		"trust denies": {caller: "allowed", trust: allow(root, "") + ", {Sid: NotAudit, Effect: Deny, " + names(user("allowed")) + ", Action: sts:AssumeRole}",
			suffix: trustSays, why: "denied by statement 2 (NotAudit) of the role's trust policy"},
		"another action allowed": {caller: "allowed", trust: "{Effect: Allow, " + root + ", Action: sts:TagSession}", why: "no statement of the role's trust policy allows it"},
		"external id": {caller: "allowed", trust: allow(root, "{StringEquals: {sts:ExternalId: seven}}"),
			input: awssts.AssumeRoleInput{ExternalId: aws.String("seven")}},
		"wrong external id": {caller: "allowed", trust: allow(root, "{StringEquals: {sts:ExternalId: seven}}"),
			input: awssts.AssumeRoleInput{ExternalId: aws.String("eight")}, why: "no statement of the role's trust policy allows it"},
		"no external id": {caller: "allowed", trust: allow(root, "{StringEquals: {sts:ExternalId: seven}}"), why: "no statement of the role's trust policy allows it"},
		"session name":   {caller: "allowed", trust: allow(root, "{StringEquals: {sts:RoleSessionName: one}}")},
		"wrong session name": {caller: "allowed", trust: allow(root, "{StringLike: {sts:RoleSessionName: \"${aws:username}-*\"}}"),
			why: "no statement of the role's trust policy allows it"},
		"session name of the user": {caller: "allowed", trust: allow(root, "{StringLike: {sts:RoleSessionName: \"${aws:username}-*\"}}"),
			input: awssts.AssumeRoleInput{RoleSessionName: aws.String("allowed-1")}},
		"caller's tag":        {caller: "allowed", trust: allow(root, "{StringEquals: {aws:PrincipalTag/team: audit}}")},
		"caller's wrong tag":  {caller: "session", trust: allow(root, "{StringEquals: {aws:PrincipalTag/team: audit}}"), why: "no statement of the role's trust policy allows it"},
		"role's tag":          {caller: "allowed", trust: allow(root, "{StringEquals: {aws:ResourceTag/stage: dev, iam:ResourceTag/stage: dev}}")},
		"principal's ARN":     {caller: "session", trust: allow(`Principal: "*"`, "{ArnEquals: {aws:PrincipalArn: \""+role("session")+"\"}}")},
		"no MFA for a user":   {caller: "allowed", trust: allow(root, "{Bool: {aws:MultiFactorAuthPresent: true}}"), why: "no statement of the role's trust policy allows it"},
		"no MFA in a session": {caller: "session", trust: allow(root, "{BoolIfExists: {aws:MultiFactorAuthPresent: true}}"), why: "no statement of the role's trust policy allows it"},
		"request's tags": {caller: "allowed", trust: "{Effect: Allow, " + root + ", Action: [sts:AssumeRole, sts:TagSession], Condition: {StringEquals: {aws:RequestTag/team: audit}, " +
			"\"ForAllValues:StringEquals\": {aws:TagKeys: [team, cost], sts:TransitiveTagKeys: cost}, \"Null\": {aws:TagKeys: false, sts:TransitiveTagKeys: false}}}",
			input: tagged("team", "audit", "cost", "7")},
		"request's wrong tag": {caller: "allowed", trust: allow(root, "{StringEquals: {aws:RequestTag/team: audit}}"), input: tagged("team", "books", "cost", "7"),
			why: "no statement of the role's trust policy allows it"},
		"request's other tag": {caller: "allowed", trust: allow(root, "{\"ForAllValues:StringEquals\": {aws:TagKeys: team}}"), input: tagged("team", "audit", "cost", "7"),
			why: "no statement of the role's trust policy allows it"},
		"transitive": {caller: "allowed", trust: allow(root, "{\"ForAllValues:StringEquals\": {sts:TransitiveTagKeys: team}}"), input: tagged("team", "audit", "cost", "7"),
			why: "no statement of the role's trust policy allows it"},
		"source identity": {caller: "allowed", trust: "{Effect: Allow, " + root + ", Action: [sts:AssumeRole, sts:SetSourceIdentity], Condition: {StringEquals: {sts:SourceIdentity: ann}}}",
			input: awssts.AssumeRoleInput{SourceIdentity: aws.String("ann")}},
		"wrong source identity": {caller: "allowed", trust: allow(root, "{StringEquals: {sts:SourceIdentity: ann}}"),
			input: awssts.AssumeRoleInput{SourceIdentity: aws.String("bob")}, why: "no statement of the role's trust policy allows it"},
		"issued lately": {caller: "session", trust: allow(root, "{DateGreaterThan: {aws:TokenIssueTime: 2020-01-01T00:00:00Z}}")},
		"issued lately, user": {caller: "allowed", trust: allow(root, "{DateGreaterThan: {aws:TokenIssueTime: 2020-01-01T00:00:00Z}}"),
			why: "no statement of the role's trust policy allows it"},
		"address":          {caller: "allowed", trust: allow(root, "{IpAddress: {aws:SourceIp: 127.0.0.1/32}}")},
		"region":           {caller: "allowed", trust: allow(root, "{StringEquals: {aws:RequestedRegion: ap-northeast-2}}")},
		"time passed":      {caller: "allowed", trust: allow(root, "{DateLessThan: {aws:CurrentTime: 2020-01-01T00:00:00Z}}"), why: "no statement of the role's trust policy allows it"},
		"not as a service": {caller: "allowed", trust: allow(root, "{Bool: {aws:PrincipalIsAWSService: false}}")},
		"account's own":    {caller: "allowed", trust: allow(root, "{StringEquals: {aws:ResourceAccount: \"123456789012\"}}")},
	} {
		t.Run(name, func(t *testing.T) {
			h := newHouse(t, callers+"- name: target\n  tags: {stage: dev}\n  trust: {Version: \"2012-10-17\", Statement: ["+test.trust+"]}\n")
			input := test.input
			input.RoleArn = aws.String(role("target"))
			if input.RoleSessionName == nil {
				input.RoleSessionName = aws.String("one")
			}
			out, err := h.client(t, test.caller).AssumeRole(t.Context(), &input)
			record := h.last(t)
			if test.why == "" {
				if err != nil {
					t.Fatalf("refused: %v; the server says %q", err, record.Why)
				}
				if want := "arn:aws:sts::123456789012:assumed-role/target/" + *input.RoleSessionName; *out.AssumedRoleUser.Arn != want || record.Session != want {
					t.Errorf("the session is %s, in the record %s; want %s", *out.AssumedRoleUser.Arn, record.Session, want)
				}
				return
			}
			caller, _ := h.Lookup(h.profile(t, test.caller).AccessKeyID)
			want := refusal{403, "AccessDenied", "User: " + caller.Principal.ARN + " is not authorized to perform: sts:AssumeRole on resource: " + role("target") + test.suffix}
			if diff := cmp.Diff(want, refusalOf(t, err)); diff != "" {
				t.Errorf("refusal (-want +got):\n%s", diff)
			}
			if record.Why != test.why || record.Session != "" {
				t.Errorf("the record says %q and session %q, want %q and none", record.Why, record.Session, test.why)
			}
		})
	}
}

// tagged asks for a session with two tags, the second of which is transitive.
func tagged(pairs ...string) awssts.AssumeRoleInput {
	in := awssts.AssumeRoleInput{TransitiveTagKeys: pairs[2:3]}
	tags(pairs...)(&in)
	return in
}
