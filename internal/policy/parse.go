package policy

import "strings"

// parser reads one document. Its methods return *SyntaxError so that each level can add its place.
type parser struct {
	kind      Kind
	api       *API
	variables bool
}

func (p *parser) document(data []byte) (*Document, *SyntaxError) {
	if p.kind < KindIdentity || p.kind > KindTrust {
		return nil, fault("", "cannot be parsed; name one of the kinds of this package")
	}
	root, err := readJSON(data)
	if err != nil {
		return nil, err
	}
	if root.kind != nodeObject {
		return nil, fault("", "is %s; want an object with Version and Statement", root.kind)
	}
	d := &Document{kind: p.kind}
	var statements *node
	for i := range root.members {
		m := &root.members[i]
		switch m.name {
		case "Version":
			err = p.version(d, m.value)
		case "Id":
			err = p.id(d, m.value)
		case "Statement":
			statements = &m.value
		default:
			err = fault("", "unknown element; want Version, Id and Statement")
		}
		if err != nil {
			return nil, err.under(m.name)
		}
	}
	if statements == nil {
		return nil, fault("Statement", "is missing")
	}
	p.variables = d.version == version2012
	if err := p.statements(d, *statements); err != nil {
		return nil, err
	}
	return d, nil
}

func (p *parser) version(d *Document, n node) *SyntaxError {
	if n.kind != nodeString || n.text != version2012 && n.text != version2008 {
		return fault("", "is %s; want %q or %q", describe(n), version2012, version2008)
	}
	d.version = n.text
	return nil
}

func (p *parser) id(d *Document, n node) *SyntaxError {
	if p.kind == KindIdentity {
		return fault("", "is not allowed in identity policies")
	}
	if n.kind != nodeString {
		return fault("", "is %s; want a string", n.kind)
	}
	d.id = n.text
	return nil
}

func (p *parser) statements(d *Document, n node) *SyntaxError {
	items := n.items()
	if len(items) == 0 {
		return fault("Statement", "list is empty; a policy has one statement at least")
	}
	sids := map[string]int{}
	for i, item := range items {
		s, err := p.statement(item)
		if err == nil && s.sid != "" {
			if first, ok := sids[s.sid]; ok {
				err = fault("Sid", "is also that of Statement[%d]; a Sid names one statement", first)
			}
			sids[s.sid] = i
		}
		if err != nil {
			err.Statement, err.Sid = i, s.sid
			return err
		}
		d.statements = append(d.statements, s)
	}
	return nil
}

// statement reads one statement. It returns the Sid even with an error, if it could read it.
func (p *parser) statement(n node) (statement, *SyntaxError) {
	var s statement
	if n.kind != nodeObject {
		return s, fault("", "is %s; want an object", n.kind)
	}
	for _, m := range n.members {
		if m.name == "Sid" && m.value.kind == nodeString {
			s.sid = m.value.text
		}
	}
	seen := map[string]bool{}
	for _, m := range n.members {
		if err := p.element(&s, m); err != nil {
			return s, err.under(m.name)
		}
		seen[m.name] = true
	}
	return s, p.complete(&s, seen)
}

func (p *parser) element(s *statement, m member) (err *SyntaxError) {
	switch m.name {
	case "Sid":
		err = p.sid(m.value)
	case "Effect":
		if m.value.kind != nodeString || m.value.text != "Allow" && m.value.text != "Deny" {
			return fault("", "is %s; want \"Allow\" or \"Deny\"", describe(m.value))
		}
		s.deny = m.value.text == "Deny"
	case "Principal", "NotPrincipal":
		if p.kind == KindIdentity {
			return fault("", "is not allowed in identity policies: the principal is who has the policy")
		}
		s.notPrincipal = m.name == "NotPrincipal"
		s.principals, err = parsePrincipals(m.value)
	case "Action", "NotAction":
		s.notAction = m.name == "NotAction"
		s.actions, err = p.actions(m.value)
	case "Resource", "NotResource":
		if p.kind == KindTrust {
			return fault("", "is not allowed in trust policies: the resource is the role")
		}
		s.notResource = m.name == "NotResource"
		s.resources, err = p.resources(m.value)
	case "Condition":
		s.conditions, err = p.conditions(m.value)
	default:
		err = fault("", "unknown element of a statement%s", suggest(strings.ToLower(m.name), elementNames))
	}
	return err
}

var elementNames = makeKeySet("Sid", "Effect", "Principal", "NotPrincipal", "Action", "NotAction", "Resource",
	"NotResource", "Condition")

// complete checks what a statement must have, and what it must not have together.
func (p *parser) complete(s *statement, seen map[string]bool) *SyntaxError {
	for _, name := range []string{"Principal", "Action", "Resource"} {
		if seen[name] && seen["Not"+name] {
			return fault("", "has both %s and Not%s; want one of them", name, name)
		}
	}
	switch {
	case !seen["Effect"]:
		return fault("Effect", "is missing; want \"Allow\" or \"Deny\"")
	case s.actions == nil:
		return fault("Action", "is missing; want Action or NotAction")
	case s.resources == nil && p.kind != KindTrust:
		return fault("Resource", "is missing; want Resource or NotResource")
	case s.principals == nil && p.kind != KindIdentity:
		return fault("Principal", "is missing; want Principal or NotPrincipal")
	case s.notPrincipal && !s.deny:
		return fault("NotPrincipal", "with Allow is not supported by AWS: it would let everyone else in")
	case s.notPrincipal && p.kind == KindTrust:
		return fault("NotPrincipal", "is not allowed in trust policies")
	}
	for i := range s.conditions {
		s.conditions[i].deny = s.deny
	}
	return nil
}

func (p *parser) sid(n node) *SyntaxError {
	if n.kind != nodeString {
		return fault("", "is %s; want a string", n.kind)
	}
	// Other services allow more than IAM does (IAM user guide, "Grammar of the IAM JSON policy language", sid_string).
	if (p.kind == KindIdentity || p.kind == KindTrust) && n.text != "" && !isKeyText(n.text, "") {
		return fault("", "%q has other characters than letters and digits", n.text)
	}
	return nil
}

func (p *parser) actions(n node) ([]actionPattern, *SyntaxError) {
	texts, err := n.strings()
	if err != nil {
		return nil, err
	}
	patterns := make([]actionPattern, len(texts))
	for i, text := range texts {
		if patterns[i], err = parseAction(text); err != nil {
			return nil, placed(err, n, i)
		}
	}
	return patterns, nil
}

func (p *parser) resources(n node) ([]resourcePattern, *SyntaxError) {
	texts, err := n.strings()
	if err != nil {
		return nil, err
	}
	patterns := make([]resourcePattern, len(texts))
	for i, text := range texts {
		if strings.HasPrefix(text, shortForm) {
			if text, err = p.expand(text); err != nil {
				return nil, placed(err, n, i)
			}
		}
		if patterns[i], err = parseResource(text, p.variables); err != nil {
			return nil, placed(err, n, i)
		}
	}
	return patterns, nil
}

func (p *parser) expand(text string) (string, *SyntaxError) {
	if p.kind != KindResource || p.api == nil {
		return "", fault("", "%q is API Gateway's short form, which only the policy of a known API may use", text)
	}
	if !strings.HasPrefix(text, shortForm+"/") {
		return "", fault("", "%q: want a slash after the colon, as in execute-api:/stage/GET/path", text)
	}
	return p.api.ExpandShortForm(text), nil
}

// placed adds the index to a fault in a list.
func placed(err *SyntaxError, n node, i int) *SyntaxError {
	if n.kind != nodeList {
		return err
	}
	return err.under(index(i))
}

// describe shows a value of the wrong kind or content.
func describe(n node) string {
	switch n.kind {
	case nodeString:
		return `"` + n.text + `"`
	case nodeNumber, nodeBool:
		return n.text
	}
	return string(n.kind)
}
