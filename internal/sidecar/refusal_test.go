package sidecar_test

import (
	"context"
	"crypto/x509"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"github.com/marquee-api/marquee/apiclient"
	"github.com/marquee-api/marquee/internal/sidecar"
)

func TestRequestsThatAreNotSent(t *testing.T) {
	api := newAPI(t, nil)
	side := start(t, "", sidecar.Config{
		Endpoint: resolve(t, apiclient.EndpointConfig{URL: "https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/dev", VPCE: api.URL}),
		Hosts:    []string{"signer.local"},
		Origins:  []string{"https://console.example"},
	})
	tests := map[string]struct {
		request string // its first line and headers
		status  int
		code    string
		names   string // what the message must name
	}{
		"host of a rebinding page":  {"GET /a HTTP/1.1\r\nHost: evil.example\r\n", 421, "host_not_allowed", "--allow-host evil.example"},
		"host like loopback":        {"GET /a HTTP/1.1\r\nHost: localhost.evil.example\r\n", 421, "host_not_allowed", "evil.example"},
		"absolute, another host":    {"GET http://evil.example/a HTTP/1.1\r\nHost: localhost\r\n", 421, "host_not_allowed", "evil.example"},
		"page of another origin":    {"POST /a HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\nContent-Length: 0\r\n", 403, "origin_not_allowed", "--allow-origin"},
		"cross-site fetch":          {"DELETE /a HTTP/1.1\r\nHost: localhost\r\nSec-Fetch-Site: cross-site\r\n", 403, "origin_not_allowed", "--allow-origin"},
		"websocket":                 {"GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n", 501, "upgrade_not_supported", "websocket"},
		"h2c and websocket":         {"GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: h2c, websocket\r\n", 501, "upgrade_not_supported", "websocket"},
		"tunnel":                    {"CONNECT a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com:443 HTTP/1.1\r\nHost: localhost\r\n", 501, "method_not_supported", "CONNECT"},
		"trace":                     {"TRACE /a HTTP/1.1\r\nHost: localhost\r\n", 501, "method_not_supported", "TRACE"},
		"asterisk":                  {"PROPFIND * HTTP/1.1\r\nHost: localhost\r\n", 400, "bad_target", `"*"`},
		"another stage":             {"GET /../prod/a HTTP/1.1\r\nHost: localhost\r\n", 400, "path_outside_stage", "dot segments"},
		"another stage, deeper":     {"GET /a/../../prod HTTP/1.1\r\nHost: localhost\r\n", 400, "path_outside_stage", "dot segments"},
		"another stage, encoded":    {"GET /%2e%2E/prod HTTP/1.1\r\nHost: localhost\r\n", 400, "path_outside_stage", "dot segments"},
		"absolute, another stage":   {"GET http://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/prod/a HTTP/1.1\r\nHost: x\r\n", 400, "path_outside_stage", "/dev"},
		"absolute, a longer stage":  {"GET http://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/develop HTTP/1.1\r\nHost: x\r\n", 400, "path_outside_stage", "/dev"},
		"another API":               {"GET /a HTTP/1.1\r\nHost: localhost\r\nX-Apigw-Api-Id: zzzzzzzzzz\r\n", 421, "other_api", "zzzzzzzzzz"},
		"signed already, presigned": {"GET /a?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=0 HTTP/1.1\r\nHost: localhost\r\n", 400, "cannot_be_signed", "nothing was sent"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			resp, body := side.raw(t, tt.request+"Connection: close\r\n\r\n")
			if message := wantOwn(t, resp, body, tt.status, tt.code); !strings.Contains(message, tt.names) {
				t.Errorf("message %q does not name %q", message, tt.names)
			}
		})
	}
	api.arrivals(t, 0)
}

func TestRequestsThatAreSent(t *testing.T) {
	api := newAPI(t, nil)
	side := start(t, "", sidecar.Config{
		Endpoint: resolve(t, apiclient.EndpointConfig{URL: "https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/dev", VPCE: api.URL}),
		Hosts:    []string{"signer.local"},
		Origins:  []string{"https://console.example"},
	})
	for name, request := range map[string]string{
		"loopback name":        "GET /a HTTP/1.1\r\nHost: LOCALHOST:9000\r\n",
		"loopback address":     "GET /a HTTP/1.1\r\nHost: 127.0.0.1:9000\r\n",
		"loopback IPv6":        "GET /a HTTP/1.1\r\nHost: [::1]:9000\r\n",
		"name that is allowed": "GET /a HTTP/1.1\r\nHost: signer.local.\r\n",
		"the API's":            "GET /a HTTP/1.1\r\nHost: a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com\r\n",
		"HTTP/1.0, no host":    "GET /a HTTP/1.0\r\n",
		"h2c as Java offers":   "GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n",
		"page that is allowed": "POST /a HTTP/1.1\r\nHost: localhost\r\nOrigin: https://console.example\r\nContent-Length: 0\r\n",
		"own page":             "POST /a HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost\r\nContent-Length: 0\r\n",
		"dots that stay":       "GET /a/../b HTTP/1.1\r\nHost: localhost\r\n",
	} {
		t.Run(name, func(t *testing.T) {
			api.got = nil
			if resp, body := side.raw(t, request+"\r\n"); resp.StatusCode != 200 {
				t.Errorf("got %d %s", resp.StatusCode, body)
			}
			got := api.arrivals(t, 1)[0].Header
			if got.Get("Upgrade") != "" || got.Get("Http2-Settings") != "" {
				t.Errorf("the offer passed: %v", got)
			}
		})
	}
}

// TestHostsToAllow: what no client could send is a slip, and said at start.
func TestHostsToAllow(t *testing.T) {
	for name, ok := range map[string]bool{
		"signer": true, "Signer.Example.": true, "signer:9000": true, "a_b-c.9": true, "*": true, "0.0.0.0": true, "::": true,
		"[::1]:9000": true, "fe80::1%eth0": true,
		"": false, "a/b": false, "http://a": false, "a b": false, "*.example": false, "ü.example": false, "a,b": false, ":9000": false,
	} {
		_, err := sidecar.New(sidecar.Config{
			Endpoint: resolve(t, apiclient.EndpointConfig{URL: "http://127.0.0.1:1/dev", Region: testRegion}), Credentials: fixed(testKeys), Hosts: []string{name},
		})
		if (err == nil) != ok {
			t.Errorf("%q: got %v", name, err)
		}
	}
}

func TestNoAnswerOfTheAPI(t *testing.T) {
	hangs := newStreamAPI(t, func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	hangsUp := newStreamAPI(t, func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	foreign := newUnstartedAPI(t, nil)
	foreign.Config.ErrorLog = log.New(io.Discard, "", 0)
	foreign.StartTLS()
	trusted := x509.NewCertPool()
	trusted.AddCert(foreign.Certificate()) // for 127.0.0.1, not for localhost
	plain := newAPI(t, nil)
	gone := newAPI(t, nil)
	gone.Close()
	silent, err := net.Listen("tcp", "127.0.0.1:0") // nobody takes what arrives
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	dial := sidecar.Timeouts{Dial: 50 * time.Millisecond}
	half, other := says(t, "HTTP/1.1 200 OK\r\n"), says(t, "220 mail.example ESMTP\r\n")
	alert := says(t, "\x15\x03\x03\x00\x02\x02\x28") // handshake_failure
	secure := httptest.NewUnstartedServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) { <-r.Context().Done() }))
	secure.StartTLS()
	t.Cleanup(secure.Close)
	short := sidecar.Timeouts{ResponseHeader: 50 * time.Millisecond}
	whole := sidecar.Timeouts{Request: 50 * time.Millisecond}
	tests := map[string]struct {
		url    string
		cfg    sidecar.Config
		status int
		code   string
		names  string
	}{
		"nobody listens":    {gone.URL, sidecar.Config{}, 502, "connection_refused", "--url"},
		"no answer in time": {hangs.URL, sidecar.Config{Timeouts: short}, 504, "response_timeout", "--response-header-timeout"},
		"not done in time":  {hangs.URL, sidecar.Config{Timeouts: whole}, 504, "request_timeout", "--timeout"},
		"hangs up":          {hangsUp.URL, sidecar.Config{}, 502, "connection_terminated", "--retry"},
		"foreign authority": {foreign.URL, sidecar.Config{Upstream: sidecar.Upstream{Roots: x509.NewCertPool()}}, 502, "tls_certificate_error", "--ca"},
		"another name": {strings.Replace(foreign.URL, "127.0.0.1", "localhost", 1), sidecar.Config{Upstream: sidecar.Upstream{Roots: trusted}},
			502, "tls_certificate_error", "localhost"},
		"no TLS in time":         {"https://" + silent.Addr().String(), sidecar.Config{Timeouts: dial}, 504, "response_timeout", "--response-header-timeout"},
		"no answer in time, TLS": {secure.URL, sidecar.Config{Timeouts: short, Upstream: sidecar.Upstream{Roots: trusted}}, 504, "response_timeout", "--response-header-timeout"},
		"not done in time, TLS":  {secure.URL, sidecar.Config{Timeouts: whole, Upstream: sidecar.Upstream{Roots: trusted}}, 504, "request_timeout", "--timeout"},
		"half a header":          {"http://" + half.Addr().String(), sidecar.Config{}, 502, "connection_terminated", "--retry"},
		"no HTTP there":          {"http://" + other.Addr().String(), sidecar.Config{}, 502, "api_unreachable", "malformed HTTP"},
		"TLS that is refused":    {"https://" + alert.Addr().String(), sidecar.Config{}, 502, "tls_protocol_error", "--vpce"},
		"no TLS there":           {strings.Replace(plain.URL, "http:", "https:", 1), sidecar.Config{}, 502, "tls_protocol_error", "--vpce"},
		"no credentials":         {plain.URL, sidecar.Config{Credentials: failing}, 503, "no_credentials", "AWS_ACCESS_KEY_ID"},
		"expired from start":     {plain.URL, sidecar.Config{Credentials: fixed(ended)}, 503, "no_credentials", "ended at"},
		"no such name": {"https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com", sidecar.Config{
			Upstream: sidecar.Upstream{Proxy: nil},
		}, 502, "dns_error", "--vpce"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.code == "dns_error" {
				ctx, cancel := context.WithTimeout(t.Context(), 3*time.Second)
				defer cancel()
				if _, err := new(net.Resolver).LookupHost(ctx, "a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com"); !isNotFound(err) {
					t.Skipf("no resolver here that says so: %v", err)
				}
			}
			side := start(t, tt.url+"/dev", tt.cfg)
			resp, body := side.do(t, "GET", "/a", nil)
			if message := wantOwn(t, resp, body, tt.status, tt.code); !strings.Contains(message, tt.names) {
				t.Errorf("message %q does not name %q", message, tt.names)
			}
			if _, text := side.get(t, "/-/metrics"); !strings.Contains(text, `marquee_proxy_refusals_total{code="`+tt.code+`"} 1`) {
				t.Errorf("not counted: %s", grep(text, "refusals_total"))
			}
		})
	}
}

// says listens, reads a little of each connection, and answers it with the same bytes.
func says(t *testing.T, text string) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	done := make(chan struct{})
	t.Cleanup(func() { l.Close(); <-done })
	go func() {
		defer close(done)
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			conn.Read(make([]byte, 4096))
			io.WriteString(conn, text)
			conn.Close()
		}
	}()
	return l
}

func isNotFound(err error) bool {
	var dns *net.DNSError
	return errors.As(err, &dns) && dns.IsNotFound
}

func failing(context.Context) (aws.CredentialsProvider, error) {
	return aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
		return aws.Credentials{}, errors.New("no EC2 IMDS role found")
	}), nil
}

var ended = aws.Credentials{AccessKeyID: "ASIAENDED00000000000", SecretAccessKey: "s", SessionToken: "t", CanExpire: true, Expires: time.Unix(1, 0), Source: "test"}

func TestSlowBody(t *testing.T) {
	api := newAPI(t, nil)
	side := start(t, api.URL+"/dev", sidecar.Config{Timeouts: sidecar.Timeouts{Body: 50 * time.Millisecond}})
	resp, body := side.raw(t, "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhi")
	wantOwn(t, resp, body, 408, "body_timeout")
	api.arrivals(t, 0)
}

func TestHeadOfARefusal(t *testing.T) {
	api := newAPI(t, nil)
	side := start(t, api.URL+"/dev", sidecar.Config{Credentials: failing})
	resp, body := side.do(t, "HEAD", "/a", nil)
	if resp.StatusCode != 503 || body != "" || resp.Header.Get("Proxy-Status") != "marquee; error=proxy_configuration_error" {
		t.Errorf("got %d %q %v", resp.StatusCode, body, resp.Header)
	}
}
