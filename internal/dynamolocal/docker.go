package dynamolocal

import (
	"context"
	"errors"
)

func startDocker(ctx context.Context, o Options, docker string) (*Server, error) {
	return nil, errors.New("docker: not written yet")
}
