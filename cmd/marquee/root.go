package main

import "github.com/spf13/cobra"

// newRootCommand assembles the command tree. Errors and usage are printed by run, once, on standard error.
func newRootCommand(env environment) *cobra.Command {
	root := &cobra.Command{
		Use:           "marquee",
		Short:         "A private, IAM-authorized API: run it on a laptop, call it from anywhere",
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	root.AddCommand(newLocalCommand(env))
	root.AddCommand(newCallCommand(env))
	root.AddCommand(newBenchCommand(env))
	root.AddCommand(newProxyCommand(env))
	root.AddCommand(newLoadCommand(env))
	root.AddCommand(newSimulateCommand(env))
	root.AddCommand(newExplainCommand(env))
	return root
}
