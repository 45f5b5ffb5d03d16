package review

import (
	"slices"
	"strings"

	"github.com/marquee-api/marquee/internal/stack"
)

// statement is a statement of a policy where it was written.
type statement struct {
	stack.Node
	resource string // logical id of what holds it
}

func (s statement) allows() bool      { return s.At("Effect").Text() == "Allow" }
func (s statement) actions() []string { return s.At("Action").Texts() }
func (s statement) targets() []string { return s.At("Resource").Texts() }
func (s statement) conditional() bool { return len(s.At("Condition").Entries()) > 0 }
func (s statement) has(e string) bool { return s.At(e).Exists() }
func (s statement) everybody() bool   { return slices.Contains(s.principals(), "*") }
func (s statement) everything() bool  { return slices.Contains(s.targets(), "*") }
func (s statement) acts(a string) bool {
	return slices.ContainsFunc(s.actions(), func(p string) bool { return globFold(p, a) })
}

// principals are those of Principal, bare or under AWS.
func (s statement) principals() []string {
	p := s.At("Principal")
	if p.IsMap() {
		return p.At("AWS").Texts()
	}
	return p.Texts()
}

// conditionKeys are the keys that the conditions ask for, in lower case, each with its values.
func (s statement) conditionKeys() map[string][]string {
	keys := map[string][]string{}
	for _, operator := range s.At("Condition").Entries() {
		for _, key := range operator.Entries() {
			name := strings.ToLower(key.Key)
			keys[name] = append(keys[name], key.Texts()...)
		}
	}
	return keys
}

func statementsOf(document stack.Node, resource string) []statement {
	var out []statement
	for _, item := range document.At("Statement").Items() {
		out = append(out, statement{item, resource})
	}
	return out
}

// identityStatements are those that are attached to roles and users, wherever they stand.
func (s *subject) identityStatements() []statement {
	var out []statement
	for _, r := range s.Resources() {
		switch r.Type {
		case "AWS::IAM::Role", "AWS::IAM::User", "AWS::IAM::Group":
			for _, p := range r.Properties.At("Policies").Items() {
				out = append(out, statementsOf(p.At("PolicyDocument"), r.LogicalID)...)
			}
		case "AWS::IAM::Policy", "AWS::IAM::ManagedPolicy", "AWS::IAM::RolePolicy", "AWS::IAM::UserPolicy", "AWS::IAM::GroupPolicy":
			out = append(out, statementsOf(r.Properties.At("PolicyDocument"), r.LogicalID)...)
		case "AWS::Serverless::Function":
			if r.Properties.At("Role").Exists() {
				continue // SAM ignores Policies then
			}
			for _, p := range r.Properties.At("Policies").Items() {
				out = append(out, statementsOf(p, r.LogicalID)...)
			}
		}
	}
	return out
}

// allowing are the identity statements that allow something.
func (s *subject) allowing() []statement {
	return slices.DeleteFunc(s.identityStatements(), func(st statement) bool { return !st.allows() })
}

// apiStatements are those of an API's resource policy, in its order as far as SAM's short lists add none.
func (s *subject) apiStatements(id string) []statement {
	r := s.Resource(id)
	if r == nil {
		return nil
	}
	var out []statement
	for _, item := range r.Properties.At("Auth", "ResourcePolicy", "CustomStatements").Items() {
		out = append(out, statement{item, id})
	}
	for _, document := range []stack.Node{
		r.Properties.At("Policy"), r.Properties.At("DefinitionBody", "x-amazon-apigateway-policy"), r.Properties.At("Body", "x-amazon-apigateway-policy"),
	} {
		out = append(out, statementsOf(document, id)...)
	}
	return out
}

// policyPlace is where an API's resource policy stands.
func (s *subject) policyPlace(api *stack.API) stack.Position {
	r := s.Resource(api.LogicalID)
	if r == nil {
		return api.Position
	}
	for _, n := range []stack.Node{
		r.Properties.At("Auth", "ResourcePolicy"), r.Properties.At("Policy"),
		r.Properties.At("DefinitionBody", "x-amazon-apigateway-policy"), r.Properties.At("Body", "x-amazon-apigateway-policy"),
	} {
		if n.Exists() {
			return n.Position
		}
	}
	return api.Position
}

// endpoints are the VPC endpoints, for whatever service.
func (s *subject) endpoints() []*stack.Resource { return s.Resources("AWS::EC2::VPCEndpoint") }

// forPrivateAPIs reports whether an endpoint is one for private APIs.
func forPrivateAPIs(endpoint *stack.Resource) bool {
	return strings.HasSuffix(endpoint.Properties.At("ServiceName").Text(), ".execute-api")
}

// functions are the template's Lambda functions.
func (s *subject) functions() []*stack.Resource {
	return s.Resources("AWS::Serverless::Function", "AWS::Lambda::Function")
}

// typed lists the stack's APIs; none if the template cannot be read wholly.
func (s *subject) typed() []*stack.API {
	if s.Stack == nil {
		return nil
	}
	return s.Stack.APIs
}
