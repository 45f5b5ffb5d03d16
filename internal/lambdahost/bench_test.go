package lambdahost_test

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/marquee-api/marquee/internal/lambdahost"
)

// An API Gateway event is about 2 KiB; an answer with a page of movies, 20 KiB.
var benchmarkPayloads = map[string]string{
	"small": `{"a":1}`,
	"event": `"` + strings.Repeat("e", 2*1024) + `"`,
	"page":  `"` + strings.Repeat("p", 20*1024) + `"`,
}

// BenchmarkInvokeWarm measures a call of a warm process, with aws-lambda-go in
// it, on loopback: what the host adds to the function's own work.
func BenchmarkInvokeWarm(b *testing.B) {
	for name, payload := range benchmarkPayloads {
		b.Run(name, func(b *testing.B) {
			f := open(b, "echo", nil)
			if err := f.Warm(b.Context()); err != nil {
				b.Fatal(err)
			}
			invoke(b, f, payload)
			var took []time.Duration
			spent := cpuTime(b)
			for b.Loop() {
				began := time.Now()
				invoke(b, f, payload)
				took = append(took, time.Since(began))
			}
			spent = cpuTime(b) - spent
			percentiles(b, took)
			// Of the host alone; on a busy machine the one figure that holds.
			b.ReportMetric(float64(spent.Nanoseconds())/1e3/float64(len(took)), "host-cpu-µs")
		})
	}
}

// BenchmarkInvokeWarmParallel measures four callers at once.
func BenchmarkInvokeWarmParallel(b *testing.B) {
	f := open(b, "echo", func(c *lambdahost.Config) { c.Concurrency = 4 })
	b.SetParallelism(2)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			invoke(b, f, `{"a":1}`)
		}
	})
}

// BenchmarkInvokeCold measures the start of a process up to its first answer.
func BenchmarkInvokeCold(b *testing.B) {
	var took, init []time.Duration
	for b.Loop() {
		began := time.Now()
		f, err := lambdahost.New(lambdahost.Config{
			Name: "cold", Bootstrap: executable(b), Dir: b.TempDir(), Env: []string{functionVariable + "=echo"},
		})
		if err != nil {
			b.Fatal(err)
		}
		r := invoke(b, f, "{}")
		took, init = append(took, time.Since(began)), append(init, r.InitDuration)
		if err := f.Close(context.Background()); err != nil {
			b.Fatal(err)
		}
	}
	percentiles(b, took)
	slices.Sort(init)
	b.ReportMetric(float64(init[len(init)/2].Microseconds()), "init-p50-µs")
}

// BenchmarkFloor is two empty HTTP exchanges on loopback between goroutines of
// one process: the Runtime API cannot be quicker than that.
func BenchmarkFloor(b *testing.B) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "{}") }))
	defer server.Close()
	var took []time.Duration
	for b.Loop() {
		began := time.Now()
		for range 2 {
			resp, err := server.Client().Get(server.URL)
			if err != nil {
				b.Fatal(err)
			}
			var body [8]byte
			_, _ = resp.Body.Read(body[:])
			_ = resp.Body.Close()
		}
		took = append(took, time.Since(began))
	}
	percentiles(b, took)
}

func cpuTime(b *testing.B) time.Duration {
	b.Helper()
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

func percentiles(b *testing.B, took []time.Duration) {
	b.Helper()
	slices.Sort(took)
	b.ReportMetric(float64(took[len(took)/2].Nanoseconds())/1e3, "p50-µs")
	b.ReportMetric(float64(took[len(took)*99/100].Nanoseconds())/1e3, "p99-µs")
}
