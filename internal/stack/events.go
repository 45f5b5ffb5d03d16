package stack

import "strings"

// apiEvent is an event of type Api: one method of one path of an API.
type apiEvent struct {
	function *resource
	name     string
	c        cursor // at the event's Properties
	path     string
	method   string // GET, …, or ANY
	// ghost events belong to functions whose condition is false. SAM lists their methods in resource policies all the
	// same; nothing else of them may be read, as it may name what does not exist.
	ghost bool
}

// methods are those API Gateway has (API reference, PutMethod).
var methods = []string{"ANY", "DELETE", "GET", "HEAD", "OPTIONS", "PATCH", "POST", "PUT"}

// eventKeys are what an Api event may hold (SAM developer guide, Api).
var eventKeys = []string{
	"Auth", "Method", "Path", "RequestModel", "RequestParameters", "ResponseTransferMode", "RestApiId", "Stage", "TimeoutInMillis",
}

// collectEvents sorts a function's Api events by their API.
func (b *builder) collectEvents(res *resource, created bool) {
	for _, e := range b.cursor(res).at("Events").entries() {
		switch typ := e.at("Type"); typ.text() {
		case "Api":
			b.collectEvent(res, e, !created)
		case "":
			typ.fail("the event has no Type")
		case "HttpApi":
			if created {
				e.warn("HTTP APIs are not served here, REST APIs are")
			}
		default:
			if created && res.typ == "AWS::Serverless::Function" {
				e.warn("events of type %s do not happen here: invoke the function by hand", typ.text())
			}
		}
	}
}

func (b *builder) collectEvent(res *resource, e entry, ghost bool) {
	c := e.at("Properties")
	if !ghost {
		checkKeys(c, eventKeys)
	}
	event := &apiEvent{function: res, name: e.key, c: c, ghost: ghost, path: c.at("Path").text()}
	event.method = strings.ToUpper(c.at("Method").text())
	if event.path == "" || event.method == "" {
		c.fail("an Api event has a Path and a Method")
		return
	}
	api := implicitAPI
	if given := c.v.get("RestApiId"); given != nil {
		// SAM takes the logical id, plain or in a Ref, and nothing else: it has to find the API in the template.
		name, arg, ok := given.intrinsic()
		switch {
		case ok && name == "Ref" && arg.kind == kindText:
			api = arg.text
		case given.kind == kindText:
			api = given.text
		default:
			b.fail(given.pos, c.resource, c.property+".RestApiId", "this is a reference to an AWS::Serverless::Api of the template, and nothing else")
			return
		}
	}
	if p := b.t.params[api]; p != nil {
		api = p.text
	}
	if target := b.t.resources[api]; api != implicitAPI && (target == nil || target.typ != "AWS::Serverless::Api") {
		b.fail(c.v.get("RestApiId").pos, c.resource, c.property+".RestApiId", "%q is not an AWS::Serverless::Api of the template", api)
		return
	}
	b.events[api] = append(b.events[api], event)
}
