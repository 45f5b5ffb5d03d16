package http1_test

import (
	"bufio"
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/http1"
)

// outcome is all that a caller sees of an answer.
type outcome struct {
	Failed           bool // there was no answer
	Status           string
	Code             int
	Proto            string
	Header, Trailer  http.Header
	ContentLength    int64
	TransferEncoding []string
	Close            bool
	Body             string
	BodyFailed       bool
}

// outcomeOf sends a request to a peer that answers with these bytes, in two pieces, and closes.
func outcomeOf(t *testing.T, method string, answer []byte, cut int, wrap func(*http.Transport) http.RoundTripper) outcome {
	t.Helper()
	next := settings()
	next.MaxResponseHeaderBytes = 8 << 10
	var all sync.WaitGroup
	next.DialContext = func(context.Context, string, string) (net.Conn, error) {
		client, server := net.Pipe()
		all.Go(func() {
			defer server.Close()
			if _, err := http.ReadRequest(bufio.NewReader(server)); err != nil {
				return
			}
			for _, piece := range [][]byte{answer[:cut], answer[cut:]} {
				if _, err := server.Write(piece); err != nil {
					return
				}
			}
		})
		return client, nil
	}
	rt := wrap(next)
	defer all.Wait()
	defer next.CloseIdleConnections()
	resp, err := rt.RoundTrip(newRequest(t, method, "http://peer.example/a", ""))
	if err != nil {
		return outcome{Failed: true}
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusSwitchingProtocols {
		return outcome{Code: resp.StatusCode, Header: resp.Header}
	}
	if resp.Close {
		delete(resp.Header, "Connection")
	}
	body, err := io.ReadAll(resp.Body)
	return outcome{
		Status: resp.Status, Code: resp.StatusCode, Proto: resp.Proto, Header: resp.Header, Trailer: resp.Trailer,
		ContentLength: resp.ContentLength, TransferEncoding: resp.TransferEncoding, Close: resp.Close,
		Body: string(body), BodyFailed: err != nil,
	}
}

// FuzzAnswer: whatever a peer sends, a caller sees the same as from http.Transport: the answer with its header, body and
// trailers, and whether something failed. Two things differ on purpose and are left out: after 101 Switching Protocols,
// which no request that the package takes has asked for, http.Transport hands the connection out as a body, and it drops
// Connection where that says close.
func FuzzAnswer(f *testing.F) {
	if !http1.Supported {
		f.Skip("every request goes to http.Transport here")
	}
	for _, seed := range []string{
		ok("hello"), ok("hello") + wrong, ok(""), "HTTP/1.1 204 No Content\r\n\r\n" + wrong, "",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5;a=b\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: " + strings.Repeat("x", 5000) + "\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
		"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
		"HTTP/1.0 200 OK\r\n\r\nhello", "HTTP/1.1 200 OK\r\n\r\nhello", "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 1\r\n\r\nx",
		"HTTP/1.1 100 Continue\r\n\r\n" + ok("x"), "HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n" + ok("x"),
		"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\nhello",
		"HTTP/1.1 200 OK\r\nContent-Length: 5, 5\r\n\r\nhello", "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
		"HTTP/1.1 200 OK\r\nContent-Length: +5\r\n\r\nhello", "HTTP/1.1 200\r\nContent-Length: 0\r\n\r\n", "HTTP/1.1 200 OK\nContent-Length: 1\n\nx",
		"HTTP/1.1 200 OK\r\n folded: 1\r\n\r\n", "HTTP/1.1 200 OK\r\nX: 1\r\n 2\r\nContent-Length: 0\r\n\r\n", "HTTP/2.0 200 OK\r\n\r\n", "HTTP/1.1 99 x\r\n\r\n",
		"HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 9000) + "\r\n\r\n", strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 400),
		"HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\n\x1f\x8b",
		"HTTP/1.1 200 OK\r\nConnection: X-Hop, close\r\nX-Hop: 1\r\nContent-Length: 0\r\n\r\n",
		"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n", "HTTP/1.1 200 OK\r\nPragma: no-cache\r\nContent-Length: 0\r\n\r\n",
	} {
		for _, head := range []bool{false, true} {
			f.Add([]byte(seed), head, len(seed)/2)
		}
	}
	f.Fuzz(func(t *testing.T, answer []byte, head bool, cut int) {
		if cut < 0 || cut > len(answer) || len(answer) > 1<<16 {
			return
		}
		method := map[bool]string{false: "GET", true: "HEAD"}[head]
		want := outcomeOf(t, method, answer, cut, func(next *http.Transport) http.RoundTripper { return next })
		got := outcomeOf(t, method, answer, cut, func(next *http.Transport) http.RoundTripper { return http1.New(next, maxBody) })
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("%s, answered %q + %q: http.Transport gives another answer (-http.Transport +http1):\n%s",
				method, answer[:cut], answer[cut:], diff)
		}
	})
}

// TestSecurityTheLimitOfAHeader is the same as http.Transport's, to the byte.
func TestSecurityTheLimitOfAHeader(t *testing.T) {
	newTransport(t, nil) // skips where the package takes nothing
	const limit = 8 << 10
	frame := "HTTP/1.1 200 OK\r\nContent-Length: 0\r\nX: \r\n\r\n"
	for name, tt := range map[string]struct {
		size   int
		failed bool
	}{"all of it": {limit, false}, "one byte more": {limit + 1, true}} {
		t.Run(name, func(t *testing.T) {
			answer := []byte(strings.Replace(frame, "X: ", "X: "+strings.Repeat("x", tt.size-len(frame)), 1))
			if !bytes.HasSuffix(answer, []byte("x\r\n\r\n")) || len(answer) != tt.size {
				t.Fatalf("the answer has %d bytes", len(answer))
			}
			for name, wrap := range map[string]func(*http.Transport) http.RoundTripper{
				"http.Transport": func(next *http.Transport) http.RoundTripper { return next },
				"http1":          func(next *http.Transport) http.RoundTripper { return http1.New(next, maxBody) },
			} {
				if got := outcomeOf(t, "GET", answer, 0, wrap); got.Failed != tt.failed {
					t.Errorf("%s: failed %v, want %v", name, got.Failed, tt.failed)
				}
			}
		})
	}
}
