package stack_test

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/marquee-api/marquee/internal/stack"
)

// translate runs AWS's own translator, which turns a SAM template into plain CloudFormation.
const translate = `
import json, os, sys
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")
from samtranslator.yaml_helper import yaml_parse
from samtranslator.translator.transform import transform
class NoManagedPolicies:
    def load(self): return {}
out = {}
for name in sys.argv[1:]:
    t = yaml_parse(open(name).read())
    parameters = {k: v["Default"] for k, v in t.get("Parameters", {}).items() if "Default" in v}
    out[name] = transform(t, parameters, NoManagedPolicies())
json.dump(out, sys.stdout)
`

// TestTranslator reads each template as SAM, and as the plain CloudFormation that AWS's translator makes of it: both must
// come to the same stack.
func TestTranslator(t *testing.T) {
	if err := exec.Command("python3", "-c", "import samtranslator").Run(); err != nil {
		t.Skip("python3 with aws-sam-translator is not there")
	}
	names, err := filepath.Glob("testdata/sam/*.yaml")
	if err != nil || len(names) == 0 {
		t.Fatalf("no templates in testdata/sam: %v", err)
	}
	command := exec.Command("python3", append([]string{"-c", translate}, names...)...)
	var stderr bytes.Buffer
	command.Stderr = &stderr
	output, err := command.Output()
	if err != nil {
		t.Fatalf("the translator: %v\n%s", err, stderr.String())
	}
	var translated map[string]json.RawMessage
	if err := json.Unmarshal(output, &translated); err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		t.Run(filepath.Base(name), func(t *testing.T) {
			opts := stack.Options{Name: "s", Region: "us-east-1"}
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			got, err := stack.Parse(name, source, opts)
			if err != nil {
				t.Fatalf("as SAM: %v", err)
			}
			want, err := stack.Parse(name+".json", translated[name], opts)
			if err != nil {
				t.Fatalf("as CloudFormation: %v\n%s", err, translated[name])
			}
			// SAM's second stage is not served, which has a warning.
			want.APIs = slices.DeleteFunc(want.APIs, func(a *stack.API) bool { return a.Stage == "Stage" })
			if diff := cmp.Diff(comparable(t, want), comparable(t, got), compareStacks); diff != "" {
				t.Errorf("the translator's stack (-) and ours (+) differ:\n%s", diff)
			}
		})
	}
}

var compareStacks = cmp.Options{
	cmpopts.EquateEmpty(),
	cmpopts.IgnoreTypes(stack.Position{}),
	cmpopts.IgnoreFields(stack.Function{}, "CodeURI"),
	cmpopts.SortSlices(func(a, b *stack.Route) bool { return a.Path+" "+a.Method < b.Path+" "+b.Method }),
	cmpopts.SortSlices(func(a, b *stack.Function) bool { return a.LogicalID < b.LogicalID }),
	cmpopts.SortSlices(func(a, b *stack.Role) bool { return a.LogicalID < b.LogicalID }),
	cmpopts.SortSlices(func(a, b *stack.API) bool { return a.LogicalID < b.LogicalID }),
	cmpopts.SortSlices(func(a, b *stack.Table) bool { return a.LogicalID < b.LogicalID }),
	cmpopts.SortSlices(func(a, b *stack.UsagePlan) bool { return a.LogicalID < b.LogicalID }),
	cmpopts.SortSlices(func(a, b *stack.APIKey) bool { return a.LogicalID < b.LogicalID }),
}

// comparable leaves out what only one side can have: warnings about SAM, and the roles' tags.
func comparable(t *testing.T, s *stack.Stack) *stack.Stack {
	t.Helper()
	if len(s.APIs)+len(s.Functions)+len(s.Roles) == 0 {
		t.Fatal("the stack is empty, so comparing it says nothing")
	}
	s.Warnings, s.Parameters = nil, nil
	for _, api := range s.APIs {
		api.ResourcePolicy = normal(t, api.ResourcePolicy)
		inlineModels(t, api)
	}
	for _, r := range s.Roles {
		r.Tags, r.Trust = nil, normal(t, r.Trust)
		for i := range r.Policies {
			r.Policies[i].Document = normal(t, r.Policies[i].Document)
		}
	}
	return s
}

// inlineModels puts schemas where they are named. Which of the two places of OpenAPI they stand in is a matter of version.
func inlineModels(t *testing.T, api *stack.API) {
	t.Helper()
	var document struct {
		Operations  []json.RawMessage
		Definitions map[string]any
		Components  struct{ Schemas map[string]any }
	}
	if raw := api.Schemas["openapi"]; raw != nil {
		if err := json.Unmarshal(raw, &document); err != nil {
			t.Fatal(err)
		}
	}
	for _, r := range api.Routes {
		if r.Validation == nil {
			continue
		}
		for media, place := range r.Validation.Models {
			i, err := strconv.Atoi(strings.TrimPrefix(place, "openapi#/operations/"))
			if err != nil || i >= len(document.Operations) {
				t.Fatalf("%s is the place of no schema: %v", place, err)
			}
			r.Validation.Models[media] = strings.ReplaceAll(string(document.Operations[i]), "#/components/schemas/", "#/definitions/")
		}
	}
	if len(document.Definitions) == 0 {
		document.Definitions = document.Components.Schemas
	}
	if api.Schemas != nil {
		api.Schemas = map[string]json.RawMessage{"shared": encode(t, document.Definitions)}
	}
}

// normal makes policies comparable that say the same: the order of keys, statements and
// resources, and one statement in or
// without a list.
func normal(t *testing.T, raw json.RawMessage) json.RawMessage {
	t.Helper()
	if raw == nil {
		return nil
	}
	var document map[string]any
	if err := json.Unmarshal(raw, &document); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	statements, ok := document["Statement"].([]any)
	if !ok {
		statements = []any{document["Statement"]}
	}
	for _, statement := range statements {
		if resources, ok := statement.(map[string]any)["Resource"].([]any); ok {
			slices.SortFunc(resources, func(a, b any) int { return bytes.Compare(encode(t, a), encode(t, b)) })
		}
	}
	slices.SortFunc(statements, func(a, b any) int {
		return bytes.Compare(encode(t, a), encode(t, b))
	})
	document["Statement"] = statements
	return encode(t, document)
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}
