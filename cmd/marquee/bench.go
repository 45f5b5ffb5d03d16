package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/marquee-api/marquee/apiclient"
	"github.com/marquee-api/marquee/internal/loadgen"
	"github.com/marquee-api/marquee/internal/terminal"
)

const benchLong = `Load the private API with signed requests, and measure the answers.

With --rate requests leave at a constant rate, whatever becomes of those before, and a latency counts from the moment that
its request was due: an API that stalls cannot hide it by being asked less. With --concurrency so many callers send their
next request when they have their answer. Without either it is 10 requests a second, without --duration and --requests
it is 10 seconds.

The API, its credentials and the request are chosen as in "marquee call", or several requests come from a file with --from,
one JSON object on each line: {"weight":3,"method":"GET","path":"/movie_list/{year}/{title}","path_params":{"year":2013,
"title":"Rush"},"query":{…},"headers":{…},"body":…}. Each request is signed anew; credentials are refreshed when they end.
Nothing is sent twice, but once after a clock or credentials were put right.

An API that is not on this machine costs money and has other users: more than 50 requests a second, more than 3000 in
all, callers without a rate, and methods that change something need --yes there.

Ctrl-C prints what was measured so far. The exit status is 0 only if every answer was a 2xx, or what --expect says.`

const benchExample = `  marquee bench /movie_list -q limit=5 --rate 40 --duration 30s
  marquee bench /movie_list --concurrency 8 --requests 1000 --plot latency.svg
  marquee bench --from requests.jsonl --rate 50 --warmup 5s --json
  marquee bench --url https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/dev /movie_list --rate 20 --duration 1m`

// What is sent to an API elsewhere without --yes.
const (
	remoteRate     = 50
	remoteRequests = 3000
)

// benchOptions are the flags of marquee bench.
type benchOptions struct {
	call callOptions
	from string

	rate             float64
	concurrency      int
	requests         int
	duration, warmup time.Duration
	timeout          time.Duration

	expect []string
	plot   string
	json   bool
	yes    bool
}

func newBenchCommand(env environment) *cobra.Command {
	var o benchOptions
	cmd := &cobra.Command{
		Use:     "bench [METHOD] PATH",
		Short:   "Load the API with signed requests and measure the answers",
		Long:    benchLong,
		Example: benchExample,
		Args:    cobra.MaximumNArgs(2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.call.hasData = cmd.Flags().Changed("data")
			o.call.stateGiven = cmd.Flags().Changed("state")
			o.call.repeat = 1
			if err := o.setArgs(args); err != nil {
				return err
			}
			if err := o.setNumbers(cmd.Flags().Changed); err != nil {
				return err
			}
			return bench(cmd.Context(), env, o)
		},
	}
	f := cmd.Flags()
	o.call.addRequestFlags(f)
	o.call.addTargetFlags(f)
	f.StringVar(&o.from, "from", "", "`FILE` with requests, one JSON object on each line, or - for standard input")
	f.Float64Var(&o.rate, "rate", 0, "requests `a second`, at constant distances")
	f.IntVar(&o.concurrency, "concurrency", 0, "`N` callers that wait for their answers; with --rate, how many requests may be under way (1000)")
	f.IntVar(&o.requests, "requests", 0, "end after `N` requests")
	f.DurationVar(&o.duration, "duration", 0, "end after this `time`")
	f.DurationVar(&o.warmup, "warmup", 0, "send for this `time` before the measurement")
	f.DurationVar(&o.timeout, "timeout", 30*time.Second, "the most `time` for one request; API Gateway itself gives up after 29s")
	f.StringSliceVar(&o.expect, "expect", []string{"2xx"}, "`statuses` that are as they should be: 404, 2xx, …")
	f.StringVar(&o.plot, "plot", "", "write a plot of the latencies to this SVG `file`")
	f.BoolVar(&o.json, "json", false, "print the result as JSON")
	f.BoolVar(&o.yes, "yes", false, "yes, load an API that is not on this machine")
	return cmd
}

func (o *benchOptions) setArgs(args []string) error {
	switch {
	case o.from != "" && (len(args) > 0 || o.call.hasData || o.call.headers != nil || o.call.query != nil || o.call.params != nil):
		return errors.New("--from brings the requests along: leave PATH, -d, -H, -q and -p out")
	case o.from == "" && len(args) == 0:
		return errors.New("PATH is missing: give the path of a request, or a file of requests with --from")
	case o.from == "":
		o.call.setArgs(args)
	}
	return nil
}

// setNumbers fills in what was left out. A zero that was given would otherwise pass for that.
func (o *benchOptions) setNumbers(given func(flag string) bool) error {
	for _, f := range []struct {
		name string
		ok   bool // NaN is not above 0 either
	}{
		{"rate", o.rate > 0}, {"concurrency", o.concurrency > 0}, {"requests", o.requests > 0},
		{"duration", o.duration > 0}, {"timeout", o.timeout > 0},
	} {
		if given(f.name) && !f.ok {
			return fmt.Errorf("--%s must be above 0: leave it out for what `marquee bench --help` says", f.name)
		}
	}
	if o.warmup < 0 {
		return errors.New("--warmup must not be negative")
	}
	if o.rate == 0 && o.concurrency == 0 {
		o.rate = 10
	}
	if o.requests == 0 && o.duration == 0 {
		o.duration = 10 * time.Second
	}
	return nil
}

// bench wires requests, target and generator together, and prints what came of it.
func bench(ctx context.Context, env environment, o benchOptions) error {
	expected, err := parseExpected(o.expect)
	if err != nil {
		return err
	}
	requests, err := o.readRequests(env.Stdin)
	if err != nil {
		return err
	}
	svg, err := o.openPlot()
	if err != nil {
		return err
	}
	defer svg.discard()
	target, err := findTarget(ctx, env, o.call, requests[0].Header)
	if err != nil {
		return err
	}
	if err := o.allowed(target, requests); err != nil {
		return err
	}
	if err := target.retrieve(ctx); err != nil {
		return err
	}
	wire, plan, err := o.plan(ctx, target, requests)
	if err != nil {
		return err
	}
	plan.Expect = expected
	var stop func()
	plan.Sleep, stop = loadgen.NewSleeper()
	defer stop()
	fmt.Fprintf(env.Stderr, "marquee: loading %s: %s\n", target.endpoint, o.describe(requests))
	if terminal.Of(env.Stderr, env.Getenv).IsTerminal() {
		plan.Watch = func(p loadgen.Progress) {
			fmt.Fprintf(env.Stderr, "\r%s  %d requests, %d unexpected ", p.Elapsed.Round(time.Second), p.Requests, p.Unexpected)
		}
		defer fmt.Fprintln(env.Stderr)
	}
	report, err := loadgen.Run(ctx, plan)
	if err != nil {
		return err
	}
	again := max(wire.sent.Load()-report.Requests-report.Warmup-report.Abandoned, 0)
	return o.present(benchOutput{out: env.Stdout, plot: svg, title: o.describe(requests)}, benchResult{Target: targetOf(target), SignedAgain: again, Report: report})
}

// plan makes the client and what it is to do.
func (o benchOptions) plan(ctx context.Context, target *callTarget, requests []benchRequest) (*wireTransport, loadgen.Plan, error) {
	underWay := cmp.Or(o.concurrency, loadgen.DefaultMostUnderWay)
	wire := &wireTransport{base: benchTransport(underWay)}
	client, err := apiclient.New(apiclient.Config{
		Endpoint: target.endpoint, Credentials: target.credentials, Base: wire,
		Retry: apiclient.Retry{MaxAttempts: 1}, // what fails is what is measured
	})
	if err != nil {
		return nil, loadgen.Plan{}, err
	}
	plan := loadgen.Plan{
		Transport: client.HTTPClient().Transport, Rate: o.rate, Concurrency: o.concurrency, Count: o.requests,
		Duration: o.duration, Warmup: o.warmup, Timeout: o.timeout, Kind: errorKind,
	}
	for _, r := range requests {
		made, err := client.NewRequest(ctx, r.Request)
		if err != nil {
			return nil, loadgen.Plan{}, err
		}
		plan.Requests = append(plan.Requests, loadgen.Request{Name: r.name, Weight: r.weight, HTTP: made})
	}
	return wire, plan, nil
}

// benchTransport keeps every connection that the load needs: opening new ones all the time would be what is measured.
func benchTransport(most int) *http.Transport {
	base := apiclient.NewBase(http.ProxyFromEnvironment)
	base.MaxIdleConns, base.MaxIdleConnsPerHost = 0, most
	return base
}

// wireTransport counts what is really sent.
type wireTransport struct {
	base http.RoundTripper
	sent atomic.Int64
}

func (w *wireTransport) RoundTrip(r *http.Request) (*http.Response, error) {
	w.sent.Add(1)
	return w.base.RoundTrip(r)
}

// errorKind is API Gateway's name for the error, where it made the answer.
func errorKind(resp *http.Response) string {
	name, _, _ := strings.Cut(resp.Header.Get("X-Amzn-Errortype"), ":")
	return name
}

// benchResult is what is printed: its JSON is for programs and stays.
type benchResult struct {
	Target benchTarget `json:"target"`
	// SignedAgain is how many requests were sent once more, after the clock or the credentials were put right.
	SignedAgain int64 `json:"signed_again"`
	*loadgen.Report
}

type benchTarget struct {
	URL    string `json:"url"`
	Dial   string `json:"dial"`
	Form   string `json:"form"`
	Region string `json:"region"`
}

func targetOf(t *callTarget) benchTarget {
	e := t.endpoint
	return benchTarget{URL: e.URL(), Dial: e.DialAddress(), Form: e.Form().String(), Region: e.Region()}
}

// present prints the result, draws it, and turns it into the exit status.
func (o benchOptions) present(to benchOutput, result benchResult) error {
	if err := result.write(to.out, o.json); err != nil {
		return fmt.Errorf("writing the result: %w", err)
	}
	drawing := to.plot.draw(to.title, result)
	switch {
	case result.OK():
		return drawing
	case result.Requests == 0:
		return errors.New("nothing was measured")
	default:
		err := fmt.Errorf("%d of %d requests were not answered with %s", result.Unexpected, result.Requests, strings.Join(o.expect, ", "))
		return errors.Join(err, drawing)
	}
}

func (r benchResult) write(out io.Writer, asJSON bool) error {
	if asJSON {
		encoder := json.NewEncoder(out)
		encoder.SetEscapeHTML(false)
		return encoder.Encode(r)
	}
	if err := r.WriteText(out); err != nil || r.SignedAgain == 0 {
		return err
	}
	what := fmt.Sprintf("%d requests were", r.SignedAgain)
	if r.SignedAgain == 1 {
		what = "1 request was"
	}
	_, err := fmt.Fprintf(out, "\n%s sent once more, after the clock or the credentials were put right.\n", what)
	return err
}
