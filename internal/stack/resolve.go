package stack

import (
	"fmt"
	"strings"
)

// What resolving may cost in all: a template of a megabyte must not keep a laptop busy or fill its memory.
const (
	maxSteps = 2_000_000
	maxBytes = 32 << 20
	maxChain = 1000 // of names and conditions that need each other
)

// resolver turns values with intrinsics into values without, only as far as somebody asks.
type resolver struct {
	t       *template
	n       naming
	exports map[string]string

	known    map[string]bool   // conditions already decided
	names    map[string]string // physical names already found
	includes map[string]*value
	busy     map[string]bool // what is being worked out: meeting it again is a cycle
	depth    int
	steps    int
	bytes    int
	readFile func(name string) ([]byte, error) // nil if files may not be read
}

func (r *resolver) errorf(pos Position, format string, args ...any) *Error {
	return &Error{Position: pos, Message: fmt.Sprintf(format, args...)}
}

// guard notes that key is being worked out, and refuses to start over.
func (r *resolver) guard(key string, pos Position) (done func(), err error) {
	if r.busy[key] {
		return nil, r.errorf(pos, "%s depends on itself", key)
	}
	if len(r.busy) >= maxChain {
		return nil, r.errorf(pos, "more than %d things depend on each other in a row", maxChain)
	}
	r.busy[key] = true
	return func() { delete(r.busy, key) }, nil
}

func (r *resolver) spend(v *value) error {
	r.steps++
	if r.steps > maxSteps {
		return r.errorf(v.pos, "resolving the template takes more than %d steps", maxSteps)
	}
	return nil
}

// made returns text that an intrinsic made, and counts it.
func (r *resolver) made(text string, pos Position) (*value, error) {
	r.bytes += len(text)
	if r.bytes > maxBytes {
		return nil, r.errorf(pos, "the intrinsics of the template make more than %d bytes of text", maxBytes)
	}
	return textValue(text, pos), nil
}

// head resolves a value itself, not what is inside it. It returns nil for AWS::NoValue.
func (r *resolver) head(v *value) (*value, error) {
	if v == nil {
		return nil, nil
	}
	if err := r.spend(v); err != nil {
		return nil, err
	}
	if v.kind != kindMap {
		return v, nil
	}
	if name, arg, ok := v.intrinsic(); ok {
		return r.call(name, arg, v.pos)
	}
	for _, f := range v.fields {
		if f.key == "Fn::Transform" {
			return r.includeBeside(v, f)
		}
		if strings.HasPrefix(f.key, "Fn::") {
			return nil, r.errorf(f.pos, "%s stands beside other keys: an intrinsic stands alone in its map", f.key)
		}
	}
	return v, nil
}

// deep resolves a value wholly and drops what is AWS::NoValue. It returns nil if that is the value itself.
func (r *resolver) deep(v *value) (*value, error) {
	r.depth++
	defer func() { r.depth-- }()
	if r.depth > 2*maxDepth { // only files that include themselves get there
		return nil, r.errorf(v.pos, "values are nested more than %d deep", 2*maxDepth)
	}
	v, err := r.head(v)
	if err != nil || v == nil {
		return nil, err
	}
	switch v.kind {
	case kindList:
		out := &value{kind: kindList, pos: v.pos, items: make([]*value, 0, len(v.items))}
		for _, item := range v.items {
			inner, err := r.deep(item)
			if err != nil {
				return nil, err
			}
			if inner != nil {
				out.items = append(out.items, inner)
			}
		}
		return out, nil
	case kindMap:
		out := &value{kind: kindMap, pos: v.pos, fields: make([]field, 0, len(v.fields))}
		for _, f := range v.fields {
			inner, err := r.deep(f.value)
			if err != nil {
				return nil, err
			}
			if inner != nil {
				out.fields = append(out.fields, field{key: f.key, pos: f.pos, value: inner})
			}
		}
		return out, nil
	}
	return v, nil
}

// text resolves a value that must be text, a number or a boolean. what names it in the error.
func (r *resolver) text(v *value, what string) (string, error) {
	out, err := r.head(v)
	if err != nil {
		return "", err
	}
	if out == nil {
		return "", r.errorf(v.pos, "%s is AWS::NoValue", what)
	}
	if !out.scalar() {
		return "", r.errorf(v.pos, "%s is %s, not text", what, out.kind)
	}
	return out.text, nil
}

// list resolves a value that must be a list; its items are not resolved.
func (r *resolver) list(v *value, what string) ([]*value, error) {
	out, err := r.head(v)
	if err != nil {
		return nil, err
	}
	if out == nil || out.kind != kindList {
		return nil, r.errorf(v.pos, "%s is not a list", what)
	}
	return out.items, nil
}

// args takes the arguments of an intrinsic that is written as a list of between least and most of them.
func (r *resolver) args(name string, arg *value, bounds [2]int) ([]*value, error) {
	least, most := bounds[0], bounds[1]
	if arg.kind != kindList || len(arg.items) < least || len(arg.items) > most {
		if least == most {
			return nil, r.errorf(arg.pos, "%s takes a list of %d", name, least)
		}
		return nil, r.errorf(arg.pos, "%s takes a list of %d to %d", name, least, most)
	}
	return arg.items, nil
}
