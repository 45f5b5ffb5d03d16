package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"net/url"
	"os"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/schollz/progressbar/v3"
	"github.com/spf13/cobra"

	"github.com/marquee-api/marquee/internal/local"
	"github.com/marquee-api/marquee/internal/movies/load"
)

const loadLong = `Load movies into the table, with all the items that their lists are read from.

A FILE holds JSON: an object on each line, or one array, the layout of AWS's moviedata.json; gzip is undone; "-" is
standard input. Records that are no movies are reported with their lines and left out, and the exit status is then 1.

The table is --table, else that of the local stack that is running here, else TABLE_NAME. Ctrl-C finishes what is under
way; --resume goes on there.`

const loadExample = `  marquee load data/movies.jsonl                  # into the local stack
  marquee load --dry-run moviedata.json           # only check
  marquee load --table movies --region eu-west-1 part1.jsonl.gz part2.jsonl.gz
  marquee load --generate 100000 --seed 7 --table movies --endpoint http://127.0.0.1:8000`

// maxRefusals is how many refused lines are named one by one; all of them are counted.
const maxRefusals = 50

// loadOptions are the flags of marquee load.
type loadOptions struct {
	files []string

	table, endpoint, region, profile string
	state                            string

	generate   int
	seed       uint64
	dryRun     bool
	resume     bool
	checkpoint string
	workers    int
}

func newLoadCommand(env environment) *cobra.Command {
	var o loadOptions
	cmd := &cobra.Command{
		Use:     "load [FILE…]",
		Short:   "Load movies into the table",
		Long:    loadLong,
		Example: loadExample,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.files = args
			return loadMovies(cmd.Context(), env, o)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.table, "table", "", "the `name` of the table")
	f.StringVar(&o.endpoint, "endpoint", "", "the `URL` of a DynamoDB that is not AWS's")
	f.StringVar(&o.region, "region", "", "the `region` of the table")
	f.StringVar(&o.profile, "profile", "", "`name` of the profile whose credentials are used")
	f.StringVar(&o.state, "state", local.DefaultState, "state `file` of the local stack")
	f.IntVar(&o.generate, "generate", 0, "make up `N` movies instead of reading files")
	f.Uint64Var(&o.seed, "seed", 1, "the `seed` of --generate: the same one makes the same movies")
	f.BoolVar(&o.dryRun, "dry-run", false, "read and check everything, write nothing")
	f.BoolVar(&o.resume, "resume", false, "go on where a run of the same files was stopped")
	f.StringVar(&o.checkpoint, "checkpoint", ".marquee/load.json", "the `file` that remembers how far a run has come")
	f.IntVar(&o.workers, "workers", load.DefaultWorkers, "how many batches are under way at once")
	return cmd
}

func loadMovies(ctx context.Context, env environment, o loadOptions) error {
	inputs, err := o.inputs(env.Stdin)
	if err != nil {
		return err
	}
	run := load.Run{
		Loader: load.Loader{DryRun: o.dryRun, Workers: o.workers}, Inputs: inputs, Checkpoint: o.checkpoint, Resume: o.resume,
	}
	if !o.dryRun {
		client, table, err := o.target(ctx, env)
		if err != nil {
			return err
		}
		run.Loader.Client, run.Loader.Table = client, table
	}
	refused := 0
	run.Refused = func(input string, r load.Refusal) {
		if refused++; refused <= maxRefusals {
			fmt.Fprintf(env.Stderr, "marquee: %s: %v\n", input, r)
		}
	}
	bar := newLoadBar(env.Stderr, o)
	run.Progress = bar.show
	started := time.Now()
	report, err := run.Do(ctx)
	bar.end()
	if refused > maxRefusals {
		fmt.Fprintf(env.Stderr, "marquee: … and %d more\n", refused-maxRefusals)
	}
	fmt.Fprintln(env.Stderr, summary(o, report, time.Since(started)))
	switch {
	case err != nil && ctx.Err() != nil:
		return errors.New("stopped: what is counted is in the table; go on with --resume")
	case err != nil && !o.dryRun && report.Movies > 0:
		return fmt.Errorf("%w\nwhat is counted is in the table; go on with --resume", err)
	case err != nil:
		return err
	case report.Refused > 0:
		return &exitStatus{code: 1}
	}
	return nil
}

// summary is the last line: what is in the table now.
func summary(o loadOptions, r load.Report, took time.Duration) string {
	verb := "loaded"
	if o.dryRun {
		verb = "checked"
	}
	text := fmt.Sprintf("%s %d movies (%d items) in %s, %.0f items/s", verb, r.Movies, r.Items, took.Round(time.Millisecond), float64(r.Items)/math.Max(took.Seconds(), 1e-3))
	if r.Refused > 0 {
		text += fmt.Sprintf("; %d records are no movies", r.Refused)
	}
	if r.Removed > 0 {
		text += fmt.Sprintf("; %d items of before removed", r.Removed)
	}
	if r.Throttled > 0 {
		text += fmt.Sprintf("; %d batches had to wait", r.Throttled)
	}
	return text
}

func (o loadOptions) inputs(stdin io.Reader) ([]load.Input, error) {
	switch {
	case o.generate < 0:
		return nil, fmt.Errorf("--generate %d: want a number of movies", o.generate)
	case o.generate > 0 && len(o.files) > 0:
		return nil, errors.New("--generate makes the movies up: give it or files, not both")
	case o.generate > 0:
		return []load.Input{{Name: fmt.Sprintf("--generate %d", o.generate), Generator: load.NewGenerator(o.generate, o.seed)}}, nil
	case len(o.files) == 0:
		return nil, errors.New("nothing to load: name files, - for standard input, or --generate N")
	}
	var inputs []load.Input
	for _, name := range o.files {
		open := func() (io.ReadCloser, error) { return os.Open(name) }
		if name == "-" {
			open = func() (io.ReadCloser, error) { return io.NopCloser(stdin), nil }
		}
		inputs = append(inputs, load.Input{Name: name, Open: open})
	}
	return inputs, nil
}

// target finds the table: by flags, else that of the local stack, else by TABLE_NAME.
func (o loadOptions) target(ctx context.Context, env environment) (*dynamodb.Client, string, error) {
	table, endpoint, region := o.table, o.endpoint, o.region
	if table == "" && endpoint == "" {
		state, err := local.ReadState(o.state)
		switch {
		case err == nil && len(state.Tables) == 1:
			for _, name := range state.Tables {
				table = name
			}
			endpoint, region = state.DynamoDBURL, cmp.Or(region, state.Region)
		case err == nil:
			return nil, "", fmt.Errorf("the local stack has %d tables: choose one with --table and --endpoint %s", len(state.Tables), state.DynamoDBURL)
		case !errors.Is(err, local.ErrNotRunning):
			return nil, "", err
		}
	}
	if table = cmp.Or(table, env.Getenv("TABLE_NAME")); table == "" {
		return nil, "", fmt.Errorf("no table to load: no local stack is running here (%s is not there), and neither --table nor TABLE_NAME is given", o.state)
	}
	if endpoint != "" {
		u, err := url.Parse(endpoint)
		if err != nil || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
			return nil, "", errors.New("--endpoint: want a URL with no more than scheme, host and port")
		}
	}
	if endpoint != "" && o.profile == "" && env.Getenv("AWS_PROFILE") == "" && env.Getenv("AWS_ACCESS_KEY_ID") == "" {
		// DynamoDB Local checks no signature, and refuses key ids that are more than letters and digits.
		return dynamodb.New(dynamodb.Options{
			Region: cmp.Or(region, env.Getenv("AWS_REGION"), "us-east-1"), BaseEndpoint: &endpoint,
			Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
		}), table, nil
	}
	var options []func(*config.LoadOptions) error
	if o.profile != "" {
		options = append(options, config.WithSharedConfigProfile(o.profile))
	}
	if region != "" {
		options = append(options, config.WithRegion(region))
	}
	cfg, err := config.LoadDefaultConfig(ctx, options...)
	if err != nil {
		return nil, "", fmt.Errorf("looking for credentials: %w", err)
	}
	return dynamodb.NewFromConfig(cfg, func(d *dynamodb.Options) {
		if endpoint != "" {
			d.BaseEndpoint = aws.String(endpoint)
		}
	}), table, nil
}

// loadBar shows the rate and, where the number is known, the time that is left. Without a terminal it shows nothing.
type loadBar struct{ bar *progressbar.ProgressBar }

func newLoadBar(out io.Writer, o loadOptions) loadBar {
	file, ok := out.(*os.File)
	if !ok {
		return loadBar{}
	}
	if info, err := file.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return loadBar{}
	}
	total := -1
	if o.generate > 0 {
		total = o.generate
	}
	return loadBar{progressbar.NewOptions(total, progressbar.OptionSetWriter(out), progressbar.OptionSetDescription("movies"),
		progressbar.OptionShowCount(), progressbar.OptionShowIts(), progressbar.OptionSetItsString("movies"),
		progressbar.OptionSetPredictTime(true), progressbar.OptionClearOnFinish(), progressbar.OptionThrottle(100*time.Millisecond))}
}

func (b loadBar) show(r load.Report) {
	if b.bar != nil {
		_ = b.bar.Set(r.Records)
	}
}

func (b loadBar) end() {
	if b.bar != nil {
		_ = b.bar.Finish()
	}
}
