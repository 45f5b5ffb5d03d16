package main

import (
	"fmt"
	"os"
	"runtime"
	"strconv"
	"strings"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
)

const (
	beginMark = "<!-- scale: written by make scale -->"
	endMark   = "<!-- scale: end -->"
)

// write replaces the part of the report between the marks.
func write(path string, catalogues []*catalogue, rounds, requests int) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	before, rest, ok := strings.Cut(string(text), beginMark)
	_, after, ok2 := strings.Cut(rest, endMark)
	if !ok || !ok2 {
		return fmt.Errorf("%s has no lines %q and %q around what is replaced", path, beginMark, endMark)
	}
	return os.WriteFile(path, []byte(before+beginMark+"\n\n"+table(catalogues, rounds, requests)+"\n"+endMark+after), 0o644)
}

func table(catalogues []*catalogue, rounds, requests int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d processors, %s. %d rounds of %d requests; the sizes take turns request by request. Times are in milliseconds, through "+
		"the whole handler with DynamoDB Local behind it: medians over the rounds of a round's 50th and 99th percentile.\n\n",
		runtime.NumCPU(), runtime.Version(), rounds, requests)
	b.WriteString("| page |")
	for _, c := range catalogues {
		fmt.Fprintf(&b, " read units, items: %d movies |", c.size)
	}
	for _, c := range catalogues {
		fmt.Fprintf(&b, " p50 / p99: %d |", c.size)
	}
	b.WriteString("\n|---|" + strings.Repeat("---|", 2*len(catalogues)) + "\n")
	for _, page := range pages {
		fmt.Fprintf(&b, "| `%s` |", strings.TrimPrefix(page, "/movie_list"))
		for _, c := range catalogues {
			fmt.Fprintf(&b, " %g, %d |", c.cost[page].ReadUnits, c.cost[page].Items)
		}
		for _, c := range catalogues {
			fmt.Fprintf(&b, " %.2f / %.2f |", median(c.p50[page]), median(c.p99[page]))
		}
		b.WriteString("\n")
	}
	b.WriteString("| mean of the pages |" + strings.Repeat(" |", len(catalogues)))
	for _, c := range catalogues {
		fmt.Fprintf(&b, " %.2f / %.2f |", overall(c, c.p50), overall(c, c.p99))
	}
	b.WriteString("\n\n")
	for _, c := range catalogues {
		fmt.Fprintf(&b, "%d movies were loaded in %s. ", c.size, c.loaded.Round(100e6))
	}
	b.WriteString("\n\n![The time of a page by the size of the catalogue](performance-scale.svg)\n")
	return b.String()
}

// draw plots the times, and the capacity that a page of the whole catalogue and one of a genre use, by size.
func draw(path string, catalogues []*catalogue) error {
	p := plot.New()
	p.Title.Text = "A page by the size of the catalogue (DynamoDB Local)"
	p.X.Label.Text, p.Y.Label.Text = "movies", "milliseconds; read units"
	p.X.Scale, p.X.Tick.Marker = plot.LogScale{}, sizes(catalogues)
	p.X.Min, p.X.Max = float64(catalogues[0].size)/1.5, float64(catalogues[len(catalogues)-1].size)*1.5
	p.Y.Min = 0
	series := func(value func(c *catalogue) float64) plotter.XYs {
		points := make(plotter.XYs, len(catalogues))
		for i, c := range catalogues {
			points[i] = plotter.XY{X: float64(c.size), Y: value(c)}
		}
		return points
	}
	err := plotutil.AddLinePoints(p,
		"p50, mean of the pages", series(func(c *catalogue) float64 { return overall(c, c.p50) }),
		"p99, mean of the pages", series(func(c *catalogue) float64 { return overall(c, c.p99) }),
		"read units, all movies by year", series(func(c *catalogue) float64 { return c.cost[pages[0]].ReadUnits }),
		"read units, one genre", series(func(c *catalogue) float64 { return c.cost["/movie_list?genre=Drama"].ReadUnits }),
	)
	if err != nil {
		return err
	}
	// Above the lines, whose highest would otherwise run through it; from the left, where no viewer's font cuts it off.
	p.Legend.Top, p.Legend.Left = true, true
	p.Legend.XOffs = 5 * vg.Millimeter
	p.Y.Max *= 1.6
	return p.Save(18*vg.Centimeter, 11*vg.Centimeter, path)
}

// sizes are the marks of the axis: the catalogues that were measured, in plain numbers.
func sizes(catalogues []*catalogue) plot.ConstantTicks {
	ticks := make(plot.ConstantTicks, len(catalogues))
	for i, c := range catalogues {
		ticks[i] = plot.Tick{Value: float64(c.size), Label: strconv.Itoa(c.size)}
	}
	return ticks
}
