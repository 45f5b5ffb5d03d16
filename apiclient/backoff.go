package apiclient

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// scaledBackoff is the SDK's exponential backoff in another unit: the SDK's first bound of two seconds is the base.
type scaledBackoff struct {
	sdk       retry.BackoffDelayer
	base, max time.Duration
}

func newScaledBackoff(base, most time.Duration) scaledBackoff {
	// The SDK's own bound has no jitter beyond it, so it is far away, and the wait is bounded here.
	const never = 1 << 20 * time.Second
	return scaledBackoff{sdk: retry.NewExponentialJitterBackoff(never), base: base, max: most}
}

// BackoffDelay implements retry.BackoffDelayer.
func (b scaledBackoff) BackoffDelay(attempt int, err error) (time.Duration, error) {
	const first = 2 * time.Second
	d, err := b.sdk.BackoffDelay(attempt, err)
	scaled := float64(d) / float64(first) * float64(b.base)
	return time.Duration(min(scaled, float64(b.max))), err
}
