package local

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/marquee-api/marquee/internal/dynamolocal"
	"github.com/marquee-api/marquee/internal/stack"
)

// fill makes the stack's tables and loads the data file into the first one. A database that runs already may hold the
// tables from before: they are used as they are.
func fill(ctx context.Context, db *dynamolocal.Server, s *stack.Stack, data string, progress io.Writer) error {
	client := db.Client(s.Region)
	for _, t := range s.Tables {
		var exists *types.ResourceInUseException
		if err := dynamolocal.CreateTable(ctx, client, tableInput(t)); err != nil && !errors.As(err, &exists) {
			return fmt.Errorf("%s: table %s: %w", t.Position, t.LogicalID, err)
		}
	}
	if data == "" || len(s.Tables) == 0 {
		return nil
	}
	f, err := os.Open(data)
	if err != nil {
		return fmt.Errorf("the data file: %w; give another with --data, or --no-data", err)
	}
	defer f.Close()
	n, err := dynamolocal.Load(ctx, client, s.Tables[0].Name, f)
	if err != nil {
		return fmt.Errorf("loading %s into table %s: %w", data, s.Tables[0].LogicalID, err)
	}
	fmt.Fprintf(progress, "loaded %d items from %s\n", n, data)
	return nil
}

func tableInput(t *stack.Table) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{
		TableName: aws.String(t.Name), KeySchema: keySchema(t.KeySchema),
		// What is provisioned costs nothing here and would only throttle.
		BillingMode: types.BillingModePayPerRequest,
	}
	for _, a := range t.Attributes {
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: aws.String(a.Name), AttributeType: types.ScalarAttributeType(a.Type),
		})
	}
	for _, i := range t.GlobalIndexes {
		in.GlobalSecondaryIndexes = append(in.GlobalSecondaryIndexes, types.GlobalSecondaryIndex{
			IndexName: aws.String(i.Name), KeySchema: keySchema(i.KeySchema), Projection: projection(i),
		})
	}
	for _, i := range t.LocalIndexes {
		in.LocalSecondaryIndexes = append(in.LocalSecondaryIndexes, types.LocalSecondaryIndex{
			IndexName: aws.String(i.Name), KeySchema: keySchema(i.KeySchema), Projection: projection(i),
		})
	}
	return in
}

func keySchema(elements []stack.KeyElement) []types.KeySchemaElement {
	schema := make([]types.KeySchemaElement, len(elements))
	for i, e := range elements {
		schema[i] = types.KeySchemaElement{AttributeName: aws.String(e.Name), KeyType: types.KeyType(e.Type)}
	}
	return schema
}

func projection(i stack.Index) *types.Projection {
	p := &types.Projection{ProjectionType: types.ProjectionType(i.Projection)}
	if i.Projection == string(types.ProjectionTypeInclude) {
		p.NonKeyAttributes = i.NonKeyAttributes
	}
	return p
}
