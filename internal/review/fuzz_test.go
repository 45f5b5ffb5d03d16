package review_test

import (
	"bytes"
	"os"
	"testing"

	"github.com/marquee-api/marquee/internal/review"
	"github.com/marquee-api/marquee/internal/stack"
)

// Whatever a template holds, each finding names a rule and a line of the file, and a second review says the same.
func FuzzCheck(f *testing.F) {
	for _, path := range []string{
		"testdata/good.yaml", "testdata/plain.yaml", "testdata/MQ001-unknown-reference.yaml", "testdata/MQ002-no-reason.yaml",
		"testdata/MQ112-endpoint-short-list.yaml", "testdata/MQ304-misspelt-path.yaml", "../../template.yaml",
	} {
		text, err := os.ReadFile(path)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		in, err := stack.InspectText("t.yaml", text, stack.Options{})
		if err != nil {
			return
		}
		found, err := review.Check(in, review.Options{Now: now})
		if err != nil {
			t.Fatal(err)
		}
		lines := 1 + bytes.Count(text, []byte("\n")) + bytes.Count(text, []byte("\r")) + bytes.Count(text, []byte("\u2028")) + bytes.Count(text, []byte("\u2029")) + bytes.Count(text, []byte("\u0085"))
		for _, finding := range found {
			if finding.Line < 0 || finding.Line > lines || finding.Message == "" {
				t.Errorf("got %+v in a file of %d lines", finding, lines)
			}
		}
		again, err := review.Check(in, review.Options{Now: now})
		if err != nil || len(again) != len(found) {
			t.Errorf("a second review found %d, the first %d (%v)", len(again), len(found), err)
		}
	})
}
