package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/marquee-api/marquee/internal/movies/moviestest"
)

// BenchmarkStart measures a cold start: from the start of the process until it asks for its first event, against that of
// an empty function, both built as they are deployed; and the program's size, and its memory after the first answer.
func BenchmarkStart(b *testing.B) {
	dir := b.TempDir()
	programs := [2]string{filepath.Join(dir, "empty"), filepath.Join(dir, "movielist")}
	for i, source := range []string{"./testdata/empty", "."} {
		cmd := exec.Command("go", "build", "-trimpath", "-tags", "lambda.norpc", "-ldflags", "-s -w -buildid=", "-o", programs[i], source)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0", "GOFLAGS=")
		if out, err := cmd.CombinedOutput(); err != nil {
			b.Fatalf("%v\n%s", err, out)
		}
	}
	env := []string{"TABLE_NAME=" + moviestest.Table(b), "AWS_ENDPOINT_URL_DYNAMODB=" + moviestest.Database(b).URL,
		"AWS_REGION=" + moviestest.Region, "AWS_ACCESS_KEY_ID=local", "AWS_SECRET_ACCESS_KEY=local"}
	var wall, cpu [2][]float64
	var ratio []float64 // of neighbours, which meet the machine in the same mood
	peak := 0
	for b.Loop() {
		for i, program := range programs {
			s := startOnce(b, program, env)
			wall[i], cpu[i] = append(wall[i], s.wall), append(cpu[i], s.cpu)
			if i == 1 {
				peak = max(peak, s.peakKiB)
			}
		}
		ratio = append(ratio, wall[1][len(wall[1])-1]/wall[0][len(wall[0])-1])
	}
	size, err := os.Stat(programs[1])
	if err != nil {
		b.Fatal(err)
	}
	middle := func(all []float64) float64 { slices.Sort(all); return all[len(all)/2] }
	b.ReportMetric(middle(wall[0]), "empty-ms")
	b.ReportMetric(middle(wall[1]), "movielist-ms")
	b.ReportMetric(middle(ratio), "movielist/empty")
	b.ReportMetric(middle(cpu[1])/middle(cpu[0]), "cpu-ratio")
	b.ReportMetric(float64(size.Size())/(1<<20), "MiB-binary")
	b.ReportMetric(float64(peak)/1024, "MiB-peak")
}

type started struct {
	wall, cpu float64 // milliseconds
	peakKiB   int
}

// startOnce runs a program until it has answered one event.
func startOnce(b *testing.B, program string, env []string) started {
	b.Helper()
	var (
		once     sync.Once
		asked    = make(chan time.Time, 1)
		answered = make(chan struct{}, 1)
		served   = false
		mu       sync.Mutex
		send     = make(chan struct{})
	)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasSuffix(r.URL.Path, "/next") {
			answered <- struct{}{}
			w.WriteHeader(http.StatusAccepted)
			return
		}
		once.Do(func() { asked <- time.Now() })
		mu.Lock()
		again := served
		served = true
		mu.Unlock()
		if again {
			<-r.Context().Done()
			return
		}
		<-send
		w.Header().Set("Lambda-Runtime-Aws-Request-Id", "1")
		w.Header().Set("Lambda-Runtime-Deadline-Ms", fmt.Sprint(time.Now().Add(time.Minute).UnixMilli()))
		_, _ = w.Write([]byte(proxyEvent("GET", "/movie_list", map[string][]string{"year": {"1999"}})))
	}))
	cmd := exec.Command(program)
	cmd.Env = append(env, "AWS_LAMBDA_RUNTIME_API="+strings.TrimPrefix(server.URL, "http://"))
	began := time.Now()
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	var s started
	s.wall = float64((<-asked).Sub(began).Microseconds()) / 1000
	s.cpu = cpuOf(b, cmd.Process.Pid)
	close(send)
	<-answered
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", cmd.Process.Pid))
	if err != nil {
		b.Skip("needs /proc")
	}
	_, rest, _ := strings.Cut(string(status), "VmHWM:")
	s.peakKiB, _ = strconv.Atoi(strings.Fields(rest)[0])
	_ = cmd.Process.Signal(syscall.SIGKILL)
	_ = cmd.Wait()
	server.CloseClientConnections()
	server.Close()
	return s
}

// cpuOf is the processor time of a process so far, in milliseconds (proc(5), /proc/[pid]/schedstat).
func cpuOf(b *testing.B, pid int) float64 {
	b.Helper()
	tasks, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/schedstat", pid))
	if err != nil || len(tasks) == 0 {
		b.Skip("needs /proc")
	}
	sum := 0.0
	for _, task := range tasks {
		text, err := os.ReadFile(task)
		if err != nil {
			continue // a thread that has ended
		}
		n, _ := strconv.ParseFloat(strings.Fields(string(text))[0], 64)
		sum += n / 1e6
	}
	return sum
}
