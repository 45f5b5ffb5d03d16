package identity

import (
	"container/heap"
	"encoding/base32"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/marquee-api/marquee/internal/policy"
)

// ErrTooManySessions says that Config.MaxSessions are alive.
var ErrTooManySessions = errors.New("too many sessions are alive: wait until some end")

// Session asks for temporary credentials.
type Session struct {
	// Entity is the ARN of a role, or of a user, whose session is one of GetSessionToken.
	Entity string
	// Name of a role's session, 2 to 64 characters. A user's session has none.
	Name     string
	Lifetime time.Duration
	// Policy is the session policy; nil is none.
	Policy *policy.Document
	// Tags of the session. Those in TransitiveTagKeys go on to the sessions of a role chain.
	Tags              map[string]string
	TransitiveTagKeys []string
	SourceIdentity    string
	// TokenSize is the least number of characters that the session token has, up to MaxTokenSize. Zero: DefaultTokenSize.
	TokenSize int
}

// The sizes of session tokens. AWS makes no promise but the largest (STS API reference, AssumeRole,
// MinimumSessionTokenSize).
const (
	DefaultTokenSize = 320
	MaxTokenSize     = 4096
)

// Mint makes temporary credentials, good from now for the session's lifetime in whole seconds. Whether the caller may
// have them is for the caller to decide. The error is ErrTooManySessions if no more are to be had for now.
func (d *Directory) Mint(s Session) (*Identity, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.mint(s, false)
}

// mint makes a session. A profile's session is minted even when all places are taken: there are as many of these as
// profiles.
func (d *Directory) mint(s Session, profile bool) (*Identity, error) {
	e, ok := d.entities[s.Entity]
	if !ok {
		return nil, fmt.Errorf("%q is no user or role that is known here", s.Entity)
	}
	now := d.config.Now()
	// Truncate also drops the monotonic reading: it stands still while a laptop sleeps, and sessions go on ending.
	issued := now.Truncate(time.Second)
	identity, err := e.session(s, issued)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", s.Entity, err)
	}
	lasting := s.Lifetime > 0
	if lasting {
		d.forget(now)
		if len(d.ends) >= d.config.MaxSessions && !d.makeRoom(now) && !profile {
			return nil, ErrTooManySessions
		}
	} else { // a session that has ended: nobody waits for its end again
		identity.IssuedAt = issued.Add(s.Lifetime - time.Hour)
	}
	identity.Key.Expires = issued.Add(s.Lifetime)
	if err := d.issue(identity, min(max(s.TokenSize, DefaultTokenSize), MaxTokenSize)); err != nil {
		return nil, err
	}
	if lasting {
		heap.Push(&d.ends, identity)
	}
	return identity, nil
}

// session is the identity of a session, without keys.
func (e *entity) session(s Session, issued time.Time) (*Identity, error) {
	identity, err := e.identity(s.Tags)
	if err != nil {
		return nil, err
	}
	identity.IssuedAt, identity.Session, identity.SourceIdentity = issued, s.Policy, s.SourceIdentity
	if s.SourceIdentity != "" {
		identity.ContextKeys["aws:SourceIdentity"] = s.SourceIdentity
	}
	for key, value := range s.Tags {
		if slices.ContainsFunc(s.TransitiveTagKeys, func(t string) bool { return strings.EqualFold(t, key) }) {
			if identity.TransitiveTags == nil {
				identity.TransitiveTags = map[string]string{}
			}
			identity.TransitiveTags[key] = value
		}
	}
	if !e.isRole() {
		if s.Name != "" {
			return nil, fmt.Errorf("a user's session has no name, not %q", s.Name)
		}
		return identity, nil
	}
	if !isSessionName(s.Name) {
		return nil, fmt.Errorf("%q cannot name a session; want 2 to 64 letters, digits and _+=,.@-", s.Name)
	}
	identity.Name = s.Name
	identity.Principal, err = e.sessionPrincipal(s.Name)
	identity.UniqueID = identity.Principal.UserID
	return identity, err
}

// identity is the entity itself, without keys.
func (e *entity) identity(sessionTags map[string]string) (*Identity, error) {
	keys, err := principalTags(e.tags, sessionTags)
	if err != nil {
		return nil, err
	}
	principal := e.principal
	principal.UserID = e.uniqueID
	return &Identity{
		Name: principal.Name, Principal: principal, AccountID: principal.Account, UniqueID: e.uniqueID,
		Policies: e.policies, Boundary: e.boundary, ContextKeys: keys,
	}, nil
}

// issue gives the identity a random key and makes it known: a temporary one with a session token, a long-term one for a
// token of no characters. The id is of the form that DynamoDB Local takes: letters and digits only.
func (d *Directory) issue(identity *Identity, tokenSize int) error {
	const idBytes, secretBytes = 10, 30 // 16 and 40 characters, as AWS's
	random := make([]byte, idBytes+secretBytes+(tokenSize+3)/4*3)
	if _, err := io.ReadFull(d.config.Random, random); err != nil {
		return fmt.Errorf("reading random bytes for a key: %w", err)
	}
	prefix := "AKIA"
	if tokenSize > 0 {
		prefix = "ASIA"
	}
	identity.AccessKeyID = prefix + base32.StdEncoding.EncodeToString(random[:idBytes])
	random = random[idBytes:]
	identity.Key.SecretAccessKey = base64.StdEncoding.EncodeToString(random[:secretBytes])
	identity.Key.SessionToken = base64.StdEncoding.EncodeToString(random[secretBytes:])[:tokenSize]
	if _, taken := d.keys[identity.AccessKeyID]; taken {
		return errors.New("the source of random bytes repeats itself")
	}
	d.keys[identity.AccessKeyID] = identity
	d.config.Secrets.Add(identity.Key.SecretAccessKey, identity.Key.SessionToken)
	return nil
}

// longTerm gives a user a key that does not end.
func (d *Directory) longTerm(e *entity) (*Identity, error) {
	identity, err := e.identity(nil)
	if err != nil {
		return nil, err
	}
	return identity, d.issue(identity, 0)
}

// forget drops the sessions that ended long ago.
func (d *Directory) forget(now time.Time) {
	for len(d.ends) > 0 && d.ends[0].Key.Expires.Add(remembered).Before(now) {
		d.drop()
	}
}

// makeRoom drops sessions that have ended until one more fits, and reports whether it does.
func (d *Directory) makeRoom(now time.Time) bool {
	for len(d.ends) >= d.config.MaxSessions && len(d.ends) > 0 && !now.Before(d.ends[0].Key.Expires) {
		d.drop()
	}
	return len(d.ends) < d.config.MaxSessions
}

func (d *Directory) drop() {
	ended := heap.Pop(&d.ends).(*Identity)
	delete(d.keys, ended.AccessKeyID)
	d.config.Secrets.Remove(ended.Key.SecretAccessKey, ended.Key.SessionToken)
}

// endings is a heap of sessions, the one that ends first on top.
type endings []*Identity

func (e endings) Len() int           { return len(e) }
func (e endings) Less(i, j int) bool { return e[i].Key.Expires.Before(e[j].Key.Expires) }
func (e endings) Swap(i, j int)      { e[i], e[j] = e[j], e[i] }
func (e *endings) Push(x any)        { *e = append(*e, x.(*Identity)) }

func (e *endings) Pop() any {
	last := (*e)[len(*e)-1]
	(*e)[len(*e)-1] = nil
	*e = (*e)[:len(*e)-1]
	return last
}
