package movielist_test

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"

	"github.com/marquee-api/marquee/apiclient/movielist"
)

// A condition that says nothing must not become a write without a condition: that would undo what others wrote. Movies of
// a list have no ETag, so this is what a loop over them gives.
func TestAnOptionWithoutAValueSendsNothing(t *testing.T) {
	ctx := t.Context()
	listed := movielist.Movie{Year: 2013, Title: "Rush"}
	for name, option := range map[string]movielist.WriteOption{
		"IfMatch":           movielist.IfMatch(listed.ETag),
		"IfMatch of spaces": movielist.IfMatch(" \t"),
		"IdempotencyKey":    movielist.IdempotencyKey(""),
		"none at all":       *new(movielist.WriteOption),
	} {
		for at, options := range map[string][]movielist.WriteOption{
			"alone":                   {option},
			"before another":          {option, movielist.IfAny()},
			"behind another":          {movielist.IfMatch(`"1"`), option},
			"beside an idempotency":   {movielist.IdempotencyKey("once"), option},
			"beside another negative": {movielist.IfAbsent(), option},
		} {
			t.Run(name+" "+at, func(t *testing.T) {
				s := &stub{}
				c := newClient(t, s)
				_, put := c.Put(ctx, listed, options...)
				for doing, err := range map[string]error{"writing": put, "removing": c.Delete(ctx, listed.Year, listed.Title, options...)} {
					if !errors.Is(err, movielist.ErrEmptyOption) || errors.Is(err, movielist.ErrPreconditionFailed) || !strings.HasPrefix(err.Error(), doing+` "Rush" of 2013: `) {
						t.Errorf("%s: got %v, want ErrEmptyOption and which movie it was", doing, err)
					}
				}
				if len(s.asked) != 0 {
					t.Errorf("sent %q, want nothing", s.asked)
				}
			})
		}
	}
}

// The message says what to do, whichever option it was.
func TestAnOptionWithoutAValueSaysWhatToDo(t *testing.T) {
	c := newClient(t, &stub{})
	for name, tt := range map[string]struct {
		option movielist.WriteOption
		want   string
	}{
		"IfMatch":        {movielist.IfMatch(""), "IfMatch has no ETag, as a movie of a list has none: get the movie first"},
		"IdempotencyKey": {movielist.IdempotencyKey(""), "IdempotencyKey has no name"},
		"none":           {*new(movielist.WriteOption), "a zero WriteOption"},
	} {
		t.Run(name, func(t *testing.T) {
			if err := c.Delete(t.Context(), 2013, "Rush", tt.option); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %v, want it to say %q", err, tt.want)
			}
		})
	}
}

// A list's movies have no ETag. Who changes one of them reads it first, and so learns whether somebody was faster.
func ExampleIfMatch_listed() {
	movies, stop := exampleShelf()
	defer stop()
	ctx := context.Background()
	if _, err := movies.Put(ctx, movielist.Movie{Year: 2013, Title: "Rush"}); err != nil {
		fmt.Println(err)
		return
	}
	for movie, err := range movies.All(ctx, movielist.Filter{Year: 2013}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		_, err = movies.Put(ctx, movie, movielist.IfMatch(movie.ETag))
		fmt.Println(errors.Is(err, movielist.ErrEmptyOption))

		read, err := movies.Get(ctx, movie.Year, movie.Title)
		if err != nil {
			fmt.Println(err)
			return
		}
		read.Info.Rank = 1
		written, err := movies.Put(ctx, *read, movielist.IfMatch(read.ETag), movielist.IdempotencyKey("rank-rush"))
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(written.Title, written.Info.Rank)
	}
	// Output:
	// true
	// Rush 1
}

// IfAny replaces what is there, and makes nothing anew: a title that is misspelt is found out.
func ExampleIfAny() {
	movies, stop := exampleShelf()
	defer stop()
	ctx := context.Background()
	if _, err := movies.Put(ctx, movielist.Movie{Year: 2013, Title: "Rush"}); err != nil {
		fmt.Println(err)
		return
	}
	for _, title := range []string{"Rush", "Rusch"} {
		movie := movielist.Movie{Year: 2013, Title: title, Info: movielist.Info{Rating: 8.1}}
		_, err := movies.Put(ctx, movie, movielist.IfAny(), movielist.IdempotencyKey("rate-"+title))
		fmt.Println(title, "is not there:", errors.Is(err, movielist.ErrPreconditionFailed))
	}
	// Output:
	// Rush is not there: false
	// Rusch is not there: true
}

// A page at a time, for whoever hands the token on: to a browser that asks for the next page, for instance.
func ExampleClient_List() {
	movies, stop := exampleShelf()
	defer stop()
	ctx := context.Background()
	for _, title := range []string{"Boyhood", "Prisoners", "Rush"} {
		if _, err := movies.Put(ctx, movielist.Movie{Year: 2013, Title: title}); err != nil {
			fmt.Println(err)
			return
		}
	}
	filter := movielist.Filter{Year: 2013, Limit: 2}
	page, err := movies.List(ctx, filter, "")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(page.Items[0].Title, page.Items[1].Title)
	page, err = movies.List(ctx, filter, page.NextToken)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(page.Items[0].Title, page.NextToken == "")
	// Output:
	// Boyhood Prisoners
	// Rush true
}
