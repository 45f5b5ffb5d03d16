package identity

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

// The bounds of an identities file. The last two bound what aliases and nesting make of it.
const (
	maxFileBytes = 1 << 20
	maxNodes     = 100_000
	maxDepth     = 64
)

// FileError is one thing of an identities file that cannot be accepted.
type FileError struct {
	File         string
	Line, Column int    // from 1; Column is 0 if only the line is known, Line if not even that
	Message      string // what is wrong and what is wanted
}

// Error gives "identities.yaml:3:5: …".
func (e *FileError) Error() string {
	place := e.File
	if e.Line > 0 {
		place += ":" + strconv.Itoa(e.Line)
		if e.Column > 0 {
			place += ":" + strconv.Itoa(e.Column)
		}
	}
	return place + ": " + e.Message
}

// source is a file that is being read. It collects errors, so that all of them come at once.
type source struct {
	file  string
	errs  []error
	nodes int // visited so far, those of aliases each time
}

// maxErrors are shown; who has more has the wrong file.
const maxErrors = 50

func (s *source) fail(n *yaml.Node, format string, args ...any) {
	if len(s.errs) >= maxErrors {
		return
	}
	e := &FileError{File: s.file, Message: fmt.Sprintf(format, args...)}
	if n != nil {
		e.Line, e.Column = n.Line, n.Column
	}
	s.errs = append(s.errs, e)
}

// document parses YAML, of which JSON is a part. It returns nil after a failure.
func (s *source) document(data []byte) *yaml.Node {
	if len(data) > maxFileBytes {
		s.fail(nil, "the file has %d bytes; at most %d are read", len(data), maxFileBytes)
		return nil
	}
	dec := yaml.NewDecoder(bytes.NewReader(data))
	var doc, second yaml.Node
	switch err := decode(dec, &doc); {
	case errors.Is(err, io.EOF):
		s.fail(nil, "%s", wantList)
		return nil
	case err != nil:
		s.errs = append(s.errs, s.syntaxError(err))
		return nil
	case doc.Kind != yaml.DocumentNode || len(doc.Content) != 1:
		s.fail(nil, "%s", wantList)
		return nil
	}
	if err := decode(dec, &second); err == nil {
		s.fail(&second, "a second YAML document starts here; the file is one")
		return nil
	} else if !errors.Is(err, io.EOF) {
		s.errs = append(s.errs, s.syntaxError(err))
		return nil
	}
	return doc.Content[0]
}

// decode turns a panic of the library into an error: the file is input, and input must not stop the program.
func decode(dec *yaml.Decoder, into *yaml.Node) (err error) {
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("yaml: %v", r)
		}
	}()
	return dec.Decode(into)
}

// yamlLine matches the place that the library puts into its text. It counts the lines of its grammar's errors from 0, and
// those of its scanner's from 1.
var (
	yamlLine     = regexp.MustCompile(`^yaml: line ([0-9]+): `)
	grammarError = regexp.MustCompile(`^did not find expected (<document start>|node content|key|'-' indicator|',' or '[]}]')$`)
)

func (s *source) syntaxError(err error) *FileError {
	text := err.Error()
	e := &FileError{File: s.file}
	if m := yamlLine.FindStringSubmatch(text); m != nil {
		e.Line, _ = strconv.Atoi(m[1]) // the pattern has digits only; a line that is too large is none
		text = text[len(m[0]):]
		if grammarError.MatchString(text) {
			e.Line++
		}
	}
	e.Message = "not YAML: " + strings.TrimPrefix(text, "yaml: ")
	return e
}

// visit follows an alias and counts. It returns nil after a failure.
func (s *source) visit(n *yaml.Node, depth int) *yaml.Node {
	at := n
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	s.nodes++
	switch {
	case s.nodes > maxNodes:
		if s.nodes == maxNodes+1 {
			s.fail(at, "the file and its aliases have more than %d values", maxNodes)
		}
		return nil
	case depth > maxDepth:
		s.fail(at, "values are nested more than %d deep, or an alias holds itself", maxDepth)
		return nil
	case strings.HasPrefix(n.Tag, "!") && !strings.HasPrefix(n.Tag, "!!"):
		s.fail(at, "tag %s is not known here; write the value itself", n.Tag)
		return nil
	}
	return n
}

// member is one key of a mapping with its value, aliases followed.
type member struct {
	key, value *yaml.Node
}

// members reads a mapping. It leaves out what it fails on.
func (s *source) members(n *yaml.Node, depth int) []member {
	out := make([]member, 0, len(n.Content)/2)
	seen := map[string]bool{}
	for i := 0; i+1 < len(n.Content); i += 2 {
		key, value := s.visit(n.Content[i], depth+1), s.visit(n.Content[i+1], depth+1)
		switch {
		case key == nil || value == nil:
		case key.Kind != yaml.ScalarNode || key.ShortTag() == "!!null":
			s.fail(n.Content[i], "a key is a text, this is %s", kindOf(key))
		case key.ShortTag() == "!!merge":
			s.fail(n.Content[i], "merge keys are not known here; write the fields themselves")
		case seen[key.Value]:
			s.fail(n.Content[i], "%q is there twice", key.Value)
		default:
			seen[key.Value] = true
			out = append(out, member{key, value})
		}
	}
	return out
}

// text reads a scalar as it is written: an account's number, a date and a word are texts alike.
func (s *source) text(n *yaml.Node, what string) (string, bool) {
	if n.Kind != yaml.ScalarNode || n.ShortTag() == "!!null" || n.ShortTag() == "!!binary" {
		s.fail(n, "%s is a text, this is %s", what, kindOf(n))
		return "", false
	}
	return n.Value, true
}

// json writes a value as JSON. Every scalar becomes a string, which policies take everywhere: YAML would make a date of
// an unquoted Version, and a number of an account. It returns false after a failure.
func (s *source) json(b *bytes.Buffer, n *yaml.Node, depth int) bool {
	switch n.Kind {
	case yaml.MappingNode:
		b.WriteByte('{')
		members := s.members(n, depth)
		for i, m := range members {
			if i > 0 {
				b.WriteByte(',')
			}
			writeString(b, m.key.Value)
			b.WriteByte(':')
			if !s.json(b, m.value, depth+1) {
				return false
			}
		}
		b.WriteByte('}')
		return len(members) == len(n.Content)/2
	case yaml.SequenceNode:
		b.WriteByte('[')
		for i, item := range n.Content {
			if i > 0 {
				b.WriteByte(',')
			}
			value := s.visit(item, depth+1)
			if value == nil || !s.json(b, value, depth+1) {
				return false
			}
		}
		b.WriteByte(']')
		return true
	}
	text, ok := s.text(n, "a policy's value")
	writeString(b, text)
	return ok
}

func writeString(b *bytes.Buffer, text string) {
	encoded, _ := json.Marshal(text) // a string never fails
	b.Write(encoded)
}

func kindOf(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a map"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.ShortTag() == "!!null":
		return "nothing"
	}
	return "the text " + strconv.Quote(n.Value)
}

// find follows the path of a policy's fault, such as Condition.StringEquals.aws:SourceVpce[1], as far as it leads. Keys
// may hold dots themselves.
func find(n *yaml.Node, path string) *yaml.Node {
	for n.Kind == yaml.AliasNode {
		n = n.Alias
	}
	path = strings.TrimPrefix(path, ".")
	switch n.Kind {
	case yaml.SequenceNode:
		digits, rest, _ := strings.Cut(strings.TrimPrefix(path, "["), "]")
		if i, err := strconv.Atoi(digits); err == nil && 0 <= i && i < len(n.Content) {
			return find(n.Content[i], rest)
		}
	case yaml.MappingNode:
		for i := 0; i+1 < len(n.Content); i += 2 {
			rest, ok := strings.CutPrefix(path, n.Content[i].Value)
			switch {
			case !ok || n.Content[i].Value == "":
			case rest == "":
				return n.Content[i] // a map's own place would be its first key, which says less
			case rest[0] == '.' || rest[0] == '[':
				return find(n.Content[i+1], rest)
			}
		}
	}
	return n
}
