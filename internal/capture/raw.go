package capture

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"net/http/httputil"
	"slices"
	"strconv"
	"strings"
)

// isRequestLine recognises "METHOD target HTTP/version" (RFC 9112 section 3), without judging the target.
func isRequestLine(s string) bool {
	method, rest, _ := strings.Cut(s, " ")
	version := rest[strings.LastIndexByte(rest, ' ')+1:]
	return isToken(method) && len(version) < len(rest) && slices.Contains(
		[]string{"HTTP/1.0", "HTTP/1.1", "HTTP/2", "HTTP/2.0", "HTTP/3", "HTTP/3.0"}, version)
}

// parseRaw reads the rest of a request whose first line is known.
func parseRaw(first line, lines *lineReader) (*Request, error) {
	h, err := newHead(first)
	if err != nil {
		return nil, err
	}
	for {
		l, err := lines.next()
		if err == io.EOF {
			return nil, line{number: lines.number}.errorf("the header has no end: an empty line stands between header and body")
		}
		if err != nil {
			return nil, err
		}
		if l.text == "" {
			break
		}
		if err := h.add(l); err != nil {
			return nil, err
		}
	}
	request, err := h.request()
	if err != nil {
		return nil, err
	}
	rest, err := lines.rest()
	if err != nil {
		return nil, err
	}
	return request, request.setBody(rest, line{number: lines.number + 1})
}

// head collects the lines of a request up to its body.
type head struct {
	out       Request
	size      int
	last      *string // the value that a folded line continues
	authority string  // :authority, which stands for Host in HTTP/2
	hosts     int
}

func newHead(first line) (*head, error) {
	h := &head{out: Request{Line: first.number}, size: len(first.text)}
	if first.long || h.size > MaxHeader {
		return nil, first.errorf("the request line is longer than %d bytes", MaxHeader)
	}
	method, rest, _ := strings.Cut(first.text, " ")
	target := rest[:max(0, strings.LastIndexByte(rest, ' '))]
	h.out.Method = method
	if method == "CONNECT" { // for a proxy, which is not the server: the caller drops it
		return h, nil
	}
	var err error
	if h.out.Target, err = originForm(target); err != nil {
		return nil, first.errorf("%w", err)
	}
	return h, nil
}

// originForm checks a request target and takes the path and query out of the absolute form in which a request goes to a
// forward proxy (RFC 9112 section 3.2).
func originForm(target string) (string, error) {
	for i := range len(target) {
		if c := target[i]; c <= ' ' || c == 0x7f || c == '#' {
			return "", fmt.Errorf("the target holds %q at byte %d, which no request line may: is it percent-encoded?", c, i)
		}
	}
	for _, scheme := range []string{"http://", "https://"} {
		if len(target) < len(scheme) || !strings.EqualFold(target[:len(scheme)], scheme) {
			continue
		}
		rest := target[len(scheme):]
		at := strings.IndexAny(rest, "/?")
		switch {
		case at < 0:
			return "/", nil
		case rest[at] == '?':
			return "/" + rest[at:], nil
		}
		return rest[at:], nil
	}
	if !strings.HasPrefix(target, "/") {
		return "", errors.New("the target is no path: want one that begins with a slash")
	}
	return target, nil
}

// add reads one header line. A line that begins with white space continues the one before, as net/http reads it.
func (h *head) add(l line) error {
	h.size += len(l.text)
	if l.long || h.size > MaxHeader {
		return l.errorf("the header is longer than %d bytes", MaxHeader)
	}
	if l.text[0] == ' ' || l.text[0] == '\t' {
		if h.last == nil {
			return l.errorf("white space before the first header")
		}
		*h.last = strings.Trim(*h.last+" "+strings.Trim(l.text, " \t"), " \t")
		return checkValue(l, *h.last)
	}
	name, value, found := strings.Cut(l.text, ":")
	if !found || !isToken(name) {
		return l.errorf("this is no header: want Name: value")
	}
	value = strings.Trim(value, " \t")
	if strings.EqualFold(name, "Host") {
		if h.hosts++; h.hosts > 1 {
			return l.errorf("a second Host header: RFC 9112 section 3.2 has every server refuse it")
		}
		h.out.Host, h.last = value, &h.out.Host
		return checkValue(l, value)
	}
	h.out.Header = append(h.out.Header, Field{name, value})
	h.last = &h.out.Header[len(h.out.Header)-1].Value
	return checkValue(l, value)
}

func checkValue(l line, value string) error {
	for i := range len(value) {
		if c := value[i]; c < ' ' && c != '\t' || c == 0x7f {
			return l.errorf("a header value holds the control character %q", c)
		}
	}
	return nil
}

// request ends the header.
func (h *head) request() (*Request, error) {
	begin := line{number: h.out.Line}
	if h.out.Target == "" {
		return nil, begin.errorf("a CONNECT is for a proxy: want the request that follows it")
	}
	if h.out.Host == "" {
		h.out.Host = h.authority
	}
	if h.out.Host == "" {
		return nil, begin.errorf("the request has no Host header, and a signature always covers it")
	}
	for i := range len(h.out.Host) {
		if c := h.out.Host[i]; c <= ' ' || c == ',' || c == '/' {
			return nil, begin.errorf("the Host %q is no host name", h.out.Host)
		}
	}
	framing, err := h.out.framing()
	if err != nil {
		return nil, begin.errorf("%w", err)
	}
	if framing.chunked || framing.length > 0 {
		h.out.BodyState = BodyAbsent
	}
	return &h.out, nil
}

// framing says how the end of a body is found (RFC 9112 section 6.3). A length of -1 is not known.
type framing struct {
	chunked bool
	length  int
}

func (r *Request) framing() (framing, error) {
	f := framing{length: -1}
	for _, field := range r.Header {
		switch {
		case strings.EqualFold(field.Name, "Transfer-Encoding"):
			if !strings.EqualFold(field.Value, "chunked") {
				return f, fmt.Errorf("the Transfer-Encoding %q is not known: want chunked", field.Value)
			}
			f.chunked = true
		case strings.EqualFold(field.Name, "Content-Length"):
			length, err := strconv.ParseUint(field.Value, 10, 31)
			if err != nil || f.length >= 0 && f.length != int(length) {
				return f, fmt.Errorf("the Content-Length %q is not one number of bytes", field.Value)
			}
			f.length = int(length)
		}
	}
	if f.chunked && f.length >= 0 {
		return f, errors.New("the request has both Transfer-Encoding and Content-Length: RFC 9112 section 6.3 has servers refuse it")
	}
	if f.length > MaxBody {
		return f, fmt.Errorf("the Content-Length is %d, more than API Gateway's limit of %d bytes", f.length, MaxBody)
	}
	return f, nil
}

// setBody takes the body out of what follows the header in a capture that holds bodies. Line ends that follow it are the
// file's own. If nothing follows though a body was announced, it stays absent.
func (r *Request) setBody(rest []byte, at line) error {
	framing, err := r.framing()
	if err != nil {
		return err
	}
	blank := len(bytes.Trim(rest, "\r\n")) == 0
	switch {
	case framing.chunked && blank:
		return nil
	case framing.chunked:
		return r.setChunks(rest, at)
	case framing.length < 0 && blank:
		rest = nil
	case framing.length > 0 && len(rest) < framing.length && blank:
		return nil
	case framing.length > len(rest):
		return at.errorf("the body has %d bytes, but Content-Length says %d: the capture is cut off", len(rest), framing.length)
	case framing.length >= 0:
		if tail := bytes.Trim(rest[framing.length:], "\r\n"); len(tail) > 0 {
			return at.errorf("%d bytes follow the header, but Content-Length says %d", len(rest), framing.length)
		}
		rest = rest[:framing.length]
	}
	if len(rest) > MaxBody {
		return at.errorf("the body is longer than API Gateway's limit of %d bytes", MaxBody)
	}
	r.setWhole(rest)
	return nil
}

func (r *Request) setWhole(body []byte) {
	r.Body, r.BodyState = nil, BodyWhole
	if len(body) > 0 {
		r.Body = body
	}
}

// setChunks undoes the chunked transfer coding: signatures cover what it carries.
func (r *Request) setChunks(rest []byte, at line) error {
	in := bytes.NewReader(rest)
	body, err := io.ReadAll(io.LimitReader(httputil.NewChunkedReader(in), MaxBody+1))
	if err != nil {
		return at.errorf("the chunked body cannot be read: %w", err)
	}
	if len(body) > MaxBody {
		return at.errorf("the body is longer than API Gateway's limit of %d bytes", MaxBody)
	}
	r.setWhole(body)
	return nil
}

// isToken reports whether s is a token of RFC 9110 section 5.6.2: a method or the name of a header.
func isToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		letter := 'a' <= c && c <= 'z' || 'A' <= c && c <= 'Z' || '0' <= c && c <= '9'
		if !letter && strings.IndexByte("!#$%&'*+-.^_`|~", c) < 0 {
			return false
		}
	}
	return s != ""
}
