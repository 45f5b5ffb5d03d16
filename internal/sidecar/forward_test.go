package sidecar_test

import (
	"bytes"
	"crypto/x509"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/apiclient"
	"github.com/marquee-api/marquee/internal/sidecar"
	"github.com/marquee-api/marquee/internal/sigv4"
)

func TestRequestsAreSigned(t *testing.T) {
	api := newAPI(t, nil)
	side := start(t, api.URL+"/dev", sidecar.Config{})
	tests := map[string]struct{ method, path, body, target string }{
		"get":          {"GET", "/movie_list", "", "/dev/movie_list"},
		"query":        {"GET", "/movie_list?limit=5&genre=Drama", "", "/dev/movie_list?limit=5&genre=Drama"},
		"root":         {"GET", "/", "", "/dev/"},
		"put":          {"PUT", "/movie_list/2013/Rush", `{"info":{}}`, "/dev/movie_list/2013/Rush"},
		"post empty":   {"POST", "/movie_list", "", "/dev/movie_list"},
		"delete":       {"DELETE", "/movie_list/2013/Rush", "", "/dev/movie_list/2013/Rush"},
		"head":         {"HEAD", "/movie_list/2013/Rush", "", "/dev/movie_list/2013/Rush"},
		"options":      {"OPTIONS", "/movie_list", "", "/dev/movie_list"},
		"encoded":      {"GET", "/movie_list/1997/Face%2FOff%20%28x%29", "", "/dev/movie_list/1997/Face%2FOff%20%28x%29"},
		"reserved":     {"GET", "/a:b@c=d&e!f$g'h(i)*j,k;l", "", "/dev/a:b@c=d&e!f$g'h(i)*j,k;l"},
		"get and body": {"GET", "/movie_list", "x", "/dev/movie_list"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			api.got = nil
			resp, body := side.do(t, tt.method, tt.path, strings.NewReader(tt.body), "Authorization", "Basic Zm9vOmJhcg==",
				"X-Amz-Date", "20200101T000000Z", "X-Amz-Security-Token", "stale", "X-Amz-Content-Sha256", "UNSIGNED-PAYLOAD",
				"Content-Type", "application/json")
			if resp.StatusCode != 200 {
				t.Fatalf("got %d %s", resp.StatusCode, body)
			}
			got := api.arrivals(t, 1)[0]
			if got.Target != tt.target || got.Method != tt.method || string(got.Body) != tt.body {
				t.Errorf("the API got %s %s %q, want %s %s %q", got.Method, got.Target, got.Body, tt.method, tt.target, tt.body)
			}
			if got.Host != strings.TrimPrefix(api.URL, "http://") {
				t.Errorf("Host %q, want the API's", got.Host)
			}
			if got.Header.Get("X-Amz-Security-Token") != testKeys.SessionToken || got.Header.Get("X-Amz-Content-Sha256") != "" {
				t.Errorf("the client's signature passed: %v", got.Header)
			}
			if got.Length != int64(len(tt.body)) {
				t.Errorf("Content-Length %d, want %d", got.Length, len(tt.body))
			}
			checkSignature(t, got, testKeys)
		})
	}
}

// TestTargetsKeepTheirBytes sends what Go's own client could not, and has the verifier judge it, because the SDK signs
// these as API Gateway does not (paths) or drops them (queries).
func TestTargetsKeepTheirBytes(t *testing.T) {
	tests := map[string]struct{ base, target, want string }{
		"double slashes":      {"/dev", "/a//b///c", "/dev/a//b///c"},
		"leading slashes":     {"/dev", "//a/b", "/dev//a/b"},
		"root, two slashes":   {"", "//a%2Fb", "//a%2Fb"},
		"dots that stay":      {"/dev", "/a/../b/./c", "/dev/a/../b/./c"},
		"raw brackets, pipe":  {"/dev", "/[a]|b\"c", "/dev/[a]|b\"c"},
		"lower-case escape":   {"/dev", "/a%2fb%7Ec", "/dev/a%2fb%7Ec"},
		"raw UTF-8":           {"/dev", "/Amélie", "/dev/Amélie"},
		"order of the query":  {"/dev", "/a?z=1&a=2&m=%41&z=0", "/dev/a?z=1&a=2&m=%41&z=0"},
		"query with ; and %":  {"/dev", "/a?a=1;b=2&q=100%25&flag&x==", "/dev/a?a=1;b=2&q=100%25&flag&x=="},
		"plus":                {"/dev", "/a+b?q=c+d", "/dev/a+b?q=c+d"},
		"empty query":         {"/dev", "/a?", "/dev/a?"},
		"second mark":         {"/dev", "/a?b=c?d", "/dev/a?b=c?d"},
		"absolute, its own":   {"/dev", "http://127.0.0.1:9/a//b?q=1", "/dev/a//b?q=1"},
		"absolute, API's":     {"/dev", "http://API/dev/a%2Fb?q=1", "/dev/a%2Fb?q=1"},
		"absolute, no path":   {"/dev", "http://127.0.0.1", "/dev/"},
		"absolute, API query": {"", "http://API?q=1", "/?q=1"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			api := newAPI(t, nil)
			name := "a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com"
			side := start(t, "", sidecar.Config{Endpoint: resolve(t, apiclient.EndpointConfig{URL: "https://" + name + tt.base, VPCE: api.URL})})
			target := strings.Replace(tt.target, "API", name, 1)
			host := "localhost"
			if strings.Contains(target, name) {
				host = name
			}
			resp, body := side.raw(t, "GET "+target+" HTTP/1.1\r\nHost: "+host+"\r\nConnection: close\r\n\r\n")
			if resp.StatusCode != 200 {
				t.Fatalf("got %d %s", resp.StatusCode, body)
			}
			got := api.arrivals(t, 1)[0]
			if got.Target != tt.want {
				t.Errorf("the API got %q, want %q", got.Target, tt.want)
			}
			verify(t, got)
		})
	}
}

func verify(t *testing.T, a arrival) {
	t.Helper()
	_, err := new(sigv4.Verifier).Verify(&sigv4.VerifyInput{
		Method: a.Method, Target: a.Target, Host: a.Host, Header: a.Header, PayloadHash: sigv4.HashBody(a.Body),
		Region: testRegion, Service: "execute-api",
		Lookup: func(string) (sigv4.Key, bool) {
			return sigv4.Key{SecretAccessKey: testKeys.SecretAccessKey, SessionToken: testKeys.SessionToken}, true
		},
	})
	if err != nil {
		t.Errorf("%s %s: %v", a.Method, a.Target, err)
	}
}

// FuzzTarget: whatever path is asked for, what the API gets is below the stage, also for a server that decodes dots, and
// is what was asked for.
func FuzzTarget(f *testing.F) {
	for _, seed := range []string{"/a", "//", "/../prod", "/a/../../prod", "/%2e%2e/prod", "/.%2E/x?../..", "/a%2f..%2f..", "/a/..", "/a?b#c"} {
		f.Add(seed)
	}
	var got string
	base := roundTripper(func(r *http.Request) (*http.Response, error) {
		got = r.URL.RequestURI()
		return &http.Response{StatusCode: 204, Header: http.Header{}, Body: http.NoBody}, nil
	})
	endpoint, err := apiclient.ResolveEndpoint(apiclient.EndpointConfig{URL: "http://127.0.0.1:1/dev", Region: testRegion})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, target string) {
		proxy, err := sidecar.NewWithBase(sidecar.Config{Endpoint: endpoint, Credentials: fixed(testKeys)}, base)
		if err != nil {
			t.Fatal(err)
		}
		req, err := http.NewRequest("GET", "http://localhost/", nil)
		if err != nil {
			t.Fatal(err)
		}
		parsed, err := req.URL.Parse(target)
		if err != nil || !strings.HasPrefix(target, "/") || strings.ContainsAny(target, " #\r\n") {
			return // no server would hand it on
		}
		req.URL, req.RequestURI, got = parsed, target, ""
		proxy.ServeHTTP(newDiscard(), req)
		if got == "" {
			return // refused
		}
		if got != "/dev"+target {
			t.Errorf("asked for %q, sent %q", target, got)
		}
		path, _, _ := strings.Cut(got, "?")
		decoded := strings.NewReplacer("%2e", ".", "%2E", ".").Replace(path)
		if normal := sigv4.NormalizePath(decoded); normal != "/dev" && !strings.HasPrefix(normal, "/dev/") {
			t.Errorf("%q leads to %q, which is outside the stage", target, normal)
		}
	})
}

func TestRequestHeaders(t *testing.T) {
	api := newAPI(t, nil)
	side := start(t, api.URL+"/dev", sidecar.Config{
		Strip: []string{"x-debug"}, Add: http.Header{"X-Caller": {"billing"}, "x-api-key": {"k"}},
	})
	side.raw(t, "GET /a HTTP/1.1\r\nHost: localhost\r\nConnection: close, X-Hop , Keep-Alive\r\nX-Hop: 1\r\nKeep-Alive: timeout=5\r\n"+
		"Proxy-Connection: keep-alive\r\nProxy-Authorization: Basic eA==\r\nTE: trailers, deflate\r\nTrailer: X-T\r\n"+
		"X-Forwarded-For: 10.0.0.1\r\nX-Forwarded-Proto: http\r\nX-Forwarded-User: root\r\nX-Forwarded-Prefix: /x\r\nForwarded: for=10.0.0.1\r\nX-Real-IP: 10.0.0.1\r\n"+
		"X-Debug: 1\r\nX-Caller: mallory\r\nX-Api-Key: stolen\r\nX-Many: a\r\nX-Many: b\r\nAccept-Encoding: br\r\nCookie: c=1\r\n"+
		"X-Amzn-Trace-Id: Root=1\r\nX-Amz-Meta: m  n\r\n\r\n")
	got := api.arrivals(t, 1)[0]
	checkSignature(t, got, testKeys)
	for _, name := range []string{"Authorization", "X-Amz-Date", "X-Amz-Security-Token"} {
		got.Header.Del(name)
	}
	want := http.Header{
		"Te": {"trailers"}, "X-Caller": {"billing"}, "X-Api-Key": {"k"}, "X-Many": {"a", "b"}, "Accept-Encoding": {"br"},
		"Cookie": {"c=1"}, "X-Amzn-Trace-Id": {"Root=1"}, "X-Amz-Meta": {"m  n"}, "Via": {"1.1 marquee"},
	}
	if diff := cmp.Diff(want, got.Header); diff != "" {
		t.Errorf("the API got other headers (-want +got):\n%s", diff)
	}
}

func TestForwardedHeadersPassWhenToldSo(t *testing.T) {
	api := newAPI(t, nil)
	side := start(t, api.URL+"/dev", sidecar.Config{KeepForwarded: true})
	side.do(t, "GET", "/a", nil, "X-Forwarded-For", "10.0.0.1", "X-Forwarded-User", "root", "Forwarded", "for=10.0.0.1")
	got := api.arrivals(t, 1)[0].Header
	if got.Get("X-Forwarded-For") != "10.0.0.1" || got.Get("X-Forwarded-User") != "root" || got.Get("Forwarded") != "for=10.0.0.1" {
		t.Errorf("got %v", got)
	}
}

func TestHeadersThatCannotBeSetOrStripped(t *testing.T) {
	endpoint := resolve(t, apiclient.EndpointConfig{URL: "http://127.0.0.1:1/dev", Region: testRegion})
	for name, cfg := range map[string]sidecar.Config{
		"Host":          {Add: http.Header{"Host": {"x"}}},
		"Authorization": {Add: http.Header{"authorization": {"x"}}},
		"Connection":    {Strip: []string{"connection"}},
		"X-Amz-Date":    {Strip: []string{"x-amz-date"}},
		"a b":           {Strip: []string{"a b"}},
		"X-Line":        {Add: http.Header{"X-Line": {"a\r\nb"}}},
	} {
		cfg.Endpoint, cfg.Credentials = endpoint, fixed(testKeys)
		if _, err := sidecar.New(cfg); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("%s: got %v, want an error that names it", name, err)
		}
	}
}

func TestAnswersPassAsTheyAre(t *testing.T) {
	tests := map[string]struct {
		method string
		answer http.HandlerFunc
		status int
		header http.Header // besides Date
		body   string
	}{
		"ok": {"GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			io.WriteString(w, `{"Items":[]}`)
		}, 200, http.Header{"Content-Type": {"application/json"}, "Content-Length": {"12"}}, `{"Items":[]}`},
		"redirect is not followed": {"GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Location", "https://elsewhere.example/")
			w.WriteHeader(302)
		}, 302, http.Header{"Location": {"https://elsewhere.example/"}, "Content-Length": {"0"}}, ""},
		"no type is guessed, no coding undone": {"GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			w.Header().Set("Content-Encoding", "gzip")
			io.WriteString(w, "<html>")
		}, 200, http.Header{"Content-Encoding": {"gzip"}, "Content-Length": {"6"}}, "<html>"},
		"hop-by-hop ends": {"GET", func(w http.ResponseWriter, _ *http.Request) {
			h := w.Header()
			h["Content-Type"] = nil
			h.Set("Connection", "X-Hop")
			h.Set("X-Hop", "1")
			h.Set("Keep-Alive", "timeout=5")
			h["Set-Cookie"] = []string{"a=1", "b=2"}
		}, 200, http.Header{"Set-Cookie": {"a=1", "b=2"}, "Content-Length": {"0"}}, ""},
		"not modified": {"GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Etag", `"x"`)
			w.WriteHeader(304)
		}, 304, http.Header{"Etag": {`"x"`}}, ""},
		"head has the length": {"HEAD", func(w http.ResponseWriter, _ *http.Request) {
			w.Header()["Content-Type"] = nil
			w.Header().Set("Content-Length", "4711")
		}, 200, http.Header{"Content-Length": {"4711"}}, ""},
		"the gateway's refusal": {"GET", func(w http.ResponseWriter, _ *http.Request) {
			w.Header().Set("Content-Type", "application/json")
			w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
			w.WriteHeader(403)
			io.WriteString(w, `{"Message":"User: x is not authorized"}`)
		}, 403, http.Header{"Content-Type": {"application/json"}, "X-Amzn-Errortype": {"AccessDeniedException"}, "Content-Length": {"39"}},
			`{"Message":"User: x is not authorized"}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			api := newAPI(t, tt.answer)
			side := start(t, api.URL+"/dev", sidecar.Config{})
			resp, body := side.do(t, tt.method, "/a", nil)
			resp.Header.Del("Date")
			if resp.StatusCode != tt.status || body != tt.body {
				t.Errorf("got %d %q, want %d %q", resp.StatusCode, body, tt.status, tt.body)
			}
			if diff := cmp.Diff(tt.header, resp.Header); diff != "" {
				t.Errorf("headers (-want +got):\n%s", diff)
			}
			api.arrivals(t, 1)
		})
	}
}

// TestHeadersThatEndHere: Connection names them, whatever else it says.
func TestHeadersThatEndHere(t *testing.T) {
	for _, options := range []string{"X-Hop", "X-Hop, close", "close, X-Hop"} {
		api := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
			conn, _, err := http.NewResponseController(w).Hijack()
			if err != nil {
				t.Error(err)
				return
			}
			defer conn.Close()
			io.WriteString(conn, "HTTP/1.1 200 OK\r\nConnection: "+options+"\r\nX-Hop: 1\r\nX-End: 1\r\nContent-Length: 0\r\n\r\n")
		})
		resp, _ := start(t, api.URL+"/dev", sidecar.Config{}).do(t, "GET", "/a", nil)
		if resp.Header.Get("X-Hop") != "" || resp.Header.Get("X-End") != "1" {
			t.Errorf("Connection: %s: the client got %v", options, resp.Header)
		}
	}
}

func TestTrailersPass(t *testing.T) {
	for _, proto := range []string{"HTTP/1.1", "HTTP/2.0"} {
		t.Run(proto, func(t *testing.T) {
			api := newUnstartedAPI(t, func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Trailer", "X-Sum")
				io.WriteString(w, "body")
				w.Header().Set("X-Sum", "42")
				w.Header().Set(http.TrailerPrefix+"X-Late", "43")
			})
			var cfg sidecar.Config
			if proto == "HTTP/2.0" {
				api.EnableHTTP2 = true
				api.StartTLS()
				cfg.Upstream.Roots = trusting(api)
			} else {
				api.Start()
			}
			side := start(t, api.URL+"/dev", cfg)
			resp, body := side.do(t, "GET", "/a", nil)
			if api.arrivals(t, 1)[0].Proto != proto {
				t.Errorf("the API was spoken to in %s, want %s", api.got[0].Proto, proto)
			}
			if body != "body" || resp.Trailer.Get("X-Sum") != "42" || resp.Trailer.Get("X-Late") != "43" {
				t.Errorf("got %q with trailers %v", body, resp.Trailer)
			}
		})
	}
}

func trusting(a *api) *x509.CertPool {
	pool := x509.NewCertPool()
	pool.AddCert(a.Certificate())
	return pool
}

// TestPrivateAPIThroughItsEndpoint dials a VPC endpoint with TLS, of an authority of its own, and names the API in Host.
func TestPrivateAPIThroughItsEndpoint(t *testing.T) {
	for name, http1 := range map[string]bool{"HTTP/2.0": false, "HTTP/1.1": true} {
		t.Run(name, func(t *testing.T) {
			api := newUnstartedAPI(t, nil)
			api.EnableHTTP2 = true
			api.StartTLS()
			host := "a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com"
			side := start(t, "", sidecar.Config{
				Endpoint: resolve(t, apiclient.EndpointConfig{URL: "https://" + host + "/dev", VPCE: api.URL}),
				Upstream: sidecar.Upstream{Roots: trusting(api), HTTP1: http1},
			})
			for i, size := range []int{1000, 100_000} { // the second is too large for the short way
				resp, body := side.do(t, "PUT", "/movie_list/2013/Rush", bytes.NewReader(pattern(size)), "Host", host)
				if resp.StatusCode != 200 {
					t.Fatalf("got %d %s", resp.StatusCode, body)
				}
				got := api.arrivals(t, i+1)[i]
				if got.Host != host || got.Proto != name {
					t.Errorf("got Host %s by %s, want %s by %s", got.Host, got.Proto, host, name)
				}
				equal(t, "body", got.Body, pattern(size))
				checkSignature(t, got, testKeys)
			}
		})
	}
}

// TestConnectionsToTheAPIAreKept, by TLS: one for small requests one after the other, one for large ones.
func TestConnectionsToTheAPIAreKept(t *testing.T) {
	var opened atomic.Int32
	api := newUnstartedAPI(t, nil)
	api.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			opened.Add(1)
		}
	}
	api.StartTLS()
	side := start(t, api.URL+"/dev", sidecar.Config{Upstream: sidecar.Upstream{Roots: trusting(api)}})
	for _, size := range []int{0, 16 << 10, 1, 16<<10 + 1, 1 << 20} {
		if resp, body := side.do(t, "POST", "/a", bytes.NewReader(pattern(size))); resp.StatusCode != 200 {
			t.Errorf("got %d %s", resp.StatusCode, body)
		}
	}
	if n := opened.Load(); n != 2 && runtime.GOOS != "windows" {
		t.Errorf("%d connections were opened, want 2", n)
	}
}

// TestPlainHTTPTakesNoProxy: what is signed leaves this machine in TLS only. host.docker.internal, which counts as this
// machine, is none of the names that proxies of the environment are not asked for.
func TestPlainHTTPTakesNoProxy(t *testing.T) {
	api := newAPI(t, nil)
	side := start(t, api.URL+"/dev", sidecar.Config{Upstream: sidecar.Upstream{
		Proxy: func(*http.Request) (*url.URL, error) { return &url.URL{Scheme: "http", Host: "127.0.0.1:1"}, nil },
	}})
	if resp, body := side.do(t, "GET", "/a", nil); resp.StatusCode != 200 {
		t.Errorf("got %d %s; want the API's answer", resp.StatusCode, body)
	}
	api.arrivals(t, 1)
}
