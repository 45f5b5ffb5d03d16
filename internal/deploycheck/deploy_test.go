package deploycheck

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/lambda/types"
)

// emulatorCannot switches off, by the template's own parameters, what the emulator cannot make: it has no
// AWS::Logs::QueryDefinition and no alarms over several metrics. Nor has it AWS::EC2::SecurityGroupEgress, which an
// existing VPC takes, so the VPC is a new one. What it drops without a word is held to by TestDeployed: the API's policy,
// the endpoint's policy, private DNS, security groups, log settings.
const emulatorCannot = "SavedQueries=false Alarms=false"

// TestDeploy deploys template.yaml, as it is, with the SAM CLI, and calls what was deployed: signed and unsigned, by who
// may and who may not, with the API's fence and without.
func TestDeploy(t *testing.T) {
	e := startEmulator(t)
	d := deployment{e: e, stack: "marquee-dev", built: filepath.Join(t.TempDir(), "build")}
	e.mustSam(t, "build", "--config-env", "dev", "--build-dir", d.built)

	out, err := d.deploy(t, "")
	if err != nil {
		t.Fatalf("sam deploy: %v\n%s", err, out)
	}
	outputs := e.outputs(t, d.stack)
	d.api = outputs["ApiId"]
	e.direct(t, outputs["CallerFunctionName"], d.api)

	// In this order, since each leaves the stack as the next one finds it.
	t.Run("a group of no network is refused", d.brokenRule)
	t.Run("another account is refused", d.anotherAccount)
	t.Run("movies are written", d.writes)
	t.Run("who may call", func(t *testing.T) { d.calls(t, outputs["CallerFunctionName"]) })
	t.Run("another team's service", func(t *testing.T) { d.callerStack(t, outputs) })
	t.Run("the fence", func(t *testing.T) { d.fence(t, outputs) })
	t.Run("nothing to change", d.again)
	t.Run("the table outlives the stack", func(t *testing.T) { d.remove(t, outputs["TableName"]) })
}

// deployment is the deployed stack.
type deployment struct {
	e                 *emulator
	stack, built, api string
}

func architecture() string {
	if runtime.GOARCH == "arm64" {
		return "arm64"
	}
	return "x86_64"
}

func (d deployment) deploy(t *testing.T, parameters string) (string, error) {
	t.Helper()
	return d.e.sam(t, "deploy", "--config-file", filepath.Join(d.e.dir, "samconfig.toml"), "--config-env", "dev", "--stack-name", d.stack,
		"--template-file", filepath.Join(d.built, "template.yaml"), "--no-progressbar",
		"--parameter-overrides", "Stage=dev Architecture="+architecture()+" "+emulatorCannot+" "+parameters)
}

// brokenRule: what does not go together is refused before there is a stack, with the reason that the template gives.
func (d deployment) brokenRule(t *testing.T) {
	d.stack = "marquee-broken"
	out, err := d.deploy(t, "FurtherCallerGroupId=sg-0123456789abcdef0")
	if err == nil || !strings.Contains(out, "FurtherCallerGroupId is a group of an existing VPC, so VpcId has to be given") {
		t.Errorf("deploying with a group of no network: %v\n%s", err, out)
	}
}

// anotherAccount: the emulator knows no AWS::AccountId in conditions, so that every expectation is another account's to it.
// That the right one passes is TestDeployed's part.
func (d deployment) anotherAccount(t *testing.T) {
	d.stack = "marquee-elsewhere"
	out, err := d.deploy(t, "ExpectedAccountId=999999999999")
	if err == nil || !strings.Contains(out, "Fn::Select") && !strings.Contains(out, "ROLLBACK_COMPLETE") {
		t.Errorf("deploying to another account than the expected one: %v\n%s", err, out)
	}
	if status, body := d.e.send(t, request{method: http.MethodGet, path: "/restapis", service: "apigateway", who: root}); strings.Count(body, `"rootResourceId"`) != 1 {
		t.Errorf("after that there is more than one API: %d %s", status, body)
	}
}

// get asks the API for a path; the zero who does not sign.
func (d deployment) get(t *testing.T, path string, in request) (int, string) {
	t.Helper()
	in.method, in.path, in.service = http.MethodGet, apiPath(d.api)+path, "execute-api"
	return d.e.send(t, in)
}

// arn is a method and path of the API, as a policy names it.
func (d deployment) arn(path string) string {
	return "arn:aws:execute-api:" + emulatorRegion + ":" + emulatorAccount + ":" + d.api + "/dev/" + path
}

// writes goes through the API, so that the function's role proves to have the rights that a transaction needs.
func (d deployment) writes(t *testing.T) {
	writer := d.e.role(t, "writer", d.arn("PUT/movie_list/*"))
	for _, movie := range []string{"/1999/First", "/1999/Second", "/2001/Third"} {
		status, body := d.e.send(t, request{method: http.MethodPut, path: apiPath(d.api) + "/movie_list" + movie, service: "execute-api",
			who: writer, contentType: "application/json", body: `{"info":{"rating":8.1,"genres":["Drama"],"directors":["Ann Lee"]}}`})
		if status != http.StatusCreated {
			t.Errorf("PUT %s: %d %s, want 201", movie, status, body)
		}
	}
}

func (d deployment) calls(t *testing.T, caller string) {
	titles := func(body []byte) (titles []string) {
		var list struct{ Items []struct{ Title string } }
		if err := json.Unmarshal(body, &list); err != nil {
			t.Fatalf("%v: %s", err, body)
		}
		for _, m := range list.Items {
			titles = append(titles, m.Title)
		}
		return titles
	}
	answer := d.e.invoke(t, caller, object{})
	if answer.Status != http.StatusOK || strings.Join(titles(answer.Body), " ") != "First Second Third" {
		t.Errorf("the caller got %d %s, want 200 and the three movies", answer.Status, answer.Body)
	}
	if answer := d.e.invoke(t, caller, object{"method": "DELETE", "path": "/movie_list/1999/First"}); answer.Status != http.StatusForbidden {
		t.Errorf("the caller may delete a movie: %d %s", answer.Status, answer.Body)
	}
	reader := d.e.role(t, "reader", d.arn("GET/movie_list"))
	flip := func(r *http.Request) {
		value := r.Header.Get("Authorization")
		last := map[bool]string{true: "1", false: "0"}[strings.HasSuffix(value, "0")]
		r.Header.Set("Authorization", value[:len(value)-1]+last)
	}
	for name, test := range map[string]struct {
		path   string
		in     request
		status int
		want   string
	}{
		"signed":             {"/movie_list?year=2001", request{who: reader}, 200, `"Third"`},
		"not signed":         {"/movie_list", request{}, 403, "Missing Authentication Token"},
		"a foreign role":     {"/movie_list", request{who: d.e.role(t, "stranger")}, 403, "is not authorized to perform: execute-api:Invoke"},
		"another path":       {"/movie_list/1999/First", request{who: reader}, 403, "is not authorized to perform: execute-api:Invoke"},
		"a signature off":    {"/movie_list", request{who: reader, tamper: flip}, 403, "signature"},
		"a query off":        {"/movie_list?year=1999", request{who: reader, tamper: func(r *http.Request) { r.URL.RawQuery = "year=2001" }}, 403, "signature"},
		"no session's token": {"/movie_list", request{who: reader, tamper: func(r *http.Request) { r.Header.Del("X-Amz-Security-Token") }}, 403, "token"},
	} {
		if status, body := d.get(t, test.path, test.in); status != test.status || !strings.Contains(body, test.want) {
			t.Errorf("%s: got %d %s, want %d with %q", name, status, body, test.status, test.want)
		}
	}
}

// callerStack deploys the example for other teams beside the API: its role holds one path, and that one only.
func (d deployment) callerStack(t *testing.T, outputs map[string]string) {
	other := deployment{e: d.e, stack: "another-team", built: filepath.Join(t.TempDir(), "build"), api: d.api}
	d.e.mustSam(t, "build", "--template-file", filepath.Join(d.e.dir, "examples/caller-stack/template.yaml"), "--build-dir", other.built)
	d.e.mustSam(t, "deploy", "--template-file", filepath.Join(other.built, "template.yaml"), "--stack-name", other.stack,
		"--resolve-s3", "--capabilities", "CAPABILITY_IAM", "--no-progressbar", "--parameter-overrides",
		"ApiId="+d.api+" SubnetIds="+d.subnets(t)+" SecurityGroupIds="+outputs["CallerSecurityGroupId"]+" Architecture="+architecture())
	caller := d.e.outputs(t, other.stack)["CallerFunctionName"]
	d.e.direct(t, caller, d.api)
	if answer := d.e.invoke(t, caller, object{}); answer.Status != http.StatusOK {
		t.Errorf("another team's service got %d %s", answer.Status, answer.Body)
	}
	if answer := d.e.invoke(t, caller, object{"path": "/movie_list/1999/First"}); answer.Status != http.StatusForbidden {
		t.Errorf("another team's service may call another path: %d %s", answer.Status, answer.Body)
	}
	d.e.mustSam(t, "delete", "--stack-name", other.stack, "--no-prompts", "--region", emulatorRegion)
}

// subnets are those of the stack's VPC.
func (d deployment) subnets(t *testing.T) string {
	t.Helper()
	var ids []string
	for _, id := range []string{"PrivateSubnetA", "PrivateSubnetB"} {
		ids = append(ids, d.physical(t, id))
	}
	return strings.Join(ids, ",")
}

// fence puts the policy back that the emulator drops at the deployment. It never sees a VPC endpoint, so that the fence
// is around everybody; without its Deny they are let in again, so it is the fence that refused.
func (d deployment) fence(t *testing.T, outputs map[string]string) {
	v := variants(t)[0]
	policy := objectAt(properties(v.template(t, v.read(t)), "MoviesApi"), "Body", "x-amazon-apigateway-policy")
	text := strings.NewReplacer(
		`{"Ref":"ApiEndpoint"}`, `"`+outputs["EndpointId"]+`"`,
		`{"Fn::Sub":"arn:aws:iam::${AWS::AccountId}:root"}`, `"arn:aws:iam::`+emulatorAccount+`:root"`,
	).Replace(marshal(t, policy))
	if strings.Contains(text, "Fn::") || strings.Contains(text, `"Ref"`) {
		t.Fatalf("the policy has intrinsics that this test does not resolve: %s", text)
	}
	d.setPolicy(t, text)
	if answer := d.e.invoke(t, outputs["CallerFunctionName"], object{}); answer.Status != http.StatusForbidden || !strings.Contains(answer.Error.Message, "explicit deny") {
		t.Errorf("the caller got %d %s past the fence", answer.Status, answer.Body)
	}
	policy["Statement"] = listAt(policy, "Statement")[1:]
	d.setPolicy(t, strings.ReplaceAll(marshal(t, policy),
		`{"Fn::Sub":"arn:aws:iam::${AWS::AccountId}:root"}`, `"arn:aws:iam::`+emulatorAccount+`:root"`))
	if answer := d.e.invoke(t, outputs["CallerFunctionName"], object{}); answer.Status != http.StatusOK {
		t.Errorf("without the fence the caller got %d %s", answer.Status, answer.Body)
	}
}

func (d deployment) setPolicy(t *testing.T, policy string) {
	t.Helper()
	body := marshal(t, object{"patchOperations": []any{object{"op": "replace", "path": "/policy", "value": policy}}})
	status, text := d.e.send(t, request{method: http.MethodPatch, path: "/restapis/" + d.api, service: "apigateway", who: root,
		contentType: "application/json", body: body})
	if status != http.StatusOK || !strings.Contains(text, "policy") {
		t.Fatalf("setting the API's policy: %d %s", status, text)
	}
}

func (d deployment) again(t *testing.T) {
	out, err := d.deploy(t, "")
	if err != nil || !strings.Contains(out, "No changes to deploy") {
		t.Errorf("deploying the same again: %v\n%s", err, out)
	}
}

func (d deployment) remove(t *testing.T, table string) {
	d.e.mustSam(t, "delete", "--stack-name", d.stack, "--no-prompts", "--region", emulatorRegion)
	if status, body := d.e.send(t, request{method: http.MethodGet, path: "/restapis", service: "apigateway", who: root}); strings.Contains(body, d.api) {
		t.Errorf("the API is still there: %d %s", status, body)
	}
	status, body := d.e.dynamo(t, "DescribeTable", object{"TableName": table})
	if status != http.StatusOK || !strings.Contains(body, table) {
		t.Errorf("the table is gone with the stack: %d %s", status, body)
	}
}

func environment(variables map[string]string) *types.Environment {
	return &types.Environment{Variables: variables}
}

func sha256Hex(text string) string {
	sum := sha256.Sum256([]byte(text))
	return hex.EncodeToString(sum[:])
}
