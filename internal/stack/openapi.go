package stack

import (
	"cmp"
	"slices"
	"strings"
)

// Keys of an OpenAPI document that API Gateway gives a meaning
// (API Gateway developer guide, OpenAPI extensions for API Gateway).
const (
	extAnyMethod   = "x-amazon-apigateway-any-method"
	extIntegration = "x-amazon-apigateway-integration"
	extAuth        = "x-amazon-apigateway-auth"
	extAuthType    = "x-amazon-apigateway-authtype"
	extAuthorizer  = "x-amazon-apigateway-authorizer"
	extPolicy      = "x-amazon-apigateway-policy"
	extBinary      = "x-amazon-apigateway-binary-media-types"
	extResponses   = "x-amazon-apigateway-gateway-responses"
	extValidator   = "x-amazon-apigateway-request-validator"
	extEndpoint    = "x-amazon-apigateway-endpoint-configuration"
	extAccessMode  = "x-amazon-apigateway-endpoint-access-mode"
	extCompression = "x-amazon-apigateway-minimum-compression-size"
)

// pathFields are the keys of a path that are not methods (OpenAPI specification, Path Item Object).
var pathFields = []string{"$ref", "summary", "description", "servers", "parameters"}

func newDefinition() *definition {
	return &definition{
		schemes: map[string]scheme{}, components: map[string]scheme{}, policy: newPolicyBuilder(nil), validators: map[string]validator{},
		models: modelSet{named: map[string]cursor{}},
	}
}

// readOpenAPI reads an API's document.
func (b *builder) readOpenAPI(c cursor) *definition {
	d := newDefinition()
	if !c.isMap() {
		c.fail("the definition of an API is an OpenAPI document")
		return d
	}
	if !c.at("openapi").exists() && !c.at("swagger").exists() {
		c.fail("the document says neither openapi nor swagger, so it is no definition of an API")
		return d
	}
	d.version3 = !c.at("swagger").exists()
	d.title = c.at("info").at("title").text()
	if policy := c.at(extPolicy); policy.exists() {
		if raw := policy.document(); raw != nil {
			if v, err := parseText(policy.pos.File, raw); err == nil {
				d.policy = newPolicyBuilder(relocate(v, policy.pos))
			}
		}
	}
	d.binary = c.at(extBinary).texts()
	d.rootSecurity = c.at("security")
	b.readSchemes(c.at("securityDefinitions"), d.schemes)
	b.readSchemes(c.at("components").at("securitySchemes"), d.components)
	if at := c.at("x-amazon-apigateway-api-key-source"); strings.EqualFold(at.text(), "AUTHORIZER") {
		at.fail("API keys from an authorizer are not supported here: HEADER is")
	}
	b.readValidators(c, d)
	checkEndpointExtension(c)
	checkAccessMode(c.at(extAccessMode))
	if at := c.at(extCompression); readCompression(at) != nil {
		at.warn(notCompressed)
	}
	for _, path := range c.at("paths").entries() {
		b.readPath(path, d)
	}
	return d
}

// checkEndpointExtension refuses an API that does not answer to its own name, wherever the document says so.
func checkEndpointExtension(c cursor) {
	places := []cursor{c}
	if servers := c.at("servers"); servers.isList() {
		places = append(places, servers.items()...)
	}
	for _, place := range places {
		at := place.at(extEndpoint).at("disableExecuteApiEndpoint")
		if at.flag() {
			at.fail("custom domain names are not served here, and this API answers to nothing else")
		}
	}
}

// relocate moves a value and all inside it to one position.
func relocate(v *value, pos Position) *value {
	out := *v
	out.pos = pos
	out.items, out.fields = nil, nil
	for _, item := range v.items {
		out.items = append(out.items, relocate(item, pos))
	}
	for _, f := range v.fields {
		out.fields = append(out.fields, field{key: f.key, pos: pos, value: relocate(f.value, pos)})
	}
	return &out
}

func (b *builder) readSchemes(c cursor, into map[string]scheme) {
	for _, e := range c.entries() {
		switch {
		case e.at(extAuthorizer).exists():
			into[e.key] = scheme{other: "an authorizer of the kind " + e.at(extAuthorizer).at("type").textOr("token")}
		case strings.EqualFold(e.at(extAuthType).text(), "awsSigv4"):
			into[e.key] = scheme{iam: true}
		case e.at("type").text() == "apiKey" && e.at("in").text() == "header" && strings.EqualFold(e.at("name").text(), "x-api-key"):
			into[e.key] = scheme{key: true}
		default:
			into[e.key] = scheme{other: "a scheme of the type " + e.at("type").textOr("unknown")}
		}
	}
}

func (b *builder) readPath(c entry, d *definition) {
	item := d.path(c.key)
	for _, m := range c.entries() {
		method := strings.ToUpper(m.key)
		switch {
		case m.key == extAnyMethod:
			method = "ANY"
		case slices.Contains(pathFields, m.key) || strings.HasPrefix(m.key, "x-"):
			continue
		case method == "ANY" || !slices.Contains(methods, method):
			m.fail("API Gateway knows no method %q", m.key)
			continue
		}
		if !m.isMap() {
			m.fail("an operation is a map, not %s", m.v.kind)
			continue
		}
		if item.operation(method) != nil {
			m.fail("the method is defined for the second time")
			continue
		}
		op := &operation{path: c.key, method: method, c: m.cursor}
		b.readOperation(m.cursor, op)
		b.readValidation(m.cursor, c.at("parameters"), op, d)
		item.ops = append(item.ops, op)
	}
}

func (b *builder) readOperation(c cursor, op *operation) {
	if security := c.at("security"); security.isList() {
		op.hasSecurity = true
		for _, item := range security.items() {
			var required requirement
			for _, e := range item.entries() {
				required = append(required, e.key)
			}
			op.security = append(op.security, required)
		}
	} else if security.exists() {
		security.fail("security is a list, not %s", security.v.kind)
	}
	op.authType = c.at(extAuth).at("type").text()
	integration := c.at(extIntegration)
	if !integration.exists() {
		return
	}
	op.integration = strings.ToLower(integration.at("type").text())
	if op.integration == "" {
		integration.fail("the integration has no type")
		return
	}
	op.timeout, op.timeoutAt = integration.at("timeoutInMillis").integerOr(0), integration.at("timeoutInMillis")
	op.credentials = invokedBy(integration.at("credentials").text())
	warnStreamed(integration.at("responseTransferMode"))
	switch op.integration {
	case "aws_proxy":
		op.uri = integration.at("uri").text()
	case "mock":
		op.mock = readMock(integration)
	}
}

// invokedBy reads an integration's credentials: none, the caller's (any user of any account stands for that), or a role's.
func invokedBy(credentials string) string {
	switch {
	case credentials == "", credentials == "NONE":
		return "NONE"
	case strings.HasPrefix(credentials, "arn:") && strings.HasSuffix(credentials, ":iam::*:user/*"):
		return "CALLER_CREDENTIALS"
	}
	return credentials
}

// readMock reads an answer that is the same for every request, as preflight answers are. Nil if it is not.
func readMock(integration cursor) *Mock {
	responses := integration.at("responses")
	response := responses.at("default")
	if !response.exists() {
		entries := responses.entries()
		if len(entries) != 1 {
			return nil
		}
		response = entries[0].cursor
	}
	return readMockResponse(response, [3]string{"statusCode", "responseParameters", "responseTemplates"})
}

// readMockResponse reads one response of a mock integration; keys are the names of its status, headers and bodies.
func readMockResponse(c cursor, keys [3]string) *Mock {
	mock := &Mock{Status: cmp.Or(readStatus(c.at(keys[0])), 200), Headers: map[string]string{}}
	for _, e := range c.at(keys[1]).entries() {
		name, ok := strings.CutPrefix(e.key, "method.response.header.")
		text, fixed := unquote(e.text())
		if !ok || !fixed {
			return nil
		}
		if sendable(name, e.cursor) {
			mock.Headers[name] = text
		}
	}
	for _, e := range c.at(keys[2]).entries() {
		if body := strings.TrimSpace(e.text()); body != "" && body != "{}" {
			return nil
		}
	}
	return mock
}

// unquote reads a fixed value of a mapping expression, which stands in single quotes.
func unquote(expression string) (string, bool) {
	if len(expression) < 2 || expression[0] != '\'' || expression[len(expression)-1] != '\'' {
		return "", false
	}
	return expression[1 : len(expression)-1], true
}
