package capture_test

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/capture"
)

const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// The texts of a request that botocore 1.43 signed, and their hash as it computed it.
const (
	canonical = "GET\n/dev/movie_list\nlimit=2&year=2013\nhost:a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com\nx-amz-date:20261120T100000Z\n\n" +
		"host;x-amz-date\n" + emptyHash
	toSign = "AWS4-HMAC-SHA256\n20261120T100000Z\n20261120/ap-northeast-2/execute-api/aws4_request\n7fcaecb67275420b696341add68ea6f3b4c29a00792425b6c9dda705373e8bb9"
)

func TestParseSigning(t *testing.T) {
	const other = "PUT\n/\n\nhost:b\n\nhost\nUNSIGNED-PAYLOAD"
	redacted := strings.Replace(canonical, "x-amz-date:", "x-amz-security-token:[redacted]\nx-amz-date:", 1)
	both := []capture.Signing{{CanonicalRequest: canonical, StringToSign: toSign}}
	for name, test := range map[string]struct {
		in   string
		want []capture.Signing
	}{
		"bare":   {canonical, []capture.Signing{{CanonicalRequest: canonical}}},
		"CR LF":  {strings.ReplaceAll(canonical, "\n", "\r\n"), []capture.Signing{{CanonicalRequest: canonical}}},
		"string": {toSign, []capture.Signing{{StringToSign: toSign}}},
		"botocore": {"2026-11-20 10:00:00,000 botocore.auth [DEBUG] CanonicalRequest:\n" + canonical +
			"\n2026-11-20 10:00:00,000 botocore.auth [DEBUG] StringToSign:\n" + toSign + "\n2026-11-20 10:00:00,000 botocore.auth [DEBUG] Signature:\nab\n", both},
		"Go SDK": {"DEBUG: Request Signature:\n---[ CANONICAL STRING  ]-----------------------------\n" + canonical +
			"\n---[ STRING TO SIGN ]--------------------------------\n" + toSign + "\n-----------------------------------------------------\n", both},
		"curl":         {"* aws_sigv4: Canonical request (enclosed in []) - [" + canonical + "]\n* aws_sigv4: String to sign (enclosed in []) - [" + toSign + "]\n", both},
		"AWS's answer": {`{"message":"… should have been\n'` + strings.ReplaceAll(canonical, "\n", `\n`) + `'\n\nThe String-to-Sign should have been\n'` + strings.ReplaceAll(toSign, "\n", `\n`) + `'\n"}`, both},
		"string to sign of the first of two": {canonical + "\n\n" + other + "\n\n" + toSign,
			[]capture.Signing{{CanonicalRequest: canonical, StringToSign: toSign}, {CanonicalRequest: other}}},
		"redacted, so that the hash is of another text": {redacted + "\n\nstring to sign:\n" + toSign,
			[]capture.Signing{{CanonicalRequest: redacted, StringToSign: toSign}}},
		"mistakes of clients": {"get\n/a b\nq\nHost: A:443\nA:\n\nHost;a\n" + strings.ToUpper(emptyHash),
			[]capture.Signing{{CanonicalRequest: "get\n/a b\nq\nHost: A:443\nA:\n\nHost;a\n" + strings.ToUpper(emptyHash)}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := capture.ParseSigning(strings.NewReader(test.in))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("ParseSigning (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseSigningRefuses(t *testing.T) {
	for name, in := range map[string]string{
		"nothing":       "",
		"no headers":    "GET\n/\n\n\nhost\n" + emptyHash,
		"no empty line": "GET\n/\n\nhost:a\nhost\n" + emptyHash,
		"no hash":       "GET\n/\n\nhost:a\n\nhost\nabc",
		"no path":       "GET\na\n\nhost:a\n\nhost\n" + emptyHash,
		"cut off":       "GET\n/\n\nhost:a\n\nhost",
	} {
		t.Run(name, func(t *testing.T) {
			got, err := capture.ParseSigning(strings.NewReader(in))
			if err == nil || !strings.Contains(err.Error(), "holds no canonical request") {
				t.Errorf("got %+v and error %v, want one that says what is looked for", got, err)
			}
		})
	}
}

// FuzzParseSigning holds that what is found is found again by itself, and that a string to sign goes to the canonical
// request of its hash.
func FuzzParseSigning(f *testing.F) {
	f.Add(canonical + "\n" + toSign)
	f.Add("[" + canonical + "]\n\n" + canonical)
	f.Add(`'` + strings.ReplaceAll(canonical, "\n", `\n`) + `'`)
	f.Fuzz(func(t *testing.T, in string) {
		found, err := capture.ParseSigning(strings.NewReader(in))
		if err != nil {
			return
		}
		for _, s := range found {
			for _, text := range []string{s.CanonicalRequest, s.StringToSign} {
				again, err := capture.ParseSigning(strings.NewReader(text))
				if text != "" && (err != nil || again[0].CanonicalRequest != text && again[0].StringToSign != text) {
					t.Fatalf("%q was found in %q, but in itself %+v, %v", text, in, again, err)
				}
			}
		}
		sum := sha256.Sum256([]byte(found[0].CanonicalRequest))
		own := "AWS4-HMAC-SHA256\n20261120T100000Z\n20261120/r/s/aws4_request\n" + hex.EncodeToString(sum[:])
		if found[0].CanonicalRequest == "" || found[0].StringToSign != "" {
			return
		}
		again, err := capture.ParseSigning(strings.NewReader(found[0].CanonicalRequest + "\n" + own))
		if err != nil || again[0].StringToSign != own {
			t.Fatalf("the string to sign of %q went elsewhere: %+v, %v", found[0].CanonicalRequest, again, err)
		}
	})
}
