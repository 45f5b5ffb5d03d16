package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/marquee-api/marquee/apiclient"
	"github.com/marquee-api/marquee/internal/answer"
	"github.com/marquee-api/marquee/internal/sidecar"
	"github.com/marquee-api/marquee/internal/waiting"
)

const callLong = `Send a signed request to the private API, as curl would, and print the answer's body.

PATH is below the stage and may be a template: /movie_list/{year}/{title} with -p year=2013 -p title=Rush.
METHOD is GET, or POST when there is a body.

The API is --url, else the local stack that is running (its state file), else MARQUEE_URL. Against the local stack the
request is signed by its profile caller, or reader if it has no caller; elsewhere by the SDK's default credentials.
A profile that --profile or AWS_PROFILE names is the local stack's, or if it has none of that name the one of the SDK's
configuration.

The answer is passed on as it comes. At a terminal JSON is indented and coloured, what would control the terminal is shown
as ^[ and the like, and binary data is not written; a pipe and -o get every byte as it is.

The exit status is 0 for an answer of 2xx, 4 for 4xx, 5 for 5xx, and 1 for anything else, such as no answer or one that
breaks off. With --repeat it is the highest: a lost connection ends a run as little as a 503.`

// defaultCallTimeout is the 29 seconds after which API Gateway gives up unless it was told otherwise ("Amazon API Gateway
// quotas", developer guide), and some for the way.
const defaultCallTimeout = 35 * time.Second

const callExample = `  marquee call /movie_list -q limit=5
  marquee call '/movie_list/{year}/{title}' -p year=2013 -p title=Rush
  marquee call PUT /movie_list/2013/Rush -d @rush.json
  marquee call --profile stranger --show-signing /movie_list
  marquee call /movie_list -o movies.json
  curl "$(marquee call --presign /movie_list)"
  marquee call --url https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/dev \
      --vpce vpce-0abc-xyz.execute-api.ap-northeast-2.vpce.amazonaws.com /movie_list`

// callOptions are the flags of marquee call.
type callOptions struct {
	method, path string

	data    string
	hasData bool
	headers []string
	query   []string
	params  []string

	url, vpce, profile, region string
	state                      string
	stateGiven                 bool

	showSigning, include bool

	output      string
	outputGiven bool
	timeout     time.Duration

	retry   int
	repeat  int
	presign time.Duration
	asURL   bool // presign was given
}

func newCallCommand(env environment) *cobra.Command {
	var o callOptions
	cmd := &cobra.Command{
		Use:     "call [METHOD] PATH",
		Short:   "Send a signed request and print the answer",
		Long:    callLong,
		Example: callExample,
		Args:    cobra.RangeArgs(1, 2),

		ValidArgsFunction: completeRequest,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.hasData = cmd.Flags().Changed("data")
			o.stateGiven = cmd.Flags().Changed("state")
			o.asURL = cmd.Flags().Changed("presign")
			o.outputGiven = cmd.Flags().Changed("output")
			if err := checkPresign(cmd.Flags(), o.presign); err != nil {
				return err
			}
			o.setArgs(args)
			return call(cmd.Context(), env, o)
		},
	}
	f := cmd.Flags()
	o.addRequestFlags(f)
	o.addTargetFlags(f)
	f.BoolVar(&o.showSigning, "show-signing", false, "print the canonical request and the string to sign to standard error")
	f.IntVar(&o.retry, "retry", 0, "send again up to `N` times what failed for the moment: throttling and connections that cannot be made, and if the method is idempotent 5xx and lost connections")
	f.IntVar(&o.repeat, "repeat", 1, "send the request `N` times, each signed anew, whatever becomes of those before")
	f.DurationVar(&o.presign, "presign", 0, "print a URL that is valid for `DURATION`, at most the 5m for which API Gateway takes a signature (5m if left out), in place of sending")
	f.Lookup("presign").NoOptDefVal = "5m"
	f.BoolVarP(&o.include, "include", "i", false, "print the answer's status and headers, too")
	f.StringVarP(&o.output, "output", "o", "", "write the answer to `FILE`, an error's too, when all of it is there; - is standard output as it is, a terminal's too")
	f.DurationVar(&o.timeout, "timeout", defaultCallTimeout, "wait at most `DURATION` for an answer to begin, and then for each next piece of it; 0 is any time")
	return cmd
}

// addRequestFlags adds what describes a request.
func (o *callOptions) addRequestFlags(f *pflag.FlagSet) {
	f.StringVarP(&o.data, "data", "d", "", "`body`: the text itself, @FILE, or @- for standard input")
	f.StringArrayVarP(&o.headers, "header", "H", nil, "`'Name: value'` to send (repeatable)")
	f.StringArrayVarP(&o.query, "query", "q", nil, "`key=value` of the query, not encoded (repeatable)")
	f.StringArrayVarP(&o.params, "param", "p", nil, "`name=value` for {name} in PATH, not encoded (repeatable)")
}

// addTargetFlags adds what says which API is meant, and who signs.
func (o *callOptions) addTargetFlags(f *pflag.FlagSet) {
	f.StringVar(&o.url, "url", "", "invoke `URL` of the API with its stage")
	f.StringVar(&o.vpce, "vpce", "", "`DNS-NAME` of the VPC endpoint to dial where private DNS is off (else MARQUEE_VPCE)")
	f.StringVar(&o.profile, "profile", "", "`name` of the profile whose credentials sign")
	f.StringVar(&o.region, "region", "", "`region` of an API whose name does not say it")
	f.StringVar(&o.state, "state", ".marquee/local.json", "state `file` of the local stack")
}

func (o *callOptions) setArgs(args []string) {
	o.path = args[len(args)-1]
	switch {
	case len(args) == 2:
		o.method = strings.ToUpper(args[0])
	case o.hasData:
		o.method = http.MethodPost
	default:
		o.method = http.MethodGet
	}
}

// call sends the request and turns the answer into output and exit status.
func call(ctx context.Context, env environment, o callOptions) error {
	request, err := o.request(env.Stdin)
	if err != nil {
		return err
	}
	target, err := findTarget(ctx, env, o, request.Header)
	if err != nil {
		return err
	}
	if err := target.retrieve(ctx); err != nil {
		return err
	}
	client, err := apiclient.New(o.config(target, env.Stderr))
	if err != nil {
		return err
	}
	if o.asURL {
		return o.printURL(ctx, env, client, presigned{target: target, request: request})
	}
	out, err := o.openOutput(env)
	if err != nil {
		return err
	}
	defer out.discard()
	sending := callSending{client: client, target: target, request: request, out: out, stderr: env.Stderr}
	return sending.repeat(ctx, o.repeat)
}

// config is the client's. Who types a command wants to see what one request does, so nothing is sent again unless told.
func (o callOptions) config(target *callTarget, stderr io.Writer) apiclient.Config {
	cfg := apiclient.Config{
		Endpoint:    target.endpoint,
		Credentials: target.credentials,
		Base:        &waiting.Transport{Base: apiclient.NewBase(http.ProxyFromEnvironment), Limit: o.timeout},
		Retry: apiclient.Retry{MaxAttempts: 1 + o.retry, OnRetry: func(a apiclient.Attempt, wait time.Duration) {
			fmt.Fprintf(stderr, "marquee: attempt %d: %s; sent again in %s\n", a.Number, answer.Clean(outcomeOf(a)), wait.Round(time.Millisecond))
		}},
		Clock: apiclient.Clock{OnCorrection: func(c apiclient.ClockCorrection) {
			fmt.Fprintf(stderr, "marquee: this machine's clock is off by %s; signed again with the gateway's time\n", c.Offset.Round(time.Second))
		}},
	}
	if o.showSigning {
		cfg.OnSign = func(s apiclient.Signing) {
			fmt.Fprintf(stderr, "canonical request:\n%s\n\nstring to sign:\n%s\n\n", s.CanonicalRequest, s.StringToSign)
		}
	}
	return cfg
}

// request reads the flags that describe the request.
func (o callOptions) request(stdin io.Reader) (apiclient.Request, error) {
	r := apiclient.Request{Method: o.method, Path: o.path, Header: make(http.Header), Query: make(url.Values)}
	if o.timeout < 0 {
		return r, errors.New("--timeout must not be negative: 0 waits any time")
	}
	if o.retry < 0 || o.repeat < 1 {
		return r, fmt.Errorf("--retry %d --repeat %d: the first must not be negative, the second at least 1", o.retry, o.repeat)
	}
	if err := o.checkArgs(); err != nil {
		return r, err
	}
	for i, h := range o.headers {
		name, value, err := sidecar.ParseHeader(h)
		if err != nil {
			return r, fmt.Errorf("%s: %w", placeOf("-H", i, len(o.headers)), err)
		}
		r.Header.Add(name, value)
	}
	for i, q := range o.query {
		key, value, _ := strings.Cut(q, "=")
		if key == "" {
			return r, fmt.Errorf("%s: it is not key=value", placeOf("-q", i, len(o.query)))
		}
		r.Query.Add(key, value)
	}
	for i, p := range o.params {
		name, value, ok := strings.Cut(p, "=")
		if !ok || name == "" {
			return r, fmt.Errorf("%s: it is not name=value", placeOf("-p", i, len(o.params)))
		}
		if r.PathParams == nil {
			r.PathParams = make(map[string]string)
		}
		r.PathParams[name] = value
	}
	if !o.hasData {
		return r, nil
	}
	body, err := readData(o.data, stdin)
	if err != nil {
		return r, err
	}
	r.Body = body
	if json.Valid(body) && r.Header.Get("Content-Type") == "" {
		r.Header.Set("Content-Type", "application/json")
	}
	return r, nil
}

// checkArgs refuses arguments that are parts of flags. Of a header without its quotes they are the value.
func (o callOptions) checkArgs() error {
	switch {
	case strings.ContainsFunc(o.method, func(c rune) bool { return c < 'A' || 'Z' < c }):
		return errors.New("METHOD is no method such as GET: a header stands in quotes, -H 'Name: value', and the value of a flag that may have none follows an equals sign, --presign=90s")
	case !strings.HasPrefix(o.path, "/"):
		return errors.New("PATH does not begin with a slash: give one below the stage, such as /movie_list; a header stands in quotes, -H 'Name: value'")
	}
	return nil
}

// readData reads the argument of -d, of a file no more than it takes to see that API Gateway would refuse it.
func readData(data string, stdin io.Reader) ([]byte, error) {
	name, isFile := strings.CutPrefix(data, "@")
	if !isFile {
		return []byte(data), nil
	}
	in := stdin
	if name != "-" {
		file, err := os.Open(name)
		if err != nil {
			return nil, fmt.Errorf("-d %s: %w", data, err)
		}
		defer file.Close()
		in = file
	}
	body, err := io.ReadAll(io.LimitReader(in, apiclient.MaxBodyBytes+1))
	if err != nil {
		return nil, fmt.Errorf("-d %s: %w", data, err)
	}
	if len(body) > apiclient.MaxBodyBytes {
		return nil, fmt.Errorf("-d %s: %w", data, apiclient.ErrBodyTooLarge)
	}
	return body, nil
}
