package movies

import (
	"fmt"
	"hash/fnv"
	"strconv"
)

// The names in the table and its indexes. docs/data-model.md shows them at work.
const (
	// IndexByYear and IndexByRating hold every item of a collection in the other two orders.
	IndexByYear   = "by_year"
	IndexByRating = "by_rating"

	// Collection and position: by title in the table, by year and by rating in the indexes.
	attrCollection = "pk"
	attrByTitle    = "sk"
	attrByYear     = "yk"
	attrByRating   = "rk"

	attrYear  = "year"
	attrTitle = "title"
	attrInfo  = "info"
	// attrRevision is the entity tag that the movie was written with: it changes whenever anything of the movie does.
	attrRevision = "rev"
	// attrExpires is the table's time-to-live attribute, on the records of requests.
	attrExpires = "expires"
)

// Shards is how many partitions the collection of all movies is spread over: one partition takes 1,000 writes a second
// (Developer Guide, "Choosing the right DynamoDB partition key"). Each costs a Query on every page of that collection.
// Changing it means loading the table anew.
const Shards = 4

const (
	// keyEnd ends a title inside a key. It is less than any character of a title, so that "Rocky" comes before "Rocky II"
	// whatever follows.
	keyEnd = "\x01"
	// keyMost is more than any character of a title.
	keyMost = "\U0010ffff"
)

// place is where one item stands: its collection and its position in each order.
type place struct{ collection, byTitle, byYear, byRating string }

// places returns the keys of all items of a movie. The first is the movie itself, the others repeat it in the
// collections that it is part of.
func places(m Movie) []place {
	first := place{
		collection: home(m.Key()),
		byTitle:    titleKey(m.Key()),
		byYear:     fmt.Sprintf("%04d#%s"+keyEnd, m.Year, m.Title),
		byRating:   fmt.Sprintf("%04d#%s"+keyEnd+"%04d", hundredths(m.Info.Rating), m.Title, m.Year),
	}
	all := make([]place, 1, 2+len(m.Info.Genres)+len(m.Info.Directors)+len(m.Info.Actors))
	all[0] = first
	in := func(collection string) {
		p := first
		p.collection = collection
		all = append(all, p)
	}
	in(collectionOf(KindYear, strconv.Itoa(m.Year)))
	for _, list := range []struct {
		kind  Kind
		names []string
	}{{KindGenre, m.Info.Genres}, {KindDirector, m.Info.Directors}, {KindActor, m.Info.Actors}} {
		for _, name := range list.names {
			in(collectionOf(list.kind, name))
		}
	}
	return all
}

func collectionOf(kind Kind, name string) string { return string(kind) + "#" + name }

// home is the collection of the movie itself: one of the shards of all movies.
func home(k Key) string {
	h := fnv.New32a()
	fmt.Fprintf(h, "%d/%s", k.Year, k.Title)
	return collectionOf(KindAll, strconv.FormatUint(uint64(h.Sum32()%Shards), 10))
}

func titleKey(k Key) string { return k.Title + keyEnd + fmt.Sprintf("%04d", k.Year) }

// run is a run of neighbours in one order: what a Query reads. Both bounds are included; bounds that cross hold nothing.
type run struct {
	collections []string
	index       string // "" is the table itself
	attr        string
	from, to    string
	descending  bool
}

func runOf(p Plan) run {
	r := run{descending: p.Descending}
	switch p.Kind {
	case KindAll:
		for i := range Shards {
			r.collections = append(r.collections, collectionOf(KindAll, strconv.Itoa(i)))
		}
	case KindYear:
		r.collections = []string{collectionOf(KindYear, strconv.Itoa(p.Year))}
	default:
		r.collections = []string{collectionOf(p.Kind, p.Name)}
	}
	switch p.Order {
	case SortTitle:
		r.attr = attrByTitle
		r.from, r.to = p.TitlePrefix, p.TitlePrefix+keyMost
		if r.from == "" {
			r.from = keyEnd // a key cannot be empty
		}
	case SortRating:
		r.index, r.attr = IndexByRating, attrByRating
		r.from, r.to = fmt.Sprintf("%04d#", hundredths(p.MinRating)), fmt.Sprintf("%04d#"+keyMost, MaxRating*100)
	default:
		r.index, r.attr = IndexByYear, attrByYear
		from, to := p.FromYear, p.ToYear
		if p.Year != 0 {
			from, to = p.Year, p.Year
		}
		if to == 0 {
			to = MaxYear
		}
		r.from, r.to = fmt.Sprintf("%04d#%s", from, p.TitlePrefix), fmt.Sprintf("%04d#%s"+keyMost, to, p.TitlePrefix)
	}
	return r
}

// after narrows the run to what comes after a position in it. DynamoDB would take the last item's key for this, but only
// of one collection, and several are merged; and an item that has been removed meanwhile must not matter.
//
// Every position ends in keyEnd or in keyEnd and four digits. So nothing lies between it and the same text with its last
// byte one up or one down, except for that text itself, which is no position or the very next one.
func (r run) after(at Cursor) (run, error) {
	if at == "" {
		return r, nil
	}
	text := []byte(at)
	// Tokens are authenticated, so this guards against mistakes of ours.
	if s := string(at); s < r.from || s > r.to || len(s) > MaxTitleBytes+16 || text[len(text)-1] > '9' {
		return run{}, badToken()
	}
	last := &text[len(text)-1]
	switch {
	case !r.descending:
		*last++
		r.from = string(text)
	case *last == keyEnd[0]:
		r.to = string(text[:len(text)-1]) // rather than a NUL
	default:
		*last--
		r.to = string(text)
	}
	return r, nil
}
