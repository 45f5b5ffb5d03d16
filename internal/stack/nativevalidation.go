package stack

// Models that every API has (API Gateway developer guide, Data models for REST APIs).
var builtInModels = map[string]string{
	"Empty": `{"$schema":"http://json-schema.org/draft-04/schema#","title":"Empty Schema","type":"object"}`,
	"Error": `{"$schema":"http://json-schema.org/draft-04/schema#","title":"Error Schema","type":"object","properties":{"message":{"type":"string"}}}`,
}

func modelURL(api, name string) string {
	return "https://apigateway.amazonaws.com/restapis/" + api + "/models/" + name
}

// readModels reads the models and validators that are resources of their own.
func (b *builder) readModels(api string, d *definition) {
	for _, res := range b.ofType("AWS::ApiGateway::Model") {
		if c := b.cursor(res); c.at("RestApiId").text() == api {
			d.models.named[modelURL(api, b.name(res))] = c.at("Schema")
		}
	}
	for _, res := range b.ofType("AWS::ApiGateway::RequestValidator") {
		if c := b.cursor(res); c.at("RestApiId").text() == api {
			d.validators[b.id(res)] = validator{c.at("ValidateRequestBody").flag(), c.at("ValidateRequestParameters").flag()}
		}
	}
}

// nativeValidation reads the validator of an AWS::ApiGateway::Method.
func (b *builder) nativeValidation(api string, c cursor, op *operation, d *definition) {
	at := c.at("RequestValidatorId")
	if !at.exists() {
		return
	}
	v, ok := d.validators[at.text()]
	if !ok {
		at.fail("this is not an AWS::ApiGateway::RequestValidator of the template and the API: what it refuses is not known here")
		return
	}
	if v.parameters {
		for _, e := range c.at("RequestParameters").entries() {
			if e.flag() {
				op.requireNamed(e)
			}
		}
	}
	if !v.body {
		return
	}
	for _, e := range c.at("RequestModels").entries() {
		url := modelURL(api, e.text())
		if _, known := d.models.named[url]; !known {
			text, builtIn := builtInModels[e.text()]
			if !builtIn {
				e.fail("%q is not an AWS::ApiGateway::Model of the template and the API", e.text())
				continue
			}
			d.models.named[url] = c.to(textValue(text, e.pos), "")
		}
		op.checkModel(e.key, url)
		d.models.used = true
	}
}
