package main

import (
	"errors"
	"fmt"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

const rootLong = `A private, IAM-authorized API: run it on a laptop, call it from anywhere.

marquee local runs the whole stack of a SAM template on this machine; marquee call sends a signed request to it or to
AWS. Everything reads the one template, and refuses what AWS would refuse.`

const rootExample = `  marquee local                                  # the stack of template.yaml, until Ctrl-C
  marquee call /movie_list -q limit=5            # in another window: a signed call
  marquee call /movie_list --profile stranger    # refused, and why
  marquee completion bash                        # completion for the shell; also zsh, fish, powershell`

// newRootCommand assembles the command tree. Errors and usage are printed by run, once, on standard error.
func newRootCommand(env environment) *cobra.Command {
	facts := thisBuild()
	root := &cobra.Command{
		Use:           "marquee",
		Short:         "A private, IAM-authorized API: run it on a laptop, call it from anywhere",
		Long:          rootLong,
		Example:       rootExample,
		Version:       facts.String(),
		Args:          cobra.ArbitraryArgs,
		RunE:          unknownCommand,
		SilenceErrors: true,
		SilenceUsage:  true,
	}
	root.SetVersionTemplate("marquee {{.Version}}\n")
	root.SetIn(env.Stdin)
	root.SetOut(env.Stdout)
	root.SetErr(env.Stderr)
	root.AddCommand(newLocalCommand(env))
	root.AddCommand(newConsoleCommand(env))
	root.AddCommand(newCallCommand(env))
	root.AddCommand(newBenchCommand(env))
	root.AddCommand(newProxyCommand(env))
	root.AddCommand(newLoadCommand(env))
	root.AddCommand(newSimulateCommand(env))
	root.AddCommand(newExplainCommand(env))
	check := newCheckCommand(env, facts)
	root.AddCommand(check)
	root.AddCommand(newVersionCommand(env, facts))
	root.AddCommand(newManCommand(env, facts))
	root.InitDefaultHelpCmd()
	root.InitDefaultCompletionCmd()
	for _, cmd := range commandsOf(root) {
		pointToHelp(cmd)
		completeFlags(cmd, env)
	}
	misuseIs(statusUnusable, check)
	return root
}

// unknownCommand is what runs when no command was found: help if none was asked for.
func unknownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return root.Help()
	}
	next := "`marquee --help` lists the commands"
	if near := root.SuggestionsFor(args[0]); len(near) > 0 {
		next = "did you mean " + strings.Join(near, " or ") + "? " + next
	}
	return fmt.Errorf("unknown command %q: %s", args[0], next)
}

// commandsOf are a command and all below it.
func commandsOf(cmd *cobra.Command) []*cobra.Command {
	all := []*cobra.Command{cmd}
	for _, sub := range cmd.Commands() {
		all = append(all, commandsOf(sub)...)
	}
	return all
}

// pointToHelp makes a command line that is not understood name its next step.
func pointToHelp(cmd *cobra.Command) {
	cmd.SetFlagErrorFunc(func(c *cobra.Command, err error) error {
		return fmt.Errorf("%w: `%s --help` lists the flags", withoutValue(err), c.CommandPath())
	})
	check := cmd.Args
	if check == nil {
		return
	}
	cmd.Args = func(c *cobra.Command, args []string) error {
		if err := check(c, args); err != nil {
			return fmt.Errorf("%w: it is called as `%s`, and `%s --help` says more", err, strings.TrimSpace(c.UseLine()), c.CommandPath())
		}
		return nil
	}
}

// withoutValue keeps what stands behind a flag that is not known out of the error: curl's -uname:password, for instance.
func withoutValue(err error) error {
	var (
		unknown *pflag.NotExistError
		syntax  *pflag.InvalidSyntaxError
	)
	switch {
	case errors.As(err, &unknown) && unknown.GetSpecifiedShortnames() != "":
		return fmt.Errorf("unknown flag: -%.1s", unknown.GetSpecifiedName())
	case errors.As(err, &syntax):
		return errors.New("bad flag syntax: a flag is -x or --name")
	}
	return err
}

// misuseIs gives a command line that is not understood an exit status of its own: that of a program whose 1 means something
// else.
func misuseIs(status int, cmd *cobra.Command) {
	flags, args := cmd.FlagErrorFunc(), cmd.Args
	cmd.SetFlagErrorFunc(func(c *cobra.Command, err error) error { return &exitStatus{code: status, err: flags(c, err)} })
	cmd.Args = func(c *cobra.Command, given []string) error {
		if err := args(c, given); err != nil {
			return &exitStatus{code: status, err: err}
		}
		return nil
	}
}
