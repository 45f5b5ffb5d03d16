package movielist_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"

	"github.com/marquee-api/marquee/apiclient/movielist"
)

// shelf is a movie list in memory, as far as the examples need one: movies by path, each with the number of its state.
type shelf map[string]shelved

type shelved struct {
	text  string
	state int
}

func (m shelved) etag() string { return fmt.Sprintf(`"%d"`, m.state) }

func (s shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("Content-Type", "application/json")
	if r.URL.Path == "/dev/movie_list" {
		s.list(w, r)
		return
	}
	held, there := s[r.URL.Path]
	if status, code := s.refusal(r, held, there); status != 0 {
		w.WriteHeader(status)
		if code != "" {
			fmt.Fprintf(w, `{"error":{"code":%q,"message":"the shelf says %s"}}`, code, code)
		}
		return
	}
	switch r.Method {
	case http.MethodPut:
		text, _ := io.ReadAll(r.Body)
		held = shelved{string(text), held.state + 1}
		s[r.URL.Path] = held
	case http.MethodDelete:
		delete(s, r.URL.Path)
		w.WriteHeader(http.StatusNoContent)
		return
	}
	w.Header().Set("ETag", held.etag())
	if r.Method == http.MethodPut && !there {
		w.WriteHeader(http.StatusCreated)
	}
	io.WriteString(w, held.text)
}

// list shows one page, in the order of the paths. Its token is the last path of the page before.
func (s shelf) list(w http.ResponseWriter, r *http.Request) {
	limit, _ := strconv.Atoi(r.URL.Query().Get("limit"))
	var page struct {
		Items     []json.RawMessage
		Count     int
		NextToken string `json:",omitempty"`
	}
	last := ""
	for _, path := range slices.Sorted(maps.Keys(s)) {
		if path <= r.URL.Query().Get("next") {
			continue
		}
		if limit > 0 && page.Count == limit {
			page.NextToken = last
			break
		}
		page.Items = append(page.Items, json.RawMessage(s[path].text))
		page.Count++
		last = path
	}
	json.NewEncoder(w).Encode(page)
}

// refusal is why a request is not carried out; 0 if it is.
func (s shelf) refusal(r *http.Request, held shelved, there bool) (status int, code string) {
	match, none := r.Header.Get("If-Match"), r.Header.Get("If-None-Match")
	switch {
	case there && none == held.etag():
		return http.StatusNotModified, ""
	case !there && r.Method != http.MethodPut:
		return http.StatusNotFound, "not_found"
	case there && none == "*", match == "*" && !there, match != "" && match != "*" && match != held.etag():
		return http.StatusPreconditionFailed, "precondition_failed"
	case there && r.Method != http.MethodGet && r.Method != http.MethodHead && match == "":
		return http.StatusPreconditionRequired, "precondition_required"
	}
	return 0, ""
}

// exampleShelf returns a client of an empty shelf. A service makes its client from an [apiclient.Client]: see there.
func exampleShelf() (movies *movielist.Client, stop func()) {
	server := httptest.NewServer(make(shelf))
	movies, err := exampleClient(server.URL)
	if err != nil {
		panic(err)
	}
	return movies, server.Close
}

// A movie is read with the ETag of its state. That there is none is an error of its own.
func ExampleClient_Get() {
	movies, stop := exampleShelf()
	defer stop()
	ctx := context.Background()
	_, err := movies.Get(ctx, 1997, "Face/Off")
	fmt.Println(errors.Is(err, movielist.ErrNotFound), err)

	if _, err := movies.Put(ctx, movielist.Movie{Year: 1997, Title: "Face/Off", Info: movielist.Info{Rating: 7.3}}); err != nil {
		fmt.Println(err)
		return
	}
	movie, err := movies.Get(ctx, 1997, "Face/Off")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(movie.Title, movie.Info.Rating, movie.ETag)
	// Output:
	// true reading "Face/Off" of 1997: the shelf says not_found (not_found)
	// Face/Off 7.3 "1"
}

// Who has a movie asks for it only if it has changed.
func ExampleClient_GetIfChanged() {
	movies, stop := exampleShelf()
	defer stop()
	ctx := context.Background()
	written, err := movies.Put(ctx, movielist.Movie{Year: 2013, Title: "Rush"})
	if err != nil {
		fmt.Println(err)
		return
	}
	_, err = movies.GetIfChanged(ctx, written.Movie)
	fmt.Println(errors.Is(err, movielist.ErrNotModified))

	if _, err := movies.Put(ctx, movielist.Movie{Year: 2013, Title: "Rush", Info: movielist.Info{Rank: 2}}); err != nil {
		fmt.Println(err)
		return
	}
	newer, err := movies.GetIfChanged(ctx, written.Movie)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(newer.Info.Rank, newer.ETag)
	// Output:
	// true
	// 2 "2"
}

// Without a condition a write takes effect whatever is there.
func ExampleClient_Put() {
	movies, stop := exampleShelf()
	defer stop()
	ctx := context.Background()
	for _, rating := range []float64{8.0, 8.3} {
		written, err := movies.Put(ctx, movielist.Movie{Year: 2013, Title: "Rush", Info: movielist.Info{Rating: rating}})
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println("created:", written.Created, "rating:", written.Info.Rating)
	}
	// Output:
	// created: true rating: 8
	// created: false rating: 8.3
}

// Of two that add the same movie, one does. The key lets the client repeat a write whose answer was lost.
func ExampleIfAbsent() {
	movies, stop := exampleShelf()
	defer stop()
	ctx := context.Background()
	for _, name := range []string{"first", "second"} {
		movie := movielist.Movie{Year: 2013, Title: "Rush", Info: movielist.Info{Plot: name}}
		_, err := movies.Put(ctx, movie, movielist.IfAbsent(), movielist.IdempotencyKey("add-rush-"+name))
		fmt.Println(name, "was too late:", errors.Is(err, movielist.ErrPreconditionFailed))
	}
	// Output:
	// first was too late: false
	// second was too late: true
}

// A movie that somebody has changed since it was read is not removed.
func ExampleClient_Delete() {
	movies, stop := exampleShelf()
	defer stop()
	ctx := context.Background()
	read, err := movies.Put(ctx, movielist.Movie{Year: 2013, Title: "Rush"})
	if err != nil {
		fmt.Println(err)
		return
	}
	if _, err := movies.Put(ctx, movielist.Movie{Year: 2013, Title: "Rush", Info: movielist.Info{Rank: 2}}); err != nil {
		fmt.Println(err)
		return
	}
	err = movies.Delete(ctx, 2013, "Rush", movielist.IfMatch(read.ETag), movielist.IdempotencyKey("remove-rush"))
	fmt.Println("in another state:", errors.Is(err, movielist.ErrPreconditionFailed))
	fmt.Println("whatever it is:", movies.Delete(ctx, 2013, "Rush"))
	err = movies.Delete(ctx, 2013, "Rush")
	fmt.Println("gone already:", errors.Is(err, movielist.ErrNotFound))
	// Output:
	// in another state: true
	// whatever it is: <nil>
	// gone already: true
}

// The ETag alone says whether a movie is there and what state it is in.
func ExampleClient_ETag() {
	movies, stop := exampleShelf()
	defer stop()
	ctx := context.Background()
	if _, err := movies.Put(ctx, movielist.Movie{Year: 2013, Title: "Rush"}); err != nil {
		fmt.Println(err)
		return
	}
	etag, err := movies.ETag(ctx, 2013, "Rush")
	fmt.Println(etag, err)
	_, err = movies.ETag(ctx, 2013, "Crush")
	fmt.Println(errors.Is(err, movielist.ErrNotFound))
	// Output:
	// "1" <nil>
	// true
}
