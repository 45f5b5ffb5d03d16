// Command scale measures what a page costs in catalogues of different sizes, in DynamoDB Local: the capacity and the items
// that it reads, which must be the same, and the time that the handler takes. It writes a table and a plot for
// docs/performance.md. It is a tool of this repository and ships with nothing.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"os/signal"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/marquee-api/marquee/internal/dynamolocal"
	"github.com/marquee-api/marquee/internal/movies"
	"github.com/marquee-api/marquee/internal/movies/load"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:], os.Getenv); err != nil {
		fmt.Fprintf(os.Stderr, "scale: %v\n", err)
		os.Exit(1)
	}
}

// pages are the access patterns that are measured, each as a page of a list. The limits are such that the smallest
// catalogue has more movies than a page, in every shard.
var pages = []string{
	"/movie_list?sort=year",
	"/movie_list?sort=title",
	"/movie_list?sort=-rating",
	"/movie_list?from_year=1975",
	"/movie_list?min_rating=5&sort=rating",
	"/movie_list?title_prefix=The%20Silent&limit=5",
	"/movie_list?year=1980&limit=5",
	"/movie_list?year=1980&sort=-rating&limit=5",
	"/movie_list?genre=Drama",
	"/movie_list?genre=Drama&sort=-rating",
	"/movie_list?genre=Drama&sort=title&fields=rating",
}

func run(ctx context.Context, args []string, getenv func(string) string) error {
	flags := flag.NewFlagSet("scale", flag.ContinueOnError)
	sizesText := flags.String("sizes", "1000,100000,1000000", "how many movies the catalogues have")
	rounds := flags.Int("rounds", 7, "how often the sizes take turns")
	requests := flags.Int("requests", 300, "how many requests a size and round")
	report := flags.String("report", "docs/performance.md", "the file whose part about scale is replaced")
	plot := flags.String("plot", "docs/performance-scale.svg", "the plot")
	if err := flags.Parse(args); err != nil {
		return err
	}
	var sizes []int
	for text := range strings.SplitSeq(*sizesText, ",") {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1000 {
			return fmt.Errorf("-sizes: %q is no number from 1000", text)
		}
		sizes = append(sizes, n)
	}
	server, err := dynamolocal.Start(ctx, dynamolocal.Options{Mode: getenv("MARQUEE_DYNAMODB_URL"), Progress: os.Stderr})
	if err != nil {
		return err
	}
	defer func() { _ = server.Stop(context.WithoutCancel(ctx)) }()
	client := server.Client("ap-northeast-2")
	var catalogues []*catalogue
	for _, size := range sizes {
		c, err := fill(ctx, client, size)
		if err != nil {
			return err
		}
		defer func() {
			_, _ = client.DeleteTable(context.WithoutCancel(ctx), &dynamodb.DeleteTableInput{TableName: &c.table})
		}()
		catalogues = append(catalogues, c)
	}
	if err := measure(ctx, catalogues, *rounds, *requests); err != nil {
		return err
	}
	if err := draw(*plot, catalogues); err != nil {
		return err
	}
	if err := write(*report, catalogues, *rounds, *requests); err != nil {
		return err
	}
	return verdict(catalogues)
}

// catalogue is one table with what was seen in it.
type catalogue struct {
	size    int
	table   string
	handler *movies.Handler
	loaded  time.Duration
	cost    map[string]movies.Usage
	// p50 and p99 are, for each page, one figure a round, in milliseconds.
	p50, p99 map[string][]float64
}

func fill(ctx context.Context, client *dynamodb.Client, size int) (*catalogue, error) {
	c := &catalogue{size: size, table: fmt.Sprintf("scale-%d-%d", size, os.Getpid()), cost: map[string]movies.Usage{},
		p50: map[string][]float64{}, p99: map[string][]float64{}}
	if err := dynamolocal.CreateTable(ctx, client, movies.TableInput(c.table)); err != nil {
		return nil, err
	}
	began, said := time.Now(), time.Now()
	l := load.Loader{Client: client, Table: c.table, Done: func(r load.Report) error {
		if time.Since(said) > 10*time.Second {
			said = time.Now()
			fmt.Fprintf(os.Stderr, "%d of %d movies, %.0f items/s\n", r.Movies, size, float64(r.Items)/time.Since(began).Seconds())
		}
		return nil
	}}
	made := load.NewGenerator(size, 1)
	made.Bare = true // a page of a genre stands for those of people
	if _, err := l.Load(ctx, made); err != nil {
		return nil, err
	}
	c.loaded = time.Since(began)
	fmt.Fprintf(os.Stderr, "%d movies loaded in %s\n", size, c.loaded.Round(time.Millisecond))
	store := movies.NewDynamoStore(client, c.table)
	c.handler = &movies.Handler{Store: store, Tokens: movies.Tokens{Keys: store.TokenKeys}, Timeout: time.Minute}
	return c, nil
}

// measure lets the sizes take turns, so that whatever else the machine does meets all of them.
func measure(ctx context.Context, catalogues []*catalogue, rounds, requests int) error {
	for _, c := range catalogues {
		for _, page := range pages {
			if _, err := c.call(ctx, page); err != nil { // warm
				return err
			}
			counted, usage := movies.WithUsage(ctx)
			if _, err := c.list(counted, page); err != nil {
				return err
			}
			c.cost[page] = usage()
		}
	}
	for round := range rounds {
		for _, page := range pages {
			taken := make([][]float64, len(catalogues))
			// One request each in turn.
			for range requests / len(pages) {
				for i, c := range catalogues {
					took, err := c.call(ctx, page)
					if err != nil {
						return err
					}
					taken[i] = append(taken[i], float64(took.Microseconds())/1000)
				}
			}
			for i, c := range catalogues {
				slices.Sort(taken[i])
				c.p50[page] = append(c.p50[page], quantile(taken[i], 0.5))
				c.p99[page] = append(c.p99[page], quantile(taken[i], 0.99))
			}
		}
		fmt.Fprintf(os.Stderr, "round %d of %d\n", round+1, rounds)
	}
	return nil
}

func quantile(sorted []float64, q float64) float64 {
	return sorted[min(int(q*float64(len(sorted))), len(sorted)-1)]
}

func median(all []float64) float64 {
	sorted := slices.Sorted(slices.Values(all))
	return quantile(sorted, 0.5)
}

// call is a request through the whole handler.
func (c *catalogue) call(ctx context.Context, page string) (time.Duration, error) {
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, page, nil)
	w := httptest.NewRecorder()
	began := time.Now()
	c.handler.ServeHTTP(w, r)
	took := time.Since(began)
	if w.Code != http.StatusOK {
		return 0, fmt.Errorf("%s: status %d: %s", page, w.Code, w.Body)
	}
	return took, nil
}

// list reads the page from the store alone, to count what it uses.
func (c *catalogue) list(ctx context.Context, page string) (movies.Page, error) {
	r := httptest.NewRequest(http.MethodGet, page, nil)
	q, _, err := movies.ParseQuery(r.URL.Query())
	if err != nil {
		return movies.Page{}, err
	}
	got, err := c.handler.Store.List(ctx, q)
	if err == nil && len(got.Movies) != q.Limit {
		err = fmt.Errorf("%s: %d movies in a catalogue of %d, want a full page", page, len(got.Movies), c.size)
	}
	return got, err
}

// verdict fails if a page costs more in a larger catalogue, or takes too long.
func verdict(catalogues []*catalogue) error {
	var failures []error
	first, last := catalogues[0], catalogues[len(catalogues)-1]
	for _, page := range pages {
		for _, c := range catalogues {
			if c.cost[page] != first.cost[page] {
				failures = append(failures, fmt.Errorf("%s: %+v with %d movies, %+v with %d", page, first.cost[page], first.size, c.cost[page], c.size))
			}
		}
	}
	if a, b := overall(first, first.p99), overall(last, last.p99); b > 2*a {
		failures = append(failures, fmt.Errorf("the 99th percentile grows from %.2f to %.2f ms", a, b))
	}
	return errors.Join(failures...)
}

// overall is the mean of the pages' medians over the rounds.
func overall(_ *catalogue, figures map[string][]float64) float64 {
	sum := 0.0
	for _, page := range pages {
		sum += median(figures[page])
	}
	return sum / float64(len(pages))
}
