package docscheck_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// Every text that the gateway can refuse with has an entry. The texts are read from its sources: what is added there is
// missed here.
func TestEveryRefusalIsExplained(t *testing.T) {
	document := read(t, "docs/troubleshooting.md")
	texts := append(refusalTexts(t, "internal/gateway"), refusalTexts(t, "internal/sigv4")...)
	for _, known := range []string{ // of AWS's documents and recorded answers: the reader of sources sees them all
		"Missing Authentication Token", "Forbidden", "Endpoint request timed out", "HTTP content length exceeded 10485760 bytes.",
		" with an explicit deny in ", "The security token included in the request is expired", "Credential should be scoped to a valid region. ",
		"X-Amz-Expires must be non-negative", "Missing required request parameters: [",
	} {
		if !slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(text, known) }) {
			t.Errorf("%q was not found in the sources: the test no longer sees every refusal", known)
		}
	}
	for _, text := range texts {
		for _, part := range constantParts(text) {
			if !strings.Contains(document, part) {
				t.Errorf("docs/troubleshooting.md has no entry with %q, a part of %q", part, text)
			}
		}
	}
}

// A denial is worded from its parts; each that can come has an entry of its own.
func TestEveryDenialIsExplained(t *testing.T) {
	document := read(t, "docs/troubleshooting.md")
	for _, kind := range []string{"identity-based policy", "resource-based policy", "VPC endpoint policy", "permissions boundary", "session policy"} {
		article := "a "
		if strings.HasPrefix(kind, "i") {
			article = "an "
		}
		for _, ending := range []string{"because no " + kind + " allows the execute-api:Invoke action", "with an explicit deny in " + article + kind} {
			if !strings.Contains(document, "`"+ending+"`") {
				t.Errorf("docs/troubleshooting.md has no entry %q", ending)
			}
		}
	}
}

// refusing are the functions whose texts are sent to callers: constructors of refusals, and the one that words a denial.
var refusing = regexp.MustCompile(`^(plain|spaced|refuse[A-Z]\w*|denied)$`)

// refusalTexts are the texts in the bodies of such functions and in calls of them, wherever in the package.
func refusalTexts(t *testing.T, dir string) []string {
	t.Helper()
	paths, err := filepath.Glob(filepath.Join(root, dir, "*.go"))
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	for _, path := range paths {
		if strings.HasSuffix(path, "_test.go") {
			continue
		}
		source, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		file, err := parser.ParseFile(token.NewFileSet(), path, source, parser.SkipObjectResolution)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(node ast.Node) bool {
			switch n := node.(type) {
			case *ast.FuncDecl:
				if refusing.MatchString(n.Name.Name) {
					texts = append(texts, literals(n.Body)...)
				}
			case *ast.CallExpr:
				if name, ok := n.Fun.(*ast.Ident); ok && refusing.MatchString(name.Name) {
					for _, argument := range n.Args {
						texts = append(texts, literals(argument)...)
					}
				}
			case *ast.CompositeLit:
				if name, ok := n.Type.(*ast.Ident); ok && name.Name == "Refusal" {
					texts = append(texts, literals(n)...)
				}
			}
			return true
		})
	}
	if len(texts) < 10 {
		t.Fatalf("%s has %d texts: the test looks at nothing", dir, len(texts))
	}
	return texts
}

// literals are the texts in a piece of code; those that are added up are one.
func literals(node ast.Node) []string {
	var texts []string
	ast.Inspect(node, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.BinaryExpr:
			if text, ok := sum(n); ok {
				texts = append(texts, text)
				return false
			}
		case *ast.BasicLit:
			if n.Kind == token.STRING {
				if text, err := strconv.Unquote(n.Value); err == nil {
					texts = append(texts, text)
				}
			}
		}
		return true
	})
	return texts
}

// sum is what an addition of texts gives; other operands stand as %s.
func sum(e ast.Expr) (string, bool) {
	switch e := e.(type) {
	case *ast.BinaryExpr:
		x, isX := sum(e.X)
		y, isY := sum(e.Y)
		if !isX {
			x = "%s"
		}
		if !isY {
			y = "%s"
		}
		return x + y, e.Op == token.ADD && (isX || isY)
	case *ast.BasicLit:
		if e.Kind == token.STRING {
			text, err := strconv.Unquote(e.Value)
			return text, err == nil
		}
	}
	return "", false
}

var (
	verb      = regexp.MustCompile(`%[-+#]?[0-9.]*[a-z]`)
	errorType = regexp.MustCompile(`^[A-Z]\w+Exception$|^[A-Z][A-Z0-9_]+$`) // of the header, and of a gateway response
)

// constantParts are the parts of a format that every refusal of it has. Punctuation alone, JSON around a text and names of
// types are nobody's search text.
func constantParts(text string) []string {
	var parts []string
	for _, line := range strings.Split(text, "\n") {
		for _, part := range verb.Split(line, -1) {
			part = strings.Trim(part, " '\"{}:[],().")
			if len(part) >= 6 && !errorType.MatchString(part) && part != "message" && part != "Message" {
				parts = append(parts, part)
			}
		}
	}
	return parts
}

func TestConstantParts(t *testing.T) {
	got := constantParts("Credential must have exactly %d elements, e.g. %s, got '%s'\nSee http://x.example")
	want := []string{"Credential must have exactly", "elements, e.g", "See http://x.example"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
