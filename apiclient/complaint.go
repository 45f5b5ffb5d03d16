package apiclient

import (
	"net/http"
	"strings"
)

// complaint is what a refusal is about, as far as a client can do something about it.
type complaint int

const (
	aboutElse complaint = iota
	aboutClock
	aboutToken
)

// complaintOf reads a 403 that API Gateway made; there is no message for any other. The types that go with ended tokens are not documented, the sentences
// are known; an answer without a body, to HEAD, has the type alone.
func complaintOf(resp *http.Response, message string) complaint {
	kind := errorType(resp.Header)
	switch {
	case resp.StatusCode != http.StatusForbidden:
		return aboutElse
	case strings.HasPrefix(message, "Signature expired: "), strings.HasPrefix(message, "Signature not yet current: "):
		return aboutClock
	case strings.HasPrefix(message, "The security token included in the request is "):
		return aboutToken
	case message == "" && kind == TypeInvalidSignature:
		return aboutClock // the clock's tolerance decides
	case message == "" && (kind == TypeExpiredToken || kind == TypeUnrecognizedClient):
		return aboutToken
	default:
		return aboutElse
	}
}
