package lambdahost

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"
)

// Whatever else a runtime sends while an invocation runs, only a well-formed
// answer that names it moves the process on, and every refusal has one of the
// statuses that the Runtime API knows.
func FuzzRuntimeAPI(f *testing.F) {
	const id = "8f5a3d1c-6f0b-4a57-9b1e-0d2c3b4a5968"
	f.Add("POST", "/2018-06-01/runtime/invocation/"+id+"/response", "{}", "")
	f.Add("POST", "/2018-06-01/runtime/invocation/"+id+"/error", "{}", "Function.X")
	f.Add("POST", "/2018-06-01/runtime/invocation//response", "{}", "")
	f.Add("POST", "/2018-06-01/runtime/invocation/"+id+"/response/", "{}", "")
	f.Add("PUT", "/2018-06-01/runtime/invocation/"+id+"/response", "{}", "")
	f.Add("POST", "/2018-06-01/runtime/invocation/%38f5a3d1c-6f0b-4a57-9b1e-0d2c3b4a5968/response", "{}", "")
	f.Add("POST", "/2018-06-01/runtime/init/error", "{}", "")
	f.Add("POST", "//2018-06-01/runtime/init/error", "{}", "")
	function, err := New(Config{Name: "f", Bootstrap: os.Args[0]})
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, method, path, body, kind string) {
		r, err := http.NewRequest(method, "http://host"+path, strings.NewReader(body))
		if err != nil || r.URL.Host != "host" || r.Host != "host" {
			t.Skip("no request")
		}
		p := newProcess(function, false)
		p.addr, p.state = "host", stateRunning
		inv := &invocation{Invocation: Invocation{RequestID: id}, done: make(chan outcome, 1)}
		p.current = inv
		r.Header[headerErrorType] = []string{kind}
		ctx, cancel := context.WithCancel(context.WithValue(t.Context(), peerKey{}, func() bool { return true }))
		defer cancel()
		w := httptest.NewRecorder()
		p.ServeHTTP(w, r.WithContext(ctx))

		answers := method == http.MethodPost && (path == pathInvocation+id+"/response" || path == pathInvocation+id+"/error")
		asksAgain := method == http.MethodGet && path == pathNext
		switch {
		case strings.ContainsAny(path, "?#"):
			t.Skip("the path ends before that")
		case answers && (w.Code != 202 || !inv.settled || p.state != stateAnswered):
			t.Errorf("answer: got %d, settled %t, %s", w.Code, inv.settled, p.state)
		case asksAgain && (w.Code != 200 || p.state != stateRunning):
			t.Errorf("same event again: got %d, %s", w.Code, p.state)
		case !answers && !asksAgain && (inv.settled || p.state != stateRunning || w.Code != 400 && w.Code != 403 && w.Code != 404):
			t.Errorf("%s %q: got %d, settled %t, %s", method, path, w.Code, inv.settled, p.state)
		}
	})
}

// However a function's output is cut into reads, the lines are the same, and
// none of it is lost.
func FuzzOutputLines(f *testing.F) {
	f.Add([]byte("one\ntwo\n"), uint8(3))
	f.Add([]byte("\n\nno end"), uint8(1))
	f.Add([]byte(strings.Repeat("x", 300)), uint8(254))
	f.Fuzz(func(t *testing.T, data []byte, step uint8) {
		lines := func(step int) (got []string) {
			o := newOutput(&Function{cfg: Config{
				Now: func() time.Time { return time.Time{} },
				Log: func(l LogLine) { got = append(got, l.Text) },
			}})
			for rest := data; len(rest) > 0; {
				n := min(step, len(rest))
				o.take(rest[:n])
				rest = rest[n:]
			}
			o.flush()
			return got
		}
		whole, cut := lines(len(data)+1), lines(int(step)+1)
		if len(data) < maxLine {
			if got, want := strings.Join(cut, "\n"), strings.Join(whole, "\n"); got != want {
				t.Errorf("lines: got %q, want %q", got, want)
			}
			want := strings.TrimSuffix(string(data), "\n")
			if got := strings.Join(whole, "\n"); got != want {
				t.Errorf("bytes: got %q, want %q", got, want)
			}
		}
	})
}

// A function's name that is taken apart and put together again in its longest
// form means the same.
func FuzzFunctionName(f *testing.F) {
	for _, s := range []string{
		"f", "f:$LATEST", "123456789012:function:f", "function:f:7",
		"arn:aws:lambda:ap-northeast-2:123456789012:function:f:live", "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:f",
		"a:b:c", "", ":", "arn:aws:s3:::bucket",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		ref, ok := parseFunctionName(s)
		if !ok {
			return
		}
		long := "arn:aws:lambda:"
		for _, part := range []string{ref.region, ref.account} {
			if part != "" {
				long += part + ":"
			}
		}
		long += "function:" + ref.name
		if ref.qualifier != "" {
			long += ":" + ref.qualifier
		}
		if again, ok := parseFunctionName(long); !ok || again != ref {
			t.Errorf("%q is %+v, but %q is %+v, %t", s, ref, long, again, ok)
		}
		if ref.name == "" || strings.ContainsAny(ref.name, ":/") {
			t.Errorf("%q: name %q", s, ref.name)
		}
	})
}
