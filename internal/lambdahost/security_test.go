package lambdahost_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/lambdahost"
)

// Security: an answer must name the invocation that its process is running. An
// answer for any other changes nothing, and the right one is still taken.
func TestSecurityAnswerMustNameTheActiveInvocation(t *testing.T) {
	t.Parallel()
	const refused = `400 {"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`
	for i, got := range list(t, []byte(answer(t, open(t, "foreign", nil), "{}"))) {
		if got != refused {
			t.Errorf("foreign answer %d: got %s, want %s", i, got, refused)
		}
	}
}

// Security: a process cannot read another's event or answer in its place, even
// if it knows the other's port and the id of its invocation.
func TestSecurityOneProcessCannotAnswerForAnother(t *testing.T) {
	t.Parallel()
	if _, err := os.Stat("/proc/self/stat"); err != nil {
		t.Skip("only Linux says which process a connection belongs to")
	}
	g := newGate(t)
	victim := open(t, "tell", func(c *lambdahost.Config) { c.Env = append(c.Env, "GATE="+g.URL) })
	answered := make(chan lambdahost.Result, 1)
	const id = "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	go func() {
		r, err := victim.Invoke(context.Background(), lambdahost.Invocation{RequestID: id, Payload: []byte(`"secret"`)})
		if err != nil {
			t.Error(err)
		}
		answered <- r
	}()
	port := g.wait(t)

	// This very process tries, and so does another function.
	attempts := map[string]string{"this process": attack("127.0.0.1:"+port, id)}
	thief := open(t, "thief", nil)
	doc, _ := json.Marshal([]string{"127.0.0.1:" + port, id})
	var byThief string
	if err := json.Unmarshal([]byte(answer(t, thief, string(doc))), &byThief); err != nil {
		t.Fatal(err)
	}
	attempts["another function"] = byThief
	for who, got := range attempts {
		want := strings.Repeat("403 this Runtime API belongs to another process\n", 4)
		if got != want {
			t.Errorf("%s: got\n%swant\n%s", who, got, want)
		}
	}

	close(g.open)
	if r := receive(t, answered, "the victim's answer"); r.FunctionError != "" || string(r.Payload) != `"mine"` {
		t.Errorf("victim: got %s %s, want its own answer", r.FunctionError, r.Payload)
	}
}

// attack tries everything a runtime may do at somebody else's Runtime API.
func attack(addr, id string) string {
	var b strings.Builder
	for _, call := range [][2]string{
		{http.MethodGet, "/invocation/next"},
		{http.MethodPost, "/invocation/" + id + "/response"},
		{http.MethodPost, "/invocation/" + id + "/error"},
		{http.MethodPost, "/init/error"},
	} {
		req, err := http.NewRequest(call[0], "http://"+addr+"/2018-06-01/runtime"+call[1], strings.NewReader(`"stolen"`))
		if err != nil {
			return err.Error()
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err.Error()
		}
		body, _ := io.ReadAll(resp.Body)
		_ = resp.Body.Close()
		var doc struct{ ErrorMessage string }
		_ = json.Unmarshal(body, &doc)
		fmt.Fprintf(&b, "%d %s\n", resp.StatusCode, doc.ErrorMessage)
	}
	return b.String()
}

// Security: a web page on this machine reaches loopback ports. Its browser
// sends its origin, or, after DNS rebinding, the name of the page's host.
func TestSecurityWebPagesAreRefusedByTheRuntimeAPI(t *testing.T) {
	t.Parallel()
	got := list(t, []byte(answer(t, open(t, "page", nil), "{}")))
	if len(got) != 3 {
		t.Fatalf("got %v", got)
	}
	for _, status := range got {
		if !strings.HasPrefix(status, "403 ") {
			t.Errorf("got %s, want 403", status)
		}
	}
}

// Security: a function gets nothing of its host's environment, where a
// developer's own credentials may be.
func TestSecurityHostEnvironmentIsNotPassedOn(t *testing.T) {
	t.Setenv("AWS_SECRET_ACCESS_KEY", "of the developer")
	t.Setenv("HOME", t.TempDir())
	var got description
	if err := json.Unmarshal([]byte(answer(t, open(t, "describe", nil), "{}")), &got); err != nil {
		t.Fatal(err)
	}
	if len(got.Env) == 0 {
		t.Fatal("environment: got nothing")
	}
	for _, line := range got.Env {
		if strings.HasPrefix(line, "AWS_SECRET_ACCESS_KEY=") || strings.HasPrefix(line, "HOME=") {
			t.Errorf("passed on: %s", line)
		}
	}
}
