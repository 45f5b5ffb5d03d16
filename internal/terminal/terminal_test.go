package terminal_test

import (
	"bytes"
	"os"
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/terminal"
)

func TestColourIsTheReadersChoice(t *testing.T) {
	type env map[string]string
	tests := map[string]struct {
		env  env
		want bool // of a stream that is no terminal
	}{
		"nothing said":                         {env{}, false},
		"forced":                               {env{"FORCE_COLOR": "1"}, true},
		"forced with a depth":                  {env{"FORCE_COLOR": "3"}, true},
		"forced off":                           {env{"FORCE_COLOR": "0", "CLICOLOR_FORCE": "1"}, false},
		"forced off in words":                  {env{"FORCE_COLOR": "false"}, false},
		"forced by the other name":             {env{"CLICOLOR_FORCE": "1"}, true},
		"not forced by the other name":         {env{"CLICOLOR_FORCE": "0"}, false},
		"forced, on a dumb terminal":           {env{"FORCE_COLOR": "1", "TERM": "dumb"}, true},
		"NO_COLOR is stronger than every one":  {env{"NO_COLOR": "1", "FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"}, false},
		"an empty NO_COLOR says nothing":       {env{"NO_COLOR": "", "FORCE_COLOR": "1"}, true},
		"CLICOLOR asks for no more than usual": {env{"CLICOLOR": "1"}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			got := terminal.Of(&bytes.Buffer{}, func(name string) string { return tt.env[name] })
			if got.Colour() != tt.want {
				t.Errorf("colour is %v, want %v", got.Colour(), tt.want)
			}
			if painted := got.Paint(terminal.Red, "no"); (painted != "no") != tt.want || !strings.Contains(painted, "no") {
				t.Errorf("painted as %q, with colour %v", painted, tt.want)
			}
		})
	}
}

func TestAFileIsNoTerminal(t *testing.T) {
	file, err := os.Create(t.TempDir() + "/out")
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	got := terminal.Of(file, func(string) string { return "" })
	if got.IsTerminal() || got.Colour() || got.Columns() != 0 {
		t.Errorf("terminal %v, colour %v, columns %d: want a plain, unbounded stream", got.IsTerminal(), got.Colour(), got.Columns())
	}
}

func TestZeroIsPlain(t *testing.T) {
	var plain terminal.Terminal
	if got := plain.Paint(terminal.Bold, "text"); got != "text" || plain.Columns() != 0 {
		t.Errorf("got %q and %d columns", got, plain.Columns())
	}
}

func TestCut(t *testing.T) {
	tests := map[string]struct{ got, want string }{
		"short enough":                  {terminal.Cut("caller", 6), "caller"},
		"too long":                      {terminal.Cut("caller", 5), "call…"},
		"wide characters":               {terminal.Cut("기생충", 5), "기생…"}, // two columns each
		"no bound":                      {terminal.Cut("caller", 0), "caller"},
		"the middle":                    {terminal.CutMiddle("/dev/movie_list/1997/Face", 11), "/dev/…/Face"},
		"the middle of wide characters": {terminal.CutMiddle("기생충기생충", 6), "기…충"}, // two columns each: 2 + 1 + 2
		"the middle of no bound":        {terminal.CutMiddle("/dev", 0), "/dev"},
		"padded":                        {terminal.Pad("기", 4), "기  "},
		"padded on the left":            {terminal.Pad("1µs", -5), "  1µs"},
		"padded enough":                 {terminal.Pad("caller", 3), "caller"},
		"wrapped":                       {strings.Join(terminal.Wrap("no statement allows it", 12), "|"), "no statement|allows it"},
		"wrapped within a word":         {strings.Join(terminal.Wrap("abcdefgh", 5), "|"), "abcde|fgh"},
		"not wrapped":                   {strings.Join(terminal.Wrap("no statement", 0), "|"), "no statement"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if tt.got != tt.want {
				t.Errorf("got %q, want %q", tt.got, tt.want)
			}
		})
	}
}
