package gateway

import (
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/marquee-api/marquee/internal/proxyevent"
)

// GatewayResponse is what the API sends in place of a refusal's own words ("Gateway responses for REST APIs"). It changes
// no decision.
type GatewayResponse struct {
	Status int // 0: as it is
	// Headers are expressions by name: a text in single quotes, or a place such as method.request.header.Origin.
	Headers map[string]string
	// Templates are bodies by media type, in which variables such as $context.error.messageString are replaced.
	Templates map[string]string
}

// customise puts the API's own gateway response over a refusal. What is refused before the API is known, and a body above
// 10 MiB, cannot be customised.
func (x *exchange) customise(response *proxyevent.Response, refusal *Refusal) {
	if x.target.api == nil || refusal.Type == "" {
		return
	}
	own, ok := x.target.api.Responses[refusal.Kind]
	if !ok {
		own, ok = x.target.api.Responses["DEFAULT_"+string('0'+rune(refusal.Status/100))+"XX"]
	}
	if !ok {
		return
	}
	if own.Status != 0 {
		response.Status = own.Status
	}
	for name, expression := range own.Headers {
		if ownHeaders[strings.ToLower(name)] {
			continue
		}
		if value := x.mapped(expression, refusal); value != "" {
			setAlone(response.Header, name, value)
		}
	}
	if media := chooseTemplate(own.Templates, x.r.Header.Get("Accept")); media != "" {
		setAlone(response.Header, "Content-Type", media)
		response.Body = []byte(variable.ReplaceAllStringFunc(own.Templates[media], func(name string) string {
			return x.mapped(strings.Trim(strings.TrimPrefix(name, "$"), "{}"), refusal)
		}))
	}
}

// setAlone sets a header in the template's spelling, in place of one in any other.
func setAlone(h http.Header, name, value string) {
	maps.DeleteFunc(h, func(other string, _ []string) bool { return strings.EqualFold(other, name) })
	h[name] = []string{value}
}

// variable is what API Gateway replaces in these templates: names, and no other word of its template language.
var variable = regexp.MustCompile(`\$` + variableName + `|\$\{` + variableName + `\}`)

const variableName = `(?:context|stageVariables|method\.request)(?:\.[A-Za-z0-9_-]+)+`

// chooseTemplate takes the template of the first media type that the caller accepts, else that of JSON, else any.
func chooseTemplate(templates map[string]string, accept string) string {
	for _, wanted := range strings.Split(accept, ",") {
		wanted, _, _ = strings.Cut(wanted, ";")
		if _, ok := templates[strings.TrimSpace(wanted)]; ok {
			return strings.TrimSpace(wanted)
		}
	}
	if _, ok := templates[defaultMediaType]; ok || len(templates) == 0 {
		if !ok {
			return ""
		}
		return defaultMediaType
	}
	return slices.Min(slices.Collect(maps.Keys(templates)))
}

// mapped is the value of an expression; empty where there is none.
func (x *exchange) mapped(expression string, refusal *Refusal) string {
	if text, ok := strings.CutPrefix(expression, "'"); ok {
		return strings.TrimSuffix(text, "'")
	}
	if name, ok := strings.CutPrefix(expression, "stageVariables."); ok {
		return x.target.api.StageVariables[name]
	}
	if place, ok := strings.CutPrefix(expression, "method.request."); ok {
		in, name, _ := strings.Cut(place, ".")
		if in == "header" {
			return x.r.Header.Get(name)
		}
		return x.parameter(Parameter{In: in, Name: name})
	}
	name := strings.TrimPrefix(expression, "context.")
	if value, ok := x.ofError(name, refusal); ok {
		return value
	}
	return x.ofContext(name)
}

func (x *exchange) ofError(name string, refusal *Refusal) (string, bool) {
	switch name {
	case "error.message":
		return refusal.Message, true
	case "error.messageString":
		return quote(refusal.Message), true
	case "error.responseType":
		return refusal.Kind, true
	case "error.validationErrorString":
		return x.invalid, true
	}
	return "", false
}

// ofContext has the variables of $context that a refusal has.
func (x *exchange) ofContext(name string) string {
	api := x.target.api
	switch name {
	case "accountId":
		return x.g.accountID
	case "apiId":
		return api.ID
	case "stage":
		return api.Stage
	case "httpMethod":
		return x.method
	case "path":
		return "/" + api.Stage + x.asCame
	case "protocol":
		return x.r.Proto
	case "requestId":
		return x.ids.request
	case "extendedRequestId":
		return x.ids.extended
	case "requestTime":
		return x.now.UTC().Format("02/Jan/2006:15:04:05 -0700")
	case "domainName":
		return x.r.Host
	case "resourcePath":
		if x.route != nil {
			return x.route.Path
		}
	case "identity.sourceIp":
		return sourceIP(x.r)
	case "identity.userAgent":
		return x.r.UserAgent()
	case "identity.userArn":
		if x.identity != nil {
			return x.identity.Principal.ARN
		}
	}
	return ""
}
