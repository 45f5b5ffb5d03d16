package docscheck_test

import (
	"errors"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"unicode"
)

var (
	link    = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#+ +(.+?) *$`)
	fenced  = regexp.MustCompile("(?ms)^ *```.*?^ *```$")
)

// What a document links to within the project is there, its headings too. Other sites are theirs to keep.
func TestLinksLeadSomewhere(t *testing.T) {
	seen := 0
	for _, document := range documents(t) {
		text := fenced.ReplaceAllString(read(t, document), "")
		for _, found := range link.FindAllStringSubmatch(text, -1) {
			target := found[1]
			if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
				continue
			}
			seen++
			file, anchor, _ := strings.Cut(target, "#")
			to := document
			if file != "" {
				to = path.Join(path.Dir(document), file)
			}
			if _, err := os.Stat(filepath.Join(root, to)); errors.Is(err, fs.ErrNotExist) {
				t.Errorf("%s links to %s, and there is no %s", document, target, to)
				continue
			}
			if anchor != "" && !anchors(read(t, to))[anchor] {
				t.Errorf("%s links to %s, and %s has no such heading", document, target, to)
			}
		}
	}
	if seen < 20 {
		t.Fatalf("%d links: the test looks at nothing", seen)
	}
}

// Who reads the README finds every document.
func TestReadmeLinksEveryDocument(t *testing.T) {
	readme := read(t, "README.md")
	for _, document := range documents(t) {
		if strings.HasPrefix(document, "docs/") && !strings.Contains(readme, "]("+document+")") {
			t.Errorf("README.md does not link to %s", document)
		}
	}
}

// anchors are a document's headings as GitHub names them in links.
func anchors(text string) map[string]bool {
	names := map[string]bool{}
	for _, found := range heading.FindAllStringSubmatch(fenced.ReplaceAllString(text, ""), -1) {
		var b strings.Builder
		for _, r := range strings.ToLower(found[1]) {
			switch {
			case unicode.IsLetter(r), unicode.IsDigit(r), r == '-', r == '_':
				b.WriteRune(r)
			case r == ' ':
				b.WriteByte('-')
			}
		}
		names[b.String()] = true
	}
	return names
}

func TestAnchors(t *testing.T) {
	got := anchors("# One: two\n```\n# no heading\n```\n## What stays after `sam delete`\n")
	if len(got) != 2 || !got["one-two"] || !got["what-stays-after-sam-delete"] {
		t.Errorf("got %v", got)
	}
}
