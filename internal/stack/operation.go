package stack

import (
	"regexp"
	"slices"
	"strings"
)

// definition is an API as its OpenAPI document, or SAM's reading of events, has it before SAM adds Auth and Cors.
type definition struct {
	title string
	paths []*pathItem
	// schemes are securityDefinitions, with what SAM adds to them; components are components.securitySchemes.
	schemes, components map[string]scheme
	replaced            map[string]bool // components that did not survive
	version3            bool            // the document is OpenAPI 3, where only components count
	policy              *policyBuilder
	binary              []string
	// rootSecurity is the document's own security, which only operations without one would inherit.
	rootSecurity cursor
	endpointType string
	managed      bool // SAM writes the document from events
	document     cursor
	validators   map[string]validator
	validator    cursor // of the whole document
	models       modelSet
}

// pathItem is one path with its operations, in the order in which they were added: SAM's resource policies list them so.
type pathItem struct {
	path string
	ops  []*operation
}

// operation is one method of one path.
type operation struct {
	path, method string
	c            cursor // where it stands, for messages

	integration string // type in lower case; empty if there is none
	uri         string // of the integration, resolved
	function    string // logical id, if known without the uri
	credentials string // NONE, CALLER_CREDENTIALS or a role's ARN
	timeout     int
	timeoutAt   cursor
	validation  *Validation
	mock        *Mock

	security    []requirement
	hasSecurity bool
	authType    string // x-amazon-apigateway-auth
	ghost       bool   // its function is not made
	wanted      wanted
}

// wanted is what an event asks for of a method that SAM takes from the API's own document, where it overlooks the
// event's Auth.
type wanted struct {
	c        cursor
	iam, key bool
}

// requirement is one entry of an operation's security: names of schemes, all of which apply.
type requirement []string

func (r requirement) has(name string) bool { return slices.Contains(r, name) }

// scheme is one security scheme.
type scheme struct {
	iam, key bool
	// other says what it is when it is neither.
	other string
}

// Names that SAM gives schemes, and marks that it takes out again.
const (
	schemeIAM = "AWS_IAM"
	schemeKey = "api_key"
	markNone  = "NONE"
	markNoKey = "api_key_false"
)

func (d *definition) path(path string) *pathItem {
	for _, p := range d.paths {
		if p.path == path {
			return p
		}
	}
	p := &pathItem{path: path}
	d.paths = append(d.paths, p)
	return p
}

func (p *pathItem) operation(method string) *operation {
	for _, op := range p.ops {
		if op.method == method {
			return op
		}
	}
	return nil
}

// settle leaves in schemes those that API Gateway finds. SAM moves securityDefinitions of an OpenAPI 3 document to
// components.securitySchemes, over what stands there.
func (d *definition) settle(sam bool) {
	switch {
	case !d.version3:
	case sam && len(d.schemes) > 0:
		d.replaced = map[string]bool{}
		for name := range d.components {
			d.replaced[name] = true
		}
	default:
		d.schemes = d.components
	}
}

// find returns nil if there is no such operation.
func (d *definition) find(path, method string) *operation {
	for _, p := range d.paths {
		if p.path == path {
			return p.operation(method)
		}
	}
	return nil
}

// each visits every operation.
func (d *definition) each(visit func(*operation)) {
	for _, p := range d.paths {
		for _, op := range p.ops {
			visit(op)
		}
	}
}

// integrationPath is how a Lambda integration's URI names its function.
var integrationPath = regexp.MustCompile(`:lambda:path/[0-9]{4}-[0-9]{2}-[0-9]{2}/functions/(.+)/(?:invocations|response-streaming-invocations)$`)

// functionOf finds the function of an integration's URI, and the alias or version after its ARN.
func (b *builder) functionOf(uri string) (id, qualifier string) {
	m := integrationPath.FindStringSubmatch(uri)
	if m == nil {
		return "", ""
	}
	return b.functionNamed(m[1])
}

// segment is one part of a path: text, {name} or {name+}. The characters of text are those that API Gateway's notes on
// REST APIs list (developer guide, Amazon API Gateway important notes), and the dollar sign, which it was seen to take.
var segment = regexp.MustCompile(`^(?:[a-zA-Z0-9._:,$-]+|\{[a-zA-Z0-9._:$-]+\+?\})$`)

// checkPath refuses what API Gateway refuses of a path, and returns it without the slash at its end, which API Gateway
// drops.
func checkPath(op *operation) (string, bool) {
	path := op.path
	if !strings.HasPrefix(path, "/") {
		op.c.fail("the path %q does not start with a slash", path)
		return "", false
	}
	if path == "/" {
		return path, true
	}
	path = strings.TrimSuffix(path, "/")
	parts := strings.Split(path[1:], "/")
	for i, part := range parts {
		if !segment.MatchString(part) {
			op.c.fail("API Gateway refuses the part %q of the path %s: a part is letters, digits and . _ - : , $ alone, or one {parameter} alone", part, op.path)
			return "", false
		}
		if strings.HasSuffix(part, "+}") && i < len(parts)-1 {
			op.c.fail("%s of the path %s takes all the rest, so it has to be the last part", part, op.path)
			return "", false
		}
	}
	return path, true
}

// routes turns operations into routes.
func (b *builder) routes(d *definition, c cursor) []*Route {
	var out []*Route
	seen := map[string]bool{}
	variables := map[string]string{} // the one parameter that may stand below each parent
	d.each(func(op *operation) {
		if op.ghost {
			return
		}
		path, ok := checkPath(op)
		if !ok {
			return
		}
		if key := op.method + " " + path; seen[key] {
			op.c.fail("%s is defined for the second time", key)
			return
		} else {
			seen[key] = true
		}
		checkSiblings(op, path, variables)
		if r := b.route(d, op, path); r != nil {
			out = append(out, r)
		}
	})
	if len(out) == 0 && len(b.errs) == 0 {
		c.fail("the API has no method: API Gateway refuses to deploy it; give a function an event for it, or write its DefinitionBody")
	}
	return out
}

// checkSiblings refuses two different parameters in the same place: API Gateway knows one child of that kind.
func checkSiblings(op *operation, path string, variables map[string]string) {
	parent := ""
	for part := range strings.SplitSeq(strings.TrimPrefix(path, "/"), "/") {
		if strings.HasPrefix(part, "{") {
			kind := parent + "{}"
			if strings.HasSuffix(part, "+}") {
				kind = parent + "{+}"
			}
			if first, ok := variables[kind]; ok && first != part {
				op.c.fail("%s stands where another path has %s: API Gateway allows one name in one place", part, first)
				return
			}
			variables[kind] = part
		}
		parent += "/" + part
	}
}

func (b *builder) route(d *definition, op *operation, path string) *Route {
	r := &Route{
		Method: op.method, Path: path, FunctionID: op.function, Integration: op.integration, Mock: op.mock,
		InvokeRole: op.credentials, TimeoutMillis: op.timeout, Validation: op.validation, Position: op.c.pos,
	}
	if r.InvokeRole == "" {
		r.InvokeRole = "NONE"
	}
	checkTimeout(d.endpointType, r, op.timeoutAt)
	if !b.authorize(d, op, r) {
		return nil
	}
	if op.wanted.iam && r.Authorization != schemeIAM || op.wanted.key && !r.APIKeyRequired {
		op.wanted.c.fail("SAM overlooks this Auth, since the API has a definition of its own, so on AWS the method would be open: set OverrideApiAuth")
		return nil
	}
	switch op.integration {
	case "aws_proxy":
		if op.function != "" {
			r.Qualifier = b.aliasOf(op.function)
		} else {
			r.FunctionID, r.Qualifier = b.functionOf(op.uri)
		}
		if r.FunctionID == "" {
			r.Unanswered = "its function is not of this template"
		}
	case "mock":
		if op.mock == nil {
			r.Unanswered = "its mock integration has no fixed answer"
		}
	case "":
		op.c.fail("%s %s has no integration: API Gateway refuses to deploy it", op.method, path)
		return nil
	default:
		r.FunctionID = ""
		r.Unanswered = "of the integrations only aws_proxy and mock are, this is " + op.integration
	}
	if r.Unanswered != "" {
		r.Unanswered = op.method + " " + path + " is not answered here: " + r.Unanswered
		op.c.warn("%s", r.Unanswered)
	}
	return r
}
