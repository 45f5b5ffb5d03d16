package gateway_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/gateway"
)

// framing are headers that say where an answer ends, or what the gateway alone says, in the spelling of a template.
var framing = map[string]string{
	"Content-Length": "'3'", "content-length": "'3'", "Transfer-Encoding": "'chunked'", "TRANSFER-ENCODING": "'gzip'", "connection": "'X-Late'",
	"Keep-Alive": "'timeout=1'", "Proxy-Connection": "'close'", "TE": "'trailers'", "trailer": "'X-Late'", "Upgrade": "'h2c'",
	"date": "'Thu, 01 Jan 1970 00:00:00 GMT'", "X-Amz-Apigw-Id": "'mine'",
}

// An API's own answers end where they would end without its headers, and say of themselves what they would.
func TestSecurityTemplatesDoNotFrameAnswers(t *testing.T) {
	plain := newFixture(t)
	want := rawAnswer(t, plain, "GET /dev/movie_list")
	if !strings.Contains(want, "Content-Length: 42\r\n") || !strings.HasSuffix(want, missing) {
		t.Fatalf("got\n%s", want)
	}
	for name, value := range framing {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(c *gateway.Config, _ *gateway.Door) {
				c.APIs[0].Responses = map[string]gateway.GatewayResponse{"DEFAULT_4XX": {Headers: map[string]string{name: value}}}
			})
			if diff := cmp.Diff(want, rawAnswer(t, f, "GET /dev/movie_list")); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
	mocked := func(h http.Header) string {
		f := newFixture(t, func(c *gateway.Config, _ *gateway.Door) {
			c.APIs[0].ResourcePolicy = nil
			c.APIs[0].Private = false
			c.APIs[0].Routes[0] = gateway.Route{Method: "OPTIONS", Path: "/movie_list", NoAuth: true, Mock: &gateway.Mock{Status: 204, Header: h}}
		})
		return rawAnswer(t, f, "OPTIONS /dev/movie_list")
	}
	want = mocked(http.Header{"X-Kept": {"1"}})
	if !strings.Contains(want, "HTTP/1.1 204") || !strings.Contains(want, "X-Kept: 1\r\n") {
		t.Fatalf("got\n%s", want)
	}
	for name, value := range framing {
		t.Run("mock/"+name, func(t *testing.T) {
			if diff := cmp.Diff(want, mocked(http.Header{"X-Kept": {"1"}, name: {strings.Trim(value, "'")}})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// madeUp are the ids of one answer.
var madeUp = regexp.MustCompile(`(?mi)^(x-amzn-requestid|x-amz-apigw-id|x-amzn-trace-id): [^\r]+`)

// rawAnswer is all that comes back on a connection for an unsigned request.
func rawAnswer(t *testing.T, f *fixture, line string) string {
	t.Helper()
	server := f.vpce
	if strings.HasPrefix(line, "OPTIONS") {
		server = f.public
	}
	conn, err := net.Dial("tcp", server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	if _, err := fmt.Fprintf(conn, "%s HTTP/1.1\r\nHost: %s.execute-api.%s.amazonaws.com\r\nConnection: close\r\n\r\n", line, apiID, region); err != nil {
		t.Fatal(err)
	}
	all, err := io.ReadAll(conn)
	if err != nil {
		t.Fatal(err)
	}
	return madeUp.ReplaceAllStringFunc(string(all), func(line string) string {
		name, value, _ := strings.Cut(line, ": ")
		if value == "mine" {
			return line
		}
		return name + ": made up"
	})
}
