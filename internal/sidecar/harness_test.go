package sidecar_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/marquee-api/marquee/apiclient"
	"github.com/marquee-api/marquee/internal/sidecar"
)

const testRegion = "ap-northeast-2"

// testKeys are temporary credentials: the token must be sent and signed.
var testKeys = aws.Credentials{
	AccessKeyID:     "ASIAEXAMPLEEXAMPLE00",
	SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
	SessionToken:    "IQoJb3JpZ2luX2VjEXAMPLE//token+of/a/session==",
}

func fixed(keys aws.Credentials) sidecar.Source {
	return func(context.Context) (aws.CredentialsProvider, error) {
		return credentials.StaticCredentialsProvider{Value: keys}, nil
	}
}

// arrival is a request as the API got it.
type arrival struct {
	Method, Target, Host, Proto string
	Header                      http.Header
	Body                        []byte
	Length                      int64
}

// api is what the proxy calls. It keeps what arrives and answers by the handler, or 200.
type api struct {
	*httptest.Server
	mu  sync.Mutex
	got []arrival
}

func newAPI(t *testing.T, answer http.HandlerFunc) *api {
	t.Helper()
	a := newUnstartedAPI(t, answer)
	a.Start()
	return a
}

func newUnstartedAPI(t *testing.T, answer http.HandlerFunc) *api {
	t.Helper()
	a := new(api)
	a.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		a.mu.Lock()
		a.got = append(a.got, arrival{r.Method, r.RequestURI, r.Host, r.Proto, r.Header.Clone(), body, r.ContentLength})
		a.mu.Unlock()
		if answer != nil {
			answer(w, r)
		}
	}))
	t.Cleanup(a.Close)
	return a
}

// arrivals returns what came, and fails if that is not so many.
func (a *api) arrivals(t *testing.T, want int) []arrival {
	t.Helper()
	a.mu.Lock()
	defer a.mu.Unlock()
	if len(a.got) != want {
		t.Fatalf("the API got %d requests, want %d", len(a.got), want)
	}
	return a.got
}

// side is a proxy that serves on loopback.
type side struct {
	*sidecar.Proxy
	address, admin string
	client         *http.Client
	stop           context.CancelFunc
	done           chan error
}

// URL is the proxy's with a path.
func (s *side) URL(path string) string { return "http://" + s.address + path }

// start runs a proxy for the API at url. cfg may lack endpoint, credentials and timeouts.
func start(t *testing.T, url string, cfg sidecar.Config) *side {
	t.Helper()
	return startRun(t, url, cfg, sidecar.Run{DrainTimeout: 5 * time.Second})
}

func startRun(t *testing.T, url string, cfg sidecar.Config, run sidecar.Run) *side {
	t.Helper()
	if cfg.Endpoint == nil {
		cfg.Endpoint = resolve(t, apiclient.EndpointConfig{URL: url, Region: testRegion})
	}
	if cfg.Credentials == nil {
		cfg.Credentials = fixed(testKeys)
	}
	if cfg.Timeouts == (sidecar.Timeouts{}) {
		cfg.Timeouts = sidecar.DefaultTimeouts()
	}
	if cfg.SpoolDir == "" {
		cfg.SpoolDir = t.TempDir()
	}
	proxy, err := sidecar.New(cfg)
	if err != nil {
		t.Fatal(err)
	}
	if run.Door == nil {
		run.Door = listen(t, sidecar.Door{Address: "127.0.0.1:0"})
	}
	run.Admin = listen(t, sidecar.Door{Address: "127.0.0.1:0"})
	ctx, cancel := context.WithCancel(context.Background())
	s := &side{Proxy: proxy, address: run.Door.Addr().String(), admin: "http://" + run.Admin.Addr().String(), stop: cancel, done: make(chan error, 1)}
	transport := &http.Transport{DisableCompression: true}
	s.client = &http.Client{Transport: transport, CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	go func() { s.done <- proxy.Serve(ctx, run); close(s.done) }()
	t.Cleanup(func() {
		transport.CloseIdleConnections()
		cancel()
		<-s.done
	})
	return s
}

func listen(t *testing.T, d sidecar.Door) net.Listener {
	t.Helper()
	l, err := sidecar.Listen(t.Context(), d)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func resolve(t *testing.T, cfg apiclient.EndpointConfig) *apiclient.Endpoint {
	t.Helper()
	e, err := apiclient.ResolveEndpoint(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// do sends a request and reads the answer.
func (s *side) do(t *testing.T, method, path string, body io.Reader, header ...string) (*http.Response, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, s.URL(path), body)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i < len(header); i += 2 {
		req.Header.Add(header[i], header[i+1])
	}
	if host := req.Header.Get("Host"); host != "" {
		req.Host = host
		req.Header.Del("Host")
	}
	resp, err := s.client.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%s %s: reading the answer: %v", method, path, err)
	}
	return resp, string(text)
}

// raw sends bytes to the proxy and returns the first answer with its body.
func (s *side) raw(t *testing.T, request string) (*http.Response, string) {
	t.Helper()
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	method, _, _ := strings.Cut(request, " ")
	resp, err := http.ReadResponse(bufio.NewReader(conn), &http.Request{Method: method})
	if err != nil {
		t.Fatalf("%q: %v", request, err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatalf("%q: reading the answer: %v", request, err)
	}
	return resp, string(text)
}

// get asks the admin listener.
func (s *side) get(t *testing.T, path string) (int, string) {
	t.Helper()
	resp, err := s.client.Get(s.admin + path)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(text)
}

// wantOwn checks that an answer is the proxy's own, with this code.
func wantOwn(t *testing.T, resp *http.Response, body string, status int, code string) string {
	t.Helper()
	var answer struct {
		Error struct{ Code, Message string }
	}
	if err := json.Unmarshal([]byte(body), &answer); err != nil {
		t.Fatalf("status %d, body %q: %v", resp.StatusCode, body, err)
	}
	if resp.StatusCode != status || answer.Error.Code != code || !strings.HasPrefix(resp.Header.Get("Proxy-Status"), "marquee; error=") {
		t.Errorf("got %d %q, Proxy-Status %q; want %d %q", resp.StatusCode, body, resp.Header.Get("Proxy-Status"), status, code)
	}
	return answer.Error.Message
}

// checkSignature has the SDK sign what arrived, as it arrived, and compares the whole Authorization header.
func checkSignature(t *testing.T, a arrival, keys aws.Credentials) {
	t.Helper()
	req, err := http.NewRequest(a.Method, "http://"+a.Host+a.Target, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(a.Header.Get("Authorization"), "SignedHeaders=")
	names, _, _ := strings.Cut(rest, ",")
	for _, name := range strings.Split(names, ";") {
		if name != "host" {
			req.Header[http.CanonicalHeaderKey(name)] = a.Header.Values(name)
		}
	}
	at, err := time.Parse("20060102T150405Z", a.Header.Get("X-Amz-Date"))
	if err != nil {
		t.Fatal(err)
	}
	sum := sha256.Sum256(a.Body)
	if err := v4.NewSigner().SignHTTP(context.Background(), keys, req, hex.EncodeToString(sum[:]), "execute-api", testRegion, at); err != nil {
		t.Fatal(err)
	}
	if got, want := a.Header.Get("Authorization"), req.Header.Get("Authorization"); got != want {
		t.Errorf("%s %s\ngot  %s\nwant %s (the SDK's)", a.Method, a.Target, got, want)
	}
}

// pattern is n bytes in which no two chunks are alike.
func pattern(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i ^ i>>8 ^ i>>16)
	}
	return b
}

func equal(t *testing.T, what string, got, want []byte) {
	t.Helper()
	if !bytes.Equal(got, want) {
		t.Errorf("%s: got %d bytes that are not the %d that were sent", what, len(got), len(want))
	}
}

// halfClosed sends bytes, says that there will be no more, and returns the answer.
func (s *side) halfClosed(t *testing.T, request string) (*http.Response, string) {
	t.Helper()
	conn, err := net.Dial("tcp", s.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, request); err != nil {
		t.Fatal(err)
	}
	conn.(*net.TCPConn).CloseWrite()
	resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp, string(text)
}

// waitFor asks again and again until the answer is yes, for ten seconds at most.
func waitFor(t *testing.T, ok func() bool) bool {
	t.Helper()
	deadline := time.After(10 * time.Second)
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for !ok() {
		select {
		case <-tick.C:
		case <-deadline:
			return false
		}
	}
	return true
}

// newStreamAPI is an API that reads the request's body itself.
func newStreamAPI(t *testing.T, answer http.HandlerFunc) *httptest.Server {
	t.Helper()
	server := httptest.NewServer(answer)
	t.Cleanup(server.Close)
	return server
}

// lines is a log to look into.
type lines struct {
	mu   sync.Mutex
	text strings.Builder
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.Write(b)
}

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.text.String()
}
