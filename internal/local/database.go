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
func (s *Stack) fill(ctx context.Context) error {
	client := s.db.Client(s.template.Region)
	for _, t := range s.template.Tables {
		var exists *types.ResourceInUseException
		if err := dynamolocal.CreateTable(ctx, client, tableInput(t)); err != nil && !errors.As(err, &exists) {
			return fmt.Errorf("%s: table %s: %w", t.Position, t.LogicalID, err)
		}
	}
	data := s.options.Data
	if data == "" || len(s.template.Tables) == 0 {
		return nil
	}
	f, err := os.Open(data)
	if err != nil {
		return fmt.Errorf("the data file: %w; give another with --data, or --no-data", err)
	}
	defer f.Close()
	first := s.template.Tables[0]
	n, err := s.loader(first)(ctx, client, first.Name, f)
	if err != nil {
		return fmt.Errorf("loading %s into table %s: %w", data, first.LogicalID, err)
	}
	fmt.Fprintf(s.options.Out, "loaded %d records from %s\n", n, data)
	return nil
}

func (s *Stack) loader(t *stack.Table) Loader {
	if s.options.Loader != nil {
		if own := s.options.Loader(tableInput(t)); own != nil {
			return own
		}
	}
	return func(ctx context.Context, client *dynamodb.Client, table string, records io.Reader) (int, error) {
		return dynamolocal.Load(ctx, client, table, records)
	}
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
