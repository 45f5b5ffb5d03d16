package policy

import "strings"

// condition is one key of a Condition element: operator, key and the values that it is compared with. All conditions of
// a statement must hold; one of the values is enough, for a negated operator none may match.
//
// Rules: IAM user guide, "IAM JSON policy elements: Condition operators" and "Single-valued vs. multivalued context
// keys".
//
// The guide leaves three cases open; there a condition of a Deny holds and one of an Allow does not, which is the safer
// way: a negated operator on a value that is not of its type (NotIpAddress on "here"), several values under an operator
// without set qualifier, and ForAnyValue…IfExists on an absent key.
type condition struct {
	set      setQualifier
	operator *operator
	ifExists bool
	key      string // normalised
	values   []matcher
	deny     bool // the statement is a Deny

	operatorText, keyText string // as written
	texts                 []string
}

type setQualifier int

const (
	setNone setQualifier = iota
	forAnyValue
	forAllValues
)

func (p *parser) conditions(n node) ([]condition, *SyntaxError) {
	if n.kind != nodeObject || len(n.members) == 0 {
		return nil, fault("", "is %s; want an object of operators", empty(n))
	}
	var all []condition
	for _, m := range n.members {
		c, err := parseOperator(m.name)
		if err != nil {
			return nil, err.under(m.name)
		}
		if m.value.kind != nodeObject || len(m.value.members) == 0 {
			return nil, fault(m.name, "is %s; want an object of condition keys", empty(m.value))
		}
		seen := map[string]bool{}
		for _, k := range m.value.members {
			c.key, c.keyText = normalizeKey(k.name), k.name
			if seen[c.key] {
				err = fault("", "occurs twice under one operator; the case of a key does not matter")
			} else if err = checkKey(k.name); err == nil {
				c.values, c.texts, err = p.conditionValues(c.operator, k.value)
			}
			if err != nil {
				return nil, err.under(k.name).under(m.name)
			}
			seen[c.key] = true
			all = append(all, c)
		}
	}
	return all, nil
}

// parseOperator reads names such as ForAnyValue:StringLikeIfExists.
func parseOperator(text string) (condition, *SyntaxError) {
	c := condition{operatorText: text}
	name := text
	if rest, ok := strings.CutPrefix(name, "ForAnyValue:"); ok {
		name, c.set = rest, forAnyValue
	} else if rest, ok := strings.CutPrefix(name, "ForAllValues:"); ok {
		name, c.set = rest, forAllValues
	}
	base, ifExists := strings.CutSuffix(name, "IfExists")
	c.ifExists = ifExists
	c.operator = operators[base]
	switch {
	case c.operator == nil:
		return c, fault("", "unknown operator%s", suggest(base, operatorNames))
	case c.operator.null && ifExists:
		return c, fault("", "Null tests whether the key exists; it has no IfExists form")
	case c.operator.null && c.set != setNone:
		return c, fault("", "Null tests whether the key exists; it has no %s form", strings.TrimSuffix(text, "Null"))
	}
	return c, nil
}

func (p *parser) conditionValues(op *operator, n node) ([]matcher, []string, *SyntaxError) {
	items := n.items()
	if len(items) == 0 {
		return nil, nil, fault("", "list is empty; name the values")
	}
	var values []matcher
	var texts []string
	for i, item := range items {
		var m matcher
		var err *SyntaxError
		switch item.kind {
		case nodeString, nodeNumber, nodeBool:
			m, err = op.compile(item.text, p.variables)
		default:
			err = fault("", "is %s; want a string, a number or a boolean", item.kind)
		}
		if err != nil {
			return nil, nil, placed(err, n, i)
		}
		values, texts = append(values, m), append(texts, item.text)
	}
	return values, texts, nil
}

func empty(n node) string {
	if n.kind == nodeObject {
		return "an empty object"
	}
	return describe(n)
}

// outcome is what one comparison says. The order matters: a later one outweighs an earlier one.
type outcome int

const (
	differs    outcome = iota // the value is another one
	unlike                    // the value is not of the operator's type
	unresolved                // a variable has no value: the statement does not apply
	equals
)

// holds reports whether the condition is met by the call.
func (c *condition) holds(ctx *Context) bool {
	given, present := ctx.lookup(c.key)
	if c.operator.null {
		return c.matchNull(present)
	}
	if present && c.set != setNone && allEmpty(given) {
		present = false // "an empty data set (for example, an empty string)"
	}
	if !present {
		return c.holdsAbsent()
	}
	switch {
	case c.set == forAllValues:
		return c.every(given, ctx)
	case c.set == forAnyValue:
		return c.some(given, ctx)
	case len(given) > 1:
		return c.deny && c.some(given, ctx)
	}
	return c.satisfied(given[0], ctx)
}

func (c *condition) holdsAbsent() bool {
	switch {
	case c.set == forAllValues:
		return true
	case c.set == forAnyValue:
		return c.ifExists && c.deny
	}
	return c.ifExists || c.operator.negated
}

func (c *condition) every(given []string, ctx *Context) bool {
	for _, value := range given {
		if !c.satisfied(value, ctx) {
			return false
		}
	}
	return true
}

func (c *condition) some(given []string, ctx *Context) bool {
	for _, value := range given {
		if c.satisfied(value, ctx) {
			return true
		}
	}
	return false
}

// satisfied compares one value of the call with all values of the policy.
func (c *condition) satisfied(value string, ctx *Context) bool {
	result := differs
	for _, m := range c.values {
		if result = max(result, m.compare(value, ctx)); result == equals {
			break
		}
	}
	if !c.operator.negated {
		return result == equals
	}
	return result == differs || result == unlike && c.deny
}

func (c *condition) matchNull(present bool) bool {
	for _, text := range c.texts {
		if strings.EqualFold(text, "true") != present {
			return true
		}
	}
	return false
}

func allEmpty(values []string) bool {
	for _, value := range values {
		if value != "" {
			return false
		}
	}
	return true
}
