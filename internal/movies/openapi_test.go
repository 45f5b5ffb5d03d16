package movies_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"github.com/marquee-api/marquee/internal/movies"
)

// document is openapi.yaml, and what of it has been seen in answers.
type document struct {
	*openapi3.T
	mu   sync.Mutex
	seen map[string]bool // "getMovie 304"
}

func openDocument(t *testing.T) *document {
	t.Helper()
	doc, err := openapi3.NewLoader().LoadFromFile("../../openapi.yaml")
	if err != nil {
		t.Fatal(err)
	}
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return &document{T: doc, seen: map[string]bool{}}
}

// handler serves h and holds every answer of a documented operation against the document.
func (d *document) handler(t *testing.T, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		recorder := httptest.NewRecorder()
		h.ServeHTTP(recorder, r)
		if problem := d.check(r, recorder); problem != nil {
			t.Errorf("%s %s: status %d: %v", r.Method, r.URL, recorder.Code, problem)
		}
		for name, values := range recorder.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(recorder.Code)
		_, _ = w.Write(recorder.Body.Bytes())
	})
}

func (d *document) check(r *http.Request, w *httptest.ResponseRecorder) error {
	for template, item := range d.Paths.Map() {
		params := paramsOf(template, r.URL.EscapedPath())
		operation := item.GetOperation(r.Method)
		if params == nil || operation == nil {
			continue
		}
		if operation.Responses.Value(fmt.Sprint(w.Code)) == nil {
			return errors.New("the status is not documented")
		}
		d.mu.Lock()
		d.seen[fmt.Sprint(operation.OperationID, " ", w.Code)] = true
		d.mu.Unlock()
		return openapi3filter.ValidateResponse(context.Background(), &openapi3filter.ResponseValidationInput{
			RequestValidationInput: &openapi3filter.RequestValidationInput{Request: r, PathParams: params,
				Route: &routers.Route{Spec: d.T, Path: template, PathItem: item, Method: r.Method, Operation: operation}},
			Status: w.Code, Header: w.Header(), Body: io.NopCloser(bytes.NewReader(w.Body.Bytes())),
			Options: &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true},
		})
	}
	return nil // no documented operation: 404 and 405
}

func paramsOf(template, path string) map[string]string {
	expression := regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(template, `([^/]+)`)
	found := regexp.MustCompile("^" + expression + "$").FindStringSubmatch(path)
	if found == nil {
		return nil
	}
	params := map[string]string{}
	for i, name := range regexp.MustCompile(`\{([a-z]+)\}`).FindAllStringSubmatch(template, -1) {
		params[name[1]] = found[i+1]
	}
	return params
}

// The handlers answer as openapi.yaml says, whatever happens, and everything that it says happens.
func TestAnswersAreAsDocumented(t *testing.T) {
	t.Parallel()
	d := openDocument(t)
	for kind, open := range written {
		t.Run(kind, func(t *testing.T) {
			h := d.handler(t, open(t))
			full := sample()
			tag := full.ETag()
			for _, r := range [][]string{ // method, target, body, headers
				{"GET", "/movie_list"}, {"GET", "/movie_list?limit=0"},
				{"GET", rush}, {"HEAD", rush}, {"PUT", rush, "{"}, {"PUT", rush, `{"info":{"rank":-1,"plot":1}}`}, {"DELETE", rush, "", "If-Match", "*"},
				{"PUT", rush, sampleJSON, "Idempotency-Key", "k"}, {"PUT", rush, sampleJSON, "Idempotency-Key", "k"}, {"PUT", rush, "{}", "Idempotency-Key", "k"},
				{"GET", rush}, {"HEAD", rush}, {"GET", rush, "", "If-None-Match", tag}, {"HEAD", rush, "", "If-None-Match", tag},
				{"GET", rush + "?x=1"}, {"HEAD", rush + "?x=1"}, {"PUT", rush, sampleJSON}, {"PUT", rush, sampleJSON, "If-None-Match", "*"},
				{"PUT", rush, "x", "Content-Type", "text/plain"}, {"PUT", rush, strings.Repeat("x", movies.MaxBodyBytes+1)},
				{"PUT", rush, sampleJSON, "If-Match", tag}, {"PUT", "/movie_list/1999/A%2FB", "{}"}, {"GET", "/movie_list?limit=1"},
				{"GET", "/movie_list?fields=rating"}, {"GET", "/movie_list?genre=Action&actor=x"},
				{"DELETE", rush}, {"DELETE", rush, "", "If-Match", `"x"`}, {"DELETE", rush, "", "If-Match", "x"}, {"DELETE", rush, "", "If-Match", "*", "Idempotency-Key", "k"},
				{"DELETE", rush, "", "If-Match", tag, "Idempotency-Key", "d"}, {"DELETE", rush, "", "If-Match", tag, "Idempotency-Key", "d"},
			} {
				for len(r) < 3 {
					r = append(r, "")
				}
				send(t, h, r[0], r[1], r[2], r[3:]...)
			}
		})
	}
	for _, code := range []movies.Code{movies.CodeThrottled, movies.CodeUnavailable, movies.CodeTimeout, movies.CodeInternal} {
		h := d.handler(t, &movies.Handler{Store: failing{code}, Writer: failing{code}})
		for _, method := range []string{"GET", "HEAD", "PUT", "DELETE"} {
			send(t, h, method, rush, "{}")
		}
		send(t, h, "GET", "/movie_list", "")
	}
	for _, item := range d.Paths.Map() {
		for _, operation := range item.Operations() {
			for status := range operation.Responses.Map() {
				if name := operation.OperationID + " " + status; !d.seen[name] {
					t.Errorf("%s is documented, and was not seen", name)
				}
			}
		}
	}
}

// failing is a store that does nothing but fail.
type failing struct{ code movies.Code }

func (f failing) err() error { return &movies.Error{Code: f.code, Message: "it fails"} }

func (f failing) List(context.Context, movies.Query) (movies.Page, error) {
	return movies.Page{}, f.err()
}
func (f failing) Get(context.Context, movies.Key) (movies.Movie, error) {
	return movies.Movie{}, f.err()
}
func (f failing) Put(context.Context, movies.Movie, movies.Condition, movies.Request) (movies.Outcome, error) {
	return movies.Outcome{}, f.err()
}
func (f failing) Delete(context.Context, movies.Key, movies.Condition, movies.Request) (movies.Outcome, error) {
	return movies.Outcome{}, f.err()
}

// The document has the error codes of the program, and the parameters that it takes.
func TestDocumentIsComplete(t *testing.T) {
	t.Parallel()
	d := openDocument(t)
	var documented []string
	for _, code := range d.Components.Schemas["Error"].Value.Properties["error"].Value.Properties["code"].Value.Enum {
		documented = append(documented, code.(string))
	}
	for _, code := range movies.Codes() {
		if !slices.Contains(documented, string(code)) {
			t.Errorf("the code %s is not documented", code)
		}
	}
	if len(documented) != len(movies.Codes()) {
		t.Errorf("got %d documented codes, want %d", len(documented), len(movies.Codes()))
	}
	w := call(t, &movies.Handler{Store: newModel()}, "GET", "/movie_list?unknown=1")
	for _, parameter := range d.Paths.Value("/movie_list").Get.Parameters {
		if !regexp.MustCompile(`[\[ ]` + parameter.Value.Name + `[\] ]`).Match(w.Body.Bytes()) {
			t.Errorf("the parameter %s is documented, and not offered: %s", parameter.Value.Name, w.Body)
		}
	}
	if n := len(d.Paths.Value("/movie_list").Get.Parameters); n != 12 {
		t.Errorf("got %d documented parameters, want the 12 that are offered", n)
	}
}
