package local

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/identity/sts"
	"github.com/marquee-api/marquee/internal/lambdahost"
	"github.com/marquee-api/marquee/internal/secrets"
	"github.com/marquee-api/marquee/internal/terminal"
)

var noon = time.Date(2026, 11, 23, 12, 0, 0, 42e6, time.UTC)

// records are requests of every shape: short and long, let in and refused.
var records = []gateway.Record{
	{Time: noon, Status: 200, Method: "GET", Path: "/dev/movie_list", Name: "caller", Door: "vpce", Duration: 22950 * time.Microsecond},
	{Time: noon, Status: 404, Method: "DELETE", Path: "/dev/movie_list/1997/" + strings.Repeat("Very%20Long%20", 12) + "End", Door: "vpce", Duration: 999,
		Identity: "arn:aws:sts::123456789012:assumed-role/a-role-with-quite-a-long-name/and-a-session-of-the-same-kind"},
	{Time: noon, Status: 403, Method: "OPTIONS", Path: "/dev/x", Claimed: "reader", AccessKeyID: "ASIAX", Door: "other_vpce", Duration: 999990 * time.Microsecond,
		ErrorType: "InvalidSignatureException", Message: "The request signature we calculated does not match.\n\nThe Canonical String was"},
	{Time: noon, Status: 403, Method: "GET", Path: "/dev/기생충", Door: "public", Duration: 29 * time.Second,
		ErrorType: "AccessDeniedException", Message: "User: anonymous", Why: "denied by statement 1 (OnlyThroughTheEndpoint) of the resource-based policy"},
}

func TestColumnsStayAligned(t *testing.T) {
	// Where the path begins: the widths of the columns before it, and two spaces after each.
	const wide = 12 + 3 + 7 + 8 + 20 + 10 + 6*2
	path := map[int]int{0: wide, 60: 8 + 3 + 7 + 10 + 6 + 5*2, 80: 8 + 3 + 7 + 8 + 13 + 6 + 6*2, 100: 8 + 3 + 7 + 8 + 16 + 6 + 6*2, 119: 8 + 3 + 7 + 8 + 19 + 6 + 6*2, 120: wide, 250: wide}
	for columns := range path {
		j := journal{terminal: terminal.Terminal{}.WithColumns(columns)}
		var method int
		for i, r := range records {
			line, _, _ := strings.Cut(j.request(r), "\n")
			if columns > 0 && terminal.Width(line) > columns {
				t.Errorf("%d columns: a line has %d: %s", columns, terminal.Width(line), line)
			}
			at := terminal.Width(line[:strings.Index(line, "  "+r.Method+" ")])
			if i == 0 {
				method = at
			}
			if at != method {
				t.Errorf("%d columns: method of %q stands at %d, want %d", columns, line, at, method)
			}
			if got := column(line, "/dev"); columns > 0 && got != path[columns] {
				t.Errorf("%d columns: path of %q stands at %d, want %d", columns, line, got, path[columns])
			}
		}
	}
}

// column is where a text begins, in columns of a terminal; -1: nowhere.
func column(line, text string) int {
	i := strings.Index(line, text)
	if i < 0 {
		return -1
	}
	return terminal.Width(line[:i])
}

func TestRequestLines(t *testing.T) {
	wide := journal{terminal: terminal.Terminal{}.WithColumns(120)}
	plain := journal{}
	tests := map[string]struct{ got, want string }{
		"let in": {wide.request(records[0]),
			"12:00:00.042  200  GET       22.95ms  caller                vpce        /dev/movie_list"},
		"a claim that was refused, with the type and the message's first line": {wide.request(records[2]),
			"12:00:00.042  403  OPTIONS  999.99ms  reader?               other_vpce  /dev/x\n" +
				"              └ InvalidSignatureException: The request signature we calculated does not match."},
		"unsigned, with the policy's statement": {plain.request(records[3]),
			"12:00:00.042  403  GET        29.00s  unsigned              public      /dev/기생충\n" +
				"              └ AccessDeniedException: denied by statement 1 (OnlyThroughTheEndpoint) of the resource-based policy"},
		"the reason on a narrow terminal": {journal{terminal: terminal.Terminal{}.WithColumns(60)}.request(records[3]),
			"12:00:00  403  GET      unsigned    public  /dev/기생충\n" +
				"          └ AccessDeniedException: denied by statement 1\n" +
				"            (OnlyThroughTheEndpoint) of the resource-based\n" +
				"            policy"},
		"what would move the cursor": {plain.request(gateway.Record{Time: noon, Status: 403, Method: "GET", Path: "/dev/\x1b[2J", Door: "vpce"}),
			"12:00:00.042  403  GET                unsigned              vpce        /dev/[2J"},
		"STS": {plain.sts(sts.Record{Time: noon, Status: 403, Action: "AssumeRole", Caller: "arn:aws:iam::123456789012:user/anna", Code: "AccessDenied", Message: "User is not authorized"}),
			"12:00:00.042  403  POST               user/anna             sts         AssumeRole\n" +
				"              └ AccessDenied: User is not authorized"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if diff := cmp.Diff(tt.want, tt.got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

// In a file a line is whole, however long: it will be searched.
func TestPlainLinesAreWhole(t *testing.T) {
	line := journal{}.request(records[1])
	for _, want := range []string{records[1].Path, "a-role-with-quite-a-long-name/and-a-session-of-the-same-kind"} {
		if !strings.Contains(line, want) {
			t.Errorf("%q lacks %q", line, want)
		}
	}
}

func TestStatusesHaveTheirColours(t *testing.T) {
	colours := terminal.Of(nil, func(name string) string { return map[string]string{"FORCE_COLOR": "1"}[name] })
	j := journal{terminal: colours}
	const red, green, yellow, cyan = "\x1b[31m", "\x1b[32m", "\x1b[33m", "\x1b[36m" // ECMA-48, SGR 30 to 37
	tests := map[string]struct {
		record gateway.Record
		want   string
	}{
		"answered":               {gateway.Record{Status: 200}, green + "200"},
		"not modified":           {gateway.Record{Status: 304}, cyan + "304"},
		"the function refuses":   {gateway.Record{Status: 403}, yellow + "403"},
		"the gateway refuses":    {gateway.Record{Status: 403, Message: "Forbidden"}, red + "403"},
		"the function is broken": {gateway.Record{Status: 502}, red + "502"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := j.request(tt.record); !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q in it", got, tt.want)
			}
		})
	}
}

func TestFunctionLines(t *testing.T) {
	named := map[string]string{"local-Movies": "Movies"}
	var known secrets.Set
	known.Add("a/token+of=someone")
	plain, person := journal{named: named}, journal{named: named, terminal: terminal.Terminal{}.WithColumns(70)}
	const metrics = `{"time":"2026-11-23T12:00:00Z","level":"INFO","msg":"request","caller":"arn:aws:sts::123456789012:assumed-role/r/s","status":200,"_aws":{"Timestamp":1}}`
	tests := map[string]struct {
		journal journal
		line    lambdahost.LogLine
		want    string // empty: not shown
	}{
		"JSON in a file, as it is":          {plain, lambdahost.LogLine{Function: "local-Movies", Text: metrics}, "Movies: " + metrics},
		"JSON for a person, long ones last": {person, lambdahost.LogLine{Function: "local-Movies", Text: metrics}, "Movies  INFO request status=200 caller=arn:aws:sts::123456789012:assu…"},
		"an error, whole": {person, lambdahost.LogLine{Function: "local-Movies", Text: `{"level":"error","message":"cannot read the table","table":"a table with a name that is quite long","tries":[1, 2]}`},
			`Movies  ERROR cannot read the table tries=[1, 2] table="a table with a name that is quite long"`},
		"text":               {person, lambdahost.LogLine{Function: "f", Text: "{ no JSON"}, "f: { no JSON"},
		"an array":           {person, lambdahost.LogLine{Function: "f", Text: "[1]"}, "f: [1]"},
		"escapes in JSON":    {person, lambdahost.LogLine{Function: "f", Text: `{"msg":"\u001b[2Jgone"}`}, "f  [2Jgone"},
		"Lambda's own lines": {plain, lambdahost.LogLine{Function: "f", Text: "REPORT RequestId: x", Host: true}, ""},
		"a token":            {journal{secrets: &known}, lambdahost.LogLine{Function: "f", Text: "panic: AWS_SESSION_TOKEN=a/token+of=someone!"}, "f: panic: AWS_SESSION_TOKEN=[redacted]!"},
		"a function's own":   {plain, lambdahost.LogLine{Function: "f", Text: "REPORT of today"}, "f: REPORT of today"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got, show := tt.journal.function(tt.line)
			if got != tt.want || show != (tt.want != "") {
				t.Errorf("got %q, shown: %v; want %q", got, show, tt.want)
			}
		})
	}
}
