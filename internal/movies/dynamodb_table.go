package movies

import (
	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
)

// TableInput describes the table for tools and tests that make one of their own. What is deployed is template.yaml's, and
// a test holds the two equal.
func TableInput(name string) *dynamodb.CreateTableInput {
	in := &dynamodb.CreateTableInput{
		TableName: &name, BillingMode: types.BillingModePayPerRequest, KeySchema: keySchema(attrByTitle),
		GlobalSecondaryIndexes: []types.GlobalSecondaryIndex{index(IndexByYear, attrByYear), index(IndexByRating, attrByRating)},
	}
	for _, attribute := range []string{attrCollection, attrByTitle, attrByYear, attrByRating} {
		in.AttributeDefinitions = append(in.AttributeDefinitions, types.AttributeDefinition{
			AttributeName: aws.String(attribute), AttributeType: types.ScalarAttributeTypeS,
		})
	}
	return in
}

func index(name, position string) types.GlobalSecondaryIndex {
	return types.GlobalSecondaryIndex{
		IndexName: &name, KeySchema: keySchema(position), Projection: &types.Projection{ProjectionType: types.ProjectionTypeAll},
	}
}

func keySchema(position string) []types.KeySchemaElement {
	return []types.KeySchemaElement{
		{AttributeName: aws.String(attrCollection), KeyType: types.KeyTypeHash},
		{AttributeName: aws.String(position), KeyType: types.KeyTypeRange},
	}
}
