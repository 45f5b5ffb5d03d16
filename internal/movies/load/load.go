// Package load fills a movie table: it reads movies from files or makes them up, checks each, and writes all items of
// each, at the rate that the table takes.
//
// It writes in batches, which are not transactions: a run that is stopped leaves nothing half known, because the movie
// itself is written after its places in collections, and a repeated run, or one that is resumed, completes them. Movies
// that the API changes at the very same time may keep places of both states; load when nobody writes, or load again.
//
// The package prints nothing and reads no flags; cmd/marquee does.
package load

import (
	"context"
	"errors"
	"fmt"
	"io"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/marquee-api/marquee/internal/movies"
)

// API is the part of DynamoDB's client that a Loader uses.
type API interface {
	BatchWriteItem(context.Context, *dynamodb.BatchWriteItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchWriteItemOutput, error)
	BatchGetItem(context.Context, *dynamodb.BatchGetItemInput, ...func(*dynamodb.Options)) (*dynamodb.BatchGetItemOutput, error)
}

const (
	// DefaultWorkers is how many batches are under way at once.
	DefaultWorkers = 8
	// chunkSize is how many movies are written before the next ones: progress is kept in these steps.
	chunkSize = 400
)

// Loader writes movies into a table.
type Loader struct {
	Client API
	Table  string
	// Workers is how many batches are under way at once; 0 means DefaultWorkers.
	Workers int
	// DryRun reads and checks everything and writes nothing; Client and Table are not needed then.
	DryRun bool
	// Skip is how many records of the source were done before, and are read over.
	Skip int
	// Refused is called for each record that is no movie, in order; nil ignores them.
	Refused func(Refusal)
	// Done is called after each step with what is safely in the table; nil ignores it. Its error ends the run.
	Done func(Report) error
	// Retry says how throttled batches wait; the zero value waits as long as it takes.
	Retry Retry
}

// Report is what a run did so far.
type Report struct {
	// Records were read from the source, those of Skip included.
	Records int
	// Movies were written (or, in a dry run, would be), and Items are what they consist of.
	Movies, Items int
	// Refused are records that are no movies.
	Refused int
	// Removed are items of collections that a movie was in before and is not any more.
	Removed int
	// Throttled counts the batches that DynamoDB did not take at once.
	Throttled int
}

// Refusal is a record that is no movie.
type Refusal struct {
	// Line is where the record begins, from 1.
	Line int
	Err  error
}

func (r Refusal) Error() string { return fmt.Sprintf("line %d: %s", r.Line, movies.MessageOf(r.Err)) }

// Unwrap returns what is wrong with the record.
func (r Refusal) Unwrap() error { return r.Err }

// Record is one movie of a source.
type Record struct {
	Line  int
	Movie movies.Movie
	// Err says why it is no movie.
	Err error
}

// Source gives records one by one, and io.EOF after the last. Another error ends the run.
type Source interface {
	Next() (Record, error)
}

// All loads everything that r holds into the table and returns how many movies that were. It ends with an error if one
// record is no movie: the form for a small file of one's own.
func All(ctx context.Context, client API, table string, r io.Reader) (n int, err error) {
	var first error
	l := Loader{Client: client, Table: table, Refused: func(r Refusal) {
		if first == nil {
			first = r
		}
	}}
	report, err := l.Load(ctx, NewReader(r))
	if err == nil {
		err = first
	}
	return report.Movies, err
}

// Load writes what the source gives. When the context ends, it finishes the step it is at, so that what it reports is
// what is in the table, and returns the context's error.
func (l Loader) Load(ctx context.Context, source Source) (Report, error) {
	if l.Workers == 0 {
		l.Workers = DefaultWorkers
	}
	w := newWriter(l)
	// The next step is read and put together while the one before is written.
	ahead := make(chan *step)
	reading, stop := context.WithCancel(context.WithoutCancel(ctx))
	defer stop()
	go l.prepare(reading, source, ahead)
	var report Report
	for {
		if err := ctx.Err(); err != nil {
			return report, err
		}
		var s *step
		select {
		case s = <-ahead:
		case <-ctx.Done(): // standard input may never end
			return report, ctx.Err()
		}
		if s.err != nil && !errors.Is(s.err, io.EOF) && s.read == 0 {
			return report, s.err
		}
		for _, refusal := range s.refused {
			if l.Refused != nil {
				l.Refused(refusal)
			}
		}
		if err := w.write(ctx, s, &report); err != nil {
			return report, err
		}
		report.Records += s.read
		report.Movies += len(s.movies)
		report.Refused += len(s.refused)
		if l.Done != nil && s.read > 0 {
			if err := l.Done(report); err != nil {
				return report, err
			}
		}
		if s.err != nil {
			if errors.Is(s.err, io.EOF) {
				return report, nil
			}
			return report, s.err
		}
	}
}

// step is what is written before anything of the next step is: progress is kept in steps.
type step struct {
	movies  []movies.Movie
	heads   []types.WriteRequest // the movies themselves
	places  []types.WriteRequest // in their collections
	refused []Refusal
	read    int   // records
	err     error // why it is the last
}

// prepare reads step after step until the source ends or nobody wants more.
func (l Loader) prepare(ctx context.Context, source Source, ahead chan<- *step) {
	for before := 0; ; {
		s := l.read(source, before)
		before += s.read
		select {
		case ahead <- s:
		case <-ctx.Done():
			return
		}
		if s.err != nil {
			return
		}
	}
}

// read takes the next step. Of two records with one key the later counts.
func (l Loader) read(source Source, before int) *step {
	s, at := &step{}, map[movies.Key]int{}
	for s.err == nil && len(s.movies) < chunkSize && s.read < 4*chunkSize {
		record, err := source.Next()
		if err != nil {
			s.err = err
			break
		}
		s.read++
		key := record.Movie.Key()
		if before+s.read <= l.Skip {
			continue
		} else if record.Err != nil {
			s.refused = append(s.refused, Refusal{record.Line, record.Err})
		} else if i, again := at[key]; again {
			s.movies[i] = record.Movie
		} else {
			at[key] = len(s.movies)
			s.movies = append(s.movies, record.Movie)
		}
	}
	for _, m := range s.movies {
		items := movies.Items(m)
		s.heads = append(s.heads, putOf(items[0]))
		for _, item := range items[1:] {
			s.places = append(s.places, putOf(item))
		}
	}
	return s
}
