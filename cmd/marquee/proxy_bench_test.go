package main

import (
	"bufio"
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

const (
	benchRounds = 15
	benchRound  = 250 * time.Millisecond
)

// proxyAPI answers each request with 1 KiB as fast as can be, so that the proxies are what is measured.
func proxyAPI(tb testing.TB) net.Listener {
	tb.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { l.Close() })
	answer := []byte("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 1024\r\n\r\n" + strings.Repeat("a", 1024))
	go func() {
		for {
			conn, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer conn.Close()
				in := bufio.NewReader(conn)
				for skipMessage(in) == nil {
					if _, err := conn.Write(answer); err != nil {
						return
					}
				}
			}()
		}
	}()
	return l
}

// skipMessage reads a message with a Content-Length.
func skipMessage(in *bufio.Reader) error {
	length := 0
	for {
		line, err := in.ReadSlice('\n')
		if err != nil {
			return err
		}
		if len(line) <= 2 {
			break
		}
		if name, value, ok := bytes.Cut(line, []byte(": ")); ok && bytes.EqualFold(name, []byte("content-length")) {
			if length, err = strconv.Atoi(string(bytes.TrimSpace(value))); err != nil {
				return err
			}
		}
	}
	_, err := in.Discard(length)
	return err
}

var proxyPost = []byte("POST /movie_list HTTP/1.1\r\nHost: localhost\r\nUser-Agent: bench\r\nAccept: */*\r\nContent-Type: application/json\r\nContent-Length: 1024\r\n\r\n" +
	strings.Repeat("b", 1024))

// proxyClient is one connection that sends one request after the other.
type proxyClient struct {
	conn net.Conn
	in   *bufio.Reader
}

func newProxyClients(tb testing.TB, address string, n int) []*proxyClient {
	tb.Helper()
	clients := make([]*proxyClient, n)
	for i := range clients {
		conn, err := net.Dial("tcp", address)
		if err != nil {
			tb.Fatal(err)
		}
		tb.Cleanup(func() { conn.Close() })
		clients[i] = &proxyClient{conn, bufio.NewReader(conn)}
	}
	return clients
}

func (c *proxyClient) call(tb testing.TB) {
	if _, err := c.conn.Write(proxyPost); err != nil {
		tb.Error(err)
	}
	line, err := c.in.Peek(len("HTTP/1.1 200"))
	if err != nil || string(line) != "HTTP/1.1 200" {
		tb.Errorf("got %q, %v", line, err)
		return
	}
	if err := skipMessage(c.in); err != nil {
		tb.Error(err)
	}
}

// rate is how many requests all clients together get answered in a second.
func rate(tb testing.TB, clients []*proxyClient) float64 {
	var all sync.WaitGroup
	counts := make([]int, len(clients))
	began := time.Now()
	for i, c := range clients {
		all.Go(func() {
			for time.Since(began) < benchRound && !tb.Failed() {
				c.call(tb)
				counts[i]++
			}
		})
	}
	all.Wait()
	total := 0
	for _, n := range counts {
		total += n
	}
	return float64(total) / time.Since(began).Seconds()
}

// cpu is the processor time that the process has used, in ticks of the kernel's clock.
func (p *proxyProcess) cpu(tb testing.TB) float64 {
	tb.Helper()
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", p.command.Process.Pid))
	if err != nil {
		tb.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	fields := strings.Fields(rest)
	user, _ := strconv.ParseFloat(fields[11], 64)
	system, _ := strconv.ParseFloat(fields[12], 64)
	return user + system
}

func middle(values []float64) float64 {
	slices.Sort(values)
	return values[len(values)/2]
}

// BenchmarkProxy compares marquee proxy with a bare httputil.ReverseProxy, both as programs, in rounds that take turns:
// of-bare is the median of the rounds' ratios of requests per second, cpu/bare the ratio of processor time for a request.
//
//	go test -run '^$' -bench BenchmarkProxy -benchtime 1x ./cmd/marquee
func BenchmarkProxy(b *testing.B) {
	if runtime.GOOS != "linux" {
		b.Skip("processor time and memory of a process are read from /proc")
	}
	api := "http://" + proxyAPI(b).Addr().String()
	ours, bare := startMarquee(b, api), startProxy(b, "bareproxy", api)
	for _, connections := range []int{16, 64} {
		b.Run(fmt.Sprint(connections), func(b *testing.B) {
			for b.Loop() {
				benchRates(b, ours, bare, connections)
			}
			b.ReportMetric(float64(ours.memory(b, "VmRSS"))/mib, "MiB")
			b.ReportMetric(0, "ns/op")
		})
	}
}

func benchRates(b *testing.B, ours, bare *proxyProcess, connections int) {
	mine, theirs := newProxyClients(b, ours.address, connections), newProxyClients(b, bare.address, connections)
	rate(b, mine)
	rate(b, theirs) // connections are open and memory is there
	var ratios, rates []float64
	var cpu, answered [2]float64
	for i := range benchRounds {
		var r [2]float64
		for j := range 2 {
			side, clients, process := (i+j)%2, mine, ours
			if side == 1 {
				clients, process = theirs, bare
			}
			before := process.cpu(b)
			r[side] = rate(b, clients)
			cpu[side] += process.cpu(b) - before
			answered[side] += r[side]
		}
		ratios, rates = append(ratios, r[0]/r[1]), append(rates, r[0])
	}
	b.ReportMetric(middle(ratios), "of-bare")
	b.ReportMetric(cpu[0]/answered[0]/(cpu[1]/answered[1]), "cpu/bare")
	b.ReportMetric(middle(rates), "requests/s")
}

// BenchmarkProxyLatency is what one connection waits longer for an answer than without a proxy, at the median, in
// milliseconds: through marquee proxy and through the bare one.
func BenchmarkProxyLatency(b *testing.B) {
	api := proxyAPI(b)
	ours, bare := startMarquee(b, "http://"+api.Addr().String()), startProxy(b, "bareproxy", "http://"+api.Addr().String())
	ways := make([]*proxyClient, 3)
	for i, address := range []string{api.Addr().String(), ours.address, bare.address} {
		ways[i] = newProxyClients(b, address, 1)[0]
	}
	for b.Loop() {
		var times [3][]float64
		for range 3000 {
			for i, c := range ways {
				began := time.Now()
				c.call(b)
				times[i] = append(times[i], float64(time.Since(began).Microseconds())/1000)
			}
		}
		direct := middle(times[0])
		b.ReportMetric(middle(times[1])-direct, "ms-added")
		b.ReportMetric(middle(times[2])-direct, "ms-added-by-bare")
	}
	b.ReportMetric(0, "ns/op")
}

// BenchmarkProxyEvents is how long a server-sent event is on its way, at the median in microseconds, and BenchmarkProxy's
// memory while 100 MiB stream down.
func BenchmarkProxyEvents(b *testing.B) {
	sent := make(chan time.Time)
	next := make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "text/event-stream")
		w.(http.Flusher).Flush()
		for range next {
			now := time.Now()
			io.WriteString(w, "data: x\n")
			w.(http.Flusher).Flush()
			sent <- now
		}
	}))
	defer api.Close()
	proxy := startMarquee(b, api.URL)
	resp, err := http.Get("http://" + proxy.address + "/events")
	if err != nil {
		b.Fatal(err)
	}
	defer resp.Body.Close()
	defer close(next)
	lines := bufio.NewReader(resp.Body)
	for b.Loop() {
		var times []float64
		for range 1000 {
			next <- struct{}{}
			began := <-sent
			if _, err := lines.ReadString('\n'); err != nil {
				b.Fatal(err)
			}
			times = append(times, float64(time.Since(began).Microseconds()))
		}
		b.ReportMetric(middle(times), "µs-on-the-way")
	}
	b.ReportMetric(0, "ns/op")
}
