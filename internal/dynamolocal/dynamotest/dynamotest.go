// Package dynamotest gives tests a real DynamoDB Local.
//
// It is for tests only. One server is shared by all tests of a test binary; each test makes its
// own tables in it.
package dynamotest

import (
	"context"
	"crypto/rand"
	"errors"
	"os"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/marquee-api/marquee/internal/dynamolocal"
)

// The environment variables that tests know.
const (
	// EnvURL names a running DynamoDB Local to use instead of starting one.
	EnvURL = "MARQUEE_DYNAMODB_URL"
	// EnvRequire lists, by commas, what must not be missing: with "dynamodb" in it, a test fails
	// where it would have been skipped. CI sets it.
	EnvRequire = "MARQUEE_REQUIRE"
)

// startTimeout leaves room for the one-time download.
const startTimeout = 5 * time.Minute

// server is the one of this test binary. It needs no cleanup to be gone afterwards: it ends with
// the process.
var server = sync.OnceValues(func() (*dynamolocal.Server, error) {
	ctx, cancel := context.WithTimeout(context.Background(), startTimeout)
	defer cancel()
	mode := dynamolocal.ModeJava
	if url := os.Getenv(EnvURL); url != "" {
		mode = url
	}
	s, err := dynamolocal.Start(ctx, dynamolocal.Options{Mode: mode, Progress: os.Stderr})
	started.Store(s)
	return s, err
})

// started is the server once a test asked for it.
var started atomic.Pointer[dynamolocal.Server]

// URL returns the URL of the shared server. The test is skipped if there is nothing to run it with,
// and fails if it cannot be started all the same.
func URL(tb testing.TB) string {
	tb.Helper()
	s, err := server()
	Need(tb, err)
	return s.URL
}

// Need lets the test go on if err, which is that of starting DynamoDB Local, is nil. It skips the
// test if the machine has nothing to start it with (or fails it, if [EnvRequire] says so), and
// fails it for any other error.
func Need(tb testing.TB, err error) {
	tb.Helper()
	missing := (*dynamolocal.UnavailableError)(nil)
	switch {
	case err == nil:
	case !errors.As(err, &missing):
		tb.Fatalf("dynamotest: %v", err)
	case required():
		tb.Fatalf("%s has dynamodb in it: %v", EnvRequire, err)
	default:
		tb.Skipf("needs the real DynamoDB Local, which needs Java and Maven (or %s): %v", EnvURL, err)
	}
}

// Client returns a client for the shared server, or skips as [URL] does.
func Client(tb testing.TB) *dynamodb.Client {
	tb.Helper()
	return (&dynamolocal.Server{URL: URL(tb)}).Client("ap-northeast-2")
}

// Table makes a table like input, under a name that no other test has, and deletes it when the
// test ends. It returns the name.
func Table(tb testing.TB, client *dynamodb.Client, input *dynamodb.CreateTableInput) string {
	tb.Helper()
	in := *input
	in.TableName = aws.String("test-" + strings.ToLower(rand.Text()))
	if err := dynamolocal.CreateTable(tb.Context(), client, &in); err != nil {
		tb.Fatalf("dynamotest: %v", err)
	}
	tb.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
		defer cancel()
		if _, err := client.DeleteTable(ctx, &dynamodb.DeleteTableInput{TableName: in.TableName}); err != nil {
			tb.Errorf("dynamotest: %v", err)
		}
	})
	return *in.TableName
}

// Run runs the tests of a TestMain and then ends the shared server, for test binaries that look
// for leaked goroutines: os.Exit(dynamotest.Run(m)).
func Run(m *testing.M) int {
	code := m.Run()
	if s := started.Load(); s != nil {
		_ = s.Stop(context.Background())
	}
	return code
}

func required() bool {
	for _, name := range strings.Split(os.Getenv(EnvRequire), ",") {
		if strings.TrimSpace(name) == "dynamodb" {
			return true
		}
	}
	return false
}
