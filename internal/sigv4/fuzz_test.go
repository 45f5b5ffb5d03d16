package sigv4_test

import (
	"errors"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/sigv4"
)

// FuzzCanonical: the canonicaliser equals the slow reference on any bytes.
func FuzzCanonical(f *testing.F) {
	f.Add("GET", "/dev//a%20b/../c/?b=2&a=1&q=a+b&%41%2f&&flag", "h:80", " a \t b ", "x-custom")
	f.Add("PUT", "*", "", "", "host;x-custom")
	f.Add("A", "?X-Amz-Signature=1&=&%", "h", "\r\n", "x-custom;host")
	f.Fuzz(func(t *testing.T, method, target, host, value, signedHeaders string) {
		if len(target) > 1000 || len(value) > 1000 || len(signedHeaders) > 1000 {
			t.Skip() // the reference is slow
		}
		if !slices.Contains([]string{"host", "x-custom", "host;x-custom", "x-custom;host"}, signedHeaders) {
			t.Skip()
		}
		if method == "" || target != "" && strings.IndexByte("/?*", target[0]) < 0 {
			t.Skip() // GET and the absolute form are tested by name
		}
		if query, err := url.ParseQuery(target[strings.IndexByte(target+"?", '?'):]); err == nil && query.Has("X-Amz-Algorithm") {
			t.Skip()
		}
		header := http.Header{
			"X-Custom": {value, "second"}, "X-Amz-Date": {"20261123T010203Z"},
			"Authorization": {"AWS4-HMAC-SHA256 Credential=a/20261123/r/s/aws4_request, SignedHeaders=" + signedHeaders + ", Signature=00"},
		}
		got, err := sigv4.Inspect(&sigv4.VerifyInput{
			Method: method, Target: target, Host: host, Header: header, PayloadHash: sigv4.EmptyPayloadHash,
		})
		if err != nil {
			var refusal *sigv4.Refusal
			if errors.As(err, &refusal) && strings.HasPrefix(refusal.Message, "Found both") {
				t.Skip() // X-Amz-Algorithm in a query that net/url cannot read
			}
			t.Fatal(err)
		}
		want := referenceCanonical(method, target, host, header, signedHeaders, sigv4.EmptyPayloadHash)
		if got.CanonicalRequest != want {
			t.Errorf("got  %q\nwant %q", got.CanonicalRequest, want)
		}
	})
}

// fuzzCase is one signed request, and what of it may be changed.
type fuzzCase struct {
	in    *sigv4.VerifyInput
	body  string
	signs string
}

var fuzzVerifier sigv4.Verifier // shared, so that the cached keys are used

func newFuzzCase(t *testing.T, kind uint8, method, path, query, value, body string) *fuzzCase {
	t.Helper()
	if !validValue(value) || strings.ContainsAny(method, "\n") {
		t.Skip()
	}
	r := &http.Request{
		Method: method, Host: testHost, Header: http.Header{"X-Amz-Meta-A": {value}},
		URL: &url.URL{Opaque: "https://" + testHost + "/" + strings.ReplaceAll(path, "?", ""), RawQuery: query},
	}
	in := &sigv4.SignInput{
		Request: r, Body: []byte(body), Region: testRegion, Service: "execute-api", Time: testTime,
		Credentials: sigv4.Credentials{AccessKeyID: testID, SecretAccessKey: testSecret, SessionToken: testToken},
	}
	if kind&2 != 0 {
		in.RegionSet = []string{"us-*", testRegion}
	}
	var signer sigv4.Signer
	if kind&1 == 0 {
		if err := signer.Sign(in); err != nil {
			t.Skip()
		}
		_, target, _ := strings.Cut(r.URL.RequestURI(), testHost)
		return &fuzzCase{in: received(in, target), body: body, signs: "host;x-amz-meta-a"}
	}
	signed, err := signer.Presign(in)
	if err != nil {
		t.Skip()
	}
	_, target, _ := strings.Cut(signed, testHost)
	return &fuzzCase{in: received(in, target), body: body, signs: "host;x-amz-meta-a"}
}

// meaning is everything of a request that its signature covers, by the reference,
// so that two requests of one meaning may share a signature and others may not.
func (c *fuzzCase) meaning() string {
	in := c.in
	authorization := strings.FieldsFunc(in.Header.Get("Authorization"), func(r rune) bool { return r == ' ' || r == ',' })
	return strings.Join([]string{
		referenceCanonical(in.Method, in.Target, in.Host, in.Header, c.signs, in.PayloadHash),
		strings.Join(authorization, " "), in.Header.Get("X-Amz-Date"), in.Header.Get("X-Amz-Region-Set"), in.Header.Get("X-Amz-Security-Token"),
	}, "\n")
}

// change writes one byte into one part of the request and reports whether it did.
func (c *fuzzCase) change(part uint8, at uint16, to byte) bool {
	set := func(text string) (string, bool) {
		if text == "" {
			return text, false
		}
		changed := []byte(text)
		changed[int(at)%len(changed)] = to
		return string(changed), string(changed) != text
	}
	header := func(name string) (ok bool) {
		if to < ' ' || to == 0x7f || len(c.in.Header[name]) == 0 {
			return false // not on any wire
		}
		c.in.Header[name][0], ok = set(c.in.Header[name][0])
		return ok
	}
	var ok bool
	switch part % 8 {
	case 0:
		c.in.Method, ok = set(c.in.Method)
	case 1:
		c.in.Target, ok = set(c.in.Target)
		ok = ok && c.in.Target[0] == '/' // else the request line is another one
	case 2:
		c.in.Host, ok = set(c.in.Host)
	case 3:
		c.body, ok = set(c.body)
		c.in.PayloadHash = sigv4.HashBody([]byte(c.body))
	case 4:
		ok = header("X-Amz-Meta-A")
	case 5:
		ok = header("Authorization")
	case 6:
		ok = header("X-Amz-Date")
	case 7:
		ok = header("X-Amz-Region-Set")
	}
	return ok
}

// FuzzSignVerify: what is signed verifies, and with one byte changed, in method,
// path, query, host, body, signed header, signature, scope, date or region set, it
// is refused unless the request still means the same.
func FuzzSignVerify(f *testing.F) {
	f.Add(uint8(0), "GET", "dev/a%20b", "b=2&a=1", "v", "", uint8(1), uint16(5), byte('x'))
	f.Add(uint8(1), "PUT", "dev//a/../b", "q=a+b&flag", "a  b", "{}", uint8(3), uint16(0), byte('x'))
	f.Add(uint8(0), "POST", "%2F", "X-Amz-Signature=1", "", "body", uint8(5), uint16(90), byte('0'))
	f.Add(uint8(2), "GET", "", "", "v", "", uint8(7), uint16(0), byte('*'))
	f.Add(uint8(3), "GET", "a", "a=%zz", "v", "", uint8(1), uint16(60), byte('&'))
	f.Add(uint8(0), "GET", "a/b", "", "v", "", uint8(6), uint16(14), byte('4'))
	f.Fuzz(func(t *testing.T, kind uint8, method, path, query, value, body string, part uint8, at uint16, to byte) {
		c := newFuzzCase(t, kind, method, path, query, value, body)
		verified, err := fuzzVerifier.Verify(c.in)
		if err != nil {
			t.Fatalf("what was signed was refused: %v", err)
		}
		if got, want := verified.Path, referencePath(strings.Split(c.in.Target, "?")[0]); got != want {
			t.Errorf("the path to route on is %q, want %q", got, want)
		}
		if part%8 == 4 && !slices.Contains(verified.SignedHeaders, "x-amz-meta-a") {
			t.Fatal("the header is not signed")
		}
		before := c.meaning()
		if !c.change(part, at, to) {
			t.Skip()
		}
		_, err = fuzzVerifier.Verify(c.in)
		if same := c.meaning() == before; same != (err == nil) {
			t.Errorf("part %d changed, same meaning %v: got %v", part%8, same, err)
		}
	})
}

// FuzzVerify: any bytes are refused with a Refusal, and nothing panics. The key is
// known to nobody.
func FuzzVerify(f *testing.F) {
	const scope = "AKIDEXAMPLE/20261123/ap-northeast-2/execute-api/aws4_request"
	f.Add("GET", "/?a", "h", "AWS4-HMAC-SHA256 Credential="+scope+", SignedHeaders=host;x-amz-date, Signature=00", "20261123T010203Z", "t")
	f.Add("GET", "/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential="+url.QueryEscape(scope)+
		"&X-Amz-Date=20261123T010203Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=00&X-Amz-Security-Token=t", "h:1", "", "", "")
	f.Add("", "http://h", "", "AWS4-ECDSA-P256-SHA256 Credential=AKIDEXAMPLE/20261123/execute-api/aws4_request,SignedHeaders=host;x-amz-region-set,Signature=30", "20261123T010203Z", "*")
	f.Add("*", "*", "", "Bearer", "Mon, 23 Nov 2026 01:02:03 GMT", "")
	f.Fuzz(func(t *testing.T, method, target, host, authorization, date, other string) {
		in := &sigv4.VerifyInput{
			Method: method, Target: target, Host: host, PayloadHash: sigv4.EmptyPayloadHash,
			Header: http.Header{"Authorization": {authorization}, "X-Amz-Date": {date}, "Date": {date}, "X-Amz-Region-Set": {other}, "X-Amz-Security-Token": {other}},
			Region: testRegion, Service: "execute-api", Now: testTime, HostWithoutPort: true, UnnormalizedPath: true, KeptTabs: true,
			Lookup: func(string) (sigv4.Key, bool) {
				return sigv4.Key{SecretAccessKey: "known to nobody", SessionToken: other}, true
			},
		}
		got, err := fuzzVerifier.Verify(in)
		var refusal *sigv4.Refusal
		if err == nil || !errors.As(err, &refusal) {
			t.Fatalf("got %v, %v, want a refusal", got, err)
		}
		if refusal.Type == "" || refusal.Message == "" || strings.Contains(refusal.Message, "known to nobody") {
			t.Errorf("got %+v", refusal)
		}
		if seen, err := sigv4.Inspect(in); err == nil && seen.Claimed == "" {
			t.Errorf("got %+v", seen)
		}
		if found, ok := sigv4.Guess(in); ok {
			t.Errorf("guessed %v", found)
		}
	})
}

// FuzzExplain: it names a difference exactly if there is one, on any texts.
func FuzzExplain(f *testing.F) {
	f.Add("GET\n/a\nb=1\nhost:h\n\nhost\n00", "GET\n/b\nb=1\nhost:h\n\nhost\n00", "AWS4-HMAC-SHA256\nd\ns\nh", "AWS4-HMAC-SHA256\nd\ns\nh")
	f.Add("GET\n/%2520\na=1&b\n\n\n", "get\n/%20\nb&a=1\nx:1\n\n\n", "a\nb\nc/d/e/aws4_request\nd", "a\nb\nc/e/e/aws4_request\nd")
	f.Fuzz(func(t *testing.T, canonical1, canonical2, toSign1, toSign2 string) {
		server := sigv4.Transcript{CanonicalRequest: canonical1, StringToSign: toSign1, Signature: "s"}
		client := sigv4.Transcript{CanonicalRequest: canonical2, StringToSign: toSign2, Signature: "s"}
		got := sigv4.Explain(server, client)
		if got.Why == "" || got.String() == "" {
			t.Errorf("got no reason: %+v", got)
		}
		if got.Part != sigv4.PartNone && got.Server == got.Client {
			t.Errorf("the two sides of the difference are equal: %+v", got)
		}
		if canonical1 == canonical2 && toSign1 == toSign2 && got.Part != sigv4.PartNone {
			t.Errorf("equal texts differ: %+v", got)
		}
		if _, err := sigv4.ParseMismatch([]byte(canonical1)); err == nil && !strings.Contains(canonical1, "Canonical String") {
			t.Error("parsed what is no answer")
		}
	})
}
