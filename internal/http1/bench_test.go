package http1_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/marquee-api/marquee/internal/http1"
)

// BenchmarkRoundTrip is a POST of 1 KiB and its answer of 1 KiB on loopback. of-plain is the time that it takes against
// what http.Transport alone takes, in turns.
//
//	go test -run '^$' -bench . ./internal/http1
func BenchmarkRoundTrip(b *testing.B) {
	if !http1.Supported {
		b.Skip("every request goes to http.Transport here")
	}
	url := benchPeer(b)
	plain := settings()
	own := http1.New(settings(), maxBody)
	defer plain.CloseIdleConnections()
	defer own.CloseIdleConnections()
	for name, rt := range map[string]http.RoundTripper{"http1": own, "http.Transport": plain} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				post(b, rt, url)
			}
		})
	}
	b.Run("ratio", func(b *testing.B) {
		var took [2]time.Duration
		for i := 0; b.Loop(); i++ {
			for j := range 2 {
				side := (i + j) % 2
				began := time.Now()
				post(b, []http.RoundTripper{own, plain}[side], url)
				took[side] += time.Since(began)
			}
		}
		b.ReportMetric(float64(took[0])/float64(took[1]), "of-plain")
		b.ReportMetric(0, "ns/op")
	})
}

var kib = strings.Repeat("x", 1<<10)

func post(tb testing.TB, rt http.RoundTripper, url string) {
	req, err := http.NewRequestWithContext(tb.Context(), "POST", url, strings.NewReader(kib))
	if err != nil {
		tb.Fatal(err)
	}
	resp, err := rt.RoundTrip(req)
	if err != nil {
		tb.Fatal(err)
	}
	if _, err := io.Copy(io.Discard, resp.Body); err != nil {
		tb.Fatal(err)
	}
	resp.Body.Close()
}

// benchPeer answers as soon as it has read 1 KiB after a header.
func benchPeer(tb testing.TB) string {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	answer := fmt.Sprintf("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s", len(kib), kib)
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				for b := make([]byte, 8<<10); ; {
					have := 0
					for !strings.HasSuffix(string(b[:have]), kib) {
						n, err := conn.Read(b[have:])
						if have += n; err != nil {
							return
						}
					}
					if _, err := io.WriteString(conn, answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return "http://" + l.Addr().String() + "/a"
}
