package lambdahost_test

import (
	"encoding/json"
	"os/exec"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// What a runtime is told that breaks the Runtime API's rules. Statuses and
// texts are those of Lambda's Runtime Interface Emulator.
func TestRuntimeAPIRefusals(t *testing.T) {
	t.Parallel()
	const (
		ok        = `202 {"status":"OK"}`
		wrongID   = `400 {"errorMessage":"Invalid request ID","errorType":"InvalidRequestID"}`
		tooLarge  = `413 {"errorMessage":"Exceeded maximum allowed payload size (6291556 bytes).","errorType":"RequestEntityTooLarge"}`
		wrongMode = `400 {"errorMessage":"Invalid function response mode","errorType":"InvalidFunctionResponseMode"}`
	)
	transition := func(from, to string) string {
		return `403 {"errorMessage":"State transition from Runtime` + from + ` to Runtime` + to +
			` failed for runtime. Error: State transition is not allowed","errorType":"InvalidStateTransition"}`
	}
	tests := map[string]struct {
		play  string
		first string // the first answer, if it is not an error
		want  []string
	}{
		"answered twice": {"twice", `"first"`, []string{
			ok, transition("ResponseSent", "InvocationResponse"), transition("ResponseSent", "InvocationErrorResponse"), wrongID,
		}},
		"answer above the limit":    {"huge", "", []string{tooLarge}},
		"answer far above it":       {"enormous", "", []string{"HTTP/1.1 413 Request Entity Too Large"}},
		"unknown response mode":     {"bad-mode", "", []string{wrongMode}},
		"answer that breaks off":    {"truncate", "", []string{"HTTP/1.1 400 Bad Request"}},
		"asked again, not answered": {"again", `[true,{}]`, nil},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := open(t, test.play, nil)
			first := invoke(t, f, "{}")
			if test.first != "" && (first.FunctionError != "" || string(first.Payload) != test.first) {
				t.Errorf("first answer: got %s %s, want %s", first.FunctionError, first.Payload, test.first)
			}
			if test.want == nil {
				return
			}
			second := invoke(t, f, "{}")
			if second.InitDuration != 0 {
				t.Fatalf("the process was replaced; first answer %s", first.Payload)
			}
			if diff := cmp.Diff(test.want, list(t, second.Payload)); diff != "" {
				t.Errorf("answers of the Runtime API (-want +got):\n%s", diff)
			}
		})
	}

	t.Run("out of order", func(t *testing.T) {
		t.Parallel()
		got := list(t, []byte(answer(t, open(t, "early", nil), "{}")))
		want := []string{wrongID, transition("Running", "InitError"),
			`404 {"errorMessage":"no such Runtime API call: POST /2018-06-01/runtime/nonsense","errorType":"NotFound"}`}
		if diff := cmp.Diff(want, got); diff != "" {
			t.Errorf("(-want +got):\n%s", diff)
		}
	})

	t.Run("two polls at once", func(t *testing.T) {
		t.Parallel()
		w := newWatch(t)
		f := open(t, "two-polls", watched(w))
		answer(t, f, "{}")
		receive(t, w.came, "the refusal of one poll")
		var refusal string
		if err := json.Unmarshal([]byte(answer(t, f, "{}")), &refusal); err != nil {
			t.Fatal(err)
		}
		want := transition("Ready", "Ready")[len("403 "):]
		if refusal != want {
			t.Errorf("got %s, want %s", refusal, want)
		}
	})
}

func list(t *testing.T, doc []byte) []string {
	t.Helper()
	var v []string
	if err := json.Unmarshal(doc, &v); err != nil {
		t.Fatalf("%s: %v", doc, err)
	}
	return v
}

// AWS's tutorial bootstrap is a shell script that calls curl.
func TestRuntimeOfAnotherLanguage(t *testing.T) {
	t.Parallel()
	if _, err := exec.LookPath("curl"); err != nil {
		t.Skip("needs curl")
	}
	f := open(t, "script", nil)
	for range 2 {
		if got, want := answer(t, f, "{}"), `"by curl"`; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
