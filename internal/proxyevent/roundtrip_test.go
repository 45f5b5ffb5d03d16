package proxyevent_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/aws/aws-lambda-go/events"
	"github.com/awslabs/aws-lambda-go-api-proxy/core"

	"github.com/marquee-api/marquee/internal/proxyevent"
)

// roundTrip makes the event of a request and has AWS's own adapter, which functions use, make a request of it again.
func roundTrip(t *testing.T, r *proxyevent.Request) (*http.Request, bool) {
	t.Helper()
	event, err := proxyevent.Marshal(r)
	if err != nil {
		t.Fatal(err)
	}
	var request events.APIGatewayProxyRequest
	if err := json.Unmarshal(event, &request); err != nil {
		t.Fatalf("%s: %v", event, err)
	}
	var accessor core.RequestAccessor
	back, err := accessor.ProxyEventToHTTPRequest(request)
	return back, err == nil
}

// Whatever is asked, what a function's handler is asked is the same: the path, the pairs of the query in their order, a
// header, and the body, byte for byte.
func FuzzRoundTrip(f *testing.F) {
	f.Add("/movie_list/1999/A%2FB", "a=1&a=2&b=%20c+d", "X-Tenant", "one", []byte(`{"title":"Amélie"}`), false)
	f.Add("/", "", "", "", []byte(nil), false)
	f.Add("/a//b/", "flag&=x&%C3%A4=%2B&&k=a=b;c", "accept-language", "de, en", []byte{0, 255, 10}, true)
	f.Add("/%zz", "%zz=%", "Connection", "close", []byte("x"), false)
	f.Add("/../a", "q="+strings.Repeat("x", 300), "X-Amzn-Vpce-Id", "vpce-evil", []byte("\xc3"), true)
	f.Fuzz(func(t *testing.T, path, query, name, value string, body []byte, binary bool) {
		if !strings.HasPrefix(path, "/") || !utf8.ValidString(path) || !utf8.ValidString(query) || strings.ContainsAny(path, "?#") {
			t.Skip("no path of a request target, or one that no JSON holds")
		}
		if !binary && !utf8.Valid(body) {
			t.Skip("text that is none reaches no function as it was, on AWS neither")
		}
		r := request()
		r.Method, r.Path, r.RawQuery, r.Body = http.MethodPost, path, query, body
		canonical := http.CanonicalHeaderKey(name)
		withHeader := name != "" && utf8.ValidString(value) && utf8.ValidString(name) && strings.Trim(value, " \t\r\n") == value
		if withHeader {
			r.Header[canonical] = []string{value}
			r.Spelling = map[string]string{canonical: name}
		}
		if binary {
			r.Header["Content-Type"], r.API.BinaryMediaTypes = []string{"application/x"}, []string{"application/x"}
			withHeader = withHeader && canonical != "Content-Type"
			delete(r.Spelling, "Content-Type")
		}
		target, err := url.ParseRequestURI(path)
		back, ok := roundTrip(t, r)
		if !ok {
			if err == nil && target.Host == "" && !strings.HasPrefix(path, "//") {
				t.Errorf("%q, %q: the adapter cannot read the event", path, query)
			}
			return
		}
		if err == nil && back.URL.EscapedPath() != target.EscapedPath() {
			t.Errorf("got the path %q, want %q", back.URL.EscapedPath(), target.EscapedPath())
		}
		if want, err := url.ParseQuery(query); err == nil && !reflect.DeepEqual(back.URL.Query(), want) {
			t.Errorf("%q: got the query %v, want %v", query, back.URL.Query(), want)
		}
		if got, err := io.ReadAll(back.Body); err != nil || !bytes.Equal(got, body) {
			t.Errorf("got the body %q, %v, want %q", got, err, body)
		}
		if got := back.Header.Get(canonical); withHeader && !ours(canonical) && got != value {
			t.Errorf("got %s: %q, want %q", canonical, got, value)
		}
		if got := back.Header.Get("X-Amzn-Vpce-Id"); got != "vpce-1" {
			t.Errorf("got the endpoint %q, whatever the caller said", got)
		}
	})
}

// ours are the names that API Gateway keeps from a function, sets itself, or shows elsewhere.
func ours(canonical string) bool {
	for _, prefix := range []string{"X-Amzn-", "X-Forwarded-For", "Host", "Authorization", "Connection", "Content-Length", "Content-Md5", "Expect", "Max-Forwards",
		"Proxy-Authenticate", "Server", "Te", "Trailer", "Transfer-Encoding", "Upgrade", "Www-Authenticate"} {
		if strings.HasPrefix(canonical, prefix) {
			return true
		}
	}
	return false
}
