package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"slices"
	"time"

	"github.com/marquee-api/marquee/internal/deployment"
	"github.com/marquee-api/marquee/internal/identity"
	"github.com/marquee-api/marquee/internal/reach"
	"github.com/marquee-api/marquee/internal/stack"
	"github.com/marquee-api/marquee/internal/terminal"
)

// showWho writes who gets in. A template that cannot be served has no answer.
func (o *checkOptions) showWho(env environment, in *stack.Inspection) error {
	if in.Stack == nil {
		errs := make([]error, len(in.Errors))
		for i, e := range in.Errors {
			errs[i] = e
		}
		return unusable(fmt.Errorf("the template cannot be served:\n%w", errors.Join(errs...)))
	}
	m, err := o.computeWho(in.Stack, time.Now())
	if err != nil {
		return unusable(err)
	}
	switch {
	case o.format == "json":
		e := json.NewEncoder(env.Stdout)
		e.SetEscapeHTML(false)
		e.SetIndent("", "  ")
		return e.Encode(m)
	case o.format != "text":
		return unusable(fmt.Errorf("check --who: --format %q: want text or json", o.format))
	case o.verbose:
		return m.WriteCells(env.Stdout)
	}
	return m.WriteText(env.Stdout, terminal.Of(env.Stdout, env.Getenv))
}

func (o *checkOptions) computeWho(s *stack.Stack, now time.Time) (*reach.Matrix, error) {
	d, err := identity.New(identity.Config{
		Partition: s.Partition, AccountID: s.AccountID, Region: s.Region, ManagedPolicies: o.policies, Now: func() time.Time { return now },
	})
	if err != nil {
		return nil, err
	}
	if err := deployment.Populate(d, s); err != nil {
		return nil, err
	}
	if o.identities != "" {
		text, err := os.ReadFile(o.identities)
		if err != nil {
			return nil, fmt.Errorf("--identities: %w", err)
		}
		if err := d.Load(o.identities, text); err != nil {
			return nil, err
		}
	}
	return reach.Compute(s, d, now)
}

func sortedKeys(m map[string]string) []string { return slices.Sorted(maps.Keys(m)) }
