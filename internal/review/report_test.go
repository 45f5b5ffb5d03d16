package review_test

import (
	"bytes"
	"encoding/json"
	"net/url"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/review"
	"github.com/marquee-api/marquee/internal/terminal"
)

func report(t *testing.T, path, format string) string {
	t.Helper()
	r := review.Report{Template: path, Findings: findings(t, path, review.Options{}), Version: "v1.2.3"}
	var out bytes.Buffer
	if err := r.Write(&out, format); err != nil {
		t.Fatal(err)
	}
	return out.String()
}

const slow = "testdata/MQ411-slow-function.yaml"

func TestText(t *testing.T) {
	const want = `testdata/MQ411-slow-function.yaml:56: warning MQ411: A function behind the API may run longer than API Gateway waits
    Server: 1m0s, and API Gateway waits 29s
    why: The caller gets a 504, after 29 seconds by default, and tries again while the function goes on with the first attempt.
    fix: Set the function's Timeout to what API Gateway waits, or less.

testdata/MQ411-slow-function.yaml: 1 warning
`
	if diff := cmp.Diff(want, report(t, slow, "text")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// On a terminal, lines are as wide as it is.
func TestTextOnATerminal(t *testing.T) {
	r := review.Report{Template: slow, Findings: findings(t, slow, review.Options{}), Terminal: terminal.Terminal{}.WithColumns(60)}
	var out bytes.Buffer
	if err := r.Write(&out, "text"); err != nil {
		t.Fatal(err)
	}
	lines := strings.Split(out.String(), "\n")
	for _, line := range lines[1:] { // the first is for tools that jump to a line
		if len(line) > 60 {
			t.Errorf("%d columns: %s", len(line), line)
		}
	}
	if !strings.Contains(out.String(), "    why: The caller gets a 504, after 29 seconds by default,\n         and tries again") {
		t.Errorf("got\n%s\nwant the reason below itself", out.String())
	}
}

// The commands are those of "Workflow commands for GitHub Actions", with its escapes: a comma ends a property.
func TestGitHub(t *testing.T) {
	const want = "::warning file=testdata/MQ411-slow-function.yaml,line=56,title=MQ411 A function behind the API may run longer than API Gateway waits" +
		"::Server: 1m0s, and API Gateway waits 29s%0ASet the function's Timeout to what API Gateway waits, or less.\n"
	if diff := cmp.Diff(want, report(t, slow, "github")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := report(t, "testdata/MQ108-allow-only.yaml", "github"); !strings.Contains(got, "title=MQ108 The resource policy only allows%2C so it") {
		t.Errorf("got %s, want the comma of a property escaped", got)
	}
	if got := report(t, "testdata/MQ504-no-reserved-concurrency.yaml", "github"); !strings.HasPrefix(got, "::notice ") {
		t.Errorf("got %s, want a notice", got)
	}
}

func TestJSON(t *testing.T) {
	var got struct {
		Template string           `json:"template"`
		Findings []map[string]any `json:"findings"`
	}
	if err := json.Unmarshal([]byte(report(t, slow, "json")), &got); err != nil {
		t.Fatal(err)
	}
	want := map[string]any{
		"rule": "MQ411", "name": "longer-than-the-api", "severity": "warning", "file": slow, "line": 56.0, "resource": "Server",
		"message": "1m0s, and API Gateway waits 29s", "title": "A function behind the API may run longer than API Gateway waits",
		"why": "The caller gets a 504, after 29 seconds by default, and tries again while the function goes on with the first attempt.",
		"fix": "Set the function's Timeout to what API Gateway waits, or less.",
	}
	if diff := cmp.Diff([]map[string]any{want}, got.Findings); diff != "" || got.Template != slow {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if clean := report(t, "testdata/good.yaml", "json"); !strings.Contains(clean, `"findings": []`) {
		t.Errorf("got %s, want an empty list", clean)
	}
}

// sarifLog are the parts of a log that are looked at.
type sarifLog struct {
	Schema  string `json:"$schema"`
	Version string
	Runs    []struct {
		Tool struct {
			Driver struct {
				Name, Version string
				Rules         []struct {
					ID                   string
					ShortDescription     struct{ Text string }
					DefaultConfiguration struct{ Level string }
				}
			}
		}
		Results []struct {
			RuleID    string
			RuleIndex *int
			Level     string
			Message   struct{ Text string }
			Locations []struct {
				PhysicalLocation struct {
					ArtifactLocation struct{ URI string }
					Region           struct{ StartLine int }
				}
			}
		}
	}
}

// What SARIF 2.1.0 asks of a log (sections 3.13 to 3.29 and 3.49), and readers rely on.
func TestSARIF(t *testing.T) {
	for _, path := range []string{slow, "testdata/MQ410-not-permitted.yaml", "testdata/good.yaml"} {
		var log sarifLog
		if err := json.Unmarshal([]byte(report(t, path, "sarif")), &log); err != nil {
			t.Fatal(err)
		}
		if log.Version != "2.1.0" || !strings.HasSuffix(log.Schema, "sarif-schema-2.1.0.json") || len(log.Runs) != 1 {
			t.Fatalf("%s: got version %q, schema %q, %d runs", path, log.Version, log.Schema, len(log.Runs))
		}
		run := log.Runs[0]
		rules := run.Tool.Driver.Rules
		if run.Tool.Driver.Name == "" || run.Tool.Driver.Version != "v1.2.3" || len(rules) != len(review.Rules()) || run.Results == nil {
			t.Errorf("%s: got the driver %q %q with %d rules", path, run.Tool.Driver.Name, run.Tool.Driver.Version, len(rules))
		}
		levels := []string{"none", "note", "warning", "error"}
		for _, r := range rules {
			if r.ShortDescription.Text == "" || !slices.Contains(levels, r.DefaultConfiguration.Level) {
				t.Errorf("%s: got the rule %+v", path, r)
			}
		}
		if want := len(expected(t, path)); len(run.Results) != want {
			t.Errorf("%s: got %d results, want %d", path, len(run.Results), want)
		}
		for _, result := range run.Results {
			at := result.Locations[0].PhysicalLocation
			u, err := url.Parse(at.ArtifactLocation.URI)
			if result.RuleIndex == nil || rules[*result.RuleIndex].ID != result.RuleID || !slices.Contains(levels, result.Level) || result.Message.Text == "" ||
				err != nil || u.Scheme != "" || u.Path != path || at.Region.StartLine < 1 {
				t.Errorf("%s: got %+v", path, result)
			}
		}
	}
}

func TestUnknownFormat(t *testing.T) {
	if err := (&review.Report{}).Write(&bytes.Buffer{}, "xml"); err == nil {
		t.Error("want an error for a format that there is not")
	}
}

// The documentation lists the rules as the program does.
func TestDocumentation(t *testing.T) {
	page, err := os.ReadFile("../../docs/checking.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "<!-- rules: written by marquee check --list-rules --format markdown -->\n\n")
	got, _, ok := strings.Cut(rest, "\n<!-- end of rules -->")
	var want bytes.Buffer
	if err := review.WriteMarkdown(&want); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(want.String(), got); diff != "" || !ok {
		t.Errorf("docs/checking.md is not what the program says (-want +got):\n%s", diff)
	}
}
