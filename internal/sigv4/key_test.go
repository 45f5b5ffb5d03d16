package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"testing"
)

const docsSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"

// The key and the signature are those of AWS's worked example, "GET ListUsers" of
// the Signature Version 4 pages in the AWS General Reference.
func TestDeriveKey(t *testing.T) {
	got := hex.EncodeToString(deriveKey(docsSecret, "20150830", "us-east-1", "iam"))
	if want := "c4afb1cc5771d871763a393e44b703571b55cc28424d1a5e86da6ed3c154a4b9"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestSigningKeySign(t *testing.T) {
	key := newSigningKey("AKIDEXAMPLE", docsSecret, "20150830", "us-east-1", "iam")
	work := getScratch()
	defer work.release()
	work.toSign = append(work.toSign[:0], "AWS4-HMAC-SHA256\n20150830T123600Z\n20150830/us-east-1/iam/aws4_request\n"+
		"f536975d06c0309214f805bb90ccff089219ecd68b2577efef23edd43b7e1a59"...)
	for range 2 { // the second time from the state of the first
		key.sign(work)
		if got, want := string(work.signature), "5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7"; got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
	if want := "20150830/us-east-1/iam/aws4_request"; key.scope != want {
		t.Errorf("scope: got %s, want %s", key.scope, want)
	}
}

// Own HMAC (the keyed states are kept) against crypto/hmac, over every length that
// a string to sign may have in its last block.
func TestSigningKeyIsHMAC(t *testing.T) {
	work := getScratch()
	defer work.release()
	for n := range 200 {
		work.toSign = append(work.toSign[:0], fmt.Sprintf("%0*d", n, 7)...)
		for _, secret := range []string{"a", "b", "b"} { // one text, another key, the same again
			mac := hmac.New(sha256.New, deriveKey(secret, "20261123", "r", "s"))
			mac.Write(work.toSign)
			newSigningKey("id", secret, "20261123", "r", "s").sign(work)
			if got, want := string(work.signature), hex.EncodeToString(mac.Sum(nil)); got != want {
				t.Fatalf("%d bytes, secret %s: got %s, want %s", n, secret, got, want)
			}
		}
	}
}

func TestKeyCache(t *testing.T) {
	var cache keyCache
	base := [5]string{"id", "secret", "20261123", "region", "service"}
	get := func(k [5]string) *signingKey { return cache.get(k[0], k[1], []byte(k[2]), k[3], k[4]) }
	first := get(base)
	if get(base) != first {
		t.Error("the same key was derived twice")
	}
	for i, part := range []string{"id", "secret", "date", "region", "service"} {
		other := base
		other[i] = "x" + other[i][1:] // in the same place of the table
		get(base)
		got := get(other)
		want := newSigningKey(other[0], other[1], other[2], other[3], other[4])
		if got == first || string(got.inner) != string(want.inner) || got.scope != want.scope {
			t.Errorf("another %s got the key of %v", part, base)
		}
	}
}

// More identities than places: the table must not grow, and no key may be wrong.
func TestKeyCacheBounded(t *testing.T) {
	var cache keyCache
	for round := range 2 {
		for i := range 3 * keySlots {
			id := fmt.Sprintf("AKID%d", i)
			key := cache.get(id, "s"+id, []byte("20261123"), "r", "s")
			if key.id != id || key.secret != "s"+id {
				t.Fatalf("round %d: asked for %s, got %s", round, id, key.id)
			}
		}
	}
}
