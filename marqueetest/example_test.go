package marqueetest_test

import (
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/marquee-api/marquee/apiclient"
	"github.com/marquee-api/marquee/marqueetest"
)

// inTest stands for the func TestXxx(t *testing.T) around the body of each example: an example has no t. TestExamples
// gives it one, so that the examples are run, too.
var inTest = func(func(t *testing.T)) {}

func TestExamples(t *testing.T) {
	defer func(before func(func(*testing.T))) { inTest = before }(inTest)
	for name, example := range map[string]func(){
		"Open": ExampleOpen, "Config": ExampleConfig, "Door": ExampleDoor, "Record": ExampleRecord, "API.Records": ExampleAPI_Records,
		"API.URL": ExampleAPI_URL, "API.Client": ExampleAPI_Client, "API.ClientThrough": ExampleAPI_ClientThrough, "API.Credentials": ExampleAPI_Credentials,
	} {
		ran := false
		inTest = func(body func(*testing.T)) { ran = t.Run(name, body) }
		if example(); !ran {
			t.Errorf("%s did not hold", name)
		}
	}
}

// movies stands for the function behind the API.
func movies(w http.ResponseWriter, _ *http.Request) {
	_, _ = io.WriteString(w, `{"Items":[]}`)
}

// A test of a service that calls the private API: the API's handler, the template that will be deployed, and a client that
// signs with the role of the caller.
func ExampleOpen() {
	inTest(func(t *testing.T) {
		api := marqueetest.Open(t, marqueetest.Config{
			Template: "../template.yaml",
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
	})
}

// The gateway's clock is a week ahead, the stage has another name, and one request in ten is throttled.
func ExampleConfig() {
	inTest(func(t *testing.T) {
		api := marqueetest.Open(t, marqueetest.Config{
			Template:   "../template.yaml",
			Parameters: map[string]string{"Stage": "test"},
			Functions:  map[string]http.Handler{"MovieListFunction": http.HandlerFunc(movies)},
			Faults:     []string{"status=429:10%", "latency=5ms"},
			Now:        func() time.Time { return time.Now().Add(7 * 24 * time.Hour) },
		})
		if !strings.HasSuffix(api.URL(marqueetest.VPCE), "/test") {
			t.Errorf("the API is at %s", api.URL(marqueetest.VPCE))
		}
	})
}

// The fence: the same caller is let in through the template's endpoint and by no other way.
func ExampleDoor() {
	inTest(func(t *testing.T) {
		api := marqueetest.Open(t, marqueetest.Config{
			Template:  "../template.yaml",
			Functions: map[string]http.Handler{"MovieListFunction": http.HandlerFunc(movies)},
		})
		for door, want := range map[marqueetest.Door]int{marqueetest.VPCE: 200, marqueetest.OtherVPCE: 403, marqueetest.Public: 403} {
			answer, err := api.ClientThrough(t, door, "reader").Do(t.Context(), apiclient.Request{Path: "/movie_list"})
			var refusal *apiclient.APIError
			if errors.As(err, &refusal) {
				answer = refusal.Response
			} else if err != nil {
				t.Fatal(err)
			}
			if answer.Status != want {
				t.Errorf("through %s: %d, want %d", door, answer.Status, want)
			}
		}
	})
}

// A record says which of the checks refused, and why.
func ExampleRecord() {
	inTest(func(t *testing.T) {
		api := marqueetest.Open(t, marqueetest.Config{Template: "../template.yaml"})
		_, _ = api.Client(t, "stranger").Do(t.Context(), apiclient.Request{Path: "/movie_list"})
		record := api.Records()[0]
		last := record.Checks[len(record.Checks)-1]
		if last.Name != "authorization" || last.OK {
			t.Errorf("refused by %s: %s", last.Name, record.Why)
		}
	})
}

// What a client really sent is in the records: here that it asked for nothing else than it should.
func ExampleAPI_Records() {
	inTest(func(t *testing.T) {
		api := marqueetest.Open(t, marqueetest.Config{
			Template:  "../template.yaml",
			Functions: map[string]http.Handler{"MovieListFunction": http.HandlerFunc(movies)},
		})
		if _, err := api.Client(t, "caller").Do(t.Context(), apiclient.Request{Path: "/movie_list"}); err != nil {
			t.Fatal(err)
		}
		var asked []string
		for _, r := range api.Records() {
			asked = append(asked, r.Method+" "+r.Path)
		}
		if !slices.Equal(asked, []string{"GET /dev/movie_list"}) {
			t.Errorf("asked for %v", asked)
		}
	})
}

// A program that takes the API's address from its environment.
func ExampleAPI_URL() {
	inTest(func(t *testing.T) {
		api := marqueetest.Open(t, marqueetest.Config{Template: "../template.yaml"})
		t.Setenv("MARQUEE_URL", api.URL(marqueetest.VPCE))
	})
}

// The role that will be deployed, and a route that it has no right to.
func ExampleAPI_Client() {
	inTest(func(t *testing.T) {
		api := marqueetest.Open(t, marqueetest.Config{Template: "../template.yaml"})
		_, err := api.Client(t, "CallerRole").Do(t.Context(), apiclient.Request{Method: http.MethodDelete, Path: "/movie_list/1999/Go"})
		var refusal *apiclient.APIError
		if !errors.As(err, &refusal) || refusal.Type != apiclient.TypeAccessDenied {
			t.Errorf("got %v, want a refusal by a policy", err)
		}
	})
}

// Another VPC's endpoint is not admitted.
func ExampleAPI_ClientThrough() {
	inTest(func(t *testing.T) {
		api := marqueetest.Open(t, marqueetest.Config{Template: "../template.yaml"})
		_, err := api.ClientThrough(t, marqueetest.OtherVPCE, "reader").Do(t.Context(), apiclient.Request{Path: "/movie_list"})
		if err == nil {
			t.Error("let in through another VPC's endpoint")
		}
	})
}

// Credentials for a client of another make.
func ExampleAPI_Credentials() {
	inTest(func(t *testing.T) {
		api := marqueetest.Open(t, marqueetest.Config{Template: "../template.yaml"})
		credentials, err := api.Credentials("reader")
		if err != nil {
			t.Fatal(err)
		}
		t.Setenv("AWS_ACCESS_KEY_ID", credentials.AccessKeyID)
		t.Setenv("AWS_SECRET_ACCESS_KEY", credentials.SecretAccessKey)
		t.Setenv("AWS_SESSION_TOKEN", credentials.SessionToken)
		if _, err := api.Credentials("nobody"); err == nil {
			t.Error("nobody has credentials")
		}
	})
}
