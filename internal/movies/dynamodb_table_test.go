package movies_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/marquee-api/marquee/internal/movies"
)

func TestFits(t *testing.T) {
	tests := map[string]struct {
		change func(*dynamodb.CreateTableInput)
		want   bool
	}{
		"the movie table":    {func(*dynamodb.CreateTableInput) {}, true},
		"under another name": {func(in *dynamodb.CreateTableInput) { in.TableName = aws.String("other") }, true},
		"without an index":   {func(in *dynamodb.CreateTableInput) { in.GlobalSecondaryIndexes = in.GlobalSecondaryIndexes[:1] }, false},
		"with another key":   {func(in *dynamodb.CreateTableInput) { in.KeySchema[1].AttributeName = aws.String("title") }, false},
		"with no sort key":   {func(in *dynamodb.CreateTableInput) { in.KeySchema = in.KeySchema[:1] }, false},
		"an index by another": {func(in *dynamodb.CreateTableInput) {
			in.GlobalSecondaryIndexes[0].KeySchema[1].AttributeName = aws.String("x")
		}, false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			in := movies.TableInput("movies")
			tt.change(in)
			if got := movies.Fits(in); got != tt.want {
				t.Errorf("got %v, want %v", got, tt.want)
			}
		})
	}
}
