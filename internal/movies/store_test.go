package movies_test

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"testing"

	"github.com/marquee-api/marquee/internal/movies"
	"github.com/marquee-api/marquee/internal/movies/moviestest"
)

// fakeStore is a store of function fields.
type fakeStore struct {
	list func(context.Context, movies.Query) (movies.Page, error)
	get  func(context.Context, movies.Key) (movies.Movie, error)
}

func (f fakeStore) List(ctx context.Context, q movies.Query) (movies.Page, error) {
	return f.list(ctx, q)
}

func (f fakeStore) Get(ctx context.Context, k movies.Key) (movies.Movie, error) { return f.get(ctx, k) }

// stores are the two that every test of the API runs against: a list in memory and the real table.
var stores = map[string]func(t *testing.T, seed ...movies.Movie) movies.Store{
	"fake": memoryStore,
	"dynamodb": func(t *testing.T, seed ...movies.Movie) movies.Store {
		return movies.NewDynamoStore(moviestest.Client(t), moviestest.Table(t, seed...))
	},
}

// memoryStore keeps its movies in a sorted slice; its cursor is an index.
func memoryStore(t *testing.T, seed ...movies.Movie) movies.Store {
	t.Helper()
	all := slices.SortedFunc(slices.Values(seed), func(a, b movies.Movie) int {
		return cmp.Or(cmp.Compare(a.Year, b.Year), cmp.Compare(a.Title, b.Title))
	})
	return fakeStore{
		list: func(_ context.Context, q movies.Query) (movies.Page, error) {
			picked := all
			if q.Year != 0 {
				picked = slices.DeleteFunc(slices.Clone(all), func(m movies.Movie) bool { return m.Year != q.Year })
			}
			from := 0
			if q.After != "" {
				n, err := strconv.Atoi(string(q.After))
				if err != nil || n >= len(picked) {
					return movies.Page{}, &movies.Error{Code: movies.CodeInvalidParameter, Message: "next is wrong"}
				}
				from = n
			}
			to := min(from+q.Limit, len(picked))
			page := movies.Page{Movies: picked[from:to]}
			if to < len(picked) {
				page.Next = movies.Cursor(strconv.Itoa(to))
			}
			return page, nil
		},
		get: func(_ context.Context, k movies.Key) (movies.Movie, error) {
			if i := slices.IndexFunc(all, func(m movies.Movie) bool { return m.Key() == k }); i >= 0 {
				return all[i], nil
			}
			return movies.Movie{}, &movies.Error{Code: movies.CodeNotFound, Message: "there is no such movie"}
		},
	}
}
