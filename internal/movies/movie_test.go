package movies_test

import (
	"encoding/json"
	"math"
	"os"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/movies"
	"github.com/marquee-api/marquee/internal/movies/moviestest"
)

func TestMain(m *testing.M) { os.Exit(moviestest.Main(m)) }

// The layout of AWS's moviedata.json, every field of it, image_url included.
const sampleJSON = `{"year":2013,"title":"Rush","info":{"directors":["Ron Howard"],"release_date":"2013-09-02T00:00:00Z",` +
	`"rating":8.3,"genres":["Action","Biography"],"image_url":"http://example.com/rush.jpg","plot":"Two drivers.","rank":2,` +
	`"running_time_secs":7380,"actors":["Daniel Bruhl","Chris Hemsworth"]}}`

func sample() movies.Movie {
	return movies.Movie{Year: 2013, Title: "Rush", Info: movies.Info{
		Directors: []string{"Ron Howard"}, ReleaseDate: "2013-09-02T00:00:00Z", Rating: 8.3,
		Genres: []string{"Action", "Biography"}, ImageURL: "http://example.com/rush.jpg", Plot: "Two drivers.", Rank: 2,
		RunningTimeSecs: 7380, Actors: []string{"Daniel Bruhl", "Chris Hemsworth"},
	}}
}

func TestMovieJSON(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text  string
		movie movies.Movie
	}{
		"every field": {sampleJSON, sample()},
		"key only":    {`{"year":2013,"title":"Rush","info":{}}`, movies.Movie{Year: 2013, Title: "Rush"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var got movies.Movie
			if err := json.Unmarshal([]byte(tt.text), &got); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.movie, got); diff != "" {
				t.Errorf("decoded (-want +got):\n%s", diff)
			}
			text, err := json.Marshal(tt.movie)
			if err != nil {
				t.Fatal(err)
			}
			if string(text) != tt.text {
				t.Errorf("encoded: got %s, want %s", text, tt.text)
			}
		})
	}
}

func TestMovieValidate(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		change func(*movies.Movie)
		faults []string // parts of the message; none means valid
	}{
		"complete":               {func(*movies.Movie) {}, nil},
		"key only":               {func(m *movies.Movie) { m.Info = movies.Info{} }, nil},
		"oldest year":            {func(m *movies.Movie) { m.Year = 1888 }, nil},
		"last year":              {func(m *movies.Movie) { m.Year = 9999 }, nil},
		"year too small":         {func(m *movies.Movie) { m.Year = 1887 }, []string{"year must be from 1888 to 9999, got 1887"}},
		"year too large":         {func(m *movies.Movie) { m.Year = 10000 }, []string{"year must be"}},
		"no title":               {func(m *movies.Movie) { m.Title = "" }, []string{"title is empty"}},
		"longest title":          {func(m *movies.Movie) { m.Title = strings.Repeat("x", 1000) }, nil},
		"title too long":         {func(m *movies.Movie) { m.Title = strings.Repeat("é", 501) }, []string{"title may have 1000 bytes, got 1002"}},
		"title not UTF-8":        {func(m *movies.Movie) { m.Title = "\xff" }, []string{"title is not valid UTF-8"}},
		"date without time":      {func(m *movies.Movie) { m.Info.ReleaseDate = "2013-09-02" }, []string{"info.release_date must look like"}},
		"best rating":            {func(m *movies.Movie) { m.Info.Rating = 10 }, nil},
		"rating too high":        {func(m *movies.Movie) { m.Info.Rating = 10.1 }, []string{"info.rating must be from 0 to 10, got 10.1"}},
		"rating negative":        {func(m *movies.Movie) { m.Info.Rating = -1 }, []string{"info.rating"}},
		"rating not a number":    {func(m *movies.Movie) { m.Info.Rating = math.NaN() }, []string{"info.rating"}},
		"rank negative":          {func(m *movies.Movie) { m.Info.Rank = -1 }, []string{"info.rank"}},
		"running time negative":  {func(m *movies.Movie) { m.Info.RunningTimeSecs = -1 }, []string{"info.running_time_secs"}},
		"image over https":       {func(m *movies.Movie) { m.Info.ImageURL = "https://example.com/a" }, nil},
		"image that is a script": {func(m *movies.Movie) { m.Info.ImageURL = "javascript:alert(1)" }, []string{"info.image_url"}},
		"image without host":     {func(m *movies.Movie) { m.Info.ImageURL = "https:///a" }, []string{"info.image_url"}},
		"empty director":         {func(m *movies.Movie) { m.Info.Directors = []string{"A", ""} }, []string{"info.directors holds an empty name"}},
		"empty genre":            {func(m *movies.Movie) { m.Info.Genres = []string{""} }, []string{"info.genres"}},
		"empty actor":            {func(m *movies.Movie) { m.Info.Actors = []string{""} }, []string{"info.actors"}},
		"two decimals":           {func(m *movies.Movie) { m.Info.Rating = 8.35 }, nil},
		"three decimals":         {func(m *movies.Movie) { m.Info.Rating = 8.355 }, []string{"info.rating may have two decimals, got 8.355"}},
		"title with a bell":      {func(m *movies.Movie) { m.Title = "a\ab" }, []string{"title holds a control character"}},
		"title with the last":    {func(m *movies.Movie) { m.Title = "a\U0010ffff" }, []string{"title holds a control character"}},
		"actor twice":            {func(m *movies.Movie) { m.Info.Actors = []string{"A", "B", "A"} }, []string{`info.actors holds "A" twice`}},
		"too many genres":        {func(m *movies.Movie) { m.Info.Genres = make([]string, 11) }, []string{"info.genres may have 10 names, got 11"}},
		"name too long":          {func(m *movies.Movie) { m.Info.Directors = []string{strings.Repeat("x", 201)} }, []string{"info.directors[0] may have 200 bytes"}},
		"plot too long":          {func(m *movies.Movie) { m.Info.Plot = strings.Repeat("x", 8001) }, []string{"info.plot may have 8000 bytes"}},
		"address too long":       {func(m *movies.Movie) { m.Info.ImageURL = "http://a/" + strings.Repeat("x", 2000) }, []string{"info.image_url may have 2000 bytes"}},
		"rank too large":         {func(m *movies.Movie) { m.Info.Rank = 1_000_000_001 }, []string{"info.rank must be at most 1000000000"}},
		"all faults at once": {func(m *movies.Movie) { m.Year, m.Title, m.Info.Rank = 1, "", -2 },
			[]string{"year must be", "title is empty", "info.rank must not be negative, got -2"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			m := sample()
			tt.change(&m)
			err := m.Validate()
			if len(tt.faults) == 0 {
				if err != nil {
					t.Fatalf("got error %v, want none", err)
				}
				return
			}
			if got := movies.CodeOf(err); got != movies.CodeInvalidMovie {
				t.Fatalf("code: got %q, want %q", got, movies.CodeInvalidMovie)
			}
			for _, fault := range tt.faults {
				if !strings.Contains(movies.MessageOf(err), fault) {
					t.Errorf("message: got %q, want it to hold %q", movies.MessageOf(err), fault)
				}
			}
			if got := strings.Count(movies.MessageOf(err), "; ") + 1; got != len(tt.faults) {
				t.Errorf("faults: got %d, want %d in %q", got, len(tt.faults), movies.MessageOf(err))
			}
		})
	}
}
