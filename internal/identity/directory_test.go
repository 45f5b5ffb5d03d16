package identity_test

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/identity"
	"github.com/marquee-api/marquee/internal/policy"
)

const (
	account = "123456789012"
	region  = "ap-northeast-2"
	api     = "arn:aws:execute-api:ap-northeast-2:123456789012:a1b2c3d4e5"
)

var start = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

func newDirectory(t *testing.T, change ...func(*identity.Config)) (*identity.Directory, *clock) {
	t.Helper()
	c := &clock{t: start}
	config := identity.Config{AccountID: account, Region: region, Now: c.now}
	for _, f := range change {
		f(&config)
	}
	d, err := identity.New(config)
	if err != nil {
		t.Fatal(err)
	}
	return d, c
}

func add(t *testing.T, d *identity.Directory, e identity.Entity) {
	t.Helper()
	if err := d.Add(e); err != nil {
		t.Fatal(err)
	}
}

func open(t *testing.T, d *identity.Directory, p identity.Profile) identity.Credentials {
	t.Helper()
	if err := d.Open(p); err != nil {
		t.Fatal(err)
	}
	return profile(t, d, p.Name)
}

func profile(t *testing.T, d *identity.Directory, name string) identity.Credentials {
	t.Helper()
	for _, c := range d.Profiles() {
		if c.Profile == name {
			return c
		}
	}
	t.Fatalf("no profile %q", name)
	return identity.Credentials{}
}

func roleARN(name string) string { return "arn:aws:iam::" + account + ":role/" + name }
func userARN(name string) string { return "arn:aws:iam::" + account + ":user/" + name }

func TestRoleSession(t *testing.T) {
	d, _ := newDirectory(t)
	add(t, d, identity.Entity{
		ARN: roleARN("team/Auditor"), UniqueID: "AROAAAAAAAAAAAAAAAAAA", Tags: map[string]string{"Team": "audit", "stage": "dev"},
		Policies: []identity.Policy{{Name: "p", Document: []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)}},
		Boundary: &identity.Policy{Document: []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"execute-api:*","Resource":"*"}}`)},
	})
	session, err := d.Mint(identity.Session{
		Entity: roleARN("team/Auditor"), Name: "ann@work", Lifetime: time.Hour, SourceIdentity: "ann",
		Tags: map[string]string{"team": "books", "cost": "7"}, TransitiveTagKeys: []string{"COST"},
	})
	if err != nil {
		t.Fatal(err)
	}
	found, ok := d.Lookup(session.AccessKeyID)
	if !ok || found != session {
		t.Errorf("Lookup(%q) = %v, %v; want the session", session.AccessKeyID, found, ok)
	}
	// The lengths are those of AWS's example credentials in the STS API reference (id and secret).
	for name, check := range map[string]struct{ text, pattern string }{
		"id":     {session.AccessKeyID, `^ASIA[A-Z2-7]{16}$`},
		"secret": {session.Key.SecretAccessKey, `^[A-Za-z0-9+/]{40}$`},
		"token":  {session.Key.SessionToken, `^[A-Za-z0-9+/]{320}$`},
	} {
		if !regexp.MustCompile(check.pattern).MatchString(check.text) {
			t.Errorf("%s has %d characters, want %s", name, len(check.text), check.pattern)
		}
	}
	want := policy.Principal{
		ARN: "arn:aws:sts::123456789012:assumed-role/Auditor/ann@work", Type: policy.AssumedRole, Partition: "aws", Account: account,
		Name: "Auditor", Session: "ann@work", RoleARN: roleARN("team/Auditor"), UserID: "AROAAAAAAAAAAAAAAAAAA:ann@work",
	}
	if diff := cmp.Diff(want, session.Principal); diff != "" {
		t.Errorf("principal (-want +got):\n%s", diff)
	}
	keys := map[string]string{
		"aws:PrincipalTag/team": "books", "aws:PrincipalTag/stage": "dev", "aws:PrincipalTag/cost": "7", "aws:SourceIdentity": "ann",
	}
	if diff := cmp.Diff(keys, session.ContextKeys); diff != "" {
		t.Errorf("context keys (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff(map[string]string{"cost": "7"}, session.TransitiveTags); diff != "" {
		t.Errorf("transitive tags (-want +got):\n%s", diff)
	}
	if !session.IssuedAt.Equal(start) || !session.Key.Expires.Equal(start.Add(time.Hour)) {
		t.Errorf("issued %v until %v, want %v and an hour", session.IssuedAt, session.Key.Expires, start)
	}
	if session.UniqueID != want.UserID || session.AccountID != account || len(session.Policies) != 1 || session.Boundary == nil {
		t.Errorf("got %+v", session)
	}
}

func TestUserKeys(t *testing.T) {
	d, _ := newDirectory(t)
	add(t, d, identity.Entity{ARN: userARN("team/ann")})
	long := open(t, d, identity.Profile{Name: "ann", Entity: userARN("team/ann")})
	if !regexp.MustCompile(`^AKIA[A-Z2-7]{16}$`).MatchString(long.AccessKeyID) || long.SessionToken != "" || !long.Expires.IsZero() {
		t.Errorf("long-term key is %v, token %t, until %v", long, long.SessionToken != "", long.Expires)
	}
	holder, _ := d.Lookup(long.AccessKeyID)
	if holder.Temporary() || !holder.IssuedAt.IsZero() || holder.Principal.ARN != userARN("team/ann") {
		t.Errorf("holder of the long-term key is %v, issued %v", holder, holder.IssuedAt)
	}
	if !regexp.MustCompile(`^AIDA[A-Z2-7]{17}$`).MatchString(holder.UniqueID) || holder.Principal.UserID != holder.UniqueID {
		t.Errorf("unique id is %q, aws:userid %q", holder.UniqueID, holder.Principal.UserID)
	}
	session := open(t, d, identity.Profile{Name: "session", Entity: userARN("team/ann"), Lifetime: 36 * time.Hour})
	if !strings.HasPrefix(session.AccessKeyID, "ASIA") || session.SessionToken == "" || session.ARN != userARN("team/ann") {
		t.Errorf("session is %v, token %t", session, session.SessionToken != "")
	}
}

func TestUniqueIDsStay(t *testing.T) {
	var ids []string
	for range 2 {
		d, _ := newDirectory(t)
		add(t, d, identity.Entity{ARN: roleARN("r")})
		s, err := d.Mint(identity.Session{Entity: roleARN("r"), Name: "one", Lifetime: time.Hour})
		if err != nil {
			t.Fatal(err)
		}
		ids = append(ids, s.UniqueID)
	}
	if ids[0] != ids[1] || !regexp.MustCompile(`^AROA[A-Z2-7]{17}:one$`).MatchString(ids[0]) {
		t.Errorf("got ids %q, want the same in each run", ids)
	}
}

// TestWallClock: what is printed in whole seconds ends then, too, and by the wall clock, which goes on in a laptop that
// sleeps, unlike the monotonic one.
func TestWallClock(t *testing.T) {
	now := time.Now().Truncate(time.Second).Add(999 * time.Millisecond)
	running := time.Now()
	d, _ := newDirectory(t, func(c *identity.Config) { c.Now = func() time.Time { return running } })
	add(t, d, identity.Entity{ARN: roleARN("r")})
	running = running.Add(now.Sub(running)) // keeps the monotonic reading
	s, err := d.Mint(identity.Session{Entity: roleARN("r"), Name: "one", Lifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	for name, at := range map[string]time.Time{"issued": s.IssuedAt, "expires": s.Key.Expires} {
		if at.Nanosecond() != 0 || strings.Contains(at.String(), "m=") {
			t.Errorf("%s at %v, want whole seconds of the wall clock", name, at)
		}
	}
	if want := now.Add(time.Hour).Truncate(time.Second); !s.Key.Expires.Equal(want) {
		t.Errorf("expires at %v, want %v", s.Key.Expires, want)
	}
}

func TestTokenSize(t *testing.T) {
	d, _ := newDirectory(t)
	add(t, d, identity.Entity{ARN: roleARN("r")})
	for size, want := range map[int]int{0: 320, 319: 320, 321: 321, 322: 322, 4095: 4095, 4096: 4096, 5000: 4096} {
		s, err := d.Mint(identity.Session{Entity: roleARN("r"), Name: "one", Lifetime: time.Hour, TokenSize: size})
		if err != nil {
			t.Fatal(err)
		}
		if got := s.Key.SessionToken; len(got) != want || !regexp.MustCompile(`^[A-Za-z0-9+/]+$`).MatchString(got) {
			t.Errorf("asked for %d characters: got %d, want %d", size, len(got), want)
		}
	}
}

// TestSecurityNothingPrintsSecrets prints what others may log, in every way that fmt has.
func TestSecurityNothingPrintsSecrets(t *testing.T) {
	d, _ := newDirectory(t)
	add(t, d, identity.Entity{ARN: roleARN("r")})
	c := open(t, d, identity.Profile{Name: "r", Entity: roleARN("r")})
	holder, _ := d.Lookup(c.AccessKeyID)
	for _, format := range []string{"%v", "%+v", "%#v", "%s", "%q"} {
		for _, value := range []any{c, &c, holder, *holder, d.Profiles()} {
			text := fmt.Sprintf(format, value)
			if strings.Contains(text, c.SecretAccessKey) || strings.Contains(text, c.SessionToken) {
				t.Errorf("%s of a %T prints a secret", format, value)
			}
		}
	}
}

// TestForgetting: an expired session stays known for a day and is unknown then.
func TestForgetting(t *testing.T) {
	d, c := newDirectory(t)
	add(t, d, identity.Entity{ARN: roleARN("r")})
	s, err := d.Mint(identity.Session{Entity: roleARN("r"), Name: "one", Lifetime: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		advance time.Duration
		known   bool
	}{{time.Hour, true}, {24*time.Hour - time.Second, true}, {time.Second, true}, {time.Second, false}} {
		c.advance(step.advance)
		if _, err := d.Rotate(); err != nil {
			t.Fatal(err)
		}
		if _, known := d.Lookup(s.AccessKeyID); known != step.known {
			t.Errorf("after %v: known is %v, want %v", c.now().Sub(start), known, step.known)
		}
	}
}

func TestMaxSessions(t *testing.T) {
	d, c := newDirectory(t, func(c *identity.Config) { c.MaxSessions = 3 })
	add(t, d, identity.Entity{ARN: roleARN("r")})
	mint := func(lifetime time.Duration) (*identity.Identity, error) {
		return d.Mint(identity.Session{Entity: roleARN("r"), Name: "one", Lifetime: lifetime})
	}
	var first *identity.Identity
	for i := range 3 {
		s, err := mint(time.Duration(i+1) * time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		if i == 0 {
			first = s
		}
	}
	if _, err := mint(time.Hour); !errors.Is(err, identity.ErrTooManySessions) {
		t.Fatalf("fourth session: got error %v, want %v", err, identity.ErrTooManySessions)
	}
	open(t, d, identity.Profile{Name: "p", Entity: roleARN("r")}) // a profile is opened all the same
	c.advance(2 * time.Hour)                                      // two have ended, and make room
	if _, err := mint(time.Hour); err != nil {
		t.Fatal(err)
	}
	if _, known := d.Lookup(first.AccessKeyID); known {
		t.Error("the session that ended first is still known, want it dropped for a new one")
	}
}

func TestAddRefuses(t *testing.T) {
	document := func(s string) []identity.Policy {
		return []identity.Policy{{Name: "p", Document: []byte(s), Place: "template.yaml:12"}}
	}
	trust := &identity.Policy{Document: []byte(`{"Version":"2012-10-17","Statement":{"Effect":"Allow","Principal":"*","Action":"sts:AssumeRole"}}`)}
	for name, test := range map[string]struct {
		entity identity.Entity
		want   string
	}{
		"no ARN":            {identity.Entity{ARN: "auditor"}, `"auditor" is not the ARN of a user or role`},
		"root":              {identity.Entity{ARN: "arn:aws:iam::123456789012:root"}, "is not the ARN of a user or role"},
		"session":           {identity.Entity{ARN: "arn:aws:sts::123456789012:assumed-role/r/s"}, "is not the ARN of a user or role"},
		"anonymous":         {identity.Entity{ARN: "anonymous"}, "is not the ARN of a user or role"},
		"service":           {identity.Entity{ARN: "lambda.amazonaws.com"}, "is not the ARN of a user or role"},
		"there already":     {identity.Entity{ARN: roleARN("there")}, "is there already"},
		"policy":            {identity.Entity{ARN: roleARN("r"), Policies: document(`{"Statement":{"Effect":"Maybe"}}`)}, `template.yaml:12: arn:aws:iam::123456789012:role/r, policy "p": identity policy: Statement[0]: Effect`},
		"unknown operator":  {identity.Entity{ARN: roleARN("r"), Policies: document(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEqualz":{"aws:SourceVpce":"x"}}}}`)}, "StringEqualz"},
		"trust of a user":   {identity.Entity{ARN: userARN("u"), Trust: trust}, "a user has no trust policy"},
		"trust as identity": {identity.Entity{ARN: roleARN("r"), Trust: &document(`{"Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`)[0]}, "trust policy"},
		"max session":       {identity.Entity{ARN: roleARN("r"), MaxSession: 13 * time.Hour}, "AWS allows 1h to 12h"},
		"tag":               {identity.Entity{ARN: roleARN("r"), Tags: map[string]string{"a*": "b"}}, `tag "a*"`},
		"tags by case":      {identity.Entity{ARN: roleARN("r"), Tags: map[string]string{"a": "b", "A": "b"}}, `occurs twice`},
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := newDirectory(t)
			add(t, d, identity.Entity{ARN: roleARN("there")})
			if err := d.Add(test.entity); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestOpenRefuses(t *testing.T) {
	for name, test := range map[string]struct {
		profile identity.Profile
		want    string
	}{
		"name with a line break": {identity.Profile{Name: "a\n[b]", Entity: roleARN("r")}, "cannot name a profile"},
		"no name":                {identity.Profile{Entity: roleARN("r")}, "cannot name a profile"},
		"taken":                  {identity.Profile{Name: "taken", Entity: roleARN("r")}, "is there already"},
		"unknown entity":         {identity.Profile{Name: "p", Entity: roleARN("x")}, "no user or role that is known"},
		"longer than AWS's":      {identity.Profile{Name: "p", Entity: roleARN("r"), Lifetime: 13 * time.Hour}, "longer than AWS's longest"},
		"parts of a second":      {identity.Profile{Name: "p", Entity: roleARN("r"), Lifetime: time.Millisecond}, "whole seconds"},
		"session of a user":      {identity.Profile{Name: "p", Entity: userARN("u"), Session: "s"}, "only sessions of roles"},
		"session name":           {identity.Profile{Name: "p", Entity: roleARN("r"), Session: "a b"}, "cannot name a session"},
		"session policy":         {identity.Profile{Name: "p", Entity: roleARN("r"), Policy: &identity.Policy{Document: []byte("{}")}}, "session policy"},
	} {
		t.Run(name, func(t *testing.T) {
			d, _ := newDirectory(t)
			add(t, d, identity.Entity{ARN: roleARN("r")})
			add(t, d, identity.Entity{ARN: userARN("u")})
			open(t, d, identity.Profile{Name: "taken", Entity: roleARN("r")})
			if err := d.Open(test.profile); err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("got error %v, want one with %q", err, test.want)
			}
		})
	}
}

func TestNewRefuses(t *testing.T) {
	for name, config := range map[string]identity.Config{
		"account": {AccountID: "12345", Region: region},
		"region":  {AccountID: account, Region: "here\n[x]"},
		"maximum": {AccountID: account, Region: region, MaxSessions: -1},
	} {
		if _, err := identity.New(config); err == nil {
			t.Errorf("%s: got no error", name)
		}
	}
}

func TestRandomThatRepeatsOrEnds(t *testing.T) {
	d, _ := newDirectory(t, func(c *identity.Config) { c.Random = bytes.NewReader(make([]byte, 2*(10+30+240)+10)) })
	add(t, d, identity.Entity{ARN: roleARN("r")})
	s := identity.Session{Entity: roleARN("r"), Name: "one", Lifetime: time.Hour}
	if _, err := d.Mint(s); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"repeats itself", "reading random bytes"} {
		if _, err := d.Mint(s); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got error %v, want one with %q", err, want)
		}
	}
}

// TestConcurrent runs everything at once; the race detector judges.
func TestConcurrent(t *testing.T) {
	d, c := newDirectory(t)
	add(t, d, identity.Entity{ARN: roleARN("r")})
	open(t, d, identity.Profile{Name: "p", Entity: roleARN("r"), Lifetime: 3 * time.Second})
	path := t.TempDir() + "/credentials"
	var group sync.WaitGroup
	for g := range 8 {
		group.Go(func() {
			for i := range 30 {
				s, err := d.Mint(identity.Session{Entity: roleARN("r"), Name: "one", Lifetime: time.Hour})
				if err != nil {
					t.Error(err)
					return
				}
				if found, ok := d.Lookup(s.AccessKeyID); !ok || found.Key != s.Key {
					t.Error("a session that was minted is not found")
				}
				d.Role(roleARN("r"))
				if i%10 == g {
					c.advance(time.Second)
					if _, err := d.Rotate(); err != nil {
						t.Error(err)
					}
					if err := d.WriteCredentials(path); err != nil {
						t.Error(err)
					}
				}
			}
		})
	}
	group.Wait()
}
