package capture_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/marquee-api/marquee/internal/capture"
)

// What curl 7.88.1 printed, but for streamOnly, which is in the words of curl 8.5.
const (
	verboseHTTP1 = "*   Trying 127.0.0.1:18999...\n* Connected to api.example (127.0.0.1) port 18999 (#0)\n" +
		"> POST /dev/a?x=1&y=2 HTTP/1.1\r\n> Host: api.example:18999\r\n> User-Agent: curl/7.88.1\r\n> Accept: */*\r\n" +
		"> Content-Type: application/json\r\n> Content-Length: 8\r\n> \r\n} [8 bytes data]\n< HTTP/1.1 200 OK\r\n< Content-Length: 2\r\n< \r\n" +
		"{ [2 bytes data]\n* Connection #0 to host api.example left intact\n"
	verboseTimed = "01:53:18.164752 * Connecting to hostname: 127.0.0.1\n01:53:18.165675 * Connected to (nil) (127.0.0.1) port 18999 (#0)\n" +
		"01:53:18.166036 > GET /dev/a HTTP/1.1\r\n01:53:18.166036 > Host: api.example\r\n01:53:18.166036 > Accept: */*\r\n01:53:18.166036 > \r\n" +
		"01:53:18.166591 < HTTP/1.1 200 OK\r\n"
	verboseProxy = "* Establish HTTP proxy tunnel to api.example:443\n> CONNECT api.example:443 HTTP/1.1\n> Host: api.example:443\n> Proxy-Connection: Keep-Alive\n> \n" +
		"< HTTP/1.1 200 OK\n< \n* CONNECT phase completed\n> GET /dev/a HTTP/1.1\n> Host: api.example\n> \n"
	verboseHTTP2 = "* Connected to api.example (127.0.0.1) port 18999 (#0)\n* h2h3 [:method: GET]\n* h2h3 [:path: /dev/a?x=1]\n* h2h3 [:scheme: http]\n" +
		"* h2h3 [:authority: api.example]\n* h2h3 [accept: */*]\n* Using Stream ID: 1 (easy handle 0x5638b02762b0)\n" +
		"> GET /dev/a?x=1 HTTP/2\n> Host: api.example\n> accept: */*\n> \n* Send failure: Broken pipe\n"
	streamOnly = "* Host api.example:443 was resolved.\n* using HTTP/2\n* [HTTP/2] [1] OPENED stream for https://api.example/dev/a?x=1\n" +
		"* [HTTP/2] [1] [:method: GET]\n* [HTTP/2] [1] [:scheme: https]\n* [HTTP/2] [1] [:authority: api.example]\n* [HTTP/2] [1] [:path: /dev/a?x=1]\n" +
		"* [HTTP/2] [1] [accept: */*]\n* [HTTP/2] [1] [x-amz-date: 20261120T100000Z]\n"
	traceHex = `== Info: Connected to 127.0.0.1 (127.0.0.1) port 18999 (#0)
=> Send header, 165 bytes (0xa5)
0000: 50 4f 53 54 20 2f 64 65 76 2f 61 20 48 54 54 50 POST /dev/a HTTP
0010: 2f 31 2e 31 0d 0a 48 6f 73 74 3a 20 31 32 37 2e /1.1..Host: 127.
0020: 30 2e 30 2e 31 3a 31 38 39 39 39 0d 0a 43 6f 6e 0.0.1:18999..Con
0030: 74 65 6e 74 2d 4c 65 6e 67 74 68 3a 20 31 39 0d tent-Length: 19.
0040: 0a 58 2d 4c 6f 6e 67 3a 20 61 62 63 64 65 66 67 .X-Long: abcdefg
0050: 68 69 6a 61 62 63 64 65 66 67 68 69 6a 61 62 63 hijabcdefghijabc
0060: 64 65 66 67 68 69 6a 61 62 63 64 65 66 67 68 69 defghijabcdefghi
0070: 6a 61 62 63 64 65 66 67 68 69 6a 61 62 63 64 65 jabcdefghijabcde
0080: 66 67 68 69 6a 61 62 63 64 65 66 67 68 69 6a 61 fghijabcdefghija
0090: 62 63 64 65 66 67 68 69 6a 61 62 63 64 65 66 67 bcdefghijabcdefg
00a0: 68 0d 0a 0d 0a                                  h....
=> Send data, 19 bytes (0x13)
0000: 7b 22 61 22 3a 31 2e 35 2c 0a 22 74 22 3a 22 c3 {"a":1.5,."t":".
0010: a9 22 7d                                        ."}
<= Recv header, 17 bytes (0x11)
0000: 48 54 54 50 2f 31 2e 31 20 32 30 30 20 4f 4b 0d HTTP/1.1 200 OK.
0010: 0a                                              .
`
	traceASCII = `== Info: Connected to 127.0.0.1 (127.0.0.1) port 18999 (#0)
=> Send header, 264 bytes (0x108)
0000: POST /dev/a HTTP/1.1
0016: Host: 127.0.0.1:18999
002d: User-Agent: curl/7.88.1
0046: Accept: */*
0053: X-Long: abcdefghijabcdefghijabcdefghijabcdefghijabcdefghijabcdef
0093: ghijabcdefghijabcdefghijabcdefghijabcdefghij
00c1: Content-Length: 20
00d5: Content-Type: application/x-www-form-urlencoded
0106: 
=> Send data, 20 bytes (0x14)
0000: {"a":1.5,
000b: "t":".."}
<= Recv header, 17 bytes (0x11)
0000: HTTP/1.1 200 OK
`
	traceChunked = `=> Send header, 96 bytes (0x60)
0000: PUT /dev/a HTTP/1.1
0015: Host: 127.0.0.1:18999
002c: Transfer-Encoding: chunked
0048: Expect: 100-continue
005e: 
<= Recv header, 23 bytes (0x17)
0000: HTTP/1.1 100 Continue
=> Send data, 10 bytes (0xa)
0000: 5
0003: hello
== Info: Signaling end of chunked upload via terminating chunk.
=> Send data, 5 bytes (0x5)
0000: 0
0003: 
<= Recv header, 17 bytes (0x11)
0000: HTTP/1.1 200 OK
`
)

func TestParseTranscript(t *testing.T) {
	long := strings.Repeat("abcdefghij", 10)
	for name, test := range map[string]struct {
		in   string
		want capture.Capture
	}{
		"curl -v": {verboseHTTP1, capture.Capture{Form: capture.FormVerbose, Contacts: []string{"api.example"}, Requests: []capture.Request{{
			Method: "POST", Target: "/dev/a?x=1&y=2", Host: "api.example:18999", Line: 3, BodyState: capture.BodyAbsent,
			Header: []capture.Field{{"User-Agent", "curl/7.88.1"}, {"Accept", "*/*"}, {"Content-Type", "application/json"}, {"Content-Length", "8"}},
		}}}},
		"curl -v --trace-time": {verboseTimed, capture.Capture{Form: capture.FormVerbose, Contacts: []string{"127.0.0.1"}, Requests: []capture.Request{{
			Method: "GET", Target: "/dev/a", Host: "api.example", Line: 3, Header: []capture.Field{{"Accept", "*/*"}},
		}}}},
		"curl -v through a proxy": {verboseProxy, capture.Capture{Form: capture.FormVerbose, Requests: []capture.Request{{
			Method: "GET", Target: "/dev/a", Host: "api.example", Line: 9,
		}}}},
		"curl -v, HTTP/2": {verboseHTTP2, capture.Capture{Form: capture.FormVerbose, Contacts: []string{"api.example"}, Requests: []capture.Request{{
			Method: "GET", Target: "/dev/a?x=1", Host: "api.example", Line: 8, Header: []capture.Field{{"accept", "*/*"}},
		}}}},
		"curl -v, HTTP/2 without Host": {strings.ReplaceAll(verboseHTTP2, "> Host: api.example\n", ""), capture.Capture{Form: capture.FormVerbose, Contacts: []string{"api.example"}, Requests: []capture.Request{{
			Method: "GET", Target: "/dev/a?x=1", Host: "api.example", Line: 8, Header: []capture.Field{{"accept", "*/*"}},
		}}}},
		"curl -v, only the stream": {streamOnly, capture.Capture{Form: capture.FormVerbose, Contacts: []string{"api.example"}, Requests: []capture.Request{{
			Method: "GET", Target: "/dev/a?x=1", Host: "api.example", Line: 4, Header: []capture.Field{{"accept", "*/*"}, {"x-amz-date", "20261120T100000Z"}},
		}}}},
		"copied without the empty line, two of them": {"$ curl -v …\n> GET /a HTTP/1.1\n> Host: api.example\n< HTTP/1.1 302 Found\n> GET /b HTTP/1.1\n> Host: api.example\n>\n", capture.Capture{Form: capture.FormVerbose, Requests: []capture.Request{
			{Method: "GET", Target: "/a", Host: "api.example", Line: 2}, {Method: "GET", Target: "/b", Host: "api.example", Line: 5},
		}}},
		"curl --trace": {traceHex, capture.Capture{Form: capture.FormTrace, Contacts: []string{"127.0.0.1"}, Requests: []capture.Request{{
			Method: "POST", Target: "/dev/a", Host: "127.0.0.1:18999", Line: 2, Body: []byte("{\"a\":1.5,\n\"t\":\"é\"}"),
			Header: []capture.Field{{"Content-Length", "19"}, {"X-Long", long[:88]}},
		}}}},
		"curl --trace-ascii": {traceASCII, capture.Capture{Form: capture.FormTraceASCII, Contacts: []string{"127.0.0.1"}, Requests: []capture.Request{{
			Method: "POST", Target: "/dev/a", Host: "127.0.0.1:18999", Line: 2, Body: []byte("{\"a\":1.5,\r\n\"t\":\"..\"}"), BodyState: capture.BodyDoubtful,
			Header: []capture.Field{{"User-Agent", "curl/7.88.1"}, {"Accept", "*/*"}, {"X-Long", long}, {"Content-Length", "20"}, {"Content-Type", "application/x-www-form-urlencoded"}},
		}}}},
		"curl --trace-ascii, chunked": {traceChunked, capture.Capture{Form: capture.FormTraceASCII, Requests: []capture.Request{{
			Method: "PUT", Target: "/dev/a", Host: "127.0.0.1:18999", Line: 1, Body: []byte("hello"),
			Header: []capture.Field{{"Transfer-Encoding", "chunked"}, {"Expect", "100-continue"}},
		}}}},
		"two traces": {traceChunked + "== Info: Connected to b.example (::1) port 80\n" + traceChunked, capture.Capture{Form: capture.FormTraceASCII, Contacts: []string{"b.example"}, Requests: []capture.Request{
			{Method: "PUT", Target: "/dev/a", Host: "127.0.0.1:18999", Line: 1, Body: []byte("hello"), Header: []capture.Field{{"Transfer-Encoding", "chunked"}, {"Expect", "100-continue"}}},
			{Method: "PUT", Target: "/dev/a", Host: "127.0.0.1:18999", Line: 19, Body: []byte("hello"), Header: []capture.Field{{"Transfer-Encoding", "chunked"}, {"Expect", "100-continue"}}},
		}}},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := capture.Parse(strings.NewReader(test.in))
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(&test.want, got, cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("Parse (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseTranscriptRefuses(t *testing.T) {
	for name, test := range map[string]struct{ in, want string }{
		"only for a proxy": {strings.Split(verboseProxy, "< HTTP")[0], "holds no request"},
		"no host":          {"> GET /a HTTP/1.1\n> A: 1\n> \n", "line 1: the request has no Host header"},
		"no header":        {"> GET /a HTTP/1.1\n> Host: a\n> {\n", "line 3: this is no header"},
		"stream without method": {strings.ReplaceAll(streamOnly, "[:method: GET]", "[:method: ]"),
			"holds no request"},
		"row lost":           {strings.ReplaceAll(traceHex, "0020: ", "0021: "), "line 5: want 16 bytes of the trace at 0020"},
		"row of other bytes": {strings.ReplaceAll(traceHex, "0020: 30", "0020: 3"), "line 5: want 16 bytes of the trace at 0020"},
		"rows missing":       {strings.Split(traceHex, "0030: ")[0], "line 2: the trace ends after 48 of the 165 bytes"},
		"section without rows": {strings.ReplaceAll(traceHex, "0030: 74", "<= Recv header\n0030: 74"),
			"line 6: this is no row of a trace: 117 of 165 bytes are still missing"},
		"title without length": {"=> Send header\n0000: 50\n", "line 1: this section of the trace has no length"},
		"huge section":         {"=> Send header, 70000 bytes (0x11170)\n", "line 1: the section of 70000 bytes is longer"},
		"end of a row lost":    {strings.ReplaceAll(traceASCII, "X-Long: abcdefghij", "X-Long: abcdefghi"), "line 8: want the trace's bytes at 0092"},
		"row too long":         {strings.ReplaceAll(traceASCII, "\"t\":\"..\"}", "\"t\":\"...\"}"), "line 14: the row is longer than the section of 20 bytes"},
		"body of other length": {strings.ReplaceAll(traceASCII, "Content-Length: 20", "Content-Length: 21"), "line 2: the trace shows 20 bytes of body, but Content-Length says 21"},
		"no request line":      {strings.ReplaceAll(traceASCII, "POST /dev/a HTTP/1.1", "POST /dev/a HTTP/7.7"), "line 2: the dumped header does not begin with a request line"},
		"too many":             {strings.Repeat("> GET /a HTTP/1.1\n> Host: a\n>\n", 101), "line 301: the capture holds more than 100 requests"},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := capture.Parse(strings.NewReader(test.in))
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Fatalf("got %+v and error %v, want one that contains %q", got, err, test.want)
			}
		})
	}
}
