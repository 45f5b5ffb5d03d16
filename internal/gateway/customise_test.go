package gateway_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/gateway"
)

// An API's own answers change words, never decisions.
func TestGatewayResponses(t *testing.T) {
	own := func(kind string, r gateway.GatewayResponse) options {
		return func(c *gateway.Config, _ *gateway.Door) {
			if c.APIs[0].Responses == nil {
				c.APIs[0].Responses = map[string]gateway.GatewayResponse{}
			}
			c.APIs[0].Responses[kind] = r
		}
	}
	const template = `{"kind":"$context.error.responseType","m":$context.error.messageString}`
	tell := gateway.GatewayResponse{Templates: map[string]string{"application/json": template}}
	type want struct {
		status int
		body   string
		header map[string]string
	}
	told := func(status int, kind, message string) want {
		return want{status, `{"kind":"` + kind + `","m":"` + message + `"}`, nil}
	}
	noQuota := gateway.UsagePlan{Quota: &gateway.Quota{Limit: 0, Period: "DAY"}}
	tests := map[string]struct {
		changes []options
		call    call
		want    want
	}{
		"a missing token":          {[]options{own("MISSING_AUTHENTICATION_TOKEN", tell)}, call{key: "-"}, told(403, "MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")},
		"no such route":            {[]options{own("MISSING_AUTHENTICATION_TOKEN", tell)}, call{path: "/dev/nothing"}, told(403, "MISSING_AUTHENTICATION_TOKEN", "Missing Authentication Token")},
		"an unknown key":           {[]options{own("INVALID_SIGNATURE", tell)}, call{key: "ASIANOBODY"}, told(403, "INVALID_SIGNATURE", "The security token included in the request is invalid.")},
		"an expired session":       {[]options{own("EXPIRED_TOKEN", tell), func(c *gateway.Config, _ *gateway.Door) { c.Identities.(people)["ASIAREADER"].Key.Expires = now }}, call{}, told(403, "EXPIRED_TOKEN", "The security token included in the request is expired")},
		"no API key":               {[]options{withKeys(gateway.UsagePlan{}), own("INVALID_API_KEY", tell)}, call{}, told(403, "INVALID_API_KEY", "Forbidden")},
		"no quota":                 {[]options{withKeys(noQuota), own("QUOTA_EXCEEDED", tell)}, call{header: key("0123456789abcdefghij")}, told(429, "QUOTA_EXCEEDED", "Limit Exceeded")},
		"throttled":                {[]options{own("THROTTLED", tell), func(c *gateway.Config, _ *gateway.Door) { c.Throttle = &gateway.Throttle{} }}, call{}, told(429, "THROTTLED", "Too Many Requests")},
		"a parameter":              {[]options{withValidation, own("BAD_REQUEST_PARAMETERS", tell)}, call{path: "/dev/movie_list/1999/Go"}, told(400, "BAD_REQUEST_PARAMETERS", "Missing required request parameters: [x-header-param, qs1]")},
		"not invoked":              {[]options{own("INTEGRATION_FAILURE", tell), failing(errors.New("gone"))}, call{}, told(500, "INTEGRATION_FAILURE", "Internal server error")},
		"a denial":                 {[]options{own("ACCESS_DENIED", gateway.GatewayResponse{Status: 404, Templates: map[string]string{"text/plain": "no $context.httpMethod ${context.stage}"}})}, call{key: "ASIASTRANGER"}, want{404, "no GET dev", map[string]string{"Content-Type": "text/plain", "X-Amzn-Errortype": "AccessDeniedException"}}},
		"what a model says":        {[]options{withValidation, own("BAD_REQUEST_BODY", gateway.GatewayResponse{Templates: map[string]string{"application/json": `{"why":"$context.error.validationErrorString"}`}})}, call{method: "PUT", key: "ASIAPARTNER", body: `{}`}, want{400, `{"why":"no title"}`, nil}},
		"the default of 4xx":       {[]options{own("DEFAULT_4XX", gateway.GatewayResponse{Headers: map[string]string{"Access-Control-Allow-Origin": "'*'", "X-Origin": "method.request.header.Origin", "X-None": "method.request.header.None"}})}, call{key: "-", header: map[string]string{"Origin": "https://example.com"}}, want{403, missing, map[string]string{"Access-Control-Allow-Origin": "*", "X-Origin": "https://example.com", "X-None": ""}}},
		"a header in another case": {[]options{own("DEFAULT_4XX", gateway.GatewayResponse{Headers: map[string]string{"content-type": "'text/plain'"}})}, call{key: "-"}, want{403, missing, map[string]string{"Content-Type": "text/plain"}}},
		"its own comes first":      {[]options{own("DEFAULT_4XX", tell), own("MISSING_AUTHENTICATION_TOKEN", gateway.GatewayResponse{Status: 401})}, call{key: "-"}, want{401, missing, nil}},
		"the default of 5xx":       {[]options{own("DEFAULT_4XX", gateway.GatewayResponse{Status: 418}), own("DEFAULT_5XX", gateway.GatewayResponse{Status: 599}), answering(`"x"`)}, call{}, want{599, `{"message": "Internal server error"}`, nil}},
		"what the caller accepts": {[]options{own("MISSING_AUTHENTICATION_TOKEN", gateway.GatewayResponse{Templates: map[string]string{"application/json": "{}", "text/html": "<p>"}})},
			call{key: "-", header: map[string]string{"Accept": "text/html;q=1, */*"}}, want{403, "<p>", map[string]string{"Content-Type": "text/html"}}},
		"not before the API is known":   {[]options{own("DEFAULT_4XX", tell)}, call{path: "/prod/x"}, want{403, forbidden, nil}},
		"not of a body above 10 MiB":    {[]options{own("DEFAULT_4XX", tell), own("REQUEST_TOO_LARGE", tell)}, call{method: "POST", body: strings.Repeat("x", 10<<20+1)}, want{413, "HTTP content length exceeded 10485760 bytes.", nil}},
		"nor if it comes in chunks":     {[]options{own("DEFAULT_4XX", tell), own("REQUEST_TOO_LARGE", tell)}, call{method: "POST", body: strings.Repeat("x", 10<<20+1), tamper: func(r *http.Request) { r.ContentLength = -1 }}, want{413, "HTTP content length exceeded 10485760 bytes.", nil}},
		"not of a function's own error": {[]options{own("DEFAULT_4XX", tell), answering(`{"statusCode":404,"body":"its own"}`)}, call{}, want{404, "its own", nil}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, tt.changes...)
			got := f.do(t, tt.call)
			if got.status != tt.want.status || got.body != tt.want.body {
				t.Errorf("got %d %s, want %d %s", got.status, got.body, tt.want.status, tt.want.body)
			}
			for name, value := range tt.want.header {
				if got.header.Get(name) != value {
					t.Errorf("%s: got %q, want %q", name, got.header.Get(name), value)
				}
			}
			if record := f.next(t); record.Status != tt.want.status {
				t.Errorf("the record's status is %d", record.Status)
			}
		})
	}
}

// A header that an answer repeats cannot bring a second one with it.
func TestSecurityGatewayResponseHeaders(t *testing.T) {
	f := newFixture(t, func(c *gateway.Config, _ *gateway.Door) {
		c.APIs[0].Responses = map[string]gateway.GatewayResponse{"DEFAULT_4XX": {Headers: map[string]string{"X-Echo": "method.request.querystring.q"}}}
	})
	got := f.do(t, call{key: "-", path: "/dev/movie_list?q=a%0d%0aSet-Cookie:%20b=c"})
	if got.header.Get("Set-Cookie") != "" || !strings.Contains(got.header.Get("X-Echo"), "Set-Cookie") {
		t.Errorf("got %v", got.header)
	}
}
