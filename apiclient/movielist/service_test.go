package movielist_test

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/apiclient/movielist"
	"github.com/marquee-api/marquee/internal/movies"
	"github.com/marquee-api/marquee/internal/movies/moviestest"
)

func TestMain(m *testing.M) { os.Exit(moviestest.Main(m)) }

// service is the real movie list with a real database behind it. It notes which parameters of openapi.yaml came.
type service struct {
	http.Handler
	doc  *openapi3.T
	mu   sync.Mutex
	came map[string]bool // "listMovies query year"
}

func newService(t *testing.T, seed ...movies.Movie) (*movielist.Client, *service) {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("../../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	store := movies.NewDynamoStore(moviestest.Client(t), moviestest.Table(t, seed...))
	s := &service{doc: doc, came: map[string]bool{}, Handler: &movies.Handler{
		Store: store, Writer: store, Tokens: movies.Tokens{Keys: store.TokenKeys},
	}}
	return clientOf(t, http.HandlerFunc(s.serve), ""), s
}

func (s *service) serve(w http.ResponseWriter, r *http.Request) {
	path := "/movie_list/{year}/{title}"
	if r.URL.Path == "/movie_list" {
		path = "/movie_list"
	}
	if operation := s.doc.Paths.Value(path).GetOperation(r.Method); operation != nil {
		s.mu.Lock()
		for name := range r.URL.Query() {
			s.came[operation.OperationID+" query "+name] = true
		}
		for name := range r.Header {
			s.came[operation.OperationID+" header "+name] = true
		}
		s.mu.Unlock()
	}
	s.Handler.ServeHTTP(w, r)
}

// documented are the parameters of openapi.yaml as they are noted, but for those of paths.
func (s *service) documented(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, item := range s.doc.Paths.Map() {
		for _, operation := range item.Operations() {
			for _, p := range operation.Parameters {
				if p.Value.In != "path" {
					all = append(all, operation.OperationID+" "+p.Value.In+" "+p.Value.Name)
				}
			}
		}
	}
	if len(all) < 12 {
		t.Fatalf("openapi.yaml has %d parameters: %v", len(all), all)
	}
	slices.Sort(all)
	return all
}

func film(year int, title string, info movies.Info) movies.Movie {
	return movies.Movie{Year: year, Title: title, Info: info}
}

func films() []movies.Movie {
	return []movies.Movie{
		film(1994, "Alpha", movies.Info{Genres: []string{"Drama"}, Directors: []string{"Ann Lee"}, Actors: []string{"Bo Diaz"}, Rating: 6.25, Plot: "One."}),
		film(1995, "Alpine", movies.Info{Genres: []string{"Drama", "War"}, Actors: []string{"Cy Moe"}, Rating: 8}),
		film(1996, "Beta", movies.Info{Genres: []string{"War"}, Directors: []string{"Ann Lee"}, Rating: 7.5}),
		film(1996, "Gamma", movies.Info{Rating: 9.1}),
	}
}

// Every parameter that the API documents has its counterpart here, and means the same to both.
func TestEveryParameterOfTheAPI(t *testing.T) {
	c, s := newService(t, films()...)
	for name, tt := range map[string]struct {
		filter movielist.Filter
		want   string
	}{
		"all":              {movielist.Filter{Sort: movielist.ByTitle}, "Alpha Alpine Beta Gamma"},
		"reversed":         {movielist.Filter{Sort: movielist.ByTitleDescending}, "Gamma Beta Alpine Alpha"},
		"year":             {movielist.Filter{Year: 1996}, "Beta Gamma"},
		"from a year":      {movielist.Filter{FromYear: 1995}, "Alpine Beta Gamma"},
		"to a year":        {movielist.Filter{ToYear: 1995}, "Alpha Alpine"},
		"years, newest":    {movielist.Filter{FromYear: 1995, ToYear: 1996, Sort: movielist.NewestFirst}, "Gamma Beta Alpine"},
		"years, oldest":    {movielist.Filter{ToYear: 1996, Sort: movielist.OldestFirst}, "Alpha Alpine Beta Gamma"},
		"title prefix":     {movielist.Filter{TitlePrefix: "Alp"}, "Alpha Alpine"},
		"genre":            {movielist.Filter{Genre: "War"}, "Alpine Beta"},
		"director":         {movielist.Filter{Director: "Ann Lee"}, "Alpha Beta"},
		"actor":            {movielist.Filter{Actor: "Cy Moe"}, "Alpine"},
		"rating":           {movielist.Filter{MinRating: 7.5}, "Gamma Alpine Beta"},
		"rating, worst":    {movielist.Filter{MinRating: 6.25, Sort: movielist.WorstFirst}, "Alpha Beta Alpine Gamma"},
		"best of a genre":  {movielist.Filter{Genre: "Drama", Sort: movielist.BestFirst}, "Alpine Alpha"},
		"pages of one":     {movielist.Filter{Year: 1996, Limit: 1}, "Beta Gamma"},
		"pages, fields":    {movielist.Filter{Genre: "Drama", Limit: 1, Fields: []string{"plot", "rating"}}, "Alpha Alpine"},
		"title, year only": {movielist.Filter{Year: 1996, Fields: []string{}}, "Beta Gamma"},
	} {
		t.Run(name, func(t *testing.T) {
			var titles []string
			for movie, err := range c.All(t.Context(), tt.filter) {
				if err != nil {
					t.Fatal(err)
				}
				titles = append(titles, movie.Title)
				if got := movie.Info.Genres; tt.filter.Fields != nil && got != nil {
					t.Errorf("%s has genres %v, which were not asked for", movie.Title, got)
				}
			}
			if got := strings.Join(titles, " "); got != tt.want {
				t.Errorf("got %s, want %s", got, tt.want)
			}
		})
	}
	t.Run("conditions", func(t *testing.T) { testConditions(t, c) })
	var came []string
	for _, parameter := range s.documented(t) {
		if s.came[parameter] {
			came = append(came, parameter)
		}
	}
	if diff := cmp.Diff(s.documented(t), came); diff != "" {
		t.Errorf("parameters of openapi.yaml that the client does not send (-documented +sent):\n%s", diff)
	}
}

// testConditions goes through reading and writing with every condition.
func testConditions(t *testing.T, c *movielist.Client) {
	ctx := t.Context()
	movie := movielist.Movie{Year: 2001, Title: "Face/Off & 100% more?", Info: movielist.Info{Plot: "One."}}
	wantError := func(what string, err, want error) {
		t.Helper()
		if !errors.Is(err, want) {
			t.Errorf("%s: got %v, want %v", what, err, want)
		}
	}
	_, err := c.Put(ctx, movie, movielist.IfAny())
	wantError("replacing nothing", err, movielist.ErrPreconditionFailed)
	made, err := c.Put(ctx, movie, movielist.IfAbsent(), movielist.IdempotencyKey("make"))
	if err != nil || !made.Created || made.Replayed || made.ETag == "" || made.Info.Plot != "One." {
		t.Fatalf("got %+v, %v, want a new movie", made, err)
	}
	again, err := c.Put(ctx, movie, movielist.IfAbsent(), movielist.IdempotencyKey("make"))
	if err != nil || !again.Replayed || !again.Created || again.ETag != made.ETag {
		t.Errorf("got %+v, %v, want the same answer again", again, err)
	}
	_, err = c.Put(ctx, movie, movielist.IfAbsent())
	wantError("making it twice", err, movielist.ErrPreconditionFailed)
	if _, err = c.GetIfChanged(ctx, made.Movie); !errors.Is(err, movielist.ErrNotModified) {
		t.Errorf("reading it again: got %v, want ErrNotModified", err)
	}
	if tag, err := c.ETag(ctx, movie.Year, movie.Title); err != nil || tag != made.ETag {
		t.Errorf("got ETag %s, %v, want %s", tag, err, made.ETag)
	}
	_, err = c.ETagIfChanged(ctx, made.Movie)
	wantError("looking at it again", err, movielist.ErrNotModified)
	movie.Info.Plot = "Two."
	changed, err := c.Put(ctx, movie, movielist.IfMatch(made.ETag))
	if err != nil || changed.Created || changed.ETag == made.ETag {
		t.Fatalf("got %+v, %v, want it changed", changed, err)
	}
	if got, err := c.GetIfChanged(ctx, made.Movie); err != nil || got.Info.Plot != "Two." || got.ETag != changed.ETag {
		t.Errorf("got %+v, %v, want the change", got, err)
	}
	_, err = c.Put(ctx, movie, movielist.IfMatch(made.ETag))
	wantError("changing what has changed", err, movielist.ErrPreconditionFailed)
	if put, err := c.Put(ctx, movie); err != nil || put.Created {
		t.Errorf("got %+v, %v, want it replaced whatever is there", put, err)
	}
	wantError("removing another state", c.Delete(ctx, movie.Year, movie.Title, movielist.IfMatch(made.ETag)), movielist.ErrPreconditionFailed)
	for range 2 { // the second answer is the first one's
		if err := c.Delete(ctx, movie.Year, movie.Title, movielist.IdempotencyKey("remove")); err != nil {
			t.Error(err)
		}
	}
	wantError("removing nothing", c.Delete(ctx, movie.Year, movie.Title), movielist.ErrNotFound)
	_, err = c.ETag(ctx, movie.Year, movie.Title)
	wantError("looking for nothing", err, movielist.ErrNotFound)
	_, err = c.GetIfChanged(ctx, movie)
	wantError("reading nothing", err, movielist.ErrNotFound)
}

// Every code of the service has a name here.
func TestCodesOfTheAPI(t *testing.T) {
	names := []movielist.Code{
		movielist.CodeInvalidParameter, movielist.CodeInvalidPath, movielist.CodeInvalidHeader, movielist.CodeInvalidJSON,
		movielist.CodeInvalidMovie, movielist.CodeIdempotencyKeyReused, movielist.CodeBodyTooLarge, movielist.CodeUnsupportedMediaType,
		movielist.CodeNotFound, movielist.CodeUnknownPath, movielist.CodeMethodNotAllowed, movielist.CodePreconditionFailed,
		movielist.CodePreconditionRequired, movielist.CodeThrottled, movielist.CodeUnavailable, movielist.CodeTimeout, movielist.CodeInternal,
	}
	slices.Sort(names)
	if diff := cmp.Diff(fmt.Sprint(movies.Codes()), fmt.Sprint(names)); diff != "" {
		t.Errorf("codes (-service +client):\n%s", diff)
	}
}

func TestErrorsOfTheAPI(t *testing.T) {
	c, _ := newService(t, films()...)
	for name, tt := range map[string]struct {
		do     func() error
		want   movielist.Code
		faults int
	}{
		"filters that do not go together": {func() error {
			_, err := c.List(t.Context(), movielist.Filter{Genre: "War", Actor: "Cy Moe"}, "")
			return err
		}, movielist.CodeInvalidParameter, 0},
		"a token of another list": {func() error {
			page, err := c.List(t.Context(), movielist.Filter{Genre: "War", Limit: 1}, "")
			if err != nil {
				return err
			}
			_, err = c.List(t.Context(), movielist.Filter{Genre: "Drama", Limit: 1}, page.NextToken)
			return err
		}, movielist.CodeInvalidParameter, 0},
		"a movie with two faults": {func() error {
			_, err := c.Put(t.Context(), movielist.Movie{Year: 2001, Title: "X", Info: movielist.Info{Rating: 11, Rank: -1}})
			return err
		}, movielist.CodeInvalidMovie, 2},
		"a condition that is none": {func() error {
			_, err := c.Put(t.Context(), movielist.Movie{Year: 2001, Title: "X"}, movielist.IfMatch("no quotes"))
			return err
		}, movielist.CodeInvalidHeader, 0},
		"a name for two requests": {func() error {
			for _, plot := range []string{"One.", "Two."} {
				movie := movielist.Movie{Year: 2001, Title: "X", Info: movielist.Info{Plot: plot}}
				if _, err := c.Put(t.Context(), movie, movielist.IfAbsent(), movielist.IdempotencyKey("same")); err != nil {
					return err
				}
			}
			return nil
		}, movielist.CodeIdempotencyKeyReused, 0},
	} {
		t.Run(name, func(t *testing.T) {
			var own *movielist.Error
			if err := tt.do(); !errors.As(err, &own) || own.Code != tt.want || len(own.Faults) != tt.faults {
				t.Errorf("got %#v, want %s with %d faults", err, tt.want, tt.faults)
			}
		})
	}
}
