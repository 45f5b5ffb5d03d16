package movies_test

import (
	"net/url"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/movies"
)

func TestParseQuery(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		query string
		want  movies.Query
		fault string // part of the message; "" means that want is the answer
	}{
		"nothing":        {"", movies.Query{Limit: 25}, ""},
		"smallest limit": {"limit=1", movies.Query{Limit: 1}, ""},
		"largest limit":  {"limit=100", movies.Query{Limit: 100}, ""},
		"year":           {"year=1999", movies.Query{Limit: 25, Year: 1999}, ""},
		"everything of a genre": {"genre=Drama&sort=-title&title_prefix=A%2BB&fields=rating,info.plot&limit=3",
			movies.Query{Limit: 3, Genre: "Drama", Sort: "-title", TitlePrefix: "A+B", Fields: []string{"rating", "plot"}}, ""},
		"years":                      {"from_year=1999&to_year=2001&sort=-year", movies.Query{Limit: 25, FromYear: 1999, ToYear: 2001, Sort: "-year"}, ""},
		"person":                     {"director=A%20B", movies.Query{Limit: 25, Director: "A B"}, ""},
		"rating":                     {"actor=X&min_rating=8.25", movies.Query{Limit: 25, Actor: "X", MinRating: 8.25}, ""},
		"only the key":               {"fields=title,year", movies.Query{Limit: 25, Fields: []string{}}, ""},
		"years backwards":            {"from_year=2001&to_year=1999", movies.Query{}, "from_year is 2001 and to_year is 1999"},
		"no such sort":               {"sort=rank", movies.Query{}, "sort must be title, year or rating"},
		"sort without a field":       {"sort=-", movies.Query{}, "sort must be"},
		"sort twice reversed":        {"sort=--title", movies.Query{}, "sort must be"},
		"no such field":              {"fields=plot,budget", movies.Query{}, `fields holds "budget"`},
		"field twice":                {"fields=plot,info.plot", movies.Query{}, "fields holds plot twice"},
		"no fields":                  {"fields=", movies.Query{}, "fields holds"},
		"rating zero":                {"min_rating=0", movies.Query{}, "min_rating must be a number above 0"},
		"rating with three decimals": {"min_rating=8.125", movies.Query{}, "min_rating must be"},
		"rating in hexadecimal":      {"min_rating=0x1p2", movies.Query{}, "min_rating must be"},
		"rating that is none":        {"min_rating=NaN", movies.Query{}, "min_rating must be"},
		"rating with a point":        {"min_rating=8.", movies.Query{}, "min_rating must be"},
		"rating with underscore":     {"min_rating=1_0", movies.Query{}, "min_rating must be"},
		"genre empty":                {"genre=", movies.Query{}, "genre is empty"},
		"genre not UTF-8":            {"genre=%FF", movies.Query{}, "genre is not valid UTF-8"},
		"genre too long":             {"genre=" + strings.Repeat("x", 201), movies.Query{}, "genre may have 200 bytes"},
		"prefix with a NUL":          {"title_prefix=%00", movies.Query{}, "title_prefix holds a control character"},
		"limit zero":                 {"limit=0", movies.Query{}, `limit must be a whole number from 1 to 100, got "0"`},
		"limit too large":            {"limit=101", movies.Query{}, "limit must be"},
		"limit negative":             {"limit=-1", movies.Query{}, "limit must be"},
		"limit with sign":            {"limit=%2B5", movies.Query{}, "limit must be"},
		"limit with space":           {"limit=5+", movies.Query{}, "limit must be"},
		"limit with zero before":     {"limit=05", movies.Query{}, "limit must be"},
		"limit a fraction":           {"limit=1.0", movies.Query{}, "limit must be"},
		"limit in other digits":      {"limit=%D9%A5", movies.Query{}, "limit must be"},
		"limit beyond an int":        {"limit=99999999999999999999", movies.Query{}, "limit must be"},
		"limit empty":                {"limit=", movies.Query{}, "limit must be"},
		"limit twice":                {"limit=1&limit=1", movies.Query{}, "query parameter limit is given 2 times"},
		"year a word":                {"year=abc", movies.Query{}, "year must be a whole number from 1888 to 9999"},
		"year zero":                  {"year=0", movies.Query{}, "year must be"},
		"year empty":                 {"year=", movies.Query{}, "year must be"},
		"next empty":                 {"next=", movies.Query{}, "next is empty"},
		"presigned":                  {"limit=3&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Signature=00", movies.Query{Limit: 3}, ""},
		"unknown":                    {"category=Action", movies.Query{}, `unknown query parameter "category"`},
		"case counts":                {"Limit=5", movies.Query{}, `unknown query parameter "Limit"`},
		"unknown without name":       {"=5", movies.Query{}, `unknown query parameter ""`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			values, err := url.ParseQuery(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			got, _, err := movies.ParseQuery(values)
			if tt.fault == "" {
				if err != nil {
					t.Fatalf("got error %v, want none", err)
				}
			} else if movies.CodeOf(err) != movies.CodeInvalidParameter || !strings.Contains(movies.MessageOf(err), tt.fault) {
				t.Fatalf("got error %v, want invalid_parameter with %q", err, tt.fault)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("query (-want +got):\n%s", diff)
			}
		})
	}
}

func TestParseQueryCutsWhatItRepeats(t *testing.T) {
	t.Parallel()
	_, _, err := movies.ParseQuery(url.Values{"limit": {strings.Repeat("é", 10_000)}})
	if got := len(movies.MessageOf(err)); got == 0 || got > 200 {
		t.Errorf("message length: got %d, want 1 to 200", got)
	}
}

func FuzzParseQuery(f *testing.F) {
	for _, seed := range []string{"", "limit=5", "limit=5&limit=6", "year=2013&next=AYB", "genre=A&min_rating=8.1&sort=-rating", "from_year=1999&fields=plot", "title_prefix=%C3%A9&actor=x", "%zz", "a;b", "limit=+5", "year=99999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Skip()
		}
		q, _, err := movies.ParseQuery(values)
		if err != nil {
			if movies.CodeOf(err) != movies.CodeInvalidParameter {
				t.Fatalf("code of %v: got %q, want invalid_parameter", err, movies.CodeOf(err))
			}
			return
		}
		if q.Limit < 1 || q.Limit > movies.MaxLimit {
			t.Errorf("limit: got %d, want 1 to %d", q.Limit, movies.MaxLimit)
		}
		if q.Year != 0 && (q.Year < movies.MinYear || q.Year > movies.MaxYear) {
			t.Errorf("year: got %d, want 0 or %d to %d", q.Year, movies.MinYear, movies.MaxYear)
		}
		if _, err := q.Plan(); err != nil {
			t.Errorf("%q is accepted, and has no plan: %v", query, err)
		}
		for name, given := range values {
			if len(given) != 1 {
				t.Errorf("accepted %s=%q", name, given)
			}
		}
	})
}
