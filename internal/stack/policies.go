package stack

import (
	_ "embed"
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// expandPolicies reads Policies of a function: names and ARNs of managed policies, documents, and SAM's policy
// templates. Documents are named as SAM names them, by their place in the list.
func (b *builder) expandPolicies(c cursor, managed func(arn *value), inline func(name string, document *value)) {
	if !c.exists() {
		return
	}
	raw := []*value{c.v}
	if c.isList() {
		raw = c.v.items
	}
	for i, item := range raw {
		at := c.to(item, "["+strconv.Itoa(i)+"]")
		if !at.exists() {
			continue
		}
		name := c.resource + "RolePolicy" + strconv.Itoa(i)
		switch {
		case at.isText():
			managed(textValue(b.managedARN(at.v.text), at.pos))
		case at.isMap() && at.v.get("Statement") != nil:
			inline(name, at.v)
		case at.isMap() && len(at.v.fields) == 1:
			if document := b.policyTemplate(at); document != nil {
				inline(name, document)
			}
		default:
			at.fail("a policy is the name or ARN of a managed policy, a document with Statement, or one of SAM's policy templates")
		}
	}
}

// serviceRoles are the managed policies of AWS for functions whose ARN has the path service-role/.
var serviceRoles = []string{
	"AWSLambdaBasicExecutionRole", "AWSLambdaBasicDurableExecutionRolePolicy", "AWSLambdaDynamoDBExecutionRole",
	"AWSLambdaENIManagementAccess", "AWSLambdaKinesisExecutionRole", "AWSLambdaMSKExecutionRole", "AWSLambdaRole",
	"AWSLambdaSQSQueueExecutionRole", "AWSLambdaVPCAccessExecutionRole", "AmazonAPIGatewayPushToCloudWatchLogs",
}

// managedARN turns the name of a managed policy of AWS into its ARN, as SAM does.
func (b *builder) managedARN(name string) string {
	switch {
	case strings.HasPrefix(name, "arn:"):
		return name
	case slices.Contains(serviceRoles, name):
		return b.awsManaged("service-role/" + name)
	}
	return b.awsManaged(name)
}

// policyTemplatesJSON holds SAM's policy templates: by name, the parameters and the statements. "${Name}" stands for a
// parameter and "${AWS::…}" for a pseudo parameter (SAM developer guide, Policy template list).
//
//go:embed policytemplates.json
var policyTemplatesJSON []byte

type policyTemplate struct {
	Parameters []string
	Statement  json.RawMessage
}

// policyTemplates reads the table once. A test holds that it can be read; without it every template is unknown.
var policyTemplates = sync.OnceValue(func() map[string]policyTemplate {
	all := map[string]policyTemplate{}
	_ = json.Unmarshal(policyTemplatesJSON, &all)
	return all
})

// policyTemplate fills a policy template, {"DynamoDBReadPolicy": {"TableName": …}}.
func (b *builder) policyTemplate(c cursor) *value {
	name, given := c.v.fields[0].key, c.v.fields[0].value
	template, ok := policyTemplates()[name]
	if !ok {
		c.fail("%q is neither a policy document nor one of SAM's policy templates", name)
		return nil
	}
	at := c.to(given, name)
	for _, parameter := range template.Parameters {
		if !at.at(parameter).exists() {
			at.fail("the policy template %s needs %s", name, parameter)
			return nil
		}
	}
	for _, e := range at.entries() {
		if !slices.Contains(template.Parameters, e.key) {
			e.fail("the policy template %s has no such parameter", name)
			return nil
		}
	}
	statement, err := parseText(c.pos.File, template.Statement)
	if err != nil {
		c.failWith(err)
		return nil
	}
	return mapValue(c.pos, "Statement", substitute(statement, at.v, c.pos))
}

// substitute makes an Fn::Sub of each text with placeholders, and puts everything at one position.
func substitute(v, parameters *value, pos Position) *value {
	out := *v
	out.pos = pos
	switch v.kind {
	case kindText:
		if !strings.Contains(v.text, "${") {
			return &out
		}
		if parameters == nil {
			return mapValue(pos, "Fn::Sub", textValue(v.text, pos))
		}
		return mapValue(pos, "Fn::Sub", listValue(pos, textValue(v.text, pos), parameters))
	case kindList:
		out.items = make([]*value, len(v.items))
		for i, item := range v.items {
			out.items[i] = substitute(item, parameters, pos)
		}
	case kindMap:
		out.fields = make([]field, len(v.fields))
		for i, f := range v.fields {
			out.fields[i] = field{key: f.key, pos: pos, value: substitute(f.value, parameters, pos)}
		}
	}
	return &out
}
