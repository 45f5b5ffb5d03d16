package gateway_test

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/policy"
)

// withProxy has one greedy method at the root of the stage.
func withProxy(c *gateway.Config, _ *gateway.Door) {
	c.APIs[0].Routes = []gateway.Route{
		{Method: "ANY", Path: "/{proxy+}", Function: "proxy"},
		{Method: "GET", Path: "/static", Function: "static"}, {Method: "GET", Path: "/static/{id}", Function: "one"}, {Method: "ANY", Path: "/static/{id}/{rest+}", Function: "rest"},
	}
}

// How a path reaches the function: the rows were recorded from the real service with the resource /{proxy+}.
func TestFidelityPaths(t *testing.T) {
	tests := map[string]struct {
		signed, wire             string // wire: empty where it is the signed one
		path, proxy, contextPath string
	}{
		"5.2/plain":                              {"/dev/proxy-value", "", "/proxy-value", "proxy-value", "/dev/proxy-value"},
		"5.2/a slash at the end":                 {"/dev/proxy-value/", "", "/proxy-value/", "proxy-value", "/dev/proxy-value/"},
		"5.2/a doubled slash":                    {"/dev/proxy-value/double-slash", "/dev/proxy-value//double-slash", "/proxy-value//double-slash", "proxy-value//double-slash", "/dev/proxy-value//double-slash"},
		"5.2/a doubled slash before the stage":   {"/dev/proxy-value", "//dev/proxy-value", "/proxy-value", "proxy-value", "/dev/proxy-value"},
		"5.2/a doubled slash after the stage":    {"/dev/proxy-value", "/dev//proxy-value", "/proxy-value", "proxy-value", "/dev//proxy-value"},
		"5.2/encoded characters are not decoded": {"/dev/test%2Balias@gmail.com/plus/test+alias@gmail.com", "", "/test%2Balias@gmail.com/plus/test+alias@gmail.com", "test%2Balias@gmail.com/plus/test+alias@gmail.com", "/dev/test%2Balias@gmail.com/plus/test+alias@gmail.com"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withProxy)
			c := call{path: tt.signed}
			if tt.wire != "" {
				c.tamper = target(tt.wire)
			}
			if strings.Contains(tt.signed, "@") {
				c.tamper = target(tt.signed) // as it is, where the client would encode it another way
			}
			got := f.do(t, c)
			if got.status != 200 {
				t.Fatalf("got %d %s", got.status, got.body)
			}
			event := f.function.event
			want := []any{tt.path, map[string]any{"proxy": tt.proxy}, tt.contextPath, "/{proxy+}"}
			context := event["requestContext"].(map[string]any)
			if diff := cmp.Diff(want, []any{event["path"], event["pathParameters"], context["path"], event["resource"]}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// Which method and resource a request meets.
func TestFidelityRoutes(t *testing.T) {
	tests := map[string]struct {
		method, path, resource string // empty: none
	}{
		"5.2/static before greedy":            {"GET", "/dev/static", "/static"},
		"5.2/a slash at the end is ignored":   {"GET", "/dev/static/", "/static"},
		"5.2/a parameter before greedy":       {"GET", "/dev/static/7", "/static/{id}"},
		"5.2/greedy below a parameter":        {"GET", "/dev/static/7/a/b", "/static/{id}/{rest+}"},
		"5.2/greedy":                          {"GET", "/dev/other/7", "/{proxy+}"},
		"5.2/ANY is DELETE":                   {"DELETE", "/dev/other", "/{proxy+}"},
		"5.2/ANY is HEAD":                     {"HEAD", "/dev/other", "/{proxy+}"},
		"5.2/ANY is OPTIONS":                  {"OPTIONS", "/dev/other", "/{proxy+}"},
		"5.2/ANY is PATCH":                    {"PATCH", "/dev/other", "/{proxy+}"},
		"5.2/ANY is POST":                     {"POST", "/dev/other", "/{proxy+}"},
		"5.2/ANY is PUT":                      {"PUT", "/dev/other", "/{proxy+}"},
		"5.2/ANY is no other method":          {"TRACE", "/dev/other", ""},
		"5.2/a resource hides the greedy one": {"PUT", "/dev/static", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withProxy)
			got := f.do(t, call{method: tt.method, path: tt.path, key: "ASIAPARTNER"})
			resource, _ := f.function.event["resource"].(string)
			if resource != tt.resource || (got.status == 200) != (tt.resource != "") {
				t.Errorf("got %d and %q, want %q", got.status, resource, tt.resource)
			}
		})
	}
}

// What the event tells of a caller, and of the way it came.
func TestFidelityEventIdentity(t *testing.T) {
	open := func(c *gateway.Config, _ *gateway.Door) {
		c.APIs[1].Routes = append(c.APIs[1].Routes, gateway.Route{Method: "GET", Path: "/keyed", Function: "keyed", NoAuth: true})
	}
	keys := []string{
		"accessKey", "accountId", "caller", "cognitoAuthenticationProvider", "cognitoAuthenticationType", "cognitoIdentityId", "cognitoIdentityPoolId",
		"principalOrgId", "sourceIp", "user", "userAgent", "userArn",
	}
	const alias = apiID + "-" + endpoint + ".execute-api.ap-northeast-2.amazonaws.com"
	tests := map[string]struct {
		call   call
		public bool
		more   []string // keys beside those that are always there
		values map[string]any
	}{
		"5.1/an assumed role through the endpoint": {call{header: map[string]string{"User-Agent": "a"}}, false, []string{"vpcId", "vpceId"}, map[string]any{
			"accessKey": "ASIAREADER", "accountId": account, "caller": "AROAEXAMPLE:reader", "user": "AROAEXAMPLE:reader", "userArn": readerARN, "principalOrgId": nil,
			"sourceIp": "127.0.0.1", "vpcId": "vpc-1", "vpceId": endpoint, "userAgent": "a", "cognitoIdentityId": nil, "cognitoIdentityPoolId": nil,
			"cognitoAuthenticationType": nil, "cognitoAuthenticationProvider": nil,
		}},
		"5.1/nobody from the internet": {call{key: "-", host: publicID + ".execute-api.ap-northeast-2.amazonaws.com", path: "/dev/open", header: map[string]string{"User-Agent": "a"}}, true, nil, map[string]any{
			"accessKey": nil, "accountId": nil, "caller": nil, "user": nil, "userArn": nil, "sourceIp": "127.0.0.1", "userAgent": "a",
		}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withPublicAPI, open)
			if tt.public {
				tt.call.server = f.public
			}
			if got := f.do(t, tt.call); got.status != 200 {
				t.Fatalf("got %d %s", got.status, got.body)
			}
			identity := f.function.event["requestContext"].(map[string]any)["identity"].(map[string]any)
			want := append(slices.Clone(keys), tt.more...)
			slices.Sort(want)
			if diff := cmp.Diff(want, slices.Sorted(maps.Keys(identity))); diff != "" {
				t.Errorf("keys (-want +got):\n%s", diff)
			}
			for key, value := range tt.values {
				if identity[key] != value {
					t.Errorf("%s: got %v, want %v", key, identity[key], value)
				}
			}
		})
	}
	t.Run("5.1/the alias is the domain", func(t *testing.T) {
		f := newFixture(t)
		f.do(t, call{host: alias})
		context := f.function.event["requestContext"].(map[string]any)
		if context["domainName"] != alias || context["domainPrefix"] != apiID+"-"+endpoint {
			t.Errorf("got %v and %v", context["domainName"], context["domainPrefix"])
		}
	})
	t.Run("5.1/no authorizer under AWS_IAM", func(t *testing.T) {
		f := newFixture(t)
		f.do(t, call{})
		if _, ok := f.function.event["requestContext"].(map[string]any)["authorizer"]; ok {
			t.Error("there is one")
		}
	})
	t.Run("5.1/top level", func(t *testing.T) {
		f := newFixture(t)
		f.do(t, call{})
		want := "[body headers httpMethod isBase64Encoded multiValueHeaders multiValueQueryStringParameters path pathParameters queryStringParameters requestContext resource stageVariables]"
		if got := fmt.Sprint(slices.Sorted(maps.Keys(f.function.event))); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("5.1/requestContext", func(t *testing.T) {
		f := newFixture(t)
		f.do(t, call{})
		want := "[accountId apiId deploymentId domainName domainPrefix extendedRequestId httpMethod identity path protocol requestId requestTime requestTimeEpoch resourceId resourcePath stage]"
		if got := fmt.Sprint(slices.Sorted(maps.Keys(f.function.event["requestContext"].(map[string]any)))); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	})
	t.Run("5.1/an endpoint with a policy of its own", func(t *testing.T) {
		f := newFixture(t, func(_ *gateway.Config, d *gateway.Door) {
			d.Policy = parse(t, document(statement("Allow", everybody)), policy.KindEndpoint)
		})
		f.do(t, call{})
		if config := f.function.event["headers"].(map[string]any)["x-amzn-vpce-config"]; config != "0" {
			t.Errorf("got x-amzn-vpce-config %v, want 0", config)
		}
	})
	t.Run("5.1/headers of a regional API", func(t *testing.T) {
		f := newFixture(t, withPublicAPI)
		f.do(t, call{
			key: "-", host: publicID + ".execute-api.ap-northeast-2.amazonaws.com", path: "/dev/open", server: f.public,
			header: map[string]string{"X-Forwarded-Proto": "gopher", "X-Amzn-Vpce-Id": endpoint, "X-Amzn-Trace-Id": "Root=1-3152b799-8954dae64eda91bc9a23a7e8;Parent=7fa8c0f79203be72"},
		})
		headers := f.function.event["headers"].(map[string]any)
		for name, want := range map[string]any{
			"X-Forwarded-For": "127.0.0.1", "X-Forwarded-Port": "443", "X-Forwarded-Proto": "https", "X-Amzn-Trace-Id": "Root=1-3152b799-8954dae64eda91bc9a23a7e8",
			"x-amzn-vpce-id": nil, "X-Amzn-Vpce-Id": nil, "x-amzn-cipher-suite": nil,
		} {
			if headers[name] != want {
				t.Errorf("%s: got %v, want %v", name, headers[name], want)
			}
		}
	})
	t.Run("5.1/headers of a private API", func(t *testing.T) {
		f := newFixture(t)
		f.do(t, call{})
		headers := f.function.event["headers"].(map[string]any)
		for _, name := range []string{"x-amzn-cipher-suite", "x-amzn-tls-version", "x-amzn-vpc-id", "x-amzn-vpce-id", "x-amzn-vpce-config", "X-Forwarded-For"} {
			if headers[name] == nil {
				t.Errorf("%s is missing", name)
			}
		}
	})
}
