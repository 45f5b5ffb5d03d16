package stack

import (
	"slices"
	"strings"
)

// names lists the properties of a type.
func (p properties) names() []string {
	names := strings.Fields(p.read)
	for _, reason := range sortedKeys(p.idle) {
		names = append(names, strings.Fields(p.idle[reason])...)
	}
	for _, name := range sortedKeys(p.missing) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// warnProperties names each property that is set and that a local run does not honour.
func (b *builder) warnProperties() {
	for _, id := range b.t.order {
		res := b.t.resources[id]
		missing := propertiesOf[res.typ].missing
		if len(missing) == 0 || !b.isCreated(res) {
			continue
		}
		for _, f := range fieldsOf(res.props) {
			if message := missing[f.key]; message != "" && b.says(f.value) {
				b.warn(f.pos, res.id, f.key, message)
			}
		}
	}
}

// says reports whether a value asks for anything: false, nothing, and an empty list or map do not. What is not known here
// may.
func (b *builder) says(v *value) bool {
	head, err := b.r.head(v)
	switch {
	case err != nil:
		return true
	case head == nil || head.kind == kindNull:
		return false
	case head.kind == kindList:
		return len(head.items) > 0
	case head.kind == kindMap:
		return len(head.fields) > 0
	}
	return head.text != "" && !strings.EqualFold(head.text, "false")
}

// resourceAttributes are what may stand beside Properties (CloudFormation user guide, Resource attribute reference; SAM adds
// IgnoreGlobals and Connectors).
var resourceAttributes = []string{
	"Condition", "Connectors", "CreationPolicy", "DeletionPolicy", "DependsOn", "IgnoreGlobals", "Metadata", "Properties", "Type",
	"UpdatePolicy", "UpdateReplacePolicy",
}

// lenient are the types whose properties say nothing of who may call what.
var lenient = []string{
	"AWS::DynamoDB::GlobalTable", "AWS::DynamoDB::Table", "AWS::Lambda::Function", "AWS::Serverless::Function", "AWS::Serverless::SimpleTable",
}

// checkProperties refuses properties that are one slip away from one that is read. Others that are not known AWS may have
// learnt since: where they may tighten who may call what, they are refused, too.
func (b *builder) checkProperties(r *resource) {
	class, ok := propertiesOf[r.typ]
	if !ok {
		return
	}
	known := class.names()
	for _, f := range fieldsOf(r.props) {
		if slices.Contains(known, f.key) || strings.HasPrefix(f.key, "Fn::") {
			continue
		}
		if meant := nearest(f.key, known); meant != "" {
			b.fail(f.pos, r.id, f.key, "%s has no such property: %s?", r.typ, meant)
			continue
		}
		if slices.Contains(lenient, r.typ) {
			b.warn(f.pos, r.id, f.key, "not a property of "+r.typ+" that is known here: it is not read")
			continue
		}
		b.fail(f.pos, r.id, f.key, "not a property of %s that is known here: AWS refuses it, or has learnt it since, and it may tighten who may call what; leave it out", r.typ)
	}
}

// checkAttributes refuses what AWS refuses beside Properties: a misspelt Condition would make the resource always.
func (b *builder) checkAttributes(id string, v *value) {
	for _, f := range v.fields {
		switch {
		case !slices.Contains(resourceAttributes, f.key):
			b.fail(f.pos, id, f.key, "not an attribute of a resource; the attributes are %s", strings.Join(resourceAttributes, ", "))
		case f.key == "Connectors":
			b.warn(f.pos, id, f.key, "connectors are not read: the policies they make are not here")
		}
	}
}

// nearest finds the name that differs from word in case only, else in the fewest letters and in at most two; empty if there
// is none.
func nearest(word string, names []string) string {
	best, least := "", 3
	for _, name := range names {
		if strings.EqualFold(word, name) {
			return name
		}
		if d := distance(word, name); d < least {
			best, least = name, d
		}
	}
	return best
}

// distance is Levenshtein's: the least number of letters to add, drop or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
