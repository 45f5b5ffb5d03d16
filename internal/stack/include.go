package stack

import (
	"path/filepath"
	"slices"
	"strings"
)

// include reads the local file of {"Fn::Transform": {"Name": "AWS::Include", "Parameters": {"Location": …}}}, which
// sam package would put into S3.
func (r *resolver) include(arg *value, pos Position) (*value, error) {
	name := arg.get("Name")
	if name == nil || name.text != "AWS::Include" {
		return nil, r.errorf(pos, "the macro in Fn::Transform runs in AWS only, and its result is needed here; AWS::Include is supported")
	}
	location := arg.get("Parameters").get("Location")
	if location == nil {
		return nil, r.errorf(pos, "AWS::Include has no Parameters.Location")
	}
	path, err := r.text(location, "the Location of AWS::Include")
	if err != nil {
		return nil, err
	}
	v, err := r.file(path, location.pos)
	if err != nil {
		return nil, err
	}
	done, err := r.guard("the file "+path, pos)
	if err != nil {
		return nil, err
	}
	defer done()
	return r.head(v)
}

// includeBeside puts an included map among the other keys of a map.
func (r *resolver) includeBeside(v *value, transform field) (*value, error) {
	included, err := r.include(transform.value, transform.pos)
	if err != nil {
		return nil, err
	}
	if included == nil || included.kind != kindMap {
		return nil, r.errorf(transform.pos, "the included file must be a map, as it stands beside other keys")
	}
	out := &value{kind: kindMap, pos: v.pos}
	for _, f := range v.fields {
		if f.key != transform.key {
			out.fields = append(out.fields, f)
		}
	}
	for _, f := range included.fields {
		if slices.ContainsFunc(out.fields, func(g field) bool { return g.key == f.key }) {
			return nil, r.errorf(f.pos, "the included file sets %q, which the template sets, too", f.key)
		}
		out.fields = append(out.fields, f)
	}
	return r.head(out)
}

// file reads a file that the template names, once.
func (r *resolver) file(path string, pos Position) (*value, error) {
	if v, ok := r.includes[path]; ok {
		return v, nil
	}
	if strings.Contains(path, "://") {
		return nil, r.errorf(pos, "%s is not on this machine: name a local file, sam package uploads it", path)
	}
	if r.readFile == nil {
		return nil, r.errorf(pos, "the template names the file %s, and was not read from a folder", path)
	}
	full := path
	if !filepath.IsAbs(full) {
		full = filepath.Join(r.t.dir, path)
	}
	data, err := r.readFile(full)
	if err != nil {
		return nil, r.errorf(pos, "the file the template names cannot be read: %v", err)
	}
	v, err := parseText(full, data)
	if err != nil {
		return nil, err
	}
	r.includes[path] = v
	return v, nil
}
