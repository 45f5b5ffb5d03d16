package docscheck_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

// blockTime bounds one block, startTime the start of the stack with everything that it may have to fetch and build.
const (
	blockTime = 3 * time.Minute
	startTime = 10 * time.Minute
)

// The documents' commands work: against one stack, in the documents' order.
func TestWhatTheDocumentsShow(t *testing.T) {
	needDynamoDB(t)
	bash, err := exec.LookPath("bash")
	if err != nil {
		missing(t, "bash")
	}
	s := startStack(t)
	for _, path := range documents(t) {
		for _, b := range blocksOf(path, read(t, path)) {
			run, shows, err := b.runs()
			if err != nil || !run {
				continue // TestEveryBlockIsMarked tells the error
			}
			t.Run(strings.ReplaceAll(b.place, "/", "_"), func(t *testing.T) { s.run(t, bash, b, shows) })
		}
	}
}

// needDynamoDB skips where DynamoDB Local cannot be started, unless MARQUEE_REQUIRE asks for it.
func needDynamoDB(t *testing.T) {
	t.Helper()
	for _, tool := range []string{"java", "mvn"} {
		if _, err := exec.LookPath(tool); err != nil && os.Getenv("MARQUEE_DYNAMODB_URL") == "" {
			missing(t, tool)
		}
	}
}

func missing(t *testing.T, tool string) {
	t.Helper()
	if os.Getenv("MARQUEE_REQUIRE") != "" {
		t.Fatalf("%s is missing, and MARQUEE_REQUIRE asks for what tests need", tool)
	}
	t.Skipf("%s is missing", tool)
}

// stack is a local stack in a copy of the module.
type stack struct {
	dir   string
	ports *strings.Replacer
}

func startStack(t *testing.T) *stack {
	t.Helper()
	s := &stack{dir: t.TempDir()}
	if err := copyTree(root, s.dir); err != nil {
		t.Fatal(err)
	}
	build := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", "bin/marquee", "./cmd/marquee")
	build.Dir = s.dir
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	var output bytes.Buffer
	local := exec.Command(filepath.Join(s.dir, "bin", "marquee"), "local", "--port", "0")
	local.Dir, local.Stdout, local.Stderr = s.dir, &output, &output
	if err := local.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- local.Wait() }()
	t.Cleanup(func() {
		_ = local.Process.Signal(os.Interrupt)
		if err := <-ended; err != nil {
			t.Errorf("marquee local: %v", err)
		}
		if t.Failed() {
			t.Logf("marquee local printed:\n%s", output.String())
		}
	})
	s.ports = s.await(t, ended)
	return s
}

// await waits for the state file, and knows then which port stands for which of the usual ones.
func (s *stack) await(t *testing.T, ended chan error) *strings.Replacer {
	t.Helper()
	deadline, tick := time.After(startTime), time.NewTicker(20*time.Millisecond)
	defer tick.Stop()
	for {
		select {
		case err := <-ended:
			ended <- err
			t.Fatalf("marquee local ended: %v", err)
		case <-deadline:
			t.Fatalf("no stack within %v", startTime)
		case <-tick.C:
		}
		text, err := os.ReadFile(filepath.Join(s.dir, ".marquee", "local.json"))
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			t.Fatal(err)
		}
		return ports(t, text)
	}
}

// ports puts the stack's ports in the place of those that documents name: 8080 and the six after it.
func ports(t *testing.T, state []byte) *strings.Replacer {
	t.Helper()
	var s struct {
		Endpoints map[string]struct{ URL string }
		LambdaURL string `json:"lambda_url"`
		Console   string `json:"console_url"`
		DynamoDB  string `json:"dynamodb_url"`
		STS       string `json:"sts_url"`
	}
	if err := json.Unmarshal(state, &s); err != nil {
		t.Fatal(err)
	}
	var pairs []string
	for i, url := range []string{s.Endpoints["vpce"].URL, s.Endpoints["other_vpce"].URL, s.Endpoints["public"].URL, s.LambdaURL, s.Console, s.DynamoDB, s.STS} {
		if url == "" {
			t.Fatalf("the state file names no URL for port %d", 8080+i)
		}
		port := url[strings.LastIndex(strings.TrimSuffix(url, "/"), ":"):]
		pairs = append(pairs, fmt.Sprintf("127.0.0.1:%d", 8080+i), "127.0.0.1"+strings.TrimSuffix(port, "/"))
	}
	return strings.NewReplacer(pairs...)
}

// skippedFolders are what a copy does without: history, and what was built.
var skippedFolders = []string{".git", "bin", "dist", ".marquee", ".aws-sam", "node_modules"}

func copyTree(from, to string) error {
	return filepath.WalkDir(from, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(from, path)
		if err != nil {
			return err
		}
		if d.IsDir() {
			if slices.Contains(skippedFolders, d.Name()) {
				return fs.SkipDir
			}
			return os.MkdirAll(filepath.Join(to, name), 0o755)
		}
		info, err := d.Info()
		if err != nil || !info.Mode().IsRegular() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(to, name), data, info.Mode().Perm())
	})
}

// run runs the steps of a block in one shell, so that variables stay, and judges each.
func (s *stack) run(t *testing.T, bash string, b block, shows []string) {
	s.needPrograms(t, b)
	steps, err := b.steps()
	if err != nil {
		t.Fatal(err)
	}
	results := t.TempDir()
	var script strings.Builder
	for i, step := range steps {
		fmt.Fprintf(&script, "{ %s\n} >'%s/%d.out' 2>&1\necho $? >'%s/%d.status'\n", s.ports.Replace(step.command), results, i, results, i)
	}
	ctx, cancel := context.WithTimeout(t.Context(), blockTime)
	defer cancel()
	cmd := exec.CommandContext(ctx, bash, "-c", script.String())
	cmd.Dir = s.dir
	cmd.Env = append(os.Environ(), "PATH="+filepath.Join(s.dir, "bin")+string(filepath.ListSeparator)+os.Getenv("PATH"), "NO_COLOR=1")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s: the block did not come to its end: %v\n%s", b.place, err, out)
	}
	var all strings.Builder
	for i, step := range steps {
		out, err := os.ReadFile(filepath.Join(results, strconv.Itoa(i)+".out"))
		if err != nil {
			t.Fatal(err)
		}
		all.Write(out)
		status, err := os.ReadFile(filepath.Join(results, strconv.Itoa(i)+".status"))
		if err != nil {
			t.Fatal(err)
		}
		if got := strings.TrimSpace(string(status)); got != strconv.Itoa(step.status) {
			t.Errorf("%s: exit status %s, want %d, of\n  %s\n%s", b.place, got, step.status, step.command, out)
		}
		if line, ok := firstMissing(string(out), step.shows); !ok {
			t.Errorf("%s: the output lacks, or has out of order, %q, of\n  %s\n%s", b.place, line, step.command, out)
		}
	}
	for _, text := range shows {
		if !strings.Contains(all.String(), text) {
			t.Errorf("%s: the output lacks %q:\n%s", b.place, text, all.String())
		}
	}
}

// firstMissing is the first of the lines that does not come after the one before it. "…" stands for anything.
func firstMissing(output string, lines []string) (string, bool) {
	for _, line := range lines {
		parts := strings.Split(strings.TrimSpace(line), "…")
		for i := range parts {
			parts[i] = regexp.QuoteMeta(parts[i])
		}
		found := regexp.MustCompile(strings.Join(parts, ".*")).FindStringIndex(output)
		if found == nil {
			return line, false
		}
		output = output[found[1]:]
	}
	return "", true
}

// needPrograms skips a block whose programs are not on this machine, unless MARQUEE_REQUIRE is set.
func (s *stack) needPrograms(t *testing.T, b block) {
	t.Helper()
	names, err := b.programs()
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		if name == "" || strings.Contains(name, "/") || name == "marquee" {
			continue
		}
		if err := exec.CommandContext(t.Context(), "bash", "-c", "type "+name).Run(); err != nil {
			missing(t, name)
		}
	}
}

func TestFirstMissing(t *testing.T) {
	const output = "one two\nthree (4.5)\n"
	tests := map[string]struct {
		lines   []string
		missing string
	}{
		"all, in order":    {[]string{"one", "three (4.5)"}, ""},
		"something beside": {[]string{"o…two", "(…)"}, ""},
		"out of order":     {[]string{"three", "one"}, "one"},
		"not there":        {[]string{"one", "four"}, "four"},
		"over a line":      {[]string{"one…three"}, "one…three"},
		"nothing wanted":   {nil, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got, ok := firstMissing(output, tt.lines); got != tt.missing || ok != (tt.missing == "") {
				t.Errorf("got %q, %v, want %q", got, ok, tt.missing)
			}
		})
	}
}
