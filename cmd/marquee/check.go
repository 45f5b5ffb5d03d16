package main

import (
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/marquee-api/marquee/internal/review"
	"github.com/marquee-api/marquee/internal/stack"
	"github.com/marquee-api/marquee/internal/terminal"
)

// The exit statuses of check, which pipelines rely on.
const (
	statusFindings = 1
	statusUnusable = 2
)

// checkOptions are the flags of check.
type checkOptions struct {
	template, config, configEnv string
	parameters, exports         []string
	managed                     []string // ARN=FILE

	format, failOn string
	rules, skip    []string
	listRules      bool
	explain        string

	who        bool
	identities string
	verbose    bool

	version  string                     // of the program
	policies map[string]json.RawMessage // what managed names
}

func newCheckCommand(env environment, facts buildFacts) *cobra.Command {
	o := checkOptions{version: facts.Version}
	cmd := &cobra.Command{
		Use:   "check [template]",
		Short: "Review a SAM template: who gets in, and what is wrong",
		Long: `Review a SAM template as a reviewer of a private, IAM-authorized API would, without AWS: open methods, fences that fence
nothing off, rights that nobody needs, logs that do not say who called. docs/checking.md lists the rules.

With --who, show who gets in instead: every identity through every door on every route, decided by the gateway that
` + "`marquee local`" + ` runs, with the policy statement that decided. A call that is let in and
fails, since nothing runs for it, is told from one that is answered.

Exit status: 0 nothing found, 1 findings of at least --fail-on, 2 wrong usage or a template that cannot be read.`,
		Example: `  marquee check                                 template.yaml in this folder
  marquee check --who                           who gets in where, and by which statement
  marquee check --format sarif >check.sarif     for code scanning
  marquee check --explain MQ108                 one rule`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) == 1 && cmd.Flags().Changed("template") {
				return unusable(fmt.Errorf("check: %s and --template %s: name one template", args[0], o.template))
			}
			if len(args) == 1 {
				o.template = args[0]
			}
			if !cmd.Flags().Changed("config") {
				o.config = filepath.Join(filepath.Dir(o.template), o.config)
			}
			return o.run(env)
		},
	}
	o.addFlags(cmd)
	return cmd
}

func (o *checkOptions) addFlags(cmd *cobra.Command) {
	flags := cmd.Flags()
	flags.StringVar(&o.template, "template", "template.yaml", "the SAM `file`, as the argument")
	flags.StringVar(&o.config, "config", "samconfig.toml", "the SAM configuration `file`, if it is there; by default beside the template")
	flags.StringVar(&o.configEnv, "config-env", "local", "the `environment` in it")
	flags.StringArrayVar(&o.parameters, "param", nil, "a parameter of the template, `Key=Value`, over the file's (repeatable)")
	flags.StringArrayVar(&o.exports, "export", nil, "an export of another stack for Fn::ImportValue, `Name=Value` (repeatable)")
	flags.StringArrayVar(&o.managed, "managed-policy", nil, "the document of a managed policy or permissions boundary that the template or the identities file only names, `ARN=FILE` (repeatable)")
	flags.StringVar(&o.format, "format", "text", "`text|json|sarif|github`; with --who text or json")
	flags.StringVar(&o.failOn, "fail-on", "warning", "the least `severity` that fails: error, warning, note, or never")
	flags.StringSliceVar(&o.rules, "rule", nil, "only this rule, an `ID` (repeatable)")
	flags.StringSliceVar(&o.skip, "skip", nil, "not this rule, an `ID` (repeatable)")
	flags.BoolVar(&o.listRules, "list-rules", false, "list the rules and stop; with --format markdown as the documentation has them")
	flags.StringVar(&o.explain, "explain", "", "say what a rule, an `ID`, looks for and why, and stop")
	flags.BoolVar(&o.who, "who", false, "show who gets in where, and why, instead of findings")
	flags.StringVar(&o.identities, "identities", "", "with --who: a YAML `file` of further identities, as of marquee local")
	flags.BoolVar(&o.verbose, "verbose", false, "with --who: a line with the reason for each call")
	for name, values := range map[string][]string{
		"format": review.Formats(), "fail-on": {"error", "warning", "note", "never"}, "rule": ruleIDs(), "skip": ruleIDs(), "explain": ruleIDs(),
	} {
		if err := cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(values, cobra.ShellCompDirectiveNoFileComp)); err != nil {
			panic(err) // the flags stand above
		}
	}
}

func ruleIDs() []string {
	var ids []string
	for _, r := range review.Rules() {
		ids = append(ids, r.ID+"\t"+r.Title)
	}
	return ids
}

func unusable(err error) error { return &exitStatus{code: statusUnusable, err: err} }

func (o *checkOptions) run(env environment) error {
	switch {
	case o.listRules && o.format == "markdown":
		return review.WriteMarkdown(env.Stdout)
	case o.listRules:
		return review.WriteRules(env.Stdout)
	case o.explain != "":
		rule, ok := review.Find(o.explain)
		if !ok {
			return unusable(fmt.Errorf("check: there is no rule %q; --list-rules names them", o.explain))
		}
		return rule.Explain(env.Stdout)
	case !slices.Contains(review.Formats(), o.format):
		return unusable(fmt.Errorf("check: --format %q: want %s", o.format, strings.Join(review.Formats(), ", ")))
	}
	in, err := o.inspect()
	if err != nil {
		return unusable(nameTemplate(err, o.template))
	}
	for _, name := range sortedKeys(in.Assumed) {
		fmt.Fprintf(env.Stderr, "marquee: the parameter %s has no value: reviewed with %q; --param %s=… gives it one\n", name, in.Assumed[name], name)
	}
	if o.who {
		return o.showWho(env, in)
	}
	return o.review(env, in)
}

// inspect reads the template with the parameters of its configuration file and those given.
func (o *checkOptions) inspect() (*stack.Inspection, error) {
	config, err := stack.LoadConfig(o.config, o.configEnv)
	if err != nil {
		return nil, err
	}
	given, err := keyValues("--param", o.parameters)
	if err != nil {
		return nil, err
	}
	exports, err := keyValues("--export", o.exports)
	if err != nil {
		return nil, err
	}
	files, err := keyValues("--managed-policy", o.managed)
	if err != nil {
		return nil, err
	}
	if o.policies, err = stack.ReadPolicies(files); err != nil {
		return nil, err
	}
	maps.Copy(config.Parameters, given)
	return stack.Inspect(o.template, stack.Options{
		Name: config.StackName, Region: config.Region, Parameters: config.Parameters, Exports: exports, ManagedPolicies: o.policies,
	})
}

func (o *checkOptions) review(env environment, in *stack.Inspection) error {
	least := review.Error + 1 // never
	if o.failOn != "never" {
		var err error
		if least, err = review.ParseSeverity(o.failOn); err != nil {
			return unusable(fmt.Errorf("check: --fail-on: %w, or never", err))
		}
	}
	found, err := review.Check(in, review.Options{
		Rules: o.rules, Skip: o.skip, ReadFile: os.ReadFile, Config: o.config, Now: time.Now(),
	})
	if err != nil {
		return unusable(fmt.Errorf("check: %w; --list-rules names them", err))
	}
	report := &review.Report{Template: o.template, Findings: found, Assumed: in.Assumed, Version: o.version, Terminal: terminal.Of(env.Stdout, env.Getenv)}
	if err := report.Write(env.Stdout, o.format); err != nil {
		return err
	}
	if review.Worst(found) >= least {
		return &exitStatus{code: statusFindings}
	}
	return nil
}
