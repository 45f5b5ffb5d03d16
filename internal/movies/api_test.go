package movies_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/movies"
)

// reply is what the API answers, errors included.
type reply struct {
	Items     []movies.Movie
	Count     int
	NextToken string
	Error     struct{ Code, Message string }
}

func call(t testing.TB, h http.Handler, method, target string) *httptest.ResponseRecorder {
	t.Helper()
	w := httptest.NewRecorder()
	h.ServeHTTP(w, httptest.NewRequestWithContext(t.Context(), method, target, nil))
	return w
}

func decode[T any](t testing.TB, w *httptest.ResponseRecorder) T {
	t.Helper()
	var v T
	if err := json.Unmarshal(w.Body.Bytes(), &v); err != nil {
		t.Fatalf("body %q: %v", w.Body, err)
	}
	return v
}

// strange are titles that a path, a query string or a JSON text might break.
var strange = []string{
	"AC/DC: Live", "100% Wolf", "%2F", "%252F", "1 + 1 = 2", "a b", "?", "#1", "..", ".", "//", "Amélie", "기생충", "千と千尋の神隠し",
	"👩\u200d🚀", "e\u0301", "é", "\"quoted\" & <b>", "back\\slash", "tab\tand\nline", "semi;colon&amp=1", "/",
	strings.Repeat("長", 333), // 999 bytes: a byte less than a title may have
}

func catalogue() []movies.Movie {
	all := []movies.Movie{sample(), {Year: 2013, Title: "About Time"}, {Year: 2014, Title: "Rush"}}
	for _, title := range strange {
		all = append(all, movies.Movie{Year: 1999, Title: title, Info: movies.Info{Plot: title}})
	}
	return all
}

func TestAPI(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		method, target string
		status         int
		code           string   // of the error; "" for an answer
		message        string   // part of the error's
		titles         []string // of the list
		allow          string
	}{
		"one year in order":      {target: "/movie_list?year=2013", status: 200, titles: []string{"About Time", "Rush"}},
		"first page":             {target: "/movie_list?year=2013&limit=1", status: 200, titles: []string{"About Time"}},
		"year without movies":    {target: "/movie_list?year=2001", status: 200},
		"slash at the end":       {target: "/movie_list/?year=2014", status: 200, titles: []string{"Rush"}},
		"bad limit":              {target: "/movie_list?limit=abc", status: 400, code: "invalid_parameter", message: `limit must be a whole number from 1 to 100, got "abc"`},
		"limit too large":        {target: "/movie_list?limit=101", status: 400, code: "invalid_parameter", message: "limit"},
		"bad year":               {target: "/movie_list?year=13", status: 400, code: "invalid_parameter", message: "year"},
		"repeated parameter":     {target: "/movie_list?year=2013&year=2014", status: 400, code: "invalid_parameter", message: "query parameter year is given 2 times"},
		"unknown parameter":      {target: "/movie_list?order=title", status: 400, code: "invalid_parameter", message: `unknown query parameter "order"`},
		"bad sort":               {target: "/movie_list?sort=plot", status: 400, code: "invalid_parameter", message: "sort must be title, year or rating"},
		"no such combination":    {target: "/movie_list?genre=Action&actor=X", status: 400, code: "invalid_parameter", message: "genre and actor cannot be combined: a list takes"},
		"broken query string":    {target: "/movie_list?year=%zz", status: 400, code: "invalid_parameter", message: "query string"},
		"garbage token":          {target: "/movie_list?next=garbage", status: 400, code: "invalid_parameter", message: "next"},
		"token of another query": {target: "/movie_list?next=" + seal(t, movies.Query{Year: 2013}, "x"), status: 400, code: "invalid_parameter", message: "next"},
		"token with a made cursor": {target: "/movie_list?year=2013&next=" + seal(t, movies.Query{Year: 2013}, "x"), status: 400,
			code: "invalid_parameter", message: "next"},
		"no such movie":         {target: "/movie_list/2013/Nothing", status: 404, code: "not_found"},
		"movie of another year": {target: "/movie_list/2012/Rush", status: 404, code: "not_found"},
		"year not a number":     {target: "/movie_list/abc/Rush", status: 400, code: "invalid_parameter", message: "year"},
		"year encoded":          {target: "/movie_list/%32013/Rush", status: 400, code: "invalid_parameter", message: "year"},
		"year before film":      {target: "/movie_list/1800/Rush", status: 400, code: "invalid_parameter", message: "year"},
		"title not UTF-8":       {target: "/movie_list/2013/%FF", status: 400, code: "invalid_parameter", message: "title"},
		"title too long":        {target: "/movie_list/2013/" + strings.Repeat("a", 1001), status: 400, code: "invalid_parameter", message: "title"},
		"parameter on a movie":  {target: "/movie_list/2013/Rush?limit=1", status: 400, code: "invalid_parameter", message: `"limit"`},
		"post":                  {method: "POST", target: "/movie_list", status: 405, code: "method_not_allowed", allow: "GET, HEAD"},
		"delete a movie":        {method: "DELETE", target: "/movie_list/2013/Rush", status: 405, code: "method_not_allowed", allow: "GET, HEAD"},
		"options":               {method: "OPTIONS", target: "/movie_list", status: 405, code: "method_not_allowed", allow: "GET, HEAD"},
		"root":                  {target: "/", status: 404, code: "unknown_path"},
		"other path":            {target: "/movies", status: 404, code: "unknown_path", message: `"/movies"`},
		"two slashes before":    {target: "//movie_list", status: 404, code: "unknown_path"},
		"two slashes after":     {target: "/movie_list//", status: 404, code: "unknown_path"},
		"no title":              {target: "/movie_list/2013/", status: 404, code: "unknown_path"},
		"year only":             {target: "/movie_list/2013", status: 404, code: "unknown_path"},
		"two slashes within":    {target: "/movie_list//Rush", status: 404, code: "unknown_path"},
		"title with raw slash":  {target: "/movie_list/2013/Rush/x", status: 404, code: "unknown_path"},
		"dots":                  {target: "/x/../movie_list", status: 404, code: "unknown_path"},
		"name encoded":          {target: "/movie%5Flist", status: 404, code: "unknown_path"},
	}
	for kind, open := range stores {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			h := &movies.Handler{Tokens: tokens, Store: open(t, catalogue()...)}
			for name, tt := range tests {
				t.Run(name, func(t *testing.T) {
					method := tt.method
					if method == "" {
						method = "GET"
					}
					w := call(t, h, method, tt.target)
					if w.Code != tt.status {
						t.Fatalf("status: got %d, want %d: %s", w.Code, tt.status, w.Body)
					}
					got := decode[reply](t, w)
					if got.Error.Code != tt.code || !strings.Contains(got.Error.Message, tt.message) || (tt.code == "") != (got.Error.Message == "") {
						t.Errorf("error: got %+v, want code %q with %q", got.Error, tt.code, tt.message)
					}
					if diff := cmp.Diff(tt.titles, titles(got.Items)); diff != "" {
						t.Errorf("titles (-want +got):\n%s", diff)
					}
					if got.Count != len(tt.titles) {
						t.Errorf("count: got %d, want %d", got.Count, len(tt.titles))
					}
					if got := w.Header().Get("Allow"); got != tt.allow {
						t.Errorf("allow: got %q, want %q", got, tt.allow)
					}
					if got := w.Header().Get("Content-Type"); got != "application/json" {
						t.Errorf("content type: got %q, want application/json", got)
					}
				})
			}
		})
	}
}

func titles(list []movies.Movie) []string {
	var all []string
	for _, m := range list {
		all = append(all, m.Title)
	}
	return all
}

// The exact bytes of the answers: an empty list is [], there is no NextToken at the end, and no field is invented.
func TestAPIBodies(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		seed   []movies.Movie
		target string
		body   string
	}{
		"empty list": {nil, "/movie_list", `{"Items":[],"Count":0}`},
		"list":       {[]movies.Movie{sample()}, "/movie_list?limit=1", `{"Items":[` + sampleJSON + `],"Count":1}`},
		"one movie":  {[]movies.Movie{sample()}, "/movie_list/2013/Rush", sampleJSON},
		"ampersand":  {[]movies.Movie{{Year: 1987, Title: "<A> & B"}}, "/movie_list", `{"Items":[{"year":1987,"title":"<A> & B","info":{}}],"Count":1}`},
		"error":      {nil, "/movie_list?limit=0", `{"error":{"code":"invalid_parameter","message":"limit must be a whole number from 1 to 100, got \"0\""}}`},
	}
	for kind, open := range stores {
		for name, tt := range tests {
			t.Run(kind+"/"+name, func(t *testing.T) {
				t.Parallel()
				h := &movies.Handler{Tokens: tokens, Store: open(t, tt.seed...)}
				if got := strings.TrimSuffix(call(t, h, "GET", tt.target).Body.String(), "\n"); got != tt.body {
					t.Errorf("got %s, want %s", got, tt.body)
				}
			})
		}
	}
}

// Each title is asked for in two spellings: as little encoded as can be, and every byte encoded.
func TestAPIFindsStrangeTitles(t *testing.T) {
	t.Parallel()
	for kind, open := range stores {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			h := &movies.Handler{Tokens: tokens, Store: open(t, catalogue()...)}
			for _, title := range strange {
				full := ""
				for i := range len(title) {
					full += fmt.Sprintf("%%%02x", title[i])
				}
				for _, spelling := range []string{url.PathEscape(title), full} {
					w := call(t, h, "GET", "/movie_list/1999/"+spelling)
					want := movies.Movie{Year: 1999, Title: title, Info: movies.Info{Plot: title}}
					if diff := cmp.Diff(want, decode[movies.Movie](t, w)); w.Code != 200 || diff != "" {
						t.Errorf("%q as %s: status %d (-want +got):\n%s", title, spelling, w.Code, diff)
					}
				}
			}
		})
	}
}

func TestAPIPagesHoldEachMovieOnce(t *testing.T) {
	t.Parallel()
	var want []movies.Key
	for _, m := range catalogue() {
		want = append(want, m.Key())
	}
	for kind, open := range stores {
		t.Run(kind, func(t *testing.T) {
			t.Parallel()
			h := &movies.Handler{Tokens: tokens, Store: open(t, catalogue()...)}
			total := len(want)
			for _, limit := range []int{1, 2, 7, total - 1, total, total + 1} {
				got, pages := walk(t, h, url.Values{}, limit)
				if diff := cmp.Diff(sorted(want), sorted(got)); diff != "" {
					t.Errorf("limit %d (-want +got):\n%s", limit, diff)
				}
				// The last page is never empty: 26 movies at 13 a page are two pages, not three.
				if most := (total + limit - 1) / limit; pages != most {
					t.Errorf("limit %d: got %d pages, want %d", limit, pages, most)
				}
			}
			year, _ := walk(t, h, url.Values{"year": {"1999"}}, 4)
			if len(year) != len(strange) || !slices.IsSortedFunc(year, func(a, b movies.Key) int { return strings.Compare(a.Title, b.Title) }) {
				t.Errorf("year 1999: got %d movies, want %d in order: %v", len(year), len(strange), year)
			}
		})
	}
}

// walk follows the tokens from the first page to the last.
func walk(t *testing.T, h http.Handler, query url.Values, limit int) (keys []movies.Key, pages int) {
	t.Helper()
	query.Set("limit", fmt.Sprint(limit))
	query.Del("next")
	for {
		w := call(t, h, "GET", "/movie_list?"+query.Encode())
		if w.Code != 200 {
			t.Fatalf("page %d: status %d: %s", pages, w.Code, w.Body)
		}
		page := decode[reply](t, w)
		for _, m := range page.Items {
			keys = append(keys, m.Key())
		}
		pages++
		if page.NextToken == "" {
			return keys, pages
		}
		if pages > 1000 {
			t.Fatal("the walk does not end")
		}
		query.Set("next", page.NextToken)
	}
}

func sorted(keys []movies.Key) []movies.Key {
	return slices.SortedFunc(slices.Values(keys), func(a, b movies.Key) int {
		return strings.Compare(fmt.Sprint(a.Year)+a.Title, fmt.Sprint(b.Year)+b.Title)
	})
}
