// Package moviestest gives tests a real DynamoDB with movies in it. It is for tests only: no program imports it.
package moviestest

import (
	"context"
	"crypto/rand"
	"fmt"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/marquee-api/marquee/internal/dynamolocal"
	"github.com/marquee-api/marquee/internal/dynamolocal/dynamotest"
	"github.com/marquee-api/marquee/internal/movies"
)

// Region is the one of every client here.
const Region = "ap-northeast-2"

const (
	startTimeout = 3 * time.Minute // the first start on a machine downloads
	stopTimeout  = 10 * time.Second
)

// One database serves all tests of a package: its start is most of their time.
var (
	start = sync.OnceValues(func() (*dynamolocal.Server, error) {
		ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
		defer cancel()
		server, err := dynamolocal.Start(ctx, dynamolocal.Options{Mode: os.Getenv("MARQUEE_DYNAMODB_URL")})
		running.Store(server)
		return server, err
	})
	running atomic.Pointer[dynamolocal.Server]
)

// Main is for a package's TestMain: it runs the tests, stops the database if one of them started it, and returns the
// exit code.
func Main(m *testing.M) int {
	code := m.Run()
	if server := running.Load(); server != nil {
		ctx, cancel := context.WithTimeout(context.Background(), stopTimeout)
		defer cancel()
		if err := server.Stop(ctx); err != nil {
			fmt.Fprintf(os.Stderr, "stop DynamoDB Local: %v\n", err)
			return max(code, 1)
		}
	}
	return code
}

// Database returns a running DynamoDB Local: the one that MARQUEE_DYNAMODB_URL names, else one that it starts. Without
// anything to run it with, the test is skipped, or fails where MARQUEE_REQUIRE asks for dynamodb.
func Database(t testing.TB) *dynamolocal.Server {
	t.Helper()
	server, err := start()
	dynamotest.Need(t, err)
	return server
}

// Client returns a client of the database.
func Client(t testing.TB) *dynamodb.Client {
	t.Helper()
	return Database(t).Client(Region)
}

// TableName returns a name that no other test has.
func TableName() string { return "movies-" + rand.Text() }

// Table makes a table of its own for a test, with the given movies in it, and drops it when the test ends.
func Table(t testing.TB, seed ...movies.Movie) string {
	t.Helper()
	client, name := Client(t), TableName()
	if _, err := client.CreateTable(t.Context(), movies.TableInput(name)); err != nil {
		t.Fatalf("create table: %v", err)
	}
	t.Cleanup(func() {
		// The test's own context has ended by now.
		if _, err := client.DeleteTable(context.Background(), &dynamodb.DeleteTableInput{TableName: &name}); err != nil {
			t.Errorf("delete table: %v", err)
		}
	})
	var requests []types.WriteRequest
	for _, m := range seed {
		for _, item := range movies.Items(m) {
			requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: item}})
		}
	}
	for batch := range slices.Chunk(requests, 25) {
		in := &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{name: batch}}
		if out, err := client.BatchWriteItem(t.Context(), in); err != nil || len(out.UnprocessedItems) > 0 {
			t.Fatalf("put movies: %v", err)
		}
	}
	return name
}
