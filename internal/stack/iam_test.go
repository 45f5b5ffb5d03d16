package stack_test

import (
	"encoding/json"
	"testing"

	"github.com/marquee-api/marquee/internal/stack"
)

// held writes policies for comparison, name and document.
func held(policies []stack.Policy) []string {
	var out []string
	for _, p := range policies {
		out = append(out, p.Name+" "+string(p.Document))
	}
	return out
}

const trust = `AssumeRolePolicyDocument: {Version: "2012-10-17", Statement: [{Effect: Allow, Principal: {Service: lambda.amazonaws.com}, Action: sts:AssumeRole}]}`

func TestRoles(t *testing.T) {
	s := parse(t, `
Resources:
  R:
    Type: AWS::IAM::Role
    Properties:
      Path: /team/
      RoleName: reader
      MaxSessionDuration: 7200
      `+trust+`
      Policies: [{PolicyName: inline, PolicyDocument: {Statement: {Effect: Allow, Action: "a:*", Resource: "*"}}}]
      ManagedPolicyArns: [!Ref Own, !Sub "arn:${AWS::Partition}:iam::aws:policy/AmazonAPIGatewayInvokeFullAccess", arn:aws:iam::aws:policy/service-role/AWSLambdaRole]
      PermissionsBoundary: !Ref Own
      Tags: [{Key: team, Value: movies}]
  Own: {Type: AWS::IAM::ManagedPolicy, Properties: {PolicyDocument: {Statement: [{Effect: Deny, Action: "b:*", Resource: !GetAtt T.Arn}]}}}
  T: {Type: AWS::Serverless::SimpleTable}
  Attached: {Type: AWS::IAM::Policy, Properties: {PolicyName: attached, Roles: [!Ref R], PolicyDocument: {Statement: [{Effect: Allow, Action: c, Resource: "*"}]}}}
  One: {Type: AWS::IAM::RolePolicy, Properties: {PolicyName: one, RoleName: !Ref R, PolicyDocument: '{"Statement":[{"Effect":"Allow"}]}'}}
  Given: {Type: AWS::IAM::ManagedPolicy, Properties: {Roles: [reader], PolicyDocument: {Statement: [{Effect: Allow, Action: d}]}}}
Transform: AWS::Serverless-2016-10-31
`)
	r := s.Roles[0]
	check(t, "the role", []any{r.Name, r.ARN, r.MaxSession.Hours(), r.Tags},
		[]any{"reader", "arn:aws:iam::111122223333:role/team/reader", 2.0, map[string]string{"team": "movies"}})
	const own = `{"Statement":[{"Effect":"Deny","Action":"b:*","Resource":"arn:aws:dynamodb:eu-west-1:111122223333:table/s-T"}]}`
	check(t, "the policies", held(r.Policies), []string{
		`inline {"Statement":{"Effect":"Allow","Action":"a:*","Resource":"*"}}`,
		`attached {"Statement":[{"Effect":"Allow","Action":"c","Resource":"*"}]}`,
		`one {"Statement":[{"Effect":"Allow"}]}`,
		`arn:aws:iam::111122223333:policy/s-Own ` + own,
		`arn:aws:iam::aws:policy/AmazonAPIGatewayInvokeFullAccess {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["execute-api:Invoke","execute-api:ManageConnections"],"Resource":"arn:aws:execute-api:*:*:*"}]}`,
		`arn:aws:iam::aws:policy/service-role/AWSLambdaRole {"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["lambda:InvokeFunction"],"Resource":["*"]}]}`,
		`arn:aws:iam::111122223333:policy/s-Given {"Statement":[{"Effect":"Allow","Action":"d"}]}`,
	})
	check(t, "the managed policies", r.ManagedPolicyARNs, []string{
		"arn:aws:iam::111122223333:policy/s-Own", "arn:aws:iam::aws:policy/AmazonAPIGatewayInvokeFullAccess",
		"arn:aws:iam::aws:policy/service-role/AWSLambdaRole", "arn:aws:iam::111122223333:policy/s-Given",
	})
	check(t, "the boundary", []string{r.BoundaryARN, string(r.Boundary)}, []string{"arn:aws:iam::111122223333:policy/s-Own", own})
	check(t, "the trust", string(r.Trust), `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}]}`)
	check(t, "the position", r.Policies[1].Position.String(), "t.yaml:16")
}

func TestPolicyTextIsKept(t *testing.T) {
	s := parse(t, "Resources:\n  R: {Type: AWS::IAM::Role, Properties: {"+trust+`, Policies: [{PolicyName: p, PolicyDocument: {Statement: [{Sid: "a<b>&c é", Effect: Allow, Condition: {NumericLessThan: {"x": 1.50}, Bool: {"y": true}, "Null": {"z": "true"}}}]}}]}}`+"\n")
	check(t, "the policy", string(s.Roles[0].Policies[0].Document),
		`{"Statement":[{"Sid":"a<b>&c é","Effect":"Allow","Condition":{"NumericLessThan":{"x":1.50},"Bool":{"y":true},"Null":{"z":"true"}}}]}`)
}

func TestUsers(t *testing.T) {
	s := parse(t, `
Resources:
  U: {Type: AWS::IAM::User, Properties: {UserName: alice, Groups: [!Ref G], Policies: [{PolicyName: own, PolicyDocument: {Statement: [{Effect: Allow}]}}]}}
  V: {Type: AWS::IAM::User}
  G: {Type: AWS::IAM::Group, Properties: {Policies: [{PolicyName: group, PolicyDocument: {Statement: [{Effect: Deny}]}}]}}
  Add: {Type: AWS::IAM::UserToGroupAddition, Properties: {GroupName: !Ref G, Users: [!Ref V]}}
  P: {Type: AWS::IAM::Policy, Properties: {PolicyName: p, Users: [!Ref U], Groups: [!Ref G], PolicyDocument: {Statement: [{Effect: Allow, Action: x}]}}}
`)
	alice, v := s.Users[0], s.Users[1]
	check(t, "names", []string{alice.Name, alice.ARN, v.Name}, []string{"alice", "arn:aws:iam::111122223333:user/alice", "s-V"})
	check(t, "alice", held(alice.Policies), []string{
		`own {"Statement":[{"Effect":"Allow"}]}`, `p {"Statement":[{"Effect":"Allow","Action":"x"}]}`,
		`p {"Statement":[{"Effect":"Allow","Action":"x"}]}`, `group {"Statement":[{"Effect":"Deny"}]}`,
	})
	check(t, "V", held(v.Policies), []string{`p {"Statement":[{"Effect":"Allow","Action":"x"}]}`, `group {"Statement":[{"Effect":"Deny"}]}`})
}

func TestIAMErrors(t *testing.T) {
	role := func(more string) string {
		return "Resources:\n  R: {Type: AWS::IAM::Role, Properties: {" + trust + more + "}}\n"
	}
	const foreign = "arn:aws:iam::111122223333:policy/elsewhere"
	tests := map[string]struct{ text, want string }{
		"no trust":                    {"Resources:\n  R: {Type: AWS::IAM::Role}", "t.yaml:2: R: AssumeRolePolicyDocument: the role has no AssumeRolePolicyDocument: AWS refuses it"},
		"an unknown managed policy":   {role(", ManagedPolicyArns: [" + foreign + "]"), "t.yaml:2: R: ManagedPolicyArns: the managed policy " + foreign + " is not of this template, and it may deny calls: give its document, --managed-policy " + foreign + "=FILE"},
		"an unknown boundary":         {role(", PermissionsBoundary: " + foreign), "t.yaml:2: R: PermissionsBoundary: the managed policy " + foreign + " is not of this template, and it may deny calls: give its document, --managed-policy " + foreign + "=FILE"},
		"a boundary that says little": {role(", PermissionsBoundary: arn:aws:iam::aws:policy/AmazonS3FullAccess"), "t.yaml:2: R: PermissionsBoundary: the permissions boundary arn:aws:iam::aws:policy/AmazonS3FullAccess is not known here, and without it everything would be inside: give its document, --managed-policy arn:aws:iam::aws:policy/AmazonS3FullAccess=FILE"},
		"a policy of AWS that denies": {role(", ManagedPolicyArns: [arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3]"), "t.yaml:2: R: ManagedPolicyArns: the managed policy AWSCompromisedKeyQuarantineV3 of AWS is not known here and denies: give its document, --managed-policy arn:aws:iam::aws:policy/AWSCompromisedKeyQuarantineV3=FILE"},
		"a group from elsewhere":      {"Resources:\n  U: {Type: AWS::IAM::User, Properties: {Groups: [admins]}}", "t.yaml:2: U: Groups[0]: the group \"admins\" is not of this template, and its policies may deny calls: attach them to the user by ARN, and give their documents with --managed-policy"},
		"no document":                 {role(", Policies: [{PolicyName: p}]"), "t.yaml:2: R: Policies[0]: the policy has no PolicyDocument"},
		"no statement":                {role(", Policies: [{PolicyName: p, PolicyDocument: {Version: x}}]"), "t.yaml:2: R: Policies[0].PolicyDocument: the policy document has no Statement"},
		"no map":                      {role(", Policies: [{PolicyName: p, PolicyDocument: [a]}]"), "t.yaml:2: R: Policies[0].PolicyDocument: a policy document is a map, not a list"},
		"not JSON":                    {role(", Policies: [{PolicyName: p, PolicyDocument: 'Statement: []'}]"), "t.yaml:2: R: Policies[0].PolicyDocument: this text is not the JSON of a policy document"},
		"attached without a document": {"Resources:\n  P: {Type: AWS::IAM::Policy, Properties: {PolicyName: p, Roles: [r]}}", "t.yaml:2: P: PolicyDocument: the policy has no PolicyDocument"},
		"a mistyped policy template":  {sam + "Resources:\n  F: {Type: AWS::Serverless::Function, Properties: {Runtime: provided, Policies: [{DynamoReadPolicy: {TableName: t}}]}}", `t.yaml:3: F: Policies[0]: "DynamoReadPolicy" is neither a policy document nor one of SAM's policy templates`},
		"a template lacks a name":     {sam + "Resources:\n  F: {Type: AWS::Serverless::Function, Properties: {Runtime: provided, Policies: [{DynamoDBReadPolicy: {}}]}}", `t.yaml:3: F: Policies[0].DynamoDBReadPolicy: the policy template DynamoDBReadPolicy needs TableName`},
		"a template has too much":     {sam + "Resources:\n  F: {Type: AWS::Serverless::Function, Properties: {Runtime: provided, Policies: [{DynamoDBReadPolicy: {TableName: t, Index: i}}]}}", `t.yaml:3: F: Policies[0].DynamoDBReadPolicy.Index: the policy template DynamoDBReadPolicy has no such parameter`},
		"a bare statement":            {sam + "Resources:\n  F: {Type: AWS::Serverless::Function, Properties: {Runtime: provided, Policies: [{Effect: Allow, Action: a}]}}", `t.yaml:3: F: Policies[0]: a policy is the name or ARN of a managed policy, a document with Statement, or one of SAM's policy templates`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			check(t, "the error", refuse(t, tt.text)[0], tt.want)
		})
	}
}

func TestGivenManagedPolicies(t *testing.T) {
	opts := options
	opts.ManagedPolicies = map[string]json.RawMessage{"arn:aws:iam::1:policy/b": json.RawMessage(`{"Statement":[{"Effect":"Deny"}]}`)}
	text := "Resources:\n  R: {Type: AWS::IAM::Role, Properties: {" + trust + ", PermissionsBoundary: arn:aws:iam::1:policy/b, ManagedPolicyArns: [arn:aws:iam::1:policy/b]}}\n"
	s, err := stack.Parse("t.yaml", []byte(text), opts)
	if err != nil {
		t.Fatal(err)
	}
	check(t, "the boundary", string(s.Roles[0].Boundary), `{"Statement":[{"Effect":"Deny"}]}`)
	check(t, "the policies", held(s.Roles[0].Policies), []string{`arn:aws:iam::1:policy/b {"Statement":[{"Effect":"Deny"}]}`})
	// As the AWS CLI shows a policy's version, and in YAML.
	for _, form := range []string{`{"PolicyVersion":{"Document":{"Statement":[{"Effect":"Deny"}]},"VersionId":"v2"}}`, "Statement:\n  - Effect: Deny\n"} {
		opts.ManagedPolicies["arn:aws:iam::1:policy/b"] = json.RawMessage(form)
		if s, err = stack.Parse("t.yaml", []byte(text), opts); err != nil {
			t.Fatal(err)
		}
		check(t, "the boundary", string(s.Roles[0].Boundary), `{"Statement":[{"Effect":"Deny"}]}`)
	}
	opts.ManagedPolicies["arn:aws:iam::1:policy/b"] = json.RawMessage(`[]`)
	_, err = stack.Parse("t.yaml", []byte(text), opts)
	contains(t, err, "the document given for arn:aws:iam::1:policy/b is not a policy in JSON or YAML")
}

func TestUnknownPolicyOfAWS(t *testing.T) {
	s := parse(t, "Resources:\n  R: {Type: AWS::IAM::Role, Properties: {"+trust+", ManagedPolicyArns: [arn:aws:iam::aws:policy/AmazonPollyFullAccess]}}\n"+
		"  P: {Type: AWS::IAM::Policy, Properties: {PolicyName: p, Roles: [elsewhere], PolicyDocument: {Statement: [{Effect: Allow}]}}}\n")
	check(t, "the warnings", warnings(s), []string{
		"t.yaml:2: R: ManagedPolicyArns: the managed policy AmazonPollyFullAccess of AWS is not known here: what it says about calling APIs does not count",
		`t.yaml:3: P: Roles[0]: "elsewhere" is not of this template: the policy is attached to nothing here, and an identity of that name from elsewhere does not have it`,
	})
}
