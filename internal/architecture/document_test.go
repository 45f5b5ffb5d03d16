package architecture_test

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"
)

var write = flag.Bool("write", false, "write the packages into docs/architecture.md")

const (
	document = "../../docs/architecture.md"
	begin    = "<!-- packages: written by go test ./internal/architecture -write -->\n"
	end      = "<!-- packages: end -->\n"
)

// The document shows the packages as the table above has them and as they describe themselves.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile(document)
	if err != nil {
		t.Fatal(err)
	}
	before, rest, begins := strings.Cut(string(text), begin)
	_, after, ends := strings.Cut(rest, end)
	if !begins || !ends {
		t.Fatalf("%s has no place between %q and %q", document, begin, end)
	}
	want := before + begin + packages(t) + end + after
	if string(text) == want {
		return
	}
	if !*write {
		t.Fatalf("%s does not show the packages as they are: run go test ./internal/architecture -write", document)
	}
	if err := os.WriteFile(document, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

// packages are the table and the graph of the document.
func packages(t *testing.T) string {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "list", "-f", `{{.ImportPath}}: {{if .GoFiles}}{{.Doc}}{{else}}(tests only){{end}}`, module+"/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	says := map[string]string{}
	for line := range strings.Lines(string(out)) {
		path, doc, _ := strings.Cut(strings.TrimSpace(line), ": ")
		says[strings.TrimPrefix(path, module+"/")] = doc
	}
	var b strings.Builder
	b.WriteString("\n| Package | What it says of itself | May import |\n| --- | --- | --- |\n")
	for _, name := range slices.Sorted(maps.Keys(allowed)) {
		may := make([]string, len(allowed[name]))
		for i, other := range slices.Sorted(slices.Values(allowed[name])) {
			may[i] = "`" + other + "`"
		}
		if says[name] == "" {
			t.Errorf("package %s says nothing of itself: give it a package comment", name)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", name, strings.ReplaceAll(says[name], "|", `\|`), strings.Join(may, ", "))
	}
	b.WriteString("\n```mermaid\nflowchart LR\n")
	for _, name := range slices.Sorted(maps.Keys(allowed)) {
		for _, other := range slices.Sorted(slices.Values(allowed[name])) {
			if inGraph(name) {
				fmt.Fprintf(&b, "  %s --> %s\n", node(name), node(other))
			}
		}
	}
	b.WriteString("```\n\n")
	return b.String()
}

// inGraph leaves out what ships with nothing: a graph of everything shows nothing.
func inGraph(name string) bool {
	return !strings.HasPrefix(name, "internal/tools/") && !strings.HasPrefix(name, "examples/") && !strings.HasSuffix(name, "test")
}

// node is a package in the graph.
func node(name string) string {
	name = strings.TrimPrefix(name, "internal/")
	return strings.ReplaceAll(name, "/", "_") + `["` + name + `"]`
}
