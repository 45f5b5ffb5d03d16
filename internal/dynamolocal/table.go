package dynamolocal

import (
	"context"
	"fmt"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
)

// TableCreator is what CreateTable needs of a [dynamodb.Client].
type TableCreator interface {
	CreateTable(context.Context, *dynamodb.CreateTableInput, ...func(*dynamodb.Options)) (*dynamodb.CreateTableOutput, error)
	dynamodb.DescribeTableAPIClient
}

// tableTimeout is far above what DynamoDB Local needs; it keeps a stuck table from being waited
// for without end.
const tableTimeout = 30 * time.Second

// CreateTable makes a table and returns when it can be used. A table of that name that exists
// already is a *types.ResourceInUseException (errors.As).
func CreateTable(ctx context.Context, client TableCreator, in *dynamodb.CreateTableInput) error {
	name := aws.ToString(in.TableName)
	if _, err := client.CreateTable(ctx, in); err != nil {
		return fmt.Errorf("table %s: %w", name, err)
	}
	waiter := dynamodb.NewTableExistsWaiter(client, func(o *dynamodb.TableExistsWaiterOptions) {
		// The waiter's own 20 seconds suit AWS; here the table is there at the first look.
		o.MinDelay, o.MaxDelay = 50*time.Millisecond, time.Second
	})
	if err := waiter.Wait(ctx, &dynamodb.DescribeTableInput{TableName: in.TableName}, tableTimeout); err != nil {
		return fmt.Errorf("table %s did not become active: %w", name, err)
	}
	return nil
}
