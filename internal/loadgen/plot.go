package loadgen

import (
	"errors"
	"fmt"
	"io"
	"math"

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
	var points plotter.XYs
	last := 1.0 // above this place a single request decides
	if n := float64(r.latency.TotalCount()); n > 10 {
		last = math.Log10(n)
	}
	for x := 0.0; x <= last; x += last / 200 {
		percentile := 100 * (1 - math.Pow(10, -x))
		points = append(points, plotter.XY{X: x, Y: milliseconds(r.latency.ValueAtQuantile(percentile))})
	}
	if err := plotutil.AddLines(p, "latency", points); err != nil {
		return nil, err
	}
	var ticks plot.ConstantTicks
	for _, percentile := range []float64{0, 50, 90, 99, 99.9, 99.99, 99.999} {
		if x := place(percentile); x <= last {
			ticks = append(ticks, plot.Tick{Value: x, Label: fmt.Sprintf("%g", percentile)})
		}
	}
	p.X.Tick.Marker = ticks
	p.Y.Min = 0
	p.Add(plotter.NewGrid())
	p.Legend.Top, p.Legend.Left, p.Legend.XOffs = true, true, 5*vg.Millimeter
	return p, nil
}

func (r *Report) coursePlot() (*plot.Plot, error) {
	p := plot.New()
	p.X.Label.Text, p.Y.Label.Text = "second", "milliseconds"
	var median, high, most plotter.XYs
	for _, s := range r.Course {
		if s.Requests == 0 {
			continue
		}
		median = append(median, plotter.XY{X: s.Second, Y: s.P50})
		high = append(high, plotter.XY{X: s.Second, Y: s.P99})
		most = append(most, plotter.XY{X: s.Second, Y: s.Max})
	}
	if err := plotutil.AddLines(p, "max", most, "p99", high, "p50", median); err != nil {
		return nil, err
	}
	p.Y.Min = 0
	p.Add(plotter.NewGrid())
	p.Legend.Top, p.Legend.Left, p.Legend.XOffs = true, true, 5*vg.Millimeter
	return p, nil
}
