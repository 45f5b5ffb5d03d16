package http1_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const wrong = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nwrong"

// large is more than any buffer between here and there.
var large = strings.Repeat("0123456789abcdef", 512)

// answers are what peers send, and what a caller sees of it.
var answers = map[string]struct {
	method, answer string
	closes         bool // the peer does, after its answer
	status         int  // 0: no answer
	body           string
	err            string // in place of an answer, or of the body's end
	reused         bool
}{
	"length":             {answer: ok("hello"), status: 200, body: "hello", reused: true},
	"large":              {answer: ok(large), status: 200, body: large, reused: true},
	"empty":              {answer: ok(""), status: 200, reused: true},
	"chunked":            {answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;ext=1\r\n!\r\n0\r\n\r\n", status: 200, body: "hello!", reused: true},
	"head":               {method: "HEAD", answer: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", status: 200, reused: true},
	"head of chunks":     {method: "HEAD", answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", status: 200, reused: true},
	"204":                {answer: "HTTP/1.1 204 No Content\r\n\r\n", status: 204, reused: true},
	"304 with a length":  {answer: "HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n", status: 304, reused: true},
	"100 first":          {answer: "HTTP/1.1 100 Continue\r\n\r\n" + ok("hello"), status: 200, body: "hello", reused: true},
	"103 twice":          {answer: strings.Repeat("HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n", 2) + ok("hello"), status: 200, body: "hello", reused: true},
	"1.0":                {answer: "HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nhello", status: 200, body: "hello"},
	"1.0, keep-alive":    {answer: "HTTP/1.0 200 OK\r\nConnection: keep-alive\r\nContent-Length: 5\r\n\r\nhello", status: 200, body: "hello", reused: true},
	"1.0, no length":     {answer: "HTTP/1.0 200 OK\r\n\r\nhello", closes: true, status: 200, body: "hello"},
	"1.1, no length":     {answer: "HTTP/1.1 200 OK\r\n\r\nhello", closes: true, status: 200, body: "hello"},
	"close":              {answer: "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 5\r\n\r\nhello", status: 200, body: "hello"},
	"close, no body":     {answer: "HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n", status: 204},
	"101":                {answer: "HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: x\r\n\r\n", status: 101},
	"three digits below": {answer: "HTTP/1.1 099 Odd\r\nContent-Length: 0\r\n\r\n", status: 99},
	"closed after it":    {answer: ok("hello"), closes: true, status: 200, body: "hello"},

	"answer beyond":         {answer: ok("hello") + wrong, status: 200, body: "hello"},
	"answer beyond large":   {answer: ok(large) + wrong, status: 200, body: large},
	"answer beyond nothing": {answer: ok("") + wrong, status: 200},
	"answer beyond 204":     {answer: "HTTP/1.1 204 No Content\r\n\r\n" + wrong, status: 204},
	"answer beyond chunks":  {answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n" + wrong, status: 200, body: "hello"},
	"body of HEAD":          {method: "HEAD", answer: ok("hello"), status: 200},
	"one byte beyond":       {answer: ok("hello") + "\n", status: 200, body: "hello"},

	"nothing":                {closes: true, err: "without an answer: EOF"},
	"half a line":            {answer: "HTTP/1.1 20", closes: true, err: "malformed HTTP status"},
	"half a header":          {answer: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n", closes: true, err: "unexpected EOF"},
	"100 and no more":        {answer: "HTTP/1.1 100 Continue\r\n\r\n", closes: true, err: "unexpected EOF"},
	"half a body":            {answer: "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhello", closes: true, status: 200, body: "hello", err: "unexpected EOF"},
	"half a chunk":           {answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\na\r\nhello", closes: true, status: 200, body: "hello", err: "unexpected EOF"},
	"no last chunk":          {answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n", closes: true, status: 200, body: "hello", err: "unexpected EOF"},
	"no end of the trailers": {answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n", closes: true, status: 200, err: "unexpected EOF"},
	"chunk without a size":   {answer: "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", status: 200, err: "invalid byte in chunk length"},

	"not HTTP":          {answer: "SSH-2.0-OpenSSH_9.9\r\n", closes: true, err: "malformed HTTP"},
	"two lengths":       {answer: "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello!", err: "Content-Length"},
	"negative length":   {answer: "HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n", err: "Content-Length"},
	"no colon":          {answer: "HTTP/1.1 200 OK\r\nX-Y\r\n\r\n", err: "malformed MIME header"},
	"an endless header": {answer: "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 70<<10), err: "larger than 65536 bytes"},
	"endless 100s":      {answer: strings.Repeat("HTTP/1.1 100 Continue\r\n\r\n", 3000), err: "larger than 65536 bytes"},
	"a large header":    {answer: "HTTP/1.1 200 OK\r\nX: " + strings.Repeat("x", 60<<10) + "\r\nContent-Length: 0\r\n\r\n", status: 200, reused: true},
}

// TestAnswers reads what a peer sends, and then asks again: the second answer is the second request's, by the same
// connection exactly if nothing speaks against it.
func TestAnswers(t *testing.T) {
	for name, tt := range answers {
		t.Run(name, func(t *testing.T) {
			p := newPeer(t, func(_ int, c *peerConn) {
				for req := c.request(); req != nil; req = c.request() {
					if req.URL.Path == "/second" {
						c.say(ok("second"))
						continue
					}
					if c.say(tt.answer); tt.closes {
						return
					}
				}
			})
			tr := newTransport(t, func(next *http.Transport) { next.MaxResponseHeaderBytes = 64 << 10 })
			got, err := tr.try(newRequest(t, tt.method, p.url, ""))
			if tt.err == "" && err != nil || tt.err != "" && (err == nil || !strings.Contains(err.Error(), tt.err)) {
				t.Errorf("got error %v, want %q", err, tt.err)
			}
			if tt.status != 0 && (got.Response == nil || got.StatusCode != tt.status || got.text != tt.body) {
				t.Errorf("got %+v %q, want %d %q", got.Response, got.text, tt.status, tt.body)
			}
			if tt.closes && tt.status != 0 && tt.err == "" && len(tr.own) == 1 && tr.Idle() == 1 {
				tr.stirred(t, 0)
			}
			second := newRequest(t, "POST", strings.Replace(p.url, "/a", "/second", 1), "body") // not one to be sent again
			if got := tr.do(t, second); got.text != "second" {
				t.Errorf("the second request was answered %q", got.text)
			}
			want := 2
			if tt.reused {
				want = 1
			}
			tr.opened(t, want)
		})
	}
}

// TestConnectionOptions: what Connection names beside close is known, however the header arrives.
func TestConnectionOptions(t *testing.T) {
	long := "X: " + strings.Repeat("x", 9000) + "\r\n"
	for name, tt := range map[string]struct {
		lines string
		want  []string
	}{
		"close last":         {"Connection: X-Hop, close\r\n", []string{"X-Hop, close"}},
		"two lines":          {"connection: close\r\nX-Hop: 1\r\nCONNECTION: X-Hop\r\n", []string{"close", "X-Hop"}},
		"folded":             {"Connection: close,\r\n X-Hop\r\n", []string{"close, X-Hop"}},
		"before much":        {"Connection: close, X-Hop\r\n" + long, []string{"close, X-Hop"}},
		"after much":         {long + "Connection: close, X-Hop\r\n", []string{"close, X-Hop"}},
		"without close":      {"Connection: X-Hop\r\n", []string{"X-Hop"}},
		"close alone":        {"Connection: close\r\n", nil},
		"in another's value": {"X: Connection: X-Hop\r\nConnection: close\r\n", nil},
	} {
		t.Run(name, func(t *testing.T) {
			answer := "HTTP/1.1 200 OK\r\n" + tt.lines + "Content-Length: 30\r\n\r\nConnection: X-Body, close\r\n\r\n\r\n"
			for _, pieces := range [][]string{{answer}, {answer[:1], answer[1:25], answer[25:]}, {"HTTP/1.1 103 Early Hints\r\nConnection: X-Early\r\n\r\n", answer}} {
				p := newPeer(t, func(_ int, c *peerConn) {
					if c.request() == nil {
						return
					}
					for _, piece := range pieces {
						c.say(piece)
					}
				})
				got := newTransport(t, nil).do(t, newRequest(t, "GET", p.url, ""))
				if diff := cmp.Diff(tt.want, got.Header["Connection"]); diff != "" {
					t.Errorf("in %d pieces (-want +got):\n%s", len(pieces), diff)
				}
			}
		})
	}
}

// TestTrailers: they are there when the body has been read.
func TestTrailers(t *testing.T) {
	p := newPeer(t, func(_ int, c *peerConn) {
		for c.request() != nil {
			c.say("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nTrailer: X-Sum\r\n\r\n5\r\nhello\r\n0\r\nX-Sum: 1\r\n\r\n")
		}
	})
	tr := newTransport(t, nil)
	for range 2 {
		got := tr.do(t, newRequest(t, "GET", p.url, ""))
		if diff := cmp.Diff(http.Header{"X-Sum": {"1"}}, got.Trailer); diff != "" || got.text != "hello" {
			t.Errorf("got %q and other trailers (-want +got):\n%s", got.text, diff)
		}
	}
	tr.opened(t, 1)
}

// TestUnaskedWords: what a peer says between two answers is nobody's answer.
func TestUnaskedWords(t *testing.T) {
	for name, say := range map[string]string{"an answer": wrong, "a time-out": "HTTP/1.1 408 Request Timeout\r\nConnection: close\r\n\r\n", "its end": ""} {
		t.Run(name, func(t *testing.T) {
			read := make(chan bool)
			p := newPeer(t, func(n int, c *peerConn) {
				if n > 0 {
					serveOK(n, c)
					return
				}
				c.request()
				c.say(ok("first"))
				<-read
				if c.say(say); say != "" {
					c.ended()
				}
			})
			tr := newTransport(t, nil)
			if got := tr.do(t, newRequest(t, "GET", p.url, "")); got.text != "first" {
				t.Errorf("got %q", got.text)
			}
			close(read)
			tr.stirred(t, 0)
			if got := tr.do(t, newRequest(t, "POST", p.url, "body")); got.text != "connection 1" {
				t.Errorf("got %q", got.text)
			}
			tr.opened(t, 2)
		})
	}
}

// TestBodyAfterItsEnd: reading on gives the end again, also after Close, and nothing of the next answer.
func TestBodyAfterItsEnd(t *testing.T) {
	p := newPeer(t, serveOK)
	tr := newTransport(t, nil)
	first, err := tr.RoundTrip(newRequest(t, "GET", p.url, ""))
	if err != nil {
		t.Fatal(err)
	}
	if text, err := io.ReadAll(first.Body); err != nil || string(text) != "connection 0" {
		t.Errorf("got %q, %v", text, err)
	}
	second, err := tr.RoundTrip(newRequest(t, "GET", p.url, ""))
	if err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if n, err := first.Body.Read(make([]byte, 8)); n != 0 || err != io.EOF {
			t.Errorf("got %d, %v; want the end", n, err)
		}
		first.Body.Close()
	}
	if text, err := io.ReadAll(second.Body); err != nil || string(text) != "connection 0" {
		t.Errorf("got %q, %v", text, err)
	}
	second.Body.Close()
	tr.opened(t, 1)
}

// TestBodyAfterClose: nothing is read any more, not even what is here already, and nothing is left for anybody else.
func TestBodyAfterClose(t *testing.T) {
	p := newPeer(t, serveOK)
	tr := newTransport(t, nil)
	resp := tr.open(t, p.url)
	resp.Body.Close()
	if n, err := resp.Body.Read(make([]byte, 8)); n != 0 || err != http.ErrBodyReadAfterClose {
		t.Errorf("got %d, %v; want ErrBodyReadAfterClose", n, err)
	}
	if got := tr.do(t, newRequest(t, "GET", p.url, "")); got.text != "connection 1" {
		t.Errorf("got %q", got.text)
	}
}

// TestRequestsArriveWhole: header and body, in one piece.
func TestRequestsArriveWhole(t *testing.T) {
	pieces := make(chan string, 1)
	p := newPeer(t, func(_ int, c *peerConn) {
		b := make([]byte, 32<<10)
		for {
			n, err := c.Conn.Read(b)
			if err != nil {
				return
			}
			pieces <- string(b[:n])
			c.say(ok(""))
		}
	})
	tr := newTransport(t, nil)
	host := strings.TrimSuffix(strings.TrimPrefix(p.url, "http://"), "/a")
	for name, tt := range map[string]struct {
		method, body, want string
	}{
		"get":            {"GET", "", "GET /a HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: test\r\n\r\n"},
		"delete":         {"DELETE", "", "DELETE /a HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: test\r\n\r\n"},
		"put":            {"PUT", "hello", "PUT /a HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: test\r\nContent-Length: 5\r\n\r\nhello"},
		"post of nought": {"POST", "", "POST /a HTTP/1.1\r\nHost: " + host + "\r\nUser-Agent: test\r\nContent-Length: 0\r\n\r\n"},
		"the largest": {"POST", strings.Repeat("x", maxBody),
			fmt.Sprintf("POST /a HTTP/1.1\r\nHost: %s\r\nUser-Agent: test\r\nContent-Length: %d\r\n\r\n%s", host, maxBody, strings.Repeat("x", maxBody))},
	} {
		t.Run(name, func(t *testing.T) {
			req := newRequest(t, tt.method, p.url, tt.body)
			if tt.body != "" { // a body of a kind that net/http does not know
				req.Body = struct{ io.ReadCloser }{req.Body}
			}
			req.Header.Set("User-Agent", "test")
			tr.do(t, req)
			if got := <-pieces; got != tt.want {
				t.Errorf("the peer got %q, want %q", got, tt.want)
			}
		})
	}
	tr.opened(t, 1)
}
