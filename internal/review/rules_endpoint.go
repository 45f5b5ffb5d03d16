package review

import (
	"slices"

	"github.com/marquee-api/marquee/internal/stack"
)

var endpointRules = []*Rule{
	{
		ID: "MQ201", Name: "endpoint-without-policy", Severity: Warning,
		Title: "The endpoint for private APIs has no policy",
		Why:   "The default allows everything: with credentials of another account, data can leave through it to any private API in the region.",
		Fix:   "Add a PolicyDocument that allows execute-api:Invoke on the APIs of the account for its principals.",
		check: func(s *subject, report reporter) {
			for _, e := range s.endpoints() {
				if forPrivateAPIs(e) && !e.Properties.At("PolicyDocument").Exists() {
					report(e.Position, e.LogicalID, "PolicyDocument is missing, and the default allows everything")
				}
			}
		},
	},
	{
		ID: "MQ202", Name: "endpoint-policy-allows-all", Severity: Warning,
		Title: "The endpoint's policy allows everything",
		Why:   "It says what the default says. The endpoint is the one place that sees what leaves the VPC for APIs of other accounts.",
		Fix:   "Name the APIs in Resource, or the accounts in a condition on aws:PrincipalAccount.",
		check: func(s *subject, report reporter) {
			for _, e := range s.endpoints() {
				for _, st := range statementsOf(e.Properties.At("PolicyDocument"), e.LogicalID) {
					if forPrivateAPIs(e) && st.allows() && st.everybody() && st.everything() && !st.conditional() {
						report(st.Position, e.LogicalID, "everybody may call every API")
					}
				}
			}
		},
	},
	{
		ID: "MQ203", Name: "api-without-name", Severity: Warning,
		Title: "Private DNS is off, and the API has no alias for the endpoint",
		Why:   "Callers then have to connect to the endpoint's own name and sign another Host, which most clients cannot.",
		Fix:   "Name the endpoint in EndpointConfiguration.VPCEndpointIds (it grants nothing), or set PrivateDnsEnabled.",
		check: func(s *subject, report reporter) {
			if s.Stack == nil {
				return
			}
			for _, e := range s.Stack.Endpoints {
				if e.Service != "execute-api" || e.PrivateDNS {
					continue
				}
				for _, api := range s.Stack.APIs {
					if api.EndpointType == "PRIVATE" && !slices.Contains(api.VPCEndpointIDs, e.ID) {
						report(e.Position, e.LogicalID, "%s has neither private DNS nor an alias for this endpoint", api.LogicalID)
					}
				}
			}
		},
	},
	{
		ID: "MQ204", Name: "endpoint-in-one-zone", Severity: Warning,
		Title: "The endpoint stands in one subnet",
		Why:   "An interface endpoint lives where its subnets are: when that zone fails, no caller reaches the API.",
		Fix:   "Give SubnetIds two subnets in different zones.",
		check: func(s *subject, report reporter) {
			for _, e := range s.endpoints() {
				if at := e.Properties.At("SubnetIds"); forPrivateAPIs(e) && oneItem(at) {
					report(at.Position, e.LogicalID, "SubnetIds has one subnet")
				}
			}
		},
	},
	{
		ID: "MQ205", Name: "open-security-group", Severity: Error,
		Title: "A security group lets in the whole world",
		Why:   "0.0.0.0/0 and ::/0 are every address that a route leads from.",
		Fix:   "Name the callers' security group in SourceSecurityGroupId, or the VPC's block.",
		check: func(s *subject, report reporter) {
			world := func(rule stack.Node) bool {
				return rule.At("CidrIp").Text() == "0.0.0.0/0" || rule.At("CidrIpv6").Text() == "::/0"
			}
			for _, g := range s.Resources("AWS::EC2::SecurityGroup") {
				for _, rule := range g.Properties.At("SecurityGroupIngress").Items() {
					if world(rule) {
						report(rule.Position, g.LogicalID, "the rule admits every address")
					}
				}
			}
			for _, r := range s.Resources("AWS::EC2::SecurityGroupIngress") {
				if world(r.Properties) {
					report(r.Position, r.LogicalID, "the rule admits every address")
				}
			}
		},
	},
	{
		ID: "MQ206", Name: "endpoint-in-default-group", Severity: Warning,
		Title: "The endpoint has no security group of its own",
		Why:   "It gets the VPC's default group, whose members reach each other and nobody else: callers time out, or everything becomes a member.",
		Fix:   "Set SecurityGroupIds to a group that admits HTTPS from the callers' group.",
		check: func(s *subject, report reporter) {
			for _, e := range s.endpoints() {
				if forPrivateAPIs(e) && !e.Properties.At("SecurityGroupIds").Exists() {
					report(e.Position, e.LogicalID, "SecurityGroupIds is missing")
				}
			}
		},
	},
	{
		ID: "MQ207", Name: "caller-outside-the-vpc", Severity: Warning,
		Title: "A function that may call the private API is not in a VPC",
		Why:   "A private API is reached through its endpoint only: the call fails before anybody looks at its signature.",
		Fix:   "Give the function a VpcConfig with the endpoint's subnets, or take its right away.",
		check: callersOutside,
	},
	{
		ID: "MQ208", Name: "vpc-without-dns", Severity: Error,
		Title: "The endpoint has private DNS in a VPC without DNS",
		Why:   "AWS refuses private DNS for an endpoint whose VPC has not both DNS support and DNS hostnames.",
		Fix:   "Set EnableDnsSupport and EnableDnsHostnames on the VPC.",
		check: func(s *subject, report reporter) {
			for _, e := range s.endpoints() {
				for _, vpc := range s.Resources("AWS::EC2::VPC") {
					if e.Properties.At("PrivateDnsEnabled").Text() != "true" || !e.Properties.At("VpcId").Mentions(vpc.LogicalID) {
						continue
					}
					// Support is on by default, hostnames are not.
					if p := vpc.Properties; p.At("EnableDnsHostnames").Text() != "true" || p.At("EnableDnsSupport").Text() == "false" {
						report(vpc.Position, vpc.LogicalID, "%s wants private DNS, which needs EnableDnsSupport and EnableDnsHostnames here", e.LogicalID)
					}
				}
			}
		},
	},
	{
		ID: "MQ209", Name: "public-subnet", Severity: Warning,
		Title: "The endpoint or a function stands in a subnet that gives out public addresses",
		Why:   "What else is started there is reachable from the internet; a private API has no use for it.",
		Fix:   "Set MapPublicIpOnLaunch: false, or use private subnets.",
		check: func(s *subject, report reporter) {
			for _, subnet := range s.Resources("AWS::EC2::Subnet") {
				at := subnet.Properties.At("MapPublicIpOnLaunch")
				if at.Text() != "true" {
					continue
				}
				for _, r := range append(s.endpoints(), s.functions()...) {
					if r.Properties.At("SubnetIds").Mentions(subnet.LogicalID) || r.Properties.At("VpcConfig").Mentions(subnet.LogicalID) {
						report(at.Position, subnet.LogicalID, "%s stands here", r.LogicalID)
						break
					}
				}
			}
		},
	},
	{
		ID: "MQ210", Name: "group-without-egress", Severity: Note,
		Title: "A security group says nothing about what leaves it",
		Why:   "EC2 then adds a rule that allows everything to everywhere.",
		Fix:   "Write SecurityGroupEgress: HTTPS to the endpoint for callers, 127.0.0.1/32 for the endpoint.",
		check: func(s *subject, report reporter) {
			for _, g := range s.Resources("AWS::EC2::SecurityGroup") {
				if !g.Properties.At("SecurityGroupEgress").Exists() {
					report(g.Position, g.LogicalID, "SecurityGroupEgress is missing")
				}
			}
		},
	},
	connectRule,
}

// oneItem reports whether a list has one item. A parameter has as many as somebody gives it.
func oneItem(list stack.Node) bool { return list.Intrinsic() != "Ref" && len(list.Items()) == 1 }

func callersOutside(s *subject, report reporter) {
	for _, f := range s.callers() {
		if !f.InVPC {
			report(f.Position, f.LogicalID, "its role may call a private API, and it has no VpcConfig to reach it by")
		}
	}
}
