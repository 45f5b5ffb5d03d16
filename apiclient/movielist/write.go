package movielist

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"github.com/marquee-api/marquee/apiclient"
)

// WriteOption is a condition of a write, or its name. One without a value, IfMatch of a movie that was listed for instance,
// is [ErrEmptyOption] before anything is sent.
type WriteOption struct {
	header, value string
	lacks         string // what to say of an empty value
}

// IfMatch writes only if the movie is in this state: the ETag that a movie was read or written with. Else it is
// [ErrPreconditionFailed]: somebody was faster, so read again. Movies of a list have no ETag: get them first.
func IfMatch(etag string) WriteOption {
	return WriteOption{"If-Match", etag, "IfMatch has no ETag, as a movie of a list has none: get the movie first"}
}

// IfAny writes only if there is a movie, in whatever state.
func IfAny() WriteOption { return IfMatch("*") }

// IfAbsent writes only if there is no such movie. Else it is [ErrPreconditionFailed].
func IfAbsent() WriteOption { return WriteOption{header: "If-None-Match", value: "*"} }

// IdempotencyKey names the write for a day: sent again under the same name by the same caller, it has its effect once and
// gets the same answer. Give one with every condition. The client repeats a write whose answer was lost, and the
// repetition of one that went through would otherwise find its own condition broken.
func IdempotencyKey(name string) WriteOption {
	return WriteOption{"Idempotency-Key", name, "IdempotencyKey has no name: give one that no other write has"}
}

// Written is a movie as it is in the store now.
type Written struct {
	Movie
	// Created says that there was no such movie before.
	Created bool
	// Replayed says that the write had been carried out before, under the same [IdempotencyKey].
	Replayed bool
}

// putRounds bounds how often a Put without a condition begins anew because others made and removed the movie meanwhile.
const putRounds = 5

// Put writes a movie. Without a condition it does so whatever is there. (The API has one request that makes a movie and
// another that replaces it, so replacing without a condition takes two. Who makes or removes the movie in between does not
// win: it begins anew, and only where that happens five times over it is [ErrPreconditionFailed].)
func (c *Client) Put(ctx context.Context, movie Movie, options ...WriteOption) (*Written, error) {
	doing := fmt.Sprintf("writing %q of %d", movie.Title, movie.Year)
	given, err := header(options)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	put := c.api.Do
	if given.Get("If-Match") == "" && given.Get("If-None-Match") == "" { // no option: none of them is empty
		put = c.putAnyway
	}
	resp, err := put(ctx, apiclient.Request{
		Method: http.MethodPut, Path: moviePath, PathParams: key(movie.Year, movie.Title), JSON: movie, Header: given,
	})
	if err != nil {
		return nil, wrap(doing, err)
	}
	stored, err := movieOf(resp)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return &Written{Movie: *stored, Created: resp.Status == http.StatusCreated, Replayed: isReplayed(resp)}, nil
}

// putAnyway makes the movie, or replaces it if it is there. A write that went through under its name before may have been
// either.
func (c *Client) putAnyway(ctx context.Context, toMake apiclient.Request) (resp *apiclient.Response, err error) {
	toReplace := toMake
	toReplace.Header = toMake.Header.Clone()
	toReplace.Header.Set("If-Match", "*")
	for range putRounds {
		resp, err = c.api.Do(ctx, toMake)
		if !isCode(err, CodePreconditionRequired) && !isCode(err, CodeIdempotencyKeyReused) {
			return resp, err
		}
		resp, err = c.api.Do(ctx, toReplace)
		if !isCode(err, CodePreconditionFailed) {
			return resp, err
		}
	}
	return resp, err
}

// Delete removes a movie. Without a condition it does so in whatever state the movie is. [ErrNotFound] if the API says
// that there was none, which is also what the repetition of a lost answer gets without an [IdempotencyKey].
func (c *Client) Delete(ctx context.Context, year int, title string, options ...WriteOption) error {
	doing := fmt.Sprintf("removing %q of %d", title, year)
	given, err := header(options)
	if err != nil {
		return fmt.Errorf("%s: %w", doing, err)
	}
	if given.Get("If-Match") == "" { // as above
		given.Set("If-Match", "*")
	}
	_, err = c.api.Do(ctx, apiclient.Request{
		Method: http.MethodDelete, Path: moviePath, PathParams: key(year, title), Header: given,
	})
	return wrap(doing, err)
}

// header is what the options say, each of which has something to say.
func header(options []WriteOption) (http.Header, error) {
	h := make(http.Header)
	for _, o := range options {
		switch {
		case o.header == "":
			return nil, fmt.Errorf("%w: a zero WriteOption: make it with IfMatch, IfAny, IfAbsent or IdempotencyKey", ErrEmptyOption)
		case strings.TrimSpace(o.value) == "":
			return nil, fmt.Errorf("%w: %s", ErrEmptyOption, o.lacks)
		}
		h.Set(o.header, o.value)
	}
	return h, nil
}

func isReplayed(resp *apiclient.Response) bool {
	return resp.Header.Get("Idempotency-Replayed") == "true"
}
