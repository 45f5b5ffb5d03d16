package movies_test

import (
	"context"
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

// memoryStore is a model of the store: it filters and sorts all its movies, as a reader of the documentation would.
func memoryStore(t *testing.T, seed ...movies.Movie) movies.Store {
	t.Helper()
	m := newModel()
	for _, movie := range seed {
		m.all[movie.Key()] = movie
	}
	return m
}
