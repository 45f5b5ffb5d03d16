package load

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"encoding/json"
	"errors"
	"fmt"
	"io"

	"github.com/marquee-api/marquee/internal/movies"
)

// maxRecord bounds the JSON of one record: more than the longest movie, with each of its characters escaped.
const maxRecord = movies.MaxBodyBytes

var errTooLong = fmt.Errorf("longer than %d bytes, which no movie is", maxRecord)

// Reader reads movies from JSON: an object on each line, or one array of objects, the layout of AWS's moviedata.json.
// Either may be compressed with gzip. What is held in memory is one record.
type Reader struct {
	in      io.Reader
	r       *bufio.Reader
	array   *json.Decoder
	lines   *lineCounter
	line    int
	started bool
	err     error
}

// NewReader returns a Reader of r.
func NewReader(r io.Reader) *Reader { return &Reader{in: r} }

// Next returns the next record. One that is no movie carries the reason; what makes the rest unreadable is an error.
func (r *Reader) Next() (Record, error) {
	if r.err == nil && !r.started {
		r.started = true
		r.err = r.start()
	}
	if r.err != nil {
		return Record{}, r.err
	}
	var record Record
	if r.array != nil {
		record, r.err = r.element()
	} else {
		record, r.err = r.lineRecord()
	}
	return record, r.err
}

// start finds out about compression and layout from the first bytes.
func (r *Reader) start() error {
	r.r = bufio.NewReaderSize(r.in, 64<<10)
	if magic, _ := r.r.Peek(2); bytes.Equal(magic, []byte{0x1f, 0x8b}) {
		unzipped, err := gzip.NewReader(r.r)
		if err != nil {
			return fmt.Errorf("gzip: %w", err)
		}
		r.r = bufio.NewReaderSize(unzipped, 64<<10)
	}
	// Windows' editors begin UTF-8 files with a byte order mark.
	if mark, _ := r.r.Peek(3); string(mark) == "\ufeff" {
		_, _ = r.r.Discard(3)
	}
	r.line = 1
	for {
		b, err := r.r.ReadByte()
		if err != nil {
			return unexpected(err)
		}
		switch b {
		case '\n':
			r.line++
			continue
		case ' ', '\t', '\r':
			continue
		case '[':
			r.lines = &lineCounter{r: r.r, line: r.line}
			r.array = json.NewDecoder(io.MultiReader(bytes.NewReader([]byte{'['}), r.lines))
			_, err := r.array.Token()
			return err
		}
		return r.r.UnreadByte()
	}
}

// unexpected leaves io.EOF alone, which stands for the end of all records.
func unexpected(err error) error {
	if errors.Is(err, io.EOF) {
		return io.EOF
	}
	return fmt.Errorf("read: %w", err)
}

// lineRecord reads the next line that is not empty.
func (r *Reader) lineRecord() (Record, error) {
	for {
		text, err := r.readLine()
		if err != nil && (!errors.Is(err, io.EOF) || len(text) == 0) && !errors.Is(err, errTooLong) {
			return Record{}, unexpected(err)
		}
		at := r.line
		r.line++
		if errors.Is(err, errTooLong) {
			return Record{Line: at, Err: &movies.Error{Code: movies.CodeInvalidJSON, Message: errTooLong.Error()}}, nil
		}
		if len(bytes.TrimSpace(text)) > 0 {
			return recordOf(at, text), nil
		}
	}
}

// readLine returns a line without holding more of it than a movie may have.
func (r *Reader) readLine() ([]byte, error) {
	var line []byte
	tooLong := false
	for {
		part, err := r.r.ReadSlice('\n')
		if tooLong = tooLong || len(line)+len(part) > maxRecord; !tooLong {
			line = append(line, part...)
		}
		switch {
		case errors.Is(err, bufio.ErrBufferFull):
		case tooLong && (err == nil || errors.Is(err, io.EOF)):
			return nil, errTooLong
		default:
			return line, err
		}
	}
}

// element reads the next element of the array. An array is one text: where it is broken, nothing after it is known.
func (r *Reader) element() (Record, error) {
	if !r.array.More() {
		if _, err := r.array.Token(); err != nil {
			return Record{}, r.broken(err)
		}
		if _, err := r.array.Token(); !errors.Is(err, io.EOF) {
			return Record{}, fmt.Errorf("line %d: something follows the array", r.lines.at(r.array.InputOffset()-1))
		}
		return Record{}, io.EOF
	}
	var raw json.RawMessage
	if err := r.array.Decode(&raw); err != nil {
		return Record{}, r.broken(err)
	}
	at := r.lines.at(r.array.InputOffset() - 1 - int64(len(raw)))
	if len(raw) > maxRecord {
		return Record{Line: at, Err: &movies.Error{Code: movies.CodeInvalidJSON, Message: errTooLong.Error()}}, nil
	}
	return recordOf(at, raw), nil
}

func (r *Reader) broken(err error) error {
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		err = errors.New("the input ends before the array does")
	}
	return fmt.Errorf("line %d: %w", r.lines.at(r.array.InputOffset()-1), err)
}

func recordOf(line int, text []byte) Record {
	m, err := movies.ParseMovie(text, movies.Key{})
	return Record{Line: line, Movie: m, Err: err}
}

// lineCounter knows on which line an offset lies, of those that come in ascending order.
type lineCounter struct {
	r      io.Reader
	offset int64   // of what has been read
	ends   []int64 // offsets of line ends not yet passed
	line   int     // of the last offset asked for
}

func (c *lineCounter) Read(p []byte) (int, error) {
	n, err := c.r.Read(p)
	for i, b := range p[:n] {
		if b == '\n' {
			c.ends = append(c.ends, c.offset+int64(i))
		}
	}
	c.offset += int64(n)
	return n, err
}

func (c *lineCounter) at(offset int64) int {
	for len(c.ends) > 0 && c.ends[0] < offset {
		c.ends = c.ends[1:]
		c.line++
	}
	return c.line
}
