package sigv4_test

import (
	"bytes"
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/marquee-api/marquee/internal/sigv4"
)

// benchRequest is one of the requests that the benchmarks sign.
type benchRequest struct {
	name, method, url string
	body              []byte // nil: none
}

var benchRequests = []benchRequest{
	{name: "GET", method: http.MethodGet, url: "https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/dev/movie_list"},
	{name: "GETquery", method: http.MethodGet,
		url: "https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/dev/movie_list?year=2013&limit=25&title=The%20Lunchbox&next=eyJ5ZWFyIjoyMDEzfQ%3D%3D"},
	{name: "PUT1KiB", method: http.MethodPut, url: "https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/dev/movie_list/2013/Rush",
		body: bytes.Repeat([]byte(`{"title":"Rush"}`), 64)},
}

func (b benchRequest) new(tb testing.TB) *http.Request {
	tb.Helper()
	r, err := http.NewRequestWithContext(tb.Context(), b.method, b.url, bytes.NewReader(b.body))
	if err != nil {
		tb.Fatal(err)
	}
	r.Header.Set("Accept", "application/json")
	r.Header.Set("User-Agent", "bench")
	if len(b.body) > 0 {
		r.Header.Set("Content-Type", "application/json")
	}
	return r
}

var (
	benchTime  = time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)
	benchCreds = sigv4.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"}
)

// BenchmarkSign signs the same requests with this package and with the SDK's
// signer, body hash and headers included. Both overwrite the headers of the round
// before.
func BenchmarkSign(b *testing.B) {
	for _, request := range benchRequests {
		b.Run(request.name+"/marquee", func(b *testing.B) {
			var signer sigv4.Signer
			in := &sigv4.SignInput{
				Request: request.new(b), Credentials: benchCreds, Body: request.body,
				Region: "ap-northeast-2", Service: "execute-api", Time: benchTime,
			}
			b.ReportAllocs()
			for b.Loop() {
				if err := signer.Sign(in); err != nil {
					b.Fatal(err)
				}
			}
		})
		b.Run(request.name+"/sdk", func(b *testing.B) {
			signer := v4.NewSigner()
			creds := aws.Credentials{AccessKeyID: benchCreds.AccessKeyID, SecretAccessKey: benchCreds.SecretAccessKey}
			r := request.new(b)
			b.ReportAllocs()
			for b.Loop() {
				hash := sigv4.HashBody(request.body)
				err := signer.SignHTTP(context.Background(), creds, r, hash, "execute-api", "ap-northeast-2", benchTime)
				if err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkAppend signs into a buffer that is used again.
func BenchmarkAppend(b *testing.B) {
	for _, request := range benchRequests {
		b.Run(request.name, func(b *testing.B) {
			var signer sigv4.Signer
			in := &sigv4.SignInput{
				Request: request.new(b), Credentials: benchCreds, PayloadHash: sigv4.HashBody(request.body),
				Region: "ap-northeast-2", Service: "execute-api", Time: benchTime,
			}
			buffer := make([]byte, 0, 512)
			b.ReportAllocs()
			for b.Loop() {
				var err error
				if buffer, err = signer.AppendAuthorization(buffer[:0], in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkVerify verifies what BenchmarkSign signs.
func BenchmarkVerify(b *testing.B) {
	for _, request := range benchRequests {
		b.Run(request.name, func(b *testing.B) {
			in := signedInput(b, request)
			var verifier sigv4.Verifier
			b.ReportAllocs()
			for b.Loop() {
				in.PayloadHash = sigv4.HashBody(request.body)
				if _, err := verifier.Verify(in); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func signedInput(tb testing.TB, request benchRequest) *sigv4.VerifyInput {
	tb.Helper()
	var signer sigv4.Signer
	r := request.new(tb)
	err := signer.Sign(&sigv4.SignInput{
		Request: r, Credentials: benchCreds, Region: "ap-northeast-2", Service: "execute-api", Time: benchTime,
	})
	if err != nil {
		tb.Fatal(err)
	}
	return &sigv4.VerifyInput{
		Method: r.Method, Target: r.URL.RequestURI(), Host: r.URL.Host, Header: r.Header,
		PayloadHash: sigv4.HashBody(request.body), Region: "ap-northeast-2", Service: "execute-api", Now: benchTime,
		Lookup: func(string) (sigv4.Key, bool) { return sigv4.Key{SecretAccessKey: benchCreds.SecretAccessKey}, true },
	}
}
