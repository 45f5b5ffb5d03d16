package marqueetest_test

import (
	"io"
	"net/http"
	"testing"

	"github.com/marquee-api/marquee/apiclient"
	"github.com/marquee-api/marquee/marqueetest"
)

// A test of a service that calls the private API: the API's handler, the template that will be deployed, and a client that
// signs with the role of the caller.
func ExampleOpen() {
	_ = func(t *testing.T) {
		api := marqueetest.Open(t, marqueetest.Config{
			Template: "template.yaml",
			Functions: map[string]http.Handler{
				"MovieListFunction": http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
					_, _ = io.WriteString(w, `{"Items":[]}`)
				}),
			},
		})
		answer, err := api.Client(t, "caller").Do(t.Context(), apiclient.Request{Path: "/movie_list"})
		if err != nil {
			t.Fatal(err)
		}
		t.Logf("%s", answer.Body)
	}
}
