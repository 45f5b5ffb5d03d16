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

// variant is one way of deploying template.yaml.
type variant struct {
	name       string
	everything bool              // every option is on, instead of none
	parameters map[string]string // besides the defaults
	file       string            // environment variable that may name the translation; empty: it is made here
}

// variants are the defaults and, with the values of scripts/all-options, everything.
func variants(t *testing.T) []variant {
	t.Helper()
	text, err := os.ReadFile("../../scripts/all-options")
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if line = strings.TrimSpace(line); line == "" || line[0] == '#' {
			continue
		}
		name, value, ok := strings.Cut(line, "=")
		if !ok {
			t.Fatalf("scripts/all-options: %q is not Name=Value", line)
		}
		values[name] = value
	}
	if len(values) == 0 {
		t.Fatal("scripts/all-options holds no values")
	}
	return []variant{
		{name: "defaults", file: "MARQUEE_TRANSLATED_TEMPLATE"},
		{name: "everything", everything: true, parameters: values, file: "MARQUEE_TRANSLATED_EVERYTHING"},
	}
}

// read returns what template.yaml translates into, as JSON: the file that the variant's environment variable names, or
// else what the translator of an installed SAM CLI makes of it.
func (v variant) read(t *testing.T) []byte {
	t.Helper()
	file := os.Getenv(v.file)
	if file == "" {
		file = v.translate(t)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// template is a template of its own at each call, for tests that change theirs, settled for the variant's values.
func (v variant) template(t *testing.T, text []byte) object {
	t.Helper()
	settled, err := Settle(parse(t, text), v.parameters)
	if err != nil {
		t.Fatal(err)
	}
	return settled
}

// parse makes a template of its own at each call.
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
func (v variant) translate(t *testing.T) string {
	t.Helper()
	sam, err := exec.LookPath("sam")
	if err != nil {
		t.Skipf("needs the SAM CLI, or a translated template in the variable %q: %v", v.file, err)
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
	args := []string{"../../scripts/translate-template.py", "../../template.yaml", file}
	for name, value := range v.parameters {
		args = append(args, name+"="+value)
	}
	cmd := exec.CommandContext(t.Context(), strings.TrimSpace(python), args...)
	cmd.Env = append(os.Environ(), "AWS_DEFAULT_REGION=ap-northeast-2")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("translate template.yaml: %v\n%s", err, out)
	}
	return file
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

// statements returns a policy's statements.
func statements(policy any) []object {
	var out []object
	for _, item := range listAt(policy, "Statement") {
		if s, ok := item.(object); ok {
			out = append(out, s)
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

func jsonOf(t *testing.T, text string) (v any) {
	t.Helper()
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	return v
}
