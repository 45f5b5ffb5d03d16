package sigv4

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"math/big"
	"strings"
	"sync/atomic"
)

// ecdsaKey is the key pair that SigV4a derives from one set of credentials.
type ecdsaKey struct {
	id, secret string
	private    *ecdsa.PrivateKey
}

// ecdsaCache keeps key pairs as keyCache keeps signing keys. Deriving one costs
// some ten thousand times what a look-up costs.
type ecdsaCache struct {
	slots [keySlots]atomic.Pointer[ecdsaKey]
}

func (c *ecdsaCache) get(id, secret string) (*ecdsa.PrivateKey, error) {
	slot := &c.slots[cachePlace(id, "", "")%keySlots]
	if key := slot.Load(); key != nil && key.id == id && key.secret == secret {
		return key.private, nil
	}
	private, err := deriveECDSA(id, secret)
	if err != nil {
		return nil, err
	}
	slot.Store(&ecdsaKey{strings.Clone(id), strings.Clone(secret), private})
	return private, nil
}

// sign leaves the signature of work.toSign, DER in lower-case hex, in
// work.signature. The nonce is deterministic (RFC 6979): no source of randomness
// can weaken the key.
func (c *ecdsaCache) sign(creds *Credentials, work *scratch) error {
	private, err := c.get(creds.AccessKeyID, creds.SecretAccessKey)
	if err != nil {
		return err
	}
	digest := sha256.Sum256(work.toSign)
	signature, err := private.Sign(nil, digest[:], crypto.SHA256)
	if err != nil {
		return fmt.Errorf("sigv4: sign with ECDSA: %w", err)
	}
	work.signature = hex.AppendEncode(work.signature[:0], signature)
	return nil
}

// verify reports whether signature (hex DER) is that of text under the key pair
// of the credentials.
func (c *ecdsaCache) verify(id, secret string, text []byte, signature string) (bool, error) {
	private, err := c.get(id, secret)
	if err != nil {
		return false, err
	}
	der, err := hex.DecodeString(signature)
	if err != nil || hex.EncodeToString(der) != signature { // upper case is another byte
		return false, nil
	}
	digest := sha256.Sum256(text)
	return ecdsa.VerifyASN1(&private.PublicKey, digest[:], der), nil
}

var errNoECDSAKey = errors.New("sigv4: no SigV4a key can be derived from these credentials")

// deriveECDSA makes a P-256 key from a secret: the KDF in counter mode of NIST SP
// 800-108 with HMAC-SHA256, and FIPS 186-4 appendix B.4.2 (testing candidates) to
// turn its output into a private key.
func deriveECDSA(id, secret string) (*ecdsa.PrivateKey, error) {
	order := elliptic.P256().Params().N
	limit := new(big.Int).Sub(order, big.NewInt(2))
	for counter := 1; counter < 255; counter++ {
		candidate := new(big.Int).SetBytes(ecdsaCandidate(id, secret, byte(counter)))
		if candidate.Cmp(limit) > 0 {
			continue
		}
		raw := candidate.Add(candidate, big.NewInt(1)).FillBytes(make([]byte, 32))
		return ecdsa.ParseRawPrivateKey(elliptic.P256(), raw)
	}
	return nil, errNoECDSAKey
}

// ecdsaCandidate is one output block of the KDF, 256 bits long.
func ecdsaCandidate(id, secret string, counter byte) []byte {
	mac := hmac.New(sha256.New, []byte("AWS4A"+secret))
	var number [4]byte
	binary.BigEndian.PutUint32(number[:], 1) // the block
	mac.Write(number[:])
	mac.Write([]byte(algorithmECDSA))
	mac.Write([]byte{0})
	mac.Write([]byte(id))
	mac.Write([]byte{counter})
	binary.BigEndian.PutUint32(number[:], 256) // the length in bits
	mac.Write(number[:])
	return mac.Sum(nil)
}
