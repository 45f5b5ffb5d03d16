package apiclient

import (
	"net/http"
	"net/url"
	"testing"
)

// TestBaseProxiesTLSOnly: a signature and its token leave this machine in TLS only, host.docker.internal included.
func TestBaseProxiesTLSOnly(t *testing.T) {
	standard := http.DefaultTransport.(*http.Transport)
	before := standard.Proxy
	t.Cleanup(func() { standard.Proxy = before })
	standard.Proxy = func(*http.Request) (*url.URL, error) {
		return &url.URL{Scheme: "http", Host: "proxy.example:3128"}, nil
	}
	base := newBase().(*http.Transport)
	for to, want := range map[string]bool{"http://host.docker.internal:8080/dev": false, "https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/dev": true} {
		r, err := http.NewRequest(http.MethodGet, to, nil)
		if err != nil {
			t.Fatal(err)
		}
		if proxy, err := base.Proxy(r); err != nil || (proxy != nil) != want {
			t.Errorf("%s: got the proxy %v, %v; want one: %t", to, proxy, err, want)
		}
	}
}
