package apiclient

import (
	"context"
	"errors"
	"io"
	"math"
	"net"
	"net/http"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/ratelimit"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
)

// Retry says when a request is sent again. Every attempt is signed anew with the time and the credentials of that
// moment, and sends the body from its beginning. The zero value is right for most.
//
// One extra attempt each for a corrected clock and for refreshed credentials is not counted here: API Gateway refused
// those requests before anything ran, so they are repeated whatever the method.
type Retry struct {
	// MaxAttempts is the number of attempts, the first one included. 0 means 3; 1 means no retries.
	MaxAttempts int
	// MaxBackoff bounds the wait between attempts. 0 means 20 seconds. A wait that would outlast the context's deadline
	// is not begun, nor one that leaves less time than the quickest answer of this client has taken: what is at hand is
	// returned instead. An answer's Retry-After lengthens the wait, in seconds or as a date, which counts from the answer's
	// own Date, or without one from the client's clock; one above MaxBackoff is no longer a moment, and the answer is
	// returned.
	MaxBackoff time.Duration
	// BaseDelay bounds the first wait. Each bound is twice the one before, up to MaxBackoff, and a wait is a random part of
	// it. 0 leaves the waits to the SDK: 2 seconds, 4 seconds, and so on.
	BaseDelay time.Duration
	// Backoff replaces the wait between attempts, BaseDelay with it; attempt counts from 1. nil is the SDK's exponential
	// backoff with jitter.
	Backoff retry.BackoffDelayer
	// Condition decides whether an attempt is worth another one. nil is [RetryTransient]. It sees a refusal by its status
	// first, and where that is not worth one, again if its body breaks off.
	Condition func(Attempt) bool
	// AllMethods applies Condition to POST and PATCH, too. Without it methods that HTTP does not call idempotent (RFC 9110
	// section 9.2.2) are repeated only where nothing can have run: API Gateway throttled the request, or no connection
	// could be made.
	AllMethods bool
	// OnRetry is told of each attempt that another one follows, and of the wait before it. Attempts that are repeated for a
	// corrected clock or for new credentials are not retries. nil costs nothing.
	OnRetry func(a Attempt, wait time.Duration)
}

// Attempt is one sending of a request and what came of it.
type Attempt struct {
	// Number counts from 1.
	Number int
	// Request is the caller's request. Its body must not be read.
	Request *http.Request
	// StatusCode is 0 when there was no answer. With an Err it is that of an answer whose body broke off.
	StatusCode int
	// Header is the answer's.
	Header http.Header
	// Err is why there was no answer, or no whole one where the client reads it: see [Client.Do].
	Err error
}

// ErrorType is API Gateway's name for the error, empty when it did not make the answer.
func (a Attempt) ErrorType() string { return errorType(a.Header) }

// retryAfter is how long the answer asks to wait (RFC 9110 section 10.2.3). The movie list does with a 503, API Gateway
// itself never does. A date is measured by the clock that wrote it, or where that is not told by the time of now. Digits
// that no number holds are the longest time that there is.
func (a Attempt) retryAfter(now time.Time) time.Duration {
	const most = math.MaxInt64 / int64(time.Second)
	text := a.Header.Get("Retry-After")
	if allOf(text, isDigit) {
		seconds, err := strconv.ParseInt(text, 10, 64)
		if err != nil || seconds > most {
			seconds = most
		}
		return time.Duration(seconds) * time.Second
	}
	until, err := http.ParseTime(text)
	if err != nil {
		return 0
	}
	if written, err := http.ParseTime(a.Header.Get("Date")); err == nil {
		now = written
	}
	return max(until.Sub(now), 0)
}

// RetryTransient is the default condition: connection errors, throttling, and the server errors 500, 502, 503 and 504.
// A quota that is used up (LimitExceededException) is not throttling: it lasts for the rest of its day, week or month.
func RetryTransient(a Attempt) bool {
	if a.Err != nil {
		return isConnectionError(a.Err)
	}
	switch a.StatusCode {
	case http.StatusTooManyRequests:
		return a.ErrorType() != TypeLimitExceeded
	case http.StatusInternalServerError, http.StatusBadGateway, http.StatusServiceUnavailable, http.StatusGatewayTimeout:
		return true
	default:
		return false
	}
}

// isConnectionError adds to the SDK's rule what net/http says when a server hangs up.
func isConnectionError(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return false
	}
	if errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) {
		return true
	}
	text := err.Error()
	for _, sign := range []string{"server closed idle connection", "stream error: ", "http2: server sent GOAWAY", "http2: client connection lost"} {
		if strings.Contains(text, sign) {
			return true
		}
	}
	return retry.RetryableConnectionError{}.IsErrorRetryable(err) == aws.TrueTernary
}

// isIdempotent is RFC 9110 section 9.2.2.
func isIdempotent(method string) bool {
	switch method {
	case "", http.MethodGet, http.MethodHead, http.MethodOptions, http.MethodTrace, http.MethodPut, http.MethodDelete:
		return true
	default:
		return false
	}
}

// ranNothing reports whether the function cannot have seen the request: the gateway throttles before it invokes, and
// without a connection nothing is sent. A function's own 429 has no type.
func (a Attempt) ranNothing() bool {
	if a.Err == nil {
		return a.StatusCode == http.StatusTooManyRequests && a.ErrorType() == TypeTooManyRequests
	}
	var op *net.OpError
	return errors.As(a.Err, &op) && op.Op == "dial"
}

// retrier is the policy with the SDK's backoff and retry quota behind it.
type retrier struct {
	policy Retry
	sdk    *retry.Standard
	*experience
}

// experience is what the calls of a client share, whatever their policies.
type experience struct {
	quota    *ratelimit.TokenRateLimit
	quickest atomic.Int64 // of all answers, in nanoseconds; 0 before the first one
}

// learn remembers the quickest answer. Two at once may lose one of them, which costs nothing.
func (r *experience) learn(f flight) {
	took := int64(f.received.Sub(f.sent))
	if before := r.quickest.Load(); took > 0 && (before == 0 || took < before) {
		r.quickest.Store(took)
	}
}

func newRetrier(policy Retry) *retrier {
	return newRetrierWith(policy, &experience{quota: ratelimit.NewTokenRateLimit(retry.DefaultRetryRateTokens)})
}

func newRetrierWith(policy Retry, shared *experience) *retrier {
	if policy.Condition == nil {
		policy.Condition = RetryTransient
	}
	if policy.MaxBackoff <= 0 {
		policy.MaxBackoff = retry.DefaultMaxBackoff
	}
	if policy.Backoff == nil && policy.BaseDelay > 0 {
		policy.Backoff = newScaledBackoff(policy.BaseDelay, policy.MaxBackoff)
	}
	standard := retry.NewStandard(func(o *retry.StandardOptions) {
		o.RateLimiter = shared.quota
		o.MaxAttempts = policy.MaxAttempts
		o.Backoff = policy.Backoff
		o.MaxBackoff = policy.MaxBackoff
	})
	policy.MaxAttempts = standard.MaxAttempts()
	return &retrier{policy: policy, sdk: standard, experience: shared}
}

// wants reports whether the policy asks for another attempt.
func (r *retrier) wants(a Attempt) bool {
	return a.Number < r.policy.MaxAttempts &&
		(r.policy.AllMethods || isIdempotent(a.Request.Method) || a.ranNothing()) &&
		r.policy.Condition(a)
}

// settle gives quota back after an attempt that went well: what its retry had cost, and a little for every success.
func (r *retrier) settle(a Attempt, release func(error) error) {
	if a.Err != nil || a.StatusCode >= http.StatusInternalServerError || a.StatusCode == http.StatusTooManyRequests {
		return
	}
	if release != nil {
		release(nil) //nolint:errcheck // a token bucket takes back whatever it is given
	}
	r.quota.AddTokens(retry.DefaultNoRetryIncrement) //nolint:errcheck // as above
}

// reserve takes a retry out of the quota and returns how long to wait before it. It reports false when the quota is used
// up or the context would end first. Now is the client's clock. Release says how the retry went: success gives the quota back.
func (r *retrier) reserve(ctx context.Context, a Attempt, now time.Time) (wait time.Duration, release func(error) error, ok bool) {
	cause := a.Err
	if cause == nil {
		cause = &APIError{StatusCode: a.StatusCode, Type: a.ErrorType()}
	}
	wait, err := r.sdk.RetryDelay(a.Number, cause)
	if err != nil {
		return 0, nil, false
	}
	asked := a.retryAfter(now)
	if asked > r.policy.MaxBackoff {
		return 0, nil, false
	}
	wait = max(wait, asked)
	if !r.inTime(ctx, wait) {
		return 0, nil, false
	}
	release, err = r.sdk.GetRetryToken(ctx, cause)
	if err != nil {
		return 0, nil, false
	}
	return wait, release, true
}

// inTime reports whether another attempt after a wait can end before the context does: nothing has been quicker so far
// than the quickest answer.
func (r *retrier) inTime(ctx context.Context, wait time.Duration) bool {
	deadline, ok := ctx.Deadline()
	return !ok || time.Until(deadline) > wait+time.Duration(r.quickest.Load())
}

// sleep waits, or returns the context's error if that ends first.
func sleep(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return ctx.Err()
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
