package sigv4_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/sigv4"
)

const (
	canonicalText = "GET\n/dev/a%2520b\na=1&b=x%20y&flag=\ncontent-type:application/json\nhost:h.example:8080\nx-amz-date:20261123T010203Z\n\n" +
		"content-type;host;x-amz-date\n" + sigv4.EmptyPayloadHash
	toSignText = "AWS4-HMAC-SHA256\n20261123T010203Z\n20261123/ap-northeast-2/execute-api/aws4_request\nhash"
)

func TestExplain(t *testing.T) {
	for _, tt := range []struct {
		name           string
		server, client string // replaced in the texts of that side
		old            string
		part           sigv4.Part
		header         string
		line           int
		why            string
	}{
		{name: "same", part: sigv4.PartNone, why: "same key"},
		{name: "method in lower case", old: "GET", server: "GET", client: "get", part: sigv4.PartMethod, line: 1, why: "upper case"},
		{name: "method", old: "GET", server: "GET", client: "POST", part: sigv4.PartMethod, line: 1, why: "another method"},
		{name: "path encoded once", old: "%2520", server: "%2520", client: "%20", part: sigv4.PartPath, line: 2, why: "once more"},
		{name: "path in lower-case hex", old: "/dev/a%2520b", server: "/dev/a%252Fb", client: "/dev/a%252fb", part: sigv4.PartPath, line: 2, why: "upper case"},
		{name: "path not normalised", old: "/dev/a%2520b", server: "/dev/a", client: "/dev//x/../a", part: sigv4.PartPath, line: 2, why: "segments"},
		{name: "trailing slash", old: "/dev/a%2520b", server: "/dev/a", client: "/dev/a/", part: sigv4.PartPath, line: 2, why: "trailing slash"},
		{name: "no stage", old: "/dev/a%2520b", server: "/dev/a", client: "/a", part: sigv4.PartPath, line: 2, why: "the client signed the path without its beginning"},
		{name: "stage removed on the way", old: "/dev/a%2520b", server: "/a", client: "/dev/a", part: sigv4.PartPath, line: 2, why: "removed the beginning"},
		{name: "reserved left raw", old: "/dev/a%2520b", server: "/dev/a%3Ab", client: "/dev/a:b", part: sigv4.PartPath, line: 2, why: "as it is on the wire"},
		{name: "some reserved left raw", old: "/dev/a%2520b", server: "/a%3A%2520b", client: "/a:%2520b", part: sigv4.PartPath, line: 2, why: "encode the same path differently"},
		{name: "another path", old: "/dev/a%2520b", server: "/dev/a", client: "/dev/b", part: sigv4.PartPath, line: 2, why: "another path"},
		{name: "query order", old: "a=1&b=x%20y&flag=", server: "a=1&b=2", client: "b=2&a=1", part: sigv4.PartQuery, line: 3, why: "not in order"},
		{name: "no query signed", old: "a=1&b=x%20y&flag=", server: "a=1", client: "", part: sigv4.PartQuery, line: 3, why: "signed no query"},
		{name: "query lost", old: "a=1&b=x%20y&flag=", server: "", client: "a=1", part: sigv4.PartQuery, line: 3, why: "did not arrive"},
		{name: "bare parameter", old: "flag=", server: "flag=", client: "flag", part: sigv4.PartQuery, header: "flag", line: 3, why: `with "="`},
		{name: "plus", old: "x%20y", server: "x%20y", client: "x%2By", part: sigv4.PartQuery, header: "b", line: 3, why: "a plus in a query is a space"},
		{name: "raw plus", old: "x%20y", server: "x%20y", client: "x+y", part: sigv4.PartQuery, header: "b", line: 3, why: "a plus in a query is a space"},
		{name: "query in lower-case hex", old: "x%20y", server: "x%2Fy", client: "x%2fy", part: sigv4.PartQuery, header: "b", line: 3, why: "upper case"},
		{name: "query not encoded", old: "x%20y", server: "x%2Fy", client: "x/y", part: sigv4.PartQuery, header: "b", line: 3, why: "encode the same text differently"},
		{name: "query encoded twice", old: "x%20y", server: "x%20y", client: "x%2520y", part: sigv4.PartQuery, header: "b", line: 3, why: "twice"},
		{name: "query value", old: "x%20y", server: "1", client: "2", part: sigv4.PartQuery, header: "b", line: 3, why: "not the one that was signed"},
		{name: "parameter added", old: "&flag=", server: "&flag=", client: "", part: sigv4.PartQuery, header: "flag", line: 3, why: `"flag" arrived`},
		{name: "parameter lost", old: "&flag=", server: "", client: "&flag=", part: sigv4.PartQuery, header: "flag", line: 3, why: `"flag" that did not arrive`},
		{name: "signature signed", old: "a=1", server: "a=1", client: "X-Amz-Signature=0&a=1", part: sigv4.PartQuery, header: "X-Amz-Signature", line: 3, why: "not part of what it signs"},
		{name: "host without port", old: "h.example:8080", server: "h.example:8080", client: "h.example", part: sigv4.PartHost, line: 5, why: "without its port"},
		{name: "host with a port", old: "h.example:8080", server: "h.example", client: "h.example:443", part: sigv4.PartHost, line: 5, why: "a port that is not"},
		{name: "host's case", old: "h.example", server: "h.example", client: "H.example", part: sigv4.PartHost, line: 5, why: "upper and lower case"},
		{name: "host", old: "h.example:8080", server: "vpce.example", client: "api.example", part: sigv4.PartHost, line: 5, why: "another Host"},
		{name: "header value", old: "application/json", server: "text/plain", client: "application/json", part: sigv4.PartHeader, header: "content-type", line: 4, why: "changed after"},
		{name: "header's spaces", old: "application/json", server: "a b", client: "a   b", part: sigv4.PartHeader, header: "content-type", line: 4, why: "white space"},
		{name: "header lost", old: "application/json", server: "", client: "a", part: sigv4.PartHeader, header: "content-type", line: 4, why: "did not arrive"},
		{name: "header empty", old: "application/json", server: "a", client: "", part: sigv4.PartHeader, header: "content-type", line: 4, why: "as empty"},
		{name: "header not signed", old: "content-type:application/json\n", server: "content-type:application/json\n", client: "", part: sigv4.PartHeader, header: "content-type", line: 4, why: "same headers"},
		{name: "date header", old: "x-amz-date:20261123T010203Z", server: "x-amz-date:20261123T010203Z", client: "x-amz-date:20261123T010204Z", part: sigv4.PartHeader, header: "x-amz-date", line: 6, why: "changed after"},
		{name: "signed headers", old: "content-type;host", server: "content-type;host", client: "host;content-type", part: sigv4.PartSignedHeaders, line: 8, why: "sorted"},
		{name: "empty body signed", old: sigv4.EmptyPayloadHash, server: "00", client: sigv4.EmptyPayloadHash, part: sigv4.PartPayload, line: 9, why: "empty body, but one arrived"},
		{name: "body lost", old: sigv4.EmptyPayloadHash, server: sigv4.EmptyPayloadHash, client: "00", part: sigv4.PartPayload, line: 9, why: "none arrived"},
		{name: "body not signed", old: sigv4.EmptyPayloadHash, server: "00", client: "UNSIGNED-PAYLOAD", part: sigv4.PartPayload, line: 9, why: "did not sign the body"},
		{name: "body in upper case", old: sigv4.EmptyPayloadHash, server: "ab", client: "AB", part: sigv4.PartPayload, line: 9, why: "lower case"},
		{name: "another body", old: sigv4.EmptyPayloadHash, server: "00", client: "01", part: sigv4.PartPayload, line: 9, why: "not the one that was hashed"},
		{name: "algorithm", old: "AWS4-HMAC-SHA256", server: "AWS4-HMAC-SHA256", client: "AWS4-ECDSA-P256-SHA256", part: sigv4.PartAlgorithm, line: 1, why: "algorithms"},
		{name: "date", old: "SHA256\n20261123T010203Z", server: "SHA256\n20261123T010203Z", client: "SHA256\n20261123T010204Z", part: sigv4.PartDate, line: 2, why: "X-Amz-Date"},
		{name: "region", old: "ap-northeast-2/", server: "ap-northeast-2/", client: "us-east-1/", part: sigv4.PartScope, line: 3, why: `the region of the scope is "ap-northeast-2" on the server and "us-east-1"`},
		{name: "service", old: "execute-api/", server: "execute-api/", client: "s3/", part: sigv4.PartScope, line: 3, why: "the service"},
		{name: "day", old: "20261123/", server: "20261123/", client: "20261122/", part: sigv4.PartScope, line: 3, why: "the day"},
		{name: "scope of SigV4a", old: "ap-northeast-2/", server: "ap-northeast-2/", client: "", part: sigv4.PartScope, line: 3, why: "different forms"},
		{name: "only the hash is known", old: "\nhash", server: "\nhash", client: "\nother", part: sigv4.PartPayload, line: 4, why: "only their hashes"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			side := func(text string) sigv4.Transcript {
				return sigv4.Transcript{
					CanonicalRequest: strings.Replace(canonicalText, tt.old, text, 1), StringToSign: strings.Replace(toSignText, tt.old, text, 1), Signature: "s",
				}
			}
			got := sigv4.Explain(side(tt.server), side(tt.client))
			if got.Part != tt.part || got.Name != tt.header || got.Line != tt.line || !strings.Contains(got.Why, tt.why) {
				t.Errorf("got %+v\nwant part %s, name %q, line %d, why …%s…", got, tt.part, tt.header, tt.line, tt.why)
			}
		})
	}
}

func TestExplainSecret(t *testing.T) {
	server := sigv4.Transcript{CanonicalRequest: canonicalText, StringToSign: toSignText, Signature: "a"}
	for name, client := range map[string]sigv4.Transcript{
		"all known":     {CanonicalRequest: canonicalText, StringToSign: toSignText, Signature: "b"},
		"trailing line": {CanonicalRequest: canonicalText + "\n", Signature: "b"},
	} {
		if got := sigv4.Explain(server, client); got.Part != sigv4.PartSecret || !strings.Contains(got.String(), "different secrets") {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestDifferenceString(t *testing.T) {
	got := sigv4.Difference{Part: sigv4.PartQuery, Name: "flag", Line: 3, Server: "flag=", Client: "flag", Why: "because"}.String()
	if want := "query flag (line 3): because\n  server: flag=\n  client: flag"; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
}

// An answer in the form of the one that mhart/aws4 issue 33 quotes.
const awsAnswer = `{"message":"The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n'POST\n/stage/path\n\nhost:abc.execute-api.us-east-1.amazonaws.com\nx-amz-date:20200211T150000Z\n\nhost;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20200211T150000Z\n20200211/us-east-1/execute-api/aws4_request\nabcd'\n"}`

func TestParseMismatch(t *testing.T) {
	want := sigv4.Transcript{
		CanonicalRequest: "POST\n/stage/path\n\nhost:abc.execute-api.us-east-1.amazonaws.com\nx-amz-date:20200211T150000Z\n\nhost;x-amz-date\n" + sigv4.EmptyPayloadHash,
		StringToSign:     "AWS4-HMAC-SHA256\n20200211T150000Z\n20200211/us-east-1/execute-api/aws4_request\nabcd",
	}
	var message struct{ Message string }
	if err := json.Unmarshal([]byte(awsAnswer), &message); err != nil {
		t.Fatal(err)
	}
	for name, body := range map[string]string{
		"body": awsAnswer, "capital Message": strings.Replace(awsAnswer, `"message"`, `"Message"`, 1), "message alone": message.Message,
		"line ends of a terminal": strings.ReplaceAll(message.Message, "\n", "\r\n"),
	} {
		got, err := sigv4.ParseMismatch([]byte(body))
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%s: %v (-want +got):\n%s", name, err, diff)
		}
	}
	for name, body := range map[string]string{
		"empty": "", "another answer": `{"message":"Forbidden"}`, "first sentence only": message.Message[:160],
		"cut off": message.Message[:strings.Index(message.Message, "String-to-Sign")], "cut off later": message.Message[:len(message.Message)-3],
	} {
		if got, err := sigv4.ParseMismatch([]byte(body)); !errors.Is(err, sigv4.ErrNoMismatch) {
			t.Errorf("%s: got %+v, %v", name, got, err)
		}
	}
}

// A refusal of this package reads like AWS's answer.
func TestParseMismatchOfOurs(t *testing.T) {
	in := signed(t)
	in.Target += "&x"
	r := refusal(t, in)
	body, err := json.Marshal(map[string]string{"message": r.Message})
	if err != nil {
		t.Fatal(err)
	}
	got, err := sigv4.ParseMismatch(body)
	if err != nil || got.CanonicalRequest != r.CanonicalRequest || got.StringToSign != r.StringToSign {
		t.Errorf("got %+v, %v", got, err)
	}
}

// The mistake is made, not described: Guess must find it in the signature.
func TestGuess(t *testing.T) {
	base := func(s *sigv4.SignInput) {
		s.Request.URL.Path, s.Request.URL.RawQuery = "/dev//a b", "b=x+y&a=1&flag"
		s.Request.Host, s.Request.Method, s.Body = "h.example:8080", http.MethodPut, []byte("{}")
		s.Request.Header["X-Amz-Meta-A"] = []string{"a   b"}
	}
	for _, tt := range []struct {
		name  string
		sign  func(*sigv4.SignInput)
		parts []sigv4.Part
		why   string
	}{
		{"nothing", func(*sigv4.SignInput) {}, []sigv4.Part{sigv4.PartNone}, "right"},
		{"path not normalised", func(s *sigv4.SignInput) { s.Path = sigv4.PathUnnormalized }, []sigv4.Part{sigv4.PartPath}, "segments"},
		{"path of S3", func(s *sigv4.SignInput) { s.Path = sigv4.PathVerbatim }, []sigv4.Part{sigv4.PartPath}, "as it is on the wire"},
		{"path without the stage", func(s *sigv4.SignInput) { s.Request.URL.Path = "/a b" }, []sigv4.Part{sigv4.PartPath}, "first segment"},
		{"host without port", func(s *sigv4.SignInput) { s.Request.Host = "h.example" }, []sigv4.Part{sigv4.PartHost}, "without its port"},
		{"no query", func(s *sigv4.SignInput) { s.Request.URL.RawQuery = "" }, []sigv4.Part{sigv4.PartQuery}, "no query"},
		{"plus", func(s *sigv4.SignInput) { s.Request.URL.RawQuery = "b=x%2By&a=1&flag" }, []sigv4.Part{sigv4.PartQuery}, "plus"},
		{"empty body", func(s *sigv4.SignInput) { s.Body = nil }, []sigv4.Part{sigv4.PartPayload}, "empty body"},
		{"unsigned body", func(s *sigv4.SignInput) { s.PayloadHash = "UNSIGNED-PAYLOAD" }, []sigv4.Part{sigv4.PartPayload}, "did not sign the body"},
		{"method", func(s *sigv4.SignInput) { s.Request.Method = "put" }, []sigv4.Part{sigv4.PartMethod}, "lower case"},
		{"secret", func(s *sigv4.SignInput) { s.Credentials.SecretAccessKey += "\n" }, []sigv4.Part{sigv4.PartSecret}, "line break"},
		{"two at once", func(s *sigv4.SignInput) { s.Path = sigv4.PathUnnormalized; s.Request.Host = "h.example" },
			[]sigv4.Part{sigv4.PartPath, sigv4.PartHost}, "segments"},
		{"another body", func(s *sigv4.SignInput) { s.Body = []byte("x") }, nil, ""},
		{"another secret", func(s *sigv4.SignInput) { s.Credentials.SecretAccessKey = "x" }, nil, ""},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := signed(t, base, tt.sign)
			right := signed(t, base)
			in.Method, in.Target, in.Host, in.PayloadHash = right.Method, right.Target, right.Host, right.PayloadHash
			got, found := sigv4.Guess(in)
			if found != (tt.parts != nil) {
				t.Fatalf("got %v, %v", got, found)
			}
			var parts []sigv4.Part
			for _, d := range got {
				parts = append(parts, d.Part)
			}
			if diff := cmp.Diff(tt.parts, parts); diff != "" || found && !strings.Contains(got[0].Why, tt.why) {
				t.Errorf("got %v (-want +got):\n%s", got, diff)
			}
		})
	}
}

func TestGuessPresigned(t *testing.T) {
	in := presigned(t, func(s *sigv4.SignInput) { s.Request.Host = "h.example" })
	in.Host = "h.example:8080"
	got, found := sigv4.Guess(in)
	if !found || len(got) != 1 || got[0].Part != sigv4.PartHost || got[0].Server != "host:h.example:8080" || got[0].Client != "host:h.example" {
		t.Errorf("got %v, %v", got, found)
	}
}

func TestGuessUnsortedPresigned(t *testing.T) {
	in := presigned(t) // its query begins with year=2013, which sorts last
	resign(t, in, func(canonicalRequest string) string {
		lines := strings.Split(canonicalRequest, "\n")
		rest, _ := strings.CutSuffix(lines[2], "&year=2013")
		lines[2] = "year=2013&" + rest
		return strings.Join(lines, "\n")
	})
	got, found := sigv4.Guess(in)
	if !found || len(got) != 1 || got[0].Part != sigv4.PartQuery || !strings.Contains(got[0].Why, "sort") && !strings.Contains(got[0].Why, "sorted") {
		t.Errorf("got %v, %v", got, found)
	}
}

func TestInspect(t *testing.T) {
	in := signed(t, withToken)
	want := accept(t, in)
	in.Region, in.Service, in.Now = "", "", in.Now.AddDate(1, 0, 0) // it does not decide
	got, err := sigv4.Inspect(in)
	if err != nil {
		t.Fatal(err)
	}
	if got.Transcript != want.Transcript() || got.Claimed != got.Signature || got.AccessKeyID != testID || got.Algorithm != "AWS4-HMAC-SHA256" ||
		got.Scope != "20261123/ap-northeast-2/execute-api/aws4_request" || strings.Join(got.SignedHeaders, " ") != "host x-amz-date x-amz-security-token" {
		t.Errorf("got %+v", got)
	}
	in.Lookup = nil
	if got, err = sigv4.Inspect(in); err != nil || got.Signature != "" {
		t.Errorf("without a key: got %+v, %v", got, err)
	}
	for name, spoil := range map[string]change{
		"no signature":   func(in *sigv4.VerifyInput) { in.Header.Del("Authorization") },
		"bad credential": replaceAuth("/aws4_request", ""),
		"no body hash":   func(in *sigv4.VerifyInput) { in.PayloadHash = "" },
	} {
		in := signed(t)
		spoil(in)
		if got, err := sigv4.Inspect(in); err == nil {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}
