package lambdahost

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"
)

var (
	// ErrThrottled means that every process is busy and no more invocations
	// may wait: Lambda's TooManyRequestsException.
	ErrThrottled = errors.New("too many invocations at once")
	// ErrClosed means that the function has been stopped.
	ErrClosed = errors.New("the function is being stopped")
)

// TooLargeError refuses an invocation whose payload is above Lambda's limit.
type TooLargeError struct {
	Size, Limit int // bytes
}

func (e *TooLargeError) Error() string {
	return fmt.Sprintf("payload of %d bytes is above the limit of %d bytes", e.Size, e.Limit)
}

// InitError says that a process ended, hung or reported an error before it
// first asked for an event. Type and Message are the runtime's own.
type InitError struct {
	Function, Type, Message string
}

func (e *InitError) Error() string {
	return fmt.Sprintf("function %s did not start: %s: %s", e.Function, e.Type, e.Message)
}

// Unhandled is the value of [Result.FunctionError] for every failed
// invocation. Lambda's other word, Handled, belonged to runtimes that are gone.
const Unhandled = "Unhandled"

// Error types that Lambda itself reports for a function (seen in the sources of
// its Runtime Interface Emulator, and in answers of the service).
const (
	typeExit             = "Runtime.ExitError"
	typeTimeout          = "Sandbox.Timedout"
	typeEntrypoint       = "Runtime.InvalidEntrypoint"
	typeResponseTooLarge = "Function.ResponseSizeTooLarge"
	typeTruncated        = "Runtime.TruncatedResponse"
	typeResponseMode     = "Runtime.InvalidResponseModeHeader"
	typeUnknown          = "Runtime.Unknown"
)

// failure is why an invocation or a start failed: either the document that the
// runtime posted itself, or a type and a text for one made here.
type failure struct {
	kind, text string
	document   []byte
}

// payload is the document Lambda answers with; the texts made by Lambda itself
// begin with the request id.
func (f failure) payload(requestID string) []byte {
	if f.document != nil {
		return f.document
	}
	text := f.text
	if f.kind != typeResponseTooLarge {
		text = fmt.Sprintf("RequestId: %s Error: %s", requestID, f.text)
	}
	doc, _ := json.Marshal(struct { // two strings always marshal
		Type    string `json:"errorType"`
		Message string `json:"errorMessage"`
	}{f.kind, text})
	return doc
}

// initError turns f into an error for who waits for a start.
func (f failure) initError(function string) *InitError {
	e := &InitError{Function: function, Type: f.kind, Message: f.text}
	if f.document != nil {
		var posted struct {
			Type    string `json:"errorType"`
			Message string `json:"errorMessage"`
		}
		if json.Unmarshal(f.document, &posted) == nil {
			e.Type, e.Message = orDefault(posted.Type, f.kind), posted.Message
		}
	}
	return e
}

func timeoutFailure(limit time.Duration) failure {
	return failure{kind: typeTimeout, text: fmt.Sprintf("Task timed out after %.2f seconds", limit.Seconds())}
}

func exitFailure(status string) failure {
	if status == "exit status 0" {
		return failure{kind: typeExit, text: "Runtime exited without providing a reason"}
	}
	return failure{kind: typeExit, text: "Runtime exited with error: " + status}
}
