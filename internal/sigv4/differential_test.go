package sigv4_test

import (
	"context"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/aws-http-auth/credentials"
	smithyv4 "github.com/aws/smithy-go/aws-http-auth/sigv4"
	smithyv4a "github.com/aws/smithy-go/aws-http-auth/sigv4a"
	smithy "github.com/aws/smithy-go/aws-http-auth/v4"

	"github.com/marquee-api/marquee/internal/sigv4"
)

// deviation is how a foreign signer departs from what API Gateway verifies.
type deviation string

const (
	none             deviation = ""
	unnormalizedPath deviation = "signs empty, dot and dot-dot segments" // allowed by UnnormalizedPath
	keptTabs         deviation = "keeps tabs in header values"           // allowed by KeptTabs
	keptSpaces       deviation = "keeps runs of spaces in header values"
	unicodeTrim      deviation = "trims Unicode space and control characters off header values"
	netURLQuery      deviation = "signs url.Values.Encode: drops pairs, sorts before encoding"
)

// foreign is a signer of other makers. sign changes the request, as it will be
// sent.
type foreign struct {
	name string
	sign func(r *http.Request, hash []byte) error
	// deviates names how this signer departs from the rules on this request.
	deviates func(r *http.Request) deviation
}

func foreignSigners() []foreign {
	sdk := v4.NewSigner()
	sdkCreds := aws.Credentials{AccessKeyID: testID, SecretAccessKey: testSecret, SessionToken: testToken}
	creds := credentials.Credentials{AccessKeyID: testID, SecretAccessKey: testSecret, SessionToken: testToken}
	all := func(o *smithy.SignerOptions) { o.HeaderRules = signAllButAuthorization{} }
	return []foreign{
		{"sdk", func(r *http.Request, hash []byte) error {
			return sdk.SignHTTP(context.Background(), sdkCreds, r, hex.EncodeToString(hash), "execute-api", testRegion, testTime)
		}, sdkDeviates},
		{"sdk presign", func(r *http.Request, hash []byte) error {
			signed, header, err := sdk.PresignHTTP(context.Background(), sdkCreds, r, hex.EncodeToString(hash), "execute-api", testRegion, testTime)
			if err != nil {
				return err
			}
			r.Header = header
			r.URL, err = url.Parse(signed)
			return err
		}, sdkDeviates},
		{"smithy sigv4", func(r *http.Request, hash []byte) error {
			return smithyv4.New(all).SignRequest(&smithyv4.SignRequestInput{
				Request: r, PayloadHash: hash, Credentials: creds, Service: "execute-api", Region: testRegion, Time: testTime,
			})
		}, smithyDeviates},
		{"smithy sigv4a", func(r *http.Request, hash []byte) error {
			return smithyv4a.New(all).SignRequest(&smithyv4a.SignRequestInput{
				Request: r, PayloadHash: hash, Credentials: creds, Service: "execute-api", RegionSet: []string{"us-east-1", testRegion}, Time: testTime,
			})
		}, smithyDeviates},
	}
}

type signAllButAuthorization struct{}

func (signAllButAuthorization) IsSigned(name string) bool {
	return name != "authorization" && name != "user-agent"
}

func sdkDeviates(r *http.Request) deviation {
	for _, values := range r.Header {
		for _, value := range values {
			switch trimmed := strings.Trim(value, " \t"); {
			case strings.TrimSpace(trimmed) != trimmed:
				return unicodeTrim
			case strings.Contains(trimmed, "\t"):
				return keptTabs
			}
		}
	}
	if path := r.URL.EscapedPath(); path != "" && referencePath(path) != path {
		return unnormalizedPath
	}
	return none
}

func smithyDeviates(r *http.Request) deviation {
	encoded := r.URL.Query()
	for _, values := range encoded {
		sortStrings(values)
	}
	if strings.ReplaceAll(encoded.Encode(), "+", "%20") != referenceQuery(r.URL.RawQuery) {
		return netURLQuery
	}
	for _, values := range r.Header {
		for _, value := range values {
			if strings.Contains(strings.Trim(value, " \t"), "  ") {
				return keptSpaces
			}
		}
	}
	return sdkDeviates(r)
}

func sortStrings(values []string) {
	for i := range values {
		for j := i; j > 0 && values[j] < values[j-1]; j-- {
			values[j], values[j-1] = values[j-1], values[j]
		}
	}
}

// checkForeign signs a request with every foreign signer and verifies it, strictly
// and with the leniency that the signer's deviation needs.
func checkForeign(t *testing.T, newRequest func() *http.Request, body string) map[deviation]int {
	t.Helper()
	hash, err := hex.DecodeString(sigv4.HashBody([]byte(body)))
	if err != nil {
		t.Fatal(err)
	}
	seen := map[deviation]int{}
	for _, f := range foreignSigners() {
		r := newRequest()
		deviates := f.deviates(r)
		seen[deviates]++
		if err := f.sign(r, hash); err != nil {
			t.Fatalf("%s: %v", f.name, err)
		}
		strict := foreignInput(r, hash)
		var verifier sigv4.Verifier
		got, err := verifier.Verify(strict)
		if deviates != none && err == nil {
			t.Errorf("%s: %s was accepted though it %s", f.name, r.URL, deviates)
		}
		lenient := *strict
		lenient.UnnormalizedPath, lenient.KeptTabs = true, true
		allowed := deviates == none || deviates == unnormalizedPath || deviates == keptTabs
		if _, lenientErr := verifier.Verify(&lenient); (lenientErr == nil) != allowed {
			t.Errorf("%s: %s (it %q): got %v with every leniency, want accepted %v", f.name, r.URL, deviates, lenientErr, allowed)
		}
		if deviates != none {
			continue
		}
		if err != nil {
			t.Errorf("%s: %s: %v\n%s", f.name, r.URL, err, err.(*sigv4.Refusal).Message)
			continue
		}
		if f.name == "sdk" || f.name == "smithy sigv4" {
			checkSame(t, f.name, r, got, hash)
		}
	}
	return seen
}

func foreignInput(r *http.Request, hash []byte) *sigv4.VerifyInput {
	header := r.Header.Clone()
	header.Del("Host")
	if r.ContentLength > 0 {
		header.Set("Content-Length", fmt.Sprint(r.ContentLength))
	}
	host := r.Host
	if host == "" {
		host = r.URL.Host
	}
	return &sigv4.VerifyInput{
		Method: r.Method, Target: r.URL.RequestURI(), Host: host, Header: header, PayloadHash: hex.EncodeToString(hash),
		Region: testRegion, Service: "execute-api", Now: testTime,
		Lookup: func(id string) (sigv4.Key, bool) {
			return sigv4.Key{SecretAccessKey: testSecret, SessionToken: testToken}, id == testID
		},
	}
}

// checkSame signs the same request with the same headers and wants the same bytes
// in Authorization.
func checkSame(t *testing.T, name string, r *http.Request, theirs *sigv4.Verified, hash []byte) {
	t.Helper()
	want := r.Header.Get("Authorization")
	ours := r.Clone(t.Context())
	ours.Header.Del("Authorization")
	if r.ContentLength > 0 {
		ours.Header.Set("Content-Length", fmt.Sprint(r.ContentLength))
	}
	signed := map[string]bool{}
	for _, header := range theirs.SignedHeaders {
		signed[header] = true
	}
	var signer sigv4.Signer
	err := signer.Sign(&sigv4.SignInput{
		Request: ours, PayloadHash: hex.EncodeToString(hash), Region: testRegion, Service: "execute-api", Time: testTime,
		Credentials: sigv4.Credentials{AccessKeyID: testID, SecretAccessKey: testSecret, SessionToken: testToken},
		SignHeader:  func(header string) bool { return signed[header] },
	})
	if err != nil {
		t.Fatal(err)
	}
	if got := ours.Header.Get("Authorization"); got != want {
		t.Errorf("%s: %s: signed differently\nours   %s\ntheirs %s", name, r.URL, got, want)
	}
}

func TestDifferential(t *testing.T) {
	paths := []string{
		"", "/", "/dev/movie_list", "/dev/", "/a%20b", "/a%2Fb", "/a%2fb", "/a+b", "/@c/a:b=c;d,e!f$g&h'i(j)k*l", "/~-._", "/%EA%B8%B0", "/.hidden",
		"/a//b", "//a", "/a/./b", "/a/../b", "/a/..", "/..", "/...", "/100%25", "/[a]", "/a%7Eb",
	}
	queries := []string{
		"", "a=1", "b=2&a=1", "flag", "a=", "a&a=&a", "a-b=2&a=1", "k=a-b&k=a%2Fb", "k=a/b&k=a-b", "q=a+b", "q=a%20b", "q=a%2Bb", "q=%e1%88%b4",
		"q=100%", "a=1;b=2", "&&a&&", "=x", "q=!'()*~", "%C3%A9=1&z=2", "X-Amz-Foo=1",
	}
	headers := []http.Header{
		{}, {"X-Custom": {"a"}}, {"X-Custom": {"  a  "}}, {"X-Custom": {"a  b   c"}}, {"X-Custom": {"a\tb"}}, {"X-Custom": {"b", "a", ""}},
		{"X-Amz-Meta-Z": {"1"}, "X-Amz-Meta-A": {"2"}, "Content-Type": {"application/json"}}, {"X-Custom": {"기생충"}}, {"X-Custom": {"\u00a0a\u00a0"}},
		{"User-Agent": {"x"}}, {"X-Custom": {`"a  b"`}},
	}
	seen := map[deviation]int{}
	check := func(path, query string, header http.Header, body string) {
		newRequest := func() *http.Request {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "https://"+testHost+path+"?"+query, strings.NewReader(body))
			if err != nil {
				t.Fatal(err)
			}
			r.Header = header.Clone()
			return r
		}
		for d, n := range checkForeign(t, newRequest, body) {
			seen[d] += n
		}
	}
	for _, path := range paths {
		check(path, "a=1", http.Header{}, "")
	}
	for _, query := range queries {
		check("/dev", query, http.Header{}, "")
	}
	for _, header := range headers {
		check("/dev", "", header, `{"a":1}`)
	}
	for _, d := range []deviation{none, unnormalizedPath, keptTabs, keptSpaces, unicodeTrim, netURLQuery} {
		if seen[d] == 0 {
			t.Errorf("no request on which a signer %q: the list is no longer true", d)
		}
	}
}

// FuzzDifferential looks for requests on which a foreign signer and this package
// part in a way that has no name yet.
func FuzzDifferential(f *testing.F) {
	f.Add("/dev/a%20b/../c", "b=2&a=1&q=a+b", "a  b", "{}")
	f.Add("//", "k=a/b&k=a-b&%zz", "a\tb", "")
	f.Add("/%2F.%2e/", "a;b&=&&%41", "\u00a0", "x")
	f.Fuzz(func(t *testing.T, path, query, value, body string) {
		if strings.ContainsAny(path+query, "#?") || !validValue(value) {
			t.Skip()
		}
		newRequest := func() *http.Request {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "https://"+testHost+"/"+path+"?"+query, strings.NewReader(body))
			if err != nil || r.URL.Host != testHost {
				t.Skip()
			}
			r.Header.Set("X-Custom", value)
			return r
		}
		checkForeign(t, newRequest, body)
	})
}

// validValue reports whether net/http would send the header value.
func validValue(value string) bool {
	for _, c := range []byte(value) {
		if c < ' ' && c != '\t' || c == 0x7f {
			return false
		}
	}
	return true
}
