package sigv4

import (
	"crypto/ecdsa"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"math/big"
	"net/http"
	"strings"
	"testing"
	"time"
)

// The key pair that aws-c-auth's and every SDK's test suite derives for these
// credentials (aws-c-auth, tests/key_derivation_tests.c).
func TestDeriveECDSA(t *testing.T) {
	key, err := deriveECDSA("AKISORANDOMAASORANDOM", "q+jcrXGc+0zWN6uzclKVhvMmUsIfRPa4rlRandom")
	if err != nil {
		t.Fatal(err)
	}
	public, err := key.PublicKey.Bytes()
	if err != nil {
		t.Fatal(err)
	}
	got := hex.EncodeToString(public)
	want := "04" + "15d242ceebf8d8169fd6a8b5a746c41140414c3b07579038da06af89190fffcb" +
		"0515242cedd82e94799482e4c0514b505afccf2c0c98d6a553bf539f424c5ec0"
	if got != want {
		t.Errorf("public key:\ngot  %s\nwant %s", got, want)
	}
}

// Candidates above n-2 are thrown away (FIPS 186-4, B.4.2). None is ever met by
// chance, so the arithmetic is held to its definition with the block itself.
func TestDeriveECDSAIsCandidatePlusOne(t *testing.T) {
	for i := range 20 {
		id, secret := fmt.Sprintf("AKID%d", i), fmt.Sprintf("secret%d", i)
		key, err := deriveECDSA(id, secret)
		if err != nil {
			t.Fatal(err)
		}
		raw, err := key.Bytes()
		if err != nil {
			t.Fatal(err)
		}
		candidate := new(big.Int).SetBytes(ecdsaCandidate(id, secret, 1))
		if got := new(big.Int).SetBytes(raw); got.Sub(got, candidate).Int64() != 1 {
			t.Errorf("%s: the key is not the first candidate plus one", id)
		}
	}
}

func TestECDSACache(t *testing.T) {
	var cache ecdsaCache
	first, err := cache.get("id", "secret")
	if err != nil {
		t.Fatal(err)
	}
	if again, _ := cache.get("id", "secret"); again != first {
		t.Error("the same key was derived twice")
	}
	if rotated, _ := cache.get("id", "secret2"); rotated.Equal(first) {
		t.Error("a rotated secret got the old key")
	}
}

func TestRegionSet(t *testing.T) {
	for _, tt := range []struct {
		set, region string
		want        bool
	}{
		{"us-east-1", "us-east-1", true},
		{"us-east-1", "us-east-2", false},
		{"us-east-1,eu-west-1", "eu-west-1", true},
		{"us-east-1, eu-west-1", "eu-west-1", true},
		{"*", "ap-northeast-2", true},
		{"us-*", "us-west-2", true},
		{"us-*", "eu-west-2", false},
		{"*-2", "ap-northeast-2", true},
		{"*-2", "ap-northeast-1", false},
		{"us-*-1", "us-east-1", true},
		{"us-*-1", "us-east-12", false},
		{"*east*", "ap-northeast-2", true},
		{"**", "x", true},
		{"us-east-1*", "us-east-1", true},
		{"", "us-east-1", false},
		{",", "us-east-1", false},
		{"us-east", "us-east-1", false},
		{"US-EAST-1", "us-east-1", false},
	} {
		if got := regionSetHolds(tt.set, tt.region); got != tt.want {
			t.Errorf("%q holds %q: got %v, want %v", tt.set, tt.region, got, tt.want)
		}
	}
}

// A pattern of stars from somebody who is not authenticated yet must not take
// exponential time.
func TestSecurityRegionSetStars(t *testing.T) {
	if regionSetHolds(strings.Repeat("*a", 5000)+"*", strings.Repeat("a", 200)+"b") {
		t.Error("matched")
	}
}

func v4aInput(t *testing.T, set ...string) *SignInput {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://a.example/dev/a%20b?b&a=1", nil)
	if err != nil {
		t.Fatal(err)
	}
	return &SignInput{
		Request: r, Service: "execute-api", RegionSet: set, Time: time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC),
		Credentials: Credentials{AccessKeyID: "AKISORANDOMAASORANDOM", SecretAccessKey: "q+jcrXGc+0zWN6uzclKVhvMmUsIfRPa4rlRandom"},
	}
}

func v4aVerify(in *SignInput, target string) (*Verified, error) {
	var verifier Verifier
	return verifier.Verify(&VerifyInput{
		Target: target, Host: in.Request.URL.Host, Header: in.Request.Header, PayloadHash: EmptyPayloadHash,
		Region: "eu-west-1", Service: "execute-api", Now: in.Time,
		Lookup: func(id string) (Key, bool) {
			return Key{SecretAccessKey: in.Credentials.SecretAccessKey}, id == in.Credentials.AccessKeyID
		},
	})
}

func TestSignV4A(t *testing.T) {
	var signer Signer
	in := v4aInput(t, "us-*", "eu-west-1")
	text, err := signer.Transcript(in)
	if err != nil {
		t.Fatal(err)
	}
	canonical := "GET\n/dev/a%2520b\na=1&b=\nhost:a.example\nx-amz-date:20261123T010203Z\nx-amz-region-set:us-*,eu-west-1\n\n" +
		"host;x-amz-date;x-amz-region-set\n" + EmptyPayloadHash
	toSign := "AWS4-ECDSA-P256-SHA256\n20261123T010203Z\n20261123/execute-api/aws4_request\n" + HashBody([]byte(canonical))
	if text.CanonicalRequest != canonical || text.StringToSign != toSign {
		t.Errorf("got %q and %q", text.CanonicalRequest, text.StringToSign)
	}
	// The public half is the literal one of TestDeriveECDSA; crypto/ecdsa verifies.
	key, err := deriveECDSA(in.Credentials.AccessKeyID, in.Credentials.SecretAccessKey)
	if err != nil {
		t.Fatal(err)
	}
	signature, err := hex.DecodeString(text.Signature)
	if err != nil {
		t.Fatal(err)
	}
	digest := sha256.Sum256([]byte(toSign))
	if !ecdsa.VerifyASN1(&key.PublicKey, digest[:], signature) {
		t.Error("the signature is wrong")
	}
	if err := signer.Sign(in); err != nil {
		t.Fatal(err)
	}
	want := "AWS4-ECDSA-P256-SHA256 Credential=AKISORANDOMAASORANDOM/20261123/execute-api/aws4_request, " +
		"SignedHeaders=host;x-amz-date;x-amz-region-set, Signature=" + text.Signature
	if got := in.Request.Header.Get("Authorization"); got != want {
		t.Errorf("got %s\nwant %s", got, want)
	}
	got, err := v4aVerify(in, "/dev/a%20b?b&a=1")
	if err != nil || !got.SigV4A || got.Transcript() != text {
		t.Fatalf("got %+v, %v", got, err)
	}
	seen, err := Inspect(&VerifyInput{
		Target: "/dev/a%20b?b&a=1", Host: "a.example", Header: in.Request.Header, PayloadHash: EmptyPayloadHash,
		Lookup: func(string) (Key, bool) { return Key{SecretAccessKey: "x"}, true },
	})
	if err != nil || seen.StringToSign != toSign || seen.Signature != "" || seen.Claimed != text.Signature {
		t.Errorf("inspected: %+v, %v", seen, err)
	}
}

func TestVerifyV4ARefuses(t *testing.T) {
	const target = "/dev/a%20b?b&a=1"
	for _, tt := range []struct {
		name    string
		set     string
		tamper  func(http.Header)
		target  string
		message string
	}{
		{"another region", "us-east-1", nil, target, "Credential should be scoped to a valid region. "},
		{"no region set", "*", func(h http.Header) { h.Del("X-Amz-Region-Set") }, target, "Credential should be scoped to a valid region. "},
		{"region set not signed", "*", func(h http.Header) {
			h.Set("Authorization", strings.Replace(h.Get("Authorization"), ";x-amz-region-set", "", 1))
		}, target, "Credential should be scoped to a valid region. "},
		{"region set changed", "us-east-1", func(h http.Header) { h.Set("X-Amz-Region-Set", "eu-west-1") }, target, "The request signature we calculated"},
		{"query changed", "*", nil, target + "2", "The request signature we calculated"},
		{"upper-case signature", "*", func(h http.Header) {
			auth, signature, _ := strings.Cut(h.Get("Authorization"), "Signature=")
			h.Set("Authorization", auth+"Signature="+strings.ToUpper(signature))
		}, target, "The request signature we calculated"},
		{"signature is no hex", "*", func(h http.Header) {
			h.Set("Authorization", strings.Replace(h.Get("Authorization"), "Signature=30", "Signature=zz", 1))
		}, target, "The request signature we calculated"},
		{"a scope with a region", "*", func(h http.Header) {
			h.Set("Authorization", strings.Replace(h.Get("Authorization"), "/execute-api", "/eu-west-1/execute-api", 1))
		}, target, "Credential must have exactly 4 slash-delimited elements, e.g. keyid/date/service/term, got 'AKISORANDOMAASORANDOM/20261123/eu-west-1/execute-api/aws4_request'"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			var signer Signer
			in := v4aInput(t, tt.set)
			if err := signer.Sign(in); err != nil {
				t.Fatal(err)
			}
			if tt.tamper != nil {
				tt.tamper(in.Request.Header)
			}
			if _, err := v4aVerify(in, tt.target); err == nil || !strings.HasPrefix(err.(*Refusal).Message, tt.message) {
				t.Errorf("got %v, want %s", err, tt.message)
			}
		})
	}
}

func TestPresignV4A(t *testing.T) {
	var signer Signer
	in := v4aInput(t, "eu-*")
	signed, err := signer.Presign(in)
	if err != nil {
		t.Fatal(err)
	}
	target := strings.TrimPrefix(signed, "https://a.example")
	if !strings.Contains(target, "&X-Amz-Region-Set=eu-%2A&") || !strings.Contains(target, "Credential=AKISORANDOMAASORANDOM%2F20261123%2Fexecute-api%2Faws4_request&") {
		t.Errorf("got %s", signed)
	}
	if got, err := v4aVerify(in, target); err != nil || !got.SigV4A || !got.Presigned {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := v4aVerify(in, strings.Replace(target, "eu-%2A", "%2A", 1)); err == nil {
		t.Error("another region set was accepted")
	}
}
