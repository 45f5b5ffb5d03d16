package movielist

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/marquee-api/marquee/apiclient"
)

// WriteOption is a condition of a write, or its name.
type WriteOption func(http.Header)

// IfMatch writes only if the movie is in this state: the ETag that a movie was read with. Else it is
// [ErrPreconditionFailed]: somebody was faster, so read again.
func IfMatch(etag string) WriteOption { return func(h http.Header) { h.Set("If-Match", etag) } }

// IfAny writes only if there is a movie, in whatever state.
func IfAny() WriteOption { return IfMatch("*") }

// IfAbsent writes only if there is no such movie. Else it is [ErrPreconditionFailed].
func IfAbsent() WriteOption { return func(h http.Header) { h.Set("If-None-Match", "*") } }

// IdempotencyKey names the write for a day: sent again under the same name by the same caller, it has its effect once and
// gets the same answer. Give one with every condition. The client repeats a write whose answer was lost, and the
// repetition of one that went through would otherwise find its own condition broken.
func IdempotencyKey(name string) WriteOption {
	return func(h http.Header) { h.Set("Idempotency-Key", name) }
}

// Written is a movie as it is in the store now.
type Written struct {
	Movie
	// Created says that there was no such movie before.
	Created bool
	// Replayed says that the write had been carried out before, under the same [IdempotencyKey].
	Replayed bool
}

// Put writes a movie. Without a condition it does so whatever is there. (The API wants to be told that an old one may be
// replaced, so replacing without a condition takes a second request.)
func (c *Client) Put(ctx context.Context, movie Movie, options ...WriteOption) (*Written, error) {
	request := apiclient.Request{
		Method: http.MethodPut, Path: moviePath, PathParams: key(movie.Year, movie.Title), JSON: movie, Header: header(options),
	}
	resp, err := c.api.Do(ctx, request)
	if answer := (*apiclient.APIError)(nil); errors.As(err, &answer) && answer.StatusCode == http.StatusPreconditionRequired {
		IfAny()(request.Header)
		resp, err = c.api.Do(ctx, request)
	}
	doing := fmt.Sprintf("writing %q of %d", movie.Title, movie.Year)
	if err != nil {
		return nil, wrap(doing, err)
	}
	stored, err := movieOf(resp)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", doing, err)
	}
	return &Written{Movie: *stored, Created: resp.Status == http.StatusCreated, Replayed: isReplayed(resp)}, nil
}

// Delete removes a movie. Without a condition it does so in whatever state the movie is. [ErrNotFound] if the API says
// that there was none, which is also what the repetition of a lost answer gets without an [IdempotencyKey].
func (c *Client) Delete(ctx context.Context, year int, title string, options ...WriteOption) error {
	given := header(options)
	if given.Get("If-Match") == "" {
		IfAny()(given)
	}
	_, err := c.api.Do(ctx, apiclient.Request{
		Method: http.MethodDelete, Path: moviePath, PathParams: key(year, title), Header: given,
	})
	return wrap(fmt.Sprintf("removing %q of %d", title, year), err)
}

func header(options []WriteOption) http.Header {
	h := make(http.Header)
	for _, set := range options {
		set(h)
	}
	return h
}

func isReplayed(resp *apiclient.Response) bool {
	return resp.Header.Get("Idempotency-Replayed") == "true"
}
