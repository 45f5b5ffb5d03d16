package apiclient

import (
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"strings"
)

// Values of x-amzn-ErrorType, by which API Gateway names the answers that it made itself ("Gateway response types",
// API Gateway developer guide). A function's own answer has none.
const (
	TypeAccessDenied               = "AccessDeniedException"
	TypeBadRequest                 = "BadRequestException"
	TypeExpiredToken               = "ExpiredTokenException"
	TypeForbidden                  = "ForbiddenException"
	TypeIncompleteSignature        = "IncompleteSignatureException"
	TypeInternalServerError        = "InternalServerErrorException"
	TypeInvalidSignature           = "InvalidSignatureException"
	TypeLimitExceeded              = "LimitExceededException" // a usage plan's quota is used up
	TypeMissingAuthenticationToken = "MissingAuthenticationTokenException"
	TypeTooManyRequests            = "TooManyRequestsException" // throttled for now
	TypeUnrecognizedClient         = "UnrecognizedClientException"
)

// ErrBodyTooLarge says that a request's body exceeds API Gateway's 10 MiB. Nothing was sent.
var ErrBodyTooLarge = errors.New("request body is larger than API Gateway's limit of 10485760 bytes")

// ErrResponseTooLarge says that an answer's body exceeds [Config.MaxResponseBytes].
var ErrResponseTooLarge = errors.New("response body is larger than the limit")

// ErrRedirect says that the answer is a redirect, an [*APIError] then, or that a client tried to follow one. A signed
// request goes where it was sent and nowhere else.
var ErrRedirect = errors.New("redirects are not followed with a signature")

// CallError says that there was no whole answer, and which call it was: without its query, which may hold what nobody
// should read.
type CallError struct {
	// Method and Path are the request's, the path as a template.
	Method, Path string
	// Attempts is how often the request was sent, 0 if it could not be.
	Attempts int
	// Retried are the attempts before the last one.
	Retried []Attempt
	// Err is the reason, of the last attempt.
	Err error
}

func (e *CallError) Error() string {
	if e.Attempts > 1 {
		return fmt.Sprintf("%s %s: %v (attempt %d)", e.Method, e.Path, e.Err, e.Attempts)
	}
	return fmt.Sprintf("%s %s: %v", e.Method, e.Path, e.Err)
}

// Unwrap returns the reason.
func (e *CallError) Unwrap() error { return e.Err }

// APIError is an answer whose status is not 2xx.
type APIError struct {
	// StatusCode is the HTTP status.
	StatusCode int
	// Type is API Gateway's name for the error, from x-amzn-ErrorType. It is empty when the function behind the API
	// answered, and for API Gateway's 413, which carries none.
	Type string
	// Message is the message of the body when it is API Gateway's JSON, with any session token in it redacted.
	Message string
	// RequestID is x-amzn-RequestId, which AWS support and the access log know the request by.
	RequestID string
	// Response is the whole answer.
	Response *Response
}

func newAPIError(resp *Response) *APIError {
	return &APIError{
		StatusCode: resp.Status,
		Type:       errorType(resp.Header),
		Message:    errorMessage(resp.Body),
		RequestID:  resp.Header.Get("X-Amzn-Requestid"),
		Response:   resp,
	}
}

func (e *APIError) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "%d %s", e.StatusCode, http.StatusText(e.StatusCode))
	if e.Type != "" {
		fmt.Fprintf(&b, ": %s", e.Type)
	}
	if e.Message != "" {
		fmt.Fprintf(&b, ": %s", firstLine(e.Message))
	}
	if e.isRedirect() {
		fmt.Fprintf(&b, ": %s", ErrRedirect)
	}
	if e.RequestID != "" {
		fmt.Fprintf(&b, " (request id %s)", e.RequestID)
	}
	return b.String()
}

// Is makes a redirect be [ErrRedirect].
func (e *APIError) Is(target error) bool { return target == ErrRedirect && e.isRedirect() }

// isRedirect leaves out 304, which leads nowhere (RFC 9110 section 15.4).
func (e *APIError) isRedirect() bool {
	return 300 <= e.StatusCode && e.StatusCode < 400 && e.StatusCode != http.StatusNotModified
}

// ByGateway reports whether API Gateway made the answer, and the function never saw the request.
func (e *APIError) ByGateway() bool { return e.Type != "" }

// ErrorCode is Type, HTTPStatusCode the status: the names under which the SDK's own helpers look for them.
func (e *APIError) ErrorCode() string { return e.Type }

// HTTPStatusCode is the status.
func (e *APIError) HTTPStatusCode() int { return e.StatusCode }

// errorType reads x-amzn-ErrorType. Some AWS front ends append a colon and an address to the type.
func errorType(h http.Header) string {
	name, _, _ := strings.Cut(h.Get("X-Amzn-Errortype"), ":")
	return name
}

// errorMessage reads API Gateway's {"message": …}, or {"Message": …} as policy denials have it. Decoding is
// case-insensitive.
func errorMessage(body []byte) string {
	var answer struct {
		Message string `json:"message"`
	}
	if json.Unmarshal(body, &answer) != nil {
		return ""
	}
	return answer.Message
}

// firstLine keeps an error on one line: a signature's mismatch quotes two multi-line texts.
func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}

// tokenText finds a session token wherever a canonical request puts it: as a header, and as a query parameter. The value
// ends at what cannot be part of it; an escaped line end ends it in JSON.
var tokenText = regexp.MustCompile(`(?i)(x-amz-security-token[:=])(?:[^&"'\s\\]|\\[^n])+`)

// redact removes session tokens from a text. API Gateway quotes the canonical request of a signature that does not
// match, token included.
func redact(text []byte) []byte {
	return tokenText.ReplaceAll(text, []byte("${1}[redacted]"))
}
