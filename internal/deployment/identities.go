package deployment

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/identity"
	"github.com/marquee-api/marquee/internal/policy"
	"github.com/marquee-api/marquee/internal/stack"
)

// Populate adds the stack's users and roles to a directory and opens the profiles that every run has: each role and user
// under its logical id, "caller" for the role of the function that calls the API, and the standard ones.
func Populate(d *identity.Directory, s *stack.Stack) error {
	for _, r := range s.Roles {
		entity := identity.Entity{
			ARN: r.ARN, UniqueID: r.ID, Policies: policies(r.Policies), MaxSession: r.MaxSession, Tags: r.Tags,
			Boundary: document("permissions boundary", r.Boundary, r.Position), Trust: document("trust policy", r.Trust, r.Position),
		}
		if err := d.Add(entity); err != nil {
			return fmt.Errorf("role %s: %w", r.LogicalID, err)
		}
	}
	for _, u := range s.Users {
		entity := identity.Entity{ARN: u.ARN, Policies: policies(u.Policies), Tags: u.Tags, Boundary: document("permissions boundary", u.Boundary, u.Position)}
		if err := d.Add(entity); err != nil {
			return fmt.Errorf("user %s: %w", u.LogicalID, err)
		}
	}
	if callers := Callers(s); len(callers) > 0 {
		f := callers[0]
		if err := d.Open(identity.Profile{Name: "caller", Entity: f.RoleARN, Session: sessionName(f)}); err != nil {
			return err
		}
	}
	arns := make([]string, len(s.APIs))
	for i, api := range s.APIs {
		arns[i] = fmt.Sprintf("arn:%s:execute-api:%s:%s:%s", s.Partition, s.Region, s.AccountID, api.ID)
	}
	if err := d.OpenStandard(arns...); err != nil {
		return err
	}
	return openOwn(d, s)
}

// openOwn opens the profiles of the stack's own users and roles, but for names that are taken.
func openOwn(d *identity.Directory, s *stack.Stack) error {
	taken := map[string]bool{}
	for _, p := range d.Profiles() {
		taken[p.Profile] = true
	}
	for _, r := range s.Roles {
		if !taken[r.LogicalID] {
			if err := d.Open(identity.Profile{Name: r.LogicalID, Entity: r.ARN}); err != nil {
				return err
			}
		}
	}
	for _, u := range s.Users {
		if !taken[u.LogicalID] {
			if err := d.Open(identity.Profile{Name: u.LogicalID, Entity: u.ARN}); err != nil {
				return err
			}
		}
	}
	return nil
}

// FunctionSession mints the credentials that a function runs with: a session of its role, named after the function. A
// role from outside the template has policies that are not known here, so it may nothing.
func FunctionSession(d *identity.Directory, s *stack.Stack, f *stack.Function) (*identity.Identity, error) {
	arn := f.RoleARN
	if arn == "" {
		arn = fmt.Sprintf("arn:%s:iam::%s:role/%s-role", s.Partition, s.AccountID, f.Name)
	}
	if _, known := d.Role(arn); !known {
		if err := d.Add(identity.Entity{ARN: arn}); err != nil {
			return nil, fmt.Errorf("%s: the role of function %s: %w", f.Position, f.LogicalID, err)
		}
	}
	return d.Mint(identity.Session{Entity: arn, Name: sessionName(f), Lifetime: identity.DefaultLifetime})
}

// sessionName is the function's name as far as it can name a session, which has 2 to 64 characters.
func sessionName(f *stack.Function) string {
	switch {
	case len(f.Name) > 64:
		return f.Name[:64]
	case len(f.Name) < 2:
		return f.Name + "-"
	}
	return f.Name
}

func policies(in []stack.Policy) []identity.Policy {
	out := make([]identity.Policy, len(in))
	for i, p := range in {
		out[i] = identity.Policy{Name: p.Name, Document: p.Document, Place: p.Position.String()}
	}
	return out
}

func document(name string, text json.RawMessage, at stack.Position) *identity.Policy {
	if text == nil {
		return nil
	}
	return &identity.Policy{Name: name, Document: text, Place: at.String()}
}

// Holders lets the gateway find the holders of keys in a directory.
func Holders(d *identity.Directory) gateway.Identities { return holders{d} }

type holders struct{ *identity.Directory }

// Identity finds the holder of an access key.
func (h holders) Identity(accessKeyID string) (*gateway.Identity, bool) {
	i, ok := h.Lookup(accessKeyID)
	if !ok {
		return nil, false
	}
	return &gateway.Identity{
		Name: i.Name, Principal: i.Principal, AccountID: i.AccountID, UniqueID: i.UniqueID, Key: i.Key, IssuedAt: i.IssuedAt,
		Policies: i.Policies, Boundary: i.Boundary, Session: i.Session, ContextKeys: i.ContextKeys,
	}, true
}

// Callers returns the functions whose role may invoke a route of an API of the stack, those that do not serve the API
// themselves first.
func Callers(s *stack.Stack) []*stack.Function {
	var callers, servers []*stack.Function
	for _, f := range s.Functions {
		switch role := roleOf(s, f); {
		case role == nil || !mayInvoke(s, role):
		case serves(s, f):
			servers = append(servers, f)
		default:
			callers = append(callers, f)
		}
	}
	return append(callers, servers...)
}

func roleOf(s *stack.Stack, f *stack.Function) *stack.Role {
	i := slices.IndexFunc(s.Roles, func(r *stack.Role) bool { return f.RoleID != "" && r.LogicalID == f.RoleID })
	if i < 0 {
		return nil
	}
	return s.Roles[i]
}

func serves(s *stack.Stack, f *stack.Function) bool {
	return slices.ContainsFunc(s.APIs, func(api *stack.API) bool {
		return slices.ContainsFunc(api.Routes, func(r *stack.Route) bool { return r.FunctionID == f.LogicalID })
	})
}

// mayInvoke tries each route with a value for each parameter: policies see actual paths.
func mayInvoke(s *stack.Stack, role *stack.Role) bool {
	for _, p := range role.Policies {
		parsed, err := policy.Parse(p.Document, policy.KindIdentity)
		if err != nil {
			continue // reported where the role is added
		}
		for _, api := range s.APIs {
			for _, route := range api.Routes {
				method := strings.Replace(route.Method, "ANY", "GET", 1)
				request := policy.Request{
					Action: "execute-api:Invoke",
					Resource: fmt.Sprintf("arn:%s:execute-api:%s:%s:%s/%s/%s%s",
						s.Partition, s.Region, s.AccountID, api.ID, api.Stage, method, samplePath(route.Path)),
				}
				if parsed.Evaluate(&request).Decision == policy.Allow {
					return true
				}
			}
		}
	}
	return false
}

func samplePath(template string) string {
	parts := strings.Split(template, "/")
	for i, part := range parts {
		if strings.HasPrefix(part, "{") {
			parts[i] = "x"
		}
	}
	return strings.Join(parts, "/")
}
