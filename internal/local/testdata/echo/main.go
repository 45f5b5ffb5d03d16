// Command echo answers with what it was asked; it stands for another project's function.
package main

import (
	"context"
	"encoding/json"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(_ context.Context, event json.RawMessage) (map[string]any, error) {
		body, err := json.Marshal(map[string]any{"event": event, "api": os.Getenv("API")})
		return map[string]any{"statusCode": 200, "body": string(body)}, err
	})
}
