package stack

import (
	"regexp"
	"slices"
	"strings"
)

// gatewayResponseTypes are the kinds of answers that an API may change (API Gateway developer guide, Gateway response
// types).
var gatewayResponseTypes = []string{
	"ACCESS_DENIED", "API_CONFIGURATION_ERROR", "AUTHORIZER_CONFIGURATION_ERROR", "AUTHORIZER_FAILURE", "BAD_REQUEST_BODY",
	"BAD_REQUEST_PARAMETERS", "DEFAULT_4XX", "DEFAULT_5XX", "EXPIRED_TOKEN", "INTEGRATION_FAILURE", "INTEGRATION_TIMEOUT", "INVALID_API_KEY",
	"INVALID_SIGNATURE", "MISSING_AUTHENTICATION_TOKEN", "QUOTA_EXCEEDED", "REQUEST_TOO_LARGE", "RESOURCE_NOT_FOUND", "THROTTLED",
	"UNAUTHORIZED", "UNSUPPORTED_MEDIA_TYPE", "WAF_FILTERED",
}

// responseKeys are the names of a gateway response's parts, which the three places spell in two ways.
type responseKeys struct{ status, parameters, templates string }

var (
	openAPIResponse = responseKeys{"statusCode", "responseParameters", "responseTemplates"}
	nativeResponse  = responseKeys{"StatusCode", "ResponseParameters", "ResponseTemplates"}
)

const responseHeader = "gatewayresponse.header."

// readGatewayResponses reads the gateway responses of an API: of its document, then SAM's GatewayResponses, then
// resources of their own, each over the one before.
func (b *builder) readGatewayResponses(api *API, d *definition, c cursor) {
	for _, e := range d.document.at(extResponses).entries() {
		b.addGatewayResponse(api, e, openAPIResponse)
	}
	if b.t.resources[c.resource].typ == "AWS::Serverless::Api" {
		for _, e := range c.at("GatewayResponses").entries() {
			b.addGatewayResponse(api, e, nativeResponse)
		}
	}
	for _, res := range b.ofType("AWS::ApiGateway::GatewayResponse") {
		if own := b.cursor(res); own.at("RestApiId").text() == api.ID {
			b.addGatewayResponse(api, entry{own.at("ResponseType").text(), own}, nativeResponse)
		}
	}
}

func (b *builder) addGatewayResponse(api *API, e entry, keys responseKeys) {
	if !slices.Contains(gatewayResponseTypes, e.key) {
		e.fail("%q is no type of gateway response: %s", e.key, strings.Join(gatewayResponseTypes, ", "))
		return
	}
	r := &GatewayResponse{Headers: map[string]string{}, Templates: map[string]string{}}
	r.Status = readStatus(e.at(keys.status))
	parameters := e.at(keys.parameters)
	for _, p := range parameters.entries() {
		switch name, isHeader := strings.CutPrefix(p.key, responseHeader); {
		case isHeader:
			r.addHeader(name, p)
		case p.key == "Headers": // SAM's short form
			for _, h := range p.entries() {
				r.addHeader(h.key, h)
			}
		case p.key == "Paths" || p.key == "QueryStrings" || strings.HasPrefix(p.key, "gatewayresponse."):
			p.warn("an answer has no path and no query: this is not sent")
		default:
			p.fail("a parameter of a gateway response is %s and a name", responseHeader)
		}
	}
	for _, t := range e.at(keys.templates).entries() {
		r.Templates[t.key] = t.text()
	}
	if api.GatewayResponses == nil {
		api.GatewayResponses = map[string]*GatewayResponse{}
	}
	api.GatewayResponses[e.key] = r
}

// addHeader keeps a header that an answer may have.
func (r *GatewayResponse) addHeader(name string, e entry) {
	if expression := checkExpression(e); sendable(name, e.cursor) {
		r.Headers[name] = expression
	}
}

// ownHeaders are those that API Gateway sets of itself, in lower case: what frames the answer, its date, and the id that
// nobody overrides (API Gateway developer guide, Set up logging). What it does where a template sets one is not documented.
var ownHeaders = []string{
	"connection", "content-length", "date", "keep-alive", "proxy-connection", "te", "trailer", "transfer-encoding", "upgrade", "x-amz-apigw-id",
}

// sendable reports whether a template may set a header of an answer.
func sendable(name string, at cursor) bool {
	switch {
	case !headerName.MatchString(name):
		at.fail("%q is no name of a header", name)
		return false
	case slices.Contains(ownHeaders, strings.ToLower(name)):
		at.warn("API Gateway sets %s itself: this is not sent", name)
		return false
	}
	return true
}

// headerName is a token (RFC 9110, section 5.6.2).
var headerName = regexp.MustCompile("^[!#$%&'*+.^_`|~0-9A-Za-z-]+$")

// readStatus reads the status of an answer, 0 if there is none. An interim one ends no answer: the client would wait for
// another, and get 200.
func readStatus(at cursor) int {
	status, ok := at.integer()
	if ok && (status < 200 || status > 599) {
		at.fail("%d is no status of an answer: 200 to 599 are", status)
	}
	return status
}

// checkExpression refuses what API Gateway refuses: a text has single quotes of its own.
func checkExpression(e entry) string {
	text := e.text()
	if _, fixed := unquote(text); fixed {
		return text
	}
	for _, place := range []string{"method.request.", "context.", "stageVariables."} {
		if strings.HasPrefix(text, place) {
			return text
		}
	}
	e.fail("%q is neither a text in single quotes nor a place such as method.request.header.Origin", text)
	return text
}
