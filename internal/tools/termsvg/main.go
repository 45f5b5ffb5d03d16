// Command termsvg draws what a terminal showed, as a picture for a document: text with colours in, SVG out.
//
//	termsvg -columns 100 -seconds 2 frame1 frame2 … >session.svg
//
// A frame is the screen at one moment, its colours as escape sequences (SGR of ECMA-48), as `tmux capture-pane -e -p`
// prints it. Several frames follow one another for ever; who wants no motion sees the last one. It runs no program and
// emulates no terminal: what moves a cursor is dropped.
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"html"
	"io"
	"os"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/marquee-api/marquee/internal/terminal"
)

func main() {
	if err := run(os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "termsvg:", err)
		os.Exit(1)
	}
}

func run(args []string, out io.Writer) error {
	flags := flag.NewFlagSet("termsvg", flag.ContinueOnError)
	columns := flags.Int("columns", 100, "the width of the terminal")
	seconds := flags.Float64("seconds", 2, "how long each frame is shown")
	title := flags.String("title", "A terminal", "what the picture shows, for those who do not see it")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() == 0 {
		return errors.New("no frames: name the files that hold them")
	}
	var frames [][]string
	for _, path := range flags.Args() {
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		frames = append(frames, strings.Split(strings.TrimRight(string(text), "\n"), "\n"))
	}
	_, err := out.Write(picture{*columns, *seconds, *title}.draw(frames))
	return err
}

// Sizes in pixels of a character of the font, which every line is set in.
const (
	charWidth  = 7.8
	lineHeight = 17
	margin     = 14
)

type picture struct {
	columns int
	seconds float64
	title   string
}

func (p picture) draw(frames [][]string) []byte {
	lines := 0
	for _, frame := range frames {
		lines = max(lines, len(frame))
	}
	width, height := float64(p.columns)*charWidth+2*margin, lines*lineHeight+2*margin
	var b bytes.Buffer
	fmt.Fprintf(&b, `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 %.0f %d" width="%.0f" role="img" aria-label="%s" xml:space="preserve">`+"\n",
		width, height, width, html.EscapeString(p.title))
	fmt.Fprintf(&b, "<style>\n%s", style)
	if len(frames) > 1 {
		total := p.seconds * float64(len(frames))
		fmt.Fprintf(&b, ".f{visibility:hidden;animation:f %.1fs step-end infinite}\n@keyframes f{0%%{visibility:visible}%.4f%%{visibility:hidden}}\n", total, 100/float64(len(frames)))
		for i := range frames {
			fmt.Fprintf(&b, "#f%d{animation-delay:%.1fs}\n", i, p.seconds*float64(i))
		}
		fmt.Fprintf(&b, "@media (prefers-reduced-motion:reduce){.f{animation:none}#f%d{visibility:visible}}\n", len(frames)-1)
	}
	b.WriteString("</style>\n")
	fmt.Fprintf(&b, `<rect width="100%%" height="100%%" rx="8" class="b"/>`+"\n")
	for i, frame := range frames {
		fmt.Fprintf(&b, `<g class="f" id="f%d">`+"\n", i)
		var now look // goes on from line to line, as a terminal's does
		for row, line := range frame {
			now.writeLine(&b, row, line)
		}
		b.WriteString("</g>\n")
	}
	b.WriteString("</svg>\n")
	return b.Bytes()
}

const style = `text{font:13px ui-monospace,SFMono-Regular,Menlo,Consolas,"DejaVu Sans Mono",monospace;fill:#d8dee9;white-space:pre}
.b{fill:#1b2028}.bold{font-weight:bold}.faint{fill:#8a94a6}.c1{fill:#f0777c}.c2{fill:#8fcf8a}.c3{fill:#e8c479}.c4{fill:#7fb0ee}.c5{fill:#c79be8}.c6{fill:#6fc7d4}.c7{fill:#d8dee9}
`

var escape = regexp.MustCompile(`\x1b\[([0-9;:?]*)([A-Za-z])|\x1b[()][A-Z0-9]|[\x00-\x08\x0b-\x1f]`)

// writeLine writes a line of a frame as runs of one look, each at its column: fonts differ, columns do not move.
func (l *look) writeLine(b *bytes.Buffer, row int, line string) {
	var runs strings.Builder
	column, from := 0, 0
	emit := func(text string) {
		if strings.TrimSpace(text) != "" {
			fmt.Fprintf(&runs, `<tspan x="%.1f"%s>%s</tspan>`, margin+float64(column)*charWidth, l.class(), html.EscapeString(text))
		}
		column += terminal.Width(text)
	}
	for _, at := range escape.FindAllStringSubmatchIndex(line, -1) {
		emit(line[from:at[0]])
		from = at[1]
		if at[4] >= 0 && line[at[4]:at[5]] == "m" {
			l.apply(line[at[2]:at[3]])
		}
	}
	emit(line[from:])
	if runs.Len() > 0 {
		fmt.Fprintf(b, "<text y=\"%d\">%s</text>\n", margin+row*lineHeight+lineHeight*3/4, runs.String())
	}
}

// look is how text is shown: one of the eight colours, bold, faint.
type look struct {
	colour      int // 0: the usual one
	bold, faint bool
}

// apply follows an SGR sequence. Backgrounds and finer colours are left out: nothing here uses them.
func (l *look) apply(codes string) {
	for code := range strings.SplitSeq(codes, ";") {
		n, err := strconv.Atoi(code)
		switch {
		case code == "" || n == 0 && err == nil:
			*l = look{}
		case err != nil:
		case n == 1:
			l.bold = true
		case n == 2:
			l.faint = true
		case n == 22:
			l.bold, l.faint = false, false
		case n >= 31 && n <= 37:
			l.colour = n - 30
		case n >= 91 && n <= 97:
			l.colour = n - 90
		case n == 30 || n == 39 || n == 90:
			l.colour = 0
		}
	}
}

func (l look) class() string {
	var names []string
	if l.colour > 0 {
		names = append(names, "c"+strconv.Itoa(l.colour))
	}
	if l.bold {
		names = append(names, "bold")
	}
	if l.faint && l.colour == 0 {
		names = append(names, "faint")
	}
	if len(names) == 0 {
		return ""
	}
	return ` class="` + strings.Join(slices.Sorted(slices.Values(names)), " ") + `"`
}
