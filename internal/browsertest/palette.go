package browsertest

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"math"
	"slices"
	"testing"
)

// Palette writes a PNG with at most 256 colours: a page has few, and its picture takes a third.
func Palette(tb testing.TB, picture []byte) []byte {
	tb.Helper()
	full, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		tb.Fatal(err)
	}
	counts := map[color.RGBA]int{}
	bounds := full.Bounds()
	for y := bounds.Min.Y; y < bounds.Max.Y; y++ {
		for x := bounds.Min.X; x < bounds.Max.X; x++ {
			counts[color.RGBAModel.Convert(full.At(x, y)).(color.RGBA)]++
		}
	}
	small := image.NewPaletted(bounds, choose(counts))
	draw.Draw(small, bounds, full, bounds.Min, draw.Src)
	var out bytes.Buffer
	if err := (&png.Encoder{CompressionLevel: png.BestCompression}).Encode(&out, small); err != nil {
		tb.Fatal(err)
	}
	return out.Bytes()
}

// choose takes the colours that there is most of, and then, one by one, the one that lies furthest from all that were taken:
// a small mark keeps its colour.
func choose(counts map[color.RGBA]int) color.Palette {
	const byCount = 192
	rest := slices.SortedFunc(maps.Keys(counts), func(a, b color.RGBA) int {
		return cmp.Or(counts[b]-counts[a], cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	distances := make([]int, len(rest)) // to the nearest one that was taken
	for i := range distances {
		distances[i] = math.MaxInt
	}
	var palette color.Palette
	for len(palette) < min(256, len(rest)) {
		next := len(palette)
		if len(palette) >= byCount {
			next = slices.Index(distances, slices.Max(distances))
		}
		palette = append(palette, rest[next])
		for i, c := range rest {
			distances[i] = min(distances[i], distance(c, rest[next]))
		}
	}
	return palette
}

func distance(a, b color.RGBA) int {
	r, g, bl := int(a.R)-int(b.R), int(a.G)-int(b.G), int(a.B)-int(b.B)
	return r*r + g*g + bl*bl
}
