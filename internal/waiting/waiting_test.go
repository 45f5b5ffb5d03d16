package waiting_test

import (
	"context"
	"errors"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httptrace"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/marquee-api/marquee/internal/waiting"
)

// base answers as it is told, in fake time, and reports its steps as net/http does.
type base struct {
	connects, begins time.Duration
	pieces           []time.Duration // before each of them
}

func (b base) RoundTrip(r *http.Request) (*http.Response, error) {
	ctx := r.Context()
	trace := httptrace.ContextClientTrace(ctx)
	trace.DNSStart(httptrace.DNSStartInfo{Host: "api"})
	trace.ConnectStart("tcp", "10.0.0.1:443")
	if err := pause(ctx, b.connects); err != nil {
		return nil, err
	}
	trace.GotConn(httptrace.GotConnInfo{})
	trace.WroteRequest(httptrace.WroteRequestInfo{})
	if err := pause(ctx, b.begins); err != nil {
		return nil, err
	}
	return &http.Response{StatusCode: 200, Body: &slow{ctx: ctx, pieces: b.pieces}}, nil
}

func pause(ctx context.Context, d time.Duration) error {
	select {
	case <-time.After(d):
		return nil
	case <-ctx.Done():
		return errors.New("the connection was closed") // not the cause: that is for the watch to know
	}
}

type slow struct {
	ctx    context.Context
	pieces []time.Duration
}

func (s *slow) Read(p []byte) (int, error) {
	if len(s.pieces) == 0 {
		return 0, io.EOF
	}
	if err := pause(s.ctx, s.pieces[0]); err != nil {
		return 0, err
	}
	s.pieces = s.pieces[1:]
	return copy(p, "x"), nil
}

func (s *slow) Close() error { return nil }

func TestWhatIsWaitedFor(t *testing.T) {
	const limit = 10 * time.Second
	for name, tt := range map[string]struct {
		base  base
		limit time.Duration
		want  string // of the error; empty: the whole answer
		took  time.Duration
	}{
		"in time":              {base{time.Second, 8 * time.Second, []time.Duration{9 * time.Second, 9 * time.Second}}, limit, "", 27 * time.Second},
		"no connection":        {base{time.Minute, 0, nil}, limit, "waited 10s for a connection to 10.0.0.1:443", limit},
		"no answer":            {base{time.Second, time.Minute, nil}, limit, "waited 10s for the answer of api.example to begin", limit},
		"no first piece":       {base{0, 0, []time.Duration{time.Minute}}, limit, "waited 10s for more of the answer", limit},
		"no last piece":        {base{0, time.Second, []time.Duration{9 * time.Second, 11 * time.Second}}, limit, "waited 10s for more of the answer", 20 * time.Second},
		"any time is good":     {base{time.Hour, time.Hour, []time.Duration{time.Hour}}, 0, "", 3 * time.Hour},
		"the beginning in all": {base{6 * time.Second, 6 * time.Second, nil}, limit, "waited 10s for the answer of api.example to begin", limit},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				begin := time.Now()
				ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{ // one of the caller's own
					DNSStart: func(httptrace.DNSStartInfo) {}, ConnectStart: func(string, string) {},
					GotConn: func(httptrace.GotConnInfo) {}, WroteRequest: func(httptrace.WroteRequestInfo) {},
				})
				r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.example/x", nil)
				if err != nil {
					t.Fatal(err)
				}
				resp, err := (&waiting.Transport{Base: tt.base, Limit: tt.limit}).RoundTrip(r)
				if err == nil {
					_, err = io.Copy(io.Discard, resp.Body)
					resp.Body.Close()
				}
				if took := time.Since(begin); took != tt.took {
					t.Errorf("it took %v, want %v", took, tt.took)
				}
				var network net.Error
				switch {
				case tt.want == "" && err != nil:
					t.Errorf("got %v", err)
				case tt.want != "" && (err == nil || err.Error() != tt.want || !errors.Is(err, context.DeadlineExceeded) || !errors.As(err, &network) || !network.Timeout()):
					t.Errorf("got %v, want %q, a timeout", err, tt.want)
				}
			})
		})
	}
}

// What a reader does between two pieces is not waited for: a pager that stands still is no silence of the API's.
func TestTheReaderMayTakeItsTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		ctx := httptrace.WithClientTrace(t.Context(), &httptrace.ClientTrace{})
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://api.example/x", nil)
		if err != nil {
			t.Fatal(err)
		}
		resp, err := (&waiting.Transport{Base: base{pieces: []time.Duration{1, 1}}, Limit: time.Second}).RoundTrip(r)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		for range 2 {
			if _, err := resp.Body.Read(make([]byte, 1)); err != nil {
				t.Fatal(err)
			}
			time.Sleep(time.Hour)
		}
	})
}

// An end that is the caller's own is not called a timeout.
func TestTheCallersEndIsItsOwn(t *testing.T) {
	arrived := make(chan struct{})
	api := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, r *http.Request) {
		close(arrived)
		<-r.Context().Done()
	}))
	defer api.Close()
	ctx, cancel := context.WithCancel(t.Context())
	go func() {
		<-arrived
		cancel()
	}()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, api.URL, nil)
	if err != nil {
		t.Fatal(err)
	}
	_, err = (&waiting.Transport{Base: &http.Transport{DisableKeepAlives: true}, Limit: time.Hour}).RoundTrip(r)
	if !errors.Is(err, context.Canceled) || strings.Contains(err.Error(), "waited") {
		t.Errorf("got %v, want the caller's end", err)
	}
}
