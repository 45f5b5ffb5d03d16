package movies_test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/movies"
	"github.com/marquee-api/marquee/internal/movies/moviestest"
)

// some makes movies out of few words, so that every selection finds several and titles begin alike.
func some(r *rand.Rand, n int) []movies.Movie {
	all := map[movies.Key]movies.Movie{}
	for len(all) < n {
		m := randomMovie(r)
		all[m.Key()] = m
	}
	list := make([]movies.Movie, 0, n)
	for _, m := range all {
		list = append(list, m)
	}
	return list
}

var (
	words  = []string{"A", "a", "Rocky", "Rocky II", "Roc", "é", "長い", "👩", "A/B", "100%", "tab\t", " ", "~", "\uffff"}
	genres = []string{"Drama", "Comedy", "Drama#1", "год"}
	people = []string{"Ann", "Ann Lee", "Bo", "Çelik", "#"}
	years  = []int{1888, 1999, 2000, 2001, 9999}
)

func randomMovie(r *rand.Rand) movies.Movie {
	return movies.Movie{Year: years[r.IntN(len(years))], Title: randomTitle(r), Info: randomInfo(r)}
}

func randomTitle(r *rand.Rand) string {
	title := words[r.IntN(len(words))]
	for r.IntN(2) == 0 {
		title += words[r.IntN(len(words))]
	}
	return title
}

func randomInfo(r *rand.Rand) movies.Info {
	some := func(from []string) []string {
		var picked []string
		for _, name := range from {
			if r.IntN(2) == 0 {
				picked = append(picked, name)
			}
		}
		return picked
	}
	info := movies.Info{Genres: some(genres), Directors: some(people), Actors: some(people), Plot: strings.Repeat("x", r.IntN(3))}
	if r.IntN(4) > 0 {
		info.Rating = float64(r.IntN(1001)) / 100
	}
	if r.IntN(2) == 0 {
		info.Rating, info.Rank = 8.5, r.IntN(100)
	}
	return info
}

// queries are all access patterns, each in all its orders: what docs/data-model.md lists.
func queries() []movies.Query {
	var all []movies.Query
	for _, named := range []movies.Query{{}, {Genre: "Drama"}, {Director: "Ann"}, {Actor: "Çelik"}} {
		for _, bound := range []struct {
			movies.Query
			sorts string
		}{
			{movies.Query{}, "title year rating"},
			{movies.Query{Year: 1999}, "title year"},
			{movies.Query{Year: 1999, TitlePrefix: "Roc"}, "title year"},
			{movies.Query{FromYear: 1999, ToYear: 2000}, "year"},
			{movies.Query{FromYear: 2000}, "year"},
			{movies.Query{ToYear: 1999}, "year"},
			{movies.Query{TitlePrefix: "Rocky"}, "title"},
			{movies.Query{TitlePrefix: "長"}, "title"},
			{movies.Query{MinRating: 8.5}, "rating"},
		} {
			q := bound.Query
			q.Genre, q.Director, q.Actor = named.Genre, named.Director, named.Actor
			all = append(all, q)
			for sort := range strings.FieldsSeq(bound.sorts) {
				up, down := q, q
				up.Sort, down.Sort = movies.Sort(sort), movies.Sort("-"+sort)
				all = append(all, up, down)
			}
		}
	}
	return append(all, movies.Query{Year: 1999, Sort: "rating"}, movies.Query{Year: 1999, Sort: "-rating"},
		movies.Query{Year: 1999, MinRating: 8.5}, movies.Query{Year: 1999, MinRating: 3, Sort: "rating"})
}

// Every access pattern gives what looking at each movie gives, page by page, at several sizes of a page, with and without
// fields.
func TestListGivesWhatTheModelGives(t *testing.T) {
	t.Parallel()
	r := rand.New(rand.NewPCG(1, 2))
	seed := some(r, 160)
	want := memoryStore(t, seed...).(*model)
	got := movies.NewDynamoStore(moviestest.Client(t), moviestest.Table(t, seed...))
	matched := 0
	for _, q := range queries() {
		name := fmt.Sprintf("%+v", q)
		expected := want.selected(q)
		matched += len(expected)
		q.Limit = []int{4, 25, 100}[r.IntN(3)]
		if r.IntN(3) == 0 {
			q.Fields = []string{"rating", "genres"}
		}
		var keys, wantKeys []movies.Movie
		for _, m := range expected {
			wantKeys = append(wantKeys, cut(m, q.Fields))
		}
		for {
			page, err := got.List(t.Context(), q)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if len(page.Movies) > q.Limit || page.Next != "" && len(page.Movies) != q.Limit {
				t.Errorf("%s: got a page of %d, want %d", name, len(page.Movies), q.Limit)
			}
			keys = append(keys, page.Movies...)
			if q.After = page.Next; q.After == "" {
				break
			}
		}
		if diff := cmp.Diff(wantKeys, keys); diff != "" {
			t.Errorf("%s, limit %d (-want +got):\n%s", name, q.Limit, diff)
		}
	}
	if matched < 2000 {
		t.Errorf("the lists hold %d movies in all: too few to tell", matched)
	}
}

// What is not offered is refused, and the message says what is.
func TestPlanRefuses(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		query movies.Query
		fault string
	}{
		"two collections":                {movies.Query{Genre: "a", Director: "b"}, "genre and director cannot be combined"},
		"three collections":              {movies.Query{Genre: "a", Director: "b", Actor: "c"}, "genre and director and actor cannot"},
		"year and years":                 {movies.Query{Year: 1999, FromYear: 1998}, "year and from_year cannot"},
		"years and prefix":               {movies.Query{FromYear: 1999, TitlePrefix: "a"}, "from_year and title_prefix cannot"},
		"rating and prefix":              {movies.Query{MinRating: 1, TitlePrefix: "a"}, "title_prefix and min_rating cannot"},
		"rating and years":               {movies.Query{MinRating: 1, ToYear: 1999}, "to_year and min_rating cannot"},
		"rating and year of a genre":     {movies.Query{MinRating: 1, Year: 1999, Genre: "a"}, "genre and year and min_rating cannot"},
		"years by title":                 {movies.Query{FromYear: 1999, Sort: "title"}, "sort=title cannot be combined with from_year"},
		"years by rating":                {movies.Query{ToYear: 1999, Sort: "-rating"}, "sort=-rating cannot be combined with to_year"},
		"prefix by year":                 {movies.Query{TitlePrefix: "a", Sort: "year"}, "sort=year cannot be combined with title_prefix"},
		"prefix of a year by rating":     {movies.Query{Year: 1999, TitlePrefix: "a", Sort: "rating"}, "sort=rating cannot"},
		"year of a genre by rating":      {movies.Query{Year: 1999, Genre: "a", Sort: "rating"}, "sort=rating cannot be combined with genre and year"},
		"rating by title":                {movies.Query{MinRating: 1, Sort: "title"}, "sort=title cannot be combined with min_rating"},
		"year and rating sorted by year": {movies.Query{Year: 1999, MinRating: 1, Sort: "year"}, "sort=year cannot"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := tt.query.Plan()
			if movies.CodeOf(err) != movies.CodeInvalidParameter || !strings.Contains(movies.MessageOf(err), tt.fault) ||
				!strings.Contains(movies.MessageOf(err), "a list takes at most one of") {
				t.Errorf("got %v, want invalid_parameter with %q and what goes together", err, tt.fault)
			}
		})
	}
}

// A page costs the same wherever it lies and whatever its order: one Query of one item more than the page, or one for each
// shard.
func TestListReadsNoMoreThanItAnswers(t *testing.T) {
	t.Parallel()
	var seed []movies.Movie
	for i := range 120 {
		seed = append(seed, movies.Movie{Year: 1999, Title: fmt.Sprintf("T%03d", i), Info: movies.Info{Genres: []string{"Drama"}, Rating: 5}})
	}
	s := movies.NewDynamoStore(moviestest.Client(t), moviestest.Table(t, seed...))
	for name, tt := range map[string]struct {
		query        movies.Query
		calls, items int
	}{
		"year":             {movies.Query{Year: 1999}, 1, 11},
		"genre by rating":  {movies.Query{Genre: "Drama", Sort: "-rating"}, 1, 11},
		"genre and prefix": {movies.Query{Genre: "Drama", TitlePrefix: "T11"}, 1, 10},
		"all by title":     {movies.Query{Sort: "title"}, 4, 44},
	} {
		ctx, usage := movies.WithUsage(t.Context())
		tt.query.Limit = 10
		if _, err := s.List(ctx, tt.query); err != nil {
			t.Fatal(err)
		}
		if got := usage(); got.Calls != tt.calls || got.Items != tt.items || got.ReadUnits <= 0 || got.ReadUnits > float64(tt.calls) {
			t.Errorf("%s: got %+v, want %d calls, %d items and about half a unit a call", name, got, tt.calls, tt.items)
		}
	}
}
