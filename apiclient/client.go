package apiclient

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// defaultMaxResponse is API Gateway's limit for an answer.
const defaultMaxResponse = 10 << 20

// Client calls one API. It is safe for concurrent use; one client should serve a whole program, because connections,
// derived keys, the clock's offset and the retry quota are kept in it.
type Client struct {
	transport   *Transport
	maxResponse int64
}

// New returns a client for the endpoint.
func New(cfg Config) (*Client, error) {
	transport, err := NewTransport(cfg)
	if err != nil {
		return nil, err
	}
	return &Client{transport: transport, maxResponse: cmp.Or(cfg.MaxResponseBytes, defaultMaxResponse)}, nil
}

// Request is one call. The zero value is GET of the stage's root.
type Request struct {
	// Method is GET if empty. It is sent in upper case.
	Method string
	// Path is a template as RFC 6570 level 1 has them, below the stage: /movie_list/{year}/{title}. A query after ? is
	// added to Query.
	Path string
	// PathParams are the values of the template's variables, not encoded. Each is used, and each variable has one.
	PathParams map[string]string
	// Query is sent sorted by name, values of one name in their order.
	Query url.Values
	// Header is sent; a signature's own headers in it are replaced.
	Header http.Header
	// Body is sent as it is, at most 10 MiB.
	Body []byte
	// JSON is marshalled into the body and sets Content-Type unless Header has one. Only one of Body and JSON is given.
	JSON any
	// Retry replaces the client's for this call. The quota of retries stays the client's.
	Retry *Retry
}

// Response is an answer, read to its end.
type Response struct {
	// Status is the HTTP status.
	Status int
	// Proto is the protocol of the answer, HTTP/1.1 or HTTP/2.0.
	Proto string
	// Header are the answer's headers.
	Header http.Header
	// Body is the whole body.
	Body []byte
	// Attempts is how often the request was sent for it, 1 if it went well at once.
	Attempts int
	// Retried are the attempts before the last one, and what came of each.
	Retried []Attempt
}

// JSON unmarshals the body. The error names what came instead of JSON.
func (r *Response) JSON(out any) error {
	if !r.IsJSON() {
		return fmt.Errorf("answer %d is not JSON: its Content-Type is %q", r.Status, r.Header.Get("Content-Type"))
	}
	if err := json.Unmarshal(r.Body, out); err != nil {
		return fmt.Errorf("answer %d: %w", r.Status, err)
	}
	return nil
}

// IsJSON reports whether the answer says that it is JSON: application/json or a type that ends in +json.
func (r *Response) IsJSON() bool {
	kind, _, err := mime.ParseMediaType(r.Header.Get("Content-Type"))
	return err == nil && (kind == "application/json" || strings.HasSuffix(kind, "+json"))
}

// Err is the [*APIError] of an answer other than 2xx, else nil.
func (r *Response) Err() error {
	if 200 <= r.Status && r.Status <= 299 {
		return nil
	}
	return newAPIError(r)
}

// Do sends a request and reads the answer. An answer other than 2xx is an [*APIError], which holds it. No whole answer is
// a [*CallError]. Redirects are not followed: they are such an answer.
func (c *Client) Do(ctx context.Context, r Request) (*Response, error) {
	x, err := c.exchange(ctx, r)
	if err != nil {
		return nil, err
	}
	x.limit = c.maxResponse
	answer, err := x.roundTrip()
	if err != nil {
		return nil, r.failedAfter(x, err)
	}
	defer answer.Body.Close()
	resp := &Response{
		Status: answer.StatusCode, Proto: answer.Proto, Header: answer.Header, Body: x.content,
		Attempts: x.attempts, Retried: x.retried,
	}
	if err := resp.Err(); err != nil {
		return nil, err
	}
	return resp, nil
}

// Stream sends a request and hands the answer on with its body unread, for the caller to read as it comes, and to close.
// There is no limit to its size. An answer other than 2xx is an answer here; no answer is a [*CallError].
//
// An answer counts from its headers on. When its body breaks off the caller has had its beginning, so nothing is sent again
// for that.
func (c *Client) Stream(ctx context.Context, r Request) (*http.Response, error) {
	x, err := c.exchange(ctx, r)
	if err != nil {
		return nil, err
	}
	answer, err := x.roundTrip()
	if err != nil {
		return nil, r.failedAfter(x, err)
	}
	return answer, nil
}

// exchange is the request with what it takes to send it.
func (c *Client) exchange(ctx context.Context, r Request) (*exchange, error) {
	req, err := c.NewRequest(ctx, r)
	if err != nil {
		return nil, err
	}
	x := &exchange{t: c.transport, req: req, ctx: ctx, retrier: c.transport.retrier}
	if r.Retry != nil {
		if err := r.Retry.check("request"); err != nil {
			return nil, r.failed(err)
		}
		x.retrier = newRetrierWith(*r.Retry, c.transport.retrier.experience)
	}
	return x, nil
}

// DoJSON is Do for an answer whose JSON is wanted. out may be nil.
func (c *Client) DoJSON(ctx context.Context, r Request, out any) error {
	resp, err := c.Do(ctx, r)
	if err != nil || out == nil {
		return err
	}
	return resp.JSON(out)
}

// HTTPClient returns a client that signs, for code that wants one: generated clients, or answers that are read as they
// stream. Its requests must be for the endpoint's own host; see [Client.NewRequest].
func (c *Client) HTTPClient() *http.Client {
	return &http.Client{
		Transport:     c.signing(),
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// NewRequest makes the request that Do would send, not signed yet. An error is a [*CallError].
func (c *Client) NewRequest(ctx context.Context, r Request) (*http.Request, error) {
	if !c.signing().isMade() {
		return nil, r.failed(errors.New("the client is none: make it with New"))
	}
	u, err := c.url(r)
	if err != nil {
		return nil, r.failed(err)
	}
	body, isJSON, err := r.body()
	if err != nil {
		return nil, r.failed(err)
	}
	req, err := http.NewRequestWithContext(ctx, strings.ToUpper(r.Method), u.String(), body)
	if err != nil {
		return nil, r.failed(err)
	}
	if r.Header != nil {
		req.Header = r.Header.Clone()
	}
	if isJSON && req.Header.Get("Content-Type") == "" {
		req.Header.Set("Content-Type", "application/json")
	}
	return req, nil
}

// url is the endpoint's URL with the path below it.
func (c *Client) url(r Request) (*url.URL, error) {
	path, query := r.split()
	expanded, err := expandPath(path, r.PathParams)
	if err != nil {
		return nil, err
	}
	u, err := url.Parse(c.transport.endpoint.URL() + expanded)
	if err != nil {
		return nil, errors.New("the path cannot be sent")
	}
	given, err := parseQuery(query)
	if err != nil {
		return nil, err
	}
	for name, values := range r.Query {
		given[name] = append(given[name], values...)
	}
	// API Gateway reads a plus in a query as a space, other servers do not: %20 means the same to all.
	u.RawQuery = strings.ReplaceAll(given.Encode(), "+", "%20")
	return u, nil
}

// split cuts the query off the path. {?name} is an expression of another level, for the template to refuse.
func (r Request) split() (path, query string) {
	path = r.Path
	if i := strings.IndexByte(path, '?'); i >= 0 && (i == 0 || path[i-1] != '{') {
		path, query = path[:i], path[i+1:]
	}
	if path == "" {
		path = "/"
	}
	return path, query
}

// parseQuery reads a query as it stands in a URL. What would be sent as something else than it looks like is refused: a
// semicolon splits a value at API Gateway ("Known issues for REST APIs", developer guide), a fragment is never sent. The
// errors do not repeat the query, which may hold what nobody should read.
func parseQuery(query string) (url.Values, error) {
	for i := range len(query) {
		switch c := query[i]; {
		case c == '#':
			return nil, errors.New("the query behind ? holds a fragment, which is never sent: write %23 for #")
		case c == ';':
			return nil, errors.New("the query behind ? holds a semicolon, at which API Gateway splits it: write & between parameters, %3B for one that is meant")
		case c == '%' && (i+2 >= len(query) || !isHex(query[i+1]) || !isHex(query[i+2])):
			return nil, errors.New("the query behind ? holds a % without two hex digits: write %25 for %")
		}
	}
	return url.ParseQuery(query)
}

// failed says which call it was that was not sent.
func (r Request) failed(err error) error { return r.failedAfter(new(exchange), err) }

func (r Request) failedAfter(x *exchange, err error) error {
	path, _ := r.split()
	return &CallError{Method: cmp.Or(strings.ToUpper(r.Method), http.MethodGet), Path: path, Attempts: x.attempts, Retried: x.retried, Err: err}
}

// body returns a reader that net/http can replay.
func (r Request) body() (body io.Reader, isJSON bool, err error) {
	switch {
	case r.JSON != nil && r.Body != nil:
		return nil, false, errors.New("request has both Body and JSON: give one of them")
	case r.JSON != nil:
		text, err := json.Marshal(r.JSON)
		return bytes.NewReader(text), true, err
	case len(r.Body) > 0:
		return bytes.NewReader(r.Body), false, nil
	default:
		return nil, false, nil
	}
}

// Presign returns a URL that anybody can use in place of the caller until it expires: five minutes after now at the
// latest, which is how old a signature API Gateway accepts. A request with a body, or with a Content-Type or x-amz-*
// header, must be sent with exactly these. A URL for a VPC endpoint with the API's Host needs that Host besides.
//
// The URL is a secret: it holds the signature and the session token. An error is a [*CallError].
func (c *Client) Presign(ctx context.Context, r Request, expires time.Duration) (string, error) {
	req, err := c.NewRequest(ctx, r)
	if err != nil {
		return "", err
	}
	if err := checkHeader(req.Header); err != nil {
		return "", r.failed(err)
	}
	body, err := readPayload(req)
	if err != nil {
		return "", r.failed(err)
	}
	with, err := c.transport.credentials.retrieve(ctx)
	if err != nil {
		return "", r.failed(err)
	}
	in := c.transport.signInput(c.transport.outgoing(req, body), body.hash, with, c.transport.clock.depart())
	in.Expires = expires
	signed, err := c.transport.signer.Presign(in)
	if err != nil {
		return "", r.failed(fmt.Errorf("presigning: %w", err))
	}
	return signed, nil
}

// CloseIdleConnections closes connections that no request uses.
func (c *Client) CloseIdleConnections() { c.signing().CloseIdleConnections() }

// signing is the client's transport, nil of a client that New did not make.
func (c *Client) signing() *Transport {
	if c == nil {
		return nil
	}
	return c.transport
}

// maxForeseen bounds the memory that an answer gets for its word alone, before its bytes come.
const maxForeseen = 64 << 10

func readLimited(resp *http.Response, limit int64) ([]byte, error) {
	foreseen := min(max(resp.ContentLength, 0), limit, maxForeseen)
	data := bytes.NewBuffer(make([]byte, 0, foreseen+bytes.MinRead))
	if _, err := data.ReadFrom(io.LimitReader(resp.Body, limit+1)); err != nil {
		return nil, err
	}
	if int64(data.Len()) > limit {
		return nil, fmt.Errorf("%w of %d bytes", ErrResponseTooLarge, limit)
	}
	return data.Bytes(), nil
}
