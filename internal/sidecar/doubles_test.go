package sidecar_test

import "net/http"

// roundTripper is the way to the API of a test without a network.
type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// discard is a client that listens to nothing.
type discard struct{ header http.Header }

func newDiscard() *discard { return &discard{make(http.Header)} }

func (d *discard) Header() http.Header         { return d.header }
func (d *discard) Write(b []byte) (int, error) { return len(b), nil }
func (d *discard) WriteHeader(int)             {}
func (d *discard) Flush()                      {}
