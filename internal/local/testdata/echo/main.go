// Command echo answers with what it was asked, and below /env with its environment; it stands for another project's
// function.
package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"os"

	"github.com/aws/aws-lambda-go/lambda"
)

func main() {
	lambda.Start(func(_ context.Context, event json.RawMessage) (map[string]any, error) {
		if job := os.Getenv("JOB"); job != "" {
			fmt.Println("ran the job " + job)
		}
		answer := map[string]any{"event": event, "api": os.Getenv("API")}
		if bytes.Contains(event, []byte(`"path":"/env"`)) {
			answer["env"] = os.Environ()
		}
		body, err := json.Marshal(answer)
		return map[string]any{"statusCode": 200, "body": string(body)}, err
	})
}
