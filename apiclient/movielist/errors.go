package movielist

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

	"github.com/marquee-api/marquee/apiclient"
)

// Code is what a program reads in an error of the movie list.
type Code string

// The codes; docs/service.md says what to do about each.
const (
	CodeInvalidParameter     Code = "invalid_parameter"
	CodeInvalidPath          Code = "invalid_path"
	CodeInvalidHeader        Code = "invalid_header"
	CodeInvalidJSON          Code = "invalid_json"
	CodeInvalidMovie         Code = "invalid_movie"
	CodeIdempotencyKeyReused Code = "idempotency_key_reused"
	CodeBodyTooLarge         Code = "body_too_large"
	CodeUnsupportedMediaType Code = "unsupported_media_type"
	CodeNotFound             Code = "not_found"
	CodeUnknownPath          Code = "unknown_path"
	CodeMethodNotAllowed     Code = "method_not_allowed"
	CodePreconditionFailed   Code = "precondition_failed"
	CodePreconditionRequired Code = "precondition_required"
	CodeThrottled            Code = "throttled"
	CodeUnavailable          Code = "unavailable"
	CodeTimeout              Code = "timeout"
	CodeInternal             Code = "internal"
)

// What programs ask for most, for errors.Is.
var (
	// ErrNotFound says that there is no such movie.
	ErrNotFound = errors.New("no such movie")
	// ErrNotModified says that the caller has the movie as it is.
	ErrNotModified = errors.New("the movie has not changed")
	// ErrPreconditionFailed says that the movie is not in the state that the caller wants to change.
	ErrPreconditionFailed = errors.New("the movie is in another state")
	// ErrEmptyOption says that an option of a write has no value, such as the ETag of a movie that was listed. Nothing was
	// sent: without the condition the write would undo what others have written.
	ErrEmptyOption = errors.New("option without a value")
)

// Error is what the movie list itself says about a request. What API Gateway says comes as it is, an
// [*apiclient.APIError]; that is also behind an Error.
type Error struct {
	// Code is for programs.
	Code Code
	// Message is for people.
	Message string
	// Faults are the single faults of a movie that was refused.
	Faults []string
	// Answer is the whole answer.
	Answer *apiclient.APIError
}

func (e *Error) Error() string { return fmt.Sprintf("%s (%s)", e.Message, e.Code) }

// Unwrap returns the answer.
func (e *Error) Unwrap() error { return e.Answer }

// Is makes a not_found be [ErrNotFound], and a precondition_failed [ErrPreconditionFailed].
func (e *Error) Is(target error) bool {
	return target == ErrNotFound && e.Code == CodeNotFound || target == ErrPreconditionFailed && e.Code == CodePreconditionFailed
}

// wrap says what was being done, and reads the movie list's own error out of an answer:
// {"error":{"code":"…","message":"…"}}.
func wrap(doing string, err error) error {
	if err == nil {
		return nil
	}
	var answer *apiclient.APIError
	if errors.As(err, &answer) && !answer.ByGateway() {
		err = read(answer)
	}
	return fmt.Errorf("%s: %w", doing, err)
}

// isCode reports whether an error of the client is the movie list's with this code.
func isCode(err error, code Code) bool {
	var answer *apiclient.APIError
	if !errors.As(err, &answer) || answer.ByGateway() {
		return false
	}
	var own *Error
	return errors.As(read(answer), &own) && own.Code == code
}

// read returns the answer itself if it is none of the movie list's.
func read(answer *apiclient.APIError) error {
	switch {
	case answer.StatusCode == http.StatusNotModified:
		return ErrNotModified
	case answer.StatusCode == http.StatusNotFound && len(answer.Response.Body) == 0: // to HEAD
		return &Error{Code: CodeNotFound, Message: ErrNotFound.Error(), Answer: answer}
	}
	var body struct {
		Error struct {
			Code    Code
			Message string
			Faults  []string
		}
	}
	if json.Unmarshal(answer.Response.Body, &body) != nil || body.Error.Code == "" {
		return answer
	}
	return &Error{Code: body.Error.Code, Message: body.Error.Message, Faults: body.Error.Faults, Answer: answer}
}
