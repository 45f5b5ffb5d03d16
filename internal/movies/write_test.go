package movies_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/movies"
	"github.com/marquee-api/marquee/internal/movies/moviestest"
)

// written are the stores that the tests of writing run against.
var written = map[string]func(t *testing.T) *movies.Handler{
	"model": func(*testing.T) *movies.Handler {
		m := newModel()
		return &movies.Handler{Store: m, Writer: m, Tokens: tokens, Origin: writerOne}
	},
	"dynamodb": func(t *testing.T) *movies.Handler {
		s := movies.NewDynamoStore(moviestest.Client(t), moviestest.Table(t))
		return &movies.Handler{Store: s, Writer: s, Tokens: tokens, Origin: writerOne}
	},
}

func writerOne(ctx context.Context) movies.Origin {
	arn, _ := ctx.Value(callerKey{}).(string)
	return movies.Origin{CallerARN: arn}
}

type callerKey struct{}

// send makes one request; headers are name, value, name, value.
func send(t testing.TB, h http.Handler, method, target, body string, headers ...string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequestWithContext(t.Context(), method, target, strings.NewReader(body))
	for i := 0; i+1 < len(headers); i += 2 {
		if headers[i] == "caller" {
			r = r.WithContext(context.WithValue(r.Context(), callerKey{}, headers[i+1]))
			continue
		}
		r.Header.Add(headers[i], headers[i+1])
	}
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	return w
}

const rush = "/movie_list/2013/Rush"

func TestWriting(t *testing.T) {
	t.Parallel()
	one, two := movies.Movie{Year: 2013, Title: "Rush", Info: movies.Info{Rating: 1}}, movies.Movie{Year: 2013, Title: "Rush", Info: movies.Info{Rating: 2}}
	const bodyOne, bodyTwo = `{"year":2013,"title":"Rush","info":{"rating":1}}`, `{"info":{"rating":2}}`
	const alice, bob = "arn:aws:sts::1:assumed-role/Alice/s1", "arn:aws:sts::1:assumed-role/Bob/s1"
	steps := []struct {
		name, method, body string
		headers            []string
		status             int
		code, etag, reply  string
		replayed           bool
	}{
		{"remove what is not there", "DELETE", "", []string{"If-Match", "*"}, 404, "not_found", "", "", false},
		{"replace what is not there", "PUT", bodyOne, []string{"If-Match", "*"}, 412, "precondition_failed", "", "", false},
		{"replace a state that is not there", "PUT", bodyOne, []string{"If-Match", one.ETag()}, 412, "precondition_failed", "", "", false},
		{"make", "PUT", bodyOne, nil, 201, "", one.ETag(), bodyOne, false},
		{"make what is there", "PUT", bodyTwo, []string{"If-None-Match", "*"}, 412, "precondition_failed", "", "", false},
		{"replace without a condition", "PUT", bodyTwo, nil, 428, "precondition_required", "", "", false},
		{"remove without a condition", "DELETE", "", nil, 428, "precondition_required", "", "", false},
		{"replace another state", "PUT", bodyTwo, []string{"If-Match", two.ETag()}, 412, "precondition_failed", "", "", false},
		{"a weak tag matches nothing", "PUT", bodyTwo, []string{"If-Match", "W/" + one.ETag()}, 412, "precondition_failed", "", "", false},
		{"read", "GET", "", nil, 200, "", one.ETag(), bodyOne, false},
		{"read what is known", "GET", "", []string{"If-None-Match", `"x", W/` + one.ETag()}, 304, "", one.ETag(), "", false},
		{"read what is known at all", "GET", "", []string{"If-None-Match", "*"}, 304, "", one.ETag(), "", false},
		{"read what is known otherwise", "GET", "", []string{"If-None-Match", two.ETag()}, 200, "", one.ETag(), bodyOne, false},
		{"replace this state", "PUT", bodyTwo, []string{"If-Match", `"x"`, "If-Match", one.ETag()}, 200, "", two.ETag(), "", false},
		{"replace any state", "PUT", bodyOne, []string{"If-Match", "*"}, 200, "", one.ETag(), "", false},
		{"by name", "PUT", bodyTwo, []string{"If-Match", "*", "Idempotency-Key", "k", "caller", alice}, 200, "", two.ETag(), "", false},
		{"by name again, another session", "PUT", bodyTwo, []string{"If-Match", "*", "Idempotency-Key", "k", "caller", alice + "2"}, 200, "", two.ETag(), "", true},
		{"the name for something else", "PUT", bodyOne, []string{"If-Match", "*", "Idempotency-Key", "k", "caller", alice}, 422, "idempotency_key_reused", "", "", false},
		{"another caller's same name", "PUT", bodyOne, []string{"If-Match", "*", "Idempotency-Key", "k", "caller", bob}, 200, "", one.ETag(), "", false},
		{"by name once more: nothing happens", "PUT", bodyTwo, []string{"If-Match", "*", "Idempotency-Key", "k", "caller", alice}, 200, "", two.ETag(), "", true},
		{"read after it", "GET", "", nil, 200, "", one.ETag(), bodyOne, false},
		{"what failed is not remembered", "PUT", bodyTwo, []string{"If-Match", `"x"`, "Idempotency-Key", "f"}, 412, "precondition_failed", "", "", false},
		{"remove by name", "DELETE", "", []string{"If-Match", one.ETag(), "Idempotency-Key", "d"}, 204, "", "", "", false},
		{"remove by name again", "DELETE", "", []string{"If-Match", one.ETag(), "Idempotency-Key", "d"}, 204, "", "", "", true},
		{"gone", "GET", "", nil, 404, "not_found", "", "", false},
		{"make with a condition", "PUT", bodyOne, []string{"If-None-Match", "*"}, 201, "", one.ETag(), "", false},
		{"two conditions", "PUT", bodyOne, []string{"If-None-Match", "*", "If-Match", "*"}, 400, "invalid_header", "", "", false},
		{"a tag for If-None-Match", "PUT", bodyOne, []string{"If-None-Match", one.ETag()}, 400, "invalid_header", "", "", false},
		{"a tag without marks", "PUT", bodyOne, []string{"If-Match", "abc"}, 400, "invalid_header", "", "", false},
		{"tags without a comma", "PUT", bodyOne, []string{"If-Match", `"a" "b"`}, 400, "invalid_header", "", "", false},
		{"an open tag", "GET", "", []string{"If-None-Match", `"a`}, 400, "invalid_header", "", "", false},
		{"a name with a space", "PUT", bodyOne, []string{"Idempotency-Key", "a b"}, 400, "invalid_header", "", "", false},
		{"a long name", "PUT", bodyOne, []string{"Idempotency-Key", strings.Repeat("x", 256)}, 400, "invalid_header", "", "", false},
		{"not JSON by its type", "PUT", bodyOne, []string{"Content-Type", "text/plain"}, 415, "unsupported_media_type", "", "", false},
		{"JSON by its type", "PUT", bodyOne, []string{"If-Match", "*", "Content-Type", "application/json; charset=utf-8"}, 200, "", one.ETag(), "", false},
		{"not JSON", "PUT", `{"year":`, nil, 400, "invalid_json", "", "", false},
		{"a list", "PUT", `[]`, nil, 400, "invalid_json", "", "", false},
		{"null", "PUT", `null`, nil, 400, "invalid_json", "", "", false},
		{"nothing", "PUT", ``, nil, 400, "invalid_json", "", "", false},
		{"not UTF-8", "PUT", "{\"title\":\"\xff\"}", nil, 400, "invalid_json", "", "", false},
		{"too much", "PUT", `{"info":{"plot":"` + strings.Repeat("x", movies.MaxBodyBytes) + `"}}`, nil, 413, "body_too_large", "", "", false},
		{"a movie that is none", "PUT", `{"info":{"rating":11}}`, nil, 422, "invalid_movie", "", "", false},
	}
	for kind, open := range written {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			h := open(t)
			for _, step := range steps {
				w := send(t, h, step.method, rush, step.body, step.headers...)
				if w.Code != step.status {
					t.Fatalf("%s: got %d %s, want %d", step.name, w.Code, w.Body, step.status)
				}
				var got reply
				_ = json.Unmarshal(w.Body.Bytes(), &got)
				if got.Error.Code != step.code || (step.code == "") != (got.Error.Message == "") {
					t.Errorf("%s: got error %+v, want %q", step.name, got.Error, step.code)
				}
				if step.etag != "" && w.Header().Get("ETag") != step.etag || step.code != "" && w.Header().Get("ETag") != "" {
					t.Errorf("%s: got ETag %q, want %q", step.name, w.Header().Get("ETag"), step.etag)
				}
				if text := strings.TrimSpace(w.Body.String()); step.reply != "" && text != step.reply || step.status == 304 && text != "" {
					t.Errorf("%s: got %s, want %s", step.name, text, step.reply)
				}
				if replayed := w.Header().Get("Idempotency-Replayed") == "true"; replayed != step.replayed {
					t.Errorf("%s: replayed: got %v, want %v", step.name, replayed, step.replayed)
				}
			}
		})
	}
}

// All faults of a movie come at once, in words and one by one.
func TestPutNamesEveryFault(t *testing.T) {
	t.Parallel()
	h := written["model"](t)
	w := send(t, h, "PUT", rush, `{"year":2012,"title":"Push","budget":1,"info":{"rating":"high","rank":-1,"genres":["A","A"],"actors":[1],"Plot":"x","plot":null}}`)
	var got struct {
		Error struct {
			Message string
			Faults  []string
		}
	}
	if err := json.Unmarshal(w.Body.Bytes(), &got); err != nil {
		t.Fatal(err)
	}
	want := []string{
		"year is 2012, but the path says 2013", `title is "Push", but the path says "Rush"`, `info.rating must be a number, got "\"high\""`,
		`info.actors must be a list of texts, got "[1]"`,
		"info.Plot is not known: it may be one of directors, release_date, rating, genres, image_url, plot, rank, running_time_secs, actors",
		"budget is not known: it may be one of year, title and info",
		"info.rank must not be negative, got -1", `info.genres holds "A" twice`,
	}
	if diff := cmp.Diff(want, got.Error.Faults); w.Code != 422 || diff != "" {
		t.Errorf("got %d, faults (-want +got):\n%s", w.Code, diff)
	}
	if got.Error.Message != strings.Join(want, "; ") {
		t.Errorf("message: got %s", got.Error.Message)
	}
}

// The largest movie that the rules allow fits into an item and its change into a transaction, and so does its exchange for
// another with no name in common.
func TestWritingTheLargestMovie(t *testing.T) {
	t.Parallel()
	largest := func(c string) movies.Movie {
		names := func(n int) []string {
			list := make([]string, n)
			for i := range list {
				list[i] = c + string(rune('a'+i)) + strings.Repeat("x", movies.MaxNameBytes-1-len(c))
			}
			return list
		}
		return movies.Movie{Year: 2013, Title: strings.Repeat("t", movies.MaxTitleBytes), Info: movies.Info{
			Directors: names(movies.MaxDirectors), Genres: names(movies.MaxGenres), Actors: names(movies.MaxActors), Rating: 9.99,
			Plot: strings.Repeat("\"", movies.MaxPlotBytes), ImageURL: "http://example.com/" + strings.Repeat("x", movies.MaxURLBytes-19),
			ReleaseDate: "2013-09-02T00:00:00.000000000+09:00", Rank: 1_000_000_000, RunningTimeSecs: 1_000_000_000,
		}}
	}
	s := movies.NewDynamoStore(moviestest.Client(t), moviestest.Table(t))
	if size := movies.ItemBytes(movies.Items(largest("a"))[0]); size > movies.MaxItemBytes || size < movies.MaxItemBytes-3000 {
		t.Errorf("the largest movie has %d bytes, want a little less than %d", size, movies.MaxItemBytes)
	}
	if _, err := s.Put(t.Context(), largest("a"), movies.Condition{}, movies.Request{}); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(t.Context(), largest("b"), movies.Condition{Any: true}, movies.Request{IdempotencyKey: "k"}); err != nil {
		t.Fatal(err)
	}
	got, err := s.Get(t.Context(), largest("b").Key())
	if diff := cmp.Diff(largest("b"), got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if page, err := s.List(t.Context(), movies.Query{Limit: 5, Actor: largest("a").Info.Actors[0]}); err != nil || len(page.Movies) != 0 {
		t.Errorf("an actor of before: got %d movies, %v, want none", len(page.Movies), err)
	}
}

// Of many that replace the same state at once, one wins.
func TestWritersRace(t *testing.T) {
	t.Parallel()
	h := written["dynamodb"](t)
	first := send(t, h, "PUT", rush, `{}`)
	tag := first.Header().Get("ETag")
	codes := make(chan int, 8)
	var group sync.WaitGroup
	for i := range cap(codes) {
		group.Go(func() {
			codes <- send(t, h, "PUT", rush, `{"info":{"rank":`+string(rune('1'+i))+`}}`, "If-Match", tag).Code
		})
	}
	group.Wait()
	close(codes)
	counts := map[int]int{}
	for code := range codes {
		counts[code]++
	}
	if diff := cmp.Diff(map[int]int{200: 1, 412: 7}, counts); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
}

// A record is forgotten after a day, even if DynamoDB has not removed it yet.
func TestIdempotencyKeyExpires(t *testing.T) {
	t.Parallel()
	client, table := moviestest.Client(t), moviestest.Table(t)
	now := tokenNow
	s := movies.NewDynamoStore(client, table)
	s.Now = func() time.Time { return now }
	r := movies.Request{Caller: "a", IdempotencyKey: "k", Fingerprint: "f"}
	put := func() movies.Outcome {
		o, err := s.Put(t.Context(), sample(), movies.Condition{}, r)
		if err != nil {
			t.Fatal(err)
		}
		return o
	}
	put()
	now = now.Add(movies.IdempotencyLifetime - time.Second)
	if o := put(); !o.Replayed {
		t.Errorf("before a day is over: got %+v, want the outcome of before", o)
	}
	now = now.Add(time.Second)
	if _, err := s.Put(t.Context(), sample(), movies.Condition{}, r); movies.CodeOf(err) != movies.CodePreconditionRequired {
		t.Errorf("after a day: got %v, want a request of its own", err)
	}
	if _, err := s.Delete(t.Context(), sample().Key(), movies.Condition{Any: true}, r); err != nil {
		t.Errorf("after a day, for something else: got %v", err)
	}
	found := false
	for _, item := range scan(t, client, table) {
		if n, ok := item["expires"].(*types.AttributeValueMemberN); ok {
			found = true
			if n.Value != "1795597200" { // tokenNow, a day until it was forgotten, and another: 1795424400 + 2*86400
				t.Errorf("expires: got %s, want 1795597200", n.Value)
			}
		}
	}
	if !found {
		t.Error("there is no record")
	}
}

// scan returns all items of a table.
func scan(t testing.TB, client *dynamodb.Client, table string) []map[string]types.AttributeValue {
	t.Helper()
	var items []map[string]types.AttributeValue
	pages := dynamodb.NewScanPaginator(client, &dynamodb.ScanInput{TableName: &table})
	for pages.HasMorePages() {
		page, err := pages.NextPage(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		items = append(items, page.Items...)
	}
	return items
}

// consistent holds that the table has the items of these movies, and no others: nothing half written, nothing left over.
func consistent(t testing.TB, client *dynamodb.Client, table string, want []movies.Movie) {
	t.Helper()
	name := func(item map[string]types.AttributeValue) string {
		return item["pk"].(*types.AttributeValueMemberS).Value + "\n" + item["sk"].(*types.AttributeValueMemberS).Value
	}
	wanted := map[string]map[string]types.AttributeValue{}
	for _, m := range want {
		for _, item := range movies.Items(m) {
			wanted[name(item)] = item
		}
	}
	for _, item := range scan(t, client, table) {
		if strings.HasPrefix(name(item), "request#") || strings.HasPrefix(name(item), "config#") {
			continue
		}
		expected, ok := wanted[name(item)]
		if !ok {
			t.Errorf("item %q is left over", name(item))
		} else if !cmp.Equal(expected["info"].(*types.AttributeValueMemberM).Value, item["info"].(*types.AttributeValueMemberM).Value, ignoreState) ||
			!cmp.Equal(expected["rev"], item["rev"], ignoreState) || !cmp.Equal(expected["rk"], item["rk"], ignoreState) {
			t.Errorf("item %q is of another state of the movie", name(item))
		}
		delete(wanted, name(item))
	}
	for missing := range wanted {
		t.Errorf("item %q is missing", missing)
	}
}
