package local

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"
)

// bodyPatience is how long a door waits for the next bytes of a request's body. It bounds silence and not the whole: 10 MiB
// over a slow line take as long as they take. What API Gateway grants is not documented.
const bodyPatience = time.Minute

// impatient gives a request up whose body stays away: its handler is told, and the server closes the connection.
// http.Server's ReadTimeout would bound the whole body, and what runs on its behalf afterwards.
func impatient(handler http.Handler, patience time.Duration) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Body != nil && r.Body != http.NoBody {
			r.Body = awaitBody(r.Body, http.NewResponseController(w), patience, time.Now)
		}
		handler.ServeHTTP(w, r)
	})
}

// deadliner is a connection, as far as its deadline is concerned.
type deadliner interface {
	SetReadDeadline(time.Time) error
}

// awaitedBody sets its connection's deadline before each read. After the end there is none; a body that was not read to
// its end leaves its last one, for the server that reads the rest of it.
type awaitedBody struct {
	io.ReadCloser
	connection deadliner
	patience   time.Duration
	now        func() time.Time
}

func awaitBody(body io.ReadCloser, connection deadliner, patience time.Duration, now func() time.Time) *awaitedBody {
	b := &awaitedBody{ReadCloser: body, connection: connection, patience: patience, now: now}
	b.wait()
	return b
}

func (b *awaitedBody) wait() {
	_ = b.connection.SetReadDeadline(b.now().Add(b.patience)) // every connection of a server has deadlines
}

func (b *awaitedBody) Read(p []byte) (int, error) {
	b.wait()
	n, err := b.ReadCloser.Read(p)
	switch {
	case err == io.EOF:
		_ = b.connection.SetReadDeadline(time.Time{})
	case errors.Is(err, os.ErrDeadlineExceeded):
		err = fmt.Errorf("nothing of it came for %v: %w", b.patience, err)
	}
	return n, err
}
