package main

import (
	"fmt"
	"io"

	"github.com/marquee-api/marquee/internal/outfile"
)

// benchOutput is where the result of a load goes.
type benchOutput struct {
	out   io.Writer
	plot  *benchPlot
	title string // of the plot
}

// benchPlot is the file of --plot; nil is none.
type benchPlot struct {
	path string
	file *outfile.File
}

// openPlot begins the file before anything is sent: a place that cannot be written to is no reason to lose a measurement.
func (o benchOptions) openPlot() (*benchPlot, error) {
	if o.plot == "" {
		return nil, nil
	}
	file, err := outfile.Create(o.plot)
	if err != nil {
		return nil, fmt.Errorf("--plot: %w", err)
	}
	return &benchPlot{path: o.plot, file: file}, nil
}

func (p *benchPlot) draw(title string, r benchResult) error {
	if p == nil {
		return nil
	}
	err := r.WriteSVG(p.file, r.Target.URL+": "+title)
	if err == nil {
		err = p.file.Commit()
	}
	if err != nil {
		return fmt.Errorf("--plot %s: %w", p.path, err)
	}
	return nil
}

func (p *benchPlot) discard() {
	if p != nil {
		p.file.Discard() //nolint:errcheck // whatever went wrong before has been said
	}
}
