package sts_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/aws-sdk-go-v2/service/sts/types"
	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/policy"
)

// target is a role that the whole account may assume, in full.
const target = callers + `
- name: target
  tags: {stage: dev, Team: role}
  trust: {Version: "2012-10-17", Statement: {Effect: Allow, Principal: {AWS: "123456789012"}, Action: "sts:*"}}
  policies: [{Version: "2012-10-17", Statement: {Effect: Allow, Action: "*", Resource: "*"}}]
  max_session: 2h
- name: next
  trust: {Version: "2012-10-17", Statement: {Effect: Allow, Principal: {AWS: "123456789012"}, Action: "sts:*"}}
  policies: [*may]
  max_session: 12h
- name: untrusting
- name: plain
  trust: {Version: "2012-10-17", Statement: {Effect: Allow, Principal: {AWS: "123456789012"}, Action: sts:AssumeRole}}
  policies: [*may]
`

func assume(roleName string, change ...func(*awssts.AssumeRoleInput)) *awssts.AssumeRoleInput {
	in := &awssts.AssumeRoleInput{RoleArn: aws.String(role(roleName)), RoleSessionName: aws.String("one")}
	for _, f := range change {
		f(in)
	}
	return in
}

func seconds(n int32) func(*awssts.AssumeRoleInput) {
	return func(in *awssts.AssumeRoleInput) { in.DurationSeconds = &n }
}

func tags(pairs ...string) func(*awssts.AssumeRoleInput) {
	return func(in *awssts.AssumeRoleInput) {
		for i := 0; i < len(pairs); i += 2 {
			in.Tags = append(in.Tags, types.Tag{Key: &pairs[i], Value: &pairs[i+1]})
		}
	}
}

func tokenSize(n int32) func(*awssts.AssumeRoleInput) {
	return func(in *awssts.AssumeRoleInput) { in.MinimumSessionTokenSize = &n }
}

func sessionPolicy(document string) func(*awssts.AssumeRoleInput) {
	return func(in *awssts.AssumeRoleInput) { in.Policy = &document }
}

// TestAssumeRoleRefusals are what is wrong with a request that the policies would let in.
func TestAssumeRoleRefusals(t *testing.T) {
	const pattern = "failed to satisfy constraint: Member must satisfy regular expression pattern: "
	h := newHouse(t, target)
	for name, test := range map[string]struct {
		caller string
		input  *awssts.AssumeRoleInput
		want   refusal
	}{
		"session name": {"allowed", assume("target", func(in *awssts.AssumeRoleInput) { in.RoleSessionName = aws.String("a:b") }),
			refusal{400, "ValidationError", `1 validation error detected: Value 'a:b' at 'roleSessionName' ` + pattern + `[\w+=,.@-]*`}},
		"two at once": {"allowed", assume("target", seconds(899), func(in *awssts.AssumeRoleInput) { in.RoleSessionName = aws.String("x") }),
			refusal{400, "ValidationError", "2 validation errors detected: Value 'x' at 'roleSessionName' failed to satisfy constraint: Member must have length greater than or equal to 2; " +
				"Value '899' at 'durationSeconds' failed to satisfy constraint: Member must have value greater than or equal to 900"}},
		"too long": {"allowed", assume("target", seconds(43201)),
			refusal{400, "ValidationError", "1 validation error detected: Value '43201' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 43200"}},
		"token too large": {"allowed", assume("target", tokenSize(4097)),
			refusal{400, "ValidationError", "1 validation error detected: Value '4097' at 'minimumSessionTokenSize' failed to satisfy constraint: Member must have value less than or equal to 4096"}},
		"longer than the role's": {"allowed", assume("target", seconds(7201)),
			refusal{400, "ValidationError", "The requested DurationSeconds exceeds the MaxSessionDuration set for this role."}},
		"longer in a chain": {"session", assume("target", seconds(3601)),
			refusal{400, "ValidationError", "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining."}},
		"no ARN": {"allowed", assume("target", func(in *awssts.AssumeRoleInput) { in.RoleArn = aws.String("not the ARN of a role") }),
			refusal{400, "ValidationError", "not the ARN of a role is invalid"}},
		"ARN of a user": {"allowed", assume("target", func(in *awssts.AssumeRoleInput) { in.RoleArn = aws.String(user("silent")) }),
			refusal{400, "ValidationError", "Request ARN is invalid"}},
		"unknown role": {"allowed", assume("nobody"),
			refusal{403, "AccessDenied", "User: " + user("allowed") + " is not authorized to perform: sts:AssumeRole on resource: " + role("nobody")}},
		"role that trusts nobody": {"allowed", assume("untrusting"),
			refusal{403, "AccessDenied", "User: " + user("allowed") + " is not authorized to perform: sts:AssumeRole on resource: " + role("untrusting")}},
		"policy": {"allowed", assume("target", sessionPolicy(`{"Statement":[{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"Magic":{}}}]}`)),
			refusal{400, "MalformedPolicyDocument", "Syntax errors in policy. (identity policy: Statement[0]: Condition.Magic: unknown operator)"}},
		"policy too long": {"allowed", assume("target", sessionPolicy(strings.Repeat(" ", 2049))),
			refusal{400, "ValidationError", "1 validation error detected: Value '" + strings.Repeat(" ", 2049) + "' at 'policy' failed to satisfy constraint: Member must have length less than or equal to 2048"}},
		"managed session policy": {"allowed", assume("target", func(in *awssts.AssumeRoleInput) {
			in.PolicyArns = []types.PolicyDescriptorType{{Arn: aws.String("arn:aws:iam::aws:policy/ReadOnlyAccess")}}
		}), refusal{400, "InvalidParameterValue", "PolicyArns cannot be honoured by this local endpoint; leave it out"}},
		"context of another provider": {"allowed", assume("target", func(in *awssts.AssumeRoleInput) {
			in.ProvidedContexts = []types.ProvidedContext{{ProviderArn: aws.String("arn:aws:iam::aws:contextProvider/IdentityCenter"), ContextAssertion: aws.String("abcd")}}
		}), refusal{400, "InvalidParameterValue", "ProvidedContexts cannot be honoured by this local endpoint; leave it out"}},
		"MFA": {"allowed", assume("target", func(in *awssts.AssumeRoleInput) {
			in.SerialNumber, in.TokenCode = aws.String("arn:aws:iam::123456789012:mfa/allowed"), aws.String("123456")
		}), refusal{403, "AccessDenied", "MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user."}},
		"tag twice": {"allowed", assume("target", tags("team", "a", "Team", "b")),
			refusal{400, "InvalidParameterValue", "Duplicate tag keys found. Please note that Tag keys are case insensitive."}},
		"AWS's tag": {"allowed", assume("target", tags("aws:team", "a")),
			refusal{400, "InvalidParameterValue", "Tag keys that begin with aws: are reserved for AWS."}},
		"tag's key": {"allowed", assume("target", tags("te*m", "a")),
			refusal{400, "ValidationError", `1 validation error detected: Value 'te*m' at 'tags.1.member.key' ` + pattern + `[\p{L}\p{Z}\p{N}_.:/=+\-@]+`}},
		"many tags": {"allowed", assume("target", tags(manyTags(51)...)),
			refusal{400, "ValidationError", "1 validation error detected: Value '[...]' at 'tags' failed to satisfy constraint: Member must have length less than or equal to 50"}},
		"transitive key without its tag": {"allowed", assume("target", tags("team", "a"), func(in *awssts.AssumeRoleInput) { in.TransitiveTagKeys = []string{"cost"} }),
			refusal{400, "InvalidParameterValue", "The specified transitive tag key must be included in the requested tags."}},
		"tags that the role does not take": {"allowed", assume("plain", tags("team", "a")),
			refusal{403, "AccessDenied", "User: " + user("allowed") + " is not authorized to perform: sts:TagSession on resource: " + role("plain")}},
		"source identity that the role does not take": {"allowed", assume("plain", func(in *awssts.AssumeRoleInput) { in.SourceIdentity = aws.String("ann") }),
			refusal{403, "AccessDenied", "User: " + user("allowed") + " is not authorized to perform: sts:SetSourceIdentity on resource: " + role("plain")}},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := h.client(t, test.caller).AssumeRole(t.Context(), test.input)
			if diff := cmp.Diff(test.want, refusalOf(t, err)); diff != "" {
				t.Errorf("refusal (-want +got):\n%s", diff)
			}
			if r := h.last(t); r.Session != "" || r.Code != test.want.Code || r.Message != test.want.Message {
				t.Errorf("the record is %+v", r)
			}
		})
	}
}

func manyTags(n int) []string {
	var pairs []string
	for i := range n {
		pairs = append(pairs, fmt.Sprintf("key%d", i), "")
	}
	return pairs
}

// TestMissingParameters: the SDK refuses to send these.
func TestMissingParameters(t *testing.T) {
	h := newHouse(t, target)
	for body, want := range map[string]string{
		"": "2 validation errors detected: Value null at 'roleArn' failed to satisfy constraint: Member must not be null; " +
			"Value null at 'roleSessionName' failed to satisfy constraint: Member must not be null",
		"&RoleArn=" + role("target") + "&RoleSessionName=one&DurationSeconds=soon": "1 validation error detected: Value 'soon' at 'durationSeconds' failed to satisfy constraint: Member must be an integer",
		"&RoleArn=" + role("target") + "&RoleSessionName=one&Tags.member.1.Key=a":  "1 validation error detected: Value null at 'tags.1.member.value' failed to satisfy constraint: Member must not be null",
		"&RoleArn=" + role("target") + "&RoleSessionName=one&Tags.1.Key=a":         "the members of a list are named as in Tags.member.1.Key",
		"&RoleArn=" + role("target") + "&RoleSessionName=one&Tags.member.01.Key=a": "the members of a list are named as in Tags.member.1.Key",
		"&RoleArn=" + role("target") + "&RoleSessionName=%ff%ff":                   "1 validation error detected: Value that is not UTF-8 at 'roleSessionName'",
		"&RoleArn=arn:short&RoleSessionName=one":                                   "1 validation error detected: Value 'arn:short' at 'roleArn' failed to satisfy constraint: Member must have length greater than or equal to 20",
	} {
		h.send(t, call{credentials: h.profile(t, "allowed"), body: "Action=AssumeRole&Version=2011-06-15" + body})
		if r := h.last(t); !strings.HasPrefix(r.Message, want) || r.Status != 400 {
			t.Errorf("%s: got %d %s, want %s", body, r.Status, r.Message, want)
		}
	}
}

// TestAssumeRole: what the session may do is what the role and the session policy both allow, for as long as was asked.
func TestAssumeRole(t *testing.T) {
	h := newHouse(t, target)
	const document = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"}}`
	before := time.Now().Truncate(time.Second)
	out, err := h.client(t, "allowed").AssumeRole(t.Context(), assume("target", seconds(7200), sessionPolicy(document), tags("team", "books", "näme", "Zoë"), tokenSize(3000)))
	if err != nil {
		t.Fatal(err)
	}
	if age := out.Credentials.Expiration.Sub(before); age < 2*time.Hour || age > 2*time.Hour+5*time.Second {
		t.Errorf("the session ends after %v, want 2h", age)
	}
	// 3000 of at most 4096 characters are 73.2 %, which are rounded up.
	if size := len(*out.Credentials.SessionToken); size != 3000 || *out.SessionTokenSize != 3000 || *out.SessionTokenUtilization != 74 {
		t.Errorf("the token has %d characters, the answer says %d and %d %%; want 3000 and 74", size, *out.SessionTokenSize, *out.SessionTokenUtilization)
	}
	holder, ok := h.Lookup(*out.Credentials.AccessKeyId)
	if !ok {
		t.Fatal("the session's key is not known")
	}
	if *out.AssumedRoleUser.AssumedRoleId != holder.UniqueID || !strings.HasSuffix(holder.UniqueID, ":one") {
		t.Errorf("id is %s, want %s", *out.AssumedRoleUser.AssumedRoleId, holder.UniqueID)
	}
	keys := map[string]string{"aws:PrincipalTag/stage": "dev", "aws:PrincipalTag/team": "books", "aws:PrincipalTag/näme": "Zoë"}
	if diff := cmp.Diff(keys, holder.ContextKeys); diff != "" {
		t.Errorf("context keys (-want +got):\n%s", diff)
	}
	for action, want := range map[string]policy.Decision{"execute-api:Invoke": policy.Allow, "dynamodb:GetItem": policy.ImplicitDeny} {
		c := policy.Call{Identity: holder.Policies, Boundary: holder.Boundary, Session: holder.Session, ResourceAccount: account}
		if got := c.Authorize(&policy.Request{Principal: holder.Principal, Action: action, Resource: "arn:aws:execute-api:ap-northeast-2:123456789012:a1b2c3d4e5/dev/GET/x"}).Decision; got != want {
			t.Errorf("%s: got %v, want %v", action, got, want)
		}
	}
	who, err := h.clientOf(credentialsOf(out.Credentials)).GetCallerIdentity(t.Context(), nil)
	if err != nil || *who.Arn != "arn:aws:sts::123456789012:assumed-role/target/one" {
		t.Errorf("with the session's credentials: %v, %v", who, err)
	}
}

func credentialsOf(c *types.Credentials) aws.Credentials {
	return aws.Credentials{AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken}
}

// TestChain: transitive tags and the source identity go on through a chain of roles and cannot be changed in it; other
// tags end with their session.
func TestChain(t *testing.T) {
	h := newHouse(t, target)
	first, err := h.client(t, "session").AssumeRole(t.Context(), assume("target", tags("cost", "7", "team", "books"), func(in *awssts.AssumeRoleInput) {
		in.TransitiveTagKeys, in.SourceIdentity = []string{"Cost"}, aws.String("ann")
	}))
	if err != nil {
		t.Fatal(err)
	}
	if *first.SourceIdentity != "ann" {
		t.Errorf("source identity is %q, want ann", *first.SourceIdentity)
	}
	chained := h.clientOf(credentialsOf(first.Credentials))
	second, err := chained.AssumeRole(t.Context(), assume("next", seconds(3600), tags("stage", "x")))
	if err != nil {
		t.Fatal(err)
	}
	holder, _ := h.Lookup(*second.Credentials.AccessKeyId)
	want := map[string]string{"aws:PrincipalTag/cost": "7", "aws:PrincipalTag/stage": "x", "aws:SourceIdentity": "ann"}
	if diff := cmp.Diff(want, holder.ContextKeys); diff != "" {
		t.Errorf("context keys of the second session (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"cost": "7"}, holder.TransitiveTags); diff != "" {
		t.Errorf("transitive tags of the second session (-want +got):\n%s", diff)
	}
	sender := "User: arn:aws:sts::123456789012:assumed-role/target/one is not authorized to perform: "
	for name, test := range map[string]struct {
		input *awssts.AssumeRoleInput
		want  refusal
	}{
		"changed tag": {assume("next", tags("COST", "8")),
			refusal{400, "InvalidParameterValue", "One of the specified transitive tag keys can't be set because it conflicts with a transitive tag key from the calling session."}},
		"changed source identity": {assume("next", func(in *awssts.AssumeRoleInput) { in.SourceIdentity = aws.String("bob") }),
			refusal{403, "AccessDenied", sender + "sts:SetSourceIdentity on resource: " + role("next")}},
		"role that takes no tags": {assume("plain"), refusal{403, "AccessDenied", sender + "sts:TagSession on resource: " + role("plain")}},
	} {
		_, err := chained.AssumeRole(t.Context(), test.input)
		if diff := cmp.Diff(test.want, refusalOf(t, err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestGetSessionToken(t *testing.T) {
	h := newHouse(t, target)
	before := time.Now().Truncate(time.Second)
	out, err := h.client(t, "silent").GetSessionToken(t.Context(), &awssts.GetSessionTokenInput{DurationSeconds: aws.Int32(129600)})
	if err != nil {
		t.Fatal(err)
	}
	if age := out.Credentials.Expiration.Sub(before); age < 36*time.Hour || age > 36*time.Hour+5*time.Second {
		t.Errorf("the session ends after %v, want 36h", age)
	}
	if *out.SessionTokenSize != 320 || *out.SessionTokenUtilization != 8 { // 7.8 %, rounded up
		t.Errorf("the answer says a token of %d, %d %%; want 320, 8", *out.SessionTokenSize, *out.SessionTokenUtilization)
	}
	temporary := h.clientOf(credentialsOf(out.Credentials))
	who, err := temporary.GetCallerIdentity(t.Context(), nil)
	if err != nil || *who.Arn != user("silent") {
		t.Errorf("with the session's credentials: %v, %v; want the user", who, err)
	}
	for name, test := range map[string]struct {
		client *awssts.Client
		input  awssts.GetSessionTokenInput
		want   refusal
	}{
		"token too large": {h.client(t, "silent"), awssts.GetSessionTokenInput{MinimumSessionTokenSize: aws.Int32(-1)}, refusal{400, "ValidationError",
			"1 validation error detected: Value '-1' at 'minimumSessionTokenSize' failed to satisfy constraint: Member must have value greater than or equal to 0"}},
		"of a session": {temporary, awssts.GetSessionTokenInput{}, refusal{403, "AccessDenied", "Cannot call GetSessionToken with session credentials"}},
		"of a role":    {h.client(t, "session"), awssts.GetSessionTokenInput{}, refusal{403, "AccessDenied", "Cannot call GetSessionToken with session credentials"}},
		"too long": {h.client(t, "silent"), awssts.GetSessionTokenInput{DurationSeconds: aws.Int32(129601)}, refusal{400, "ValidationError",
			"1 validation error detected: Value '129601' at 'durationSeconds' failed to satisfy constraint: Member must have value less than or equal to 129600"}},
		"with MFA": {h.client(t, "silent"), awssts.GetSessionTokenInput{SerialNumber: aws.String("arn:aws:iam::123456789012:mfa/x"), TokenCode: aws.String("123456")}, refusal{403, "AccessDenied",
			"MultiFactorAuthentication failed, unable to validate MFA code.  Please verify your MFA serial number is valid and associated with this user."}},
	} {
		_, err := test.client.GetSessionToken(t.Context(), &test.input)
		if diff := cmp.Diff(test.want, refusalOf(t, err)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

// TestThrottled: more sessions than the directory has places for.
func TestThrottled(t *testing.T) {
	h := newHouse(t, target)
	client := h.client(t, "silent")
	var err error
	granted := 0
	for ; err == nil && granted <= 100; granted++ {
		_, err = client.GetSessionToken(t.Context(), nil)
	}
	if got, want := refusalOf(t, err), (refusal{400, "Throttling", "Rate exceeded"}); got != want {
		t.Errorf("after %d sessions: got %+v, want %+v", granted, got, want)
	}
}

// TestSecurityRecordsHoldNoSecret: neither the caller's nor those that were handed out.
func TestSecurityRecordsHoldNoSecret(t *testing.T) {
	h := newHouse(t, target)
	c := h.profile(t, "session")
	out, err := h.clientOf(c).AssumeRole(t.Context(), assume("target"))
	if err != nil {
		t.Fatal(err)
	}
	wrong := c
	wrong.SecretAccessKey += "x"
	if _, err := h.clientOf(wrong).GetCallerIdentity(t.Context(), nil); err == nil {
		t.Fatal("a wrong secret was let in")
	}
	text := fmt.Sprintf("%+v", h.records)
	for _, secret := range []string{c.SecretAccessKey, c.SessionToken, *out.Credentials.SecretAccessKey, *out.Credentials.SessionToken} {
		if strings.Contains(text, secret) {
			t.Error("a record holds a secret")
		}
	}
}
