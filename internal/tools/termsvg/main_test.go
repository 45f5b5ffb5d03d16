package main

import (
	"bytes"
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func draw(t *testing.T, frames ...string) string {
	t.Helper()
	dir := t.TempDir()
	args := []string{"-columns", "20", "-title", `A "title"`}
	for i, frame := range frames {
		path := filepath.Join(dir, string(rune('a'+i)))
		if err := os.WriteFile(path, []byte(frame), 0o600); err != nil {
			t.Fatal(err)
		}
		args = append(args, path)
	}
	var out bytes.Buffer
	if err := run(args, &out); err != nil {
		t.Fatal(err)
	}
	in := xml.NewDecoder(bytes.NewReader(out.Bytes()))
	for {
		_, err := in.Token()
		if errors.Is(err, io.EOF) {
			return out.String()
		}
		if err != nil {
			t.Fatalf("no XML: %v\n%s", err, out.String())
		}
	}
}

// The places are columns times 7.8 and a margin of 14.
func TestLines(t *testing.T) {
	tests := map[string]struct{ frame, want string }{
		"plain":                        {"one", `<tspan x="14.0">one</tspan>`},
		"a colour, and back":           {"\x1b[31m403\x1b[39m GET", `<tspan x="14.0" class="c1">403</tspan><tspan x="37.4"> GET</tspan>`},
		"bright, bold":                 {"\x1b[1;92mok\x1b[0m.", `<tspan x="14.0" class="bold c2">ok</tspan><tspan x="29.6">.</tspan>`},
		"faint, ended by 22":           {"\x1b[2ma\x1b[22mb", `<tspan x="14.0" class="faint">a</tspan><tspan x="21.8">b</tspan>`},
		"an empty sequence is a reset": {"\x1b[33ma\x1b[mb", `<tspan x="14.0" class="c3">a</tspan><tspan x="21.8">b</tspan>`},
		"wide characters":              {"기\x1b[31mb", `<tspan x="14.0">기</tspan><tspan x="29.6" class="c1">b</tspan>`},
		"a look goes on":               {"\x1b[31ma\nb", `class="c1">b<`},
		"markup is text":               {"<b> & \"x\"", `&lt;b&gt; &amp; &#34;x&#34;`},
		"other sequences are dropped":  {"a\x1b[2Jb\x1b(Bc\x07", `<tspan x="14.0">a</tspan><tspan x="21.8">b</tspan><tspan x="29.6">c</tspan>`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := draw(t, tt.frame); !strings.Contains(got, tt.want) {
				t.Errorf("got %s\nwant %s in it", got, tt.want)
			}
		})
	}
}

func TestFramesFollowOneAnother(t *testing.T) {
	one, two := draw(t, "a"), draw(t, "a", "b\nc")
	if strings.Contains(one, "animation") {
		t.Errorf("one frame moves: %s", one)
	}
	for _, want := range []string{"#f1{animation-delay:2.0s}", "50.0000%{visibility:hidden}", `id="f1"`, "reduce){.f{animation:none}#f1{visibility:visible}}", `aria-label="A &#34;title&#34;"`} {
		if !strings.Contains(two, want) {
			t.Errorf("got %s\nwant %q in it", two, want)
		}
	}
	if err := run(nil, io.Discard); err == nil {
		t.Error("a picture of nothing")
	}
}
