package loadgen_test

import (
	"bufio"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/marquee-api/marquee/internal/loadgen"
)

// BenchmarkRun compares a run of one caller with a loop that does nothing but send and read on the same transport: the
// difference, in processor time of the whole process, is what the generator takes away from what it measures.
func BenchmarkRun(b *testing.B) {
	const together = 2000 // enough for what a run costs once
	address := plainServer(b)
	request, err := http.NewRequestWithContext(b.Context(), http.MethodGet, "http://"+address+"/x", nil)
	if err != nil {
		b.Fatal(err)
	}
	base := &http.Transport{}
	defer base.CloseIdleConnections()
	bare := func() {
		for range together {
			resp, err := base.RoundTrip(request)
			if err != nil {
				b.Fatal(err)
			}
			io.Copy(io.Discard, resp.Body)
			resp.Body.Close()
		}
	}
	measured := func() {
		plan := loadgen.Plan{Requests: []loadgen.Request{{HTTP: request}}, Transport: base, Concurrency: 1, Count: together, Timeout: time.Minute}
		if r, err := loadgen.Run(b.Context(), plan); err != nil || r.Requests != together || !r.OK() {
			b.Fatalf("got %+v, %v", r, err)
		}
	}
	var times [2]time.Duration
	for b.Loop() {
		for i, run := range []func(){bare, measured} {
			before := cpuTime(b)
			run()
			times[i] += cpuTime(b) - before
		}
	}
	b.ReportMetric(float64(times[1])/float64(times[0]), "run/bare")
	b.ReportMetric(float64(times[1]-times[0])/float64(b.N)/together/1000, "µs-added")
}

// plainServer answers every request with the same bytes.
func plainServer(b *testing.B) (address string) {
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
			go func() {
				defer conn.Close()
				in := bufio.NewReader(conn)
				for {
					line, err := in.ReadSlice('\n')
					if err != nil {
						return
					}
					if len(line) > 2 {
						continue
					}
					if _, err := io.WriteString(conn, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"); err != nil {
						return
					}
				}
			}()
		}
	}()
	return listener.Addr().String()
}
