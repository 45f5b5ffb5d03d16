package movies_test

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/movies"
	"github.com/marquee-api/marquee/internal/movies/moviestest"
	"github.com/marquee-api/marquee/internal/stack"
)

// While a reader walks, others make, change and remove movies around and between those that stay, the very one that the
// last page ended with included. The reader meets each of the staying movies once, in order.
func TestWalkWhileOthersWrite(t *testing.T) {
	t.Parallel()
	for _, query := range []string{"", "sort=-title", "genre=Drama", "genre=Drama&sort=-year", "year=1999", "title_prefix=S"} {
		t.Run(query, func(t *testing.T) {
			t.Parallel()
			var seed, stay []movies.Movie
			for i := range 40 {
				m := movies.Movie{Year: 1999, Title: fmt.Sprintf("S%02d", i), Info: movies.Info{Genres: []string{"Drama"}}}
				stay = append(stay, m)
				gone := m
				gone.Title += " gone" // right behind it
				seed = append(seed, m, gone)
			}
			client, table := moviestest.Client(t), moviestest.Table(t, seed...)
			s := movies.NewDynamoStore(client, table)
			h := &movies.Handler{Store: s, Tokens: movies.Tokens{Keys: s.TokenKeys}}
			values, err := url.ParseQuery(query)
			if err != nil {
				t.Fatal(err)
			}
			values.Set("limit", "7")
			met, last := map[string]int{}, ""
			for page := 0; ; page++ {
				w := call(t, h, "GET", "/movie_list?"+values.Encode())
				got := decode[reply](t, w)
				if w.Code != http.StatusOK || page > 40 {
					t.Fatalf("page %d: %d %s", page, w.Code, w.Body)
				}
				for _, m := range got.Items {
					met[m.Title]++
					if up := m.Title > last; last != "" && up == strings.Contains(query, "sort=-") {
						t.Errorf("%q comes after %q", m.Title, last)
					}
					last = m.Title
				}
				if got.NextToken == "" {
					break
				}
				values.Set("next", got.NextToken)
				// Between the pages: the movie that the page ended with goes, if it may, and others come and change.
				for i, k := range []movies.Key{{Year: 1999, Title: last}, {Year: 1999, Title: fmt.Sprintf("S%02d gone", page)}} {
					if len(k.Title) > 3 {
						if _, err := s.Delete(t.Context(), k, movies.Condition{Any: true}, movies.Request{}); err != nil && movies.CodeOf(err) != movies.CodeNotFound {
							t.Fatal(i, err)
						}
					}
				}
				fresh := movies.Movie{Year: 1999, Title: fmt.Sprintf("S%02d new %d", (page*13)%40, page), Info: movies.Info{Genres: []string{"Drama"}}}
				changed := stay[(page*7)%40]
				changed.Info.Rating = float64(page%10) + 0.5
				for _, m := range []movies.Movie{fresh, changed} {
					if _, err := s.Put(t.Context(), m, movies.Condition{}, movies.Request{}); err != nil && movies.CodeOf(err) != movies.CodePreconditionRequired {
						t.Fatal(err)
					}
				}
				if _, err := s.Put(t.Context(), changed, movies.Condition{Any: true}, movies.Request{}); err != nil {
					t.Fatal(err)
				}
			}
			for _, m := range stay {
				if met[m.Title] != 1 {
					t.Errorf("%q: met %d times, want once", m.Title, met[m.Title])
				}
			}
		})
	}
}

// Many processes that start on a new table at once agree on one key, and tokens live on in the next process.
func TestTokenKeysAreShared(t *testing.T) {
	t.Parallel()
	client, table := moviestest.Client(t), moviestest.Table(t)
	keys := make([][][]byte, 6)
	var group sync.WaitGroup
	for i := range keys {
		group.Go(func() {
			var err error
			if keys[i], err = movies.NewDynamoStore(client, table).TokenKeys(t.Context(), false); err != nil {
				t.Error(err)
			}
		})
	}
	group.Wait()
	for _, ring := range keys {
		if len(ring) != 1 || len(ring[0]) != movies.TokenKeyBytes || !cmp.Equal(ring, keys[0]) {
			t.Fatalf("got %x and %x, want one key of %d bytes", ring, keys[0], movies.TokenKeyBytes)
		}
	}
	q := movies.Query{Year: 2013}
	first := movies.Tokens{Keys: movies.NewDynamoStore(client, table).TokenKeys}
	token, err := first.Seal(t.Context(), q, "x")
	if err != nil {
		t.Fatal(err)
	}
	second := movies.Tokens{Keys: movies.NewDynamoStore(client, table).TokenKeys}
	if at, err := second.Open(t.Context(), token, q); err != nil || at != "x" {
		t.Errorf("in another process: got %q, %v", at, err)
	}
	other := movies.Tokens{Keys: movies.NewDynamoStore(client, moviestest.Table(t)).TokenKeys}
	if _, err := other.Open(t.Context(), token, q); movies.CodeOf(err) != movies.CodeInvalidParameter {
		t.Errorf("with another table's key: got %v, want invalid_parameter", err)
	}
}

// A process that runs while the key is changed finds the new one, but does not look for it at every forged token.
func TestTokenKeysReload(t *testing.T) {
	t.Parallel()
	client, table := moviestest.Client(t), moviestest.Table(t)
	now := tokenNow
	s := movies.NewDynamoStore(client, table)
	s.Now = func() time.Time { return now }
	if _, err := s.TokenKeys(t.Context(), false); err != nil {
		t.Fatal(err)
	}
	binary := func(key []byte) types.AttributeValue { return &types.AttributeValueMemberB{Value: key} }
	_, err := client.PutItem(t.Context(), &dynamodb.PutItemInput{TableName: &table, Item: map[string]types.AttributeValue{
		"pk": &types.AttributeValueMemberS{Value: "config#page-tokens"}, "sk": &types.AttributeValueMemberS{Value: "keys"},
		"keys": &types.AttributeValueMemberL{Value: []types.AttributeValue{binary(tokenKey), binary(otherKey)}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		after time.Duration
		want  int
	}{{0, 1}, {59 * time.Second, 1}, {time.Second, 2}} {
		now = now.Add(step.after)
		if keys, err := s.TokenKeys(t.Context(), true); err != nil || len(keys) != step.want {
			t.Errorf("after %v more: got %d keys, %v, want %d", step.after, len(keys), err, step.want)
		}
	}
	if keys, err := s.TokenKeys(t.Context(), false); err != nil || !cmp.Equal(keys, [][]byte{tokenKey, otherKey}) {
		t.Errorf("got %x, %v, want both keys", keys, err)
	}
}

// The table that tools and tests make is the one that is deployed.
func TestTableInputIsTheTemplates(t *testing.T) {
	t.Parallel()
	s, err := stack.Load("../../template.yaml", stack.Options{Name: "m", Region: "eu-west-1", AccountID: "123456789012"})
	if err != nil {
		t.Fatal(err)
	}
	want, got := s.Tables[0], movies.TableInput("x")
	keys := func(schema []types.KeySchemaElement) (list []stack.KeyElement) {
		for _, e := range schema {
			list = append(list, stack.KeyElement{Name: *e.AttributeName, Type: string(e.KeyType)})
		}
		return list
	}
	if diff := cmp.Diff(want.KeySchema, keys(got.KeySchema)); diff != "" {
		t.Errorf("keys (-template +got):\n%s", diff)
	}
	if len(want.GlobalIndexes) != 2 || len(got.GlobalSecondaryIndexes) != 2 {
		t.Fatalf("got %d indexes, want %d", len(got.GlobalSecondaryIndexes), len(want.GlobalIndexes))
	}
	for i, index := range want.GlobalIndexes {
		other := got.GlobalSecondaryIndexes[i]
		if diff := cmp.Diff(index.KeySchema, keys(other.KeySchema)); index.Name != *other.IndexName || index.Projection != string(other.Projection.ProjectionType) || diff != "" {
			t.Errorf("index %s: got %s, keys (-template +got):\n%s", index.Name, *other.IndexName, diff)
		}
	}
	if want.TTLAttribute != "expires" {
		t.Errorf("time to live: got %q, want expires", want.TTLAttribute)
	}
}
