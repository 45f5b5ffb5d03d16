package reach

import (
	"github.com/marquee-api/marquee/internal/identity"
	"github.com/marquee-api/marquee/internal/policy"
	"github.com/marquee-api/marquee/internal/sigv4"
	"github.com/marquee-api/marquee/internal/stack"
)

// callerProfile is a second name of a role of the template.
const callerProfile = "caller"

// samples are the profiles that every stack has.
var samples = map[string]bool{"reader": true, "writer": true, "stranger": true, "foreign": true, "expired": true}

// callersOf lists those who call: the template's roles and users first, then the sample identities, those of a file, and
// whoever signs nothing; and the policies of them all.
func callersOf(s *stack.Stack, d *identity.Directory) ([]caller, []*policy.Document) {
	var documents []*policy.Document
	own := map[string][]stack.Policy{}
	for _, r := range s.Roles {
		own[r.ARN] = r.Policies
	}
	for _, u := range s.Users {
		own[u.ARN] = u.Policies
	}
	var aliases []identity.Credentials
	groups := map[string][]caller{}
	for _, p := range d.Profiles() {
		holder, ok := d.Lookup(p.AccessKeyID)
		if !ok {
			continue // replaced meanwhile: its successor stands under the name
		}
		documents = append(documents, holder.Policies...)
		policies, ofTemplate := own[arnOf(holder)]
		if p.Profile == callerProfile && ofTemplate {
			aliases = append(aliases, p)
			continue
		}
		c := caller{
			Identity:    Identity{Name: p.Profile, ARN: p.ARN, Kind: kindOf(p.Profile, holder, ofTemplate)},
			credentials: &sigv4.Credentials{AccessKeyID: p.AccessKeyID, SecretAccessKey: p.SecretAccessKey, SessionToken: p.SessionToken},
			policies:    policies,
		}
		groups[c.Kind] = append(groups[c.Kind], c)
	}
	var all []caller
	for _, kind := range []string{"role", "user", "sample", "file"} {
		all = append(all, groups[kind]...)
	}
	for _, alias := range aliases {
		addAlias(all, d, alias)
	}
	all = append(all, caller{Identity: Identity{Name: policy.AnonymousName, Kind: "anonymous", ARN: policy.AnonymousName}})
	return all, documents
}

// addAlias names a further profile of a role.
func addAlias(all []caller, d *identity.Directory, alias identity.Credentials) {
	named, _ := d.Lookup(alias.AccessKeyID)
	for i := range all {
		if holder, ok := d.Lookup(all[i].credentials.AccessKeyID); ok && all[i].Kind == "role" && arnOf(holder) == arnOf(named) {
			all[i].Aliases = append(all[i].Aliases, alias.Profile)
			return
		}
	}
}

// arnOf is the ARN of the role behind a session, or of the user.
func arnOf(i *identity.Identity) string {
	if i.Principal.RoleARN != "" {
		return i.Principal.RoleARN
	}
	return i.Principal.ARN
}

func kindOf(profile string, i *identity.Identity, ofTemplate bool) string {
	switch {
	case ofTemplate && i.Principal.Type == policy.User:
		return "user"
	case ofTemplate:
		return "role"
	case samples[profile]:
		return "sample"
	}
	return "file"
}
