package movies

import (
	"context"
	"errors"
	"fmt"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
)

// DynamoAPI is the part of DynamoDB's client that DynamoStore uses: two ways of reading and two of writing.
type DynamoAPI interface {
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
	PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error)
	TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error)
}

// DynamoStore keeps movies in a table as docs/data-model.md describes it. It is safe for concurrent use; set its fields
// before.
type DynamoStore struct {
	// Now is the clock that records of requests expire by; nil means time.Now.
	Now func() time.Time

	api   DynamoAPI
	table string

	ring struct {
		sync.Mutex
		keys [][]byte
		read time.Time
	}
}

var (
	_ Store  = (*DynamoStore)(nil)
	_ Writer = (*DynamoStore)(nil)
)

// NewDynamoStore returns the store over the table of that name.
func NewDynamoStore(api DynamoAPI, table string) *DynamoStore {
	return &DynamoStore{api: api, table: table}
}

// Get reads one movie as it is at this moment. It returns CodeNotFound if there is none, CodeInvalidParameter for a key
// that no movie can have, and the codes of a store that does not answer.
func (s *DynamoStore) Get(ctx context.Context, key Key) (Movie, error) {
	if err := key.Validate(); err != nil {
		return Movie{}, err
	}
	item, err := s.getItem(ctx, home(key), titleKey(key))
	if err != nil {
		return Movie{}, err
	}
	if len(item) == 0 {
		return Movie{}, notFound(key)
	}
	var m Movie
	return m, s.decode(item, &m)
}

func notFound(key Key) error {
	return &Error{Code: CodeNotFound, Message: fmt.Sprintf("there is no movie %s of %d", quote(key.Title), key.Year)}
}

// getItem reads one item, consistently: who has just written a movie reads it, and the entity tag of what is read is good
// for a condition.
func (s *DynamoStore) getItem(ctx context.Context, collection, position string) (attributes, error) {
	out, err := s.api.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &s.table, Key: attributes{attrCollection: text(collection), attrByTitle: text(position)},
		ConsistentRead: aws.Bool(true), ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if err != nil {
		return nil, s.fault(ctx, "GetItem", err)
	}
	found := 0
	if len(out.Item) > 0 {
		found = 1
	}
	count(ctx, Usage{Calls: 1, Items: found, ReadUnits: units(out.ConsumedCapacity)})
	return out.Item, nil
}

func units(c *types.ConsumedCapacity) float64 {
	if c == nil {
		return 0
	}
	return aws.ToFloat64(c.CapacityUnits)
}

func (s *DynamoStore) decode(item attributes, m *Movie) error {
	if err := decodeMovie(item, m); err != nil {
		return &Error{Code: CodeInternal, Err: fmt.Errorf("item %q of collection %q of table %q is no movie: %w",
			textOf(item, attrByTitle), textOf(item, attrCollection), s.table, err)}
	}
	return nil
}

// fault turns an error of the SDK into one of the application: what may pass by itself or is repaired by an operator
// gets a code of its own, the rest (a role without the right, a refused expression) is our own fault.
func (s *DynamoStore) fault(ctx context.Context, operation string, err error) error {
	cause := fmt.Errorf("dynamodb %s on table %q: %w", operation, s.table, redact(err))
	again := "try again later"
	if operation == "TransactWriteItems" {
		again = "read the movie to see whether it was written, or send the request again with the same Idempotency-Key"
	}
	switch {
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return &Error{Code: CodeTimeout, Message: "the movie store did not answer in time: " + again, Err: cause}
	case throttled(err):
		return &Error{Code: CodeThrottled, Message: "the movie store is asked for more than it can do at the moment, try again later", Err: cause}
	case unavailable(err):
		return &Error{Code: CodeUnavailable, Message: "the movie store cannot be reached at the moment: " + again, Err: cause}
	}
	return &Error{Code: CodeInternal, Err: cause}
}

// throttled also looks into a cancelled transaction, whose reasons say it item by item.
func throttled(err error) bool {
	if cancelled, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		return slices.ContainsFunc(cancelled.CancellationReasons, func(r types.CancellationReason) bool {
			code := aws.ToString(r.Code)
			return code == "ThrottlingError" || code == "ProvisionedThroughputExceeded"
		})
	}
	return retry.IsErrorThrottles(retry.DefaultThrottles).IsErrorThrottle(err) == aws.TrueTernary
}

func unavailable(err error) bool {
	if _, ok := errors.AsType[*types.ResourceNotFoundException](err); ok {
		return true
	}
	// Any failure to send, among them the unknown host that the SDK's own classes leave out.
	if _, ok := errors.AsType[*smithyhttp.RequestSendError](err); ok {
		return true
	}
	// An attempt's timeout, or a request that was given up.
	if network, ok := errors.AsType[net.Error](err); ok && network.Timeout() || errors.Is(err, context.Canceled) {
		return true
	}
	// An answer that broke off, or that something else than DynamoDB gave.
	if _, ok := errors.AsType[*smithy.DeserializationError](err); ok {
		return true
	}
	// A transaction that others kept from happening, as often as it was tried, or an earlier attempt still at work.
	if _, ok := errors.AsType[*types.TransactionCanceledException](err); ok {
		return conflicted(err) || overtaken(err)
	}
	if _, ok := errors.AsType[*types.TransactionInProgressException](err); ok {
		return true
	}
	return retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary
}

// redact withholds the text of a signature error: AWS's answer may repeat the canonical request, and with it the
// session token.
func redact(err error) error {
	if api, ok := errors.AsType[smithy.APIError](err); ok && strings.Contains(api.ErrorCode(), "Signature") {
		return fmt.Errorf("%s (message withheld)", api.ErrorCode())
	}
	return err
}

func (s *DynamoStore) now() time.Time {
	if s.Now == nil {
		return time.Now()
	}
	return s.Now()
}
