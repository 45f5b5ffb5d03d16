// Package sidecar is the signing proxy that stands beside a program and calls one private API for it: plain HTTP comes in
// on loopback, signed HTTPS goes out.
//
// [New] makes a [Proxy] out of a [Config]; [Listen] opens its door and [Proxy.Serve] runs it with its second listener for
// health, readiness and metrics until it is told to stop. Signing, addressing, clock correction and retries are those of
// apiclient.
//
// Answers stream. Request bodies cannot: a signature covers the hash of the whole body, so each is taken in first, in
// memory up to a bound and then in a file that has no name any more. That is also why this is no
// httputil.ReverseProxy: the request that leaves is another one, its target is sent byte for byte as it came, and the
// headers of a stream are flushed without a timer's goroutine for each answer. The way to the API is package http1's, where
// that takes the request.
//
// A client that closes its sending half alone, as nc -N does, counts as one that went away: its request is given up and its
// connection closed. TCP says both by the same FIN (RFC 9293 section 3.6), so who waits for an answer cannot be told from
// who does not, and to carry on for all of them would hold bodies and connections for callers that gave up long ago.
//
// The package follows no redirect, speaks to no other host than the API's, keeps nothing, and answers for the API only
// where no answer came: such an answer has a Proxy-Status header (RFC 9209) and names the next step. It reads neither
// environment nor flags.
package sidecar
