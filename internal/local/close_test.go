package local

import (
	"bytes"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// doorOnly is a stack of nothing but one door with a handler behind it.
func doorOnly(t *testing.T, handler http.Handler, o Options) *Stack {
	t.Helper()
	s := &Stack{options: o}
	var err error
	if s.doors[doorVPCE], err = openDoor("", 0); err != nil {
		t.Fatal(err)
	}
	s.answer([]http.Handler{handler})
	return s
}

// answered is what a client got.
type answered struct {
	status int
	body   string
	err    error
}

// ask sends a GET in the background.
func ask(url string) <-chan answered {
	c := make(chan answered, 1)
	go func() {
		response, err := http.Get(url)
		if err != nil {
			c <- answered{err: err}
			return
		}
		defer response.Body.Close()
		body, err := io.ReadAll(response.Body)
		c <- answered{response.StatusCode, string(body), err}
	}()
	return c
}

// Stopping says what it waits for, and what is done in time is answered.
func TestCloseWaitsForWhatIsUnderWay(t *testing.T) {
	arrived, finish := make(chan struct{}), make(chan struct{})
	told := make(chan string, 10)
	s := doorOnly(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-finish
		io.WriteString(w, "done")
	}), Options{Patience: time.Hour, Out: writerFunc(func(line string) { told <- line })})
	answer := ask(s.doors[doorVPCE].url() + "/live/a%20b?X-Amz-Signature=secret")
	<-arrived
	closed := make(chan error, 1)
	go func() { closed <- s.Close() }()
	const want = "stopping: it waits up to 1h0m0s for 1 request (GET /live/a%20b); Ctrl-C again ends it at once\n"
	if got := <-told; got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	close(finish)
	if err := <-closed; err != nil {
		t.Errorf("closing: %v", err)
	}
	if got := <-answer; got.status != 200 || got.body != "done" {
		t.Errorf("the request under way: got %+v, want its answer", got)
	}
	select {
	case line := <-told:
		t.Errorf("it also told %q", line)
	default:
	}
}

// What was cut off has a moment to be told so: functions that are stopped make their callers an answer.
func TestCloseLetsTheLastAnswersOut(t *testing.T) {
	arrived, finish := make(chan struct{}), make(chan struct{})
	s := doorOnly(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		close(arrived)
		<-finish
		w.WriteHeader(http.StatusInternalServerError)
	}), Options{Patience: time.Millisecond, Out: writerFunc(func(line string) {
		if strings.HasPrefix(line, "stopping: cut off") {
			close(finish)
		}
	})})
	answer := ask(s.doors[doorVPCE].url())
	<-arrived
	if err := s.Close(); err != nil {
		t.Errorf("closing: %v", err)
	}
	if got := <-answer; got.err != nil || got.status != 500 {
		t.Errorf("got %+v, want a 500", got)
	}
}

// With nothing under way there is nothing to wait for and nothing to tell, whatever connections are open.
func TestCloseWithNothingUnderWay(t *testing.T) {
	var out bytes.Buffer
	s := doorOnly(t, http.NotFoundHandler(), Options{Out: &out})
	unused, err := net.Dial("tcp", strings.TrimPrefix(s.doors[doorVPCE].url(), "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer unused.Close()
	if got := <-ask(s.doors[doorVPCE].url()); got.status != 404 { // by now the server has accepted the other one, too
		t.Fatalf("got %+v", got)
	}
	start := time.Now()
	if err := s.Close(); err != nil || out.Len() > 0 {
		t.Errorf("got %v and %q, want neither", err, out.String())
	}
	if took := time.Since(start); took > 3*leaveTime {
		t.Errorf("it took %v: an unused connection held it up", took)
	}
}

// A function that takes longer than stopping waits is cut off: its caller gets an answer, and the end is no failure. With
// no time left for it, it is cut off at once.
func TestCloseCutsOffWhatTakesTooLong(t *testing.T) {
	if runtime.GOOS != "linux" {
		t.Skip("the function is a script of a shell, which a build for Lambda is not elsewhere")
	}
	hurry := make(chan struct{})
	close(hurry)
	tests := map[string]struct {
		options Options
		waits   bool
	}{
		"in its time":       {Options{Patience: 50 * time.Millisecond}, true},
		"when it is to end": {Options{Patience: time.Hour, Hurry: hurry}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := hanging(t)
			var out bytes.Buffer
			tt.options.Template, tt.options.State, tt.options.Out = filepath.Join(dir, "template.yaml"), filepath.Join(t.TempDir(), "local.json"), &out
			s, err := Start(t.Context(), tt.options)
			if err != nil {
				t.Fatal(err)
			}
			answer := ask(s.State().InvokeURL + "/a")
			for s.requests.String() == "" { // until it is there
				select {
				case got := <-answer:
					t.Fatalf("got %+v, want an answer that does not come", got)
				case <-time.After(5 * time.Millisecond):
				}
			}
			out.Reset()
			if err := s.Close(); err != nil {
				t.Errorf("closing: %v", err)
			}
			if got := <-answer; got.err != nil || got.status != 500 {
				t.Errorf("the request: got %+v, want a 500", got)
			}
			if got := out.String(); strings.Contains(got, "it waits up to 50ms for 1 request (GET /live/a)") != tt.waits || !strings.HasSuffix(got, "stopping: cut off: 1 request (GET /live/a)\n") {
				t.Errorf("it told %q", got)
			}
		})
	}
}

// hanging is a template with a function that never answers.
func hanging(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	writeSource(t, filepath.Join(dir, "template.yaml"), `
Transform: AWS::Serverless-2016-10-31
Resources:
  Api: {Type: AWS::Serverless::Api, Properties: {StageName: live}}
  Hanging:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: .
      Handler: bootstrap
      Runtime: provided.al2023
      Timeout: 60
      Events: {A: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /a, Method: get}}}
`)
	writeSource(t, filepath.Join(dir, "bootstrap"), "#!/bin/sh\nexec sleep 60\n")
	if err := os.Chmod(filepath.Join(dir, "bootstrap"), 0o700); err != nil {
		t.Fatal(err)
	}
	return dir
}
