package architecture_test

import (
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// testName is a test as the table of docs/fidelity.md names it: `gateway.TestRefusals/unsigned`.
var testName = regexp.MustCompile("`([a-z0-9/]+)\\.((?:Test|Fuzz)[A-Za-z0-9_]+)(?:/([^`]+))?`")

// Every test that the document names exists, and so does the case of its table.
func TestFidelityNamesTestsThatExist(t *testing.T) {
	root := filepath.Join("..", "..")
	document, err := os.ReadFile(filepath.Join(root, "docs", "fidelity.md"))
	if err != nil {
		t.Fatal(err)
	}
	found := testName.FindAllStringSubmatch(string(document), -1)
	if len(found) < 150 {
		t.Fatalf("the document names %d tests: the pattern or the table is broken", len(found))
	}
	sources := map[string]string{}
	for _, f := range found {
		folder, name, row := f[1], f[2], f[3]
		if _, read := sources[folder]; !read {
			sources[folder] = testsOf(t, root, folder)
		}
		if !strings.Contains(sources[folder], "\nfunc "+name+"(") {
			t.Errorf("%s.%s does not exist", folder, name)
		}
		if row != "" && !strings.Contains(sources[folder], strconv.Quote(row)) {
			t.Errorf("%s has no case %q", folder, row)
		}
	}
}

// testsOf is the text of a package's tests.
func testsOf(t *testing.T, root, folder string) string {
	t.Helper()
	var text strings.Builder
	for _, place := range []string{filepath.Join(root, "internal", folder), filepath.Join(root, folder)} {
		names, err := filepath.Glob(filepath.Join(place, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, name := range names {
			source, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			text.Write(source)
		}
	}
	return text.String()
}
