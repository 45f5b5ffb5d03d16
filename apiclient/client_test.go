package apiclient_test

import (
	"cmp"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"github.com/marquee-api/marquee/apiclient"
)

func TestClientSendsTheRequest(t *testing.T) {
	api := newFaultServer(t, answer{status: 201, body: `{"ok":true}`, header: map[string]string{"Content-Type": "application/json", "X-Two": "2"}})
	resp, err := api.client(t, apiclient.Config{}).Do(t.Context(), apiclient.Request{
		Method:     "PUT",
		Path:       "/movie_list/{year}/{title}",
		PathParams: map[string]string{"year": "2013", "title": "Rush"},
		Query:      url.Values{"if_absent": {"true"}},
		Header:     http.Header{"X-Request-Note": {"one", "two"}},
		JSON:       map[string]int{"year": 2013},
	})
	if err != nil {
		t.Fatal(err)
	}
	if resp.Status != 201 || string(resp.Body) != `{"ok":true}` || resp.Header.Get("X-Two") != "2" || resp.Attempts != 1 {
		t.Errorf("got %+v", resp)
	}
	a := api.arrivals(t, 1)[0]
	if a.Method != "PUT" || a.Target != "/dev/movie_list/2013/Rush?if_absent=true" || string(a.Body) != `{"year":2013}` {
		t.Errorf("got %s %s with %q", a.Method, a.Target, a.Body)
	}
	if got := a.Header.Get("Content-Type"); got != "application/json" {
		t.Errorf("got Content-Type %q, want application/json", got)
	}
	if got := a.Header.Values("X-Request-Note"); len(got) != 2 || got[0] != "one" || got[1] != "two" {
		t.Errorf("got X-Request-Note %q, want one and two", got)
	}
}

func TestClientRefusesBadRequests(t *testing.T) {
	api := newFaultServer(t)
	c := api.client(t, apiclient.Config{})
	for name, tt := range map[string]struct {
		request apiclient.Request
		want    string
	}{
		"missing parameter":        {apiclient.Request{Path: "/m/{year}"}, "no value for {year}"},
		"query expression":         {apiclient.Request{Path: "/m{?year}"}, "level 1"},
		"bad query":                {apiclient.Request{Path: "/m?a=%zz&key=hunter2"}, "GET /m: "},
		"two bodies":               {apiclient.Request{Path: "/m", Body: []byte("a"), JSON: 1}, "both Body and JSON"},
		"no JSON":                  {apiclient.Request{Path: "/m", JSON: func() {}}, "unsupported type"},
		"no method":                {apiclient.Request{Method: "GE T", Path: "/m"}, "invalid method"},
		"no slash":                 {apiclient.Request{Path: "m"}, "does not begin with a slash"},
		"header with a line end":   {apiclient.Request{Path: "/m", Header: http.Header{"X-Note": {"fine", "hunter2\r\nX-Other: 1"}}}, `header "X-Note" holds a control character`},
		"header with a zero":       {apiclient.Request{Path: "/m", Header: http.Header{"X-Note": {"a\x00"}}}, "control character"},
		"header with a space":      {apiclient.Request{Path: "/m", Header: http.Header{"X Note": {"a"}}}, `header name "X Note"`},
		"header without a name":    {apiclient.Request{Path: "/m", Header: http.Header{"": {"a"}}}, `header name ""`},
		"fewer attempts than none": {apiclient.Request{Path: "/m", Retry: &apiclient.Retry{MaxAttempts: -1}}, "Retry.MaxAttempts is -1"},
		"a wait before now":        {apiclient.Request{Path: "/m", Retry: &apiclient.Retry{BaseDelay: -1}}, "Retry.BaseDelay is -1ns"},
		"too large":                {apiclient.Request{Method: "PUT", Path: "/m?key=hunter2", Body: make([]byte, 10485761)}, "PUT /m: request body is larger"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.Do(t.Context(), tt.request)
			if err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Fatalf("got %v, want an error with %q", err, tt.want)
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("the error shows a secret: %v", err)
			}
			path, _, _ := strings.Cut(tt.request.Path, "?key")
			var call *apiclient.CallError
			if !errors.As(err, &call) || call.Attempts != 0 || call.Method != cmp.Or(tt.request.Method, "GET") || !strings.HasPrefix(path, call.Path) {
				t.Errorf("got %#v, want a CallError of %s %s that was never sent", err, tt.request.Method, path)
			}
			if strings.Count(err.Error(), tt.request.Path) > 1 {
				t.Errorf("got %q, want the path once", err)
			}
		})
	}
	api.arrivals(t, 0)
}

func TestClientBoundsTheAnswer(t *testing.T) {
	for name, tt := range map[string]struct {
		limit int64
		size  int
		fits  bool
	}{
		"just fits":         {100, 100, true},
		"one byte more":     {100, 101, false},
		"default":           {0, 10485760, true},
		"more than default": {0, 10485761, false},
	} {
		t.Run(name, func(t *testing.T) {
			api := newFaultServer(t, answer{body: strings.Repeat("x", tt.size)})
			resp, err := api.client(t, apiclient.Config{MaxResponseBytes: tt.limit}).Do(t.Context(), apiclient.Request{})
			if tt.fits && (err != nil || len(resp.Body) != tt.size) {
				t.Errorf("got %v, want all %d bytes", err, tt.size)
			}
			if !tt.fits && !errors.Is(err, apiclient.ErrResponseTooLarge) {
				t.Errorf("got %v, want ErrResponseTooLarge", err)
			}
		})
	}
}

func TestDoJSON(t *testing.T) {
	type movies struct{ Count int }
	asJSON := map[string]string{"Content-Type": "application/json; charset=utf-8"}
	for name, tt := range map[string]struct {
		answer  answer
		want    int
		wantErr string
	}{
		"JSON":         {answer{body: `{"Count":3}`, header: asJSON}, 3, ""},
		"a JSON type":  {answer{body: `{"Count":4}`, header: map[string]string{"Content-Type": "application/hal+json"}}, 4, ""},
		"not JSON":     {answer{body: `Count: 3`, header: map[string]string{"Content-Type": "text/plain"}}, 0, `Content-Type is "text/plain"`},
		"broken JSON":  {answer{body: `{"Count"`, header: asJSON}, 0, "unexpected end"},
		"an error":     {answer{status: 404, body: `{"Count":5}`, header: asJSON}, 0, "404 Not Found"},
		"another type": {answer{body: `{"Count":"x"}`, header: asJSON}, 0, "Count"},
	} {
		t.Run(name, func(t *testing.T) {
			api := newFaultServer(t, tt.answer)
			var got movies
			err := api.client(t, apiclient.Config{}).DoJSON(t.Context(), apiclient.Request{}, &got)
			if tt.wantErr == "" && err != nil || tt.wantErr != "" && (err == nil || !strings.Contains(err.Error(), tt.wantErr)) {
				t.Errorf("got error %v, want %q", err, tt.wantErr)
			}
			if tt.wantErr == "" && got.Count != tt.want {
				t.Errorf("got %d, want %d", got.Count, tt.want)
			}
		})
	}
	api := newFaultServer(t, answer{status: 204})
	if err := api.client(t, apiclient.Config{}).DoJSON(t.Context(), apiclient.Request{Method: "DELETE"}, nil); err != nil {
		t.Errorf("nothing wanted: got %v", err)
	}
}

// Bodies are those that API Gateway was seen to send.
func TestAPIError(t *testing.T) {
	for name, tt := range map[string]struct {
		answer                           answer
		wantType, wantMessage, wantError string
		byGateway                        bool
	}{
		"message": {
			answer{status: 403, kind: "MissingAuthenticationTokenException", body: `{"message":"Missing Authentication Token"}`},
			"MissingAuthenticationTokenException", "Missing Authentication Token",
			"403 Forbidden: MissingAuthenticationTokenException: Missing Authentication Token (request id 7e2f1b7c-0000-4000-8000-00000000000a)", true,
		},
		"Message of a policy": {
			answer{status: 403, kind: "AccessDeniedException", body: `{"Message":"User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:eu-west-1:********3333:x/v1/GET/x"}`},
			"AccessDeniedException", "User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:eu-west-1:********3333:x/v1/GET/x",
			"403 Forbidden: AccessDeniedException: User: anonymous is not authorized to perform: execute-api:Invoke on resource: arn:aws:execute-api:eu-west-1:********3333:x/v1/GET/x (request id 7e2f1b7c-0000-4000-8000-00000000000a)", true,
		},
		"a type with an address": {
			answer{status: 429, kind: "TooManyRequestsException:http://internal.amazon.com/", body: `{"message":"Too Many Requests"}`},
			"TooManyRequestsException", "Too Many Requests",
			"429 Too Many Requests: TooManyRequestsException: Too Many Requests (request id 7e2f1b7c-0000-4000-8000-00000000000a)", true,
		},
		"plain text": {
			answer{status: 413, body: "HTTP content length exceeded 10485760 bytes.", header: map[string]string{"Content-Type": "text/plain"}},
			"", "", "413 Request Entity Too Large", false,
		},
		"the function's": {
			answer{status: 404, body: `{"error":{"code":"not_found","message":"no such movie"}}`}, "", "", "404 Not Found", false,
		},
	} {
		t.Run(name, func(t *testing.T) {
			api := newFaultServer(t, tt.answer)
			_, err := api.client(t, apiclient.Config{Retry: apiclient.Retry{MaxAttempts: 1}}).Do(t.Context(), apiclient.Request{})
			var got *apiclient.APIError
			if !errors.As(err, &got) {
				t.Fatalf("got %v, want an APIError", err)
			}
			if got.Type != tt.wantType || got.ErrorCode() != tt.wantType || got.Message != tt.wantMessage || got.ByGateway() != tt.byGateway {
				t.Errorf("got type %q, message %q, by the gateway %v", got.Type, got.Message, got.ByGateway())
			}
			if got.Error() != tt.wantError {
				t.Errorf("got  %q\nwant %q", got, tt.wantError)
			}
			if string(got.Response.Body) != tt.answer.body || got.HTTPStatusCode() != tt.answer.status {
				t.Errorf("got %d %q, want the answer as it came", got.StatusCode, got.Response.Body)
			}
		})
	}
}

// API Gateway's answer to a wrong signature quotes the canonical request, and with it the session token.
func TestSecurityTokenInARefusalIsRedacted(t *testing.T) {
	quoted := strings.ReplaceAll(testKeys.SessionToken, "/", `\/`)
	statuses := map[string]int{"header": 403, "header, plain": 400}
	for name, text := range map[string]string{
		"header":           `The Canonical String for this request should have been\n'GET\n\/dev\/\n\nhost:x\nx-amz-security-token:` + quoted + `\n\nhost;x-amz-security-token\ne3b0'\n`,
		"header, plain":    `'GET\n/dev/\n\nx-amz-security-token:` + testKeys.SessionToken + `\n\nhost`,
		"query":            `'GET\n/dev/\nX-Amz-Security-Token=` + url.QueryEscape(testKeys.SessionToken) + `&X-Amz-SignedHeaders=host\n`,
		"escaped as \\u00": `'GET\nx-amz-security-token:` + strings.ReplaceAll(testKeys.SessionToken, "=", `\u003d`) + `\nhost`,
	} {
		t.Run(name, func(t *testing.T) {
			api := newFaultServer(t, answer{status: cmp.Or(statuses[name], 403), kind: apiclient.TypeInvalidSignature, body: `{"message":"The request signature we calculated does not match.\n\n` + text + `"}`})
			_, err := api.client(t, apiclient.Config{}).Do(t.Context(), apiclient.Request{})
			var refusal *apiclient.APIError
			if !errors.As(err, &refusal) {
				t.Fatal(err)
			}
			for where, shown := range map[string]string{"error": err.Error(), "message": refusal.Message, "body": string(refusal.Response.Body)} {
				if strings.Contains(shown, "EXAMPLE") || strings.Contains(shown, "session") {
					t.Errorf("the %s shows the token: %s", where, shown)
				}
			}
			if !strings.Contains(refusal.Message, "[redacted]") || !strings.Contains(refusal.Message, "host") {
				t.Errorf("got message %q, want the rest of it", refusal.Message)
			}
			if !json.Valid(refusal.Response.Body) {
				t.Errorf("the body is not JSON any more: %s", refusal.Response.Body)
			}
		})
	}
}

func TestOnSignShowsWhatIsSigned(t *testing.T) {
	api := newFaultServer(t, throttled)
	var shown []apiclient.Signing
	c := api.client(t, apiclient.Config{OnSign: func(s apiclient.Signing) { shown = append(shown, s) }})
	if _, err := c.Do(t.Context(), apiclient.Request{Path: "/m/{t}", PathParams: map[string]string{"t": "Iron Man"}}); err != nil {
		t.Fatal(err)
	}
	got := api.arrivals(t, 2)
	if len(shown) != 2 {
		t.Fatalf("shown %d times, want once for each attempt", len(shown))
	}
	want := "GET\n/dev/m/Iron%2520Man\n\nhost:" + got[0].Host + "\nx-amz-date:" + got[0].Header.Get("X-Amz-Date") +
		"\nx-amz-security-token:[redacted]\n\nhost;x-amz-date;x-amz-security-token\ne3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
	if shown[0].CanonicalRequest != want {
		t.Errorf("got canonical request\n%s\nwant\n%s", shown[0].CanonicalRequest, want)
	}
	if prefix := "AWS4-HMAC-SHA256\n" + got[0].Header.Get("X-Amz-Date") + "\n"; !strings.HasPrefix(shown[0].StringToSign, prefix) {
		t.Errorf("got string to sign %q, want it to begin with %q", shown[0].StringToSign, prefix)
	}
}

// The SDK presigns the same request; the two URLs must agree on the signature whatever the order of the query.
func TestPresignEqualsTheSDKs(t *testing.T) {
	now := time.Date(2026, 11, 23, 12, 0, 0, 0, time.UTC)
	for name, tt := range map[string]struct {
		request apiclient.Request
		keys    aws.Credentials
		expires time.Duration
	}{
		"GET":               {apiclient.Request{Path: "/movie_list", Query: url.Values{"limit": {"5"}}}, testKeys, time.Minute},
		"long-term keys":    {apiclient.Request{Path: "/movie_list"}, signingKeys["long-term"], 5 * time.Minute},
		"no expiry":         {apiclient.Request{Path: "/movie_list"}, testKeys, 0},
		"path and query":    {apiclient.Request{Path: "/m/{t}?q=a%20b", PathParams: map[string]string{"t": "Face/Off"}}, testKeys, time.Minute},
		"DELETE":            {apiclient.Request{Method: "DELETE", Path: "/m/1"}, testKeys, time.Minute},
		"PUT with a header": {apiclient.Request{Method: "PUT", Path: "/m/1", Header: http.Header{"Content-Type": {"text/plain"}}}, testKeys, time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			c, err := apiclient.New(apiclient.Config{
				Endpoint: resolve(t, apiclient.EndpointConfig{URL: apiURL}), Credentials: static(tt.keys),
				Clock: apiclient.Clock{Now: func() time.Time { return now }},
			})
			if err != nil {
				t.Fatal(err)
			}
			got, err := c.Presign(t.Context(), tt.request, tt.expires)
			if err != nil {
				t.Fatal(err)
			}
			req, err := c.NewRequest(t.Context(), tt.request)
			if err != nil {
				t.Fatal(err)
			}
			if tt.expires > 0 {
				q := req.URL.Query()
				q.Set("X-Amz-Expires", map[time.Duration]string{time.Minute: "60", 5 * time.Minute: "300"}[tt.expires])
				req.URL.RawQuery = q.Encode()
			}
			want, _, err := v4.NewSigner().PresignHTTP(t.Context(), tt.keys, req,
				"e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", "execute-api", testRegion, now)
			if err != nil {
				t.Fatal(err)
			}
			gotURL, wantURL := parse(t, got), parse(t, want)
			if gotURL.Host != wantURL.Host || gotURL.EscapedPath() != wantURL.EscapedPath() {
				t.Errorf("got %s, want %s", gotURL, wantURL)
			}
			if gotURL.Query().Encode() != wantURL.Query().Encode() {
				t.Errorf("got  %s\nwant %s", gotURL.Query().Encode(), wantURL.Query().Encode())
			}
		})
	}
}

func parse(t *testing.T, raw string) *url.URL {
	t.Helper()
	u, err := url.Parse(raw)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func TestPresignRefuses(t *testing.T) {
	c := newFaultServer(t).client(t, apiclient.Config{})
	for name, expires := range map[string]time.Duration{"fractions": 1500 * time.Millisecond, "the past": -time.Second} {
		if got, err := c.Presign(t.Context(), apiclient.Request{Path: "/x"}, expires); err == nil {
			t.Errorf("%s: got %s, want an error", name, got)
		}
	}
}

func TestHTTPClientSigns(t *testing.T) {
	api := newFaultServer(t, answer{body: "streamed"})
	c := api.client(t, apiclient.Config{})
	req, err := c.NewRequest(t.Context(), apiclient.Request{Path: "/movie_list", Query: url.Values{"limit": {"5"}}})
	if err != nil {
		t.Fatal(err)
	}
	resp, err := c.HTTPClient().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if body, err := io.ReadAll(resp.Body); err != nil || string(body) != "streamed" {
		t.Errorf("got %q, %v", body, err)
	}
	checkSignature(t, api.arrivals(t, 1)[0], testKeys, testRegion)
}

func TestQueriesThatAreNotWhatTheyLookLike(t *testing.T) {
	c := newFaultServer(t).client(t, apiclient.Config{})
	for name, tt := range map[string]struct{ path, want string }{
		"semicolon":           {"/x?a=secret;c", "a semicolon, at which API Gateway splits it: write & between parameters, %3B"},
		"fragment":            {"/x?a=secret#f", "write %23 for #"},
		"fragment in a path":  {"/x#f", "write %23 for #"},
		"bad escape":          {"/x?a=secret%2", "write %25 for %"},
		"bad escape, no hex":  {"/x?a=secret%zz", "write %25 for %"},
		"bad escape, at once": {"/x?%", "write %25 for %"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.NewRequest(t.Context(), apiclient.Request{Path: tt.path})
			if err == nil || !strings.Contains(err.Error(), tt.want) || strings.Contains(err.Error(), "secret") {
				t.Errorf("got %v, want an error with %q, and nothing of the query", err, tt.want)
			}
		})
	}
	for path, want := range map[string]string{"/x?a=%3B%23%25": "a=%3B%23%25", "/x?a+b=c%20d": "a%20b=c%20d"} {
		if got, err := c.NewRequest(t.Context(), apiclient.Request{Path: path}); err != nil || got.URL.RawQuery != want {
			t.Errorf("%s: got %v, %v, want the query %s", path, got, err, want)
		}
	}
}
