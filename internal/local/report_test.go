package local

import (
	"bytes"
	"testing"

	"github.com/marquee-api/marquee/internal/terminal"
)

func TestPlaces(t *testing.T) {
	console := [3]string{"Console", "http://127.0.0.1:8084/", "each request, and why"}
	tests := map[string]struct {
		columns int
		place   [3]string
		want    string
	}{
		"in a file":      {0, console, "  Console          http://127.0.0.1:8084/  each request, and why\n"},
		"wide enough":    {64, console, "  Console          http://127.0.0.1:8084/  each request, and why\n"},
		"a column less":  {63, console, "  Console          http://127.0.0.1:8084/\n                   each request, and why\n"},
		"narrow":         {40, console, "  Console          http://127.0.0.1:8084/\n                   each request, and why\n"},
		"no note":        {80, [3]string{"State", "s.json", ""}, "  State            s.json\n"},
		"nothing to say": {80, [3]string{"DynamoDB", "", "no table"}, ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			printPlace(&out, terminal.Terminal{}.WithColumns(tt.columns), tt.place)
			if out.String() != tt.want {
				t.Errorf("got %q, want %q", out.String(), tt.want)
			}
		})
	}
}
