package main

import (
	"context"
	"encoding/json"
	"net/url"
	"strings"
	"testing"

	"github.com/aws/aws-lambda-go/events"
	"github.com/aws/aws-lambda-go/lambdacontext"
	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/movies"
)

// recorder is a store that notes what it is asked.
type recorder struct {
	query movies.Query
	key   movies.Key
}

func (r *recorder) List(_ context.Context, q movies.Query) (movies.Page, error) {
	r.query = q
	return movies.Page{}, nil
}

func (r *recorder) Get(_ context.Context, k movies.Key) (movies.Movie, error) {
	r.key = k
	return movies.Movie{Year: k.Year, Title: k.Title}, nil
}

// The path of an event is as the caller sent it: API Gateway does not decode it.
func TestInvokePath(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		path  string
		title string // "" means that the store is not asked
		code  int
	}{
		"plain":                    {"/movie_list/1999/Rush", "Rush", 200},
		"slash and space":          {"/movie_list/1999/A%2FB%20C", "A/B C", 200},
		"lower case escape":        {"/movie_list/1999/A%2fB", "A/B", 200},
		"decoded exactly once":     {"/movie_list/1999/A%252FB", "A%2FB", 200},
		"percent":                  {"/movie_list/1999/100%25", "100%", 200},
		"plus stays a plus":        {"/movie_list/1999/1+1%2B1", "1+1+1", 200},
		"question mark and hash":   {"/movie_list/1999/Who%3F%23", "Who?#", 200},
		"raw question mark":        {"/movie_list/1999/Who?limit=1", "Who?limit=1", 200},
		"raw hash":                 {"/movie_list/1999/#1", "#1", 200},
		"raw space":                {"/movie_list/1999/A B", "A B", 200},
		"letters beyond ASCII":     {"/movie_list/1999/%EA%B8%B0%EC%83%9D%EC%B6%A9", "기생충", 200},
		"raw letters with a slash": {"/movie_list/1999/é%2Fx", "é/x", 200},
		"raw quote with a slash":   {`/movie_list/1999/"%2F`, `"/`, 200},
		"sub-delimiters":           {"/movie_list/1999/!$&'()*,;=:@", "!$&'()*,;=:@", 200},
		"trailing slash":           {"/movie_list/1999/Rush/", "Rush", 200},
		"two slashes":              {"//movie_list/1999/Rush", "", 404},
		"lone percent":             {"/movie_list/1999/100%", "", 400},
		"percent before no digits": {"/movie_list/1999/%zz", "", 400},
		"half an escape":           {"/movie_list/1999/%4g", "", 400},
		"cut escape":               {"/movie_list/1999/%4", "", 400},
		"control character":        {"/movie_list/1999/a\nb", "a\nb", 200},
		"empty":                    {"", "", 404},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var store recorder
			resp, err := invoke(&movies.Handler{Store: &store})(t.Context(), events.APIGatewayProxyRequest{HTTPMethod: "GET", Path: tt.path})
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != tt.code || store.key.Title != tt.title {
				t.Errorf("got %d, title %q, want %d, title %q: %s", resp.StatusCode, store.key.Title, tt.code, tt.title, resp.Body)
			}
			if !json.Valid([]byte(resp.Body)) || resp.IsBase64Encoded {
				t.Errorf("body: got %q, want plain JSON", resp.Body)
			}
			if tt.code == 400 && !strings.Contains(resp.Body, `"code":"invalid_path"`) {
				t.Errorf("body: got %s, want the code invalid_path", resp.Body)
			}
		})
	}
}

// The query string of an event is decoded: whatever a value holds must arrive as it stands, encoded not twice and not
// too little.
func TestInvokeQuery(t *testing.T) {
	t.Parallel()
	cursor := movies.Cursor("100% A+B&c=d;#é %2F\x011999")
	tokens := movies.Tokens{Keys: func(context.Context, bool) ([][]byte, error) { return [][]byte{make([]byte, 32)}, nil }}
	token, err := tokens.Seal(t.Context(), movies.Query{Year: 1999}, cursor)
	if err != nil {
		t.Fatal(err)
	}
	tests := map[string]struct {
		single  map[string]string
		multi   map[string][]string
		code    int
		message string
		query   movies.Query
	}{
		"none": {nil, nil, 200, "", movies.Query{Limit: 25}},
		"both maps": {map[string]string{"limit": "5"}, map[string][]string{"limit": {"5"}, "year": {"1999"}, "next": {token}}, 200, "",
			movies.Query{Limit: 5, Year: 1999, After: cursor}},
		"single map only":        {map[string]string{"limit": "5"}, nil, 200, "", movies.Query{Limit: 5}},
		"value with a percent":   {nil, map[string][]string{"limit": {"%35"}}, 400, `got \"%35\"`, movies.Query{}},
		"value with delimiters":  {nil, map[string][]string{"limit": {"5&year=1999#;+"}}, 400, `got \"5&year=1999#;+\"`, movies.Query{}},
		"name with delimiters":   {nil, map[string][]string{"limit=5&a": {""}}, 400, `unknown query parameter \"limit=5&a\"`, movies.Query{}},
		"repeated":               {map[string]string{"limit": "2"}, map[string][]string{"limit": {"1", "2"}}, 400, "limit is given 2 times", movies.Query{}},
		"value with a plus sign": {nil, map[string][]string{"year": {"+1999"}}, 400, `got \"+1999\"`, movies.Query{}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var store recorder
			resp, err := invoke(&movies.Handler{Store: &store, Tokens: tokens})(t.Context(), events.APIGatewayProxyRequest{
				HTTPMethod: "GET", Path: "/movie_list", QueryStringParameters: tt.single, MultiValueQueryStringParameters: tt.multi,
			})
			if err != nil {
				t.Fatal(err)
			}
			if resp.StatusCode != tt.code || !strings.Contains(resp.Body, tt.message) {
				t.Errorf("got %d %s, want %d with %s", resp.StatusCode, resp.Body, tt.code, tt.message)
			}
			if diff := cmp.Diff(tt.query, store.query); diff != "" {
				t.Errorf("query (-want +got):\n%s", diff)
			}
		})
	}
}

func TestInvokeHead(t *testing.T) {
	t.Parallel()
	resp, err := invoke(&movies.Handler{Store: &recorder{}})(t.Context(), events.APIGatewayProxyRequest{HTTPMethod: "HEAD", Path: "/movie_list"})
	if err != nil || resp.StatusCode != 200 || resp.Body != "" {
		t.Errorf("got %d %q, %v, want 200 without a body", resp.StatusCode, resp.Body, err)
	}
}

func TestOrigin(t *testing.T) {
	t.Parallel()
	var got movies.Origin
	h := &movies.Handler{Store: storeFunc(func(ctx context.Context) { got = origin(ctx) })}
	ctx := lambdacontext.NewContext(t.Context(), &lambdacontext.LambdaContext{AwsRequestID: "lambda-2"})
	event := events.APIGatewayProxyRequest{HTTPMethod: "GET", Path: "/movie_list"}
	event.RequestContext.RequestID = "gateway-1"
	event.RequestContext.Identity.UserArn = "arn:aws:iam::123456789012:user/a"
	//lint:ignore SA1029 the runtime does so
	ctx = context.WithValue(ctx, "x-amzn-trace-id", "Root=1-2")
	if _, err := invoke(h)(ctx, event); err != nil {
		t.Fatal(err)
	}
	if want := (movies.Origin{RequestID: "gateway-1", InvocationID: "lambda-2", CallerARN: "arn:aws:iam::123456789012:user/a", TraceID: "Root=1-2"}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if got := origin(t.Context()); got != (movies.Origin{}) {
		t.Errorf("outside an invocation: got %+v, want nothing", got)
	}
}

// storeFunc is a store that only looks at the context.
type storeFunc func(context.Context)

func (f storeFunc) List(ctx context.Context, _ movies.Query) (movies.Page, error) {
	f(ctx)
	return movies.Page{}, nil
}

func (f storeFunc) Get(ctx context.Context, _ movies.Key) (movies.Movie, error) {
	f(ctx)
	return movies.Movie{}, nil
}

// Whatever an event's path holds, the title in it is decoded exactly once, or the answer is an error of ours.
func FuzzInvokePath(f *testing.F) {
	for _, title := range []string{"Rush", "A%2FB%20C", "é%2Fx", "100%", "%zz", "Who?#", "a/b", "\x00", "%FF", "+"} {
		f.Add(title)
	}
	f.Fuzz(func(t *testing.T, segment string) {
		var store recorder
		resp, err := invoke(&movies.Handler{Store: &store})(t.Context(),
			events.APIGatewayProxyRequest{HTTPMethod: "GET", Path: "/movie_list/1999/" + segment})
		if err != nil {
			t.Fatalf("%q: %v", segment, err)
		}
		title, err := url.PathUnescape(strings.TrimSuffix(segment, "/"))
		switch {
		case resp.StatusCode == 200 && err == nil && store.key.Title == title:
		case (resp.StatusCode == 400 || resp.StatusCode == 404) && store.key.Title == "":
		default:
			t.Errorf("%q: got %d, title %q, want title %q (%v)", segment, resp.StatusCode, store.key.Title, title, err)
		}
	})
}
