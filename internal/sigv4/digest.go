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
	d.resume(state)
	d.Write(data)
	return d.Sum(dst)
}

// stateAfter appends the state that data leads to from another one; nil is the
// beginning.
func (d digest) stateAfter(state, data, dst []byte) []byte {
	d.Reset()
	if state != nil {
		d.resume(state)
	}
	d.Write(data)
	dst, err := d.AppendBinary(dst)
	if err != nil {
		panic("sigv4: " + err.Error()) // SHA-256 documents no error
	}
	return dst
}

func (d digest) resume(state []byte) {
	if err := d.UnmarshalBinary(state); err != nil {
		panic("sigv4: " + err.Error()) // the state is one of ours
	}
}
