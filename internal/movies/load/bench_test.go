package load_test

import (
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/marquee-api/marquee/internal/movies"
	"github.com/marquee-api/marquee/internal/movies/load"
	"github.com/marquee-api/marquee/internal/movies/moviestest"
)

// BenchmarkLoad compares a whole load (movies made up, checked, compared with what is there, written in order) with bare
// BatchWriteItem calls of the same items, ready made, by as many workers, in turns.
func BenchmarkLoad(b *testing.B) {
	const size = 800
	client := moviestest.Client(b)
	var requests []types.WriteRequest
	for g := load.NewGenerator(size, 1); ; {
		record, err := g.Next()
		if err != nil {
			break
		}
		for _, item := range movies.Items(record.Movie) {
			requests = append(requests, types.WriteRequest{PutRequest: &types.PutRequest{Item: item}})
		}
	}
	bare := func(table string) {
		batches := make(chan []types.WriteRequest)
		var group sync.WaitGroup
		for range load.DefaultWorkers {
			group.Go(func() {
				for batch := range batches {
					out, err := client.BatchWriteItem(b.Context(), &dynamodb.BatchWriteItemInput{RequestItems: map[string][]types.WriteRequest{table: batch}})
					if err != nil || len(out.UnprocessedItems) > 0 {
						b.Errorf("%v", err)
					}
				}
			})
		}
		for batch := range slices.Chunk(requests, 25) {
			batches <- batch
		}
		close(batches)
		group.Wait()
	}
	whole := func(table string) {
		if _, err := (load.Loader{Client: client, Table: table}).Load(b.Context(), load.NewGenerator(size, 1)); err != nil {
			b.Error(err)
		}
	}
	var ratios []float64
	for b.Loop() {
		var took [2]time.Duration
		for i, run := range []func(string){bare, whole} {
			table := moviestest.Table(b)
			began := time.Now()
			run(table)
			took[i] = time.Since(began)
		}
		ratios = append(ratios, float64(took[0])/float64(took[1]))
	}
	slices.Sort(ratios)
	b.ReportMetric(ratios[len(ratios)/2], "rate/bare-rate")
}
