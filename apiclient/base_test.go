package apiclient

import (
	"net/http"
	"net/url"
	"testing"
	"time"
)

// TestSecurityBaseProxiesTLSOnly: a signature and its token leave this machine in TLS only, host.docker.internal included.
func TestSecurityBaseProxiesTLSOnly(t *testing.T) {
	standard := http.DefaultTransport.(*http.Transport)
	choose := func(*http.Request) (*url.URL, error) {
		return &url.URL{Scheme: "http", Host: "proxy.example:3128"}, nil
	}
	before := standard.Proxy
	t.Cleanup(func() { http.DefaultTransport, standard.Proxy = standard, before })
	standard.Proxy = choose
	bases := map[string]*http.Transport{"of a config without one": defaultBase().(*http.Transport), "NewBase": NewBase(choose)}
	http.DefaultTransport = http.NewFileTransport(http.Dir(t.TempDir()))
	bases["NewBase without the default"] = NewBase(choose)
	for name, base := range bases {
		for to, want := range map[string]bool{"http://host.docker.internal:8080/dev": false, "https://a1b2c3d4e5.execute-api.ap-northeast-2.amazonaws.com/dev": true} {
			r, err := http.NewRequest(http.MethodGet, to, nil)
			if err != nil {
				t.Fatal(err)
			}
			if proxy, err := base.Proxy(r); err != nil || (proxy != nil) != want {
				t.Errorf("%s, %s: got the proxy %v, %v; want one: %t", name, to, proxy, err, want)
			}
		}
		if base.MaxIdleConnsPerHost != 100 || base.IdleConnTimeout != 90*time.Second || !base.ForceAttemptHTTP2 {
			t.Errorf("%s: got %d idle connections to a host for %v, HTTP/2 %t", name, base.MaxIdleConnsPerHost, base.IdleConnTimeout, base.ForceAttemptHTTP2)
		}
	}
	if got := defaultBase(); got != http.DefaultTransport {
		t.Errorf("got %T, want what stands for the default transport", got)
	}
	http.DefaultTransport = standard
	if NewBase(nil).Proxy != nil || standard.MaxIdleConnsPerHost != 0 {
		t.Error("want no proxy, and the default transport as it was")
	}
}
