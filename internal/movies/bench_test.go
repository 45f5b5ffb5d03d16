package movies_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"syscall"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/feature/dynamodb/attributevalue"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb/types"

	"github.com/marquee-api/marquee/internal/movies"
	"github.com/marquee-api/marquee/internal/movies/moviestest"
)

// canned answers every call with what DynamoDB answered to the first of its kind, so that only this side's work is
// measured.
type canned struct {
	answers map[string][]byte // by the whole body of the request
	next    http.RoundTripper
}

func (c *canned) RoundTrip(r *http.Request) (*http.Response, error) {
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return nil, err
	}
	answer, ok := c.answers[string(body)]
	if !ok {
		again := r.Clone(r.Context())
		again.Body = io.NopCloser(bytes.NewReader(body))
		resp, err := c.next.RoundTrip(again)
		if err != nil {
			return nil, err
		}
		defer resp.Body.Close()
		if answer, err = io.ReadAll(resp.Body); err != nil {
			return nil, err
		}
		c.answers[string(body)] = answer
	}
	return &http.Response{StatusCode: 200, Request: r, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
		ContentLength: int64(len(answer)), Body: io.NopCloser(bytes.NewReader(answer))}, nil
}

// BenchmarkPage compares the whole handler (query, page token, store, JSON, log line with metrics) with the least that a
// page takes: the SDK's Query, its attributevalue into structs, and encoding/json. The movies are the first of the data
// set of this repository, a page of 25.
func BenchmarkPage(b *testing.B) {
	var seed []movies.Movie
	for i := range 60 {
		m := sample()
		m.Title = fmt.Sprintf("Rush %02d", i)
		m.Info.Plot = "Two drivers who could not be less alike race each other through a season, and one of them pays for it."
		seed = append(seed, m)
	}
	table := moviestest.Table(b, seed...)
	o := moviestest.Client(b).Options()
	o.HTTPClient = &http.Client{Transport: &canned{answers: map[string][]byte{}, next: http.DefaultTransport}}
	client := dynamodb.New(o)
	bare := func(b *testing.B) {
		out, err := client.Query(b.Context(), &dynamodb.QueryInput{
			TableName: &table, Limit: aws.Int32(26), KeyConditionExpression: aws.String("pk = :c"),
			ExpressionAttributeValues: map[string]types.AttributeValue{":c": &types.AttributeValueMemberS{Value: "year#2013"}},
			ProjectionExpression:      aws.String("#year, title, info"), ExpressionAttributeNames: map[string]string{"#year": "year"},
		})
		if err != nil {
			b.Fatal(err)
		}
		var list []movies.Movie
		err = attributevalue.UnmarshalListOfMapsWithOptions(out.Items[:25], &list, func(o *attributevalue.DecoderOptions) { o.TagKey = "json" })
		if err != nil {
			b.Fatal(err)
		}
		text, err := json.Marshal(map[string]any{"Items": list, "Count": len(list)})
		if err != nil || len(text) < 5000 {
			b.Fatal(err, len(text))
		}
	}
	store := movies.NewDynamoStore(client, table)
	h := &movies.Handler{Store: store, Writer: store, Tokens: tokens, Log: slog.New(slog.NewJSONHandler(io.Discard, nil))}
	whole := func(b *testing.B) {
		w := httptest.NewRecorder()
		h.ServeHTTP(w, httptest.NewRequest("GET", "/movie_list?year=2013", nil))
		if w.Code != 200 || w.Body.Len() < 5000 {
			b.Fatal(w.Code, w.Body)
		}
	}
	for name, run := range map[string]func(*testing.B){"bare": bare, "handler": whole} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				run(b)
			}
		})
	}
	// Both in turns, by the time of the processor rather than of the clock, which a busy machine stretches.
	b.Run("ratio", func(b *testing.B) {
		var spent [2]time.Duration
		bare(b)
		whole(b)
		for b.Loop() {
			for i, run := range []func(*testing.B){bare, whole} {
				began := processorTime(b)
				for range 20 {
					run(b)
				}
				spent[i] += processorTime(b) - began
			}
		}
		b.ReportMetric(float64(spent[1])/float64(spent[0]), "handler/bare")
		b.ReportMetric(float64(spent[0].Microseconds())/float64(20*b.N), "bare-cpu-µs")
		b.ReportMetric(float64(spent[1].Microseconds())/float64(20*b.N), "handler-cpu-µs")
	})
}

func processorTime(b *testing.B) time.Duration {
	b.Helper()
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		b.Fatal(err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
}
