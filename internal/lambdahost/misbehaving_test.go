package lambdahost_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"syscall"
)

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

// enormous is a simple client, which reads nothing before it has sent all.
func enormous() {
	r := newRuntime()
	id := r.next().id
	conn, err := net.Dial("tcp", os.Getenv("AWS_LAMBDA_RUNTIME_API"))
	if err != nil {
		os.Exit(96)
	}
	const size = 30 << 20
	fmt.Fprintf(conn, "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: %s\r\nConnection: close\r\nContent-Length: %d\r\n\r\n",
		id, os.Getenv("AWS_LAMBDA_RUNTIME_API"), size)
	if _, err := conn.Write(make([]byte, size)); err != nil {
		r.answerAll(err.Error())
	}
	answer, _ := io.ReadAll(conn)
	status, _, _ := strings.Cut(string(answer), "\r\n")
	r.answerAll(status)
}

func badMode() {
	r := newRuntime()
	r.answerAll(r.respond(r.next().id, "{}", "Lambda-Runtime-Function-Response-Mode", "telegraph"))
}

// truncate announces much more than it sends, and than any memory holds, and
// hangs up.
func truncate() {
	r := newRuntime()
	id := r.next().id
	conn, err := net.Dial("tcp", os.Getenv("AWS_LAMBDA_RUNTIME_API"))
	if err != nil {
		os.Exit(96)
	}
	fmt.Fprintf(conn, "POST /2018-06-01/runtime/invocation/%s/response HTTP/1.1\r\nHost: %s\r\nContent-Length: 1125899906842624\r\n\r\n{\"half\":",
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
