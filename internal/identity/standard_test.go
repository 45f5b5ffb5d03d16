package identity_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/marquee-api/marquee/internal/identity"
	"github.com/marquee-api/marquee/internal/policy"
)

// TestOpenStandard asks each profile's policies for what the profiles promise.
func TestOpenStandard(t *testing.T) {
	d, _ := newDirectory(t)
	if err := d.OpenStandard(api); err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, c := range d.Profiles() {
		names = append(names, c.Profile)
	}
	if want := []string{"reader", "writer", "stranger", "foreign", "expired"}; !slices.Equal(names, want) {
		t.Fatalf("got profiles %q, want %q", names, want)
	}
	for name, test := range map[string]struct {
		foreign, expired bool
		may              string // of "GET", "PUT", "other API"
	}{
		"reader":   {may: "GET"},
		"writer":   {may: "GET PUT"},
		"stranger": {},
		"foreign":  {foreign: true, may: "GET PUT"},
		"expired":  {expired: true, may: "GET"},
	} {
		t.Run(name, func(t *testing.T) {
			c := profile(t, d, name)
			holder, ok := d.Lookup(c.AccessKeyID)
			if !ok {
				t.Fatal("the key is not known")
			}
			if foreign := holder.AccountID != account; foreign != test.foreign {
				t.Errorf("account is %s, want foreign %v", holder.AccountID, test.foreign)
			}
			if expired := c.Expires.Before(start); expired != test.expired {
				t.Errorf("expires %v, want expired %v", c.Expires, test.expired)
			}
			if want := "arn:aws:sts::" + holder.AccountID + ":assumed-role/marquee-" + name + "/" + name; c.ARN != want {
				t.Errorf("ARN is %s, want %s", c.ARN, want)
			}
			var may []string
			for _, try := range [][2]string{{"GET", api + "/dev/GET/movie_list/1999/X"}, {"PUT", api + "/dev/PUT/movie_list/1999/X"},
				{"other API", "arn:aws:execute-api:ap-northeast-2:123456789012:zzzzzzzzzz/dev/GET/movie_list"}} {
				call := policy.Call{Identity: holder.Policies, ResourceAccount: holder.AccountID}
				if call.Authorize(&policy.Request{Principal: holder.Principal, Action: "execute-api:Invoke", Resource: try[1]}).Decision == policy.Allow {
					may = append(may, try[0])
				}
			}
			if got := strings.Join(may, " "); got != test.may {
				t.Errorf("may %q, want %q", got, test.may)
			}
		})
	}
}

func TestOpenStandardForeignAccount(t *testing.T) {
	d, _ := newDirectory(t, func(c *identity.Config) { c.AccountID = "210987654321" })
	if err := d.OpenStandard(); err != nil {
		t.Fatal(err)
	}
	if c := profile(t, d, "foreign"); strings.Contains(c.ARN, "210987654321") {
		t.Errorf("foreign is %s, of the stack's own account", c.ARN)
	}
}

// TestExpiredStays: the key of a session that ended before the run stays known, so that its answer stays "expired".
func TestExpiredStays(t *testing.T) {
	d, c := newDirectory(t)
	if err := d.OpenStandard(api); err != nil {
		t.Fatal(err)
	}
	before := profile(t, d, "expired")
	c.advance(40 * 24 * time.Hour)
	if _, err := d.Rotate(); err != nil {
		t.Fatal(err)
	}
	if _, known := d.Lookup(before.AccessKeyID); !known || profile(t, d, "expired") != before {
		t.Error("the expired profile's key changed or is forgotten")
	}
}
