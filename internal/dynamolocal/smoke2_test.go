package dynamolocal_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/marquee-api/marquee/internal/dynamolocal"
)

func TestSmoke2(t *testing.T) {
	s, err := dynamolocal.Start(t.Context(), dynamolocal.Options{Mode: "java"})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Stop(t.Context())
	c := s.Client("x")
	err = dynamolocal.CreateTable(t.Context(), c, &dynamodb.CreateTableInput{TableName: aws.String("mov"), BillingMode: "PAY_PER_REQUEST",
		KeySchema:            []types.KeySchemaElement{{AttributeName: aws.String("year"), KeyType: "HASH"}, {AttributeName: aws.String("title"), KeyType: "RANGE"}},
		AttributeDefinitions: []types.AttributeDefinition{{AttributeName: aws.String("year"), AttributeType: "N"}, {AttributeName: aws.String("title"), AttributeType: "S"}}})
	t.Log(err)
	for _, in := range []string{
		"{\"year\":1,\"title\":\"a\"}\n{\"year\":1.0,\"title\":\"a\"}\n", "[]", "", "x", "[{\"year\":1,\"title\":\"a\"},{\"year\":1,\"title\":\"\"}]", "[{\"year\":1,\"title\":\"a\"},\n5]", "{\"year\":1,\n",
		`{"year":1,"title":"b","x":123456789012345678901234567890123456789}`, `{"year":"1","title":"b"}`, `{"title":"b"}`, `{"year":1,"title":"b"} {`,
		`{"year":1,"title":"b","x":"` + strings.Repeat("x", 450000) + `"}`,
		`{"year":1,"title":"b","x":1e126}`,
		`{"year":1,"title":"b","x":` + strings.Repeat("[", 40) + strings.Repeat("]", 40) + `}`,
	} {
		n, err := dynamolocal.Load(t.Context(), c, "mov", strings.NewReader(in))
		t.Log(in[:min(len(in), 50)], n, err)
	}
}
