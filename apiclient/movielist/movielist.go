// Package movielist is the movie list's API as Go functions, on top of apiclient.
//
// It knows the API's paths, parameters, conditions and errors, all that openapi.yaml has. Signing, retries and everything
// else about the way there is the [apiclient.Client]'s, which it is given. It keeps nothing between calls. Make it yours
// along with the domain.
package movielist

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"strconv"

	"github.com/marquee-api/marquee/apiclient"
)

const (
	listPath  = "/movie_list"
	moviePath = "/movie_list/{year}/{title}"
)

// Movie is one film. Year and Title are its key.
type Movie struct {
	Year  int    `json:"year"`
	Title string `json:"title"`
	Info  Info   `json:"info"`
	// ETag stands for the state that was read or written: see [IfMatch]. Movies of a list have none: get one
	// before it is written under a condition.
	ETag string `json:"-"`
}

// Info is what is known of a movie beyond its key. Every field may be missing.
type Info struct {
	Directors []string `json:"directors,omitempty"`
	// ReleaseDate is an RFC 3339 time.
	ReleaseDate string `json:"release_date,omitempty"`
	// Rating is above 0 and at most 10, with at most two decimals; 0 means not rated.
	Rating          float64  `json:"rating,omitempty"`
	Genres          []string `json:"genres,omitempty"`
	ImageURL        string   `json:"image_url,omitempty"`
	Plot            string   `json:"plot,omitempty"`
	Rank            int      `json:"rank,omitempty"`
	RunningTimeSecs int      `json:"running_time_secs,omitempty"`
	Actors          []string `json:"actors,omitempty"`
}

// Page is a part of the list.
type Page struct {
	Items []Movie
	// Count is the number of Items.
	Count int
	// NextToken asks for the page that follows, empty on the last one. It can be used for a day.
	NextToken string
}

// Client calls the movie list. It is safe for concurrent use.
type Client struct{ api *apiclient.Client }

// New returns a client that calls through api.
func New(api *apiclient.Client) *Client { return &Client{api: api} }

// List returns one page: the first with an empty token, else the one that a page's NextToken asks for. Selection and
// sort of the filter must then be the same; Limit and Fields may change.
func (c *Client) List(ctx context.Context, f Filter, token string) (*Page, error) {
	query := f.query()
	if token != "" {
		query.Set("next", token)
	}
	page := new(Page)
	if err := c.api.DoJSON(ctx, apiclient.Request{Path: listPath, Query: query}, page); err != nil {
		return nil, wrap("listing movies", err)
	}
	return page, nil
}

// All returns every movie that the filter lets through, and asks for a page when the one before has been used up. An
// error ends it.
func (c *Client) All(ctx context.Context, f Filter) iter.Seq2[Movie, error] {
	return func(yield func(Movie, error) bool) {
		token := ""
		for {
			page, err := c.List(ctx, f, token)
			if err == nil && page.NextToken == token && token != "" {
				err = errors.New("listing movies: the page that follows is the same page again")
			}
			if err != nil {
				yield(Movie{}, err)
				return
			}
			for _, movie := range page.Items {
				if !yield(movie, nil) {
					return
				}
			}
			if token = page.NextToken; token == "" {
				return
			}
		}
	}
}

// Get returns one movie with its ETag. [ErrNotFound] if there is none.
func (c *Client) Get(ctx context.Context, year int, title string) (*Movie, error) {
	return c.get(ctx, apiclient.Request{Path: moviePath, PathParams: key(year, title)})
}

// GetIfChanged returns one movie unless it is in the state that the caller has, by its ETag: [ErrNotModified] then.
func (c *Client) GetIfChanged(ctx context.Context, have Movie) (*Movie, error) {
	return c.get(ctx, unlessIn(have))
}

// unlessIn asks for a movie that is not in the state that the caller has, if the caller has any.
func unlessIn(have Movie) apiclient.Request {
	r := apiclient.Request{Path: moviePath, PathParams: key(have.Year, have.Title)}
	if have.ETag != "" {
		r.Header = http.Header{"If-None-Match": {have.ETag}}
	}
	return r
}

func (c *Client) get(ctx context.Context, r apiclient.Request) (*Movie, error) {
	doing := fmt.Sprintf("reading %q of %s", r.PathParams["title"], r.PathParams["year"])
	resp, err := c.api.Do(ctx, r)
	if err != nil {
		return nil, wrap(doing, err)
	}
	movie, err := movieOf(resp)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return movie, nil
}

// ETag returns the state of a movie without the movie. [ErrNotFound] if there is none.
func (c *Client) ETag(ctx context.Context, year int, title string) (string, error) {
	return c.ETagIfChanged(ctx, Movie{Year: year, Title: title})
}

// ETagIfChanged is [Client.GetIfChanged] without the movie.
func (c *Client) ETagIfChanged(ctx context.Context, have Movie) (string, error) {
	r := unlessIn(have)
	r.Method = http.MethodHead
	resp, err := c.api.Do(ctx, r)
	if err != nil {
		return "", wrap(fmt.Sprintf("looking for %q of %d", have.Title, have.Year), err)
	}
	return resp.Header.Get("ETag"), nil
}

func movieOf(resp *apiclient.Response) (*Movie, error) {
	movie := new(Movie)
	if err := resp.JSON(movie); err != nil {
		return nil, err
	}
	movie.ETag = resp.Header.Get("ETag")
	return movie, nil
}

func key(year int, title string) map[string]string {
	return map[string]string{"year": strconv.Itoa(year), "title": title}
}
