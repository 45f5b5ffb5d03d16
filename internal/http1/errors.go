package http1

import "context"

// unansweredError says that a connection ended before the first byte of an answer.
type unansweredError struct{ err error }

func (e *unansweredError) Error() string {
	return "the connection ended without an answer: " + e.err.Error()
}
func (e *unansweredError) Unwrap() error { return e.err }

// timeoutError is a net.Error.
type timeoutError struct {
	text string
	sent bool // the request was: then it is context.DeadlineExceeded as well, as http.Transport has it
}

func (e *timeoutError) Error() string   { return e.text }
func (e *timeoutError) Timeout() bool   { return true }
func (e *timeoutError) Temporary() bool { return true }

func (e *timeoutError) Is(target error) bool { return e.sent && target == context.DeadlineExceeded }

var (
	errHandshakeTimeout error = &timeoutError{text: "the TLS handshake took too long"}
	errHeaderTimeout    error = &timeoutError{text: "the header of the answer took too long", sent: true}
)
