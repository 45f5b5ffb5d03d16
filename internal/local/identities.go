package local

import (
	"crypto/rand"
	"encoding/base32"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/marquee-api/marquee/internal/gateway"
	"github.com/marquee-api/marquee/internal/policy"
	"github.com/marquee-api/marquee/internal/sigv4"
	"github.com/marquee-api/marquee/internal/stack"
)

// sessionLifetime is how long the credentials of a run are good for: AWS's longest session of a role.
const sessionLifetime = 12 * time.Hour

// foreignAccount owns the profile "foreign": any account but the stack's.
const foreignAccount = "210987654321"

// directory holds the identities of a run by access key. It does not change once the doors are open.
type directory struct {
	byKey    map[string]*gateway.Identity
	profiles []profile            // in the order of the credentials file
	keys     map[string]accessKey // of each function's role session, by the function's logical id
}

// profile is a named identity in the credentials file.
type profile struct {
	name     string
	key      accessKey
	identity *gateway.Identity
}

// accessKey is what a client signs with.
type accessKey struct {
	id, secret, token string
}

// Identity finds the holder of an access key.
func (d *directory) Identity(accessKeyID string) (*gateway.Identity, bool) {
	identity, ok := d.byKey[accessKeyID]
	return identity, ok
}

// newDirectory mints the identities of a stack: a session of each function's role, and the profiles that every run has.
func newDirectory(s *stack.Stack, now time.Time) (*directory, error) {
	d := &directory{byKey: map[string]*gateway.Identity{}, keys: map[string]accessKey{}}
	callers := callerFunctions(s)
	for _, f := range s.Functions {
		identity, key, err := d.roleSession(s, f, now)
		if err != nil {
			return nil, err
		}
		d.keys[f.LogicalID] = key
		if len(callers) > 0 && callers[0] == f {
			d.profiles = append(d.profiles, profile{"caller", key, identity})
		}
	}
	return d, d.standardProfiles(s, now)
}

// roleSession mints a session of the function's role, named after the function, as Lambda does.
func (d *directory) roleSession(s *stack.Stack, f *stack.Function, now time.Time) (*gateway.Identity, accessKey, error) {
	role := roleOf(s, f)
	if role == nil {
		// A role from outside the template: its policies are unknown here, so it may nothing.
		role = &stack.Role{Name: f.Name + "-role", ARN: f.RoleARN}
	}
	identity := &gateway.Identity{Name: f.LogicalID, AccountID: s.AccountID, IssuedAt: now}
	for _, p := range role.Policies {
		document, err := policy.Parse(p.Document, policy.KindIdentity)
		if err != nil {
			return nil, accessKey{}, fmt.Errorf("%s: role %s, policy %q: %w", p.Position, role.LogicalID, p.Name, err)
		}
		identity.Policies = append(identity.Policies, document)
	}
	if role.Boundary != nil {
		document, err := policy.Parse(role.Boundary, policy.KindIdentity)
		if err != nil {
			return nil, accessKey{}, fmt.Errorf("%s: role %s, permissions boundary: %w", role.Position, role.LogicalID, err)
		}
		identity.Boundary = document
	}
	key, err := d.mint(identity, sessionARN(s, role.Name, f.Name), now.Add(sessionLifetime))
	identity.Principal.RoleARN = role.ARN
	return identity, key, err
}

// standardProfiles adds the identities that are there for any template.
func (d *directory) standardProfiles(s *stack.Stack, now time.Time) error {
	var all, get []string
	for _, api := range s.APIs {
		arn := fmt.Sprintf("arn:%s:execute-api:%s:%s:%s/*", s.Partition, s.Region, s.AccountID, api.ID)
		all, get = append(all, arn+"/*"), append(get, arn+"/GET/*")
	}
	foreign := *s
	foreign.AccountID = foreignAccount
	profiles := []struct {
		name      string
		stack     *stack.Stack
		resources []string
		expires   time.Time
	}{
		{"reader", s, get, now.Add(sessionLifetime)},
		{"writer", s, all, now.Add(sessionLifetime)},
		{"stranger", s, nil, now.Add(sessionLifetime)},
		{"foreign", &foreign, all, now.Add(sessionLifetime)},
		{"expired", s, get, now.Add(-time.Minute)},
	}
	for _, p := range profiles {
		identity := &gateway.Identity{Name: p.name, AccountID: p.stack.AccountID, IssuedAt: p.expires.Add(-sessionLifetime)}
		if len(p.resources) > 0 {
			document, err := invokePolicy(p.resources)
			if err != nil {
				return err
			}
			identity.Policies = []*policy.Document{document}
		}
		key, err := d.mint(identity, sessionARN(p.stack, "marquee-"+p.name, p.name), p.expires)
		if err != nil {
			return err
		}
		d.profiles = append(d.profiles, profile{p.name, key, identity})
	}
	return nil
}

func invokePolicy(resources []string) (*policy.Document, error) {
	text, err := json.Marshal(map[string]any{
		"Version":   "2012-10-17",
		"Statement": []any{map[string]any{"Effect": "Allow", "Action": "execute-api:Invoke", "Resource": resources}},
	})
	if err != nil {
		return nil, err
	}
	return policy.Parse(text, policy.KindIdentity)
}

// mint gives the identity a principal and temporary credentials with random keys.
func (d *directory) mint(identity *gateway.Identity, arn string, expires time.Time) (accessKey, error) {
	principal, err := policy.ParsePrincipal(arn)
	if err != nil {
		return accessKey{}, err
	}
	key := accessKey{id: "ASIA" + randomText(10), secret: randomSecret(30), token: randomSecret(96)}
	principal.UserID = "AROA" + randomText(10) + ":" + principal.Session
	identity.Principal, identity.UniqueID = principal, principal.UserID
	identity.Key = sigv4.Key{SecretAccessKey: key.secret, SessionToken: key.token, Expires: expires}
	d.byKey[key.id] = identity
	return key, nil
}

// randomText is n random bytes in the alphabet of access key ids.
func randomText(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return base32.StdEncoding.EncodeToString(b)
}

// newAPIKey is the value of an API key, 40 characters of A–Z and 2–7: as long as AWS's.
func newAPIKey() string { return randomText(25) }

func randomSecret(n int) string {
	b := make([]byte, n)
	_, _ = rand.Read(b) // never fails
	return base64.StdEncoding.EncodeToString(b)
}

func sessionARN(s *stack.Stack, role, session string) string {
	if len(session) > 64 {
		session = session[:64]
	}
	return fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/%s", s.Partition, s.AccountID, role, session)
}

func roleOf(s *stack.Stack, f *stack.Function) *stack.Role {
	i := slices.IndexFunc(s.Roles, func(r *stack.Role) bool { return f.RoleID != "" && r.LogicalID == f.RoleID })
	if i < 0 {
		return nil
	}
	return s.Roles[i]
}

// callerFunctions returns the functions whose role may invoke a route of an API of the stack, those that do not serve
// the API themselves first.
func callerFunctions(s *stack.Stack) []*stack.Function {
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

func serves(s *stack.Stack, f *stack.Function) bool {
	return slices.ContainsFunc(s.APIs, func(api *stack.API) bool {
		return slices.ContainsFunc(api.Routes, func(r *stack.Route) bool { return r.FunctionID == f.LogicalID })
	})
}

// mayInvoke tries each route with a value for each parameter: policies see actual paths.
func mayInvoke(s *stack.Stack, role *stack.Role) bool {
	for _, p := range role.Policies {
		document, err := policy.Parse(p.Document, policy.KindIdentity)
		if err != nil {
			continue // reported where the role's session is made
		}
		for _, api := range s.APIs {
			for _, route := range api.Routes {
				method := strings.Replace(route.Method, "ANY", "GET", 1)
				request := policy.Request{
					Action: "execute-api:Invoke",
					Resource: fmt.Sprintf("arn:%s:execute-api:%s:%s:%s/%s/%s%s",
						s.Partition, s.Region, s.AccountID, api.ID, api.Stage, method, samplePath(route.Path)),
				}
				if document.Evaluate(&request).Decision == policy.Allow {
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

// writeCredentials writes the shared credentials file, and for curl, which cannot read one, a configuration for each
// profile.
func (d *directory) writeCredentials(f files, region string) error {
	var b strings.Builder
	b.WriteString("# Keys of a stack that runs on this machine. They are made anew at each start and open nothing else.\n")
	if err := os.MkdirAll(f.curl, 0o700); err != nil {
		return err
	}
	for _, p := range d.profiles {
		fmt.Fprintf(&b, "\n[%s]\naws_access_key_id = %s\naws_secret_access_key = %s\naws_session_token = %s\nregion = %s\n",
			p.name, p.key.id, p.key.secret, p.key.token, region)
		config := fmt.Sprintf("user = \"%s:%s\"\nheader = \"X-Amz-Security-Token: %s\"\n", p.key.id, p.key.secret, p.key.token)
		if err := writeFile(filepath.Join(f.curl, p.name), []byte(config)); err != nil {
			return err
		}
	}
	return writeFile(f.credentials, []byte(b.String()))
}
