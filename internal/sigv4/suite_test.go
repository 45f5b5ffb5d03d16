package sigv4_test

import (
	"bufio"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/sigv4"
)

// suiteVariable names the file with AWS's SigV4 test suite (aws-c-auth,
// tests/aws-signing-test-suite/v4) as JSON lines.
const suiteVariable = "MARQUEE_SIGV4_SUITE"

type suiteCase struct {
	Name    string
	Context struct {
		Credentials struct {
			ID     string `json:"access_key_id"`
			Secret string `json:"secret_access_key"`
			Token  string
		}
		Region, Service string
		Timestamp       time.Time
		Normalize       bool
		SignBody        bool `json:"sign_body"`
		OmitToken       bool `json:"omit_session_token"`
		Expiration      int  `json:"expiration_in_seconds"`
	}
	Request       string
	Header, Query suiteResult
}

type suiteResult struct {
	CanonicalRequest string `json:"canonical_request"`
	StringToSign     string `json:"string_to_sign"`
	Signature        string
	SignedRequest    string `json:"signed_request"`
}

func loadSuite(t *testing.T) []suiteCase {
	t.Helper()
	name := os.Getenv(suiteVariable)
	if name == "" {
		t.Skipf("%s does not name AWS's test suite", suiteVariable)
	}
	file, err := os.Open(name)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	var cases []suiteCase
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, 1<<20)
	for lines.Scan() {
		var c suiteCase
		if err := json.Unmarshal(lines.Bytes(), &c); err != nil {
			t.Fatalf("%s, case %d: %v", name, len(cases)+1, err)
		}
		cases = append(cases, c)
	}
	if err := lines.Err(); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatalf("%s holds no case", name)
	}
	return cases
}

// parseRaw reads a request that need not be legal HTTP: its target may hold spaces
// and raw UTF-8. Folded headers arrive as net/http would deliver them.
func parseRaw(t *testing.T, raw string) (method, target string, header http.Header, body string) {
	t.Helper()
	head, body, _ := strings.Cut(raw, "\n\n")
	lines := strings.Split(strings.TrimRight(head, "\n"), "\n")
	method, rest, _ := strings.Cut(lines[0], " ")
	target, found := strings.CutSuffix(rest, " HTTP/1.1")
	if !found {
		t.Fatalf("no request line: %q", lines[0])
	}
	header = http.Header{}
	last := ""
	for _, line := range lines[1:] {
		if strings.HasPrefix(line, " ") {
			values := header[last]
			values[len(values)-1] += " " + strings.TrimSpace(line)
			continue
		}
		name, value, _ := strings.Cut(line, ":")
		last = http.CanonicalHeaderKey(name)
		header[last] = append(header[last], strings.TrimSpace(value))
	}
	return method, target, header, body
}

// input makes the case's request ready to sign.
func (c *suiteCase) input(t *testing.T) *sigv4.SignInput {
	t.Helper()
	method, target, header, body := parseRaw(t, c.Request)
	host := header.Get("Host")
	header.Del("Host")
	path, query, _ := strings.Cut(target, "?")
	// The absolute form of the target takes any bytes to the signer as they are.
	u := &url.URL{Opaque: "https://" + host + path, RawQuery: query}
	in := &sigv4.SignInput{
		Request: &http.Request{Method: method, URL: u, Host: host, Header: header},
		Body:    []byte(body),
		Credentials: sigv4.Credentials{
			AccessKeyID:     c.Context.Credentials.ID,
			SecretAccessKey: c.Context.Credentials.Secret,
			SessionToken:    c.Context.Credentials.Token,
		},
		Region: c.Context.Region, Service: c.Context.Service, Time: c.Context.Timestamp,
		SignHeader:    func(string) bool { return true },
		UnsignedToken: c.Context.OmitToken,
	}
	if !c.Context.Normalize {
		in.Path = sigv4.PathUnnormalized
	}
	return in
}

// verify runs a signed request of the suite through a verifier.
func (c *suiteCase) verify(t *testing.T, raw string) (*sigv4.Verified, error) {
	t.Helper()
	method, target, header, body := parseRaw(t, raw)
	var verifier sigv4.Verifier
	return verifier.Verify(&sigv4.VerifyInput{
		Method: method, Target: target, Host: header.Get("Host"), Header: header,
		PayloadHash: sigv4.HashBody([]byte(body)),
		Region:      c.Context.Region, Service: c.Context.Service, Now: c.Context.Timestamp,
		UnnormalizedPath: !c.Context.Normalize,
		Lookup: func(id string) (sigv4.Key, bool) {
			return sigv4.Key{SecretAccessKey: c.Context.Credentials.Secret, SessionToken: c.Context.Credentials.Token},
				id == c.Context.Credentials.ID
		},
	})
}

func TestSuiteSign(t *testing.T) {
	for _, c := range loadSuite(t) {
		t.Run(c.Name, func(t *testing.T) {
			var signer sigv4.Signer
			in := c.input(t)
			in.SignPayloadHash = c.Context.SignBody
			got, err := signer.Transcript(in)
			if err != nil {
				t.Fatal(err)
			}
			want := sigv4.Transcript{
				CanonicalRequest: c.Header.CanonicalRequest, StringToSign: c.Header.StringToSign, Signature: c.Header.Signature,
			}
			if diff := cmp.Diff(want, got); diff != "" {
				t.Errorf("transcript (-want +got):\n%s", diff)
			}
			if err := signer.Sign(in); err != nil {
				t.Fatal(err)
			}
			_, _, signed, _ := parseRaw(t, c.Header.SignedRequest)
			signed.Del("Host")
			if diff := cmp.Diff(signed, in.Request.Header); diff != "" {
				t.Errorf("header (-want +got):\n%s", diff)
			}
		})
	}
}

func TestSuitePresign(t *testing.T) {
	for _, c := range loadSuite(t) {
		t.Run(c.Name, func(t *testing.T) {
			var signer sigv4.Signer
			in := c.input(t)
			in.Expires = time.Duration(c.Context.Expiration) * time.Second
			got, err := signer.Presign(in)
			if err != nil {
				t.Fatal(err)
			}
			_, gotQuery, _ := strings.Cut(got, "?")
			_, target, _, _ := parseRaw(t, c.Query.SignedRequest)
			_, wantQuery, _ := strings.Cut(target, "?")
			if diff := cmp.Diff(parameters(t, wantQuery), parameters(t, gotQuery)); diff != "" {
				t.Errorf("query (-want +got):\n%s", diff)
			}
		})
	}
}

// parameters are those of a query, in whatever order they are written.
func parameters(t *testing.T, query string) url.Values {
	t.Helper()
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	return values
}

func TestSuiteVerify(t *testing.T) {
	for _, c := range loadSuite(t) {
		for place, want := range map[string]suiteResult{"header": c.Header, "query": c.Query} {
			t.Run(c.Name+"/"+place, func(t *testing.T) {
				got, err := c.verify(t, want.SignedRequest)
				if err != nil {
					t.Fatal(err)
				}
				diff := cmp.Diff(sigv4.Transcript{
					CanonicalRequest: want.CanonicalRequest, StringToSign: want.StringToSign, Signature: want.Signature,
				}, got.Transcript())
				if diff != "" {
					t.Errorf("transcript (-want +got):\n%s", diff)
				}
				if got.AccessKeyID != c.Context.Credentials.ID || !got.Date.Equal(c.Context.Timestamp) || got.Presigned != (place == "query") {
					t.Errorf("got %s at %v, presigned %v", got.AccessKeyID, got.Date, got.Presigned)
				}
				wrong := strings.Replace(want.SignedRequest, want.Signature, "0"+want.Signature[1:], 1)
				if want.Signature[0] == '0' {
					wrong = strings.Replace(want.SignedRequest, want.Signature, "1"+want.Signature[1:], 1)
				}
				if _, err := c.verify(t, wrong); err == nil {
					t.Error("a wrong signature was accepted")
				}
			})
		}
	}
}
