package apiclient

import (
	"cmp"
	"net"
	"net/http"
	"net/url"
	"time"
)

// NewBase returns a transport for [Config.Base], to be changed before it is used: authorities to trust, timeouts. It has the
// settings of http.DefaultTransport, but as many idle connections to the API as to all hosts together: the default of two
// makes a client under load open and close connections all the time.
//
// The proxy is asked for https alone. Plain http is for this machine, host.docker.internal included, and a proxy could read
// what is signed. nil is no proxy; http.ProxyFromEnvironment is the usual one.
func NewBase(proxy func(*http.Request) (*url.URL, error)) *http.Transport {
	base, ok := http.DefaultTransport.(*http.Transport)
	if ok {
		base = base.Clone()
	} else { // another one has taken its place; these are the settings that it came with
		base = &http.Transport{
			DialContext:       (&net.Dialer{Timeout: 30 * time.Second, KeepAlive: 30 * time.Second}).DialContext,
			ForceAttemptHTTP2: true, MaxIdleConns: 100, IdleConnTimeout: 90 * time.Second,
			TLSHandshakeTimeout: 10 * time.Second, ExpectContinueTimeout: time.Second,
		}
	}
	base.MaxIdleConnsPerHost = cmp.Or(base.MaxIdleConns, 100) // 0 is no limit to the one and two to the other
	if base.Proxy = nil; proxy != nil {
		base.Proxy = func(r *http.Request) (*url.URL, error) {
			if r.URL.Scheme != "https" {
				return nil, nil
			}
			return proxy(r)
		}
	}
	return base
}

// defaultBase is the base of a [Config] that names none. A program whose default transport is of another kind, one that
// traces for instance, wants it here, too.
func defaultBase() http.RoundTripper {
	standard, ok := http.DefaultTransport.(*http.Transport)
	if !ok {
		return http.DefaultTransport
	}
	return NewBase(standard.Proxy)
}
