package gateway

import (
	"fmt"
	"strings"

	"github.com/marquee-api/marquee/internal/sigv4"
)

// Refusal is an answer that the gateway makes itself, in AWS's words: never the function's.
type Refusal struct {
	Status  int
	Type    string // the x-amzn-ErrorType header; empty: the real answer carries no x-amzn headers
	Message string
	Body    string // what is sent, byte for byte
	Kind    string // the type of gateway response: "ACCESS_DENIED"; empty: only DEFAULT_4XX or DEFAULT_5XX

	// Why is for the one who runs the gateway and is never sent.
	Why string
}

func (r *Refusal) Error() string {
	return fmt.Sprintf("%d %s: %s", r.Status, r.Type, r.Message)
}

// of returns a copy of the refusal with its kind.
func (r Refusal) of(kind string) Refusal {
	r.Kind = kind
	return r
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
	refuseMissingToken    = plain(403, "MissingAuthenticationTokenException", "Missing Authentication Token").of("MISSING_AUTHENTICATION_TOKEN")
	refuseForbidden       = plain(403, "ForbiddenException", "Forbidden")
	refuseAPIKey          = plain(403, "ForbiddenException", "Forbidden").of("INVALID_API_KEY")
	refuseThrottled       = plain(429, "TooManyRequestsException", "Too Many Requests").of("THROTTLED")
	refuseQuota           = plain(429, "LimitExceededException", "Limit Exceeded").of("QUOTA_EXCEEDED")
	refuseLongURI         = plain(414, "RequestURITooLongException", "Request URI too long")
	refuseLargeHeaders    = plain(431, "RequestHeaderFieldsTooLargeException", "Request Header Fields Too Large")
	refuseBadRequest      = plain(400, "BadRequestException", "Bad Request")
	refuseInvalidBody     = spaced(400, "BadRequestException", "Invalid request body").of("BAD_REQUEST_BODY")
	refuseEventTooLarge   = spaced(413, "BadRequestException", "Request Too Long").of("REQUEST_TOO_LARGE")
	refuseFunctionError   = spaced(502, "InternalServerErrorException", "Internal server error")
	refuseInternal        = spaced(500, "InternalServerErrorException", "Internal server error").of("INTEGRATION_FAILURE")
	refuseConfiguration   = spaced(500, "InternalServerErrorException", "Internal server error").of("API_CONFIGURATION_ERROR")
	refuseFunctionTimeout = spaced(504, "InternalServerErrorException", "Endpoint request timed out").of("INTEGRATION_TIMEOUT")
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
	r := plain(403, errorType, message).of("INVALID_SIGNATURE")
	switch errorType {
	case sigv4.TypeMissingAuthenticationToken:
		r.Kind = "MISSING_AUTHENTICATION_TOKEN"
	case sigv4.TypeExpiredToken:
		r.Kind = "EXPIRED_TOKEN"
	}
	return r.because("%s", firstLine(message))
}

// refuseAccess is the denial by a policy: a capital "Message", unlike every other answer, and the account masked to its
// last four digits. suffix is empty or starts with a space.
func refuseAccess(who, arn, suffix string) *Refusal {
	message := fmt.Sprintf("User: %s is not authorized to perform: execute-api:Invoke on resource: %s%s", who, maskAccount(arn), suffix)
	return &Refusal{Status: 403, Type: "AccessDeniedException", Message: message, Body: `{"Message":` + quote(message) + `}`, Kind: "ACCESS_DENIED"}
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
