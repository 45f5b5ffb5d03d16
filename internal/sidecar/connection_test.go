package sidecar_test

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/sidecar"
)

// conversation writes all of it and returns what came back: the statuses, whose answers they are,
// which announced the end of the connection, and whether it came.
func conversation(t *testing.T, conn net.Conn, text string, answers int) []string {
	t.Helper()
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	if _, err := io.WriteString(conn, text); err != nil {
		t.Fatal(err)
	}
	var got []string
	in := bufio.NewReader(conn)
	for range answers {
		resp, err := http.ReadResponse(in, nil)
		if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
			return append(got, "closed")
		}
		if err != nil {
			t.Fatalf("after %q: %v", got, err)
		}
		if _, err := io.Copy(io.Discard, resp.Body); err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		got = append(got, resp.Status[:3]+strings.Repeat(" own", len(resp.Header["Proxy-Status"])))
		if resp.Close {
			got[len(got)-1] += " close"
		}
	}
	return got
}

// tlsSide is a proxy with a TLS door, and what it takes to trust it.
func tlsSide(t *testing.T, api string, cfg sidecar.Config) (*side, *tls.Config) {
	t.Helper()
	own, dir := newAuthority(t), t.TempDir()
	ca := filepath.Join(dir, "ca.pem")
	writePEM(t, ca, "CERTIFICATE", own.cert.Raw)
	certFile, keyFile := own.issue(t, dir)
	config, err := sidecar.Certificate{CertFile: certFile, KeyFile: keyFile}.Config()
	if err != nil {
		t.Fatal(err)
	}
	roots, err := sidecar.ReadCertificates(ca)
	if err != nil {
		t.Fatal(err)
	}
	side := startRun(t, api+"/dev", cfg, sidecar.Run{
		Door: listen(t, sidecar.Door{Address: "127.0.0.1:0", TLS: config}), DrainTimeout: 5 * time.Second,
	})
	return side, &tls.Config{RootCAs: roots}
}

// TestFraming: RFC 9112 section 6.1 has a server close the connection after a request whose end two readers could find in
// two places. What follows on the connection is no request then.
func TestFraming(t *testing.T) {
	const (
		chunks = "Transfer-Encoding: chunked\r\n"
		empty  = "\r\n0\r\n\r\n"
		next   = "GET /next HTTP/1.1\r\nHost: localhost\r\n\r\n"
	)
	tests := map[string]struct {
		text string
		want []string
	}{
		"length before chunks": {"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n" + chunks + empty + next, []string{"200 close", "closed"}},
		"chunks before length": {"POST /a HTTP/1.1\r\nHost: localhost\r\n" + chunks + "cONTENT-lENGTH: 6\r\n" + empty + next, []string{"200 close", "closed"}},
		"a length of nothing":  {"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n" + chunks + empty + next, []string{"200 close", "closed"}},
		"as the second":        {next + "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n" + chunks + empty + next, []string{"200", "200 close", "closed"}},
		"after a length of its own": {"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\n\r\nxPOST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 6\r\n" + chunks + empty + next,
			[]string{"200", "200 close", "closed"}},
		"chunks in HTTP/1.0": {"POST /a HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\nContent-Length: 0\r\n" + chunks + "\r\n" + next, []string{"200 close", "closed"}},
		"chunks alone":       {"POST /a HTTP/1.1\r\nHost: localhost\r\n" + chunks + "\r\n2\r\nhi\r\n0\r\n\r\n" + next, []string{"200", "200"}},
		"a length alone":     {"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi" + next, []string{"200", "200"}},
		"chunks, then a length": {"POST /a HTTP/1.1\r\nHost: localhost\r\n" + chunks + empty + "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\nhi" + next,
			[]string{"200", "200", "200"}},
	}
	api := newAPI(t, nil)
	plain := start(t, api.URL+"/dev", sidecar.Config{})
	secure, trust := tlsSide(t, api.URL, sidecar.Config{})
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			conn, err := net.Dial("tcp", plain.address)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, conversation(t, conn, tt.text, len(tt.want))); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
			if conn, err = tls.Dial("tcp", secure.address, trust); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, conversation(t, conn, tt.text, len(tt.want))); diff != "" {
				t.Errorf("TLS (-want +got)\n%s", diff)
			}
		})
	}
}

// TestWhatIsNoRequest is refused in the proxy's own form: what has no Proxy-Status is the API's.
func TestWhatIsNoRequest(t *testing.T) {
	tests := map[string]struct {
		request string
		status  int
		code    string
		names   string // what the message must name
	}{
		"two Hosts":          {"GET /a HTTP/1.1\r\nHost: localhost\r\nHost: localhost\r\n\r\n", 400, "bad_request", "one Host"},
		"no Host":            {"GET /a HTTP/1.1\r\n\r\n", 400, "bad_request", "missing required Host header"},
		"no number":          {"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n", 400, "bad_request", "malformed"},
		"two lengths":        {"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, "bad_request", "one length"},
		"no HTTP":            {"hello, is anybody there?\r\n\r\n", 400, "bad_request", "malformed"},
		"a long header":      {"GET /a HTTP/1.1\r\nHost: localhost\r\nX: " + strings.Repeat("x", 80<<10) + "\r\n\r\n", 431, "header_too_large", "10240"},
		"another coding":     {"POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "transfer_encoding_not_supported", "chunked"},
		"with a large body":  {"POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\n\r\n" + strings.Repeat("x", 4*mib), 501, "transfer_encoding_not_supported", "chunked"},
		"another hope":       {"POST /a HTTP/1.1\r\nHost: localhost\r\nExpect: x\r\nContent-Length: 0\r\n\r\n", 417, "expectation_failed", "100-continue"},
		"hope, HTTP/1.0":     {"POST /a HTTP/1.0\r\nHost: localhost\r\nExpect: x\r\nContent-Length: 0\r\n\r\n", 417, "expectation_failed", "100-continue"},
		"another version":    {"GET /a HTTP/3.0\r\nHost: localhost\r\n\r\n", 505, "version_not_supported", "1.1"},
		"options of nothing": {"OPTIONS * HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n", 400, "bad_target", `"*"`},
	}
	api := newAPI(t, nil)
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			log := new(lines)
			cfg := sidecar.Config{Log: slog.New(slog.NewJSONHandler(log, nil)), AccessLog: true}
			side := start(t, api.URL+"/dev", cfg)
			resp, body := side.raw(t, tt.request)
			if message := wantOwn(t, resp, body, tt.status, tt.code); !strings.Contains(message, tt.names) {
				t.Errorf("message %q does not name %q", message, tt.names)
			}
			if !resp.Close {
				t.Error("the connection stays")
			}
			// RFC 9110 section 6.6.1: a 4xx has one.
			if _, err := http.ParseTime(resp.Header.Get("Date")); err != nil {
				t.Error(err)
			}
			if _, text := side.get(t, "/-/metrics"); !strings.Contains(text, `marquee_proxy_refusals_total{code="`+tt.code+`"} 1`) {
				t.Errorf("not counted: %s", grep(text, "refusals_total"))
			}
			if !strings.Contains(log.String(), `"code":"`+tt.code+`"`) {
				t.Errorf("not logged: %s", log)
			}
		})
	}
	api.arrivals(t, 0)

	conn, err := net.Dial("tcp", start(t, api.URL+"/dev", sidecar.Config{}).address)
	if err != nil {
		t.Fatal(err)
	}
	text := "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n" + tests["two Hosts"].request
	if diff := cmp.Diff([]string{"200", "400 own close", "closed"}, conversation(t, conn, text, 3)); diff != "" {
		t.Errorf("after another request (-want +got)\n%s", diff)
	}
}

// TestAnAnswerLikeTheServers: what the API says is not taken for net/http's own words, whatever it says and wherever the
// pieces of it begin.
func TestAnAnswerLikeTheServers(t *testing.T) {
	const words = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain; charset=utf-8\r\nConnection: close\r\n\r\n400 Bad Request"
	piece := strings.Repeat(words, 100)
	api := newStreamAPI(t, func(w http.ResponseWriter, r *http.Request) {
		shift, err := strconv.Atoi(r.URL.RawQuery)
		if err != nil {
			t.Error(err)
		}
		if r.URL.Path == "/dev/long" {
			w.Header().Set("Content-Length", fmt.Sprint(3*len(piece[shift:]))) // then its header and body share a buffer
		}
		for range 3 {
			io.WriteString(w, piece[shift:])
			w.(http.Flusher).Flush()
		}
	})
	first := start(t, api.URL+"/dev", sidecar.Config{})
	for name, client := range map[string]*side{"HTTP/1.1": first, "HTTP/2": first.prior(t)} {
		var all sync.WaitGroup
		for i := range 2 * len(words) { // many at once: frames of HTTP/2 that wait together leave in pieces of another length
			all.Go(func() {
				shift := i / 2
				resp, body := client.do(t, "GET", fmt.Sprint([]string{"/long?", "/stream?"}[i%2], shift), nil)
				if want := strings.Repeat(piece[shift:], 3); resp.StatusCode != 200 || body != want {
					t.Errorf("%s: got %d with %d bytes that are not the %d of the API", name, resp.StatusCode, len(body), len(want))
				}
			})
		}
		all.Wait()
	}
}

// TestPlainHTTPToATLSDoor is answered in plain text.
func TestPlainHTTPToATLSDoor(t *testing.T) {
	api := newAPI(t, nil)
	side, trust := tlsSide(t, api.URL, sidecar.Config{})
	resp, body := side.raw(t, "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n")
	if message := wantOwn(t, resp, body, 400, "bad_request"); !strings.Contains(message, "https://") {
		t.Errorf("message %q", message)
	}
	for _, protocol := range []string{"http/1.1", "h2"} {
		config := trust.Clone()
		config.NextProtos = []string{protocol}
		conn, err := tls.Dial("tcp", side.address, config)
		if err != nil || conn.ConnectionState().NegotiatedProtocol != protocol {
			t.Fatalf("%s: %v", protocol, err)
		}
		conn.Close()
	}
	api.arrivals(t, 0)
}

// TestHandshakesThatStall hold nobody up, neither other clients nor the end.
func TestHandshakesThatStall(t *testing.T) {
	api := newAPI(t, nil)
	side, trust := tlsSide(t, api.URL, sidecar.Config{})
	silent, err := net.Dial("tcp", side.address)
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	conn, err := tls.Dial("tcp", side.address, trust)
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"200"}
	if diff := cmp.Diff(want, conversation(t, conn, "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n", 1)); diff != "" {
		t.Errorf("(-want +got)\n%s", diff)
	}
	side.stop()
	if err := <-side.done; err != nil {
		t.Errorf("the end: %v", err)
	}
	silent.SetReadDeadline(time.Now().Add(10 * time.Second))
	if _, err := silent.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("the stalled connection: %v, want it closed", err)
	}
}
