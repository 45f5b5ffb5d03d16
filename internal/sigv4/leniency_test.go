package sigv4_test

import (
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/sigv4"
)

func TestLeniency(t *testing.T) {
	withoutPort := func(s *sigv4.SignInput) { s.Request.Host = "127.0.0.1" }
	port := func(in *sigv4.VerifyInput) { in.Host = "127.0.0.1:8080" }
	for _, tt := range []struct {
		name         string
		sign         func(*sigv4.SignInput)
		change, turn change
	}{
		{"host without port", withoutPort, port, func(in *sigv4.VerifyInput) { in.HostWithoutPort = true }},
		{"unnormalised path", func(s *sigv4.SignInput) {
			s.Request.URL.Path, s.Path = "//dev/./x/..", sigv4.PathUnnormalized
		}, nil, func(in *sigv4.VerifyInput) { in.UnnormalizedPath = true }},
		{"both", func(s *sigv4.SignInput) {
			withoutPort(s)
			s.Request.URL.Path, s.Path = "/dev//x", sigv4.PathUnnormalized
		}, port, func(in *sigv4.VerifyInput) { in.UnnormalizedPath, in.HostWithoutPort = true, true }},
	} {
		t.Run(tt.name, func(t *testing.T) {
			in := signed(t, tt.sign)
			if tt.change != nil {
				tt.change(in)
			}
			mismatch(t, in)
			tt.turn(in)
			got := accept(t, in)
			if got.Path != sigv4.NormalizePath(strings.Split(in.Target, "?")[0]) {
				t.Errorf("the path to route on is %q", got.Path)
			}
			if text := got.Transcript(); !strings.HasSuffix(text.StringToSign, sigv4.HashBody([]byte(text.CanonicalRequest))) {
				t.Error("the transcript is not the one that was verified")
			}
			in.Target += "&more"
			mismatch(t, in)
		})
	}
	t.Run("another host, even without port", func(t *testing.T) {
		in := signed(t, withoutPort)
		in.HostWithoutPort, in.Host = true, "127.0.0.2:8080"
		mismatch(t, in)
	})
}

// A signature for one wire path must not pass for another, save normalisation: not
// even with every leniency on.
func TestSecurityOneSignatureOnePath(t *testing.T) {
	paths := []string{
		"/a%20b", "/a%2520b", "/a b", "/a+b", "/a%2Bb", "/a%2Fb", "/a%2fb", "/a/b", "/a%252Fb", "/a//b", "/a/./b", "/a/x/../b", "/a/b/", "/a/b/.",
		"/%61", "/a", "/%2e/a", "/./a", "/a/..", "/", "/a;b", "/a%3Bb", "/~a", "/%7Ea", "/a?", "/a/%2E%2E/b", "/b", "*", "/*",
	}
	for _, wire := range paths {
		if wire == "*" {
			continue // no client of ours sends it
		}
		sign := signed(t, func(s *sigv4.SignInput) {
			s.Request.URL.Opaque, s.Request.URL.RawQuery = "http://"+testHost+wire, ""
		})
		for _, other := range paths {
			in := *sign
			in.Target = other
			in.UnnormalizedPath, in.HostWithoutPort, in.KeptTabs = true, true, true
			var verifier sigv4.Verifier
			_, err := verifier.Verify(&in)
			same := sigv4.NormalizePath(strings.TrimSuffix(wire, "?")) == sigv4.NormalizePath(strings.TrimSuffix(other, "?"))
			if (err == nil) != same {
				t.Errorf("signed for %q, sent as %q: got %v, want accepted %v", wire, other, err, same)
			}
		}
	}
}
