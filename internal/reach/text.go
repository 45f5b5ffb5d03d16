package reach

import (
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/marquee-api/marquee/internal/terminal"
)

// width is that of a terminal which people read comfortably.
const width = 100

// symbols of the outcomes in a table, one character each, and their inks.
var (
	symbols = map[Outcome]string{Allow: "A", Fails: "F", ExplicitDeny: "D", ImplicitDeny: ".", Refused: "-"}
	inks    = map[Outcome]terminal.Ink{Allow: terminal.Green, Fails: terminal.Yellow, ExplicitDeny: terminal.Red, Refused: terminal.Faint}
)

const (
	legend      = "A let in   D denied by a statement   . no statement allows it   - refused by another check"
	legendFails = "F let in, but fails: nothing runs, whoever calls"
)

// labels name the columns of a table.
const labels = "123456789abcdefghijklmnopqrstuvwxyz"

// column is one call, or the methods of one ANY of which the same becomes.
type column struct {
	methods     []string
	route, path string
	cells       []Cell // by identity and door
}

// WriteText writes a table for each API, and below it why: 100 columns wide, if the names of identities allow.
func (m *Matrix) WriteText(w io.Writer, t terminal.Terminal) error {
	p := &printer{m: m, terminal: t}
	for i, api := range m.APIs {
		if i > 0 {
			p.line("")
		}
		p.line("%s  %s/%s  %s", api.LogicalID, api.ID, api.Stage, api.Type)
		columns := m.columns(api)
		for len(columns) > 0 {
			n := min(len(columns), p.fitting())
			p.table(columns[:n])
			columns = columns[n:]
		}
	}
	_, err := io.WriteString(w, p.b.String())
	return err
}

// WriteCells writes a line for each call.
func (m *Matrix) WriteCells(w io.Writer) error {
	p := &printer{m: m}
	for i := range m.Cells {
		c := &m.Cells[i]
		key := ""
		if c.APIKeyRequired {
			key = " (and an API key)"
		}
		reason := p.reason(c)
		if c.Outcome == Fails {
			reason = "let in, but " + reason
		}
		p.line("%-13s %-*s %-*s %s %s/%s%s: %s", c.Outcome, p.nameWidth(), c.Identity, p.doorWidth(), c.Door, c.Method, c.Stage, strings.TrimPrefix(c.Path, "/"), key, reason)
	}
	_, err := io.WriteString(w, p.b.String())
	return err
}

// columns are the calls of an API. Methods of one ANY that fare alike share a column.
func (m *Matrix) columns(api API) []column {
	size := len(m.Identities) * len(m.Doors)
	var columns []column
	for start := 0; start+size <= len(m.Cells); start += size {
		cells := m.Cells[start : start+size]
		if cells[0].API != api.LogicalID || cells[0].Stage != api.Stage {
			continue
		}
		alike := slices.IndexFunc(columns, func(c column) bool {
			return c.route == cells[0].Route && c.path == cells[0].Path && slices.EqualFunc(c.cells, cells, func(a, b Cell) bool {
				return a.Outcome == b.Outcome && a.Reason == b.Reason
			})
		})
		if alike >= 0 {
			columns[alike].methods = append(columns[alike].methods, cells[0].Method)
			continue
		}
		columns = append(columns, column{methods: []string{cells[0].Method}, route: cells[0].Route, path: cells[0].Path, cells: cells})
	}
	return columns
}

// printer collects the text.
type printer struct {
	m        *Matrix
	terminal terminal.Terminal
	b        strings.Builder
}

func (p *printer) line(format string, args ...any) {
	p.b.WriteString(strings.TrimRight(fmt.Sprintf(format, args...), " "))
	p.b.WriteByte('\n')
}

func (p *printer) nameWidth() int {
	n := 0
	for _, i := range p.m.Identities {
		n = max(n, len(nameOf(i)))
	}
	return n
}

func (p *printer) doorWidth() int {
	n := 0
	for _, d := range p.m.Doors {
		n = max(n, len(d.Name))
	}
	return n
}

func nameOf(i Identity) string {
	if len(i.Aliases) == 0 {
		return i.Name
	}
	return i.Name + " (" + strings.Join(i.Aliases, ", ") + ")"
}

// fitting is how many columns a table has room for.
func (p *printer) fitting() int {
	room := (width-p.nameWidth()-2)/len(p.m.Doors) - 2
	return max(1, min(room, len(labels)))
}

func (p *printer) table(columns []column) {
	p.line("")
	for i, c := range columns {
		_, template, _ := strings.Cut(c.route, " ")
		tried := ""
		if c.path != template {
			tried = "  tried as " + c.path
		}
		if c.cells[0].APIKeyRequired {
			tried += "  with an API key"
		}
		p.line("  %c  %-7s %s%s", labels[i], strings.Join(c.methods, " "), template, tried)
	}
	p.line("")
	cell := max(len(columns), p.doorWidth()) + 2
	head, numbers := strings.Repeat(" ", p.nameWidth()+2), strings.Repeat(" ", p.nameWidth()+2)
	for _, d := range p.m.Doors {
		head += fmt.Sprintf("%-*s", cell, d.Name)
		numbers += fmt.Sprintf("%-*s", cell, labels[:len(columns)])
	}
	p.line("%s", head)
	p.line("%s", numbers)
	for i, who := range p.m.Identities {
		row := fmt.Sprintf("%-*s  ", p.nameWidth(), nameOf(who))
		for d := range p.m.Doors {
			text := ""
			for _, c := range columns {
				outcome := c.cells[i*len(p.m.Doors)+d].Outcome
				text += p.terminal.Paint(inks[outcome], symbols[outcome])
			}
			row += text + strings.Repeat(" ", cell-len(columns))
		}
		p.line("%s", row)
	}
	p.line("")
	p.line("%s", legend)
	if slices.ContainsFunc(columns, func(c column) bool {
		return slices.ContainsFunc(c.cells, func(c Cell) bool { return c.Outcome == Fails })
	}) {
		p.line("%s", legendFails)
	}
	p.reasons(columns)
}

// fate is what becomes of some calls, and why.
type fate struct {
	outcome            Outcome // of one let in; Refused stands for all others
	reason, door, what string  // what: labels of columns
	who                []string
}

// reasons says why, each reason once: who was let in first.
func (p *printer) reasons(columns []column) {
	fates := p.fates(columns)
	doors := 0
	for _, f := range fates {
		doors = max(doors, len(f.door))
	}
	for _, group := range [...]struct {
		outcome Outcome
		title   string
	}{{Allow, "let in:"}, {Fails, "let in, but fails:"}, {Refused, "refused:"}} {
		title := group.title
		reason := ""
		for _, f := range fates {
			if f.outcome != group.outcome {
				continue
			}
			if title != "" {
				p.line("")
				p.line("%s", title)
				title = ""
			}
			if f.reason != reason {
				p.wrapped("  ", f.reason)
				reason = f.reason
			}
			p.wrapped(fmt.Sprintf("    %-*s %s  ", doors, f.door, f.what), strings.Join(f.who, ", "))
		}
	}
}

// fates groups the cells by reason, door and columns.
func (p *printer) fates(columns []column) []fate {
	var fates []fate
	for i, who := range p.m.Identities {
		for d, door := range p.m.Doors {
			for _, f := range p.fatesAt(columns, i*len(p.m.Doors)+d) {
				f.door = door.Name
				same := slices.IndexFunc(fates, func(g fate) bool { return g.reason == f.reason && g.door == f.door && g.what == f.what })
				if same < 0 {
					fates = append(fates, f)
					same = len(fates) - 1
				}
				fates[same].who = append(fates[same].who, who.Name)
			}
		}
	}
	// One reason stands once, where it came first.
	var first []string
	for _, f := range fates {
		if !slices.Contains(first, f.reason) {
			first = append(first, f.reason)
		}
	}
	slices.SortStableFunc(fates, func(a, b fate) int { return slices.Index(first, a.reason) - slices.Index(first, b.reason) })
	return joined(fates)
}

// joined puts doors together at which the same becomes of the same callers.
func joined(fates []fate) []fate {
	var out []fate
	for _, f := range fates {
		same := slices.IndexFunc(out, func(g fate) bool { return g.reason == f.reason && g.what == f.what && slices.Equal(g.who, f.who) })
		if same < 0 {
			out = append(out, f)
			continue
		}
		out[same].door += ", " + f.door
	}
	return out
}

// fatesAt groups one identity's cells of one door by reason.
func (p *printer) fatesAt(columns []column, at int) []fate {
	var fates []fate
	for i, c := range columns {
		cell := &c.cells[at]
		f := fate{outcome: Refused, reason: p.reason(cell)}
		if cell.LetIn() {
			f.outcome = cell.Outcome
		}
		same := slices.IndexFunc(fates, func(g fate) bool { return g.reason == f.reason })
		if same < 0 {
			fates = append(fates, f)
			same = len(fates) - 1
		}
		fates[same].what += labels[i : i+1]
	}
	return fates
}

// reason is a cell's, with the place of the policy.
func (p *printer) reason(c *Cell) string {
	text := c.Reason
	switch c.Outcome {
	case Refused:
		text = c.Check + ": " + text
	case Fails: // the statement that let it in is not why
		return fmt.Sprintf("answers %d: %s", c.Status, text)
	}
	if c.By != nil && c.By.Name != "" {
		text += ", " + c.By.Name
	}
	if c.By != nil && c.By.Place != "" {
		text += ", " + c.By.Place
	}
	return text
}

// wrapped writes a text behind a head, broken between words.
func (p *printer) wrapped(head, text string) {
	line := head
	for i, word := range strings.Fields(text) {
		if i > 0 && len(line)+1+len(word) > width {
			p.line("%s", line)
			line = strings.Repeat(" ", len(head))
		} else if i > 0 {
			line += " "
		}
		line += word
	}
	p.line("%s", line)
}
