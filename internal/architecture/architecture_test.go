package architecture_test

import (
	"os/exec"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/marquee-api/marquee"

// allowed says which packages of this module each one may import. A package that is missing here fails the test, so that
// a new room is placed on purpose. cmd/marquee may know everything.
var allowed = map[string][]string{
	"apiclient":              {"internal/sigv4"},
	"apiclient/movielist":    {"apiclient"},
	"data":                   {},
	"examples":               {},
	"examples/go-apiclient":  {"apiclient", "apiclient/movielist"},
	"examples/go-sdk-signer": {},
	"functions/caller":       {"apiclient"},
	"functions/movielist":    {"internal/movies"},
	"internal/architecture":  {},
	"internal/answer":        {},
	"internal/capture":       {},
	"internal/console":       {"internal/gateway", "internal/shell"},
	"internal/deploycheck":   {},
	"internal/deployment":    {"internal/gateway", "internal/identity", "internal/policy", "internal/stack"},
	"internal/docscheck":     {},
	"internal/dynamolocal":   {},
	"internal/gateway":       {"internal/policy", "internal/proxyevent", "internal/secrets", "internal/sigv4", "internal/spelling"},
	"internal/gobuild":       {},
	"internal/http1":         {},
	"internal/identity":      {"internal/policy", "internal/sigv4"},
	"internal/identity/sts":  {"internal/identity", "internal/policy", "internal/sigv4"},
	"internal/lambdahost":    {},
	"internal/loadgen":       {},
	"internal/local": {"internal/console", "internal/deployment", "internal/dynamolocal", "internal/gateway", "internal/gobuild",
		"internal/identity", "internal/identity/sts", "internal/lambdahost", "internal/reach", "internal/secrets", "internal/shell", "internal/sigv4",
		"internal/spelling", "internal/stack", "internal/terminal"},
	"internal/movies":           {},
	"internal/movies/load":      {"internal/movies"},
	"internal/outfile":          {},
	"internal/policy":           {},
	"internal/policy/simulate":  {"internal/policy"},
	"internal/proxyevent":       {},
	"internal/reach":            {"internal/deployment", "internal/gateway", "internal/identity", "internal/policy", "internal/sigv4", "internal/stack", "internal/terminal"},
	"internal/review":           {"internal/deployment", "internal/identity", "internal/policy", "internal/reach", "internal/stack", "internal/terminal"},
	"internal/secrets":          {},
	"internal/shell":            {},
	"internal/sigv4":            {},
	"internal/spelling":         {},
	"internal/sidecar":          {"apiclient", "internal/http1", "internal/spelling"},
	"internal/stack":            {},
	"internal/terminal":         {},
	"internal/tools/benchratio": {},
	"internal/tools/settle":     {"internal/deploycheck"},
	"internal/tools/release":    {},
	"internal/tools/termsvg":    {"internal/terminal"},
	"internal/tools/scale":      {"internal/dynamolocal", "internal/movies", "internal/movies/load"},
	"internal/waiting":          {},
	"marqueetest":               {"apiclient", "internal/deployment", "internal/gateway", "internal/identity", "internal/spelling", "internal/stack"},

	// Helpers of tests, which ship with nothing.
	"internal/console/browser":        {},
	"internal/browsertest":            {},
	"internal/dynamolocal/dynamotest": {"internal/dynamolocal"},
	"internal/movies/moviestest":      {"internal/dynamolocal", "internal/dynamolocal/dynamotest", "internal/movies"},
}

// standardOnly are the leaves that import nothing but the standard library.
var standardOnly = []string{"internal/capture", "internal/gobuild", "internal/lambdahost", "internal/policy", "internal/sigv4", "internal/spelling"}

func TestImports(t *testing.T) {
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}}: {{join .Imports " "}}`, module+"/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		path, imports, _ := strings.Cut(strings.TrimSpace(line), ":")
		name := strings.TrimPrefix(path, module+"/")
		if name == "cmd/marquee" {
			continue
		}
		seen++
		may, ok := allowed[name]
		if !ok {
			t.Errorf("package %s has no place in the table", name)
		}
		for _, imported := range strings.Fields(imports) {
			own, ok := strings.CutPrefix(imported, module+"/")
			if ok && !slices.Contains(may, own) {
				t.Errorf("%s imports %s, which the table does not allow", name, own)
			}
			if slices.Contains(standardOnly, name) && strings.Contains(strings.Split(imported, "/")[0], ".") {
				t.Errorf("%s imports %s, but may use the standard library only", name, imported)
			}
		}
	}
	if seen < 10 {
		t.Fatalf("go list named %d packages: the test looked at nothing", seen)
	}
}
