package apiclient_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/marquee-api/marquee/apiclient"
)

// vpcEndpoint is a TLS server with an authority of its own. It notes what it was asked for before any HTTP.
type vpcEndpoint struct {
	faultServer
	roots  *x509.CertPool
	http2  bool
	mu     sync.Mutex
	sni    []string
	dialed []string
}

func newVPCEndpoint(t *testing.T, names ...string) *vpcEndpoint {
	t.Helper()
	v := &vpcEndpoint{roots: x509.NewCertPool()}
	v.Server = httptest.NewUnstartedServer(&v.faultServer)
	v.EnableHTTP2, v.Config.ErrorLog = true, quiet()
	v.TLS = &tls.Config{
		Certificates: []tls.Certificate{issue(t, v.roots, names)},
		GetConfigForClient: func(hello *tls.ClientHelloInfo) (*tls.Config, error) {
			v.mu.Lock()
			defer v.mu.Unlock()
			v.sni = append(v.sni, hello.ServerName)
			return nil, nil
		},
	}
	v.StartTLS()
	t.Cleanup(v.Close)
	return v
}

// issue makes an authority, adds it to roots, and has it certify the names.
func issue(t *testing.T, roots *x509.CertPool, names []string) tls.Certificate {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, DNSNames: names,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	parsed, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	roots.AddCert(parsed)
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}
}

// base dials the server whatever the name: a test has no DNS of its own.
func (v *vpcEndpoint) base(t *testing.T) http.RoundTripper {
	base := &http.Transport{
		TLSClientConfig:   &tls.Config{RootCAs: v.roots},
		ForceAttemptHTTP2: v.http2,
		DialContext: func(ctx context.Context, network, addr string) (net.Conn, error) {
			v.mu.Lock()
			v.dialed = append(v.dialed, addr)
			v.mu.Unlock()
			var d net.Dialer
			return d.DialContext(ctx, network, strings.TrimPrefix(v.URL, "https://"))
		},
	}
	t.Cleanup(base.CloseIdleConnections)
	return base
}

// "Invoke a private API": what is dialled and verified is one name, what is sent and signed may be another.
func TestEndpointFormsOnTheWire(t *testing.T) {
	const (
		alias   = "a1b2c3d4e5-vpce-0123456789abcdef0.execute-api.ap-northeast-2.amazonaws.com"
		amazon  = "*.execute-api.ap-northeast-2.amazonaws.com"
		amazonV = "*.execute-api.ap-northeast-2.vpce.amazonaws.com"
	)
	for name, tt := range map[string]struct {
		cfg                            apiclient.EndpointConfig
		certificate                    string
		wantDial, wantHost, wantHeader string
		wantTarget                     string
	}{
		"private DNS name": {
			apiclient.EndpointConfig{URL: apiURL}, amazon, apiHost, apiHost, "", "/dev/movie_list",
		},
		"VPC endpoint with the API's Host": {
			apiclient.EndpointConfig{URL: apiURL, VPCE: vpceHost}, amazonV, vpceHost, apiHost, "", "/dev/movie_list",
		},
		"VPC endpoint with x-apigw-api-id": {
			apiclient.EndpointConfig{URL: "https://" + vpceHost + "/dev", APIID: "a1b2c3d4e5"}, amazonV, vpceHost, vpceHost, "a1b2c3d4e5", "/dev/movie_list",
		},
		"alias": {
			apiclient.EndpointConfig{URL: "https://" + alias + "/dev"}, amazon, alias, alias, "", "/dev/movie_list",
		},
		"custom domain": {
			apiclient.EndpointConfig{URL: "https://movies.example.com", Region: testRegion}, "movies.example.com", "movies.example.com", "movies.example.com", "", "/movie_list",
		},
		"custom domain through the VPC endpoint": {
			apiclient.EndpointConfig{URL: "https://movies.example.com/v1", VPCE: vpceHost}, amazonV, vpceHost, "movies.example.com", "", "/v1/movie_list",
		},
	} {
		for _, http2 := range []bool{false, true} {
			t.Run(name+map[bool]string{false: "/HTTP1", true: "/HTTP2"}[http2], func(t *testing.T) {
				v := newVPCEndpoint(t, tt.certificate)
				v.http2 = http2
				c := v.client(t, apiclient.Config{Endpoint: resolve(t, tt.cfg), Base: v.base(t)})
				resp, err := c.Do(t.Context(), apiclient.Request{Path: "/movie_list"})
				if err != nil {
					t.Fatal(err)
				}
				if got := resp.Proto == "HTTP/2.0"; got != http2 {
					t.Errorf("got %s, want HTTP/2: %v", resp.Proto, http2)
				}
				v.mu.Lock()
				defer v.mu.Unlock()
				if want := tt.wantDial + ":443"; len(v.dialed) != 1 || v.dialed[0] != want {
					t.Errorf("dialled %v, want %s once", v.dialed, want)
				}
				if len(v.sni) != 1 || v.sni[0] != tt.wantDial {
					t.Errorf("TLS asked for %v, want %s", v.sni, tt.wantDial)
				}
				a := v.arrivals(t, 1)[0]
				if a.Host != tt.wantHost || a.Target != tt.wantTarget {
					t.Errorf("got %s for Host %s, want %s for %s", a.Target, a.Host, tt.wantTarget, tt.wantHost)
				}
				if got := a.Header.Get("X-Apigw-Api-Id"); got != tt.wantHeader {
					t.Errorf("got x-apigw-api-id %q, want %q", got, tt.wantHeader)
				}
				checkSignature(t, a, testKeys, testRegion)
			})
		}
	}
}

func TestSecurityCertificateOfTheDialledNameIsVerified(t *testing.T) {
	v := newVPCEndpoint(t, apiHost) // holds the API's name, but not the endpoint's
	c := v.client(t, apiclient.Config{Endpoint: resolve(t, apiclient.EndpointConfig{URL: apiURL, VPCE: vpceHost}), Base: v.base(t)})
	_, err := c.Do(t.Context(), apiclient.Request{})
	if err == nil || !strings.Contains(err.Error(), vpceHost) || !strings.Contains(err.Error(), "x509") {
		t.Errorf("got %v, want an error about the certificate for %s", err, vpceHost)
	}
	if len(v.dialed) != 1 {
		t.Errorf("dialled %d times, want 1: a certificate does not get better", len(v.dialed))
	}
	v.arrivals(t, 0)
}

// A hand-written request may be for the endpoint's name as well as for the API's: both mean the same connection.
func TestTransportTakesEitherNameOfAnEndpoint(t *testing.T) {
	v := newVPCEndpoint(t, vpceHost)
	tr := v.transport(t, apiclient.Config{Endpoint: resolve(t, apiclient.EndpointConfig{URL: apiURL, VPCE: vpceHost}), Base: v.base(t)})
	for name, tt := range map[string]struct{ url, host string }{
		"the API's name":                   {apiURL, ""},
		"the endpoint's name":              {"https://" + vpceHost + "/dev", ""},
		"the endpoint's name, API's Host":  {"https://" + vpceHost + "/dev", apiHost},
		"the API's name with default port": {"https://" + apiHost + ":443/dev", ""},
	} {
		t.Run(name, func(t *testing.T) {
			req := newRequest(t, "GET", tt.url, nil)
			if tt.host != "" {
				req.Host = tt.host
			}
			roundTrip(t, tr, req)
			v.faultServer.mu.Lock()
			defer v.faultServer.mu.Unlock()
			a := v.got[len(v.got)-1]
			if a.Host != apiHost {
				t.Errorf("got Host %s, want %s", a.Host, apiHost)
			}
			checkSignature(t, a, testKeys, testRegion)
		})
	}
}

// An API's own name through a local gateway: Host and signature are the API's, the connection is plain.
func TestLocalGatewayInPlaceOfTheEndpoint(t *testing.T) {
	api := newFaultServer(t)
	c := api.client(t, apiclient.Config{Endpoint: resolve(t, apiclient.EndpointConfig{URL: apiURL, VPCE: api.URL})})
	if _, err := c.Do(t.Context(), apiclient.Request{Path: "/x"}); err != nil {
		t.Fatal(err)
	}
	a := api.arrivals(t, 1)[0]
	if a.Host != apiHost {
		t.Errorf("got Host %s, want %s", a.Host, apiHost)
	}
	checkSignature(t, a, testKeys, testRegion)
}

func TestSignatureIsForTheRegionOfTheName(t *testing.T) {
	api := newFaultServer(t)
	url := strings.ReplaceAll(apiURL, "ap-northeast-2", "eu-central-1")
	e := resolve(t, apiclient.EndpointConfig{URL: url, VPCE: api.URL, Region: "us-east-1"})
	if _, err := api.client(t, apiclient.Config{Endpoint: e}).Do(t.Context(), apiclient.Request{}); err != nil {
		t.Fatal(err)
	}
	a := api.arrivals(t, 1)[0]
	if got := a.Header.Get("Authorization"); !strings.Contains(got, "/eu-central-1/execute-api/aws4_request") {
		t.Errorf("got %s, want the scope of eu-central-1", got)
	}
	checkSignature(t, a, testKeys, "eu-central-1")
}
