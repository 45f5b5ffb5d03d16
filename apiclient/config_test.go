package apiclient_test

import (
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/marquee-api/marquee/apiclient"
)

// What cannot be meant is refused when the client is made, by the name of the field.
func TestConfigIsChecked(t *testing.T) {
	for name, tt := range map[string]struct {
		change func(*apiclient.Config)
		want   string // empty: it is fine
	}{
		"all there":              {func(*apiclient.Config) {}, ""},
		"no endpoint":            {func(c *apiclient.Config) { c.Endpoint = nil }, "no Endpoint: make one with ResolveEndpoint"},
		"an endpoint of nothing": {func(c *apiclient.Config) { c.Endpoint = new(apiclient.Endpoint) }, "Endpoint is empty: make one with ResolveEndpoint"},
		"no credentials":         {func(c *apiclient.Config) { c.Credentials = nil }, "no Credentials"},
		"answers below nothing":  {func(c *apiclient.Config) { c.MaxResponseBytes = -1 }, "MaxResponseBytes is -1"},
		"attempts below none":    {func(c *apiclient.Config) { c.Retry.MaxAttempts = -3 }, "Retry.MaxAttempts is -3"},
		"a bound before now":     {func(c *apiclient.Config) { c.Retry.MaxBackoff = -time.Second }, "Retry.MaxBackoff is -1s"},
		"a wait before now":      {func(c *apiclient.Config) { c.Retry.BaseDelay = -time.Second }, "Retry.BaseDelay is -1s"},
	} {
		t.Run(name, func(t *testing.T) {
			cfg := apiclient.Config{Endpoint: resolve(t, apiclient.EndpointConfig{URL: apiURL}), Credentials: static(testKeys)}
			tt.change(&cfg)
			_, asTransport := apiclient.NewTransport(cfg)
			_, asClient := apiclient.New(cfg)
			for kind, err := range map[string]error{"transport": asTransport, "client": asClient} {
				if tt.want == "" && err != nil || tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)) {
					t.Errorf("%s: got %v, want %q", kind, err, tt.want)
				}
			}
		})
	}
}

// A transport or client that nobody made says so. It does not panic, and closes the body as any transport does.
func TestZeroValues(t *testing.T) {
	for name, transport := range map[string]*apiclient.Transport{"zero": {}, "nil": nil} {
		t.Run("transport, "+name, func(t *testing.T) {
			body := newTrackedBody("body")
			req := newRequest(t, http.MethodPost, apiURL+"/x", body)
			resp, err := transport.RoundTrip(req)
			if err == nil {
				resp.Body.Close()
			}
			if err == nil || !strings.Contains(err.Error(), "make it with NewTransport") || !body.closed.Load() {
				t.Errorf("got %v, body closed: %t", err, body.closed.Load())
			}
			transport.CloseIdleConnections()
		})
	}
	for name, client := range map[string]*apiclient.Client{"zero": {}, "nil": nil} {
		t.Run("client, "+name, func(t *testing.T) {
			var call *apiclient.CallError
			_, err := client.Do(t.Context(), apiclient.Request{Path: "/x"})
			if !errors.As(err, &call) || !strings.Contains(err.Error(), "GET /x: ") || !strings.Contains(err.Error(), "make it with New") {
				t.Errorf("Do: got %v", err)
			}
			if _, err := client.Presign(t.Context(), apiclient.Request{Path: "/x"}, time.Minute); !errors.As(err, &call) {
				t.Errorf("Presign: got %v", err)
			}
			if resp, err := client.HTTPClient().Get(apiURL + "/x"); err == nil {
				resp.Body.Close()
				t.Error("HTTPClient: got an answer")
			}
			client.CloseIdleConnections()
		})
	}
}
