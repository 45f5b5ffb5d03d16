package apiclient_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http"
	"testing"

	"github.com/marquee-api/marquee/apiclient"
)

// hashed is a body that says its hash.
type hashed struct {
	io.Reader
	sum string
}

func (h hashed) SHA256() string { return h.sum }
func (h hashed) Close() error   { return nil }

// TestHashedBodyIsReadOnce: a body that knows its hash is opened for each attempt and for nothing else.
func TestHashedBodyIsReadOnce(t *testing.T) {
	api := newFaultServer(t, answer{status: 503})
	body := []byte(`{"title":"Rush"}`)
	sum := sha256.Sum256(body)
	opened := 0
	open := func() (io.ReadCloser, error) {
		opened++
		return hashed{bytes.NewReader(body), hex.EncodeToString(sum[:])}, nil
	}
	req, err := http.NewRequest(http.MethodPut, api.URL+"/dev/movie_list/2013/Rush", nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Body, _ = open()
	req.GetBody, req.ContentLength, opened = open, int64(len(body)), 0
	resp, err := api.transport(t, apiclient.Config{}).RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	for _, got := range api.arrivals(t, 2) {
		if !bytes.Equal(got.Body, body) {
			t.Errorf("got body %q, want %q", got.Body, body)
		}
		checkSignature(t, got, testKeys, testRegion)
	}
	if opened != 2 {
		t.Errorf("the body was opened %d times for two attempts", opened)
	}
}
