package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/spf13/cobra"

	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/local"
	"github.com/marquee-api/marquee/internal/movies"
	"github.com/marquee-api/marquee/internal/movies/load"
	"github.com/marquee-api/marquee/internal/terminal"
)

// startTime bounds how long a stack may take to come up, the first download of DynamoDB Local included.
const startTime = 10 * time.Minute

func newLocalCommand(env environment) *cobra.Command {
	options := local.Options{Out: env.Stderr, Terminal: terminal.Of(env.Stderr, env.Getenv), Command: env.Command, Loader: movieLoader, Hurry: env.Hurry}
	var (
		parameters []string
		exports    []string
		policies   []string
		faults     []string
		log        string
		noData     bool
		once       bool
		begin      bool
	)
	cmd := &cobra.Command{
		Use:   "local",
		Short: "Run the whole stack of a SAM template on this machine",
		Long: `Run the whole stack of a SAM template on this machine: its functions' own binaries, the real DynamoDB Local, and in
front of them a gateway that verifies signatures and evaluates the endpoint, resource and identity policies of the
template as API Gateway does.

It works for any template with a REST API and Go functions. No function is invoked unasked. --call and --once invoke the
caller function, with the event {}: the first one whose role may invoke the API and that is not behind it.

Ctrl-C stops everything that it started; a second one does not wait for what is under way.`,
		Example: `  marquee local                       # the stack of template.yaml in this folder
  marquee local --once                # call the API once through the caller function, show the answer, stop
  marquee local --call                # show one call first, and then serve
  marquee local --port 0 --no-data    # free ports, an empty table
  marquee local --param Stage=test    # with another parameter of the template
  marquee local --fault status=429:5% --fault latency=200ms:10%`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var err error
			if options.Parameters, err = keyValues("--param", parameters); err != nil {
				return err
			}
			if options.Exports, err = keyValues("--export", exports); err != nil {
				return err
			}
			if options.Policies, err = keyValues("--managed-policy", policies); err != nil {
				return err
			}
			for _, spec := range faults {
				fault, err := gateway.ParseFault(spec)
				if err != nil {
					return err
				}
				options.Faults = append(options.Faults, fault)
			}
			besideTemplate(cmd, &options)
			if cmd.Flags().Changed("call") {
				options.Call = &begin
			}
			if noData {
				options.Data = ""
			}
			if log != "" {
				file, err := os.OpenFile(log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
				if err != nil {
					return fmt.Errorf("--log: %w", err)
				}
				defer file.Close()
				options.Records = file
			}
			if once {
				return callOnce(cmd, env, options)
			}
			options.Log = lineWriter(env.Stderr)
			return serve(cmd.Context(), env, options)
		},
	}
	flags := cmd.Flags()
	flags.StringVar(&options.Template, "template", "template.yaml", "the SAM `file`")
	flags.StringVar(&options.Config, "config", "samconfig.toml", "the SAM configuration `file`, if it is there; by default beside the template")
	flags.StringVar(&options.ConfigEnv, "config-env", "local", "the `environment` in it")
	flags.StringArrayVar(&parameters, "param", nil, "a parameter of the template, `Key=Value`, over the file's (repeatable)")
	flags.StringArrayVar(&exports, "export", nil, "an export of another stack for Fn::ImportValue, `Name=Value` (repeatable)")
	flags.StringArrayVar(&policies, "managed-policy", nil, "the document of a managed policy or permissions boundary that the template or the identities file only names, `ARN=FILE` (repeatable)")
	flags.IntVar(&options.Port, "port", local.DefaultPort, "the VPC endpoint's door; the other doors take the next ports; 0 takes free ones (--once does, unless told)")
	flags.StringVar(&options.Host, "host", "127.0.0.1", "a further `address` to listen on, such as the container bridge's; 127.0.0.1 always is one")
	flags.StringVar(&options.DynamoDB, "dynamodb", "auto", "how to run DynamoDB Local: `auto|java|docker|URL` of one that runs")
	flags.StringVar(&options.Data, "data", "data/movies.jsonl", "what to load into the first table: a `file` of JSON lines or a JSON list; by default the one beside the template, if it is there")
	flags.BoolVar(&noData, "no-data", false, "load nothing")
	flags.StringVar(&options.Identities, "identities", "", "a YAML `file` of further identities: a list of name, arn, policies, trust, tags, lifetime and more")
	flags.BoolVar(&options.Watch, "watch", false, "build a function again when its sources change")
	flags.StringArrayVar(&faults, "fault", nil, "what goes wrong on purpose: `status=500:5%|latency=200ms:10%|skew=+7m|reset=1%` (repeatable)")
	flags.StringVar(&log, "log", "", "a `file` to append the record of each request to, as JSON lines")
	flags.BoolVar(&begin, "call", false, "begin with one call through the caller function, and show what it got; by default as call in [ENV.marquee_local.parameters] of the configuration file says")
	flags.BoolVar(&once, "once", false, "invoke the caller function once through the private API, show what it got, stop")
	flags.StringVar(&options.State, "state", local.DefaultState, "where to write how to reach the stack; the credentials lie beside it")
	return cmd
}

// movieLoader writes movies with all the items that their lists are read from; other tables get each record as it is.
func movieLoader(table *dynamodb.CreateTableInput) local.Loader {
	if !movies.Fits(table) {
		return nil
	}
	return func(ctx context.Context, client *dynamodb.Client, table string, records io.Reader) (int, error) {
		return load.All(ctx, client, table, records)
	}
}

// besideTemplate looks for the files that were not named where the template is, as the SAM CLI does for its own.
func besideTemplate(cmd *cobra.Command, options *local.Options) {
	dir := filepath.Dir(options.Template)
	if !cmd.Flags().Changed("config") {
		options.Config = filepath.Join(dir, options.Config)
	}
	if cmd.Flags().Changed("data") {
		return
	}
	options.Data = filepath.Join(dir, options.Data)
	if _, err := os.Stat(options.Data); errors.Is(err, fs.ErrNotExist) {
		options.Data = ""
	}
}

// serve runs the stack until it is told to stop.
func serve(ctx context.Context, env environment, options local.Options) (err error) {
	stack, err := start(ctx, options)
	if err != nil || stack == nil {
		return err
	}
	defer func() { err = errors.Join(err, stack.Close()) }()
	if stack.CallsFirst() {
		if err := stack.Call(ctx, env.Stdout); err != nil && ctx.Err() == nil {
			fmt.Fprintf(env.Stderr, "marquee: the first call did not succeed: %v\n", err)
		}
	}
	debug.FreeOSMemory() // a stack that waits holds little: what reading, building and loading took goes back
	return stack.Serve(ctx)
}

// callOnce runs the stack for one call. Nobody else knows of it, so it takes free ports, and another state file if the
// usual one is in use: a run beside one that serves harms neither.
func callOnce(cmd *cobra.Command, env environment, options local.Options) (err error) {
	if !cmd.Flags().Changed("port") {
		options.Port = 0
	}
	options.Shared = !cmd.Flags().Changed("state")
	stack, err := start(cmd.Context(), options)
	if err != nil || stack == nil {
		return err
	}
	defer func() { err = errors.Join(err, stack.Close()) }()
	return stack.Call(cmd.Context(), env.Stdout)
}

// start brings the stack up. It returns neither stack nor error if it was interrupted meanwhile: that was a wish.
func start(ctx context.Context, options local.Options) (*local.Stack, error) {
	ctx, cancel := context.WithTimeout(ctx, startTime)
	defer cancel()
	stack, err := local.Start(ctx, options)
	if err != nil && errors.Is(ctx.Err(), context.Canceled) {
		return nil, nil
	}
	return stack, nameTemplate(err, options.Template)
}

// nameTemplate says how to name a template that was not found.
func nameTemplate(err error, path string) error {
	var missing *fs.PathError
	if errors.Is(err, fs.ErrNotExist) && errors.As(err, &missing) && missing.Path == path {
		return fmt.Errorf("%w: run this where the SAM template is, or name it with --template", err)
	}
	return err
}

func keyValues(flag string, pairs []string) (map[string]string, error) {
	values := make(map[string]string, len(pairs))
	for i, pair := range pairs {
		key, value, ok := strings.Cut(pair, "=")
		if !ok || key == "" {
			return nil, fmt.Errorf("%s: it is not Key=Value", placeOf(flag, i, len(pairs)))
		}
		values[key] = value
	}
	return values, nil
}

// lineWriter writes whole lines from many goroutines.
func lineWriter(w io.Writer) func(string) {
	var mu sync.Mutex
	return func(line string) {
		mu.Lock()
		defer mu.Unlock()
		fmt.Fprintln(w, line)
	}
}
