package proxyevent

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// Why a function's answer cannot be sent. API Gateway answers 502 to the first and 500 to the second, both with
// "Internal server error"; the text is for the one who runs the function.
var (
	ErrMalformed = errors.New("malformed Lambda proxy response")
	ErrBase64    = errors.New("the body is marked isBase64Encoded but is not base64")
)

// Response is what the caller is sent. Names in Header keep the function's spelling.
type Response struct {
	Status int
	Header http.Header
	Body   []byte
}

// ParseResponse reads a function's answer. accept is the request's Accept header: a base64 body is decoded only if its
// first media type is one of binary, whatever the answer's Content-Type. Errors wrap ErrMalformed or ErrBase64.
func ParseResponse(payload []byte, accept string, binary []string) (Response, error) {
	var fields map[string]json.RawMessage
	if err := json.Unmarshal(payload, &fields); err != nil || fields == nil {
		return Response{}, fmt.Errorf("%w: want a JSON object with statusCode, headers and body", ErrMalformed)
	}
	a := answer{status: http.StatusOK}
	for _, name := range sortedKeys(fields) {
		if err := a.set(name, fields[name]); err != nil {
			return Response{}, fmt.Errorf("%w: %w", ErrMalformed, err)
		}
	}
	body := []byte(a.body)
	first, _, _ := strings.Cut(accept, ",")
	if a.base64 && matchesMediaType(binary, first) {
		decoded, err := base64.StdEncoding.DecodeString(a.body)
		if err != nil {
			return Response{}, ErrBase64
		}
		body = decoded
	}
	return Response{Status: a.status, Header: a.header(), Body: body}, nil
}

type answer struct {
	status int
	single map[string]string
	multi  map[string][]string
	body   string
	base64 bool
}

// set takes one top-level key; any but the five documented ones makes the answer malformed.
func (a *answer) set(name string, raw json.RawMessage) error {
	null := string(raw) == "null"
	switch name {
	case "statusCode":
		return a.setStatus(raw)
	case "headers":
		var values map[string]any
		if err := json.Unmarshal(raw, &values); err != nil {
			return errors.New("headers is not an object")
		}
		return a.setHeaders(values)
	case "multiValueHeaders":
		var values map[string][]any
		if err := json.Unmarshal(raw, &values); err != nil {
			return errors.New("multiValueHeaders is not an object of lists")
		}
		return a.setMultiValueHeaders(values)
	case "body":
		if !null && json.Unmarshal(raw, &a.body) != nil {
			return errors.New("body is not a string")
		}
	case "isBase64Encoded":
		if !null && json.Unmarshal(raw, &a.base64) != nil {
			return errors.New("isBase64Encoded is not a boolean")
		}
	default:
		return fmt.Errorf("unknown key %q", name)
	}
	return nil
}

// setStatus takes a number or a string of digits. What net/http could not send as a final status is malformed.
func (a *answer) setStatus(raw json.RawMessage) error {
	text := strings.Trim(string(raw), `"`)
	status, err := strconv.Atoi(text)
	if err != nil || status < 200 || status > 599 {
		return fmt.Errorf("statusCode %s is not a status from 200 to 599", raw)
	}
	a.status = status
	return nil
}

func (a *answer) setHeaders(values map[string]any) error {
	a.single = make(map[string]string, len(values))
	for name, v := range values {
		if err := checkHeaderName(name); err != nil {
			return err
		}
		text, err := headerValue(name, v)
		if err != nil {
			return err
		}
		a.single[name] = text
	}
	return nil
}

func (a *answer) setMultiValueHeaders(values map[string][]any) error {
	a.multi = make(map[string][]string, len(values))
	for name, list := range values {
		if err := checkHeaderName(name); err != nil {
			return err
		}
		for _, v := range list {
			text, err := headerValue(name, v)
			if err != nil {
				return err
			}
			a.multi[name] = append(a.multi[name], text)
		}
	}
	return nil
}

// checkHeaderName refuses what is no token (RFC 9110, section 5.6.2): net/http would leave such a header out and say
// nothing. What API Gateway makes of one is not documented.
func checkHeaderName(name string) error {
	for i := range len(name) {
		c := name[i]
		if c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0 {
			continue
		}
		return fmt.Errorf("%q is no name of a header", name)
	}
	if name == "" {
		return errors.New("a header has no name")
	}
	return nil
}

func headerValue(name string, v any) (string, error) {
	switch v := v.(type) {
	case string:
		return v, nil
	case bool:
		return strconv.FormatBool(v), nil
	case float64:
		return strconv.FormatFloat(v, 'f', -1, 64), nil
	case nil:
		return "", nil
	}
	return "", fmt.Errorf("header %q is neither text, a number nor a boolean", name)
}

// header merges both maps: multi values first, then the single one unless that pair is there already; one spelling for
// each name, that of multiValueHeaders. Names that API Gateway keeps for itself are renamed.
func (a *answer) header() http.Header {
	h := make(http.Header, len(a.single)+len(a.multi)+1)
	spelling := make(map[string]string, len(h))
	add := func(name string, values ...string) {
		name = remap(name)
		if name == "" {
			return
		}
		key := strings.ToLower(name)
		if spelling[key] == "" {
			spelling[key] = name
		}
		h[spelling[key]] = append(h[spelling[key]], values...)
	}
	for _, name := range sortedKeys(a.multi) {
		add(name, a.multi[name]...)
	}
	for _, name := range sortedKeys(a.single) {
		if !slices.Contains(h[spelling[strings.ToLower(remap(name))]], a.single[name]) {
			add(name, a.single[name])
		}
	}
	if len(h["Content-Type"]) == 0 {
		h["Content-Type"] = []string{"application/json"}
	}
	return h
}

// remap returns the name under which a header of the function's is sent, or "" for one that is dropped ("Important
// notes": remapped headers).
func remap(name string) string {
	switch http.CanonicalHeaderKey(name) {
	case "Connection", "Content-Length", "Date", "Server":
		return "x-amzn-Remapped-" + http.CanonicalHeaderKey(name)
	case "Www-Authenticate":
		return "X-Amzn-Remapped-WWW-Authenticate"
	case "Transfer-Encoding":
		return ""
	case "Content-Type":
		return "Content-Type" // net/http looks for this spelling before it guesses a type of its own
	}
	return name
}

func sortedKeys[V any](m map[string]V) []string {
	keys := make([]string, 0, len(m))
	for k := range m {
		keys = append(keys, k)
	}
	sort.Strings(keys)
	return keys
}
