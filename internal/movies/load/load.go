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
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

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
	var report Report
	w := newWriter(l)
	for {
		if err := ctx.Err(); err != nil {
			return report, err
		}
		chunk, refused, read, err := l.read(source, &report)
		if err != nil && !errors.Is(err, io.EOF) {
			return report, err
		}
		if writeErr := w.write(ctx, chunk, &report); writeErr != nil {
			return report, writeErr
		}
		report.Records += read
		report.Movies += len(chunk)
		report.Refused += refused
		if l.Done != nil && read > 0 {
			if err := l.Done(report); err != nil {
				return report, err
			}
		}
		if err != nil {
			return report, nil
		}
	}
}

// read takes the next chunk. Of two records with one key the later counts.
func (l Loader) read(source Source, report *Report) (chunk []movies.Movie, refused, read int, err error) {
	at := map[movies.Key]int{}
	for len(chunk) < chunkSize && read < 4*chunkSize {
		record, err := source.Next()
		if err != nil {
			return chunk, refused, read, err
		}
		read++
		if report.Records+read <= l.Skip {
			continue
		}
		if record.Err != nil {
			refused++
			if l.Refused != nil {
				l.Refused(Refusal{record.Line, record.Err})
			}
			continue
		}
		if i, again := at[record.Movie.Key()]; again {
			chunk[i] = record.Movie
			continue
		}
		at[record.Movie.Key()] = len(chunk)
		chunk = append(chunk, record.Movie)
	}
	return slices.Clip(chunk), refused, read, nil
}
