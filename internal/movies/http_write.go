package movies

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"mime"
	"net/http"
	"slices"
	"strings"
)

const (
	// MaxBodyBytes is more than the JSON of any movie, with each of its characters escaped.
	MaxBodyBytes = 256 << 10
	// maxIdempotencyKey bounds the header Idempotency-Key.
	maxIdempotencyKey = 255
)

func (h *Handler) put(r *http.Request, params []string, a *answer) error {
	key, err := keyOf(r, params)
	if err != nil {
		return err
	}
	condition, err := conditionOf(r.Header)
	if err != nil {
		return err
	}
	body, err := bodyOf(r)
	if err != nil {
		return err
	}
	m, err := ParseMovie(body, key)
	if err != nil {
		return err
	}
	text, err := encodeJSON(m)
	if err != nil {
		return err
	}
	request, err := h.request(r, key, text)
	if err != nil {
		return err
	}
	outcome, err := h.Writer.Put(r.Context(), m, condition, request)
	if err != nil {
		return err
	}
	if outcome.Created {
		a.status = http.StatusCreated
	}
	a.text = text
	a.header.Set("ETag", outcome.ETag)
	a.replayed(outcome)
	return nil
}

func (h *Handler) remove(r *http.Request, params []string, a *answer) error {
	key, err := keyOf(r, params)
	if err != nil {
		return err
	}
	condition, err := conditionOf(r.Header)
	if err != nil {
		return err
	}
	request, err := h.request(r, key, nil)
	if err != nil {
		return err
	}
	outcome, err := h.Writer.Delete(r.Context(), key, condition, request)
	if err != nil {
		return err
	}
	a.status = http.StatusNoContent
	a.replayed(outcome)
	return nil
}

// replayed tells a caller that this is the answer to what they had sent before.
func (a *answer) replayed(o Outcome) {
	if o.Replayed {
		a.header.Set("Idempotency-Replayed", "true")
	}
}

// bodyOf reads the body, which may be called JSON or nothing at all.
func bodyOf(r *http.Request) ([]byte, error) {
	if given := r.Header.Get("Content-Type"); given != "" {
		kind, _, err := mime.ParseMediaType(given)
		if err != nil || kind != "application/json" {
			return nil, &Error{Code: CodeUnsupportedMediaType, Message: fmt.Sprintf("Content-Type must be application/json, got %s", quote(given))}
		}
	}
	body, err := io.ReadAll(io.LimitReader(r.Body, MaxBodyBytes+1))
	if err != nil {
		return nil, &Error{Code: CodeInvalidJSON, Message: "the body cannot be read", Err: err}
	}
	if len(body) > MaxBodyBytes {
		return nil, &Error{Code: CodeBodyTooLarge, Message: fmt.Sprintf("the body may have %d bytes", MaxBodyBytes)}
	}
	return body, nil
}

// request names the request by its Idempotency-Key, if it has one. The fingerprint holds what would make it another one.
func (h *Handler) request(r *http.Request, key Key, text []byte) (Request, error) {
	given := r.Header.Values("Idempotency-Key")
	if len(given) == 0 {
		return Request{}, nil
	}
	unfit := func(c rune) bool { return c < '!' || c > '~' }
	if len(given) > 1 || given[0] == "" || len(given[0]) > maxIdempotencyKey || strings.ContainsFunc(given[0], unfit) {
		return Request{}, invalidHeader("Idempotency-Key must come once, with 1 to %d visible ASCII characters", maxIdempotencyKey)
	}
	caller := ""
	if h.Origin != nil {
		caller = callerOf(h.Origin(r.Context()).CallerARN)
	}
	hash := sha256.New()
	fmt.Fprintf(hash, "%s %d %q %q %q\n%s", r.Method, key.Year, key.Title, r.Header.Values("If-Match"), r.Header.Values("If-None-Match"), text)
	return Request{Caller: caller, IdempotencyKey: given[0], Fingerprint: hex.EncodeToString(hash.Sum(nil))}, nil
}

// conditionOf reads If-Match and If-None-Match of a writing request (RFC 9110, section 13.1).
func conditionOf(header http.Header) (Condition, error) {
	var c Condition
	match := strings.Join(header.Values("If-Match"), ",")
	none := strings.TrimSpace(strings.Join(header.Values("If-None-Match"), ","))
	if match != "" && none != "" {
		return c, invalidHeader("If-Match and If-None-Match exclude each other: send one of them")
	}
	if none != "" && none != "*" {
		return c, invalidHeader("If-None-Match must be * when writing: it asks that the movie does not exist")
	}
	c.None = none == "*"
	if match == "" {
		return c, nil
	}
	var err error
	c.Match, c.Any, err = parseTags("If-Match", match)
	// A weak tag says nothing about the very bytes: it matches nothing here (RFC 9110, section 13.1.1), and is no mistake.
	return c, err
}

// parseTags reads a list of entity tags, or the * that stands for any (RFC 9110, section 8.8.3).
func parseTags(name, text string) (tags []string, any bool, err error) {
	text = strings.TrimSpace(text)
	if text == "*" {
		return nil, true, nil
	}
	for rest := text; ; {
		rest = strings.TrimLeft(rest, " \t,")
		if rest == "" {
			break
		}
		weak := strings.HasPrefix(rest, "W/")
		opaque := strings.TrimPrefix(rest, "W/")
		end := -1
		if strings.HasPrefix(opaque, `"`) {
			end = strings.IndexByte(opaque[1:], '"')
		}
		if end < 0 {
			return nil, false, badTags(name)
		}
		tag := opaque[:end+2]
		if rest = strings.TrimLeft(opaque[end+2:], " \t"); rest != "" && rest[0] != ',' {
			return nil, false, badTags(name)
		}
		if weak {
			tag = "W/" + tag
		}
		tags = append(tags, tag)
	}
	if len(tags) == 0 {
		return nil, false, badTags(name)
	}
	return slices.Clip(tags), false, nil
}

func badTags(name string) error {
	return invalidHeader("%s must be *, or ETags in their quotation marks with commas between them", name)
}

func invalidHeader(format string, args ...any) error {
	return &Error{Code: CodeInvalidHeader, Message: fmt.Sprintf(format, args...)}
}
