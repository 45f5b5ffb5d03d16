package proxyevent_test

import (
	"encoding/json"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-lambda-go/events"
	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/proxyevent"
)

func request() *proxyevent.Request {
	return &proxyevent.Request{
		Method:   "GET",
		Path:     "/movie_list/1999/A%2FB",
		RawQuery: "",
		Protocol: "HTTP/1.1",
		Host:     "a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com",
		Header:   http.Header{},
		Resource: "/movie_list/{year}/{title}",
		PathParameters: map[string]string{
			"year": "1999", "title": "A%2FB",
		},
		API: proxyevent.API{AccountID: "123456789012", ID: "a1b2c3d4e5", Stage: "dev", ResourceID: "abc123", DeploymentID: "d1"},
		Identity: proxyevent.Identity{
			AccessKey: "ASIAEXAMPLE", AccountID: "123456789012", UniqueID: "AROAEXAMPLE:s",
			ARN: "arn:aws:sts::123456789012:assumed-role/Caller/s", SourceIP: "172.31.0.9", UserAgent: "curl/8",
			VPCID: "vpc-1", VPCEndpointID: "vpce-1",
		},
		RequestID: "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", ExtendedRequestID: "JKJaXmPLvHcESHA=",
		Time: time.Date(2015, 4, 9, 12, 34, 56, 0, time.UTC),
	}
}

// decode returns the event as plain JSON values, so that a null and an absent key differ.
func decode(t *testing.T, r *proxyevent.Request) map[string]any {
	t.Helper()
	raw, err := proxyevent.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var got map[string]any
	if err := json.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	return got
}

func TestMarshalTopLevel(t *testing.T) {
	got := decode(t, request())
	want := map[string]any{
		"resource": "/movie_list/{year}/{title}", "path": "/movie_list/1999/A%2FB", "httpMethod": "GET",
		"queryStringParameters": nil, "multiValueQueryStringParameters": nil,
		"pathParameters": map[string]any{"year": "1999", "title": "A%2FB"},
		"stageVariables": nil, "body": nil, "isBase64Encoded": false,
	}
	for key, value := range want {
		if diff := cmp.Diff(value, got[key]); diff != "" {
			t.Errorf("%s (-want +got):\n%s", key, diff)
		}
		if _, ok := got[key]; !ok {
			t.Errorf("%s is absent, want %v", key, value)
		}
	}
}

func TestMarshalRequestContext(t *testing.T) {
	got := decode(t, request())["requestContext"]
	want := map[string]any{
		"resourceId": "abc123", "resourcePath": "/movie_list/{year}/{title}", "httpMethod": "GET",
		"extendedRequestId": "JKJaXmPLvHcESHA=", "requestTime": "09/Apr/2015:12:34:56 +0000",
		"path": "/dev/movie_list/1999/A%2FB", "accountId": "123456789012", "protocol": "HTTP/1.1", "stage": "dev",
		"domainPrefix": "a1b2c3d4e5", "requestTimeEpoch": 1428582896000.0,
		"requestId": "c6af9ac6-7b61-11e6-9a41-93e8deadbeef", "deploymentId": "d1", "apiId": "a1b2c3d4e5",
		"domainName": "a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com",
		"identity": map[string]any{
			"cognitoIdentityPoolId": nil, "accountId": "123456789012", "cognitoIdentityId": nil,
			"caller": "AROAEXAMPLE:s", "sourceIp": "172.31.0.9", "principalOrgId": nil, "accessKey": "ASIAEXAMPLE",
			"cognitoAuthenticationType": nil, "cognitoAuthenticationProvider": nil,
			"userArn": "arn:aws:sts::123456789012:assumed-role/Caller/s", "userAgent": "curl/8",
			"user": "AROAEXAMPLE:s", "vpcId": "vpc-1", "vpceId": "vpce-1",
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("requestContext (-want +got):\n%s", diff)
	}
}

// On a public API the keys vpcId and vpceId are absent; without a signature the caller's fields are null.
func TestMarshalIdentityOfAnonymousPublicCall(t *testing.T) {
	r := request()
	r.Identity = proxyevent.Identity{SourceIP: "203.0.113.7", UserAgent: "curl/8"}
	identity := decode(t, r)["requestContext"].(map[string]any)["identity"].(map[string]any)
	for _, key := range []string{"vpcId", "vpceId", "apiKey", "apiKeyId"} {
		if _, ok := identity[key]; ok {
			t.Errorf("%s is present, want it absent", key)
		}
	}
	for _, key := range []string{"accessKey", "accountId", "caller", "user", "userArn"} {
		if value, ok := identity[key]; !ok || value != nil {
			t.Errorf("%s: got %v (present: %v), want null", key, value, ok)
		}
	}
}

func TestMarshalQuery(t *testing.T) {
	tests := map[string]struct {
		raw    string
		single map[string]any
		multi  map[string]any
	}{
		"absent":              {"", nil, nil},
		"only separators":     {"&&", nil, nil},
		"the last value wins": {"price=10&price=20&price=30", map[string]any{"price": "30"}, map[string]any{"price": []any{"10", "20", "30"}}},
		"plus is a space":     {"q=a+b", map[string]any{"q": "a b"}, map[string]any{"q": []any{"a b"}}},
		"%2B is a plus":       {"q=a%2Bb", map[string]any{"q": "a+b"}, map[string]any{"q": []any{"a+b"}}},
		"no value":            {"flag", map[string]any{"flag": ""}, map[string]any{"flag": []any{""}}},
		"equals in the value": {"k=a=b", map[string]any{"k": "a=b"}, map[string]any{"k": []any{"a=b"}}},
		"semicolon is data":   {"a=1;b=2", map[string]any{"a": "1;b=2"}, map[string]any{"a": []any{"1;b=2"}}},
		"bad escape is kept":  {"q=100%", map[string]any{"q": "100%"}, map[string]any{"q": []any{"100%"}}},
		"encoded name":        {"%C3%A4=1", map[string]any{"ä": "1"}, map[string]any{"ä": []any{"1"}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := request()
			r.RawQuery = tt.raw
			got := decode(t, r)
			gotSingle, _ := got["queryStringParameters"].(map[string]any)
			gotMulti, _ := got["multiValueQueryStringParameters"].(map[string]any)
			if diff := cmp.Diff(tt.single, gotSingle); diff != "" {
				t.Errorf("queryStringParameters (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(tt.multi, gotMulti); diff != "" {
				t.Errorf("multiValueQueryStringParameters (-want +got):\n%s", diff)
			}
		})
	}
}

func TestMarshalHeaders(t *testing.T) {
	const sigv4 = "AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/20150409/x/execute-api/aws4_request, SignedHeaders=host, Signature=00"
	tests := map[string]struct {
		in   http.Header
		name string
		want any // nil: the header must not be there
	}{
		"a SigV4 authorization is removed": {http.Header{"Authorization": {sigv4}}, "Authorization", nil},
		"another authorization passes":     {http.Header{"Authorization": {"Bearer x"}}, "Authorization", "Bearer x"},
		"connection never passes":          {http.Header{"Connection": {"close"}}, "Connection", nil},
		"content-length never passes":      {http.Header{"Content-Length": {"3"}}, "Content-Length", nil},
		"content-md5 never passes":         {http.Header{"Content-Md5": {"x"}}, "Content-Md5", nil},
		"expect never passes":              {http.Header{"Expect": {"x"}}, "Expect", nil},
		"max-forwards never passes":        {http.Header{"Max-Forwards": {"x"}}, "Max-Forwards", nil},
		"proxy-authenticate never passes":  {http.Header{"Proxy-Authenticate": {"x"}}, "Proxy-Authenticate", nil},
		"server never passes":              {http.Header{"Server": {"x"}}, "Server", nil},
		"trailer never passes":             {http.Header{"Trailer": {"x"}}, "Trailer", nil},
		"transfer-encoding never passes":   {http.Header{"Transfer-Encoding": {"x"}}, "Transfer-Encoding", nil},
		"www-authenticate never passes":    {http.Header{"Www-Authenticate": {"x"}}, "Www-Authenticate", nil},
		"te never passes":                  {http.Header{"Te": {"trailers"}}, "Te", nil},
		"upgrade never passes":             {http.Header{"Upgrade": {"h2c"}}, "Upgrade", nil},
		"the last of repeated values":      {http.Header{"X-Many": {"1", "2"}}, "X-Many", "2"},
		"host is there":                    {http.Header{}, "Host", "a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com"},
		"the endpoint is named":            {http.Header{}, "x-amzn-vpce-id", "vpce-1"},
		"a forged endpoint is dropped":     {http.Header{"X-Amzn-Vpce-Id": {"vpce-evil"}}, "X-Amzn-Vpce-Id", nil},
		"the source is appended":           {http.Header{"X-Forwarded-For": {"10.9.8.7"}}, "X-Forwarded-For", "10.9.8.7, 172.31.0.9"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := request()
			r.Header = tt.in
			headers := decode(t, r)["headers"].(map[string]any)
			if got := headers[tt.name]; got != tt.want {
				t.Errorf("%s: got %v, want %v", tt.name, got, tt.want)
			}
		})
	}
}

// A client's spelling is kept, but for the names that were seen in one spelling whoever sent them.
func TestMarshalSpelling(t *testing.T) {
	r := request()
	r.Header = http.Header{"Test-Header": {"1", "2"}, "Authorization": {"Bearer x"}, "User-Agent": {"a"}, "X-Forwarded-For": {"10.9.8.7"}, "X-Amzn-Vpce-Id": {"vpce-evil"}, "Other": {"3"}}
	r.Spelling = map[string]string{"Test-Header": "tEsT-HEADeR", "Authorization": "authorization", "User-Agent": "user-agent", "Host": "host",
		"X-Forwarded-For": "x-forwarded-for", "X-Amzn-Vpce-Id": "X-AMZN-VPCE-ID", "Other": "Other"}
	got := decode(t, r)
	want := map[string]any{
		"tEsT-HEADeR": []any{"1", "2"}, "Authorization": []any{"Bearer x"}, "User-Agent": []any{"a"}, "Other": []any{"3"},
		"Host":            []any{"a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com"},
		"X-Forwarded-For": []any{"10.9.8.7, 172.31.0.9"}, "x-amzn-vpce-id": []any{"vpce-1"}, "x-amzn-vpc-id": []any{"vpc-1"}, "x-amzn-vpce-config": []any{"1"},
		"x-amzn-cipher-suite": []any{"ECDHE-RSA-AES128-GCM-SHA256"}, "x-amzn-tls-version": []any{"TLSv1.2"},
	}
	if diff := cmp.Diff(want, got["multiValueHeaders"]); diff != "" {
		t.Errorf("multiValueHeaders (-want +got):\n%s", diff)
	}
	for name, values := range want {
		list := values.([]any)
		if single := got["headers"].(map[string]any)[name]; single != list[len(list)-1] {
			t.Errorf("headers: %s: got %v, want %v", name, single, list[len(list)-1])
		}
	}
}

func TestMarshalBody(t *testing.T) {
	tests := map[string]struct {
		contentType string
		binary      []string
		base64      bool
		want        string
	}{
		"text":               {"application/json", nil, false, "é1"},
		"exact binary type":  {"image/png", []string{"image/png"}, true, "w6kx"},
		"parameters ignored": {"Image/PNG; q=1", []string{"image/png"}, true, "w6kx"},
		"type wildcard":      {"image/png", []string{"image/*"}, true, "w6kx"},
		"any":                {"text/plain", []string{"*/*"}, true, "w6kx"},
		"another type":       {"text/plain", []string{"image/*"}, false, "é1"},
		"no content type":    {"", []string{"*/*"}, false, "é1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			r := request()
			r.Body = []byte("é1")
			r.API.BinaryMediaTypes = tt.binary
			if tt.contentType != "" {
				r.Header.Set("Content-Type", tt.contentType)
			}
			got := decode(t, r)
			if got["body"] != tt.want || got["isBase64Encoded"] != tt.base64 {
				t.Errorf("got body %v, base64 %v; want %v, %v", got["body"], got["isBase64Encoded"], tt.want, tt.base64)
			}
		})
	}
}

// The event is what aws-lambda-go's type reads, so that a Go function gets every field that the type has.
func TestMarshalIsReadByLambdaType(t *testing.T) {
	r := request()
	r.RawQuery = "limit=2"
	raw, err := proxyevent.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var got events.APIGatewayProxyRequest
	decoder := json.NewDecoder(strings.NewReader(string(raw)))
	if err := decoder.Decode(&got); err != nil {
		t.Fatal(err)
	}
	if got.Path != r.Path || got.QueryStringParameters["limit"] != "2" ||
		got.RequestContext.Identity.UserArn != r.Identity.ARN || got.RequestContext.RequestTimeEpoch != 1428582896000 {
		t.Errorf("got %+v", got)
	}
}

// Whatever the query, name and value pairs keep their number and their order within a name.
func FuzzMarshalQuery(f *testing.F) {
	for _, seed := range []string{"", "a=1&a=2", "a+b=%20", "%zz=%", "=&==", "a=1;b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		r := request()
		r.RawQuery = raw
		event, err := proxyevent.Marshal(r)
		if err != nil {
			t.Fatal(err)
		}
		var got struct {
			Multi map[string][]string `json:"multiValueQueryStringParameters"`
		}
		if err := json.Unmarshal(event, &got); err != nil {
			t.Fatal(err)
		}
		want, values := 0, 0
		for pair := range strings.SplitSeq(raw, "&") {
			if pair != "" {
				want++
			}
		}
		for _, list := range got.Multi {
			values += len(list)
		}
		if values != want && !strings.ContainsRune(strings.ToValidUTF8(raw, "\x00"), 0) && !strings.Contains(raw, "%") {
			t.Errorf("%q: got %d values, want %d", raw, values, want)
		}
	})
}
