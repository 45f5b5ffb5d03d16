package movies

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"time"
)

const (
	// tokenVersion is the first byte of every token. A token of another layout gets another number, so that neither can be
	// taken for the other. 1 had no authentication.
	tokenVersion = 2
	// A token is version, key id, expiry, selection, cursor, MAC. The selection is as much of its hash as keeps a mix-up
	// from going unnoticed; what nobody can forge is the MAC's doing.
	keyIDBytes     = 4
	expiryBytes    = 4
	selectionBytes = 8
	tokenHeadBytes = 1 + keyIDBytes + expiryBytes + selectionBytes
	macBytes       = 16
	// maxTokenLength bounds what is decoded: a cursor is a little longer than the longest title, and base64 adds a third.
	maxTokenLength = 2048
	// DefaultTokenLifetime is how long a walk may pause between two pages.
	DefaultTokenLifetime = 24 * time.Hour
	// TokenKeyBytes is the length of a key, that of the hash (RFC 2104, section 3).
	TokenKeyBytes = sha256.Size
)

// Keyring gives the keys of page tokens: the first seals, all open. With reload it looks whether there are new ones.
type Keyring func(ctx context.Context, reload bool) ([][]byte, error)

// Tokens turns the cursors of a store into the opaque page tokens of the API and back. A token is bound to the query
// it came from, authenticated, and expires.
type Tokens struct {
	// Keys is required where a page has a next one.
	Keys Keyring
	// Lifetime is how long a token can be used; 0 means DefaultTokenLifetime.
	Lifetime time.Duration
	// Now is the clock; nil means time.Now.
	Now func() time.Time
}

// Seal returns the token that continues q at the given cursor, or "" at the end. An error is one of getting the key.
func (t Tokens) Seal(ctx context.Context, q Query, at Cursor) (string, error) {
	if at == "" {
		return "", nil
	}
	if t.Keys == nil {
		return "", errors.New("page tokens have no keys")
	}
	keys, err := t.Keys(ctx, false)
	if err != nil {
		return "", err
	}
	if len(keys) == 0 {
		return "", errors.New("the keyring of page tokens is empty")
	}
	lifetime := t.Lifetime
	if lifetime == 0 {
		lifetime = DefaultTokenLifetime
	}
	raw := append([]byte{tokenVersion}, keyID(keys[0])...)
	raw = binary.BigEndian.AppendUint32(raw, uint32(t.now().Add(lifetime).Unix()))
	raw = append(append(raw, selectionHash(q)...), at...)
	return base64.RawURLEncoding.EncodeToString(append(raw, mac(keys[0], raw)...)), nil
}

// Open returns the cursor of a token that Seal made for the same selection of movies. Anything else is a
// CodeInvalidParameter error about the parameter next; another error is one of getting the keys.
func (t Tokens) Open(ctx context.Context, token string, q Query) (Cursor, error) {
	if token == "" {
		return "", invalid("next is empty: leave it out to read the first page")
	}
	if len(token) > maxTokenLength {
		return "", badToken()
	}
	raw, err := base64.RawURLEncoding.DecodeString(token)
	// base64 skips line ends and Go accepts loose last bits, so only the exact spelling counts.
	if err != nil || base64.RawURLEncoding.EncodeToString(raw) != token || len(raw) == 0 {
		return "", badToken()
	}
	if raw[0] != tokenVersion {
		return "", invalid("next was made by another version of this API: leave it out to read from the first page")
	}
	if len(raw) <= tokenHeadBytes+macBytes {
		return "", badToken()
	}
	signed, sum := raw[:len(raw)-macBytes], raw[len(raw)-macBytes:]
	key, err := t.key(ctx, signed[1:1+keyIDBytes])
	if err != nil {
		return "", err
	}
	if key == nil || !hmac.Equal(mac(key, signed), sum) {
		return "", badToken()
	}
	expiry := binary.BigEndian.Uint32(signed[1+keyIDBytes:])
	if t.now().Unix() >= int64(expiry) {
		return "", invalid("next has expired: leave it out to read from the first page")
	}
	if !bytes.Equal(signed[1+keyIDBytes+expiryBytes:tokenHeadBytes], selectionHash(q)) {
		return "", invalid("next belongs to another query: send it with the parameters of the page that it came from")
	}
	return Cursor(signed[tokenHeadBytes:]), nil
}

// key finds the key of that id, or nil. A key that is not known may be newer than this process.
func (t Tokens) key(ctx context.Context, id []byte) ([]byte, error) {
	if t.Keys == nil {
		return nil, errors.New("page tokens have no keys")
	}
	for _, reload := range []bool{false, true} {
		keys, err := t.Keys(ctx, reload)
		if err != nil {
			return nil, err
		}
		for _, key := range keys {
			if bytes.Equal(keyID(key), id) {
				return key, nil
			}
		}
	}
	return nil, nil
}

func (t Tokens) now() time.Time {
	if t.Now == nil {
		return time.Now()
	}
	return t.Now()
}

// keyID names a key without telling it.
func keyID(key []byte) []byte { return mac(key, []byte("key id"))[:keyIDBytes] }

func mac(key, text []byte) []byte {
	h := hmac.New(sha256.New, key)
	h.Write(text)
	return h.Sum(nil)[:macBytes]
}

func selectionHash(q Query) []byte {
	sum := sha256.Sum256([]byte(q.selection()))
	return sum[:selectionBytes]
}

func badToken() error {
	return invalid("next is not a page token of this API: send the NextToken of the page before, or leave it out")
}
