package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/marquee-api/marquee/apiclient"
	"github.com/marquee-api/marquee/internal/sidecar"
)

const sidecarExamples = "../../examples/sidecar"

// checkArgs parses a command line as the program would: flags that do not exist, or not any more, fail.
func checkArgs(t *testing.T, args []string) {
	t.Helper()
	root := newRootCommand(environment{Getenv: func(string) string { return "" }, Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard})
	cmd, rest, err := root.Find(args)
	if err != nil || cmd.Name() != "proxy" {
		t.Errorf("%q is no command line of marquee proxy: %v", args, err)
		return
	}
	if err := cmd.ParseFlags(rest); err != nil {
		t.Errorf("%q: %v", args, err)
	}
	if left := cmd.Flags().Args(); len(left) != 0 {
		t.Errorf("%q: marquee proxy takes no arguments: %q", args, left)
	}
	url := cmd.Flags().Lookup("url").Value.String()
	if _, err := apiclient.ResolveEndpoint(apiclient.EndpointConfig{URL: url}); url != "" && err != nil {
		t.Errorf("%q: %v", args, err)
	}
}

func readExample(t *testing.T, name string) []byte {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(sidecarExamples, name))
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// exec form of an instruction of the Dockerfile.
func dockerExec(t *testing.T, text []byte, instruction string) []string {
	t.Helper()
	lines := bufio.NewScanner(bytes.NewReader(text))
	for lines.Scan() {
		_, list, ok := strings.Cut(lines.Text(), instruction+" [")
		if !ok {
			continue
		}
		var words []string
		if err := json.Unmarshal([]byte("["+list), &words); err != nil {
			t.Fatalf("%s: %v", lines.Text(), err)
		}
		return words
	}
	t.Fatalf("the Dockerfile has no %s in exec form", instruction)
	return nil
}

func TestSidecarImage(t *testing.T) {
	text := readExample(t, "Dockerfile")
	entry := dockerExec(t, text, "ENTRYPOINT")
	if entry[0] != "/marquee" {
		t.Errorf("ENTRYPOINT %q", entry)
	}
	checkArgs(t, entry[1:])
	check := dockerExec(t, text, "CMD")
	if check[0] != "/marquee" || !slices.Contains(check, "--check") {
		t.Errorf("HEALTHCHECK %q", check)
	}
	checkArgs(t, check[1:])
	for _, line := range []string{"FROM scratch\n", "USER 65532:65532\n", "ca-certificates.crt", "CGO_ENABLED=0", "-trimpath"} {
		if !strings.Contains(string(text), line) {
			t.Errorf("the Dockerfile lacks %q", line)
		}
	}
}

// TestSidecarImageContext: the build's context has each folder that the program is made of, and no more.
func TestSidecarImageContext(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{with .Module}}{{if .Main}}{{$.ImportPath}}{{end}}{{end}}", ".").Output()
	if err != nil {
		t.Fatal(err)
	}
	want := []string{"!go.mod", "!go.sum"}
	for path := range strings.FieldsSeq(string(out)) {
		folder, _, _ := strings.Cut(strings.TrimPrefix(path, "github.com/marquee-api/marquee/"), "/")
		want = append(want, "!"+folder)
	}
	slices.Sort(want)
	want = slices.Compact(want)
	var got []string
	for line := range strings.FieldsSeq(string(readExample(t, "Dockerfile.dockerignore"))) {
		if strings.HasPrefix(line, "!") {
			got = append(got, line)
		}
	}
	slices.Sort(got)
	if !slices.Equal(got, want) {
		t.Errorf("the context has %q, want %q", got, want)
	}
}

// TestSidecarImageBuilds builds the image and asks it for its help, where an engine runs and its base image can be had.
func TestSidecarImageBuilds(t *testing.T) {
	if out, err := exec.CommandContext(t.Context(), "docker", "version", "--format", "{{.Server.Version}}").CombinedOutput(); err != nil {
		t.Skipf("no Docker engine: %v %s", err, out)
	}
	if out, err := exec.CommandContext(t.Context(), "docker", "pull", "--quiet", "golang:1.26-bookworm").CombinedOutput(); err != nil {
		t.Skipf("the image golang:1.26-bookworm cannot be had: %v %s", err, out)
	}
	build := exec.CommandContext(t.Context(), "docker", "build", "--quiet", "-f", "examples/sidecar/Dockerfile", "-t", "marquee-proxy:test", ".")
	build.Dir = "../.."
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("docker build: %v\n%s", err, out)
	}
	out, err := exec.CommandContext(t.Context(), "docker", "run", "--rm", "--read-only", "marquee-proxy:test", "--help").CombinedOutput()
	if err != nil || !strings.Contains(string(out), "marquee proxy --url") {
		t.Errorf("docker run: %v\n%s", err, out)
	}
}

// ecsTask is what is looked at of a task definition.
type ecsTask struct {
	NetworkMode, TaskRoleARN, ExecutionRoleARN string
	Volumes                                    []struct{ Name string }
	ContainerDefinitions                       []struct {
		Name                   string
		Command                []string
		User                   string
		ReadonlyRootFilesystem bool
		StopTimeout            int
		HealthCheck            struct{ Command []string }
		MountPoints            []struct{ SourceVolume, ContainerPath string }
		DependsOn              []struct{ ContainerName, Condition string }
	}
}

func TestSidecarECSTask(t *testing.T) {
	var task ecsTask
	if err := json.Unmarshal(readExample(t, "ecs-task.json"), &task); err != nil {
		t.Fatal(err)
	}
	if task.NetworkMode != "awsvpc" || task.TaskRoleARN == "" || task.TaskRoleARN == task.ExecutionRoleARN {
		t.Errorf("loopback is shared in awsvpc only, and the task signs with a role of its own: %+v", task)
	}
	signer, app := task.ContainerDefinitions[0], task.ContainerDefinitions[1]
	checkArgs(t, append([]string{"proxy"}, signer.Command...))
	if got := signer.HealthCheck.Command; len(got) < 2 || got[0] != "CMD" || got[1] != "/marquee" {
		t.Errorf("a health check without a shell is CMD and the program: %q", got)
	} else {
		checkArgs(t, got[2:])
	}
	if signer.User != "65532:65532" || !signer.ReadonlyRootFilesystem || signer.MountPoints[0].SourceVolume != task.Volumes[0].Name || signer.MountPoints[0].ContainerPath != "/tmp" {
		t.Errorf("the signer's container: %+v", signer)
	}
	if len(app.DependsOn) != 1 || app.DependsOn[0].ContainerName != signer.Name || app.DependsOn[0].Condition != "HEALTHY" {
		t.Errorf("the app waits for %+v", app.DependsOn)
	}
	checkDrain(t, signer.Command, time.Duration(signer.StopTimeout)*time.Second)
}

// checkDrain: whoever is killed before its drain is over drains nothing.
func checkDrain(t *testing.T, args []string, killed time.Duration) {
	t.Helper()
	for _, arg := range args {
		if value, ok := strings.CutPrefix(arg, "--drain-timeout="); ok {
			if d, err := time.ParseDuration(value); err != nil || d >= killed {
				t.Errorf("%s, but it is killed after %s", arg, killed)
			}
			return
		}
	}
	t.Errorf("%q does not say --drain-timeout", args)
}

// manifest is what is looked at of the Kubernetes manifest.
type manifest struct {
	Kind     string
	Metadata struct {
		Name        string
		Annotations map[string]string
	}
	Spec struct{ Template struct{ Spec podSpec } }
}

type podSpec struct {
	ServiceAccountName            string `yaml:"serviceAccountName"`
	TerminationGracePeriodSeconds int    `yaml:"terminationGracePeriodSeconds"`
	SecurityContext               struct {
		RunAsNonRoot bool `yaml:"runAsNonRoot"`
	} `yaml:"securityContext"`
	InitContainers []container `yaml:"initContainers"`
	Containers     []container
	Volumes        []struct{ Name string }
}

type container struct {
	Name            string
	RestartPolicy   string `yaml:"restartPolicy"`
	Args            []string
	Ports           []struct{ Name string }
	StartupProbe    probe `yaml:"startupProbe"`
	ReadinessProbe  probe `yaml:"readinessProbe"`
	LivenessProbe   probe `yaml:"livenessProbe"`
	SecurityContext struct {
		RunAsUser                int   `yaml:"runAsUser"`
		AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
		ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
		Capabilities             struct{ Drop []string }
	} `yaml:"securityContext"`
	VolumeMounts []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
	} `yaml:"volumeMounts"`
}

type probe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
}

func TestSidecarKubernetes(t *testing.T) {
	documents := map[string]manifest{}
	decoder := yaml.NewDecoder(bytes.NewReader(readExample(t, "kubernetes.yaml")))
	for {
		var m manifest
		err := decoder.Decode(&m)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			t.Fatal(err)
		}
		documents[m.Kind] = m
	}
	account, pod := documents["ServiceAccount"], documents["Deployment"].Spec.Template.Spec
	if account.Metadata.Name != pod.ServiceAccountName || !strings.HasPrefix(account.Metadata.Annotations["eks.amazonaws.com/role-arn"], "arn:aws:iam::") {
		t.Errorf("the pod's account is %q, the one with the role %+v", pod.ServiceAccountName, account.Metadata)
	}
	if len(pod.InitContainers) != 1 || len(pod.Containers) != 1 || !pod.SecurityContext.RunAsNonRoot {
		t.Fatalf("got %+v", pod)
	}
	signer := pod.InitContainers[0]
	if signer.RestartPolicy != "Always" {
		t.Error("without restartPolicy Always it is an init container that never ends")
	}
	checkArgs(t, append([]string{"proxy"}, signer.Args...))
	checkDrain(t, signer.Args, time.Duration(pod.TerminationGracePeriodSeconds)*time.Second)
	s := signer.SecurityContext
	if s.RunAsUser != 65532 || s.AllowPrivilegeEscalation == nil || *s.AllowPrivilegeEscalation || !s.ReadOnlyRootFilesystem || !slices.Equal(s.Capabilities.Drop, []string{"ALL"}) {
		t.Errorf("security context: %+v", s)
	}
	if signer.VolumeMounts[0].Name != pod.Volumes[0].Name || signer.VolumeMounts[0].MountPath != "/tmp" {
		t.Errorf("volumes %+v, mounts %+v", pod.Volumes, signer.VolumeMounts)
	}
	checkProbes(t, signer)
}

// checkProbes asks the admin listener's handler for each path that is probed.
func checkProbes(t *testing.T, signer container) {
	t.Helper()
	endpoint, err := apiclient.ResolveEndpoint(apiclient.EndpointConfig{URL: "http://127.0.0.1:1", Region: "ap-northeast-2"})
	if err != nil {
		t.Fatal(err)
	}
	proxy, err := sidecar.New(sidecar.Config{Endpoint: endpoint, Credentials: noCredentials})
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []probe{signer.StartupProbe, signer.ReadinessProbe, signer.LivenessProbe} {
		answer := httptest.NewRecorder()
		proxy.Admin().ServeHTTP(answer, httptest.NewRequest("GET", p.HTTPGet.Path, nil))
		if answer.Code == 404 || p.HTTPGet.Port != signer.Ports[0].Name {
			t.Errorf("probe %+v: the proxy answers %d, the port is %q", p, answer.Code, signer.Ports[0].Name)
		}
	}
	if !slices.ContainsFunc(signer.Args, func(arg string) bool { return strings.HasPrefix(arg, "--admin=:") }) {
		t.Error("probes come from outside the pod, but --admin is on loopback")
	}
}
