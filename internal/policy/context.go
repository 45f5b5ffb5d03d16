package policy

import (
	"errors"
	"fmt"
	"slices"
	"strings"
)

// Names of the condition keys that API Gateway sets, in the form that Context keeps: setting them needs no conversion.
const (
	KeyCurrentTime            = "aws:currenttime"
	KeyEpochTime              = "aws:epochtime"
	KeyMultiFactorAuthAge     = "aws:multifactorauthage"
	KeyMultiFactorAuth        = "aws:multifactorauthpresent"
	KeyPrincipalAccount       = "aws:principalaccount"
	KeyPrincipalARN           = "aws:principalarn"
	KeyPrincipalOrgID         = "aws:principalorgid"
	KeyPrincipalOrgPaths      = "aws:principalorgpaths"
	KeyPrincipalTagPrefix     = "aws:principaltag/"
	KeyPrincipalType          = "aws:principaltype"
	KeyReferer                = "aws:referer"
	KeySecureTransport        = "aws:securetransport"
	KeySourceARN              = "aws:sourcearn"
	KeySourceIP               = "aws:sourceip"
	KeySourceVPC              = "aws:sourcevpc"
	KeySourceVPCE             = "aws:sourcevpce"
	KeyTokenIssueTime         = "aws:tokenissuetime"
	KeyUserAgent              = "aws:useragent"
	KeyUserID                 = "aws:userid"
	KeyUsername               = "aws:username"
	KeyVPCSourceIP            = "aws:vpcsourceip"
	KeyExecuteAPIViaDomainARN = "execute-api:viadomainarn"
)

// Context holds the condition keys of one call. Names of keys do not depend on case, values do. The zero value is empty
// and ready to use. A Context is not safe for concurrent changes; evaluations only read it.
type Context struct {
	// A call has about fifteen keys: a list that is searched from the front costs less than a map that is built anew.
	entries []contextEntry
}

type contextEntry struct {
	key string
	// one is the value of a key that has exactly one, as nearly all have: it costs no slice of its own.
	one    [1]string
	single bool
	values []string
}

func (e *contextEntry) get() ([]string, bool) {
	if e.single {
		return e.one[:], true
	}
	return e.values, len(e.values) > 0
}

// NewContext returns an empty context with room for n keys.
func NewContext(n int) Context {
	return Context{entries: make([]contextEntry, 0, n)}
}

// Set gives key the values, replacing what it had. Without values the key is absent. The values are copied.
func (c *Context) Set(key string, values ...string) {
	e := c.entry(normalizeKey(key))
	e.single, e.values = len(values) == 1, nil
	if e.single {
		e.one[0] = values[0]
		return
	}
	e.values = slices.Clone(values)
}

// entry returns the entry of a key, a new one if need be.
func (c *Context) entry(key string) *contextEntry {
	for i := range c.entries {
		if c.entries[i].key == key {
			return &c.entries[i]
		}
	}
	c.entries = append(c.entries, contextEntry{key: key})
	return &c.entries[len(c.entries)-1]
}

// Add is Set for keys that come from people: a name that has not the form of a condition key, an unknown global key and
// a key that is there already are errors.
func (c *Context) Add(key string, values ...string) error {
	if err := checkKey(key); err != nil {
		return errors.New(err.Reason)
	}
	if c.has(normalizeKey(key)) {
		return fmt.Errorf("condition key %q occurs twice; the case of a key does not matter", key)
	}
	c.Set(key, values...)
	return nil
}

// Get returns the values of key, and whether it is present with at least one.
func (c *Context) Get(key string) ([]string, bool) {
	return c.lookup(normalizeKey(key))
}

// lookup is Get for a key that is normalised already.
func (c *Context) lookup(key string) ([]string, bool) {
	for i := range c.entries {
		if c.entries[i].key == key {
			return c.entries[i].get()
		}
	}
	return nil, false
}

// has reports whether key was set, with or without values: a key that was set to nothing counts as given.
func (c *Context) has(key string) bool {
	for i := range c.entries {
		if c.entries[i].key == key {
			return true
		}
	}
	return false
}

// FillPrincipal sets the keys that describe the caller: aws:PrincipalArn (the role for a session), aws:PrincipalAccount,
// aws:PrincipalType, aws:userid if it is known and aws:username for users. A key that is there already is left as it is.
// An anonymous caller has none of them: API Gateway has these keys under AWS_IAM only.
func (c *Context) FillPrincipal(p Principal) {
	if p.Type == Anonymous || p.Type == Service {
		return
	}
	c.fill(KeyPrincipalARN, p.principalARN())
	c.fill(KeyPrincipalAccount, p.Account)
	c.fill(KeyPrincipalType, p.typeName())
	if p.UserID != "" {
		c.fill(KeyUserID, p.UserID)
	}
	if p.Type == User {
		c.fill(KeyUsername, lastElement(p.Name))
	}
}

func (c *Context) fill(key, value string) {
	if !c.has(key) {
		c.Set(key, value)
	}
}

// normalizeKey folds the case of a key. Only ASCII letters occur in names of keys; tag keys are folded the same way on
// both sides.
func normalizeKey(key string) string { return strings.ToLower(key) }
