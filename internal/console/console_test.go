package console_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/console"
	"github.com/marquee-api/marquee/internal/gateway"
)

func get(t *testing.T, c *console.Console, method, host, path string) *httptest.ResponseRecorder {
	t.Helper()
	r := httptest.NewRequest(method, "http://"+host+path, nil)
	w := httptest.NewRecorder()
	c.Handler([]string{"127.0.0.1", "localhost"}).ServeHTTP(w, r)
	return w
}

func TestPageShowsRequestsEscaped(t *testing.T) {
	c := console.New()
	c.Add(gateway.Record{Method: "GET", Path: "/dev/<script>alert(1)</script>", Status: 403, Why: "host is not signed",
		Checks: []gateway.Check{{Name: "signature", Detail: "does not match"}}})
	w := get(t, c, "GET", "127.0.0.1:8084", "/")
	body := w.Body.String()
	for _, want := range []string{"403", "host is not signed", "does not match", "&lt;script&gt;"} {
		if !strings.Contains(body, want) {
			t.Errorf("the page does not contain %q", want)
		}
	}
	if strings.Contains(body, "<script>") {
		t.Error("the path stands unescaped in the page")
	}
}

func TestPageKeepsTheLatest(t *testing.T) {
	c := console.New()
	for i := range 700 {
		c.Add(gateway.Record{Path: fmt.Sprintf("/dev/r%d.", i), Status: 200})
	}
	body := get(t, c, "GET", "localhost", "/").Body.String()
	if n := strings.Count(body, "<details>"); n != 500 {
		t.Errorf("got %d records, want 500", n)
	}
	newest, oldest := strings.Index(body, "/dev/r699."), strings.Index(body, "/dev/r200.")
	if newest < 0 || oldest < newest || strings.Contains(body, "/dev/r199.") {
		t.Errorf("newest at %d, oldest at %d: want both, the newest first, and none older", newest, oldest)
	}
}

func TestDocumentsAreServedBesideThePage(t *testing.T) {
	c := console.New()
	c.Documents = map[string][]byte{"/openapi.yaml": []byte("openapi: 3.1.0\n<script>")}
	if body := get(t, c, "GET", "localhost", "/").Body.String(); !strings.Contains(body, `<a href="/openapi.yaml">`) {
		t.Errorf("the page does not lead to the document: %s", body)
	}
	w := get(t, c, "GET", "localhost", "/openapi.yaml")
	if w.Code != http.StatusOK || w.Body.String() != "openapi: 3.1.0\n<script>" || w.Header().Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("got %d %v %s, want the document as plain text", w.Code, w.Header(), w.Body)
	}
	if got := get(t, c, "GET", "evil.example", "/openapi.yaml").Code; got != http.StatusForbidden {
		t.Errorf("for a foreign name: got %d, want 403", got)
	}
}

func TestSecurityPageRefusesForeignNames(t *testing.T) {
	tests := map[string]struct {
		method, host, path string
		want               int
	}{
		"loopback":        {"GET", "127.0.0.1:8084", "/", http.StatusOK},
		"localhost":       {"HEAD", "LOCALHOST:8084", "/", http.StatusOK},
		"a foreign name":  {"GET", "evil.example:8084", "/", http.StatusForbidden},
		"another path":    {"GET", "localhost", "/x", http.StatusNotFound},
		"another method":  {"POST", "localhost", "/", http.StatusMethodNotAllowed},
		"loopback suffix": {"GET", "127.0.0.1.evil.example", "/", http.StatusForbidden},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			if got := get(t, console.New(), tt.method, tt.host, tt.path).Code; got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
}
