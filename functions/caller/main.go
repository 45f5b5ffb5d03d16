// Command caller is the Lambda function that calls the private API from inside the VPC: it turns an event into a signed
// request and the answer into its result. It knows one API, the one in its environment, and none of its business.
package main

import (
	"fmt"
	"log/slog"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
	"github.com/aws/aws-sdk-go-v2/config"
)

func main() {
	h, err := wire(os.Getenv)
	if err != nil {
		fmt.Fprintf(os.Stderr, "caller: %v\n", err)
		os.Exit(1)
	}
	lambda.Start(h)
}

// wire builds what lives as long as the function's environment does: the client with its warm connections.
func wire(getenv func(string) string) (*handler, error) {
	env, err := config.NewEnvConfig()
	if err != nil {
		return nil, fmt.Errorf("reading the environment: %w", err)
	}
	client, err := newClient(getenv, env.Credentials)
	if err != nil {
		return nil, err
	}
	return &handler{client: client, log: slog.New(slog.NewJSONHandler(os.Stdout, nil))}, nil
}
