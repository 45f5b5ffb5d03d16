package examples_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"
)

// startTime is how long a stack may take that has everything to build and DynamoDB Local to fetch.
const startTime = 5 * time.Minute

// stack is a running `marquee local`.
type stack struct {
	marquee string // the program
	folder  string // where it runs
	state
}

// state is what the examples need of the state file.
type state struct {
	Region    string `json:"region"`
	APIID     string `json:"api_id"`
	InvokeURL string `json:"invoke_url"`
	Endpoints struct {
		VPCE struct {
			ID  string `json:"id"`
			URL string `json:"url"`
		} `json:"vpce"`
	} `json:"endpoints"`
}

// startStack runs the program as a person would, with free ports, until the test is over.
func startStack(t *testing.T) *stack {
	t.Helper()
	root, err := filepath.Abs("..")
	if err != nil {
		t.Fatal(err)
	}
	s := &stack{folder: t.TempDir()}
	s.marquee = goBuild(t, "../cmd/marquee")
	cmd := exec.CommandContext(t.Context(), s.marquee, "local", "--port", "0",
		"--template", filepath.Join(root, "template.yaml"), "--config", filepath.Join(root, "samconfig.toml"))
	cmd.Dir = s.folder
	cmd.Env = environment()
	var output bytes.Buffer
	cmd.Stdout, cmd.Stderr = &output, &output
	cmd.Cancel = func() error { return cmd.Process.Signal(os.Interrupt) }
	cmd.WaitDelay = 30 * time.Second
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	t.Cleanup(func() {
		<-ended
		close(ended)
		if t.Failed() {
			t.Logf("marquee local:\n%s", output.String())
		}
	})
	s.waitForState(t, ended)
	return s
}

func (s *stack) waitForState(t *testing.T, ended chan error) {
	t.Helper()
	path := filepath.Join(s.folder, ".marquee", "local.json")
	deadline := time.After(startTime)
	tick := time.NewTicker(20 * time.Millisecond)
	defer tick.Stop()
	for {
		data, err := os.ReadFile(path)
		if err == nil {
			if err := json.Unmarshal(data, &s.state); err != nil {
				t.Fatalf("%s: %v", path, err)
			}
			return
		}
		select {
		case <-tick.C:
		case err := <-ended:
			ended <- err
			t.Fatalf("marquee local ended before it was ready: %v", err)
		case <-deadline:
			t.Fatalf("marquee local was not ready within %v", startTime)
		}
	}
}

// as is what a program needs to call the API as one of the stack's identities.
func (s *stack) as(profile string) []string {
	return []string{
		"MARQUEE_URL=" + s.InvokeURL,
		"AWS_REGION=" + s.Region,
		"AWS_PROFILE=" + profile,
		"AWS_SHARED_CREDENTIALS_FILE=" + filepath.Join(s.folder, ".marquee", "credentials"),
	}
}

// throughEndpoint is an API's own name on AWS, with the stack's VPC endpoint to dial, as where private DNS is off.
func (s *stack) throughEndpoint(apiID string) []string {
	return []string{
		"MARQUEE_URL=https://" + apiID + ".execute-api." + s.Region + ".amazonaws.com/dev",
		"MARQUEE_VPCE=" + s.Endpoints.VPCE.URL,
	}
}

// keys are the credentials of a profile as environment variables.
func (s *stack) keys(t *testing.T, profile string) []string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join(s.folder, ".marquee", "credentials"))
	if err != nil {
		t.Fatal(err)
	}
	_, section, found := strings.Cut(string(data), "["+profile+"]")
	section, _, _ = strings.Cut(section, "[")
	var keys []string
	for line := range strings.Lines(section) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " = "); ok && strings.HasPrefix(name, "aws_") {
			keys = append(keys, strings.ToUpper(name)+"="+value)
		}
	}
	if !found || len(keys) != 3 {
		t.Fatalf("profile %s has %d values in the credentials file, want 3", profile, len(keys))
	}
	return keys
}

// environment is this process's without what says which API is called, by whom, and through what.
func environment(more ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(variable string) bool {
		name, _, _ := strings.Cut(strings.ToUpper(variable), "=")
		return strings.HasPrefix(name, "AWS_") || name == "MARQUEE_URL" || name == "MARQUEE_VPCE"
	})
	return append(append(env, "AWS_EC2_METADATA_DISABLED=true"), more...)
}

func goBuild(t *testing.T, pkg string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), filepath.Base(pkg))
	if out, err := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-o", program, pkg).CombinedOutput(); err != nil {
		t.Fatalf("go build %s: %v\n%s", pkg, err, out)
	}
	return program
}
