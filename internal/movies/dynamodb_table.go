package movies

import (
	"slices"

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

// Fits says whether a table is a movie table: whether it has the keys and indexes that movies are read by.
func Fits(in *dynamodb.CreateTableInput) bool {
	want := TableInput(aws.ToString(in.TableName))
	sameKey := func(a, b []types.KeySchemaElement) bool {
		return slices.EqualFunc(a, b, func(x, y types.KeySchemaElement) bool {
			return aws.ToString(x.AttributeName) == aws.ToString(y.AttributeName) && x.KeyType == y.KeyType
		})
	}
	for _, needed := range want.GlobalSecondaryIndexes {
		if !slices.ContainsFunc(in.GlobalSecondaryIndexes, func(i types.GlobalSecondaryIndex) bool {
			return aws.ToString(i.IndexName) == aws.ToString(needed.IndexName) && sameKey(i.KeySchema, needed.KeySchema)
		}) {
			return false
		}
	}
	return sameKey(in.KeySchema, want.KeySchema)
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
