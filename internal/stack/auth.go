package stack

import (
	"slices"
	"strings"
)

// apiAuth is the Auth property of an AWS::Serverless::Api (SAM developer guide, ApiAuth).
type apiAuth struct {
	c           cursor
	authorizer  string
	authorizers []string
	keyRequired bool
}

// authKeys are what ApiAuth and ApiFunctionAuth may hold. SAM refuses another key of the first and overlooks one of
// the second: a misspelt authorizer then leaves the method open, so it is refused here.
var (
	authKeys = []string{
		"AddApiKeyRequiredToCorsPreflight", "AddDefaultAuthorizerToCorsPreflight", "ApiKeyRequired", "Authorizers",
		"DefaultAuthorizer", "InvokeRole", "ResourcePolicy", "UsagePlan",
	}
	eventAuthKeys = []string{"ApiKeyRequired", "AuthorizationScopes", "Authorizer", "InvokeRole", "OverrideApiAuth", "ResourcePolicy"}
)

// checkKeys looks at keys alone: their values may name what only their reader understands.
func checkKeys(c cursor, allowed []string) {
	for _, f := range fieldsOf(c.v) {
		if !slices.Contains(allowed, f.key) {
			c.b.fail(f.pos, c.resource, c.property+"."+f.key, "there is no such property: %s", strings.Join(allowed, ", "))
		}
	}
}

// readAuth reads the API's Auth. A default authorizer that nobody defines would leave every method open on AWS: SAM
// drops it without a word when there are no Authorizers.
func (b *builder) readAuth(c cursor, d *definition) apiAuth {
	a := apiAuth{c: c, authorizer: c.at("DefaultAuthorizer").text(), keyRequired: truthy(c.at("ApiKeyRequired"))}
	checkKeys(c, authKeys)
	for _, e := range c.at("Authorizers").entries() {
		a.authorizers = append(a.authorizers, e.key)
		if e.key == schemeIAM || e.key == markNone {
			e.fail("%s has its own meaning in SAM: give the authorizer another name", e.key)
			continue
		}
		what := "a Lambda authorizer"
		if e.at("UserPoolArn").exists() {
			what = "a Cognito authorizer"
		}
		d.schemes[e.key] = scheme{other: what}
	}
	if a.authorizer == "" || a.authorizer == schemeIAM || slices.Contains(a.authorizers, a.authorizer) {
		return a
	}
	if a.authorizer == markNone && len(a.authorizers) == 0 {
		return a
	}
	c.at("DefaultAuthorizer").fail("%q is neither AWS_IAM nor one of Authorizers: on AWS every method would be open to everybody; "+
		"write AWS_IAM", a.authorizer)
	return a
}

// truthy is how SAM reads ApiKeyRequired: any text is true, "false" included.
func truthy(c cursor) bool {
	if !c.exists() {
		return false
	}
	switch c.v.kind {
	case kindText:
		if strings.EqualFold(c.v.text, "false") {
			c.warn("SAM takes any text for true, this one, too: write false without quotes, and not as a parameter of type String")
		}
		return c.v.text != ""
	case kindNumber:
		return c.v.text != "0"
	}
	return c.flag()
}

// applyAuth gives every method with an integration the API's defaults, as SAM does after the events'.
func (b *builder) applyAuth(a apiAuth, d *definition) {
	if a.authorizer == schemeIAM {
		d.schemes[schemeIAM] = scheme{iam: true}
	}
	known := append([]string{schemeIAM}, a.authorizers...)
	preflight := !a.c.at("AddDefaultAuthorizerToCorsPreflight").exists() || truthy(a.c.at("AddDefaultAuthorizerToCorsPreflight"))
	keyPreflight := !a.c.at("AddApiKeyRequiredToCorsPreflight").exists() || truthy(a.c.at("AddApiKeyRequiredToCorsPreflight"))
	applies := a.authorizer == schemeIAM || slices.Contains(a.authorizers, a.authorizer)
	d.each(func(op *operation) {
		if op.integration == "" {
			return
		}
		if applies && (preflight || op.method != "OPTIONS") {
			op.defaultAuthorizer(a.authorizer, known)
			if op.hasSecurity && len(op.security) > 0 && op.security[0].has(schemeIAM) {
				d.schemes[schemeIAM] = scheme{iam: true}
			}
		}
		if a.keyRequired {
			op.defaultKey(op.method != "OPTIONS" || keyPreflight)
		}
	})
	if a.keyRequired {
		d.addKeyScheme()
	}
}

func (d *definition) addKeyScheme() {
	if _, ok := d.schemes[schemeKey]; !ok {
		d.schemes[schemeKey] = scheme{key: true}
	}
}

// defaultAuthorizer follows SAM: a NONE takes itself and any authorizer out, an authorizer of the method's own stays,
// and only without either comes the default.
func (op *operation) defaultAuthorizer(name string, known []string) {
	var others, authorizers []requirement
	for _, r := range op.security {
		if slices.ContainsFunc(known, r.has) {
			authorizers = append(authorizers, r)
		} else {
			others = append(others, r)
		}
	}
	none := slices.IndexFunc(others, func(r requirement) bool { return r.has(markNone) })
	switch {
	case none >= 0:
		others, authorizers = slices.Delete(others, none, none+1), nil
	case len(authorizers) == 0:
		authorizers = []requirement{{name}}
	}
	if security := append(others, authorizers...); len(security) > 0 {
		op.security, op.hasSecurity = security, true
	}
}

// defaultKey makes the method ask for a key, unless the method itself says that it does not.
func (op *operation) defaultKey(required bool) {
	var others, keys []requirement
	for _, r := range op.security {
		if r.has(schemeKey) || r.has(markNoKey) {
			keys = append(keys, r)
		} else {
			others = append(others, r)
		}
	}
	no := slices.IndexFunc(keys, func(r requirement) bool { return r.has(markNoKey) })
	op.security, op.hasSecurity = others, true
	if no < 0 && required {
		op.security = append(op.security, requirement{schemeKey})
	}
}

// eventAuth puts an event's Auth on its method (SAM developer guide, ApiFunctionAuth).
func (b *builder) eventAuth(e *apiEvent, a apiAuth, d *definition, ops []*operation) {
	c := e.c.at("Auth")
	checkKeys(c, eventAuthKeys)
	name := c.at("Authorizer")
	switch authorizer := name.text(); {
	case authorizer == "" || authorizer == schemeIAM || slices.Contains(a.authorizers, authorizer):
	case authorizer == markNone && a.authorizer == "":
		name.fail("NONE takes back the API's DefaultAuthorizer, and the API has none: SAM refuses it; leave it out")
		return
	case authorizer != markNone:
		name.fail("%q is neither AWS_IAM, NONE nor one of the API's Authorizers", authorizer)
		return
	}
	key := c.at("ApiKeyRequired")
	if key.exists() && !truthy(key) && !a.keyRequired {
		key.fail("false takes back the API's ApiKeyRequired, and the API does not set it: SAM refuses it; leave it out")
		return
	}
	for _, op := range ops {
		if name.exists() && op.integration != "" {
			op.require(name.text())
			if op.security[0].has(schemeIAM) {
				d.schemes[schemeIAM] = scheme{iam: true}
			}
		}
		if key.exists() && op.integration != "" {
			if truthy(key) {
				op.require(schemeKey)
				d.addKeyScheme()
			} else {
				op.require(markNoKey)
			}
		}
	}
}

func (op *operation) require(name string) {
	op.security, op.hasSecurity = append(op.security, requirement{name}), true
}

// invokeRole is whose credentials invoke the function of an event. SAM sets any only where AWS_IAM comes from the event
// itself, or from the API while the event's Auth is empty; then the default is the caller.
func (b *builder) invokeRole(e *apiEvent, a apiAuth) string {
	auth := e.c.at("Auth")
	byDefault := a.authorizer == schemeIAM && (auth.v == nil || len(auth.v.fields) == 0)
	if auth.at("Authorizer").text() != schemeIAM && !byDefault {
		return "NONE"
	}
	for _, c := range []cursor{auth, a.c} {
		if role := c.at("InvokeRole"); role.text() != "" {
			return role.text()
		}
		if c.v.get("InvokeRole") != nil {
			return "NONE" // written, and null
		}
	}
	return "CALLER_CREDENTIALS"
}

// authorize reads what the schemes of an operation come to, and refuses any that is not known: API Gateway drops it,
// and the method is open.
func (b *builder) authorize(d *definition, op *operation, r *Route) bool {
	r.Authorization = "NONE"
	if !op.hasSecurity && d.rootSecurity.exists() && op.integration != "mock" {
		d.rootSecurity.fail("security of the whole document is not known to reach the methods in API Gateway: write it at %s %s", op.method, op.path)
		return false
	}
	switch strings.ToUpper(op.authType) {
	case "":
	case "AWS_IAM":
		r.Authorization = schemeIAM
	case "NONE":
	default:
		op.c.fail("x-amazon-apigateway-auth has the type %q: AWS_IAM or NONE", op.authType)
		return false
	}
	for _, required := range op.security {
		for _, name := range required {
			if name == markNone || name == markNoKey {
				continue
			}
			s, ok := d.schemes[name]
			switch {
			case !ok && d.replaced[name]:
				op.c.fail("%s %s asks for %q, and SAM replaces components.securitySchemes by what Auth needs, so on AWS the method would be "+
					"open to everybody: move the scheme to securityDefinitions, which SAM keeps", op.method, op.path, name)
				return false
			case !ok:
				op.c.fail("%s %s asks for %q, which is not a security scheme of the API: on AWS the method would be open to everybody", op.method, op.path, name)
				return false
			case s.iam:
				r.Authorization = schemeIAM
			case s.key:
				r.APIKeyRequired = true
			default:
				op.c.fail("%s %s is guarded by %q, %s, which is not supported here, and the method would be open without it: use AWS_IAM",
					op.method, op.path, name, s.other)
				return false
			}
		}
	}
	return true
}
