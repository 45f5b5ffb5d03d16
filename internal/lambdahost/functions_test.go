package lambdahost_test

import (
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
	"orphan":   func() { lambda.Start(func() { _, _ = startChild(); _ = waitAt("orphan"); os.Exit(1) }) },
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
	"enormous":  enormous,
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
