package local

import (
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"time"

	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/identity/sts"
	"github.com/marquee-api/marquee/internal/lambdahost"
	"github.com/marquee-api/marquee/internal/secrets"
	"github.com/marquee-api/marquee/internal/terminal"
)

// The widths of the columns of a request's line. The path is the last one, so that nothing of it moves the others.
const (
	clockFormat    = "15:04:05.000"
	methodWidth    = len("OPTIONS")
	durationWidth  = len("999.99ms")
	doorWidth      = len("other_vpce")
	shortDoorWidth = len("public")
	nameWidth      = 20
	narrow         = 120 // below this many columns a line leaves out milliseconds and shortens the door
	slim           = 80  // below this many it leaves out how long it took, too
	least          = 8   // what a path keeps on the narrowest terminal
)

// journal turns what happens in a stack into lines for its terminal: columns that stay where they are, and the reason of
// a refusal under its request.
type journal struct {
	terminal terminal.Terminal
	named    map[string]string // a function's logical id by its name
	secrets  *secrets.Set      // what no line shows; nil: there is nothing to hide
}

// entry is what the line of a request shows.
type entry struct {
	time     time.Time
	status   int
	method   string
	duration time.Duration
	who      string
	door     string
	path     string
	refused  bool   // by the gateway or STS, not by the function
	kind     string // AWS's type of the refusal
	reason   string
}

// request is a record as a line, and the reason of a refusal under it.
func (j journal) request(r gateway.Record) string {
	e := entry{
		time: r.Time, status: r.Status, method: r.Method, duration: r.Duration, who: signerOf(r), door: r.Door, path: r.Path,
		refused: r.Message != "", kind: r.ErrorType, reason: r.Why,
	}
	if e.reason == "" {
		e.reason, _, _ = strings.Cut(r.Message, "\n")
	}
	return j.lines(e)
}

// sts is what became of a request to STS.
func (j journal) sts(r sts.Record) string {
	e := entry{
		time: r.Time, status: r.Status, method: "POST", who: shortARN(r.Caller), door: "sts", path: r.Action,
		refused: r.Code != "", kind: r.Code, reason: r.Why,
	}
	if e.reason == "" {
		e.reason, _, _ = strings.Cut(r.Message, "\n")
	}
	return j.lines(e)
}

func (j journal) lines(e entry) string {
	t, columns := j.terminal, j.terminal.Columns()
	clock, name, door := clockFormat, nameWidth, terminal.Pad(e.door, doorWidth)
	if columns > 0 && columns < narrow {
		short, _, _ := strings.Cut(e.door, "_")
		clock, name, door = time.TimeOnly, min(nameWidth, max(columns/6, 8)), terminal.Pad(short, shortDoorWidth)
	}
	who := oneLine(e.who)
	if columns > 0 {
		who = terminal.Cut(who, name)
	}
	head := []string{t.Paint(terminal.Faint, e.time.Format(clock)), t.Paint(e.ink(), fmt.Sprint(e.status)), terminal.Pad(e.method, methodWidth)}
	if columns == 0 || columns >= slim {
		head = append(head, t.Paint(terminal.Faint, terminal.Pad(elapsed(e.duration), -durationWidth)))
	}
	line := strings.Join(append(head, terminal.Pad(who, name), door), "  ") + "  "
	path := oneLine(e.path)
	if columns > 0 {
		path = terminal.CutMiddle(path, max(columns-terminal.Width(line), least))
	}
	return line + path + j.because(e, len(clock)+2)
}

// because is the reason of a refusal, under its request's status.
func (j journal) because(e entry, indent int) string {
	if !e.refused {
		return ""
	}
	var text string
	if e.kind != "" {
		text = e.kind + ": "
	}
	text += oneLine(strings.TrimPrefix(e.reason, text))
	width := 0
	if columns := j.terminal.Columns(); columns > 0 {
		width = max(columns-indent-2, 24)
	}
	var b strings.Builder
	for i, part := range terminal.Wrap(text, width) {
		lead := "└ "
		if i > 0 {
			lead = "  "
		}
		b.WriteString("\n" + strings.Repeat(" ", indent) + j.terminal.Paint(terminal.Yellow, lead+part))
	}
	return b.String()
}

// ink is the colour of a status. What the gateway refuses is as red as what broke: nobody's function has seen it.
func (e entry) ink() terminal.Ink {
	switch {
	case e.refused || e.status >= 500:
		return terminal.Red
	case e.status >= 400:
		return terminal.Yellow
	case e.status >= 300:
		return terminal.Cyan
	}
	return terminal.Green
}

// elapsed is a duration in at most eight columns.
func elapsed(d time.Duration) string {
	switch {
	case d <= 0:
		return ""
	case d < time.Millisecond:
		return fmt.Sprintf("%dµs", d.Microseconds())
	case d < time.Second:
		return fmt.Sprintf("%.2fms", d.Seconds()*1000)
	}
	return fmt.Sprintf("%.2fs", d.Seconds())
}

// signerOf is who sent a request: a name of this stack, else the end of an ARN. A question mark says that a refused
// signature makes it a claim.
func signerOf(r gateway.Record) string {
	switch {
	case r.Name != "":
		return r.Name
	case r.Identity != "":
		return shortARN(r.Identity)
	case r.Claimed != "":
		return r.Claimed + "?"
	case r.AccessKeyID != "":
		return r.AccessKeyID + "?"
	}
	return "unsigned"
}

// shortARN leaves of an identity's ARN what tells it from others: "Role/session" of an assumed role, "user/anna".
func shortARN(arn string) string {
	if arn == "" {
		return "unsigned"
	}
	return strings.TrimPrefix(arn[strings.LastIndex(arn, ":")+1:], "assumed-role/")
}

// function is what a function printed, behind its name. Lambda's own START, END and REPORT lines are left out: each
// request has its line already.
func (j journal) function(l lambdahost.LogLine) (line string, show bool) {
	if l.Host {
		word, _, _ := strings.Cut(l.Text, " ")
		if word == "START" || word == "END" || word == "REPORT" {
			return "", false
		}
	}
	name := l.Function
	if id := j.named[name]; id != "" {
		name = id
	}
	l.Text = j.secrets.Text(l.Text) // a function that fails may print what it was given
	if j.terminal.IsTerminal() {
		if text, ink, ok := readable(l.Text); ok {
			line := name + "  " + text
			if ink == terminal.Faint {
				line = terminal.Cut(line, j.terminal.Columns())
			}
			return j.terminal.Paint(ink, line), true
		}
	}
	return j.terminal.Paint(terminal.Faint, name+": ") + printable(l.Text), true
}

// recordWriter writes each record as one JSON line, whole, from many goroutines. A record that cannot be written is told:
// a log with holes that nobody knows of is worse than none.
func recordWriter(w io.Writer, failed func(error)) func(gateway.Record) {
	var mu sync.Mutex
	return func(r gateway.Record) {
		line, err := json.Marshal(r.Detailed())
		if err == nil {
			mu.Lock()
			_, err = w.Write(append(line, '\n'))
			mu.Unlock()
		}
		if err != nil {
			failed(fmt.Errorf("the log of requests: %w", err))
		}
	}
}
