package policy_test

import (
	"testing"

	"github.com/marquee-api/marquee/internal/policy"
)

// The policies of a private API as this project writes them: a fence and a delegation, two roles' statements, an endpoint
// policy for the one API.
func benchmarkCall(b *testing.B) policy.Call {
	return policy.Call{
		Endpoint: parse(b, policy.KindEndpoint, `{'Version':'2012-10-17','Statement':[
			{'Effect':'Allow','Principal':'*','Action':'execute-api:Invoke','Resource':'arn:aws:execute-api:ap-northeast-2:123456789012:a1b2c3d4e5/*'}]}`),
		Resource: parse(b, policy.KindResource, `{'Version':'2012-10-17','Statement':[
			{'Sid':'Fence','Effect':'Deny','Principal':'*','Action':'execute-api:Invoke','Resource':'*','Condition':{'StringNotEquals':{'aws:SourceVpce':'vpce-0a1b2c3d4e5f60718'}}},
			{'Sid':'Account','Effect':'Allow','Principal':{'AWS':['123456789012','210987654321']},'Action':'execute-api:Invoke','Resource':'arn:aws:execute-api:ap-northeast-2:123456789012:a1b2c3d4e5/*'}]}`),
		Identity: []*policy.Document{
			parse(b, policy.KindIdentity, `{'Version':'2012-10-17','Statement':[
				{'Effect':'Allow','Action':['logs:CreateLogStream','logs:PutLogEvents'],'Resource':'arn:aws:logs:*:123456789012:*'}]}`),
			parse(b, policy.KindIdentity, `{'Version':'2012-10-17','Statement':[
				{'Effect':'Allow','Action':'execute-api:Invoke','Resource':['arn:aws:execute-api:ap-northeast-2:123456789012:a1b2c3d4e5/*/PUT/movie_list/*','arn:aws:execute-api:ap-northeast-2:123456789012:a1b2c3d4e5/*/GET/movie_list*']}]}`),
		},
		ResourceAccount: account,
	}
}

func fill(c *policy.Context, p policy.Principal) {
	c.Set(policy.KeySourceVPCE, "vpce-0a1b2c3d4e5f60718")
	c.Set(policy.KeySourceVPC, "vpc-0a1b2c3d4e5f60718")
	c.Set(policy.KeyVPCSourceIP, "10.0.1.10")
	c.Set(policy.KeySecureTransport, "true")
	c.Set(policy.KeyCurrentTime, "2026-01-31T12:00:00Z")
	c.Set(policy.KeyEpochTime, "1769860800")
	c.Set(policy.KeyUserAgent, "aws-sdk-go-v2/1.47.7")
	c.Set(policy.KeyTokenIssueTime, "2026-01-31T11:00:00Z")
	c.FillPrincipal(p)
}

func benchmarkPrincipal(b *testing.B) policy.Principal {
	p := principal(b, session)
	p.RoleARN, p.UserID = role, "AROAEXAMPLE:one"
	return p
}

// BenchmarkAuthorize is the decision alone, BenchmarkCall with the context that a gateway makes for each call.
func BenchmarkAuthorize(b *testing.B) {
	call := benchmarkCall(b)
	r := &policy.Request{Principal: benchmarkPrincipal(b), Action: "execute-api:Invoke", Resource: movies}
	fill(&r.Context, r.Principal)
	b.ReportAllocs()
	for b.Loop() {
		if v := call.Authorize(r); v.Decision != policy.Allow {
			b.Fatalf("got %+v", v)
		}
	}
}

func BenchmarkCall(b *testing.B) {
	call := benchmarkCall(b)
	p := benchmarkPrincipal(b)
	b.ReportAllocs()
	for b.Loop() {
		r := policy.Request{Principal: p, Action: "execute-api:Invoke", Resource: movies, Context: policy.NewContext(16)}
		fill(&r.Context, p)
		if v := call.Authorize(&r); v.Decision != policy.Allow {
			b.Fatalf("got %+v", v)
		}
	}
}

func BenchmarkParse(b *testing.B) {
	text := []byte(benchmarkCall(b).Resource.String())
	b.ReportAllocs()
	for b.Loop() {
		if _, err := policy.Parse(text, policy.KindResource); err != nil {
			b.Fatal(err)
		}
	}
}
