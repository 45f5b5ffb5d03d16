package http1

import (
	"bufio"
	"bytes"
	"net/http"
	"net/textproto"
	"strings"
)

// rawHeader is the header of an answer as it came. http.ReadResponse drops Connection when that says close, and what else it
// names: headers that end at this connection (RFC 9110 section 7.6.1), which whoever passes the answer on must leave out.
// Most headers lie whole in the reader's buffer; what comes of the others is kept meanwhile.
type rawHeader struct {
	in    *bufio.Reader
	whole []byte // in the buffer: nothing is read into it while the header is
	parts []byte
	keeps bool
}

// begin is before the header is read.
func (r *rawHeader) begin() {
	r.whole, _ = r.in.Peek(r.in.Buffered())
	if r.keeps = !hasEnd(r.whole); r.keeps {
		r.parts = append(r.parts[:0], r.whole...)
	}
}

// add takes what was read.
func (r *rawHeader) add(p []byte) {
	if r.keeps {
		r.parts = append(r.parts, p...)
	}
}

// end is after the header was read. It puts Connection back where it named more than close.
func (r *rawHeader) end(resp *http.Response) {
	text := r.whole
	if r.keeps {
		text = r.parts
	}
	if resp != nil && resp.Close && resp.Header["Connection"] == nil {
		if options := connection(text); namesHeaders(options) {
			resp.Header["Connection"] = options
		}
	}
	r.whole, r.parts, r.keeps = nil, nil, false
}

// hasEnd reports whether a header ends in the text. Lines may end without a carriage return, as net/http has it.
func hasEnd(text []byte) bool {
	return bytes.Contains(text, []byte("\n\r\n")) || bytes.Contains(text, []byte("\n\n"))
}

// connection reads Connection out of a header that net/http has read already.
func connection(text []byte) []string {
	lines := textproto.NewReader(bufio.NewReader(bytes.NewReader(text)))
	if _, err := lines.ReadLine(); err != nil {
		return nil
	}
	header, err := lines.ReadMIMEHeader()
	if err != nil {
		return nil
	}
	return header["Connection"]
}

func namesHeaders(options []string) bool {
	for _, line := range options {
		for option := range strings.SplitSeq(line, ",") {
			if option = textproto.TrimString(option); option != "" && !strings.EqualFold(option, "close") && !strings.EqualFold(option, "keep-alive") {
				return true
			}
		}
	}
	return false
}
