package movies

import (
	"cmp"
	"context"
	"errors"
	"net"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/smithy-go/middleware"
)

const (
	connectTimeout = time.Second
	attemptTimeout = 1100 * time.Millisecond
	maxAttempts    = 2
	maxBackoff     = 100 * time.Millisecond
)

// All attempts and pauses end within DefaultTimeout (this does not compile if they do not), so that a silent DynamoDB,
// or a connection that died while the function was frozen, is given up by the store and not by its caller.
const _ = uint64(DefaultTimeout - maxAttempts*attemptTimeout - (maxAttempts-1)*maxBackoff)

// NewDynamoClient makes the client that a Lambda function needs, with short timeouts and few attempts, from the variables
// that Lambda sets: AWS_REGION and the role's AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN. On a laptop
// AWS_ENDPOINT_URL_DYNAMODB, or AWS_ENDPOINT_URL, names another DynamoDB.
//
// The SDK's own configuration reads these and some hundred others, shared files and metadata services, none of which a
// function has: it would be a sixth of the binary and a fifth of the time of a cold start.
func NewDynamoClient(getenv func(string) string) (*dynamodb.Client, error) {
	region, id, secret := getenv("AWS_REGION"), getenv("AWS_ACCESS_KEY_ID"), getenv("AWS_SECRET_ACCESS_KEY")
	if region == "" {
		return nil, errors.New("AWS_REGION is not set: it names the region of the table")
	}
	if id == "" || secret == "" {
		return nil, errors.New("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set: a function gets them from its role")
	}
	options := dynamodb.Options{
		Region:      region,
		Credentials: keys{AccessKeyID: id, SecretAccessKey: secret, SessionToken: getenv("AWS_SESSION_TOKEN"), Source: "environment"},
		HTTPClient: awshttp.NewBuildableClient().WithTimeout(attemptTimeout).
			WithDialerOptions(func(d *net.Dialer) { d.Timeout = connectTimeout }),
		Retryer: retry.NewStandard(func(r *retry.StandardOptions) {
			r.MaxAttempts, r.MaxBackoff = maxAttempts, maxBackoff
		}),
		APIOptions: []func(*middleware.Stack) error{CountThrottles},
	}
	if url := cmp.Or(getenv("AWS_ENDPOINT_URL_DYNAMODB"), getenv("AWS_ENDPOINT_URL")); url != "" && getenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS") != "true" {
		options.BaseEndpoint = &url
	}
	return dynamodb.New(options), nil
}

// keys are the credentials of a process that never changes them: Lambda starts another process when they expire.
type keys aws.Credentials

func (k keys) Retrieve(context.Context) (aws.Credentials, error) { return aws.Credentials(k), nil }

// CountThrottles makes a client count the attempts that DynamoDB refuses for their rate, those that a retry makes good
// included, in the usage of the request.
func CountThrottles(stack *middleware.Stack) error {
	return stack.Finalize.Insert(middleware.FinalizeMiddlewareFunc("CountThrottles",
		func(ctx context.Context, in middleware.FinalizeInput, next middleware.FinalizeHandler) (middleware.FinalizeOutput, middleware.Metadata, error) {
			out, metadata, err := next.HandleFinalize(ctx, in)
			if err != nil && throttled(err) {
				count(ctx, Usage{Throttles: 1})
			}
			return out, metadata, err
		}), "Retry", middleware.After)
}
