package movies_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/aws/smithy-go"
	smithyhttp "github.com/aws/smithy-go/transport/http"
	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/movies"
	"github.com/marquee-api/marquee/internal/movies/moviestest"
)

// both calls the store's two methods and gives their errors.
func both(t *testing.T, s movies.Store) map[string]error {
	t.Helper()
	_, list := s.List(t.Context(), movies.Query{Limit: 5})
	_, year := s.List(t.Context(), movies.Query{Limit: 5, Year: 2013})
	_, get := s.Get(t.Context(), movies.Key{Year: 2013, Title: "Rush"})
	return map[string]error{"list": list, "list of a year": year, "get": get}
}

func wantCode(t *testing.T, errs map[string]error, want movies.Code, cause string) {
	t.Helper()
	for name, err := range errs {
		if got := movies.CodeOf(err); got != want || !strings.Contains(err.Error(), cause) {
			t.Errorf("%s: got error %v, want code %q with cause %q", name, err, want, cause)
		}
		if strings.Contains(movies.MessageOf(err), cause) {
			t.Errorf("%s: the caller learns the cause: %q", name, movies.MessageOf(err))
		}
	}
}

func TestDynamoStoreTableMissing(t *testing.T) {
	t.Parallel()
	s := movies.NewDynamoStore(moviestest.Client(t), moviestest.TableName())
	wantCode(t, both(t, s), movies.CodeUnavailable, "ResourceNotFoundException")
	if w := call(t, &movies.Handler{Store: s}, "GET", "/movie_list"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("over HTTP: got %d, want 503", w.Code)
	}
}

// Items written attribute by attribute, with things around that are not ours and a set, as some writers make.
func TestDynamoStoreReadsForeignItems(t *testing.T) {
	t.Parallel()
	client, table := moviestest.Client(t), moviestest.Table(t)
	for _, item := range movies.Items(sample()) {
		info := item["info"].(*types.AttributeValueMemberM).Value
		info["genres"] = &types.AttributeValueMemberSS{Value: []string{"Action", "Biography"}}
		info["budget"] = &types.AttributeValueMemberN{Value: "38000000"}
		item["owner"] = &types.AttributeValueMemberBOOL{Value: true}
		if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item}); err != nil {
			t.Fatal(err)
		}
	}
	s := movies.NewDynamoStore(client, table)
	got, err := s.Get(t.Context(), sample().Key())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(sample(), got); diff != "" {
		t.Errorf("got (-want +got):\n%s", diff)
	}
	page, err := s.List(t.Context(), movies.Query{Limit: 5})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]movies.Movie{sample()}, page.Movies); diff != "" {
		t.Errorf("list (-want +got):\n%s", diff)
	}
}

func TestDynamoStoreItemThatIsNoMovie(t *testing.T) {
	t.Parallel()
	client, table := moviestest.Client(t), moviestest.Table(t)
	for _, item := range movies.Items(sample()) {
		item["info"] = &types.AttributeValueMemberS{Value: "a text"}
		if _, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: item}); err != nil {
			t.Fatal(err)
		}
	}
	wantCode(t, both(t, movies.NewDynamoStore(client, table)), movies.CodeInternal, `of table "`+table+`" is no movie: unmarshal failed`)
}

// DynamoDB ends what it reads after 1 MB. No hundred movies are as large, so these are written past the validation.
func TestDynamoStorePagesEndAtOneMegabyte(t *testing.T) {
	t.Parallel()
	var seed []movies.Movie
	for i := range 20 {
		seed = append(seed, movies.Movie{Year: 2000, Title: string(rune('a' + i)), Info: movies.Info{Plot: strings.Repeat("x", 300_000)}})
	}
	s := movies.NewDynamoStore(moviestest.Client(t), moviestest.Table(t, seed...))
	for name, q := range map[string]movies.Query{
		"one year": {Year: 2000}, "every year": {}, "every year backwards": {Sort: "-title"},
	} {
		q.Limit = 100
		var got []string
		for pages := 1; ; pages++ {
			page, err := s.List(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			got = append(got, titles(page.Movies)...)
			if q.After = page.Next; q.After == "" {
				if pages < 2 {
					t.Errorf("%s: got one page, want more", name)
				}
				break
			}
		}
		want := strings.Split("abcdefghijklmnopqrst", "")
		if q.Sort != "" {
			slices.Reverse(want)
		}
		if !cmp.Equal(want, got) {
			t.Errorf("%s: got %q, want %q", name, got, want)
		}
	}
}

func TestDynamoStoreRefusesForeignCursor(t *testing.T) {
	t.Parallel()
	s := movies.NewDynamoStore(fakeDynamo{fail: errors.New("must not be asked")}, "movies")
	for name, q := range map[string]movies.Query{
		"below the first year":              {FromYear: 2000, After: "1999#Rush\x01"},
		"above the last year":               {ToYear: 1998, After: "1999#Rush\x01"},
		"another year":                      {Genre: "Drama", Year: 2014, After: "2013#Rush\x01"},
		"another prefix":                    {TitlePrefix: "A", After: "B\x011999"},
		"below the rating":                  {MinRating: 9, After: "0899#Rush\x011999"},
		"no end of a position":              {After: "1999#Rush"},
		"too long":                          {Year: 1999, After: movies.Cursor(strings.Repeat("a", 1017))},
		"a combination that is not offered": {Genre: "Drama", Actor: "X"},
	} {
		q.Limit = 5
		if _, err := s.List(t.Context(), q); movies.CodeOf(err) != movies.CodeInvalidParameter {
			t.Errorf("%s: got %v, want invalid_parameter", name, err)
		}
	}
}

// fakeDynamo fails every call in one way.
type fakeDynamo struct{ fail error }

func (f fakeDynamo) Query(context.Context, *dynamodb.QueryInput, ...func(*dynamodb.Options)) (*dynamodb.QueryOutput, error) {
	return nil, f.fail
}

func (f fakeDynamo) PutItem(context.Context, *dynamodb.PutItemInput, ...func(*dynamodb.Options)) (*dynamodb.PutItemOutput, error) {
	return nil, f.fail
}

func (f fakeDynamo) TransactWriteItems(context.Context, *dynamodb.TransactWriteItemsInput, ...func(*dynamodb.Options)) (*dynamodb.TransactWriteItemsOutput, error) {
	return nil, f.fail
}

func (f fakeDynamo) GetItem(context.Context, *dynamodb.GetItemInput, ...func(*dynamodb.Options)) (*dynamodb.GetItemOutput, error) {
	return nil, f.fail
}

// The answers of DynamoDB as they come over the wire, through the real SDK (Developer Guide, "Error handling with
// DynamoDB").
func TestDynamoStoreErrorAnswers(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		status int
		body   string
		want   movies.Code
		cause  string
	}{
		"throttled table":    {400, `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow"}`, movies.CodeThrottled, "slow"},
		"throttled account":  {400, `{"__type":"com.amazonaws.dynamodb.v20120810#RequestLimitExceeded","message":"slow"}`, movies.CodeThrottled, "slow"},
		"throttled API":      {400, `{"__type":"com.amazon.coral.availability#ThrottlingException","message":"slow"}`, movies.CodeThrottled, "slow"},
		"no table":           {400, `{"__type":"com.amazonaws.dynamodb.v20120810#ResourceNotFoundException","message":"no table"}`, movies.CodeUnavailable, "no table"},
		"internal error":     {500, `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"oops"}`, movies.CodeUnavailable, "oops"},
		"unavailable":        {503, `{"__type":"com.amazonaws.dynamodb.v20120810#ServiceUnavailable","message":"oops"}`, movies.CodeUnavailable, "oops"},
		"a proxy in between": {502, `<html>bad gateway</html>`, movies.CodeUnavailable, "502"},
		"answer cut short":   {200, `{"Items":[`, movies.CodeUnavailable, "deserialization failed"},
		"not of DynamoDB":    {200, `<html>sign in</html>`, movies.CodeUnavailable, "deserialization failed"},
		"role without right": {400, `{"__type":"com.amazon.coral.service#AccessDeniedException","Message":"User: x is not authorized"}`, movies.CodeInternal, "not authorized"},
		"refused expression": {400, `{"__type":"com.amazon.coral.validate#ValidationException","message":"Invalid"}`, movies.CodeInternal, "Invalid"},
		"bad signature": {400, `{"__type":"com.amazon.coral.service#InvalidSignatureException","message":"x-amz-security-token:hunter2"}`,
			movies.CodeInternal, "InvalidSignatureException (message withheld)"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
				w.Header().Set("Content-Type", "application/x-amz-json-1.0")
				w.WriteHeader(tt.status)
				_, _ = w.Write([]byte(tt.body))
			}))
			defer server.Close()
			errs := both(t, movies.NewDynamoStore(clientTo(server.URL), "movies"))
			wantCode(t, errs, tt.want, tt.cause)
			for _, err := range errs {
				if strings.Contains(err.Error(), "hunter2") {
					t.Errorf("the error repeats a secret: %v", err)
				}
			}
		})
	}
}

// Failures that come without an answer.
func TestDynamoStoreNoAnswer(t *testing.T) {
	t.Parallel()
	tests := map[string]error{
		"unknown host":          &smithyhttp.RequestSendError{Err: &net.DNSError{Err: "no such host", Name: "dynamodb.invalid", IsNotFound: true}},
		"an attempt's deadline": &aws.RequestCanceledError{Err: context.DeadlineExceeded},
		"cancelled":             &aws.RequestCanceledError{Err: context.Canceled},
		"reset":                 &smithy.OperationError{Err: errors.New("read: connection reset by peer")},
	}
	for name, fail := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			wantCode(t, both(t, movies.NewDynamoStore(fakeDynamo{fail}, "movies")), movies.CodeUnavailable, fail.Error())
		})
	}
	fail := errors.New("of no known kind")
	wantCode(t, both(t, movies.NewDynamoStore(fakeDynamo{fail}, "movies")), movies.CodeInternal, fail.Error())
}

// clientTo tries once: retries are NewDynamoClient's business.
func clientTo(url string) *dynamodb.Client {
	return dynamodb.New(dynamodb.Options{
		Region: moviestest.Region, BaseEndpoint: &url, Credentials: credentials.NewStaticCredentialsProvider("local", "local", ""),
		Retryer: aws.NopRetryer{},
	})
}

// environment is what Lambda sets, with another endpoint.
func environment(endpoint string, more ...string) func(string) string {
	env := map[string]string{
		"AWS_REGION": moviestest.Region, "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_SESSION_TOKEN": "token",
		"AWS_ENDPOINT_URL_DYNAMODB": endpoint,
	}
	for i := 0; i+1 < len(more); i += 2 {
		env[more[i]] = more[i+1]
	}
	return func(name string) string { return env[name] }
}

func newClient(t *testing.T, endpoint string) *dynamodb.Client {
	t.Helper()
	client, err := movies.NewDynamoClient(environment(endpoint))
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestNewDynamoClientNeedsRegionAndKeys(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		if _, err := movies.NewDynamoClient(environment("http://127.0.0.1:1", name, "")); err == nil || !strings.Contains(err.Error(), name) {
			t.Errorf("got error %v, want one that names %s", err, name)
		}
	}
}

func TestNewDynamoClientReadsRealTable(t *testing.T) {
	t.Parallel()
	client := newClient(t, moviestest.Database(t).URL)
	got, err := movies.NewDynamoStore(client, moviestest.Table(t, sample())).Get(t.Context(), sample().Key())
	if diff := cmp.Diff(sample(), got); err != nil || diff != "" {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}

// AWS_ENDPOINT_URL holds for every service, the service's own variable wins, and both can be switched off.
func TestNewDynamoClientEndpoint(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ own, all, ignore, want string }{
		"own":     {"http://own", "", "false", "http://own"},
		"all":     {"", "http://all", "false", "http://all"},
		"both":    {"http://own", "http://all", "", "http://own"},
		"ignored": {"http://own", "http://all", "true", ""},
		"none":    {"", "", "false", ""},
	}
	for name, tt := range tests {
		client, err := movies.NewDynamoClient(environment(tt.own, "AWS_ENDPOINT_URL", tt.all, "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", tt.ignore))
		if err != nil {
			t.Fatal(err)
		}
		if got := aws.ToString(client.Options().BaseEndpoint); got != tt.want {
			t.Errorf("%s: endpoint: got %q, want %q", name, got, tt.want)
		}
	}
}

func TestNewDynamoClientUnreachable(t *testing.T) {
	closed := listen(t)
	closed.Close()
	client := newClient(t, "http://"+closed.Addr().String())
	s := movies.NewDynamoStore(client, "movies")
	wantCode(t, both(t, s), movies.CodeUnavailable, "connection refused")
	if w := call(t, &movies.Handler{Store: s}, "GET", "/movie_list"); w.Code != http.StatusServiceUnavailable {
		t.Errorf("over HTTP: got %d, want 503", w.Code)
	}
}

// A server that takes the connection and says nothing is given up after two attempts, long before the caller's time is
// over.
func TestNewDynamoClientSilentServer(t *testing.T) {
	silent := listen(t)
	defer silent.Close()
	var conns atomic.Int32
	go func() {
		for {
			if _, err := silent.Accept(); err != nil {
				return
			}
			conns.Add(1)
		}
	}()
	client := newClient(t, "http://"+silent.Addr().String())
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err := movies.NewDynamoStore(client, "movies").List(ctx, movies.Query{Limit: 5, Year: 2013})
	if movies.CodeOf(err) != movies.CodeUnavailable {
		t.Errorf("got error %v, want unavailable", err)
	}
	if ctx.Err() != nil || conns.Load() != 2 {
		t.Errorf("context %v, %d attempts, want the store to give up by itself after 2", ctx.Err(), conns.Load())
	}
}

func listen(t *testing.T) net.Listener {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return l
}
