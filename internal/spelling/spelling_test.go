package spelling_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/spelling"
)

// seen is what a handler was told of one request.
type seen struct {
	Target, Body string
	Names        map[string]string
}

// server answers each request and tells what it saw of it; it reads the body unless the target says not to.
func server(t *testing.T) (address string, requests chan seen) {
	t.Helper()
	requests = make(chan seen, 20)
	s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		names := spelling.Take(r)
		var body []byte
		if r.URL.Path != "/unread" {
			body, _ = io.ReadAll(r.Body)
		}
		requests <- seen{Target: r.RequestURI, Body: string(body), Names: names}
		w.WriteHeader(http.StatusNoContent)
	}))
	s.Listener = spelling.Listen(s.Listener)
	s.Config.ConnContext = spelling.Context
	s.Start()
	t.Cleanup(s.Close)
	return s.Listener.Addr().String(), requests
}

func TestNames(t *testing.T) {
	spelt := map[string]string{"Host": "Host", "Test-Header": "tEsT-HEADeR"}
	const head = "Host: x\r\ntEsT-HEADeR: 1\r\n"
	tests := map[string]struct {
		wire string
		want []seen
	}{
		"one request":               {"GET /1 HTTP/1.1\r\n" + head + "\r\n", []seen{{"/1", "", spelt}}},
		"net/http's own spelling":   {"GET /1 HTTP/1.1\r\nHost: x\r\nTest-Header: 1\r\n\r\n", []seen{{"/1", "", nil}}},
		"one name in two spellings": {"GET /1 HTTP/1.1\r\nHost: x\r\ntEsT-HEADeR: 1\r\nTEST-HEADER: 2\r\n\r\n", []seen{{"/1", "", spelt}}},
		"net/http's spelling first": {"GET /1 HTTP/1.1\r\nhost: x\r\nTest-Header: 1\r\nTEST-HEADER: 2\r\n\r\n",
			[]seen{{"/1", "", map[string]string{"Host": "host", "Test-Header": "Test-Header"}}}},
		"keep-alive and pipelining": {
			"GET /1 HTTP/1.1\r\n" + head + "\r\nGET /2 HTTP/1.1\r\nHost: x\r\nTEST-header: 1\r\n\r\nGET /3 HTTP/1.1\r\n" + head + "\r\n",
			[]seen{{"/1", "", spelt}, {"/2", "", map[string]string{"Host": "Host", "Test-Header": "TEST-header"}}, {"/3", "", spelt}},
		},
		"a body that looks like a request": {
			"POST /1 HTTP/1.1\r\nHost: x\r\ncontent-length: 29\r\n\r\nGET /x HTTP/1.1\r\nA-b: GET\r\n\r\nGET /2 HTTP/1.1\r\n" + head + "\r\n",
			[]seen{{"/1", "GET /x HTTP/1.1\r\nA-b: GET\r\n\r\n", map[string]string{"Host": "Host", "Content-Length": "content-length"}}, {"/2", "", spelt}},
		},
		"a body, then another request": {
			"POST /1 HTTP/1.1\r\n" + head + "Content-Length: 5\r\n\r\na\r\n\r\nGET /2 HTTP/1.1\r\n" + head + "\r\n",
			[]seen{{"/1", "a\r\n\r\n", map[string]string{"Host": "Host", "Test-Header": "tEsT-HEADeR", "Content-Length": "Content-Length"}}, {"/2", "", spelt}},
		},
		"chunks": {
			"POST /1 HTTP/1.1\r\n" + head + "Transfer-Encoding: Chunked\r\n\r\nA\r\n0123456789\r\n2\r\nab\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n" + head + "\r\n",
			[]seen{{"/1", "0123456789ab", map[string]string{"Host": "Host", "Test-Header": "tEsT-HEADeR", "Transfer-Encoding": "Transfer-Encoding"}}, {"/2", "", spelt}},
		},
		// In doubt: the names keep net/http's spelling from there on.
		"chunks with a trailer": {
			"POST /1 HTTP/1.1\r\n" + head + "Transfer-Encoding: chunked\r\n\r\n1\r\na\r\n0\r\nX-t: 1\r\n\r\nGET /2 HTTP/1.1\r\n" + head + "\r\n",
			[]seen{{"/1", "a", map[string]string{"Host": "Host", "Test-Header": "tEsT-HEADeR", "Transfer-Encoding": "Transfer-Encoding"}}, {"/2", "", nil}},
		},
		"chunks with an extension": {
			"POST /1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1;a=b\r\na\r\n0\r\n\r\nGET /2 HTTP/1.1\r\n" + head + "\r\n",
			[]seen{{"/1", "a", nil}, {"/2", "", nil}},
		},
		"a folded line":                   {"GET /1 HTTP/1.1\r\n" + head + " more\r\n\r\nGET /2 HTTP/1.1\r\n" + head + "\r\n", []seen{{"/1", "", nil}, {"/2", "", nil}}},
		"lines without a carriage return": {"GET /1 HTTP/1.1\nHost: x\ntEsT-HEADeR: 1\n\n", []seen{{"/1", "", nil}}},
		"an empty line first": {
			"POST /1 HTTP/1.1\r\n" + head + "Content-Length: 1\r\n\r\na\r\nGET /2 HTTP/1.1\r\n" + head + "\r\n",
			[]seen{{"/1", "a", map[string]string{"Host": "Host", "Test-Header": "tEsT-HEADeR", "Content-Length": "Content-Length"}}, {"/2", "", nil}},
		},
		"a request that no handler sees": {"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\nGET /2 HTTP/1.1\r\n" + head + "\r\n", []seen{{"/2", "", nil}}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			// In one piece, and byte by byte: where a read ends tells nothing.
			for _, size := range []int{len(tt.wire), 1} {
				address, requests := server(t)
				c, err := net.Dial("tcp", address)
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				for i := 0; i < len(tt.wire); i += size {
					if _, err := io.WriteString(c, tt.wire[i:min(i+size, len(tt.wire))]); err != nil {
						t.Fatal(err)
					}
				}
				for _, want := range tt.want {
					if diff := cmp.Diff(want, <-requests); diff != "" {
						t.Errorf("in pieces of %d (-want +got):\n%s", size, diff)
					}
				}
			}
		})
	}
}

// A caller that waits for 100 Continue and is refused never sends its body; one that is not refused sends it.
func TestExpectContinue(t *testing.T) {
	address, requests := server(t)
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	answers := bufio.NewReader(c)
	fmt.Fprint(c, "POST /1 HTTP/1.1\r\nHost: x\r\nexpect: 100-continue\r\nContent-Length: 2\r\n\r\n")
	if line, err := answers.ReadString('\n'); err != nil || !strings.HasPrefix(line, "HTTP/1.1 100") {
		t.Fatalf("got %q, %v; want 100 Continue", line, err)
	}
	fmt.Fprint(c, "abGET /2 HTTP/1.1\r\nHost: x\r\nx-y: 1\r\n\r\n")
	if got := <-requests; got.Body != "ab" || got.Names["Expect"] != "expect" {
		t.Errorf("got %+v", got)
	}
	if got := <-requests; got.Target != "/2" || got.Names["X-Y"] != "x-y" {
		t.Errorf("got %+v", got)
	}
}

// A body that the handler leaves unread is skipped all the same.
func TestUnreadBody(t *testing.T) {
	address, requests := server(t)
	c, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	fmt.Fprint(c, "POST /unread HTTP/1.1\r\nHost: x\r\nContent-Length: 9000\r\n\r\n"+strings.Repeat("GET / HTT", 1000)+"GET /2 HTTP/1.1\r\nHost: x\r\nx-y: 1\r\n\r\n")
	<-requests
	if got := <-requests; got.Target != "/2" || got.Names["X-Y"] != "x-y" {
		t.Errorf("got %+v", got)
	}
}

// Without the listener there is nothing to say.
func TestTakeWithoutListener(t *testing.T) {
	if names := spelling.Take(httptest.NewRequest("GET", "/", nil)); names.Of("X-Y") != "X-Y" {
		t.Errorf("got %v", names)
	}
}
