package movielist

import (
	"net/url"
	"strconv"
	"strings"
)

// Filter chooses what is listed, and in which order. A zero field chooses nothing. Not all fields go together: a list
// costs the same however many movies there are, and what cannot be read so is a [CodeInvalidParameter] that says what can.
type Filter struct {
	// Year is the year of the movies; FromYear and ToYear are a run of years, both included, either of them open.
	Year, FromYear, ToYear int
	// TitlePrefix is what titles begin with, letter by letter.
	TitlePrefix string
	// Genre, Director and Actor are whole names, of which one is given at most.
	Genre, Director, Actor string
	// MinRating is the least rating, above 0, with at most two decimals.
	MinRating float64
	// Sort is the order. Empty leaves it to the API, which takes the one that suits the selection.
	Sort Sort
	// Fields are the parts of Info that are wanted, by their JSON names. nil means all; an empty list none, year and title
	// alone.
	Fields []string
	// Limit is how many movies a page has at most, 1 to 100. 0 means as many as the API thinks fit.
	Limit int
}

// Sort is an order of a list.
type Sort string

// The orders. Ties are broken by the other parts of the key, so a walk over the pages meets every movie once.
const (
	ByTitle           Sort = "title"
	ByTitleDescending Sort = "-title"
	OldestFirst       Sort = "year"
	NewestFirst       Sort = "-year"
	WorstFirst        Sort = "rating"
	BestFirst         Sort = "-rating"
)

func (f Filter) query() url.Values {
	query := make(url.Values)
	for name, number := range map[string]int{"year": f.Year, "from_year": f.FromYear, "to_year": f.ToYear, "limit": f.Limit} {
		if number != 0 {
			query.Set(name, strconv.Itoa(number))
		}
	}
	for name, text := range map[string]string{
		"title_prefix": f.TitlePrefix, "genre": f.Genre, "director": f.Director, "actor": f.Actor, "sort": string(f.Sort),
	} {
		if text != "" {
			query.Set(name, text)
		}
	}
	if f.MinRating != 0 {
		query.Set("min_rating", strconv.FormatFloat(f.MinRating, 'f', -1, 64))
	}
	if f.Fields != nil {
		query.Set("fields", strings.Join(append([]string{"title"}, f.Fields...), ","))
	}
	return query
}
