// Package review reads a SAM template as a reviewer of a private, IAM-authorized API would, and says what it finds: an
// open method, a fence that fences nothing, a right that nobody needs, a log that does not say who called.
//
// Each rule is a function over the template and has an id that stays. What a policy lets in is never guessed from its
// text: it is asked of the gateway's own evaluator (internal/reach). The package changes nothing, talks to nobody and
// knows no other project's conventions than SAM's and AWS's.
package review

import (
	"cmp"
	"fmt"
	"slices"
	"time"

	"github.com/marquee-api/marquee/internal/deployment"
	"github.com/marquee-api/marquee/internal/identity"
	"github.com/marquee-api/marquee/internal/reach"
	"github.com/marquee-api/marquee/internal/stack"
)

// Severity is how much a finding matters.
type Severity int

// The severities: what is open or will not work, what will hurt one day, what is worth knowing.
const (
	Note Severity = iota + 1
	Warning
	Error
)

// String is the severity's name in reports and flags.
func (s Severity) String() string {
	return [...]string{"", "note", "warning", "error"}[s]
}

// ParseSeverity reads a severity's name.
func ParseSeverity(name string) (Severity, error) {
	for _, s := range []Severity{Note, Warning, Error} {
		if s.String() == name {
			return s, nil
		}
	}
	return 0, fmt.Errorf("%q is not a severity: error, warning or note", name)
}

// Finding is one thing that a rule found.
type Finding struct {
	Rule     *Rule
	Resource string // logical id; empty for the template as a whole
	Message  string
	stack.Position
}

// Options say how to review.
type Options struct {
	Rules []string // ids; nil: all
	Skip  []string // ids that are left out
	// ReadFile reads files beside the template: makefiles. Nil: none are read.
	ReadFile func(name string) ([]byte, error)
	// Config is the samconfig file, for settings of `sam build`; empty: none.
	Config string
	Now    time.Time
}

// Check reviews a template. Findings come in the order of lines.
func Check(in *stack.Inspection, o Options) ([]Finding, error) {
	for _, id := range slices.Concat(o.Rules, o.Skip) {
		if _, ok := Find(id); !ok {
			return nil, fmt.Errorf("there is no rule %q", id)
		}
	}
	s := &subject{Inspection: in, options: o}
	s.askGateway()
	for _, rule := range Rules() {
		if rule.check == nil {
			continue
		}
		rule.check(s, func(pos stack.Position, resource, format string, args ...any) {
			s.found = append(s.found, Finding{Rule: rule, Resource: resource, Message: fmt.Sprintf(format, args...), Position: pos})
		})
	}
	s.suppress()
	s.found = slices.DeleteFunc(s.found, func(f Finding) bool {
		return len(o.Rules) > 0 && !slices.Contains(o.Rules, f.Rule.ID) || slices.Contains(o.Skip, f.Rule.ID)
	})
	slices.SortStableFunc(s.found, func(a, b Finding) int {
		return cmp.Or(cmp.Compare(a.File, b.File), a.Line-b.Line, cmp.Compare(a.Rule.ID, b.Rule.ID))
	})
	return s.found, nil
}

// Worst is the highest severity among the findings, 0 if there are none.
func Worst(found []Finding) Severity {
	worst := Severity(0)
	for _, f := range found {
		worst = max(worst, f.Rule.Severity)
	}
	return worst
}

// subject is the template under review.
type subject struct {
	*stack.Inspection
	options Options
	matrix  *reach.Matrix // who gets in; nil if the template cannot be served
	found   []Finding
}

// reporter notes a finding.
type reporter func(pos stack.Position, resource, format string, args ...any)

// askGateway computes who gets in. Why it cannot be computed is a finding of the rules about errors and policies.
func (s *subject) askGateway() {
	if s.Stack == nil || len(s.Stack.APIs) == 0 {
		return
	}
	d, err := identity.New(identity.Config{
		Partition: s.Stack.Partition, AccountID: s.Stack.AccountID, Region: s.Stack.Region, Now: func() time.Time { return s.options.Now },
	})
	if err != nil {
		return
	}
	if err := deployment.Populate(d, s.Stack); err != nil {
		return
	}
	if m, err := reach.Compute(s.Stack, d, s.options.Now); err == nil {
		s.matrix = m
	}
}
