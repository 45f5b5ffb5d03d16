package dynamolocal

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
)

// maxItem is the most JSON that one item may have, in bytes. DynamoDB's own limit is 400 KB of
// names and values (its developer guide, "Quotas"); as JSON that is at most six times as much,
// when all of it is characters written as \uXXXX.
const maxItem = 4 << 20

var errItemTooLong = fmt.Errorf("longer than %d MiB, which no item of DynamoDB is", maxItem>>20)

// place is where in the input something is.
type place struct {
	unit   string // "line" or "element"
	number int64  // from 1
	offset int64  // in bytes, from 0
}

func (p place) String() string {
	return fmt.Sprintf("%s %d (byte offset %d)", p.unit, p.number, p.offset)
}

func (p place) wrap(err error) error { return fmt.Errorf("%s: %w", p, err) }

// itemReader takes the input apart into items and holds no more than one of them.
type itemReader struct {
	r       *bufio.Reader
	started bool
	array   bool
	line    int64 // that of the next byte, from 1
	offset  int64 // that of the next byte, from 0
	element int64 // that was read last, from 1
}

func newItemReader(r io.Reader) *itemReader {
	return &itemReader{r: bufio.NewReader(r), line: 1}
}

// next returns the next item, or io.EOF after the last.
func (r *itemReader) next(keys []string) (item, error) {
	if !r.started {
		if err := r.start(); err != nil {
			return item{}, err
		}
	}
	raw, at, err := r.raw()
	if err != nil {
		return item{}, err
	}
	attributes, offset, err := decodeItem(raw)
	if err != nil {
		at.offset += offset
		return item{}, at.wrap(err)
	}
	key, err := keyOf(attributes, keys)
	if err != nil {
		return item{}, at.wrap(err)
	}
	return item{attributes: attributes, key: key, at: at}, nil
}

// start finds out the layout from the first byte that is no white space.
func (r *itemReader) start() error {
	r.started = true
	// Windows' editors begin UTF-8 files with a byte order mark.
	if mark := []byte("\ufeff"); r.startsWith(mark) {
		n, _ := r.r.Discard(len(mark))
		r.offset += int64(n)
	}
	b, err := r.peek()
	switch {
	case err != nil:
		return err
	case b == '[':
		r.array = true
		_, err := r.byte()
		return err
	case b != '{':
		return r.here().wrap(fmt.Errorf("want a JSON object on each line, or one JSON array of objects, not %q", b))
	}
	return nil
}

func (r *itemReader) startsWith(prefix []byte) bool {
	got, _ := r.r.Peek(len(prefix))
	return bytes.Equal(got, prefix)
}

func (r *itemReader) raw() ([]byte, place, error) {
	if r.array {
		return r.rawElement()
	}
	if _, err := r.peek(); err != nil {
		return nil, place{}, err
	}
	at := r.here()
	raw, err := r.collect(at, func(b byte) bool { return b == '\n' })
	if errors.Is(err, io.EOF) {
		err = nil // the last line needs no end
	}
	return raw, at, err
}

// rawElement returns the next element of the array.
func (r *itemReader) rawElement() ([]byte, place, error) {
	b, err := r.peek()
	if err == nil && r.element > 0 && b == ',' {
		_, _ = r.byte()
		if b, err = r.peek(); err == nil && b == ']' {
			return nil, place{}, r.here().wrap(errors.New("a comma before the end of the array"))
		}
	} else if err == nil && b == ']' {
		return nil, place{}, r.end()
	} else if err == nil && r.element > 0 {
		return nil, place{}, r.here().wrap(fmt.Errorf("want a comma or the end of the array, not %q", b))
	}
	if errors.Is(err, io.EOF) {
		return nil, place{}, r.here().wrap(errors.New("the input ends before the array does"))
	}
	if err != nil {
		return nil, place{}, err
	}
	r.element++
	at := place{unit: "element", number: r.element, offset: r.offset}
	if b != '{' {
		return nil, at, at.wrap(notAnObject(b))
	}
	var n nesting
	raw, err := r.collect(at, n.closes)
	if errors.Is(err, io.EOF) {
		err = at.wrap(errors.New("the input ends before the object does"))
	}
	return raw, at, err
}

// end checks that nothing follows the array and returns io.EOF.
func (r *itemReader) end() error {
	_, _ = r.byte()
	b, err := r.peek()
	if err != nil {
		return err
	}
	return r.here().wrap(fmt.Errorf("%q follows the array", b))
}

// collect reads until last says so, or to the end of the input, which is io.EOF.
func (r *itemReader) collect(at place, last func(byte) bool) ([]byte, error) {
	var raw []byte
	for {
		b, err := r.byte()
		if err != nil {
			return raw, err
		}
		if len(raw) == maxItem {
			return nil, at.wrap(errItemTooLong)
		}
		raw = append(raw, b)
		if last(b) {
			return raw, nil
		}
	}
}

// peek skips white space and returns the byte after it without reading it.
func (r *itemReader) peek() (byte, error) {
	for {
		b, err := r.r.Peek(1)
		if len(b) == 0 {
			return 0, err
		}
		if !isSpace(b[0]) {
			return b[0], nil
		}
		if _, err := r.byte(); err != nil {
			return 0, err
		}
	}
}

func (r *itemReader) byte() (byte, error) {
	b, err := r.r.ReadByte()
	if err != nil {
		return 0, err
	}
	r.offset++
	if b == '\n' {
		r.line++
	}
	return b, nil
}

func (r *itemReader) here() place {
	return place{unit: "line", number: r.line, offset: r.offset}
}

// isSpace knows what JSON calls white space (RFC 8259, section 2).
func isSpace(b byte) bool { return b == ' ' || b == '\t' || b == '\n' || b == '\r' }

// nesting finds the end of an object. Whether what is inside is JSON is not its business.
type nesting struct {
	depth    int
	inString bool
	escaped  bool
}

// closes takes the next byte and reports whether the object ends with it.
func (n *nesting) closes(b byte) bool {
	switch {
	case n.escaped:
		n.escaped = false
	case n.inString:
		n.escaped = b == '\\'
		n.inString = b != '"'
	case b == '"':
		n.inString = true
	case b == '{', b == '[':
		n.depth++
	case b == '}', b == ']':
		n.depth--
	}
	return n.depth == 0
}
