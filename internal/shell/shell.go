// Package shell writes words as a POSIX shell reads them, for the commands that are printed to be pasted.
//
// It runs nothing.
package shell

import "strings"

// Quote is a word as a shell takes it whole: plain where nothing in it means anything to a shell, else in single quotes. A
// word with a sign of equality is quoted: in front of a command it would set a variable, and zsh expands one at the start.
func Quote(word string) string {
	if word != "" && strings.IndexFunc(word, special) < 0 {
		return word
	}
	return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'"
}

// special reports whether a character may mean something to some shell.
func special(r rune) bool {
	return !(r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || strings.ContainsRune("_-./:@%,", r))
}
