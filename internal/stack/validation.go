package stack

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
)

// Keys of an OpenAPI document and of a template that say which requests API Gateway refuses before it invokes anything
// (API Gateway developer guide, Request validation for REST APIs).
const (
	extValidators   = "x-amazon-apigateway-request-validators"
	defaultMedia    = "application/json" // of a request, and of a model, that names none
	requestLocation = "method.request."
)

// parameterPlaces are where a parameter may be.
var parameterPlaces = []string{"header", "path", "querystring"}

// validator is what a request validator asks for.
type validator struct{ body, parameters bool }

// modelSet gathers the schemas that an API's validators need: one document for an OpenAPI document, with the schemas of
// its operations beside those that they refer to, and one for each model of CloudFormation.
type modelSet struct {
	shared map[string]cursor // definitions and schemas that others refer to, by their place in the document
	own    *value            // Models of an AWS::Serverless::Api; nil if there are none
	inline []*value
	named  map[string]cursor // by URL
	used   bool
}

// openAPIModels is where the schemas of an OpenAPI document stand in API.Schemas.
const openAPIModels = "openapi"

// add keeps a schema and returns its place.
func (m *modelSet) add(schema *value) string {
	m.inline = append(m.inline, schema)
	return openAPIModels + "#/operations/" + strconv.Itoa(len(m.inline)-1)
}

// schemas are the documents that Validation.Models points into; nil if no body is validated.
func (b *builder) schemas(m *modelSet) map[string]json.RawMessage {
	if !m.used {
		return nil
	}
	out := map[string]json.RawMessage{}
	for url, c := range m.named {
		if v := schemaOf(c); v != nil {
			out[url] = v.json()
		}
	}
	if len(m.inline) > 0 {
		out[openAPIModels] = m.document().json()
	}
	return out
}

// document holds every schema where references look for it. SAM moves the Models of an API to where its version of OpenAPI
// has them.
func (m *modelSet) document() *value {
	definitions, schemas := m.own, m.own
	if v := m.shared["definitions"].resolved(); v != nil {
		definitions = v
	}
	if v := m.shared["schemas"].resolved(); v != nil {
		schemas = v
	}
	out := mapValue(Position{}, "operations", listValue(Position{}, m.inline...))
	if definitions != nil {
		out.fields = append(out.fields, field{key: "definitions", value: definitions})
	}
	if schemas != nil {
		out.fields = append(out.fields, field{key: "components", value: mapValue(Position{}, "schemas", schemas)})
	}
	return out
}

// schemaOf reads a schema, a map or the JSON of one.
func schemaOf(c cursor) *value {
	v := c.resolved()
	switch {
	case v == nil:
		c.fail("the model has no Schema")
	case v.kind == kindText:
		parsed, err := parseText(c.pos.File, []byte(v.text))
		if err != nil || !json.Valid([]byte(v.text)) {
			c.fail("this text is not the JSON of a schema")
			return nil
		}
		return parsed
	case v.kind != kindMap:
		c.fail("a schema is a map, not %s", v.kind)
		return nil
	}
	return v
}

// readValidators reads what an OpenAPI document says for all its operations.
func (b *builder) readValidators(c cursor, d *definition) {
	d.document = c
	for _, e := range c.at(extValidators).entries() {
		d.validators[e.key] = validator{e.at("validateRequestBody").flag(), e.at("validateRequestParameters").flag()}
	}
	d.validator = c.at(extValidator)
	d.models.shared = map[string]cursor{"definitions": c.at("definitions"), "schemas": c.at("components").at("schemas")}
}

// readValidation reads what an operation's validator asks for; shared are the parameters of its path.
func (b *builder) readValidation(c, shared cursor, op *operation, d *definition) {
	at := c.at(extValidator)
	if !at.exists() {
		at = d.validator
	}
	if !at.exists() {
		return
	}
	v, ok := d.validators[at.text()]
	if !ok {
		at.fail("%q is not one of %s", at.text(), extValidators)
		return
	}
	parameters := append(shared.items(), c.at("parameters").items()...)
	if v.parameters {
		for _, p := range parameters {
			op.requireObject(d.local(p))
		}
	}
	if v.body {
		b.readBodies(c, parameters, op, d)
	}
}

// readBodies reads the schemas of an operation's body by media type.
func (b *builder) readBodies(c cursor, parameters []cursor, op *operation, d *definition) {
	for _, p := range parameters {
		p = d.local(p)
		if p.at("in").text() != "body" {
			continue
		}
		types := c.at("consumes").texts()
		if len(types) == 0 {
			types = d.document.at("consumes").texts()
		}
		if len(types) == 0 {
			types = []string{defaultMedia}
		}
		for _, media := range types {
			op.checkBody(media, p.at("schema"), d)
		}
	}
	for _, e := range d.local(c.at("requestBody")).at("content").entries() {
		op.checkBody(e.key, e.at("schema"), d)
	}
}

func (op *operation) checkBody(media string, schema cursor, d *definition) {
	v := schema.resolved()
	if v == nil || v.kind != kindMap {
		return
	}
	op.checkModel(media, d.models.add(v))
	d.models.used = true
}

func (op *operation) checkModel(media, place string) {
	if op.validation == nil {
		op.validation = &Validation{}
	}
	if op.validation.Models == nil {
		op.validation.Models = map[string]string{}
	}
	op.validation.Models[strings.ToLower(media)] = place
}

// requireObject adds a parameter object of OpenAPI.
func (op *operation) requireObject(p cursor) {
	in, name := p.at("in").text(), p.at("name").text()
	if in == "query" {
		in = "querystring"
	}
	if p.at("required").flag() && name != "" {
		op.requireParameter(in, name)
	}
}

// requireNamed adds a parameter of a mapping: method.request.header.X-Tenant.
func (op *operation) requireNamed(e entry) {
	in, name, ok := strings.Cut(strings.TrimPrefix(e.key, requestLocation), ".")
	if !ok || !strings.HasPrefix(e.key, requestLocation) || !slices.Contains(parameterPlaces, in) {
		e.fail("a parameter is method.request., then header, path or querystring, and a name")
		return
	}
	op.requireParameter(in, name)
}

// requireParameter keeps one parameter in the order in which API Gateway names them.
func (op *operation) requireParameter(in, name string) {
	if !slices.Contains(parameterPlaces, in) {
		return // a cookie, which API Gateway does not look at
	}
	if op.validation == nil {
		op.validation = &Validation{}
	}
	p := Parameter{In: in, Name: name}
	if slices.Contains(op.validation.Parameters, p) {
		return
	}
	op.validation.Parameters = append(op.validation.Parameters, p)
	slices.SortFunc(op.validation.Parameters, func(a, b Parameter) int { return strings.Compare(a.In+"."+a.Name, b.In+"."+b.Name) })
}

// local follows a reference into the document.
func (d *definition) local(c cursor) cursor {
	for range 10 {
		ref := c.at("$ref")
		if !c.isMap() || !ref.exists() {
			return c
		}
		path, ok := strings.CutPrefix(ref.text(), "#/")
		if !ok {
			ref.fail("only references into this document are followed: #/…")
			return c.to(nil, "")
		}
		c = d.document
		for part := range strings.SplitSeq(path, "/") {
			c = c.at(strings.NewReplacer("~1", "/", "~0", "~").Replace(part))
		}
		if !c.exists() {
			ref.fail("%q is not in the document", ref.text())
			return c
		}
	}
	c.fail("the references go round in a circle, or too far")
	return c.to(nil, "")
}

// eventValidation reads RequestModel and RequestParameters of an event (SAM developer guide, RequestModel). As in SAM,
// nothing is validated without a Model.
func (b *builder) eventValidation(e *apiEvent, models cursor, op *operation, d *definition) {
	c := e.c.at("RequestModel")
	if c.exists() {
		checkKeys(c, []string{"Model", "Required", "ValidateBody", "ValidateParameters"})
	}
	name := c.at("Model").text()
	if name == "" {
		return
	}
	if !models.at(name).exists() {
		c.at("Model").fail("%q is not one of the API's Models", name)
		return
	}
	if c.at("ValidateBody").flag() {
		op.checkModel(defaultMedia, d.models.add(mapValue(c.pos, "$ref", textValue("#/definitions/"+strings.ToLower(name), c.pos))))
		d.models.used = true
	}
	if !c.at("ValidateParameters").flag() {
		return
	}
	for _, p := range e.c.at("RequestParameters").items() {
		if !p.isMap() {
			continue // a name alone is not required
		}
		for _, one := range p.entries() {
			if one.at("Required").flag() {
				op.requireNamed(one)
			}
		}
	}
}

// addModels adds the Models of an AWS::Serverless::Api, whose names SAM writes in lower case.
func (d *definition) addModels(c cursor) {
	definitions := &value{kind: kindMap, pos: c.pos}
	for _, e := range c.entries() {
		if v := e.resolved(); v != nil {
			definitions.fields = append(definitions.fields, field{key: strings.ToLower(e.key), pos: e.pos, value: v})
		}
	}
	if len(definitions.fields) > 0 {
		d.models.own = definitions
	}
}
