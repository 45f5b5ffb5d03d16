// Package http1 sends small HTTP/1.1 requests in the goroutine that asks: it writes the request and reads the answer
// itself, where [http.Transport] hands one to a write loop and takes the other from a read loop, and each hand-over wakes
// a thread. Serialising and parsing are those of net/http.
//
// HTTP/1.1 is what a private API speaks, whatever its callers offer: AWS's page "Private REST APIs in API Gateway",
// considerations for private APIs, has requests by HTTP/2 forced to HTTP/1.1, and names TLS 1.2.
//
// A [Transport] stands before an http.Transport, whose settings are its own, too, and takes only what is simple: a request
// without a body or with a small one that can be opened again, straight to a peer that speaks HTTP/1.1. All else goes to
// the http.Transport as it came: bodies of other kinds, trailers, Expect, Upgrade, traces, HTTP proxies, HTTP/2, and what
// net/http refuses, so that it is refused in its words. So does every request on systems that are no Unix, where the
// package cannot look whether a connection has been closed meanwhile.
//
// The package has no goroutine of its own, starts no request that it was not given, keeps a connection only if nothing can
// be left of the answer before, and follows, decompresses, caches and logs nothing.
package http1
