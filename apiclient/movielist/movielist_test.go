package movielist_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/apiclient"
	"github.com/marquee-api/marquee/apiclient/movielist"
)

// stub is the movie list with its pages by token, and what it was asked for.
type stub struct {
	pages map[string]string
	asked []string
}

func (s *stub) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, _ := io.ReadAll(r.Body)
	s.asked = append(s.asked, strings.TrimSpace(r.Method+" "+r.RequestURI+" "+string(body)))
	w.Header().Set("Content-Type", "application/json")
	switch {
	case r.URL.Path == "/dev/movie_list":
		page, ok := s.pages[r.URL.Query().Get("next")]
		if !ok {
			w.WriteHeader(400)
			page = `{"error":{"code":"invalid_parameter","message":"next is not a token"}}`
		}
		io.WriteString(w, page)
	case strings.HasSuffix(r.URL.Path, "/denied"):
		w.Header().Set("X-Amzn-Errortype", "AccessDeniedException")
		w.WriteHeader(403)
		io.WriteString(w, `{"Message":"User: x is not authorized"}`)
	case strings.HasSuffix(r.URL.Path, "/none"):
		w.WriteHeader(404)
		io.WriteString(w, `{"error":{"code":"not_found","message":"there is no \"none\" of 2013"}}`)
	case strings.HasSuffix(r.URL.Path, "/html"):
		w.WriteHeader(404)
		io.WriteString(w, `<html>`)
	case r.Method == "PUT" && strings.HasSuffix(r.URL.Path, "/new"):
		w.WriteHeader(201)
		io.WriteString(w, `{"year":2013,"title":"new","info":{}}`)
	case r.Method == "DELETE":
		w.WriteHeader(204)
	default:
		io.WriteString(w, `{"year":2013,"title":"Rush","info":{"directors":["Ron Howard"],"rating":8.3,"running_time_secs":7380}}`)
	}
}

func newClient(t testing.TB, s *stub) *movielist.Client {
	t.Helper()
	return clientOf(t, s, "/dev")
}

// clientOf calls a handler below a stage.
func clientOf(t testing.TB, h http.Handler, stage string) *movielist.Client {
	t.Helper()
	server := httptest.NewServer(h)
	t.Cleanup(server.Close)
	endpoint, err := apiclient.ResolveEndpoint(apiclient.EndpointConfig{URL: server.URL + stage, Region: "ap-northeast-2"})
	if err != nil {
		t.Fatal(err)
	}
	api, err := apiclient.New(apiclient.Config{
		Endpoint: endpoint, Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "secret", ""),
	})
	if err != nil {
		t.Fatal(err)
	}
	return movielist.New(api)
}

var threePages = map[string]string{
	"":     `{"Items":[{"year":2013,"title":"Rush","info":{}},{"year":2013,"title":"Prisoners","info":{}}],"Count":2,"NextToken":"t/1="}`,
	"t/1=": `{"Items":[],"Count":0,"NextToken":"t2"}`, // DynamoDB may return an empty page in the middle
	"t2":   `{"Items":[{"year":2014,"title":"Boyhood","info":{}}],"Count":1}`,
}

func TestAllWalksThePages(t *testing.T) {
	s := &stub{pages: threePages}
	var titles []string
	for movie, err := range newClient(t, s).All(t.Context(), movielist.Filter{Year: 2013, Limit: 2}) {
		if err != nil {
			t.Fatal(err)
		}
		titles = append(titles, movie.Title)
	}
	if diff := cmp.Diff([]string{"Rush", "Prisoners", "Boyhood"}, titles); diff != "" {
		t.Errorf("titles (-want +got):\n%s", diff)
	}
	want := []string{
		"GET /dev/movie_list?limit=2&year=2013",
		"GET /dev/movie_list?limit=2&next=t%2F1%3D&year=2013",
		"GET /dev/movie_list?limit=2&next=t2&year=2013",
	}
	if diff := cmp.Diff(want, s.asked); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestAllAsksForNoMoreThanIsUsed(t *testing.T) {
	s := &stub{pages: threePages}
	for movie, err := range newClient(t, s).All(t.Context(), movielist.Filter{}) {
		if err != nil {
			t.Fatal(err)
		}
		if movie.Title == "Prisoners" {
			break
		}
	}
	if len(s.asked) != 1 {
		t.Errorf("got %d requests, want 1: %v", len(s.asked), s.asked)
	}
}

func TestAllEndsWithAnError(t *testing.T) {
	for name, tt := range map[string]struct {
		pages map[string]string
		want  string
	}{
		"a token that is refused": {map[string]string{"": `{"Items":[{}],"Count":1,"NextToken":"bad"}`}, "next is not a token (invalid_parameter)"},
		"a page that follows itself": {map[string]string{
			"":  `{"Items":[{}],"Count":1,"NextToken":"t"}`,
			"t": `{"Items":[{}],"Count":1,"NextToken":"t"}`,
		}, "same page again"},
	} {
		t.Run(name, func(t *testing.T) {
			movies := 0
			var last error
			for _, err := range newClient(t, &stub{pages: tt.pages}).All(t.Context(), movielist.Filter{}) {
				if last != nil {
					t.Fatal("it goes on after an error")
				}
				if last = err; err == nil {
					movies++
				}
			}
			if movies != 1 || last == nil || !strings.Contains(last.Error(), tt.want) {
				t.Errorf("got %d movies and then %v, want 1 and %q", movies, last, tt.want)
			}
		})
	}
}

func TestOneMovie(t *testing.T) {
	s := &stub{}
	c := newClient(t, s)
	got, err := c.Get(t.Context(), 2013, "Rush")
	want := &movielist.Movie{Year: 2013, Title: "Rush", Info: movielist.Info{Directors: []string{"Ron Howard"}, Rating: 8.3, RunningTimeSecs: 7380}}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("got error %v, movie (-want +got):\n%s", err, diff)
	}
	for title, wantCreated := range map[string]bool{"new": true, "Rush": false} {
		put, err := c.Put(t.Context(), movielist.Movie{Year: 2013, Title: title})
		if err != nil || put.Created != wantCreated || put.Title != title {
			t.Errorf("putting %s: got %+v, %v, want created %v", title, put, err, wantCreated)
		}
	}
	if err := c.Delete(t.Context(), 1997, "Face/Off"); err != nil {
		t.Error(err)
	}
	if got, want := s.asked[len(s.asked)-1], "DELETE /dev/movie_list/1997/Face%2FOff"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
	var put movielist.Movie
	_, body, _ := strings.Cut(s.asked[1], "{")
	if err := json.Unmarshal([]byte("{"+body), &put); err != nil || put.Year != 2013 {
		t.Errorf("put %q (%v), want the movie as JSON", s.asked[1], err)
	}
}

func TestErrors(t *testing.T) {
	c := newClient(t, &stub{})
	_, notFound := c.Get(t.Context(), 2013, "none")
	var own *movielist.Error
	var answer *apiclient.APIError
	if !errors.Is(notFound, movielist.ErrNotFound) || !errors.As(notFound, &own) || !errors.As(notFound, &answer) || answer.StatusCode != 404 {
		t.Errorf("got %v, want ErrNotFound with the answer behind it", notFound)
	}
	if want := `reading "none" of 2013: there is no "none" of 2013 (not_found)`; notFound.Error() != want {
		t.Errorf("got %q, want %q", notFound, want)
	}
	if err := c.Delete(t.Context(), 2013, "none"); !errors.Is(err, movielist.ErrNotFound) {
		t.Errorf("got %v, want ErrNotFound", err)
	}
	_, denied := c.Get(t.Context(), 2013, "denied")
	if !errors.As(denied, &answer) || answer.Type != apiclient.TypeAccessDenied || errors.As(denied, new(*movielist.Error)) {
		t.Errorf("got %v, want API Gateway's own error", denied)
	}
	_, html := c.Get(t.Context(), 2013, "html")
	if errors.Is(html, movielist.ErrNotFound) || !errors.As(html, &answer) || answer.StatusCode != 404 {
		t.Errorf("got %v, want the 404 as it is", html)
	}
	if _, err := c.Get(t.Context(), 2013, ".."); err == nil || !strings.Contains(err.Error(), "another resource") {
		t.Errorf("got %v, want a refusal to climb out of the path", err)
	}
}

// TestAnswersThatAreNoMovie say what was being done, whichever call they answer.
func TestAnswersThatAreNoMovie(t *testing.T) {
	c := clientOf(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { io.WriteString(w, "<html>") }), "/dev")
	_, read := c.Get(t.Context(), 2013, "Rush")
	_, written := c.Put(t.Context(), movielist.Movie{Year: 2013, Title: "Rush"})
	_, listed := c.List(t.Context(), movielist.Filter{}, "")
	for doing, err := range map[string]error{`reading "Rush" of 2013: `: read, `writing "Rush" of 2013: `: written, "listing movies: ": listed} {
		if err == nil || !strings.HasPrefix(err.Error(), doing) || !strings.Contains(err.Error(), "is not JSON") {
			t.Errorf("got %v, want an error that begins with %s", err, doing)
		}
	}
}

func ExampleClient_All() {
	server := httptest.NewServer(&stub{pages: threePages})
	defer server.Close()
	movies, err := exampleClient(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	for movie, err := range movies.All(context.Background(), movielist.Filter{}) {
		if err != nil {
			fmt.Println(err)
			return
		}
		fmt.Println(movie.Year, movie.Title)
	}
	// Output:
	// 2013 Rush
	// 2013 Prisoners
	// 2014 Boyhood
}

// Two people change the same movie: the second one learns that the first was faster.
func ExampleIfMatch() {
	etag := 1
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		state := fmt.Sprintf("%q", fmt.Sprint(etag))
		if r.Method == http.MethodPut && r.Header.Get("If-Match") != state {
			w.WriteHeader(http.StatusPreconditionFailed)
			io.WriteString(w, `{"error":{"code":"precondition_failed","message":"the movie has changed"}}`)
			return
		}
		if r.Method == http.MethodPut {
			etag++
			state = fmt.Sprintf("%q", fmt.Sprint(etag))
		}
		w.Header().Set("ETag", state)
		io.WriteString(w, `{"year":2013,"title":"Rush","info":{"rating":8.1}}`)
	}))
	defer server.Close()
	movies, err := exampleClient(server.URL)
	if err != nil {
		fmt.Println(err)
		return
	}
	movie, err := movies.Get(context.Background(), 2013, "Rush")
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, name := range []string{"ann", "bob"} { // both have read the same state
		_, err := movies.Put(context.Background(), *movie, movielist.IfMatch(movie.ETag), movielist.IdempotencyKey(name))
		fmt.Println(name, errors.Is(err, movielist.ErrPreconditionFailed), err)
	}
	// Output:
	// ann false <nil>
	// bob true writing "Rush" of 2013: the movie has changed (precondition_failed)
}

func exampleClient(origin string) (*movielist.Client, error) {
	endpoint, err := apiclient.ResolveEndpoint(apiclient.EndpointConfig{URL: origin + "/dev", Region: "ap-northeast-2"})
	if err != nil {
		return nil, err
	}
	api, err := apiclient.New(apiclient.Config{
		Endpoint:    endpoint,
		Credentials: credentials.NewStaticCredentialsProvider("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY", ""),
	})
	if err != nil {
		return nil, err
	}
	return movielist.New(api), nil
}
