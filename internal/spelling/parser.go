package spelling

import (
	"bytes"
	"slices"
	"strconv"
	"strings"
)

// What is kept of a connection at most: of the head that is being read, and of heads that nobody took yet.
const (
	maxHead  = 80 << 10
	maxHeads = 160 << 10
)

// head is what is kept of one request: its first line without the protocol, and its header names, each with a line end.
type head struct{ line, names string }

type state int

const (
	inRequestLine state = iota
	inHeader
	inBody      // left bytes of it
	inChunkSize // the line before a chunk
	inChunk     // left bytes of it and of its line end
	inTrailer   // the empty line after the last chunk
	lost        // it is not known any more where a request begins
)

// parser follows the requests of a connection. Only the plainest form of each thing is followed (RFC 9112): what two
// readers could understand in two ways makes it give up.
type parser struct {
	state state
	part  []byte // the line that is being read, if it came in several reads
	left  uint64 // bytes to skip

	size    int // of the head so far
	line    string
	names   []byte
	length  string // Content-Length
	chunked bool
	old     bool // HTTP/1.0

	heads    []head
	retained int // bytes in heads
}

// feed takes the next bytes of the connection.
func (p *parser) feed(b []byte) {
	for len(b) > 0 && p.state != lost {
		if p.state == inBody || p.state == inChunk {
			n := min(uint64(len(b)), p.left)
			b, p.left = b[n:], p.left-n
			if p.left == 0 {
				p.skipped()
			}
			continue
		}
		line, rest, whole := b, []byte(nil), false
		if end := bytes.IndexByte(b, '\n'); end >= 0 {
			line, rest, whole = b[:end+1], b[end+1:], true
		}
		if p.size += len(line); p.size > maxHead {
			p.giveUp()
			return
		}
		if !whole {
			p.part = append(p.part, line...)
			return
		}
		if len(p.part) > 0 {
			line = append(p.part, line...)
			p.part = line[:0]
		}
		b = rest
		if text, ok := bytes.CutSuffix(line, []byte("\r\n")); !ok || !p.endOfLine(text) {
			p.giveUp()
		}
	}
}

func (p *parser) giveUp() {
	p.state = lost
	p.part, p.names, p.line = nil, nil, ""
}

// endOfLine reads one line without its end; false if it cannot be followed.
func (p *parser) endOfLine(line []byte) bool {
	switch p.state {
	case inRequestLine:
		return p.requestLine(line)
	case inHeader:
		if len(line) == 0 {
			return p.endOfHead()
		}
		return p.headerLine(line)
	case inChunkSize:
		return p.chunkSize(line)
	case inTrailer:
		p.restart()
		return len(line) == 0
	}
	return false
}

func (p *parser) requestLine(line []byte) bool {
	first, protocol, ok := cutLast(line)
	method, target, both := bytes.Cut(first, []byte(" "))
	if !ok || !both || !token(method) || len(target) == 0 || bytes.ContainsAny(target, " \r\t") || target[0] == '*' {
		return false
	}
	switch string(protocol) {
	case "HTTP/1.1":
	case "HTTP/1.0":
		p.old = true
	default:
		return false
	}
	p.line, p.state = string(first), inHeader
	return true
}

func cutLast(line []byte) (before, after []byte, ok bool) {
	i := bytes.LastIndexByte(line, ' ')
	if i < 0 {
		return nil, nil, false
	}
	return line[:i], line[i+1:], true
}

func (p *parser) headerLine(line []byte) bool {
	name, value, ok := bytes.Cut(line, []byte(":"))
	if !ok || !token(name) {
		return false // a folded line is not followed either
	}
	p.names = append(append(p.names, name...), '\n')
	value = bytes.Trim(value, " \t")
	switch {
	case equalFold(name, "content-length"):
		if p.length != "" || len(value) == 0 || len(value) > 18 {
			return false
		}
		p.length = string(value)
	case equalFold(name, "transfer-encoding"):
		if p.chunked || !equalFold(value, "chunked") {
			return false
		}
		p.chunked = true
	}
	return true
}

// endOfHead keeps the head and finds out how long the body is.
func (p *parser) endOfHead() bool {
	length := uint64(0)
	if p.length != "" {
		for _, digit := range []byte(p.length) {
			if digit < '0' || digit > '9' {
				return false
			}
		}
		length, _ = strconv.ParseUint(p.length, 10, 64)
		if p.chunked {
			return false
		}
	}
	if p.chunked && p.old {
		return false
	}
	h := head{line: p.line, names: string(p.names)}
	if p.retained += len(h.line) + len(h.names); p.retained > maxHeads {
		return false
	}
	p.heads = append(p.heads, h)
	switch {
	case p.chunked:
		p.size, p.state = 0, inChunkSize
	case length > 0:
		p.left, p.state = length, inBody
	default:
		p.restart()
	}
	return true
}

// chunkSize reads the line before a chunk. Extensions are not followed.
func (p *parser) chunkSize(line []byte) bool {
	if len(line) > 15 {
		return false
	}
	size, err := strconv.ParseUint(string(line), 16, 64)
	if err != nil {
		return false
	}
	p.size, p.left, p.state = 0, size+2, inChunk
	if size == 0 {
		p.state = inTrailer
	}
	return true
}

// skipped is the end of what was to be skipped.
func (p *parser) skipped() {
	if p.state == inChunk {
		p.state = inChunkSize
		return
	}
	p.restart()
}

// restart waits for the next request.
func (p *parser) restart() {
	p.state, p.size, p.line, p.names, p.length, p.chunked, p.old = inRequestLine, 0, "", p.names[:0], "", false, false
}

// take removes the oldest head.
func (p *parser) take() (head, bool) {
	if len(p.heads) == 0 {
		p.giveUp() // a request that was not followed: the next one would be taken for it
		return head{}, false
	}
	h := p.heads[0]
	p.heads = slices.Delete(p.heads, 0, 1)
	p.retained -= len(h.line) + len(h.names)
	return h, true
}

// token says whether text is one as RFC 9110 section 5.6.2 has it.
func token(text []byte) bool {
	for _, c := range text {
		usual := 'a' <= c|0x20 && c|0x20 <= 'z' || c == '-'
		if !usual && (c < '0' || c > '9') && !strings.ContainsRune("!#$%&'*+-.^_`|~", rune(c)) {
			return false
		}
	}
	return len(text) > 0
}

func equalFold(text []byte, lower string) bool {
	return len(text) == len(lower) && strings.EqualFold(string(text), lower)
}
