package review_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/review"
	"github.com/marquee-api/marquee/internal/stack"
)

var now = time.Date(2026, 3, 4, 5, 6, 7, 0, time.UTC)

// check reviews a template and gives "MQ101:12" for each finding.
func check(t *testing.T, path string, o review.Options) []string {
	t.Helper()
	found := findings(t, path, o)
	out := []string{}
	for _, f := range found {
		out = append(out, fmt.Sprintf("%s:%d", f.Rule.ID, f.Line))
	}
	return out
}

func findings(t *testing.T, path string, o review.Options) []review.Finding {
	t.Helper()
	in, err := stack.Inspect(path, stack.Options{Region: "eu-central-1"})
	if err != nil {
		t.Fatal(err)
	}
	o.Now, o.ReadFile = now, os.ReadFile
	found, err := review.Check(in, o)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// arrow marks the line where a finding is expected.
var arrow = regexp.MustCompile(`# <- (MQ[0-9]{3})$`)

func expected(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if config, err := os.ReadFile(strings.TrimSuffix(path, ".yaml") + ".toml"); err == nil {
		text = append(config, text...)
	}
	var want []string
	for i, line := range strings.Split(string(text), "\n") {
		if m := arrow.FindStringSubmatch(line); m != nil {
			want = append(want, fmt.Sprintf("%s:%d", m[1], i+1))
		}
	}
	return want
}

// Each broken template has one defect, and a review finds that one, on its line, and nothing else.
func TestBroken(t *testing.T) {
	paths, err := filepath.Glob("testdata/MQ*.yaml")
	if err != nil || len(paths) < 30 {
		t.Fatalf("got %d broken templates, %v", len(paths), err)
	}
	proven := map[string]bool{}
	for _, path := range paths {
		id, _, _ := strings.Cut(filepath.Base(path), "-")
		proven[id] = true
		t.Run(filepath.Base(path), func(t *testing.T) {
			want := expected(t, path)
			if len(want) == 0 || !strings.HasPrefix(want[0], id+":") {
				t.Fatalf("the file expects %v, and is named after %s", want, id)
			}
			o := review.Options{}
			if config := strings.TrimSuffix(path, ".yaml") + ".toml"; exists(config) {
				o.Config = config
			}
			if diff := cmp.Diff(want, check(t, path, o)); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
				for _, f := range findings(t, path, o) {
					t.Log(f.Position, f.Rule.ID, f.Resource, f.Message)
				}
			}
		})
	}
	for _, rule := range review.Rules() {
		if !proven[rule.ID] {
			t.Errorf("%s (%s) has no broken template", rule.ID, rule.Name)
		}
	}
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// The small template is clean, and so is the project's own: with its defaults, as production and with every option on.
func TestGood(t *testing.T) {
	const own = "../../template.yaml"
	options := map[string]string{}
	text, err := os.ReadFile("../../scripts/all-options")
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(text)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), "="); ok && !strings.HasPrefix(name, "#") {
			options[name] = value
		}
	}
	if len(options) < 10 {
		t.Fatalf("got %d options of the template", len(options))
	}
	production, err := stack.LoadConfig("../../samconfig.toml", "prod")
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		path       string
		parameters map[string]string
	}{
		"the small one": {"testdata/good.yaml", nil}, "our own": {own, nil}, "in production": {own, production.Parameters}, "every option": {own, options},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in, err := stack.Inspect(tt.path, stack.Options{Region: "eu-central-1", Parameters: tt.parameters})
			if err != nil {
				t.Fatal(err)
			}
			found, err := review.Check(in, review.Options{Now: now, ReadFile: os.ReadFile, Config: "../../samconfig.toml"})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range found {
				t.Errorf("%s: %s %s: %s", f.Position, f.Rule.ID, f.Resource, f.Message)
			}
		})
	}
}

func TestRulesAreWhole(t *testing.T) {
	ids, names := map[string]bool{}, map[string]bool{}
	for _, r := range review.Rules() {
		if ids[r.ID] || names[r.Name] || !regexp.MustCompile(`^MQ[0-6][0-9]{2}$`).MatchString(r.ID) {
			t.Errorf("%s %s: an id or name that is not new, or has not the form of one", r.ID, r.Name)
		}
		ids[r.ID], names[r.Name] = true, true
		if r.Title == "" || r.Why == "" || r.Fix == "" || strings.HasSuffix(r.Title, ".") || !strings.HasSuffix(r.Why, ".") || !strings.HasSuffix(r.Fix, ".") || r.Severity.String() == "" {
			t.Errorf("%s: a rule has a title without a full stop, a reason, a remedy and a severity", r.ID)
		}
	}
}

// Rules are chosen and left out by id; an id that is none is an error, since a gate that checks nothing would pass.
func TestChoice(t *testing.T) {
	const path = "testdata/MQ106-sam-default.yaml"
	if got := check(t, path, review.Options{Rules: []string{"MQ106"}}); len(got) != 1 {
		t.Errorf("MQ106 alone: got %v", got)
	}
	if got := check(t, path, review.Options{Rules: []string{"MQ601"}}); len(got) != 0 {
		t.Errorf("another rule alone: got %v", got)
	}
	if got := check(t, path, review.Options{Skip: []string{"MQ106"}}); len(got) != 0 {
		t.Errorf("without MQ106: got %v", got)
	}
	in, err := stack.Inspect(path, stack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	for _, o := range []review.Options{{Rules: []string{"MQ999"}}, {Skip: []string{"mq106"}}} {
		if _, err := review.Check(in, o); err == nil {
			t.Errorf("%v: want an error", o)
		}
	}
}

// A suppression with a reason hides the findings of its rule on its resource, or everywhere from the template's Metadata.
func TestSuppressions(t *testing.T) {
	good, err := os.ReadFile("testdata/good.yaml")
	if err != nil {
		t.Fatal(err)
	}
	broken := strings.ReplaceAll(string(good), "      RetentionInDays: 30\n", "      Tags: []\n")
	const mark = "    Type: AWS::Logs::LogGroup\n"
	skip := "Metadata: {Marquee: {Skip: [{Rule: MQ507, Reason: the archive takes them over}]}}\n"
	tests := map[string]struct {
		text string
		want string // ids
	}{
		"nowhere":           {broken, "MQ507 MQ507 MQ507"},
		"on one resource":   {strings.Replace(broken, mark, mark+"    "+skip, 1), "MQ507 MQ507"},
		"on all":            {skip + broken, ""},
		"of another rule":   {strings.Replace(broken, mark, mark+"    "+strings.Replace(skip, "507", "508", 1), 1), "MQ002 MQ507 MQ507 MQ507"},
		"of no rule at all": {strings.Replace(broken, mark, mark+"    "+strings.Replace(skip, "507", "999", 1), 1), "MQ002 MQ507 MQ507 MQ507"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			dir := t.TempDir()
			if err := os.CopyFS(dir, os.DirFS("testdata")); err != nil {
				t.Fatal(err)
			}
			path := filepath.Join(dir, "template.yaml")
			if err := os.WriteFile(path, []byte(tt.text), 0o600); err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, f := range findings(t, path, review.Options{}) {
				got = append(got, f.Rule.ID)
			}
			slices.Sort(got)
			if strings.Join(got, " ") != tt.want {
				t.Errorf("got %v, want %s", got, tt.want)
			}
		})
	}
}

// The API that SAM makes of events and Globals is reviewed as one that is written out.
func TestImplicitAPI(t *testing.T) {
	const text = `Transform: AWS::Serverless-2016-10-31
Globals:
  Api:
    EndpointConfiguration: {Type: REGIONAL}
    Auth: {DefaultAuthorizer: AWS_IAM}
Resources:
  F:
    Type: AWS::Serverless::Function
    Properties: {Runtime: provided.al2023, CodeUri: f, Events: {E: {Type: Api, Properties: {Path: /, Method: get}}}}
`
	in, err := stack.InspectText("t.yaml", []byte(text), stack.Options{})
	if err != nil {
		t.Fatal(err)
	}
	found, err := review.Check(in, review.Options{Now: now})
	if err != nil {
		t.Fatal(err)
	}
	got := []string{}
	for _, f := range found {
		if f.Resource == "ServerlessRestApi" {
			got = append(got, fmt.Sprintf("%s:%d", f.Rule.ID, f.Line))
		}
	}
	want := []string{"MQ106:5", "MQ113:7", "MQ401:7", "MQ403:7", "MQ405:7", "MQ409:7"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// Templates of plain CloudFormation are reviewed, too: methods, stages and policies of their own.
func TestPlainCloudFormation(t *testing.T) {
	found := findings(t, "testdata/plain.yaml", review.Options{})
	got := []string{}
	for _, f := range found {
		got = append(got, fmt.Sprintf("%s:%d", f.Rule.ID, f.Line))
	}
	if diff := cmp.Diff(expected(t, "testdata/plain.yaml"), got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
		for _, f := range found {
			t.Log(f.Position, f.Rule.ID, f.Resource, f.Message)
		}
	}
}

// circular is a template in which nothing is circular yet.
const circular = `Transform: AWS::Serverless-2016-10-31
Conditions: {Never: !Equals [a, b]}
Resources:
  Api:
    Type: AWS::Serverless::Api
    Properties: {StageName: dev, OpenApiVersion: 3.0.1, Auth: {DefaultAuthorizer: AWS_IAM, InvokeRole: NONE}, AccessLogSetting: {DestinationArn: !GetAtt Logs.Arn}}
  Logs:
    Type: AWS::Logs::LogGroup
    Properties: {LogGroupName: !Sub "/api/${Api}", RetentionInDays: 7}
  Alarm:
    Type: AWS::CloudWatch::Alarm
    Properties: {Dimensions: [{Name: FunctionName, Value: !Ref F}]}
  F:
    Type: AWS::Serverless::Function
    Properties:
      Runtime: provided.al2023
      CodeUri: f
      AutoPublishAlias: live
      DeploymentPreference: {Type: AllAtOnce, Alarms: [!Ref Alarm]}
      Events: {E: {Type: Api, Properties: {RestApiId: !Ref Api, Path: /, Method: get}}}
`

// A circle is one of the resources that SAM makes, not of those that are written: the stage's log may name the API, and a
// function's alarm the function.
func TestCircles(t *testing.T) {
	tests := map[string]struct {
		more string
		want string
	}{
		"none":                        {"", ""},
		"the function names its API":  {"      Environment: {Variables: {URL: !Sub \"https://${Api}.example\"}}\n", "Api -> F -> Api"},
		"its role does":               {"      Policies: [{Statement: {Effect: Allow, Action: execute-api:Invoke, Resource: !Sub \"arn:aws:execute-api:*:*:${Api}/dev/GET/\"}}]\n", "Api -> F -> FRole -> Api"},
		"not if the condition is not": {"      Environment: {Variables: {URL: !If [Never, !Ref Api, x]}}\n", ""},
		"by DependsOn":                {"  T: {Type: AWS::SNS::Topic, DependsOn: [U]}\n  U: {Type: AWS::SNS::Topic, Properties: {TopicName: !GetAtt T.TopicName}}\n", "T -> U -> T"},
		"with itself":                 {"  T: {Type: AWS::SNS::Topic, Properties: {TopicName: !Ref T}}\n", "T -> T"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in, err := stack.InspectText("t.yaml", []byte(circular+tt.more), stack.Options{})
			if err != nil {
				t.Fatal(err)
			}
			found, err := review.Check(in, review.Options{Now: now, Rules: []string{"MQ004"}})
			if err != nil {
				t.Fatal(err)
			}
			got := ""
			for _, f := range found {
				got += f.Message
			}
			if got != tt.want {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
