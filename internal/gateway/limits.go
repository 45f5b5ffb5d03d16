package gateway

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
)

// The quotas of "Amazon API Gateway quotas" for REST APIs, in bytes.
const (
	maxBody           = 10 << 20
	maxURLPrivate     = 8192
	maxURL            = 10240
	maxHeadersPrivate = 8000
	maxHeaders        = 10240
	maxMethodARN      = 1600
	maxEvent          = 6<<20 + 100 // Lambda's synchronous payload, as its runtime interface counts it
)

// checkLimits refuses what the front end refuses before it looks at the request.
func checkLimits(d *Door, r *http.Request) *Refusal {
	if !strings.HasPrefix(r.RequestURI, "/") {
		return refuseBadRequest.because("the request target %.40q is not a path", r.RequestURI)
	}
	limit, longest := maxHeaders, maxURL
	if d.private() {
		limit, longest = maxHeadersPrivate, maxURLPrivate
	}
	if len(r.RequestURI) > longest {
		return refuseLongURI.because("the request target has %d bytes, the limit is %d", len(r.RequestURI), longest)
	}
	if size := headerSize(r); size > limit {
		return refuseLargeHeaders.because("the headers have %d bytes, the limit is %d", size, limit)
	}
	if r.ContentLength > maxBody {
		return refuseLargeBody.because("the body has %d bytes", r.ContentLength)
	}
	return nil
}

// headerSize counts names, values, the separator and the line end.
func headerSize(r *http.Request) int {
	size := len("Host: \r\n") + len(r.Host)
	for name, values := range r.Header {
		for _, value := range values {
			size += len(name) + len(value) + len(": \r\n")
		}
	}
	return size
}

// emptyHash is the SHA-256 of no bytes.
const emptyHash = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"

// readBody returns the body, at most 10 MiB of it, and its hash.
func readBody(w http.ResponseWriter, r *http.Request) (body []byte, hash string, refusal *Refusal) {
	if r.Body == nil || r.Body == http.NoBody {
		return nil, emptyHash, nil
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, maxBody))
	var tooLarge *http.MaxBytesError
	switch {
	case errors.As(err, &tooLarge):
		return nil, "", refuseLargeBody.because("the body has more than %d bytes", maxBody)
	case err != nil:
		return nil, "", refuseBadRequest.because("the body could not be read: %v", err)
	case len(body) == 0:
		return nil, emptyHash, nil
	}
	sum := sha256.Sum256(body)
	return body, hex.EncodeToString(sum[:]), nil
}
