package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"golang.org/x/sync/errgroup"
)

// startEcho runs the template in testdata/echo.
func startEcho(tb testing.TB, template string) *Stack {
	tb.Helper()
	s, err := Start(tb.Context(), Options{
		Template: template, Config: "absent.toml", ConfigEnv: "local",
		State: filepath.Join(tb.TempDir(), "local.json"), Out: io.Discard,
	})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() {
		if err := s.Close(); err != nil {
			tb.Errorf("closing: %v", err)
		}
	})
	return s
}

// get sends a GET signed by a profile; an empty profile leaves it unsigned.
func (s *Stack) get(tb testing.TB, profile, url string) (int, string) {
	tb.Helper()
	status, body, err := s.signedGet(tb.Context(), profile, url, "")
	if err != nil {
		tb.Fatal(err)
	}
	return status, body
}

// signedGet signs with the SDK's signer, which is not ours. An empty host is the URL's.
func (s *Stack) signedGet(ctx context.Context, profile, url, host string) (int, string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, "", err
	}
	r.Host = host
	for _, p := range s.ids.Profiles() {
		if p.Profile != profile {
			continue
		}
		credentials := aws.Credentials{AccessKeyID: p.AccessKeyID, SecretAccessKey: p.SecretAccessKey, SessionToken: p.SessionToken}
		const empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
		if err := v4.NewSigner().SignHTTP(ctx, credentials, r, empty, "execute-api", s.state.Region, time.Now()); err != nil {
			return 0, "", err
		}
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		return 0, "", err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	return response.StatusCode, string(body), err
}

// Any template with REST APIs and Go functions runs, each API by its own door.
func TestAnotherProjectsTemplate(t *testing.T) {
	s := startEcho(t, "testdata/echo/template.yaml")
	state := s.State()
	if state.Endpoints.VPCE.ID != "vpce-0aaaaaaaaaaaaaaaa" || state.Stage != "live" || state.DynamoDBURL != "" || state.Profiles["caller"] != "" {
		t.Errorf("got state %+v: want the associated endpoint, the stage live, no database and no caller", state)
	}
	written, err := ReadState(s.options.State)
	if err != nil || written.InvokeURL != state.InvokeURL {
		t.Errorf("the state file: %v, %+v", err, written)
	}
	tests := map[string]struct {
		profile, url string
		status       int
		contains     string
	}{
		"private, signed":              {"reader", state.InvokeURL + "/a/b?c=d", 200, `"proxy":"a/b"`},
		"private, by the IAM policy":   {"stranger", state.InvokeURL + "/a", 200, `"vpceId":"vpce-0aaaaaaaaaaaaaaaa"`}, // the short list's Allow for everybody
		"private, unsigned":            {"", state.InvokeURL + "/a", 403, "Missing Authentication Token"},
		"private, from another VPC":    {"reader", state.Endpoints.OtherVPCE.URL + "/live/a", 403, "explicit deny in a resource-based policy"},
		"private, from the internet":   {"reader", state.Endpoints.Public.URL + "/live/a", 403, "Forbidden"},
		"public, from the internet":    {"", state.Endpoints.Public.URL + "/open/health", 200, `"resource":"/health"`},
		"public, through the endpoint": {"", state.Endpoints.VPCE.URL + "/open/health", 403, "Forbidden"},
		// The function is not in the VPC: on AWS it would come from outside.
		"URLs in variables are local": {"reader", state.InvokeURL + "/a", 200, `"api":"` + state.Endpoints.Public.URL + `/live"`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			status, body := s.get(t, tt.profile, tt.url)
			if status != tt.status || !strings.Contains(body, tt.contains) {
				t.Errorf("got %d %s, want %d with %s", status, body, tt.status, tt.contains)
			}
		})
	}
}

// What a run leaves behind is nothing but what the next one builds upon.
func TestCloseRemovesTheFiles(t *testing.T) {
	dir := t.TempDir()
	s, err := Start(t.Context(), Options{Template: "testdata/echo/template.yaml", State: filepath.Join(dir, "local.json"), Out: io.Discard})
	if err != nil {
		t.Fatal(err)
	}
	if err := s.Close(); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if name := entry.Name(); name != "build" {
			t.Errorf("%s was left behind", name)
		}
	}
}

// prebuilt is the echo template beside a binary that is run as it is.
func prebuilt(b *testing.B) string {
	b.Helper()
	dir := b.TempDir()
	template, err := os.ReadFile("testdata/echo/template.yaml")
	if err != nil {
		b.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "template.yaml"), template, 0o600); err != nil {
		b.Fatal(err)
	}
	build := exec.CommandContext(b.Context(), "go", "build", "-tags", "lambda.norpc", "-o", filepath.Join(dir, "bootstrap"), "./testdata/echo")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	return filepath.Join(dir, "template.yaml")
}

// BenchmarkWarmCall is one signed call on loopback through gateway and function process, signing included: its mean, which
// a pause of the machine changes, and its median.
func BenchmarkWarmCall(b *testing.B) {
	s := startEcho(b, prebuilt(b))
	url := s.State().InvokeURL + "/a"
	if status, body := s.get(b, "reader", url); status != 200 {
		b.Fatalf("got %d %s", status, body)
	}
	var times []time.Duration
	for b.Loop() {
		began := time.Now()
		s.get(b, "reader", url)
		times = append(times, time.Since(began))
	}
	slices.Sort(times)
	b.ReportMetric(float64(times[len(times)/2].Microseconds())/1000, "ms-median")
}

// BenchmarkStart is the time from a template with built binaries to open doors.
func BenchmarkStart(b *testing.B) {
	template := prebuilt(b)
	dir := b.TempDir()
	for b.Loop() {
		s, err := Start(b.Context(), Options{Template: template, State: filepath.Join(dir, "local.json"), Out: io.Discard})
		if err != nil {
			b.Fatal(err)
		}
		b.StopTimer()
		if err := s.Close(); err != nil {
			b.Fatal(err)
		}
		b.StartTimer()
	}
}

// Many callers at once get each their own answer, and who may not is refused every time.
func TestParallelCallsOfMixedIdentities(t *testing.T) {
	s := startEcho(t, "testdata/echo/template.yaml")
	url := s.State().InvokeURL
	var group errgroup.Group
	group.SetLimit(50)
	for i := range 200 {
		group.Go(func() error {
			profile := []string{"reader", "writer", "stranger", "expired"}[i%4]
			path := fmt.Sprintf("/n%d", i)
			status, body, err := s.signedGet(t.Context(), profile, url+path, "")
			switch {
			case err != nil:
				return err
			case profile == "expired" && (status != 403 || !strings.Contains(body, "expired")):
				return fmt.Errorf("%s %s: got %d %s, want 403", profile, path, status, body)
			case profile != "expired" && (status != 200 || !strings.Contains(body, `"path":"`+path+`"`) || !strings.Contains(body, "/"+profile+`"`)):
				return fmt.Errorf("%s %s: got %d %s, want its own answer", profile, path, status, body)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Error(err)
	}
}

// With Watch a function whose sources change answers anew, without a restart of the stack.
func TestWatchReplacesAFunction(t *testing.T) {
	dir := echoModule(t)
	rebuilt := make(chan string, 10)
	s, err := Start(t.Context(), Options{
		Template: filepath.Join(dir, "template.yaml"), State: filepath.Join(t.TempDir(), "local.json"), Watch: true,
		Out: writerFunc(func(line string) {
			if strings.Contains(line, "built again") || strings.HasPrefix(line, "warning: ") && strings.Contains(line, "Echo") {
				rebuilt <- line
			}
		}),
	})
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	served := make(chan error, 1)
	go func() { served <- s.Serve(ctx) }()
	defer func() {
		stop()
		if err := errors.Join(<-served, s.Close()); err != nil {
			t.Error(err)
		}
	}()
	if status, body := s.get(t, "reader", s.State().InvokeURL+"/a"); status != 200 || !strings.Contains(body, `"event"`) {
		t.Fatalf("got %d %s", status, body)
	}
	text, err := os.ReadFile(filepath.Join(dir, "main.go"))
	if err != nil {
		t.Fatal(err)
	}
	writeSource(t, filepath.Join(dir, "main.go"), strings.Replace(string(text), `"event"`, `"changed"`, 1))
	select {
	case line := <-rebuilt:
		if strings.HasPrefix(line, "warning") {
			t.Fatal(line)
		}
	case <-time.After(2 * time.Minute):
		t.Fatal("the function was not built again")
	}
	if status, body := s.get(t, "reader", s.State().InvokeURL+"/a"); status != 200 || !strings.Contains(body, `"changed"`) {
		t.Errorf("after the change: got %d %s", status, body)
	}
}

// echoModule is the echo template as a project of its own, with this module's pins, so that it needs no network.
func echoModule(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	for name, from := range map[string]string{"template.yaml": "testdata/echo/template.yaml", "main.go": "testdata/echo/main.go", "go.sum": "../../go.sum"} {
		text, err := os.ReadFile(from)
		if err != nil {
			t.Fatal(err)
		}
		writeSource(t, filepath.Join(dir, name), string(text))
	}
	writeSource(t, filepath.Join(dir, "go.mod"), "module echo\n\ngo 1.26\n\nrequire github.com/aws/aws-lambda-go v1.55.1\n")
	return dir
}

func writeSource(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

type writerFunc func(string)

func (f writerFunc) Write(b []byte) (int, error) { f(string(b)); return len(b), nil }
