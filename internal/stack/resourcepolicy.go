package stack

import (
	"encoding/json"
	"regexp"
	"slices"
	"strings"
)

// policyBuilder puts a resource policy together in the way and the order of SAM
// (SAM developer guide, ResourcePolicyStatement).
type policyBuilder struct {
	version    *value
	statements []*value
	single     bool // the one statement stands without a list
	raw        *value
	pos        Position
}

// policyLists are the short forms.
var policyLists = []string{
	"AwsAccountBlacklist", "AwsAccountWhitelist", "CustomStatements", "IntrinsicVpcBlacklist", "IntrinsicVpcWhitelist",
	"IntrinsicVpceBlacklist", "IntrinsicVpceWhitelist", "IpRangeBlacklist", "IpRangeWhitelist", "SourceVpcBlacklist", "SourceVpcWhitelist",
}

// newPolicyBuilder starts from a policy that the API's document holds; nil if it holds none.
func newPolicyBuilder(own *value) *policyBuilder {
	p := &policyBuilder{}
	if own == nil {
		return p
	}
	p.raw, p.pos, p.version = own, own.pos, own.get("Version")
	if s := own.get("Statement"); s != nil && s.kind == kindList {
		p.statements = slices.Clone(s.items)
	} else if s != nil {
		p.statements, p.single = []*value{s}, true
	}
	return p
}

// document is the policy as JSON; nil if there is none.
func (p *policyBuilder) document() json.RawMessage {
	if p.raw == nil && len(p.statements) == 0 {
		return nil
	}
	out := &value{kind: kindMap, pos: p.pos}
	if p.raw != nil {
		for _, f := range p.raw.fields {
			if f.key != "Version" && f.key != "Statement" {
				out.fields = append(out.fields, f)
			}
		}
	}
	if p.version != nil {
		out.fields = append(out.fields, field{key: "Version", value: p.version})
	}
	statement := &value{kind: kindList, items: p.statements}
	if p.single && len(p.statements) == 1 {
		statement = p.statements[0]
	}
	out.fields = append(out.fields, field{key: "Statement", value: statement})
	return out.json()
}

func (p *policyBuilder) add(pos Position, statements ...*value) {
	p.version, p.pos = textValue("2012-10-17", pos), pos
	p.statements = append(p.statements, statements...)
	p.single = false
}

// addMissing adds only what is not there yet.
func (p *policyBuilder) addMissing(pos Position, statements ...*value) {
	p.add(pos)
	for _, s := range statements {
		if !slices.ContainsFunc(p.statements, s.equal) {
			p.statements = append(p.statements, s)
		}
	}
}

// parameterPart is a path parameter, which a policy's resource has as a star.
var parameterPart = regexp.MustCompile(`\{[a-zA-Z0-9._-]+\+?\}`)

// resources lists the methods of a path as short resources of a policy, execute-api:/stage/METHOD/path.
func (p *pathItem) resources(stage string, pos Position) *value {
	path := parameterPart.ReplaceAllString(p.path, "*")
	list := listValue(pos)
	for _, op := range p.ops {
		method := op.method
		if method == "ANY" {
			method = "*"
		}
		list.items = append(list.items, textValue("execute-api:/"+stage+"/"+method+path, pos))
	}
	return list
}

// addPath adds what the short lists say for one path.
func (p *policyBuilder) addPath(c cursor, item *pathItem, stage string) {
	resource := item.resources(stage, c.pos)
	text := func(s string) *value { return textValue(s, c.pos) }
	statement := func(effect string, principal *value) *value {
		return mapValue(c.pos, "Effect", text(effect), "Action", text("execute-api:Invoke"), "Resource", resource, "Principal", principal)
	}
	everybody := text("*")
	for _, list := range [...]struct{ name, effect string }{{"AwsAccountWhitelist", "Allow"}, {"AwsAccountBlacklist", "Deny"}} {
		if accounts := asList(c.at(list.name)); accounts != nil {
			p.add(c.pos, statement(list.effect, mapValue(c.pos, "AWS", accounts)))
		}
	}
	fence := func(operator string, condition *value) {
		deny := statement("Deny", everybody)
		deny.fields = append(deny.fields, field{key: "Condition", pos: c.pos, value: mapValue(c.pos, operator, condition)})
		p.addMissing(c.pos, statement("Allow", everybody), deny)
	}
	for _, list := range [...]struct{ name, operator string }{{"IpRangeWhitelist", "NotIpAddress"}, {"IpRangeBlacklist", "IpAddress"}} {
		if ranges := asList(c.at(list.name)); ranges != nil {
			fence(list.operator, mapValue(c.pos, "aws:SourceIp", ranges))
		}
	}
	for _, list := range [...]struct{ kind, operator string }{{"Blacklist", "StringEquals"}, {"Whitelist", "StringNotEquals"}} {
		if condition := sourceCondition(c, list.kind); len(condition.fields) > 0 {
			fence(list.operator, condition)
		}
	}
}

// asList resolves a list, or one value as a list of one; nil if it is absent or empty.
func asList(c cursor) *value {
	v := c.resolved()
	if v == nil || v.kind == kindList && len(v.items) == 0 {
		return nil
	}
	if v.kind != kindList {
		v = listValue(c.pos, v)
	}
	return v
}

// sourceCondition gathers the VPCs and endpoints of one colour of list. What is neither vpc- nor vpce- is dropped by SAM,
// and would be missing from a Deny, so it is refused.
func sourceCondition(c cursor, kind string) *value {
	vpcs, endpoints := listValue(c.pos), listValue(c.pos)
	if plain := c.at("SourceVpc" + kind); plain.exists() {
		for _, item := range plain.items() {
			switch text := item.text(); {
			case strings.HasPrefix(text, "vpce-"):
				endpoints.items = append(endpoints.items, item.v)
			case strings.HasPrefix(text, "vpc-"):
				vpcs.items = append(vpcs.items, item.v)
			default:
				item.fail("%q is neither a VPC (vpc-…) nor an endpoint (vpce-…): SAM leaves it out of the policy", text)
			}
		}
	}
	if list := asList(c.at("IntrinsicVpc" + kind)); list != nil {
		vpcs.items = append(vpcs.items, list.items...)
	}
	if list := asList(c.at("IntrinsicVpce" + kind)); list != nil {
		endpoints.items = append(endpoints.items, list.items...)
	}
	condition := &value{kind: kindMap, pos: c.pos}
	if len(vpcs.items) > 0 {
		condition.fields = append(condition.fields, field{key: "aws:SourceVpc", pos: c.pos, value: vpcs})
	}
	if len(endpoints.items) > 0 {
		condition.fields = append(condition.fields, field{key: "aws:SourceVpce", pos: c.pos, value: endpoints})
	}
	return condition
}

// checkPlainLists refuses intrinsics in the two lists that SAM reads before it knows their values; parameters it knows.
func checkPlainLists(c cursor) {
	for _, kind := range []string{"Blacklist", "Whitelist"} {
		list := c.at("SourceVpc" + kind)
		if !list.isList() {
			continue
		}
		for _, item := range list.v.items {
			if name, arg, ok := item.intrinsic(); ok && (name != "Ref" || c.b.t.params[arg.text] == nil) {
				list.fail("SAM takes only text here: use IntrinsicVpc%s or IntrinsicVpce%s for values with intrinsics", kind, kind)
			}
		}
	}
}

// addResourcePolicy adds ResourcePolicy of an API or an event for the given paths, then its own statements.
func (d *definition) addResourcePolicy(c cursor, paths []*pathItem, stage string) {
	if !c.exists() {
		return
	}
	checkKeys(c, policyLists)
	checkPlainLists(c)
	for _, item := range paths {
		d.policy.addPath(c, item, stage)
	}
	custom := c.at("CustomStatements")
	v := custom.resolved()
	if v == nil {
		return
	}
	first := len(d.policy.statements) == 0
	switch {
	case v.kind == kindList && first:
		d.policy.add(custom.pos, v.items...)
	case v.kind == kindList:
		d.policy.addMissing(custom.pos, v.items...)
	case v.kind == kindMap:
		d.policy.addMissing(custom.pos, v)
		d.policy.single = first
	default:
		custom.fail("statements are maps, not %s", v.kind)
	}
}
