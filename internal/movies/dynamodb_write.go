package movies

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

const (
	// writeAttempts bounds how often a write begins anew because others changed the same movie meanwhile.
	writeAttempts = 5
	// requestCollection is the head of the key of a request's record.
	requestCollection = "request#"
	requestPosition   = "outcome"
	attrFingerprint   = "fingerprint"
	attrCreated       = "created"
)

// maxTransaction is DynamoDB's limit (API reference, TransactWriteItems).
const maxTransaction = 100

// A write touches the movie and its year, all its collections before and after, and the record of its request. (This does
// not compile if the limits of a movie allow more than a transaction does.)
const _ = uint(maxTransaction - (2 + 2*(MaxGenres+MaxDirectors+MaxActors) + 1))

// Put makes or replaces a movie, all its items in one transaction. Errors: CodeInvalidMovie, CodePreconditionFailed,
// CodePreconditionRequired, CodeIdempotencyKeyReused, and the codes of a store that does not answer: then the write may
// have happened, and a Request that has a name can be repeated safely.
func (s *DynamoStore) Put(ctx context.Context, m Movie, c Condition, r Request) (Outcome, error) {
	if err := m.Validate(); err != nil {
		return Outcome{}, err
	}
	items := Items(m)
	if size := ItemBytes(items[0]); size > MaxItemBytes {
		return Outcome{}, refuse(CodeInvalidMovie, []string{fmt.Sprintf("the movie may have %d bytes in the table, got %d", MaxItemBytes, size)})
	}
	return s.write(ctx, change{key: m.Key(), items: items, tag: m.ETag(), condition: c, request: r})
}

// Delete removes a movie, all its items in one transaction. Errors: those of Put, and CodeNotFound if there is none.
func (s *DynamoStore) Delete(ctx context.Context, k Key, c Condition, r Request) (Outcome, error) {
	if err := k.Validate(); err != nil {
		return Outcome{}, err
	}
	return s.write(ctx, change{key: k, condition: c, request: r})
}

// change is one write: a movie's new items and tag, or none to remove it.
type change struct {
	key       Key
	items     []attributes
	tag       string
	condition Condition
	request   Request
}

// write reads what is there, decides, and changes it on the condition that it is still there. What comes in between makes
// it begin anew: then the caller's condition decides again.
func (s *DynamoStore) write(ctx context.Context, c change) (Outcome, error) {
	backoff := retry.NewExponentialJitterBackoff(maxBackoff)
	for attempt := 1; ; attempt++ {
		if done, ok, err := s.replay(ctx, c.request); ok || err != nil {
			return done, err
		}
		before, err := s.getItem(ctx, home(c.key), titleKey(c.key))
		if err != nil {
			return Outcome{}, err
		}
		outcome, input, err := s.prepare(c, before)
		if err != nil {
			return Outcome{}, err
		}
		out, err := s.api.TransactWriteItems(ctx, input)
		if err == nil {
			for _, consumed := range out.ConsumedCapacity {
				count(ctx, Usage{WriteUnits: units(&consumed)})
			}
			count(ctx, Usage{Calls: 1})
			return outcome, nil
		}
		// Only a transaction that certainly did not happen is begun anew.
		if !overtaken(err) && !conflicted(err) || attempt == writeAttempts {
			return Outcome{}, s.fault(ctx, "TransactWriteItems", err)
		}
		delay, _ := backoff.BackoffDelay(attempt, err)
		select {
		case <-ctx.Done():
			return Outcome{}, s.fault(ctx, "TransactWriteItems", err)
		case <-time.After(delay):
		}
	}
}

// prepare checks the caller's condition against what is there, and puts the transaction together.
func (s *DynamoStore) prepare(c change, before attributes) (Outcome, *dynamodb.TransactWriteItemsInput, error) {
	var (
		old    Movie
		oldTag string
	)
	if len(before) > 0 {
		if err := s.decode(before, &old); err != nil {
			return Outcome{}, nil, err
		}
		oldTag = old.ETag()
	}
	// A condition is not looked at where the answer would be an error without it (RFC 9110, section 13.2.1).
	if c.items == nil && oldTag == "" {
		return Outcome{}, nil, notFound(c.key)
	}
	if err := c.condition.check(c.key, oldTag); err != nil {
		return Outcome{}, nil, err
	}
	outcome := Outcome{Created: oldTag == "", ETag: c.tag}
	var gone []place
	if oldTag != "" {
		gone = places(old)
	}
	in := &dynamodb.TransactWriteItemsInput{ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal}
	for i, item := range c.items {
		put := &types.Put{TableName: &s.table, Item: item}
		if i == 0 {
			put.ConditionExpression, put.ExpressionAttributeNames, put.ExpressionAttributeValues = unchanged(before)
		}
		in.TransactItems = append(in.TransactItems, types.TransactWriteItem{Put: put})
		gone = slices.DeleteFunc(gone, func(p place) bool { return p.collection == textOf(item, attrCollection) })
	}
	for _, p := range gone {
		remove := &types.Delete{TableName: &s.table, Key: attributes{attrCollection: text(p.collection), attrByTitle: text(p.byTitle)}}
		if p.collection == home(c.key) {
			remove.ConditionExpression, remove.ExpressionAttributeNames, remove.ExpressionAttributeValues = unchanged(before)
		}
		in.TransactItems = append(in.TransactItems, types.TransactWriteItem{Delete: remove})
	}
	if c.request.IdempotencyKey != "" {
		in.TransactItems = append(in.TransactItems, types.TransactWriteItem{Put: s.record(c.request, outcome)})
	}
	return outcome, in, nil
}

// unchanged is the condition that the movie is as it was read.
func unchanged(before attributes) (*string, map[string]string, attributes) {
	if before[attrRevision] == nil {
		return aws.String("attribute_not_exists(#rev)"), map[string]string{"#rev": attrRevision}, nil
	}
	return aws.String("#rev = :rev"), map[string]string{"#rev": attrRevision}, attributes{":rev": before[attrRevision]}
}

// record is the memory of a request, written with what it does. One that has expired may still lie there: DynamoDB takes
// its time (Developer Guide, "Using time to live").
func (s *DynamoStore) record(r Request, o Outcome) *types.Put {
	now := s.now()
	return &types.Put{
		TableName: &s.table,
		Item: attributes{
			attrCollection: text(requestCollection + r.id()), attrByTitle: text(requestPosition), attrFingerprint: text(r.Fingerprint),
			attrCreated: &types.AttributeValueMemberBOOL{Value: o.Created}, attrRevision: text(o.ETag),
			attrExpires: &types.AttributeValueMemberN{Value: strconv.FormatInt(now.Add(IdempotencyLifetime).Unix(), 10)},
		},
		ConditionExpression:       aws.String("attribute_not_exists(#c) OR #expires <= :now"),
		ExpressionAttributeNames:  map[string]string{"#c": attrCollection, "#expires": attrExpires},
		ExpressionAttributeValues: attributes{":now": &types.AttributeValueMemberN{Value: strconv.FormatInt(now.Unix(), 10)}},
	}
}

// replay looks whether the request has been carried out before.
func (s *DynamoStore) replay(ctx context.Context, r Request) (o Outcome, done bool, err error) {
	if r.IdempotencyKey == "" {
		return Outcome{}, false, nil
	}
	item, err := s.getItem(ctx, requestCollection+r.id(), requestPosition)
	if err != nil || len(item) == 0 {
		return Outcome{}, false, err
	}
	var record struct {
		Expires int64 `dynamodbav:"expires"`
	}
	if err := attributevalue.UnmarshalMap(item, &record); err != nil {
		return Outcome{}, false, &Error{Code: CodeInternal, Err: fmt.Errorf("the record of a request: %w", err)}
	}
	if record.Expires <= s.now().Unix() {
		return Outcome{}, false, nil
	}
	if textOf(item, attrFingerprint) != r.Fingerprint {
		return Outcome{}, false, &Error{Code: CodeIdempotencyKeyReused,
			Message: "the Idempotency-Key came with another request before: use a new key for each request"}
	}
	created, _ := item[attrCreated].(*types.AttributeValueMemberBOOL)
	return Outcome{Created: created != nil && created.Value, ETag: textOf(item, attrRevision), Replayed: true}, true, nil
}

// overtaken says that a condition of the transaction did not hold: somebody was faster.
func overtaken(err error) bool { return cancelledFor(err, "ConditionalCheckFailed") }

// conflicted says that another transaction was at work on one of the items.
func conflicted(err error) bool { return cancelledFor(err, "TransactionConflict") }

func cancelledFor(err error, code string) bool {
	cancelled, ok := errors.AsType[*types.TransactionCanceledException](err)
	return ok && slices.ContainsFunc(cancelled.CancellationReasons, func(r types.CancellationReason) bool { return aws.ToString(r.Code) == code })
}
