package stack

import (
	"encoding/json"
	"strings"
	"time"
)

// holder is whoever policies are attached to.
type holder struct {
	policies *[]Policy
	managed  *[]string
	name     string
}

// readIAM reads roles and users, then attaches to them what the template defines elsewhere.
func (b *builder) readIAM() {
	for _, res := range b.ofType("AWS::IAM::ManagedPolicy") {
		b.policies[b.id(res)] = b.cursor(res).at("PolicyDocument")
	}
	for _, res := range b.ofType("AWS::IAM::Role") {
		b.stack.Roles = append(b.stack.Roles, b.readRole(res))
	}
	members := b.readUsers()
	roles, users := map[string]holder{}, map[string]holder{}
	for _, r := range b.stack.Roles {
		roles[r.Name] = holder{&r.Policies, &r.ManagedPolicyARNs, r.Name}
	}
	for _, u := range b.stack.Users {
		users[u.Name] = holder{&u.Policies, &u.ManagedPolicyARNs, u.Name}
	}
	for _, res := range b.ofType("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy", "AWS::IAM::UserPolicy", "AWS::IAM::GroupPolicy") {
		b.attach(res, attachments{roles, users, members})
	}
	for _, res := range b.ofType("AWS::IAM::Group") {
		b.attachGroup(res, attachments{roles, users, members})
	}
	for _, r := range b.stack.Roles {
		b.readManaged(holder{&r.Policies, &r.ManagedPolicyARNs, r.Name}, cursor{b: b, resource: r.LogicalID, property: "ManagedPolicyArns", pos: r.Position})
	}
	for _, u := range b.stack.Users {
		b.readManaged(holder{&u.Policies, &u.ManagedPolicyARNs, u.Name}, cursor{b: b, resource: u.LogicalID, property: "ManagedPolicyArns", pos: u.Position})
	}
}

func (b *builder) readRole(res *resource) *Role {
	c := b.cursor(res)
	r := &Role{
		LogicalID: res.id, Name: b.name(res), ARN: b.arn(res), ID: "AROA" + strings.ToUpper(b.n.word(res.id, 17)), Position: res.pos,
		Policies: b.readInline(c), ManagedPolicyARNs: c.at("ManagedPolicyArns").texts(), Tags: readTags(c.at("Tags")),
	}
	trust := c.at("AssumeRolePolicyDocument")
	r.Trust = trust.document()
	if !trust.exists() {
		trust.fail("the role has no AssumeRolePolicyDocument: AWS refuses it")
	}
	r.MaxSession = time.Duration(c.at("MaxSessionDuration").integerOr(3600)) * time.Second
	r.BoundaryARN, r.Boundary = b.readBoundary(c.at("PermissionsBoundary"))
	return r
}

func (b *builder) readInline(c cursor) []Policy {
	var out []Policy
	for _, p := range c.at("Policies").items() {
		document := p.at("PolicyDocument")
		if !document.exists() {
			p.fail("the policy has no PolicyDocument")
			continue
		}
		out = append(out, Policy{Name: p.at("PolicyName").text(), Document: document.document(), Position: p.pos})
	}
	return out
}

func readTags(c cursor) map[string]string {
	var out map[string]string
	for _, tag := range c.items() {
		if out == nil {
			out = map[string]string{}
		}
		out[tag.at("Key").text()] = tag.at("Value").text()
	}
	return out
}

// readUsers returns the names of the users in each group, by the group's name.
func (b *builder) readUsers() map[string][]string {
	members := map[string][]string{}
	for _, res := range b.ofType("AWS::IAM::User") {
		c := b.cursor(res)
		u := &User{
			LogicalID: res.id, Name: b.name(res), ARN: b.arn(res), Position: res.pos,
			Policies: b.readInline(c), ManagedPolicyARNs: c.at("ManagedPolicyArns").texts(), Tags: readTags(c.at("Tags")),
		}
		u.BoundaryARN, u.Boundary = b.readBoundary(c.at("PermissionsBoundary"))
		b.stack.Users = append(b.stack.Users, u)
		for _, at := range c.at("Groups").items() {
			group := at.text()
			b.checkGroup(at)
			members[group] = append(members[group], u.Name)
		}
	}
	for _, res := range b.ofType("AWS::IAM::UserToGroupAddition") {
		c := b.cursor(res)
		group := c.at("GroupName").text()
		members[group] = append(members[group], c.at("Users").texts()...)
		b.checkGroup(c.at("GroupName"))
	}
	return members
}

// checkGroup refuses a group from elsewhere: its policies may deny.
func (b *builder) checkGroup(at cursor) {
	for _, res := range b.ofType("AWS::IAM::Group") {
		if b.name(res) == at.text() {
			return
		}
	}
	at.fail("the group %q is not of this template, and its policies may deny calls: attach them to the user by ARN, and give their documents with --managed-policy", at.text())
}

// attachments are the holders by name, and the users of each group.
type attachments struct {
	roles, users map[string]holder
	members      map[string][]string
}

// attach gives a policy resource to the roles and users that it names.
func (b *builder) attach(res *resource, to attachments) {
	c := b.cursor(res)
	document := c.at("PolicyDocument")
	policy := Policy{Name: c.at("PolicyName").textOr(res.id), Document: document.document(), Position: res.pos}
	if !document.exists() {
		document.fail("the policy has no PolicyDocument")
		return
	}
	give := func(h holder) {
		if res.typ == "AWS::IAM::ManagedPolicy" {
			*h.managed = append(*h.managed, b.id(res))
			return
		}
		*h.policies = append(*h.policies, policy)
	}
	name := func(one, many string) []cursor {
		if at := c.at(one); at.exists() {
			return []cursor{at}
		}
		return c.at(many).items()
	}
	for _, at := range name("RoleName", "Roles") {
		b.giveTo(to.roles, at, give)
	}
	for _, at := range name("UserName", "Users") {
		b.giveTo(to.users, at, give)
	}
	for _, at := range name("GroupName", "Groups") {
		for _, user := range to.members[at.text()] {
			if h, ok := to.users[user]; ok {
				give(h)
			}
		}
	}
}

func (b *builder) giveTo(holders map[string]holder, at cursor, give func(holder)) {
	h, ok := holders[at.text()]
	if !ok {
		at.warn("%q is not of this template: the policy is attached to nothing here, and an identity of that name from elsewhere does not have it", at.text())
		return
	}
	give(h)
}

// attachGroup gives a group's own policies to its users.
func (b *builder) attachGroup(res *resource, to attachments) {
	c := b.cursor(res)
	inline, managed := b.readInline(c), c.at("ManagedPolicyArns").texts()
	for _, user := range to.members[b.name(res)] {
		if h, ok := to.users[user]; ok {
			*h.policies = append(*h.policies, inline...)
			*h.managed = append(*h.managed, managed...)
		}
	}
}

// readManaged adds the documents of managed policies to the policies of a holder.
func (b *builder) readManaged(h holder, at cursor) {
	seen := map[string]bool{}
	var unique []string
	for _, arn := range *h.managed {
		if seen[arn] || arn == "" {
			continue
		}
		seen[arn] = true
		unique = append(unique, arn)
		if document := b.managedDocument(arn, at); document != nil {
			*h.policies = append(*h.policies, Policy{Name: arn, Document: document, Position: at.pos})
		}
	}
	*h.managed = unique
}

// managedDocument finds the document of a managed policy: in the template, in the options, or among AWS's own that say
// something about calling APIs. Nil if it has no say here, or is not known, which is recorded.
func (b *builder) managedDocument(arn string, at cursor) json.RawMessage {
	if own, ok := b.policies[arn]; ok {
		return own.document()
	}
	if given, ok := b.opts.ManagedPolicies[arn]; ok {
		return b.givenPolicy(arn, given, at)
	}
	name, isAWS := strings.CutPrefix(arn, "arn:"+b.n.partition+":iam::aws:policy/")
	if !isAWS {
		at.fail("the managed policy %s is not of this template, and it may deny calls: give its document, --managed-policy %s=FILE", arn, arn)
		return nil
	}
	document, known := awsManaged[name]
	if !known && mayDeny(name) {
		at.fail("the managed policy %s of AWS is not known here and denies: give its document, --managed-policy %s=FILE", name, arn)
		return nil
	}
	if !known {
		at.warn("the managed policy %s of AWS is not known here: what it says about calling APIs does not count", name)
		return nil
	}
	if document == "" {
		return nil
	}
	return json.RawMessage(strings.ReplaceAll(document, "arn:aws:", "arn:"+b.n.partition+":"))
}

// mayDeny tells the policies of AWS that deny rather than allow by what AWS calls them.
func mayDeny(name string) bool {
	return strings.Contains(name, "Deny") || strings.Contains(name, "Quarantine")
}

// policyOf takes a document out of what `aws iam get-policy-version` shows.
func policyOf(v *value) *value {
	if document := v.get("PolicyVersion").get("Document"); document != nil {
		return document
	}
	return v
}

func (b *builder) givenPolicy(arn string, given json.RawMessage, at cursor) json.RawMessage {
	v, err := parseText(arn, given)
	if err != nil || v.kind != kindMap {
		at.fail("the document given for %s is not a policy in JSON or YAML", arn)
		return nil
	}
	v = policyOf(v)
	return at.policyJSON(v)
}

// readBoundary reads a permissions boundary. Without its document everything would be inside it, so that is an error.
func (b *builder) readBoundary(at cursor) (arn string, document json.RawMessage) {
	arn = at.text()
	if arn == "" {
		return "", nil
	}
	before := len(b.errs)
	document = b.managedDocument(arn, at)
	if document == nil && len(b.errs) == before {
		at.fail("the permissions boundary %s is not known here, and without it everything would be inside: give its document, --managed-policy %s=FILE", arn, arn)
	}
	return arn, document
}

// awsManaged holds the policies of AWS that say something about calling APIs or functions, as far as they do, by the end of
// their ARN, and, empty, those that are known to say nothing (AWS managed policy reference guide).
var awsManaged = map[string]string{
	"AdministratorAccess": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}`,
	"PowerUserAccess": `{"Version":"2012-10-17","Statement":[` +
		`{"Effect":"Allow","NotAction":["iam:*","organizations:*","account:*"],"Resource":"*"}]}`,
	"AWSDenyAll": `{"Version":"2012-10-17","Statement":[{"Sid":"DenyAll","Effect":"Deny","Action":["*"],"Resource":"*"}]}`,
	"AmazonAPIGatewayInvokeFullAccess": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
		`"Action":["execute-api:Invoke","execute-api:ManageConnections"],"Resource":"arn:aws:execute-api:*:*:*"}]}`,
	"AmazonAPIGatewayAdministrator": "", "AmazonDynamoDBFullAccess": "", "AmazonDynamoDBReadOnlyAccess": "",
	"AmazonS3FullAccess": "", "AmazonS3ReadOnlyAccess": "", "AmazonSQSFullAccess": "", "AmazonSNSFullAccess": "",
	"AmazonSSMReadOnlyAccess": "", "AWSXrayWriteOnlyAccess": "", "AWSXRayDaemonWriteAccess": "", "AWSLambdaExecute": "",
	"AWSLambda_FullAccess":     `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"lambda:*","Resource":"*"}]}`,
	"AWSLambda_ReadOnlyAccess": "", "CloudWatchLogsFullAccess": "", "SecretsManagerReadWrite": "",
	"CloudWatchLambdaInsightsExecutionRolePolicy": "", "CloudWatchFullAccess": "",
	"service-role/AWSLambdaBasicExecutionRole":              "",
	"service-role/AWSLambdaBasicDurableExecutionRolePolicy": "",
	"service-role/AWSLambdaDynamoDBExecutionRole":           "",
	"service-role/AWSLambdaENIManagementAccess":             "",
	"service-role/AWSLambdaKinesisExecutionRole":            "",
	"service-role/AWSLambdaMSKExecutionRole":                "",
	"service-role/AWSLambdaRole": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow",` +
		`"Action":["lambda:InvokeFunction"],"Resource":["*"]}]}`,
	"service-role/AWSLambdaSQSQueueExecutionRole":       "",
	"service-role/AWSLambdaVPCAccessExecutionRole":      "",
	"service-role/AmazonAPIGatewayPushToCloudWatchLogs": "",
}
