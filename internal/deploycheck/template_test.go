// Package deploycheck holds the tests of what would be deployed: the CloudFormation template that AWS's translator makes
// of template.yaml. Validators and linters pass an API that is open to everyone (a misspelt authorizer is dropped without
// a word), so these say who may call. Each test breaks the template as well, and must then fail.
//
// They do not ask whether the local gateway does the same; that is the gateway's part.
package deploycheck

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// object is one JSON object of the template.
type object = map[string]any

// readTemplate returns what template.yaml translates into, as JSON: the file that MARQUEE_TRANSLATED_TEMPLATE names, or
// else what the translator of an installed SAM CLI makes of it.
func readTemplate(t *testing.T) []byte {
	t.Helper()
	file := os.Getenv("MARQUEE_TRANSLATED_TEMPLATE")
	if file == "" {
		file = translate(t)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// parse makes a template of its own at each call, for tests that change theirs.
func parse(t *testing.T, text []byte) object {
	t.Helper()
	var template object
	if err := json.Unmarshal(text, &template); err != nil {
		t.Fatal(err)
	}
	if len(objectAt(template, "Resources")) == 0 {
		t.Fatal("the template has no resources")
	}
	return template
}

// translate runs the translator with the Python that the SAM CLI runs on, and skips the test where there is none.
func translate(t *testing.T) string {
	t.Helper()
	sam, err := exec.LookPath("sam")
	if err != nil {
		t.Skip("needs the SAM CLI, or a translated template in MARQUEE_TRANSLATED_TEMPLATE: " + err.Error())
	}
	text, err := os.ReadFile(sam)
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := strings.Cut(string(text), "\n")
	python, ok := strings.CutPrefix(first, "#!")
	if !ok {
		t.Skipf("needs a SAM CLI that pip has installed: %s brings no Python with a translator", sam)
	}
	file := filepath.Join(t.TempDir(), "translated.json")
	cmd := exec.CommandContext(t.Context(), strings.TrimSpace(python),
		"../../scripts/translate-template.py", "../../template.yaml", file)
	cmd.Env = append(os.Environ(), "AWS_DEFAULT_REGION=ap-northeast-2")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("translate template.yaml: %v\n%s", err, out)
	}
	return file
}

// at follows keys from object to object; nil where one is missing.
func at(v any, keys ...string) any {
	for _, key := range keys {
		o, ok := v.(object)
		if !ok {
			return nil
		}
		v = o[key]
	}
	return v
}

func objectAt(v any, keys ...string) object {
	o, _ := at(v, keys...).(object)
	return o
}

func listAt(v any, keys ...string) []any {
	l, _ := at(v, keys...).([]any)
	return l
}

// properties returns those of one resource; empty if the template has none of that name.
func properties(template object, id string) object {
	return objectAt(template, "Resources", id, "Properties")
}

// ofType returns the logical ids of a type's resources, sorted.
func ofType(template object, typ string) []string {
	var ids []string
	resources := objectAt(template, "Resources")
	for _, id := range slices.Sorted(maps.Keys(resources)) {
		if at(resources[id], "Type") == typ {
			ids = append(ids, id)
		}
	}
	return ids
}

// want compares by what JSON says of both, intrinsics included.
func want(what string, got, expected any) error {
	g, gotErr := json.Marshal(got)
	w, wantErr := json.Marshal(expected)
	if err := errors.Join(gotErr, wantErr); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if string(g) != string(w) {
		return fmt.Errorf("%s: got %s, want %s", what, g, w)
	}
	return nil
}

// statements returns a policy's statements, out of the Fn::If that makes one conditional.
func statements(policy any) []object {
	var out []object
	for _, item := range listAt(policy, "Statement") {
		for _, branch := range append([]any{item}, listAt(item, "Fn::If")...) {
			if s, ok := branch.(object); ok && s["Effect"] != nil {
				out = append(out, s)
			}
		}
	}
	return out
}

func withEffect(effect string, all []object) []object {
	return slices.DeleteFunc(slices.Clone(all), func(s object) bool { return s["Effect"] != effect })
}

func ref(id string) object               { return object{"Ref": id} }
func getAtt(id, attribute string) object { return object{"Fn::GetAtt": list(id, attribute)} }
func sub(text string) object             { return object{"Fn::Sub": text} }
func list[T any](items ...T) (out []any) {
	for _, item := range items {
		out = append(out, item)
	}
	return out
}
