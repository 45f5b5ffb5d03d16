package stack

import "strings"

// readRestAPI reads an API in CloudFormation's own words, from its Body or from Resource and Method resources.
// It yields one API for each of its stages.
func (b *builder) readRestAPI(res *resource) []*API {
	c := b.cursor(res)
	d := newDefinition()
	if at := c.at("CloneFrom"); at.exists() {
		at.fail("the API is a copy of another one, whose methods are not known here, so calls would pass that AWS sends to them: write the " +
			"methods out, or give the API a Condition that is false for the local run")
		return nil
	}
	if at := c.at("BodyS3Location"); at.exists() {
		at.warn("the API is not served here: its definition is not on this machine")
		return nil
	}
	if body := c.at("Body"); body.exists() {
		d = b.readOpenAPI(body)
	}
	d.settle(false)
	id := b.id(res)
	b.readModels(id, d)
	b.addMethods(id, d)
	policy := b.onePolicy(c.at("Policy"), d)
	var out []*API
	for _, stage := range b.stagesOf(id) {
		api := &API{
			LogicalID: res.id, ID: id, Name: firstOf(c.at("Name").text(), d.title), ResourcePolicy: policy, Position: res.pos,
			APIKeySource: readKeySource(c.at("ApiKeySourceType")), BinaryMediaTypes: readBinaryTypes(c.at("BinaryMediaTypes"), d),
		}
		api.MinimumCompressionSize = readCompression(c.at("MinimumCompressionSize"))
		b.readEndpointType(api, c.at("EndpointConfiguration"))
		checkImport(c.at("Parameters"), api)
		b.readStage(api, stage)
		b.fillStageVariables(d, api)
		d.endpointType = api.EndpointType
		api.Routes = b.routes(d, c)
		api.Schemas = b.schemas(&d.models)
		b.readGatewayResponses(api, d, c)
		b.readMethodSettings(api, stage.settings)
		b.checkAPI(api, c)
		out = append(out, api)
	}
	if len(out) == 0 {
		c.warn("the API has no stage (AWS::ApiGateway::Stage, or StageName of its deployment): it is not served")
	}
	return out
}

// checkImport refuses parameters of the import that change the API's paths or its kind.
func checkImport(c cursor, api *API) {
	for _, e := range c.entries() {
		switch {
		case e.key == "ignore", e.text() == "ignore":
		case e.key == "endpointConfigurationTypes" && e.text() == api.EndpointType:
		default:
			e.fail("this parameter of the import is not followed here, and may change the API's paths or its kind: write it into the definition")
		}
	}
}

// nativeStage is a stage, from a resource of its own or from a deployment.
type nativeStage struct {
	name, variables, settings cursor
	// own is the StageDescription of a deployment, which holds the settings of every method beside MethodSettings.
	own cursor
}

func (b *builder) stagesOf(api string) []nativeStage {
	var out []nativeStage
	for _, res := range b.ofType("AWS::ApiGateway::Stage") {
		if c := b.cursor(res); c.at("RestApiId").text() == api {
			out = append(out, nativeStage{name: c.at("StageName"), variables: c.at("Variables"), settings: c.at("MethodSettings")})
		}
	}
	for _, res := range b.ofType("AWS::ApiGateway::Deployment") {
		c := b.cursor(res)
		if name := c.at("StageName"); name.exists() && c.at("RestApiId").text() == api {
			own := c.at("StageDescription")
			out = append(out, nativeStage{name: name, variables: own.at("Variables"), settings: own.at("MethodSettings"), own: own})
			b.warnStageDescription(own)
		}
	}
	return out
}

func (b *builder) readStage(api *API, stage nativeStage) {
	api.Stage = b.readStageName(stage.name)
	api.StageVariables = readVariables(stage.variables)
	api.Throttle = readThrottle(stage.own.at("ThrottlingRateLimit"), stage.own.at("ThrottlingBurstLimit"))
}

// warnStageDescription names what of a deployment's own stage is not honoured.
func (b *builder) warnStageDescription(c cursor) {
	for _, name := range []string{"CacheClusterEnabled", "CachingEnabled"} {
		if at := c.at(name); at.flag() {
			at.warn(notCached)
		}
	}
	if at := c.at("CanarySetting"); at.exists() {
		at.warn(noCanary)
	}
}

// addMethods adds the Method resources of an API to its definition.
func (b *builder) addMethods(api string, d *definition) {
	paths := b.resourcePaths(api)
	for _, res := range b.ofType("AWS::ApiGateway::Method") {
		c := b.cursor(res)
		if c.at("RestApiId").text() != api {
			continue
		}
		path, ok := paths[c.at("ResourceId").text()]
		if !ok {
			c.at("ResourceId").fail("this is not a resource of the API")
			continue
		}
		op := &operation{path: path, method: strings.ToUpper(c.at("HttpMethod").text()), c: c}
		op.authType = c.at("AuthorizationType").textOr("NONE")
		if at := c.at("AuthorizationType"); op.authType != "NONE" && op.authType != schemeIAM {
			at.fail("an authorizer of the type %s is not supported here, and the method would be open without it: use AWS_IAM", op.authType)
			continue
		}
		if c.at("ApiKeyRequired").flag() {
			d.addKeyScheme()
			op.require(schemeKey)
		}
		b.nativeValidation(api, c, op, d)
		b.readNativeIntegration(c.at("Integration"), op)
		item := d.path(path)
		item.ops = append(item.ops, op)
	}
}

// resourcePaths gives the path of each resource of an API by its id, the root's being the API's own.
func (b *builder) resourcePaths(api string) map[string]string {
	type node struct {
		parent, part string
		c            cursor
	}
	nodes := map[string]node{}
	var order []string
	for _, res := range b.ofType("AWS::ApiGateway::Resource") {
		if c := b.cursor(res); c.at("RestApiId").text() == api {
			id, part := b.id(res), c.at("PathPart")
			n := node{c.at("ParentId").text(), part.text(), c}
			if !segment.MatchString(n.part) {
				part.fail("API Gateway refuses the part %q: it is letters, digits and . _ - : , $ alone, or one {parameter} alone", n.part)
				n.part = res.id // a part that is right, so that the methods below do not repeat it
			}
			nodes[id] = n
			order = append(order, id)
		}
	}
	paths := map[string]string{api: "/"}
	for _, id := range order {
		path, at := "", id
		for steps := 0; at != api; steps++ {
			n, ok := nodes[at]
			if !ok || steps > len(nodes) {
				nodes[id].c.at("ParentId").fail("the parents of this resource do not lead to the root of the API")
				break
			}
			path, at = "/"+n.part+path, n.parent
		}
		if at == api {
			paths[id] = path
		}
	}
	return paths
}

func (b *builder) readNativeIntegration(c cursor, op *operation) {
	if !c.exists() {
		return
	}
	op.integration = strings.ToLower(c.at("Type").text())
	op.timeout, op.timeoutAt = c.at("TimeoutInMillis").integerOr(0), c.at("TimeoutInMillis")
	op.credentials = invokedBy(c.at("Credentials").text())
	warnStreamed(c.at("ResponseTransferMode"))
	switch op.integration {
	case "aws_proxy":
		op.uri = c.at("Uri").text()
	case "mock":
		if responses := c.at("IntegrationResponses").items(); len(responses) == 1 {
			op.mock = readMockResponse(responses[0], [3]string{"StatusCode", "ResponseParameters", "ResponseTemplates"})
		}
	case "":
		c.fail("the integration has no Type")
	}
}
