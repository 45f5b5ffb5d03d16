package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/marquee-api/marquee/apiclient"
)

const callLong = `Send a signed request to the private API, as curl would, and print the answer's body.

PATH is below the stage and may be a template: /movie_list/{year}/{title} with -p year=2013 -p title=Rush.
METHOD is GET, or POST when there is a body.

The API is --url, else the local stack that is running (its state file), else MARQUEE_URL. Against the local stack the
request is signed by its profile caller, or reader if it has no caller; elsewhere by the SDK's default credentials.

The exit status is 0 for an answer of 2xx, 4 for 4xx, 5 for 5xx, and 1 for anything else.`

const callExample = `  marquee call /movie_list -q limit=5
  marquee call '/movie_list/{year}/{title}' -p year=2013 -p title=Rush
  marquee call PUT /movie_list/2013/Rush -d @rush.json
  marquee call --profile stranger --show-signing /movie_list
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
}

func newCallCommand(env environment) *cobra.Command {
	var o callOptions
	cmd := &cobra.Command{
		Use:     "call [METHOD] PATH",
		Short:   "Send a signed request and print the answer",
		Long:    callLong,
		Example: callExample,
		Args:    cobra.RangeArgs(1, 2),
		RunE: func(cmd *cobra.Command, args []string) error {
			o.hasData = cmd.Flags().Changed("data")
			o.stateGiven = cmd.Flags().Changed("state")
			o.setArgs(args)
			return call(cmd.Context(), env, o)
		},
	}
	f := cmd.Flags()
	f.StringVarP(&o.data, "data", "d", "", "`body`: the text itself, @FILE, or @- for standard input")
	f.StringArrayVarP(&o.headers, "header", "H", nil, "`'Name: value'` to send (repeatable)")
	f.StringArrayVarP(&o.query, "query", "q", nil, "`key=value` of the query, not encoded (repeatable)")
	f.StringArrayVarP(&o.params, "param", "p", nil, "`name=value` for {name} in PATH, not encoded (repeatable)")
	f.StringVar(&o.url, "url", "", "invoke `URL` of the API with its stage")
	f.StringVar(&o.vpce, "vpce", "", "`DNS-NAME` of the VPC endpoint to dial where private DNS is off (else MARQUEE_VPCE)")
	f.StringVar(&o.profile, "profile", "", "`name` of the profile whose credentials sign")
	f.StringVar(&o.region, "region", "", "`region` of an API whose name does not say it")
	f.StringVar(&o.state, "state", ".marquee/local.json", "state `file` of the local stack")
	f.BoolVar(&o.showSigning, "show-signing", false, "print the canonical request and the string to sign to standard error")
	f.BoolVarP(&o.include, "include", "i", false, "print the answer's status and headers, too")
	return cmd
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
	cfg := apiclient.Config{
		Endpoint:    target.endpoint,
		Credentials: target.credentials,
		// Who types a command wants to see what one request does.
		Retry: apiclient.Retry{MaxAttempts: 1},
		Clock: apiclient.Clock{OnCorrection: func(c apiclient.ClockCorrection) {
			fmt.Fprintf(env.Stderr, "marquee: this machine's clock is off by %s; signed again with the gateway's time\n", c.Offset.Round(time.Second))
		}},
	}
	if o.showSigning {
		cfg.OnSign = func(s apiclient.Signing) {
			fmt.Fprintf(env.Stderr, "canonical request:\n%s\n\nstring to sign:\n%s\n\n", s.CanonicalRequest, s.StringToSign)
		}
	}
	client, err := apiclient.New(cfg)
	if err != nil {
		return err
	}
	resp, err := client.Do(ctx, request)
	var refusal *apiclient.APIError
	if errors.As(err, &refusal) {
		resp = refusal.Response
	} else if err != nil {
		return target.explain(err)
	}
	if err := printAnswer(env.Stdout, resp, o.include); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return statusOf(refusal)
}

// statusOf is the exit status for an answer; nil is a 2xx. What API Gateway refused is said again with the error's type,
// which the body lacks.
func statusOf(refusal *apiclient.APIError) error {
	if refusal == nil {
		return nil
	}
	status := &exitStatus{code: 1}
	if class := refusal.StatusCode / 100; class == 4 || class == 5 {
		status.code = class
	}
	if status.code == 1 || refusal.ByGateway() {
		status.err = refusal
	}
	return status
}

func printAnswer(out io.Writer, resp *apiclient.Response, include bool) error {
	if include {
		var head strings.Builder
		fmt.Fprintf(&head, "%s %d %s\n", resp.Proto, resp.Status, http.StatusText(resp.Status))
		for _, name := range slices.Sorted(maps.Keys(resp.Header)) {
			for _, value := range resp.Header[name] {
				fmt.Fprintf(&head, "%s: %s\n", name, value)
			}
		}
		if _, err := io.WriteString(out, head.String()+"\n"); err != nil {
			return err
		}
	}
	_, err := out.Write(resp.Body)
	return err
}

// request reads the flags that describe the request.
func (o callOptions) request(stdin io.Reader) (apiclient.Request, error) {
	r := apiclient.Request{Method: o.method, Path: o.path, Header: make(http.Header), Query: make(url.Values)}
	for _, h := range o.headers {
		name, value, ok := strings.Cut(h, ":")
		if name = strings.TrimSpace(name); !ok || name == "" {
			return r, fmt.Errorf("-H %q is not 'Name: value'", h)
		}
		r.Header.Add(name, strings.TrimSpace(value))
	}
	for _, q := range o.query {
		key, value, _ := strings.Cut(q, "=")
		if key == "" {
			return r, fmt.Errorf("-q %q is not key=value", q)
		}
		r.Query.Add(key, value)
	}
	for _, p := range o.params {
		name, value, ok := strings.Cut(p, "=")
		if !ok || name == "" {
			return r, fmt.Errorf("-p %q is not name=value", p)
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

// readData reads the argument of -d. One byte more than API Gateway takes is enough to be refused.
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
	return body, nil
}
