package movies

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/aws/retry"
	awshttp "github.com/aws/aws-sdk-go-v2/aws/transport/http"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
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

// DynamoAPI is the part of DynamoDB's client that DynamoStore uses.
type DynamoAPI interface {
	Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error)
	Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error)
	GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error)
}

// NewDynamoClient makes the client that a Lambda function needs, with short timeouts and few attempts. It reads the
// SDK's own environment variables: AWS_REGION, the credentials' AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and
// AWS_SESSION_TOKEN, and AWS_ENDPOINT_URL_DYNAMODB or AWS_ENDPOINT_URL if there is one.
//
// A function always has these, so the shared files, SSO and metadata services that the SDK's full configuration would
// look at are left out: they would be a sixth of the binary and are paid for at every cold start.
func NewDynamoClient() (*dynamodb.Client, error) {
	env, err := config.NewEnvConfig()
	if err != nil {
		return nil, fmt.Errorf("read the SDK's environment: %w", err)
	}
	if env.Region == "" {
		return nil, errors.New("AWS_REGION is not set: it names the region of the table")
	}
	if !env.Credentials.HasKeys() {
		return nil, errors.New("AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY are not set: a function gets them from its role")
	}
	cfg := aws.Config{
		Region:                env.Region,
		Credentials:           credentials.StaticCredentialsProvider{Value: env.Credentials},
		AccountIDEndpointMode: env.AccountIDEndpointMode,
		ConfigSources:         []any{env},
		HTTPClient: awshttp.NewBuildableClient().WithTimeout(attemptTimeout).
			WithDialerOptions(func(d *net.Dialer) { d.Timeout = connectTimeout }),
	}
	if env.BaseEndpoint != "" && !aws.ToBool(env.IgnoreConfiguredEndpoints) {
		cfg.BaseEndpoint = &env.BaseEndpoint
	}
	return dynamodb.NewFromConfig(cfg, func(o *dynamodb.Options) {
		o.Retryer = retry.NewStandard(func(r *retry.StandardOptions) {
			r.MaxAttempts, r.MaxBackoff = maxAttempts, maxBackoff
		})
	}), nil
}

// DynamoStore reads movies from a table with the partition key year (a number) and the sort key title (a string). It
// is safe for concurrent use.
type DynamoStore struct {
	api   DynamoAPI
	table string
}

var _ Store = (*DynamoStore)(nil)

// NewDynamoStore returns the store over the table of that name.
func NewDynamoStore(api DynamoAPI, table string) *DynamoStore {
	return &DynamoStore{api: api, table: table}
}

// Of an item only these are read, whatever else it carries. "year" is a reserved word, hence the placeholders
// (Developer Guide, "Reserved words in DynamoDB").
const movieAttributes = "#year, #title, #info"

func attributeNames() map[string]string {
	return map[string]string{"#year": "year", "#title": "title", "#info": "info"}
}

// List reads one page: of one year ordered by title, or of all years in the table's own order, which is stable but
// means nothing. It returns CodeInvalidParameter for a cursor that is not of this store and this year, CodeUnavailable
// when the table cannot be read.
func (s *DynamoStore) List(ctx context.Context, q Query) (Page, error) {
	start, err := startKey(q)
	if err != nil {
		return Page{}, err
	}
	// One more than asked for shows whether a page follows: DynamoDB also gives a last key when the limit falls on the
	// last item, and callers would then fetch an empty page.
	limit := aws.Int32(int32(q.Limit + 1))
	var items []map[string]types.AttributeValue
	var last map[string]types.AttributeValue
	if q.Year != 0 {
		out, err := s.api.Query(ctx, &dynamodb.QueryInput{
			TableName: &s.table, Limit: limit, ExclusiveStartKey: start,
			KeyConditionExpression:    aws.String("#year = :year"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":year": number(q.Year)},
			ProjectionExpression:      aws.String(movieAttributes), ExpressionAttributeNames: attributeNames(),
		})
		if err != nil {
			return Page{}, s.fault("Query", err)
		}
		items, last = out.Items, out.LastEvaluatedKey
	} else {
		out, err := s.api.Scan(ctx, &dynamodb.ScanInput{
			TableName: &s.table, Limit: limit, ExclusiveStartKey: start,
			ProjectionExpression: aws.String(movieAttributes), ExpressionAttributeNames: attributeNames(),
		})
		if err != nil {
			return Page{}, s.fault("Scan", err)
		}
		items, last = out.Items, out.LastEvaluatedKey
	}
	return s.page(q, items, last)
}

// page decodes what DynamoDB answered. Its pages end after 1 MB whatever the limit, so a short page may have a next.
func (s *DynamoStore) page(q Query, items []map[string]types.AttributeValue, last map[string]types.AttributeValue) (Page, error) {
	more := len(items) > q.Limit
	if more {
		items = items[:q.Limit]
	}
	page := Page{Movies: make([]Movie, len(items))}
	for i, item := range items {
		if err := s.decode(item, &page.Movies[i]); err != nil {
			return Page{}, err
		}
	}
	switch {
	case more:
		page.Next = cursorAt(page.Movies[len(page.Movies)-1].Key())
	case len(last) > 0:
		var m Movie
		if err := s.decode(last, &m); err != nil {
			return Page{}, err
		}
		page.Next = cursorAt(m.Key())
	}
	return page, nil
}

// Get reads one movie. It returns CodeNotFound if there is none, CodeInvalidParameter for a key that no movie can
// have, CodeUnavailable when the table cannot be read.
func (s *DynamoStore) Get(ctx context.Context, key Key) (Movie, error) {
	if err := key.Validate(); err != nil {
		return Movie{}, err
	}
	out, err := s.api.GetItem(ctx, &dynamodb.GetItemInput{
		TableName: &s.table, Key: itemKey(key),
		ProjectionExpression: aws.String(movieAttributes), ExpressionAttributeNames: attributeNames(),
	})
	if err != nil {
		return Movie{}, s.fault("GetItem", err)
	}
	if len(out.Item) == 0 {
		return Movie{}, &Error{Code: CodeNotFound, Message: fmt.Sprintf("there is no movie %s of %d", quote(key.Title), key.Year)}
	}
	var m Movie
	err = s.decode(out.Item, &m)
	return m, err
}

// decode reads an item by the JSON names of Movie: the table has the layout of the data files.
func (s *DynamoStore) decode(item map[string]types.AttributeValue, m *Movie) error {
	err := attributevalue.UnmarshalMapWithOptions(item, m, func(o *attributevalue.DecoderOptions) { o.TagKey = "json" })
	if err != nil {
		var key struct{ Year, Title any }
		_ = attributevalue.UnmarshalMap(item, &key) // for the log: what can be read of it
		return &Error{Code: CodeInternal, Err: fmt.Errorf("item year %v, title %q of table %q is no movie: %w", key.Year, key.Title, s.table, err)}
	}
	return nil
}

// fault turns an error of the SDK into one of the application: what may pass by itself or is repaired by an operator
// is CodeUnavailable, the rest (a role without the right, a refused expression) is our own fault.
func (s *DynamoStore) fault(operation string, err error) error {
	cause := fmt.Errorf("dynamodb %s on table %q: %w", operation, s.table, redact(err))
	if unavailable(err) {
		return &Error{Code: CodeUnavailable, Message: "the movie store cannot be reached at the moment, try again later", Err: cause}
	}
	return &Error{Code: CodeInternal, Err: cause}
}

func unavailable(err error) bool {
	if _, ok := errors.AsType[*types.ResourceNotFoundException](err); ok {
		return true
	}
	// Any failure to send, among them the unknown host that the SDK's own classes leave out.
	if _, ok := errors.AsType[*smithyhttp.RequestSendError](err); ok {
		return true
	}
	// An attempt's timeout, or the request's: context.DeadlineExceeded is a net.Error too.
	if network, ok := errors.AsType[net.Error](err); ok && network.Timeout() || errors.Is(err, context.Canceled) {
		return true
	}
	// An answer that broke off, or that something else than DynamoDB gave.
	if _, ok := errors.AsType[*smithy.DeserializationError](err); ok {
		return true
	}
	return retry.IsErrorRetryables(retry.DefaultRetryables).IsErrorRetryable(err) == aws.TrueTernary
}

// redact withholds the text of a signature error: AWS's answer may repeat the canonical request, and with it the
// session token.
func redact(err error) error {
	if api, ok := errors.AsType[smithy.APIError](err); ok && strings.Contains(api.ErrorCode(), "Signature") {
		return fmt.Errorf("%s (message withheld)", api.ErrorCode())
	}
	return err
}

func number(n int) types.AttributeValue {
	return &types.AttributeValueMemberN{Value: strconv.Itoa(n)}
}

func itemKey(k Key) map[string]types.AttributeValue {
	return map[string]types.AttributeValue{"year": number(k.Year), "title": &types.AttributeValueMemberS{Value: k.Title}}
}

// cursorAt is the key of the last movie of a page, as "year/title": a title may hold slashes, a year cannot.
func cursorAt(k Key) Cursor { return Cursor(strconv.Itoa(k.Year) + "/" + k.Title) }

// startKey reads a cursor back. Tokens are not secret, so this one may have been made up.
func startKey(q Query) (map[string]types.AttributeValue, error) {
	if q.After == "" {
		return nil, nil
	}
	year, title, _ := strings.Cut(string(q.After), "/")
	n, err := strconv.Atoi(year)
	key := Key{Year: n, Title: title}
	if err != nil || title == "" || len(title) > MaxTitleBytes || q.Year != 0 && n != q.Year || cursorAt(key) != q.After {
		return nil, badToken()
	}
	return itemKey(key), nil
}
