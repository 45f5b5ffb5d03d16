package sigv4_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/marquee-api/marquee/internal/sigv4"
)

const (
	testID     = "AKIDEXAMPLE"
	testSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	testToken  = "IQoJb3JpZ2luX2VjEXAMPLE//wEaDg+a/b=="
	testHost   = "a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com"
	testRegion = "ap-northeast-2"
)

var testTime = time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)

// signed returns a request that is right, as a gateway would pass it on. The
// options change what is signed.
func signed(tb testing.TB, options ...func(*sigv4.SignInput)) *sigv4.VerifyInput {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, "https://"+testHost+"/dev/movie_list?year=2013&limit=5", nil)
	if err != nil {
		tb.Fatal(err)
	}
	in := &sigv4.SignInput{
		Request: r, Region: testRegion, Service: "execute-api", Time: testTime,
		Credentials: sigv4.Credentials{AccessKeyID: testID, SecretAccessKey: testSecret},
	}
	for _, option := range options {
		option(in)
	}
	var signer sigv4.Signer
	if err := signer.Sign(in); err != nil {
		tb.Fatal(err)
	}
	return received(in, r.URL.RequestURI())
}

// presigned is signed, with the signature in the query.
func presigned(tb testing.TB, options ...func(*sigv4.SignInput)) *sigv4.VerifyInput {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), http.MethodGet, "https://"+testHost+"/dev/movie_list?year=2013", nil)
	if err != nil {
		tb.Fatal(err)
	}
	in := &sigv4.SignInput{
		Request: r, Region: testRegion, Service: "execute-api", Time: testTime,
		Credentials: sigv4.Credentials{AccessKeyID: testID, SecretAccessKey: testSecret},
	}
	for _, option := range options {
		option(in)
	}
	var signer sigv4.Signer
	signedURL, err := signer.Presign(in)
	if err != nil {
		tb.Fatal(err)
	}
	_, rest, _ := strings.Cut(signedURL, "://")
	return received(in, rest[strings.IndexByte(rest, '/'):])
}

func received(in *sigv4.SignInput, target string) *sigv4.VerifyInput {
	header := in.Request.Header.Clone()
	return &sigv4.VerifyInput{
		Method: in.Request.Method, Target: target, Host: in.Request.Host, Header: header,
		PayloadHash: sigv4.HashBody(in.Body), Region: testRegion, Service: "execute-api", Now: testTime,
		Lookup: func(id string) (sigv4.Key, bool) {
			return sigv4.Key{SecretAccessKey: testSecret, SessionToken: in.Credentials.SessionToken}, id == testID
		},
	}
}

func withToken(in *sigv4.SignInput) { in.Credentials.SessionToken = testToken }

// refusal runs a request and returns why it was refused.
func refusal(t *testing.T, in *sigv4.VerifyInput) *sigv4.Refusal {
	t.Helper()
	var verifier sigv4.Verifier
	got, err := verifier.Verify(in)
	if err == nil {
		t.Fatalf("accepted as %+v", got)
	}
	var r *sigv4.Refusal
	if !errors.As(err, &r) {
		t.Fatalf("got %v, want a Refusal", err)
	}
	return r
}

func replaceAuth(old, new string) func(*sigv4.VerifyInput) {
	return func(in *sigv4.VerifyInput) {
		in.Header.Set("Authorization", strings.Replace(in.Header.Get("Authorization"), old, new, 1))
	}
}

func setHeader(name, value string) func(*sigv4.VerifyInput) {
	return func(in *sigv4.VerifyInput) { in.Header.Set(name, value) }
}

func at(shift time.Duration) change {
	return func(in *sigv4.VerifyInput) { in.Now = testTime.Add(shift) }
}

// The texts are API Gateway's, or where it was never seen to print one, those of
// the AWS services that share its front end.
func TestRefuseHeader(t *testing.T) {
	const scope = "20261123/ap-northeast-2/execute-api/aws4_request"
	for _, tt := range []struct {
		name          string
		change        func(*sigv4.VerifyInput)
		kind, message string
	}{
		{"no signature at all", func(in *sigv4.VerifyInput) { in.Header.Del("Authorization") },
			sigv4.TypeMissingAuthenticationToken, "Missing Authentication Token"},
		{"empty header", setHeader("Authorization", " "), sigv4.TypeMissingAuthenticationToken, "Missing Authentication Token"},
		{"both placements", func(in *sigv4.VerifyInput) { in.Target += "&X-Amz-Algorithm=AWS4-HMAC-SHA256" },
			sigv4.TypeInvalidSignature, "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."},
		{"both placements, escaped name, any value", func(in *sigv4.VerifyInput) { in.Target += "&X%2DAmz-Algorithm" },
			sigv4.TypeInvalidSignature, "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."},
		// printf 'Bearer x' | openssl dgst -sha256 -binary | base64
		{"bearer token", setHeader("Authorization", "Bearer x"), sigv4.TypeIncompleteSignature,
			"Invalid key=value pair (missing equal-sign) in Authorization header (hashed with SHA-256 and encoded with Base64): 'uTem/WB082UJMN2ajD6lH6UChGpTAddMJSx2iu923No='."},
		{"one word", func(in *sigv4.VerifyInput) { in.Header = http.Header{"Authorization": {"abc"}} }, sigv4.TypeIncompleteSignature,
			"Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. " +
				"Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. Authorization=abc"},
		{"signature missing", setHeader("Authorization", "AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b"), sigv4.TypeIncompleteSignature,
			"Authorization header requires 'Signature' parameter. Authorization=AWS4-HMAC-SHA256 Credential=a, SignedHeaders=b"},
		{"date missing", func(in *sigv4.VerifyInput) {
			in.Header = http.Header{"Authorization": {"AWS4-HMAC-SHA256 Credential=a,SignedHeaders=b,Signature=c"}}
		}, sigv4.TypeIncompleteSignature, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header. " +
			"Authorization=AWS4-HMAC-SHA256 Credential=a,SignedHeaders=b,Signature=c"},
		{"other algorithm", replaceAuth("AWS4-HMAC-SHA256", "AWS3-HMAC-SHA256"), sigv4.TypeIncompleteSignature,
			"Unsupported AWS 'algorithm': 'AWS3-HMAC-SHA256'."},
		{"host not signed", replaceAuth("host;", ""), sigv4.TypeInvalidSignature,
			"'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{"bad date", setHeader("X-Amz-Date", "201"), sigv4.TypeIncompleteSignature,
			"Date must be in ISO-8601 'basic format'. Got '201'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"expired", at(5*time.Minute + time.Second), sigv4.TypeInvalidSignature,
			"Signature expired: 20261123T010203Z is now earlier than 20261123T010204Z (20261123T010704Z - 5 min.)"},
		{"not yet current", at(-5*time.Minute - time.Second), sigv4.TypeInvalidSignature,
			"Signature not yet current: 20261123T010203Z is still later than 20261123T010202Z (20261123T005702Z + 5 min.)"},
		{"credential of four parts", replaceAuth(testID+"/"+scope, "a/b/c/d"), sigv4.TypeIncompleteSignature,
			"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'a/b/c/d'"},
		{"credential of six parts", replaceAuth(testID+"/"+scope, "a/b/c/d/e/f"), sigv4.TypeIncompleteSignature,
			"Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'a/b/c/d/e/f'"},
		{"wrong region", replaceAuth("ap-northeast-2/execute-api", "us-east-1/execute-api"), sigv4.TypeInvalidSignature,
			"Credential should be scoped to a valid region. "},
		{"wrong service", replaceAuth("execute-api/aws4", "s3/aws4"), sigv4.TypeInvalidSignature,
			"Credential should be scoped to correct service: 'execute-api'. "},
		{"wrong region and service", replaceAuth("ap-northeast-2/execute-api", "us-east-1/s3"), sigv4.TypeInvalidSignature,
			"Credential should be scoped to a valid region. Credential should be scoped to correct service: 'execute-api'. "},
		{"wrong terminator", replaceAuth("aws4_request", "aws5_request"), sigv4.TypeInvalidSignature,
			"Credential should be scoped with a valid terminator: 'aws4_request', not 'aws5_request'. "},
		{"wrong day", replaceAuth("20261123/", "20261122/"), sigv4.TypeInvalidSignature,
			"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20261122' != '20261123', from '20261123T010203Z'. "},
		{"name that ends in host", replaceAuth("host;", "xhost;"), sigv4.TypeInvalidSignature,
			"'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{"the last of a repeated parameter wins", func(in *sigv4.VerifyInput) {
			in.Header.Set("Authorization", in.Header.Get("Authorization")+", Credential=a/b")
		}, sigv4.TypeIncompleteSignature, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 'a/b'"},
		{"wrong everything", replaceAuth(scope, "20261122/r/s/t"), sigv4.TypeInvalidSignature,
			"Credential should be scoped to a valid region. Credential should be scoped to correct service: 'execute-api'. " +
				"Credential should be scoped with a valid terminator: 'aws4_request', not 't'. " +
				"Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: '20261122' != '20261123', from '20261123T010203Z'. "},
		{"unknown key", replaceAuth(testID, "AKIDOTHER"), sigv4.TypeUnrecognizedClient,
			"The security token included in the request is invalid."},
		{"long-term key with a token", setHeader("X-Amz-Security-Token", "undefined"), sigv4.TypeUnrecognizedClient,
			"The security token included in the request is invalid."},
		{"session over", func(in *sigv4.VerifyInput) {
			in.Lookup = func(string) (sigv4.Key, bool) { return sigv4.Key{SecretAccessKey: testSecret, Expires: testTime}, true }
		}, sigv4.TypeExpiredToken, "The security token included in the request is expired"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := signed(t)
			tt.change(in)
			got := refusal(t, in)
			if got.Type != tt.kind || got.Message != tt.message {
				t.Errorf("got  %s %q\nwant %s %q", got.Type, got.Message, tt.kind, tt.message)
			}
			if got.CanonicalRequest != "" || got.StringToSign != "" {
				t.Error("the refusal shows texts, though the signature was not looked at")
			}
		})
	}
}

func TestRefuseQuery(t *testing.T) {
	cut := func(name string) func(*sigv4.VerifyInput) {
		return func(in *sigv4.VerifyInput) { in.Target = strings.Replace(in.Target, name+"=", name+"x=", 1) }
	}
	for _, tt := range []struct {
		name          string
		change        func(*sigv4.VerifyInput)
		kind, message string
	}{
		{"other algorithm is no authentication", func(in *sigv4.VerifyInput) {
			in.Target = strings.Replace(in.Target, "AWS4-HMAC-SHA256", "AWS3-HMAC-SHA256", 1)
		}, sigv4.TypeMissingAuthenticationToken, "Missing Authentication Token"},
		{"no algorithm", cut("X-Amz-Algorithm"), sigv4.TypeMissingAuthenticationToken, "Missing Authentication Token"},
		{"no date", cut("X-Amz-Date"), sigv4.TypeIncompleteSignature,
			"AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string parameters."},
		{"nothing but the algorithm", func(in *sigv4.VerifyInput) { in.Target = "/?X-Amz-Algorithm=AWS4-HMAC-SHA256" }, sigv4.TypeIncompleteSignature,
			"AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-Signature'. " +
				"AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string parameters."},
		{"expired by X-Amz-Expires", at(61 * time.Second), sigv4.TypeInvalidSignature,
			"Signature expired: 20261123T010203Z is now earlier than 20261123T010204Z (20261123T010304Z - 1 min.)"},
		{"expires is no number", func(in *sigv4.VerifyInput) { in.Target = strings.Replace(in.Target, "Expires=60", "Expires=1h", 1) },
			sigv4.TypeIncompleteSignature, "X-Amz-Expires should be a number"},
		{"expires is empty", func(in *sigv4.VerifyInput) { in.Target = strings.Replace(in.Target, "Expires=60", "Expires", 1) },
			sigv4.TypeIncompleteSignature, "X-Amz-Expires should be a number"},
		{"expires is negative", func(in *sigv4.VerifyInput) { in.Target = strings.Replace(in.Target, "Expires=60", "Expires=-1", 1) },
			sigv4.TypeIncompleteSignature, "X-Amz-Expires must be non-negative"},
		{"expires is more than a week", func(in *sigv4.VerifyInput) { in.Target = strings.Replace(in.Target, "Expires=60", "Expires=604801", 1) },
			sigv4.TypeIncompleteSignature, "X-Amz-Expires must be less than a week (in seconds); that is, the given X-Amz-Expires must be less than 604800 seconds"},
		{"wrong region", func(in *sigv4.VerifyInput) { in.Region = "us-east-1" }, sigv4.TypeInvalidSignature,
			"Credential should be scoped to a valid region. "},
		{"not yet current, whatever X-Amz-Expires says", at(-6 * time.Minute), sigv4.TypeInvalidSignature,
			"Signature not yet current: 20261123T010203Z is still later than 20261123T010103Z (20261123T005603Z + 5 min.)"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := presigned(t, func(s *sigv4.SignInput) { s.Expires = time.Minute })
			tt.change(in)
			got := refusal(t, in)
			if got.Type != tt.kind || got.Message != tt.message {
				t.Errorf("got  %s %q\nwant %s %q", got.Type, got.Message, tt.kind, tt.message)
			}
		})
	}
}

// A long X-Amz-Expires does not extend the five minutes.
func TestPresignedNeverOutlivesSkew(t *testing.T) {
	in := presigned(t, func(s *sigv4.SignInput) { s.Expires = time.Hour })
	at(5 * time.Minute)(in)
	var verifier sigv4.Verifier
	if _, err := verifier.Verify(in); err != nil {
		t.Errorf("at the end of five minutes: %v", err)
	}
	at(5*time.Minute + time.Second)(in)
	if got := refusal(t, in); !strings.HasSuffix(got.Message, "- 5 min.)") {
		t.Errorf("got %q", got.Message)
	}
}

// The message of a wrong signature, as API Gateway words it, byte by byte.
func TestRefuseSignature(t *testing.T) {
	in := signed(t, func(s *sigv4.SignInput) {
		s.Request.Method, s.Request.URL.Path, s.Request.URL.RawQuery = http.MethodPost, "/stage/path", ""
		s.Request.Host = "abc.execute-api.us-east-1.amazonaws.com"
		s.Body = []byte("{}")
	})
	in.Method = http.MethodPost
	in.Header.Set("Authorization", in.Header.Get("Authorization")[:len(in.Header.Get("Authorization"))-1]+"g")
	got := refusal(t, in)
	canonical := "POST\n/stage/path\n\nhost:abc.execute-api.us-east-1.amazonaws.com\nx-amz-date:20261123T010203Z\n\nhost;x-amz-date\n" +
		"44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"
	toSign := "AWS4-HMAC-SHA256\n20261123T010203Z\n20261123/ap-northeast-2/execute-api/aws4_request\n" + sigv4.HashBody([]byte(canonical))
	want := "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. " +
		"Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n'" + canonical +
		"'\n\nThe String-to-Sign should have been\n'" + toSign + "'\n"
	if got.Type != sigv4.TypeInvalidSignature || got.Message != want {
		t.Errorf("got  %s %q\nwant %q", got.Type, got.Message, want)
	}
	if got.CanonicalRequest != canonical || got.StringToSign != toSign {
		t.Errorf("got the texts %q and %q", got.CanonicalRequest, got.StringToSign)
	}
	if text := got.Error(); strings.Contains(text, "\n") || !strings.HasPrefix(text, "InvalidSignatureException: The request signature") {
		t.Errorf("Error() is %q: want one line", text)
	}
}

// A request with every fault at once, mended one by one, must show them in the
// order of AWS's front end: a stale request with a wrong key reports its expiry.
func TestRefusalOrder(t *testing.T) {
	in := signed(t, withToken)
	in.Header.Set("Authorization", "AWS3 x")
	in.Header.Del("X-Amz-Date")
	in.Target += "&X-Amz-Algorithm=y"
	at(time.Hour)(in)
	lookup := in.Lookup
	in.Lookup = func(string) (sigv4.Key, bool) { return sigv4.Key{}, false }
	auth := func(algorithm, signedHeaders, credential string) func() {
		return func() {
			in.Header.Set("Authorization", algorithm+" Credential="+credential+", SignedHeaders="+signedHeaders+", Signature=00")
		}
	}
	const signedHeaders, credential = "host;x-amz-date", testID + "/20261123/ap-northeast-2/execute-api/aws4_request"
	for _, step := range []struct {
		mend  func()
		start string // of the message that comes before the fault is mended
	}{
		{func() { in.Target = strings.TrimSuffix(in.Target, "&X-Amz-Algorithm=y") }, "Found both"},
		{auth("AWS3", "", "k/d"), "Invalid key=value pair"},
		{auth("AWS3", "x-amz-date", "k/d"), "Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence"},
		{func() { in.Header.Set("X-Amz-Date", "201") }, "Authorization header requires existence"},
		{auth("AWS4-HMAC-SHA256", "x-amz-date", "k/d"), "Unsupported AWS 'algorithm': 'AWS3'."},
		{auth("AWS4-HMAC-SHA256", signedHeaders, "k/d"), "'Host' or ':authority'"},
		{func() { in.Header.Set("X-Amz-Date", "20261123T010203Z") }, "Date must be in ISO-8601"},
		{at(-time.Hour).bind(in), "Signature expired"},
		{at(0).bind(in), "Signature not yet current"},
		{auth("AWS4-HMAC-SHA256", signedHeaders, testID+"/20261122/r/s/t"), "Credential must have"},
		{auth("AWS4-HMAC-SHA256", signedHeaders, credential), "Credential should be scoped to a valid region"},
		{func() { in.Lookup = lookup; in.Header.Del("X-Amz-Security-Token") }, "The security token included in the request is invalid"},
		{func() { in.Header.Set("X-Amz-Security-Token", testToken) }, "The security token included in the request is invalid"},
		{func() {}, "The request signature we calculated"},
	} {
		if got := refusal(t, in); !strings.HasPrefix(got.Message, step.start) {
			t.Fatalf("got %q, want %q", got.Message, step.start)
		}
		step.mend()
	}
}

type change func(*sigv4.VerifyInput)

func (c change) bind(in *sigv4.VerifyInput) func() { return func() { c(in) } }
