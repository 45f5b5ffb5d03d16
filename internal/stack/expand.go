package stack

import (
	"crypto/sha1"
	"encoding/hex"
	"regexp"
)

// implicitAPI is the API that SAM makes for events without RestApiId, with the stage Prod.
const implicitAPI = "ServerlessRestApi"

// expandSAM adds the resources that the SAM transform would make of others, under the logical ids that it gives them,
// so that templates can refer to them and the readers see one kind of thing. Resources of the template keep their ids.
func (b *builder) expandSAM() {
	for _, id := range append([]string(nil), b.t.order...) {
		switch res := b.t.resources[id]; res.typ {
		case "AWS::Serverless::Function":
			created := b.isCreated(res)
			if created {
				b.expandRole(res)
			}
			b.collectEvents(res, created)
		case "AWS::Serverless::StateMachine":
			b.collectEvents(res, b.isCreated(res))
		case "AWS::Serverless::SimpleTable":
			b.expandTable(res)
		}
	}
	b.expandImplicitAPI()
	for _, id := range append([]string(nil), b.t.order...) {
		if res := b.t.resources[id]; res.typ == "AWS::Serverless::Api" {
			b.expandAPI(res)
		}
	}
}

// derive adds a resource at the place and under the condition of the one it is made of.
func (b *builder) derive(from *resource, id, typ string, props *value) {
	if b.t.resources[id] != nil {
		return
	}
	b.t.resources[id] = &resource{id: id, typ: typ, props: props, condition: from.condition, pos: from.pos}
	b.t.order = append(b.t.order, id)
}

// awsManaged is the ARN of a managed policy of AWS.
func (b *builder) awsManaged(name string) string {
	return "arn:" + b.n.partition + ":iam::aws:policy/" + name
}

// expandRole makes the role of a function that names none (SAM developer guide, AWS::Serverless::Function, Role).
func (b *builder) expandRole(res *resource) {
	c := b.cursor(res)
	if c.at("Role").exists() {
		if policies := c.at("Policies"); policies.exists() {
			policies.warn("SAM ignores Policies, since Role is set: attach them to the role")
		}
		return
	}
	text := func(s string) *value { return textValue(s, res.pos) }
	managed := []*value{text(b.awsManaged("service-role/AWSLambdaBasicExecutionRole"))}
	if tracing := c.at("Tracing"); tracing.exists() && tracing.text() != "Disabled" {
		xray := "AWSXRayDaemonWriteAccess"
		if b.n.partition == "aws" {
			xray = "AWSXrayWriteOnlyAccess"
		}
		managed = append(managed, text(b.awsManaged(xray)))
	}
	if vpc := c.at("VpcConfig"); vpc.exists() && len(vpc.v.fields) > 0 {
		managed = append(managed, text(b.awsManaged("service-role/AWSLambdaVPCAccessExecutionRole")))
	}
	inline := &value{kind: kindList, pos: res.pos}
	if queue := c.at("DeadLetterQueue"); queue.exists() {
		inline.items = append(inline.items, deadLetterPolicy(queue))
	}
	b.expandPolicies(c.at("Policies"), func(arn *value) {
		for _, have := range managed {
			if have.equal(arn) {
				return
			}
		}
		managed = append(managed, arn)
	}, func(name string, document *value) {
		inline.items = append(inline.items, mapValue(document.pos, "PolicyName", text(name), "PolicyDocument", document))
	})
	trust := c.at("AssumeRolePolicyDocument").v
	if trust == nil {
		trust = lambdaTrust(res.pos)
	}
	props := mapValue(res.pos, "AssumeRolePolicyDocument", trust,
		"ManagedPolicyArns", &value{kind: kindList, pos: res.pos, items: managed}, "Policies", inline)
	if at := c.at("RolePath"); at.exists() {
		props.fields = append(props.fields, field{key: "Path", pos: at.pos, value: at.v})
	}
	if at := c.at("PermissionsBoundary"); at.exists() {
		props.fields = append(props.fields, field{key: "PermissionsBoundary", pos: at.pos, value: at.v})
	}
	b.derive(res, res.id+"Role", "AWS::IAM::Role", props)
}

// deadLetterPolicy lets a function send what it failed on.
func deadLetterPolicy(c cursor) *value {
	text := func(s string) *value { return textValue(s, c.pos) }
	action, ok := map[string]string{"SQS": "sqs:SendMessage", "SNS": "sns:Publish"}[c.at("Type").text()]
	target := c.v.get("TargetArn")
	if !ok || target == nil {
		c.fail("a DeadLetterQueue has a TargetArn, and a Type that is SQS or SNS")
		target = text("")
	}
	return mapValue(c.pos, "PolicyName", text("DeadLetterQueuePolicy"), "PolicyDocument", mapValue(c.pos,
		"Version", text("2012-10-17"), "Statement", listValue(c.pos, mapValue(c.pos,
			"Action", text(action), "Resource", target, "Effect", text("Allow")))))
}

// lambdaTrust lets Lambda assume a role, in the words of SAM.
func lambdaTrust(pos Position) *value {
	text := func(s string) *value { return textValue(s, pos) }
	return mapValue(pos, "Version", text("2012-10-17"), "Statement", listValue(pos, mapValue(pos,
		"Action", listValue(pos, text("sts:AssumeRole")), "Effect", text("Allow"),
		"Principal", mapValue(pos, "Service", listValue(pos, text("lambda.amazonaws.com"))))))
}

// expandTable turns a SimpleTable into the table it stands for.
func (b *builder) expandTable(res *resource) {
	c := b.cursor(res)
	name, typ := "id", "S"
	if key := c.at("PrimaryKey"); key.exists() {
		name = key.at("Name").text()
		given := key.at("Type")
		var ok bool
		if typ, ok = map[string]string{"String": "S", "Number": "N", "Binary": "B"}[given.text()]; !ok || name == "" {
			key.fail("PrimaryKey has a Name, and a Type that is String, Number or Binary")
		}
	}
	text := func(s string) *value { return textValue(s, res.pos) }
	props := mapValue(res.pos,
		"AttributeDefinitions", listValue(res.pos, mapValue(res.pos, "AttributeName", text(name), "AttributeType", text(typ))),
		"KeySchema", listValue(res.pos, mapValue(res.pos, "AttributeName", text(name), "KeyType", text("HASH"))))
	if throughput := c.at("ProvisionedThroughput"); throughput.exists() {
		props.fields = append(props.fields, field{key: "ProvisionedThroughput", pos: throughput.pos, value: throughput.v})
	} else {
		props.fields = append(props.fields, field{key: "BillingMode", pos: res.pos, value: text("PAY_PER_REQUEST")})
	}
	if given := res.props.get("TableName"); given != nil {
		props.fields = append(props.fields, field{key: "TableName", pos: given.pos, value: given})
	}
	res.typ, res.props = "AWS::DynamoDB::Table", props
}

// expandImplicitAPI makes ServerlessRestApi if an event needs it. Its condition is that of its functions: SAM makes it
// if one of them is made.
func (b *builder) expandImplicitAPI() {
	events := b.events[implicitAPI]
	if len(events) == 0 {
		return
	}
	if own := b.t.resources[implicitAPI]; own != nil {
		b.fail(own.pos, own.id, "", "SAM makes a resource of this name for events without RestApiId: rename it, or give each event a RestApiId")
		return
	}
	first := events[0].function
	for _, e := range events {
		if !e.ghost {
			first = e.function
			break
		}
	}
	res := &resource{id: implicitAPI, typ: "AWS::Serverless::Api", condition: first.condition, pos: first.pos}
	res.props = b.mergeGlobals(res, mapValue(first.pos, "StageName", textValue("Prod", first.pos)), nil)
	b.t.resources[implicitAPI] = res
	b.t.order = append(b.t.order, implicitAPI)
}

var alphanumeric = regexp.MustCompile(`^[A-Za-z0-9]+$`)

// expandAPI adds the stage, and what Auth.UsagePlan asks for. The stage's logical id carries the stage's name if that
// is written as plain letters and digits, a digest of it if it is other text, and nothing if it is an intrinsic.
func (b *builder) expandAPI(res *resource) {
	given := res.props.get("StageName")
	if given == nil {
		return // the API's reader says so
	}
	id := res.id
	if given.kind == kindText && alphanumeric.MatchString(given.text) {
		id += given.text + "Stage"
	} else if given.kind == kindText {
		sum := sha1.Sum([]byte(given.text))
		id += "Stage" + hex.EncodeToString(sum[:])[:10]
	} else {
		id += "Stage"
	}
	stage := mapValue(given.pos, "StageName", given)
	b.derive(res, id, "AWS::ApiGateway::Stage", stage)
	b.derive(res, res.id+"Stage", "AWS::ApiGateway::Stage", stage) // so that !Ref Api.Stage finds it
	b.derive(res, res.id+"Deployment", "AWS::ApiGateway::Deployment", nil)
	if b.isCreated(res) {
		b.expandUsagePlan(res)
	}
}

// expandUsagePlan makes the plan and the key of Auth.UsagePlan (SAM developer guide, ApiUsagePlan).
func (b *builder) expandUsagePlan(res *resource) {
	c := b.cursor(res).at("Auth").at("UsagePlan")
	if !c.exists() {
		return
	}
	checkKeys(c, []string{"CreateUsagePlan", "Description", "Quota", "Tags", "Throttle", "UsagePlanName"})
	prefix := ""
	switch how := c.at("CreateUsagePlan"); how.text() {
	case "PER_API":
		prefix = res.id
	case "SHARED":
		prefix = "Serverless"
	case "NONE":
		return
	default:
		how.fail("CreateUsagePlan is PER_API, SHARED or NONE")
		return
	}
	pos := c.pos
	ref := func(id string) *value { return mapValue(pos, "Ref", textValue(id, pos)) }
	stage := mapValue(pos, "ApiId", ref(res.id), "Stage", ref(res.id+"Stage"))
	if plan := b.t.resources[prefix+"UsagePlan"]; plan != nil && prefix == "Serverless" {
		stages := plan.props.get("ApiStages")
		stages.items = append(stages.items, stage)
		return
	}
	props := mapValue(pos, "ApiStages", listValue(pos, stage))
	for _, name := range []string{"UsagePlanName", "Quota", "Throttle"} {
		if at := c.at(name); at.exists() {
			props.fields = append(props.fields, field{key: name, pos: at.pos, value: at.v})
		}
	}
	b.derive(res, prefix+"UsagePlan", "AWS::ApiGateway::UsagePlan", props)
	b.derive(res, prefix+"ApiKey", "AWS::ApiGateway::ApiKey", mapValue(pos, "Enabled", boolValue(true, pos)))
	b.derive(res, prefix+"UsagePlanKey", "AWS::ApiGateway::UsagePlanKey", mapValue(pos,
		"KeyId", ref(prefix+"ApiKey"), "KeyType", textValue("API_KEY", pos), "UsagePlanId", ref(prefix+"UsagePlan")))
}
