package capture

import (
	"errors"
	"io"
	"regexp"
	"slices"
	"strings"
)

// transcript is a capture of curl's that is being read.
type transcript struct {
	out    Capture
	lines  *lineReader
	pseudo *pseudoHead
	held   *line // read, but not taken
}

var (
	// --trace-time and --trace-ids put these before each line.
	lineTime = regexp.MustCompile(`^\d\d:\d\d:\d\d\.\d{6} `)
	lineID   = regexp.MustCompile(`^\[[0-9x]+-[0-9x]+\] `)
	// contact is where curl says which server it means to talk to.
	contact = regexp.MustCompile(`^(?:Connected to|Host|Connecting to hostname:|Could not resolve host:) ?\(?([A-Za-z0-9.-]+)`)
)

// parseTranscript reads what curl -v, --trace or --trace-ascii printed. Lines that tell of no request are passed over.
func parseTranscript(first line, lines *lineReader) (*Capture, error) {
	t := &transcript{lines: lines, held: &first, pseudo: new(pseudoHead)}
	for {
		l, err := t.next()
		if err == io.EOF {
			break
		}
		if err == nil {
			err = t.read(l)
		}
		if err != nil {
			return nil, err
		}
		if len(t.out.Requests) > maxRequests {
			return nil, l.errorf("the capture holds more than %d requests: cut out the one that is meant", maxRequests)
		}
	}
	return t.finish()
}

func (t *transcript) finish() (*Capture, error) {
	if len(t.out.Requests) == 0 && t.pseudo.head.out.Method != "" {
		request, err := t.pseudo.request()
		if err != nil {
			return nil, err
		}
		t.out.Form = FormVerbose
		t.out.Requests = append(t.out.Requests, *request)
	}
	if len(t.out.Requests) == 0 {
		return nil, errors.New("the capture holds no request: want raw HTTP (GET /path HTTP/1.1, headers, an empty line), " +
			`or what curl -v printed to standard error (lines that begin with "> "), or a file of curl --trace`)
	}
	return &t.out, nil
}

// next reads a line without what --trace-time and --trace-ids put before it.
func (t *transcript) next() (line, error) {
	if t.held != nil {
		l := *t.held
		t.held = nil
		return clean(l), nil
	}
	l, err := t.lines.next()
	return clean(l), err
}

func clean(l line) line {
	if l.text != "" && '0' <= l.text[0] && l.text[0] <= '9' {
		l.text = l.text[len(lineTime.FindString(l.text)):]
	}
	if strings.HasPrefix(l.text, "[") {
		l.text = l.text[len(lineID.FindString(l.text)):]
	}
	return l
}

// read takes one line, and those that belong to it.
func (t *transcript) read(l line) error {
	text, sent := strings.CutPrefix(l.text, "> ")
	switch {
	case sent && isRequestLine(text):
		return t.readVerbose(line{text: text, number: l.number, long: l.long})
	case strings.HasPrefix(l.text, "=> Send header"):
		return t.readTrace(l)
	}
	if text, found := cutInfo(l.text); found {
		t.readContact(text)
		return t.pseudo.add(line{text: text, number: l.number, long: l.long})
	}
	return nil
}

// cutInfo takes off how curl -v and curl --trace begin what is no part of a message.
func cutInfo(text string) (string, bool) {
	for _, prefix := range []string{"* ", "== Info: "} {
		if rest, found := strings.CutPrefix(text, prefix); found {
			return strings.TrimLeft(rest, " "), true
		}
	}
	return "", false
}

func (t *transcript) readContact(text string) {
	match := contact.FindStringSubmatch(text)
	if match != nil && match[1] != "nil" && len(t.out.Contacts) < maxRequests && !slices.Contains(t.out.Contacts, match[1]) {
		t.out.Contacts = append(t.out.Contacts, match[1])
	}
}

// readVerbose reads a request of curl -v. Its end is the empty line, or the first line of something else: who copies a
// capture by hand loses the empty one.
func (t *transcript) readVerbose(first line) error {
	h, err := newHead(first)
	if err != nil {
		return err
	}
	for {
		l, err := t.next()
		if err == io.EOF {
			break
		}
		if err != nil {
			return err
		}
		text, found := strings.CutPrefix(l.text, ">")
		if !found {
			t.held = &l
			break
		}
		if text = strings.TrimPrefix(text, " "); text == "" {
			break
		}
		if err := h.add(line{text: text, number: l.number, long: l.long}); err != nil {
			return err
		}
	}
	return t.keep(h, FormVerbose)
}

// keep ends a request's header and keeps the request.
func (t *transcript) keep(h *head, form Form) error {
	h.authority = t.pseudo.head.authority
	t.pseudo = new(pseudoHead)
	if h.out.Method == "CONNECT" { // meant for a proxy
		return nil
	}
	request, err := h.request()
	if err != nil {
		return err
	}
	t.out.Form = form
	t.out.Requests = append(t.out.Requests, *request)
	return nil
}

// pseudoHead is a request as curl tells of it when it opens an HTTP/2 or HTTP/3 stream: [:method: GET].
type pseudoHead struct{ head head }

// streamField is a header in what curl 8, 8.1 and 7.88 say of a stream.
var streamField = regexp.MustCompile(`^(?:\[HTTP/[23]\] \[\d+\]|h2|h2h3) \[(:?[^: ]+): (.*)\]$`)

func (p *pseudoHead) add(l line) error {
	match := streamField.FindStringSubmatch(l.text)
	if match == nil {
		return nil
	}
	if l.long || p.head.size > MaxHeader {
		return l.errorf("the header is longer than %d bytes", MaxHeader)
	}
	if p.head.out.Line == 0 {
		p.head.out.Line = l.number
	}
	var err error
	switch name, value := match[1], match[2]; name {
	case ":method":
		p.head.out.Method = value
	case ":path":
		p.head.out.Target, err = originForm(value)
	case ":authority":
		p.head.authority = value
	case ":scheme":
	default:
		err = p.head.add(line{text: name + ": " + value, number: l.number})
		return err
	}
	if err != nil {
		return l.errorf("%w", err)
	}
	return nil
}

func (p *pseudoHead) request() (*Request, error) {
	if begin := (line{number: p.head.out.Line}); !isToken(p.head.out.Method) || p.head.out.Target == "" {
		return nil, begin.errorf("the stream names no method or no path")
	}
	return p.head.request()
}
