package identity_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/config"

	"github.com/marquee-api/marquee/internal/identity"
)

// TestRotate: a profile is minted anew when a third of its life is left, and what stood there stays good until its end.
func TestRotate(t *testing.T) {
	d, c := newDirectory(t)
	add(t, d, identity.Entity{ARN: roleARN("r")})
	add(t, d, identity.Entity{ARN: userARN("u")})
	first := open(t, d, identity.Profile{Name: "r", Entity: roleARN("r"), Lifetime: time.Hour})
	long := open(t, d, identity.Profile{Name: "u", Entity: userARN("u")})
	for _, step := range []struct {
		advance time.Duration
		rotated bool
	}{{40*time.Minute - time.Second, false}, {time.Second, true}, {39 * time.Minute, false}, {time.Minute, true}} {
		c.advance(step.advance)
		rotated, err := d.Rotate()
		if err != nil || rotated != step.rotated {
			t.Errorf("after %v: rotated %v, %v; want %v", c.now().Sub(start), rotated, err, step.rotated)
		}
	}
	now := profile(t, d, "r")
	if now.AccessKeyID == first.AccessKeyID || now.SecretAccessKey == first.SecretAccessKey || now.SessionToken == first.SessionToken {
		t.Error("the new credentials hold something of the old ones")
	}
	if want := start.Add(80*time.Minute + time.Hour); !now.Expires.Equal(want) {
		t.Errorf("the new ones end at %v, want %v", now.Expires, want)
	}
	old, known := d.Lookup(first.AccessKeyID)
	if !known || !old.Key.Expires.Equal(start.Add(time.Hour)) || old.Key.SessionToken != first.SessionToken {
		t.Error("the old credentials changed")
	}
	if profile(t, d, "u") != long {
		t.Error("a long-term key was rotated")
	}
}

// TestRun lets the real loop run on a clock of the test's own: the file changes by itself, nothing else does.
func TestRun(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d, err := identity.New(identity.Config{AccountID: account, Region: region}) // time.Now is the bubble's
		if err != nil {
			t.Fatal(err)
		}
		add(t, d, identity.Entity{ARN: roleARN("r")})
		first := open(t, d, identity.Profile{Name: "r", Entity: roleARN("r"), Lifetime: 3 * time.Hour})
		ctx, cancel := context.WithCancel(t.Context())
		var calls atomic.Int32
		ended := make(chan error, 1)
		go func() {
			ended <- d.Run(ctx, func() error {
				if calls.Add(1) == 1 {
					return errors.New("the disk is full")
				}
				return nil
			})
		}()
		var second identity.Credentials
		for _, step := range []struct {
			wait  time.Duration // of the bubble's clock
			calls int32
		}{
			{2*time.Hour - time.Second, 0},
			{2 * time.Second, 1}, // a third of the life is left: rotated, and the write failed
			{time.Minute, 2},     // tried again without a new rotation
			{time.Hour, 2},       // written: nothing more to do
		} {
			time.Sleep(step.wait)
			synctest.Wait()
			if got := calls.Load(); got != step.calls {
				t.Fatalf("after another %v: %d calls, want %d", step.wait, got, step.calls)
			}
			now := profile(t, d, "r")
			if (now != first) != (step.calls > 0) || second != (identity.Credentials{}) && now != second {
				t.Errorf("after another %v the profile holds %v", step.wait, now)
			}
			if step.calls > 0 {
				second = now
			}
		}
		cancel()
		if err := <-ended; err != nil {
			t.Errorf("Run = %v, want nothing after its context's end", err)
		}
	})
}

// TestRunAfterSleep: timers stand still in a laptop that sleeps. When it wakes, the loop looks again within a minute.
func TestRunAfterSleep(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c := &clock{t: start}
		d, err := identity.New(identity.Config{AccountID: account, Region: region, Now: c.now})
		if err != nil {
			t.Fatal(err)
		}
		add(t, d, identity.Entity{ARN: roleARN("r")})
		first := open(t, d, identity.Profile{Name: "r", Entity: roleARN("r")})
		ctx, cancel := context.WithCancel(t.Context())
		ended := make(chan error, 1)
		go func() { ended <- d.Run(ctx, func() error { return nil }) }()
		synctest.Wait()
		c.advance(20 * time.Hour)
		time.Sleep(time.Minute)
		synctest.Wait()
		if now := profile(t, d, "r"); now == first || !now.Expires.After(c.now()) {
			t.Errorf("a minute after waking the profile ends at %v, want after %v", now.Expires, c.now())
		}
		cancel()
		<-ended
	})
}

// TestWriteCredentials reads the file with the SDK.
func TestWriteCredentials(t *testing.T) {
	d, c := newDirectory(t)
	add(t, d, identity.Entity{ARN: roleARN("r")})
	add(t, d, identity.Entity{ARN: userARN("u")})
	open(t, d, identity.Profile{Name: "My.Role_1-x", Entity: roleARN("r"), Lifetime: time.Hour})
	open(t, d, identity.Profile{Name: "user", Entity: userARN("u")})
	path := filepath.Join(t.TempDir(), ".marquee", "credentials")
	for range 2 { // as written first, and as replaced after a rotation
		if err := d.WriteCredentials(path); err != nil {
			t.Fatal(err)
		}
		for _, want := range d.Profiles() {
			shared, err := config.LoadSharedConfigProfile(t.Context(), want.Profile, func(o *config.LoadSharedConfigOptions) {
				o.CredentialsFiles, o.ConfigFiles = []string{path}, nil
			})
			if err != nil {
				t.Fatal(err)
			}
			got := shared.Credentials
			if got.AccessKeyID != want.AccessKeyID || got.SecretAccessKey != want.SecretAccessKey || got.SessionToken != want.SessionToken || shared.Region != region {
				t.Errorf("the SDK reads something else for profile %s", want.Profile)
			}
		}
		c.advance(time.Hour)
		if rotated, err := d.Rotate(); err != nil || !rotated {
			t.Fatalf("Rotate = %v, %v", rotated, err)
		}
	}
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	if mode := info.Mode().Perm(); mode != 0o600 {
		t.Errorf("mode is %o, want 600", mode)
	}
	entries, err := os.ReadDir(filepath.Dir(path))
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v; want the file alone", entries, err)
	}
}

// TestWriteCredentialsFails leaves nothing behind.
func TestWriteCredentialsFails(t *testing.T) {
	d, _ := newDirectory(t)
	dir := t.TempDir()
	path := filepath.Join(dir, "credentials")
	if err := os.Mkdir(path, 0o700); err != nil { // a folder cannot be replaced by a file
		t.Fatal(err)
	}
	if err := d.WriteCredentials(path); err == nil || !strings.Contains(err.Error(), "credentials") {
		t.Errorf("got error %v, want one that names the file", err)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != 1 {
		t.Errorf("the folder holds %v, %v; want nothing new", entries, err)
	}
}
