package main

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/smithy-go/aws-http-auth/credentials"
	"github.com/aws/smithy-go/aws-http-auth/sigv4a"
)

// TestExplainSigV4a has smithy sign with SigV4a, whose signatures no script can hold: they differ each time.
func TestExplainSigV4a(t *testing.T) {
	for name, test := range map[string]struct {
		regionSet, added string
		status           int
		want             []string
	}{
		"right": {"us-east-1,ap-*", "", 0, []string{"allowed: ", "over host;x-amz-date;x-amz-region-set\n"}},
		"other regions": {"us-*", "", 1, []string{
			"refused: InvalidSignatureException: Credential should be scoped to a valid region.", "\nscope: the region set that was signed does not hold the API's region"}},
		"changed": {"*", "&x=y", 1, []string{
			"refused: InvalidSignatureException: The request signature we calculated does not match", "\nunknown: the signature is wrong, and for SigV4a no mistakes can be tried"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
			t.Setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
			t.Setenv("AWS_SESSION_TOKEN", "")
			t.Setenv("AWS_PROFILE", "")
			request := signV4a(t, test.regionSet)
			var raw strings.Builder
			fmt.Fprintf(&raw, "GET %s HTTP/1.1\r\n", request.URL.RequestURI()+test.added)
			if err := request.Header.Write(&raw); err != nil { // smithy sets Host there
				t.Fatal(err)
			}
			var out, problems bytes.Buffer
			env := environment{Getenv: func(string) string { return "" }, Stdin: strings.NewReader(raw.String() + "\r\n"), Stdout: &out, Stderr: &problems}
			if status := run(t.Context(), []string{"explain"}, env); status != test.status || problems.Len() > 0 {
				t.Errorf("got status %d and %q, want status %d", status, problems.String(), test.status)
			}
			for _, want := range test.want {
				if !strings.Contains(out.String(), want) {
					t.Errorf("got %s, want %q in it", out.String(), want)
				}
			}
		})
	}
}

func signV4a(t *testing.T, regionSet string) *http.Request {
	t.Helper()
	request, err := http.NewRequestWithContext(t.Context(), http.MethodGet, "https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/dev/movie_list?limit=2", nil)
	if err != nil {
		t.Fatal(err)
	}
	nobody := sha256.Sum256(nil)
	err = sigv4a.New().SignRequest(&sigv4a.SignRequestInput{
		Request: request, PayloadHash: nobody[:], Service: "execute-api", RegionSet: strings.Split(regionSet, ","),
		Credentials: credentials.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"},
		Time:        time.Date(2026, 11, 20, 10, 0, 0, 0, time.UTC),
	})
	if err != nil {
		t.Fatal(err)
	}
	return request
}
