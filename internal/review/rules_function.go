package review

import (
	"bytes"
	"fmt"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/marquee-api/marquee/internal/stack"
)

var functionRules = []*Rule{
	{
		ID: "MQ501", Name: "one-build-for-two", Severity: Error,
		Title: "Two functions are built from the same folder, once",
		Why:   "sam build builds functions of equal CodeUri, runtime and architecture once: both get the program of the first.",
		Fix:   "Give each function the folder of its own main as CodeUri, or use BuildMethod: makefile.",
		check: oneBuildForTwo,
	},
	{
		ID: "MQ502", Name: "no-make-target", Severity: Error,
		Title: "The makefile has no target for a function",
		Why:   "sam build calls build-<LogicalId> and fails.",
		Fix:   "Add the target, which writes $(ARTIFACTS_DIR)/bootstrap.",
		check: missingTargets,
	},
	{
		ID: "MQ503", Name: "stale-build", Severity: Warning,
		Title: "Cached builds miss changes outside of CodeUri",
		Why:   "sam build --cached looks at CodeUri alone. When a package beside it changes, the old program is deployed.",
		Fix:   "Take cached = true out of samconfig.toml; Go's own cache makes builds fast.",
		check: staleBuilds,
	},
	{
		ID: "MQ504", Name: "no-reserved-concurrency", Severity: Note,
		Title: "A function behind the API has no reserved concurrency",
		Why:   "It shares the account's: a busy function elsewhere leaves it none, and a loop of its own leaves others none.",
		Fix:   "Set ReservedConcurrentExecutions, or suppress this rule with the reason.",
		check: func(s *subject, report reporter) {
			for _, f := range s.serving() {
				// One that a condition takes out is a decision.
				if r := s.Resource(f.LogicalID); f.ReservedConcurrency == nil && r != nil && !r.Properties.Writes("ReservedConcurrentExecutions") {
					report(f.Position, f.LogicalID, "ReservedConcurrentExecutions is missing")
				}
			}
		},
	},
	{
		ID: "MQ505", Name: "function-without-tracing", Severity: Note,
		Title: "X-Ray is off for a function behind the API",
		Why:   "A trace that ends at API Gateway does not say what the function waited for.",
		Fix:   "Set Tracing: Active.",
		check: func(s *subject, report reporter) {
			for _, f := range s.serving() {
				r := s.Resource(f.LogicalID)
				if r != nil && r.Properties.At("Tracing").Text() != "Active" && r.Properties.At("TracingConfig", "Mode").Text() != "Active" {
					report(f.Position, f.LogicalID, "Tracing is not Active")
				}
			}
		},
	},
	{
		ID: "MQ506", Name: "log-without-end", Severity: Warning,
		Title: "A function makes its own log group, which keeps everything for ever",
		Why:   "Lambda creates /aws/lambda/<name> without retention, and the stack does not remove it.",
		Fix:   "Add an AWS::Logs::LogGroup with RetentionInDays and name it in LoggingConfig.LogGroup.",
		check: logsWithoutEnd,
	},
	{
		ID: "MQ507", Name: "log-without-retention", Severity: Warning,
		Title: "A log group keeps everything for ever",
		Why:   "Access logs name people and addresses; what is kept for ever is paid for, and has to be explained, for ever.",
		Fix:   "Set RetentionInDays.",
		check: func(s *subject, report reporter) {
			for _, g := range s.Resources("AWS::Logs::LogGroup") {
				if !g.Properties.At("RetentionInDays").Exists() {
					report(g.Position, g.LogicalID, "RetentionInDays is missing")
				}
			}
		},
	},
	{
		ID: "MQ508", Name: "old-runtime", Severity: Warning,
		Title: "A function has a runtime that is gone or going",
		Why:   "AWS makes no new functions with go1.x or provided, and provided.al2 ends with Amazon Linux 2.",
		Fix:   "Use provided.al2023.",
		check: func(s *subject, report reporter) {
			for _, f := range s.functions() {
				at := f.Properties.At("Runtime")
				if slices.Contains([]string{"go1.x", "provided", "provided.al2"}, at.Text()) {
					report(at.Position, f.LogicalID, "the runtime %s", at.Text())
				}
			}
		},
	},
	{
		ID: "MQ509", Name: "secret-in-template", Severity: Error,
		Title: "A secret stands in the template",
		Why:   "It is in the repository, its history, every change set and the console of Lambda.",
		Fix:   "Keep it in Secrets Manager and let the function read it by its ARN.",
		check: func(s *subject, report reporter) {
			for _, f := range s.functions() {
				for _, v := range f.Properties.At("Environment", "Variables").Entries() {
					if secretName.MatchString(v.Key) && v.Literal() && v.Text() != "" && !strings.HasPrefix(v.Text(), "{{resolve:") {
						report(v.Position, f.LogicalID, "%s has its value written out", v.Key)
					}
				}
			}
		},
	},
	{
		ID: "MQ510", Name: "policies-ignored", Severity: Warning,
		Title: "SAM ignores a function's Policies, since it has a Role",
		Why:   "The rights that stand there are given to nobody.",
		Fix:   "Attach the policies to the role.",
		check: func(s *subject, report reporter) {
			for _, f := range s.Resources("AWS::Serverless::Function") {
				if at := f.Properties.At("Policies"); at.Exists() && f.Properties.At("Role").Exists() {
					report(at.Position, f.LogicalID, "Role is set, so Policies is not read")
				}
			}
		},
	},
	{
		ID: "MQ511", Name: "function-in-one-zone", Severity: Warning,
		Title: "A function stands in one subnet",
		Why:   "When that zone fails, the function does not run.",
		Fix:   "Give VpcConfig.SubnetIds two subnets in different zones.",
		check: func(s *subject, report reporter) {
			for _, f := range s.functions() {
				if at := f.Properties.At("VpcConfig", "SubnetIds"); oneItem(at) {
					report(at.Position, f.LogicalID, "SubnetIds has one subnet")
				}
			}
		},
	},
}

// secretName matches names of variables that hold secrets, and not those that say where one is.
var secretName = regexp.MustCompile(`(?i)(SECRET|PASSWORD|PASSWD|TOKEN|API_?KEY|PRIVATE_?KEY|ACCESS_?KEY)$`)

// serving are the functions behind a route.
func (s *subject) serving() []*stack.Function {
	var out []*stack.Function
	for _, api := range s.typed() {
		for _, f := range s.Stack.Functions {
			behind := slices.ContainsFunc(api.Routes, func(r *stack.Route) bool { return r.FunctionID == f.LogicalID })
			if behind && !slices.Contains(out, f) {
				out = append(out, f)
			}
		}
	}
	return out
}

func oneBuildForTwo(s *subject, report reporter) {
	if s.Stack == nil {
		return
	}
	first := map[string]*stack.Function{}
	for _, f := range s.Stack.Functions {
		if f.CodeURI == "" || f.BuildMethod == "makefile" || !strings.HasPrefix(f.Runtime, "provided") && f.Runtime != "go1.x" {
			continue
		}
		key := fmt.Sprint(f.CodeURI, f.Runtime, f.Architectures)
		if other := first[key]; other != nil {
			report(s.codePlace(f), f.LogicalID, "%s is built from the same folder: %s gets its program", other.LogicalID, f.LogicalID)
			continue
		}
		first[key] = f
	}
}

func (s *subject) codePlace(f *stack.Function) stack.Position {
	if r := s.Resource(f.LogicalID); r != nil {
		return r.Properties.At("CodeUri").Position
	}
	return f.Position
}

func missingTargets(s *subject, report reporter) {
	if s.Stack == nil || s.options.ReadFile == nil {
		return
	}
	for _, f := range s.Stack.Functions {
		if f.BuildMethod != "makefile" || f.CodeURI == "" {
			continue
		}
		text, err := s.makefile(filepath.Join(f.CodeURI, "Makefile"), 0)
		target := regexp.MustCompile(`(?m)^([^\s:#=]+\s+)*build-` + regexp.QuoteMeta(f.LogicalID) + `(\s+[^\s:#=]+)*\s*:`)
		switch {
		case err != nil:
			report(f.Position, f.LogicalID, "there is no Makefile in its CodeUri")
		case !target.Match(text):
			report(f.Position, f.LogicalID, "the Makefile has no target build-%s", f.LogicalID)
		}
	}
}

// makeInclude matches lines that include another makefile.
var makeInclude = regexp.MustCompile(`(?m)^-?include\s+(\S+)`)

// makefile reads a makefile and those that it includes.
func (s *subject) makefile(path string, depth int) ([]byte, error) {
	text, err := s.options.ReadFile(path)
	if err != nil || depth > 5 {
		return nil, err
	}
	for _, included := range makeInclude.FindAllSubmatch(text, -1) {
		if more, err := s.makefile(filepath.Join(filepath.Dir(path), string(included[1])), depth+1); err == nil {
			text = append(append(bytes.Clone(text), '\n'), more...)
		}
	}
	return text, nil
}

// cachedBuild matches the setting in samconfig.toml and samconfig.yaml.
var cachedBuild = regexp.MustCompile(`(?m)^\s*cached\s*[=:]\s*"?true"?`)

func staleBuilds(s *subject, report reporter) {
	if s.Stack == nil || s.options.ReadFile == nil || s.options.Config == "" {
		return
	}
	text, err := s.options.ReadFile(s.options.Config)
	at := cachedBuild.FindIndex(text)
	if err != nil || at == nil {
		return
	}
	for _, f := range s.Stack.Functions {
		if f.CodeURI == "" || s.isModule(f.CodeURI) {
			continue
		}
		line := 1 + bytes.Count(text[:at[0]], []byte("\n"))
		report(stack.Position{File: s.options.Config, Line: line}, f.LogicalID, "a change outside of %s is not seen", filepath.Base(f.CodeURI))
		return
	}
}

// isModule reports whether a folder holds the whole Go module.
func (s *subject) isModule(dir string) bool {
	_, err := s.options.ReadFile(filepath.Join(dir, "go.mod"))
	return err == nil
}

func logsWithoutEnd(s *subject, report reporter) {
	for _, f := range s.functions() {
		if f.Properties.At("LoggingConfig", "LogGroup").Exists() {
			continue
		}
		own := func(g *stack.Resource) bool {
			return strings.HasPrefix(g.Properties.At("LogGroupName").Text(), "/aws/lambda/")
		}
		named := slices.ContainsFunc(s.Resources("AWS::Logs::LogGroup"), func(g *stack.Resource) bool {
			name := strings.TrimPrefix(g.Properties.At("LogGroupName").Text(), "/aws/lambda/")
			return own(g) && (g.Properties.At("LogGroupName").Mentions(f.LogicalID) || name == f.Properties.At("FunctionName").Text())
		})
		if !named {
			report(f.Position, f.LogicalID, "no log group of the template is its own")
		}
	}
}
