package docscheck_test

import (
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var versionHeading = regexp.MustCompile(`(?m)^## \[([^\]]+)\](?: - \d{4}-\d{2}-\d{2})?$`)

// Each version has words for its release, in the form of Keep a Changelog, and a link.
func TestChangelog(t *testing.T) {
	bash, err := exec.LookPath("bash")
	if err != nil {
		missing(t, "bash")
	}
	text := read(t, "CHANGELOG.md")
	versions := versionHeading.FindAllStringSubmatch(text, -1)
	if len(versions) < 2 || versions[0][1] != "Unreleased" || strings.Count(text, "\n## ") != len(versions) {
		t.Fatalf("headings are %v: want Unreleased first, then versions with dates", versions)
	}
	script := filepath.Join(root, "scripts", "changelog")
	for _, version := range versions[1:] {
		if !strings.Contains(text, "\n["+version[1]+"]: https://") {
			t.Errorf("%s has no link at the end", version[1])
		}
		words, err := exec.CommandContext(t.Context(), bash, script, version[1]).Output()
		if err != nil || !strings.HasPrefix(string(words), "### ") || strings.Contains(string(words), "\n## ") {
			t.Errorf("the words of %s: %v, %q", version[1], err, words)
		}
	}
	if words, err := exec.CommandContext(t.Context(), bash, script, "0.0.99").Output(); err == nil {
		t.Errorf("a version that is not there has the words %q", words)
	}
}
