package movies_test

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"sync"

	"github.com/marquee-api/marquee/internal/movies"
)

// model is the movie list as it is meant: all movies in a map, and every list made by looking at each of them. It knows
// nothing of collections and keys.
type model struct {
	mu       sync.Mutex
	all      map[movies.Key]movies.Movie
	requests map[string]outcome
}

type outcome struct {
	fingerprint string
	movies.Outcome
}

var (
	_ movies.Store  = (*model)(nil)
	_ movies.Writer = (*model)(nil)
)

func newModel() *model {
	return &model{all: map[movies.Key]movies.Movie{}, requests: map[string]outcome{}}
}

// wanted says whether a movie is in a list.
func wanted(q movies.Query, m movies.Movie) bool {
	has := func(list []string, name string) bool { return name == "" || slices.Contains(list, name) }
	return (q.Year == 0 || m.Year == q.Year) && (q.FromYear == 0 || m.Year >= q.FromYear) && (q.ToYear == 0 || m.Year <= q.ToYear) &&
		strings.HasPrefix(m.Title, q.TitlePrefix) && m.Info.Rating >= q.MinRating &&
		has(m.Info.Genres, q.Genre) && has(m.Info.Directors, q.Director) && has(m.Info.Actors, q.Actor)
}

// order is the documented one: what sort says, else by rating downwards if min_rating is given, by title within one year or
// under a prefix, by year otherwise.
func order(q movies.Query) func(a, b movies.Movie) int {
	sort := string(q.Sort)
	switch {
	case sort != "":
	case q.MinRating != 0:
		sort = "-rating"
	case q.Year != 0 || q.TitlePrefix != "":
		sort = "title"
	default:
		sort = "year"
	}
	field, down := strings.CutPrefix(sort, "-")
	return func(a, b movies.Movie) int {
		title, year := cmp.Compare(a.Title, b.Title), cmp.Compare(a.Year, b.Year)
		c := map[string]int{
			"title": cmp.Or(title, year), "year": cmp.Or(year, title),
			"rating": cmp.Or(cmp.Compare(a.Info.Rating, b.Info.Rating), title, year),
		}[field]
		if !down {
			c = -c
		}
		return -c
	}
}

// select returns all movies of a list in order, whatever its limit.
func (s *model) selected(q movies.Query) []movies.Movie {
	s.mu.Lock()
	defer s.mu.Unlock()
	var picked []movies.Movie
	for m := range maps.Values(s.all) {
		if wanted(q, m) {
			picked = append(picked, m)
		}
	}
	slices.SortFunc(picked, order(q))
	return picked
}

// List has the index of the first movie as its cursor.
func (s *model) List(_ context.Context, q movies.Query) (movies.Page, error) {
	picked, from := s.selected(q), 0
	if q.After != "" {
		n, err := strconv.Atoi(string(q.After))
		if err != nil || n >= len(picked) {
			return movies.Page{}, &movies.Error{Code: movies.CodeInvalidParameter, Message: "next is wrong"}
		}
		from = n
	}
	to := min(from+q.Limit, len(picked))
	page := movies.Page{}
	for _, m := range picked[from:to] {
		page.Movies = append(page.Movies, cut(m, q.Fields))
	}
	if to < len(picked) {
		page.Next = movies.Cursor(strconv.Itoa(to))
	}
	return page, nil
}

// cut leaves of a movie what fields asks for.
func cut(m movies.Movie, fields []string) movies.Movie {
	if fields == nil {
		return m
	}
	all, part := m.Info, movies.Info{}
	for _, field := range fields {
		switch field {
		case "directors":
			part.Directors = all.Directors
		case "release_date":
			part.ReleaseDate = all.ReleaseDate
		case "rating":
			part.Rating = all.Rating
		case "genres":
			part.Genres = all.Genres
		case "image_url":
			part.ImageURL = all.ImageURL
		case "plot":
			part.Plot = all.Plot
		case "rank":
			part.Rank = all.Rank
		case "running_time_secs":
			part.RunningTimeSecs = all.RunningTimeSecs
		case "actors":
			part.Actors = all.Actors
		}
	}
	m.Info = part
	return m
}

func (s *model) Get(_ context.Context, k movies.Key) (movies.Movie, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if m, ok := s.all[k]; ok {
		return m, nil
	}
	return movies.Movie{}, &movies.Error{Code: movies.CodeNotFound, Message: "there is no such movie"}
}

func (s *model) Put(_ context.Context, m movies.Movie, c movies.Condition, r movies.Request) (movies.Outcome, error) {
	return s.write(m.Key(), &m, c, r)
}

func (s *model) Delete(_ context.Context, k movies.Key, c movies.Condition, r movies.Request) (movies.Outcome, error) {
	return s.write(k, nil, c, r)
}

func (s *model) write(k movies.Key, m *movies.Movie, c movies.Condition, r movies.Request) (movies.Outcome, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	name := fmt.Sprintf("%q %q", r.Caller, r.IdempotencyKey)
	if done, ok := s.requests[name]; ok && r.IdempotencyKey != "" {
		if done.fingerprint != r.Fingerprint {
			return movies.Outcome{}, &movies.Error{Code: movies.CodeIdempotencyKeyReused, Message: "another request"}
		}
		done.Replayed = true
		return done.Outcome, nil
	}
	old, exists := s.all[k]
	refuse := func(code movies.Code) (movies.Outcome, error) {
		return movies.Outcome{}, &movies.Error{Code: code, Message: string(code)}
	}
	switch {
	case m == nil && !exists:
		return refuse(movies.CodeNotFound)
	case c.None && exists, c.Any && !exists, len(c.Match) > 0 && (!exists || !slices.Contains(c.Match, old.ETag())):
		return refuse(movies.CodePreconditionFailed)
	case exists && !c.None && !c.Any && len(c.Match) == 0:
		return refuse(movies.CodePreconditionRequired)
	}
	o := movies.Outcome{Created: !exists}
	if m == nil {
		delete(s.all, k)
	} else {
		o.ETag = m.ETag()
		s.all[k] = *m
	}
	if r.IdempotencyKey != "" {
		s.requests[name] = outcome{r.Fingerprint, o}
	}
	return o, nil
}
