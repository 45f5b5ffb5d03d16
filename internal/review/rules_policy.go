package review

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/marquee-api/marquee/internal/reach"
	"github.com/marquee-api/marquee/internal/stack"
)

var policyRules = []*Rule{
	{
		ID: "MQ107", Name: "no-resource-policy", Severity: Error,
		Title: "A private API has no resource policy",
		Why:   "AWS refuses to deploy it.",
		Fix:   "Add Auth.ResourcePolicy with a Deny for every other endpoint and an Allow that delegates to the account.",
		check: claimed("MQ107"),
	},
	{
		ID: "MQ108", Name: "allow-only-policy", Severity: Error,
		Title: "The resource policy only allows, so it fences nothing off",
		Why:   "Under AWS_IAM in one account an Allow of either policy is enough (table A of the API Gateway developer guide). An Allow for one endpoint keeps nobody out who has the right by a policy of their own, through whatever endpoint.",
		Fix:   "Deny with StringNotEquals aws:SourceVpce, and allow the account's root, which delegates to identity policies.",
		check: func(s *subject, report reporter) {
			for api, l := range s.leaks() {
				if !l.denies && l.strange.API != "" {
					report(s.policyPlace(api), api.LogicalID, "a caller with the right is let in through another VPC's endpoint, too: %s", l.strange.Reason)
				}
			}
		},
	},
	{
		ID: "MQ109", Name: "fence-has-a-gap", Severity: Error,
		Title: "The Deny of the resource policy lets other endpoints in",
		Why:   "A Deny with the wrong operator, key or value looks like a fence and is none.",
		Fix:   "Deny execute-api:Invoke on execute-api:/* for * with StringNotEquals aws:SourceVpce and the endpoint's id.",
		check: func(s *subject, report reporter) {
			for api, l := range s.leaks() {
				if l.denies && l.strange.API != "" {
					at, hint := s.fencePlace(api)
					report(at, api.LogicalID, "a caller with the right is let in through another VPC's endpoint: %s%s", l.strange.Reason, hint)
				}
			}
		},
	},
	{
		ID: "MQ110", Name: "fence-locks-out", Severity: Error,
		Title: "The resource policy denies the template's own endpoint",
		Why:   "Nobody can call the API.",
		Fix:   "Compare aws:SourceVpce with the endpoint's id (vpce-…), and aws:SourceVpc with the VPC's (vpc-…).",
		check: func(s *subject, report reporter) {
			for api, l := range s.leaks() {
				if l.strange.API == "" && l.lockedOut.API != "" && s.knowsEndpoint(api) {
					at, hint := s.fencePlace(api)
					report(at, api.LogicalID, "calls through the template's own endpoint are refused: %s%s", l.lockedOut.Reason, hint)
				}
			}
		},
	},
	{
		ID: "MQ111", Name: "policy-lets-in-everybody", Severity: Error,
		Title: "The resource policy lets in callers that have no right of their own",
		Why:   "An Allow for * or for a role is enough in one account: every signer that reaches the endpoint gets in, and identity policies decide nothing.",
		Fix:   "Allow the account's root (arn:aws:iam::ACCOUNT:root): that delegates to identity policies and grants nothing alone.",
		check: func(s *subject, report reporter) {
			for api, l := range s.leaks() {
				if l.strange.API == "" && l.granted.API != "" && !s.shortLists(api).Exists() {
					report(s.granting(api, l.granted), api.LogicalID, "an identity without any policy is let in through %s: %s", l.granted.Door, l.granted.Reason)
				}
			}
		},
	},
	{
		ID: "MQ112", Name: "short-list", Severity: Error,
		Title: "A short list of SAM's builds an Allow for everybody",
		Why:   "SourceVpcWhitelist, IntrinsicVpceWhitelist and their kin write Allow for * beside their Deny: every signer of the account that reaches the endpoint gets in.",
		Fix:   "Write CustomStatements: a Deny with StringNotEquals aws:SourceVpce, and an Allow for the account's root.",
		check: func(s *subject, report reporter) {
			for api, l := range s.leaks() {
				if at := s.shortLists(api); at.Exists() && l.strange.API == "" && l.granted.API != "" {
					report(at.Position, api.LogicalID, "an identity without any policy is let in through %s: %s", l.granted.Door, l.granted.Reason)
				}
			}
		},
	},
	{
		ID: "MQ114", Name: "source-ip-of-private-api", Severity: Warning,
		Title: "A private API's policy asks for aws:SourceIp",
		Why:   "The key is absent for calls through a VPC endpoint: an Allow by it never matches, and a Deny with NotIpAddress denies everybody.",
		Fix:   "Use aws:VpcSourceIp.",
		check: func(s *subject, report reporter) {
			for _, api := range s.typed() {
				for _, st := range s.apiStatements(api.LogicalID) {
					if _, asks := st.conditionKeys()["aws:sourceip"]; asks && api.EndpointType == "PRIVATE" {
						report(st.Position, api.LogicalID, "aws:SourceIp is absent for every call through a VPC endpoint")
					}
				}
			}
		},
	},
	{
		ID: "MQ120", Name: "partner-may-everything", Severity: Warning,
		Title: "Another account may call every method",
		Why:   "The resource policy is the only place where this account says what a partner may do; which of its principals may do it, the partner alone decides.",
		Fix:   "Name stage, method and path in the statement for the partner's account.",
		check: func(s *subject, report reporter) {
			for _, api := range s.typed() {
				for _, st := range s.apiStatements(api.LogicalID) {
					if partner := s.partner(st); st.allows() && partner != "" && wholeAPI(st) {
						report(st.Position, api.LogicalID, "%s may call every method of every path", partner)
					}
				}
			}
		},
	},
}

// leak is what is wrong with the fence of an API: cells of the matrix, empty where nothing is.
type leak struct {
	strange   reach.Cell // one that has the right and is let in through another VPC's endpoint
	lockedOut reach.Cell // one that has the right and is denied at the template's own
	granted   reach.Cell // one without any right that is let in
	denies    bool       // the policy has a Deny
}

// leaks yields what the gateway says to callers of the signed methods of each API that has a resource policy.
func (s *subject) leaks() func(yield func(*stack.API, leak) bool) {
	return func(yield func(*stack.API, leak) bool) {
		if s.matrix == nil {
			return
		}
		for _, api := range s.typed() {
			if api.ResourcePolicy == nil {
				continue
			}
			l := leak{denies: strings.Contains(string(api.ResourcePolicy), `"Deny"`)}
			for _, c := range s.matrix.Cells {
				if c.API == api.LogicalID && c.Stage == api.Stage && s.isSigned(api, c.Route) {
					l.see(c, api.EndpointType == "PRIVATE")
				}
			}
			if !yield(api, l) {
				return
			}
		}
	}
}

func (l *leak) see(c reach.Cell, private bool) {
	switch {
	case c.Identity == "writer" && c.Door == "other_vpce" && c.LetIn() && private:
		l.strange = c
	case c.Identity == "writer" && c.Door == "vpce" && c.Outcome == reach.ExplicitDeny && c.Policy == "resource" && private:
		l.lockedOut = c
	case c.Identity == "stranger" && c.LetIn():
		l.granted = c
	}
}

func (s *subject) isSigned(api *stack.API, route string) bool {
	return slices.ContainsFunc(api.Routes, func(r *stack.Route) bool { return r.Method+" "+r.Path == route && r.Authorization == "AWS_IAM" })
}

// knowsEndpoint reports whether the template says through which endpoint its API is called.
func (s *subject) knowsEndpoint(api *stack.API) bool {
	return len(api.VPCEndpointIDs) > 0 || slices.ContainsFunc(s.endpoints(), forPrivateAPIs)
}

// fencePlace is the first Deny, and what is odd about it.
func (s *subject) fencePlace(api *stack.API) (at stack.Position, hint string) {
	for _, st := range s.apiStatements(api.LogicalID) {
		if st.At("Effect").Text() != "Deny" {
			continue
		}
		keys := st.conditionKeys()
		for _, key := range slices.Sorted(maps.Keys(keys)) {
			for _, v := range keys[key] {
				switch {
				case key == "aws:sourcevpc" && strings.HasPrefix(v, "vpce-"):
					hint = "; aws:SourceVpc is compared with an endpoint's id, whose key is aws:SourceVpce"
				case key == "aws:sourcevpce" && strings.HasPrefix(v, "vpc-"):
					hint = "; aws:SourceVpce is compared with a VPC's id, whose key is aws:SourceVpc"
				case key == "aws:sourcevpce" && strings.ContainsAny(v, "*?"):
					hint = fmt.Sprintf("; %q is every endpoint", v)
				}
			}
		}
		return st.Position, hint
	}
	return s.policyPlace(api), ""
}

// granting is where the statement stands that let somebody in.
func (s *subject) granting(api *stack.API, c reach.Cell) stack.Position {
	statements := s.apiStatements(api.LogicalID)
	if c.Policy == "resource" && c.By != nil && c.By.Index < len(statements) {
		return statements[c.By.Index].Position
	}
	return s.policyPlace(api)
}

// shortLists is the first of SAM's short lists that an API's policy is built of.
func (s *subject) shortLists(api *stack.API) stack.Node {
	r := s.Resource(api.LogicalID)
	if r == nil {
		return stack.Node{}
	}
	for _, e := range r.Properties.At("Auth", "ResourcePolicy").Entries() {
		if e.Key != "CustomStatements" {
			return e.Node
		}
	}
	return stack.Node{}
}

// partner is a principal of another account that a statement names; empty if there is none.
func (s *subject) partner(st statement) string {
	for _, p := range st.principals() {
		account := p
		if parts := strings.Split(p, ":"); len(parts) > 4 {
			account = parts[4]
		}
		if len(account) == 12 && account != s.Stack.AccountID {
			return p
		}
	}
	return ""
}

// wholeAPI reports whether a statement is about every method and path, in API Gateway's short form or not.
func wholeAPI(st statement) bool {
	return slices.ContainsFunc(st.targets(), func(t string) bool {
		if rest, short := strings.CutPrefix(t, "execute-api:/"); short {
			t = "arn:aws:execute-api:::/" + rest
		}
		g, ok := readGrant(t)
		return t == "*" || ok && strings.Trim(g.method+g.path, "*") == ""
	})
}
