package stack

import (
	"maps"
	"slices"
	"strings"
)

// addEvents puts the events of functions into the API: their methods where SAM writes the document itself or merges
// into it (MergeDefinitions), else only what they override (OverrideApiAuth).
func (b *builder) addEvents(res *resource, auth apiAuth, d *definition) {
	c := b.cursor(res)
	events := b.events[res.id]
	writes := d.managed || c.at("MergeDefinitions").flag()
	if writes {
		b.addOperations(events, auth, d)
		b.addValidations(events, c.at("Models"), d)
	}
	for _, e := range events {
		if e.ghost {
			continue
		}
		own := e.c.at("Auth")
		if !own.exists() {
			continue
		}
		op := d.find(e.path, e.method)
		switch {
		case writes:
		case op == nil:
			e.c.warn("the API's definition has no %s %s, so the event adds no method", e.method, e.path)
			continue
		case !own.at("OverrideApiAuth").flag():
			op.wanted = wanted{c: own, iam: own.at("Authorizer").text() == schemeIAM, key: truthy(own.at("ApiKeyRequired"))}
			if !op.wanted.iam && !op.wanted.key {
				own.warn("SAM overlooks this Auth, since the API has a definition of its own: set OverrideApiAuth")
			}
			continue
		}
		if op == nil {
			continue
		}
		b.eventAuth(e, auth, d, []*operation{op})
		b.addEventPolicy(e, own.at("ResourcePolicy"), d, c)
	}
	for _, e := range events {
		if !e.ghost {
			b.warnEvent(e)
		}
	}
}

// addOperations makes the methods of all events first: a resource policy lists every method of a path.
func (b *builder) addOperations(events []*apiEvent, auth apiAuth, d *definition) {
	for _, e := range events {
		if !slices.Contains(methods, e.method) {
			e.c.at("Method").fail("API Gateway knows no method %q", e.method)
			continue
		}
		item := d.path(e.path)
		op := item.operation(e.method)
		switch {
		case op == nil:
			op = &operation{path: e.path, method: e.method, ghost: e.ghost}
			item.ops = append(item.ops, op)
		case e.ghost:
			continue
		case op.function != "":
			e.c.fail("%s %s is defined for the second time", e.method, e.path)
			continue
		}
		if op.c = e.c; e.ghost {
			continue
		}
		op.integration, op.function, op.uri, op.mock, op.ghost = "aws_proxy", e.function.id, "", nil, false
		if e.function.typ == "AWS::Serverless::StateMachine" {
			op.integration = "aws"
		}
		op.credentials = invokedBy(b.invokeRole(e, auth))
		if at := e.c.at("TimeoutInMillis"); at.exists() {
			op.timeout, op.timeoutAt = at.integerOr(0), at
		}
	}
}

// addValidations adds what the events' validators ask for.
func (b *builder) addValidations(events []*apiEvent, models cursor, d *definition) {
	for _, e := range events {
		if op := d.find(e.path, e.method); op != nil && !e.ghost {
			b.eventValidation(e, models, op, d)
		}
	}
}

// addEventPolicy adds an event's own ResourcePolicy. SAM writes it before it knows a stage name that is not plain text,
// and puts the word Stage in its place.
func (b *builder) addEventPolicy(e *apiEvent, c cursor, d *definition, api cursor) {
	if !c.exists() {
		return
	}
	stage := "Stage"
	if given := api.v.get("StageName"); given != nil && given.kind == kindText {
		stage = given.text
	} else {
		c.warn(`SAM writes the stage of this policy as "Stage", since StageName is not plain text: it holds for no stage of the API; set it at the API`)
	}
	d.addResourcePolicy(c, []*pathItem{d.path(e.path)}, stage)
}

func (b *builder) warnEvent(e *apiEvent) {
	warnStreamed(e.c.at("ResponseTransferMode"))
}

func warnStreamed(mode cursor) {
	if mode.text() == "STREAM" {
		mode.warn("answers are not streamed here")
	}
}

// addCors gives each path without OPTIONS the preflight answer that SAM makes (SAM developer guide, CorsConfiguration).
func (b *builder) addCors(c cursor, d *definition) {
	if !c.exists() {
		return
	}
	read := func(name string) (string, bool) {
		at := c.at(name)
		if !at.exists() {
			return "", false
		}
		text, fixed := unquote(at.text())
		if !fixed {
			at.fail("API Gateway takes this for an expression: put the value into single quotes inside the double ones")
		}
		return text, true
	}
	headers := map[string]string{}
	if !c.isMap() {
		c = c.to(mapValue(c.pos, "AllowOrigin", c.v), "")
	}
	origin, ok := read("AllowOrigin")
	if !ok {
		c.fail("Cors has no AllowOrigin")
		return
	}
	headers["Access-Control-Allow-Origin"] = origin
	if text, ok := read("AllowHeaders"); ok {
		headers["Access-Control-Allow-Headers"] = text
	}
	if text, ok := read("MaxAge"); ok {
		headers["Access-Control-Max-Age"] = text
	}
	if c.at("AllowCredentials").flag() {
		headers["Access-Control-Allow-Credentials"] = "true"
	}
	allowed, fixed := read("AllowMethods")
	for _, item := range d.paths {
		if item.operation("OPTIONS") != nil || len(item.ops) == 0 {
			continue
		}
		mock := &Mock{Status: 200, Headers: maps.Clone(headers)}
		mock.Headers["Access-Control-Allow-Methods"] = allowed
		if !fixed {
			mock.Headers["Access-Control-Allow-Methods"] = item.corsMethods()
		}
		ghost := !slices.ContainsFunc(item.ops, func(op *operation) bool { return !op.ghost })
		item.ops = append(item.ops, &operation{path: item.path, method: "OPTIONS", c: c, integration: "mock", mock: mock, ghost: ghost})
	}
}

// corsMethods lists the methods of a path, all of them for ANY.
func (p *pathItem) corsMethods() string {
	list := []string{"OPTIONS"}
	for _, op := range p.ops {
		if op.method == "ANY" {
			return "DELETE,GET,HEAD,OPTIONS,PATCH,POST,PUT"
		}
		list = append(list, op.method)
	}
	slices.Sort(list)
	return strings.Join(list, ",")
}
