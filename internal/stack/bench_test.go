package stack_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/marquee-api/marquee/internal/stack"
)

func BenchmarkParse(b *testing.B) {
	names, err := filepath.Glob("testdata/*/*.yaml")
	if err != nil || len(names) == 0 {
		b.Fatalf("no templates: %v", err)
	}
	for _, name := range append(names, "../../template.yaml") {
		data, err := os.ReadFile(name)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(filepath.Base(name), func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := stack.Parse("t.yaml", data, options); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
