package gateway_test

import (
	"strings"
	"testing"
	"time"

	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/policy"
)

func statement(effect, more string) string {
	return `{"Effect":"` + effect + `","Action":"execute-api:Invoke","Resource":"*"` + more + `}`
}

func document(statements ...string) string {
	return `{"Version":"2012-10-17","Statement":[` + strings.Join(statements, ",") + `]}`
}

const everybody = `,"Principal":"*"`

// withResourcePolicy gives the API a policy in place of the fence.
func withResourcePolicy(t *testing.T, text string) options {
	return func(c *gateway.Config, _ *gateway.Door) {
		c.APIs[0].ResourcePolicy = parse(t, text, policy.KindResource)
	}
}

// The order of the checks: what comes first is what is answered.
func TestFidelityOrder(t *testing.T) {
	denyAnonymous := document(statement("Allow", everybody), `{"Effect":"Deny","Action":"*","Resource":"*","Principal":"*","Condition":{"Null":{"aws:PrincipalArn":"true"}}}`)
	endpointPolicy := func(text string) options {
		return func(_ *gateway.Config, d *gateway.Door) { d.Policy = parse(t, text, policy.KindEndpoint) }
	}
	anonymousDenied := denial("anonymous", "dev/GET/movie_list", " with an explicit deny in a VPC endpoint policy")
	bearer := map[string]string{"Authorization": "Bearer x"}
	open := func(c *gateway.Config, _ *gateway.Door) {
		c.APIs[0].Routes = append(c.APIs[0].Routes, gateway.Route{Method: "GET", Path: "/open", Function: "open", NoAuth: true})
		c.APIs[0].ResourcePolicy = parse(t, document(statement("Allow", everybody)), policy.KindResource)
	}
	tests := map[string]struct {
		changes   []options
		call      call
		status    int
		errorType string
		body      string
	}{
		"2.1/the endpoint policy before the missing token":       {[]options{endpointPolicy(denyAnonymous)}, call{key: "-"}, 403, "AccessDeniedException", anonymousDenied},
		"2.1/the stage before the endpoint policy":               {[]options{endpointPolicy(denyAnonymous)}, call{key: "-", path: "/prod/x"}, 403, "ForbiddenException", forbidden},
		"2.1/a failed signature before the policies":             {[]options{endpointPolicy(document(statement("Deny", everybody)))}, call{date: now.Add(-time.Hour)}, 403, "InvalidSignatureException", ""},
		"2.1/a bearer token is anonymous to the endpoint policy": {[]options{endpointPolicy(denyAnonymous), open}, call{key: "-", path: "/dev/open", header: bearer}, 403, "AccessDeniedException", denial("anonymous", "dev/GET/open", " with an explicit deny in a VPC endpoint policy")},
		"2.1/a bearer token passes on an open method":            {[]options{open}, call{key: "-", path: "/dev/open", header: bearer}, 200, "", `{}`},
		"2.1/an invalid signature is refused on an open method":  {[]options{open}, call{path: "/dev/open", date: now.Add(-time.Hour)}, 403, "InvalidSignatureException", ""},
		"2.1/a valid signature on an open method":                {[]options{open}, call{key: "ASIASTRANGER", path: "/dev/open"}, 200, "", `{}`},
		"2.1/the default endpoint policy":                        {[]options{endpointPolicy(`{"Statement":[{"Action":"*","Effect":"Allow","Principal":"*","Resource":"*"}]}`)}, call{}, 200, "", `{}`},
		"2.1/authorization before the route":                     {nil, call{key: "ASIASTRANGER", path: "/dev/nothing"}, 403, "AccessDeniedException", denial(strangerARN, "dev/GET/nothing", " because no identity-based policy allows the execute-api:Invoke action")},
		"2.1/authorization before the API key":                   {[]options{withKeys(gateway.UsagePlan{})}, call{key: "ASIASTRANGER"}, 403, "AccessDeniedException", ""},
		"2.1/the API key before the throttle":                    {[]options{withKeys(gateway.UsagePlan{}), func(c *gateway.Config, _ *gateway.Door) { c.Throttle = &gateway.Throttle{} }}, call{}, 403, "ForbiddenException", forbidden},
		"2.1/the throttle before the validation":                 {[]options{withValidation, func(c *gateway.Config, _ *gateway.Door) { c.Throttle = &gateway.Throttle{} }}, call{path: "/dev/movie_list/1999/Go"}, 429, "TooManyRequestsException", `{"message":"Too Many Requests"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, tt.changes...)
			got := f.do(t, tt.call)
			if got.status != tt.status || got.errorType != tt.errorType || tt.body != "" && got.body != tt.body {
				t.Errorf("got %d %s %s, want %d %s %s", got.status, got.errorType, got.body, tt.status, tt.errorType, tt.body)
			}
		})
	}
}

// Tables A and B of "API Gateway authorization workflow", on the wire, and how AWS words each of them.
func TestFidelityTables(t *testing.T) {
	const (
		byIdentity    = " because no identity-based policy allows the execute-api:Invoke action"
		byResource    = " because no resource-based policy allows the execute-api:Invoke action"
		denyResource  = " with an explicit deny in a resource-based policy"
		denyIdentity  = " with an explicit deny in an identity-based policy"
		allowed       = ""
		here, foreign = "ASIAREADER", "ASIAFOREIGN"
	)
	identityPolicies := map[string]string{"Allow": document(statement("Allow", "")), "silent": "", "Deny": document(statement("Allow", ""), statement("Deny", ""))}
	resourcePolicies := map[string]string{
		"Allow":  document(statement("Allow", everybody)),
		"silent": document(`{"Effect":"Allow","Action":"execute-api:ManageConnections","Resource":"*","Principal":"*"}`),
		"Deny":   document(statement("Allow", everybody), statement("Deny", everybody)),
	}
	tests := map[string]struct{ key, identity, resource, suffix string }{
		"2.2/A Allow, Allow":   {here, "Allow", "Allow", allowed},
		"2.2/A Allow, silent":  {here, "Allow", "silent", allowed},
		"2.2/A Allow, Deny":    {here, "Allow", "Deny", denyResource},
		"2.2/A silent, Allow":  {here, "silent", "Allow", allowed},
		"2.2/A silent, silent": {here, "silent", "silent", byIdentity},
		"2.2/A silent, Deny":   {here, "silent", "Deny", denyResource},
		"2.2/A Deny, Allow":    {here, "Deny", "Allow", denyIdentity},
		"2.2/A Deny, silent":   {here, "Deny", "silent", denyIdentity},
		"2.2/A Deny, Deny":     {here, "Deny", "Deny", denyResource},
		"2.2/B Allow, Allow":   {foreign, "Allow", "Allow", allowed},
		"2.2/B Allow, silent":  {foreign, "Allow", "silent", byResource},
		"2.2/B Allow, Deny":    {foreign, "Allow", "Deny", denyResource},
		"2.2/B silent, Allow":  {foreign, "silent", "Allow", byIdentity},
		"2.2/B silent, silent": {foreign, "silent", "silent", byResource},
		"2.2/B silent, Deny":   {foreign, "silent", "Deny", denyResource},
		"2.2/B Deny, Allow":    {foreign, "Deny", "Allow", denyIdentity},
		"2.2/B Deny, silent":   {foreign, "Deny", "silent", denyIdentity},
		"2.2/B Deny, Deny":     {foreign, "Deny", "Deny", denyResource},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withResourcePolicy(t, resourcePolicies[tt.resource]))
			arn := map[string]string{here: readerARN, foreign: foreignARN}[tt.key]
			f.people[tt.key] = identity(t, arn, identityPolicies[tt.identity])
			got := f.do(t, call{key: tt.key})
			want := answer{status: 403, errorType: "AccessDeniedException", body: denial(arn, "dev/GET/movie_list", tt.suffix)}
			if tt.suffix == allowed {
				want = answer{status: 200, body: `{}`}
			}
			if got.status != want.status || got.errorType != want.errorType || got.body != want.body {
				t.Errorf("got %d %s %s\nwant %d %s %s", got.status, got.errorType, got.body, want.status, want.errorType, want.body)
			}
		})
	}
}

// What the tables do not say: open methods, APIs without a policy, principals of methods without AWS_IAM.
func TestFidelityOtherPolicies(t *testing.T) {
	open := func(resource string) options {
		return func(c *gateway.Config, _ *gateway.Door) {
			c.APIs[0].Routes = append(c.APIs[0].Routes, gateway.Route{Method: "GET", Path: "/open", Function: "open", NoAuth: true})
			c.APIs[0].ResourcePolicy = parse(t, resource, policy.KindResource)
		}
	}
	const noResource = " because no resource-based policy allows the execute-api:Invoke action"
	reader := `,"Principal":{"AWS":"arn:aws:iam::123456789012:role/Reader"}`
	unsigned := call{key: "-", path: "/dev/open"}
	tests := map[string]struct {
		change options
		call   call
		public bool
		status int
		body   string
	}{
		"2.2/an open method needs an Allow":                  {open(document(statement("Allow", everybody))), unsigned, false, 200, `{}`},
		"2.2/an open method, the policy silent":              {open(document(statement("Allow", reader))), unsigned, false, 403, denial("anonymous", "dev/GET/open", noResource)},
		"2.2/an open method, a Deny":                         {open(document(statement("Allow", everybody), statement("Deny", everybody))), unsigned, false, 403, denial("anonymous", "dev/GET/open", " with an explicit deny in a resource-based policy")},
		"2.2/a principal on an open method is nobody":        {open(document(statement("Allow", reader))), call{path: "/dev/open"}, false, 403, denial("anonymous", "dev/GET/open", noResource)},
		"2.2/a public API without a policy, an open method":  {withPublicAPI, call{key: "-", host: publicID + ".execute-api.ap-northeast-2.amazonaws.com", path: "/dev/open"}, true, 200, `{}`},
		"2.2/a public API without a policy, identity silent": {withPublicAPI, call{key: "ASIASTRANGER", host: publicID + ".execute-api.ap-northeast-2.amazonaws.com"}, true, 403, strings.Replace(denial(strangerARN, "dev/GET/movie_list", " because no identity-based policy allows the execute-api:Invoke action"), apiID, publicID, 1)},
		"2.2/associating an endpoint grants nothing": {func(c *gateway.Config, _ *gateway.Door) {
			c.APIs[0].VPCEndpointIDs = append(c.APIs[0].VPCEndpointIDs, "vpce-1")
		}, call{key: "ASIASTRANGER"}, false, 403, denial(strangerARN, "dev/GET/movie_list", " because no identity-based policy allows the execute-api:Invoke action")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, tt.change)
			if tt.public {
				tt.call.server = f.public
			}
			if got := f.do(t, tt.call); got.status != tt.status || got.body != tt.body {
				t.Errorf("got %d %s\nwant %d %s", got.status, got.body, tt.status, tt.body)
			}
		})
	}
}

// The ARN that policies match: the actual method and path of the API.
func TestFidelityARNs(t *testing.T) {
	const one = "/dev/movie_list/1999/Go"
	tests := map[string]struct {
		resource string
		path     string
		status   int
	}{
		"2.3/the actual path":                        {apiARN + "dev/GET/movie_list/1999/Go", one, 200},
		"2.3/not the template":                       {apiARN + "dev/GET/movie_list/{year}/{title}", one, 403},
		"2.3/a star takes slashes":                   {apiARN + "dev/GET/movie_list/*", one, 200},
		"2.3/a star of the method":                   {apiARN + "dev/*/movie_list/1999/Go", one, 200},
		"2.3/a question mark is one character":       {apiARN + "dev/GET/movie_list/199?/Go", one, 200},
		"2.3/a question mark is not none":            {apiARN + "dev/GET/movie_list/1999?/Go", one, 403},
		"2.3/case counts":                            {apiARN + "dev/GET/Movie_list/*", one, 403},
		"2.3/the method's case counts":               {apiARN + "dev/get/*", one, 403},
		"2.3/another stage":                          {apiARN + "prod/GET/*", one, 403},
		"2.3/any stage":                              {apiARN + "*/GET/*", one, 200},
		"2.3/another account":                        {"arn:aws:execute-api:ap-northeast-2:210987654321:a1b2c3d4e5/*", one, 403},
		"2.3/any region and account":                 {"arn:aws:execute-api:*:*:a1b2c3d4e5/*", one, 200},
		"2.3/a star does not cross the first colons": {"arn:aws:execute-api:*:a1b2c3d4e5/*", one, 403},
		"2.3/the short form of all":                  {"arn:aws:execute-api:*", one, 200},
		"2.3/an API and a slash is no path":          {apiARN, one, 403},
		"2.3/a colon in the path":                    {apiARN + "dev/GET/movie_list/1999/a:b", "/dev/movie_list/1999/a:b", 200},
		"2.3/a star takes colons in the path":        {apiARN + "dev/GET/movie_list/*", "/dev/movie_list/1999/a:b", 200},
		"2.3/encoding is kept":                       {apiARN + "dev/GET/movie_list/1999/A%2FB", "/dev/movie_list/1999/A%2FB", 200},
		"2.3/encoding is not decoded":                {apiARN + "dev/GET/movie_list/1999/A/B", "/dev/movie_list/1999/A%2FB", 403},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			f.people["ASIAREADER"] = identity(t, readerARN, allow(tt.resource))
			if got := f.do(t, call{path: tt.path}); got.status != tt.status {
				t.Errorf("%s: got %d %s, want %d", tt.resource, got.status, got.body, tt.status)
			}
		})
	}
	t.Run("2.3/the short form in a resource policy", func(t *testing.T) {
		f := newFixture(t, withResourcePolicy(t, `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/dev/GET/movie_list"}]}`))
		if got := f.do(t, call{key: "ASIASTRANGER"}); got.status != 200 {
			t.Errorf("got %d %s", got.status, got.body)
		}
		if got := f.do(t, call{key: "ASIASTRANGER", path: one}); got.status != 403 {
			t.Errorf("another path: got %d %s", got.status, got.body)
		}
	})
	t.Run("2.3/another action", func(t *testing.T) {
		f := newFixture(t)
		f.people["ASIAREADER"] = identity(t, readerARN, document(`{"Effect":"Allow","Action":["execute-api:InvalidateCache","execute-api:ManageConnections"],"Resource":"*"}`))
		if got := f.do(t, call{}); got.status != 403 {
			t.Errorf("got %d %s", got.status, got.body)
		}
	})
}

// The condition keys of a request, each by a policy that allows only if the key is there with its value.
func TestFidelityConditionKeys(t *testing.T) {
	null := func(key, absent string) string { return `{"Null":{"` + key + `":"` + absent + `"}}` }
	equals := func(key, value string) string { return `{"StringEquals":{"` + key + `":"` + value + `"}}` }
	agent := map[string]string{"User-Agent": "tester", "Referer": "https://example.com/"}
	tests := map[string]struct {
		condition string
		public    bool
		call      call
	}{
		"2.4/aws:CurrentTime":                       {`{"DateEquals":{"aws:CurrentTime":"2026-03-04T05:06:07Z"}}`, false, call{}},
		"2.4/aws:EpochTime":                         {`{"NumericEquals":{"aws:EpochTime":"1772600767"}}`, false, call{}},
		"2.4/aws:SecureTransport":                   {`{"Bool":{"aws:SecureTransport":"true"}}`, false, call{}},
		"2.4/aws:SourceIp is not there":             {null("aws:SourceIp", "true"), false, call{}},
		"2.4/aws:VpcSourceIp":                       {`{"IpAddress":{"aws:VpcSourceIp":"127.0.0.0/8"}}`, false, call{}},
		"2.4/aws:SourceVpce":                        {equals("aws:SourceVpce", endpoint), false, call{}},
		"2.4/aws:SourceVpc":                         {equals("aws:SourceVpc", "vpc-1"), false, call{}},
		"2.4/aws:UserAgent":                         {equals("aws:UserAgent", "tester"), false, call{header: agent}},
		"2.4/aws:Referer":                           {equals("aws:Referer", "https://example.com/"), false, call{header: agent}},
		"2.4/aws:Referer only if it was sent":       {null("aws:Referer", "true"), false, call{}},
		"2.4/aws:PrincipalAccount":                  {equals("aws:PrincipalAccount", account), false, call{}},
		"2.4/aws:PrincipalArn is the role's":        {equals("aws:PrincipalArn", "arn:aws:iam::123456789012:role/Reader"), false, call{}},
		"2.4/aws:PrincipalType":                     {equals("aws:PrincipalType", "AssumedRole"), false, call{}},
		"2.4/aws:userid":                            {equals("aws:userid", "AROAEXAMPLE:reader"), false, call{}},
		"2.4/aws:username is a user's only":         {null("aws:username", "true"), false, call{}},
		"2.4/aws:PrincipalOrgID without one":        {null("aws:PrincipalOrgID", "true"), false, call{}},
		"2.4/aws:PrincipalTag":                      {equals("aws:PrincipalTag/team", "movies"), false, call{}},
		"2.4/aws:TokenIssueTime":                    {`{"DateEquals":{"aws:TokenIssueTime":"2026-03-04T05:06:07Z"}}`, false, call{}},
		"2.4/aws:MultiFactorAuthPresent":            {`{"Bool":{"aws:MultiFactorAuthPresent":"false"}}`, false, call{}},
		"2.4/aws:MultiFactorAuthAge without MFA":    {null("aws:MultiFactorAuthAge", "true"), false, call{}},
		"2.4/key names do not mind case":            {equals("AWS:SOURCEVPCE", endpoint), false, call{}},
		"2.4/StringEqualsIgnoreCase":                {`{"StringEqualsIgnoreCase":{"aws:SourceVpce":"` + strings.ToUpper(endpoint) + `"}}`, false, call{}},
		"2.4/StringLike":                            {`{"StringLike":{"aws:SourceVpce":"vpce-0123456789abcde??"}}`, false, call{}},
		"2.4/ArnLike":                               {`{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::*:role/Read*"}}`, false, call{}},
		"2.4/IfExists without the key":              {`{"StringEqualsIfExists":{"aws:SourceIp":"x"}}`, false, call{}},
		"2.4/NotIpAddress without the key":          {`{"NotIpAddress":{"aws:SourceIp":"10.0.0.0/8"}}`, false, call{}},
		"2.4/StringNotEquals without the key":       {`{"StringNotEquals":{"aws:SourceIp":"x"}}`, false, call{}},
		"2.4/values of one key are alternatives":    {`{"StringEquals":{"aws:SourceVpce":["vpce-1","` + endpoint + `"]}}`, false, call{}},
		"2.4/aws:SourceIp from the internet":        {`{"IpAddress":{"aws:SourceIp":"127.0.0.0/8"}}`, true, call{}},
		"2.4/aws:SourceVpce not from the internet":  {null("aws:SourceVpce", "true"), true, call{}},
		"2.4/aws:VpcSourceIp not from the internet": {null("aws:VpcSourceIp", "true"), true, call{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(c *gateway.Config, _ *gateway.Door) { c.APIs[0].Private = !tt.public },
				withResourcePolicy(t, document(statement("Allow", everybody+`,"Condition":`+tt.condition))))
			f.people["ASIASTRANGER"].ContextKeys = map[string]string{"aws:PrincipalTag/team": "movies"}
			f.people["ASIASTRANGER"].Principal = f.people["ASIAREADER"].Principal
			tt.call.key = "ASIASTRANGER" // whose own policies say nothing
			if tt.public {
				tt.call.server = f.public
			}
			if got := f.do(t, tt.call); got.status != 200 {
				t.Errorf("%s: got %d %s, want 200", tt.condition, got.status, got.body)
			}
		})
	}
	refused := map[string]string{
		"2.4/StringEquals minds case":              equals("aws:SourceVpce", strings.ToUpper(endpoint)),
		"2.4/StringEquals without the key":         equals("aws:SourceIp", "127.0.0.1"),
		"2.4/StringNotEquals of the value":         `{"StringNotEquals":{"aws:SourceVpce":["vpce-1","` + endpoint + `"]}}`,
		"2.4/keys are all to hold":                 `{"StringEquals":{"aws:SourceVpce":"` + endpoint + `","aws:SourceVpc":"vpc-2"}}`,
		"2.4/operators are all to hold":            `{"StringEquals":{"aws:SourceVpce":"` + endpoint + `"},"Bool":{"aws:SecureTransport":"false"}}`,
		"2.4/a wildcard is text to StringEquals":   equals("aws:SourceVpce", "vpce-*"),
		"2.4/the session's ARN is no PrincipalArn": equals("aws:PrincipalArn", readerARN),
	}
	for name, condition := range refused {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withResourcePolicy(t, document(statement("Allow", everybody+`,"Condition":`+condition))))
			f.people["ASIASTRANGER"].Principal = f.people["ASIAREADER"].Principal
			if got := f.do(t, call{key: "ASIASTRANGER"}); got.status != 403 {
				t.Errorf("%s: got %d %s, want 403", condition, got.status, got.body)
			}
		})
	}
}

// Denials in AWS's words, where the other tables have not had them.
func TestFidelityDenials(t *testing.T) {
	sessions := func(boundary, session string) func(*fixture) {
		return func(f *fixture) {
			if boundary != "" {
				f.people["ASIAREADER"].Boundary = parse(t, boundary, policy.KindIdentity)
			}
			if session != "" {
				f.people["ASIAREADER"].Session = parse(t, session, policy.KindIdentity)
			}
		}
	}
	other := document(`{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}`)
	deny := document(statement("Allow", ""), statement("Deny", ""))
	tests := map[string]struct {
		change func(*fixture)
		call   call
		suffix string
	}{
		"1.4/the permissions boundary is silent": {sessions(other, ""), call{}, " because no permissions boundary allows the execute-api:Invoke action"},
		"1.4/the permissions boundary denies":    {sessions(deny, ""), call{}, " with an explicit deny in a permissions boundary"},
		"1.4/the session policy is silent":       {sessions("", other), call{}, " because no session policy allows the execute-api:Invoke action"},
		"1.4/the session policy denies":          {sessions("", deny), call{}, " with an explicit deny in a session policy"},
		"1.4/a user": {func(f *fixture) {
			f.people["ASIAREADER"] = identity(t, "arn:aws:iam::123456789012:user/team/ann", "")
			f.people["ASIAREADER"].Key.SessionToken = ""
		}, call{}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			tt.change(f)
			who := readerARN
			if tt.suffix == "" {
				who, tt.suffix = "arn:aws:iam::123456789012:user/team/ann", " because no identity-based policy allows the execute-api:Invoke action"
				tt.call.longTerm = true
			}
			got := f.do(t, tt.call)
			if want := denial(who, "dev/GET/movie_list", tt.suffix); got.status != 403 || got.errorType != "AccessDeniedException" || got.body != want {
				t.Errorf("got %d %s %s\nwant %s", got.status, got.errorType, got.body, want)
			}
		})
	}
}
