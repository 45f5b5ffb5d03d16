// Command movielist is the Lambda function behind the movie API. It only wires: environment, store, handler.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"syscall"
	"time"

	"github.com/aws/aws-lambda-go/lambda"

	"github.com/marquee-api/marquee/internal/movies"
)

func main() {
	if err := run(context.Background(), os.Getenv); err != nil {
		fmt.Fprintf(os.Stderr, "movielist: error: %v\n", err)
		os.Exit(1)
	}
}

// run serves invocations until the process ends; it returns only when it cannot begin.
func run(ctx context.Context, getenv func(string) string) error {
	table := getenv("TABLE_NAME")
	if table == "" {
		return errors.New("TABLE_NAME is not set: it names the DynamoDB table that holds the movies")
	}
	var level slog.Level
	if text := getenv("LOG_LEVEL"); text != "" && level.UnmarshalText([]byte(text)) != nil {
		return fmt.Errorf("LOG_LEVEL is %q: it may be debug, info, warn or error", text)
	}
	client, err := movies.NewDynamoClient(getenv)
	if err != nil {
		return err
	}
	store := movies.NewDynamoStore(client, table)
	api := &movies.Handler{
		Store: store, Writer: store, Tokens: movies.Tokens{Keys: store.TokenKeys}, Origin: origin,
		Log: slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level})),
	}
	time.AfterFunc(warmUpDelay, func() { warmUp(ctx, store) })
	var work busy
	go work.exitOn(syscall.SIGTERM)
	lambda.StartWithOptions(work.track(invoke(api)), lambda.WithContext(ctx))
	return nil
}

// warmUpDelay lets the process ask for its first event before it warms up. The SDK's first call takes as much processor
// time as the rest of the start, and would be in the way; the event, and the connection, are mostly waiting.
const warmUpDelay = 3 * time.Millisecond

// warmUp reads the keys of page tokens, which opens the connection to DynamoDB, while the first event is on its way. If it fails, the first request that needs either tries again and says what is wrong.
func warmUp(ctx context.Context, store *movies.DynamoStore) {
	ctx, cancel := context.WithTimeout(ctx, movies.DefaultTimeout)
	defer cancel()
	_, _ = store.TokenKeys(ctx, false)
}
