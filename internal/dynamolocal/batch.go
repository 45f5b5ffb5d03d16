package dynamolocal

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
)

const (
	// batchSize is the most that BatchWriteItem takes (its API reference).
	batchSize = 25
	// maxTries bounds how often what DynamoDB left unprocessed is sent again.
	maxTries     = 10
	firstBackoff = 50 * time.Millisecond
	maxBackoff   = 2 * time.Second
)

// item is one of the input, on its way to the table.
type item struct {
	attributes map[string]types.AttributeValue
	key        string
	at         place
}

// batch is what goes to the table together.
type batch struct {
	items []item
	// count is how many were added: more than len(items) if some replaced others.
	count int
}

// add puts the item into the batch, in place of one with the same key: BatchWriteItem refuses a
// batch that has a key twice.
func (b *batch) add(it item) {
	b.count++
	same := func(other item) bool { return other.key == it.key }
	if i := slices.IndexFunc(b.items, same); i >= 0 {
		b.items[i] = it
		return
	}
	b.items = append(b.items, it)
}

// flush empties the batch into the table and returns how many of what was added are there now.
func (l Loader) flush(ctx context.Context, b *batch) (n int, err error) {
	items, count := b.items, b.count
	*b = batch{}
	if len(items) == 0 {
		return 0, nil
	}
	err = l.put(ctx, items)
	if err == nil {
		return count, nil
	}
	if _, refused := refusal(err); !refused {
		return 0, fmt.Errorf("%s to %s: %w", items[0].at, items[len(items)-1].at, err)
	}
	// DynamoDB refuses a whole batch for one of its items and does not say which. Alone, the item
	// is known; and two spellings of one number as a key, such as 1 and 1.0, are no conflict.
	for _, it := range items {
		if err := l.put(ctx, []item{it}); err != nil {
			if api, refused := refusal(err); refused {
				err = api // without the address, the request's number and so on
			}
			return n, it.at.wrap(err)
		}
		n++
	}
	return count, nil
}

// put writes the items, and again those that DynamoDB leaves unprocessed, a bounded number of
// times (BatchWriteItem's API reference: with exponential backoff).
func (l Loader) put(ctx context.Context, items []item) error {
	requests := make([]types.WriteRequest, len(items))
	for i, it := range items {
		requests[i] = types.WriteRequest{PutRequest: &types.PutRequest{Item: it.attributes}}
	}
	backoff := firstBackoff
	for try := 1; ; try++ {
		out, err := l.Client.BatchWriteItem(ctx, &dynamodb.BatchWriteItemInput{
			RequestItems: map[string][]types.WriteRequest{l.Table: requests},
		})
		if err != nil {
			return err
		}
		requests = nil
		// The answer may name the table otherwise than the question did, but it is the only one.
		for _, left := range out.UnprocessedItems {
			requests = append(requests, left...)
		}
		if len(requests) == 0 {
			return nil
		}
		if try == maxTries {
			return fmt.Errorf("%d of %d items are still unprocessed after %d tries", len(requests), len(items), try)
		}
		if err := l.Wait(ctx, backoff); err != nil {
			return err
		}
		backoff = min(2*backoff, maxBackoff)
	}
}

// refusal reports whether DynamoDB refused what was asked, as opposed to not being able to do it.
func refusal(err error) (smithy.APIError, bool) {
	var api smithy.APIError
	return api, errors.As(err, &api) && api.ErrorCode() == "ValidationException"
}

// wait pauses in real time.
func wait(ctx context.Context, d time.Duration) error {
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}
