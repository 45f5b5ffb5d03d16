package apiclient_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/apiclient"
)

const (
	apiURL    = "https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/dev"
	apiHost   = "a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com"
	vpceHost  = "vpce-0123456789abcdef0-x5j9oi9g.execute-api.ap-northeast-2.vpce.amazonaws.com"
	zonalHost = "vpce-0123456789abcdef0-x5j9oi9g-ap-northeast-2a.execute-api.ap-northeast-2.vpce.amazonaws.com"
)

// The rows are those of "Invoke a private API" in the API Gateway developer guide.
func TestResolveEndpoint(t *testing.T) {
	type endpoint struct {
		Form                           apiclient.Form
		URL, Host, Dial, Region, APIID string
	}
	for name, tt := range map[string]struct {
		cfg  apiclient.EndpointConfig
		want endpoint
	}{
		"private DNS name": {
			apiclient.EndpointConfig{URL: apiURL},
			endpoint{apiclient.FormPrivateDNS, apiURL, apiHost, apiHost, "ap-northeast-2", ""},
		},
		"the region in the name wins": {
			apiclient.EndpointConfig{URL: apiURL, Region: "us-east-1"},
			endpoint{apiclient.FormPrivateDNS, apiURL, apiHost, apiHost, "ap-northeast-2", ""},
		},
		"upper case, the default port and a trailing slash": {
			apiclient.EndpointConfig{URL: "https://A1B2C3D4E5.Execute-API.ap-northeast-2.amazonaws.com:443/dev/"},
			endpoint{apiclient.FormPrivateDNS, apiURL, apiHost, apiHost, "ap-northeast-2", ""},
		},
		"a port of a tunnel is part of Host": {
			apiclient.EndpointConfig{URL: "https://" + apiHost + ":8443/dev"},
			endpoint{apiclient.FormPrivateDNS, "https://" + apiHost + ":8443/dev", apiHost + ":8443", apiHost + ":8443", "ap-northeast-2", ""},
		},
		"China": {
			apiclient.EndpointConfig{URL: "https://a1b2c3d4e5.execute-api.cn-north-1.amazonaws.com.cn/dev"},
			endpoint{apiclient.FormPrivateDNS, "https://a1b2c3d4e5.execute-api.cn-north-1.amazonaws.com.cn/dev",
				"a1b2c3d4e5.execute-api.cn-north-1.amazonaws.com.cn", "a1b2c3d4e5.execute-api.cn-north-1.amazonaws.com.cn", "cn-north-1", ""},
		},
		"GovCloud": {
			apiclient.EndpointConfig{URL: "https://a1b2c3d4e5.execute-api.us-gov-west-1.amazonaws.com/dev"},
			endpoint{apiclient.FormPrivateDNS, "https://a1b2c3d4e5.execute-api.us-gov-west-1.amazonaws.com/dev",
				"a1b2c3d4e5.execute-api.us-gov-west-1.amazonaws.com", "a1b2c3d4e5.execute-api.us-gov-west-1.amazonaws.com", "us-gov-west-1", ""},
		},
		"VPC endpoint beside the API's name": {
			apiclient.EndpointConfig{URL: apiURL, VPCE: vpceHost},
			endpoint{apiclient.FormVPCEHost, apiURL, apiHost, vpceHost, "ap-northeast-2", ""},
		},
		"VPC endpoint of one zone": {
			apiclient.EndpointConfig{URL: apiURL, VPCE: zonalHost},
			endpoint{apiclient.FormVPCEHost, apiURL, apiHost, zonalHost, "ap-northeast-2", ""},
		},
		"VPC endpoint as a URL": {
			apiclient.EndpointConfig{URL: apiURL, VPCE: "https://" + vpceHost + "/"},
			endpoint{apiclient.FormVPCEHost, apiURL, apiHost, vpceHost, "ap-northeast-2", ""},
		},
		"local gateway in place of the VPC endpoint": {
			apiclient.EndpointConfig{URL: apiURL, VPCE: "http://127.0.0.1:8080"},
			endpoint{apiclient.FormVPCEHost, apiURL, apiHost, "127.0.0.1:8080", "ap-northeast-2", ""},
		},
		"VPC endpoint beside a custom domain says the region": {
			apiclient.EndpointConfig{URL: "https://movies.example.com/v1", VPCE: vpceHost},
			endpoint{apiclient.FormVPCEHost, "https://movies.example.com/v1", "movies.example.com", vpceHost, "ap-northeast-2", ""},
		},
		"VPC endpoint's own name with an API id": {
			apiclient.EndpointConfig{URL: "https://" + vpceHost + "/dev", APIID: "a1b2c3d4e5"},
			endpoint{apiclient.FormVPCEHeader, "https://" + vpceHost + "/dev", vpceHost, vpceHost, "ap-northeast-2", "a1b2c3d4e5"},
		},
		"alias": {
			apiclient.EndpointConfig{URL: "https://a1b2c3d4e5-vpce-0123456789abcdef0.execute-api.ap-northeast-2.amazonaws.com/dev"},
			endpoint{apiclient.FormAlias, "https://a1b2c3d4e5-vpce-0123456789abcdef0.execute-api.ap-northeast-2.amazonaws.com/dev",
				"a1b2c3d4e5-vpce-0123456789abcdef0.execute-api.ap-northeast-2.amazonaws.com",
				"a1b2c3d4e5-vpce-0123456789abcdef0.execute-api.ap-northeast-2.amazonaws.com", "ap-northeast-2", ""},
		},
		"alias through a local gateway": {
			apiclient.EndpointConfig{URL: "https://a1-vpce-0.execute-api.ap-northeast-2.amazonaws.com/dev", VPCE: "http://127.0.0.1:8080"},
			endpoint{apiclient.FormAlias, "https://a1-vpce-0.execute-api.ap-northeast-2.amazonaws.com/dev",
				"a1-vpce-0.execute-api.ap-northeast-2.amazonaws.com", "127.0.0.1:8080", "ap-northeast-2", ""},
		},
		"VPC endpoint's own name through a local gateway": {
			apiclient.EndpointConfig{URL: "https://" + vpceHost + "/dev", VPCE: "http://localhost:8080", APIID: "a1b2c3d4e5"},
			endpoint{apiclient.FormVPCEHeader, "https://" + vpceHost + "/dev", vpceHost, "localhost:8080", "ap-northeast-2", "a1b2c3d4e5"},
		},
		"VPC endpoint's own name, twice": {
			apiclient.EndpointConfig{URL: "https://" + vpceHost + "/dev", VPCE: vpceHost, APIID: "a1b2c3d4e5"},
			endpoint{apiclient.FormVPCEHeader, "https://" + vpceHost + "/dev", vpceHost, vpceHost, "ap-northeast-2", "a1b2c3d4e5"},
		},
		"custom domain through a local gateway": {
			apiclient.EndpointConfig{URL: "https://movies.example.com", VPCE: "http://127.0.0.1:8080", Region: "eu-west-1"},
			endpoint{apiclient.FormVPCEHost, "https://movies.example.com", "movies.example.com", "127.0.0.1:8080", "eu-west-1", ""},
		},
		"custom domain": {
			apiclient.EndpointConfig{URL: "https://movies.example.com", Region: "eu-west-1"},
			endpoint{apiclient.FormCustomDomain, "https://movies.example.com", "movies.example.com", "movies.example.com", "eu-west-1", ""},
		},
		"loopback": {
			apiclient.EndpointConfig{URL: "http://127.0.0.1:8080/dev", Region: "ap-northeast-2"},
			endpoint{apiclient.FormLoopback, "http://127.0.0.1:8080/dev", "127.0.0.1:8080", "127.0.0.1:8080", "ap-northeast-2", ""},
		},
		"loopback, IPv6": {
			apiclient.EndpointConfig{URL: "http://[::1]:8080/dev", Region: "ap-northeast-2"},
			endpoint{apiclient.FormLoopback, "http://[::1]:8080/dev", "[::1]:8080", "[::1]:8080", "ap-northeast-2", ""},
		},
		"loopback, IPv6, default port": {
			apiclient.EndpointConfig{URL: "http://[::1]:80/dev", Region: "ap-northeast-2"},
			endpoint{apiclient.FormLoopback, "http://[::1]/dev", "[::1]", "[::1]", "ap-northeast-2", ""},
		},
		"loopback by name": {
			apiclient.EndpointConfig{URL: "http://localhost:8080/dev", Region: "ap-northeast-2"},
			endpoint{apiclient.FormLoopback, "http://localhost:8080/dev", "localhost:8080", "localhost:8080", "ap-northeast-2", ""},
		},
		"the host of a container": {
			apiclient.EndpointConfig{URL: "http://host.docker.internal:8080/dev", Region: "ap-northeast-2"},
			endpoint{apiclient.FormLoopback, "http://host.docker.internal:8080/dev", "host.docker.internal:8080", "host.docker.internal:8080", "ap-northeast-2", ""},
		},
	} {
		t.Run(name, func(t *testing.T) {
			e := resolve(t, tt.cfg)
			got := endpoint{e.Form(), e.URL(), e.Host(), e.DialAddress(), e.Region(), e.APIID()}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("endpoint (-want +got):\n%s", diff)
			}
		})
	}
}

func TestResolveEndpointRefuses(t *testing.T) {
	for name, tt := range map[string]struct {
		cfg  apiclient.EndpointConfig
		want []string // all of it in the message
	}{
		"nothing":                 {apiclient.EndpointConfig{}, []string{"invoke URL is empty"}},
		"no URL":                  {apiclient.EndpointConfig{URL: "://"}, []string{"cannot be parsed"}},
		"no scheme":               {apiclient.EndpointConfig{URL: apiHost + "/dev"}, []string{"scheme must be https"}},
		"no host":                 {apiclient.EndpointConfig{URL: "https:///dev"}, []string{"has no host"}},
		"query":                   {apiclient.EndpointConfig{URL: apiURL + "?a=1"}, []string{"query"}},
		"fragment":                {apiclient.EndpointConfig{URL: apiURL + "#a"}, []string{"fragment"}},
		"plain http to AWS":       {apiclient.EndpointConfig{URL: strings.Replace(apiURL, "https", "http", 1)}, []string{"private DNS name", "plain http"}},
		"plain http to a domain":  {apiclient.EndpointConfig{URL: "http://movies.example.com", Region: "eu-west-1"}, []string{"custom domain name", "plain http"}},
		"plain http to a VPCE":    {apiclient.EndpointConfig{URL: apiURL, VPCE: "http://" + vpceHost}, []string{"plain http"}},
		"plain URL, local VPCE":   {apiclient.EndpointConfig{URL: "http://" + apiHost + "/dev", VPCE: "http://127.0.0.1:8080"}, []string{"plain http"}},
		"domain without region":   {apiclient.EndpointConfig{URL: "https://movies.example.com"}, []string{"custom domain name", "give the region"}},
		"loopback without region": {apiclient.EndpointConfig{URL: "http://localhost:8080/dev"}, []string{"loopback", "give the region"}},
		"not a region":            {apiclient.EndpointConfig{URL: "http://localhost:8080/dev", Region: "Seoul"}, []string{`"Seoul"`}},
		"VPCE without an API id":  {apiclient.EndpointConfig{URL: "https://" + vpceHost + "/dev"}, []string{"VPC endpoint's own DNS name", "x-apigw-api-id"}},
		"API id of no shape":      {apiclient.EndpointConfig{URL: "https://" + vpceHost + "/dev", APIID: "a/b"}, []string{`"a/b"`}},
		"API id beside API":       {apiclient.EndpointConfig{URL: apiURL, APIID: "a1b2c3d4e5"}, []string{"private DNS name", "x-apigw-api-id"}},
		"VPCE of another region":  {apiclient.EndpointConfig{URL: apiURL, VPCE: strings.ReplaceAll(vpceHost, "ap-northeast-2", "us-east-1")}, []string{"us-east-1", "ap-northeast-2"}},
		"VPCE of another service": {apiclient.EndpointConfig{URL: apiURL, VPCE: "vpce-0-x.sqs.ap-northeast-2.vpce.amazonaws.com"}, []string{"not the DNS name of an execute-api endpoint"}},
		"VPCE id only":            {apiclient.EndpointConfig{URL: apiURL, VPCE: "vpce-0123456789abcdef0"}, []string{"not the DNS name of an execute-api endpoint"}},
		"VPCE with a path":        {apiclient.EndpointConfig{URL: apiURL, VPCE: "https://" + vpceHost + "/dev"}, []string{"not a DNS name"}},
		"VPCE beside another":     {apiclient.EndpointConfig{URL: "https://" + vpceHost + "/dev", VPCE: zonalHost, APIID: "a1b2c3d4e5"}, []string{"another one"}},
		"VPCE beside loopback":    {apiclient.EndpointConfig{URL: "http://localhost/dev", VPCE: vpceHost, Region: testRegion}, []string{"loopback", "leave one of them out"}},
		"VPCE beside an alias":    {apiclient.EndpointConfig{URL: "https://a1-vpce-0.execute-api.ap-northeast-2.amazonaws.com/dev", VPCE: vpceHost}, []string{"alias"}},
		"alias of no endpoint":    {apiclient.EndpointConfig{URL: "https://a1-vpce-.execute-api.ap-northeast-2.amazonaws.com/dev"}, []string{"{api}-vpce-{id}"}},
		"VPCE name without vpce":  {apiclient.EndpointConfig{URL: "https://vpce-0-x.execute-api.ap-northeast-2.amazonaws.com/dev"}, []string{"vpce before amazonaws"}},
		"unknown partition":       {apiclient.EndpointConfig{URL: "https://a1.execute-api.ap-northeast-2.example.com/dev", Region: testRegion}, []string{"amazonaws.com"}},
		"execute-api, no region":  {apiclient.EndpointConfig{URL: "https://a1.execute-api.amazonaws.com/dev", Region: testRegion}, []string{"no region"}},
	} {
		t.Run(name, func(t *testing.T) {
			e, err := apiclient.ResolveEndpoint(tt.cfg)
			if err == nil {
				t.Fatalf("got %s, want an error", e)
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want it to contain %q", err, want)
				}
			}
		})
	}
}

func TestSecurityURLPasswordIsNotShown(t *testing.T) {
	for _, raw := range []string{"https://user:hunter2@" + apiHost + "/dev", "https://user:hunter2@a b/dev"} {
		_, err := apiclient.ResolveEndpoint(apiclient.EndpointConfig{URL: raw})
		if err == nil || strings.Contains(err.Error(), "hunter2") {
			t.Errorf("got %v, want an error without the password", err)
		}
	}
}
