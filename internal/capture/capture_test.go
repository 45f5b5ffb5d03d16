package capture_test

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/marquee-api/marquee/internal/capture"
)

func TestParseRaw(t *testing.T) {
	host := capture.Request{Method: "GET", Target: "/dev/a", Host: "api.example"}
	with := func(change func(*capture.Request)) capture.Request {
		r := host
		r.Line = 1
		change(&r)
		return r
	}
	for name, test := range map[string]struct {
		in   string
		want capture.Request
	}{
		"CR LF": {"GET /dev/a HTTP/1.1\r\nHost: api.example\r\nA: 1\r\nb:2\r\n\r\n",
			with(func(r *capture.Request) { r.Header = []capture.Field{{"A", "1"}, {"b", "2"}} })},
		"LF": {"GET /dev/a HTTP/1.1\nHost: api.example\nA: 1\n\n",
			with(func(r *capture.Request) { r.Header = []capture.Field{{"A", "1"}} })},
		"empty lines before": {"\n\r\nGET /dev/a HTTP/2\nhost: api.example\n\n",
			with(func(r *capture.Request) { r.Line = 3 })},
		"the target stays as it is": {"GET //a/../%2f?b=+&a;c=%zz&é HTTP/1.1\nHost: api.example\n\n",
			with(func(r *capture.Request) { r.Target = "//a/../%2f?b=+&a;c=%zz&é" })},
		"absolute form": {"GET http://proxied.example/dev/a?b HTTP/1.1\nHost: api.example\n\n",
			with(func(r *capture.Request) { r.Target = "/dev/a?b" })},
		"absolute form without path": {"GET HTTPS://proxied.example?b HTTP/1.1\nHost: api.example\n\n",
			with(func(r *capture.Request) { r.Target = "/?b" })},
		"values are trimmed, not collapsed": {"GET /dev/a HTTP/1.1\nHost:  api.example\t\nA: \t 1  2 \nA:\n\n",
			with(func(r *capture.Request) { r.Header = []capture.Field{{"A", "1  2"}, {"A", ""}} })},
		"folded header": {"GET /dev/a HTTP/1.1\nHost: api.example\nA: 1\n   2\n\t3\n\n",
			with(func(r *capture.Request) { r.Header = []capture.Field{{"A", "1 2 3"}} })},
		"body by length, the file's line end is none of it": {"GET /dev/a HTTP/1.1\nHost: api.example\nContent-Length: 3\n\na\n\n\r\n",
			with(func(r *capture.Request) {
				r.Header, r.Body = []capture.Field{{"Content-Length", "3"}}, []byte("a\n\n")
			})},
		"body without length": {"POST /dev/a HTTP/1.1\nHost: api.example\n\n{}\n",
			with(func(r *capture.Request) { r.Method, r.Body = "POST", []byte("{}\n") })},
		"no body without length": {"GET /dev/a HTTP/1.1\nHost: api.example\n\n\n\n",
			with(func(*capture.Request) {})},
		"announced body left out": {"GET /dev/a HTTP/1.1\nHost: api.example\nContent-Length: 3\n\n\n",
			with(func(r *capture.Request) {
				r.Header, r.BodyState = []capture.Field{{"Content-Length", "3"}}, capture.BodyAbsent
			})},
		"chunks": {"GET /dev/a HTTP/1.1\nHost: api.example\nTransfer-Encoding: Chunked\n\n3\r\nab\n\r\na;x=y\r\n0123456789\r\n0\r\n\r\n",
			with(func(r *capture.Request) {
				r.Header, r.Body = []capture.Field{{"Transfer-Encoding", "Chunked"}}, []byte("ab\n0123456789")
			})},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := capture.Parse(strings.NewReader(test.in))
			if err != nil {
				t.Fatal(err)
			}
			want := &capture.Capture{Form: capture.FormRaw, Requests: []capture.Request{test.want}}
			if diff := cmp.Diff(want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("Parse (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseRefuses(t *testing.T) {
	const begin = "GET /dev/a HTTP/1.1\nHost: api.example\n"
	for name, test := range map[string]struct{ in, want string }{
		"nothing":               {"\n\n", "the capture is empty"},
		"prose":                 {"hello\nworld\n", "holds no request"},
		"no version":            {"GET /dev/a\nHost: api.example\n\n", "holds no request"},
		"no host":               {"\nGET /dev/a HTTP/1.1\nA: 1\n\n", "line 2: the request has no Host header"},
		"two hosts":             {begin + "host: other.example\n\n", "line 3: a second Host header"},
		"host with a path":      {"GET /dev/a HTTP/1.1\nHost: api.example/dev\n\n", "line 1: the Host \"api.example/dev\" is no host name"},
		"no end":                {begin + "A: 1\n", "line 3: the header has no end"},
		"space in target":       {"GET /dev/a b HTTP/1.1\nHost: api.example\n\n", "line 1: the target holds ' ' at byte 6"},
		"control in target":     {"GET /dev/a\x01b HTTP/1.1\nHost: api.example\n\n", "line 1: the target holds '\\x01' at byte 6"},
		"fragment":              {"GET /dev/a#b HTTP/1.1\nHost: api.example\n\n", "line 1: the target holds '#'"},
		"target no path":        {"OPTIONS * HTTP/1.1\nHost: api.example\n\n", "line 1: the target is no path"},
		"connect":               {"CONNECT api.example:443 HTTP/1.1\nHost: api.example\n\n", "line 1: a CONNECT is for a proxy"},
		"no colon":              {begin + "A\n\n", "line 3: this is no header"},
		"space before colon":    {begin + "A : 1\n\n", "line 3: this is no header"},
		"fold without header":   {"GET /dev/a HTTP/1.1\n A: 1\nHost: api.example\n\n", "line 2: white space before the first header"},
		"control in value":      {begin + "A: 1\x002\n\n", "line 3: a header value holds the control character '\\x00'"},
		"length no number":      {begin + "Content-Length: 3x\n\n", "line 1: the Content-Length \"3x\" is not one number"},
		"two lengths":           {begin + "Content-Length: 3\nContent-Length: 4\n\nabc", "line 1: the Content-Length \"4\" is not one number"},
		"length and chunks":     {begin + "Content-Length: 3\nTransfer-Encoding: chunked\n\nabc", "line 1: the request has both"},
		"other coding":          {begin + "Transfer-Encoding: gzip\n\nabc", "line 1: the Transfer-Encoding \"gzip\" is not known"},
		"length over the limit": {begin + "Content-Length: 10485761\n\n", "line 1: the Content-Length is 10485761, more than"},
		"body cut off":          {begin + "Content-Length: 4\n\nabc", "line 5: the body has 3 bytes, but Content-Length says 4"},
		"body goes on":          {begin + "Content-Length: 3\n\nabcd\n", "line 5: 5 bytes follow the header, but Content-Length says 3"},
		"chunks cut off":        {begin + "Transfer-Encoding: chunked\n\n5\r\nabc", "line 5: the chunked body cannot be read"},
		"long line":             {begin + "A: " + strings.Repeat("x", capture.MaxHeader) + "\n\n", "line 3: the header is longer than 65536 bytes"},
		"long header":           {begin + strings.Repeat("A: "+strings.Repeat("x", 97)+"\n", 700) + "\n", "the header is longer than 65536 bytes"},
		"long target":           {"GET /" + strings.Repeat("x", capture.MaxHeader) + " HTTP/1.1\n\n", "holds no request"},
		"long body":             {begin + "\n" + strings.Repeat("x", capture.MaxBody+1), "line 4: the body is longer than API Gateway's limit of 10485760 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := capture.Parse(strings.NewReader(test.in))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %+v and error %v, want one that contains %q", got, err, test.want)
			}
		})
	}
}

// endless repeats a line for ever.
type endless string

func (e endless) Read(p []byte) (int, error) {
	for n := copy(p, e); n < len(p); {
		n += copy(p[n:], p[:n])
	}
	return len(p), nil
}

func TestParseStopsReading(t *testing.T) {
	for name, in := range map[string]io.Reader{
		"endless lines": endless(strings.Repeat("* nothing of interest, but a lot of it ", 100) + "\n"),
		"endless line":  endless("................................"),
		"endless body":  io.MultiReader(strings.NewReader("GET / HTTP/1.1\nHost: a\n\n"), endless("x")),
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := capture.Parse(in); err == nil || !strings.Contains(err.Error(), "longer than") {
				t.Errorf("got error %v, want one that says the input is too long", err)
			}
		})
	}
	if _, err := capture.ParseSigning(endless("x\n")); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("ParseSigning: got error %v, want one that says the log is too long", err)
	}
}

func TestHTTPHeader(t *testing.T) {
	r := capture.Request{Host: "api.example", Header: []capture.Field{{"x-amz-date", "1"}, {"A", "1"}, {"a", "2"}}}
	want := http.Header{"X-Amz-Date": {"1"}, "A": {"1", "2"}}
	if diff := cmp.Diff(want, r.HTTPHeader()); diff != "" {
		t.Errorf("HTTPHeader (-want +got):\n%s", diff)
	}
}

// FuzzParse holds that every request that is read can be written as raw HTTP, from which the same request is read.
func FuzzParse(f *testing.F) {
	seeds := []string{
		"GET /dev/a?b=c HTTP/1.1\r\nHost: api.example\r\nA: 1\r\n 2\r\n\r\n",
		"PUT / HTTP/1.1\nHost: a\nContent-Length: 3\n\na\n\n\n",
		"PUT / HTTP/1.1\nHost: a\nTransfer-Encoding: chunked\n\n1\r\na\r\n0\r\n\r\n",
		verboseHTTP1, verboseHTTP2, streamOnly, traceHex, traceASCII, traceChunked,
	}
	for _, seed := range seeds {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, in []byte) {
		got, err := capture.Parse(strings.NewReader(string(in)))
		if err != nil {
			return
		}
		if len(got.Requests) == 0 {
			t.Fatal("neither request nor error")
		}
		for _, r := range got.Requests {
			if !writable(&r) {
				continue
			}
			raw := r.AppendRaw(nil)
			again, err := capture.Parse(strings.NewReader(string(raw)))
			if err != nil {
				t.Fatalf("%q was written as %q: %v", in, raw, err)
			}
			r.Line = 1
			if diff := cmp.Diff([]capture.Request{r}, again.Requests, cmpopts.EquateEmpty()); diff != "" {
				t.Fatalf("%q was written as %q (-want +got):\n%s", in, raw, diff)
			}
		}
	})
}

// writable leaves out what raw HTTP cannot say: a body that may be wrong, one of line ends alone without a length, and
// a header that the request line makes too long.
func writable(r *capture.Request) bool {
	if r.BodyState == capture.BodyDoubtful {
		return false
	}
	framed := false
	for name := range r.HTTPHeader() {
		framed = framed || name == "Content-Length" || name == "Transfer-Encoding"
	}
	size := len(fmt.Sprint(r.Header)) + len(r.Target)
	return size < capture.MaxHeader-100 && (framed || len(r.Body) == 0 || strings.Trim(string(r.Body), "\r\n") != "")
}
