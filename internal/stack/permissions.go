package stack

import (
	"slices"
	"strings"
)

// grant is one permission of API Gateway to invoke a function.
type grant struct {
	function string // logical id
	alias    string // what the permission is attached to; empty: the function itself
	source   string // pattern of the caller's ARN
}

// checkPermissions finds the routes whose function does not let API Gateway in, which AWS answers with 500 ("Error
// handling with API Gateway" in the Lambda developer guide). SAM adds a permission with each event, for its own method and
// path; any other route needs an AWS::Lambda::Permission, or a role to invoke with.
func (b *builder) checkPermissions() {
	grants := append(b.eventGrants(), b.permissionGrants()...)
	for _, api := range b.stack.APIs {
		for _, r := range api.Routes {
			if r.FunctionID == "" {
				continue
			}
			r.Unpermitted = b.unpermitted(api, r, grants)
			if r.Unpermitted != "" {
				b.warn(r.Position, api.LogicalID, r.Method+" "+r.Path, "AWS answers 500, and so does this: "+r.Unpermitted)
			}
		}
	}
}

func (b *builder) unpermitted(api *API, r *Route, grants []grant) string {
	switch {
	case r.InvokeRole == "CALLER_CREDENTIALS" && r.Authorization != schemeIAM:
		return "the method invokes its function as the caller, and asks for no signature"
	case r.InvokeRole == "CALLER_CREDENTIALS":
		return ""
	case r.InvokeRole != "NONE":
		if !slices.ContainsFunc(b.stack.Roles, func(role *Role) bool { return role.ARN == r.InvokeRole }) {
			return "the method invokes its function as " + r.InvokeRole + ", which is no role of this template, and what it may do is not known here"
		}
		return "" // what the role may do is for its policies to say
	}
	for _, method := range methodsOf(r.Method) {
		arn := b.n.expand("arn:{partition}:execute-api:{region}:{account}:", "", "") + api.ID + "/" + api.Stage + "/" + method + r.Path
		if !slices.ContainsFunc(grants, func(g grant) bool {
			return g.function == r.FunctionID && g.alias == r.Qualifier && arnLike(g.source, arn)
		}) {
			return "nothing permits API Gateway to invoke " + r.FunctionID + " from " + method + " " + r.Path + "; add an event for it, or an AWS::Lambda::Permission"
		}
	}
	return ""
}

// methodsOf are the methods that have to be permitted: with which one API Gateway asks for ANY is not documented.
func methodsOf(method string) []string {
	if method != "ANY" {
		return []string{method}
	}
	return methods[1:]
}

// eventGrants are the permissions that SAM makes, one for each Api event: its method, and a star for each parameter.
func (b *builder) eventGrants() []grant {
	var out []grant
	for _, res := range b.ofType("AWS::Serverless::Api") {
		for _, e := range b.events[res.id] {
			if e.ghost {
				continue
			}
			id := b.id(res)
			if named := e.c.v.get("RestApiId"); named != nil && named.kind == kindText {
				id = named.text // SAM puts a name that is no !Ref into the ARN as it stands, and it holds for no API
			}
			method := strings.Replace(e.method, "ANY", "*", 1)
			path := parameterPart.ReplaceAllString(strings.TrimSuffix(e.path, "/"), "*")
			if path == "" {
				path = "/"
			}
			out = append(out, grant{
				function: e.function.id, alias: b.aliasOf(e.function.id),
				source: b.n.expand("arn:{partition}:execute-api:{region}:{account}:", "", "") + id + "/*/" + method + path,
			})
		}
	}
	return out
}

// permissionGrants are those of AWS::Lambda::Permission. One that asks for an organization is none: which one the account
// is in is not known here.
func (b *builder) permissionGrants() []grant {
	var out []grant
	for _, res := range b.ofType("AWS::Lambda::Permission") {
		c := b.cursor(res)
		principal, action := c.at("Principal").text(), strings.ToLower(c.at("Action").text())
		if principal != "apigateway.amazonaws.com" && principal != "*" || !slices.Contains([]string{"lambda:invokefunction", "lambda:*", "*"}, action) {
			continue
		}
		if c.at("PrincipalOrgID").exists() || c.at("FunctionUrlAuthType").exists() || c.at("InvokedViaFunctionUrl").flag() {
			continue
		}
		if account := c.at("SourceAccount"); account.exists() && account.text() != b.n.account {
			continue
		}
		id, alias := b.functionNamed(c.at("FunctionName").text())
		out = append(out, grant{id, alias, c.at("SourceArn").textOr("*")})
	}
	return out
}

// functionNamed finds a function by its name, its ARN or the last parts of that, with or without an alias or version.
func (b *builder) functionNamed(name string) (id, qualifier string) {
	for _, f := range b.stack.Functions {
		for _, form := range []string{f.ARN, b.n.account + ":function:" + f.Name, "function:" + f.Name, f.Name} {
			if rest, ok := strings.CutPrefix(name, form); ok && (rest == "" || rest[0] == ':') {
				return f.LogicalID, strings.TrimPrefix(rest, ":")
			}
		}
	}
	return "", ""
}

// arnLike matches a pattern with an ARN, part by part: a star does not cross the first five colons.
func arnLike(pattern, arn string) bool {
	if pattern == "*" {
		return true
	}
	const parts = 6
	want, got := strings.SplitN(pattern, ":", parts), strings.SplitN(arn, ":", parts)
	if len(want) != parts || len(got) != parts {
		return false
	}
	for i := range want {
		if !glob(want[i], got[i]) {
			return false
		}
	}
	return true
}

// glob matches a pattern of Lambda's resource policy: a star is any text, a question mark one character.
func glob(pattern, text string) bool {
	p, t, star, mark := 0, 0, -1, 0
	for t < len(text) {
		switch {
		case p < len(pattern) && pattern[p] == '*':
			star, mark = p, t
			p++
		case p < len(pattern) && (pattern[p] == '?' || pattern[p] == text[t]):
			p, t = p+1, t+1
		case star >= 0:
			mark++
			p, t = star+1, mark
		default:
			return false
		}
	}
	return strings.Trim(pattern[p:], "*") == ""
}

// aliasOf is the alias to which SAM sends the events of a function; empty: to the function itself.
func (b *builder) aliasOf(id string) string {
	return b.cursor(b.t.resources[id]).at("AutoPublishAlias").text()
}
