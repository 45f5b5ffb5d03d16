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

// ours returns a function that signs the request with this package, body hash and
// headers included.
func (b benchRequest) ours(tb testing.TB) func() error {
	tb.Helper()
	var signer sigv4.Signer
	in := &sigv4.SignInput{
		Request: b.new(tb), Credentials: benchCreds, Body: b.body,
		Region: testRegion, Service: "execute-api", Time: benchTime,
	}
	return func() error { return signer.Sign(in) }
}

// theirs does the same with the SDK's signer. Both overwrite the headers of the
// round before.
func (b benchRequest) theirs(tb testing.TB) func() error {
	tb.Helper()
	signer, r := v4.NewSigner(), b.new(tb)
	creds := aws.Credentials{AccessKeyID: benchCreds.AccessKeyID, SecretAccessKey: benchCreds.SecretAccessKey}
	return func() error {
		return signer.SignHTTP(context.Background(), creds, r, sigv4.HashBody(b.body), "execute-api", testRegion, benchTime)
	}
}

// verifying returns a function that verifies what ours signs.
func (b benchRequest) verifying(tb testing.TB) func() error {
	tb.Helper()
	var verifier sigv4.Verifier
	in := b.signed(tb, "")
	return func() error {
		in.PayloadHash = sigv4.HashBody(b.body)
		_, err := verifier.Verify(in)
		return err
	}
}

func loop(b *testing.B, run func() error) {
	b.Helper()
	b.ReportAllocs()
	for b.Loop() {
		if err := run(); err != nil {
			b.Fatal(err)
		}
	}
}

// BenchmarkSign signs with this package and with the SDK's signer.
func BenchmarkSign(b *testing.B) {
	for _, request := range benchRequests {
		b.Run(request.name+"/marquee", func(b *testing.B) { loop(b, request.ours(b)) })
		b.Run(request.name+"/sdk", func(b *testing.B) { loop(b, request.theirs(b)) })
	}
}

// BenchmarkVerify verifies what BenchmarkSign signs.
func BenchmarkVerify(b *testing.B) {
	for _, request := range benchRequests {
		b.Run(request.name, func(b *testing.B) { loop(b, request.verifying(b)) })
	}
}

// BenchmarkRatio takes turns and compares the processor time of both sides, so
// that its ratios mean something on a machine that does other things besides.
func BenchmarkRatio(b *testing.B) {
	for _, request := range benchRequests {
		b.Run(request.name, func(b *testing.B) {
			var spent [3]time.Duration
			sides := [3]func() error{request.ours(b), request.theirs(b), request.verifying(b)}
			for b.Loop() {
				for side, run := range sides {
					start := cpuTime(b)
					for range 500 {
						if err := run(); err != nil {
							b.Fatal(err)
						}
					}
					spent[side] += cpuTime(b) - start
				}
			}
			b.ReportMetric(0, "ns/op") // of three things at once
			b.ReportMetric(float64(spent[1])/float64(spent[0]), "sdk/sign")
			b.ReportMetric(float64(spent[2])/float64(spent[0]), "verify/sign")
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
				Region: testRegion, Service: "execute-api", Time: benchTime,
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

// signed is what a gateway gets to verify.
func (b benchRequest) signed(tb testing.TB, token string) *sigv4.VerifyInput {
	tb.Helper()
	r := b.new(tb)
	creds := benchCreds
	creds.SessionToken = token
	var signer sigv4.Signer
	err := signer.Sign(&sigv4.SignInput{
		Request: r, Credentials: creds, Region: testRegion, Service: "execute-api", Time: benchTime,
	})
	if err != nil {
		tb.Fatal(err)
	}
	key := sigv4.Key{SecretAccessKey: creds.SecretAccessKey, SessionToken: token}
	return &sigv4.VerifyInput{
		Method: r.Method, Target: r.URL.RequestURI(), Host: r.URL.Host, Header: r.Header,
		PayloadHash: sigv4.HashBody(b.body), Region: testRegion, Service: "execute-api", Now: benchTime,
		Lookup: func(string) (sigv4.Key, bool) { return key, true },
	}
}
