package apiclient_test

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"github.com/marquee-api/marquee/apiclient"
)

const testRegion = "ap-northeast-2"

// testKeys are temporary credentials: the token is what must be sent, signed, and never shown.
var testKeys = aws.Credentials{
	AccessKeyID:     "ASIAEXAMPLEEXAMPLE00",
	SecretAccessKey: "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
	SessionToken:    "IQoJb3JpZ2luX2VjEXAMPLE//token+of/a/session==",
}

func static(keys aws.Credentials) aws.CredentialsProvider {
	return credentials.StaticCredentialsProvider{Value: keys}
}

// noWait retries at once.
var noWait = retry.BackoffDelayerFunc(func(int, error) (time.Duration, error) { return 0, nil })

// arrival is a request as it came off the wire.
type arrival struct {
	Method, Target, Host string
	Header               http.Header
	Body                 []byte
}

// answer is what the fault server says. The zero value is a 200 with an empty body.
type answer struct {
	status int
	kind   string // x-amzn-ErrorType
	body   string
	header map[string]string
	hangUp bool // close the connection without an answer
	cut    cut  // close it within the body
}

// cut is how an answer breaks off.
type cut int

const (
	whole     cut = iota
	ofLength      // fewer bytes than Content-Length says
	inChunks      // no last chunk; in HTTP/2 a reset stream
	withReset     // the connection is reset, as by a machine that went down
)

func (a answer) write(w http.ResponseWriter) {
	if a.hangUp {
		panic(http.ErrAbortHandler)
	}
	for name, value := range a.header {
		w.Header().Set(name, value)
	}
	if a.kind != "" {
		w.Header().Set("X-Amzn-Errortype", a.kind)
		w.Header().Set("X-Amzn-Requestid", "7e2f1b7c-0000-4000-8000-00000000000a")
		w.Header().Set("Content-Type", "application/json")
	}
	if a.cut == ofLength {
		w.Header().Set("Content-Length", fmt.Sprint(len(a.body)+1))
	}
	if a.status != 0 {
		w.WriteHeader(a.status)
	}
	io.WriteString(w, a.body)
	if a.cut != whole {
		a.cut.end(w)
	}
}

// end lets what was written reach the client, and then ends the connection.
func (c cut) end(w http.ResponseWriter) {
	w.(http.Flusher).Flush()
	if hijacker, ok := w.(http.Hijacker); ok && c == withReset {
		if conn, _, err := hijacker.Hijack(); err == nil {
			conn.(*net.TCPConn).SetLinger(0)
			conn.Close()
		}
		return
	}
	panic(http.ErrAbortHandler)
}

// faultServer answers as it is told, one answer after the other, and 200 from then on.
type faultServer struct {
	*httptest.Server
	mu      sync.Mutex
	answers []answer
	got     []arrival
}

func newFaultServer(t *testing.T, answers ...answer) *faultServer {
	t.Helper()
	f := &faultServer{answers: answers}
	f.Server = httptest.NewServer(f)
	t.Cleanup(f.Close)
	return f
}

func (f *faultServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	f.mu.Lock()
	f.got = append(f.got, arrival{r.Method, r.RequestURI, r.Host, r.Header.Clone(), body})
	var next answer
	if len(f.answers) > 0 {
		next, f.answers = f.answers[0], f.answers[1:]
	}
	f.mu.Unlock()
	next.write(w)
}

// arrivals returns what came, and fails if that is not so many.
func (f *faultServer) arrivals(t *testing.T, want int) []arrival {
	t.Helper()
	f.mu.Lock()
	defer f.mu.Unlock()
	if len(f.got) != want {
		t.Fatalf("got %d requests on the wire, want %d", len(f.got), want)
	}
	return f.got
}

// endpoint is the server as a stage of an API on loopback.
func (f *faultServer) endpoint(t *testing.T) *apiclient.Endpoint {
	t.Helper()
	return resolve(t, apiclient.EndpointConfig{URL: f.URL + "/dev", Region: testRegion})
}

func resolve(t *testing.T, cfg apiclient.EndpointConfig) *apiclient.Endpoint {
	t.Helper()
	e, err := apiclient.ResolveEndpoint(cfg)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// client returns a client for the server. cfg may lack an endpoint, credentials, and a wait between attempts.
func (f *faultServer) client(t *testing.T, cfg apiclient.Config) *apiclient.Client {
	t.Helper()
	c, err := apiclient.New(f.config(t, cfg))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(c.CloseIdleConnections)
	return c
}

func (f *faultServer) transport(t *testing.T, cfg apiclient.Config) *apiclient.Transport {
	t.Helper()
	tr, err := apiclient.NewTransport(f.config(t, cfg))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(tr.CloseIdleConnections)
	return tr
}

func (f *faultServer) config(t *testing.T, cfg apiclient.Config) apiclient.Config {
	t.Helper()
	if cfg.Endpoint == nil {
		cfg.Endpoint = f.endpoint(t)
	}
	if cfg.Credentials == nil {
		cfg.Credentials = static(testKeys)
	}
	if cfg.Retry.Backoff == nil {
		cfg.Retry.Backoff = noWait
	}
	return cfg
}

// checkSignature has the SDK sign what arrived, as it arrived, and compares the whole Authorization header.
func checkSignature(t *testing.T, a arrival, keys aws.Credentials, region string) {
	t.Helper()
	if got, want := a.Header.Get("Authorization"), sdkAuthorization(t, a, keys, region); got != want {
		t.Errorf("%s %s\ngot  %s\nwant %s (the SDK's)", a.Method, a.Target, got, want)
	}
}

func sdkAuthorization(t *testing.T, a arrival, keys aws.Credentials, region string) string {
	t.Helper()
	req, err := http.NewRequest(a.Method, "http://"+a.Host+a.Target, nil)
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range signedHeaders(t, a) {
		if name != "host" {
			req.Header[http.CanonicalHeaderKey(name)] = a.Header.Values(name)
		}
	}
	sum := sha256.Sum256(a.Body)
	err = v4.NewSigner().SignHTTP(context.Background(), keys, req, hex.EncodeToString(sum[:]), "execute-api", region, signedAt(t, a))
	if err != nil {
		t.Fatal(err)
	}
	return req.Header.Get("Authorization")
}

func signedHeaders(t *testing.T, a arrival) []string {
	t.Helper()
	_, rest, ok := strings.Cut(a.Header.Get("Authorization"), "SignedHeaders=")
	names, _, _ := strings.Cut(rest, ",")
	if !ok || names == "" {
		t.Fatalf("%s %s: Authorization %q has no SignedHeaders", a.Method, a.Target, a.Header.Get("Authorization"))
	}
	return strings.Split(names, ";")
}

func signedAt(t *testing.T, a arrival) time.Time {
	t.Helper()
	at, err := time.Parse("20060102T150405Z", a.Header.Get("X-Amz-Date"))
	if err != nil {
		t.Fatal(err)
	}
	return at
}

// roundTripperFunc is a base transport of a test.
type roundTripperFunc func(*http.Request) (*http.Response, error)

func (f roundTripperFunc) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// respond makes an answer as a base transport returns it.
func respond(status int, kind, body string) *http.Response {
	h := http.Header{"Content-Type": {"application/json"}}
	if kind != "" {
		h.Set("X-Amzn-Errortype", kind)
	}
	return &http.Response{
		StatusCode: status, Status: fmt.Sprint(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: h, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)),
	}
}

// quiet is for servers whose complaints a test provokes.
func quiet() *log.Logger { return log.New(io.Discard, "", 0) }
