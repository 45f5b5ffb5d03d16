package stack_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/stack"
)

// FuzzParse holds that reading ends without a panic, is the same each time, and yields either a stack whose policies are
// JSON and whose routes say who may call, or an error.
func FuzzParse(f *testing.F) {
	names, err := filepath.Glob("testdata/*/*.yaml")
	if err != nil || len(names) == 0 {
		f.Fatalf("no templates in testdata: %v", err)
	}
	for _, name := range names {
		data, err := os.ReadFile(name)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(native))
	f.Add([]byte(document("{openapi: 3.0.1, paths: {/a: {get: {" + proxy + "}}}}")))
	f.Add([]byte(oneAPI("Auth: {DefaultAuthorizer: AWS_IAM, UsagePlan: {CreateUsagePlan: SHARED}}", event("E", "/a", "get", ""))))
	f.Add([]byte(withParameter("{Type: CommaDelimitedList, Default: 'a,b'}")))
	f.Fuzz(func(t *testing.T, data []byte) {
		s, err := stack.Parse("t.yaml", data, options)
		again, errAgain := stack.Parse("t.yaml", data, options)
		if (err == nil) == (s == nil) {
			t.Fatalf("got the stack %v and the error %v", s, err)
		}
		if err != nil {
			if errAgain == nil || err.Error() != errAgain.Error() {
				t.Fatalf("got the error %v, and then %v", err, errAgain)
			}
			return
		}
		if diff := cmp.Diff(s, again); diff != "" {
			t.Fatalf("two readings differ:\n%s", diff)
		}
		sound(t, s)
	})
}

// sound checks what every stack promises.
func sound(t *testing.T, s *stack.Stack) {
	t.Helper()
	for _, api := range s.APIs {
		if api.EndpointType == "PRIVATE" && api.ResourcePolicy == nil {
			t.Fatal("a private API without a resource policy")
		}
		if api.ResourcePolicy != nil && !json.Valid(api.ResourcePolicy) {
			t.Fatalf("the resource policy is not JSON: %s", api.ResourcePolicy)
		}
		for _, r := range api.Routes {
			if r.Authorization != "AWS_IAM" && r.Authorization != "NONE" || r.InvokeRole == "" || r.Path[0] != '/' {
				t.Fatalf("got the route %+v", r)
			}
		}
	}
	for _, r := range s.Roles {
		for _, p := range r.Policies {
			if !json.Valid(p.Document) {
				t.Fatalf("the policy is not JSON: %s", p.Document)
			}
		}
	}
}

// FuzzConfig holds that reading a configuration ends without a panic and is the same each time.
func FuzzConfig(f *testing.F) {
	f.Add([]byte("version = 0.1\n[dev.global.parameters]\nparameter_overrides = \"A=B C=\\\"d e\\\"\"\n"), false)
	f.Add([]byte("version = 0.1\n[dev.deploy.parameters]\nparameter_overrides = [\"A=b\", {C = 1}]\n"), false)
	f.Add([]byte("version: 0.1\ndev: &d {deploy: {parameters: {parameter_overrides: {A: 1, B: [x, 0x1F]}}}}\nprod: *d\n"), true)
	dir := f.TempDir()
	f.Fuzz(func(t *testing.T, data []byte, yaml bool) {
		path := filepath.Join(dir, "samconfig.toml")
		if yaml {
			path = filepath.Join(dir, "samconfig.yaml")
		}
		if err := os.WriteFile(path, data, 0o600); err != nil {
			t.Fatal(err)
		}
		first, err := stack.LoadConfig(path, "dev")
		second, errAgain := stack.LoadConfig(path, "dev")
		if (err == nil) != (errAgain == nil) || !cmp.Equal(first, second) {
			t.Fatalf("got %v, %v and then %v, %v", first, err, second, errAgain)
		}
	})
}
