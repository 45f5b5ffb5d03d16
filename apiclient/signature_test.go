package apiclient_test

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/marquee-api/marquee/apiclient"
)

// trickyRequests are requests that signers get wrong, each with the target that must be on the wire.
var trickyRequests = map[string]struct {
	request apiclient.Request
	target  string
}{
	"plain":                {apiclient.Request{Path: "/movie_list"}, "/dev/movie_list"},
	"root of the stage":    {apiclient.Request{}, "/dev/"},
	"trailing slash":       {apiclient.Request{Path: "/movie_list/"}, "/dev/movie_list/"},
	"space":                {apiclient.Request{Path: "/m/{t}", PathParams: map[string]string{"t": "Iron Man"}}, "/dev/m/Iron%20Man"},
	"escaped slash":        {apiclient.Request{Path: "/m/{t}", PathParams: map[string]string{"t": "Face/Off"}}, "/dev/m/Face%2FOff"},
	"percent sign":         {apiclient.Request{Path: "/m/{t}", PathParams: map[string]string{"t": "100%"}}, "/dev/m/100%25"},
	"escaped twice":        {apiclient.Request{Path: "/m/{t}", PathParams: map[string]string{"t": "%20"}}, "/dev/m/%2520"},
	"UTF-8":                {apiclient.Request{Path: "/m/{t}", PathParams: map[string]string{"t": "Amélie 아가씨"}}, "/dev/m/Am%C3%A9lie%20%EC%95%84%EA%B0%80%EC%94%A8"},
	"colon and at":         {apiclient.Request{Path: "/m/a:b@c"}, "/dev/m/a:b@c"},
	"sub-delimiters":       {apiclient.Request{Path: "/m/!$&'()*+,;="}, "/dev/m/!$&'()*+,;="},
	"lower-case escape":    {apiclient.Request{Path: "/m/a%2fb"}, "/dev/m/a%2fb"},
	"query":                {apiclient.Request{Path: "/m", Query: url.Values{"limit": {"5"}}}, "/dev/m?limit=5"},
	"query in the path":    {apiclient.Request{Path: "/m?limit=5", Query: url.Values{"a": {"1"}}}, "/dev/m?a=1&limit=5"},
	"query space":          {apiclient.Request{Path: "/m", Query: url.Values{"q": {"iron man"}}}, "/dev/m?q=iron%20man"},
	"query plus":           {apiclient.Request{Path: "/m", Query: url.Values{"q": {"1+1"}}}, "/dev/m?q=1%2B1"},
	"query stars":          {apiclient.Request{Path: "/m", Query: url.Values{"q": {"*!()'~"}}}, "/dev/m?q=%2A%21%28%29%27~"},
	"query base64":         {apiclient.Request{Path: "/m", Query: url.Values{"next": {"a/b+c=="}}}, "/dev/m?next=a%2Fb%2Bc%3D%3D"},
	"query without value":  {apiclient.Request{Path: "/m", Query: url.Values{"flag": {""}}}, "/dev/m?flag="},
	"query repeated":       {apiclient.Request{Path: "/m", Query: url.Values{"a": {"2", "1"}, "a-b": {"0"}, "A": {"3"}}}, "/dev/m?A=3&a=2&a=1&a-b=0"},
	"query names":          {apiclient.Request{Path: "/m", Query: url.Values{"a b": {"1"}, "é": {"2"}, "a;b": {"3"}}}, "/dev/m?a%20b=1&a%3Bb=3&%C3%A9=2"},
	"header":               {apiclient.Request{Path: "/m", Header: http.Header{"X-Amz-Meta": {" a   b ", "c"}, "Content-Type": {"text/plain;  charset=utf-8"}}}, "/dev/m"},
	"JSON":                 {apiclient.Request{Method: "PUT", Path: "/m", JSON: map[string]any{"year": 2013, "title": "<Rush>"}}, "/dev/m"},
	"bytes":                {apiclient.Request{Method: "POST", Path: "/m", Body: []byte{0, 255, '\n'}}, "/dev/m"},
	"delete":               {apiclient.Request{Method: "DELETE", Path: "/m/1"}, "/dev/m/1"},
	"head":                 {apiclient.Request{Method: "HEAD", Path: "/m"}, "/dev/m"},
	"method in lower case": {apiclient.Request{Method: "patch", Path: "/m", Body: []byte("x")}, "/dev/m"},
}

// send makes each tricky request and returns what arrived.
func sendTricky(t *testing.T, keys aws.Credentials) map[string]arrival {
	t.Helper()
	if len(trickyRequests) == 0 {
		t.Fatal("no requests to try")
	}
	arrived := make(map[string]arrival)
	for name, tt := range trickyRequests {
		api := newFaultServer(t)
		if _, err := api.client(t, apiclient.Config{Credentials: static(keys)}).Do(t.Context(), tt.request); err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		arrived[name] = api.arrivals(t, 1)[0]
	}
	return arrived
}

var signingKeys = map[string]aws.Credentials{
	"temporary": testKeys,
	"long-term": {AccessKeyID: "AKIAIOSFODNN7EXAMPLE", SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"},
}

func TestSignatureEqualsTheSDKs(t *testing.T) {
	for kind, keys := range signingKeys {
		for name, a := range sendTricky(t, keys) {
			t.Run(kind+"/"+name, func(t *testing.T) {
				if want := trickyRequests[name].target; a.Target != want {
					t.Errorf("got target %q, want %q", a.Target, want)
				}
				checkSignature(t, a, keys, testRegion)
				if got := a.Header.Get("X-Amz-Security-Token"); got != keys.SessionToken {
					t.Errorf("got token %q, want %q", got, keys.SessionToken)
				}
			})
		}
	}
}

// TestSignatureEqualsBotocores needs Python 3 with botocore; where MARQUEE_REQUIRE asks for botocore, it must be there.
func TestSignatureEqualsBotocores(t *testing.T) {
	python, err := exec.LookPath("python3")
	if err == nil {
		err = exec.CommandContext(t.Context(), python, "-c", "import botocore").Run()
	}
	if err != nil && slices.Contains(strings.Split(os.Getenv("MARQUEE_REQUIRE"), ","), "botocore") {
		t.Fatalf("python3 with botocore is missing (%v), and MARQUEE_REQUIRE asks for it", err)
	}
	if err != nil {
		t.Skipf("python3 with botocore is missing: %v", err)
	}
	for kind, keys := range signingKeys {
		t.Run(kind, func(t *testing.T) {
			var names []string
			var lines, out bytes.Buffer
			arrived := sendTricky(t, keys)
			for name, a := range arrived {
				names = append(names, name)
				if err := json.NewEncoder(&lines).Encode(botocoreInput(t, a, keys)); err != nil {
					t.Fatal(err)
				}
			}
			cmd := exec.CommandContext(t.Context(), python, "testdata/resign.py")
			cmd.Stdin, cmd.Stdout = &lines, &out
			if err := cmd.Run(); err != nil {
				t.Fatalf("botocore: %v", err)
			}
			signatures := strings.Fields(out.String())
			if len(signatures) != len(names) || len(names) != len(trickyRequests) {
				t.Fatalf("got %d signatures for %d requests, want %d", len(signatures), len(names), len(trickyRequests))
			}
			for i, name := range names {
				_, got, _ := strings.Cut(arrived[name].Header.Get("Authorization"), "Signature=")
				if got != signatures[i] {
					t.Errorf("%s: got signature %s, want %s (botocore's)", name, got, signatures[i])
				}
			}
		})
	}
}

func botocoreInput(t *testing.T, a arrival, keys aws.Credentials) map[string]any {
	t.Helper()
	headers := [][2]string{{"host", a.Host}}
	for _, name := range signedHeaders(t, a) {
		for _, value := range a.Header.Values(name) {
			headers = append(headers, [2]string{name, value})
		}
	}
	return map[string]any{
		"method": a.Method, "url": "http://" + a.Host + a.Target, "headers": headers,
		"body":       base64.StdEncoding.EncodeToString(a.Body),
		"access_key": keys.AccessKeyID, "secret_key": keys.SecretAccessKey, "token": keys.SessionToken,
		"region": testRegion, "date": a.Header.Get("X-Amz-Date"),
	}
}
