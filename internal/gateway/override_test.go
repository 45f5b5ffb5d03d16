package gateway_test

import (
	"net/http"
	"testing"

	"github.com/marquee-api/marquee/internal/gateway"
)

func withDelete(c *gateway.Config, _ *gateway.Door) {
	c.APIs[0].Routes = append(c.APIs[0].Routes,
		gateway.Route{Method: "DELETE", Path: "/movie_list", Function: "delete"},
		gateway.Route{Method: "GET", Path: "/open", Function: "open", NoAuth: true},
		gateway.Route{Method: "DELETE", Path: "/open", Function: "delete"})
}

// The overriding method is the one that is routed and authorised; the signature is over the one on the wire.
func TestSecurityMethodOverride(t *testing.T) {
	override := func(method string) map[string]string { return map[string]string{"X-HTTP-Method-Override": method} }
	noDelete := denial(readerARN, "dev/DELETE/movie_list", " because no identity-based policy allows the execute-api:Invoke action")
	tests := map[string]struct {
		call      call
		status    int
		errorType string
		body      string
		method    string // of the event
	}{
		"a right to DELETE, sent as POST":          {call{method: "POST", key: "ASIAPARTNER", header: override("DELETE")}, 200, "", `{}`, "DELETE"},
		"a right to GET only, sent as GET":         {call{header: override("DELETE")}, 403, "AccessDeniedException", noDelete, ""},
		"a right to GET only, sent as POST":        {call{method: "POST", header: override("DELETE")}, 403, "AccessDeniedException", noDelete, ""},
		"a DELETE becomes the GET that is allowed": {call{method: "DELETE", header: override("GET")}, 200, "", `{}`, "GET"},
		"the same method":                          {call{header: override("GET")}, 200, "", `{}`, "GET"},
		"unsigned, of an open method":              {call{key: "-", path: "/dev/open", header: override("DELETE")}, 403, "MissingAuthenticationTokenException", missing, ""},
		"unsigned, to an open method": {call{key: "-", path: "/dev/open", method: "DELETE", header: override("GET")}, 403, "AccessDeniedException",
			denial("anonymous", "dev/GET/open", " because no resource-based policy allows the execute-api:Invoke action"), ""},
		"no such route":   {call{key: "ASIAPARTNER", header: override("PUT")}, 403, "MissingAuthenticationTokenException", missing, ""},
		"no method":       {call{header: override("GET/movie_list")}, 400, "BadRequestException", `{"message":"Bad Request"}`, ""},
		"in another case": {call{header: override("delete")}, 400, "BadRequestException", `{"message":"Bad Request"}`, ""},
		"two methods":     {call{header: override("GET PUT")}, 400, "BadRequestException", `{"message":"Bad Request"}`, ""},
		"two headers": {call{header: override("GET"), tamper: func(r *http.Request) { r.Header.Add("X-HTTP-Method-Override", "DELETE") }},
			400, "BadRequestException", `{"message":"Bad Request"}`, ""},
		"added after signing": {call{key: "ASIAPARTNER", tamper: func(r *http.Request) { r.Header.Set("X-HTTP-Method-Override", "DELETE") }},
			403, "ForbiddenException", forbidden, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withDelete)
			got := f.do(t, tt.call)
			if got.status != tt.status || got.errorType != tt.errorType || got.body != tt.body {
				t.Errorf("got %d %s %s, want %d %s %s", got.status, got.errorType, got.body, tt.status, tt.errorType, tt.body)
			}
			if method, _ := f.function.event["httpMethod"].(string); method != tt.method {
				t.Errorf("the function saw %q, want %q", method, tt.method)
			}
		})
	}
}
