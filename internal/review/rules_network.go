package review

import (
	"slices"
	"strconv"

	"github.com/marquee-api/marquee/internal/stack"
)

var connectRule = &Rule{
	ID: "MQ211", Name: "caller-not-admitted", Severity: Warning,
	Title: "The endpoint's security group does not admit a function that may call the API",
	Why:   "Nothing answers a connection that a security group drops: the caller times out, and no log says why.",
	Fix:   "Admit the function's group on port 443 in SecurityGroupIngress, by SourceSecurityGroupId.",
	check: callersNotAdmitted,
}

func callersNotAdmitted(s *subject, report reporter) {
	for _, e := range s.endpoints() {
		rules, known := s.ingressOf(e.Properties.At("SecurityGroupIds"))
		if !forPrivateAPIs(e) || !known {
			continue
		}
		for _, f := range s.callers() {
			r := s.Resource(f.LogicalID)
			if r == nil || !f.InVPC {
				continue
			}
			groups := r.Properties.At("VpcConfig", "SecurityGroupIds")
			admitted := slices.ContainsFunc(rules, func(rule stack.Node) bool { return opensHTTPS(rule) && admits(rule, groups) })
			if !admitted {
				report(e.Properties.At("SecurityGroupIds").Position, e.LogicalID, "no rule admits %s", f.LogicalID)
			}
		}
	}
}

// callers are the functions whose role may call a private API of the template.
func (s *subject) callers() []*stack.Function {
	if s.matrix == nil {
		return nil
	}
	var out []*stack.Function
	for _, f := range s.Stack.Functions {
		for _, c := range s.matrix.Cells {
			private := slices.ContainsFunc(s.Stack.APIs, func(a *stack.API) bool { return a.LogicalID == c.API && a.EndpointType == "PRIVATE" })
			if f.RoleID != "" && c.Identity == f.RoleID && c.LetIn() && private && c.Policy == "identity" {
				out = append(out, f)
				break
			}
		}
	}
	return out
}

// ingressOf collects the rules of security groups; known is false if one of the groups is not of the template.
func (s *subject) ingressOf(groups stack.Node) (rules []stack.Node, known bool) {
	for _, item := range groups.Items() {
		i := slices.IndexFunc(s.Resources("AWS::EC2::SecurityGroup"), func(g *stack.Resource) bool { return item.Mentions(g.LogicalID) })
		if i < 0 {
			return nil, false
		}
		group := s.Resources("AWS::EC2::SecurityGroup")[i]
		rules = append(rules, group.Properties.At("SecurityGroupIngress").Items()...)
		for _, r := range s.Resources("AWS::EC2::SecurityGroupIngress") {
			if r.Properties.At("GroupId").Mentions(group.LogicalID) {
				rules = append(rules, r.Properties)
			}
		}
		known = true
	}
	return rules, known
}

// opensHTTPS reports whether a rule is about port 443, or about every port.
func opensHTTPS(rule stack.Node) bool {
	from, err := strconv.Atoi(rule.At("FromPort").Text())
	to, err2 := strconv.Atoi(rule.At("ToPort").Text())
	return rule.At("IpProtocol").Text() == "-1" || err != nil || err2 != nil || from <= 443 && 443 <= to
}

// admits reports whether a rule may let in a member of the groups. One by addresses may: who has which is not known here.
func admits(rule, groups stack.Node) bool {
	source := rule.At("SourceSecurityGroupId")
	if !source.Exists() || !source.Known() || !groups.Known() {
		return true
	}
	return slices.Contains(groups.Texts(), source.Text())
}
