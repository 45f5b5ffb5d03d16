package sidecar

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// Source finds where credentials come from, as the SDK's default chain does. It is asked again when the gateway has
// refused what the last provider gave: a credentials file may have been written anew, which no provider notices.
type Source func(context.Context) (aws.CredentialsProvider, error)

const (
	// renewWindow is how long before their end credentials are replaced in the background.
	renewWindow = 5 * time.Minute
	// clientWindow is how long before their end the client's own cache asks for others, at most.
	clientWindow = time.Minute
	// renewTick is how often it is looked at: a machine that slept has missed any longer timer.
	renewTick = 15 * time.Second
	// renewTimeout bounds one attempt in the background.
	renewTimeout = 30 * time.Second
)

// keeper holds credentials and replaces them before they end, so that no request waits for that. The client in front of
// it has an [aws.CredentialsCache], which asks when it has none, when those it has are about to end, and when the
// gateway refused them.
type keeper struct {
	source  Source
	now     func() time.Time
	log     *slog.Logger
	renewed func(error)

	turn     chan struct{} // held while credentials are fetched
	provider aws.CredentialsProvider
	given    bool // the current ones were handed out
	current  atomic.Pointer[aws.Credentials]
}

var _ aws.CredentialsProvider = (*keeper)(nil)

func newKeeper(source Source, now func() time.Time, log *slog.Logger) *keeper {
	return &keeper{source: source, now: now, log: log, turn: make(chan struct{}, 1)}
}

// Retrieve returns other credentials than the last time if there are any. Only when those of the last time still live
// can they have been refused; then the source is looked at anew, and without better ones they are all there is.
func (k *keeper) Retrieve(ctx context.Context) (aws.Credentials, error) {
	if err := k.take(ctx); err != nil {
		return aws.Credentials{}, err
	}
	defer k.leave()
	current := k.current.Load()
	lives := current != nil && !k.endsWithin(current, clientWindow)
	if !lives || k.given {
		found, err := k.fetch(ctx, lives)
		if err != nil && !lives {
			return aws.Credentials{}, err
		}
		if err == nil {
			current = found
		}
	}
	k.given = true
	return *current, nil
}

func (k *keeper) take(ctx context.Context) error {
	select {
	case k.turn <- struct{}{}:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("%w: %w", errCredentials, context.Cause(ctx))
	}
}

func (k *keeper) leave() { <-k.turn }

// fetch asks the provider, past whatever cache it has. anew looks for the provider again.
func (k *keeper) fetch(ctx context.Context, anew bool) (*aws.Credentials, error) {
	found, err := k.ask(ctx, anew)
	if k.renewed != nil {
		k.renewed(err)
	}
	if err != nil {
		return nil, fmt.Errorf("%w: %w", errCredentials, err)
	}
	if old := k.current.Swap(&found); old == nil || old.AccessKeyID != found.AccessKeyID || old.SessionToken != found.SessionToken {
		k.given = false
	}
	return &found, nil
}

func (k *keeper) ask(ctx context.Context, anew bool) (aws.Credentials, error) {
	if k.provider == nil || anew {
		provider, err := k.source(ctx)
		if err != nil {
			return aws.Credentials{}, err
		}
		k.provider = provider
	}
	if cache, ok := k.provider.(*aws.CredentialsCache); ok {
		cache.Invalidate()
	}
	found, err := k.provider.Retrieve(ctx)
	switch {
	case err != nil:
		return aws.Credentials{}, err
	case !found.HasKeys():
		return aws.Credentials{}, fmt.Errorf("%q returned none", found.Source)
	case k.endsWithin(&found, 0):
		return aws.Credentials{}, fmt.Errorf("those of %q ended at %s", found.Source, found.Expires.Format(time.RFC3339))
	}
	return found, nil
}

func (k *keeper) endsWithin(c *aws.Credentials, window time.Duration) bool {
	return c.CanExpire && !k.now().Add(window).Before(c.Expires)
}

// check reports whether there are credentials to sign with, and asks for some if there are none.
func (k *keeper) check(ctx context.Context) error {
	if current := k.current.Load(); current != nil && !k.endsWithin(current, 0) {
		return nil
	}
	if err := k.take(ctx); err != nil {
		return err
	}
	defer k.leave()
	if current := k.current.Load(); current != nil && !k.endsWithin(current, 0) {
		return nil
	}
	_, err := k.fetch(ctx, false)
	return err
}

// run renews in the background until the context ends. What fails is tried again at the next tick, while the old
// credentials serve as long as they live.
func (k *keeper) run(ctx context.Context) {
	tick := time.NewTicker(renewTick)
	defer tick.Stop()
	for {
		if err := k.renew(ctx); err != nil && !errors.Is(err, context.Canceled) {
			k.log.Warn("credentials could not be renewed", "error", err.Error())
		}
		select {
		case <-tick.C:
		case <-ctx.Done():
			return
		}
	}
}

func (k *keeper) renew(ctx context.Context) error {
	if current := k.current.Load(); current != nil && !k.endsWithin(current, renewWindow) {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, renewTimeout)
	defer cancel()
	if err := k.take(ctx); err != nil {
		return err
	}
	defer k.leave()
	_, err := k.fetch(ctx, false)
	return err
}

// expires is when the credentials end, in Unix time.
func (k *keeper) expires() float64 {
	current := k.current.Load()
	if current == nil || !current.CanExpire {
		return 0
	}
	return float64(current.Expires.Unix())
}
