package movies

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"
)

// IdempotencyLifetime is how long the outcome of a request with an Idempotency-Key is remembered.
const IdempotencyLifetime = 24 * time.Hour

// Condition is what a writer asks of the movie before it is changed (RFC 9110, section 13.1). Replacing and removing need
// one, so that nobody overwrites what they have not seen; making a new movie does not.
type Condition struct {
	// Any asks that the movie exists, in whatever state: If-Match: *.
	Any bool
	// Match are the entity tags of which the movie must have one: If-Match.
	Match []string
	// None asks that the movie does not exist: If-None-Match: *.
	None bool
}

// check returns CodePreconditionFailed or CodePreconditionRequired, or nil if the movie may be written. The tag of a
// movie that does not exist is "".
func (c Condition) check(key Key, tag string) error {
	exists := tag != ""
	switch {
	case c.None && exists:
		return &Error{Code: CodePreconditionFailed, Message: fmt.Sprintf("the movie %s of %d exists, with the ETag %s", quote(key.Title), key.Year, tag)}
	case (c.Any || len(c.Match) > 0) && !exists:
		return &Error{Code: CodePreconditionFailed, Message: fmt.Sprintf("there is no movie %s of %d", quote(key.Title), key.Year)}
	case len(c.Match) > 0 && !slices.Contains(c.Match, tag):
		return &Error{Code: CodePreconditionFailed, Message: fmt.Sprintf("the movie %s of %d has changed: its ETag is %s", quote(key.Title), key.Year, tag)}
	case !c.Any && len(c.Match) == 0 && !c.None && exists:
		return &Error{Code: CodePreconditionRequired, Message: fmt.Sprintf("the movie %s of %d exists: "+
			"send If-Match with the ETag of the state that you have read, or If-Match: * for any", quote(key.Title), key.Year)}
	}
	return nil
}

// Request names one writing request, so that sending it again has no second effect. The zero value is one without a name.
type Request struct {
	// Caller and IdempotencyKey together are the name; an empty key is none.
	Caller, IdempotencyKey string
	// Fingerprint stands for all that the request asks for: the same name with another fingerprint is refused.
	Fingerprint string
}

// id is the name as the store keeps it: of one length whatever was sent.
func (r Request) id() string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%d %s%s", len(r.Caller), r.Caller, r.IdempotencyKey))
	return hex.EncodeToString(sum[:])
}

// Outcome is what a write did.
type Outcome struct {
	// Created says that there was no such movie before.
	Created bool
	// ETag is the movie's tag afterwards; "" when it is removed.
	ETag string
	// Replayed says that the same request had been carried out before, and this is its outcome.
	Replayed bool
}

// ETag returns the strong entity tag of the movie, quotes included (RFC 9110, section 8.8.3): it stands for the very bytes
// of the movie's JSON.
func (m Movie) ETag() string {
	text, err := encodeJSON(m)
	if err != nil { // a movie is text and numbers; a NaN does not come past Validate
		return ""
	}
	return tagOf(text)
}

func tagOf(text []byte) string {
	sum := sha256.Sum256(text)
	return `"` + base64.RawURLEncoding.EncodeToString(sum[:18]) + `"`
}

// encodeJSON returns the JSON of an answer. Titles have ampersands, and this is no page.
func encodeJSON(v any) ([]byte, error) {
	var buf bytes.Buffer
	enc := json.NewEncoder(&buf)
	enc.SetEscapeHTML(false)
	err := enc.Encode(v)
	return buf.Bytes(), err
}
