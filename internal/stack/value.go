package stack

import (
	"bytes"
	"encoding/json"
	"strconv"
	"strings"
)

// kind is what a value is once YAML and JSON no longer matter.
type kind uint8

const (
	kindNull kind = iota
	kindBool
	kindNumber
	kindText
	kindList
	kindMap
)

func (k kind) String() string {
	return [...]string{"null", "a boolean", "a number", "text", "a list", "a map"}[k]
}

// value is one node of a template. Values are never changed once made: the merge of Globals and the resolving of
// intrinsics make new ones.
type value struct {
	kind   kind
	text   string // scalars: true, false, a JSON number, or the text
	items  []*value
	fields []field
	pos    Position
}

type field struct {
	key   string
	pos   Position
	value *value
}

// get returns the value of a key, nil if there is none.
func (v *value) get(key string) *value {
	if v == nil || v.kind != kindMap {
		return nil
	}
	for _, f := range v.fields {
		if f.key == key {
			return f.value
		}
	}
	return nil
}

func textValue(text string, pos Position) *value {
	return &value{kind: kindText, text: text, pos: pos}
}

func boolValue(b bool, pos Position) *value {
	if b {
		return &value{kind: kindBool, text: "true", pos: pos}
	}
	return &value{kind: kindBool, text: "false", pos: pos}
}

func listValue(pos Position, items ...*value) *value {
	return &value{kind: kindList, items: items, pos: pos}
}

// mapValue takes keys and values by turns.
func mapValue(pos Position, pairs ...any) *value {
	m := &value{kind: kindMap, pos: pos}
	for i := 0; i+1 < len(pairs); i += 2 {
		m.fields = append(m.fields, field{key: pairs[i].(string), pos: pos, value: pairs[i+1].(*value)})
	}
	return m
}

func (v *value) scalar() bool {
	return v.kind == kindBool || v.kind == kindNumber || v.kind == kindText
}

// intrinsic returns the name and argument of {"Ref": …} or {"Fn::…": …}.
func (v *value) intrinsic() (name string, arg *value, ok bool) {
	if v == nil || v.kind != kindMap || len(v.fields) != 1 {
		return "", nil, false
	}
	f := v.fields[0]
	if f.key == "Ref" || strings.HasPrefix(f.key, "Fn::") {
		return f.key, f.value, true
	}
	return "", nil, false
}

// json writes a resolved value, keys in the order of the template.
func (v *value) json() json.RawMessage {
	var b bytes.Buffer
	v.writeJSON(&b)
	return b.Bytes()
}

func (v *value) writeJSON(b *bytes.Buffer) {
	switch v.kind {
	case kindNull:
		b.WriteString("null")
	case kindBool, kindNumber:
		b.WriteString(v.text)
	case kindText:
		writeJSONText(b, v.text)
	case kindList:
		b.WriteByte('[')
		for i, item := range v.items {
			if i > 0 {
				b.WriteByte(',')
			}
			item.writeJSON(b)
		}
		b.WriteByte(']')
	case kindMap:
		b.WriteByte('{')
		for i, f := range v.fields {
			if i > 0 {
				b.WriteByte(',')
			}
			writeJSONText(b, f.key)
			b.WriteByte(':')
			f.value.writeJSON(b)
		}
		b.WriteByte('}')
	}
}

// plain is a value as Go's own decoders would have it.
func (v *value) plain() any {
	switch v.kind {
	case kindBool:
		return v.text == "true"
	case kindNumber:
		if n, err := strconv.ParseInt(v.text, 10, 64); err == nil {
			return n
		}
		if f, err := strconv.ParseFloat(v.text, 64); err == nil {
			return f
		}
	case kindList:
		list := make([]any, len(v.items))
		for i, item := range v.items {
			list[i] = item.plain()
		}
		return list
	case kindMap:
		m := make(map[string]any, len(v.fields))
		for _, f := range v.fields {
			m[f.key] = f.value.plain()
		}
		return m
	case kindNull:
		return nil
	}
	return v.text
}

func writeJSONText(b *bytes.Buffer, text string) {
	enc := json.NewEncoder(b)
	enc.SetEscapeHTML(false)        // a policy is shown to people: & and < stay what they are
	_ = enc.Encode(text)            // a string always encodes
	b.Truncate(b.Len() - len("\n")) // Encode ends with a newline
}

// equal compares what two values say, not where they stand.
func (v *value) equal(w *value) bool {
	if v == nil || w == nil {
		return v == w
	}
	if v.kind != w.kind || v.text != w.text || len(v.items) != len(w.items) || len(v.fields) != len(w.fields) {
		return false
	}
	for i := range v.items {
		if !v.items[i].equal(w.items[i]) {
			return false
		}
	}
	for _, f := range v.fields {
		if other := w.get(f.key); other == nil || !f.value.equal(other) {
			return false
		}
	}
	return true
}
