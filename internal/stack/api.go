package stack

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The throttle of an account in one region, which holds where a setting gives only one half
// (API Gateway developer guide, Quotas).
const (
	accountRate  = 10000
	accountBurst = 5000
)

func (b *builder) readAPIs() {
	for _, res := range b.ofType("AWS::Serverless::Api") {
		if api := b.readServerlessAPI(res); api != nil {
			b.stack.APIs = append(b.stack.APIs, api)
		}
	}
	for _, res := range b.ofType("AWS::ApiGateway::RestApi") {
		b.stack.APIs = append(b.stack.APIs, b.readRestAPI(res)...)
	}
}

// stageName is what API Gateway takes for one.
var stageName = regexp.MustCompile(`^[A-Za-z0-9_-]{1,128}$`)

// readServerlessAPI follows the order of SAM: the document, then the events, Cors, and the defaults of Auth.
// Nil means that the API cannot be read here, which has a warning.
func (b *builder) readServerlessAPI(res *resource) *API {
	c := b.cursor(res)
	d := b.define(res, c)
	if d == nil {
		return nil
	}
	api := &API{
		LogicalID: res.id, ID: b.id(res), Stage: b.readStageName(c.at("StageName")), Position: res.pos,
		StageVariables: readVariables(c.at("Variables")), APIKeySource: readKeySource(c.at("ApiKeySourceType")),
	}
	api.Name = firstOf(c.at("Name").text(), d.title, b.n.stack)
	b.readEndpointType(api, c.at("EndpointConfiguration"))
	auth := b.readAuth(c.at("Auth"), d)
	d.addModels(c.at("Models"))
	b.addEvents(res, auth, d)
	b.addCors(c.at("Cors"), d)
	b.applyAuth(auth, d)
	d.settle(true)
	d.addResourcePolicy(auth.c.at("ResourcePolicy"), d.paths, api.Stage)
	api.ResourcePolicy = b.onePolicy(c.at("Policy"), d)
	api.BinaryMediaTypes = readBinaryTypes(c.at("BinaryMediaTypes"), d)
	api.MinimumCompressionSize = readCompression(c.at("MinimumCompressionSize"))
	b.fillStageVariables(d, api)
	d.endpointType = api.EndpointType
	api.Routes = b.routes(d, c)
	api.Schemas = b.schemas(&d.models)
	b.readGatewayResponses(api, d, c)
	b.readMethodSettings(api, c.at("MethodSettings"))
	b.checkAPI(api, c)
	if !c.at("OpenApiVersion").exists() {
		c.at("OpenApiVersion").warn(`without it SAM deploys a second stage with the name "Stage", which is not served here: set OpenApiVersion to 3.0.1`)
	}
	return api
}

func firstOf(texts ...string) string {
	for _, text := range texts {
		if text != "" {
			return text
		}
	}
	return ""
}

// define reads the API's document, or starts one for the events.
func (b *builder) define(res *resource, c cursor) *definition {
	body, uri := c.at("DefinitionBody"), c.at("DefinitionUri")
	switch {
	case body.exists() && uri.exists():
		uri.fail("DefinitionBody and DefinitionUri exclude each other")
		return nil
	case body.exists():
		if raw := res.props.get("DefinitionBody"); raw.get("Fn::Transform") != nil && (c.at("Auth").exists() || c.at("Cors").exists()) {
			body.fail("SAM cannot put Auth or Cors into a document that it does not see: write both in the included file, or the document here")
			return nil
		}
		return b.readOpenAPI(body)
	case uri.exists():
		return b.readDefinitionURI(res, uri)
	}
	d := newDefinition()
	d.managed = true
	return d
}

// readDefinitionURI reads a local document. CloudFormation resolves no intrinsics in one that lies in S3.
func (b *builder) readDefinitionURI(res *resource, c cursor) *definition {
	if !c.isText() || strings.Contains(c.v.text, "://") {
		c.warn("the API is not served here: its definition is not on this machine")
		return nil
	}
	if b.cursor(res).at("Auth").exists() {
		b.cursor(res).at("Auth").fail("SAM takes Auth only with DefinitionBody or events, not with DefinitionUri")
		return nil
	}
	v, err := b.r.file(c.v.text, c.pos)
	if err != nil {
		c.failWith(err)
		return nil
	}
	if where := findIntrinsic(v); where != nil {
		c.b.fail(where.pos, res.id, c.property, "CloudFormation resolves no intrinsics in a DefinitionUri: use DefinitionBody with AWS::Include")
		return nil
	}
	return b.readOpenAPI(c.to(v, ""))
}

func findIntrinsic(v *value) *value {
	if name, _, ok := v.intrinsic(); ok && name != "Ref" {
		return v
	}
	for _, item := range v.items {
		if found := findIntrinsic(item); found != nil {
			return found
		}
	}
	for _, f := range v.fields {
		if found := findIntrinsic(f.value); found != nil {
			return found
		}
	}
	return nil
}

func (b *builder) readStageName(c cursor) string {
	name := c.text()
	if !stageName.MatchString(name) {
		c.fail("the stage's name is %q: it has 1 to 128 letters, digits, hyphens and underscores", name)
	}
	return name
}

// readBinaryTypes prefers the property over the document. Slashes may stand as ~1.
func readBinaryTypes(c cursor, d *definition) []string {
	if !c.exists() {
		return d.binary
	}
	var out []string
	for _, t := range c.texts() {
		out = append(out, strings.ReplaceAll(t, "~1", "/"))
	}
	return out
}

// mostUncompressed is the largest size that API Gateway takes for MinimumCompressionSize (API reference, RestApi).
const mostUncompressed = 10 << 20

func readCompression(c cursor) *int {
	size, ok := c.integer()
	if !ok {
		return nil
	}
	if size < 0 || size > mostUncompressed {
		c.fail("the least size of what is compressed is 0 to %d bytes", mostUncompressed)
	}
	return &size
}

func readVariables(c cursor) map[string]string {
	out := map[string]string{}
	for _, e := range c.entries() {
		out[e.key] = e.text()
	}
	return out
}

func readKeySource(c cursor) string {
	source := c.textOr("HEADER")
	if source != "HEADER" {
		c.fail("API keys from an authorizer are not supported here: HEADER is")
	}
	return source
}

// readEndpointType reads {Type, VPCEndpointIds} or the type alone. A mistyped one would make the API public.
func (b *builder) readEndpointType(api *API, c cursor) {
	api.EndpointType = "EDGE"
	if b.n.partition != "aws" {
		api.EndpointType = "REGIONAL" // the other partitions have no CloudFront
	}
	if !c.exists() {
		return
	}
	at := c
	if c.isMap() {
		checkKeys(c, []string{"IpAddressType", "Type", "Types", "VPCEndpointIds", "VpcEndpointIds"})
		at = c.at("Type")
		if types := c.at("Types"); types.exists() {
			if at = types; len(types.oneOrMore()) > 0 {
				at = types.oneOrMore()[0]
			}
		}
		for _, spelling := range []string{"VPCEndpointIds", "VpcEndpointIds"} {
			api.VPCEndpointIDs = append(api.VPCEndpointIDs, c.at(spelling).texts()...)
		}
	}
	api.EndpointType = at.text()
	if !slices.Contains([]string{"PRIVATE", "REGIONAL", "EDGE"}, api.EndpointType) {
		at.fail("%q is not a type of endpoint: PRIVATE, REGIONAL or EDGE", api.EndpointType)
	}
	if api.EndpointType != "PRIVATE" && len(api.VPCEndpointIDs) > 0 {
		c.fail("only private APIs are associated with VPC endpoints, this one is %s", api.EndpointType)
	}
}

// onePolicy takes the resource policy from the one place that has it.
func (b *builder) onePolicy(property cursor, d *definition) json.RawMessage {
	document := d.policy.document()
	if !property.exists() {
		return document
	}
	if document != nil {
		property.fail("the API has a second resource policy in its definition or in Auth: which of the two AWS keeps is not known; write one")
		return nil
	}
	return property.document()
}

// checkAPI refuses what AWS refuses to deploy.
func (b *builder) checkAPI(api *API, c cursor) {
	if api.EndpointType == "PRIVATE" && api.ResourcePolicy == nil {
		c.at("Auth").fail("the API is PRIVATE and has no resource policy: AWS refuses to deploy it; add Auth.ResourcePolicy")
	}
	if at := c.at("DisableExecuteApiEndpoint"); at.flag() {
		at.fail("custom domain names are not served here, and this API answers to nothing else")
	}
	checkAccessMode(c.at("EndpointAccessMode"))
	b.checkLimits(api, c)
}

func checkAccessMode(at cursor) {
	if at.text() == "STRICT" {
		at.fail("the access mode STRICT refuses calls whose TLS name is not their Host, which is not checked here: use BASIC")
	}
}

// fillStageVariables puts the stage's variables into integrations.
func (b *builder) fillStageVariables(d *definition, api *API) {
	var pairs []string
	for _, name := range sortedKeys(api.StageVariables) {
		pairs = append(pairs, "${stageVariables."+name+"}", api.StageVariables[name])
	}
	replacer := strings.NewReplacer(pairs...)
	d.each(func(op *operation) { op.uri = replacer.Replace(op.uri) })
}

// readMethodSettings reads throttles: of every method of the stage (/* and *), and of single methods in place of it.
func (b *builder) readMethodSettings(api *API, c cursor) {
	for _, at := range c.items() {
		path, method := settingPath(at.at("ResourcePath").text()), strings.ToUpper(at.at("HttpMethod").text())
		if at.at("CachingEnabled").flag() {
			at.at("CachingEnabled").warn(notCached)
		}
		t := readThrottle(at.at("ThrottlingRateLimit"), at.at("ThrottlingBurstLimit"))
		if t == nil {
			continue
		}
		if path == "/*" && method == "*" {
			api.Throttle = t
			continue
		}
		found := false
		for _, r := range api.Routes {
			if (path == "/*" || path == r.Path) && (method == "*" || method == r.Method) {
				r.Throttle, found = t, true
			}
		}
		if !found {
			at.fail("the API has no method %s %s, so this throttle would hold for nothing: AWS refuses it", method, path)
		}
	}
}

// settingPath decodes a resource path: slashes after the first stand as ~1, "/*" is every path.
func settingPath(path string) string {
	path = strings.ReplaceAll(path, "~1", "/")
	if strings.HasPrefix(path, "//") {
		return path[1:]
	}
	return path
}

func readThrottle(rate, burst cursor) *Throttle {
	r, hasRate := rate.float()
	n, hasBurst := burst.integer()
	if !hasRate && !hasBurst {
		return nil
	}
	t := &Throttle{RateLimit: accountRate, BurstLimit: accountBurst}
	if hasRate {
		t.RateLimit = r
	}
	if hasBurst {
		t.BurstLimit = n
	}
	if t.RateLimit < 0 || t.BurstLimit < 0 {
		rate.fail("a throttle is not negative: %s a second, %d at once", strconv.FormatFloat(t.RateLimit, 'f', -1, 64), t.BurstLimit)
	}
	return t
}
