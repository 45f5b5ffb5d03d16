package policy

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"unicode/utf8"
)

// maxSize bounds a document. AWS's largest is 20,480 characters without white space (endpoint policies).
const maxSize = 1 << 18

// maxDepth bounds the nesting: document, statement, Condition, operator, list of values.
const maxDepth = 8

// node is a JSON value that keeps what encoding/json drops when it fills a struct: the order of an object's members and
// names that occur twice, of which a reader would see the one and AWS perhaps the other.
type node struct {
	kind    nodeKind
	text    string // of strings, numbers and booleans
	list    []node
	members []member
}

type member struct {
	name  string
	value node
}

type nodeKind string

const (
	nodeNull   nodeKind = "null"
	nodeString nodeKind = "a string"
	nodeNumber nodeKind = "a number"
	nodeBool   nodeKind = "a boolean"
	nodeList   nodeKind = "a list"
	nodeObject nodeKind = "an object"
)

// readJSON reads one JSON value and nothing after it.
func readJSON(data []byte) (node, *SyntaxError) {
	if len(data) > maxSize {
		return node{}, fault("", "document of %d bytes; at most %d are read", len(data), maxSize)
	}
	if !utf8.Valid(data) {
		return node{}, fault("", "document is not valid UTF-8")
	}
	dec := json.NewDecoder(bytes.NewReader(data))
	dec.UseNumber()
	n, err := readNode(dec, 0)
	if err != nil {
		return node{}, err
	}
	if _, err := dec.Token(); !errors.Is(err, io.EOF) {
		return node{}, fault("", "something follows the JSON object")
	}
	return n, nil
}

func readNode(dec *json.Decoder, depth int) (node, *SyntaxError) {
	token, err := dec.Token()
	if err != nil {
		return node{}, jsonFault(dec, err)
	}
	switch t := token.(type) {
	case json.Delim:
		if depth == maxDepth {
			return node{}, fault("", "JSON is nested deeper than %d levels", maxDepth)
		}
		if t == '[' {
			return readList(dec, depth)
		}
		return readObject(dec, depth)
	case string:
		return node{kind: nodeString, text: t}, nil
	case json.Number:
		return node{kind: nodeNumber, text: t.String()}, nil
	case bool:
		if t {
			return node{kind: nodeBool, text: "true"}, nil
		}
		return node{kind: nodeBool, text: "false"}, nil
	}
	return node{kind: nodeNull}, nil
}

func readList(dec *json.Decoder, depth int) (node, *SyntaxError) {
	n := node{kind: nodeList}
	for dec.More() {
		value, err := readNode(dec, depth+1)
		if err != nil {
			return node{}, err.under(index(len(n.list)))
		}
		n.list = append(n.list, value)
	}
	if _, err := dec.Token(); err != nil {
		return node{}, jsonFault(dec, err)
	}
	return n, nil
}

func readObject(dec *json.Decoder, depth int) (node, *SyntaxError) {
	n := node{kind: nodeObject}
	seen := map[string]bool{}
	for dec.More() {
		token, err := dec.Token()
		if err != nil {
			return node{}, jsonFault(dec, err)
		}
		name, _ := token.(string)
		if seen[name] {
			return node{}, fault(name, "occurs twice in one object")
		}
		seen[name] = true
		value, fail := readNode(dec, depth+1)
		if fail != nil {
			return node{}, fail.under(name)
		}
		n.members = append(n.members, member{name, value})
	}
	if _, err := dec.Token(); err != nil {
		return node{}, jsonFault(dec, err)
	}
	return n, nil
}

func jsonFault(dec *json.Decoder, err error) *SyntaxError {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return fault("", "JSON ends too early")
	}
	return fault("", "not JSON at byte %d: %v", dec.InputOffset(), err)
}

// items returns the elements of a list, or the value itself as the only one: AWS lets the brackets go.
func (n node) items() []node {
	if n.kind == nodeList {
		return n.list
	}
	return []node{n}
}

// strings returns the text of a string or of a list of strings, which must not be empty.
func (n node) strings() ([]string, *SyntaxError) {
	if n.kind == nodeList && len(n.list) == 0 {
		return nil, fault("", "list is empty; leave the element out or name something")
	}
	texts := make([]string, 0, len(n.items()))
	for i, item := range n.items() {
		if item.kind != nodeString {
			place := ""
			if n.kind == nodeList {
				place = index(i)
			}
			return nil, fault(place, "is %s; want a string", item.kind)
		}
		texts = append(texts, item.text)
	}
	return texts, nil
}
