package identity

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"regexp"
	"sync"
	"time"

	"github.com/marquee-api/marquee/internal/policy"
)

// DefaultMaxSessions bounds the sessions that a Directory remembers: 10 MB, or 50 MB if all tokens are of MaxTokenSize.
const DefaultMaxSessions = 10_000

// remembered is how long a session that ended still counts as expired. After it the key is unknown, as AWS answers for a
// token that is weeks old; AWS's own time is not documented.
const remembered = 24 * time.Hour

// Config is the home of the identities and what a Directory needs of its surroundings.
type Config struct {
	Partition string // empty: "aws"
	AccountID string // the account of identities that name none
	Region    string // of the profiles in the credentials file

	// ManagedPolicies are the documents of managed policies that an identities file may name, by ARN.
	ManagedPolicies map[string]json.RawMessage
	// MaxSessions bounds the sessions in memory, those that ended included. Zero: DefaultMaxSessions.
	MaxSessions int

	// Secrets is told of the secret of each key and of its session token, and when they are forgotten. Nil: nobody is told.
	Secrets SecretKeeper

	Now    func() time.Time // nil: time.Now
	Random io.Reader        // of keys; nil: crypto/rand. It is read by one goroutine at a time
}

// SecretKeeper keeps secrets in order to know them again. It gets empty ones, too.
type SecretKeeper interface {
	Add(secrets ...string)
	Remove(secrets ...string)
}

// nobody is the keeper when none is told.
type nobody struct{}

func (nobody) Add(...string)    {}
func (nobody) Remove(...string) {}

// Directory holds the users, roles and keys of a run. It is safe for concurrent use.
type Directory struct {
	config Config

	mu       sync.RWMutex
	entities map[string]*entity // by ARN
	keys     map[string]*Identity
	ends     endings // the sessions among keys that will be forgotten
	profiles []*opened
	byName   map[string]*opened

	writing sync.Mutex // held while the credentials file is replaced
}

// New returns an empty Directory.
func New(config Config) (*Directory, error) {
	if config.Partition == "" {
		config.Partition = "aws"
	}
	if config.MaxSessions == 0 {
		config.MaxSessions = DefaultMaxSessions
	}
	if config.Secrets == nil {
		config.Secrets = nobody{}
	}
	if config.Now == nil {
		config.Now = time.Now
	}
	if config.Random == nil {
		config.Random = rand.Reader
	}
	switch {
	case !isAccount(config.AccountID):
		return nil, fmt.Errorf("identity: account %q is not 12 digits", config.AccountID)
	case !isRegion(config.Region):
		return nil, fmt.Errorf("identity: region %q is not a region's name such as ap-northeast-2", config.Region)
	case config.MaxSessions < 0:
		return nil, errors.New("identity: MaxSessions is negative")
	}
	return &Directory{
		config: config, entities: map[string]*entity{}, keys: map[string]*Identity{}, byName: map[string]*opened{},
	}, nil
}

var (
	accountPattern = regexp.MustCompile(`^[0-9]{12}$`)
	regionPattern  = regexp.MustCompile(`^[a-z0-9-]+$`)
)

func isAccount(s string) bool { return accountPattern.MatchString(s) }
func isRegion(s string) bool  { return regionPattern.MatchString(s) }

// Add makes a user or role known. It holds no key until a profile is opened or a session is minted.
func (d *Directory) Add(in Entity) error {
	e, err := newEntity(in)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.add(e)
}

func (d *Directory) add(e *entity) error {
	arn := e.principal.ARN
	if _, known := d.entities[arn]; known {
		return fmt.Errorf("%s is there already; each user and role is added once", arn)
	}
	d.entities[arn] = e
	return nil
}

// Lookup finds the holder of an access key, also of one that ended a while ago: its Key.Expires says so.
func (d *Directory) Lookup(accessKeyID string) (*Identity, bool) {
	d.mu.RLock()
	identity, ok := d.keys[accessKeyID]
	d.mu.RUnlock()
	return identity, ok
}

// Role finds a role by its ARN.
func (d *Directory) Role(arn string) (Role, bool) {
	d.mu.RLock()
	defer d.mu.RUnlock()
	e, ok := d.entities[arn]
	if !ok || !e.isRole() {
		return Role{}, false
	}
	return Role{
		ARN: arn, AccountID: e.principal.Account, Trust: e.trust, MaxSession: e.maxSession, Tags: maps.Clone(e.tags),
	}, true
}

// sessionPrincipal is a role's session as policies and messages name it.
func (e *entity) sessionPrincipal(name string) (policy.Principal, error) {
	p, err := policy.ParsePrincipal(fmt.Sprintf("arn:%s:sts::%s:assumed-role/%s/%s",
		e.principal.Partition, e.principal.Account, e.principal.Name, name))
	if err != nil {
		return policy.Principal{}, err
	}
	p.RoleARN, p.UserID = e.principal.ARN, e.uniqueID+":"+name
	return p, nil
}
