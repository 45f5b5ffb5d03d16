package movies

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// The keys of page tokens lie in the table itself, as a list of which the first seals. That costs no further service and
// no right that the function does not have anyway; who can read the item can read every movie, and a token is worth no
// more than that. To change the key, put a new one before the old one, and remove the old one after a day.
const (
	keyringCollection = "config#page-tokens"
	keyringPosition   = "keys"
	attrKeys          = "keys"
	// keyringPause bounds how often tokens with unknown keys make the store look for new ones.
	keyringPause = time.Minute
)

// TokenKeys is a Keyring. It reads the keys once and keeps them; the first function of a new table makes a key. Called
// while the process starts, it opens the connection to DynamoDB besides.
func (s *DynamoStore) TokenKeys(ctx context.Context, reload bool) ([][]byte, error) {
	s.ring.Lock()
	defer s.ring.Unlock()
	if len(s.ring.keys) > 0 && (!reload || s.now().Sub(s.ring.read) < keyringPause) {
		return s.ring.keys, nil
	}
	keys, err := s.readKeys(ctx)
	if err == nil && len(keys) == 0 {
		if err = s.makeKey(ctx); err == nil {
			keys, err = s.readKeys(ctx)
		}
	}
	if err != nil {
		return nil, err
	}
	s.ring.keys, s.ring.read = keys, s.now()
	return keys, nil
}

func (s *DynamoStore) readKeys(ctx context.Context) ([][]byte, error) {
	item, err := s.getItem(ctx, keyringCollection, keyringPosition)
	if err != nil || len(item) == 0 {
		return nil, err
	}
	list, ok := item[attrKeys].(*types.AttributeValueMemberL)
	if !ok || len(list.Value) == 0 {
		return nil, s.badKeyring("no list of keys")
	}
	var keys [][]byte
	for _, element := range list.Value {
		key, ok := element.(*types.AttributeValueMemberB)
		if !ok || len(key.Value) < TokenKeyBytes {
			return nil, s.badKeyring(fmt.Sprintf("a key that is not binary or shorter than %d bytes", TokenKeyBytes))
		}
		keys = append(keys, key.Value)
	}
	return keys, nil
}

func (s *DynamoStore) badKeyring(what string) error {
	return &Error{Code: CodeInternal, Err: fmt.Errorf("item %q of collection %q of table %q has %s", keyringPosition, keyringCollection, s.table, what)}
}

// makeKey puts a key into a table that has none. Another process may be faster: then its key counts.
func (s *DynamoStore) makeKey(ctx context.Context) error {
	key := make([]byte, TokenKeyBytes)
	_, _ = rand.Read(key) // it never fails (crypto/rand)
	out, err := s.api.PutItem(ctx, &dynamodb.PutItemInput{
		TableName: &s.table, ConditionExpression: aws.String("attribute_not_exists(#c)"),
		ExpressionAttributeNames: map[string]string{"#c": attrCollection},
		Item: attributes{
			attrCollection: text(keyringCollection), attrByTitle: text(keyringPosition),
			attrKeys: &types.AttributeValueMemberL{Value: []types.AttributeValue{&types.AttributeValueMemberB{Value: key}}},
		},
		ReturnConsumedCapacity: types.ReturnConsumedCapacityTotal,
	})
	if _, lost := errors.AsType[*types.ConditionalCheckFailedException](err); lost {
		return nil
	}
	if err != nil {
		return s.fault(ctx, "PutItem", err)
	}
	count(ctx, Usage{Calls: 1, WriteUnits: units(out.ConsumedCapacity)})
	return nil
}
