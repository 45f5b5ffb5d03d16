package stack

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// CloudFormation takes templates of at most 1 MB. The other two bound what aliases and nesting make of them.
const (
	maxTemplateBytes = 1 << 20
	maxNodes         = 200_000
	maxDepth         = 128
)

// parser makes values of a file's text.
type parser struct {
	file   string
	nodes  int
	depth  int
	within map[*yaml.Node]bool // anchors being expanded: an alias to one of them has no end
}

// parseText reads YAML or JSON into a value.
func parseText(file string, data []byte) (*value, error) {
	p := &parser{file: file, within: map[*yaml.Node]bool{}}
	if len(data) > maxTemplateBytes {
		return nil, p.errorf(0, "the file has %d bytes, CloudFormation takes at most %d", len(data), maxTemplateBytes)
	}
	if trimmed := bytes.TrimLeft(data, " \t\r\n\ufeff"); len(trimmed) > 0 && trimmed[0] == '{' && json.Valid(data) {
		return p.json(data)
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc yaml.Node
	if err := decodeYAML(dec, &doc); err != nil {
		return nil, p.yamlError(err)
	}
	var second yaml.Node
	if err := decodeYAML(dec, &second); err == nil {
		return nil, p.errorf(second.Line, "a second YAML document starts here, a template is one document")
	} else if !errors.Is(err, io.EOF) {
		return nil, p.yamlError(err)
	}
	if doc.Kind != yaml.DocumentNode || len(doc.Content) != 1 {
		return nil, p.errorf(0, "the file is empty")
	}
	return p.node(doc.Content[0])
}

// decodeYAML turns a panic of the library into an error: a template is input, and input must not stop the program.
func decodeYAML(dec *yaml.Decoder, into *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: %v", r)
		}
	}()
	return dec.Decode(into)
}

// grammarError matches what the library says when words are right and their order is not.
var grammarError = regexp.MustCompile(`^did not find expected (<document start>|node content|key|'-' indicator|',' or '[]}]')$`)

func (p *parser) errorf(line int, format string, args ...any) *Error {
	return &Error{Position: Position{p.file, line}, Message: fmt.Sprintf(format, args...)}
}

func (p *parser) pos(n *yaml.Node) Position { return Position{p.file, n.Line} }

// yamlError moves the line that the library puts into its text to where an editor finds it.
func (p *parser) yamlError(err error) *Error {
	if errors.Is(err, io.EOF) {
		return p.errorf(0, "the file is empty")
	}
	text := strings.TrimPrefix(err.Error(), "yaml: ")
	if rest, ok := strings.CutPrefix(text, "line "); ok {
		if digits, message, ok := strings.Cut(rest, ": "); ok {
			if line, err := strconv.Atoi(digits); err == nil {
				if grammarError.MatchString(message) {
					line++ // the library counts these from 0, and those of its scanner from 1
				}
				return p.errorf(line, "not YAML: %s", message)
			}
		}
	}
	return p.errorf(0, "not YAML: %s", text)
}

// enter counts one more node; leave must follow.
func (p *parser) enter(line int) *Error {
	p.depth++
	p.nodes++
	if p.nodes > maxNodes {
		return p.errorf(line, "the template has more than %d values with its aliases expanded", maxNodes)
	}
	if p.depth > maxDepth {
		return p.errorf(line, "values are nested more than %d deep", maxDepth)
	}
	return nil
}

func (p *parser) leave() { p.depth-- }

func (p *parser) node(n *yaml.Node) (*value, error) {
	if err := p.enter(n.Line); err != nil {
		return nil, err
	}
	defer p.leave()
	if n.Kind == yaml.AliasNode {
		return p.alias(n)
	}
	tag := n.ShortTag()
	if strings.HasPrefix(tag, "!") && !strings.HasPrefix(tag, "!!") && tag != "!" {
		return p.shortForm(n, tag)
	}
	return p.plain(n)
}

func (p *parser) alias(n *yaml.Node) (*value, error) {
	if n.Alias == nil || p.within[n.Alias] {
		return nil, p.errorf(n.Line, "the alias *%s stands inside what it stands for", n.Value)
	}
	p.within[n.Alias] = true
	defer delete(p.within, n.Alias)
	return p.node(n.Alias)
}

// shortForm turns !Ref x into {"Ref": x} and !Name x into {"Fn::Name": x}.
func (p *parser) shortForm(n *yaml.Node, tag string) (*value, error) {
	arg, err := p.plain(n)
	if err != nil {
		return nil, err
	}
	name := "Fn::" + tag[1:]
	if tag == "!Ref" || tag == "!Condition" {
		name = tag[1:]
	}
	return mapValue(p.pos(n), name, arg), nil
}

// plain reads a node as if it had no short-form tag.
func (p *parser) plain(n *yaml.Node) (*value, error) {
	switch n.Kind {
	case yaml.SequenceNode:
		list := &value{kind: kindList, pos: p.pos(n)}
		for _, child := range n.Content {
			item, err := p.node(child)
			if err != nil {
				return nil, err
			}
			list.items = append(list.items, item)
		}
		return list, nil
	case yaml.MappingNode:
		return p.mapping(n)
	case yaml.ScalarNode:
		return p.scalar(n)
	}
	return nil, p.errorf(n.Line, "this YAML cannot stand in a template")
}

func (p *parser) mapping(n *yaml.Node) (*value, error) {
	m := &value{kind: kindMap, pos: p.pos(n)}
	seen := map[string]int{}
	var merged []*value
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, child := n.Content[i], n.Content[i+1]
		if key.Kind == yaml.AliasNode && key.Alias != nil {
			key = key.Alias
		}
		if key.Kind != yaml.ScalarNode {
			return nil, p.errorf(key.Line, "a key must be text")
		}
		if key.ShortTag() == "!!null" {
			return nil, p.errorf(key.Line, "the key %s is YAML's null, not text: put it into quotes", key.Value)
		}
		v, err := p.node(child)
		if err != nil {
			return nil, err
		}
		if key.ShortTag() == "!!merge" {
			merged = append(merged, v)
			continue
		}
		if first, ok := seen[key.Value]; ok {
			return nil, p.errorf(key.Line, "the key %q stands here for the second time, the first is in line %d", key.Value, first)
		}
		seen[key.Value] = key.Line
		m.fields = append(m.fields, field{key: key.Value, pos: p.pos(key), value: v})
	}
	for _, source := range merged {
		if err := p.merge(m, source, seen); err != nil {
			return nil, err
		}
	}
	return m, nil
}

// merge adds the fields of a merge key (<<) that are not there yet; of several sources the first wins.
// https://yaml.org/type/merge.html
func (p *parser) merge(m, source *value, seen map[string]int) error {
	switch source.kind {
	case kindMap:
		for _, f := range source.fields {
			if _, ok := seen[f.key]; !ok {
				seen[f.key] = f.pos.Line
				m.fields = append(m.fields, f)
			}
		}
		return nil
	case kindList:
		for _, item := range source.items {
			if item.kind != kindMap {
				return p.errorf(item.pos.Line, "the merge key << takes maps, this is %s", item.kind)
			}
			if err := p.merge(m, item, seen); err != nil {
				return err
			}
		}
		return nil
	}
	return p.errorf(source.pos.Line, "the merge key << takes a map, this is %s", source.kind)
}

func (p *parser) scalar(n *yaml.Node) (*value, error) {
	v := &value{kind: kindText, text: n.Value, pos: p.pos(n)}
	switch n.ShortTag() {
	case "!!null":
		v.kind, v.text = kindNull, ""
	case "!!bool":
		var b bool
		if err := n.Decode(&b); err != nil {
			return nil, p.errorf(n.Line, "%q is not a boolean", n.Value)
		}
		return boolValue(b, v.pos), nil
	case "!!int", "!!float":
		if leadingZero(n.Value) {
			return nil, p.errorf(n.Line, "%s starts with a zero, which YAML readers take for octal or not as they like: quote it", n.Value)
		}
		text, ok := jsonNumber(n)
		if !ok {
			return nil, p.errorf(n.Line, "%q is not a number that CloudFormation takes", n.Value)
		}
		v.kind, v.text = kindNumber, text
	case "!!binary":
		return nil, p.errorf(n.Line, "binary values cannot stand in a template")
	}
	return v, nil
}

// jsonNumber keeps a number as written if JSON takes it, and else (0x1F, 1_000) writes it out.
func jsonNumber(n *yaml.Node) (string, bool) {
	if json.Valid([]byte(n.Value)) {
		return n.Value, true
	}
	var whole int64
	if n.ShortTag() == "!!int" && n.Decode(&whole) == nil {
		return strconv.FormatInt(whole, 10), true
	}
	var f float64
	if n.Decode(&f) != nil {
		return "", false
	}
	text := strconv.FormatFloat(f, 'g', -1, 64)
	return text, json.Valid([]byte(text))
}

// leadingZero finds numbers such as the account id 012345678901, which become another number on their way to AWS.
func leadingZero(text string) bool {
	return len(text) > 1 && text[0] == '0' && strings.Trim(text, "0123456789") == ""
}
