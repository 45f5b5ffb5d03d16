package identity

import (
	"crypto/sha256"
	"encoding/base32"
	"encoding/json"
	"fmt"
	"maps"
	"strings"
	"time"

	"github.com/marquee-api/marquee/internal/policy"
)

// The bounds of a role's MaxSessionDuration (IAM API reference, CreateRole).
const (
	minMaxSession = time.Hour
	maxMaxSession = 12 * time.Hour
)

// Entity is an IAM user or role.
type Entity struct {
	// ARN of the user or role, with its path: arn:aws:iam::123456789012:role/team/auditor.
	ARN string
	// UniqueID is "AROA…" of a role, "AIDA…" of a user. Empty: one is made up, always the same for an ARN.
	UniqueID string
	Policies []Policy
	// Boundary is the permissions boundary; nil is none.
	Boundary *Policy
	// Trust is the role's trust policy; nil means that nobody may assume it.
	Trust *Policy
	// MaxSession is the role's MaxSessionDuration; zero is AWS's default, one hour.
	MaxSession time.Duration
	Tags       map[string]string
}

// Policy is a policy document as it was written.
type Policy struct {
	Name     string
	Document json.RawMessage
	// Place is where it was written, such as "template.yaml:12", for errors; empty if it is not known.
	Place string
}

// Role is what assuming a role needs to know of it.
type Role struct {
	ARN, AccountID string
	Trust          *policy.Document // nil: nobody may assume it
	MaxSession     time.Duration
	Tags           map[string]string
}

// entity is an Entity, checked and with its documents parsed.
type entity struct {
	principal  policy.Principal
	uniqueID   string
	policies   []*policy.Document
	boundary   *policy.Document
	trust      *policy.Document
	maxSession time.Duration
	tags       map[string]string
}

func (e *entity) isRole() bool { return e.principal.Type == policy.AssumedRole }

// newEntity checks and parses. An error names the entity and the policy.
func newEntity(in Entity) (*entity, error) {
	principal, err := parseEntityARN(in.ARN)
	if err != nil {
		return nil, err
	}
	e := &entity{principal: principal, uniqueID: in.UniqueID, maxSession: in.MaxSession, tags: maps.Clone(in.Tags)}
	if e.uniqueID == "" {
		e.uniqueID = madeUpID(e)
	}
	if e.maxSession == 0 {
		e.maxSession = minMaxSession
	}
	if err := e.check(in.Trust != nil); err != nil {
		return nil, fmt.Errorf("%s: %w", in.ARN, err)
	}
	for _, p := range in.Policies {
		document, err := p.parse(in.ARN, fmt.Sprintf("policy %q", p.Name), policy.KindIdentity)
		if err != nil {
			return nil, err
		}
		e.policies = append(e.policies, document)
	}
	if e.boundary, err = in.Boundary.parse(in.ARN, "permissions boundary", policy.KindIdentity); err != nil {
		return nil, err
	}
	e.trust, err = in.Trust.parse(in.ARN, "trust policy", policy.KindTrust)
	return e, err
}

func (e *entity) check(trusted bool) error {
	switch {
	case e.maxSession < minMaxSession || e.maxSession > maxMaxSession:
		return fmt.Errorf("the maximum session is %v; AWS allows 1h to 12h", e.maxSession)
	case trusted && !e.isRole():
		return fmt.Errorf("a user has no trust policy; only roles are assumed")
	}
	_, err := principalTags(e.tags, nil)
	return err
}

// parseEntityARN accepts the ARN of a user or role, and of nobody else who can sign.
func parseEntityARN(arn string) (policy.Principal, error) {
	principal, err := policy.ParsePrincipal(arn)
	role := err == nil && principal.Type == policy.AssumedRole && principal.Session == ""
	if !role && principal.Type != policy.User {
		return policy.Principal{}, fmt.Errorf("%q is not the ARN of a user or role; want one such as "+
			"arn:aws:iam::123456789012:role/auditor or arn:aws:iam::123456789012:user/ann", arn)
	}
	return principal, nil
}

// parse returns nil for no policy.
func (p *Policy) parse(owner, what string, kind policy.Kind) (*policy.Document, error) {
	if p == nil {
		return nil, nil
	}
	document, err := policy.Parse(p.Document, kind)
	if err != nil {
		place := ""
		if p.Place != "" {
			place = p.Place + ": "
		}
		return nil, fmt.Errorf("%s%s, %s: %w", place, owner, what, err)
	}
	return document, nil
}

// madeUpID is a unique id of AWS's form (IAM user guide, "IAM identifiers"): the same in each run, since policies may
// name it in aws:userid.
func madeUpID(e *entity) string {
	prefix := "AIDA"
	if e.isRole() {
		prefix = "AROA"
	}
	sum := sha256.Sum256([]byte(e.principal.ARN))
	return prefix + base32.StdEncoding.EncodeToString(sum[:])[:17]
}

// isSessionName reports whether s may name a session of a role (STS API reference, AssumeRole, RoleSessionName).
func isSessionName(s string) bool {
	return len(s) >= 2 && len(s) <= 64 && only(s, "_+=,.@-")
}

// only reports whether s has no characters but ASCII letters, digits and the given ones.
func only(s, others string) bool {
	for i := range len(s) {
		c := s[i]
		if (c < '0' || c > '9') && (c < 'a' || c > 'z') && (c < 'A' || c > 'Z') && strings.IndexByte(others, c) < 0 {
			return false
		}
	}
	return true
}
