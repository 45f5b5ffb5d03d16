package sts_test

import (
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	awssts "github.com/aws/aws-sdk-go-v2/service/sts"
	"github.com/aws/smithy-go"

	"github.com/marquee-api/marquee/internal/identity"
	"github.com/marquee-api/marquee/internal/identity/sts"
	"github.com/marquee-api/marquee/internal/sigv4"
)

const (
	account = "123456789012"
	other   = "210987654321"
	region  = "ap-northeast-2"
)

func role(name string) string { return "arn:aws:iam::" + account + ":role/" + name }
func user(name string) string { return "arn:aws:iam::" + account + ":user/" + name }
func session(name string) string {
	return "arn:aws:sts::" + account + ":assumed-role/" + name + "/" + name
}

// house is a directory, its server, and what the server recorded.
type house struct {
	*identity.Directory
	server *sts.Server
	url    string

	mu      sync.Mutex
	offset  time.Duration // of the house's clock from the machine's, which clients sign by
	records []sts.Record
}

func (h *house) now() time.Time {
	h.mu.Lock()
	defer h.mu.Unlock()
	return time.Now().Add(h.offset)
}

func (h *house) advance(d time.Duration) {
	h.mu.Lock()
	defer h.mu.Unlock()
	h.offset += d
}

// last is the record of the request that was answered last.
func (h *house) last(t *testing.T) sts.Record {
	t.Helper()
	h.mu.Lock()
	defer h.mu.Unlock()
	if len(h.records) == 0 {
		t.Fatal("the server recorded nothing")
	}
	return h.records[len(h.records)-1]
}

// newHouse opens a house with the identities of a file in it.
func newHouse(t *testing.T, identities string) *house {
	t.Helper()
	h := &house{}
	var err error
	h.Directory, err = identity.New(identity.Config{AccountID: account, Region: region, Now: h.now, MaxSessions: 100})
	if err != nil {
		t.Fatal(err)
	}
	if err := h.Load("identities.yaml", []byte(identities)); err != nil {
		t.Fatal(err)
	}
	h.server = &sts.Server{Directory: h.Directory, Region: region, Now: h.now, Observe: func(r sts.Record) {
		h.mu.Lock()
		defer h.mu.Unlock()
		h.records = append(h.records, r)
	}}
	web := httptest.NewServer(h.server)
	t.Cleanup(web.Close)
	h.url = web.URL
	return h
}

func (h *house) profile(t *testing.T, name string) aws.Credentials {
	t.Helper()
	for _, c := range h.Profiles() {
		if c.Profile == name {
			return aws.Credentials{AccessKeyID: c.AccessKeyID, SecretAccessKey: c.SecretAccessKey, SessionToken: c.SessionToken}
		}
	}
	t.Fatalf("no profile %q", name)
	return aws.Credentials{}
}

// client is the SDK's, with a profile's credentials.
func (h *house) client(t *testing.T, profile string) *awssts.Client {
	t.Helper()
	return h.clientOf(h.profile(t, profile))
}

func (h *house) clientOf(c aws.Credentials) *awssts.Client {
	return awssts.New(awssts.Options{
		BaseEndpoint: &h.url, Region: region, Retryer: aws.NopRetryer{},
		Credentials: credentials.StaticCredentialsProvider{Value: c},
	})
}

// refusal is an error answer.
type refusal struct {
	Status  int
	Code    string
	Message string
}

func refusalOf(t *testing.T, err error) refusal {
	t.Helper()
	if err == nil {
		return refusal{}
	}
	var api smithy.APIError
	var response interface{ HTTPStatusCode() int }
	if !errors.As(err, &api) || !errors.As(err, &response) {
		t.Fatalf("the SDK says %v, which is no answer of the service", err)
	}
	return refusal{response.HTTPStatusCode(), api.ErrorCode(), api.ErrorMessage()}
}

const people = `
- name: ann
  arn: arn:aws:iam::123456789012:user/team/ann
- name: auditor
  tags: {team: audit}
- name: partner
  account: "210987654321"
`

// TestGetCallerIdentity needs no permission, whoever asks.
func TestGetCallerIdentity(t *testing.T) {
	h := newHouse(t, people)
	for profile, want := range map[string]struct{ arn, account, id string }{
		"ann":     {user("team/ann"), account, "AIDA"},
		"auditor": {session("auditor"), account, "AROA"},
		"partner": {"arn:aws:sts::" + other + ":assumed-role/partner/partner", other, "AROA"},
	} {
		out, err := h.client(t, profile).GetCallerIdentity(t.Context(), nil)
		if err != nil {
			t.Fatal(err)
		}
		holder, _ := h.Lookup(h.profile(t, profile).AccessKeyID)
		if *out.Arn != want.arn || *out.Account != want.account || *out.UserId != holder.UniqueID || !strings.HasPrefix(*out.UserId, want.id) {
			t.Errorf("%s is %s of %s, id %s; want %+v", profile, *out.Arn, *out.Account, *out.UserId, want)
		}
		if r := h.last(t); r.Caller != want.arn || r.Action != "GetCallerIdentity" || r.Status != 200 || r.Code != "" || r.RequestID == "" {
			t.Errorf("%s leaves the record %+v", profile, r)
		}
	}
}

// call is a request that is signed by the SDK's signer and may be wrong in any way.
type call struct {
	method, path, query, host, body string
	header                          http.Header
	credentials                     aws.Credentials // none: unsigned
	region, service                 string
	age                             time.Duration
	presign                         bool
}

const getCallerIdentity = "Action=GetCallerIdentity&Version=2011-06-15"

func (h *house) send(t *testing.T, c call) (*http.Response, []byte) {
	t.Helper()
	if c.method == "" {
		c.method = http.MethodPost
	}
	r, err := http.NewRequestWithContext(t.Context(), c.method, h.url+"/"+c.path+"?"+c.query, strings.NewReader(c.body))
	if err != nil {
		t.Fatal(err)
	}
	if c.body != "" {
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded; charset=utf-8")
	}
	for name, values := range c.header {
		r.Header[name] = values
	}
	if c.host != "" {
		r.Host = c.host
	}
	if c.credentials.AccessKeyID != "" {
		sign(t, r, c)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response, body
}

func sign(t *testing.T, r *http.Request, c call) {
	t.Helper()
	if c.region == "" {
		c.region = region
	}
	if c.service == "" {
		c.service = "sts"
	}
	signer, hash, at := v4.NewSigner(), sigv4.HashBody([]byte(c.body)), time.Now().Add(-c.age)
	if !c.presign {
		if err := signer.SignHTTP(t.Context(), c.credentials, r, hash, c.service, c.region, at); err != nil {
			t.Fatal(err)
		}
		return
	}
	signed, header, err := signer.PresignHTTP(t.Context(), c.credentials, r, hash, c.service, c.region, at)
	if err != nil {
		t.Fatal(err)
	}
	if r.URL, err = url.Parse(signed); err != nil {
		t.Fatal(err)
	}
	for name, values := range header {
		r.Header[name] = values
	}
}

// envelope is AWS's error answer, read without the package's own types.
type envelope struct {
	XMLName   xml.Name `xml:"https://sts.amazonaws.com/doc/2011-06-15/ ErrorResponse"`
	Error     struct{ Type, Code, Message string }
	RequestID string `xml:"RequestId"`
}

func TestRefusals(t *testing.T) {
	h := newHouse(t, people+"- {name: gone, lifetime: -1m}\n")
	ann, auditor, gone := h.profile(t, "ann"), h.profile(t, "auditor"), h.profile(t, "gone")
	with := func(c aws.Credentials, change func(*aws.Credentials)) aws.Credentials {
		change(&c)
		return c
	}
	const mismatch = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key " +
		"and signing method. Consult the service documentation for details."
	const invalid, expired = "The security token included in the request is invalid.", "The security token included in the request is expired"
	for name, test := range map[string]struct {
		call    call
		status  int
		code    string
		message string // its beginning; empty: let in
	}{
		"signed":            {call: call{credentials: ann, body: getCallerIdentity}, status: 200},
		"by GET":            {call: call{credentials: ann, method: "GET", query: getCallerIdentity}, status: 200},
		"presigned":         {call: call{credentials: auditor, method: "GET", query: getCallerIdentity, presign: true}, status: 200},
		"global region":     {call: call{credentials: ann, body: getCallerIdentity, region: "us-east-1"}, status: 200},
		"14 minutes late":   {call: call{credentials: ann, body: getCallerIdentity, age: 14 * time.Minute}, status: 200},
		"14 minutes early":  {call: call{credentials: ann, body: getCallerIdentity, age: -14 * time.Minute}, status: 200},
		"localhost":         {call: call{credentials: ann, body: getCallerIdentity, host: "LocalHost:4"}, status: 200},
		"unsigned":          {call{body: getCallerIdentity}, 403, "MissingAuthenticationToken", "Request is missing Authentication Token"},
		"bearer":            {call{body: getCallerIdentity, header: http.Header{"Authorization": {"Bearer x"}}}, 400, "IncompleteSignature", "Invalid key=value pair"},
		"wrong secret":      {call{credentials: with(ann, func(c *aws.Credentials) { c.SecretAccessKey += "x" }), body: getCallerIdentity}, 403, "SignatureDoesNotMatch", mismatch},
		"unknown key":       {call{credentials: with(ann, func(c *aws.Credentials) { c.AccessKeyID = "AKIAIOSFODNN7EXAMPLE" }), body: getCallerIdentity}, 403, "InvalidClientTokenId", invalid},
		"no token":          {call{credentials: with(auditor, func(c *aws.Credentials) { c.SessionToken = "" }), body: getCallerIdentity}, 403, "InvalidClientTokenId", invalid},
		"wrong token":       {call{credentials: with(auditor, func(c *aws.Credentials) { c.SessionToken += "x" }), body: getCallerIdentity}, 403, "InvalidClientTokenId", invalid},
		"token for a user":  {call{credentials: with(ann, func(c *aws.Credentials) { c.SessionToken = auditor.SessionToken }), body: getCallerIdentity}, 403, "InvalidClientTokenId", invalid},
		"expired":           {call{credentials: gone, body: getCallerIdentity}, 403, "ExpiredToken", expired},
		"16 minutes late":   {call{credentials: ann, body: getCallerIdentity, age: 16 * time.Minute}, 403, "SignatureDoesNotMatch", "Signature expired: "},
		"16 minutes early":  {call{credentials: ann, body: getCallerIdentity, age: -16 * time.Minute}, 403, "SignatureDoesNotMatch", "Signature not yet current: "},
		"other region":      {call{credentials: ann, body: getCallerIdentity, region: "eu-west-1"}, 403, "SignatureDoesNotMatch", "Credential should be scoped to a valid region. "},
		"other service":     {call{credentials: ann, body: getCallerIdentity, service: "execute-api"}, 403, "SignatureDoesNotMatch", "Credential should be scoped to correct service: 'sts'. "},
		"no action":         {call{credentials: ann, body: "Version=2011-06-15"}, 400, "MissingAction", "Missing Action"},
		"no form":           {call{credentials: ann, body: getCallerIdentity, header: http.Header{"Content-Type": {"text/plain"}}}, 400, "MissingAction", "Missing Action"},
		"unknown action":    {call{credentials: ann, body: "Action=GetMoney&Version=2011-06-15"}, 400, "InvalidAction", "Could not find operation GetMoney for version 2011-06-15"},
		"other version":     {call{credentials: ann, body: "Action=GetCallerIdentity&Version=2010-05-08"}, 400, "NoSuchVersion", "The requested version (2010-05-08) is not valid."},
		"parameter twice":   {call{credentials: ann, body: getCallerIdentity + "&Action=AssumeRole"}, 400, "MalformedQueryString", `parameter "Action" is there twice`},
		"in both places":    {call{credentials: ann, query: "Action=AssumeRole", body: getCallerIdentity}, 400, "MalformedQueryString", `parameter "Action" is there twice`},
		"not encoded":       {call{credentials: ann, body: getCallerIdentity + "&a=%zz"}, 400, "MalformedQueryString", `parameter "a" is not percent-encoded`},
		"many parameters":   {call{credentials: ann, body: getCallerIdentity + "&" + manyParameters()}, 400, "MalformedQueryString", "there are more than 400 parameters"},
		"large body":        {call{credentials: ann, body: getCallerIdentity + "&a=" + strings.Repeat("x", 64<<10)}, 413, "RequestEntityTooLarge", "the request is larger than 65536 bytes"},
		"other path":        {call{credentials: ann, body: getCallerIdentity, path: "x"}, 404, "UnknownOperationException", "only / is served here"},
		"PUT":               {call{credentials: ann, body: getCallerIdentity, method: "PUT"}, 404, "UnknownOperationException", "only / is served here"},
		"SAML":              {call{credentials: ann, body: "Action=AssumeRoleWithSAML&Version=2011-06-15"}, 400, "InvalidAction", "Could not find operation AssumeRoleWithSAML"},
		"security: a page":  {call{credentials: ann, body: getCallerIdentity, header: http.Header{"Origin": {"https://example.com"}}}, 403, "AccessDenied", "this endpoint answers tools, not web pages"},
		"security: no page": {call{credentials: ann, body: getCallerIdentity, header: http.Header{"Origin": {""}}}, 403, "AccessDenied", "this endpoint answers tools, not web pages"},
		"security: rebound": {call{credentials: ann, body: getCallerIdentity, host: "rebound.example.com"}, 403, "AccessDenied", "this endpoint does not answer to the Host"},
	} {
		t.Run(name, func(t *testing.T) {
			response, body := h.send(t, test.call)
			if response.StatusCode != test.status {
				t.Errorf("status is %d, want %d:\n%s", response.StatusCode, test.status, body)
			}
			if kind := response.Header.Get("Content-Type"); kind != "text/xml" {
				t.Errorf("content type is %q, want text/xml", kind)
			}
			if test.status == 200 {
				return
			}
			var e envelope
			if err := xml.Unmarshal(body, &e); err != nil {
				t.Fatalf("%v:\n%s", err, body)
			}
			if e.Error.Code != test.code || !strings.HasPrefix(e.Error.Message, test.message) || e.Error.Type != "Sender" {
				t.Errorf("got %+v, want %s: %s", e.Error, test.code, test.message)
			}
			if e.RequestID == "" || e.RequestID != response.Header.Get("X-Amzn-RequestId") {
				t.Errorf("request id is %q, in the header %q", e.RequestID, response.Header.Get("X-Amzn-RequestId"))
			}
			if r := h.last(t); r.RequestID != e.RequestID || r.Code != test.code || r.Status != test.status {
				t.Errorf("the record is %+v", r)
			}
		})
	}
}

func manyParameters() string {
	var pairs []string
	for i := range 400 {
		pairs = append(pairs, fmt.Sprintf("p%d=x", i))
	}
	return strings.Join(pairs, "&")
}

// TestObserveNobody: a server without an observer, a clock or a source of ids works.
func TestObserveNobody(t *testing.T) {
	h := newHouse(t, people)
	h.server.Observe, h.server.Now = nil, nil
	if _, err := h.client(t, "ann").GetCallerIdentity(t.Context(), nil); err != nil {
		t.Error(err)
	}
}

// TestAllowedHosts replaces the names that are right by default.
func TestAllowedHosts(t *testing.T) {
	h := newHouse(t, people)
	h.server.AllowedHosts = []string{"sts.internal", "::1"}
	for host, want := range map[string]int{"sts.internal:8080": 200, "[::1]:80": 200, "127.0.0.1": 403, "x.sts.internal": 403} {
		if response, body := h.send(t, call{credentials: h.profile(t, "ann"), body: getCallerIdentity, host: host}); response.StatusCode != want {
			t.Errorf("Host %s: got %d, want %d: %s", host, response.StatusCode, want, body)
		}
	}
}
