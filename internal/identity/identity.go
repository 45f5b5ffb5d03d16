// Package identity says who exists in the accounts of a local stack: users and roles with their policies, the keys that
// they hold, and the named profiles by which people and tools use them.
//
// A Directory mints keys of AWS's form, finds the holder of a key, replaces the sessions of its profiles before they end
// and writes them as an AWS shared credentials file. Load adds identities from a file. The rules are those of the IAM user
// guide ("IAM identifiers", "Temporary security credentials in IAM").
//
// The package verifies no signature, decides no call and reads no template; it speaks no HTTP, which internal/identity/sts
// does. Keys live in memory and in the credentials file only, and open nothing outside of this machine.
package identity

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/marquee-api/marquee/internal/policy"
	"github.com/marquee-api/marquee/internal/sigv4"
)

// Identity is the holder of one access key, with all that decides what it may do. It does not change.
type Identity struct {
	// Name is the profile's, else the session's: for people and records.
	Name      string
	Principal policy.Principal
	AccountID string
	UniqueID  string // "AROA…:session", "AIDA…"

	AccessKeyID string
	Key         sigv4.Key
	IssuedAt    time.Time // aws:TokenIssueTime; zero for a long-term key

	Policies []*policy.Document
	Boundary *policy.Document // nil: none
	Session  *policy.Document // the session policy that a role was assumed with; nil: none

	// ContextKeys are further condition keys: aws:PrincipalTag/…, aws:SourceIdentity.
	ContextKeys map[string]string
	// TransitiveTags are the session tags that the sessions of a role chain inherit.
	TransitiveTags map[string]string
	SourceIdentity string
}

// Temporary reports whether the key is one of a session.
func (i *Identity) Temporary() bool { return i.Key.SessionToken != "" }

// String names the identity and its key and hides the secrets, so that an Identity may be logged.
func (i Identity) String() string {
	return fmt.Sprintf("%s (%s, key %s)", i.Name, i.Principal.ARN, i.AccessKeyID)
}

// GoString is String: "%#v" must not print secrets either.
func (i Identity) GoString() string { return i.String() }

// principalTags makes the condition keys of the tags of an entity and of its session. A session tag replaces the
// entity's tag of the same key, whose case does not matter (IAM user guide, "Pass session tags in AWS STS").
func principalTags(entity, session map[string]string) (map[string]string, error) {
	tags := make(map[string]string, len(entity)+len(session))
	for key, value := range entity {
		if !hasFold(session, key) {
			tags[key] = value
		}
	}
	maps.Copy(tags, session)
	if err := checkTags(tags); err != nil {
		return nil, err
	}
	keys := make(map[string]string, len(tags)+1)
	for key, value := range tags {
		keys["aws:PrincipalTag/"+key] = value
	}
	return keys, nil
}

// checkTags accepts tags that can be condition keys.
func checkTags(tags map[string]string) error {
	ctx := policy.NewContext(len(tags))
	for _, key := range slices.Sorted(maps.Keys(tags)) {
		if err := ctx.Add("aws:PrincipalTag/"+key, tags[key]); err != nil {
			return fmt.Errorf("tag %q: %w", key, err)
		}
	}
	return nil
}

func hasFold(tags map[string]string, key string) bool {
	for name := range tags {
		if strings.EqualFold(name, key) {
			return true
		}
	}
	return false
}
