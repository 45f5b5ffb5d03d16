package main

import (
	"bytes"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"mvdan.cc/sh/v3/expand"
	"mvdan.cc/sh/v3/syntax"
)

// quiet is an environment that knows nothing and prints nowhere.
func quiet() environment {
	return environment{Command: "marquee", Getenv: func(string) string { return "" }, Stdin: strings.NewReader(""), Stdout: io.Discard, Stderr: io.Discard}
}

// ownCommands are all commands but those that cobra brings.
func ownCommands(t *testing.T) []*cobra.Command {
	t.Helper()
	var own []*cobra.Command
	for _, cmd := range commandsOf(newRootCommand(quiet())) {
		if path := cmd.CommandPath(); path != "marquee help" && !strings.HasPrefix(path, "marquee completion") {
			own = append(own, cmd)
		}
	}
	if len(own) < 8 {
		t.Fatalf("%d commands: the test looks at nothing", len(own))
	}
	return own
}

func TestEveryCommandExplainsItself(t *testing.T) {
	for _, cmd := range ownCommands(t) {
		t.Run(cmd.CommandPath(), func(t *testing.T) {
			if cmd.Short == "" || cmd.Long == "" || cmd.Example == "" {
				t.Errorf("--help lacks one of: short %q, long %q, example %q", cmd.Short, cmd.Long, cmd.Example)
			}
			if strings.HasSuffix(cmd.Short, ".") {
				t.Errorf("the short text %q ends in a full stop", cmd.Short)
			}
			cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
				if f.Usage == "" {
					t.Errorf("--%s says nothing of itself", f.Name)
				}
			})
		})
	}
}

// Each example is a line that the program understands: the command is there, and so are its flags, their values are of
// the right kind and the arguments as many as it takes.
func TestExamplesAreUnderstood(t *testing.T) {
	for _, cmd := range ownCommands(t) {
		t.Run(cmd.CommandPath(), func(t *testing.T) {
			calls := callsIn(t, cmd.Example)
			if len(calls) == 0 {
				t.Fatalf("no example calls marquee:\n%s", cmd.Example)
			}
			shown := false
			for _, args := range calls {
				found, err := understand(args)
				if err != nil {
					t.Errorf("marquee %s: %v", strings.Join(args, " "), err)
				}
				shown = shown || found == cmd.CommandPath()
			}
			if !shown && cmd.HasParent() && cmd.Runnable() {
				t.Errorf("no example shows %s itself", cmd.CommandPath())
			}
		})
	}
}

func TestExamplesThatAreNotUnderstood(t *testing.T) {
	tests := map[string]struct{ example, want string }{
		"a flag that is not there":    {"marquee call --colour /x", "unknown flag: --colour"},
		"a value of the wrong kind":   {"marquee call --retry often /x", `invalid argument "often"`},
		"too many arguments":          {"marquee call GET /x /y", "accepts between 1 and 2"},
		"a command that is not there": {"marquee cal /x", "unknown command"},
		"flags that exclude another":  {"marquee explain -d x --body y", "[body data] were all set"},
		"inside another command":      {`curl "$(marquee call --presing /x)"`, "unknown flag: --presing"},
		"behind a pipe":               {"curl x | marquee explain --jsn", "unknown flag: --jsn"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			calls := callsIn(t, tt.example)
			if len(calls) != 1 {
				t.Fatalf("got %v, want one call", calls)
			}
			if _, err := understand(calls[0]); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want an error with %q", err, tt.want)
			}
		})
	}
}

// understand reads a command line as the program would, without running it. It returns the command's path.
func understand(args []string) (string, error) {
	root := newRootCommand(quiet())
	cmd, rest, err := root.Find(args)
	if err != nil {
		return "", err
	}
	if err := cmd.ParseFlags(rest); err != nil {
		return "", err
	}
	if cmd == root && len(rest) > 0 && cmd.Flags().NArg() > 0 {
		return "", cmd.RunE(cmd, rest)
	}
	if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
		return "", err
	}
	if err := cmd.ValidateRequiredFlags(); err != nil {
		return "", err
	}
	return cmd.CommandPath(), cmd.ValidateFlagGroups()
}

// remark is a description in a column of its own, behind a command that nobody would write two spaces into.
var remark = regexp.MustCompile(`(\S)\s{2,}[^#\s\\].*$`)

// callsIn are the arguments of every call of marquee in a piece of shell, wherever it stands. Variables are "value".
func callsIn(t *testing.T, script string) [][]string {
	t.Helper()
	var lines []string
	for line := range strings.Lines(script) {
		lines = append(lines, remark.ReplaceAllString(strings.TrimRight(line, "\n"), "$1"))
	}
	file, err := syntax.NewParser().Parse(strings.NewReader(strings.Join(lines, "\n")), "example")
	if err != nil {
		t.Fatalf("the examples are no shell: %v", err)
	}
	values := &expand.Config{
		Env:      expand.FuncEnviron(func(string) string { return "value" }),
		CmdSubst: func(w io.Writer, _ *syntax.CmdSubst) error { _, err := io.WriteString(w, "value"); return err },
	}
	var calls [][]string
	syntax.Walk(file, func(node syntax.Node) bool {
		call, ok := node.(*syntax.CallExpr)
		if !ok {
			return true
		}
		words, err := expand.Fields(values, call.Args...)
		if err != nil {
			t.Fatal(err)
		}
		if len(words) > 0 && filepath.Base(words[0]) == "marquee" {
			calls = append(calls, words[1:])
		}
		return true
	})
	return calls
}

// The README's table has a line for each command, and for no other.
func TestReadmeNamesEveryCommand(t *testing.T) {
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	named := map[string]bool{}
	for _, found := range regexp.MustCompile("(?m)^\\| `(marquee [a-z]+)` \\|").FindAllStringSubmatch(string(readme), -1) {
		named[found[1]] = true
	}
	want := map[string]bool{}
	for _, cmd := range ownCommands(t) {
		if cmd.HasParent() && !cmd.Hidden && cmd.Name() != "version" {
			want[cmd.CommandPath()] = true
		}
	}
	if diff := cmp.Diff(want, named); diff != "" {
		t.Errorf("commands (-program +README):\n%s", diff)
	}
}

// A command line that is not understood says what to do about it.
func TestMistypedLinesNameTheNextStep(t *testing.T) {
	tests := map[string]struct {
		args []string
		want string
	}{
		"a near miss":    {[]string{"cal", "/x"}, "unknown command \"cal\": did you mean call"},
		"nothing near":   {[]string{"frobnicate"}, "`marquee --help` lists the commands"},
		"unknown flag":   {[]string{"call", "--colour", "/x"}, "`marquee call --help` lists the flags"},
		"no arguments":   {[]string{"call"}, "it is called as `marquee call [METHOD] PATH [flags]`"},
		"arguments":      {[]string{"version", "now"}, "`marquee version --help` says more"},
		"a flag's value": {[]string{"call", "--retry", "often", "/x"}, "`marquee call --help` lists the flags"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var stderr bytes.Buffer
			env := quiet()
			env.Stderr = &stderr
			if status := run(t.Context(), tt.args, env); status != 1 {
				t.Errorf("exit status %d, want 1", status)
			}
			if got := stderr.String(); !strings.Contains(got, tt.want) || strings.Count(got, "\n") != 1 {
				t.Errorf("got %q, want one line with %q", got, tt.want)
			}
		})
	}
}

// The manual has a page for each command, with what --help has.
func TestManual(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "man")
	if status := run(t.Context(), []string{"man", dir}, quiet()); status != 0 {
		t.Fatalf("exit status %d", status)
	}
	for _, cmd := range ownCommands(t) {
		if cmd.Hidden {
			continue
		}
		name := strings.ReplaceAll(cmd.CommandPath(), " ", "-") + ".1"
		page, err := os.ReadFile(filepath.Join(dir, name))
		if err != nil {
			t.Error(err)
			continue
		}
		cmd.LocalFlags().VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(strings.ReplaceAll(string(page), `\-`, "-"), "--"+f.Name+`\fP`) {
				t.Errorf("%s lacks --%s", name, f.Name)
			}
		})
		if !strings.Contains(string(page), ".SH EXAMPLE") {
			t.Errorf("%s has no examples", name)
		}
	}
}

func TestManualIsTheSameForTheSameCommit(t *testing.T) {
	pages := func(epoch string) string {
		dir := t.TempDir()
		env := quiet()
		env.Getenv = func(name string) string { return map[string]string{"SOURCE_DATE_EPOCH": epoch}[name] }
		if status := run(t.Context(), []string{"man", dir}, env); status != 0 {
			t.Fatalf("exit status %d", status)
		}
		page, err := os.ReadFile(filepath.Join(dir, "marquee-call.1"))
		if err != nil {
			t.Fatal(err)
		}
		return string(page)
	}
	if first := pages("1700000000"); first != pages("1700000000") || !strings.Contains(first, `"Nov 2023"`) {
		t.Errorf("want the same page twice, of November 2023, got %q", strings.SplitN(first, "\n", 4)[:3])
	}
}
