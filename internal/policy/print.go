package policy

import (
	"bytes"
	"encoding/json"
)

// String returns the document as JSON on one line: the elements in AWS's order, one value bare and several in a list,
// short forms expanded. Parsed again as the same kind it is an equal document.
func (d *Document) String() string {
	text, _ := d.MarshalJSON() // strings and lists of strings only: it cannot fail
	return string(text)
}

// MarshalJSON is String for encoding/json.
func (d *Document) MarshalJSON() ([]byte, error) {
	var w writer
	w.open('{')
	if d.version != "" {
		w.member("Version", d.version)
	}
	if d.id != "" {
		w.member("Id", d.id)
	}
	w.name("Statement")
	w.open('[')
	for i := range d.statements {
		w.comma()
		d.statements[i].write(&w)
	}
	w.close(']')
	w.close('}')
	return w.buf.Bytes(), nil
}

// StatementJSON returns one statement as JSON on one line, or "" if there is no such statement: what a decision record
// shows of the statement that decided.
func (d *Document) StatementJSON(i int) string {
	if i < 0 || i >= len(d.statements) {
		return ""
	}
	var w writer
	d.statements[i].write(&w)
	return w.buf.String()
}

func (s *statement) write(w *writer) {
	w.open('{')
	if s.sid != "" {
		w.member("Sid", s.sid)
	}
	w.member("Effect", map[bool]string{false: "Allow", true: "Deny"}[s.deny])
	if s.principals != nil {
		w.name(not(s.notPrincipal) + "Principal")
		s.principals.write(w)
	}
	w.name(not(s.notAction) + "Action")
	w.values(len(s.actions), func(i int) string { return s.actions[i].text })
	if s.resources != nil {
		w.name(not(s.notResource) + "Resource")
		w.values(len(s.resources), func(i int) string { return s.resources[i].text })
	}
	s.writeConditions(w)
	w.close('}')
}

func (s *statement) writeConditions(w *writer) {
	if len(s.conditions) == 0 {
		return
	}
	w.name("Condition")
	w.open('{')
	operator := ""
	for i := range s.conditions {
		c := &s.conditions[i]
		if c.operatorText != operator {
			if operator != "" {
				w.close('}')
			}
			operator = c.operatorText
			w.name(operator)
			w.open('{')
		}
		w.name(c.keyText)
		w.values(len(c.texts), func(j int) string { return c.texts[j] })
	}
	w.close('}')
	w.close('}')
}

func (ps *principals) write(w *writer) {
	if ps.bare {
		w.value("*")
		return
	}
	w.open('{')
	for start := 0; start < len(ps.entries); {
		end := start
		for end < len(ps.entries) && ps.entries[end].group == ps.entries[start].group {
			end++
		}
		w.name(ps.entries[start].group)
		w.values(end-start, func(i int) string { return ps.entries[start+i].text })
		start = end
	}
	w.close('}')
}

func not(negated bool) string {
	if negated {
		return "Not"
	}
	return ""
}

// writer writes JSON whose members keep their order, which encoding/json's maps would not.
type writer struct {
	buf   bytes.Buffer
	inner bool // something stands before on this level
}

func (w *writer) open(bracket byte)  { w.buf.WriteByte(bracket); w.inner = false }
func (w *writer) close(bracket byte) { w.buf.WriteByte(bracket); w.inner = true }

func (w *writer) comma() {
	if w.inner {
		w.buf.WriteByte(',')
	}
	w.inner = true
}

func (w *writer) value(text string) {
	enc := json.NewEncoder(&w.buf)
	enc.SetEscapeHTML(false)
	_ = enc.Encode(text) // a string into a buffer cannot fail
	w.buf.Truncate(w.buf.Len() - 1)
	w.inner = true
}

func (w *writer) name(name string) {
	w.comma()
	w.value(name)
	w.buf.WriteByte(':')
}

func (w *writer) member(name, text string) {
	w.name(name)
	w.value(text)
}

func (w *writer) values(n int, text func(int) string) {
	if n == 1 {
		w.value(text(0))
		return
	}
	w.open('[')
	for i := range n {
		w.comma()
		w.value(text(i))
	}
	w.close(']')
}
