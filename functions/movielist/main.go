// Command movielist is the Lambda function behind the movie API. It only wires: environment, store, handler.
package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"

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
	client, err := movies.NewDynamoClient()
	if err != nil {
		return err
	}
	log := slog.New(slog.NewJSONHandler(os.Stderr, &slog.HandlerOptions{Level: level}))
	lambda.StartWithOptions(invoke(&movies.Handler{Store: movies.NewDynamoStore(client, table), Log: log, Origin: origin}), lambda.WithContext(ctx))
	return nil
}
