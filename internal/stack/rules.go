package stack

import (
	"errors"
	"strings"
)

// errRule marks a rule that asks about the account, which a laptop cannot answer.
var errRule = errors.New("not decided")

// checkRules holds the parameters against Rules (CloudFormation user guide, Rules section). Rules that look things up
// in the account (Fn::ValueOf and the like) are left to AWS.
func (b *builder) checkRules(v *value) {
	for _, rule := range fieldsOf(v) {
		if condition := rule.value.get("RuleCondition"); condition != nil {
			if applies, err := b.r.rule(condition); err != nil || !applies {
				continue
			}
		}
		assertions := rule.value.get("Assertions")
		if assertions == nil || assertions.kind != kindList {
			continue
		}
		for _, a := range assertions.items {
			assert := a.get("Assert")
			if assert == nil {
				continue
			}
			holds, err := b.r.rule(assert)
			if err != nil {
				b.warn(a.pos, "Rules", rule.key, "this rule is not checked here: AWS may refuse the parameters by it")
			}
			if err != nil || holds {
				continue
			}
			message := "the parameters break this rule"
			if why := a.get("AssertDescription"); why != nil && why.scalar() {
				message += ": " + why.text
			}
			b.fail(a.pos, "Rules", rule.key, "%s", message)
		}
	}
}

// rule decides a rule's expression. Any error means that it is left to AWS.
func (r *resolver) rule(expr *value) (bool, error) {
	if err := r.spend(expr); err != nil {
		return false, err
	}
	if expr.kind != kindMap || len(expr.fields) != 1 {
		return false, errRule
	}
	name, arg := expr.fields[0].key, expr.fields[0].value
	switch name {
	case "Fn::Equals":
		return r.equals(arg)
	case "Fn::Not", "Fn::And", "Fn::Or":
		return r.ruleOf(name, arg)
	case "Fn::Contains", "Fn::EachMemberIn", "Fn::EachMemberEquals":
		args, err := r.args(name, arg, [2]int{2, 2})
		if err != nil {
			return false, err
		}
		left, err := r.words(args[0])
		if err != nil {
			return false, err
		}
		right, err := r.words(args[1])
		if err != nil {
			return false, err
		}
		if name == "Fn::Contains" {
			left, right = right, left
		}
		for word := range left {
			if !right[word] {
				return false, nil
			}
		}
		return true, nil
	}
	return false, errRule
}

func (r *resolver) ruleOf(name string, arg *value) (bool, error) {
	if arg.kind != kindList || len(arg.items) == 0 {
		return false, errRule
	}
	and, or := true, false
	for _, item := range arg.items {
		part, err := r.rule(item)
		if err != nil {
			return false, err
		}
		and, or = and && part, or || part
	}
	switch {
	case strings.HasSuffix(name, "And"):
		return and, nil
	case strings.HasSuffix(name, "Or"):
		return or, nil
	}
	return !and, nil
}

// words is a list of texts, or one text, as a set.
func (r *resolver) words(v *value) (map[string]bool, error) {
	out := map[string]bool{}
	resolved, err := r.deep(v)
	if err != nil || resolved == nil {
		return out, err
	}
	items := []*value{resolved}
	if resolved.kind == kindList {
		items = resolved.items
	}
	for _, item := range items {
		if !item.scalar() {
			return nil, errRule
		}
		out[item.text] = true
	}
	return out, nil
}
