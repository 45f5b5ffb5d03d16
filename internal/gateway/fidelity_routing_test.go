package gateway_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/policy"
)

const publicID = "p1b2c3d4e5"

// withPublicAPI adds a regional API beside the private one, and a root to both.
func withPublicAPI(c *gateway.Config, _ *gateway.Door) {
	c.APIs[0].Routes = append(c.APIs[0].Routes, gateway.Route{Method: "GET", Path: "/", Function: "root"})
	c.APIs = append(c.APIs, gateway.API{ID: publicID, Stage: "dev", Routes: []gateway.Route{{Method: "GET", Path: "/movie_list", Function: "list"}, {Method: "GET", Path: "/open", Function: "open", NoAuth: true}}})
}

// Which API and stage a request names, and what is answered where none is named.
func TestFidelityRouting(t *testing.T) {
	const domain = ".execute-api.ap-northeast-2.amazonaws.com"
	denied := func(path string) string {
		return denial(strangerARN, "dev/GET"+path, " because no identity-based policy allows the execute-api:Invoke action")
	}
	byID := func(id string) map[string]string { return map[string]string{"X-Apigw-Api-Id": id} }
	const endpointName = endpoint + "-abcd1234.execute-api.ap-northeast-2.vpce.amazonaws.com"
	tests := map[string]struct {
		call      call
		door      string
		status    int
		errorType string
		body      string
	}{
		"1.3/a public API through the endpoint":               {call{host: publicID + domain}, "", 403, "ForbiddenException", forbidden},
		"1.3/a public API through the endpoint, by its id":    {call{host: endpointName, header: byID(publicID)}, "", 403, "ForbiddenException", forbidden},
		"1.3/the endpoint's name without the id":              {call{host: endpointName}, "", 403, "ForbiddenException", forbidden},
		"1.3/unknown path with a bearer token":                {call{key: "-", path: "/dev/nothing", header: map[string]string{"Authorization": "Bearer x"}}, "", 403, "IncompleteSignatureException", `{"message":"Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): 'uTem/WB082UJMN2ajD6lH6UChGpTAddMJSx2iu923No='."}`},
		"1.3/unknown path with one word":                      {call{key: "-", path: "/dev/nothing", header: map[string]string{"Authorization": "x"}}, "", 403, "IncompleteSignatureException", `{"message":"Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=x"}`},
		"1.3/the root's ARN ends with a slash":                {call{key: "ASIASTRANGER", path: "/dev"}, "", 403, "AccessDeniedException", denied("/")},
		"1.3/the root's ARN, with the slash":                  {call{key: "ASIASTRANGER", path: "/dev/"}, "", 403, "AccessDeniedException", denied("/")},
		"1.3/doubled slashes stay in the ARN":                 {call{key: "ASIASTRANGER", path: "/dev/movie_list/", tamper: target("/dev/movie_list//")}, "", 403, "AccessDeniedException", ""},
		"1.3/percent-encoding stays in the ARN":               {call{key: "ASIASTRANGER", path: "/dev/photos%3Fexpand%3D1"}, "", 403, "AccessDeniedException", denied("/photos%3Fexpand%3D1")},
		"3/1 the API's own name":                              {call{host: apiID + domain}, "", 200, "", `{}`},
		"3/2 the API's own name at the endpoint's address":    {call{host: apiID + domain}, "", 200, "", `{}`},
		"3/3 the endpoint's name and the id":                  {call{host: endpointName, header: byID(apiID)}, "", 200, "", `{}`},
		"3/3 the id need not be signed":                       {call{host: endpointName, tamper: func(r *http.Request) { r.Header.Set("X-Apigw-Api-Id", apiID) }}, "", 200, "", `{}`},
		"3/3 the id wins over the host":                       {call{host: "zzzzzzzzzz" + domain, header: byID(apiID)}, "", 200, "", `{}`},
		"3/3 the id of no API wins, too":                      {call{host: apiID + domain, header: byID("zzzzzzzzzz")}, "", 403, "ForbiddenException", forbidden},
		"3/3 the id does not count from the internet":         {call{host: publicID + domain, path: "/dev/open", key: "-", header: byID(apiID)}, "public", 200, "", `{}`},
		"3/4 the alias of the endpoint":                       {call{host: apiID + "-" + endpoint + domain}, "", 200, "", `{}`},
		"3/the Host that was sent is the one that was signed": {call{host: apiID + domain, tamper: func(r *http.Request) { r.Host = "localhost" }}, "", 403, "InvalidSignatureException", ""},
		"3/private DNS sends public APIs into the endpoint":   {call{host: publicID + domain, path: "/dev/open", key: "-"}, "", 403, "ForbiddenException", forbidden},
		"3/the public API from the internet":                  {call{host: publicID + domain, path: "/dev/open", key: "-"}, "public", 200, "", `{}`},
		"3/a port that was signed":                            {call{host: apiID + domain + ":8443"}, "", 200, "", `{}`},
		"3/the name of another case":                          {call{host: strings.ToUpper(apiID + domain)}, "", 200, "", `{}`},
		"3/the alias of an endpoint that is not associated":   {call{host: apiID + "-vpce-0fedcba9876543210" + domain}, "other", 403, "ForbiddenException", forbidden},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withPublicAPI)
			if tt.door == "public" {
				tt.call.server = f.public
			} else if tt.door == "other" {
				tt.call.server = f.other
			}
			got := f.do(t, tt.call)
			if got.status != tt.status || got.errorType != tt.errorType || tt.body != "" && got.body != tt.body {
				t.Errorf("got %d %s\n%s\nwant %d %s\n%s", got.status, got.errorType, got.body, tt.status, tt.errorType, tt.body)
			}
			if strings.Contains(name, "doubled") && !strings.Contains(got.body, masked+"dev/GET/movie_list// because") {
				t.Errorf("got %s, want both slashes", got.body)
			}
		})
	}
}

// target sends another path than the one that was signed; both normalise to the same.
func target(path string) func(*http.Request) {
	return func(r *http.Request) {
		if strings.HasPrefix(path, "//") { // net/url takes that for a host in Opaque
			r.URL.Path = path
			return
		}
		r.URL.Opaque = path
	}
}

// A private API cannot be deployed without a resource policy.
func TestFidelityDeployment(t *testing.T) {
	_, err := gateway.New(gateway.Config{
		Region: region, AccountID: account, Identities: people{}, Invoker: &function{},
		APIs: []gateway.API{{ID: apiID, Stage: "dev", Private: true}},
	})
	if err == nil || !strings.Contains(err.Error(), "Private REST API doesn't have a resource policy attached to it") {
		t.Errorf("got %v", err)
	}
}

// Doubled slashes open nothing that a policy closes, and do not pass where only the plain path does.
func TestSecurityDoubledSlashes(t *testing.T) {
	tests := map[string]struct {
		policies string
		status   int
	}{
		"only the plain path is allowed":   {allow(apiARN + "dev/GET/movie_list"), 403},
		"only the doubled path is allowed": {allow(apiARN + "dev/GET//movie_list"), 403},
		"both are allowed":                 {allow(apiARN + "dev/GET/*"), 200},
		"the plain path is denied":         {`{"Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"},{"Effect":"Deny","Action":"execute-api:Invoke","Resource":"` + apiARN + `dev/GET/movie_list"}]}`, 403},
		"the doubled path is denied":       {`{"Statement":[{"Effect":"Allow","Action":"execute-api:Invoke","Resource":"*"},{"Effect":"Deny","Action":"execute-api:Invoke","Resource":"` + apiARN + `dev/GET//movie_list"}]}`, 403},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.people["ASIAREADER"] = identity(t, readerARN, tt.policies)
			if got := f.do(t, call{tamper: target("/dev//movie_list")}); got.status != tt.status {
				t.Errorf("got %d %s, want %d", got.status, got.body, tt.status)
			}
			f = newFixture(t, func(_ *gateway.Config, d *gateway.Door) {
				d.Policy = parse(t, strings.ReplaceAll(tt.policies, `"Action"`, `"Principal":"*","Action"`), policy.KindEndpoint)
			})
			if got := f.do(t, call{tamper: target("/dev//movie_list")}); got.status != tt.status {
				t.Errorf("as an endpoint policy: got %d %s, want %d", got.status, got.body, tt.status)
			}
		})
	}
}
