package movies_test

import (
	"context"
	"errors"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
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

// A real item, written attribute by attribute in the layout of AWS's data set, with things around that are not ours.
func TestDynamoStoreReadsAWSLayout(t *testing.T) {
	t.Parallel()
	client, table := moviestest.Client(t), moviestest.Table(t)
	text := func(s string) types.AttributeValue { return &types.AttributeValueMemberS{Value: s} }
	num := func(s string) types.AttributeValue { return &types.AttributeValueMemberN{Value: s} }
	texts := func(all ...string) types.AttributeValue {
		list := &types.AttributeValueMemberL{}
		for _, s := range all {
			list.Value = append(list.Value, text(s))
		}
		return list
	}
	_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: map[string]types.AttributeValue{
		"year": num("2013"), "title": text("Rush"), "pk": text("an index key"),
		"info": &types.AttributeValueMemberM{Value: map[string]types.AttributeValue{
			"directors": texts("Ron Howard"), "release_date": text("2013-09-02T00:00:00Z"), "rating": num("8.3"),
			// A set, as some loaders write it.
			"genres":    &types.AttributeValueMemberSS{Value: []string{"Action", "Biography"}},
			"image_url": text("http://example.com/rush.jpg"), "plot": text("Two drivers."), "rank": num("2"),
			"running_time_secs": num("7380"), "actors": texts("Daniel Bruhl", "Chris Hemsworth"), "budget": num("38000000"),
		}},
	}})
	if err != nil {
		t.Fatal(err)
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
	_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: map[string]types.AttributeValue{
		"year": &types.AttributeValueMemberN{Value: "2013"}, "title": &types.AttributeValueMemberS{Value: "Rush"},
		"info": &types.AttributeValueMemberS{Value: "a text"},
	}})
	if err != nil {
		t.Fatal(err)
	}
	wantCode(t, both(t, movies.NewDynamoStore(client, table)), movies.CodeInternal, `item year 2013, title "Rush" of table "`+table+`"`)
}

// DynamoDB ends a page after 1 MB: twenty movies of 100 kB come in two or three pages though 100 were asked for.
func TestDynamoStorePagesEndAtOneMegabyte(t *testing.T) {
	t.Parallel()
	var seed []movies.Movie
	for i := range 20 {
		seed = append(seed, movies.Movie{Year: 2000, Title: string(rune('a' + i)), Info: movies.Info{Plot: strings.Repeat("x", 100_000)}})
	}
	s := movies.NewDynamoStore(moviestest.Client(t), moviestest.Table(t, seed...))
	for name, year := range map[string]int{"one year": 2000, "every year": 0} {
		var got []string
		pages, q := 0, movies.Query{Limit: 100, Year: year}
		for {
			page, err := s.List(t.Context(), q)
			if err != nil {
				t.Fatal(err)
			}
			pages++
			got = append(got, titles(page.Movies)...)
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if want := strings.Split("abcdefghijklmnopqrst", ""); !cmp.Equal(want, got) || pages < 2 {
			t.Errorf("%s: got %q in %d pages, want %q in more than one", name, got, pages, want)
		}
	}
}

func TestDynamoStoreRefusesForeignCursor(t *testing.T) {
	t.Parallel()
	s := movies.NewDynamoStore(fakeDynamo{fail: errors.New("must not be asked")}, "movies")
	for name, q := range map[string]movies.Query{
		"no slash":        {After: "2013"},
		"no title":        {After: "2013/"},
		"no year":         {After: "/Rush"},
		"year with sign":  {After: "+2013/Rush"},
		"year with zero":  {After: "02013/Rush"},
		"of another year": {Year: 2014, After: "2013/Rush"},
		"title too long":  {After: movies.Cursor("2013/" + strings.Repeat("a", 1025))},
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

func (f fakeDynamo) Scan(context.Context, *dynamodb.ScanInput, ...func(*dynamodb.Options)) (*dynamodb.ScanOutput, error) {
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
		"throttled table":    {400, `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow"}`, movies.CodeUnavailable, "slow"},
		"throttled account":  {400, `{"__type":"com.amazonaws.dynamodb.v20120810#RequestLimitExceeded","message":"slow"}`, movies.CodeUnavailable, "slow"},
		"throttled API":      {400, `{"__type":"com.amazon.coral.availability#ThrottlingException","message":"slow"}`, movies.CodeUnavailable, "slow"},
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
		"unknown host": &smithyhttp.RequestSendError{Err: &net.DNSError{Err: "no such host", Name: "dynamodb.invalid", IsNotFound: true}},
		"deadline":     &aws.RequestCanceledError{Err: context.DeadlineExceeded},
		"cancelled":    &aws.RequestCanceledError{Err: context.Canceled},
		"reset":        &smithy.OperationError{Err: errors.New("read: connection reset by peer")},
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

// environment sets the SDK's variables and clears those that a developer's machine may have.
func environment(t *testing.T, endpoint string) {
	t.Helper()
	for name, value := range map[string]string{
		"AWS_REGION": moviestest.Region, "AWS_DEFAULT_REGION": "", "AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local",
		"AWS_ACCESS_KEY": "", "AWS_SECRET_KEY": "", "AWS_SESSION_TOKEN": "token", "AWS_ENDPOINT_URL_DYNAMODB": endpoint,
		"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "false",
	} {
		t.Setenv(name, value)
	}
}

func TestNewDynamoClientNeedsRegionAndKeys(t *testing.T) {
	for _, name := range []string{"AWS_REGION", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} {
		t.Run(name, func(t *testing.T) {
			environment(t, "http://127.0.0.1:1")
			t.Setenv(name, "")
			if _, err := movies.NewDynamoClient(); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("got error %v, want one that names %s", err, name)
			}
		})
	}
}

func TestNewDynamoClientReadsRealTable(t *testing.T) {
	environment(t, moviestest.Database(t).URL)
	client, err := movies.NewDynamoClient()
	if err != nil {
		t.Fatal(err)
	}
	got, err := movies.NewDynamoStore(client, moviestest.Table(t, sample())).Get(t.Context(), sample().Key())
	if diff := cmp.Diff(sample(), got); err != nil || diff != "" {
		t.Errorf("error %v (-want +got):\n%s", err, diff)
	}
}

// AWS_ENDPOINT_URL holds for every service, the service's own variable wins, and both can be switched off.
func TestNewDynamoClientEndpoint(t *testing.T) {
	tests := map[string]struct{ own, all, ignore, want string }{
		"own":     {"http://own", "", "false", "http://own"},
		"all":     {"", "http://all", "false", "http://all"},
		"both":    {"http://own", "http://all", "false", "http://own"},
		"ignored": {"http://own", "http://all", "true", ""},
		"none":    {"", "", "false", ""},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			environment(t, tt.own)
			if tt.own == "" {
				unset(t, "AWS_ENDPOINT_URL_DYNAMODB")
			}
			unset(t, "AWS_ENDPOINT_URL")
			if tt.all != "" {
				t.Setenv("AWS_ENDPOINT_URL", tt.all)
			}
			t.Setenv("AWS_IGNORE_CONFIGURED_ENDPOINT_URLS", tt.ignore)
			client, err := movies.NewDynamoClient()
			if err != nil {
				t.Fatal(err)
			}
			if got := aws.ToString(client.Options().BaseEndpoint); got != tt.want {
				t.Errorf("endpoint: got %q, want %q", got, tt.want)
			}
		})
	}
}

func TestNewDynamoClientUnreachable(t *testing.T) {
	closed := listen(t)
	closed.Close()
	environment(t, "http://"+closed.Addr().String())
	client, err := movies.NewDynamoClient()
	if err != nil {
		t.Fatal(err)
	}
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
	environment(t, "http://"+silent.Addr().String())
	client, err := movies.NewDynamoClient()
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	_, err = movies.NewDynamoStore(client, "movies").List(ctx, movies.Query{Limit: 5})
	if movies.CodeOf(err) != movies.CodeUnavailable {
		t.Errorf("got error %v, want unavailable", err)
	}
	if ctx.Err() != nil || conns.Load() != 2 {
		t.Errorf("context %v, %d attempts, want the store to give up by itself after 2", ctx.Err(), conns.Load())
	}
}

// unset removes a variable for the length of a test.
func unset(t *testing.T, name string) {
	t.Helper()
	t.Setenv(name, "") // puts the old value back afterwards
	if err := os.Unsetenv(name); err != nil {
		t.Fatal(err)
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
