package stack

import (
	"encoding/base64"
	"slices"
	"strconv"
	"strings"
)

// call evaluates one intrinsic (CloudFormation user guide, Intrinsic function reference).
// An unknown one is an error, since somebody asked for its value.
func (r *resolver) call(name string, arg *value, pos Position) (*value, error) {
	switch name {
	case "Ref":
		if arg.kind != kindText {
			return nil, r.errorf(pos, "Ref takes a name, not %s", arg.kind)
		}
		return r.ref(arg.text, pos)
	case "Fn::GetAtt":
		return r.getAtt(arg, pos)
	case "Fn::Sub":
		return r.sub(arg, pos)
	case "Fn::Join":
		return r.join(arg, pos)
	case "Fn::Select":
		return r.selectItem(arg, pos)
	case "Fn::Split":
		return r.split(arg, pos)
	case "Fn::If":
		return r.choose(arg, pos)
	case "Fn::FindInMap":
		return r.findInMap(arg, pos)
	case "Fn::ImportValue":
		return r.importValue(arg, pos)
	case "Fn::Base64":
		text, err := r.text(arg, name)
		if err != nil {
			return nil, err
		}
		return r.made(base64.StdEncoding.EncodeToString([]byte(text)), pos)
	case "Fn::Cidr":
		return r.cidr(arg, pos)
	case "Fn::GetAZs":
		return r.zones(arg, pos)
	case "Fn::Transform":
		return r.include(arg, pos)
	case "Fn::Length", "Fn::ToJsonString":
		return r.languageExtension(name, arg, pos)
	case "Fn::Equals", "Fn::And", "Fn::Or", "Fn::Not":
		return nil, r.errorf(pos, "%s stands only in Conditions: name the condition there and use Fn::If", name)
	}
	return nil, r.errorf(pos, "the intrinsic %s is not supported, and its value is needed here", name)
}

func (r *resolver) join(arg *value, pos Position) (*value, error) {
	args, err := r.args("Fn::Join", arg, [2]int{2, 2})
	if err != nil {
		return nil, err
	}
	delimiter, err := r.text(args[0], "the delimiter of Fn::Join")
	if err != nil {
		return nil, err
	}
	items, err := r.list(args[1], "the second argument of Fn::Join")
	if err != nil {
		return nil, err
	}
	var parts []string
	for _, item := range items {
		part, err := r.head(item)
		if err != nil {
			return nil, err
		}
		if part == nil {
			continue // AWS::NoValue drops out of a list
		}
		if !part.scalar() {
			return nil, r.errorf(item.pos, "an item of Fn::Join is %s, not text", part.kind)
		}
		parts = append(parts, part.text)
	}
	return r.made(strings.Join(parts, delimiter), pos)
}

func (r *resolver) selectItem(arg *value, pos Position) (*value, error) {
	args, err := r.args("Fn::Select", arg, [2]int{2, 2})
	if err != nil {
		return nil, err
	}
	text, err := r.text(args[0], "the index of Fn::Select")
	if err != nil {
		return nil, err
	}
	index, err := strconv.Atoi(text)
	if err != nil {
		return nil, r.errorf(pos, "the index of Fn::Select is %q, not a number", text)
	}
	items, err := r.list(args[1], "the second argument of Fn::Select")
	if err != nil {
		return nil, err
	}
	if index < 0 || index >= len(items) {
		return nil, r.errorf(pos, "Fn::Select wants item %d of a list of %d, counted from 0", index, len(items))
	}
	return r.head(items[index])
}

func (r *resolver) split(arg *value, pos Position) (*value, error) {
	args, err := r.args("Fn::Split", arg, [2]int{2, 2})
	if err != nil {
		return nil, err
	}
	delimiter, err := r.text(args[0], "the delimiter of Fn::Split")
	if err != nil {
		return nil, err
	}
	if delimiter == "" {
		return nil, r.errorf(pos, "the delimiter of Fn::Split is empty")
	}
	text, err := r.text(args[1], "the second argument of Fn::Split")
	if err != nil {
		return nil, err
	}
	out := listValue(pos)
	for part := range strings.SplitSeq(text, delimiter) {
		item, err := r.made(part, pos)
		if err != nil {
			return nil, err
		}
		out.items = append(out.items, item)
	}
	return out, nil
}

func (r *resolver) choose(arg *value, pos Position) (*value, error) {
	args, err := r.args("Fn::If", arg, [2]int{3, 3})
	if err != nil {
		return nil, err
	}
	if args[0].kind != kindText {
		return nil, r.errorf(pos, "the first argument of Fn::If is the name of a condition, not %s", args[0].kind)
	}
	yes, err := r.condition(args[0].text, pos)
	if err != nil {
		return nil, err
	}
	if yes {
		return r.head(args[1])
	}
	return r.head(args[2])
}

// findInMap takes the fourth argument {DefaultValue: …} of AWS::LanguageExtensions, too.
func (r *resolver) findInMap(arg *value, pos Position) (*value, error) {
	args, err := r.args("Fn::FindInMap", arg, [2]int{3, 4})
	if err != nil {
		return nil, err
	}
	at := r.t.mappings
	var path []string
	for _, a := range args[:3] {
		key, err := r.text(a, "an argument of Fn::FindInMap")
		if err != nil {
			return nil, err
		}
		path = append(path, key)
		at = at.get(key)
	}
	if at != nil && !isIntrinsic(at) {
		return at, nil
	}
	if len(args) == 4 && args[3].get("DefaultValue") != nil {
		return r.head(args[3].get("DefaultValue"))
	}
	return nil, r.errorf(pos, "Mappings has no %s", strings.Join(path, "."))
}

func (r *resolver) importValue(arg *value, pos Position) (*value, error) {
	name, err := r.text(arg, "the name in Fn::ImportValue")
	if err != nil {
		return nil, err
	}
	if v, ok := r.exports[name]; ok {
		return textValue(v, pos), nil
	}
	return nil, r.errorf(pos, "Fn::ImportValue needs the export %q of another stack: give its value", name)
}

// zones makes up three zones; every region has at least as many names of that form.
func (r *resolver) zones(arg *value, pos Position) (*value, error) {
	region, err := r.text(arg, "the region of Fn::GetAZs")
	if err != nil {
		return nil, err
	}
	if region == "" {
		region = r.n.region
	}
	return listValue(pos, textValue(region+"a", pos), textValue(region+"b", pos), textValue(region+"c", pos)), nil
}

func (r *resolver) languageExtension(name string, arg *value, pos Position) (*value, error) {
	if !r.t.language {
		return nil, r.errorf(pos, "%s needs AWS::LanguageExtensions in Transform", name)
	}
	v, err := r.deep(arg)
	if err != nil {
		return nil, err
	}
	if v == nil || (v.kind != kindList && v.kind != kindMap) {
		return nil, r.errorf(pos, "%s takes a list or a map", name)
	}
	if name == "Fn::ToJsonString" {
		return r.made(string(v.json()), pos)
	}
	if v.kind != kindList {
		return nil, r.errorf(pos, "%s takes a list", name)
	}
	return &value{kind: kindNumber, text: strconv.Itoa(len(v.items)), pos: pos}, nil
}

// sub fills ${Name}, ${Resource.Attribute} and the names of its own map; ${!Text} stands for ${Text}.
func (r *resolver) sub(arg *value, pos Position) (*value, error) {
	pattern, own := arg, (*value)(nil)
	if arg.kind == kindList {
		args, err := r.args("Fn::Sub", arg, [2]int{2, 2})
		if err != nil {
			return nil, err
		}
		pattern, own = args[0], args[1]
		if own.kind != kindMap {
			return nil, r.errorf(pos, "the second argument of Fn::Sub is a map, not %s", own.kind)
		}
	}
	if !pattern.scalar() {
		return nil, r.errorf(pos, "Fn::Sub takes text, not %s", pattern.kind)
	}
	var out strings.Builder
	rest := pattern.text
	for {
		before, after, ok := strings.Cut(rest, "${")
		name, tail, closed := strings.Cut(after, "}")
		if !ok || !closed {
			out.WriteString(rest)
			break
		}
		out.WriteString(before)
		rest = tail
		if literal, ok := strings.CutPrefix(name, "!"); ok {
			out.WriteString("${" + literal + "}")
			continue
		}
		text, err := r.subVariable(name, own, pos)
		if err != nil {
			return nil, err
		}
		out.WriteString(text)
		if out.Len() > maxBytes {
			break
		}
	}
	return r.made(out.String(), pos)
}

func (r *resolver) subVariable(name string, own *value, pos Position) (string, error) {
	if v := own.get(name); v != nil {
		return r.text(v, "${"+name+"} of Fn::Sub")
	}
	var v *value
	var err error
	if id, attribute, ok := strings.Cut(name, "."); ok && !slices.Contains(derivedRefs, attribute) {
		v, err = r.attribute(id, attribute, pos)
	} else {
		v, err = r.ref(name, pos)
	}
	if err != nil {
		return "", err
	}
	if v == nil || !v.scalar() {
		return "", r.errorf(pos, "${%s} of Fn::Sub is not text", name)
	}
	return v.text, nil
}

func (r *resolver) getAtt(arg *value, pos Position) (*value, error) {
	if arg.kind == kindText {
		id, attribute, ok := strings.Cut(arg.text, ".")
		if !ok {
			return nil, r.errorf(pos, "Fn::GetAtt takes Resource.Attribute, not %q", arg.text)
		}
		return r.attribute(id, attribute, pos)
	}
	args, err := r.args("Fn::GetAtt", arg, [2]int{2, 2})
	if err != nil {
		return nil, err
	}
	attribute, err := r.text(args[1], "the attribute in Fn::GetAtt")
	if err != nil {
		return nil, err
	}
	if args[0].kind != kindText {
		return nil, r.errorf(pos, "Fn::GetAtt takes the logical id of a resource, not %s", args[0].kind)
	}
	return r.attribute(args[0].text, attribute, pos)
}
