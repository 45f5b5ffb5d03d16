package lambdahost_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-lambda-go/lambdacontext"

	"github.com/marquee-api/marquee/internal/lambdahost"
)

// functions are what the test binary can play. The good ones run on AWS's own
// client, aws-lambda-go; the bad ones speak the Runtime API by hand, since no
// honest client would do what they do.
var functions = map[string]func(){
	"echo":     echo,
	"describe": func() { lambda.Start(describe) },
	"fail": func() {
		lambda.Start(func() error { return errors.New("no such movie") })
	},
	"panic": func() {
		lambda.Start(func() { panic("the reel broke") })
	},
	"hang":   func() { lambda.Start(func() { announce("hanging"); select {} }) },
	"exit0":  func() { lambda.Start(func() { os.Exit(0) }) },
	"exit1":  func() { lambda.Start(func() { fmt.Fprintln(os.Stderr, "last words"); os.Exit(1) }) },
	"killed": func() { lambda.Start(func() { _ = syscall.Kill(os.Getpid(), syscall.SIGKILL); select {} }) },
	"pid":    func() { lambda.Start(func() (int, error) { return os.Getpid(), nil }) },
	"print": func() {
		fmt.Println("in the start")
		lambda.Start(func(text string) { fmt.Fprint(os.Stderr, text) })
	},
	"wait":     func() { lambda.Start(func(id string) (int, error) { return os.Getpid(), waitAt(id) }) },
	"stubborn": func() { signal.Ignore(syscall.SIGTERM); lambda.Start(func() (int, error) { return os.Getpid(), nil }) },
	"parent":   func() { lambda.Start(startChild) },
	"stream": func() {
		lambda.Start(func() (io.Reader, error) { return strings.NewReader("streamed, not JSON"), nil })
	},
	"stream-breaks": func() {
		lambda.Start(func() (io.Reader, error) {
			return io.MultiReader(strings.NewReader("half of"), &brokenReader{}), nil
		})
	},

	"init-exit": func() { fmt.Println("cannot start"); os.Exit(3) },
	"init-hang": func() { announce("hanging"); select {} },
	"init-error": func() {
		r := newRuntime()
		r.post("/runtime/init/error", `{"errorType":"Config.Missing","errorMessage":"TABLE_NAME is not set"}`, "Lambda-Runtime-Function-Error-Type", "Runtime.ConfigMissing")
		os.Exit(1)
	},
	"init-error-stays": func() {
		newRuntime().post("/runtime/init/error", `not JSON`)
		select {}
	},
	"init-slow-once": initSlowOnce,

	"garbage": func() {
		r := newRuntime()
		for {
			r.respond(r.next().id, "{]garbage\x00")
		}
	},
	"empty":     func() { r := newRuntime(); r.respond(r.next().id, ""); r.next() },
	"bad-error": func() { r := newRuntime(); r.fail(r.next().id, "<oops>", "Function.Oops"); r.next() },
	"huge":      func() { huge(1) },
	"largest":   func() { huge(0) },
	"bad-mode":  badMode,
	"truncate":  truncate,
	"twice":     answerTwice,
	"foreign":   answerForeign,
	"early":     answerEarly,
	"again":     askAgain,
	"two-polls": pollTwice,
	"late":      answerAndStay,
	"leave":     leavePoll,
	"script":    shellBootstrap,
	"host":      playHost,
	"tell":      tellAddress,
	"thief": func() {
		lambda.Start(func(in []string) (string, error) { return attack(in[0], in[1]), nil })
	},
	"page":        playPage,
	"exits-later": func() { r := newRuntime(); r.respond(r.next().id, "1"); leaveLater() },
}

type brokenReader struct{}

func (*brokenReader) Read([]byte) (int, error) { return 0, errors.New("the film tore") }

// description is what a function sees of itself.
type description struct {
	Env       []string
	Dir       string
	Args      []string
	RequestID string
	ARN       string
	Trace     string
	AppTitle  string
	Deadline  int64 // Unix milliseconds
}

func describe(ctx context.Context) (description, error) {
	lc, _ := lambdacontext.FromContext(ctx)
	dir, err := os.Getwd()
	deadline, _ := ctx.Deadline()
	return description{
		Env: os.Environ(), Dir: dir, Args: os.Args, RequestID: lc.AwsRequestID, ARN: lc.InvokedFunctionArn,
		Trace: os.Getenv("_X_AMZN_TRACE_ID"), AppTitle: lc.ClientContext.Client.AppTitle, Deadline: deadline.UnixMilli(),
	}, err
}

// waitAt tells the test's gate that it is there, and goes on when the gate
// opens. The connection's end also tells the test of this process's end.
func waitAt(id string) error {
	resp, err := http.Get(os.Getenv("GATE") + "/" + id)
	if err != nil {
		return err
	}
	return resp.Body.Close()
}

// announce opens a connection to the test that closes when this process ends.
func announce(what string) {
	conn, err := net.Dial("tcp", os.Getenv("WATCH"))
	if err != nil {
		return // this test does not watch
	}
	fmt.Fprintf(conn, "%s %d\n", what, os.Getpid())
	keep = append(keep, conn)
}

// keep holds connections that are open for the life of the process.
var keep []net.Conn

func echo() {
	lambda.Start(func(_ context.Context, in json.RawMessage) (json.RawMessage, error) { return in, nil })
}

// startChild starts a grandchild of the host that would live on by itself.
func startChild() (int, error) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{functionVariable + "=init-hang", "WATCH=" + os.Getenv("WATCH")}
	if err := cmd.Start(); err != nil {
		return 0, err
	}
	return cmd.Process.Pid, nil
}

func initSlowOnce() {
	marker := os.Getenv("MARKER")
	if _, err := os.Stat(marker); err != nil {
		_ = os.WriteFile(marker, nil, 0o600)
		select {}
	}
	echo()
}

// tellAddress tells the test where its Runtime API is while it runs.
func tellAddress() {
	lambda.Start(func() (string, error) {
		_, port, err := net.SplitHostPort(os.Getenv("AWS_LAMBDA_RUNTIME_API"))
		if err != nil {
			return "", err
		}
		return "mine", waitAt(port)
	})
}

// playPage sends what a browser would send for a web page.
func playPage() {
	r := newRuntime()
	id := r.next().id
	origin := r.respond(id, `"by a page"`, "Origin", "http://evil.example")
	_, port, _ := net.SplitHostPort(os.Getenv("AWS_LAMBDA_RUNTIME_API"))
	var got []string
	for _, host := range []string{"evil.example:" + port, "localhost:" + port} {
		req, _ := http.NewRequest(http.MethodPost, r.base+"/runtime/invocation/"+id+"/response", strings.NewReader(`"rebound"`))
		req.Host = host
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			os.Exit(92)
		}
		_ = resp.Body.Close()
		got = append(got, resp.Status)
	}
	doc, _ := json.Marshal(append(got, origin))
	r.respond(id, string(doc))
	r.next()
}

// leaveLater ends the process once its poll for the next event is in.
func leaveLater() {
	refused := make(chan struct{})
	for range 2 {
		go func() {
			resp, err := http.Get(newRuntime().base + "/runtime/invocation/next")
			if err == nil && resp.StatusCode == http.StatusForbidden {
				close(refused)
			}
		}()
	}
	<-refused
	os.Exit(7)
}

// playHost is no function but a host with one, which waits to be killed.
func playHost() {
	f, err := lambdahost.New(lambdahost.Config{
		Name: "hosted", Bootstrap: os.Args[0], Dir: os.TempDir(),
		Env: []string{functionVariable + "=hang", "WATCH=" + os.Getenv("WATCH")},
	})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(93)
	}
	_, _ = f.Invoke(context.Background(), lambdahost.Invocation{})
	select {}
}

// runtime is a Runtime API client that does as it is told.
type runtime struct {
	base string
	http *http.Client
}

func newRuntime() runtime {
	return runtime{base: "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01", http: &http.Client{}}
}

type event struct {
	id     string
	header http.Header
	body   string
}

func (r runtime) next() event {
	resp, err := r.http.Get(r.base + "/runtime/invocation/next")
	if err != nil {
		os.Exit(98)
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(resp.Body)
	if resp.StatusCode != http.StatusOK {
		fmt.Fprintf(os.Stderr, "next: %s %s\n", resp.Status, body)
		os.Exit(97)
	}
	return event{resp.Header.Get("Lambda-Runtime-Aws-Request-Id"), resp.Header, string(body)}
}

// post returns "STATUS body".
func (r runtime) post(path, body string, header ...string) string {
	req, err := http.NewRequest(http.MethodPost, r.base+path, strings.NewReader(body))
	if err != nil {
		return err.Error()
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := r.http.Do(req)
	if err != nil {
		return err.Error()
	}
	defer resp.Body.Close()
	answer, _ := io.ReadAll(resp.Body)
	return fmt.Sprintf("%d %s", resp.StatusCode, bytes.TrimSpace(answer))
}

func (r runtime) respond(id, body string, header ...string) string {
	return r.post("/runtime/invocation/"+id+"/response", body, header...)
}

func (r runtime) fail(id, body, kind string) string {
	return r.post("/runtime/invocation/"+id+"/error", body, "Lambda-Runtime-Function-Error-Type", kind)
}

// answerAll answers every further event with what happened before.
func (r runtime) answerAll(happened ...string) {
	doc, _ := json.Marshal(happened)
	for {
		r.respond(r.next().id, string(doc))
	}
}

func huge(over int) {
	const limit = 6*1024*1024 + 100
	r := newRuntime()
	body := strings.Repeat(" ", limit+over-2) + "{}"
	r.answerAll(r.respond(r.next().id, body))
}

func badMode() {
	r := newRuntime()
	r.answerAll(r.respond(r.next().id, "{}", "Lambda-Runtime-Function-Response-Mode", "telegraph"))
}

// truncate announces more than it sends and hangs up.
func truncate() {
	r := newRuntime()
	id := r.next().id
	conn, err := net.Dial("tcp", os.Getenv("AWS_LAMBDA_RUNTIME_API"))
	if err != nil {
		os.Exit(96)
	}
	fmt.Fprintf(conn, "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: %s\r\nContent-Length: 100\r\n\r\n{\"half\":",
		id, os.Getenv("AWS_LAMBDA_RUNTIME_API"))
	_ = conn.(*net.TCPConn).CloseWrite()
	answer, _ := io.ReadAll(conn)
	status, _, _ := strings.Cut(string(answer), "\r\n")
	r.answerAll(status)
}

func answerTwice() {
	r := newRuntime()
	id := r.next().id
	first := r.respond(id, `"first"`)
	second := r.respond(id, `"second"`)
	third := r.fail(id, `{"errorType":"x","errorMessage":"third"}`, "Function.X")
	e := r.next()
	old := r.respond(id, `"an answer to the invocation before"`)
	doc, _ := json.Marshal([]string{first, second, third, old})
	r.respond(e.id, string(doc))
	r.next()
}

func answerForeign() {
	r := newRuntime()
	id := r.next().id
	foreign := r.respond("00000000-0000-4000-8000-000000000000", `"foreign"`)
	failed := r.fail("00000000-0000-4000-8000-000000000000", `{}`, "Function.X")
	doc, _ := json.Marshal([]string{foreign, failed})
	r.respond(id, string(doc))
	r.next()
}

// answerEarly answers before there was an event, and reports a failed start
// after the start.
func answerEarly() {
	r := newRuntime()
	early := r.respond("00000000-0000-4000-8000-000000000000", `"early"`)
	id := r.next().id
	late := r.post("/runtime/init/error", `{}`)
	unknown := r.post("/runtime/nonsense", `{}`)
	doc, _ := json.Marshal([]string{early, late, unknown})
	r.respond(id, string(doc))
	r.next()
}

// askAgain loses an event and asks for it again.
func askAgain() {
	r := newRuntime()
	for {
		first := r.next()
		second := r.next()
		r.respond(second.id, fmt.Sprintf(`[%t,%s]`, first.id == second.id, second.body))
	}
}

// pollTwice asks for the next event while it is being asked for.
func pollTwice() {
	r := newRuntime()
	e := r.next()
	r.respond(e.id, "1")
	polled := make(chan event)
	for range 2 {
		go func() {
			resp, err := http.Get(r.base + "/runtime/invocation/next")
			if err != nil {
				os.Exit(95)
			}
			defer resp.Body.Close()
			body, _ := io.ReadAll(resp.Body)
			polled <- event{resp.Header.Get("Lambda-Runtime-Aws-Request-Id"), resp.Header, string(body)}
		}()
	}
	refused := <-polled
	announce("refused")
	e = <-polled
	doc, _ := json.Marshal(refused.body)
	r.respond(e.id, string(doc))
	r.next()
}

// answerAndStay answers and never asks for the next event.
func answerAndStay() {
	r := newRuntime()
	r.respond(r.next().id, fmt.Sprint(os.Getpid()))
	announce("staying")
	select {}
}

// leavePoll hangs up while it waits for its second event. It knows that it
// waits when another poll is refused for that.
func leavePoll() {
	r := newRuntime()
	r.respond(r.next().id, fmt.Sprint(os.Getpid()))
	refused := make(chan int)
	var polls [2]net.Conn
	for i := range polls {
		conn, err := net.Dial("tcp", os.Getenv("AWS_LAMBDA_RUNTIME_API"))
		if err != nil {
			os.Exit(94)
		}
		polls[i] = conn
		fmt.Fprintf(conn, "GET /2018-06-01/runtime/invocation/next HTTP/1.1\r\nHost: %s\r\n\r\n", os.Getenv("AWS_LAMBDA_RUNTIME_API"))
		go func() {
			if _, err := conn.Read(make([]byte, 1)); err == nil {
				refused <- i
			}
		}()
	}
	other := 1 - <-refused
	announce("leaving")
	_ = polls[other].Close()
	select {}
}

// shellBootstrap is the bootstrap of AWS's tutorial for custom runtimes: a
// shell script that calls the Runtime API through another program.
func shellBootstrap() {
	r := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/invocation"
	script := `while true; do
		id=$(curl -sS -D - -o /dev/null "$0/next" | tr -d '\r' | sed -n 's/^Lambda-Runtime-Aws-Request-Id: //p')
		curl -sS -o /dev/null -X POST "$0/$id/response" -d '"by curl"'
	done`
	_ = syscall.Exec("/bin/sh", []string{"sh", "-c", script, r}, os.Environ())
}
