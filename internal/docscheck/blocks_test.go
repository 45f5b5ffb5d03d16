package docscheck_test

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"mvdan.cc/sh/v3/syntax"
)

// root is the module's folder.
const root = "../.."

// documents are those that are checked, by their paths from the root, README.md first.
func documents(t *testing.T) []string {
	t.Helper()
	paths := []string{"README.md"}
	found, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range found {
		paths = append(paths, "docs/"+filepath.Base(path))
	}
	for _, name := range []string{"CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md"} {
		if _, err := os.Stat(filepath.Join(root, name)); err == nil {
			paths = append(paths, name)
		}
	}
	if len(paths) < 5 {
		t.Fatalf("documents are %v: the test looks at nothing", paths)
	}
	return paths
}

// block is a fenced block of shell, or of Go.
type block struct {
	place  string // "README.md:12"
	prompt bool   // language console
	text   string
	line   int    // of the text, for messages about a part of it
	mark   string // what the comment above says, without its marks; empty: there is none
}

var (
	comment = regexp.MustCompile(`^<!--\s*(.*?)\s*-->$`)
	shells  = []string{"sh", "bash", "shell", "console"}
)

// blocksOf finds the shell in a document.
func blocksOf(path, text string) []block { return blocksIn(path, text, shells) }

// blocksIn finds the blocks in some languages.
func blocksIn(path, text string, languages []string) []block {
	var (
		blocks []block
		open   *block
		fence  string
		mark   string
	)
	for i, line := range strings.Split(text, "\n") {
		trimmed := strings.TrimSpace(line)
		switch {
		case fence != "" && trimmed == fence:
			if open != nil {
				blocks = append(blocks, *open)
			}
			open, fence, mark = nil, "", ""
		case fence != "":
			if open != nil {
				open.text += line + "\n"
			}
		case strings.HasPrefix(trimmed, "```"):
			language := strings.TrimLeft(trimmed, "`")
			fence = trimmed[:len(trimmed)-len(language)]
			if slices.Contains(languages, language) {
				open = &block{place: fmt.Sprintf("%s:%d", path, i+1), prompt: language == "console", line: i + 2, mark: mark}
			}
		case comment.MatchString(trimmed):
			mark = comment.FindStringSubmatch(trimmed)[1]
		case trimmed != "":
			mark = ""
		}
	}
	return blocks
}

// step is one command of a block, and what has to come of it.
type step struct {
	command string
	status  int
	shows   []string // in this order
}

var exitStatus = regexp.MustCompile(`exit status (\d+)`)

// steps splits the shell of a block into its commands.
func (b block) steps() ([]step, error) {
	if !b.prompt {
		return commands(b.text)
	}
	var (
		steps []step
		last  *step
	)
	for line := range strings.Lines(b.text) {
		line = strings.TrimRight(line, "\n")
		if text, ok := strings.CutPrefix(line, "$ "); ok {
			parsed, err := commands(text)
			if err != nil {
				return nil, err
			}
			steps = append(steps, parsed...)
			last = &steps[len(steps)-1]
			continue
		}
		if last == nil {
			return nil, fmt.Errorf("%q comes before the first prompt", line)
		}
		if strings.TrimSpace(line) != "" {
			last.shows = append(last.shows, line)
		}
	}
	return steps, nil
}

func commands(script string) ([]step, error) {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(script), "")
	if err != nil {
		return nil, err
	}
	var steps []step
	for _, stmt := range file.Stmts {
		end := int(stmt.End().Offset())
		rest, _, _ := strings.Cut(script[end:], "\n")
		s := step{command: script[stmt.Pos().Offset():end]}
		if found := exitStatus.FindStringSubmatch(rest); found != nil {
			if s.status, err = strconv.Atoi(found[1]); err != nil {
				return nil, err
			}
		}
		steps = append(steps, s)
	}
	return steps, nil
}

// programs are the programs that a block calls.
func (b block) programs() ([]string, error) {
	steps, err := b.steps()
	if err != nil {
		return nil, err
	}
	var names []string
	for _, s := range steps {
		file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(s.command), "")
		if err != nil {
			return nil, err
		}
		syntax.Walk(file, func(node syntax.Node) bool {
			if call, ok := node.(*syntax.CallExpr); ok && len(call.Args) > 0 {
				names = append(names, call.Args[0].Lit())
			}
			return true
		})
	}
	return names, nil
}

// runs says whether the block is marked to be run, and what its output has to hold.
func (b block) runs() (run bool, shows []string, err error) {
	rest, ok := strings.CutPrefix(b.mark, "runs")
	if !ok {
		return false, nil, nil
	}
	rest, ok = strings.CutPrefix(rest, ": shows ")
	if !ok {
		if rest != "" {
			return false, nil, fmt.Errorf("the mark %q is not understood", b.mark)
		}
		return true, nil, nil
	}
	for rest != "" {
		quoted, err := strconv.QuotedPrefix(rest)
		if err != nil {
			return false, nil, fmt.Errorf("the mark %q: want quoted texts with commas", b.mark)
		}
		text, err := strconv.Unquote(quoted)
		if err != nil {
			return false, nil, err
		}
		shows = append(shows, text)
		rest = strings.TrimPrefix(strings.TrimPrefix(rest, quoted), ", ")
	}
	return true, shows, nil
}

func read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// Nothing is silently untested: each block of shell is run, or says why it is not, and is shell in any case.
func TestEveryBlockIsMarked(t *testing.T) {
	seen, run := 0, 0
	for _, path := range documents(t) {
		for _, b := range blocksOf(path, read(t, path)) {
			seen++
			runs, _, err := b.runs()
			if err != nil {
				t.Errorf("%s: %v", b.place, err)
			}
			reason, notRun := strings.CutPrefix(b.mark, "not run: ")
			switch {
			case runs:
				run++
			case !notRun:
				t.Errorf("%s: a block of shell without a mark: put <!-- runs --> or <!-- not run: why --> above it", b.place)
			case len(reason) < len("a server"):
				t.Errorf("%s: %q is no reason for not being run", b.place, reason)
			}
			if _, err := b.steps(); err != nil {
				t.Errorf("%s: %v", b.place, err)
			}
		}
	}
	if seen < 5 || run < 3 {
		t.Fatalf("%d blocks, %d of them run: the test looks at nothing", seen, run)
	}
}

func TestBlocks(t *testing.T) {
	text := strings.Join([]string{
		"<!-- runs: shows \"a, b\", \"c\" -->", "```sh", "one 'x", "y' && two # exit status 4", "three", "```", "", "```js", "const sh = 1", "```",
		"<!-- runs -->", "Words between a mark and its block take the mark away.", "", "```console", "$ one; two", "out", "…put", "$ three", "```",
	}, "\n")
	blocks := blocksOf("d.md", text)
	if len(blocks) != 2 || blocks[0].place != "d.md:2" || blocks[1].mark != "" {
		t.Fatalf("got %+v", blocks)
	}
	steps, err := blocks[0].steps()
	if err != nil || len(steps) != 2 || steps[0].command != "one 'x\ny' && two" || steps[0].status != 4 || steps[1].status != 0 {
		t.Errorf("got %+v, %v", steps, err)
	}
	if run, shows, err := blocks[0].runs(); !run || err != nil || !slices.Equal(shows, []string{"a, b", "c"}) {
		t.Errorf("got %v %q %v", run, shows, err)
	}
	steps, err = blocks[1].steps()
	if err != nil || len(steps) != 3 || !slices.Equal(steps[1].shows, []string{"out", "…put"}) || steps[0].shows != nil {
		t.Errorf("got %+v, %v", steps, err)
	}
	names, err := blocks[1].programs()
	if err != nil || !slices.Equal(names, []string{"one", "two", "three"}) {
		t.Errorf("got %v, %v", names, err)
	}
	for _, wrong := range []string{"runs: maybe", "runs: shows a"} {
		if _, _, err := (block{mark: wrong}).runs(); err == nil {
			t.Errorf("the mark %q is accepted", wrong)
		}
	}
}
