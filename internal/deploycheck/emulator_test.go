package deploycheck

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/lambda"
	"github.com/aws/aws-sdk-go-v2/service/sts"
)

const (
	emulatorRegion  = "ap-northeast-2" // samconfig.toml's
	emulatorAccount = "000000000000"
	startsWithin    = time.Minute
	stopsWithin     = 20 * time.Second
)

// root is whoever owns the emulator's account.
var root = aws.Credentials{AccessKeyID: "test", SecretAccessKey: "test"}

// emulator is a running emulator of AWS (ministack, from PyPI), on loopback and with its authorization on.
type emulator struct {
	url    string // http://localhost:port; in a URL with an address it would take a bucket's name for a host
	dir    string // the project's folder
	lambda *lambda.Client
}

// startEmulator runs the program that MARQUEE_EMULATOR names until the test ends, and skips the test without one.
func startEmulator(t *testing.T) *emulator {
	t.Helper()
	program := os.Getenv("MARQUEE_EMULATOR")
	if program == "" {
		t.Skip("needs an emulator of AWS: MARQUEE_EMULATOR names ministack's program, as scripts/sam-check sets it")
	}
	dir, err := filepath.Abs("../..")
	if err != nil {
		t.Fatal(err)
	}
	port := freePort(t)
	e := &emulator{url: "http://localhost:" + port, dir: dir}
	log, err := os.Create(filepath.Join(t.TempDir(), "emulator.log"))
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(program) // without the test's context, which would kill it before it can end its functions
	cmd.Env = append(withoutAWS(os.Environ()), "AUTH=true", "BIND_HOST=127.0.0.1", "GATEWAY_PORT="+port, "MINISTACK_REGION="+emulatorRegion,
		"LAMBDA_EXECUTOR=local", "PERSIST_STATE=0", "AWS_ENDPOINT_URL="+e.url)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // with the functions that it starts
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { stopEmulator(t, cmd, log.Name()) })
	e.awaitReady(t)
	e.lambda = lambda.NewFromConfig(e.config(root))
	return e
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

func stopEmulator(t *testing.T, cmd *exec.Cmd, log string) {
	if t.Failed() {
		if text, err := os.ReadFile(log); err == nil {
			t.Logf("the emulator's log:\n%s", text)
		}
	}
	done := make(chan error, 1)
	go func() { done <- cmd.Wait() }()
	_ = cmd.Process.Signal(syscall.SIGTERM)
	select {
	case <-done:
	case <-time.After(stopsWithin):
		t.Errorf("the emulator did not stop within %s", stopsWithin)
	}
	_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // its group, if anybody is left
}

func (e *emulator) awaitReady(t *testing.T) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), startsWithin)
	defer cancel()
	for tick := time.NewTicker(50 * time.Millisecond); ; {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, e.url+"/_ministack/health", nil)
		if err != nil {
			t.Fatal(err)
		}
		if response, err := http.DefaultClient.Do(r); err == nil {
			response.Body.Close()
			return
		}
		select {
		case <-ctx.Done():
			t.Fatalf("the emulator was not ready within %s", startsWithin)
		case <-tick.C:
		}
	}
}

func (e *emulator) config(who aws.Credentials) aws.Config {
	return aws.Config{
		Region: emulatorRegion, BaseEndpoint: aws.String(e.url),
		Credentials: credentials.StaticCredentialsProvider{Value: who},
	}
}

// sam runs the SAM CLI in the project's folder against the emulator, and returns what it printed.
func (e *emulator) sam(t *testing.T, args ...string) (string, error) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "sam", args...)
	cmd.Dir = e.dir
	cmd.Env = append(withoutAWS(os.Environ()), "AWS_ENDPOINT_URL="+e.url, "AWS_ACCESS_KEY_ID="+root.AccessKeyID,
		"AWS_SECRET_ACCESS_KEY="+root.SecretAccessKey, "AWS_CONFIG_FILE=/dev/null", "AWS_EC2_METADATA_DISABLED=true",
		"AWS_DEFAULT_REGION="+emulatorRegion, "SAM_CLI_TELEMETRY=0", "SAM_CLI_POLL_DELAY=0.3", "LAMBDA_GOARCH="+runtime.GOARCH)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// withoutAWS leaves the machine's own settings and credentials out.
func withoutAWS(environ []string) []string {
	return slices.DeleteFunc(environ, func(v string) bool { return strings.HasPrefix(v, "AWS_") })
}

func (e *emulator) mustSam(t *testing.T, args ...string) string {
	t.Helper()
	out, err := e.sam(t, args...)
	if err != nil {
		t.Fatalf("sam %s: %v\n%s", strings.Join(args, " "), err, out)
	}
	return out
}

// outputs are those of a stack.
func (e *emulator) outputs(t *testing.T, stack string) map[string]string {
	t.Helper()
	text := e.mustSam(t, "list", "stack-outputs", "--stack-name", stack, "--output", "json")
	var list []struct{ OutputKey, OutputValue string }
	if err := json.Unmarshal([]byte(text[strings.Index(text, "["):]), &list); err != nil || len(list) == 0 {
		t.Fatalf("the outputs of %s: %v\n%s", stack, err, text)
	}
	outputs := map[string]string{}
	for _, o := range list {
		outputs[o.OutputKey] = o.OutputValue
	}
	return outputs
}

// request is one that is signed by somebody, or by nobody.
type request struct {
	method, path, service, body, contentType, target string
	who                                              aws.Credentials // zero: not signed
	tamper                                           func(*http.Request)
}

// send signs with the SDK's signer, which is not ours.
func (e *emulator) send(t *testing.T, in request) (int, string) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), in.method, e.url+in.path, strings.NewReader(in.body))
	if err != nil {
		t.Fatal(err)
	}
	if in.contentType != "" {
		r.Header.Set("Content-Type", in.contentType)
	}
	if in.target != "" {
		r.Header.Set("X-Amz-Target", in.target)
	}
	if in.method == http.MethodPut {
		r.Header.Set("If-None-Match", "*")
	}
	if in.who.HasKeys() {
		if err := v4.NewSigner().SignHTTP(t.Context(), in.who, r, sha256Hex(in.body), in.service, emulatorRegion, time.Now()); err != nil {
			t.Fatal(err)
		}
	}
	if in.tamper != nil {
		in.tamper(r)
	}
	response, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(body)
}

// role makes one that anybody may take, with a right or without, and takes it.
func (e *emulator) role(t *testing.T, name string, resources ...string) aws.Credentials {
	t.Helper()
	iam := func(form url.Values) {
		form.Set("Version", "2010-05-08")
		status, body := e.send(t, request{method: http.MethodPost, path: "/", service: "iam", who: root,
			contentType: "application/x-www-form-urlencoded", body: form.Encode()})
		if status != http.StatusOK {
			t.Fatalf("%s: %d %s", form.Get("Action"), status, body)
		}
	}
	iam(url.Values{"Action": {"CreateRole"}, "RoleName": {name}, "AssumeRolePolicyDocument": {
		`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":{"AWS":"*"},"Action":"sts:AssumeRole"}]}`}})
	if len(resources) > 0 {
		policy := marshal(t, object{"Version": "2012-10-17", "Statement": []any{
			object{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resources}}})
		iam(url.Values{"Action": {"PutRolePolicy"}, "RoleName": {name}, "PolicyName": {"call"}, "PolicyDocument": {policy}})
	}
	out, err := sts.NewFromConfig(e.config(root)).AssumeRole(t.Context(), &sts.AssumeRoleInput{
		RoleArn: aws.String("arn:aws:iam::" + emulatorAccount + ":role/" + name), RoleSessionName: aws.String("check"),
	})
	if err != nil {
		t.Fatal(err)
	}
	c := out.Credentials
	return aws.Credentials{AccessKeyID: *c.AccessKeyId, SecretAccessKey: *c.SecretAccessKey, SessionToken: *c.SessionToken}
}

// answer is what the caller function returns.
type answer struct {
	Status int
	Body   json.RawMessage
	Error  struct{ Type, Message string }
}

// invoke runs a caller function with an event.
func (e *emulator) invoke(t *testing.T, function string, event any) answer {
	t.Helper()
	out, err := e.lambda.Invoke(t.Context(), &lambda.InvokeInput{FunctionName: &function, Payload: []byte(marshal(t, event))})
	if err != nil {
		t.Fatal(err)
	}
	var a answer
	if out.FunctionError != nil || json.Unmarshal(out.Payload, &a) != nil {
		t.Fatalf("%s failed: %s", function, out.Payload)
	}
	return a
}

// direct tells a caller function where the emulator has the API: there is no DNS for API names here.
func (e *emulator) direct(t *testing.T, function, api string) {
	t.Helper()
	have, err := e.lambda.GetFunctionConfiguration(t.Context(), &lambda.GetFunctionConfigurationInput{FunctionName: &function})
	if err != nil {
		t.Fatal(err)
	}
	if got, host := have.Environment.Variables["MARQUEE_URL"], "https://"+api+".execute-api."+emulatorRegion+".amazonaws.com/dev"; got != host {
		t.Fatalf("%s was deployed with MARQUEE_URL=%s, want %s", function, got, host)
	}
	have.Environment.Variables["MARQUEE_URL"] = e.url + apiPath(api)
	_, err = e.lambda.UpdateFunctionConfiguration(t.Context(), &lambda.UpdateFunctionConfigurationInput{
		FunctionName: &function, Environment: environment(have.Environment.Variables),
	})
	if err != nil {
		t.Fatal(err)
	}
}

func apiPath(api string) string { return fmt.Sprintf("/restapis/%s/dev/_user_request_", api) }

func marshal(t *testing.T, v any) string {
	t.Helper()
	var b bytes.Buffer
	if err := json.NewEncoder(&b).Encode(v); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// dynamo calls one action of DynamoDB.
func (e *emulator) dynamo(t *testing.T, action string, input any) (int, string) {
	t.Helper()
	return e.send(t, request{method: http.MethodPost, path: "/", service: "dynamodb", who: root, body: marshal(t, input),
		contentType: "application/x-amz-json-1.0", target: "DynamoDB_20120810." + action})
}

// physical is what a logical id of the stack became.
func (d deployment) physical(t *testing.T, id string) string {
	t.Helper()
	form := url.Values{"Action": {"DescribeStackResource"}, "Version": {"2010-05-15"}, "StackName": {d.stack}, "LogicalResourceId": {id}}
	status, body := d.e.send(t, request{method: http.MethodPost, path: "/", service: "cloudformation", who: root,
		contentType: "application/x-www-form-urlencoded", body: form.Encode()})
	_, rest, _ := strings.Cut(body, "<PhysicalResourceId>")
	physical, _, ok := strings.Cut(rest, "</PhysicalResourceId>")
	if status != http.StatusOK || !ok {
		t.Fatalf("what %s became: %d %s", id, status, body)
	}
	return physical
}
