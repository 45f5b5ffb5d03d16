package shell_test

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/shell"
)

func TestQuote(t *testing.T) {
	for word, want := range map[string]string{
		"bin/marquee": "bin/marquee", "http://127.0.0.1:8080/dev": "http://127.0.0.1:8080/dev", "aws:amz:eu-west-1:execute-api": "aws:amz:eu-west-1:execute-api",
		"a%20b,c@d": "a%20b,c@d", "": "''", "a b": "'a b'", "it's": `'it'\''s'`, "$x": "'$x'", "a=b": "'a=b'", "=ls": "'=ls'", "é": "'é'",
	} {
		if got := shell.Quote(word); got != want {
			t.Errorf("%q: got %s, want %s", word, got, want)
		}
	}
}

// A real shell hands each word on as it is: to a command, and one in front of a command as the command's name.
func TestSecurityShellGetsWordsAsTheyAre(t *testing.T) {
	sh, err := exec.LookPath("sh")
	if err != nil {
		t.Skip("no sh")
	}
	words := []string{
		"plain", "", "it's", "'", "''", `$(touch x) "; rm -rf`, "a b\nc", "`id`", `back\slash`, "*?[~]", "!history", "é", "a=b", "~", "#", "-n", "{a,b}",
		"a;b", "a&b", "a|b", "<a", ">a", "(a)", "\t", "%1", "\x01\x7f\xff",
	}
	for i := range 127 { // every character but the one that ends texts
		words = append(words, string(rune(i+1)), "x"+string(rune(i+1))+"x")
	}
	var command strings.Builder
	command.WriteString(`printf '%s\0'`)
	for _, word := range words {
		command.WriteString(" " + shell.Quote(word))
	}
	out, err := exec.CommandContext(t.Context(), sh, "-c", command.String()).Output()
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(words, strings.Split(strings.TrimSuffix(string(out), "\x00"), "\x00")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	out, err = exec.CommandContext(t.Context(), sh, "-c", shell.Quote("x=set")+`; echo "x is <$x>"`).Output()
	if err != nil || string(out) != "x is <>\n" {
		t.Errorf("got %q, %v: the word set a variable", out, err)
	}
}
