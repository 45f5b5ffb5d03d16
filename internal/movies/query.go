package movies

import (
	"fmt"
	"maps"
	"math"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const (
	// DefaultLimit is the size of a page when the caller names none.
	DefaultLimit = 25
	// MaxLimit is the largest page a caller may ask for.
	MaxLimit = 100
)

// Query selects movies, one page at a time. A zero field selects nothing. Plan says which fields go together.
type Query struct {
	// Limit is the most movies of a page: 1 to MaxLimit. A page may be shorter though more follow.
	Limit int
	// Year selects the movies of one year.
	Year int
	// FromYear and ToYear select the movies of some years, both included; either may be open.
	FromYear, ToYear int
	// TitlePrefix selects the titles that begin so, byte by byte.
	TitlePrefix string
	// Genre, Director and Actor select the movies that have this very name in their list.
	Genre, Director, Actor string
	// MinRating selects the movies that are rated so or better.
	MinRating float64
	// Sort is the order; "" leaves it to the selection.
	Sort Sort
	// Fields are the parts of Info that are wanted, by their JSON names, besides year and title; nil means all.
	Fields []string
	// After is where the page begins; "" means at the start.
	After Cursor
}

// Sort is an order of a list: SortTitle, SortYear or SortRating, with a "-" before it for the reverse. Each is an order
// of all movies, without ties: by title, then year; by year, then title; by rating, then title, then year. Texts are
// compared byte by byte.
type Sort string

// The orders.
const (
	SortTitle  Sort = "title"
	SortYear   Sort = "year"
	SortRating Sort = "rating"
)

func (s Sort) field() Sort      { return Sort(strings.TrimPrefix(string(s), "-")) }
func (s Sort) descending() bool { return strings.HasPrefix(string(s), "-") }

// Cursor is a position between two movies. Only the store that made it can read it.
type Cursor string

// Page is a part of the answer to a Query.
type Page struct {
	Movies []Movie
	// Next is where the following page begins; "" means that this one is the last.
	Next Cursor
}

// infoFields are the JSON names of Info, which Fields chooses from.
var infoFields = []string{"directors", "release_date", "rating", "genres", "image_url", "plot", "rank", "running_time_secs", "actors"}

// selection is the part of a query that must be the same on every page of a walk. The limit and the fields are not: a
// caller may go on with larger pages or with other parts of the movies.
func (q Query) selection() string {
	return url.Values{
		"year": {strconv.Itoa(q.Year)}, "from": {strconv.Itoa(q.FromYear)}, "to": {strconv.Itoa(q.ToYear)},
		"prefix": {q.TitlePrefix}, "genre": {q.Genre}, "director": {q.Director}, "actor": {q.Actor},
		"rating": {strconv.Itoa(hundredths(q.MinRating))}, "sort": {string(q.Sort)},
	}.Encode()
}

// ParseQuery reads the parameters of a list, each at most once, but for next, which it returns as it is: opening a token
// takes the query. An error is of CodeInvalidParameter and names the parameter, or those that do not go together.
func ParseQuery(values url.Values) (q Query, next string, err error) {
	q.Limit = DefaultLimit
	// The order is that of the messages: the first parameter that is wrong is named.
	readers := []struct {
		name string
		read func(text string) error
	}{
		{"limit", numberInto(&q.Limit, "limit", 1, MaxLimit)},
		{"year", numberInto(&q.Year, "year", MinYear, MaxYear)},
		{"from_year", numberInto(&q.FromYear, "from_year", MinYear, MaxYear)},
		{"to_year", numberInto(&q.ToYear, "to_year", MinYear, MaxYear)},
		{"title_prefix", textInto(&q.TitlePrefix, "title_prefix", MaxTitleBytes)},
		{"genre", textInto(&q.Genre, "genre", MaxNameBytes)},
		{"director", textInto(&q.Director, "director", MaxNameBytes)},
		{"actor", textInto(&q.Actor, "actor", MaxNameBytes)},
		{"min_rating", func(text string) (err error) { q.MinRating, err = parseRating("min_rating", text); return err }},
		{"sort", func(text string) (err error) { q.Sort, err = parseSort(text); return err }},
		{"fields", func(text string) (err error) { q.Fields, err = parseFields(text); return err }},
		{"next", func(text string) error { next = text; return nonEmpty("next", text) }},
	}
	offered := make([]string, len(readers))
	for i, r := range readers {
		offered[i] = r.name
	}
	if err := only(values, offered...); err != nil {
		return Query{}, "", err
	}
	for _, r := range readers {
		if !values.Has(r.name) {
			continue
		}
		if err := r.read(values.Get(r.name)); err != nil {
			return Query{}, "", err
		}
	}
	if _, err := q.Plan(); err != nil {
		return Query{}, "", err
	}
	return q, next, nil
}

// only refuses parameters that are not offered or are given more than once: which of two values would win is a guess,
// and a filter that is ignored because of its spelling answers with the wrong movies.
func only(values url.Values, offered ...string) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if isSignature(name) {
			continue
		}
		if !slices.Contains(offered, name) {
			return invalid("unknown query parameter %s: %s", quote(name), offer(offered))
		}
		if n := len(values[name]); n > 1 {
			return invalid("query parameter %s is given %d times, give it once", name, n)
		}
	}
	return nil
}

// isSignature says whether a parameter is part of the signature of a presigned request: API Gateway has verified it and
// hands it on with the others.
func isSignature(name string) bool { return strings.HasPrefix(name, "X-Amz-") }

func offer(names []string) string {
	if len(names) == 0 {
		return "this path takes none"
	}
	return fmt.Sprintf("offered are %v", names)
}

func numberInto(into *int, name string, least, most int) func(string) error {
	return func(text string) (err error) {
		*into, err = parseNumber(name, text, least, most)
		return err
	}
}

func textInto(into *string, name string, most int) func(string) error {
	return func(text string) error {
		if err := nonEmpty(name, text); err != nil {
			return err
		}
		if faults := textFaults(name, text, most); len(faults) > 0 {
			return invalid("%s", faults[0])
		}
		*into = text
		return nil
	}
}

func nonEmpty(name, text string) error {
	if text == "" {
		return invalid("%s is empty: give it a value or leave it out", name)
	}
	return nil
}

// parseNumber takes digits only, without sign, spaces or leading zeros, so that a number has one spelling.
func parseNumber(name, text string, least, most int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || strconv.Itoa(n) != text || n < least || n > most {
		return 0, invalid("%s must be a whole number from %d to %d, got %s", name, least, most, quote(text))
	}
	return n, nil
}

// parseRating takes a plain number: no sign, no exponent. 0 is refused, because it would select what is not rated, too.
func parseRating(name, text string) (float64, error) {
	rating, err := strconv.ParseFloat(text, 64)
	plain := strings.Trim(text, "0123456789.") == "" && !strings.HasPrefix(text, ".") && !strings.HasSuffix(text, ".")
	if err != nil || !plain || math.IsNaN(rating) || rating <= 0 || rating > MaxRating || float64(hundredths(rating))/100 != rating {
		return 0, invalid("%s must be a number above 0, at most %d, with at most two decimals, got %s", name, MaxRating, quote(text))
	}
	return rating, nil
}

func parseSort(text string) (Sort, error) {
	switch s := Sort(text); s.field() {
	case SortTitle, SortYear, SortRating:
		return s, nil
	}
	return "", invalid("sort must be title, year or rating, with a - before it for descending, got %s", quote(text))
}

func parseFields(text string) ([]string, error) {
	// Not nil, even if only the key is wanted: nil means everything.
	fields := []string{}
	for name := range strings.SplitSeq(text, ",") {
		name = strings.TrimPrefix(name, "info.")
		switch {
		case name == "year" || name == "title": // always there
		case !slices.Contains(infoFields, name):
			return nil, invalid("fields holds %s: it may hold year, title, %s, with commas between them", quote(name), strings.Join(infoFields, ", "))
		case slices.Contains(fields, name):
			return nil, invalid("fields holds %s twice", name)
		default:
			fields = append(fields, name)
		}
	}
	return fields, nil
}

func invalid(format string, args ...any) error {
	return &Error{Code: CodeInvalidParameter, Message: fmt.Sprintf(format, args...)}
}
