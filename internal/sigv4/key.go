package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"strings"
	"sync/atomic"
)

// keySlots bounds a key cache. A signer needs one key for each identity, region
// and service at a time; more than this many at once costs time, not memory.
const keySlots = 128

// signingKey is a key derived for one secret, day, region and service, and what is
// the same in all signatures with it.
type signingKey struct {
	id, secret, date, region, service string

	scope  string // "20150830/us-east-1/execute-api/aws4_request"
	header string // an Authorization header up to the signed headers

	// The states of SHA-256 after the first block of HMAC's inner and outer hash
	// (RFC 2104 section 4): they save two of six blocks for each signature.
	inner, outer []byte
}

// keyCache is a table in which a key has one place. A newer key of that place
// replaces the older one, so the table neither grows nor needs a lock, and keys of
// yesterday go by themselves.
type keyCache struct {
	slots [keySlots]atomic.Pointer[signingKey]
}

// get returns the key for the credentials and scope, and derives it if it is not
// there. The secret is part of what is compared: a secret that was rotated under
// the same id must never meet the old key.
func (c *keyCache) get(id, secret string, date []byte, region, service string) *signingKey {
	slot := &c.slots[cachePlace(id, region, service)%keySlots]
	key := slot.Load()
	if key != nil && key.date == string(date) && key.id == id && key.secret == secret &&
		key.region == region && key.service == service {
		return key
	}
	key = newSigningKey(id, secret, string(date), region, service)
	slot.Store(key)
	return key
}

// cachePlace mixes the ends of the names, where those of one program differ.
func cachePlace(id, region, service string) uint {
	end := func(name string) uint {
		if len(name) < 2 {
			return uint(len(name))
		}
		return uint(name[len(name)-1]) + uint(name[len(name)-2])<<4
	}
	return end(id) + 7*end(region) + 13*end(service)
}

func newSigningKey(id, secret, date, region, service string) *signingKey {
	// The names may be pieces of a whole request: keep only them.
	scope := date + "/" + region + "/" + service + "/" + terminator
	key := &signingKey{
		id: strings.Clone(id), secret: strings.Clone(secret),
		date: date, region: strings.Clone(region), service: strings.Clone(service),
		scope:  scope,
		header: algorithmHMAC + " Credential=" + id + "/" + scope + ", SignedHeaders=",
	}
	raw := deriveKey(secret, date, region, service)
	key.inner, key.outer = keyedState(raw, 0x36), keyedState(raw, 0x5c)
	return key
}

// deriveKey makes the signing key of "Derive a signing key" in the IAM User Guide.
func deriveKey(secret, date, region, service string) []byte {
	key := hmacSHA256([]byte("AWS4"+secret), date)
	key = hmacSHA256(key, region)
	key = hmacSHA256(key, service)
	return hmacSHA256(key, terminator)
}

func hmacSHA256(key []byte, text string) []byte {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(text))
	return mac.Sum(nil)
}

// keyedState is the state of SHA-256 after the key, shorter than a block, XOR pad.
func keyedState(key []byte, pad byte) []byte {
	var block [sha256.BlockSize]byte
	copy(block[:], key)
	for i := range block {
		block[i] ^= pad
	}
	return newDigest().stateAfter(nil, block[:], nil)
}

// sign leaves the signature of work.toSign in work.signature. The first block of
// the string to sign (algorithm, time, start of the scope) is the same for all
// signatures of one second and key, so the state after it is kept, too.
func (k *signingKey) sign(work *scratch) {
	n := min(sha256.BlockSize, len(work.toSign))
	if work.headKey != k || string(work.head) != string(work.toSign[:n]) {
		work.headState = work.hash.stateAfter(k.inner, work.toSign[:n], work.headState[:0])
		work.head, work.headKey = append(work.head[:0], work.toSign[:n]...), k
	}
	sum := work.hash.sumFrom(work.headState, work.toSign[n:], work.sum[:0])
	work.sum = work.hash.sumFrom(k.outer, sum, sum[:0])
	work.signature = appendSum(work.signature[:0], work.sum)
}
