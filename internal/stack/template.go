package stack

import (
	"fmt"
	"slices"
	"strings"
)

// template is a parsed file, cut into its sections, with Globals merged into the resources.
type template struct {
	file       string
	dir        string // where relative paths start; empty if the file's place is not known
	params     map[string]*parameter
	paramOrder []string
	mappings   *value
	conditions map[string]*value
	resources  map[string]*resource
	order      []string // logical ids as written
	globals    map[string]*value
	outputs    *value
	sam        bool // the SAM transform is on
	language   bool // AWS::LanguageExtensions is on
}

// resource is one entry of Resources.
type resource struct {
	id, typ   string
	props     *value // Globals merged in; nil if there are none
	metadata  *value
	condition string
	pos       Position
}

// samTransform is the macro that gives AWS::Serverless::* its meaning.
const samTransform = "AWS::Serverless-2016-10-31"

// sections are the keys that a template may have at its top (CloudFormation user guide, Template anatomy; SAM adds Globals).
var sections = []string{
	"AWSTemplateFormatVersion", "Conditions", "Description", "Globals", "Hooks", "Mappings", "Metadata", "Outputs",
	"Parameters", "Resources", "Rules", "Transform",
}

// readTemplate cuts root into sections. Parameters are not given values yet.
func (b *builder) readTemplate(root *value) {
	t := b.t
	if root.kind != kindMap {
		b.fail(root.pos, "", "", "a template is a map with Resources, this is %s", root.kind)
		return
	}
	for _, f := range root.fields {
		if !slices.Contains(sections, f.key) {
			b.fail(f.pos, "", f.key, "not a section of a template; the sections are %s", strings.Join(sections, ", "))
		}
	}
	b.readTransform(root.get("Transform"))
	b.readParameters(b.section(root, "Parameters"))
	t.mappings = b.section(root, "Mappings")
	for _, f := range fieldsOf(b.section(root, "Conditions")) {
		t.conditions[f.key] = f.value
	}
	b.readGlobals(b.section(root, "Globals"))
	t.outputs = b.section(root, "Outputs")
	resources := b.section(root, "Resources")
	if len(fieldsOf(resources)) == 0 {
		b.fail(root.pos, "Resources", "", "the template has no resources")
	}
	for _, f := range fieldsOf(resources) {
		b.readResource(f)
	}
	if len(b.errs) == 0 {
		b.checkRules(b.section(root, "Rules"))
	}
}

// section returns a section that must be a map, nil if it is absent.
func (b *builder) section(root *value, name string) *value {
	v := root.get(name)
	if v == nil || v.kind == kindNull {
		return nil
	}
	if v.kind != kindMap {
		b.fail(v.pos, name, "", "this section is a map, not %s", v.kind)
		return nil
	}
	return v
}

func fieldsOf(v *value) []field {
	if v == nil || v.kind != kindMap {
		return nil
	}
	return v.fields
}

func (b *builder) readTransform(v *value) {
	if v == nil {
		return
	}
	names := []*value{v}
	if v.kind == kindList {
		names = v.items
	}
	for _, name := range names {
		switch name.text {
		case samTransform:
			b.t.sam = true
		case "AWS::LanguageExtensions":
			b.t.language = true
		default:
			b.readMacro(name)
		}
	}
}

// harmlessMacros are AWS's own that change nothing of an API and who may call it.
var harmlessMacros = []string{"AWS::CodeDeployBlueGreen", "AWS::SecretsManager-2020-07-23", "AWS::SecretsManager-2024-09-16"}

// readMacro refuses what may change anything: policies and authorization among it.
func (b *builder) readMacro(name *value) {
	if slices.Contains(harmlessMacros, name.text) {
		b.warn(name.pos, "Transform", "", fmt.Sprintf("the macro %q runs in AWS only: what it would change is not changed here", name.text))
		return
	}
	text := name.text
	if of := name.get("Name"); of != nil {
		text = of.text
	}
	b.fail(name.pos, "Transform", "", "the macro %q runs in AWS only and may change who may call what: take the template that CloudFormation "+
		"made of it (aws cloudformation get-template --template-stage Processed), or leave the macro out", text)
}

func (b *builder) readResource(f field) {
	if strings.HasPrefix(f.key, "Fn::") {
		b.fail(f.pos, f.key, "", "%s among the resources is not supported: write the resources out", f.key)
		return
	}
	if f.value.kind != kindMap {
		b.fail(f.pos, f.key, "", "a resource is a map with Type and Properties, this is %s", f.value.kind)
		return
	}
	b.checkAttributes(f.key, f.value)
	r := &resource{id: f.key, pos: f.pos, metadata: f.value.get("Metadata")}
	if typ := f.value.get("Type"); typ != nil && typ.kind == kindText && typ.text != "" {
		r.typ = typ.text
		b.checkType(r, typ.pos)
	} else {
		b.fail(f.pos, f.key, "Type", "the resource has no Type")
		return
	}
	if c := f.value.get("Condition"); c != nil && c.kind == kindText {
		r.condition = c.text
	} else if c != nil {
		b.fail(c.pos, f.key, "Condition", "this is the name of a condition, not %s", c.kind)
	}
	props := f.value.get("Properties")
	if props != nil && props.kind == kindNull {
		props = nil
	}
	if props != nil && props.kind != kindMap {
		b.fail(props.pos, f.key, "Properties", "this is a map, not %s", props.kind)
		return
	}
	r.props = b.mergeGlobals(r, props, f.value.get("IgnoreGlobals"))
	b.checkProperties(r)
	if strings.HasPrefix(r.typ, "AWS::Serverless::") && !b.t.sam {
		b.fail(f.pos, f.key, "Type", "%s needs Transform: %s at the top of the template", r.typ, samTransform)
		return
	}
	b.t.resources[r.id] = r
	b.t.order = append(b.t.order, r.id)
}
