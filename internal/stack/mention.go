package stack

import "strings"

// mentions looks for a name in Ref, Fn::GetAtt and Fn::Sub.
func mentions(v *value, id string) bool {
	if v == nil {
		return false
	}
	if name, arg, ok := v.intrinsic(); ok {
		switch name {
		case "Ref":
			return first(arg.text) == id
		case "Fn::GetAtt":
			return first(arg.text) == id || len(arg.items) > 0 && arg.items[0].text == id
		case "Fn::Sub":
			if inText(arg.text, id) || len(arg.items) > 0 && inText(arg.items[0].text, id) {
				return true
			}
		}
	}
	for _, item := range v.items {
		if mentions(item, id) {
			return true
		}
	}
	for _, f := range v.fields {
		if mentions(f.value, id) {
			return true
		}
	}
	return false
}

// first is what stands before the first dot: of Table.Arn, Table.
func first(text string) string {
	id, _, _ := strings.Cut(text, ".")
	return id
}

// inText looks for ${id} and ${id.Attribute}.
func inText(text, id string) bool {
	return strings.Contains(text, "${"+id+"}") || strings.Contains(text, "${"+id+".")
}
