package apiclient

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
)

// refreshWindow is how long before their end credentials are replaced. The gateway still accepts them then, so a
// request that is on its way does not arrive with an expired token.
const refreshWindow = time.Minute

// credentials hands out what signs requests, and can be told that it has become worthless.
type credentials struct {
	cache *aws.CredentialsCache
	turn  chan struct{} // held by the one request that finds out whether a refresh is due
}

func newCredentials(provider aws.CredentialsProvider) *credentials {
	cache, ok := provider.(*aws.CredentialsCache)
	if !ok {
		cache = aws.NewCredentialsCache(provider, func(o *aws.CredentialsCacheOptions) {
			o.ExpiryWindow, o.ExpiryWindowJitterFrac = refreshWindow, 0.5
		})
	}
	return &credentials{cache: cache, turn: make(chan struct{}, 1)}
}

func (c *credentials) retrieve(ctx context.Context) (aws.Credentials, error) {
	found, err := c.cache.Retrieve(ctx)
	if err != nil {
		return aws.Credentials{}, fmt.Errorf("retrieving credentials: %w", err)
	}
	if !found.HasKeys() {
		return aws.Credentials{}, fmt.Errorf("retrieving credentials: %q returned none", found.Source)
	}
	return found, nil
}

// replace asks the provider for other credentials than those that the gateway refused. It reports whether there are any.
// However many requests fail together, the provider is asked once.
func (c *credentials) replace(ctx context.Context, refused aws.Credentials) bool {
	select {
	case c.turn <- struct{}{}:
		defer func() { <-c.turn }()
	case <-ctx.Done():
		return false
	}
	current, err := c.cache.Retrieve(ctx)
	if err == nil && sameKeys(current, refused) {
		c.cache.Invalidate()
		current, err = c.cache.Retrieve(ctx)
	}
	return err == nil && current.HasKeys() && !sameKeys(current, refused)
}

func sameKeys(a, b aws.Credentials) bool {
	return a.AccessKeyID == b.AccessKeyID && a.SecretAccessKey == b.SecretAccessKey && a.SessionToken == b.SessionToken
}
