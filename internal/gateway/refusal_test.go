package gateway_test

import (
	"crypto/sha256"
	"encoding/base64"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/policy"
)

const (
	missing   = `{"message":"Missing Authentication Token"}`
	forbidden = `{"message":"Forbidden"}`
)

// denial is the body of a refusal by policy: a capital Message, and the account masked.
func denial(who, resource, suffix string) string {
	return `{"Message":"User: ` + who + ` is not authorized to perform: execute-api:Invoke on resource: ` + masked + resource + suffix + `"}`
}

const (
	callerARN   = "arn:aws:sts::123456789012:assumed-role/Caller/caller"
	readerARN   = "arn:aws:sts::123456789012:assumed-role/Reader/reader"
	strangerARN = "arn:aws:sts::123456789012:assumed-role/Stranger/stranger"
	foreignARN  = "arn:aws:sts::333333333333:assumed-role/Foreign/foreign"
)

// The answers of API Gateway, byte for byte.
func TestRefusals(t *testing.T) {
	tests := map[string]struct {
		call      call
		door      string // "other", "public"
		status    int
		errorType string
		body      string
	}{
		"unsigned":                  {call{key: "-"}, "", 403, "MissingAuthenticationTokenException", missing},
		"unsigned, unknown path":    {call{key: "-", path: "/dev/nothing"}, "", 403, "MissingAuthenticationTokenException", missing},
		"signed, unknown path":      {call{path: "/dev/nothing"}, "", 403, "MissingAuthenticationTokenException", missing},
		"signed, unknown method":    {call{method: "PUT", key: "ASIAPARTNER"}, "", 403, "MissingAuthenticationTokenException", missing},
		"unknown stage":             {call{path: "/prod/movie_list"}, "", 403, "ForbiddenException", forbidden},
		"no stage":                  {call{path: "/"}, "", 403, "ForbiddenException", forbidden},
		"unknown API":               {call{host: "zzzzzzzzzz.execute-api.ap-northeast-2.amazonaws.com"}, "", 403, "ForbiddenException", forbidden},
		"another region's name":     {call{host: apiID + ".execute-api.us-east-1.amazonaws.com"}, "", 403, "ForbiddenException", forbidden},
		"another partition's name":  {call{host: apiID + ".execute-api.ap-northeast-2.amazonaws.com.cn"}, "", 403, "ForbiddenException", forbidden},
		"alias of another endpoint": {call{host: apiID + "-vpce-0fedcba9876543210.execute-api.ap-northeast-2.amazonaws.com"}, "", 403, "ForbiddenException", forbidden},
		"private API from outside":  {call{}, "public", 403, "ForbiddenException", forbidden},
		"another VPC's endpoint": {call{}, "other", 403, "AccessDeniedException",
			denial(readerARN, "dev/GET/movie_list", " with an explicit deny in a resource-based policy")},
		"a path outside the role's ARNs": {call{key: "ASIACALLER", path: "/dev/movie_list/1999/Go"}, "", 403, "AccessDeniedException",
			denial(callerARN, "dev/GET/movie_list/1999/Go", " because no identity-based policy allows the execute-api:Invoke action")},
		"no policy at all": {call{key: "ASIASTRANGER"}, "", 403, "AccessDeniedException",
			denial(strangerARN, "dev/GET/movie_list", " because no identity-based policy allows the execute-api:Invoke action")},
		"another account": {call{key: "ASIAFOREIGN"}, "", 403, "AccessDeniedException",
			denial(foreignARN, "dev/GET/movie_list", " because no resource-based policy allows the execute-api:Invoke action")},
		"percent-encoding is kept in the ARN": {call{key: "ASIASTRANGER", path: "/dev/movie_list/1999/A%2FB"}, "", 403, "AccessDeniedException",
			denial(strangerARN, "dev/GET/movie_list/1999/A%2FB", " because no identity-based policy allows the execute-api:Invoke action")},
		"an unknown key": {call{key: "ASIANOBODY"}, "", 403, "UnrecognizedClientException",
			`{"message":"The security token included in the request is invalid."}`},
		"no session token": {call{tamper: func(r *http.Request) { r.Header.Del("X-Amz-Security-Token") }}, "", 403, "UnrecognizedClientException",
			`{"message":"The security token included in the request is invalid."}`},
		"stale": {call{date: now.Add(-301 * time.Second)}, "", 403, "InvalidSignatureException",
			`{"message":"Signature expired: 20260304T050106Z is now earlier than 20260304T050107Z (20260304T050607Z - 5 min.)"}`},
		"from the future": {call{date: now.Add(301 * time.Second)}, "", 403, "InvalidSignatureException",
			`{"message":"Signature not yet current: 20260304T051108Z is still later than 20260304T051107Z (20260304T050607Z + 5 min.)"}`},
		"a stale request with a wrong key": {call{key: "ASIANOBODY", date: now.Add(-time.Hour)}, "", 403, "InvalidSignatureException",
			`{"message":"Signature expired: 20260304T040607Z is now earlier than 20260304T050107Z (20260304T050607Z - 5 min.)"}`},
		"another service": {call{service: "s3"}, "", 403, "InvalidSignatureException",
			`{"message":"Credential should be scoped to correct service: 'execute-api'. "}`},
		"one word of authorization": {call{key: "-", header: map[string]string{"Authorization": "hello"}}, "", 403, "IncompleteSignatureException",
			`{"message":"Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=hello"}`},
		"a bearer token": {call{key: "-", header: map[string]string{"Authorization": "Bearer x"}}, "", 403, "IncompleteSignatureException",
			`{"message":"Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): '` + sha256Base64("Bearer x") + `'."}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			switch tt.door {
			case "other":
				tt.call.server = f.other
			case "public":
				tt.call.server = f.public
			}
			got := f.do(t, tt.call)
			if got.status != tt.status || got.errorType != tt.errorType || got.body != tt.body {
				t.Errorf("got %d %s\n%s\nwant %d %s\n%s", got.status, got.errorType, got.body, tt.status, tt.errorType, tt.body)
			}
			if got.header.Get("X-Amzn-Requestid") == "" || got.header.Get("X-Amz-Apigw-Id") == "" || got.header.Get("X-Amzn-Trace-Id") != "" {
				t.Errorf("got headers %v, want request ids and no trace id", got.header)
			}
			if f.function.event != nil {
				t.Error("the function was invoked")
			}
			record := f.next(t)
			if record.Status != tt.status || record.ErrorType != tt.errorType || len(record.Checks) == 0 || record.Checks[len(record.Checks)-1].OK {
				t.Errorf("got record %+v, want the refusal as its last check", record)
			}
		})
	}
}

func sha256Base64(s string) string {
	sum := sha256.Sum256([]byte(s))
	return base64.StdEncoding.EncodeToString(sum[:])
}

// One changed byte, anywhere that is signed, gets the mismatch with the server's own canonical request.
func TestTamperedRequestsGetTheMismatch(t *testing.T) {
	tests := map[string]struct {
		call call
		want []string // lines of the canonical request as the server must see it
	}{
		"path":   {call{tamper: func(r *http.Request) { r.URL.Path = "/dev/movie_lisT" }}, []string{`'GET\n/dev/movie_lisT\n`}},
		"query":  {call{path: "/dev/movie_list?limit=1", tamper: func(r *http.Request) { r.URL.RawQuery = "limit=2" }}, []string{`\nlimit=2\n`}},
		"method": {call{tamper: func(r *http.Request) { r.Method = "POST" }}, []string{`'POST\n/dev/movie_list\n`}},
		"body": {call{method: "POST", body: "a", tamper: func(r *http.Request) { r.Body = readCloser("b"); r.ContentLength = 1 }},
			[]string{`\n3e23e8160039594a33894f6564e1b1348bbd7a0088d42c4acb73eeaed59c009d'`}}, // sha256 of "b"
		"signed header": {call{header: map[string]string{"X-Amz-Meta": "1"}, tamper: func(r *http.Request) { r.Header.Set("X-Amz-Meta", "2") }},
			[]string{`\nx-amz-meta:2\n`}},
	}
	const start = `{"message":"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n'`
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			got := f.do(t, tt.call)
			if got.status != 403 || got.errorType != "InvalidSignatureException" || !strings.HasPrefix(got.body, start) || !strings.HasSuffix(got.body, `'\n"}`) {
				t.Errorf("got %d %s %s, want the mismatch", got.status, got.errorType, got.body)
			}
			for _, want := range tt.want {
				if !strings.Contains(got.body, want) {
					t.Errorf("got %s, want it to contain %s", got.body, want)
				}
			}
			record := f.next(t)
			if record.CanonicalRequest == "" || strings.Contains(record.CanonicalRequest+record.Message, "x-amz-security-token:token") {
				t.Errorf("got record with canonical request %q, want it there and without the token", record.CanonicalRequest)
			}
		})
	}
}

// The endpoint policy comes before the answer to a missing signature, and sees who signed.
func TestEndpointPolicy(t *testing.T) {
	tests := map[string]struct {
		policy    string
		call      call
		status    int
		errorType string
		body      string
	}{
		"names the reader": {
			`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:role/Reader"},"Action":"execute-api:Invoke","Resource":"*"}]}`,
			call{}, 200, "", `{}`,
		},
		"names the reader, another calls": {
			`{"Statement":[{"Effect":"Allow","Principal":{"AWS":"arn:aws:iam::123456789012:role/Reader"},"Action":"execute-api:Invoke","Resource":"*"}]}`,
			call{key: "ASIACALLER"}, 403, "AccessDeniedException",
			denial(callerARN, "dev/GET/movie_list", " because no VPC endpoint policy allows the execute-api:Invoke action"),
		},
		"denies, unsigned": {
			`{"Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}`,
			call{key: "-"}, 403, "AccessDeniedException",
			denial("anonymous", "dev/GET/movie_list", " with an explicit deny in a VPC endpoint policy"),
		},
		"another API": {
			`{"Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:ap-northeast-2:123456789012:zzzzzzzzzz/*"}]}`,
			call{}, 403, "AccessDeniedException",
			denial(readerARN, "dev/GET/movie_list", " because no VPC endpoint policy allows the execute-api:Invoke action"),
		},
		"a wrong signature is refused before it": {
			`{"Statement":[{"Effect":"Deny","Principal":"*","Action":"*","Resource":"*"}]}`,
			call{date: now.Add(-time.Hour)}, 403, "InvalidSignatureException",
			`{"message":"Signature expired: 20260304T040607Z is now earlier than 20260304T050107Z (20260304T050607Z - 5 min.)"}`,
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(_ *gateway.Config, d *gateway.Door) { d.Policy = parse(t, tt.policy, policy.KindEndpoint) })
			got := f.do(t, tt.call)
			if got.status != tt.status || got.errorType != tt.errorType || got.body != tt.body {
				t.Errorf("got %d %s\n%s\nwant %d %s\n%s", got.status, got.errorType, got.body, tt.status, tt.errorType, tt.body)
			}
		})
	}
}

// The usual policy fences nothing off: it allows every signer that comes through the endpoint, and leaves those with an
// identity Allow in through any other. The Deny form does neither (tables A and B).
func TestAllowOnlyPolicyIsNoFence(t *testing.T) {
	const allowOnly = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"execute-api:/*","Condition":{"StringEquals":{"aws:SourceVpce":"` + endpoint + `"}}}]}`
	type want struct{ allowOnly, fence int }
	tests := map[string]struct {
		key   string
		other bool
		want  want
	}{
		"reader through the endpoint":   {"ASIAREADER", false, want{200, 200}},
		"stranger through the endpoint": {"ASIASTRANGER", false, want{200, 403}},
		"reader through another":        {"ASIAREADER", true, want{200, 403}},
		"stranger through another":      {"ASIASTRANGER", true, want{403, 403}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			for text, want := range map[string]int{allowOnly: tt.want.allowOnly, fence: tt.want.fence} {
				f := newFixture(t, func(c *gateway.Config, _ *gateway.Door) {
					c.APIs[0].ResourcePolicy = parse(t, text, policy.KindResource)
				})
				c := call{key: tt.key}
				if tt.other {
					c.server = f.other
				}
				if got := f.do(t, c); got.status != want {
					t.Errorf("with %.60s…: got %d %s, want %d", text, got.status, got.body, want)
				}
			}
		})
	}
}
