package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net/http"
)

// EmptyPayloadHash is the SHA-256 of no bytes: the payload hash of a request
// without a body.
const EmptyPayloadHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// ErrBodyReadOnce is returned for a request whose body cannot be read twice, once
// to hash it and once to send it.
var ErrBodyReadOnce = errors.New("sigv4: the request's body can be read only once: set SignInput.PayloadHash or Request.GetBody")

// HashBody returns the payload hash of a body: its SHA-256 in lower-case hex.
func HashBody(body []byte) string {
	if len(body) == 0 {
		return EmptyPayloadHash
	}
	sum := sha256.Sum256(body)
	return hex.EncodeToString(sum[:])
}

// HashReader returns the payload hash of what is left to read of r, in a bounded
// amount of memory.
func HashReader(r io.Reader) (string, error) {
	hash := sha256.New()
	if _, err := io.Copy(hash, r); err != nil {
		return "", fmt.Errorf("sigv4: hash the body: %w", err)
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}

// writePayloadHash leaves the payload line in work.payload.
func (in *SignInput) writePayloadHash(work *scratch) error {
	switch {
	case in.PayloadHash != "":
		work.payload = append(work.payload[:0], in.PayloadHash...)
	case in.Body != nil:
		sum := sha256.Sum256(in.Body)
		work.payload = appendSum(work.payload[:0], sum[:])
	default:
		hash, err := requestPayloadHash(in.Request)
		if err != nil {
			return err
		}
		work.payload = append(work.payload[:0], hash...)
	}
	return nil
}

// requestPayloadHash hashes a request's body and leaves the body as it was: it
// reads a copy from GetBody, or reads a seekable body (a file) and seeks back.
func requestPayloadHash(r *http.Request) (hash string, err error) {
	if r.Body == nil || r.Body == http.NoBody {
		return EmptyPayloadHash, nil
	}
	if r.GetBody != nil {
		body, err := r.GetBody()
		if err != nil {
			return "", fmt.Errorf("sigv4: get a copy of the body: %w", err)
		}
		defer body.Close()
		return HashReader(body)
	}
	seeker, ok := r.Body.(io.Seeker)
	if !ok {
		return "", ErrBodyReadOnce
	}
	start, err := seeker.Seek(0, io.SeekCurrent)
	if err != nil { // a pipe is an *os.File, too
		return "", fmt.Errorf("%w: %w", ErrBodyReadOnce, err)
	}
	hash, err = HashReader(r.Body)
	if err != nil {
		return "", err
	}
	if _, err := seeker.Seek(start, io.SeekStart); err != nil {
		return "", fmt.Errorf("sigv4: rewind the body: %w", err)
	}
	return hash, nil
}
