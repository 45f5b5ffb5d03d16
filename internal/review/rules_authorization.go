package review

import (
	"slices"
	"strings"

	"github.com/marquee-api/marquee/internal/stack"
)

var authorizationRules = []*Rule{
	{
		ID: "MQ101", Name: "open-api", Severity: Error,
		Title: "The API's methods ask for no signature",
		Why:   "Without an authorizer a method answers whoever reaches it. No linter of the usual kind reports that.",
		Fix:   "Set Auth: {DefaultAuthorizer: AWS_IAM, InvokeRole: NONE} on the API, or AuthorizationType: AWS_IAM on an AWS::ApiGateway::Method.",
		check: func(s *subject, report reporter) {
			for api, r := range s.openRoutes() {
				if s.defaultAuthorizer(api) == "" && !r.APIKeyRequired {
					report(s.routePlace(api, r), api.LogicalID, "%s %s asks for no signature, and the API has no default", r.Method, r.Path)
				}
			}
		},
	},
	{
		ID: "MQ102", Name: "unknown-authorizer", Severity: Error,
		Title: "An authorizer is misspelt",
		Why:   "SAM drops an authorizer that it does not know without an error, and the API is deployed open.",
		Fix:   "Write AWS_IAM, or define the authorizer under Auth.Authorizers.",
		check: claimed("MQ102"),
	},
	{
		ID: "MQ103", Name: "open-method", Severity: Error,
		Title: "A method takes the API's authorizer back",
		Why:   "Authorizer: NONE on one event opens one method of an API that otherwise asks for signatures.",
		Fix:   "Remove the event's Auth.Authorizer. If the method has to be open, suppress this rule with the reason.",
		check: func(s *subject, report reporter) {
			for api, r := range s.openRoutes() {
				if s.defaultAuthorizer(api) != "" && !r.APIKeyRequired {
					report(s.routePlace(api, r), api.LogicalID, "%s %s asks for no signature, although the API's default is %s", r.Method, r.Path, s.defaultAuthorizer(api))
				}
			}
		},
	},
	{
		ID: "MQ104", Name: "key-alone", Severity: Error,
		Title: "An API key is the only authentication",
		Why:   "A key is a long-lived text that ends up in logs and clients. API Gateway uses it to meter callers and says itself that it does not authorize them.",
		Fix:   "Ask for AWS_IAM besides.",
		check: func(s *subject, report reporter) {
			for api, r := range s.openRoutes() {
				if r.APIKeyRequired {
					report(s.routePlace(api, r), api.LogicalID, "%s %s asks for an API key and for no signature", r.Method, r.Path)
				}
			}
		},
	},
	{
		ID: "MQ105", Name: "auth-ignored", Severity: Error,
		Title: "SAM does not apply this Auth",
		Why:   "Beside a definition that SAM does not see or does not change, it refuses Auth or overlooks it, and nothing guards the methods.",
		Fix:   "Write the security into the definition itself, or describe the methods by events.",
		check: claimed("MQ105"),
	},
	{
		ID: "MQ106", Name: "caller-credentials", Severity: Warning,
		Title: "The API invokes its function with the caller's credentials",
		Why:   "That is SAM's default for AWS_IAM. Every caller then needs lambda:InvokeFunction, and can go past the API, its throttle and its logs.",
		Fix:   "Set Auth.InvokeRole: NONE.",
		check: callerCredentials,
	},
	{
		ID: "MQ115", Name: "open-function-url", Severity: Error,
		Title: "A function URL asks for no signature",
		Why:   "It is a second way to the function, from the public internet, past the API and its policies.",
		Fix:   "Remove FunctionUrlConfig, or set its AuthType to AWS_IAM.",
		check: func(s *subject, report reporter) {
			for _, f := range s.Resources("AWS::Serverless::Function") {
				if at := f.Properties.At("FunctionUrlConfig", "AuthType"); at.Text() == "NONE" {
					report(at.Position, f.LogicalID, "everybody on the internet may invoke %s by its URL", f.LogicalID)
				}
			}
			for _, u := range s.Resources("AWS::Lambda::Url") {
				if at := u.Properties.At("AuthType"); at.Text() == "NONE" {
					report(at.Position, u.LogicalID, "everybody on the internet may invoke the function by this URL")
				}
			}
		},
	},
	{
		ID: "MQ116", Name: "preflight-needs-signature", Severity: Warning,
		Title: "CORS preflight requests have to be signed",
		Why:   "SAM puts the default authorizer on OPTIONS, too, and no browser signs a preflight: every cross-origin call fails.",
		Fix:   "Set Auth.AddDefaultAuthorizerToCorsPreflight: false.",
		check: func(s *subject, report reporter) {
			for _, api := range s.Resources("AWS::Serverless::Api") {
				auth := api.Properties.At("Auth")
				cors := api.Properties.At("Cors")
				if cors.Exists() && auth.At("DefaultAuthorizer").Exists() && auth.At("AddDefaultAuthorizerToCorsPreflight").Text() != "false" {
					report(cors.Position, api.LogicalID, "OPTIONS asks for %s, which no browser sends", auth.At("DefaultAuthorizer").Text())
				}
			}
		},
	},
	{
		ID: "MQ117", Name: "function-open-to-all", Severity: Error,
		Title: "Everybody may invoke a function",
		Why:   "A permission for the principal * lets every account invoke the function, past the API.",
		Fix:   "Name the service or account that invokes it.",
		check: func(s *subject, report reporter) {
			for _, p := range s.Resources("AWS::Lambda::Permission") {
				if at := p.Properties.At("Principal"); at.Text() == "*" {
					report(at.Position, p.LogicalID, "the permission is for everybody")
				}
			}
		},
	},
	{
		ID: "MQ118", Name: "permission-for-any-api", Severity: Warning,
		Title: "Any API of any account may invoke a function",
		Why:   "A permission for a service without SourceArn trusts everybody who uses that service (the confused deputy).",
		Fix:   "Set SourceArn to the API's ARN, or SourceAccount.",
		check: func(s *subject, report reporter) {
			for _, p := range s.Resources("AWS::Lambda::Permission") {
				service := strings.HasSuffix(p.Properties.At("Principal").Text(), ".amazonaws.com")
				if service && !p.Properties.At("SourceArn").Exists() && !p.Properties.At("SourceAccount").Exists() {
					report(p.Position, p.LogicalID, "%s may invoke the function for anybody: SourceArn is missing", p.Properties.At("Principal").Text())
				}
			}
		},
	},
	{
		ID: "MQ119", Name: "unknown-endpoint-type", Severity: Error,
		Title: "The API's endpoint type is misspelt",
		Why:   "A type other than PRIVATE, however near, is not private.",
		Fix:   "Write EndpointConfiguration: {Type: PRIVATE}.",
		check: claimed("MQ119"),
	},
	{
		ID: "MQ113", Name: "public-api", Severity: Note,
		Title: "The API is reached from the public internet",
		Why:   "EDGE is the default. AWS_IAM still asks for signatures, but every policy mistake is then a mistake in public.",
		Fix:   "Set EndpointConfiguration: {Type: PRIVATE} if its callers are in a VPC.",
		check: func(s *subject, report reporter) {
			for _, api := range s.typed() {
				if api.EndpointType != "PRIVATE" {
					report(api.Position, api.LogicalID, "the endpoint's type is %s", api.EndpointType)
				}
			}
		},
	},
}

// openRoutes yields the routes without a signature, but for preflight requests, which nobody can sign.
func (s *subject) openRoutes() func(yield func(*stack.API, *stack.Route) bool) {
	return func(yield func(*stack.API, *stack.Route) bool) {
		for _, api := range s.typed() {
			for _, r := range api.Routes {
				preflight := r.Method == "OPTIONS" && r.Mock != nil
				if r.Authorization == "NONE" && !preflight && !yield(api, r) {
					return
				}
			}
		}
	}
}

func (s *subject) defaultAuthorizer(api *stack.API) string {
	r := s.Resource(api.LogicalID)
	if r == nil {
		return ""
	}
	return r.Properties.At("Auth", "DefaultAuthorizer").Text()
}

// callerCredentials reports an API once for all methods that have the default from it.
func callerCredentials(s *subject, report reporter) {
	for _, api := range s.typed() {
		routes := slices.DeleteFunc(slices.Clone(api.Routes), func(r *stack.Route) bool {
			return r.InvokeRole != "CALLER_CREDENTIALS" || r.Authorization != "AWS_IAM"
		})
		if len(routes) == 0 {
			continue
		}
		r := s.Resource(api.LogicalID)
		if r == nil || s.defaultAuthorizer(api) == "" || r.Properties.At("Auth", "InvokeRole").Text() == "NONE" {
			for _, route := range routes {
				report(s.routePlace(api, route), api.LogicalID, "%s %s invokes its function with the caller's credentials", route.Method, route.Path)
			}
			continue
		}
		at := r.Properties.At("Auth", "InvokeRole") // where Auth stands, if it is not written
		report(at.Position, api.LogicalID, "%d of %d methods invoke their function with the caller's credentials", len(routes), len(api.Routes))
	}
}

// routePlace is the event that a route comes from, or its Auth if it has one; else where the definition has the route.
func (s *subject) routePlace(api *stack.API, r *stack.Route) stack.Position {
	for _, f := range s.Resources("AWS::Serverless::Function") {
		for _, e := range f.Properties.At("Events").Entries() {
			p := e.At("Properties")
			here := p.At("RestApiId").Mentions(api.LogicalID) || p.At("RestApiId").Text() == api.LogicalID || !p.At("RestApiId").Exists()
			if !here || p.At("Path").Text() != r.Path || !strings.EqualFold(p.At("Method").Text(), r.Method) {
				continue
			}
			if auth := p.At("Auth"); auth.Exists() {
				return auth.Position
			}
			return e.Position
		}
	}
	return r.Position
}
