package stack

import (
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strings"
)

// Inspection is a template laid open for a review: what Load makes of it, and beside that every resource as it was
// written, with the lines.
type Inspection struct {
	File string
	// Stack is nil if Load refuses the template; Errors say why then.
	Stack  *Stack
	Errors []*Error
	// Assumed holds the values that were made up for parameters without one.
	Assumed map[string]string
	// Metadata is the template's own section.
	Metadata Node

	raw       *value // the whole file
	b         *builder
	resources []*Resource
}

// Resource is one entry of Resources that is created, with Globals merged in.
type Resource struct {
	LogicalID, Type string
	Properties      Node
	// Attributes is the entry as it was written: DeletionPolicy, Metadata and the others beside Properties.
	Attributes Node
	Position
}

// Inspect reads a template as Load does, and goes on where Load stops. Only a file that is no template at all is an error.
func Inspect(path string, opts Options) (*Inspection, error) {
	data, err := readAtMost(path)
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	full, err := filepath.Abs(path)
	if err != nil {
		return nil, fmt.Errorf("read the template: %w", err)
	}
	return inspect(path, data, opts, func(b *builder) { b.t.dir, b.r.readFile = filepath.Dir(full), readBounded })
}

// InspectText is Inspect for a template in memory, as Parse is Load.
func InspectText(name string, data []byte, opts Options) (*Inspection, error) {
	return inspect(name, data, opts, func(*builder) {})
}

func inspect(name string, data []byte, opts Options, place func(*builder)) (*Inspection, error) {
	root, err := parseText(name, data)
	if err != nil {
		return nil, err
	}
	if root.kind != kindMap {
		return nil, fmt.Errorf("%s: a template is a map with Resources, this is %s", root.pos, root.kind)
	}
	in := &Inspection{File: name, raw: root}
	opts.Parameters, in.Assumed = assume(root.get("Parameters"), opts.Parameters)
	b := newBuilder(name, opts)
	b.assumed = in.Assumed
	place(b)
	if in.Stack, err = b.build(data); err != nil {
		in.take(b)
	}
	second := newBuilder(name, opts)
	place(second)
	in.open(second)
	return in, nil
}

// localOnly is in the errors about what AWS takes and a laptop cannot honour: nothing to refuse in a review.
const localOnly = "so calls would pass that AWS"

// take keeps what is wrong, and the stack if a laptop alone would refuse it.
func (in *Inspection) take(b *builder) {
	for _, e := range b.errs {
		if !strings.Contains(e.Message, localOnly) {
			in.Errors = append(in.Errors, e)
		}
	}
	if len(in.Errors) == 0 {
		in.Stack = b.stack
	}
}

// assume gives a value to parameters that have none, so that a template can be reviewed before anybody deploys it.
func assume(declared *value, given map[string]string) (all, assumed map[string]string) {
	all, assumed = maps.Clone(given), map[string]string{}
	if all == nil {
		all = map[string]string{}
	}
	for _, f := range fieldsOf(declared) {
		typ := f.value.get("Type")
		if _, ok := all[f.key]; ok || typ == nil || madeUpTypes[typ.text] != "" {
			continue
		}
		if f.value.get("Default") != nil && !ssmType.MatchString(typ.text) {
			continue
		}
		text, ok := assumedText(f.value, typ.text)
		if !ok {
			continue
		}
		all[f.key], assumed[f.key] = text, text
	}
	return all, assumed
}

func assumedText(parameter *value, typ string) (text string, ok bool) {
	allowed, least, pattern := parameter.get("AllowedValues"), parameter.get("MinValue"), parameter.get("AllowedPattern")
	switch {
	case allowed != nil && len(allowed.items) > 0:
		return allowed.items[0].text, true
	case strings.Contains(typ, "Number") && least != nil:
		return least.text, true
	case strings.Contains(typ, "Number"):
		return "1", true
	case pattern != nil:
		return sample(pattern.text)
	}
	text = "example"
	if shortest, ok := number(parameter.get("MinLength")); ok {
		text += strings.Repeat("x", max(0, min(int(shortest), maxAssumed)-len(text)))
	}
	return text, true
}

// maxAssumed bounds what MinLength makes of a value: CloudFormation takes 4,096 bytes.
const maxAssumed = 4096

// open reads the resources before SAM makes others of them, with a resolver that knows those, too.
func (in *Inspection) open(b *builder) {
	in.b = b
	b.readTemplate(in.raw)
	written := in.raw.get("Resources")
	for _, id := range b.t.order {
		res := *b.t.resources[id]
		if !b.isCreated(&res) {
			continue
		}
		in.resources = append(in.resources, &Resource{
			LogicalID: id, Type: res.typ, Position: res.pos,
			Properties: in.node(res.props, res.pos), Attributes: in.node(written.get(id), res.pos),
		})
	}
	if len(b.errs) == 0 {
		b.expandSAM()
		// SAM's own API is one that the template has written in its events and Globals.
		if api := b.t.resources[implicitAPI]; api != nil && in.Resource(implicitAPI) == nil {
			in.resources = append(in.resources, &Resource{
				LogicalID: api.id, Type: api.typ, Position: api.pos, Properties: in.node(api.props, api.pos), Attributes: in.node(nil, api.pos),
			})
		}
	}
	in.Metadata = in.node(in.raw.get("Metadata"), Position{File: in.File, Line: 1})
}

// Resources lists the resources of some types, all without any, in the order of the template.
func (in *Inspection) Resources(types ...string) []*Resource {
	if len(types) == 0 {
		return in.resources
	}
	var out []*Resource
	for _, r := range in.resources {
		if slices.Contains(types, r.Type) {
			out = append(out, r)
		}
	}
	return out
}

// Resource finds a resource by its logical id; nil if it is not created.
func (in *Inspection) Resource(id string) *Resource {
	i := slices.IndexFunc(in.resources, func(r *Resource) bool { return r.LogicalID == id })
	if i < 0 {
		return nil
	}
	return in.resources[i]
}

// Node is a value of a template at its place. It resolves intrinsics as far as it is asked. A Node that is absent, or
// that nobody here can resolve, is empty and has no error.
type Node struct {
	in      *Inspection
	written *value // with its intrinsics; nil: absent
	v       *value // resolved at its head; nil: absent, AWS::NoValue, or not known here
	unknown bool
	Position
}

func (in *Inspection) node(v *value, pos Position) Node {
	n := Node{in: in, written: v, Position: pos}
	if v == nil {
		return n
	}
	n.Position = v.pos
	head, err := in.b.r.head(v)
	switch {
	case err != nil:
		n.unknown = true
	case head != nil && head.kind != kindNull:
		n.v = head
	default:
		n.written = nil
	}
	return n
}

// Exists reports whether something is written, and is not AWS::NoValue.
func (n Node) Exists() bool { return n.written != nil }

// Known reports whether the value is absent or known here.
func (n Node) Known() bool { return !n.unknown }

// At goes down by keys. What is absent stands where the nearest thing around it does.
func (n Node) At(keys ...string) Node {
	for _, key := range keys {
		next := Node{in: n.in, Position: n.Position, unknown: n.unknown}
		if n.v != nil {
			for _, f := range fieldsOf(n.v) {
				if f.key == key {
					next = n.in.node(f.value, f.pos)
					next.Position = f.pos
				}
			}
		}
		n = next
	}
	return n
}

// Writes reports whether a map has a key, be its value AWS::NoValue: somebody has thought of it.
func (n Node) Writes(key string) bool { return n.v.get(key) != nil }

// Text is a scalar's text; empty for anything else.
func (n Node) Text() string {
	if n.v == nil || !n.v.scalar() {
		return ""
	}
	return n.v.text
}

// IsMap reports whether the value is a map.
func (n Node) IsMap() bool { return n.v != nil && n.v.kind == kindMap }

// Literal reports whether the value is written as plain text, without an intrinsic.
func (n Node) Literal() bool { return n.written != nil && n.written.scalar() }

// Intrinsic names the intrinsic that a value is written with, such as "Ref" or "Fn::Sub"; empty if it is none.
func (n Node) Intrinsic() string {
	name, _, _ := n.written.intrinsic()
	return name
}

// Items lists a list, and takes anything else for a list of one.
func (n Node) Items() []Node {
	if n.v == nil {
		return nil
	}
	if n.v.kind != kindList {
		return []Node{n}
	}
	var out []Node
	for _, item := range n.v.items {
		if next := n.in.node(item, n.Position); next.Exists() {
			out = append(out, next)
		}
	}
	return out
}

// Texts lists the texts of Items.
func (n Node) Texts() []string {
	var out []string
	for _, item := range n.Items() {
		out = append(out, item.Text())
	}
	return out
}

// Entry is one key of a map.
type Entry struct {
	Key string
	Node
}

// Entries lists a map.
func (n Node) Entries() []Entry {
	var out []Entry
	for _, f := range fieldsOf(n.v) {
		if next := n.in.node(f.value, f.pos); next.Exists() {
			next.Position = f.pos
			out = append(out, Entry{f.key, next})
		}
	}
	return out
}

// JSON is the value with everything resolved; nil if it is absent or something in it is not known here.
func (n Node) JSON() []byte {
	if n.v == nil {
		return nil
	}
	v, err := n.in.b.r.deep(n.v)
	if err != nil || v == nil {
		return nil
	}
	return v.json()
}
