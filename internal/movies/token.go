package movies

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
)

const (
	// tokenVersion is the first byte of every token. A token of another layout (with a signature, with an expiry)
	// gets another number, so that neither can be taken for the other.
	tokenVersion = 1
	// selectionBytes is how much of the hash of the selection a token holds. It guards against mixing up tokens by
	// mistake; forging one gains nothing, since a cursor only names a position in data that the caller may read.
	selectionBytes = 8
	// maxTokenLength bounds what is decoded: a cursor is a little longer than the longest title, and base64 adds a third.
	maxTokenLength = 2048
)

// Tokens turns the cursors of a store into the opaque page tokens of the API and back. A token is bound to the query
// it came from. The zero value is ready to use.
type Tokens struct{}

// Seal returns the token that continues q at the given cursor, or "" at the end.
func (Tokens) Seal(q Query, at Cursor) string {
	if at == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(append(tokenHead(q), at...))
}

// Open returns the cursor of a token that Seal made for the same selection of movies. Anything else is a
// CodeInvalidParameter error about the parameter next.
func (Tokens) Open(token string, q Query) (Cursor, error) {
	if token == "" {
		return "", invalid("next is empty: leave it out to read the first page")
	}
	if len(token) > maxTokenLength {
		return "", badToken()
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	// base64 skips line ends and Go accepts loose last bits, so only the exact spelling counts.
	if err != nil || base64.RawURLEncoding.EncodeToString(raw) != token {
		return "", badToken()
	}
	head := tokenHead(q)
	switch {
	case len(raw) <= len(head):
		return "", badToken()
	case raw[0] != tokenVersion:
		return "", invalid("next was made by another version of this API: leave it out to read from the first page")
	case !bytes.HasPrefix(raw, head):
		return "", invalid("next belongs to another query: send it with the parameters of the page that it came from")
	}
	return Cursor(raw[len(head):]), nil
}

func tokenHead(q Query) []byte {
	sum := sha256.Sum256([]byte(q.selection()))
	return append([]byte{tokenVersion}, sum[:selectionBytes]...)
}

func badToken() error {
	return invalid("next is not a page token of this API: send the NextToken of the page before, or leave it out")
}
