//go:build unix

package dynamolocal_test

import (
	"bytes"
	"context"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/dynamolocal"
)

const region = "ap-northeast-2"

// patience bounds what a test waits for; each wait ends with the thing itself.
const patience = time.Minute

func TestSecurityListensOnLoopbackOnly(t *testing.T) {
	s := plainServer(t)
	if diff := cmp.Diff([]string{"127.0.0.1"}, listeners(t, portOf(t, s.URL))); diff != "" {
		t.Errorf("listening addresses (-want +got):\n%s", diff)
	}
}

func TestStartListensWhereItIsTold(t *testing.T) {
	needJava(t)
	tests := map[string]struct {
		hosts []string
		want  []string
	}{
		"beside loopback":   {hosts: []string{"127.0.0.1", "localhost", "127.0.0.2", "127.0.0.2"}, want: []string{"127.0.0.1", "127.0.0.2"}},
		"every one of them": {hosts: []string{"127.0.0.2", "0.0.0.0"}, want: []string{"0.0.0.0"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			port := freePort(t)
			s := start(t, dynamolocal.Options{Mode: dynamolocal.ModeJava, Hosts: tt.hosts, Port: port})
			if want := fmt.Sprintf("http://127.0.0.1:%d", port); s.URL != want {
				t.Errorf("got the URL %s, want %s", s.URL, want)
			}
			if _, err := s.Client(region).ListTables(t.Context(), &dynamodb.ListTablesInput{}); err != nil {
				t.Errorf("list tables: %v", err)
			}
			if diff := cmp.Diff(tt.want, listeners(t, port)); diff != "" {
				t.Errorf("listening addresses (-want +got):\n%s", diff)
			}
		})
	}
}

// listeners are the addresses on which this machine listens on the port, as the kernel says
// (proc(5), /proc/net/tcp: state 0A is LISTEN).
func listeners(t *testing.T, port int) []string {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux' /proc/net/tcp")
	}
	var addresses []string
	for _, file := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for line := range strings.Lines(string(text)) {
			fields := strings.Fields(line)
			address, hexPort, ok := strings.Cut(fields[1], ":")
			if p, err := strconv.ParseUint(hexPort, 16, 16); !ok || err != nil || int(p) != port || fields[3] != "0A" {
				continue
			}
			raw, err := hex.DecodeString(address)
			if err != nil {
				t.Fatal(err)
			}
			for i := 0; i < len(raw); i += 4 { // each 32 bits are in the machine's own order
				binary.BigEndian.PutUint32(raw[i:], binary.NativeEndian.Uint32(raw[i:]))
			}
			a, _ := netip.AddrFromSlice(raw)
			if a = a.Unmap(); a == netip.IPv6Unspecified() {
				a = netip.IPv4Unspecified() // Java's one socket for both
			}
			addresses = append(addresses, a.String())
		}
	}
	slices.Sort(addresses)
	return addresses
}

func TestTwoServersAreApart(t *testing.T) {
	one := plainServer(t)
	two := start(t, dynamolocal.Options{Mode: dynamolocal.ModeJava})
	if one.URL == two.URL {
		t.Fatalf("both have the URL %s", one.URL)
	}
	if err := dynamolocal.CreateTable(t.Context(), one.Client(region), moviesTable("movies")); err != nil {
		t.Fatal(err)
	}
	for s, want := range map[*dynamolocal.Server][]string{one: {"movies"}, two: {}} {
		// Shared by all regions and keys: whoever asks sees the same tables.
		out, err := s.Client("eu-west-1").ListTables(t.Context(), &dynamodb.ListTablesInput{})
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want, out.TableNames); diff != "" {
			t.Errorf("tables (-want +got):\n%s", diff)
		}
	}
	var exists *types.ResourceInUseException
	if err := dynamolocal.CreateTable(t.Context(), one.Client(region), moviesTable("movies")); !errors.As(err, &exists) {
		t.Errorf("made a table again: got %v, want a ResourceInUseException", err)
	}
}

func TestStopLeavesNothing(t *testing.T) {
	needJava(t)
	tmp := t.TempDir()
	t.Setenv("JAVA_TOOL_OPTIONS", "-Djava.io.tmpdir="+tmp)
	before := children(t)
	s := start(t, dynamolocal.Options{Mode: dynamolocal.ModeJava})
	if got := children(t); len(got) != len(before)+1 {
		t.Fatalf("got the child processes %v after %v, want one more", got, before)
	}
	conn := dial(t, s.URL)
	select {
	case <-s.Done():
		t.Error("done before it was stopped")
	default:
	}
	// A caller that was interrupted has a context that has ended.
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for range 2 {
		if err := s.Stop(ended); err != nil {
			t.Errorf("stop: %v", err)
		}
	}
	select {
	case <-s.Done():
	default:
		t.Error("not done after it was stopped")
	}
	if diff := cmp.Diff(before, children(t)); diff != "" {
		t.Errorf("child processes (-before +after):\n%s", diff)
	}
	waitClosed(t, conn)
	left, err := filepath.Glob(filepath.Join(tmp, "*"))
	if err != nil || len(left) > 0 {
		t.Errorf("left in the temporary folder: %v, %v", left, err)
	}
}

// children are the numbers of this process's child processes.
func children(t *testing.T) []int {
	t.Helper()
	if runtime.GOOS != "linux" {
		t.Skip("needs Linux' /proc")
	}
	stats, err := filepath.Glob("/proc/[0-9]*/stat")
	if err != nil || len(stats) == 0 {
		t.Fatalf("no processes: %v", err)
	}
	var pids []int
	for _, path := range stats {
		stat, err := os.ReadFile(path)
		if err != nil {
			continue // it has ended
		}
		// "pid (name) state ppid …", and a name may hold anything (proc(5)).
		fields := strings.Fields(string(stat[bytes.LastIndexByte(stat, ')')+1:]))
		if fields[1] == strconv.Itoa(os.Getpid()) {
			pid, _ := strconv.Atoi(filepath.Base(filepath.Dir(path)))
			pids = append(pids, pid)
		}
	}
	return pids
}

// waitClosed waits until the other end of the connection is gone: the kernel closes it when the
// process ends.
func waitClosed(t *testing.T, conn net.Conn) {
	t.Helper()
	if err := conn.SetReadDeadline(time.Now().Add(patience)); err != nil {
		t.Fatal(err)
	}
	n, err := conn.Read(make([]byte, 1))
	if timeout := net.Error(nil); err == nil || errors.As(err, &timeout) && timeout.Timeout() {
		t.Fatalf("the server is still there: read %d bytes, %v", n, err)
	}
}

func TestServerEndsWithItsUser(t *testing.T) {
	needJava(t)
	u := startUser(t, userOptions{Mode: dynamolocal.ModeJava})
	url := u.line(t, "url ")
	conn := dial(t, url)
	u.kill(t)
	waitClosed(t, conn)
	waitRefused(t, url)
}

// waitRefused waits until nobody listens there any more. The kernel closes what an ended process
// had open in no certain order, but all of it.
func waitRefused(t *testing.T, url string) {
	t.Helper()
	for {
		conn, err := net.Dial("tcp", strings.TrimPrefix(url, "http://"))
		if err != nil {
			return
		}
		waitClosed(t, conn)
		_ = conn.Close()
	}
}

func TestPortInUse(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	port := l.Addr().(*net.TCPAddr).Port
	// It is found out before anything is looked for.
	for _, mode := range []string{dynamolocal.ModeAuto, dynamolocal.ModeJava, dynamolocal.ModeDocker} {
		_, err = dynamolocal.Start(t.Context(), dynamolocal.Options{Mode: mode, Port: port, LookPath: programs{}.look})
		taken := (*dynamolocal.PortInUseError)(nil)
		if !errors.As(err, &taken) {
			t.Fatalf("%s: got %v, want a PortInUseError", mode, err)
		}
		if diff := cmp.Diff(&dynamolocal.PortInUseError{Host: "127.0.0.1", Port: port}, taken); diff != "" {
			t.Errorf("%s: (-want +got):\n%s", mode, diff)
		}
		if want := fmt.Sprintf("port %d ", port); !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "--port") {
			t.Errorf("%s: %q does not name %q and the flag", mode, err, want)
		}
	}
}

// A web page must not read the database of whoever looks at it: the browser keeps the answer from
// it, and does not even ask if the request before it is not answered with 2xx (Fetch standard,
// "CORS protocol").
func TestSecurityNoOtherOrigin(t *testing.T) {
	s := plainServer(t)
	for method, wantStatus := range map[string]int{http.MethodPost: http.StatusOK, http.MethodOptions: http.StatusBadRequest} {
		req, err := http.NewRequestWithContext(t.Context(), method, s.URL, strings.NewReader("{}"))
		if err != nil {
			t.Fatal(err)
		}
		req.Header.Set("Origin", "https://somewhere.example")
		req.Header.Set("Access-Control-Request-Method", http.MethodPost)
		req.Header.Set("Content-Type", "application/x-amz-json-1.0")
		req.Header.Set("X-Amz-Target", "DynamoDB_20120810.ListTables")
		req.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=local/20260101/us-east-1/dynamodb/aws4_request, SignedHeaders=host, Signature=0")
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = resp.Body.Close()
		if got := resp.Header.Values("Access-Control-Allow-Origin"); resp.StatusCode != wantStatus || len(got) != 0 {
			t.Errorf("%s: got status %d and Access-Control-Allow-Origin %q, want %d and none", method, resp.StatusCode, got, wantStatus)
		}
	}
}

func TestModeURL(t *testing.T) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	running := &http.Server{Handler: http.HandlerFunc(refuse)}
	go func() { _ = running.Serve(l) }()
	t.Cleanup(func() { _ = running.Close() })
	address := l.Addr().String()

	for _, mode := range []string{"http://" + address, "http://" + address + "/"} {
		s := start(t, dynamolocal.Options{Mode: mode})
		if want := "http://" + address; s.URL != want {
			t.Errorf("%s: got the URL %s, want %s", mode, s.URL, want)
		}
		if err := s.Stop(t.Context()); err != nil {
			t.Errorf("stop: %v", err)
		}
		select {
		case <-s.Done():
			t.Errorf("done, but it was not started here")
		default:
		}
		dial(t, s.URL) // it is still there
	}
}

func TestBadOptions(t *testing.T) {
	address := fmt.Sprintf("127.0.0.1:%d", freePort(t))
	tests := map[string]struct {
		options dynamolocal.Options
		want    []string
	}{
		"mode":             {dynamolocal.Options{Mode: "podman"}, []string{`"podman"`, "auto", "java", "docker", "URL"}},
		"port too high":    {dynamolocal.Options{Port: 65536}, []string{"65536"}},
		"port below zero":  {dynamolocal.Options{Port: -1}, []string{"-1"}},
		"host name":        {dynamolocal.Options{Hosts: []string{"db.example"}}, []string{`"db.example"`, "IP address"}},
		"foreign host":     {dynamolocal.Options{Hosts: []string{"203.0.113.7"}}, []string{"203.0.113.7"}},
		"URL with path":    {dynamolocal.Options{Mode: "http://127.0.0.1:8000/shell"}, []string{"/shell", "scheme, host and port"}},
		"URL with secret":  {dynamolocal.Options{Mode: "http://me:hunter2@127.0.0.1:8000"}, []string{"scheme, host and port"}},
		"a secret, unread": {dynamolocal.Options{Mode: "http://me:hunter2%zz@127.0.0.1:8000"}, []string{"scheme, host and port"}},
		"no URL, a secret": {dynamolocal.Options{Mode: "me:hunter2@127.0.0.1:8000"}, []string{"unknown DynamoDB mode"}},
		"URL of nobody":    {dynamolocal.Options{Mode: "http://" + address}, []string{address, "no DynamoDB"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			tt.options.LookPath = programs{}.look
			_, err := dynamolocal.Start(t.Context(), tt.options)
			if err == nil {
				t.Fatal("got no error")
			}
			for _, want := range tt.want {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("got %q, want it to contain %q", err, want)
				}
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("%q gives the password away", err)
			}
		})
	}
}
