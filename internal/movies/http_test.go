package movies_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/marquee-api/marquee/internal/movies"
)

func TestAPIStoreErrors(t *testing.T) {
	t.Parallel()
	cause := errors.New("dial 10.0.0.7: refused")
	tests := map[string]struct {
		fail   error
		status int
		body   string
	}{
		"unavailable": {&movies.Error{Code: movies.CodeUnavailable, Message: "try again later", Err: cause}, 503,
			`{"error":{"code":"unavailable","message":"try again later"}}`},
		"wrapped": {fmt.Errorf("outer: %w", &movies.Error{Code: movies.CodeUnavailable, Message: "try again later", Err: cause}), 503,
			`{"error":{"code":"unavailable","message":"try again later"}}`},
		"internal": {&movies.Error{Code: movies.CodeInternal, Message: "inner", Err: cause}, 500,
			`{"error":{"code":"internal","message":"internal error"}}`},
		"foreign":      {cause, 500, `{"error":{"code":"internal","message":"internal error"}}`},
		"unknown code": {&movies.Error{Code: "odd", Message: "odd one"}, 500, `{"error":{"code":"odd","message":"odd one"}}`},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var log bytes.Buffer
			h := &movies.Handler{Log: slog.New(slog.NewJSONHandler(&log, nil)), Store: fakeStore{
				list: func(context.Context, movies.Query) (movies.Page, error) { return movies.Page{}, tt.fail },
			}}
			w := call(t, h, "GET", "/movie_list")
			if got := strings.TrimSpace(w.Body.String()); w.Code != tt.status || got != tt.body {
				t.Errorf("got %d %s, want %d %s", w.Code, got, tt.status, tt.body)
			}
			if !strings.Contains(log.String(), `"level":"ERROR"`) || !strings.Contains(log.String(), tt.fail.Error()) {
				t.Errorf("log: got %s, want an error line with %q", &log, tt.fail)
			}
		})
	}
}

func TestAPISurvivesPanic(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	fail := true
	h := &movies.Handler{Log: slog.New(slog.NewJSONHandler(&log, nil)), Store: fakeStore{
		list: func(context.Context, movies.Query) (movies.Page, error) {
			if fail {
				panic("out of cheese")
			}
			return movies.Page{}, nil
		},
	}}
	w := call(t, h, "GET", "/movie_list")
	if got := strings.TrimSpace(w.Body.String()); w.Code != 500 || got != `{"error":{"code":"internal","message":"internal error"}}` {
		t.Errorf("got %d %s, want 500 and no detail", w.Code, got)
	}
	if !strings.Contains(log.String(), "out of cheese") || !strings.Contains(log.String(), "http_test.go") {
		t.Errorf("log: got %s, want the panic and its stack", &log)
	}
	fail = false
	if w := call(t, h, "GET", "/movie_list"); w.Code != 200 {
		t.Errorf("after the panic: got %d, want 200", w.Code)
	}
}

func TestAPIHead(t *testing.T) {
	t.Parallel()
	h := &movies.Handler{Store: memoryStore(t, sample())}
	server := httptest.NewServer(h) // the real server as well as the recorder, which keeps what is written for a HEAD
	defer server.Close()
	for _, target := range []string{"/movie_list", "/movie_list/2013/Rush", "/movie_list/2013/Nothing", "/movie_list?limit=0", "/x"} {
		get, head := call(t, h, "GET", target), call(t, h, "HEAD", target)
		if head.Code != get.Code || head.Body.Len() != 0 {
			t.Errorf("%s: got %d with %d bytes, want %d with none", target, head.Code, head.Body.Len(), get.Code)
		}
		if diff := cmp.Diff(get.Header(), head.Header()); diff != "" {
			t.Errorf("%s: headers (-get +head):\n%s", target, diff)
		}
		resp, err := server.Client().Head(server.URL + target)
		if err != nil {
			t.Fatal(err)
		}
		if body, err := io.ReadAll(resp.Body); err != nil || len(body) != 0 || resp.StatusCode != get.Code {
			t.Errorf("%s over HTTP: got %d %q, %v, want %d and no body", target, resp.StatusCode, body, err, get.Code)
		}
		resp.Body.Close()
	}
}

func TestAPILogLine(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	at := time.Unix(1_700_000_000, 0)
	h := &movies.Handler{
		Store: memoryStore(t, sample()),
		Log:   slog.New(slog.NewJSONHandler(&log, nil)),
		Origin: func(context.Context) movies.Origin {
			return movies.Origin{RequestID: "gateway-1", InvocationID: "lambda-2", CallerARN: "arn:aws:iam::123456789012:user/a", TraceID: "Root=1-2"}
		},
		Now: func() time.Time { at = at.Add(1500 * time.Microsecond); return at },
	}
	r := httptest.NewRequestWithContext(t.Context(), "GET", "/movie_list/2013/Rush?next=hunter2", nil)
	for _, name := range []string{"Authorization", "X-Amz-Security-Token", "Cookie"} {
		r.Header.Set(name, "hunter2")
	}
	h.ServeHTTP(httptest.NewRecorder(), r)
	if strings.Contains(log.String(), "hunter2") {
		t.Errorf("the log repeats a secret: %s", &log)
	}
	var got map[string]any
	if err := json.Unmarshal(log.Bytes(), &got); err != nil {
		t.Fatalf("one JSON line expected, got %q: %v", &log, err)
	}
	delete(got, "time")
	// What CloudWatch reads (Amazon CloudWatch User Guide, "Specification: Embedded metric format"): each metric that it is
	// told of is a number of the line, and each dimension a text.
	var line struct {
		AWS struct {
			Timestamp         int64
			CloudWatchMetrics []struct {
				Namespace  string
				Dimensions [][]string
				Metrics    []struct{ Name, Unit string }
			}
		} `json:"_aws"`
	}
	if err := json.Unmarshal(log.Bytes(), &line); err != nil {
		t.Fatal(err)
	}
	if line.AWS.Timestamp != 1_700_000_000_003 || len(line.AWS.CloudWatchMetrics) != 1 || line.AWS.CloudWatchMetrics[0].Namespace != "Marquee/Movies" {
		t.Errorf("metrics: got %+v", line.AWS)
	}
	named := 0
	for _, directive := range line.AWS.CloudWatchMetrics {
		for _, metric := range directive.Metrics {
			named++
			if _, ok := got[metric.Name].(float64); !ok {
				t.Errorf("metric %s: got %v, want a number", metric.Name, got[metric.Name])
			}
		}
		for _, set := range directive.Dimensions {
			for _, name := range set {
				if _, ok := got[name].(string); !ok {
					t.Errorf("dimension %s: got %v, want a text", name, got[name])
				}
			}
		}
	}
	if named < 5 {
		t.Errorf("got %d metrics, want at least 5", named)
	}
	delete(got, "_aws")
	want := map[string]any{"level": "INFO", "msg": "request", "request_id": "gateway-1", "invocation_id": "lambda-2",
		"caller": "arn:aws:iam::123456789012:user/a", "trace_id": "Root=1-2", "method": "GET",
		"route": "/movie_list/{year}/{title}", "status": 400.0, "duration_ms": 1.5, "code": "invalid_parameter",
		"calls": 0.0, "read_units": 0.0, "write_units": 0.0, "items_read": 0.0, "throttles": 0.0, "client_errors": 1.0, "server_errors": 0.0}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("log line (-want +got):\n%s", diff)
	}
}

func TestAPIDeadline(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		timeout, host time.Duration
		own           time.Duration // what the handler's own deadline must be; 0 means the host's less a quarter second
	}{
		"default":               {0, 0, 2500 * time.Millisecond},
		"its own":               {time.Second, time.Minute, time.Second},
		"the host's is sooner":  {time.Minute, time.Minute, 0},
		"the host's has passed": {time.Second, 100 * time.Millisecond, 0},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			var deadline, asked time.Time
			h := &movies.Handler{Timeout: tt.timeout, Store: fakeStore{list: func(ctx context.Context, _ movies.Query) (movies.Page, error) {
				deadline, _ = ctx.Deadline()
				asked = time.Now()
				return movies.Page{}, nil
			}}}
			ctx, began := t.Context(), time.Now()
			if tt.host != 0 {
				var cancel context.CancelFunc
				ctx, cancel = context.WithTimeout(ctx, tt.host)
				defer cancel()
			}
			h.ServeHTTP(httptest.NewRecorder(), httptest.NewRequestWithContext(ctx, "GET", "/movie_list", nil))
			if tt.own == 0 {
				if host, _ := ctx.Deadline(); !deadline.Equal(host.Add(-250 * time.Millisecond)) {
					t.Errorf("got %v before the host's deadline, want 250ms", host.Sub(deadline))
				}
			} else if deadline.Before(began.Add(tt.own)) || deadline.After(asked.Add(tt.own)) {
				t.Errorf("got %v after the request began, want %v", deadline.Sub(began), tt.own)
			}
		})
	}
}

func TestRefuse(t *testing.T) {
	t.Parallel()
	h := &movies.Handler{}
	w := call(t, h.Refuse(&movies.Error{Code: movies.CodeInvalidPath, Message: "bad path"}), "GET", "/movie_list")
	if got, want := strings.TrimSpace(w.Body.String()), `{"error":{"code":"invalid_path","message":"bad path"}}`; w.Code != 400 || got != want {
		t.Errorf("got %d %s, want 400 %s", w.Code, got, want)
	}
}

// A title that a movie may have reaches the store unchanged, however its path is spelled.
func FuzzTitlePath(f *testing.F) {
	for _, title := range strange {
		f.Add(title)
	}
	f.Fuzz(func(t *testing.T, title string) {
		var got []string
		h := &movies.Handler{Store: fakeStore{get: func(_ context.Context, k movies.Key) (movies.Movie, error) {
			got = append(got, k.Title)
			return movies.Movie{}, nil
		}}}
		w := call(t, h, "GET", "/movie_list/1999/"+url.PathEscape(title))
		control := func(r rune) bool { return r < ' ' && !strings.ContainsRune("\t\n\r", r) || r == 0x10ffff }
		switch fits := utf8.ValidString(title) && len(title) <= 1000 && !strings.ContainsFunc(title, control); {
		case title == "" && w.Code == 404:
		case !fits && w.Code == 400:
		case fits && w.Code == 200 && len(got) == 1 && got[0] == title:
		default:
			t.Errorf("%q: status %d, the store got %q", title, w.Code, got)
		}
	})
}
