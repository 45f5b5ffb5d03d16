// Package terminal says what the other end of an output stream can show: colours or none, how many columns, and paints
// text accordingly.
//
// It prints nothing and reads no environment of its own: both are the caller's. A stream that is no terminal gets plain
// text and is never cut, because somebody will search it.
package terminal

import (
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/charmbracelet/lipgloss"
	"github.com/charmbracelet/x/ansi"
	"github.com/muesli/termenv"
	"golang.org/x/term"
)

// Terminal is one output stream. The zero value is plain text of unbounded width.
type Terminal struct {
	file     *os.File // nil unless the stream is a terminal
	columns  int      // in place of the terminal's own, for tests; 0: ask it
	colour   bool
	renderer *lipgloss.Renderer
}

// Of looks at a stream and at the variables by which people choose colours. The first that is set decides:
//
//	NO_COLOR        not empty: none (no-color.org)
//	FORCE_COLOR     0 or false: none; else colours wherever the stream leads
//	CLICOLOR_FORCE  not 0: colours wherever the stream leads
//	CLICOLOR        0: none
//	TERM            dumb: none
//
// Without any of them a terminal gets colours and everything else does not.
func Of(w io.Writer, getenv func(string) string) Terminal {
	var t Terminal
	if file, ok := w.(*os.File); ok && term.IsTerminal(int(file.Fd())) {
		t.file = file
	}
	t.colour = wantsColour(t.file != nil, getenv)
	if t.colour {
		if t.file != nil {
			// An old console of Windows shows escape sequences as text unless it is told to follow them; elsewhere this
			// does nothing. The setting outlives the process, which is what later programs expect of it.
			_, _ = termenv.EnableVirtualTerminalProcessing(termenv.NewOutput(t.file))
		}
		t.renderer = lipgloss.NewRenderer(io.Discard)
		t.renderer.SetColorProfile(termenv.ANSI)
	}
	return t
}

func wantsColour(terminal bool, getenv func(string) string) bool {
	force, colour := getenv("FORCE_COLOR"), getenv("CLICOLOR_FORCE")
	switch {
	case getenv("NO_COLOR") != "":
		return false
	case force != "":
		on, err := strconv.ParseBool(force)
		return on || err != nil // "3" is a depth, which wants colours too
	case colour != "":
		return colour != "0"
	case getenv("CLICOLOR") == "0" || getenv("TERM") == "dumb":
		return false
	}
	return terminal
}

// Colour reports whether the stream gets colours.
func (t Terminal) Colour() bool { return t.colour }

// IsTerminal reports whether a person looks at the stream.
func (t Terminal) IsTerminal() bool { return t.file != nil || t.columns > 0 }

// Columns is the width of the terminal now, which changes with its window; 0: unbounded, as of a file.
func (t Terminal) Columns() int {
	if t.columns > 0 || t.file == nil {
		return t.columns
	}
	width, _, err := term.GetSize(int(t.file.Fd()))
	if err != nil {
		return 0
	}
	return width
}

// WithColumns is the same stream as if it were a terminal of a fixed width.
func (t Terminal) WithColumns(n int) Terminal {
	t.columns = n
	return t
}

// Ink is how a piece of text is painted. The colours are the sixteen that a terminal's theme chooses, so that they are
// readable on light and dark.
type Ink int

// The inks.
const (
	Plain Ink = iota
	Faint
	Bold
	Red
	Green
	Yellow
	Cyan
)

var colours = map[Ink]lipgloss.Color{Red: "1", Green: "2", Yellow: "3", Cyan: "6"}

// Paint returns the text in an ink, or as it is on a stream without colours.
func (t Terminal) Paint(ink Ink, text string) string {
	if !t.colour || ink == Plain || text == "" {
		return text
	}
	style := t.renderer.NewStyle()
	switch ink {
	case Faint:
		style = style.Faint(true)
	case Bold:
		style = style.Bold(true)
	default:
		style = style.Foreground(colours[ink])
	}
	return style.Render(text)
}

// Width is how many columns a text takes: a Korean syllable two, an accent over a letter none.
func Width(text string) int { return ansi.StringWidth(text) }

// Pad fills a text up to a width with spaces, on its left if the width is negative.
func Pad(text string, width int) string {
	if width < 0 {
		return strings.Repeat(" ", max(-width-Width(text), 0)) + text
	}
	return text + strings.Repeat(" ", max(width-Width(text), 0))
}

// Cut shortens a text that is wider than width at its end and says so with an ellipsis; 0 cuts nothing.
func Cut(text string, width int) string {
	if width <= 0 {
		return text
	}
	return ansi.Truncate(text, width, "…")
}

// CutMiddle shortens like Cut, in the middle: of a path the end says more than what is before it.
func CutMiddle(text string, width int) string {
	full := Width(text)
	if width <= 0 || full <= width {
		return text
	}
	head := ansi.Truncate(text, (width-1)/2, "")
	room := width - 1 - Width(head)
	tail := ansi.TruncateLeft(text, full-room, "")
	if Width(tail) > room { // the cut went through a character of two columns
		tail = ansi.TruncateLeft(tail, 2, "")
	}
	return head + "…" + tail
}

// Wrap breaks a text into lines of at most width columns, at spaces where there are any; 0 breaks nothing.
func Wrap(text string, width int) []string {
	if width <= 0 {
		return []string{text}
	}
	return strings.Split(ansi.Wrap(text, width, ""), "\n")
}
