package load_test

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"
	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/movies"
	"github.com/marquee-api/marquee/internal/movies/load"
	"github.com/marquee-api/marquee/internal/movies/moviestest"
)

func TestMain(m *testing.M) { os.Exit(moviestest.Main(m)) }

const (
	rush = `{"year":2013,"title":"Rush","info":{"rating":8.3}}`
	moon = `{"year":2009,"title":"Moon","info":{"genres":["Drama"]}}`
)

func zipped(text string) string {
	var buf bytes.Buffer
	w := gzip.NewWriter(&buf)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return buf.String()
}

// read gives the titles, or where something is wrong.
func read(text string) (got []string, err error) {
	r := load.NewReader(strings.NewReader(text))
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			return got, nil
		}
		if err != nil {
			return got, err
		}
		if record.Err != nil {
			got = append(got, load.Refusal{Line: record.Line, Err: record.Err}.Error())
		} else {
			got = append(got, fmt.Sprintf("line %d: %s", record.Line, record.Movie.Title))
		}
	}
}

func TestReader(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		text string
		want []string
		err  string
	}{
		"nothing":           {"", nil, ""},
		"white space":       {" \n\t\r\n", nil, ""},
		"lines":             {rush + "\n\n" + moon, []string{"line 1: Rush", "line 3: Moon"}, ""},
		"lines of Windows":  {"\ufeff" + rush + "\r\n" + moon + "\r\n", []string{"line 1: Rush", "line 2: Moon"}, ""},
		"empty array":       {"[]", nil, ""},
		"array on one line": {"[" + rush + "," + moon + "]\n", []string{"line 1: Rush", "line 1: Moon"}, ""},
		"array like AWS's":  {"\n[\n  " + rush + ",\n  {\n    \"year\": 2009,\n    \"title\": \"Moon\"\n  }\n]\n", []string{"line 3: Rush", "line 4: Moon"}, ""},
		"lines, zipped":     {zipped(rush + "\n" + moon), []string{"line 1: Rush", "line 2: Moon"}, ""},
		"array, zipped":     {zipped("[" + rush + ",\n" + moon + "]"), []string{"line 1: Rush", "line 2: Moon"}, ""},
		"bad lines between": {rush + "\nnonsense\n" + `{"year":1,"title":"x"}` + "\n" + moon,
			[]string{"line 1: Rush", "line 2: the body is not JSON at byte 2: invalid character 'o' in literal null (expecting 'u')",
				"line 3: year must be from 1888 to 9999, got 1", "line 4: Moon"}, ""},
		"bad element between": {"[" + rush + ",\n{\"year\":\"x\"},\n" + moon + "]",
			[]string{"line 1: Rush", `line 2: year must be a whole number, got "\"x\""`, "line 3: Moon"}, ""},
		"a line too long": {strings.Repeat("x", movies.MaxBodyBytes+1) + "\n" + moon,
			[]string{"line 1: longer than 262144 bytes, which no movie is", "line 2: Moon"}, ""},
		"array cut short": {"[" + rush + ",\n", []string{"line 1: Rush"}, ": the input ends before the array does"},
		"array broken":    {"[" + rush + "\n" + moon + "]", []string{"line 1: Rush"}, "line 2: "},
		"after the array": {"[" + rush + "]\n{}", []string{"line 1: Rush"}, "something follows the array"},
		"zip cut short":   {zipped(rush)[:20], nil, "read: "},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := read(tt.text)
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
			if (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
				t.Errorf("error: got %v, want %q", err, tt.err)
			}
		})
	}
}

// The own data and a movie of AWS's file load whole, and every movie is found by its key and in its collections.
func TestAllLoadsTheDataFile(t *testing.T) {
	t.Parallel()
	f, err := os.Open("../../../data/movies.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	client, table := moviestest.Client(t), moviestest.Table(t)
	n, err := load.All(t.Context(), client, table, f)
	if err != nil || n != 369 {
		t.Fatalf("got %d movies, %v, want 369", n, err)
	}
	s := movies.NewDynamoStore(client, table)
	if m, err := s.Get(t.Context(), movies.Key{Year: 1972, Title: "The Godfather"}); err != nil || !slices.Contains(m.Info.Actors, "Al Pacino") {
		t.Errorf("The Godfather: got %+v, %v", m, err)
	}
	page, err := s.List(t.Context(), movies.Query{Limit: 100, Actor: "Al Pacino", Sort: "year"})
	if err != nil || len(page.Movies) == 0 {
		t.Errorf("Al Pacino: got %d movies, %v", len(page.Movies), err)
	}
	count := 0
	for q := (movies.Query{Limit: 100, Sort: "-rating"}); ; {
		page, err := s.List(t.Context(), q)
		if err != nil {
			t.Fatal(err)
		}
		count += len(page.Movies)
		if q.After = page.Next; q.After == "" {
			break
		}
	}
	if count != 369 {
		t.Errorf("all: got %d movies, want 369", count)
	}
	if _, err := load.All(t.Context(), client, table, strings.NewReader("\n{}")); err == nil || !strings.Contains(err.Error(), "line 2: ") {
		t.Errorf("no movie: got %v, want its line", err)
	}
}

// A movie that is loaded again leaves the collections that it is not in any more; of two with one key the later counts.
func TestLoadAgain(t *testing.T) {
	t.Parallel()
	client, table := moviestest.Client(t), moviestest.Table(t)
	for _, text := range []string{
		`{"year":2013,"title":"Rush","info":{"genres":["Drama"],"actors":["A","B"]}}`,
		`{"year":2013,"title":"Rush","info":{"genres":["Sport"]}}` + "\n" + `{"year":2013,"title":"Rush","info":{"genres":["Action"],"actors":["B"],"rating":7}}`,
	} {
		if _, err := load.All(t.Context(), client, table, strings.NewReader(text)); err != nil {
			t.Fatal(err)
		}
	}
	s := movies.NewDynamoStore(client, table)
	for _, tt := range []struct {
		query movies.Query
		want  int
	}{{movies.Query{Genre: "Drama"}, 0}, {movies.Query{Genre: "Sport"}, 0}, {movies.Query{Genre: "Action"}, 1}, {movies.Query{Actor: "A"}, 0},
		{movies.Query{Actor: "B", MinRating: 7}, 1}, {movies.Query{Year: 2013}, 1}, {movies.Query{}, 1}} {
		tt.query.Limit = 5
		if page, err := s.List(t.Context(), tt.query); err != nil || len(page.Movies) != tt.want {
			t.Errorf("%+v: got %d movies, %v, want %d", tt.query, len(page.Movies), err, tt.want)
		}
	}
}

// slow is a table that takes only some items of each batch, and may be stopped.
type slow struct {
	*dynamodb.Client
	mu    sync.Mutex
	r     *rand.Rand
	calls int
	after func(calls int) error
}

func (s *slow) BatchWriteItem(ctx context.Context, in *dynamodb.BatchWriteItemInput, _ ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error) {
	s.mu.Lock()
	s.calls++
	calls, keep := s.calls, s.r.IntN(3)
	s.mu.Unlock()
	if s.after != nil {
		if err := s.after(calls); err != nil {
			return nil, err
		}
	}
	if keep == 0 {
		return nil, &types.ProvisionedThroughputExceededException{}
	}
	left := map[string][]types.WriteRequest{}
	if keep == 1 {
		for table, requests := range in.RequestItems {
			left[table] = requests[:len(requests)/2]
			in = &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: requests[len(requests)/2:]}}
		}
	}
	out, err := s.Client.BatchWriteItem(ctx, in)
	if err == nil && len(left) > 0 {
		out.UnprocessedItems = left
	}
	return out, err
}

func generated(t *testing.T, n int) []movies.Movie {
	t.Helper()
	g := load.NewGenerator(n, 1)
	var all []movies.Movie
	for {
		record, err := g.Next()
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil || record.Err != nil {
			t.Fatal(err, record.Err)
		}
		all = append(all, record.Movie)
	}
}

// missing names the movies that the table does not have as they should be.
func missing(t *testing.T, table string, all []movies.Movie) (lost []movies.Key) {
	t.Helper()
	s := movies.NewDynamoStore(moviestest.Client(t), table)
	for _, m := range all {
		if got, err := s.Get(t.Context(), m.Key()); err != nil || !cmp.Equal(m, got) {
			lost = append(lost, m.Key())
		}
	}
	return lost
}

func TestThrottledTableLosesNothing(t *testing.T) {
	t.Parallel()
	table := moviestest.Table(t)
	api := &slow{Client: moviestest.Client(t), r: rand.New(rand.NewPCG(1, 1))}
	l := load.Loader{Client: api, Table: table, Retry: load.Retry{MaxPause: 5 * time.Millisecond}}
	report, err := l.Load(t.Context(), load.NewGenerator(60, 1))
	if err != nil || report.Movies != 60 || report.Throttled == 0 || report.Items != 60*5 {
		t.Errorf("got %+v, %v, want 60 movies of 5 items and some throttling", report, err)
	}
	if lost := missing(t, table, generated(t, 60)); len(lost) > 0 {
		t.Errorf("lost: %v", lost)
	}
}

// A run that is stopped in the middle, by a person or by a broken table, goes on where it stopped, and in the end nothing is
// missing and nothing was refused twice.
func TestResume(t *testing.T) {
	t.Parallel()
	var text bytes.Buffer
	all := generated(t, 900)
	for i, m := range all {
		line, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		text.Write(append(line, '\n'))
		if i == 5 {
			text.WriteString("no movie\n")
		}
	}
	dir := t.TempDir()
	file, mark := filepath.Join(dir, "movies.jsonl"), filepath.Join(dir, "sub", "load.json")
	if err := os.WriteFile(file, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	client, table := moviestest.Client(t), moviestest.Table(t)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	var refused []string
	run := load.Run{
		Loader:     load.Loader{Client: client, Table: table},
		Inputs:     []load.Input{{Name: file, Open: func() (io.ReadCloser, error) { return os.Open(file) }}},
		Checkpoint: mark,
		Refused:    func(input string, r load.Refusal) { refused = append(refused, input+": "+r.Error()) },
		Progress:   func(load.Report) { stop() }, // after the first step
	}
	first, err := run.Do(ctx)
	if !errors.Is(err, context.Canceled) || first.Movies == 0 || first.Movies >= 900 {
		t.Fatalf("stopped: got %+v, %v, want a part and the context's error", first, err)
	}
	if lost := missing(t, table, all[:first.Movies]); len(lost) > 0 {
		t.Errorf("reported as loaded, and not there: %v", lost)
	}

	run.Resume, run.Progress = true, nil
	broken := errors.New("broken")
	run.Loader.Client = &slow{Client: client, r: rand.New(rand.NewPCG(2, 2)), after: func(calls int) error {
		if calls == 40 {
			return broken
		}
		return nil
	}}
	run.Loader.Retry.MaxPause = time.Millisecond
	second, err := run.Do(t.Context())
	if !errors.Is(err, broken) {
		t.Fatalf("broken: got %+v, %v", second, err)
	}

	run.Loader.Client = client
	third, err := run.Do(t.Context())
	if err != nil || first.Movies+second.Movies+third.Movies != 900 {
		t.Errorf("got %d, %d and %d movies, %v, want 900 in all", first.Movies, second.Movies, third.Movies, err)
	}
	if lost := missing(t, table, all); len(lost) > 0 {
		t.Errorf("lost: %v", lost)
	}
	if want := []string{file + ": line 7: the body is not JSON at byte 2: invalid character 'o' in literal null (expecting 'u')"}; !cmp.Equal(want, refused) {
		t.Errorf("refused: got %q, want %q", refused, want)
	}
	if _, err := run.Do(t.Context()); !errors.Is(err, load.ErrNothingToResume) {
		t.Errorf("after the end: got %v, want %v", err, load.ErrNothingToResume)
	}
}

func TestResumeRefusesAnotherFileOrTable(t *testing.T) {
	t.Parallel()
	client, table, mark := moviestest.Client(t), moviestest.Table(t), filepath.Join(t.TempDir(), "load.json")
	if err := os.WriteFile(mark, fmt.Appendf(nil, `{"table":%q,"done":{"a":{"records":1,"head":"another"}}}`, table), 0o600); err != nil {
		t.Fatal(err)
	}
	run := load.Run{Loader: load.Loader{Client: client, Table: table}, Checkpoint: mark, Resume: true,
		Inputs: []load.Input{{Name: "a", Open: func() (io.ReadCloser, error) { return io.NopCloser(strings.NewReader(rush)), nil }}}}
	if _, err := run.Do(t.Context()); err == nil || !strings.Contains(err.Error(), "a: it is not what it was") {
		t.Errorf("another file: got %v", err)
	}
	run.Loader.Table = "another"
	if _, err := run.Do(t.Context()); err == nil || !strings.Contains(err.Error(), "is of a run into table "+table) {
		t.Errorf("another table: got %v", err)
	}
}

func TestDryRunWritesNothing(t *testing.T) {
	t.Parallel()
	report, err := load.Loader{DryRun: true}.Load(t.Context(), load.NewReader(strings.NewReader(rush+"\nx\n"+moon)))
	if want := (load.Report{Records: 3, Movies: 2, Items: 5, Refused: 1}); err != nil || report != want {
		t.Errorf("got %+v, %v, want %+v", report, err, want)
	}
}

// Generated movies are valid, all of one size, and the same for one seed, however many are asked for.
func TestGenerator(t *testing.T) {
	t.Parallel()
	few, many, keys := generated(t, 100), generated(t, 3000), map[movies.Key]bool{}
	if diff := cmp.Diff(few, many[:100]); diff != "" {
		t.Errorf("more of them begin otherwise:\n%s", diff)
	}
	for _, m := range many {
		if err := m.Validate(); err != nil {
			t.Fatalf("%+v: %v", m, err)
		}
		if size := movies.ItemBytes(movies.Items(m)[0]); size != 420 {
			t.Fatalf("%+v: %d bytes, want 420", m, size)
		}
		keys[m.Key()] = true
	}
	if len(keys) != len(many) {
		t.Errorf("got %d keys, want %d", len(keys), len(many))
	}
	other, err := load.NewGenerator(1, 2).Next()
	if err != nil || cmp.Equal(other.Movie, many[0]) {
		t.Errorf("another seed gives the same movie")
	}
}
