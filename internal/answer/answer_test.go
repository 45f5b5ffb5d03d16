package answer_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/marquee-api/marquee/internal/answer"
)

func response(kind string, body io.Reader) *http.Response {
	return &http.Response{Proto: "HTTP/1.1", StatusCode: 200, Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(body)}
}

func TestPrint(t *testing.T) {
	const png = "\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"
	terminal, pipe := answer.Printer{Terminal: true}, answer.Printer{}
	coloured := answer.Printer{Terminal: true, Colour: true}
	head := answer.Printer{Terminal: true, Head: true}
	for name, tt := range map[string]struct {
		to         answer.Printer
		kind, body string
		want       string
		binary     bool
	}{
		"a pipe gets every byte":          {pipe, "image/png", png, png, false},
		"a pipe gets escape sequences":    {pipe, "text/plain", "\x1b[2J\x9b\r", "\x1b[2J\x9b\r", false},
		"a pipe gets JSON as it is":       {pipe, "application/json", `{"a":1}`, `{"a":1}`, false},
		"a terminal gets no picture":      {terminal, "image/png", png, "", true},
		"a terminal gets no zero byte":    {terminal, "text/plain", "a\x00b", "", true},
		"a terminal gets no gzip":         {terminal, "application/json", "\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff", "", true},
		"a terminal gets text":            {terminal, "text/plain", "a\tb\r\nc", "a\tb\r\nc\n", false},
		"a terminal is not cleared":       {terminal, "text/plain", "a\x1b[2Jb\x07\x7f\n", "a^[[2Jb^G^?\n", false},
		"nor by eight bits":               {terminal, "text/plain", "a\u009b2J\u0085\n", "a<U+009B>2J<U+0085>\n", false},
		"nor by a raw byte":               {terminal, "text/plain", "a long line with \x9b2J\n", "a long line with \uFFFD2J\n", false},
		"a line is not overwritten":       {terminal, "text/plain", "rm x\rls\r", "rm x^Mls^M\n", false},
		"a line is not turned around":     {terminal, "text/plain", "a\u202eb\u2066c", "a<U+202E>b<U+2066>c\n", false},
		"Korean and emoji are text":       {terminal, "text/plain", "영화 👩‍👩‍👧\n", "영화 👩‍👩‍👧\n", false},
		"Latin-1 is text":                 {terminal, "text/plain; charset=iso-8859-1", "\xdcber den D\xe4chern", "\uFFFDber den D\uFFFDchern\n", false},
		"JSON is indented in colours":     {coloured, "application/problem+json", `{"a":1}`, "{\n  \x1b[34m\"a\"\x1b[0m: \x1b[36m1\x1b[0m\n}\n", false},
		"JSON controls no terminal":       {coloured, "application/json", "\"\u009b\"", "\x1b[32m\"\\u009b\"\x1b[0m\n", false},
		"JSON that is none, neither":      {coloured, "application/json", "{\x1b[2J", "{^[[2J\n", false},
		"a terminal gets clean headers":   {head, "a\x1b[2J", "x", "HTTP/1.1 200 OK\nContent-Type: a^[[2J\n\nx\n", false},
		"nothing needs no end of line":    {terminal, "", "", "", false},
		"half a character at the end":     {terminal, "text/plain", "a line of text\xe2\x82", "a line of text\uFFFD\uFFFD\n", false},
		"JSON that is long, at a console": {coloured, "application/json", `"` + strings.Repeat("x", 2<<20) + "\u009b" + `"`, `"` + strings.Repeat("x", 2<<20) + "<U+009B>\"\n", false},
	} {
		for how, in := range map[string]func(io.Reader) io.Reader{
			"at once":          func(r io.Reader) io.Reader { return r },
			"with its end":     iotest.DataErrReader,
			"byte by byte":     iotest.OneByteReader,
			"and half at once": iotest.HalfReader,
		} {
			if how == "byte by byte" && (tt.binary || len(tt.body) > 1<<20) {
				continue // the beginning of it is what decides
			}
			t.Run(name+", "+how, func(t *testing.T) {
				var out bytes.Buffer
				p := tt.to
				p.Out = &out
				err := p.Print(response(tt.kind, in(strings.NewReader(tt.body))))
				var binary *answer.BinaryError
				if errors.As(err, &binary) != tt.binary || err != nil && !tt.binary {
					t.Errorf("got %v", err)
				}
				if got := out.String(); got != tt.want {
					t.Errorf("got  %.200q\nwant %.200q", got, tt.want)
				}
			})
		}
	}
}

// Each piece is written before the next one is read.
func TestPrintStreams(t *testing.T) {
	for name, p := range map[string]*answer.Printer{"pipe": {}, "terminal": {Terminal: true, Colour: true}} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			p.Out = &out
			pieces := []string{"data: 1\n\n", "data: 2\n\n", "data: 3\n\n"}
			shown := ""
			body := readFunc(func(b []byte) (int, error) {
				if out.String() != shown {
					t.Errorf("shown %q, want %q", &out, shown)
				}
				if len(pieces) == 0 {
					return 0, io.EOF
				}
				n := copy(b, pieces[0])
				shown, pieces = shown+pieces[0], pieces[1:]
				return n, nil
			})
			if err := p.Print(response("text/event-stream", body)); err != nil {
				t.Fatal(err)
			}
		})
	}
}

type readFunc func([]byte) (int, error)

func (f readFunc) Read(b []byte) (int, error) { return f(b) }

func TestPrintOneAfterTheOther(t *testing.T) {
	for name, tt := range map[string]struct {
		p    answer.Printer
		want string
	}{
		"pipe":     {answer.Printer{}, "a\nb\nc"},
		"terminal": {answer.Printer{Terminal: true}, "a\nb\nc\n"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			tt.p.Out = &out
			for _, body := range []string{"a", "b\n", "", "c"} {
				if err := tt.p.Print(response("text/plain", strings.NewReader(body))); err != nil {
					t.Fatal(err)
				}
			}
			if out.String() != tt.want {
				t.Errorf("got %q, want %q", &out, tt.want)
			}
		})
	}
}

func TestPrintFails(t *testing.T) {
	broken := func() io.Reader {
		return io.MultiReader(strings.NewReader(`{"half":`), iotest.ErrReader(io.ErrUnexpectedEOF))
	}
	for name, p := range map[string]*answer.Printer{"pipe": {}, "terminal": {Terminal: true}, "colours": {Colour: true}} {
		var out bytes.Buffer
		p.Out = &out
		err := p.Print(response("application/json", broken()))
		var b *answer.BrokenError
		if !errors.As(err, &b) || b.Bytes != 8 || !errors.Is(err, io.ErrUnexpectedEOF) || !strings.HasPrefix(out.String(), `{"half":`) {
			t.Errorf("%s: got %v with %q, want what came, and that it broke off after 8 bytes", name, err, &out)
		}
	}
	full := answer.Printer{Out: writeFunc(func([]byte) (int, error) { return 0, io.ErrClosedPipe })}
	if err := full.Print(response("text/plain", strings.NewReader("x"))); !errors.Is(err, answer.ErrWrite) || !errors.Is(err, io.ErrClosedPipe) {
		t.Errorf("got %v, want that it could not be written", err)
	}
}

type writeFunc func([]byte) (int, error)

func (f writeFunc) Write(b []byte) (int, error) { return f(b) }

// FuzzSecurityTerminal: whatever an answer holds, in whatever pieces, a terminal shows it and obeys none of it.
func FuzzSecurityTerminal(f *testing.F) {
	f.Add([]byte("a\x1b[2J\r\n\u009b\xff\u202e\t"), 3)
	f.Add([]byte("{\"a\":\"\u009b\"}"), 1)
	f.Fuzz(func(t *testing.T, body []byte, cut int) {
		at := min(max(cut, 0), len(body))
		var out bytes.Buffer
		p := answer.Printer{Out: &out, Terminal: true, Head: true}
		in := io.MultiReader(bytes.NewReader(body[:at]), bytes.NewReader(body[at:]))
		var binary *answer.BinaryError
		if err := p.Print(response(string(body), in)); err != nil && !errors.As(err, &binary) {
			t.Fatal(err)
		}
		if !utf8.Valid(out.Bytes()) {
			t.Errorf("%q became %q, which is no UTF-8", body, &out)
		}
		shown := strings.ReplaceAll(out.String(), "\r\n", "\n")
		if i := strings.IndexFunc(shown, func(r rune) bool {
			return r < ' ' && r != '\n' && r != '\t' || 0x7f <= r && r < 0xa0 || 0x202a <= r && r <= 0x202e || 0x2066 <= r && r <= 0x2069
		}); i >= 0 {
			t.Errorf("%q became %q", body, shown)
		}
	})
}

func TestClean(t *testing.T) {
	for text, want := range map[string]string{"plain": "plain", "a\x1b]0;x\x07": "a^[]0;x^G", "a\r": "a^M", "": "", "\xe2": "\uFFFD"} {
		if got := answer.Clean(text); got != want {
			t.Errorf("%q: got %q, want %q", text, got, want)
		}
	}
}
