package loadgen

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/HdrHistogram/hdrhistogram-go"
)

const (
	// textRows and textWidth are of the histogram on a terminal.
	textRows  = 12
	textWidth = 40
	// lagWarning is the share of late requests' p99 that is the generator's own, in milliseconds, from which it is said.
	lagWarning = 5
	// microsecondDigits are what a number of milliseconds can have behind its point.
	microsecondDigits = 3
)

// WriteText writes the report for people.
func (r *Report) WriteText(out io.Writer) error {
	var b strings.Builder
	table := tabwriter.NewWriter(&b, 0, 0, 2, ' ', 0)
	fmt.Fprintf(table, "requests\t%d in %.1f s, %.1f a second%s\n", r.Requests, r.Seconds, r.Rate, r.asked())
	if r.Abandoned > 0 {
		fmt.Fprintf(table, "\t%d more were under way when the run was stopped\n", r.Abandoned)
	}
	fmt.Fprintf(table, "answers\t%s\n", r.answers())
	for _, name := range byCount(r.Kinds) {
		fmt.Fprintf(table, "\t%s: %d\n", name, r.Kinds[name])
	}
	for _, name := range slices.Sorted(maps.Keys(r.Failures)) {
		fmt.Fprintf(table, "\tno answer, %s: %d (%s)\n", name, r.Failures[name].Count, r.Failures[name].Example)
	}
	fmt.Fprintf(table, "bodies\t%s sent, %s received\n", bytesOf(r.BytesSent), bytesOf(r.BytesReceived))
	fmt.Fprintf(table, "connections\t%d opened, used again %d times\n", r.ConnectionsOpened, r.ConnectionsReused)
	if err := table.Flush(); err != nil {
		return err
	}
	r.writeTimes(&b)
	r.writeHistogram(&b)
	r.writeWarnings(&b)
	_, err := io.WriteString(out, b.String())
	return err
}

func (r *Report) asked() string {
	if r.Model == "open" {
		return fmt.Sprintf(" of %g asked for", r.AskedRate)
	}
	return fmt.Sprintf(" by %d callers", r.Concurrency)
}

func (r *Report) answers() string {
	var parts []string
	for _, s := range r.ByStatus {
		parts = append(parts, fmt.Sprintf("%d: %d", s.Status, s.Requests))
	}
	if len(parts) == 0 {
		return "none"
	}
	return strings.Join(parts, ", ")
}

func (r *Report) writeTimes(b *strings.Builder) {
	if r.latency == nil || r.latency.TotalCount() == 0 {
		return
	}
	b.WriteByte('\n')
	table := tabwriter.NewWriter(b, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(table, "milliseconds\tmin\tmean\tp50\tp90\tp95\tp99\tp99.9\tmax\t")
	row := func(name string, t *Times) {
		if t == nil { // no answer among them
			fmt.Fprintf(table, "%s\t%s\n", name, strings.Repeat("-\t", 8))
			return
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t%s\t\n", name, number(t.Min), number(t.Mean), number(t.P50), number(t.P90),
			number(t.P95), number(t.P99), number(t.P999), number(t.Max))
	}
	row("latency", r.Latency)
	if r.Model == "open" {
		row("after sending", r.Service)
		row("before sending", r.Lag)
	}
	if len(r.ByStatus) > 1 {
		for _, s := range r.ByStatus {
			row(fmt.Sprintf("status %d", s.Status), s.Latency)
		}
	}
	if len(r.ByRequest) > 1 {
		for _, one := range r.ByRequest {
			row(one.title(), one.Latency)
		}
	}
	table.Flush() //nolint:errcheck // a strings.Builder takes everything
}

// title names one of several requests, with what became of it.
func (r RequestReport) title() string {
	switch {
	case r.Unexpected == 0:
		return fmt.Sprintf("%s (%d)", r.Name, r.Requests)
	case r.Unexpected == r.Requests:
		return fmt.Sprintf("%s (%d, all unexpected)", r.Name, r.Requests)
	default:
		return fmt.Sprintf("%s (%d, %d unexpected)", r.Name, r.Requests, r.Unexpected)
	}
}

// number shows a time with the digits that mean something.
func number(x float64) string { return numberWith(x, 0) }

// numberWith shows so many digits more, down to the microsecond that is measured.
func numberWith(x float64, more int) string {
	digits := 2
	switch {
	case x >= 100:
		digits = 0
	case x >= 10:
		digits = 1
	}
	return strconv.FormatFloat(x, 'f', min(digits+more, microsecondDigits), 64)
}

// bar is a row of the histogram: how many requests took at most so long, and longer than the row before.
type bar struct {
	upTo  float64 // milliseconds
	count int64
}

// bars cuts the latencies into rows, each as much wider than the one before. Latencies that are close together get fewer
// rows: a row is a microsecond wide at least.
func (r *Report) bars() []bar {
	if r.latency == nil || r.latency.TotalCount() == 0 {
		return nil
	}
	low, high := float64(max(r.latency.Min(), 1)), float64(max(r.latency.Max(), 2))
	rows := make([]bar, 0, textRows)
	for i := range textRows {
		upTo := math.Round(low*math.Pow(high/low, float64(i+1)/textRows)) / 1000
		if i == 0 || upTo > rows[len(rows)-1].upTo {
			rows = append(rows, bar{upTo: upTo})
		}
	}
	for _, d := range r.latency.Distribution() {
		if d.Count > 0 {
			i, _ := slices.BinarySearchFunc(rows, d, func(b bar, d hdrhistogram.Bar) int {
				return cmp.Compare(b.upTo, float64(d.From)/1000)
			})
			rows[min(i, len(rows)-1)].count += d.Count
		}
	}
	return rows
}

// labels name the rows, with as many digits as tell each from the next.
func labels(rows []bar) []string {
	names := make([]string, len(rows))
	for more := range microsecondDigits + 1 {
		for i, row := range rows {
			names[i] = numberWith(row.upTo, more)
		}
		if len(slices.Compact(slices.Clone(names))) == len(names) {
			break
		}
	}
	return names
}

func (r *Report) writeHistogram(b *strings.Builder) {
	rows := r.bars()
	if rows == nil {
		return
	}
	most := slices.MaxFunc(rows, func(a, b bar) int { return cmp.Compare(a.count, b.count) }).count
	b.WriteByte('\n')
	names := labels(rows)
	for i, row := range rows {
		length := int(math.Ceil(float64(row.count) * textWidth / float64(most)))
		fmt.Fprintf(b, "%9s ms |%-*s %d\n", names[i], textWidth, strings.Repeat("#", length), row.count)
	}
}

// writeWarnings says what makes the figures mean something else than they seem to.
func (r *Report) writeWarnings(b *strings.Builder) {
	if r.Model == "closed" {
		b.WriteString("\nThe load followed the answers: while the API was slow, less was sent. With --rate it would not have been.\n")
		return
	}
	if r.Lag == nil || r.Lag.P99 < lagWarning {
		return
	}
	why := "this machine was too busy"
	if r.HeldBack > 0 {
		why = fmt.Sprintf("%d of them because %d were under way", r.HeldBack, r.Concurrency)
	}
	fmt.Fprintf(b, "\nRequests left late, p99 by %s ms, %s. The wait is part of the latency.\n", number(r.Lag.P99), why)
}

func byCount(counts map[string]int64) []string {
	names := slices.Sorted(maps.Keys(counts))
	slices.SortStableFunc(names, func(a, b string) int { return cmp.Compare(counts[b], counts[a]) })
	return names
}

func bytesOf(n int64) string {
	const unit = 1024
	switch {
	case n < unit:
		return fmt.Sprintf("%d B", n)
	case n < unit*unit:
		return fmt.Sprintf("%.1f KiB", float64(n)/unit)
	case n < unit*unit*unit:
		return fmt.Sprintf("%.1f MiB", float64(n)/unit/unit)
	default:
		return fmt.Sprintf("%.1f GiB", float64(n)/unit/unit/unit)
	}
}
