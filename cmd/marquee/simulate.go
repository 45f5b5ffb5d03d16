package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/marquee-api/marquee/internal/policy/simulate"
)

const simulateLong = `Decide calls by IAM policies without AWS: JSON lines on standard input, one answer a line on standard output.

A question:
  {"principal": "arn:aws:sts::123456789012:assumed-role/Caller/one", "api_account": "123456789012",
   "action": "execute-api:Invoke",
   "resource": "arn:aws:execute-api:ap-northeast-2:123456789012:a1b2c3d4e5/dev/GET/movie_list",
   "identity_policies": [{…}], "resource_policy": {…}, "endpoint_policy": {…},
   "context": {"aws:SourceVpce": ["vpce-0abc"]}}
on one line. The principal of an unsigned call is "anonymous"; its identity policies are not looked at. A resource policy
that is null or absent is silent; an endpoint policy that is null or absent means that the call came through no endpoint.
Keys that describe the principal (aws:PrincipalArn, …) are filled in unless context has them.

The answer:
  {"decision": "allow", "by": {"policy": "identity", "document": 0, "statement": 1, "sid": "Read"}}
The decision is allow, explicit_deny or implicit_deny. Of several statements that deny, by names the first in the order
endpoint policy, resource policy, identity policies; of several that allow, that of the identity policies. It is null for
an implicit deny, and for an account's root user, who needs no Allow.

A question that cannot be answered, because it is not understood or a policy in it cannot be evaluated wholly, is
answered {"error": "…"}; the others are answered all the same, and the exit status is 1.`

func newSimulateCommand(env environment) *cobra.Command {
	return &cobra.Command{
		Use:   "simulate",
		Short: "Decide calls by IAM policies without AWS, as JSON lines",
		Long:  simulateLong,
		Example: `  marquee simulate < questions.jsonl
  jq -c . question.json | marquee simulate`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			failed, err := simulate.Run(env.Stdin, env.Stdout)
			if err != nil {
				return fmt.Errorf("simulate: %w", err)
			}
			if failed > 0 {
				return &exitStatus{code: 1, err: fmt.Errorf("simulate: %d of the questions could not be answered", failed)}
			}
			return nil
		},
	}
}
