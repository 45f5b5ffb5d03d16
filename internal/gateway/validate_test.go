package gateway_test

import (
	"errors"
	"net/http"
	"runtime"
	"strings"
	"testing"

	"github.com/marquee-api/marquee/internal/gateway"
)

// titled is a model that wants an object with a title.
type titled struct{}

func (titled) Validate(value any) error {
	if object, ok := value.(map[string]any); ok && object["title"] != nil {
		return nil
	}
	return errors.New("no title")
}

func withValidation(c *gateway.Config, _ *gateway.Door) {
	api := &c.APIs[0]
	api.Routes[1].Validation = &gateway.Validation{Parameters: []gateway.Parameter{
		{In: "header", Name: "x-header-param"}, {In: "path", Name: "year"}, {In: "querystring", Name: "qs1"},
	}}
	api.Routes = append(api.Routes,
		gateway.Route{Method: "POST", Path: "/movie_list", Function: "post", Validation: &gateway.Validation{
			Parameters: []gateway.Parameter{{In: "header", Name: "x-tenant"}},
			Models:     map[string]gateway.Model{"application/json": titled{}},
		}},
		gateway.Route{Method: "PUT", Path: "/movie_list", Function: "put", Validation: &gateway.Validation{
			Models: map[string]gateway.Model{"$default": titled{}},
		}},
		gateway.Route{Method: "GET", Path: "/keyed", Function: "keyed", APIKeyRequired: true, Validation: &gateway.Validation{
			Parameters: []gateway.Parameter{{In: "querystring", Name: "q"}},
		}})
}

func TestRequestValidation(t *testing.T) {
	const invalid = `{"message": "Invalid request body"}`
	absent := func(names string) string {
		return `{"message": "Missing required request parameters: [` + names + `]"}`
	}
	one := "/dev/movie_list/1999/Go"
	header := func(more ...string) map[string]string {
		h := map[string]string{}
		for i := 0; i < len(more); i += 2 {
			h[more[i]] = more[i+1]
		}
		return h
	}
	post := func(body string, h map[string]string) call {
		h["x-tenant"] = "t"
		return call{method: "POST", key: "ASIAPARTNER", body: body, header: h}
	}
	tests := map[string]struct {
		call call
		body string // of a 400; empty: 200
	}{
		"nothing of it":                {call{path: one}, absent("x-header-param, qs1")},
		"only the header":              {call{path: one, header: header("x-header-param", "1")}, absent("qs1")},
		"all of it":                    {call{path: one + "?qs1=a", header: header("x-header-param", "1")}, ""},
		"a blank header":               {call{path: one + "?qs1=a", header: header("x-header-param", " ")}, absent("x-header-param")},
		"a blank query parameter":      {call{path: one + "?qs1=%20", header: header("x-header-param", "1")}, absent("qs1")},
		"a query name in another case": {call{path: one + "?QS1=a", header: header("x-header-param", "1")}, absent("qs1")},
		"a header in another case":     {call{path: one + "?qs1=a", header: header("X-Header-Param", "1")}, absent("x-header-param")},
		"an encoded query name":        {call{path: one + "?q%731=a", header: header("x-header-param", "1")}, ""},
		"a body that fits":             {post(`{"title":"Go"}`, header("Content-Type", "application/json")), ""},
		"a body that does not":         {post(`{}`, header("Content-Type", "application/json")), invalid},
		"no JSON":                      {post(`<title/>`, header("Content-Type", "application/json")), invalid},
		"no UTF-8":                     {post("{\"title\":\"\xff\"}", header("Content-Type", "application/json")), invalid},
		"UTF-8":                        {post(`{"title":"Amélie"}`, header("Content-Type", "application/json")), ""},
		"two values":                   {post(`{"title":"Go"} {}`, header("Content-Type", "application/json")), invalid},
		"no body counts as {}":         {post(``, header("Content-Type", "application/json")), invalid},
		"a charset":                    {post(`{}`, header("Content-Type", "Application/JSON; charset=utf-8")), invalid},
		"no content type is JSON":      {post(`{}`, header()), invalid},
		"a type without a model":       {post(`<title/>`, header("Content-Type", "application/xml")), ""},
		"parameters before the body":   {call{method: "POST", key: "ASIAPARTNER", body: `{}`}, absent("x-tenant")},
		"the model of any type":        {call{method: "PUT", key: "ASIAPARTNER", body: `[]`, header: header("Content-Type", "application/xml")}, invalid},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, withValidation)
			tt.call.spelt = true
			got := f.do(t, tt.call)
			if tt.body == "" {
				if got.status != 200 {
					t.Errorf("got %d %s, want 200", got.status, got.body)
				}
				return
			}
			if got.status != 400 || got.errorType != "BadRequestException" || got.body != tt.body {
				t.Errorf("got %d %s %s, want 400 BadRequestException %s", got.status, got.errorType, got.body, tt.body)
			}
			if f.function.event != nil {
				t.Error("the function was invoked")
			}
			record := f.next(t)
			if last := record.Checks[len(record.Checks)-1]; last.Name != "request validation" || last.OK {
				t.Errorf("got the record's last check %+v", last)
			}
		})
	}
	t.Run("after authorization and the API key", func(t *testing.T) {
		f := newFixture(t, withValidation)
		if got := f.do(t, call{key: "ASIASTRANGER", path: one}); got.errorType != "AccessDeniedException" {
			t.Errorf("got %d %s", got.status, got.body)
		}
		if got := f.do(t, call{path: "/dev/keyed"}); got.status != 403 || got.body != forbidden {
			t.Errorf("got %d %s", got.status, got.body)
		}
	})
}

// same is a model that wants one text.
type same string

func (want same) Validate(value any) error {
	if value != string(want) {
		return errors.New("want " + string(want))
	}
	return nil
}

// The model of the media type alone decides, and where there is none every model whose range holds the type, "$default"
// among them.
func TestModelsByContentType(t *testing.T) {
	named := func(names ...string) map[string]gateway.Model {
		models := map[string]gateway.Model{}
		for _, name := range names {
			models[name] = same(name)
		}
		return models
	}
	tests := map[string]struct {
		models map[string]gateway.Model
		types  []string // of the request
		want   []string // the models that the body has to fit
	}{
		"any type":                         {named("*/*"), []string{"text/plain"}, []string{"*/*"}},
		"any type, none named":             {named("*/*"), nil, []string{"*/*"}},
		"any type of text":                 {named("text/*"), []string{"text/plain"}, []string{"text/*"}},
		"any type of text, another":        {named("text/*"), []string{"application/json"}, nil},
		"any type of text, a longer word":  {named("text/*"), []string{"texts/plain"}, nil},
		"its own before a range":           {named("application/json", "*/*", "application/*", "$default"), []string{"application/json"}, []string{"application/json"}},
		"a range and the default":          {named("*/*", "$default"), []string{"text/plain"}, []string{"*/*", "$default"}},
		"a model's parameter":              {named("application/json; charset=utf-8"), []string{"application/json"}, []string{"application/json; charset=utf-8"}},
		"a model in another case":          {named("Application/JSON"), []string{"application/json"}, []string{"Application/JSON"}},
		"two types":                        {named("application/json"), []string{"text/plain", "application/json"}, []string{"application/json"}},
		"no model fits":                    {named("application/json"), []string{"text/plain"}, nil},
		"a longer type":                    {named("application/json"), []string{"application/json-seq"}, nil},
		"the range itself as content type": {named("*/*"), []string{"*/*"}, []string{"*/*"}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			f := newFixture(t, func(c *gateway.Config, _ *gateway.Door) {
				c.APIs[0].Routes = append(c.APIs[0].Routes, gateway.Route{Method: "POST", Path: "/movie_list", Function: "post", Validation: &gateway.Validation{Models: tt.models}})
			})
			post := func(body string) int {
				return f.do(t, call{method: "POST", key: "ASIAPARTNER", body: body, tamper: func(r *http.Request) { r.Header["Content-Type"] = tt.types }}).status
			}
			if got, want := post(`0`), map[bool]int{true: 200, false: 400}[len(tt.want) == 0]; got != want {
				t.Errorf("a body that fits none: got %d, want %d", got, want)
			}
			for model := range tt.models {
				want := 400
				if len(tt.want) == 0 || len(tt.want) == 1 && tt.want[0] == model {
					want = 200
				}
				if got := post(`"` + model + `"`); got != want {
					t.Errorf("a body that fits %s: got %d, want %d", model, got, want)
				}
			}
		})
	}
}

// anything is a model that every value fits.
type anything struct{}

func (anything) Validate(any) error { return nil }

// A body of very many values is not read for its model: what it holds takes a hundred times its length.
func TestBodyOfManyValues(t *testing.T) {
	f := newFixture(t, func(c *gateway.Config, _ *gateway.Door) {
		c.APIs[0].Routes = append(c.APIs[0].Routes, gateway.Route{Method: "POST", Path: "/movie_list", Function: "post", Validation: &gateway.Validation{
			Models: map[string]gateway.Model{"application/json": anything{}},
		}})
	})
	post := func(body string) int { return f.do(t, call{method: "POST", key: "ASIAPARTNER", body: body}).status }
	for name, tt := range map[string]struct {
		body string
		want int
	}{
		"a million":      {"[1" + strings.Repeat(",1", 999_998) + "]", 200}, // and the list
		"one more":       {"[1" + strings.Repeat(",1", 999_999) + "]", 400},
		"lists":          {"[[]" + strings.Repeat(",[]", 600_000) + "]", 400},
		"members":        {`{"":1` + strings.Repeat(`,"":1`, 1_000_000) + "}", 400},
		"text":           {`"` + strings.Repeat(`,\"[`, 1_000_000) + `"`, 200},
		"text to escape": {`"` + strings.Repeat(`\\`, 1_000_000) + `"`, 200},
		"after text":     {`["\\\\"` + strings.Repeat(",1", 1_000_000) + "]", 400},
	} {
		t.Run(name, func(t *testing.T) {
			if got := post(tt.body); got != tt.want {
				t.Errorf("got %d, want %d", got, tt.want)
			}
		})
	}
	body := "[1" + strings.Repeat(",1", 5_000_000) + "]"
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	if got := post(body); got != 400 {
		t.Errorf("of ten megabytes: got %d, want 400", got)
	}
	runtime.ReadMemStats(&after)
	// Reading it takes 500 MB.
	if took := (after.TotalAlloc - before.TotalAlloc) >> 20; took > 200 {
		t.Errorf("it took %d MB", took)
	}
}

// A function that API Gateway may not invoke is not invoked, and the record says why.
func TestUnpermittedFunction(t *testing.T) {
	f := newFixture(t, func(c *gateway.Config, _ *gateway.Door) { c.APIs[0].Routes[0].Unpermitted = "nothing permits it" })
	got := f.do(t, call{})
	if got.status != 500 || got.errorType != "InternalServerErrorException" || got.body != `{"message": "Internal server error"}` {
		t.Errorf("got %d %s %s", got.status, got.errorType, got.body)
	}
	if f.function.event != nil {
		t.Error("the function was invoked")
	}
	if record := f.next(t); !strings.Contains(record.Why, "nothing permits it") {
		t.Errorf("got the record %+v", record)
	}
}
