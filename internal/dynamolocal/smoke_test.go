package dynamolocal_test

import (
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/marquee-api/marquee/internal/dynamolocal"
)

func TestSmoke(t *testing.T) {
	for range 2 {
		t0 := time.Now()
		s, err := dynamolocal.Start(t.Context(), dynamolocal.Options{Mode: "java", Progress: os.Stderr})
		if err != nil {
			t.Fatal(err)
		}
		t.Log(s.URL, time.Since(t0))
		out, err := s.Client("x").ListTables(t.Context(), &dynamodb.ListTablesInput{})
		t.Log(out, err, time.Since(t0))
		t1 := time.Now()
		s.Stop(t.Context())
		t.Log(time.Since(t1))
	}
}
