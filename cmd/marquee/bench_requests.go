package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/marquee-api/marquee/apiclient"
)

// maxRequestKinds bounds the lines of a file of requests: each of them is kept, and reported on.
const maxRequestKinds = 1000

// benchRequest is a request of the load.
type benchRequest struct {
	apiclient.Request
	name   string
	weight int
}

// readRequests returns the request of the command line, or those of a file.
func (o benchOptions) readRequests(stdin io.Reader) ([]benchRequest, error) {
	if o.from == "" {
		request, err := o.call.request(stdin)
		if err != nil {
			return nil, err
		}
		return []benchRequest{{Request: request, name: nameOf(request)}}, nil
	}
	in := stdin
	if o.from != "-" {
		file, err := os.Open(o.from)
		if err != nil {
			return nil, fmt.Errorf("--from %w", err)
		}
		defer file.Close()
		in = file
	}
	requests, err := parseRequests(in)
	if err != nil {
		return nil, fmt.Errorf("--from %s: %w", o.from, err)
	}
	return requests, nil
}

func nameOf(r apiclient.Request) string {
	path, _, _ := strings.Cut(r.Path, "?")
	return cmp.Or(r.Method, http.MethodGet) + " " + path
}

// requestLine is a line of the file; its fields are those of the caller function's event.
type requestLine struct {
	Name       string          `json:"name"`
	Weight     int             `json:"weight"`
	Method     string          `json:"method"`
	Path       string          `json:"path"`
	PathParams map[string]any  `json:"path_params"`
	Query      map[string]any  `json:"query"`
	Headers    map[string]any  `json:"headers"`
	Body       json.RawMessage `json:"body"`
}

func parseRequests(in io.Reader) ([]benchRequest, error) {
	lines := bufio.NewScanner(in)
	lines.Buffer(nil, apiclient.MaxBodyBytes+64<<10)
	var all []benchRequest
	for number := 1; lines.Scan(); number++ {
		if len(bytes.TrimSpace(lines.Bytes())) == 0 {
			continue
		}
		r, err := parseRequest(lines.Bytes())
		if err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
		if all = append(all, r); len(all) > maxRequestKinds {
			return nil, fmt.Errorf("more than %d requests", maxRequestKinds)
		}
	}
	if err := lines.Err(); err != nil {
		return nil, err
	}
	if len(all) == 0 {
		return nil, errors.New("there is no request in it")
	}
	return all, nil
}

func parseRequest(text []byte) (benchRequest, error) {
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.DisallowUnknownFields()
	decoder.UseNumber()
	var line requestLine
	if err := decoder.Decode(&line); err != nil {
		return benchRequest{}, err
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return benchRequest{}, errors.New("more than one JSON value")
	}
	return line.request()
}

func (l requestLine) request() (benchRequest, error) {
	r := apiclient.Request{Method: strings.ToUpper(cmp.Or(l.Method, http.MethodGet)), Path: l.Path, Query: url.Values{}, Header: http.Header{}}
	switch {
	case l.Path == "":
		return benchRequest{}, errors.New("path is missing")
	case l.Weight < 0:
		return benchRequest{}, fmt.Errorf("weight %d is negative", l.Weight)
	}
	if len(l.PathParams) > 0 {
		r.PathParams = make(map[string]string, len(l.PathParams))
	}
	for name, value := range l.PathParams {
		texts, err := textsOf(value)
		if err != nil || len(texts) != 1 {
			return benchRequest{}, fmt.Errorf("path_params: %s is no text or number", name)
		}
		r.PathParams[name] = texts[0]
	}
	for name, value := range l.Query {
		texts, err := textsOf(value)
		if err != nil {
			return benchRequest{}, fmt.Errorf("query: %s: %w", name, err)
		}
		r.Query[name] = texts
	}
	for name, value := range l.Headers {
		texts, err := textsOf(value)
		if err != nil {
			return benchRequest{}, fmt.Errorf("headers: %s: %w", name, err)
		}
		if strings.EqualFold(name, "Host") || strings.EqualFold(name, "X-Apigw-Api-Id") {
			return benchRequest{}, fmt.Errorf("headers: %s says which API is meant: give --url and --vpce for that", name)
		}
		r.Header[http.CanonicalHeaderKey(name)] = texts
	}
	if err := l.setBody(&r); err != nil {
		return benchRequest{}, err
	}
	return benchRequest{Request: r, name: cmp.Or(l.Name, nameOf(r)), weight: l.Weight}, nil
}

// setBody takes a string as it stands, and everything else as a JSON document.
func (l requestLine) setBody(r *apiclient.Request) error {
	switch {
	case len(l.Body) == 0 || string(l.Body) == "null":
	case l.Body[0] == '"':
		var text string
		if err := json.Unmarshal(l.Body, &text); err != nil {
			return err
		}
		r.Body = []byte(text)
	default:
		r.JSON = l.Body
	}
	return nil
}

// textsOf is a string, a number, a boolean, or a list of them.
func textsOf(value any) ([]string, error) {
	switch value := value.(type) {
	case string:
		return []string{value}, nil
	case json.Number:
		return []string{value.String()}, nil
	case bool:
		return []string{strconv.FormatBool(value)}, nil
	case []any:
		var all []string
		for _, one := range value {
			if _, nested := one.([]any); nested {
				return nil, errors.New("a list within a list")
			}
			texts, err := textsOf(one)
			if err != nil {
				return nil, err
			}
			all = append(all, texts...)
		}
		return all, nil
	default:
		return nil, errors.New("it must be a text, a number, or a list of them")
	}
}

// parseExpected reads statuses and classes of them.
func parseExpected(list []string) (func(status int) bool, error) {
	expected := make(map[int]bool)
	for _, text := range list {
		text = strings.ToLower(strings.TrimSpace(text))
		if class, ok := strings.CutSuffix(text, "xx"); ok && len(class) == 1 && '1' <= class[0] && class[0] <= '5' {
			for i := range 100 {
				expected[int(class[0]-'0')*100+i] = true
			}
			continue
		}
		status, err := strconv.Atoi(text)
		if err != nil || status < 100 || status > 599 {
			return nil, fmt.Errorf("--expect %q is neither a status such as 404 nor a class such as 2xx", text)
		}
		expected[status] = true
	}
	return func(status int) bool { return expected[status] }, nil
}

// allowed refuses what could hurt an API that is not on this machine.
func (o benchOptions) allowed(target *callTarget, requests []benchRequest) error {
	if o.yes || isLoopbackAddress(target.endpoint.DialAddress()) {
		return nil
	}
	why := ""
	total := float64(o.requests)
	if byTime := o.rate * (o.warmup + o.duration).Seconds(); o.requests == 0 || o.duration > 0 && byTime < total {
		total = byTime
	}
	changing := slices.IndexFunc(requests, func(r benchRequest) bool {
		return !slices.Contains([]string{"", http.MethodGet, http.MethodHead, http.MethodOptions}, r.Method)
	})
	switch {
	case o.rate == 0:
		why = "callers without a rate send as fast as they are answered"
	case o.rate > remoteRate:
		why = fmt.Sprintf("%g requests a second are more than %d", o.rate, remoteRate)
	case total > remoteRequests:
		why = fmt.Sprintf("%.0f requests are more than %d", total, remoteRequests)
	case changing >= 0:
		why = requests[changing].name + " may change something"
	default:
		return nil
	}
	return fmt.Errorf("%s is not on this machine, and %s: give --yes if that is what you want", target.endpoint, why)
}

// isLoopbackAddress reports whether a host, with or without a port, is this machine.
func isLoopbackAddress(authority string) bool {
	host := authority
	if name, _, err := net.SplitHostPort(authority); err == nil {
		host = name
	}
	ip := net.ParseIP(strings.Trim(host, "[]"))
	return isThisMachine(host) || ip != nil && ip.IsLoopback()
}

// describe says what is going to be sent.
func (o benchOptions) describe(requests []benchRequest) string {
	what := requests[0].name
	if len(requests) > 1 {
		what = fmt.Sprintf("%d requests in turn", len(requests))
	}
	load := count(o.concurrency, "caller")
	if o.rate > 0 {
		load = fmt.Sprintf("%g a second", o.rate)
	}
	var until []string
	if o.requests > 0 {
		until = append(until, count(o.requests, "request"))
	}
	if o.duration > 0 {
		until = append(until, o.duration.String())
	}
	text := fmt.Sprintf("%s, %s, for %s", what, load, strings.Join(until, " or "))
	if o.warmup > 0 {
		text += fmt.Sprintf(", after %s that do not count", o.warmup)
	}
	return text
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
