package spelling_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/marquee-api/marquee/internal/spelling"
)

// BenchmarkServe is a request on a warm connection, with and without reading along.
func BenchmarkServe(b *testing.B) {
	const wire = "GET /dev/movie_list?limit=25 HTTP/1.1\r\nHost: 127.0.0.1:8080\r\nuser-agent: bench\r\naccept-encoding: gzip\r\n" +
		"authorization: AWS4-HMAC-SHA256 Credential=ASIAEXAMPLE/20260304/ap-northeast-2/execute-api/aws4_request, SignedHeaders=host;x-amz-date, Signature=00\r\n" +
		"x-amz-date: 20260304T050607Z\r\nx-amz-security-token: token\r\n\r\n"
	for name, along := range map[string]bool{"plain": false, "read along": true} {
		b.Run(name, func(b *testing.B) {
			s := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				spelling.Take(r)
				w.WriteHeader(http.StatusNoContent)
			}))
			if along {
				s.Listener, s.Config.ConnContext = spelling.Listen(s.Listener), spelling.Context
			}
			s.Start()
			defer s.Close()
			c, err := net.Dial("tcp", s.Listener.Addr().String())
			if err != nil {
				b.Fatal(err)
			}
			defer c.Close()
			answers := bufio.NewReader(c)
			b.ReportAllocs()
			for b.Loop() {
				if _, err := io.WriteString(c, wire); err != nil {
					b.Fatal(err)
				}
				response, err := http.ReadResponse(answers, nil)
				if err != nil || response.StatusCode != http.StatusNoContent {
					b.Fatalf("%v, %v", response, err)
				}
			}
		})
	}
}
