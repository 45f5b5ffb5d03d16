package movies_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/dynamodb"

	"github.com/marquee-api/marquee/internal/movies"
	"github.com/marquee-api/marquee/internal/movies/moviestest"
)

// faults stands between the SDK and DynamoDB and spoils some calls. It is safe for concurrent use.
type faults struct {
	next   http.RoundTripper
	spoil  func(operation string) string // "", throttle, error, timeout, lost
	counts sync.Map                      // of the kinds: *atomic.Int64
}

func (f *faults) RoundTrip(r *http.Request) (*http.Response, error) {
	_, operation, _ := strings.Cut(r.Header.Get("X-Amz-Target"), ".")
	kind := f.spoil(operation)
	n, _ := f.counts.LoadOrStore(kind, new(atomic.Int64))
	n.(*atomic.Int64).Add(1)
	answer := func(status int, body string) (*http.Response, error) {
		_, _ = io.Copy(io.Discard, r.Body)
		return &http.Response{StatusCode: status, Request: r, Header: http.Header{"Content-Type": {"application/x-amz-json-1.0"}},
			Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body))}, nil
	}
	switch kind {
	case "throttle":
		return answer(400, `{"__type":"com.amazonaws.dynamodb.v20120810#ProvisionedThroughputExceededException","message":"slow down"}`)
	case "error":
		return answer(500, `{"__type":"com.amazonaws.dynamodb.v20120810#InternalServerError","message":"oops"}`)
	case "timeout":
		return nil, fmt.Errorf("dial: %w", context.DeadlineExceeded)
	}
	resp, err := f.next.RoundTrip(r)
	if kind == "lost" && err == nil {
		resp.Body.Close()
		return nil, errors.New("read: connection reset by peer") // DynamoDB did it, and nobody was told
	}
	return resp, err
}

func (f *faults) count(kind string) int64 {
	n, ok := f.counts.Load(kind)
	if !ok {
		return 0
	}
	return n.(*atomic.Int64).Load()
}

// spoiled is a client whose calls go through f.
func spoiled(t *testing.T, f *faults) *dynamodb.Client {
	t.Helper()
	f.next = http.DefaultTransport
	o := newClient(t, moviestest.Database(t).URL).Options()
	o.HTTPClient = &http.Client{Transport: f}
	// What is tested is what comes back, not the pauses before.
	o.Retryer = noPause{o.Retryer.(aws.RetryerV2)}
	return dynamodb.New(o)
}

// Writers who lose answers, are throttled and run into errors add one to the same movie, again and again. They repeat what
// they do not know the outcome of, under the same Idempotency-Key. No addition is lost and none happens twice.
func TestFaultsLoseNoUpdate(t *testing.T) {
	t.Parallel()
	r := random(t)
	var mu sync.Mutex
	f := &faults{spoil: func(operation string) string {
		mu.Lock()
		defer mu.Unlock()
		if operation == "TransactWriteItems" && r.IntN(3) == 0 {
			return "lost"
		}
		return []string{"throttle", "error", "timeout", "", "", "", "", ""}[r.IntN(8)]
	}}
	client, table := moviestest.Client(t), moviestest.Table(t, movies.Movie{Year: 2013, Title: "Rush"})
	s := movies.NewDynamoStore(spoiled(t, f), table)
	h := &movies.Handler{Store: s, Writer: s, Origin: writerOne}
	const writers, additions = 4, 12
	var unknown, replayed, lost atomic.Int64
	var group sync.WaitGroup
	for writer := range writers {
		group.Go(func() {
			for n := 0; n < additions && t.Context().Err() == nil; {
				w := send(t, h, "GET", rush, "")
				if w.Code >= 500 {
					continue
				}
				var m movies.Movie
				if err := json.Unmarshal(w.Body.Bytes(), &m); err != nil {
					t.Errorf("%d %s: %v", w.Code, w.Body, err)
					return
				}
				m.Info.Rank++
				m.Info.Actors = []string{fmt.Sprint("writer ", writer)} // moves between collections
				body, _ := json.Marshal(m)
				headers := []string{"If-Match", w.Header().Get("ETag"), "Idempotency-Key", fmt.Sprintf("%d-%d-%s", writer, n, w.Header().Get("ETag"))}
				w = send(t, h, "PUT", rush, string(body), headers...)
				for w.Code >= 500 {
					unknown.Add(1)
					w = send(t, h, "PUT", rush, string(body), headers...)
				}
				switch w.Code {
				case 200:
					n++
					if w.Header().Get("Idempotency-Replayed") != "" {
						replayed.Add(1)
					}
				case 412:
					lost.Add(1)
				default:
					t.Errorf("writer %d: got %d %s", writer, w.Code, w.Body)
					return
				}
			}
		})
	}
	group.Wait()
	m, err := movies.NewDynamoStore(client, table).Get(t.Context(), movies.Key{Year: 2013, Title: "Rush"})
	if err != nil || m.Info.Rank != writers*additions {
		t.Errorf("got %d additions, %v, want %d", m.Info.Rank, err, writers*additions)
	}
	consistent(t, client, table, []movies.Movie{m})
	t.Logf("outcomes unknown %d, replayed %d, races lost %d; faults: throttle %d, error %d, timeout %d, lost %d", unknown.Load(), replayed.Load(), lost.Load(),
		f.count("throttle"), f.count("error"), f.count("timeout"), f.count("lost"))
	for _, kind := range []string{"throttle", "error", "timeout", "lost"} {
		if f.count(kind) == 0 {
			t.Errorf("no call was spoiled by %q", kind)
		}
	}
}

// Every kind of fault on every kind of call, with no retry that could help: the status says what it was, and the caller
// learns no more.
func TestFaultsBecomeTheRightAnswers(t *testing.T) {
	t.Parallel()
	requests := map[string]func(t *testing.T, h http.Handler) (int, http.Header, string){
		"list": func(t *testing.T, h http.Handler) (int, http.Header, string) {
			return three(send(t, h, "GET", "/movie_list", ""))
		},
		"get": func(t *testing.T, h http.Handler) (int, http.Header, string) {
			return three(send(t, h, "GET", rush, ""))
		},
		"put": func(t *testing.T, h http.Handler) (int, http.Header, string) {
			return three(send(t, h, "PUT", rush, "{}"))
		},
		"delete": func(t *testing.T, h http.Handler) (int, http.Header, string) {
			return three(send(t, h, "DELETE", rush, "", "If-Match", "*"))
		},
	}
	want := map[string]struct {
		status int
		code   string
	}{"throttle": {503, "throttled"}, "error": {503, "unavailable"}, "timeout": {503, "unavailable"}, "lost": {503, "unavailable"}}
	for kind, expected := range want {
		for name, request := range requests {
			t.Run(kind+" "+name, func(t *testing.T) {
				t.Parallel()
				f := &faults{spoil: func(string) string { return kind }}
				s := movies.NewDynamoStore(spoiled(t, f), moviestest.Table(t, movies.Movie{Year: 2013, Title: "Rush"}))
				status, header, body := request(t, &movies.Handler{Store: s, Writer: s})
				if status != expected.status || !strings.Contains(body, `"code":"`+expected.code+`"`) || header.Get("Retry-After") != "1" {
					t.Errorf("got %d %v %s, want %d %s and Retry-After", status, header, body, expected.status, expected.code)
				}
				if n := f.count(kind); n < 2 {
					t.Errorf("got %d attempts, want a second", n)
				}
			})
		}
	}
}

// One throttled attempt is made good, and counted.
func TestThrottleIsCounted(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	f := &faults{spoil: func(string) string {
		if calls.Add(1) == 1 {
			return "throttle"
		}
		return ""
	}}
	s := movies.NewDynamoStore(spoiled(t, f), moviestest.Table(t, sample()))
	ctx, usage := movies.WithUsage(t.Context())
	if _, err := s.Get(ctx, sample().Key()); err != nil {
		t.Fatal(err)
	}
	if got := usage(); got.Throttles != 1 || got.Calls != 1 || got.ReadUnits != 1 {
		t.Errorf("got %+v, want a throttle, a call and a unit", got)
	}
}

// A transaction whose answer is lost is sent again under the same token by the SDK, and DynamoDB does it once.
func TestLostAnswerIsMadeGood(t *testing.T) {
	t.Parallel()
	var calls atomic.Int64
	f := &faults{spoil: func(operation string) string {
		if operation == "TransactWriteItems" && calls.Add(1) == 1 {
			return "lost"
		}
		return ""
	}}
	s := movies.NewDynamoStore(spoiled(t, f), moviestest.Table(t))
	o, err := s.Put(t.Context(), sample(), movies.Condition{None: true}, movies.Request{})
	if err != nil || !o.Created || calls.Load() != 2 {
		t.Errorf("got %+v, %v after %d attempts, want a new movie after 2", o, err, calls.Load())
	}
}

// When no answer comes at all, the caller is told that the outcome is not known: not that the write failed, for it has
// happened, and not that somebody else was faster.
func TestUnknownOutcomeIsSaid(t *testing.T) {
	t.Parallel()
	f := &faults{spoil: func(operation string) string {
		if operation == "TransactWriteItems" {
			return "lost"
		}
		return ""
	}}
	s := movies.NewDynamoStore(spoiled(t, f), moviestest.Table(t))
	h := &movies.Handler{Store: s, Writer: s}
	w := send(t, h, "PUT", rush, "{}", "If-None-Match", "*")
	if w.Code != 503 || !strings.Contains(w.Body.String(), "read the movie to see whether it was written") || f.count("lost") != 2 {
		t.Errorf("got %d %s after %d attempts, want 503 after 2", w.Code, w.Body, f.count("lost"))
	}
	if w := send(t, h, "GET", rush, ""); w.Code != 200 {
		t.Errorf("got %d, want the movie that was written", w.Code)
	}
}

func three(w *httptest.ResponseRecorder) (int, http.Header, string) {
	return w.Code, w.Header(), w.Body.String()
}

// noPause retries as the retryer in it does, at once.
type noPause struct{ aws.RetryerV2 }

func (noPause) RetryDelay(int, error) (time.Duration, error) { return 0, nil }
