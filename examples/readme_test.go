package examples_test

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

func read(t *testing.T, path string) string {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// TestEachExampleIsRun makes a folder without a test, or without a row in the table, fail.
func TestEachExampleIsRun(t *testing.T) {
	readme := read(t, "README.md")
	run := slices.Clone(elsewhere)
	for _, e := range programs {
		run = append(run, e.name)
	}
	folders, err := os.ReadDir(".")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, folder := range folders {
		name := folder.Name()
		if !folder.IsDir() || name == "testdata" {
			continue
		}
		seen++
		if !slices.Contains(run, name) {
			t.Errorf("no test runs examples/%s", name)
		}
		if !strings.Contains(readme, "]("+name+")") {
			t.Errorf("examples/README.md has no row that links to %s", name)
		}
	}
	if seen < len(programs) {
		t.Fatalf("found %d examples, want at least %d", seen, len(programs))
	}
}

// TestReadmesSayWhatIsRun holds the commands of the tests against those that people are told to type.
func TestReadmesSayWhatIsRun(t *testing.T) {
	for _, e := range programs {
		readme := read(t, filepath.Join(e.name, "README.md"))
		command := strings.Join(e.command, " ")
		refused := strings.Join(append(slices.Clone(e.command), e.refused.args...), " ")
		for profile, want := range map[string]string{"writer": command, "stranger": refused} {
			line := regexp.MustCompile(`(?m)^AWS_PROFILE=` + profile + ` (\.venv/bin/)?` + regexp.QuoteMeta(want) + `( |$)`)
			if !line.MatchString(readme) {
				t.Errorf("examples/%s/README.md does not say %q with AWS_PROFILE=%s", e.name, want, profile)
			}
		}
	}
}

var link = regexp.MustCompile(`\]\(([^)#]+)(#[^)]*)?\)`)

// TestLinks follows the links of the READMEs that lead to files of the project.
func TestLinks(t *testing.T) {
	readmes, err := filepath.Glob("*/README.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := 0
	for _, readme := range append(readmes, "README.md") {
		for _, found := range link.FindAllStringSubmatch(read(t, readme), -1) {
			if strings.Contains(found[1], "://") {
				continue
			}
			seen++
			if _, err := os.Stat(filepath.Join(filepath.Dir(readme), found[1])); err != nil {
				t.Errorf("examples/%s links to %s: %v", readme, found[1], err)
			}
		}
	}
	if seen < len(programs) {
		t.Fatalf("found %d links, want at least one for each example", seen)
	}
}
