package apiclient

import (
	"net"
	"strings"
)

// dnsName is what a host's name says by itself.
type dnsName struct {
	form    Form
	region  string
	problem string // why a name that looks like AWS's is none
}

// classify reads a host name, lower or upper case. Names are those of "Invoke a private API" in the API Gateway
// developer guide.
func classify(host string) dnsName {
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if isLoopback(host) {
		return dnsName{form: FormLoopback}
	}
	label, rest, _ := strings.Cut(host, ".")
	suffix, ok := strings.CutPrefix(rest, service+".")
	if !ok {
		return dnsName{form: FormCustomDomain}
	}
	region, domain, _ := strings.Cut(suffix, ".")
	switch {
	case !isRegion(region):
		return dnsName{form: FormCustomDomain, problem: "it holds execute-api but no region after it, as {api}.execute-api.{region}.amazonaws.com would"}
	case strings.HasPrefix(domain, "vpce.") && isPartitionDomain(strings.TrimPrefix(domain, "vpce.")):
		if !strings.HasPrefix(label, "vpce-") {
			return dnsName{form: FormVPCEHeader, problem: "a VPC endpoint's DNS name begins with vpce-"}
		}
		return dnsName{form: FormVPCEHeader, region: region}
	case !isPartitionDomain(domain):
		return dnsName{form: FormCustomDomain, problem: "it holds execute-api but does not end in amazonaws.com, amazonaws.com.cn or amazonaws.eu"}
	}
	if api, vpce, ok := strings.Cut(label, "-vpce-"); ok {
		if !isAPIID(api) || !isAPIID(vpce) {
			return dnsName{form: FormAlias, problem: "an alias of API and VPC endpoint is {api}-vpce-{id}"}
		}
		return dnsName{form: FormAlias, region: region}
	}
	if strings.HasPrefix(label, "vpce-") {
		return dnsName{form: FormVPCEHeader, problem: "a VPC endpoint's DNS name has vpce before amazonaws: {vpce}-{suffix}.execute-api.{region}.vpce.amazonaws.com"}
	}
	if !isAPIID(label) {
		return dnsName{form: FormPrivateDNS, problem: "its first part must be the API's id, such as a1b2c3d4e5"}
	}
	return dnsName{form: FormPrivateDNS, region: region}
}

// isPartitionDomain knows the domains of AWS's public partitions: the standard one with GovCloud, China, the European
// sovereign cloud.
func isPartitionDomain(domain string) bool {
	return domain == "amazonaws.com" || domain == "amazonaws.com.cn" || domain == "amazonaws.eu"
}

// isLoopback reports whether a host is this machine. host.docker.internal is what a container calls the machine that
// runs it.
func isLoopback(host string) bool {
	if host == "localhost" || host == "host.docker.internal" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// isRegion accepts names shaped as ap-northeast-2 or us-gov-west-1: a new region needs no new release.
func isRegion(s string) bool {
	parts := strings.Split(s, "-")
	if len(parts) < 3 || !allOf(parts[len(parts)-1], isDigit) {
		return false
	}
	for _, p := range parts[:len(parts)-1] {
		if !allOf(p, isLower) {
			return false
		}
	}
	return true
}

// isAPIID accepts lower-case letters and digits, which is what ids of APIs and VPC endpoints are made of.
func isAPIID(s string) bool {
	return allOf(s, func(c byte) bool { return isLower(c) || isDigit(c) })
}

func allOf(s string, ok func(byte) bool) bool {
	for i := range len(s) {
		if !ok(s[i]) {
			return false
		}
	}
	return s != ""
}

func isLower(c byte) bool { return 'a' <= c && c <= 'z' }

func isDigit(c byte) bool { return '0' <= c && c <= '9' }
