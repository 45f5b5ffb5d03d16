package sidecar_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"io/fs"
	"math/big"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/marquee-api/marquee/internal/sidecar"
)

func TestPlainDoorsAreForLoopback(t *testing.T) {
	for _, address := range []string{":0", "0.0.0.0:0", "[::]:0", "10.1.2.3:9000", "example.com:9000"} {
		if l, err := sidecar.Listen(t.Context(), sidecar.Door{Address: address}); err == nil {
			l.Close()
			t.Errorf("%s: listens to the network in plain text", address)
		} else if !strings.Contains(err.Error(), "--insecure-listen") {
			t.Errorf("%s: %v does not say how it is meant", address, err)
		}
	}
	for _, door := range []sidecar.Door{{Address: "127.0.0.1:0"}, {Address: "localhost:0"}, {Address: "0.0.0.0:0", AllowPlain: true}, {Address: ":0", TLS: new(tls.Config)}} {
		l, err := sidecar.Listen(t.Context(), door)
		if err != nil {
			t.Errorf("%s: %v", door.Address, err)
			continue
		}
		l.Close()
	}
	if _, err := sidecar.Listen(t.Context(), sidecar.Door{Address: "9000"}); err == nil || !strings.Contains(err.Error(), "unix:PATH") {
		t.Errorf("9000: %v", err)
	}
}

func TestUnixSocket(t *testing.T) {
	for mode, want := range map[fs.FileMode]fs.FileMode{0: 0o600, 0o660: 0o660} {
		api := newAPI(t, nil)
		path := filepath.Join(t.TempDir(), "s")
		leaveBehind(t, path)
		side := startRun(t, api.URL+"/dev", sidecar.Config{Hosts: []string{"*"}}, sidecar.Run{
			Door: listen(t, sidecar.Door{Address: "unix:" + path, SocketMode: mode}), DrainTimeout: time.Minute,
		})
		info, err := os.Lstat(path)
		if err != nil || info.Mode() != fs.ModeSocket|want {
			t.Fatalf("got mode %v, %v; want a socket of %v", info.Mode(), err, want)
		}
		if _, err := sidecar.Listen(t.Context(), sidecar.Door{Address: "unix:" + path}); err == nil || !strings.Contains(err.Error(), "another process answers") {
			t.Errorf("a second door at the same path: %v", err)
		}
		client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true, DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, "unix", path)
		}}}
		resp, err := client.Get("http://any.name/movie_list")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if got := api.arrivals(t, 1)[0]; resp.StatusCode != 200 || got.Target != "/dev/movie_list" {
			t.Errorf("got %d, the API got %s", resp.StatusCode, got.Target)
		}
		side.stop()
		if err := <-side.done; err != nil {
			t.Error(err)
		}
		if left, err := os.ReadDir(filepath.Dir(path)); err != nil || len(left) != 0 {
			t.Errorf("left behind: %v, %v", left, err)
		}
	}
}

// leaveBehind makes a socket that nobody listens to any more, as a process that was killed leaves it.
func leaveBehind(t *testing.T, path string) {
	t.Helper()
	l, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	l.Close()
}

func TestAFileInTheSocketsPlaceStays(t *testing.T) {
	path := filepath.Join(t.TempDir(), "precious")
	if err := os.WriteFile(path, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sidecar.Listen(t.Context(), sidecar.Door{Address: "unix:" + path}); err == nil || !strings.Contains(err.Error(), "no socket") {
		t.Errorf("got %v", err)
	}
	if text, err := os.ReadFile(path); err != nil || string(text) != "x" {
		t.Errorf("the file is gone: %q, %v", text, err)
	}
}

// authority issues certificates for 127.0.0.1.
type authority struct {
	cert *x509.Certificate
	key  *ecdsa.PrivateKey
	last int64
}

func newAuthority(t *testing.T) *authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test authority"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour), KeyUsage: x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, form, form, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return &authority{cert: cert, key: key, last: 1}
}

// issue writes a certificate and its key beside each other.
func (a *authority) issue(t *testing.T, dir string) (certFile, keyFile string) {
	t.Helper()
	a.last++
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	form := &x509.Certificate{
		SerialNumber: big.NewInt(a.last), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, form, a.cert, key.Public(), a.key)
	if err != nil {
		t.Fatal(err)
	}
	pkcs8, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	certFile, keyFile = filepath.Join(dir, "tls.crt"), filepath.Join(dir, "tls.key")
	writePEM(t, certFile, "CERTIFICATE", der)
	writePEM(t, keyFile, "PRIVATE KEY", pkcs8)
	// Files that are written twice within a tick of the file system's clock look alike.
	at := time.Now().Add(time.Duration(a.last) * time.Second)
	for _, name := range []string{certFile, keyFile} {
		if err := os.Chtimes(name, at, at); err != nil {
			t.Fatal(err)
		}
	}
	return certFile, keyFile
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	if err := os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestTLSDoor(t *testing.T) {
	own, dir := newAuthority(t), t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	writePEM(t, ca, "CERTIFICATE", own.cert.Raw)
	certFile, keyFile := own.issue(t, dir)
	config, err := sidecar.Certificate{CertFile: certFile, KeyFile: keyFile, ClientCAFile: ca}.Config()
	if err != nil {
		t.Fatal(err)
	}
	api := newAPI(t, nil)
	side := startRun(t, api.URL+"/dev", sidecar.Config{}, sidecar.Run{
		Door: listen(t, sidecar.Door{Address: "127.0.0.1:0", TLS: config}), DrainTimeout: time.Minute,
	})
	roots, err := sidecar.ReadCertificates(ca)
	if err != nil {
		t.Fatal(err)
	}
	shown, err := tls.LoadX509KeyPair(own.issue(t, t.TempDir()))
	if err != nil {
		t.Fatal(err)
	}
	// call speaks to the door anew and returns the protocol and the serial number of its certificate.
	call := func(mine ...tls.Certificate) (string, int64, error) {
		transport := &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots, Certificates: mine}, ForceAttemptHTTP2: true}
		defer transport.CloseIdleConnections()
		resp, err := (&http.Client{Transport: transport}).Get("https://" + side.address + "/a")
		if err != nil {
			return "", 0, err
		}
		defer resp.Body.Close()
		io.Copy(io.Discard, resp.Body)
		return resp.Proto, resp.TLS.PeerCertificates[0].SerialNumber.Int64(), nil
	}
	if proto, serial, err := call(shown); err != nil || proto != "HTTP/2.0" || serial != 2 {
		t.Errorf("got %s, certificate %d, %v; want HTTP/2.0, certificate 2", proto, serial, err)
	}
	if _, _, err := call(); err == nil {
		t.Error("a client without a certificate was let in")
	}
	own.issue(t, dir) // the fourth: one was the client's
	if _, serial, err := call(shown); err != nil || serial != 4 {
		t.Errorf("after a renewal: certificate %d, %v; want 4", serial, err)
	}
	if err := os.WriteFile(certFile, []byte("half"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, serial, err := call(shown); err != nil || serial != 4 {
		t.Errorf("with half a pair: certificate %d, %v; want 4 still", serial, err)
	}
	api.arrivals(t, 3)
}

func TestCertificateThatIsNone(t *testing.T) {
	file := filepath.Join(t.TempDir(), "x.pem")
	if err := os.WriteFile(file, []byte("nothing"), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := sidecar.ReadCertificates(file); err == nil || !strings.Contains(err.Error(), file) {
		t.Errorf("got %v", err)
	}
	if _, err := (sidecar.Certificate{CertFile: file, KeyFile: file}).Config(); err == nil {
		t.Error("a certificate that is none was taken")
	}
}
