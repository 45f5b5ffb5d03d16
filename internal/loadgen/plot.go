package loadgen

import (
	"errors"
	"fmt"
	"io"
	"math"

	"github.com/HdrHistogram/hdrhistogram-go"
	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/plotutil"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

const (
	plotWidth  = 18 * vg.Centimeter
	plotHeight = 20 * vg.Centimeter // of both together
)

// WriteSVG draws two plots, one above the other: the latency by percentile, and in the course of the run.
func (r *Report) WriteSVG(out io.Writer, title string) error {
	if r.latency == nil || r.latency.TotalCount() == 0 {
		return errors.New("nothing was measured that could be drawn")
	}
	percentiles, err := r.percentilePlot(title)
	if err != nil {
		return err
	}
	course, err := r.coursePlot()
	if err != nil {
		return err
	}
	canvas := vgsvg.New(plotWidth, plotHeight)
	plots := [][]*plot.Plot{{percentiles}, {course}}
	tiles := draw.Tiles{Rows: 2, Cols: 1, PadX: vg.Millimeter, PadY: 5 * vg.Millimeter, PadTop: 2 * vg.Millimeter, PadBottom: 2 * vg.Millimeter, PadLeft: 2 * vg.Millimeter, PadRight: 5 * vg.Millimeter}
	for i, row := range plot.Align(plots, tiles, draw.New(canvas)) {
		plots[i][0].Draw(row[0])
	}
	_, err = canvas.WriteTo(out)
	return err
}

// percentilePlot spreads the percentiles so that each nine has the same room: 90, 99, 99.9.
func (r *Report) percentilePlot(title string) (*plot.Plot, error) {
	p := plot.New()
	p.Title.Text = title
	p.X.Label.Text, p.Y.Label.Text = "percentile", "milliseconds"
	place := func(percentile float64) float64 { return -math.Log10(1 - percentile/100) }
	last := 1.0 // above this place a single request decides
	if n := float64(r.latency.TotalCount()); n > 10 {
		last = math.Log10(n)
	}
	points := func(h *hdrhistogram.Histogram) plotter.XYs {
		var all plotter.XYs
		for i := range 201 {
			x := last * float64(i) / 200
			all = append(all, plotter.XY{X: x, Y: milliseconds(h.ValueAtQuantile(100 * (1 - math.Pow(10, -x))))})
		}
		return all
	}
	lines := []any{"latency", points(r.latency)}
	if r.Model == "open" {
		lines = append(lines, "after sending", points(r.service))
	}
	if err := plotutil.AddLines(p, lines...); err != nil {
		return nil, err
	}
	var ticks plot.ConstantTicks
	for _, percentile := range []float64{0, 50, 90, 99, 99.9, 99.99, 99.999} {
		if x := place(percentile); x <= last {
			ticks = append(ticks, plot.Tick{Value: x, Label: fmt.Sprintf("%g", percentile)})
		}
	}
	p.X.Tick.Marker = ticks
	finish(p)
	return p, nil
}

func (r *Report) coursePlot() (*plot.Plot, error) {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = "second", "milliseconds"
	var median, high, most plotter.XYs
	for _, s := range r.Course {
		if s.Max == nil {
			continue
		}
		median = append(median, plotter.XY{X: s.Second, Y: *s.P50})
		high = append(high, plotter.XY{X: s.Second, Y: *s.P99})
		most = append(most, plotter.XY{X: s.Second, Y: *s.Max})
	}
	if err := plotutil.AddLines(p, "max", most, "p99", high, "p50", median); err != nil {
		return nil, err
	}
	finish(p)
	return p, nil
}

// finish leaves room above the lines for the legend.
func finish(p *plot.Plot) {
	p.Y.Min, p.Y.Max = 0, p.Y.Max*1.25
	p.Add(plotter.NewGrid())
	p.Legend.Top, p.Legend.Left, p.Legend.XOffs = true, true, 5*vg.Millimeter
}
