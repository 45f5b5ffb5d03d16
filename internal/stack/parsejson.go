package stack

import (
	"bytes"
	"encoding/json"
	"fmt"
)

// json reads a JSON template token by token: encoding/json knows no lines and takes duplicate keys.
func (p *parser) json(data []byte) (*value, error) {
	r := &jsonReader{parser: p, dec: json.NewDecoder(bytes.NewReader(data)), data: data, line: 1}
	r.dec.UseNumber()
	return r.value()
}

type jsonReader struct {
	*parser
	dec  *json.Decoder
	data []byte
	at   int // the offset up to which line is counted
	line int
}

// token returns the next token and the line on which it ends; no JSON token spans lines.
func (r *jsonReader) token() (json.Token, Position, error) {
	tok, err := r.dec.Token()
	to := int(r.dec.InputOffset())
	r.line += bytes.Count(r.data[r.at:to], []byte("\n"))
	r.at = to
	pos := Position{r.file, r.line}
	if err != nil {
		return nil, pos, &Error{Position: pos, Message: fmt.Sprintf("not JSON: %v", err)}
	}
	return tok, pos, nil
}

func (r *jsonReader) value() (*value, error) {
	tok, pos, err := r.token()
	if err != nil {
		return nil, err
	}
	if err := r.enter(pos.Line); err != nil {
		return nil, err
	}
	defer r.leave()
	switch t := tok.(type) {
	case json.Delim:
		if t == '[' {
			return r.list(pos)
		}
		return r.mapping(pos)
	case bool:
		return boolValue(t, pos), nil
	case json.Number:
		return &value{kind: kindNumber, text: t.String(), pos: pos}, nil
	case string:
		return textValue(t, pos), nil
	}
	return &value{kind: kindNull, pos: pos}, nil
}

func (r *jsonReader) list(pos Position) (*value, error) {
	list := listValue(pos)
	for r.dec.More() {
		item, err := r.value()
		if err != nil {
			return nil, err
		}
		list.items = append(list.items, item)
	}
	_, _, err := r.token()
	return list, err
}

func (r *jsonReader) mapping(pos Position) (*value, error) {
	m := &value{kind: kindMap, pos: pos}
	seen := map[string]int{}
	for r.dec.More() {
		tok, keyPos, err := r.token()
		if err != nil {
			return nil, err
		}
		key, _ := tok.(string)
		if first, ok := seen[key]; ok {
			return nil, r.errorf(keyPos.Line, "the key %q stands here for the second time, the first is in line %d", key, first)
		}
		seen[key] = keyPos.Line
		v, err := r.value()
		if err != nil {
			return nil, err
		}
		m.fields = append(m.fields, field{key: key, pos: keyPos, value: v})
	}
	_, _, err := r.token()
	return m, err
}
