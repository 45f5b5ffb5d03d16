package docscheck_test

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var write = flag.Bool("write", false, "write the costs into docs/deploying.md")

// price is what AWS asked for a unit in ap-northeast-2, and where that was read. These are assumptions of the document:
// prices change, and AWS's own pages are right.
type price struct {
	name   string
	dollar float64
	unit   string
	source string
}

// A size is a month's load; what a request costs besides is measured or assumed below.
type size struct {
	name     string
	requests float64 // a month
}

const (
	hours       = 730.0 // of a month, as AWS counts
	zones       = 2.0   // the endpoint's
	readUnits   = 3.5   // half of the requests lists of 25 movies (6 units), half single movies (1)
	writeUnits  = 0.07  // one request in a hundred writes (7 units)
	kilobytes   = 4.3   // of an answer: half of them 8.3, half 0.3
	gbSeconds   = 0.005 // 256 MiB for 20 ms
	logged      = 2.5   // kilobytes: the function's line, the access log's, Lambda's own
	metrics     = 43.0  // seven figures, over everything and for each of five methods, and the items of a page
	alarms      = 16.0  // metrics that the eight alarms read
	perMillion  = 1e6
	kilobytesGB = 1e6
)

var sizes = []size{{"0.3 million requests (10,000 a day)", 0.3e6}, {"10 million", 10e6}, {"300 million (114 a second)", 300e6}}

// prices by what they are for; the order is the table's.
var prices = []price{
	{"VPC endpoint, hour and zone", 0.013, "hour", "AWS Price List, AmazonVPC offer of 2026-09-17, as quoted on 2026-10-01"},
	{"VPC endpoint, data", 0.01, "GB (the first PB)", "the same"},
	{"API Gateway, REST", 3.50, "million requests (the first 333)", "AWS whitepaper on private APIs, table 4, which names no region and no date"},
	{"Lambda, arm64", 0.0000133334, "GB-second", "AWS Price List, AWSLambda, as quoted on 2026-10-01"},
	{"Lambda, requests", 0.20, "million", "the same"},
	{"DynamoDB on demand, read units", 0.1355, "million", "AWS Price List, AmazonDynamoDB, as quoted on 2026-06-12"},
	{"DynamoDB on demand, write units", 0.68, "million", "the same"},
	{"CloudWatch, logs taken in", 0.76, "GB", "AWS Price List, AmazonCloudWatch, as quoted on 2026-10-01"},
	{"CloudWatch, logs kept", 0.0314, "GB and month", "the same"},
	{"CloudWatch, metrics", 0.30, "metric and month", "the same"},
	{"CloudWatch, alarms", 0.10, "metric that an alarm reads, and month", "the same"},
}

// line is how much of a price a size needs.
func line(p price, s size) float64 {
	switch p.name {
	case "VPC endpoint, hour and zone":
		return zones * hours
	case "VPC endpoint, data":
		return s.requests * kilobytes / kilobytesGB
	case "API Gateway, REST", "Lambda, requests":
		return s.requests / perMillion
	case "Lambda, arm64":
		return s.requests * gbSeconds
	case "DynamoDB on demand, read units":
		return s.requests * readUnits / perMillion
	case "DynamoDB on demand, write units":
		return s.requests * writeUnits / perMillion
	case "CloudWatch, logs taken in", "CloudWatch, logs kept":
		return s.requests * logged / kilobytesGB
	case "CloudWatch, metrics":
		return metrics
	case "CloudWatch, alarms":
		return alarms
	}
	panic("no amount for " + p.name)
}

const (
	costsBegin = "<!-- costs: written by go test ./internal/docscheck -write -->\n"
	costsEnd   = "<!-- costs: end -->\n"
)

// The figures are those that the prices and assumptions give.
func TestCosts(t *testing.T) {
	path := filepath.Join(root, "docs", "deploying.md")
	text := read(t, "docs/deploying.md")
	before, rest, begins := strings.Cut(text, costsBegin)
	_, after, ends := strings.Cut(rest, costsEnd)
	if !begins || !ends {
		t.Fatalf("docs/deploying.md has no place for the costs")
	}
	want := before + costsBegin + costs() + costsEnd + after
	if text == want {
		return
	}
	if !*write {
		t.Fatal("docs/deploying.md has other figures than the prices and assumptions give: run go test ./internal/docscheck -run Costs -write")
	}
	if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
}

func costs() string {
	var b strings.Builder
	b.WriteString("\n| | $ | for a | from where, of when |\n| --- | ---: | --- | --- |\n")
	for _, p := range prices {
		fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", p.name, plainNumber(p.dollar), p.unit, p.source)
	}
	b.WriteString("\n| A month, amount × price = $ |")
	for _, s := range sizes {
		b.WriteString(" " + s.name + " |")
	}
	b.WriteString("\n| --- |" + strings.Repeat(" ---: |", len(sizes)) + "\n")
	totals := make([]float64, len(sizes))
	for _, p := range prices {
		b.WriteString("| " + p.name + " |")
		for i, s := range sizes {
			amount := line(p, s)
			totals[i] += amount * p.dollar
			fmt.Fprintf(&b, " %s × %s = %.2f |", plainNumber(amount), plainNumber(p.dollar), amount*p.dollar)
		}
		b.WriteString("\n")
	}
	b.WriteString("| **together** |")
	for _, total := range totals {
		fmt.Fprintf(&b, " **%.2f** |", total)
	}
	b.WriteString("\n| of it for a million requests |")
	for i, s := range sizes {
		fmt.Fprintf(&b, " %.2f |", totals[i]/(s.requests/perMillion))
	}
	b.WriteString("\n\n")
	return b.String()
}

// plainNumber is a number without an exponent and without zeros at its end.
func plainNumber(x float64) string {
	text := fmt.Sprintf("%.10f", x)
	return strings.TrimSuffix(strings.TrimRight(text, "0"), ".")
}

// By hand: two zones for 730 hours are 1,460 hours, times 0.013 are 18.98; 10 million requests at 3.50 are 35; 300 million
// of 0.005 GB-seconds are 1.5 million, times 0.0000133334 are 20.00; 3.5 units of 10 million are 35 million, at 0.1355 are 4.74.
func TestCostsByHand(t *testing.T) {
	text := costs()
	for _, want := range []string{
		"1460 × 0.013 = 18.98", "10 × 3.5 = 35.00", "1500000 × 0.0000133334 = 20.00", "35 × 0.1355 = 4.74", "0.3 × 0.2 = 0.06",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("the table lacks %q:\n%s", want, text)
		}
	}
}
