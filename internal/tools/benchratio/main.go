// Command benchratio reads what "go test -bench" prints and shows how our
// implementation compares with a foreign one.
//
//	go test -run '^$' -bench . -count 10 ./internal/sigv4 | benchratio
//
// Benchmarks are pairs if their names differ in the last element only:
// "BenchmarkSign/GET/marquee" and "BenchmarkSign/GET/sdk". With -count the medians
// are compared, as a single run says little on a machine that does other things.
// Benchmarks without a partner are listed by their own figures, and with the
// ratios that they report themselves ("4.71 sdk/sign").
package main

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
)

const (
	ours   = "marquee"
	theirs = "sdk"

	perOp       = "ns/op"
	allocsPerOp = "allocs/op"
)

func main() {
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "benchratio:", err)
		os.Exit(1)
	}
}

// figures are the measurements of one benchmark, one for each run, by unit.
type figures struct {
	name  string
	units map[string][]float64
}

func run(in io.Reader, out io.Writer) error {
	all, err := read(in)
	if err != nil {
		return err
	}
	if len(all) == 0 {
		return errors.New(`no benchmark in the input: pipe the output of "go test -bench ." into this program`)
	}
	table := tabwriter.NewWriter(out, 0, 0, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintf(table, "benchmark\t%s\tallocs\t%s\tallocs\tratio\t\n", ours, theirs)
	for _, f := range all {
		writeRow(table, f, all)
	}
	return table.Flush()
}

// writeRow prints a pair in the place of ours, and a benchmark alone in its own.
func writeRow(out io.Writer, f *figures, all []*figures) {
	base, last := f.split()
	foreign := find(all, base+"/"+theirs)
	switch {
	case last == theirs && find(all, base+"/"+ours) != nil:
	case last == ours && foreign != nil:
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%.2f\t\n", base, f.time(), f.allocations(),
			foreign.time(), foreign.allocations(), median(foreign.units[perOp])/median(f.units[perOp]))
	default:
		fmt.Fprintf(out, "%s\t%s\t%s\t\t\t%s\t\n", f.name, f.time(), f.allocations(), f.ratios())
	}
}

func find(all []*figures, name string) *figures {
	for _, f := range all {
		if f.name == name {
			return f
		}
	}
	return nil
}

// split cuts the last element off a name.
func (f *figures) split() (base, last string) {
	i := strings.LastIndexByte(f.name, '/')
	return f.name[:max(i, 0)], f.name[i+1:]
}

// read collects the benchmark lines, in the order of their first appearance. Other
// lines of go test's output are passed over.
func read(in io.Reader) ([]*figures, error) {
	var all []*figures
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		words := strings.Fields(lines.Text())
		if len(words) < 4 || !strings.HasPrefix(words[0], "Benchmark") {
			continue
		}
		name := withoutProcs(strings.TrimPrefix(words[0], "Benchmark"))
		f := find(all, name)
		if f == nil {
			f = &figures{name: name, units: map[string][]float64{}}
			all = append(all, f)
		}
		if err := f.add(words[2:]); err != nil {
			return nil, fmt.Errorf("%q: %w", lines.Text(), err)
		}
	}
	return all, lines.Err()
}

// add takes the measurements of one line: "1234 ns/op 272 B/op 2 allocs/op".
func (f *figures) add(words []string) error {
	for i := 0; i+1 < len(words); i += 2 {
		value, err := strconv.ParseFloat(words[i], 64)
		if err != nil {
			return err
		}
		f.units[words[i+1]] = append(f.units[words[i+1]], value)
	}
	return nil
}

// withoutProcs removes the "-2" that go test appends for two processors.
func withoutProcs(name string) string {
	i := strings.LastIndexByte(name, '-')
	if i < 0 {
		return name
	}
	if _, err := strconv.Atoi(name[i+1:]); err != nil {
		return name
	}
	return name[:i]
}

// median is 0 for no values.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	sorted := slices.SortedFunc(slices.Values(values), cmp.Compare[float64])
	middle := len(sorted) / 2
	if len(sorted)%2 == 1 {
		return sorted[middle]
	}
	return (sorted[middle-1] + sorted[middle]) / 2
}

// time is the median, with its unit; empty if the benchmark reports none.
func (f *figures) time() string {
	switch nanoseconds := median(f.units[perOp]); {
	case nanoseconds == 0:
		return ""
	case nanoseconds < 10_000:
		return fmt.Sprintf("%.0f ns", nanoseconds)
	default:
		return fmt.Sprintf("%.1f µs", nanoseconds/1000)
	}
}

func (f *figures) allocations() string {
	if len(f.units[allocsPerOp]) == 0 {
		return ""
	}
	return fmt.Sprintf("%.0f", median(f.units[allocsPerOp]))
}

// ratios are the medians of what a benchmark reports in units of its own, such as
// "sdk/sign".
func (f *figures) ratios() string {
	var all []string
	for _, unit := range slices.Sorted(maps.Keys(f.units)) {
		if !strings.HasSuffix(unit, "/op") && !strings.HasSuffix(unit, "/s") {
			all = append(all, fmt.Sprintf("%.2f %s", median(f.units[unit]), unit))
		}
	}
	return strings.Join(all, ", ")
}
