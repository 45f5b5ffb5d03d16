package gateway_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/policy"
)

// discard is a ResponseWriter that keeps nothing.
type discard struct {
	header http.Header
	status int
}

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(status int)      { d.status = status }

// BenchmarkDecision is the way of one signed request through every check, the answer of a mock in place of a function:
// the signature, the endpoint policy, the resource and identity policies, the route.
func BenchmarkDecision(b *testing.B) {
	const endpointPolicy = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"execute-api:Invoke","Resource":"arn:aws:execute-api:ap-northeast-2:123456789012:*","Condition":{"StringEqualsIfExists":{"aws:PrincipalAccount":["123456789012"]}}}]}`
	t := new(testing.T)
	g, err := gateway.New(gateway.Config{
		Region: region, AccountID: account, Invoker: &function{}, Now: func() time.Time { return now },
		Identities: people{"ASIACALLER": identity(t, "arn:aws:sts::123456789012:assumed-role/Caller/caller", allow(apiARN+"dev/GET/movie_list"))},
		APIs: []gateway.API{{
			ID: apiID, Stage: "dev", Private: true, VPCEndpointIDs: []string{endpoint},
			ResourcePolicy: parse(t, fence, policy.KindResource),
			Routes: []gateway.Route{
				{Method: "GET", Path: "/movie_list", Mock: &gateway.Mock{Status: 200}},
				{Method: "GET", Path: "/movie_list/{year}/{title}", Function: "one"},
			},
		}},
	})
	if err != nil {
		b.Fatal(err)
	}
	handler := g.Handler(gateway.Door{Name: "vpce", VPCEndpointID: endpoint, VPCID: "vpc-1", Policy: parse(t, endpointPolicy, policy.KindEndpoint)})
	r := httptest.NewRequest(http.MethodGet, "http://127.0.0.1:8080/dev/movie_list?limit=25", nil)
	credentials := aws.Credentials{AccessKeyID: "ASIACALLER", SecretAccessKey: "secret", SessionToken: "token"}
	if err := v4.NewSigner().SignHTTP(context.Background(), credentials, r, emptyHash, "execute-api", region, now); err != nil {
		b.Fatal(err)
	}
	r.RequestURI = "/dev/movie_list?limit=25"
	w := &discard{header: http.Header{}}
	b.ReportAllocs()
	for b.Loop() {
		clear(w.header)
		handler.ServeHTTP(w, r)
	}
	if w.status != 200 {
		b.Fatalf("got %d, want 200", w.status)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
}

const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
