package apiclient

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"hash"
	"io"
	"net/http"
	"sync"

	"github.com/marquee-api/marquee/internal/sigv4"
)

// MaxBodyBytes is API Gateway's limit for a request's body, the one that its own 413 names.
const MaxBodyBytes = 10 << 20

// HashedBody is a request's body whose hash is known already, so that nobody reads it a second time to find out. With
// GetBody and ContentLength beside it, [Transport] takes its word: the gateway refuses a wrong one.
type HashedBody interface {
	io.ReadCloser
	// SHA256 is the hash of the whole body in lower-case hex.
	SHA256() string
}

// payload is a request's body, hashed, to be sent as often as it takes.
type payload struct {
	hash string // SHA-256 in hex
	size int64
	open func() (io.ReadCloser, error) // nil when there is no body
}

// readPayload hashes the body: the signature covers all of it, so it must be known before the first byte is sent. A body
// that GetBody can replay is never held in memory.
func readPayload(req *http.Request) (payload, error) {
	if req.Body == nil || req.Body == http.NoBody {
		return payload{hash: sigv4.EmptyPayloadHash}, nil
	}
	if req.ContentLength > MaxBodyBytes {
		return payload{}, fmt.Errorf("%w: %d bytes", ErrBodyTooLarge, req.ContentLength)
	}
	if known, ok := req.Body.(HashedBody); ok && req.GetBody != nil && req.ContentLength > 0 {
		return payload{hash: known.SHA256(), size: req.ContentLength, open: req.GetBody}, nil
	}
	sum := meters.Get().(*meter)
	defer sum.release()
	p := payload{open: req.GetBody}
	if req.GetBody == nil {
		var held bytes.Buffer
		if _, err := io.Copy(io.MultiWriter(sum, &held), req.Body); err != nil {
			return payload{}, fmt.Errorf("reading the request body: %w", err)
		}
		p.open = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(held.Bytes())), nil }
	} else if err := sum.read(req.GetBody); err != nil {
		return payload{}, fmt.Errorf("reading the request body: %w", err)
	}
	if req.ContentLength > 0 && sum.size != req.ContentLength {
		return payload{}, fmt.Errorf("request body has %d bytes, its Content-Length says %d", sum.size, req.ContentLength)
	}
	p.hash, p.size = sum.text(), sum.size
	if p.size == 0 {
		p.open = nil
	}
	return p, nil
}

// body opens the payload once more.
func (p payload) body() (io.ReadCloser, error) {
	if p.open == nil {
		return http.NoBody, nil
	}
	return p.open()
}

// meter hashes and counts, and stops at the limit: an endless body ends there. Its buffers are its own, as it is used
// again for the next request: hashing allocates the text of the hash and nothing else.
type meter struct {
	hash  hash.Hash
	size  int64
	sum   [sha256.Size]byte
	hex   [2 * sha256.Size]byte
	piece [4 << 10]byte
}

var meters = sync.Pool{New: func() any { return &meter{hash: sha256.New()} }}

func (m *meter) release() {
	m.hash.Reset()
	m.size = 0
	meters.Put(m)
}

// text is the hash in hex.
func (m *meter) text() string {
	hex.Encode(m.hex[:], m.hash.Sum(m.sum[:0]))
	return string(m.hex[:])
}

func (m *meter) Write(b []byte) (int, error) {
	if m.size += int64(len(b)); m.size > MaxBodyBytes {
		return 0, ErrBodyTooLarge
	}
	return m.hash.Write(b)
}

// WriteString is what io.Copy asks a strings.Reader's target for. Without it a copy of the whole string is made.
func (m *meter) WriteString(s string) (int, error) {
	for rest := s; rest != ""; {
		n := copy(m.piece[:], rest)
		if _, err := m.Write(m.piece[:n]); err != nil {
			return 0, err
		}
		rest = rest[n:]
	}
	return len(s), nil
}

func (m *meter) read(open func() (io.ReadCloser, error)) error {
	body, err := open()
	if err != nil {
		return err
	}
	defer body.Close()
	_, err = io.Copy(m, body)
	return err
}
