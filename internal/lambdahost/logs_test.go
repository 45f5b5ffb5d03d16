package lambdahost_test

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/lambdahost"
)

func TestLogsBelongToTheirInvocation(t *testing.T) {
	t.Parallel()
	book := newLogbook()
	f := open(t, "print", func(c *lambdahost.Config) { c.Log, c.Version = book.add, "3" })
	for i, text := range []string{`"one\ntwo\n"`, `"no line end"`, `"\n\n"`} {
		id := []string{"id-0", "id-1", "id-2"}[i]
		if r, err := f.Invoke(t.Context(), lambdahost.Invocation{RequestID: id, Payload: []byte(text)}); err != nil || r.FunctionError != "" {
			t.Fatalf("got %s, %v", r.Payload, err)
		}
	}
	var got []string
	pid := 0
	for _, line := range book.all() {
		if pid == 0 {
			pid = line.PID
		}
		if line.PID != pid || line.PID == 0 || line.Function != "test-print" || line.Time.IsZero() {
			t.Errorf("line without its origin: %+v", line)
		}
		if line.Host != regexp.MustCompile(`^(START|END|REPORT) `).MatchString(line.Text) {
			t.Errorf("host line: got %t for %q", line.Host, line.Text)
		}
		text, _, _ := strings.Cut(line.Text, "\t")
		got = append(got, line.RequestID+"|"+text)
	}
	want := []string{
		"|in the start",
		"id-0|START RequestId: id-0 Version: 3", "id-0|one", "id-0|two", "id-0|END RequestId: id-0", "id-0|REPORT RequestId: id-0",
		"id-1|START RequestId: id-1 Version: 3", "id-1|no line end", "id-1|END RequestId: id-1", "id-1|REPORT RequestId: id-1",
		"id-2|START RequestId: id-2 Version: 3", "id-2|", "id-2|", "id-2|END RequestId: id-2", "id-2|REPORT RequestId: id-2",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lines (-want +got):\n%s", diff)
	}
}

// The tail of the log is what Lambda returns for LogType Tail: at most the last
// 4 KiB, with the lines that Lambda itself adds.
func TestLogTail(t *testing.T) {
	t.Parallel()
	f := open(t, "print", nil)
	r := invoke(t, f, `"hello\n"`)
	want := regexp.MustCompile(`^in the start
START RequestId: (\S+) Version: \$LATEST
hello
END RequestId: (\S+)
REPORT RequestId: (\S+)	Duration: \d+\.\d\d ms	Billed Duration: \d+ ms	Memory Size: 128 MB	Init Duration: \d+\.\d\d ms
$`)
	m := want.FindSubmatch(r.LogTail)
	if m == nil {
		t.Fatalf("got %s", r.LogTail)
	}
	for _, id := range m[1:] {
		if string(id) != r.RequestID {
			t.Errorf("request id: got %s, want %s", id, r.RequestID)
		}
	}
	second := invoke(t, f, `"again\n"`)
	if strings.Contains(string(second.LogTail), "hello") || !strings.Contains(string(second.LogTail), "\nagain\n") {
		t.Errorf("second tail: got %s", second.LogTail)
	}

	// Much more than a pipe holds, without and with line ends.
	for _, text := range []string{strings.Repeat("x", 600_000), strings.Repeat(strings.Repeat("y", 99)+`\n`, 6_000)} {
		long := invoke(t, f, `"`+text+`"`)
		if long.FunctionError != "" {
			t.Fatalf("got %s", long.Payload)
		}
		if got := len(long.LogTail); got != 4096 {
			t.Errorf("long tail: got %d bytes, want 4096", got)
		}
		if !strings.Contains(string(long.LogTail), "\nREPORT RequestId: "+long.RequestID) {
			t.Errorf("long tail ends with %s", long.LogTail[len(long.LogTail)-200:])
		}
	}
}

// An endless line is cut, so that a function cannot fill the host's memory.
func TestLogLongLinesAreCut(t *testing.T) {
	t.Parallel()
	book := newLogbook()
	f := open(t, "print", func(c *lambdahost.Config) { c.Log = book.add })
	invoke(t, f, `"`+strings.Repeat("z", 1_000_000)+`"`)
	total := 0
	for _, line := range book.all() {
		if strings.HasPrefix(line.Text, "z") {
			total += len(line.Text)
			if len(line.Text) > 2*256*1024 {
				t.Errorf("line of %d bytes", len(line.Text))
			}
		}
	}
	if total != 1_000_000 {
		t.Errorf("bytes logged: got %d, want 1000000", total)
	}
}

func TestLogTellsHowAProcessEnded(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		play string
		want []string
	}{
		"exit":          {"exit1", []string{"last words", "RequestId: id-1 Error: Runtime exited with error: exit status 1", "Runtime.ExitError"}},
		"exit in start": {"init-exit", []string{"cannot start", "RequestId: id-1 Error: Runtime exited with error: exit status 3", "Runtime.ExitError"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			f := open(t, test.play, nil)
			r, err := f.Invoke(t.Context(), lambdahost.Invocation{RequestID: "id-1"})
			if err != nil {
				t.Fatal(err)
			}
			lines := strings.Split(string(r.LogTail), "\n")
			for _, want := range test.want {
				if !contains(lines, want) {
					t.Errorf("no line %q in\n%s", want, r.LogTail)
				}
			}
		})
	}
}

// A process that ends while it has nothing to do is told of, too.
func TestLogTellsOfAnIdleProcessThatEnds(t *testing.T) {
	t.Parallel()
	book := newLogbook()
	f := open(t, "exits-later", func(c *lambdahost.Config) { c.Log = book.add })
	answer(t, f, "{}")
	line := book.wait(t, "Runtime exited with error: exit status 7")
	if !line.Host {
		t.Errorf("got %+v, want a line of the host", line)
	}
}

func contains(lines []string, want string) bool {
	for _, line := range lines {
		if line == want {
			return true
		}
	}
	return false
}
