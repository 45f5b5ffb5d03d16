package movies

import "strings"

// Kind is a kind of collection.
type Kind string

// The kinds. Every movie is in the one of all movies, in that of its year, and in one for each name of its lists.
const (
	KindAll      Kind = "all"
	KindYear     Kind = "year"
	KindGenre    Kind = "genre"
	KindDirector Kind = "director"
	KindActor    Kind = "actor"
)

// Plan is how a query is answered: by a run of neighbours in one collection, in one of its three orders. Everything that
// a query may ask for comes down to this; what does not is refused, because it would have to be filtered out of more
// movies than a page holds.
type Plan struct {
	Kind Kind
	// Name is the genre, director or actor.
	Name string
	// Year is that of a collection of KindYear, and else a bound of the order by year; 0 means none.
	Year int
	// Order is SortTitle, SortYear or SortRating, and Descending its direction.
	Order      Sort
	Descending bool
	// The bounds, of which an order has its own: TitlePrefix (by title, or by year within one Year), FromYear and ToYear (by
	// year), MinRating (by rating). Zero values are no bounds.
	TitlePrefix      string
	FromYear, ToYear int
	MinRating        float64
}

// combinations ends the messages about parameters that do not go together.
const combinations = "a list takes at most one of genre, director and actor, and at most one bound: " +
	"year (with title_prefix if wanted; sort title or year), from_year and to_year (sort year), title_prefix (sort title), " +
	"min_rating (sort rating); without genre, director and actor, year also goes with sort rating and min_rating"

func conflict(format string, args ...any) error {
	err := invalid(format, args...).(*Error)
	err.Message += ": " + combinations
	return err
}

// Plan returns how the query is answered, or a CodeInvalidParameter error that names what does not go together and what
// does.
func (q Query) Plan() (Plan, error) {
	p, err := q.collection()
	if err != nil {
		return Plan{}, err
	}
	if err := q.oneBound(); err != nil {
		return Plan{}, err
	}
	p.Descending = q.Sort.descending()
	p.TitlePrefix, p.FromYear, p.ToYear, p.MinRating = q.TitlePrefix, q.FromYear, q.ToYear, q.MinRating
	var allowed []Sort // the first is the default
	switch {
	case q.MinRating != 0:
		allowed = []Sort{SortRating}
		p.Descending = p.Descending || q.Sort == "" // the best first
	case q.Year != 0 && (p.Kind != KindYear || q.TitlePrefix != ""):
		allowed = []Sort{SortTitle, SortYear}
	case q.Year != 0:
		allowed = []Sort{SortTitle, SortYear, SortRating}
	case q.FromYear != 0 || q.ToYear != 0:
		allowed = []Sort{SortYear}
	case q.TitlePrefix != "":
		allowed = []Sort{SortTitle}
	default:
		allowed = []Sort{SortYear, SortTitle, SortRating}
	}
	p.Order = allowed[0]
	if q.Sort != "" {
		p.Order = ""
		for _, s := range allowed {
			if q.Sort.field() == s {
				p.Order = s
			}
		}
		if p.Order == "" {
			return Plan{}, conflict("sort=%s cannot be combined with %s", q.Sort, strings.Join(q.given(), " and "))
		}
	}
	// Within one year the orders by title and by year are the same. A collection of a year has the first, the others have
	// the year at the head of the second.
	if q.Year != 0 && p.Order != SortRating {
		p.Order = SortYear
		if p.Kind == KindYear {
			p.Order = SortTitle
		}
	}
	return p, nil
}

// collection chooses where to look.
func (q Query) collection() (Plan, error) {
	p := Plan{Kind: KindAll, Year: q.Year}
	var given []string
	for _, c := range []struct {
		kind Kind
		name string
	}{{KindGenre, q.Genre}, {KindDirector, q.Director}, {KindActor, q.Actor}} {
		if c.name != "" {
			given = append(given, string(c.kind))
			p.Kind, p.Name = c.kind, c.name
		}
	}
	if len(given) > 1 {
		return Plan{}, conflict("%s cannot be combined", strings.Join(given, " and "))
	}
	if len(given) == 0 && q.Year != 0 {
		p.Kind = KindYear
	}
	return p, nil
}

// oneBound refuses bounds of different orders.
func (q Query) oneBound() error {
	ranged := q.FromYear != 0 || q.ToYear != 0
	named := q.Genre + q.Director + q.Actor
	switch {
	case q.FromYear != 0 && q.ToYear != 0 && q.FromYear > q.ToYear:
		return invalid("from_year is %d and to_year is %d: the years run forwards", q.FromYear, q.ToYear)
	case q.Year != 0 && ranged, ranged && q.TitlePrefix != "", q.MinRating != 0 && (ranged || q.TitlePrefix != ""),
		q.MinRating != 0 && q.Year != 0 && named != "":
		return conflict("%s cannot be combined", strings.Join(q.given(), " and "))
	}
	return nil
}

// given names the parameters that select.
func (q Query) given() []string {
	var names []string
	for _, p := range []struct {
		name  string
		there bool
	}{
		{"genre", q.Genre != ""}, {"director", q.Director != ""}, {"actor", q.Actor != ""}, {"year", q.Year != 0},
		{"from_year", q.FromYear != 0}, {"to_year", q.ToYear != 0}, {"title_prefix", q.TitlePrefix != ""}, {"min_rating", q.MinRating != 0},
	} {
		if p.there {
			names = append(names, p.name)
		}
	}
	return names
}
