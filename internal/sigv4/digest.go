package sigv4

import (
	"crypto/sha256"
	"encoding"
	"hash"
)

// digest is SHA-256 whose state can be kept and taken up again, which the one of
// crypto/sha256 documents.
type digest struct{ resumable }

type resumable interface {
	hash.Hash
	encoding.BinaryAppender
	encoding.BinaryUnmarshaler
}

func newDigest() digest { return digest{sha256.New().(resumable)} }

// sum appends the hash of data.
func (d digest) sum(data, dst []byte) []byte {
	d.Reset()
	d.Write(data)
	return d.Sum(dst)
}

// sumFrom appends the hash of data after what led to the state.
func (d digest) sumFrom(state, data, dst []byte) []byte {
	if err := d.UnmarshalBinary(state); err != nil {
		panic("sigv4: " + err.Error()) // the state is one of ours
	}
	d.Write(data)
	return d.Sum(dst)
}
