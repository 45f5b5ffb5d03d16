package sigv4_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/sigv4"
)

func accept(t *testing.T, in *sigv4.VerifyInput) *sigv4.Verified {
	t.Helper()
	var verifier sigv4.Verifier
	got, err := verifier.Verify(in)
	if err != nil {
		t.Fatal(err)
	}
	return got
}

// mismatch wants the refusal of a wrong signature, not another one.
func mismatch(t *testing.T, in *sigv4.VerifyInput) *sigv4.Refusal {
	t.Helper()
	got := refusal(t, in)
	if got.CanonicalRequest == "" {
		t.Fatalf("got %q, want a mismatch", got.Message)
	}
	return got
}

func TestVerified(t *testing.T) {
	in := signed(t, withToken, func(s *sigv4.SignInput) {
		s.Request.URL.Path, s.Request.URL.RawQuery = "/dev//movie_list/./x/../", "a=1"
		s.Request.Header.Set("Content-Type", "application/json")
	})
	got := accept(t, in)
	want := &sigv4.Verified{
		AccessKeyID: testID, Date: testTime, Path: "/dev/movie_list/",
		SignedHeaders: []string{"content-type", "host", "x-amz-date", "x-amz-security-token"},
	}
	ignore := cmp.FilterPath(func(p cmp.Path) bool { return p.Last().String() == ".subject" || p.Last().String() == ".names" }, cmp.Ignore())
	if diff := cmp.Diff(want, got, ignore); diff != "" {
		t.Errorf("verified (-want +got):\n%s", diff)
	}
	escaped := presigned(t)
	escaped.Target = strings.Replace(escaped.Target, "AWS4-HMAC", "AWS4%2DHMAC", 1)
	accept(t, escaped)
	p := accept(t, presigned(t))
	if !p.Presigned || p.SigV4A || p.Path != "/dev/movie_list" || len(p.SignedHeaders) != 1 {
		t.Errorf("presigned: got %+v", p)
	}
}

// Whatever is not the signed request is refused.
func TestTampered(t *testing.T) {
	for name, tamper := range map[string]change{
		"method":               func(in *sigv4.VerifyInput) { in.Method = http.MethodDelete },
		"path":                 func(in *sigv4.VerifyInput) { in.Target = strings.Replace(in.Target, "movie", "Movie", 1) },
		"stage":                func(in *sigv4.VerifyInput) { in.Target = strings.Replace(in.Target, "/dev/", "/prod/", 1) },
		"trailing slash":       func(in *sigv4.VerifyInput) { in.Target = strings.Replace(in.Target, "?", "/?", 1) },
		"escape for a byte":    func(in *sigv4.VerifyInput) { in.Target = strings.Replace(in.Target, "movie_list", "movie%5Flist", 1) },
		"query value":          func(in *sigv4.VerifyInput) { in.Target = strings.Replace(in.Target, "2013", "2014", 1) },
		"one more parameter":   func(in *sigv4.VerifyInput) { in.Target += "&x" },
		"signature parameter":  func(in *sigv4.VerifyInput) { in.Target += "&X-Amz-Signature=x" },
		"no query":             func(in *sigv4.VerifyInput) { in.Target, _, _ = strings.Cut(in.Target, "?") },
		"host":                 func(in *sigv4.VerifyInput) { in.Host = "b" + in.Host[1:] },
		"port":                 func(in *sigv4.VerifyInput) { in.Host += ":443" },
		"body":                 func(in *sigv4.VerifyInput) { in.PayloadHash = sigv4.HashBody([]byte("x")) },
		"signed header":        setHeader("X-Amz-Meta-A", "2"),
		"signed header twice":  func(in *sigv4.VerifyInput) { in.Header.Add("X-Amz-Meta-A", "1") },
		"signed header gone":   func(in *sigv4.VerifyInput) { in.Header.Del("X-Amz-Meta-A") },
		"date within the skew": setHeader("X-Amz-Date", "20261123T010204Z"),
		"signature":            replaceAuth("Signature=", "Signature=0"),
		"signature gone wrong": func(in *sigv4.VerifyInput) {
			replaceAuth("Signature="+in.Header.Get("Authorization")[len(in.Header.Get("Authorization"))-64:], "Signature=x")(in)
		},
		"upper-case signature": func(in *sigv4.VerifyInput) {
			auth, signature, _ := strings.Cut(in.Header.Get("Authorization"), "Signature=")
			in.Header.Set("Authorization", auth+"Signature="+strings.ToUpper(signature))
		},
		"upper-case name":   replaceAuth("x-amz-date", "X-Amz-Date"),
		"name twice":        replaceAuth("host;", "host;host;"),
		"empty name":        replaceAuth("host;", "host;;"),
		"other order":       replaceAuth("host;x-amz-date", "x-amz-date;host"),
		"header not signed": replaceAuth(";x-amz-meta-a", ""),
	} {
		t.Run(name, func(t *testing.T) {
			in := signed(t, func(s *sigv4.SignInput) { s.Request.Header.Set("X-Amz-Meta-A", "1") })
			accept(t, in)
			tamper(in)
			mismatch(t, in)
		})
	}
}

// A short list of signed headers must not make a verifier write megabytes for
// somebody who is not authenticated.
func TestSecurityRepeatedNames(t *testing.T) {
	in := signed(t, func(s *sigv4.SignInput) { s.Request.Header.Set("X-Amz-Meta-A", strings.Repeat("a", 4000)) })
	replaceAuth("x-amz-meta-a", strings.Repeat("x-amz-meta-a;", 500)+"x-amz-meta-a")(in)
	if got := mismatch(t, in); len(got.Message) > 20_000 {
		t.Errorf("the refusal is %d bytes long", len(got.Message))
	}
	for count, accepted := range map[int]bool{90: true, 200: false} {
		in, names := signed(t), "host"
		for i := range count {
			name := fmt.Sprintf("x-%d", i)
			names += ";" + name
			in.Header.Set(name, "v")
		}
		replaceAuth("host;x-amz-date", names)(in)
		resign(t, in, func(same string) string { return same })
		if accepted {
			accept(t, in)
		} else {
			mismatch(t, in)
		}
	}
}

// Commas and spaces both separate the parts of the header.
func TestAuthorizationSeparators(t *testing.T) {
	for old, new := range map[string]string{", ": ",", " ": ",", ",": " ", "Signature": " ,, Unknown=1 Signature"} {
		in := signed(t)
		in.Header.Set("Authorization", strings.ReplaceAll(in.Header.Get("Authorization"), old, new))
		accept(t, in)
	}
}

// A header that is said to be signed but is absent refuses, even when the client
// did sign its empty value.
func TestSecurityAbsentSignedHeader(t *testing.T) {
	in := signed(t, func(s *sigv4.SignInput) { s.Request.Header["X-Amz-Meta-A"] = []string{""} })
	accept(t, in)
	in.Header.Del("X-Amz-Meta-A")
	got := mismatch(t, in)
	if !strings.Contains(got.CanonicalRequest, "x-amz-meta-a:\n") {
		t.Errorf("got %q", got.CanonicalRequest)
	}
}

// resign puts a signature over any canonical request into a request, made with
// crypto/hmac alone: what a client does that follows rules of its own.
func resign(t *testing.T, in *sigv4.VerifyInput, change func(canonicalRequest string) string) {
	t.Helper()
	seen, err := sigv4.Inspect(in)
	if err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(seen.StringToSign, "\n")
	lines[3] = sigv4.HashBody([]byte(change(seen.CanonicalRequest)))
	key := []byte("AWS4" + testSecret)
	for _, text := range append(strings.Split(seen.Scope, "/"), strings.Join(lines, "\n")) {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(text))
		key = mac.Sum(nil)
	}
	signature := hex.EncodeToString(key)
	replaceAuth(seen.Claimed, signature)(in)
	in.Target = strings.Replace(in.Target, seen.Claimed, signature, 1)
}

// Names of signed headers are lower case, even if the client's canonical request
// has them as it lists them.
func TestSecurityUpperCaseNames(t *testing.T) {
	in := signed(t)
	resign(t, in, func(same string) string { return same })
	accept(t, in)
	replaceAuth("x-amz-date", "X-Amz-Date")(in)
	resign(t, in, func(same string) string { return same })
	mismatch(t, in)
}

func TestSecurityPayload(t *testing.T) {
	body := []byte(`{"a":1}`)
	sign := func(claimed, hash string) *sigv4.VerifyInput {
		in := signed(t, func(s *sigv4.SignInput) {
			s.Body, s.PayloadHash = body, hash
			s.Request.Method = http.MethodPost
			if claimed != "" {
				s.Request.Header.Set("X-Amz-Content-Sha256", claimed)
			}
		})
		return in
	}
	right, other := sigv4.HashBody(body), sigv4.HashBody([]byte("other"))
	for _, tt := range []struct {
		name, claimed, hash string
		accepted            bool
	}{
		{"no claim", "", right, true},
		{"true claim", right, right, true},
		{"lying claim, body signed", other, right, false},
		{"lying claim, claim signed", other, other, false},
		{"upper-case claim", strings.ToUpper(right), right, false},
		{"UNSIGNED-PAYLOAD claimed and signed", "UNSIGNED-PAYLOAD", "UNSIGNED-PAYLOAD", false},
		{"UNSIGNED-PAYLOAD claimed, body signed", "UNSIGNED-PAYLOAD", right, false},
		{"UNSIGNED-PAYLOAD signed", "", "UNSIGNED-PAYLOAD", false},
		{"streaming", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", "STREAMING-AWS4-HMAC-SHA256-PAYLOAD", false},
		{"streaming, body signed", "STREAMING-UNSIGNED-PAYLOAD-TRAILER", right, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := sign(tt.claimed, tt.hash)
			if tt.accepted {
				accept(t, in)
				return
			}
			if got := mismatch(t, in); !strings.HasSuffix(got.CanonicalRequest, "\n"+right) {
				t.Errorf("the payload line is not the hash of the body: %q", got.CanonicalRequest)
			}
		})
	}
	t.Run("unsigned lying claim", func(t *testing.T) {
		in := sign("", right)
		in.Header.Set("X-Amz-Content-Sha256", other)
		mismatch(t, in)
	})
	t.Run("two claims", func(t *testing.T) {
		in := sign("", right)
		in.Header["X-Amz-Content-Sha256"] = []string{right, other}
		mismatch(t, in)
	})
	t.Run("claim in a presigned URL", func(t *testing.T) {
		for claimed, accepted := range map[string]bool{sigv4.EmptyPayloadHash: true, "UNSIGNED-PAYLOAD": false, other: false} {
			in := presigned(t, func(s *sigv4.SignInput) { s.Request.URL.RawQuery += "&X-Amz-Content-Sha256=" + claimed })
			var verifier sigv4.Verifier
			if _, err := verifier.Verify(in); (err == nil) != accepted {
				t.Errorf("%s: got %v, want accepted %v", claimed, err, accepted)
			}
		}
	})
}

func TestSessionToken(t *testing.T) {
	unsigned := func(s *sigv4.SignInput) { withToken(s); s.UnsignedToken = true }
	for _, tt := range []struct {
		name     string
		in       *sigv4.VerifyInput
		change   change
		accepted bool
	}{
		{"signed header", signed(t, withToken), nil, true},
		{"unsigned header", signed(t, unsigned), nil, true},
		{"signed parameter", presigned(t, withToken), nil, true},
		{"unsigned parameter", presigned(t, unsigned), nil, true},
		{"parameter's token in the header", presigned(t), func(in *sigv4.VerifyInput) {
			in.Header.Set("X-Amz-Security-Token", testToken)
			in.Lookup = func(string) (sigv4.Key, bool) {
				return sigv4.Key{SecretAccessKey: testSecret, SessionToken: testToken}, true
			}
		}, true},
		{"no token", signed(t, unsigned), func(in *sigv4.VerifyInput) { in.Header.Del("X-Amz-Security-Token") }, false},
		{"wrong token", signed(t, unsigned), setHeader("X-Amz-Security-Token", testToken+"x"), false},
		{"token of the same length", signed(t, unsigned), setHeader("X-Amz-Security-Token", "X"+testToken[1:]), false},
		{"wrong unsigned parameter", presigned(t, unsigned), func(in *sigv4.VerifyInput) {
			in.Target = strings.Replace(in.Target, "Token=IQ", "Token=JQ", 1)
		}, false},
		{"second, wrong token beside it", signed(t, unsigned), func(in *sigv4.VerifyInput) {
			in.Header["X-Amz-Security-Token"] = []string{"x", testToken}
		}, false},
	} {
		t.Run(tt.name, func(t *testing.T) {
			if tt.change != nil {
				tt.change(tt.in)
			}
			if tt.accepted {
				accept(t, tt.in)
				return
			}
			if got := refusal(t, tt.in); got.Type != sigv4.TypeUnrecognizedClient {
				t.Errorf("got %v", got)
			}
		})
	}
	t.Run("second unsigned parameter", func(t *testing.T) {
		in := presigned(t, unsigned)
		in.Target += "&X-Amz-Security-Token=x"
		mismatch(t, in)
	})
	t.Run("expired session", func(t *testing.T) {
		in := signed(t, withToken)
		for shift, kind := range map[time.Duration]string{time.Second: "", 0: sigv4.TypeExpiredToken, -time.Hour: sigv4.TypeExpiredToken} {
			in.Lookup = func(string) (sigv4.Key, bool) {
				return sigv4.Key{SecretAccessKey: testSecret, SessionToken: testToken, Expires: testTime.Add(shift)}, true
			}
			var verifier sigv4.Verifier
			_, err := verifier.Verify(in)
			var got sigv4.Refusal
			if r, ok := errors.AsType[*sigv4.Refusal](err); ok {
				got = *r
			}
			if got.Type != kind {
				t.Errorf("session ends %v after now: got %v, want %q", shift, err, kind)
			}
		}
	})
}

func TestSkew(t *testing.T) {
	for _, tt := range []struct {
		skew, shift time.Duration
		accepted    bool
	}{
		{0, 0, true}, {0, 5 * time.Minute, true}, {0, -5 * time.Minute, true}, {0, 5*time.Minute + 999*time.Millisecond, true},
		{0, 5*time.Minute + time.Second, false}, {0, -5*time.Minute - time.Second, false},
		{15 * time.Minute, 15 * time.Minute, true}, {15 * time.Minute, 15*time.Minute + time.Second, false}, {time.Second, 2 * time.Second, false},
	} {
		in := signed(t)
		in.MaxSkew = tt.skew
		at(tt.shift)(in)
		var verifier sigv4.Verifier
		if _, err := verifier.Verify(in); (err == nil) != tt.accepted {
			t.Errorf("skew %v, now %v later: got %v, want accepted %v", tt.skew, tt.shift, err, tt.accepted)
		}
	}
}

func TestDateHeader(t *testing.T) {
	// The string to sign holds the date in any case, so Date need not be signed.
	for _, date := range []string{"Mon, 23 Nov 2026 01:02:03 GMT", "Mon, 23 Nov 2026 01:02:03 -0000", "Monday, 23-Nov-26 01:02:03 GMT", "20261123T010203Z"} {
		in := signed(t)
		in.Header.Del("X-Amz-Date")
		in.Header.Set("Date", date)
		if got := mismatch(t, in); !strings.Contains(got.StringToSign, "\n20261123T010203Z\n") {
			t.Errorf("%s: the string to sign is %q", date, got.StringToSign)
		}
	}
	in := signed(t)
	in.Header.Set("Date", "Mon, 01 Jan 2001 00:00:00 GMT") // X-Amz-Date wins
	accept(t, in)
}

func TestVerifyInputErrors(t *testing.T) {
	for name, spoil := range map[string]change{
		"no payload hash":    func(in *sigv4.VerifyInput) { in.PayloadHash = "" },
		"short payload hash": func(in *sigv4.VerifyInput) { in.PayloadHash = "abc" },
		"no region":          func(in *sigv4.VerifyInput) { in.Region = "" },
		"no service":         func(in *sigv4.VerifyInput) { in.Service = "" },
		"no lookup":          func(in *sigv4.VerifyInput) { in.Lookup = nil },
		"negative skew":      func(in *sigv4.VerifyInput) { in.MaxSkew = -1 },
	} {
		in := signed(t)
		spoil(in)
		var verifier sigv4.Verifier
		_, err := verifier.Verify(in)
		if _, isRefusal := errors.AsType[*sigv4.Refusal](err); err == nil || isRefusal {
			t.Errorf("%s: got %v, want an error that is no refusal", name, err)
		}
	}
	in := signed(t)
	in.Lookup = func(string) (sigv4.Key, bool) { return sigv4.Key{}, true }
	if got := refusal(t, in); got.Type != sigv4.TypeUnrecognizedClient {
		t.Errorf("a key without a secret: got %v", got)
	}
}

// The zero Now is the time of the call.
func TestVerifyNow(t *testing.T) {
	in := signed(t, func(s *sigv4.SignInput) { s.Time = time.Time{} })
	in.Now = time.Time{}
	if got := accept(t, in); time.Since(got.Date).Abs() > time.Minute {
		t.Errorf("signed at %v", got.Date)
	}
}

// Over real HTTP: what net/http puts on the wire and what it makes of it there.
func TestOverHTTP(t *testing.T) {
	body := `{"title":"기생충"}`
	var verifier sigv4.Verifier
	var result error
	var path string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hash, err := sigv4.HashReader(r.Body)
		if err != nil {
			t.Error(err)
		}
		got, err := verifier.Verify(&sigv4.VerifyInput{
			Method: r.Method, Target: r.RequestURI, Host: r.Host, Header: r.Header, PayloadHash: hash,
			Region: testRegion, Service: "execute-api",
			Lookup: func(string) (sigv4.Key, bool) {
				return sigv4.Key{SecretAccessKey: testSecret, SessionToken: testToken}, true
			},
		})
		if result = err; err == nil {
			path = got.Path
		}
	}))
	defer server.Close()
	var signer sigv4.Signer
	for target, want := range map[string]string{
		"/dev/movie_list": "/dev/movie_list", "/dev/a%20b/%2F?q=a%20b&flag&a=1;b=2": "/dev/a%20b/%2F", "//dev/./x/..?b&a": "/dev",
		"/dev/@c/a:b=c+d": "/dev/@c/a:b=c+d", "": "/", "?x=100%": "/", "/%7E~[a]|b": "/~~%5Ba%5D%7Cb",
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, server.URL+target, strings.NewReader(body))
		if err != nil {
			t.Fatal(err)
		}
		r.Header["X-Amz-Meta-A"] = []string{" a   b ", "c\td"}
		r.Header["x-amz-meta-a"] = []string{"spelled otherwise"}
		r.Header.Set("Content-Type", "application/json")
		err = signer.Sign(&sigv4.SignInput{
			Request: r, Region: testRegion, Service: "execute-api",
			Credentials: sigv4.Credentials{AccessKeyID: testID, SecretAccessKey: testSecret, SessionToken: testToken},
		})
		if err != nil {
			t.Fatal(err)
		}
		answer, err := server.Client().Do(r)
		if err != nil {
			t.Fatal(err)
		}
		answer.Body.Close()
		if result != nil || path != want {
			t.Errorf("%s: got %v, path %q, want %q", target, result, path, want)
		}
	}
}
