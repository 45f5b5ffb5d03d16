package capture

import (
	"bytes"
	"encoding/hex"
	"fmt"
	"io"
	"regexp"
	"strconv"
	"strings"
)

var (
	traceSection = regexp.MustCompile(`^=> Send (header|data), (\d+) bytes \(0x[0-9a-f]+\)$`)
	traceRow     = regexp.MustCompile(`^([0-9a-f]{4,8}):(?: (.*))?$`)
)

// readTrace reads a request out of the dump of curl --trace or --trace-ascii: the header, and the data up to the next
// header.
func (t *transcript) readTrace(l line) error {
	headBytes, form, err := t.readSection(l, "")
	if err != nil {
		return err
	}
	h, err := parseHeadBytes(headBytes, l)
	if err != nil {
		return err
	}
	if err := t.keep(h, form); err != nil || h.out.Method == "CONNECT" {
		return err
	}
	body, err := t.readData(form)
	if err != nil {
		return err
	}
	request := &t.out.Requests[len(t.out.Requests)-1]
	if err := request.setTraced(body, l); err != nil {
		return err
	}
	if form == FormTraceASCII && bytes.IndexByte(request.Body, '.') >= 0 {
		request.BodyState = BodyDoubtful
	}
	return nil
}

// setTraced is setBody for a form that knows where a body ends.
func (r *Request) setTraced(body []byte, at line) error {
	framing, err := r.framing()
	switch {
	case err != nil:
		return err
	case len(body) == 0: // not sent, or the trace was cut
		return nil
	case framing.chunked:
		return r.setChunks(body, at)
	case framing.length >= 0 && framing.length != len(body):
		return at.errorf("the trace shows %d bytes of body, but Content-Length says %d", len(body), framing.length)
	}
	r.setWhole(body)
	return nil
}

// readData joins the data sections that follow a header. What the server says meanwhile (100 Continue) is passed over.
func (t *transcript) readData(form Form) ([]byte, error) {
	var body []byte
	for {
		l, err := t.next()
		if err == io.EOF {
			return body, nil
		}
		if err != nil {
			return nil, err
		}
		switch {
		case strings.HasPrefix(l.text, "=> Send header"):
			t.held = &l
			return body, nil
		case strings.HasPrefix(l.text, "=> Send data"):
			data, _, err := t.readSection(l, form)
			if err != nil {
				return nil, err
			}
			if body = append(body, data...); len(body) > MaxBody+MaxHeader {
				return nil, l.errorf("the body is longer than API Gateway's limit of %d bytes", MaxBody)
			}
		case strings.HasPrefix(l.text, "== Info: "):
			if err := t.read(l); err != nil {
				return nil, err
			}
		}
	}
}

// readSection reads the bytes that a section's rows show. An empty form is found out by the first row: a request line
// does not begin with sixteen pairs of hex digits.
func (t *transcript) readSection(title line, form Form) ([]byte, Form, error) {
	match := traceSection.FindStringSubmatch(title.text)
	if match == nil {
		return nil, form, title.errorf("this section of the trace has no length: want => Send header, N bytes (0xN)")
	}
	size, err := strconv.Atoi(match[2])
	if err != nil || size > MaxBody+MaxHeader || match[1] == "header" && size > MaxHeader {
		return nil, form, title.errorf("the section of %s bytes is longer than a request may be", match[2])
	}
	s := section{size: size, form: form}
	for len(s.data) < size {
		l, err := t.next()
		if err == nil && s.endsBefore(l) || err == io.EOF && s.endsBefore(line{}) {
			t.held = &l
			s.data = append(s.data, "\r\n"...)
			break
		}
		if err == io.EOF {
			return nil, form, title.errorf("the trace ends after %d of the %d bytes of this section", len(s.data), size)
		}
		if err != nil {
			return nil, form, err
		}
		if err := s.add(l); err != nil {
			return nil, form, l.errorf("%w", err)
		}
	}
	return s.data, s.form, nil
}

// section is a dump that is being read.
type section struct {
	size int
	form Form
	data []byte
}

// add takes one row. Rows say at which byte they begin, so nothing can be missing unnoticed.
func (s *section) add(l line) error {
	match := traceRow.FindStringSubmatch(l.text)
	if match == nil || l.long {
		return fmt.Errorf("this is no row of a trace: %d of %d bytes are still missing", s.size-len(s.data), s.size)
	}
	offset, err := strconv.ParseUint(match[1], 16, 32)
	if err != nil {
		return err
	}
	if s.form == "" {
		s.form = FormTraceASCII
		if isHexRow(match[2], min(16, s.size)) {
			s.form = FormTrace
		}
	}
	if s.form == FormTrace {
		return s.addHex(int(offset), match[2])
	}
	return s.addText(int(offset), match[2])
}

func (s *section) addHex(offset int, row string) error {
	want := min(16, s.size-len(s.data))
	if offset != len(s.data) || !isHexRow(row, want) {
		return fmt.Errorf("want %d bytes of the trace at %04x here", want, len(s.data))
	}
	digits := strings.ReplaceAll(row[:3*want-1], " ", "")
	data, err := hex.DecodeString(digits)
	if err != nil {
		return err
	}
	s.data = append(s.data, data...)
	return nil
}

// isHexRow reports whether a row begins with so many pairs of hex digits, each followed by a space.
func isHexRow(row string, pairs int) bool {
	if len(row) < 3*pairs-1 {
		return false
	}
	for i := range 3*pairs - 1 {
		if c := row[i]; i%3 == 2 && c != ' ' || i%3 != 2 && !('0' <= c && c <= '9' || 'a' <= c && c <= 'f') {
			return false
		}
	}
	return true
}

// addText takes a row of --trace-ascii. curl breaks lines after 64 characters and at CR LF, which it does not print: the
// next row's offset tells the two apart.
func (s *section) addText(offset int, row string) error {
	switch gap := offset - len(s.data); {
	case gap == 2 && len(s.data) > 0:
		s.data = append(s.data, "\r\n"...)
	case gap != 0:
		return fmt.Errorf("want the trace's bytes at %04x here: has white space at the end of a row been lost?", len(s.data))
	}
	if s.data = append(s.data, row...); len(s.data) > s.size {
		return fmt.Errorf("the row is longer than the section of %d bytes", s.size)
	}
	return nil
}

// endsBefore reports whether a section of --trace-ascii ends in a CR LF, which is not printed, before this line.
func (s *section) endsBefore(l line) bool {
	return s.form == FormTraceASCII && s.size-len(s.data) == 2 && !strings.HasPrefix(l.text, fmt.Sprintf("%04x:", len(s.data)))
}

// parseHeadBytes parses a header that was dumped. Its lines have no numbers of their own, so errors name the section.
func parseHeadBytes(data []byte, at line) (*head, error) {
	text, found := strings.CutSuffix(string(data), "\r\n\r\n")
	if !found {
		return nil, at.errorf("the dumped header does not end in an empty line")
	}
	lines := strings.Split(text, "\r\n")
	if !isRequestLine(lines[0]) {
		return nil, at.errorf("the dumped header does not begin with a request line")
	}
	h, err := newHead(line{text: lines[0], number: at.number})
	if err != nil {
		return nil, err
	}
	for _, text := range lines[1:] {
		if text == "" {
			return nil, at.errorf("the dumped header holds an empty line before its end")
		}
		if err := h.add(line{text: text, number: at.number}); err != nil {
			return nil, err
		}
	}
	return h, nil
}
