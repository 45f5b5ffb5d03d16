package sigv4_test

import (
	"errors"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"time"

	"github.com/marquee-api/marquee/internal/sigv4"
)

// Keys that nobody has; the time is fixed so that the output is.
var (
	exampleCredentials = sigv4.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
	exampleTime        = time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)
)

// Sign a request and send it as any other.
func ExampleSigner_Sign() {
	var signer sigv4.Signer // one for the whole program
	r, err := http.NewRequest(http.MethodGet, "https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/dev/movie_list?year=2013", nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	err = signer.Sign(&sigv4.SignInput{
		Request:     r,
		Credentials: exampleCredentials,
		Region:      "ap-northeast-2",
		Service:     "execute-api",
		Time:        exampleTime, // leave it out to sign now
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	fmt.Println(r.Header.Get("X-Amz-Date"))
	fmt.Println(strings.Split(r.Header.Get("Authorization"), ", ")[1])
	// Output:
	// 20261123T010203Z
	// SignedHeaders=host;x-amz-date
}

// A URL that works for a minute, for whoever has it.
func ExampleSigner_Presign() {
	var signer sigv4.Signer
	r, err := http.NewRequest(http.MethodGet, "https://api.example/dev/movie_list", nil)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	signed, err := signer.Presign(&sigv4.SignInput{
		Request: r, Credentials: exampleCredentials, Region: "ap-northeast-2", Service: "execute-api",
		Time: exampleTime, Expires: time.Minute,
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	for _, parameter := range strings.Split(signed, "&")[:4] {
		fmt.Println(parameter)
	}
	// Output:
	// https://api.example/dev/movie_list?X-Amz-Algorithm=AWS4-HMAC-SHA256
	// X-Amz-Credential=AKIDEXAMPLE%2F20261123%2Fap-northeast-2%2Fexecute-api%2Faws4_request
	// X-Amz-Date=20261123T010203Z
	// X-Amz-Expires=60
}

// Verify requests in a handler. The path to route on is the verified one.
func ExampleVerifier_Verify() {
	var verifier sigv4.Verifier // one for the whole program
	handler := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		hash, err := sigv4.HashReader(http.MaxBytesReader(w, r.Body, 10<<20))
		if err != nil {
			http.Error(w, "too large", http.StatusRequestEntityTooLarge)
			return
		}
		verified, err := verifier.Verify(&sigv4.VerifyInput{
			Method: r.Method, Target: r.RequestURI, Host: r.Host, Header: r.Header, PayloadHash: hash,
			Region: "ap-northeast-2", Service: "execute-api",
			Lookup: func(id string) (sigv4.Key, bool) {
				return sigv4.Key{SecretAccessKey: exampleCredentials.SecretAccessKey}, id == exampleCredentials.AccessKeyID
			},
		})
		if refusal, ok := errors.AsType[*sigv4.Refusal](err); ok {
			w.Header().Set("X-Amzn-ErrorType", refusal.Type)
			http.Error(w, refusal.Message, http.StatusForbidden)
			return
		}
		if err != nil {
			http.Error(w, "internal error", http.StatusInternalServerError)
			return
		}
		fmt.Fprintf(w, "%s may ask for %s", verified.AccessKeyID, verified.Path)
	})

	var signer sigv4.Signer
	r := httptest.NewRequest(http.MethodGet, "http://api.example/dev//movie_list", nil)
	r.RequestURI = "/dev//movie_list"
	if err := signer.Sign(&sigv4.SignInput{Request: r, Credentials: exampleCredentials, Region: "ap-northeast-2", Service: "execute-api"}); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	answer := httptest.NewRecorder()
	handler.ServeHTTP(answer, r)
	fmt.Println(answer.Code, answer.Body)
	// Output: 200 AKIDEXAMPLE may ask for /dev/movie_list
}

// AWS's answer to a wrong signature shows what it would have signed. Compared with
// what was signed here, it says what went wrong.
func ExampleExplain() {
	answer := []byte(`{"message":"The request signature we calculated does not match the signature you provided. ` +
		`Check your AWS Secret Access Key and signing method. Consult the service documentation for details.\n\n` +
		`The Canonical String for this request should have been\n'GET\n/dev/a%2520b\n\nhost:api.example\nx-amz-date:20261123T010203Z\n\n` +
		`host;x-amz-date\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'\n\n` +
		`The String-to-Sign should have been\n'AWS4-HMAC-SHA256\n20261123T010203Z\n20261123/ap-northeast-2/execute-api/aws4_request\n0'\n"}`)
	server, err := sigv4.ParseMismatch(answer)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return
	}
	client := sigv4.Transcript{
		CanonicalRequest: "GET\n/dev/a%20b\n\nhost:api.example\nx-amz-date:20261123T010203Z\n\nhost;x-amz-date\n" + sigv4.EmptyPayloadHash,
	}
	fmt.Println(sigv4.Explain(server, client))
	// Output:
	// path (line 2): the client signed the path as it is on the wire: API Gateway percent-encodes the path of the wire once more (only S3 does not)
	//   server: /dev/a%2520b
	//   client: /dev/a%20b
}

func ExampleNormalizePath() {
	for _, path := range []string{"/dev//movie_list/./", "/dev/x/../movie_list", "/dev/a%2Fb"} {
		fmt.Println(sigv4.NormalizePath(path))
	}
	// Output:
	// /dev/movie_list/
	// /dev/movie_list
	// /dev/a%2Fb
}
