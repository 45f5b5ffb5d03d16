package policy

import "strings"

// resourcePattern is "*" or an ARN with wildcards inside its fields. A wildcard does not cross the first five colons,
// but an asterisk at the end of a shortened ARN stands for all fields that follow (IAM user guide, "IAM JSON policy
// elements: Resource"). In the last field an asterisk matches everything, slashes and colons included. Case matters.
type resourcePattern struct {
	text   string
	fields []glob // 1 for "*", 4 to 6 for an ARN
	// variable is the last field if it depends on the call; its entry in fields is then empty.
	variable *template
}

// parseResource reads one entry of Resource or NotResource.
func parseResource(text string, variables bool) (resourcePattern, *SyntaxError) {
	p := resourcePattern{text: text}
	if text == "*" {
		p.fields = []glob{compileGlob(text)}
		return p, nil
	}
	head, last := cutARNPattern(text)
	if err := checkResource(text, head, last); err != nil {
		return p, err
	}
	for _, field := range head {
		p.fields = append(p.fields, compileGlob(field))
	}
	t, err := parseTemplate(last, variables)
	if err != nil {
		return p, err
	}
	if t.hasVariables() {
		p.variable = &t
		p.fields = append(p.fields, glob{})
		return p, nil
	}
	var b globBuilder
	t.build(&b, nil)
	p.fields = append(p.fields, b.glob())
	return p, nil
}

// cutARNPattern cuts text at its first five colons, or at as many as there are.
func cutARNPattern(text string) (head []string, last string) {
	last = text
	for range 5 {
		field, rest, ok := strings.Cut(last, ":")
		if !ok {
			break
		}
		head, last = append(head, field), rest
	}
	return head, last
}

func checkResource(text string, head []string, last string) *SyntaxError {
	want := "want \"*\" or an ARN such as arn:aws:execute-api:region:account:api/stage/GET/path"
	switch {
	case len(head) == 0 || head[0] != "arn":
		return fault("", "%q is not a resource; %s", text, want)
	case len(head) < 5 && !strings.HasSuffix(last, "*"):
		return fault("", "%q has fewer than six fields and does not end with an asterisk; %s", text, want)
	case len(head) < 3:
		return fault("", "%q: the service of an ARN cannot be left out or matched by a wildcard; %s", text, want)
	}
	for _, field := range head {
		if strings.Contains(field, "${") {
			return fault("", "%q: a policy variable may stand after the fifth colon only", text)
		}
	}
	if head[2] == "" || strings.ContainsAny(head[2], "*?") {
		return fault("", "%q: the service of an ARN cannot be empty or matched by a wildcard", text)
	}
	if head[1] == "" {
		return fault("", "%q: the partition of an ARN is empty", text)
	}
	return nil
}

// target is the resource of a call, cut once for all patterns.
type target struct {
	fields arnFields
	isARN  bool
}

func newTarget(text string) (t target) {
	t.fields, t.isARN = splitARN(text)
	return t
}

// match reports whether the pattern covers the resource. The second result is false if that cannot be told, because a
// variable on which it depends has no value.
func (p *resourcePattern) match(t *target, c *Context) (matched, known bool) {
	if len(p.fields) == 1 {
		return true, true
	}
	if !t.isARN {
		return false, true
	}
	last := len(p.fields) - 1
	for i := range last {
		if !p.fields[i].match(t.fields[i]) {
			return false, true
		}
	}
	g := &p.fields[last]
	if p.variable != nil {
		var b globBuilder
		if !p.variable.build(&b, c) {
			return false, false
		}
		built := b.glob()
		g = &built
	}
	// Of a shortened ARN only the asterisk at its end stands for the fields that follow.
	return g.match(t.fields[last]), true
}
