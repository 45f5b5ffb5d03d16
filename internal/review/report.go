package review

import (
	"encoding/json"
	"fmt"
	"io"
	"slices"
	"strings"

	"github.com/marquee-api/marquee/internal/terminal"
)

// Report is a review to be written out.
type Report struct {
	Template string
	Findings []Finding
	Assumed  map[string]string // values made up for parameters
	Version  string            // of the program; empty: not known
	Terminal terminal.Terminal // what the text is shown on
}

// formats are the forms of a report.
var formats = map[string]func(*Report, io.Writer) error{
	"text": (*Report).writeText, "json": (*Report).writeJSON, "sarif": (*Report).writeSARIF, "github": (*Report).writeGitHub,
}

// Formats names the forms of a report.
func Formats() []string { return []string{"text", "json", "sarif", "github"} }

// Write writes the report in one of the Formats.
func (r *Report) Write(w io.Writer, format string) error {
	write, ok := formats[format]
	if !ok {
		return fmt.Errorf("%q is not a format: %s", format, strings.Join(Formats(), ", "))
	}
	return write(r, w)
}

// subject is the resource and the message.
func (f *Finding) subject() string {
	if f.Resource == "" {
		return f.Message
	}
	return f.Resource + ": " + f.Message
}

// inks of the severities.
var inks = map[Severity]terminal.Ink{Error: terminal.Red, Warning: terminal.Yellow, Note: terminal.Cyan}

func (r *Report) writeText(w io.Writer) error {
	var b strings.Builder
	t := r.Terminal
	for i := range r.Findings {
		f := &r.Findings[i]
		fmt.Fprintf(&b, "%s: %s %s: %s\n", f.Position, t.Paint(inks[f.Rule.Severity], f.Rule.Severity.String()), f.Rule.ID, t.Paint(terminal.Bold, f.Rule.Title))
		r.paragraph(&b, "", f.subject())
		r.paragraph(&b, "why: ", f.Rule.Why)
		r.paragraph(&b, "fix: ", f.Rule.Fix)
		b.WriteByte('\n')
	}
	fmt.Fprintf(&b, "%s: %s\n", r.Template, r.summary())
	_, err := io.WriteString(w, b.String())
	return err
}

// paragraph writes an indented text as wide as the terminal is.
func (r *Report) paragraph(b *strings.Builder, head, text string) {
	width := r.Terminal.Columns()
	if width > 0 {
		width = max(width-len("    ")-len(head), 20)
	}
	for i, line := range terminal.Wrap(text, width) {
		if i > 0 {
			head = strings.Repeat(" ", len(head))
		}
		fmt.Fprintf(b, "    %s%s\n", r.Terminal.Paint(terminal.Faint, head), line)
	}
}

// summary counts the findings, the worst first.
func (r *Report) summary() string {
	if len(r.Findings) == 0 {
		return fmt.Sprintf("nothing found by %d rules", len(Rules()))
	}
	var parts []string
	for _, s := range []Severity{Error, Warning, Note} {
		n := 0
		for _, f := range r.Findings {
			if f.Rule.Severity == s {
				n++
			}
		}
		if n > 0 {
			parts = append(parts, plural(n, s.String()))
		}
	}
	return strings.Join(parts, ", ")
}

func plural(n int, word string) string {
	if n != 1 {
		word += "s"
	}
	return fmt.Sprintf("%d %s", n, word)
}

func (r *Report) writeJSON(w io.Writer) error {
	type finding struct {
		Rule     string `json:"rule"`
		Name     string `json:"name"`
		Severity string `json:"severity"`
		File     string `json:"file"`
		Line     int    `json:"line"`
		Resource string `json:"resource,omitempty"`
		Message  string `json:"message"`
		Title    string `json:"title"`
		Why      string `json:"why"`
		Fix      string `json:"fix"`
	}
	out := struct {
		Template string            `json:"template"`
		Assumed  map[string]string `json:"assumed_parameters,omitempty"`
		Findings []finding         `json:"findings"`
	}{r.Template, r.Assumed, []finding{}}
	for _, f := range r.Findings {
		out.Findings = append(out.Findings, finding{
			f.Rule.ID, f.Rule.Name, f.Rule.Severity.String(), f.File, f.Line, f.Resource, f.Message, f.Rule.Title, f.Rule.Why, f.Rule.Fix,
		})
	}
	return encode(w, out)
}

func encode(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

// writeGitHub writes workflow commands, which GitHub shows at the lines of a pull request ("Workflow commands for GitHub
// Actions").
func (r *Report) writeGitHub(w io.Writer) error {
	var b strings.Builder
	command := map[Severity]string{Note: "notice", Warning: "warning", Error: "error"}
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	for i := range r.Findings {
		f := &r.Findings[i]
		fmt.Fprintf(&b, "::%s file=%s,line=%d,title=%s::%s\n", command[f.Rule.Severity], property.Replace(slashed(f.File)), max(f.Line, 1),
			property.Replace(f.Rule.ID+" "+f.Rule.Title), data.Replace(f.subject()+"\n"+f.Rule.Fix))
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteRules lists the rules, a line each.
func WriteRules(w io.Writer) error {
	var b strings.Builder
	for _, r := range sorted() {
		fmt.Fprintf(&b, "%s %-8s %-28s %s\n", r.ID, r.Severity, r.Name, r.Title)
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// WriteMarkdown lists the rules as the documentation has them.
func WriteMarkdown(w io.Writer) error {
	var b strings.Builder
	group := byte(0)
	for _, r := range sorted() {
		if digit := r.ID[len("MQ")]; digit != group {
			group = digit
			fmt.Fprintf(&b, "### %s\n\n| Rule | Severity | What is wrong, and why it matters | The change that mends it |\n| --- | --- | --- | --- |\n", groups[digit-'0'])
		}
		fmt.Fprintf(&b, "| `%s` %s | %s | **%s.** %s | %s |\n", r.ID, r.Name, r.Severity, cell(r.Title), cell(r.Why), cell(r.Fix))
		if next := nextGroup(r); next {
			b.WriteByte('\n')
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// nextGroup reports whether the rule is the last of its group, and not of all.
func nextGroup(r *Rule) bool {
	rules := sorted()
	i := slices.Index(rules, r)
	return i+1 < len(rules) && rules[i+1].ID[len("MQ")] != r.ID[len("MQ")]
}

// cell escapes what would end a table's cell or vanish in HTML.
func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", "&lt;", "*", `\*`).Replace(text)
}

// Explain writes all that is known of a rule.
func (r *Rule) Explain(w io.Writer) error {
	_, err := fmt.Fprintf(w, "%s %s (%s)\n%s.\n\nWhy: %s\nFix: %s\n", r.ID, r.Name, r.Severity, r.Title, r.Why, r.Fix)
	return err
}

func sorted() []*Rule {
	rules := Rules()
	slices.SortFunc(rules, func(a, b *Rule) int { return strings.Compare(a.ID, b.ID) })
	return rules
}
