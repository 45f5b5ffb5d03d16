// Package capture reads HTTP requests that somebody captured: as raw HTTP, or as curl prints them with -v, --trace or
// --trace-ascii. It also finds in a client's log the texts that a signature was made over.
//
// What counts is what stood on the wire, so nothing is decoded, sorted or repaired: a capture that is not whole is an
// error that names its line. Memory is bounded by MaxHeader, MaxBody and MaxInput, whatever is read.
//
// The package sends nothing, knows no signatures and judges no request.
package capture

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net/http"
)

const (
	// MaxBody is the longest body in bytes: API Gateway takes no longer one.
	MaxBody = 10 << 20
	// MaxHeader is the longest request line and header together, in bytes.
	MaxHeader = 64 << 10
	// MaxInput is the longest capture or log in bytes. A hex dump of the longest body fits.
	MaxInput = 64 << 20
	// maxRequests bounds the requests of one capture.
	maxRequests = 100
)

// Form is how a request was captured.
type Form string

// The forms that Parse recognises by their content.
const (
	FormRaw        Form = "raw HTTP"
	FormVerbose    Form = "curl -v"
	FormTrace      Form = "curl --trace"
	FormTraceASCII Form = "curl --trace-ascii"
)

// Capture is what Parse found.
type Capture struct {
	Form     Form
	Requests []Request // at least one, in the order in which they were sent
	// Contacts are the names that curl says it connected to or was asked for, each once. They differ from a request's
	// Host if that was set by hand, or rewritten on the way.
	Contacts []string
}

// Request is one request as it was on the wire.
type Request struct {
	Method string
	Target string // the raw path and query, with the path's leading slash
	Host   string // the Host header, or HTTP/2's :authority
	Header []Field
	Body   []byte
	// BodyState says how far Body can be trusted.
	BodyState BodyState
	// Line is where the request begins in the capture, from 1.
	Line int
}

// BodyState says what a capture knows of a request's body.
type BodyState int

const (
	// BodyWhole is a body, or none, that is complete.
	BodyWhole BodyState = iota
	// BodyAbsent is a body that was sent, but is not in the capture: curl -v shows none.
	BodyAbsent
	// BodyDoubtful is a body some of whose dots may stand for other bytes, as curl --trace-ascii prints them.
	BodyDoubtful
)

// Field is one header line: the name as it was spelled, the value without white space around it.
type Field struct{ Name, Value string }

// HTTPHeader returns the header as net/http hands it to a server: keys in canonical form, without Host.
func (r *Request) HTTPHeader() http.Header {
	header := make(http.Header, len(r.Header))
	for _, f := range r.Header {
		header.Add(f.Name, f.Value)
	}
	return header
}

// AppendRaw appends the request as raw HTTP/1.1, from which Parse reads the same request. Host comes first, a chunked
// body is one chunk, and a body that the capture does not hold stays out.
func (r *Request) AppendRaw(dst []byte) []byte {
	dst = append(dst, r.Method+" "+r.Target+" HTTP/1.1\r\nHost: "+r.Host+"\r\n"...)
	for _, f := range r.Header {
		dst = append(dst, f.Name+": "+f.Value+"\r\n"...)
	}
	dst = append(dst, "\r\n"...)
	framing, err := r.framing()
	switch {
	case r.BodyState == BodyAbsent:
	case err == nil && framing.chunked:
		if len(r.Body) > 0 {
			dst = fmt.Appendf(dst, "%x\r\n%s\r\n", len(r.Body), r.Body)
		}
		dst = append(dst, "0\r\n\r\n"...)
	default:
		dst = append(dst, r.Body...)
	}
	return dst
}

// Parse reads a capture and recognises its form.
func Parse(in io.Reader) (*Capture, error) {
	lines := newLines(in)
	for {
		line, err := lines.next()
		switch {
		case err == io.EOF:
			return nil, errors.New("the capture is empty: want raw HTTP, or what curl -v or curl --trace printed")
		case err != nil:
			return nil, err
		case line.text == "":
			continue
		}
		if isRequestLine(line.text) {
			request, err := parseRaw(line, lines)
			if err != nil {
				return nil, err
			}
			return &Capture{Form: FormRaw, Requests: []Request{*request}}, nil
		}
		return parseTranscript(line, lines)
	}
}

// line is one line of a capture without its end.
type line struct {
	text   string
	number int  // from 1
	long   bool // text is only the beginning
}

// errorf is an error at this line.
func (l line) errorf(format string, args ...any) error {
	return fmt.Errorf("line %d: %w", l.number, fmt.Errorf(format, args...))
}

// lineReader reads lines of any length in a bounded amount of memory.
type lineReader struct {
	in     *bufio.Reader
	number int
}

func newLines(in io.Reader) *lineReader {
	return &lineReader{in: bufio.NewReaderSize(&inputLimit{in: in, left: MaxInput}, MaxHeader)}
}

// next reads a line that ends in LF, CR LF, or with the input. The error is io.EOF or one of reading.
func (l *lineReader) next() (line, error) {
	text, err := l.in.ReadSlice('\n')
	out := line{text: string(text), number: l.number + 1}
	for errors.Is(err, bufio.ErrBufferFull) {
		out.long = true
		_, err = l.in.ReadSlice('\n')
	}
	if err != nil && (err != io.EOF || out.text == "") {
		return line{}, err
	}
	l.number++
	if out.long {
		return out, nil
	}
	out.text = trimLineEnd(out.text)
	return out, nil
}

// rest reads what follows the last line: a body and what frames it.
func (l *lineReader) rest() ([]byte, error) {
	const limit = MaxBody + MaxHeader
	rest, err := io.ReadAll(io.LimitReader(l.in, int64(limit)+1))
	if err != nil {
		return nil, err
	}
	if len(rest) > limit {
		return nil, line{number: l.number + 1}.errorf("the body is longer than API Gateway's limit of %d bytes", MaxBody)
	}
	return rest, nil
}

func trimLineEnd(s string) string {
	if n := len(s); n > 0 && s[n-1] == '\n' {
		s = s[:n-1]
	}
	if n := len(s); n > 0 && s[n-1] == '\r' {
		s = s[:n-1]
	}
	return s
}

// inputLimit fails where a capture is longer than is reasonable; io.LimitReader would pretend that it ends there.
type inputLimit struct {
	in   io.Reader
	left int
}

func (l *inputLimit) Read(p []byte) (int, error) {
	if l.left == 0 {
		return 0, fmt.Errorf("the input is longer than %d bytes: cut out the request that is meant", MaxInput)
	}
	n, err := l.in.Read(p[:min(len(p), l.left)])
	l.left -= n
	return n, err
}
