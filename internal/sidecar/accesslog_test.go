package sidecar_test

import (
	"bytes"
	"log/slog"
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/sidecar"
)

// TestAccessLogHoldsNoSecrets: nobody should read a query in a log, nor the password of a URL that a client wrote whole,
// also where the request was refused.
func TestAccessLogHoldsNoSecrets(t *testing.T) {
	api := newAPI(t, nil)
	for name, target := range map[string]string{
		"a query":                   "/movie_list?key=hush",
		"a whole URL":               "http://user:hush@localhost/movie_list?key=hush",
		"a target that is no path":  "mailto:user?key=hush",
		"a password and no path":    "user:hush@localhost",
		"a URL of the API's parent": "http://user:hush@localhost/../movie_list?key=hush",
	} {
		t.Run(name, func(t *testing.T) {
			var log bytes.Buffer
			side := start(t, api.URL+"/dev", sidecar.Config{AccessLog: true, Log: slog.New(slog.NewJSONHandler(&log, nil))})
			side.raw(t, "GET "+target+" HTTP/1.1\r\nHost: localhost\r\n\r\n")
			side.stop()
			<-side.done
			if got := log.String(); !strings.Contains(got, `"msg":"request"`) || strings.Contains(got, "hush") {
				t.Errorf("the log has no line for the request, or a secret:\n%s", got)
			}
		})
	}
}
