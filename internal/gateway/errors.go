package gateway

import (
	"fmt"
	"strings"
)

// Refusal is an answer that the gateway makes itself, in AWS's words: never the function's.
type Refusal struct {
	Status  int
	Type    string // the x-amzn-ErrorType header; empty: the real answer carries no x-amzn headers
	Message string
	Body    string // what is sent, byte for byte

	// Why is for the one who runs the gateway and is never sent.
	Why string
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("%d %s: %s", r.Status, r.Type, r.Message)
}

// because returns a copy of the refusal that says why.
func (r Refusal) because(format string, args ...any) *Refusal {
	r.Why = fmt.Sprintf(format, args...)
	return &r
}

// The catalogue. Status, type, wording and even the space after the colon (5xx have one, 4xx of authentication and
// routing have none) follow "Gateway response types for API Gateway" and recorded answers; docs/fidelity.md says which
// are which.
var (
	refuseMissingToken    = plain(403, "MissingAuthenticationTokenException", "Missing Authentication Token")
	refuseForbidden       = plain(403, "ForbiddenException", "Forbidden")
	refuseThrottled       = plain(429, "TooManyRequestsException", "Too Many Requests")
	refuseQuota           = plain(429, "LimitExceededException", "Limit Exceeded")
	refuseLongURI         = plain(414, "RequestURITooLongException", "Request URI too long")
	refuseLargeHeaders    = plain(431, "RequestHeaderFieldsTooLargeException", "Request Header Fields Too Large")
	refuseBadRequest      = plain(400, "BadRequestException", "Bad Request")
	refuseInvalidBody     = spaced(400, "BadRequestException", "Invalid request body")
	refuseEventTooLarge   = spaced(413, "BadRequestException", "Request Too Long")
	refuseFunctionError   = spaced(502, "InternalServerErrorException", "Internal server error")
	refuseInternal        = spaced(500, "InternalServerErrorException", "Internal server error")
	refuseFunctionTimeout = spaced(504, "InternalServerErrorException", "Endpoint request timed out")
	// The front end answers this one before the API is known, so it is plain text and has no x-amzn headers.
	refuseLargeBody = Refusal{Status: 413, Message: "HTTP content length exceeded 10485760 bytes.", Body: "HTTP content length exceeded 10485760 bytes."}
)

func plain(status int, errorType, message string) Refusal {
	return Refusal{Status: status, Type: errorType, Message: message, Body: `{"message":` + quote(message) + `}`}
}

func spaced(status int, errorType, message string) Refusal {
	return Refusal{Status: status, Type: errorType, Message: message, Body: `{"message": ` + quote(message) + `}`}
}

// refuseSignature turns a refusal of the verifier into an answer; the message may hold line breaks.
func refuseSignature(errorType, message string) *Refusal {
	r := plain(403, errorType, message)
	return r.because("%s", firstLine(message))
}

// refuseAccess is the denial by a policy: a capital "Message", unlike every other answer, and the account masked to its
// last four digits. suffix is empty or starts with a space.
func refuseAccess(who, arn, suffix string) *Refusal {
	message := fmt.Sprintf("User: %s is not authorized to perform: execute-api:Invoke on resource: %s%s", who, maskAccount(arn), suffix)
	return &Refusal{Status: 403, Type: "AccessDeniedException", Message: message, Body: `{"Message":` + quote(message) + `}`}
}

// maskAccount replaces all but the last four digits of an ARN's account by stars.
func maskAccount(arn string) string {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) < 6 || len(parts[4]) < 4 {
		return arn
	}
	parts[4] = "********" + parts[4][len(parts[4])-4:]
	return strings.Join(parts, ":")
}

// quote is JSON text without the escapes that encoding/json adds for HTML: AWS sends < > & as they are.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < 0x20:
			fmt.Fprintf(&b, `\u%04x`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}

func firstLine(s string) string {
	line, _, _ := strings.Cut(s, "\n")
	return line
}
