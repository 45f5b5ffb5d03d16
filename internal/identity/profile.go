package identity

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/marquee-api/marquee/internal/policy"
)

// DefaultLifetime of a role's profile: AWS's longest session of a role.
const DefaultLifetime = 12 * time.Hour

// longestSession is that of a user, 36 hours (STS API reference, GetSessionToken).
const longestSession = 36 * time.Hour

// Profile is a name in the credentials file and whose credentials stand under it.
type Profile struct {
	// Name of 1 to 128 letters, digits and _.-
	Name string
	// Entity is the ARN of the user or role.
	Entity string
	// Session names the role's session. Empty: the profile's name, shortened to 64 characters.
	Session string
	// Lifetime of the sessions that follow each other under the name. Zero: DefaultLifetime for a role, a long-term key
	// for a user. Negative: the one session ended that long ago, and is not replaced.
	Lifetime time.Duration
	// Policy is the session policy of a role; nil is none.
	Policy *Policy
}

// opened is a profile and the identity that now stands under its name.
type opened struct {
	name    string
	session Session   // what is minted again
	due     time.Time // when; zero: never
	holder  *Identity
}

// Open mints the profile's first credentials. They are in the credentials file from its next writing on.
func (d *Directory) Open(p Profile) error {
	document, err := p.Policy.parse("profile "+p.Name, "session policy", policy.KindIdentity)
	if err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	return d.open(p, document)
}

func (d *Directory) open(p Profile, sessionPolicy *policy.Document) error {
	if err := checkProfileName(p.Name); err != nil {
		return err
	}
	if _, taken := d.byName[p.Name]; taken {
		return fmt.Errorf("profile %q is there already; take another name", p.Name)
	}
	e, ok := d.entities[p.Entity]
	if !ok {
		return fmt.Errorf("profile %q: %q is no user or role that is known here", p.Name, p.Entity)
	}
	if err := checkLifetime(p.Lifetime, e.isRole()); err != nil {
		return fmt.Errorf("profile %q: %w", p.Name, err)
	}
	o := &opened{name: p.Name, session: Session{Entity: p.Entity, Lifetime: p.Lifetime, Policy: sessionPolicy}}
	if e.isRole() {
		o.session.Name = sessionName(p)
		if p.Lifetime == 0 {
			o.session.Lifetime = DefaultLifetime
		}
	} else if sessionPolicy != nil || p.Session != "" {
		return fmt.Errorf("profile %q: only sessions of roles have a name or a session policy, %s is a user", p.Name, p.Entity)
	}
	if err := d.renew(o); err != nil {
		return fmt.Errorf("profile %q: %w", p.Name, err)
	}
	d.profiles, d.byName[p.Name] = append(d.profiles, o), o
	return nil
}

// renew mints what stands under a profile's name from now on. What stood there stays good until its own end.
func (d *Directory) renew(o *opened) (err error) {
	if o.session.Lifetime == 0 {
		o.holder, err = d.longTerm(d.entities[o.session.Entity])
	} else {
		o.holder, err = d.mint(o.session, true)
	}
	if err != nil {
		return err
	}
	o.holder.Name = o.name
	if o.session.Lifetime > 0 {
		// A third of its life is left to who has just read it.
		o.due = o.holder.Key.Expires.Add(-o.session.Lifetime / 3)
	}
	return nil
}

func checkProfileName(name string) error {
	if name == "" || len(name) > 128 || !only(name, "_.-") {
		return fmt.Errorf("%q cannot name a profile; want 1 to 128 letters, digits and _.-", name)
	}
	return nil
}

func checkLifetime(lifetime time.Duration, role bool) error {
	longest := longestSession
	if role {
		longest = DefaultLifetime
	}
	switch {
	case lifetime > longest:
		return fmt.Errorf("a lifetime of %v is longer than AWS's longest, %v", lifetime, longest)
	case lifetime%time.Second != 0:
		return fmt.Errorf("a lifetime of %v is not in whole seconds", lifetime)
	}
	return nil
}

func sessionName(p Profile) string {
	name := p.Session
	if name == "" {
		name = p.Name
	}
	if len(name) == 1 {
		name += "-" // a profile may have one letter, a session may not
	}
	return name[:min(len(name), 64)]
}

// Rotate mints anew what stands under the names of profiles that have lived two thirds of their lifetime, and reports
// whether there were any. It also forgets sessions that ended long ago.
func (d *Directory) Rotate() (bool, error) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.config.Now()
	d.forget(now)
	rotated := false
	for _, o := range d.profiles {
		if o.due.IsZero() || now.Before(o.due) {
			continue
		}
		if err := d.renew(o); err != nil {
			return rotated, fmt.Errorf("profile %q: %w", o.name, err)
		}
		rotated = true
	}
	return rotated, nil
}

// look is the longest that Run waits: timers stand still while a laptop sleeps, and sessions go on ending.
const look = time.Minute

// Run rotates until the context ends, which is a wish and no error. It calls changed after each rotation, and again at
// its next look, at most a minute later, for as long as changed fails; to tell somebody is for changed.
func (d *Directory) Run(ctx context.Context, changed func() error) error {
	timer := time.NewTimer(d.wait())
	defer timer.Stop()
	pending := false
	for {
		select {
		case <-ctx.Done():
			return nil
		case <-timer.C:
		}
		rotated, err := d.Rotate()
		if err != nil {
			return err
		}
		if rotated || pending {
			pending = changed() != nil
		}
		timer.Reset(d.wait())
	}
}

// wait is the time until a profile is due. It is never nothing, so that a clock that stands still keeps nobody busy.
func (d *Directory) wait() time.Duration {
	d.mu.RLock()
	defer d.mu.RUnlock()
	wait, now := look, d.config.Now()
	for _, o := range d.profiles {
		if !o.due.IsZero() {
			wait = min(wait, o.due.Sub(now))
		}
	}
	return max(wait, 10*time.Millisecond)
}

// Credentials are what stands under a profile's name.
type Credentials struct {
	Profile string
	ARN     string // of the session or user, as AWS names the caller

	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string    // empty: a long-term key
	Expires         time.Time // zero: never
}

// String names the profile and its key and hides the secrets.
func (c Credentials) String() string {
	return fmt.Sprintf("%s (%s, key %s)", c.Profile, c.ARN, c.AccessKeyID)
}

// GoString is String: "%#v" must not print secrets either.
func (c Credentials) GoString() string { return c.String() }

// Profiles returns what now stands under each profile's name, in the order in which they were opened.
func (d *Directory) Profiles() []Credentials {
	d.mu.RLock()
	defer d.mu.RUnlock()
	out := make([]Credentials, 0, len(d.profiles))
	for _, o := range d.profiles {
		key := o.holder.Key
		out = append(out, Credentials{
			Profile: o.name, ARN: o.holder.Principal.ARN, AccessKeyID: o.holder.AccessKeyID,
			SecretAccessKey: key.SecretAccessKey, SessionToken: key.SessionToken, Expires: key.Expires,
		})
	}
	return slices.Clip(out)
}
