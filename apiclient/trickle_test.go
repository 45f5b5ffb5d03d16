package apiclient_test

import (
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/marquee-api/marquee/apiclient"
)

// trickle is a body of which a byte comes each second, until it is closed.
type trickle struct {
	once   sync.Once
	closed chan struct{}
}

func (b *trickle) Read(p []byte) (int, error) {
	select {
	case <-b.closed:
		return 0, http.ErrBodyReadAfterClose
	case <-time.After(time.Second):
		p[0] = '.'
		return 1, nil
	}
}

func (b *trickle) Close() error {
	b.once.Do(func() { close(b.closed) })
	return nil
}

// A refusal is repeated by its status: its body is nobody's business, and may take as long as it likes. The goroutine that
// read it ends with it, or the bubble would not.
func TestRetryDoesNotWaitForTheBody(t *testing.T) {
	for name, kind := range map[string]string{"of the function": "", "of the gateway": apiclient.TypeInternalServerError} {
		for door, call := range map[string]func(*testing.T, apiclient.Config) (attempts int){
			"Client": func(t *testing.T, cfg apiclient.Config) int {
				c, err := apiclient.New(cfg)
				if err != nil {
					t.Fatal(err)
				}
				resp, err := c.Do(t.Context(), apiclient.Request{})
				if err != nil {
					t.Fatal(err)
				}
				return resp.Attempts
			},
			"Transport": func(t *testing.T, cfg apiclient.Config) int {
				tr, err := apiclient.NewTransport(cfg)
				if err != nil {
					t.Fatal(err)
				}
				roundTrip(t, tr, newRequest(t, "GET", apiURL, nil))
				return 2
			},
		} {
			t.Run(door+", "+name, func(t *testing.T) {
				synctest.Test(t, func(t *testing.T) {
					slow := &trickle{closed: make(chan struct{})}
					sent := 0
					began := time.Now()
					attempts := call(t, apiclient.Config{
						Endpoint: resolve(t, apiclient.EndpointConfig{URL: apiURL}), Credentials: static(testKeys), Retry: apiclient.Retry{Backoff: noWait},
						Base: roundTripperFunc(func(*http.Request) (*http.Response, error) {
							if sent++; sent > 1 {
								return respond(200, "", ""), nil
							}
							resp := respond(503, kind, "")
							resp.Body, resp.ContentLength = slow, -1
							return resp, nil
						}),
					})
					if took := time.Since(began); sent != 2 || attempts != 2 || took >= time.Second {
						t.Errorf("the answer came after %d attempts and %v, want 2 and less than the body's first byte takes", sent, took)
					}
					<-slow.closed
				})
			})
		}
	}
}

// The last attempt's body is the caller's to have, however long it takes.
func TestTheLastAnswerIsReadToItsEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, err := apiclient.New(apiclient.Config{
			Endpoint: resolve(t, apiclient.EndpointConfig{URL: apiURL}), Credentials: static(testKeys), Retry: apiclient.Retry{MaxAttempts: 1},
			Base: roundTripperFunc(func(*http.Request) (*http.Response, error) {
				resp := respond(503, "", "")
				resp.Body, resp.ContentLength = io.NopCloser(io.LimitReader(&trickle{closed: make(chan struct{})}, 90)), -1
				return resp, nil
			}),
		})
		if err != nil {
			t.Fatal(err)
		}
		var refusal *apiclient.APIError
		if _, err = c.Do(t.Context(), apiclient.Request{}); !errors.As(err, &refusal) || len(refusal.Response.Body) != 90 {
			t.Errorf("got %v, want the answer with all 90 bytes", err)
		}
	})
}

// The real thing: net/http gives the connection up, and the server learns of it.
func TestRetryDropsAConnectionThatTrickles(t *testing.T) {
	var calls atomic.Int32
	dropped := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if calls.Add(1) > 1 {
			return
		}
		w.WriteHeader(503)
		w.(http.Flusher).Flush()
		<-r.Context().Done()
		close(dropped)
	}))
	defer server.Close()
	c, err := apiclient.New(apiclient.Config{
		Endpoint:    resolve(t, apiclient.EndpointConfig{URL: server.URL + "/dev", Region: testRegion}),
		Credentials: static(testKeys), Retry: apiclient.Retry{Backoff: noWait},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer c.CloseIdleConnections()
	if resp, err := c.Do(t.Context(), apiclient.Request{}); err != nil || resp.Attempts != 2 {
		t.Errorf("got %+v, %v, want an answer at the second attempt", resp, err)
	}
	<-dropped
}

// A refusal that comes whole gives its connection back.
func TestRetryUsesTheConnectionAgain(t *testing.T) {
	var remotes []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if remotes = append(remotes, r.RemoteAddr); len(remotes) == 1 {
			w.WriteHeader(503)
			io.WriteString(w, "try later")
		}
	}))
	defer server.Close()
	tr, err := apiclient.NewTransport(apiclient.Config{
		Endpoint:    resolve(t, apiclient.EndpointConfig{URL: server.URL + "/dev", Region: testRegion}),
		Credentials: static(testKeys), Retry: apiclient.Retry{Backoff: noWait},
	})
	if err != nil {
		t.Fatal(err)
	}
	defer tr.CloseIdleConnections()
	roundTrip(t, tr, newRequest(t, "GET", server.URL+"/dev", nil))
	if len(remotes) != 2 || remotes[0] != remotes[1] {
		t.Errorf("requests came from %v, want two from the same place", remotes)
	}
}
