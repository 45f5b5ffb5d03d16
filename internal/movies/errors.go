package movies

import "errors"

// Code is what a program reads in an error of this API.
type Code string

// The codes. http_errors.go holds the one table from code to HTTP status.
const (
	// CodeInvalidParameter: a parameter of the path or of the query string is wrong; the message names it.
	CodeInvalidParameter Code = "invalid_parameter"
	// CodeInvalidPath: the path cannot be read as a percent-encoded path.
	CodeInvalidPath Code = "invalid_path"
	// CodeInvalidHeader: a header that this API reads is wrong; the message names it.
	CodeInvalidHeader Code = "invalid_header"
	// CodeInvalidJSON: the body is not the JSON text of one movie.
	CodeInvalidJSON Code = "invalid_json"
	// CodeInvalidMovie: a movie breaks rules; the message names every fault, and so does Faults, one by one.
	CodeInvalidMovie Code = "invalid_movie"
	// CodeIdempotencyKeyReused: the Idempotency-Key came before, with another request.
	CodeIdempotencyKeyReused Code = "idempotency_key_reused"
	// CodeBodyTooLarge: the body is larger than any movie.
	CodeBodyTooLarge Code = "body_too_large"
	// CodeUnsupportedMediaType: the body is said to be something else than JSON.
	CodeUnsupportedMediaType Code = "unsupported_media_type"
	// CodeNotFound: there is no such movie.
	CodeNotFound Code = "not_found"
	// CodeUnknownPath: the API serves nothing at this path.
	CodeUnknownPath Code = "unknown_path"
	// CodeMethodNotAllowed: the path is served, but not with this method.
	CodeMethodNotAllowed Code = "method_not_allowed"
	// CodePreconditionFailed: the movie is not, or no longer, in the state that the request's condition asks for.
	CodePreconditionFailed Code = "precondition_failed"
	// CodePreconditionRequired: replacing or removing a movie takes a condition, and the request has none.
	CodePreconditionRequired Code = "precondition_required"
	// CodeThrottled: the store refuses to do more at the moment; the call may be repeated.
	CodeThrottled Code = "throttled"
	// CodeUnavailable: the store cannot be reached, fails or has no table; the call may be repeated.
	CodeUnavailable Code = "unavailable"
	// CodeTimeout: the request's time was up before the store had answered. A write may have happened.
	CodeTimeout Code = "timeout"
	// CodeInternal: anything else. The caller learns nothing more; the log does.
	CodeInternal Code = "internal"
)

// Error is the one error type of the application.
type Error struct {
	Code Code
	// Message is for the caller of the API. It never repeats Err.
	Message string
	// Faults are the single faults that Message joins; nil when there is one only.
	Faults []string
	// Err is the cause, for the log only; nil when the message says it all.
	Err error
}

// Error returns code, message and cause: the form for logs.
func (e *Error) Error() string {
	text := string(e.Code)
	if e.Message != "" {
		text += ": " + e.Message
	}
	if e.Err != nil {
		text += ": " + e.Err.Error()
	}
	return text
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// CodeOf returns the code of err: "" for nil, CodeInternal for an error that is not of this application.
func CodeOf(err error) Code {
	if err == nil {
		return ""
	}
	if e, ok := errors.AsType[*Error](err); ok {
		return e.Code
	}
	return CodeInternal
}

// MessageOf returns what the caller may read about err: nothing of the inside for an error that is not of this
// application, nor for an internal one.
func MessageOf(err error) string {
	if e, ok := errors.AsType[*Error](err); ok && e.Code != CodeInternal && e.Message != "" {
		return e.Message
	}
	return "internal error"
}
