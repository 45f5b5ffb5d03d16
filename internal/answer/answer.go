// Package answer shows HTTP answers to whoever reads them, as they come.
//
// A pipe and a file get every byte as it is. A terminal gets JSON indented and in colours if it shows any, no binary data, and
// nothing that would control it. The package sends nothing and judges no status.
package answer

import (
	"errors"
	"fmt"
	"io"
	"maps"
	"mime"
	"net/http"
	"slices"
	"strings"
)

const (
	// mostJSON bounds what is held of a JSON document to indent it. A longer one is shown as it comes.
	mostJSON = 1 << 20
	// pieceSize is the most that is read at once.
	pieceSize = 32 << 10
)

// ErrWrite says that an answer could not be written, for whatever became of the reader.
var ErrWrite = errors.New("writing the answer")

// BrokenError says that an answer ended before its end.
type BrokenError struct {
	// Bytes of the body had come.
	Bytes int64
	// Err is what ended it.
	Err error
}

func (e *BrokenError) Error() string {
	return fmt.Sprintf("the answer broke off after %d bytes: %v", e.Bytes, e.Err)
}

// Unwrap returns what ended the answer.
func (e *BrokenError) Unwrap() error { return e.Err }

// BinaryError says that a body was not shown because it is no text.
type BinaryError struct {
	// Type is its Content-Type, which may be empty.
	Type string
}

func (e *BinaryError) Error() string {
	if e.Type == "" {
		return "the answer is binary, and was not written to the terminal"
	}
	return fmt.Sprintf("the answer is binary (%s), and was not written to the terminal", Clean(e.Type))
}

// Printer writes answers one after the other.
type Printer struct {
	// Out is written to at once, without a buffer.
	Out io.Writer
	// Head is whether status and headers are written before the body.
	Head bool
	// Terminal is whether Out is one.
	Terminal bool
	// Colour is whether JSON is indented and coloured.
	Colour bool

	open bool // the last line has no end
	text cleaner
}

// Print writes an answer, and reads it to its end unless it fails. It does not close it. An answer that begins on the line of
// another, which had no end of line, gets one before it; at a terminal each gets one behind.
func (p *Printer) Print(resp *http.Response) error {
	if p.open {
		if err := p.write([]byte("\n")); err != nil {
			return err
		}
	}
	if p.Head {
		if err := p.show([]byte(head(resp))); err != nil {
			return err
		}
	}
	err := p.body(resp)
	if p.Terminal && !errors.Is(err, ErrWrite) {
		if flushed := p.write(p.text.end()); flushed != nil {
			return flushed
		}
		if p.open {
			return errors.Join(err, p.write([]byte("\n")))
		}
	}
	return err
}

// head is what came before the body.
func head(resp *http.Response) string {
	var text strings.Builder
	fmt.Fprintf(&text, "%s %d %s\n", resp.Proto, resp.StatusCode, http.StatusText(resp.StatusCode))
	for _, name := range slices.Sorted(maps.Keys(resp.Header)) {
		for _, value := range resp.Header[name] {
			fmt.Fprintf(&text, "%s: %s\n", name, value)
		}
	}
	text.WriteByte('\n')
	return text.String()
}

func (p *Printer) body(resp *http.Response) error {
	in := &reader{body: resp.Body}
	first, err := in.piece(make([]byte, pieceSize))
	if p.Terminal && isBinary(first) {
		return &BinaryError{Type: resp.Header.Get("Content-Type")}
	}
	if p.Colour && isJSON(resp.Header) {
		first, err = in.upTo(first, err, mostJSON)
		if coloured, ok := colourJSON(first); ok && err == io.EOF {
			return p.write(coloured)
		}
	}
	for buffer := make([]byte, pieceSize); ; first, err = in.piece(buffer) {
		if err := p.show(first); err != nil {
			return err
		}
		switch {
		case err == io.EOF:
			return nil
		case err != nil:
			return &BrokenError{Bytes: in.count, Err: err}
		}
	}
}

// isJSON reads the types of RFC 8259 and RFC 6839 section 3.1.
func isJSON(h http.Header) bool {
	kind, _, err := mime.ParseMediaType(h.Get("Content-Type"))
	return err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json"))
}

// show writes what came, so that a terminal shows all of it and obeys none.
func (p *Printer) show(piece []byte) error {
	if p.Terminal {
		piece = p.text.add(piece)
	}
	return p.write(piece)
}

func (p *Printer) write(text []byte) error {
	if len(text) == 0 {
		return nil
	}
	if _, err := p.Out.Write(text); err != nil {
		return fmt.Errorf("%w: %w", ErrWrite, err)
	}
	p.open = text[len(text)-1] != '\n'
	return nil
}

// reader counts what it reads.
type reader struct {
	body  io.Reader
	count int64
}

// piece reads what is there, and waits only if there is nothing.
func (r *reader) piece(buffer []byte) ([]byte, error) {
	n, err := r.body.Read(buffer)
	r.count += int64(n)
	return buffer[:n], err
}

// upTo reads on from what was read first, until the end or the limit. A document that is longer is returned with what was read
// of it, and no error.
func (r *reader) upTo(text []byte, err error, limit int) ([]byte, error) {
	text = slices.Clone(text)
	buffer := make([]byte, pieceSize)
	for err == nil && len(text) < limit {
		var piece []byte
		piece, err = r.piece(buffer)
		text = append(text, piece...)
	}
	return text, err
}
