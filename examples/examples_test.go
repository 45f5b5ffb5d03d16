package examples_test

import (
	"bytes"
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// example is a folder with a program that lists, reads, writes and deletes movies.
type example struct {
	name     string
	manifest string   // what scripts/foreign-clients installs; empty if it installs nothing
	command  []string // as its README has it; "go run ." is built first, "python" is the one with the packages
	prints   []string // besides "deleted it", which is the last thing in each
	refused  refusedRun
}

// refusedRun is what differs when the caller has no right.
type refusedRun struct {
	args   []string
	status int
}

var (
	// What data/movies.jsonl has of one director, and of one movie.
	printed = []string{
		"2001 Y tu mamá también\n", "2006 Children of Men\n", "2013 Gravity\n", "2018 Roma\n",
		"Face/Off (1997) was directed by John Woo\n", "wrote Café / Bar, take ", "deleted it\n",
	}
	// curl prints the answers as they come.
	answers = []string{
		`{"year":2001,"title":"Y tu mamá también","info":{"rating":4.7}}`, `{"year":2018,"title":"Roma","info":{"rating":8.8}}`,
		`"title":"Alien"`, `"Ridley Scott"`, `{"year":2026,"title":"Take-`, "deleted it\n",
	}
	exit4 = refusedRun{status: 4}
)

var programs = []example{
	{name: "java-sdk", manifest: "pom.xml", command: []string{"mvn", "--quiet", "compile", "exec:java"}, prints: printed, refused: exit4},
	{name: "postman", manifest: "package-lock.json", command: []string{"node", "run.js"}, prints: printed, refused: refusedRun{args: []string{"Refused"}}},
	{name: "node-api-gateway-client", manifest: "package-lock.json", command: []string{"node", "movies.js"}, prints: printed, refused: exit4},
	{name: "node-aws4", manifest: "package-lock.json", command: []string{"node", "movies.js"}, prints: printed, refused: exit4},
	{name: "python-botocore", manifest: "requirements.txt", command: []string{"python", "movies.py"}, prints: printed, refused: exit4},
	{name: "python-requests", manifest: "requirements.txt", command: []string{"python", "movies.py"}, prints: printed, refused: exit4},
	{name: "go-apiclient", command: []string{"go", "run", "."}, prints: printed, refused: exit4},
	{name: "go-sdk-signer", command: []string{"go", "run", "."}, prints: printed, refused: exit4},
	{name: "curl", command: []string{"./movies.sh"}, prints: answers, refused: exit4},
}

// elsewhere are the examples that tests of other packages read or run.
var elsewhere = []string{"caller-stack", "public-api", "sidecar"}

func TestExamples(t *testing.T) {
	if missing := missingForStack(); missing != "" {
		skipUnlessRequired(t, missing)
	}
	s := startStack(t)
	t.Run("programs", func(t *testing.T) {
		for _, e := range programs {
			t.Run(e.name, func(t *testing.T) {
				t.Parallel()
				e.test(t, s)
			})
		}
		t.Run("retries", func(t *testing.T) { t.Parallel(); testRetries(t, s) })
		t.Run("header in place of host", func(t *testing.T) { t.Parallel(); testAPIHeader(t, s) })
		t.Run("clock", func(t *testing.T) { t.Parallel(); testClock(t, s) })
		t.Run("curl with keys in the environment", func(t *testing.T) { t.Parallel(); testCurlKeys(t, s) })
	})
	left, err := exec.CommandContext(t.Context(), s.marquee, "call", "/movie_list", "-q", "year=2026", "--profile", "reader",
		"--state", filepath.Join(s.folder, ".marquee", "local.json")).CombinedOutput()
	if err != nil || !strings.Contains(string(left), `"Count":0`) {
		t.Errorf("what the examples wrote is still there: %s %v", left, err)
	}
}

// test runs a program as a caller with rights, through the VPC endpoint's own name, and as a caller without rights.
func (e example) test(t *testing.T, s *stack) {
	run := e.install(t)
	wrote := func(r result) {
		t.Helper()
		r.wantStatus(t, 0)
		r.wantInOrder(t, e.prints)
	}
	wrote(run(s.as("writer")))
	wrote(run(append(s.as("writer"), s.throughEndpoint(s.APIID)...)))

	// Whoever dials the endpoint without naming the API would be let in there all the same.
	other := run(append(s.as("writer"), s.throughEndpoint("zzzzzzzzzz")...))
	if other.status == 0 || !strings.Contains(other.stdout+other.stderr, "403") {
		t.Errorf("got exit status %d for another API's name, want a 403\n%s%s", other.status, other.stdout, other.stderr)
	}

	r := run(s.as("stranger"), e.refused.args...)
	r.wantStatus(t, e.refused.status)
	r.wantRefusal(t, "AccessDeniedException", "User: arn:aws:sts::123456789012:assumed-role/marquee-stranger/stranger is not authorized to perform: "+
		"execute-api:Invoke on resource: arn:aws:execute-api:ap-northeast-2:********9012:"+s.APIID+"/dev/GET/movie_list because no identity-based policy allows")
}

// install copies the example to where it may write, beside what scripts/foreign-clients installed for it, and returns a function
// that runs it.
func (e example) install(t *testing.T) func(env []string, args ...string) result {
	t.Helper()
	folder := t.TempDir()
	if err := os.CopyFS(folder, os.DirFS(e.name)); err != nil {
		t.Fatal(err)
	}
	command := slices.Clone(e.command)
	switch {
	case command[0] == "go":
		command = []string{goBuild(t, "./"+e.name)}
	case command[0] == "python":
		command[0] = filepath.Join(clients(t), "venv", "bin", "python")
	}
	if e.manifest != "" {
		e.link(t, folder)
	}
	if _, err := exec.LookPath(filepath.Base(command[0])); err != nil && !strings.Contains(command[0], "/") {
		skipUnlessRequired(t, command[0])
	}
	return func(env []string, args ...string) result {
		t.Helper()
		return start(t, folder, append(slices.Clone(command), args...), env)
	}
}

// link makes what was installed visible, after a look at whether it is what the example asks for.
func (e example) link(t *testing.T, folder string) {
	t.Helper()
	installed := filepath.Join(clients(t), "examples", e.name)
	got, err := os.ReadFile(filepath.Join(installed, e.manifest))
	if errors.Is(err, os.ErrNotExist) {
		skipUnlessRequired(t, "what examples/"+e.name+" needs (scripts/foreign-clients FOLDER)")
	}
	want, wantErr := os.ReadFile(filepath.Join(folder, e.manifest))
	if err := errors.Join(err, wantErr); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Fatalf("%s was installed by another %s: run scripts/foreign-clients again", installed, e.manifest)
	}
	if e.manifest == "package-lock.json" {
		modules := filepath.Join(folder, "node_modules")
		if err := os.RemoveAll(modules); err != nil { // of somebody who installed them in the source tree
			t.Fatal(err)
		}
		if err := os.Symlink(filepath.Join(installed, "node_modules"), modules); err != nil {
			t.Fatal(err)
		}
	}
}

// result is what a program said, and how it ended.
type result struct {
	stdout, stderr string
	status         int
}

func start(t *testing.T, folder string, command, env []string) result {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 2*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, command[0], command[1:]...)
	cmd.Dir = folder
	cmd.Env = environment(env...)
	var stdout, stderr bytes.Buffer
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	cmd.WaitDelay = 5 * time.Second
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatalf("%s: %v", strings.Join(command, " "), err)
	}
	return result{stdout: stdout.String(), stderr: stderr.String(), status: cmd.ProcessState.ExitCode()}
}

func (r result) wantStatus(t *testing.T, want int) {
	t.Helper()
	if r.status != want {
		t.Fatalf("got exit status %d, want %d\n%s%s", r.status, want, r.stdout, r.stderr)
	}
}

func (r result) wantInOrder(t *testing.T, lines []string) {
	t.Helper()
	rest := r.stdout
	for _, line := range lines {
		_, after, found := strings.Cut(rest, line)
		if !found {
			t.Fatalf("got no %q where it should be in\n%s%s", line, r.stdout, r.stderr)
		}
		rest = after
	}
}

// wantRefusal looks for API Gateway's error type and its message, the one after the other, and for nothing else that happened.
func (r result) wantRefusal(t *testing.T, kind, message string) {
	t.Helper()
	_, after, found := strings.Cut(r.stdout+r.stderr, kind+": ")
	if !found || !strings.Contains(after, message) {
		t.Errorf("got no %s: %s in\n%s%s", kind, message, r.stdout, r.stderr)
	}
	if strings.Contains(r.stdout, "deleted it") {
		t.Errorf("the program went on after the refusal:\n%s", r.stdout)
	}
}

// clients is where scripts/foreign-clients installed what is not Go.
func clients(t *testing.T) string {
	t.Helper()
	folder := os.Getenv("MARQUEE_CLIENTS")
	if folder == "" {
		skipUnlessRequired(t, "the folder of foreign clients (scripts/foreign-clients FOLDER, then MARQUEE_CLIENTS=FOLDER)")
	}
	return folder
}

// missingForStack says what keeps `marquee local` from starting DynamoDB Local here.
func missingForStack() string {
	if os.Getenv("MARQUEE_DYNAMODB_URL") != "" {
		return ""
	}
	for _, program := range []string{"java", "mvn"} {
		if _, err := exec.LookPath(program); err != nil {
			return program + ", for DynamoDB Local"
		}
	}
	return ""
}

func skipUnlessRequired(t *testing.T, what string) {
	t.Helper()
	if slices.Contains(strings.Split(os.Getenv("MARQUEE_REQUIRE"), ","), "examples") {
		t.Fatalf("%s is missing, and MARQUEE_REQUIRE asks for examples", what)
	}
	t.Skipf("skipped: %s is missing", what)
}
