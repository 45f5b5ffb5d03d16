package stack

import "strings"

func (b *builder) readEndpoints() {
	for _, res := range b.ofType("AWS::EC2::VPCEndpoint") {
		b.stack.Endpoints = append(b.stack.Endpoints, b.readEndpoint(res))
	}
}

func (b *builder) readEndpoint(res *resource) *VPCEndpoint {
	c := b.cursor(res)
	e := &VPCEndpoint{
		LogicalID: res.id, ID: b.id(res), VPCID: c.at("VpcId").text(), Position: res.pos,
		Type: c.at("VpcEndpointType").textOr("Gateway"), PrivateDNS: c.at("PrivateDnsEnabled").flag(),
		Policy: c.at("PolicyDocument").document(),
	}
	if !c.at("ServiceName").exists() && (c.at("ResourceConfigurationArn").exists() || c.at("ServiceNetworkArn").exists()) {
		return e // it leads to no service of AWS, which has a warning
	}
	service, err := b.r.serviceOf(res)
	if err != nil {
		c.at("ServiceName").failWith(err)
		return e
	}
	e.Service = service
	switch {
	case strings.HasPrefix(service, "execute-api") && service != "execute-api" && service != "execute-api-fips":
		c.at("ServiceName").fail("there is no service %q: the one of private APIs is execute-api", service)
	case strings.HasPrefix(service, "execute-api") && e.Type != "Interface":
		c.at("VpcEndpointType").fail("an endpoint for execute-api is an interface endpoint: set VpcEndpointType to Interface (the default is Gateway)")
	}
	switch e.Type {
	case "Interface":
		e.DNSName = b.r.dnsName(res, service)
	case "Gateway", "GatewayLoadBalancer", "Resource", "ServiceNetwork":
		if e.PrivateDNS {
			c.at("PrivateDnsEnabled").fail("only interface endpoints have private DNS")
		}
	default:
		c.at("VpcEndpointType").fail("%q is not a type of endpoint: Interface or Gateway", e.Type)
	}
	return e
}
