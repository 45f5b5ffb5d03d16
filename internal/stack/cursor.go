package stack

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
)

// cursor is a place in a resource's properties. Reading through it resolves only what is read, and records what is
// wrong with the resource and the property's path, so that readers of resources need no error handling of their own:
// after an error a cursor yields zero values.
type cursor struct {
	b        *builder
	v        *value // resolved at its head; nil if absent
	resource string
	property string
	pos      Position // of the value, or of the nearest thing around it
}

// cursor starts at the properties of a resource.
func (b *builder) cursor(res *resource) cursor {
	c := cursor{b: b, resource: res.id, pos: res.pos}.to(res.props, "")
	c.pos = res.pos
	return c
}

// to moves to an unresolved value below c.
func (c cursor) to(v *value, step string) cursor {
	next := cursor{b: c.b, resource: c.resource, property: c.property, pos: c.pos}
	switch {
	case step == "":
	case strings.HasPrefix(step, "["), c.property == "":
		next.property += step
	default:
		next.property += "." + step
	}
	if v == nil {
		return next
	}
	next.pos = v.pos
	head, err := c.b.r.head(v)
	if err != nil {
		next.failWith(err)
		return next
	}
	if head != nil && head.kind != kindNull {
		next.v = head
	}
	return next
}

// at moves to a key of a map; absent if there is no such key, or no map.
func (c cursor) at(key string) cursor {
	if c.v == nil {
		return c.to(nil, key)
	}
	if c.v.kind != kindMap {
		c.fail("this is a map, not %s", c.v.kind)
		return c.to(nil, key)
	}
	for _, f := range c.v.fields {
		if f.key == key {
			next := c.to(f.value, key)
			next.pos = f.pos
			return next
		}
	}
	return c.to(nil, key)
}

func (c cursor) exists() bool { return c.v != nil }

func (c cursor) isList() bool { return c.v != nil && c.v.kind == kindList }

func (c cursor) isMap() bool { return c.v != nil && c.v.kind == kindMap }

func (c cursor) isText() bool { return c.v != nil && c.v.kind == kindText }

// entry is one key of a map, with the cursor at its value.
type entry struct {
	key string
	cursor
}

// entries lists a map; keys whose value is AWS::NoValue are left out.
func (c cursor) entries() []entry {
	if c.v == nil {
		return nil
	}
	if c.v.kind != kindMap {
		c.fail("this is a map, not %s", c.v.kind)
		return nil
	}
	var out []entry
	for _, f := range c.v.fields {
		if next := c.to(f.value, f.key); next.exists() {
			next.pos = f.pos
			out = append(out, entry{f.key, next})
		}
	}
	return out
}

// items lists a list, or a single value as a list of one where oneOrMore.
func (c cursor) items() []cursor {
	if c.v == nil {
		return nil
	}
	if c.v.kind != kindList {
		c.fail("this is a list, not %s", c.v.kind)
		return nil
	}
	return c.each()
}

// oneOrMore lists a list, and takes anything else for a list of one.
func (c cursor) oneOrMore() []cursor {
	if c.v == nil {
		return nil
	}
	if c.v.kind != kindList {
		return []cursor{c}
	}
	return c.each()
}

func (c cursor) each() []cursor {
	var out []cursor
	for i, item := range c.v.items {
		if next := c.to(item, "["+strconv.Itoa(i)+"]"); next.exists() {
			out = append(out, next)
		}
	}
	return out
}

// text reads text, a number or a boolean as text; empty if absent.
func (c cursor) text() string {
	if c.v == nil {
		return ""
	}
	if !c.v.scalar() {
		c.fail("this is text, not %s", c.v.kind)
		return ""
	}
	return c.v.text
}

// textOr reads text with a default.
func (c cursor) textOr(absent string) string {
	if c.v == nil {
		return absent
	}
	return c.text()
}

// integer reads a whole number; ok is false if it is absent or not one.
func (c cursor) integer() (n int, ok bool) {
	if c.v == nil {
		return 0, false
	}
	n, err := strconv.Atoi(c.text())
	if err != nil && c.v.scalar() {
		c.fail("%q is not a whole number", c.v.text)
	}
	if err != nil {
		return 0, false
	}
	return n, true
}

func (c cursor) integerOr(absent int) int {
	if n, ok := c.integer(); ok {
		return n
	}
	return absent
}

// float reads a number; ok is false if it is absent or not one.
func (c cursor) float() (f float64, ok bool) {
	if c.v == nil {
		return 0, false
	}
	f, err := strconv.ParseFloat(c.text(), 64)
	if err != nil && c.v.scalar() {
		c.fail("%q is not a number", c.v.text)
	}
	if err != nil {
		return 0, false
	}
	return f, true
}

// flag reads a boolean as CloudFormation does: true and "true" are one. The default is false.
func (c cursor) flag() bool {
	if c.v == nil {
		return false
	}
	switch text := strings.ToLower(c.text()); {
	case text == "true":
		return true
	case text != "false" && c.v.scalar():
		c.fail("%q is not true or false", c.v.text)
	}
	return false
}

// texts reads a list of text.
func (c cursor) texts() []string {
	var out []string
	for _, item := range c.items() {
		out = append(out, item.text())
	}
	return out
}

// resolved resolves everything below; nil if absent or not resolvable.
func (c cursor) resolved() *value {
	if c.v == nil {
		return nil
	}
	v, err := c.b.r.deep(c.v)
	if err != nil {
		c.failWith(err)
		return nil
	}
	return v
}

// document reads a policy document, a map or the JSON of one. Nil if absent or wrong, and what is wrong is recorded.
func (c cursor) document() json.RawMessage {
	if c.v == nil {
		return nil
	}
	if c.v.kind == kindText {
		v, err := parseText(c.pos.File, []byte(c.v.text))
		if err != nil || v.kind != kindMap || !json.Valid([]byte(c.v.text)) {
			c.fail("this text is not the JSON of a policy document")
			return nil
		}
		return c.policyJSON(v)
	}
	if c.v.kind != kindMap {
		c.fail("a policy document is a map, not %s", c.v.kind)
		return nil
	}
	v := c.resolved()
	if v == nil {
		return nil
	}
	return c.policyJSON(v)
}

// policyJSON refuses what cannot be evaluated: a document without statements, and dynamic references, whose value
// only AWS knows.
func (c cursor) policyJSON(v *value) json.RawMessage {
	if s := v.get("Statement"); s == nil || (s.kind != kindMap && (s.kind != kindList || len(s.items) == 0)) {
		c.fail("the policy document has no Statement")
		return nil
	}
	raw := v.json()
	if strings.Contains(string(raw), "{{resolve:") {
		c.fail("the policy holds a dynamic reference ({{resolve:…}}), which only AWS can look up: use a parameter")
		return nil
	}
	return raw
}

func (c cursor) fail(format string, args ...any) {
	c.b.fail(c.pos, c.resource, c.property, format, args...)
}

func (c cursor) warn(format string, args ...any) {
	c.b.warn(c.pos, c.resource, c.property, fmt.Sprintf(format, args...))
}

// failWith adds the place to an error that knows only its line.
func (c cursor) failWith(err error) {
	var e *Error
	if !errors.As(err, &e) {
		c.fail("%v", err)
		return
	}
	placed := *e
	if errors.As(err, new(undecided)) {
		seen := fmt.Sprint(placed.Position, placed.Message)
		if c.b.undecided[seen] {
			return
		}
		c.b.undecided[seen] = true
	}
	if placed.Resource == "" {
		placed.Resource, placed.Property = c.resource, c.property
	}
	c.b.errs = append(c.b.errs, &placed)
}
