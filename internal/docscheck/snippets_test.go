package docscheck_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// snippetImports are the packages that Go in the documents may name without importing them.
var snippetImports = map[string]string{
	"apiclient": "github.com/marquee-api/marquee/apiclient",
	"movielist": "github.com/marquee-api/marquee/apiclient/movielist",
	"aws":       "github.com/aws/aws-sdk-go-v2/aws",
	"config":    "github.com/aws/aws-sdk-go-v2/config",
	"context":   "context",
	"errors":    "errors",
	"fmt":       "fmt",
	"http":      "net/http",
	"time":      "time",
}

// snippet makes a file of a block: a file as it is, anything else as the body of a function that has what the mark gives.
func (b block) snippet(number int) (string, error) {
	given, ok := strings.CutPrefix(b.mark, "compiles")
	if !ok {
		return "", fmt.Errorf("%s: a block of Go without a mark: put <!-- compiles --> or <!-- compiles with ctx context.Context --> above it", b.place)
	}
	path, _, _ := strings.Cut(b.place, ":")
	text := fmt.Sprintf("//line %s:%d\n%s", filepath.Base(path), b.line, b.text)
	if strings.HasPrefix(b.text, "package ") {
		return text, nil
	}
	given, ok = strings.CutPrefix(given, " with ")
	if !ok && given != "" {
		return "", fmt.Errorf("%s: the mark %q is not understood", b.place, b.mark)
	}
	body := fmt.Sprintf("func Snippet%d(%s) error {\n%sreturn nil\n}\n", number, given, text)
	file, err := parser.ParseFile(token.NewFileSet(), "", "package snippets\n"+body, parser.SkipObjectResolution)
	if err != nil {
		return "", fmt.Errorf("%s: %w", b.place, err)
	}
	imports := make(map[string]bool)
	ast.Inspect(file, func(n ast.Node) bool {
		if selector, ok := n.(*ast.SelectorExpr); ok {
			if name, ok := selector.X.(*ast.Ident); ok && snippetImports[name.Name] != "" {
				imports[snippetImports[name.Name]] = true
			}
		}
		return true
	})
	var head strings.Builder
	head.WriteString("package snippets\n\n")
	for _, path := range slices.Sorted(maps.Keys(imports)) {
		fmt.Fprintf(&head, "import %q\n", path)
	}
	return head.String() + body, nil
}

// checkGo compiles files as one package of this module, and has a look at what the compiler lets pass: an error that
// nobody asks for, above all. It returns what is wrong.
func checkGo(t *testing.T, files []string) string {
	t.Helper()
	for _, tool := range [][]string{{"vet"}, {"tool", "staticcheck"}} {
		cmd := exec.CommandContext(t.Context(), "go", append(tool, files...)...)
		cmd.Dir = root
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Sprintf("go %s: %v\n%s", strings.Join(tool, " "), err, out)
		}
	}
	return ""
}

// Go in the documents compiles and looks at its errors.
func TestGoInTheDocuments(t *testing.T) {
	dir := t.TempDir()
	var files []string
	for _, path := range documents(t) {
		for _, b := range blocksIn(path, read(t, path), []string{"go"}) {
			text, err := b.snippet(len(files))
			if err != nil {
				t.Error(err)
				continue
			}
			files = append(files, b.write(t, dir, text))
		}
	}
	if len(files) < 3 {
		t.Fatalf("%d blocks of Go: the test looks at nothing", len(files))
	}
	if wrong := checkGo(t, files); wrong != "" {
		t.Error(wrong)
	}
}

// write puts a snippet into a file whose name says where it is from: not every tool heeds line directives.
func (b block) write(t *testing.T, dir, text string) string {
	t.Helper()
	file := filepath.Join(dir, strings.NewReplacer("/", "-", ":", "-").Replace(b.place)+".go")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	return file
}

// What the check is there for is found, and said where.
func TestSnippets(t *testing.T) {
	const with = "compiles with ctx context.Context, movies *movielist.Client"
	for name, tt := range map[string]struct {
		mark, text string
		want       string // empty: nothing is wrong
	}{
		"fine":                 {with, "_, err := movies.Get(ctx, 2013, \"Rush\")\nif err != nil {\n\treturn err\n}\n", ""},
		"a file":               {"compiles", "package snippets\n\nimport \"fmt\"\n\nfunc Hello() { fmt.Println() }\n", ""},
		"an error unused":      {with, "for movie, err := range movies.All(ctx, movielist.Filter{}) {\n\tfmt.Println(movie.Title)\n}\n", "D.md:7: declared and not used: err"},
		"an error overwritten": {with, "a, err := movies.Get(ctx, 1, \"a\")\nb, err := movies.Get(ctx, 2, \"b\")\nfmt.Println(a, b, err)\n", "docs-D.md-6.go:8:1: this value of err is never used"},
		"no such name":         {with, "fmt.Println(movies.Nothing())\n", "D.md:7: movies.Nothing undefined"},
		"no Go":                {with, "if {\n", "docs/D.md:6: "},
		"no mark":              {"", "fmt.Println()\n", "docs/D.md:6: a block of Go without a mark"},
		"another mark":         {"compiles: well", "fmt.Println()\n", "is not understood"},
	} {
		t.Run(name, func(t *testing.T) {
			got := ""
			b := block{place: "docs/D.md:6", line: 7, mark: tt.mark, text: tt.text}
			text, err := b.snippet(0)
			if err != nil {
				got = err.Error()
			} else {
				got = checkGo(t, []string{b.write(t, t.TempDir(), text)})
			}
			if tt.want == "" && got != "" || !strings.Contains(got, tt.want) {
				t.Errorf("got %q, want %q", got, tt.want)
			}
		})
	}
}
