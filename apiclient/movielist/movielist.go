// Package movielist is the movie list's API as Go functions, on top of apiclient.
//
// It knows the API's paths, fields and errors. Signing, retries and everything else about the way there is the
// [apiclient.Client]'s, which it is given. Make it yours along with the domain: it is one file for one resource.
package movielist

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"net/url"
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
}

// Info is what is known of a movie beyond its key. Every field may be missing.
type Info struct {
	Directors []string `json:"directors,omitempty"`
	// ReleaseDate is an RFC 3339 time.
	ReleaseDate string `json:"release_date,omitempty"`
	// Rating is from 0 to 10; 0 means not rated.
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
	// NextToken asks for the page that follows, empty on the last one.
	NextToken string
}

// Filter chooses what is listed.
type Filter struct {
	// Year is the year of the movies, 0 for every year.
	Year int
	// Limit is how many movies a page has at most, 0 for as many as the API thinks fit.
	Limit int
}

// ErrNotFound says that there is no such movie.
var ErrNotFound = errors.New("no such movie")

// Error is what the movie list itself says about a request. What API Gateway says comes as it is, an
// [*apiclient.APIError]; that is also behind an Error.
type Error struct {
	// Code is for programs: not_found, invalid_parameter, unavailable, …
	Code string
	// Message is for people.
	Message string
	// Answer is the whole answer.
	Answer *apiclient.APIError
}

func (e *Error) Error() string { return fmt.Sprintf("%s (%s)", e.Message, e.Code) }

// Unwrap returns the answer.
func (e *Error) Unwrap() error { return e.Answer }

// Is makes a not_found be [ErrNotFound].
func (e *Error) Is(target error) bool { return target == ErrNotFound && e.Code == "not_found" }

// Client calls the movie list. It is safe for concurrent use.
type Client struct{ api *apiclient.Client }

// New returns a client that calls through api.
func New(api *apiclient.Client) *Client { return &Client{api: api} }

// List returns one page: the first with an empty token, else the one that a page's NextToken asks for. The filter's
// year must then be the same.
func (c *Client) List(ctx context.Context, f Filter, token string) (*Page, error) {
	query := make(url.Values)
	if f.Year != 0 {
		query.Set("year", strconv.Itoa(f.Year))
	}
	if f.Limit != 0 {
		query.Set("limit", strconv.Itoa(f.Limit))
	}
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

// Get returns one movie. [ErrNotFound] if there is none.
func (c *Client) Get(ctx context.Context, year int, title string) (*Movie, error) {
	movie := new(Movie)
	if err := c.api.DoJSON(ctx, apiclient.Request{Path: moviePath, PathParams: key(year, title)}, movie); err != nil {
		return nil, wrap(fmt.Sprintf("reading %q of %d", title, year), err)
	}
	return movie, nil
}

// Put writes a movie, whatever is there, and reports whether it is a new one. (The API wants to be told that an old one
// may be replaced, so replacing takes a second request.)
func (c *Client) Put(ctx context.Context, movie Movie) (created bool, err error) {
	request := apiclient.Request{
		Method: http.MethodPut, Path: moviePath, PathParams: key(movie.Year, movie.Title), JSON: movie,
	}
	resp, err := c.api.Do(ctx, request)
	if answer := (*apiclient.APIError)(nil); errors.As(err, &answer) && answer.StatusCode == http.StatusPreconditionRequired {
		request.Header = anyState()
		resp, err = c.api.Do(ctx, request)
	}
	if err != nil {
		return false, wrap(fmt.Sprintf("writing %q of %d", movie.Title, movie.Year), err)
	}
	return resp.Status == http.StatusCreated, nil
}

// Delete removes a movie, in whatever state it is. [ErrNotFound] if the API says that there was none.
func (c *Client) Delete(ctx context.Context, year int, title string) error {
	_, err := c.api.Do(ctx, apiclient.Request{
		Method: http.MethodDelete, Path: moviePath, PathParams: key(year, title), Header: anyState(),
	})
	return wrap(fmt.Sprintf("removing %q of %d", title, year), err)
}

func anyState() http.Header { return http.Header{"If-Match": {"*"}} }

func key(year int, title string) map[string]string {
	return map[string]string{"year": strconv.Itoa(year), "title": title}
}

// wrap reads the movie list's own error out of an answer: {"error":{"code":"…","message":"…"}}.
func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	var answer *apiclient.APIError
	if errors.As(err, &answer) && !answer.ByGateway() {
		var body struct {
			Error struct{ Code, Message string }
		}
		if json.Unmarshal(answer.Response.Body, &body) == nil && body.Error.Code != "" {
			err = &Error{Code: body.Error.Code, Message: body.Error.Message, Answer: answer}
		}
	}
	return fmt.Errorf("%s: %w", doing, err)
}
