package dynamolocal

import (
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// BatchWriter is what Load needs of a [dynamodb.Client].
type BatchWriter interface {
	BatchWriteItem(context.Context, *dynamodb.BatchWriteItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error)
	dynamodb.DescribeTableAPIClient
}

// Load puts the items that r holds into a table, as a [Loader] without options does.
func Load(ctx context.Context, client BatchWriter, table string, r io.Reader) (n int, err error) {
	return Loader{Client: client, Table: table}.Load(ctx, r)
}

// Loader puts items into a table.
type Loader struct {
	Client BatchWriter
	Table  string
	// Wait pauses before what DynamoDB left unprocessed is sent again, and returns the context's
	// error if that ends first. Nil waits in real time.
	Wait func(ctx context.Context, d time.Duration) error
}

// Load puts the items that r holds into the table. It returns how many it put, also beside an
// error: all that come before the item that the error names.
//
// The input is UTF-8, either JSON Lines (an object on each line; empty lines do not count) or one
// JSON array of objects, the layout of AWS's moviedata.json. An object is an item as it stands: a
// number becomes an N with its digits untouched, a string an S, true and false a BOOL, null a
// NULL, an array an L, an object an M. Items go in the order of the input, and one whose key was
// there before replaces the earlier one: the last wins. Each of them counts.
//
// What is held in memory is one batch: 25 items of at most 4 MiB of JSON each. An error about an
// item names its line or its element, counted from 1, and a byte offset, counted from 0.
func (l Loader) Load(ctx context.Context, r io.Reader) (n int, err error) {
	if l.Wait == nil {
		l.Wait = wait
	}
	n, err = l.load(ctx, newItemReader(r))
	if err != nil {
		return n, fmt.Errorf("table %s: %w", l.Table, err)
	}
	return n, nil
}

func (l Loader) load(ctx context.Context, in *itemReader) (n int, err error) {
	keys, err := l.keyNames(ctx)
	if err != nil {
		return 0, err
	}
	var b batch
	for {
		it, inputErr := in.next(keys)
		if inputErr == nil {
			b.add(it)
		}
		if inputErr != nil || len(b.items) == batchSize {
			put, err := l.flush(ctx, &b)
			n += put
			if err != nil {
				return n, err
			}
		}
		switch {
		case errors.Is(inputErr, io.EOF):
			return n, nil
		case inputErr != nil:
			return n, inputErr
		}
	}
}

// keyNames asks the table for the names of its key attributes.
func (l Loader) keyNames(ctx context.Context) ([]string, error) {
	out, err := l.Client.DescribeTable(ctx, &dynamodb.DescribeTableInput{TableName: aws.String(l.Table)})
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range out.Table.KeySchema {
		names = append(names, aws.ToString(e.AttributeName))
	}
	return names, nil
}
