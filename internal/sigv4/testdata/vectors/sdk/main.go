// Command sdk signs requests with the AWS SDK's signer and prints one vector a
// line, as JSON, in the form of botocore_vectors.py:
//
//	go run ./internal/sigv4/testdata/vectors/sdk > internal/sigv4/testdata/vectors/sdk.jsonl
package main

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/smithy-go/logging"
)

const (
	host   = "https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com"
	token  = "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaDmFwLW5vcnRoZWFzdC0yIkcwRQ+a/b=="
	region = "ap-northeast-2"
)

var signedAt = time.Date(2026, 11, 23, 1, 2, 3, 0, time.UTC)

type input struct {
	name, method, url, body, token, deviation string
	header                                    http.Header
	expires                                   int
}

type wire struct {
	Method  string      `json:"method"`
	Target  string      `json:"target"`
	Host    string      `json:"host"`
	Headers [][2]string `json:"headers"`
	Body    string      `json:"body"`
}

type vector struct {
	Name             string    `json:"name"`
	Signer           string    `json:"signer"`
	Deviation        string    `json:"deviation"`
	ID               string    `json:"id"`
	Secret           string    `json:"secret"`
	Token            string    `json:"token"`
	Region           string    `json:"region"`
	Service          string    `json:"service"`
	Time             time.Time `json:"time"`
	Presigned        bool      `json:"presigned"`
	Wire             wire      `json:"wire"`
	CanonicalRequest string    `json:"canonical_request"`
	StringToSign     string    `json:"string_to_sign"`
	Signature        string    `json:"signature"`
}

func main() {
	out := json.NewEncoder(os.Stdout)
	out.SetEscapeHTML(false)
	for _, in := range inputs() {
		v, err := sign(in)
		if err == nil {
			err = out.Encode(v)
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, in.name+":", err)
			os.Exit(1)
		}
	}
}

func inputs() []input {
	var all []input
	add := func(in input) {
		if in.method == "" {
			in.method = http.MethodGet
		}
		if in.url == "" {
			in.url = host + "/dev/movie_list"
		}
		all = append(all, in)
	}
	for _, path := range []string{"", "/", "/dev/movie_list/", "/dev/a%20b", "/dev/a%2Fb", "/dev/a%2fb", "/dev/100%25",
		"/dev/%EA%B8%B0", "/dev/%7Ea", "/dev/a+b", "/dev/@c/a:b=c;d,e!f$g&h'i(j)k*l", "/dev/A-z.0_9~", "/dev/.well-known"} {
		add(input{name: "path: " + path, url: host + path})
	}
	for _, path := range []string{"/dev//a", "//dev/a", "/dev/./a", "/dev/x/../a", "/dev/a/..", "/dev/a/.", "/..", "/dev//%2F//"} {
		add(input{name: "path not normalised: " + path, url: host + path, deviation: "unnormalized path"})
	}
	for _, query := range []string{"a=1", "b=2&a=1", "k=b&k=a&k=B&k=", "flag", "b&a&a=", "a-b=2&a=1&a.b=3", "k=a-b&k=a%2Fb&a%2F=1&a-=2",
		"q=a%20b", "q=a+b", "q=a%2Bb", "q=%E1%88%B4", "q=%41%2f", "a=b=c==", "q=a/b:c@d", "X-Amz-Signature=x&a=1", "a=1;b=2&c=3", "q=100%&c=3"} {
		add(input{name: "query: " + query, url: host + "/dev/movie_list?" + query})
	}
	for name, header := range map[string]http.Header{
		"custom": {"X-Custom": {"v"}, "Accept": {"*/*"}}, "spaces": {"X-Custom": {"  a   b  "}}, "repeated": {"X-Custom": {"b", "a", "b"}},
		"amz": {"X-Amz-Meta-B": {"2"}, "X-Amz-Meta-A": {"1"}}, "empty": {"X-Custom": {""}}, "quoted": {"X-Custom": {`"a   b"`}},
		"not signed": {"User-Agent": {"x"}, "X-Amzn-Trace-Id": {"Root=1"}},
	} {
		add(input{name: "header: " + name, header: header})
	}
	add(input{name: "header: inner tab", header: http.Header{"X-Custom": {"a\tb"}}, deviation: "kept tabs"})
	json := http.Header{"Content-Type": {"application/json"}}
	add(input{name: "body", method: http.MethodPut, body: `{"title":"기생충"}`, header: json})
	add(input{name: "token", token: token})
	add(input{name: "token and body", method: http.MethodPost, body: "{}", header: json, token: token})
	add(input{name: "port", url: "http://127.0.0.1:8080/dev"})
	add(input{name: "default port", url: "https://a.example:443/dev"})
	add(input{name: "presigned", expires: 300, token: token, url: host + "/dev/a%20b?year=2013&flag"})
	add(input{name: "presigned without expiry", expires: -1})
	add(input{name: "presigned body", expires: 300, method: http.MethodPost, body: "{}", header: json})
	slices.SortStableFunc(all, func(a, b input) int { return strings.Compare(a.name, b.name) })
	return all
}

// sign signs one request. The texts come out of the signer's log.
func sign(in input) (*vector, error) {
	r, err := http.NewRequest(in.method, in.url, strings.NewReader(in.body))
	if err != nil {
		return nil, err
	}
	if in.header != nil {
		r.Header = in.header.Clone()
	}
	var log bytes.Buffer
	signer := v4.NewSigner(func(o *v4.SignerOptions) {
		o.LogSigning, o.Logger = true, logging.NewStandardLogger(&log)
	})
	creds := aws.Credentials{AccessKeyID: "AKIDEXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", SessionToken: in.token}
	sum := sha256.Sum256([]byte(in.body))
	hash := hex.EncodeToString(sum[:])
	if in.expires > 0 {
		r.URL.RawQuery += "&X-Amz-Expires=" + strconv.Itoa(in.expires)
	}
	if in.expires == 0 {
		err = signer.SignHTTP(context.Background(), creds, r, hash, "execute-api", region, signedAt)
	} else {
		var signed string
		if signed, _, err = signer.PresignHTTP(context.Background(), creds, r, hash, "execute-api", region, signedAt); err == nil {
			r.URL, err = r.URL.Parse(signed)
		}
	}
	if err != nil {
		return nil, err
	}
	return newVector(in, r, creds, log.String())
}

func newVector(in input, r *http.Request, creds aws.Credentials, log string) (*vector, error) {
	_, rest, _ := strings.Cut(log, "]-----------------------------\n")
	canonical, rest, _ := strings.Cut(rest, "\n---[ STRING TO SIGN ]--------------------------------\n")
	toSign, _, found := strings.Cut(rest, "\n---")
	if !found {
		return nil, fmt.Errorf("no transcript in the log: %q", log)
	}
	v := &vector{
		Name: in.name, Signer: "aws-sdk-go-v2 " + version(), Deviation: in.deviation,
		ID: creds.AccessKeyID, Secret: creds.SecretAccessKey, Token: in.token,
		Region: region, Service: "execute-api", Time: signedAt, Presigned: in.expires != 0,
		CanonicalRequest: canonical, StringToSign: toSign,
	}
	v.Wire = wire{Method: r.Method, Target: r.URL.RequestURI(), Host: cmp.Or(r.Host, r.URL.Host), Headers: [][2]string{}, Body: in.body}
	for name, values := range r.Header {
		for _, value := range values {
			v.Wire.Headers = append(v.Wire.Headers, [2]string{name, value})
		}
	}
	if n := len(in.body); n > 0 {
		v.Wire.Headers = append(v.Wire.Headers, [2]string{"Content-Length", strconv.Itoa(n)})
	}
	slices.SortStableFunc(v.Wire.Headers, func(a, b [2]string) int { return strings.Compare(a[0], b[0]) })
	v.Signature = r.URL.Query().Get("X-Amz-Signature")
	if _, signature, found := strings.Cut(r.Header.Get("Authorization"), "Signature="); found {
		v.Signature = signature
	}
	return v, nil
}

func version() string {
	info, _ := debug.ReadBuildInfo()
	for _, module := range info.Deps {
		if module.Path == "github.com/aws/aws-sdk-go-v2" {
			return strings.TrimPrefix(module.Version, "v")
		}
	}
	return "?"
}
