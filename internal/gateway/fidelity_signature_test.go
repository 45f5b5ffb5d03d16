package gateway_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"
)

// Signatures that are refused, with the type that the header names. All are 403 and have a small message.
func TestFidelitySignatures(t *testing.T) {
	const stamp = "20260304T050607Z"
	replace := func(old, new string) func(*http.Request) {
		return func(r *http.Request) {
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), old, new, 1))
		}
	}
	header := func(name, value string) func(*http.Request) {
		return func(r *http.Request) { r.Header.Set(name, value) }
	}
	plain := func(message string) string { return `{"message":"` + message + `"}` }
	const invalid = "The security token included in the request is invalid."
	tests := map[string]struct {
		call      call
		change    func(*fixture)
		errorType string
		body      string
	}{
		"1.5/a garbage session token":  {call{tamper: header("X-Amz-Security-Token", "garbage")}, nil, "UnrecognizedClientException", plain(invalid)},
		"1.5/an undefined token":       {call{tamper: header("X-Amz-Security-Token", "undefined")}, nil, "UnrecognizedClientException", plain(invalid)},
		"1.5/the session is over":      {call{}, func(f *fixture) { f.people["ASIAREADER"].Key.Expires = now.Add(-time.Hour) }, "ExpiredTokenException", plain("The security token included in the request is expired")},
		"1.5/the session ends now":     {call{}, func(f *fixture) { f.people["ASIAREADER"].Key.Expires = now }, "ExpiredTokenException", plain("The security token included in the request is expired")},
		"1.5/wrong region and service": {call{region: "us-east-1", service: "s3"}, nil, "InvalidSignatureException", plain("Credential should be scoped to a valid region. Credential should be scoped to correct service: 'execute-api'. ")},
		"1.5/wrong region":             {call{region: "us-east-1"}, nil, "InvalidSignatureException", plain("Credential should be scoped to a valid region. ")},
		"1.5/the scope's date":         {call{tamper: replace("/20260304/", "/20260303/")}, nil, "InvalidSignatureException", plain("Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20260303' != '20260304', from '" + stamp + "'. ")},
		"1.5/the terminator":           {call{tamper: replace("aws4_request", "aws5_request")}, nil, "InvalidSignatureException", plain("Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'. ")},
		"1.5/a credential of two parts": {call{tamper: replace("ASIAREADER/20260304/ap-northeast-2/execute-api/aws4_request", "ASIAREADER/20260304")}, nil, "IncompleteSignatureException",
			plain("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'ASIAREADER/20260304'")},
		"1.5/host is not signed": {call{tamper: replace("host;", "")}, nil, "InvalidSignatureException", plain("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")},
		"1.5/a bad date":         {call{tamper: header("X-Amz-Date", "201")}, nil, "IncompleteSignatureException", plain("Date must be in ISO-8601 'basic format'. Got '201'. See http://en.wikipedia.org/wiki/ISO_8601")},
		"1.5/both placements":    {call{path: "/dev/movie_list?X-Amz-Algorithm=AWS4-HMAC-SHA256"}, nil, "InvalidSignatureException", plain("Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.")},
		"1.5/an incomplete query": {call{key: "-", path: "/dev/movie_list?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=a&X-Amz-Date=" + stamp + "&X-Amz-SignedHeaders=host"}, nil, "IncompleteSignatureException",
			plain("AWS query-string parameters must include 'X-Amz-Signature'. Re-examine the query-string parameters.")},
		"1.5/another algorithm":                    {call{tamper: replace("AWS4-HMAC-SHA256", "AWS3-HMAC-SHA256")}, nil, "IncompleteSignatureException", plain("Unsupported AWS 'algorithm': 'AWS3-HMAC-SHA256'.")},
		"1.5/expired before an unknown key":        {call{key: "ASIANOBODY", date: now.Add(-time.Hour)}, nil, "InvalidSignatureException", plain("Signature expired: 20260304T040607Z is now earlier than 20260304T050107Z (" + stamp + " - 5 min.)")},
		"1.5/the scope before the signature":       {call{region: "us-east-1", tamper: replace("Signature=", "Signature=0")}, nil, "InvalidSignatureException", plain("Credential should be scoped to a valid region. ")},
		"1.5/the key before the signature":         {call{key: "ASIANOBODY", tamper: replace("Signature=", "Signature=0")}, nil, "UnrecognizedClientException", plain(invalid)},
		"1.5/missing parameters are told together": {call{tamper: header("Authorization", "AWS4-HMAC-SHA256 Credential=a")}, nil, "IncompleteSignatureException", plain("Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization=AWS4-HMAC-SHA256 Credential=a")},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			if tt.change != nil {
				tt.change(f)
			}
			got := f.do(t, tt.call)
			if got.status != 403 || got.errorType != tt.errorType || got.body != tt.body {
				t.Errorf("got %d %s\n%s\nwant 403 %s\n%s", got.status, got.errorType, got.body, tt.errorType, tt.body)
			}
		})
	}
}

// More signed headers than any client signs are a mismatch: the list must not cost more than it says.
func TestFidelityManySignedHeaders(t *testing.T) {
	for name, tt := range map[string]struct{ headers, status int }{
		"4/a hundred signed headers":         {97, 200}, // host, x-amz-date and x-amz-security-token besides
		"4/a hundred and one signed headers": {98, 403},
	} {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t)
			c := call{header: map[string]string{}}
			for i := range tt.headers {
				c.header[fmt.Sprintf("X-%d", i)] = "1"
			}
			got := f.do(t, c)
			if got.status != tt.status || tt.status == 403 && !strings.HasPrefix(got.body, `{"message":"The request signature we calculated does not match`) {
				t.Errorf("got %d %.200s, want %d", got.status, got.body, tt.status)
			}
		})
	}
}

// The session token counts in the header or in the query, signed or added afterwards.
func TestFidelitySessionToken(t *testing.T) {
	unsigned := func(r *http.Request) {
		// Signed without it, and added: what some clients do.
		r.Header.Set("X-Amz-Security-Token", "token")
	}
	f := newFixture(t)
	if got := f.do(t, call{longTerm: true, tamper: unsigned}); got.status != 200 {
		t.Errorf("4/a token that was added after signing: got %d %s, want 200", got.status, got.body)
	}
	if got := f.do(t, call{longTerm: true}); got.errorType != "UnrecognizedClientException" {
		t.Errorf("4/a temporary key without its token: got %d %s", got.status, got.errorType)
	}
}
