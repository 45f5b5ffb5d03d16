package sidecar_test

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"runtime"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/marquee-api/marquee/apiclient"
	"github.com/marquee-api/marquee/internal/sidecar"
)

const mib = 1 << 20

// unsized hides a reader's length, so that the client sends it in chunks.
type unsized struct{ io.Reader }

func TestBodiesArriveWhole(t *testing.T) {
	dir := t.TempDir()
	api := newAPI(t, func(w http.ResponseWriter, _ *http.Request) {
		// The file has no name while it is there, and so is gone with the process.
		if named, err := os.ReadDir(dir); err != nil || len(named) != 0 && runtime.GOOS != "windows" {
			http.Error(w, fmt.Sprint(named, err), http.StatusInternalServerError)
		}
	})
	side := start(t, api.URL+"/dev", sidecar.Config{SpoolDir: dir})
	for _, size := range []int{0, 1, 1024, 32<<10 - 1, 32 << 10, 32<<10 + 1, mib, mib + 1, 3*mib + 7, 10 * mib} {
		for _, chunked := range []bool{false, true} {
			t.Run(fmt.Sprint(size, chunked), func(t *testing.T) {
				api.got = nil
				var body io.Reader = bytes.NewReader(pattern(size))
				if chunked {
					body = unsized{body}
				}
				if resp, text := side.do(t, "POST", "/movies", body); resp.StatusCode != 200 {
					t.Fatalf("got %d %s", resp.StatusCode, text)
				}
				got := api.arrivals(t, 1)[0]
				equal(t, "body", got.Body, pattern(size))
				if got.Length != int64(size) {
					t.Errorf("sent with Content-Length %d, want %d: API Gateway wants to know it", got.Length, size)
				}
				checkSignature(t, got, testKeys)
			})
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 0 {
		t.Errorf("left in the spool directory: %v, %v", left, err)
	}
	if code, text := side.get(t, "/-/metrics"); code != 200 || !strings.Contains(text, "\nmarquee_proxy_spool_files_total 6\n") {
		t.Errorf("want 6 bodies in files, those of more than 1 MiB: %s", grep(text, "spool_files"))
	}
}

func grep(text, what string) string {
	var found []string
	for line := range strings.Lines(text) {
		if strings.Contains(line, what) {
			found = append(found, line)
		}
	}
	return strings.Join(found, "")
}

// TestBodiesShareMemory: with room for one chunk beyond the first ones, what is larger goes to a file, and the room
// comes back.
func TestBodiesShareMemory(t *testing.T) {
	api := newAPI(t, nil)
	side := start(t, api.URL+"/dev", sidecar.Config{SpoolMemory: 32 << 10})
	for range 2 {
		side.do(t, "POST", "/a", bytes.NewReader(pattern(64<<10-1))) // two chunks
		side.do(t, "POST", "/a", bytes.NewReader(pattern(64<<10+1))) // a third
	}
	for i, got := range api.arrivals(t, 4) {
		equal(t, "body", got.Body, pattern(64<<10-1+2*(i%2)))
	}
	if _, text := side.get(t, "/-/metrics"); !strings.Contains(text, "\nmarquee_proxy_spool_files_total 2\n") {
		t.Errorf("want 2 files: %s", grep(text, "spool_files"))
	}
}

func TestBodiesThatAreTooLargeAreNotSent(t *testing.T) {
	api := newAPI(t, nil)
	side := start(t, api.URL+"/dev", sidecar.Config{})
	t.Run("by length", func(t *testing.T) {
		resp, body := side.do(t, "POST", "/a", bytes.NewReader(make([]byte, 10*mib+1)))
		wantOwn(t, resp, body, 413, "body_too_large")
	})
	t.Run("by chunks", func(t *testing.T) {
		resp, body := side.do(t, "POST", "/a", unsized{bytes.NewReader(make([]byte, 10*mib+1))})
		wantOwn(t, resp, body, 413, "body_too_large")
	})
	t.Run("a client that sends everything before it reads", func(t *testing.T) {
		resp, body := side.raw(t, "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12582912\r\n\r\n"+strings.Repeat("x", 12*mib))
		wantOwn(t, resp, body, 413, "body_too_large")
	})
	t.Run("asked first, nothing is read", func(t *testing.T) {
		resp, body := side.raw(t, "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10485761\r\nExpect: 100-continue\r\n\r\n")
		wantOwn(t, resp, body, 413, "body_too_large")
		if !resp.Close {
			t.Error("the connection stays, with a body that was not read")
		}
	})
	t.Run("HTTP/2", func(t *testing.T) {
		resp, body := side.prior(t).do(t, "POST", "/a", unsized{bytes.NewReader(make([]byte, 10*mib+1))})
		wantOwn(t, resp, body, 413, "body_too_large")
	})
	api.arrivals(t, 0)
}

// prior is a client that speaks HTTP/2 without TLS to the same proxy.
func (s *side) prior(t *testing.T) *side {
	t.Helper()
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	transport := &http.Transport{Protocols: protocols, DisableCompression: true}
	t.Cleanup(transport.CloseIdleConnections)
	return &side{address: s.address, admin: s.admin, client: &http.Client{Transport: transport}}
}

func TestHTTP2WithoutTLS(t *testing.T) {
	api := newAPI(t, nil)
	side := start(t, api.URL+"/dev", sidecar.Config{}).prior(t)
	resp, _ := side.do(t, "PUT", "/a//b", bytes.NewReader(pattern(2*mib)))
	got := api.arrivals(t, 1)[0]
	if resp.ProtoMajor != 2 || got.Target != "/dev/a//b" || got.Header.Get("Via") != "2.0 marquee" {
		t.Errorf("got %s, the API got %s with Via %q", resp.Proto, got.Target, got.Header.Get("Via"))
	}
	equal(t, "body", got.Body, pattern(2*mib))
}

// TestContinueIsAsked: a client that waits for 100 gets it before its body is sent.
func TestContinueIsAsked(t *testing.T) {
	api := newAPI(t, nil)
	side := start(t, api.URL+"/dev", sidecar.Config{})
	conn, err := net.Dial("tcp", side.address)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	answers := bufio.NewReader(conn)
	for _, step := range []struct {
		send string
		want int
	}{{"POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n", 100}, {"hi", 200}} {
		io.WriteString(conn, step.send)
		resp, err := http.ReadResponse(answers, nil)
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode != step.want {
			t.Fatalf("after %q: got %d, want %d", step.send, resp.StatusCode, step.want)
		}
	}
	if got := api.arrivals(t, 1)[0]; got.Header.Get("Expect") != "" || string(got.Body) != "hi" {
		t.Errorf("the API got Expect %q, body %q", got.Header.Get("Expect"), got.Body)
	}
}

func TestBodiesThatEndEarly(t *testing.T) {
	api := newAPI(t, nil)
	side := start(t, api.URL+"/dev", sidecar.Config{})
	for name, request := range map[string]string{
		"by length": "POST /a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\nhi",
		"by chunks": "POST /a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhi",
	} {
		t.Run(name, func(t *testing.T) {
			resp, body := side.halfClosed(t, request)
			wantOwn(t, resp, body, 400, "body_incomplete")
		})
	}
	api.arrivals(t, 0)
}

func TestNoRoomForABody(t *testing.T) {
	api := newAPI(t, nil)
	side := start(t, api.URL+"/dev", sidecar.Config{SpoolDir: "/nonexistent/spool"})
	if err := side.CheckSpool(); err == nil {
		t.Error("CheckSpool found a directory that is not there")
	}
	resp, body := side.do(t, "POST", "/a", bytes.NewReader(pattern(2*mib)))
	if message := wantOwn(t, resp, body, 507, "no_space_for_body"); !strings.Contains(message, "--spool-dir") {
		t.Errorf("message %q does not name the flag", message)
	}
	side.do(t, "POST", "/a", bytes.NewReader(pattern(mib)))
	equal(t, "a body that fits into memory", api.arrivals(t, 1)[0].Body, pattern(mib))
}

// TestMemoryIsBounded sends 10 MiB up and 100 MiB down, several times over, and watches the heap of this process, which
// holds both sides and both ends. Neither end keeps a body, so what grows is the proxy's.
func TestMemoryIsBounded(t *testing.T) {
	const limit = 12 * mib
	piece := pattern(64 << 10)
	var peak atomic.Uint64
	var m runtime.MemStats
	look := func() {
		runtime.ReadMemStats(&m)
		peak.Store(max(peak.Load(), m.HeapInuse))
	}
	api := newStreamAPI(t, func(w http.ResponseWriter, r *http.Request) {
		io.Copy(io.Discard, r.Body)
		look()
		for i := range 100 * mib / len(piece) {
			w.Write(piece)
			if i%200 == 0 {
				look()
			}
		}
	})
	side := start(t, api.URL+"/dev", sidecar.Config{})
	runtime.GC()
	for range 3 {
		req, err := http.NewRequestWithContext(t.Context(), "POST", side.URL("/a"), io.LimitReader(endless{}, 10*mib))
		if err != nil {
			t.Fatal(err)
		}
		resp, err := side.client.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		n, err := io.Copy(io.Discard, resp.Body)
		resp.Body.Close()
		if err != nil || n != 100*mib {
			t.Fatalf("got %d bytes, %v", n, err)
		}
	}
	t.Logf("heap in use at its peak: %.1f MiB", float64(peak.Load())/mib)
	if peak.Load() > limit {
		t.Errorf("heap in use rose to %d MiB, want at most %d", peak.Load()/mib, limit/mib)
	}
}

type endless struct{}

func (endless) Read(p []byte) (int, error) { return len(p), nil }

func TestHashedBodyIsTakenAtItsWord(t *testing.T) {
	var sent *http.Request
	proxy, err := sidecar.NewWithBase(sidecar.Config{
		Endpoint:    resolve(t, apiclient.EndpointConfig{URL: "http://127.0.0.1:1/dev", Region: testRegion}),
		Credentials: fixed(testKeys),
	}, roundTripper(func(r *http.Request) (*http.Response, error) {
		sent = r
		// As net/http's transport does: one goroutine reads while another closes, and the body may end later than the call.
		done := make(chan struct{})
		go func() { defer close(done); io.Copy(io.Discard, r.Body) }()
		r.Body.Close()
		<-done
		return &http.Response{StatusCode: 204, Header: http.Header{}, Body: http.NoBody}, nil
	}))
	if err != nil {
		t.Fatal(err)
	}
	req, err := http.NewRequest("POST", "http://localhost/a", bytes.NewReader(pattern(3*mib)))
	if err != nil {
		t.Fatal(err)
	}
	req.RequestURI = "/a"
	proxy.ServeHTTP(newDiscard(), req)
	if n, err := sent.Body.Read(make([]byte, 1)); n != 0 || err == nil {
		t.Errorf("a closed body still gives %d bytes, %v", n, err)
	}
}
