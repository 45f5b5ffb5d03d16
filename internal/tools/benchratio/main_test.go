package main

import (
	"strings"
	"testing"
)

const input = `goos: linux
cpu: AMD EPYC
BenchmarkSign/GET/marquee-2   	 1000	 900 ns/op	 272 B/op	 2 allocs/op
BenchmarkSign/GET/marquee-2   	 1000	 9000 ns/op	 272 B/op	 2 allocs/op
BenchmarkSign/GET/marquee-2   	 1000	 1000 ns/op	 272 B/op	 2 allocs/op
BenchmarkSign/GET/sdk-2       	 1000	 4500 ns/op	 3224 B/op	 41 allocs/op
BenchmarkSign/GET/sdk-2       	 1000	 5500 ns/op	 3224 B/op	 41 allocs/op
BenchmarkVerify/GET-2         	 1000	 20000 ns/op
BenchmarkAlone/sdk            	 1000	 7 ns/op
BenchmarkRatio/GET-2         	     100	         4.5 sdk/sign	         1.25 verify/sign
BenchmarkRatio/GET-2         	     100	         5 sdk/sign	         1.5 verify/sign
BenchmarkRatio/GET-2         	     100	         9 sdk/sign	         1.25 verify/sign
PASS
ok  	example	1.0s
`

func TestRun(t *testing.T) {
	var out strings.Builder
	if err := run(strings.NewReader(input), &out); err != nil {
		t.Fatal(err)
	}
	var rows []string
	for line := range strings.Lines(out.String()) {
		rows = append(rows, strings.Join(strings.Fields(line), " "))
	}
	// Medians: 1000 of three, (4500+5500)/2 of two; 5000/1000 = 5.
	want := []string{
		"benchmark marquee allocs sdk allocs ratio",
		"Sign/GET 1000 ns 2 5000 ns 41 5.00",
		"Verify/GET 20.0 µs",
		"Alone/sdk 7 ns",
		"Ratio/GET 5.00 sdk/sign, 1.25 verify/sign",
	}
	if got := strings.Join(rows, "\n"); got != strings.Join(want, "\n") {
		t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
	}
}

func TestRunErrors(t *testing.T) {
	for name, tt := range map[string]struct{ in, want string }{
		"nothing":   {"PASS\nok example 1.0s\n", "no benchmark"},
		"no number": {"BenchmarkA 1000 x ns/op\n", "invalid syntax"},
	} {
		if err := run(strings.NewReader(tt.in), &strings.Builder{}); err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want one that says %q", name, err, tt.want)
		}
	}
}

func TestWithoutProcs(t *testing.T) {
	for name, want := range map[string]string{"Sign/GET-2": "Sign/GET", "Sign/a-b": "Sign/a-b", "Sign": "Sign", "Sign/a-b-16": "Sign/a-b"} {
		if got := withoutProcs(name); got != want {
			t.Errorf("%s: got %s, want %s", name, got, want)
		}
	}
}
