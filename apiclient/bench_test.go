package apiclient_test

import (
	"bufio"
	"bytes"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/marquee-api/marquee/apiclient"
)

// BenchmarkTransport compares a signed request on loopback with one of a bare http.Transport that signs nothing.
// The difference of the two is what signing costs a caller.
func BenchmarkTransport(b *testing.B) {
	origin := plainServer(b)
	endpoint, err := apiclient.ResolveEndpoint(apiclient.EndpointConfig{URL: origin + "/dev", Region: testRegion})
	if err != nil {
		b.Fatal(err)
	}
	bare := &http.Transport{}
	defer bare.CloseIdleConnections()
	signing, err := apiclient.NewTransport(apiclient.Config{Endpoint: endpoint, Credentials: static(testKeys), Base: bare})
	if err != nil {
		b.Fatal(err)
	}
	for _, body := range []string{"", strings.Repeat("x", 1024)} {
		name := map[bool]string{true: "GET", false: "PUT-1KiB"}[body == ""]
		b.Run(name+"/bare", func(b *testing.B) { benchmarkRoundTrip(b, bare, origin, body) })
		b.Run(name+"/signed", func(b *testing.B) { benchmarkRoundTrip(b, signing, origin, body) })
		b.Run(name+"/ratio", func(b *testing.B) {
			benchmarkTurns(b, func() { oneRoundTrip(b, bare, origin, body) }, func() { oneRoundTrip(b, signing, origin, body) })
		})
	}
}

func benchmarkRoundTrip(b *testing.B, rt http.RoundTripper, origin, body string) {
	b.ReportAllocs()
	for b.Loop() {
		oneRoundTrip(b, rt, origin, body)
	}
}

// benchmarkTurns has the two take turns and compares the processor time of the whole process, which others on the machine
// do not add to.
func benchmarkTurns(b *testing.B, bare, signed func()) {
	const turn = 100
	var times [2]time.Duration
	for b.Loop() {
		for i, run := range []func(){bare, signed} {
			before := cpuTime(b)
			for range turn {
				run()
			}
			times[i] += cpuTime(b) - before
		}
	}
	added := times[1] - times[0]
	b.ReportMetric(float64(times[1])/float64(times[0]), "signed/bare")
	b.ReportMetric(float64(added.Nanoseconds())/float64(b.N)/turn/1000, "µs-added")
}

// plainServer answers every request with the same bytes and allocates nothing, so that a benchmark in its process counts
// the client's allocations only.
func plainServer(b testing.TB) (origin string) {
	b.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { listener.Close() })
	go func() {
		for {
			conn, err := listener.Accept()
			if err != nil {
				return
			}
			go answerPlainly(conn)
		}
	}()
	return "http://" + listener.Addr().String()
}

func answerPlainly(conn net.Conn) {
	defer conn.Close()
	in := bufio.NewReader(conn)
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")
	length := 0
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return
		}
		if value, ok := bytes.CutPrefix(line, []byte("Content-Length: ")); ok {
			for length = 0; value[0] != '\r'; value = value[1:] {
				length = length*10 + int(value[0]-'0')
			}
		}
		if len(line) > 2 {
			continue
		}
		if _, err := in.Discard(length); err != nil {
			return
		}
		if _, err := conn.Write(answer); err != nil {
			return
		}
		length = 0
	}
}

// BenchmarkSigning is the same without a network: all that is left is the transport's own work.
func BenchmarkSigning(b *testing.B) {
	base := roundTripperFunc(func(r *http.Request) (*http.Response, error) {
		return &http.Response{StatusCode: 200, Body: http.NoBody}, nil
	})
	endpoint, err := apiclient.ResolveEndpoint(apiclient.EndpointConfig{URL: apiURL})
	if err != nil {
		b.Fatal(err)
	}
	signing, err := apiclient.NewTransport(apiclient.Config{Endpoint: endpoint, Credentials: static(testKeys), Base: base})
	if err != nil {
		b.Fatal(err)
	}
	req, err := http.NewRequestWithContext(b.Context(), http.MethodGet, apiURL+"/movie_list?limit=5", nil)
	if err != nil {
		b.Fatal(err)
	}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := signing.RoundTrip(req); err != nil {
			b.Fatal(err)
		}
	}
}
