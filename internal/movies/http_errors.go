package movies

import (
	"errors"
	"maps"
	"net/http"
	"slices"
)

// statuses is the one place where an error becomes an HTTP status.
var statuses = map[Code]int{
	CodeInvalidParameter:     http.StatusBadRequest,
	CodeInvalidPath:          http.StatusBadRequest,
	CodeInvalidHeader:        http.StatusBadRequest,
	CodeInvalidJSON:          http.StatusBadRequest,
	CodeInvalidMovie:         http.StatusUnprocessableEntity,
	CodeIdempotencyKeyReused: http.StatusUnprocessableEntity,
	CodeBodyTooLarge:         http.StatusRequestEntityTooLarge,
	CodeUnsupportedMediaType: http.StatusUnsupportedMediaType,
	CodeNotFound:             http.StatusNotFound,
	CodeUnknownPath:          http.StatusNotFound,
	CodeMethodNotAllowed:     http.StatusMethodNotAllowed,
	CodePreconditionFailed:   http.StatusPreconditionFailed,
	CodePreconditionRequired: http.StatusPreconditionRequired,
	CodeThrottled:            http.StatusServiceUnavailable,
	CodeUnavailable:          http.StatusServiceUnavailable,
	CodeTimeout:              http.StatusGatewayTimeout,
	CodeInternal:             http.StatusInternalServerError,
}

// retryAfter is how many seconds a caller is asked to wait: what is refused for its rate or is down is seldom back sooner.
const retryAfter = "1"

// problem is the body of an error.
type problem struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	// Faults are the single faults of a movie.
	Faults    []string `json:"faults,omitempty"`
	RequestID string   `json:"request_id,omitempty"`
}

// fail makes the answer that of its error.
func (a *answer) fail(from Origin) {
	p := problem{Code: CodeOf(a.err), Message: MessageOf(a.err), RequestID: from.RequestID}
	if e, ok := errors.AsType[*Error](a.err); ok && e.Code != CodeInternal {
		p.Faults = e.Faults
	}
	if a.status = statuses[p.Code]; a.status == 0 {
		a.status = http.StatusInternalServerError
	}
	a.header.Set("Cache-Control", "no-store")
	a.header.Del("ETag")
	if a.status == http.StatusServiceUnavailable {
		a.header.Set("Retry-After", retryAfter)
	}
	a.items = -1
	a.text, _ = encodeJSON(map[string]problem{"error": p}) // texts only: it cannot fail
}

// Codes lists every code that an answer may have.
func Codes() []Code { return slices.Sorted(maps.Keys(statuses)) }
