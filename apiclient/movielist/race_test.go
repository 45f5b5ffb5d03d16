package movielist_test

import (
	"errors"
	"fmt"
	"net/http"
	"testing"

	"github.com/marquee-api/marquee/apiclient/movielist"
	"github.com/marquee-api/marquee/internal/movies"
	"github.com/marquee-api/marquee/internal/movies/moviestest"
)

// rival is another writer, who acts on the movie just before a PUT of ours comes in: once for each step.
type rival struct {
	store *movies.DynamoStore
	next  http.Handler
	steps []string // make, remove or nothing
	puts  int
	errs  []error
}

func (r *rival) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	movie := movies.Movie{Year: 2013, Title: "Rush"}
	movie.Info.Plot = "the rival's"
	step := ""
	if r.puts++; r.puts <= len(r.steps) {
		step = r.steps[r.puts-1]
	}
	var err error
	switch step {
	case "make":
		_, err = r.store.Put(req.Context(), movie, movies.Condition{}, movies.Request{})
	case "remove":
		_, err = r.store.Delete(req.Context(), movie.Key(), movies.Condition{Any: true}, movies.Request{})
	}
	if err != nil {
		r.errs = append(r.errs, err)
	}
	r.next.ServeHTTP(w, req)
}

// The API makes without a condition and replaces with If-Match, and has no request that does either. A Put without a
// condition does, whoever makes or removes the movie in between.
func TestPutWithoutAConditionWins(t *testing.T) {
	ours := movielist.Movie{Year: 2013, Title: "Rush", Info: movielist.Info{Plot: "ours"}}
	for name, tt := range map[string]struct {
		steps         []string
		puts          int
		created, lost bool
	}{
		"nobody else":             {nil, 1, true, false},
		"made before":             {[]string{"make"}, 2, false, false},
		"made, and removed":       {[]string{"make", "remove"}, 3, true, false},
		"made, removed and made":  {[]string{"make", "remove", "make"}, 4, false, false},
		"a rival without respite": {[]string{"make", "remove", "make", "remove", "make", "remove", "make", "remove", "make", "remove"}, 10, false, true},
	} {
		for _, key := range []string{"", "name"} {
			t.Run(name+", key "+key, func(t *testing.T) {
				t.Parallel()
				store := movies.NewDynamoStore(moviestest.Client(t), moviestest.Table(t))
				r := &rival{store: store, steps: tt.steps, next: &movies.Handler{Store: store, Writer: store, Tokens: movies.Tokens{Keys: store.TokenKeys}}}
				var options []movielist.WriteOption
				if key != "" {
					options = append(options, movielist.IdempotencyKey(key))
				}
				c := clientOf(t, r, "")
				put, err := c.Put(t.Context(), ours, options...)
				switch {
				case r.errs != nil:
					t.Fatal(r.errs)
				case tt.lost && !errors.Is(err, movielist.ErrPreconditionFailed):
					t.Errorf("got %+v, %v, want it given up", put, err)
				case !tt.lost && (err != nil || put.Created != tt.created || put.Info.Plot != "ours"):
					t.Fatalf("got %+v, %v, want it written, created: %t", put, err, tt.created)
				}
				if r.puts != tt.puts {
					t.Errorf("got %d requests, want %d", r.puts, tt.puts)
				}
				if key == "" || tt.lost {
					return
				}
				// The same write under the same name has its effect once, in whichever form the API knows it.
				again, err := c.Put(t.Context(), ours, options...)
				if err != nil || !again.Replayed || again.Created != tt.created || again.ETag != put.ETag {
					t.Errorf("sent again: got %+v, %v, want what the first one got", again, err)
				}
				ours := ours
				ours.Info.Plot = "another"
				var refused *movielist.Error
				if _, err := c.Put(t.Context(), ours, options...); !errors.As(err, &refused) || refused.Code != movielist.CodeIdempotencyKeyReused {
					t.Errorf("another movie under the same name: got %v, want it refused", err)
				}
			})
		}
	}
}

// A condition of the caller's own is never set aside, whatever the API says.
func TestPutKeepsToItsCondition(t *testing.T) {
	for name, condition := range map[string]movielist.WriteOption{"IfAny": movielist.IfAny(), "IfMatch": movielist.IfMatch(`"x"`), "IfAbsent": movielist.IfAbsent()} {
		for code, status := range map[movielist.Code]int{movielist.CodePreconditionFailed: 412, movielist.CodePreconditionRequired: 428, movielist.CodeIdempotencyKeyReused: 422} {
			t.Run(name+", "+string(code), func(t *testing.T) {
				puts := 0
				c := clientOf(t, http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					puts++
					w.WriteHeader(status)
					fmt.Fprintf(w, `{"error":{"code":%q,"message":"no"}}`, code)
				}), "")
				var refused *movielist.Error
				if _, err := c.Put(t.Context(), movielist.Movie{Year: 2013, Title: "Rush"}, condition); !errors.As(err, &refused) || refused.Code != code || puts != 1 {
					t.Errorf("got %v after %d requests, want the refusal after one", err, puts)
				}
			})
		}
	}
}
