package movies

import (
	"fmt"
	"maps"
	"net/url"
	"slices"
	"strconv"
)

const (
	// DefaultLimit is the size of a page when the caller names none.
	DefaultLimit = 25
	// MaxLimit is the largest page a caller may ask for.
	MaxLimit = 100
)

// Query selects movies, one page at a time.
type Query struct {
	// Limit is the most movies of a page: 1 to MaxLimit. A page may be shorter though more follow.
	Limit int
	// Year selects the movies of one year; 0 means every year.
	Year int
	// After is where the page begins; "" means at the start.
	After Cursor
}

// Cursor is a position between two movies. Only the store that made it can read it.
type Cursor string

// Page is a part of the answer to a Query.
type Page struct {
	Movies []Movie
	// Next is where the following page begins; "" means that this one is the last.
	Next Cursor
}

// selection is the part of a query that must be the same on every page of a walk. The limit is not: a caller may go on
// with a larger page.
func (q Query) selection() string {
	return url.Values{"year": {strconv.Itoa(q.Year)}}.Encode()
}

// ParseQuery reads the parameters of a list: limit, year and next, each at most once. An error is of
// CodeInvalidParameter and names the parameter.
func ParseQuery(values url.Values, tokens Tokens) (Query, error) {
	if err := only(values, "limit", "next", "year"); err != nil {
		return Query{}, err
	}
	q := Query{Limit: DefaultLimit}
	var err error
	if values.Has("limit") {
		if q.Limit, err = parseNumber("limit", values.Get("limit"), 1, MaxLimit); err != nil {
			return Query{}, err
		}
	}
	if values.Has("year") {
		if q.Year, err = parseNumber("year", values.Get("year"), MinYear, MaxYear); err != nil {
			return Query{}, err
		}
	}
	if values.Has("next") {
		if q.After, err = tokens.Open(values.Get("next"), q); err != nil {
			return Query{}, err
		}
	}
	return q, nil
}

// only refuses parameters that are not offered or are given more than once: which of two values would win is a guess,
// and a filter that is ignored because of its spelling answers with the wrong movies.
func only(values url.Values, offered ...string) error {
	for _, name := range slices.Sorted(maps.Keys(values)) {
		if !slices.Contains(offered, name) {
			return invalid("unknown query parameter %s: %s", quote(name), offer(offered))
		}
		if n := len(values[name]); n > 1 {
			return invalid("query parameter %s is given %d times, give it once", name, n)
		}
	}
	return nil
}

func offer(names []string) string {
	if len(names) == 0 {
		return "this path takes none"
	}
	return fmt.Sprintf("offered are %v", names)
}

// parseNumber takes digits only, without sign, spaces or leading zeros, so that a number has one spelling.
func parseNumber(name, text string, least, most int) (int, error) {
	n, err := strconv.Atoi(text)
	if err != nil || strconv.Itoa(n) != text || n < least || n > most {
		return 0, invalid("%s must be a whole number from %d to %d, got %s", name, least, most, quote(text))
	}
	return n, nil
}

func invalid(format string, args ...any) error {
	return &Error{Code: CodeInvalidParameter, Message: fmt.Sprintf(format, args...)}
}
