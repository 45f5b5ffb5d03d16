package main

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"
)

const explainLong = `Say why a captured request is let in or refused by its signature: which line of the canonical request the client and
the server disagree on, and why.

FILE, else standard input, is one request, recognised by its content: raw HTTP (request line, headers, an empty line,
body), what curl -v printed to standard error, or a file of curl --trace or --trace-ascii. curl -v shows no body: give
it with --body or --data. curl --trace shows everything.

The secret is that of --profile. Without it, a request to the local stack is checked with the stack's profile that has
its access key id; any other with the SDK's credentials (AWS_PROFILE, AWS_ACCESS_KEY_ID and so on).

The request is checked as of its own date, so that an old capture can be explained; whether it has expired since is said
beside it. --now checks as of another time.

With the secret alone, the mistakes that clients and proxies are known to make are tried until one gives the signature
that the request carries: what is found so is certain. What AWS or the client says they signed helps further:
  --aws-error FILE         AWS's answer, the JSON body with the canonical string: is it the captured request that AWS saw?
  --client-canonical FILE  the client's canonical request, in whatever log it stands: marquee call --show-signing,
                           the debug log of botocore, of an AWS SDK, of curl

No secret and no session token is printed. The exit status is 0 if the signature is right, else 1.`

const explainExample = `  curl -v --aws-sigv4 aws:amz:ap-northeast-2:execute-api --user … "$URL/movie_list" 2>capture.txt
  marquee explain capture.txt
  marquee explain --profile reader --body movie.json capture.txt
  marquee explain --aws-error answer.json -v capture.txt
  marquee call --show-signing /movie_list 2>signed.txt; marquee explain --client-canonical signed.txt capture.txt
  curl --trace - … | marquee explain --json`

// explainOptions are the flags of marquee explain.
type explainOptions struct {
	file    string // of the capture; empty or "-": standard input
	request int    // which of the capture's requests, from 1; 0: the only one

	data, body string
	hasData    bool

	profile, region, service string
	state                    string
	stateGiven               bool

	now                       string
	awsError, clientCanonical string
	verbose, asJSON           bool
}

func newExplainCommand(env environment) *cobra.Command {
	var o explainOptions
	cmd := &cobra.Command{
		Use:     "explain [FILE]",
		Short:   "Say why a captured request's signature is right or wrong",
		Long:    explainLong,
		Example: explainExample,
		Args:    cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 {
				o.file = args[0]
			}
			o.hasData = cmd.Flags().Changed("data")
			o.stateGiven = cmd.Flags().Changed("state")
			return explain(cmd.Context(), env, o)
		},
	}
	f := cmd.Flags()
	f.IntVar(&o.request, "request", 0, "which request of a capture that holds several, `N` from 1")
	f.StringVarP(&o.data, "data", "d", "", "`body` of the request: the text itself, @FILE, or @- for standard input")
	f.StringVar(&o.body, "body", "", "`file` that holds the body of the request")
	f.StringVar(&o.profile, "profile", "", "`name` of the profile whose secret should have signed")
	f.StringVar(&o.region, "region", "", "`region` of an API whose name does not say it")
	f.StringVar(&o.service, "service", "execute-api", "`name` of the service that the signature is for")
	f.StringVar(&o.state, "state", ".marquee/local.json", "state `file` of the local stack")
	f.StringVar(&o.now, "now", "", "check as of this `time` (RFC 3339) in place of the request's own date")
	f.StringVar(&o.awsError, "aws-error", "", "`file` with AWS's answer")
	f.StringVar(&o.clientCanonical, "client-canonical", "", "`file` with the canonical request that the client signed")
	f.BoolVarP(&o.verbose, "verbose", "v", false, "print the whole canonical request and string to sign, too")
	f.BoolVar(&o.asJSON, "json", false, "print one JSON object")
	cmd.MarkFlagsMutuallyExclusive("data", "body")
	return cmd
}

// explain reads what is known, and prints what follows from it.
func explain(ctx context.Context, env environment, o explainOptions) error {
	c, err := newExplainCase(ctx, env, o)
	if err != nil {
		return fmt.Errorf("explain: %w", err)
	}
	c.clock = time.Now()
	d := c.diagnose()
	if o.asJSON {
		err = d.writeJSON(env.Stdout)
	} else {
		err = d.writeText(env.Stdout, o.verbose)
	}
	if err != nil {
		return fmt.Errorf("writing the explanation: %w", err)
	}
	if d.Verdict != verdictAllowed {
		return &exitStatus{code: 1}
	}
	return nil
}
