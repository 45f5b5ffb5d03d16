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
	token := movies.Tokens{}.Seal(movies.Query{Year: 2013}, "2013/Rush")
	tests := map[string]struct {
		query string
		want  movies.Query
		fault string // part of the message; "" means that want is the answer
	}{
		"nothing":                {"", movies.Query{Limit: 25}, ""},
		"smallest limit":         {"limit=1", movies.Query{Limit: 1}, ""},
		"largest limit":          {"limit=100", movies.Query{Limit: 100}, ""},
		"year":                   {"year=1999", movies.Query{Limit: 25, Year: 1999}, ""},
		"next":                   {"year=2013&next=" + token, movies.Query{Limit: 25, Year: 2013, After: "2013/Rush"}, ""},
		"next with other limit":  {"next=" + token + "&year=2013&limit=7", movies.Query{Limit: 7, Year: 2013, After: "2013/Rush"}, ""},
		"limit zero":             {"limit=0", movies.Query{}, `limit must be a whole number from 1 to 100, got "0"`},
		"limit too large":        {"limit=101", movies.Query{}, "limit must be"},
		"limit negative":         {"limit=-1", movies.Query{}, "limit must be"},
		"limit with sign":        {"limit=%2B5", movies.Query{}, "limit must be"},
		"limit with space":       {"limit=5+", movies.Query{}, "limit must be"},
		"limit with zero before": {"limit=05", movies.Query{}, "limit must be"},
		"limit a fraction":       {"limit=1.0", movies.Query{}, "limit must be"},
		"limit in other digits":  {"limit=%D9%A5", movies.Query{}, "limit must be"},
		"limit beyond an int":    {"limit=99999999999999999999", movies.Query{}, "limit must be"},
		"limit empty":            {"limit=", movies.Query{}, "limit must be"},
		"limit twice":            {"limit=1&limit=1", movies.Query{}, "query parameter limit is given 2 times"},
		"year a word":            {"year=abc", movies.Query{}, "year must be a whole number from 1888 to 9999"},
		"year zero":              {"year=0", movies.Query{}, "year must be"},
		"year empty":             {"year=", movies.Query{}, "year must be"},
		"next empty":             {"next=", movies.Query{}, "next is empty"},
		"next of another year":   {"year=2014&next=" + token, movies.Query{}, "next belongs to another query"},
		"next without its year":  {"next=" + token, movies.Query{}, "next belongs to another query"},
		"next garbage":           {"next=abc", movies.Query{}, "next is not a page token"},
		"unknown":                {"genre=Action", movies.Query{}, `unknown query parameter "genre"`},
		"case counts":            {"Limit=5", movies.Query{}, `unknown query parameter "Limit"`},
		"unknown without name":   {"=5", movies.Query{}, `unknown query parameter ""`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			values, err := url.ParseQuery(tt.query)
			if err != nil {
				t.Fatal(err)
			}
			got, err := movies.ParseQuery(values, movies.Tokens{})
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
	_, err := movies.ParseQuery(url.Values{"limit": {strings.Repeat("é", 10_000)}}, movies.Tokens{})
	if got := len(movies.MessageOf(err)); got == 0 || got > 200 {
		t.Errorf("message length: got %d, want 1 to 200", got)
	}
}

func FuzzParseQuery(f *testing.F) {
	for _, seed := range []string{"", "limit=5", "limit=5&limit=6", "year=2013&next=AYB", "%zz", "a;b", "limit=+5", "year=99999"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, query string) {
		values, err := url.ParseQuery(query)
		if err != nil {
			t.Skip()
		}
		q, err := movies.ParseQuery(values, movies.Tokens{})
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
		for name, given := range values {
			if len(given) != 1 || name != "limit" && name != "year" && name != "next" {
				t.Errorf("accepted %s=%q", name, given)
			}
		}
	})
}
