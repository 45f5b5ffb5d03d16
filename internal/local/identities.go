package local

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/marquee-api/marquee/internal/deployment"
	"github.com/marquee-api/marquee/internal/identity"
	"github.com/marquee-api/marquee/internal/secrets"
	"github.com/marquee-api/marquee/internal/stack"
)

// newDirectory mints the identities of a run: those of the template, the standard ones, and those of a file.
// All secrets that are ever made go into the set.
func newDirectory(s *stack.Stack, o Options, made *secrets.Set) (*identity.Directory, error) {
	policies, err := stack.ReadPolicies(o.Policies)
	if err != nil {
		return nil, err
	}
	d, err := identity.New(identity.Config{Partition: s.Partition, AccountID: s.AccountID, Region: s.Region, ManagedPolicies: policies, Secrets: made, Now: o.Now})
	if err != nil {
		return nil, err
	}
	if err := deployment.Populate(d, s); err != nil {
		return nil, err
	}
	if o.Identities == "" {
		return d, nil
	}
	text, err := os.ReadFile(o.Identities)
	if err != nil {
		return nil, fmt.Errorf("--identities: %w", err)
	}
	return d, d.Load(o.Identities, text)
}

// writeCredentials writes the shared credentials file, and for curl, which cannot read one, a configuration for each
// profile.
func writeCredentials(d *identity.Directory, f files) error {
	if err := os.MkdirAll(f.curl, 0o700); err != nil {
		return err
	}
	for _, p := range d.Profiles() {
		config := fmt.Sprintf("user = \"%s:%s\"\n", p.AccessKeyID, p.SecretAccessKey)
		if p.SessionToken != "" {
			config += fmt.Sprintf("header = \"X-Amz-Security-Token: %s\"\n", p.SessionToken)
		}
		if err := writeFile(filepath.Join(f.curl, p.Profile), []byte(config)); err != nil {
			return err
		}
	}
	return d.WriteCredentials(f.credentials)
}

// keepCredentials mints the profiles' sessions anew before they end, for as long as the stack runs.
func (s *Stack) keepCredentials() {
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	s.endRotation = func() { cancel(); <-done }
	go func() {
		defer close(done)
		err := s.ids.Run(ctx, func() error {
			err := writeCredentials(s.ids, s.files)
			if err != nil {
				fmt.Fprintf(s.options.Out, "warning: the new credentials were not written: %v\n", err)
			}
			return err
		})
		if err != nil {
			s.fail(fmt.Errorf("rotating the credentials: %w", err))
		}
	}()
}
