package sigv4_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/sigv4"
)

// newInput is a request ready to sign.
func newInput(tb testing.TB, method, rawURL string, body io.Reader) *sigv4.SignInput {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), method, rawURL, body)
	if err != nil {
		tb.Fatal(err)
	}
	return &sigv4.SignInput{
		Request: r, Region: "us-east-1", Service: "iam", Time: time.Date(2015, 8, 30, 12, 36, 0, 0, time.UTC),
		Credentials: sigv4.Credentials{AccessKeyID: testID, SecretAccessKey: testSecret},
	}
}

func signedHeaders(t *testing.T, in *sigv4.SignInput) string {
	t.Helper()
	var signer sigv4.Signer
	text, err := signer.Transcript(in)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(text.CanonicalRequest, "\n")
	return lines[len(lines)-2]
}

// AWS's worked example, "GET ListUsers" of the Signature Version 4 pages in the
// AWS General Reference: the whole header, and every step.
func TestSignDocumentedExample(t *testing.T) {
	in := newInput(t, http.MethodGet, "https://iam.amazonaws.com/?Action=ListUsers&Version=2010-05-08", nil)
	in.Request.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	var signer sigv4.Signer
	text, err := signer.Transcript(in)
	if err != nil {
		t.Fatal(err)
	}
	want := sigv4.Transcript{
		CanonicalRequest: "GET\n/\nAction=ListUsers&Version=2010-05-08\n" +
			"content-type:application/x-www-form-urlencoded; charset=utf-8\nhost:iam.amazonaws.com\nx-amz-date:20150830T123600Z\n\n" +
			"content-type;host;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
		StringToSign: "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\n" +
			"f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59",
		Signature: "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7",
	}
	if diff := cmp.Diff(want, text); diff != "" {
		t.Errorf("transcript (-want +got):\n%s", diff)
	}
	authorization := "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request, " +
		"SignedHeaders=content-type;host;x-amz-date, Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"
	appended, err := signer.AppendAuthorization([]byte("Authorization: "), in)
	if err != nil || string(appended) != "Authorization: "+authorization {
		t.Errorf("appended %q, %v", appended, err)
	}
	if len(in.Request.Header) != 1 {
		t.Errorf("AppendAuthorization set headers: %v", in.Request.Header)
	}
	if err := signer.Sign(in); err != nil {
		t.Fatal(err)
	}
	header := http.Header{
		"Content-Type": {"application/x-www-form-urlencoded; charset=utf-8"}, "X-Amz-Date": {"20150830T123600Z"}, "Authorization": {authorization},
	}
	if diff := cmp.Diff(header, in.Request.Header); diff != "" {
		t.Errorf("header (-want +got):\n%s", diff)
	}
}

func TestSignedHeaders(t *testing.T) {
	all := func(string) bool { return true }
	for _, tt := range []struct {
		name   string
		header http.Header
		option func(*sigv4.SignInput)
		want   string
	}{
		{"least", nil, nil, "host;x-amz-date"},
		{"content type", http.Header{"Content-Type": {"a/b"}}, nil, "content-type;host;x-amz-date"},
		{"x-amz", http.Header{"X-Amz-Target": {"a"}, "X-Amzn-Other": {"b"}, "X-Amz-": {"c"}}, nil, "host;x-amz-date;x-amz-target"},
		{"not by default", http.Header{"Accept": {"*/*"}, "Range": {"bytes=0-1"}, "Content-Length": {"0"}, "X-Apigw-Api-Id": {"a"}}, nil, "host;x-amz-date"},
		{"if asked", http.Header{"Accept": {"*/*"}, "X-Apigw-Api-Id": {"a"}}, func(in *sigv4.SignInput) { in.SignHeader = all },
			"accept;host;x-amz-date;x-apigw-api-id"},
		{"by name", http.Header{"Accept": {"*/*"}, "X-Apigw-Api-Id": {"a"}},
			func(in *sigv4.SignInput) { in.SignHeader = func(name string) bool { return name == "accept" } }, "accept;host;x-amz-date"},
		{"never", http.Header{
			"Authorization": {"a"}, "Connection": {"close"}, "Keep-Alive": {"a"}, "Te": {"trailers"}, "Trailer": {"a"}, "Transfer-Encoding": {"chunked"},
			"Upgrade": {"h2c"}, "Expect": {"100-continue"}, "User-Agent": {"a"}, "X-Amzn-Trace-Id": {"a"}, "X-Forwarded-For": {"a"}, "Traceparent": {"a"},
			"Proxy-Authorization": {"a"}, "Host": {"other"}, "Via": {"a"}, "Forwarded": {"a"}, "Accept-Encoding": {"gzip"}, "Tracestate": {"a"}, "Baggage": {"a"},
			"Proxy-Connection": {"a"}, "Proxy-Authenticate": {"a"},
		}, func(in *sigv4.SignInput) { in.SignHeader = all }, "host;x-amz-date"},
		{"token", nil, withToken, "host;x-amz-date;x-amz-security-token"},
		{"unsigned token", nil, func(in *sigv4.SignInput) { withToken(in); in.UnsignedToken = true }, "host;x-amz-date"},
		{"payload hash", nil, func(in *sigv4.SignInput) { in.SignPayloadHash = true }, "host;x-amz-content-sha256;x-amz-date"},
		{"payload hash of the caller", http.Header{"X-Amz-Content-Sha256": {"a"}}, nil, "host;x-amz-content-sha256;x-amz-date"},
		{"region set", nil, func(in *sigv4.SignInput) { in.RegionSet = []string{"*"} }, "host;x-amz-date;x-amz-region-set"},
		{"no values", http.Header{"X-Amz-Target": {}, "Content-Type": nil}, nil, "host;x-amz-date"},
		{"left from before", http.Header{"X-Amz-Date": {"a"}, "X-Amz-Security-Token": {"b"}, "Authorization": {"c"}}, nil, "host;x-amz-date"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := newInput(t, http.MethodGet, "https://a.example/", nil)
			if tt.header != nil {
				in.Request.Header = tt.header
			}
			if tt.option != nil {
				tt.option(in)
			}
			if got := signedHeaders(t, in); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
}

// A retry signs the same request again: with a new time, other credentials, and
// without a trace of the first signature.
func TestSignAgain(t *testing.T) {
	var signer sigv4.Signer
	in := newInput(t, http.MethodGet, "https://a.example/", nil)
	withToken(in)
	in.SignPayloadHash = true
	if err := signer.Sign(in); err != nil {
		t.Fatal(err)
	}
	kept := in.Request.Header["X-Amz-Date"] // somebody may have kept the slice
	in.Credentials.SessionToken, in.Time, in.SignPayloadHash = "", in.Time.Add(time.Minute), false
	in.Request.Header.Del("X-Amz-Content-Sha256")
	if err := signer.Sign(in); err != nil {
		t.Fatal(err)
	}
	fresh := newInput(t, http.MethodGet, "https://a.example/", nil)
	fresh.Time = in.Time
	if err := signer.Sign(fresh); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(fresh.Request.Header, in.Request.Header); diff != "" {
		t.Errorf("a fresh request and one signed again (-fresh +again):\n%s", diff)
	}
	if kept[0] != "20150830T123600Z" {
		t.Errorf("the values of the first signature were overwritten: %v", kept)
	}
	authorization := in.Request.Header.Get("Authorization")
	in.Request.Header.Add("X-Amz-Date", "another")
	if got := in.Request.Header.Get("Authorization"); got != authorization {
		t.Errorf("a second X-Amz-Date overwrote Authorization: %s", got)
	}
}

// A secret that is rotated under the same id must not meet the old key.
func TestSignRotatedSecret(t *testing.T) {
	var signer sigv4.Signer
	in := newInput(t, http.MethodGet, "https://a.example/", nil)
	first, err := signer.Transcript(in)
	if err != nil {
		t.Fatal(err)
	}
	in.Credentials.SecretAccessKey += "2"
	second, err := signer.Transcript(in)
	if err != nil {
		t.Fatal(err)
	}
	var other sigv4.Signer
	want, err := other.Transcript(in)
	if err != nil {
		t.Fatal(err)
	}
	if first.Signature == second.Signature || second != want {
		t.Errorf("got %s after %s, want %s", second.Signature, first.Signature, want.Signature)
	}
}

func TestSignHost(t *testing.T) {
	for _, tt := range []struct{ name, url, host, want string }{
		{"of the URL", "http://a.example/", "", "a.example"},
		{"with its port", "http://a.example:8080/", "", "a.example:8080"},
		{"default port stays, net/http sends it", "https://a.example:443/", "", "a.example:443"},
		{"Host wins", "https://vpce-0.execute-api.example/", "api.example", "api.example"},
		{"IPv6", "http://[::1]:8080/", "", "[::1]:8080"},
		{"zone is not sent", "http://[fe80::1%25eth0]:8080/", "", "[fe80::1]:8080"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := newInput(t, http.MethodGet, tt.url, nil)
			if tt.host != "" {
				in.Request.Host = tt.host
			}
			var signer sigv4.Signer
			for range 2 { // the second time with what the first left in memory
				text, err := signer.Transcript(in)
				if err != nil {
					t.Fatal(err)
				}
				if !strings.Contains(text.CanonicalRequest, "\nhost:"+tt.want+"\n") {
					t.Errorf("got %q, want host %s", text.CanonicalRequest, tt.want)
				}
			}
		})
	}
}

func TestSignErrors(t *testing.T) {
	for name, spoil := range map[string]func(*sigv4.SignInput){
		"Request":                func(in *sigv4.SignInput) { in.Request = nil },
		"URL":                    func(in *sigv4.SignInput) { in.Request.URL = nil },
		"access key id":          func(in *sigv4.SignInput) { in.Credentials.AccessKeyID = "" },
		"secret":                 func(in *sigv4.SignInput) { in.Credentials.SecretAccessKey = "" },
		"Region":                 func(in *sigv4.SignInput) { in.Region = "" },
		"Service":                func(in *sigv4.SignInput) { in.Service = "" },
		"presigned already":      func(in *sigv4.SignInput) { in.Request.URL.RawQuery = "a&X-Amz%2DAlgorithm" },
		"no host":                func(in *sigv4.SignInput) { in.Request.Host, in.Request.URL.Host = "", "" },
		"not ASCII":              func(in *sigv4.SignInput) { in.Request.Host = "bücher.example" },
		"year":                   func(in *sigv4.SignInput) { in.Time = time.Date(12000, 1, 1, 0, 0, 0, 0, time.UTC) },
		`"X-Amz-Meta"`:           func(in *sigv4.SignInput) { in.Request.Header.Set("X-Amz-Meta", "a\r\nhost:b") },
		`"x-amz-date"`:           func(in *sigv4.SignInput) { in.Request.Header["x-amz-date"] = []string{"a"} },
		`"x-amz-security-token"`: func(in *sigv4.SignInput) { in.Request.Header["x-amz-security-token"] = []string{"a"} },
		"can be read only once":  func(in *sigv4.SignInput) { in.Request.Body = io.NopCloser(strings.NewReader("a")) },
		"get a copy of the body": func(in *sigv4.SignInput) { setBody(in, func() (io.ReadCloser, error) { return nil, errTest }) },
		"hash the body: test":    func(in *sigv4.SignInput) { setBody(in, func() (io.ReadCloser, error) { return failing{}, nil }) },
	} {
		t.Run(name, func(t *testing.T) {
			in := newInput(t, http.MethodGet, "https://a.example/", nil)
			spoil(in)
			var signer sigv4.Signer
			before := ""
			if in.Request != nil {
				before = fmt.Sprint(in.Request.Header)
			}
			err := signer.Sign(in)
			if err == nil || !strings.HasPrefix(err.Error(), "sigv4: ") || !strings.Contains(err.Error(), name) {
				t.Errorf("got %v, want one that names %s", err, name)
			}
			if in.Request != nil && fmt.Sprint(in.Request.Header) != before {
				t.Errorf("headers were set: %v", in.Request.Header)
			}
			if strings.Contains(fmt.Sprint(err), testSecret) {
				t.Error("the error shows the secret")
			}
		})
	}
}

var errTest = errors.New("test")

func setBody(in *sigv4.SignInput, get func() (io.ReadCloser, error)) {
	in.Request.Body, in.Request.GetBody = io.NopCloser(strings.NewReader("a")), get
}

type failing struct{}

func (failing) Read([]byte) (int, error) { return 0, errTest }
func (failing) Close() error             { return nil }

func TestPresign(t *testing.T) {
	in := newInput(t, http.MethodGet, "https://a.example/dev/a%20b?b=2&a=1#fragment", nil)
	in.Request.Header.Set("X-Amz-Meta-A", "1")
	in.Request.Header.Set("Accept", "*/*")
	in.Expires = time.Minute
	withToken(in)
	before := in.Request.Clone(t.Context())
	var signer sigv4.Signer
	got, err := signer.Presign(in)
	if err != nil {
		t.Fatal(err)
	}
	prefix := "https://a.example/dev/a%20b?b=2&a=1&X-Amz-Algorithm=AWS4-HMAC-SHA256" +
		"&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fiam%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires=60" +
		"&X-Amz-Security-Token=IQoJb3JpZ2luX2VjEXAMPLE%2F%2FwEaDg%2Ba%2Fb%3D%3D&X-Amz-SignedHeaders=host%3Bx-amz-meta-a&X-Amz-Signature="
	if signature, found := strings.CutPrefix(got, prefix); !found || len(signature) != 64 {
		t.Errorf("got %s\nwant %s…", got, prefix)
	}
	if diff := cmp.Diff(before.Header, in.Request.Header); diff != "" || before.URL.String() != in.Request.URL.String() {
		t.Errorf("the request was changed: %s, %s", in.Request.URL, diff)
	}
	for name, spoil := range map[string]func(){
		"presigned already":       func() { in.Request.URL, _ = url.Parse(got) },
		"whole seconds":           func() { in.Expires = time.Millisecond },
		"at most":                 func() { in.Expires = 8 * 24 * time.Hour },
		"want whole seconds, at ": func() { in.Expires = -time.Second },
	} {
		spoil()
		if _, err := signer.Presign(in); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got %v, want one that says %q", err, name)
		}
		in.Expires = time.Minute
	}
}

func TestPresignMinimal(t *testing.T) {
	in := newInput(t, http.MethodGet, "https://a.example", nil)
	var signer sigv4.Signer
	got, err := signer.Presign(in)
	if err != nil {
		t.Fatal(err)
	}
	if strings.Contains(got, "Expires") || strings.Contains(got, "Token") || !strings.HasPrefix(got, "https://a.example?X-Amz-Algorithm=") {
		t.Errorf("got %s", got)
	}
}

func TestCredentialsHideSecrets(t *testing.T) {
	creds := sigv4.Credentials{AccessKeyID: testID, SecretAccessKey: testSecret, SessionToken: testToken}
	for _, format := range []string{"%v", "%+v", "%s", "%#v"} {
		got := fmt.Sprintf(format, creds)
		if strings.Contains(got, testSecret) || strings.Contains(got, testToken) || !strings.Contains(got, testID) {
			t.Errorf("%s prints %s", format, got)
		}
	}
}

// One Signer and one Verifier for many goroutines: run with -race.
func TestConcurrent(t *testing.T) {
	var signer sigv4.Signer
	var verifier sigv4.Verifier
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			id := fmt.Sprintf("AKID%d", g%4)
			body := bytes.Repeat([]byte{byte(g)}, g)
			for i := range 50 {
				in := newInput(t, http.MethodPut, fmt.Sprintf("https://h%d.example/dev/%d?g=%d&b", g, i, g), nil)
				in.Credentials.AccessKeyID, in.Body = id, body
				in.Time = in.Time.Add(time.Duration(i%3) * 24 * time.Hour)
				if err := signer.Sign(in); err != nil {
					t.Error(err)
					return
				}
				_, err := verifier.Verify(&sigv4.VerifyInput{
					Method: http.MethodPut, Target: in.Request.URL.RequestURI(), Host: in.Request.URL.Host, Header: in.Request.Header,
					PayloadHash: sigv4.HashBody(body), Region: "us-east-1", Service: "iam", Now: in.Time,
					Lookup: func(got string) (sigv4.Key, bool) { return sigv4.Key{SecretAccessKey: testSecret}, got == id },
				})
				if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	group.Wait()
}
