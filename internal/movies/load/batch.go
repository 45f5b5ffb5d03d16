package load

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"golang.org/x/sync/errgroup"
	"golang.org/x/time/rate"

	"github.com/marquee-api/marquee/internal/movies"
)

const (
	// maxBatchWrite and maxBatchGet are DynamoDB's limits (API reference, BatchWriteItem and BatchGetItem).
	maxBatchWrite = 25
	maxBatchGet   = 100
	// slowest is the rate, in items a second, that throttling never goes below.
	slowest = 10 * maxBatchWrite
	// backOff and speedUp are how the rate follows the table: down at once, up a little each second that passes well.
	backOff = 0.7
	speedUp = 1.1
	// grace is how long the step under way may go on when the run is stopped.
	grace = 20 * time.Second
)

// Retry says how long a batch that DynamoDB does not take is tried again.
type Retry struct {
	// MaxPause bounds the pause between two tries; 0 means five seconds.
	MaxPause time.Duration
	// Tries ends a run when a batch has not been taken so often; 0 means never: the table is slow, not wrong.
	Tries int
}

// writer writes chunks with several workers at a common rate.
type writer struct {
	Loader
	limiter *rate.Limiter
	backoff *retry.ExponentialJitterBackoff

	mu      sync.Mutex
	started time.Time
	written int       // items since started
	changed time.Time // when the rate was changed last
}

func newWriter(l Loader) *writer {
	if l.Retry.MaxPause == 0 {
		l.Retry.MaxPause = 5 * time.Second
	}
	return &writer{Loader: l, limiter: rate.NewLimiter(rate.Inf, 4*maxBatchWrite), backoff: retry.NewExponentialJitterBackoff(l.Retry.MaxPause)}
}

// write puts all items of the movies: first their places in collections, and what has to go from others, then the movies
// themselves. So whoever finds a movie by its key finds it in its collections, and what a run has not finished is known to
// be missing by the next one.
func (w *writer) write(ctx context.Context, s *step, report *Report) error {
	if len(s.movies) == 0 {
		return nil
	}
	report.Items += len(s.heads) + len(s.places)
	if w.DryRun {
		return nil
	}
	// What has begun is finished even if the run is stopped, but not without end.
	stopped := ctx
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(stopped, func() { time.AfterFunc(grace, cancel) })()
	gone, err := w.stale(ctx, s.movies)
	if err != nil {
		return err
	}
	if err := w.batches(ctx, append(s.places, gone...), report); err != nil {
		return err
	}
	if err := w.batches(ctx, s.heads, report); err != nil {
		return err
	}
	report.Removed += len(gone)
	return nil
}

func putOf(item map[string]types.AttributeValue) types.WriteRequest {
	return types.WriteRequest{PutRequest: &types.PutRequest{Item: item}}
}

// batches writes the requests with all workers and waits for the last.
func (w *writer) batches(ctx context.Context, requests []types.WriteRequest, report *Report) error {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	batches := make(chan []types.WriteRequest)
	var group sync.WaitGroup
	for range w.Workers {
		group.Go(func() {
			for batch := range batches {
				throttled, err := w.batch(ctx, batch)
				if err != nil {
					cancel(err)
					return
				}
				w.mu.Lock()
				report.Throttled += throttled
				w.mu.Unlock()
			}
		})
	}
	for len(requests) > 0 && ctx.Err() == nil {
		n := min(len(requests), maxBatchWrite)
		select {
		case batches <- requests[:n]:
		case <-ctx.Done():
		}
		requests = requests[n:]
	}
	close(batches)
	group.Wait()
	return context.Cause(ctx)
}

// batch writes one batch until DynamoDB has taken all of it.
func (w *writer) batch(ctx context.Context, requests []types.WriteRequest) (throttled int, err error) {
	for try := 1; ; try++ {
		if err := w.limiter.WaitN(ctx, len(requests)); err != nil {
			return throttled, err
		}
		out, err := w.Client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{w.Table: requests},
		})
		left := []types.WriteRequest(nil)
		switch {
		case err == nil:
			// The answer may name the table otherwise than the question did, but it is the only one.
			for _, unprocessed := range out.UnprocessedItems {
				left = append(left, unprocessed...)
			}
		case isThrottle(err):
			left = requests
		default:
			return throttled, fmt.Errorf("table %s: %w", w.Table, err)
		}
		w.adapt(len(requests)-len(left), len(left))
		if len(left) == 0 {
			return throttled, nil
		}
		throttled++
		requests = left
		if try == w.Retry.Tries {
			return throttled, fmt.Errorf("table %s: %d items were not taken in %d tries", w.Table, len(left), try)
		}
		pause, err := w.backoff.BackoffDelay(min(try, 10), nil)
		if err != nil {
			return throttled, err
		}
		if err := sleep(ctx, pause); err != nil {
			return throttled, err
		}
	}
}

func isThrottle(err error) bool {
	return retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err) == aws.TrueTernary
}

// adapt sets the rate by what just happened. It starts without one; the first refusal shows what the table takes.
func (w *writer) adapt(taken, refused int) {
	w.mu.Lock()
	defer w.mu.Unlock()
	now := time.Now()
	if w.started.IsZero() {
		w.started = now
	}
	w.written += taken
	limit := w.limiter.Limit()
	switch {
	case refused > 0 && now.Sub(w.changed) > 100*time.Millisecond: // one answer to what all workers meet at once
		if limit == rate.Inf {
			limit = rate.Limit(float64(w.written) / max(now.Sub(w.started).Seconds(), 0.1))
		}
		w.limiter.SetLimit(max(limit*backOff, slowest))
		w.changed = now
	case refused == 0 && limit != rate.Inf && now.Sub(w.changed) > time.Second:
		w.limiter.SetLimit(limit * speedUp)
		w.changed = now
	}
}

func sleep(ctx context.Context, d time.Duration) error {
	select {
	case <-ctx.Done():
		return context.Cause(ctx)
	case <-time.After(d):
		return nil
	}
}

// stale returns the removals of what movies of a step left in collections that they are not in any more.
func (w *writer) stale(ctx context.Context, all []movies.Movie) ([]types.WriteRequest, error) {
	var (
		group errgroup.Group
		mu    sync.Mutex
		gone  []types.WriteRequest
	)
	for part := range slices.Chunk(all, maxBatchGet) {
		group.Go(func() error {
			found, err := w.stalePart(ctx, part)
			mu.Lock()
			defer mu.Unlock()
			gone = append(gone, found...)
			return err
		})
	}
	return gone, group.Wait()
}

func (w *writer) stalePart(ctx context.Context, part []movies.Movie) (gone []types.WriteRequest, err error) {
	asked := types.KeysAndAttributes{ConsistentRead: aws.Bool(true)}
	now := make(map[movies.Key]movies.Movie, len(part))
	for _, m := range part {
		asked.Keys = append(asked.Keys, movies.ItemKey(m.Key()))
		now[m.Key()] = m
	}
	for try := 1; ; try++ {
		out, err := w.Client.BatchGetItem(ctx, &dynamodb.BatchGetItemInput{RequestItems: map[string]types.KeysAndAttributes{w.Table: asked}})
		if err != nil && !isThrottle(err) {
			return gone, fmt.Errorf("table %s: %w", w.Table, err)
		}
		if err == nil {
			asked = types.KeysAndAttributes{}
			for _, left := range out.UnprocessedKeys {
				asked = left
			}
			for _, items := range out.Responses {
				for _, item := range items {
					removals, err := removed(item, now)
					if err != nil {
						return gone, err
					}
					gone = append(gone, removals...)
				}
			}
		}
		if len(asked.Keys) == 0 {
			return gone, nil
		}
		pause, err := w.backoff.BackoffDelay(min(try, 10), nil)
		if err != nil {
			return gone, err
		}
		if err := sleep(ctx, pause); err != nil {
			return gone, err
		}
	}
}

func removed(item map[string]types.AttributeValue, now map[movies.Key]movies.Movie) ([]types.WriteRequest, error) {
	old, err := movies.FromItem(item)
	if err != nil {
		return nil, errors.New("the table has an item that is no movie: " + err.Error())
	}
	var gone []types.WriteRequest
	for _, key := range movies.StaleKeys(old, now[old.Key()]) {
		gone = append(gone, types.WriteRequest{DeleteRequest: &types.DeleteRequest{Key: key}})
	}
	return gone, nil
}
