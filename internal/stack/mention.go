package stack

import (
	"regexp"
	"slices"
	"strings"
)

// Mentions reports whether the value, as it was written, names a resource or parameter in an intrinsic.
func (n Node) Mentions(id string) bool {
	found := false
	named(n.written, func(items []*value) []*value { return items }, func(name string) { found = found || name == id })
	return found
}

// Names lists the resources and parameters that the value names in intrinsics, once each. Of an Fn::If only the branch
// counts that is taken.
func (n Node) Names() []string {
	var names []string
	taken := func(items []*value) []*value {
		if yes, err := n.in.b.r.condition(items[0].text, items[0].pos); err == nil && yes {
			return items[1:2]
		}
		return items[2:]
	}
	named(n.written, taken, func(name string) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	})
	return names
}

// named visits the names in Ref, Fn::GetAtt and Fn::Sub at and below a value; branches chooses among those of Fn::If.
func named(v *value, branches func([]*value) []*value, visit func(string)) {
	if v == nil {
		return
	}
	if name, arg, ok := v.intrinsic(); ok {
		switch {
		case name == "Ref":
			visit(first(arg.text))
			return
		case name == "Fn::GetAtt" && arg.kind == kindList && len(arg.items) > 0:
			visit(arg.items[0].text)
			return
		case name == "Fn::GetAtt":
			visit(first(arg.text))
			return
		case name == "Fn::Sub":
			namedInSub(arg, visit)
		case name == "Fn::If" && arg.kind == kindList && len(arg.items) == 3:
			for _, item := range branches(arg.items) {
				named(item, branches, visit)
			}
			return
		}
	}
	for _, item := range v.items {
		named(item, branches, visit)
	}
	for _, f := range v.fields {
		named(f.value, branches, visit)
	}
}

// subName is a variable of Fn::Sub; ${!Text} is none.
var subName = regexp.MustCompile(`\$\{([^!}][^}]*)\}`)

// namedInSub visits the names in the text of Fn::Sub, but for those of its own map.
func namedInSub(arg *value, visit func(string)) {
	text, own := arg.text, (*value)(nil)
	if arg.kind == kindList && len(arg.items) == 2 {
		text, own = arg.items[0].text, arg.items[1]
	}
	for _, m := range subName.FindAllStringSubmatch(text, -1) {
		if own.get(m[1]) == nil {
			visit(first(m[1]))
		}
	}
}

// first is what stands before the first dot: of Table.Arn, Table.
func first(text string) string {
	id, _, _ := strings.Cut(text, ".")
	return id
}
